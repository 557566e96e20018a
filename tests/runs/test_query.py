"""Which runs a query selects, and in which lumi blocks (run-query-and-upload.md A3, A5, A6, A8)."""

from __future__ import annotations

import pytest

from sctcalib.runs.asked import Asked, understand
from sctcalib.runs.conditions import matching, wildcards
from sctcalib.runs.query import candidates
from sctcalib.runs.ranges import NANOSECOND, QueryError
from tests.runs.helpers import DAY, END, GOOD, NOISE, RUN, START, ask, fill, good, numbers

pytestmark = pytest.mark.requirement("R88")

LOOP = {
    "lhc": ("stablebeams TRUE",),
    "partition": "ATLAS",
    "detmaskin": ("240A",),
    "projecttag": "data*_*eV",
    "streams": ("*calibration_SCTNoise 10000+",),
}
"""The conditions of the loop (A8)."""
UNKNOWN = {"run": 300000}
"""A run of which nothing else is known."""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "runs.db"


def selected(path, run, **options):
    """Whether a query selects a run, the only one."""
    fill(path, run)
    return numbers(path, **options) == [run["run"]]


def test_the_query_of_the_loop_finds_the_run_of_the_example(path):
    fill(path, GOOD, UNKNOWN)
    assert numbers(path, run=(str(RUN),), **LOOP) == [RUN]


@pytest.mark.parametrize(
    "change",
    [
        {"stable_beams": [{"first": 1, "last": 873, "value": False}]},
        {"partition": "SCT"},
        {"detector_mask": "000000000000ff0f"},
        {"project": "data15_cos"},
        {"streams": {NOISE: {"events": 10_000}}},
        {"streams": {"physics_Main": {"events": 10**6}}},
        {"streams": {}},
    ],
)
def test_each_condition_of_the_loop_rejects(path, change):
    assert not selected(path, good(RUN, **change), **LOOP)


@pytest.mark.parametrize(
    "field", ["partition", "detector_mask", "project", "streams", "stable_beams", "events"]
)
def test_what_is_not_known_passes(path, field):
    assert selected(path, good(RUN, **{field: None}), **LOOP, events="1+")


def test_a_run_of_which_only_the_number_is_known_passes_everything(path):
    conditions = {**LOOP, "events": "5+", "duration": "9+", "readyforphysics": "1"}
    assert selected(path, UNKNOWN, **conditions, detmaskout=("1",))


def test_one_lumi_block_with_stable_beams_is_enough(path):
    flags = [{"first": 1, "last": 872, "value": False}, {"first": 873, "last": 873, "value": True}]
    fill(path, good(RUN, stable_beams=flags))
    (found,) = ask(path, **LOOP).runs
    assert found.blocks == ((873, 873),)


def test_a_run_is_rejected_if_each_lumi_block_is_by_one_condition_or_another(path):
    ready = [{"first": 1, "last": 73, "value": True}, {"first": 74, "last": 873, "value": False}]
    run = good(RUN, ready_for_physics=ready)
    assert selected(path, run, lhc=("stablebeams TRUE",))
    assert selected(path, run, readyforphysics="1")
    assert not selected(path, run, lhc=("stablebeams TRUE",), readyforphysics="1")


def test_lumi_blocks_without_a_flag_pass(path):
    flags = [{"first": 3, "last": 4, "value": False}, {"first": 8, "last": 8, "value": True}]
    fill(path, good(RUN, lumi_blocks=10, stable_beams=flags, streams=None))
    (found,) = ask(path, lhc=("stablebeams TRUE",)).runs
    assert found.blocks == ((1, 2), (5, 10))


def test_the_number_of_blocks_follows_from_the_flags_where_it_is_not_given(path):
    fill(path, good(RUN, lumi_blocks=None))
    (found,) = ask(path).runs
    assert found.blocks == ((1, 873),)


@pytest.mark.parametrize(
    ("options", "passes"),
    [
        ({"detmaskin": ("240A",)}, True),
        ({"detmaskin": ("15A",)}, False),
        ({"detmaskin": ("240",)}, True),
        ({"detmaskin": ("241",)}, False),
        ({"detmaskin": ("16", "32")}, True),
        ({"detmaskin": ("16", "1")}, False),
        ({"detmaskin": ("1A", "16A")}, True),
        ({"detmaskin": ("16", "1A")}, False),
        ({"detmaskout": ("16",)}, False),
        ({"detmaskout": ("15",)}, True),
        ({"detmaskin": ("240",), "detmaskout": ("15",)}, True),
        ({"detmaskin": ("224",), "detmaskout": ("16",)}, False),
        ({"detmaskin": ("0",)}, True),
    ],
)
def test_detector_masks(path, options, passes):
    """Of a mask with the four parts of the SCT."""
    assert selected(path, GOOD, **options) == passes


