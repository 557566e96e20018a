"""The query language is translated to options (run-query-and-upload.md A4)."""

from __future__ import annotations

import pytest

from sctcalib.runs.asked import Asked, understand
from sctcalib.runs.language import translate
from sctcalib.runs.ranges import QueryError
from tests.runs.helpers import END

pytestmark = pytest.mark.requirement("R88")

SHOWS = ("run", "events", "time")
NODEF = {"show": SHOWS}


def nodef(sentence):
    return translate(f"{sentence} / show run and events and time / nodef").asked


@pytest.mark.parametrize(
    ("sentence", "options"),
    [
        ("find run 267367", {"run": ("267367",)}),
        ("f r 10-20", {"run": ("10-20",)}),
        ("f runs 1, 2 and run 5+", {"run": ("1,2", "5+")}),
        ("f run last 10", {"run": ("last10",)}),
        ("f t last3d", {"time": ("last3d",)}),
        ("f time last 1d 12h", {"time": ("last 1d 12h",)}),
        ("f ti 1.6.2015-30.6.2015", {"time": ("1.6.2015-30.6.2015",)}),
        ("f dur 10m", {"duration": "600+"}),
        ("f duration 1h 30m-", {"duration": "5400-"}),
        ("f ev 100k+", {"events": "100k+"}),
        ("f ptag data%_*eV", {"projecttag": "data*_*eV"}),
        ("f p ATLAS", {"partition": "ATLAS"}),
        ("f part ATLAS", {"partition": "ATLAS"}),
        ("f ready 1", {"readyforphysics": "1"}),
        ("f det 240", {"detmaskin": ("240",)}),
        ("f det any 240", {"detmaskin": ("240A",)}),
        ("f det 240 any", {"detmaskin": ("240A",)}),
        ("f not det 240", {"detmaskout": ("240",)}),
        ("f st %calibration_SCTNoise 10k+", {"streams": ("*calibration_SCTNoise 10k+",)}),
        ("f streams a* and not st b*", {"streams": ("a*", "!b*")}),
        ("f lhc stablebeams 1", {"lhc": ("stablebeams TRUE",)}),
        ("f lhc stablebeams T", {"lhc": ("stablebeams TRUE",)}),
        ("f lhc stablebeams true and lhc fillnumber 3851",
         {"lhc": ("stablebeams TRUE", "fillnumber 3851")}),
        ("f lhc stablebeams F", {"lhc": ("stablebeams FALSE",)}),
        ("f db CONDBR2 and ctag X and run 5", {"run": ("5",)}),
    ],
)  # fmt: skip
def test_conditions(sentence, options):
    asked = nodef(sentence)
    assert asked == Asked(**options, show=SHOWS)
    understand(asked, END)


def test_defaults_are_partition_projects_and_three_columns():
    assert translate("find run 5").asked == Asked(
        run=("5",), partition="ATLAS", projecttag="data0*,data1*", show=SHOWS
    )


@pytest.mark.parametrize("sentence", ["f run 5 / nodef", "f run 5 and db MC"])
def test_no_defaults_for_simulation_or_where_not_wanted(sentence):
    assert translate(sentence).asked == Asked(run=("5",), show=SHOWS)


def test_what_is_asked_for_replaces_a_default():
    asked = translate("f ptag data22* and p SCT").asked
    assert (asked.projecttag, asked.partition) == ("data22*", "SCT")


def test_shows_and_extras():
    sentence = translate(
        "find run 5 / sh run and time and ev and ptag and lhc all and st *SCTNoise / v nogrl nohtml"
    )
    assert sentence.asked.show == (
        "run", "time", "events", "projecttag", "lhc all", "streams *SCTNoise",
    )  # fmt: skip
    assert not sentence.run_list
    assert translate("f run 5 / show run / xmlfile a.xml:mine").xml_file == "a.xml:mine"
    assert translate("show run").asked.run == ()


@pytest.mark.parametrize(
    ("sentence", "text"),
    [
        ("look run 5", "begins with find or show, not 'look'"),
        ("f dq SCT g", "'dq': the run database holds nothing of that kind"),
        ("f run 5 / show smk", "'smk': the run database holds nothing of that kind"),
        ("f hits 5", "'hits' is none of r(uns), t(ime)"),
        ("f run", "'run' needs a value"),
        ("f not run 5", "not before 'run'"),
        ("f dur 10", "no duration"),
        ("f ev 1+ and ev 2+", "events is asked for twice"),
        ("f det 1 2", "expected one mask"),
        ("f lhc stablebeams maybe", "is none of 1, T, true"),
        ("f run 5 / show run / loud", "'loud' is none of v, noroot"),
        ("f run 5 / show hits", "is none of"),
    ],
)
def test_what_cannot_be_understood_is_named(sentence, text):
    with pytest.raises(QueryError) as caught:
        translate(sentence)
    assert text in str(caught.value)