@pytest.mark.parametrize(
    ("item", "passes"),
    [
        ("*calibration_SCTNoise 10000+", True),
        ("calibration_SCTNoise 1201452+", True),
        ("calibration_SCTNoise 1201453+", False),
        ("calibration_SCTNoise 1201453", False),
        ("calibration_SCTNoise 1201453-", False),
        ("calibration_SCTNoise 1201454-", True),
        ("calibration_SCTNoise 10k+", True),
        ("calibration_SCTNoise 2m+", False),
        ("calibration", True),
        ("SCTNoise", False),
        ("%SCTNoise", True),
        ("calibration_sctnoise", False),
        ("calibration_SCTNois?", True),
        ("calibration_SCT?oise 1+", True),
        ("express,physics", True),
        ("express,debug", False),
        ("*", True),
        ("* 15411839+", True),
        ("* 15411840+", False),
        ("!express", True),
        ("!physics", False),
        ("!physics 14210387+", True),
        ("!physics 14210386+", False),
        ("express 0+", False),
        ("express 1-", True),
        ("physics_M.in", False),
    ],
)
def test_streams(path, item, passes):
    """Limits are strict, patterns begin with the name's first letter, letters have a case."""
    assert selected(path, GOOD, streams=(item,)) == passes


def test_all_stream_items_must_pass(path):
    assert selected(path, GOOD, streams=("calibration 1+", "physics 1+"))
    assert not selected(path, GOOD, streams=("calibration 1+", "express 1+"))


@pytest.mark.parametrize(
    ("pattern", "project", "passes"),
    [
        ("data*_*eV", "data15_13TeV", True),
        ("data*_*eV", "data15_900GeV", True),
        ("data*_*eV", "data15_cos", False),
        ("data*_hi", "data15_hi5TeV", True),
        ("data*_idcom", "data15_idcomm", True),
        ("DATA15", "data15_13TeV", True),
        ("data1?_cos", "data15_cos", True),
        ("data1?_cos", "data115_cos", False),
        ("15_13TeV", "data15_13TeV", False),
        ("data0*,data1*", "data15_13TeV", True),
        ("data0*, data1*", "data15_13TeV", True),
        ("data0*,data1*", "data22_13p6TeV", False),
        ("data15.13TeV", "data15_13TeV", False),
    ],
)
def test_project_tags(path, pattern, project, passes):
    assert selected(path, good(RUN, project=project), projecttag=pattern) == passes


@pytest.mark.parametrize(
    ("options", "passes"),
    [
        ({"events": "15034412"}, True),
        ({"events": "15034412+"}, True),
        ({"events": "15034413+"}, False),
        ({"events": "15034412-"}, True),
        ({"events": "1-10,15m-16m"}, True),
        ({"duration": "36000"}, False),
        ({"duration": "35999+"}, True),
        ({"duration": "36001-"}, True),
        ({"duration": "36000-"}, False),
        ({"lhc": ("fillnumber 3800-3900",)}, True),
        ({"lhc": ("fillnumber 3852+",)}, False),
        ({"lhc": ("beamenergy 6500",)}, True),
        ({"lhc": ("beamenergy 6499-",)}, False),
        ({"lhc": ("STABLEBEAMS false",)}, True),
        ({"lhc": ("stablebeams 1", "fillnumber 1+")}, True),
        ({"partition": "ATLAS"}, True),
        ({"partition": "atlas"}, False),
    ],
)
def test_ranges_include_their_ends_and_durations_do_not(path, options, passes):
    assert selected(path, GOOD, **options) == passes


def test_no_beam_energy_is_above_7863_gev_but_a_fill_number_may_be(path):
    run = good(RUN, fill=8000, beam_energy=7864.2)
    assert not selected(path, run, lhc=("beamenergy 1+",))
    assert selected(path, run, lhc=("fillnumber 7900+",))


def test_runs_by_number_come_newest_first(path):
    fill(path, *(good(n) for n in range(10, 20)))
    assert numbers(path, run=("12-13,17+", "10")) == [19, 18, 17, 13, 12, 10]
    assert numbers(path) == list(range(19, 9, -1))
    assert numbers(path, run=("14-15",), time=("last1d",)) == [15, 14]


def test_last_runs_are_counted_over_those_with_data(path):
    """A run with calibration streams only does not count, and is found where it lies."""
    only = {NOISE: {"events": 20_000}}
    fill(path, *(good(n) for n in (1, 2, 4)), good(3, streams=only), good(5, streams=None))
    assert numbers(path, run=("last2",)) == [5, 4]
    assert numbers(path, run=("last3",)) == [5, 4, 3]
    assert numbers(path, run=("last 9",)) == [5, 4, 3, 2, 1]
    assert numbers(path, run=("last0",)) == []


def day(n, **changes):
    """A run of some hours on day n after the first."""
    return good(n, start=START + n * DAY, end=END + n * DAY, **changes)


def test_last_days_begin_with_the_oldest_run_that_started_in_them(path):
    """All with higher numbers follow, those without times too."""
    fill(path, *(day(n) for n in (1, 2, 3, 4)), {"run": 5}, {"run": 1000})
    now = START + 5 * DAY
    assert ask(path, now, time=("last3d",)).numbers == [1000, 5, 4, 3]
    assert ask(path, now, time=("last 3d 1s",)).numbers == [1000, 5, 4, 3, 2]
    assert ask(path, now - 12 * 3600 * NANOSECOND, time=("last1h",)).numbers == []


def test_a_time_range_holds_the_runs_that_were_on_in_it(path):
    """Runs of 11 to 15 June, 4 to 14 hours UTC; the last is still on."""
    fill(path, *(day(n) for n in range(1, 5)), good(9, start=START + 4 * DAY, end=None), {"run": 8})
    assert numbers(path, time=("12.6.2015",)) == [1]
    assert numbers(path, time=("12.6.2015-14.6.2015",)) == [3, 2, 1]
    assert numbers(path, time=("12.6.2015_14:00:00-13.6.2015_03:59:59",)) == [1]
    assert numbers(path, time=("12.6.2015_14:00:01-13.6.2015_03:59:59",)) == []
    assert numbers(path, time=("12.6.2015_14:00:01-13.6.2015_04:00:00",)) == [2]
    assert numbers(path, time=("1.1.2020+",)) == [9]
    assert numbers(path, time=("13.6.2015-",)) == [2, 1]
    assert numbers(path, time=("12.6.2015", "14.6.2015")) == [3, 1]


@pytest.mark.parametrize(
    "options",
    [
        {"run": ("last",)},
        {"run": ("last3", "5")},
        {"run": ("a",)},
        {"time": ("last3",)},
        {"time": ("last3d", "1.6.2015")},
        {"time": ("yesterday",)},
        {"detmaskin": ("f0",)},
        {"detmaskin": ("A",)},
        {"detmaskout": ("240A",)},
        {"lhc": ("stablebeams maybe",)},
        {"lhc": ("stablebeams",)},
        {"lhc": ("beammode STABLE",)},
        {"lhc": ("fillnumber",)},
        {"streams": ("",)},
        {"streams": ("x 10000 5",)},
        {"streams": ("x many",)},
        {"streams": ("! 5",)},
        {"events": "many"},
        {"duration": "10h"},
        {"readyforphysics": "yes"},
        {"show": ("smk",)},
        {"show": ("streams",)},
        {"show": ("run 5",)},
        {"show": ("lhc most",)},
    ],
)
def test_what_cannot_be_understood_is_refused(options):
    with pytest.raises(QueryError):
        understand(Asked(**options), END)


def test_wildcards_are_the_only_special_characters():
    assert wildcards("a*b%c?d.e(") == r"a.*b.*c.d\.e\("
    assert matching("a,b*d", ["abc", "bcd", "xa", "bc"]) == ["abc", "bcd"]


def test_conditions_are_checked_in_the_order_of_the_original():
    options = {**LOOP, "events": "1+", "duration": "1", "readyforphysics": "1"}
    words = [c.words.split()[0] for c in understand(Asked(**options), END).conditions]
    assert words == [
        "events", "streams", "duration", "detector", "stable", "project", "ready", "partition",
    ]  # fmt: skip


def test_a_database_is_asked_only_for_what_the_query_needs():
    class Remote:
        """Another implementation of the interface."""

        name = "remote"

        def get(self, run):
            raise AssertionError

        def times(self):
            raise AssertionError

        def runs(self, ranges):
            self.asked = list(ranges)
            return iter(())

    remote = Remote()
    assert list(candidates(understand(Asked(run=("5-9",)), END), remote)) == []
    assert remote.asked == [(5, 9)]
