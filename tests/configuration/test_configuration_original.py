"""Files of the original software: lines ``Name = literal``, parsed and never run."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sctcalib.configuration.original import read_assignments
from sctcalib.job.errors import JobError

OF_21_0 = """
#--------------------------------------------------------------
# User settings (invented comments, the names and values of the 21.0 file)
#--------------------------------------------------------------
RunNumber = 256721
EvtMax    = -1

GeometryTag   = '' # empty in default
DataSource = 'data'       # 'data' or 'geant4'
ReadBS         = True
DoNoisyStrip     = False
DoNoisyLB        = False\x20
DoDeadChip       = True
UseDCS           = False
UseConfiguration = True
#UseMonitor       = False
WriteToCool = True
LbsPerWindow           = 20
NoisyUpdate            = True     # differences only
#NoisyMinStat           = 100
NoisyMinStat           = 20000
NoisyStripThrOffline   = 1.500E-2
NoisyModuleAverageInDB = -1.
NoisyStripLastRunInDB  = -999
NoisyModuleDiff        = 0.500
NoisyStripDiff         = 5120
\x20\x20\x20
HVQlength     = 100
BusyThr4DeadFinding   = 1E-4
LorentzAngleDebugMode = True
TagID4NoisyStrips    = 'SctDerivedMonitoring-RUN2-UPD4-005' # UPD4
ConditionsTagMC  = 'OFLCOND-DR-BS7T-ANom-00'
NoisyReadNumRuns = 10
"""


def test_file_of_the_original_is_read_over_the_packaged_values(load):
    cfg = load(a_py=OF_21_0)
    changed = {"NoisyMinStat": 20000, "NoisyModuleDiff": 0.5, "NoisyStripDiff": 5120.0}
    changed |= {"NoisyReadNumRuns": 10, "NoisyUpdate": True}
    assert {name: cfg[name] for name in changed} == changed
    assert cfg.origin("NoisyMinStat").endswith("a.py")
    assert cfg.origin("NoisyStripAll") == "packaged default"


def test_its_names_without_effect_are_listed(load):
    cfg = load(a_py=OF_21_0)
    assert cfg.without_use == (
        *("RunNumber", "EvtMax", "GeometryTag", "DataSource", "ReadBS", "DoNoisyStrip"),
        *("DoNoisyLB", "DoDeadChip", "UseDCS", "NoisyModuleAverageInDB"),
        *("NoisyStripLastRunInDB", "HVQlength", "LorentzAngleDebugMode", "ConditionsTagMC"),
    )
    assert cfg.as_dict().keys().isdisjoint(cfg.without_use)


def test_names_without_effect_may_have_any_plain_value(load):
    cfg = load(
        a_py="RunNumber = None\nDataSource = ['1', -2, [True]]\n"
        "GeometryTag = 'a' 'b'; EvtMax = +3\n"
    )
    assert cfg.without_use == ("RunNumber", "DataSource", "GeometryTag", "EvtMax")


def test_its_strip_difference_in_strips_gives_a_warning(load):
    (warning,) = load(a_py=OF_21_0).warnings
    assert "NoisyStripDiff is 5120" in warning


def test_unknown_name_is_an_error_with_the_nearest_of_all_names(load):
    with pytest.raises(JobError) as caught:
        load(a_py="NoisyMinStats = 1\n\nDeadStripMinStats = 3\n")
    first, second = str(caught.value).splitlines()
    assert "a.py, line 1: unknown option 'NoisyMinStats'" in first
    assert "did you mean 'NoisyMinStat'" in first
    assert "a.py, line 3: unknown option 'DeadStripMinStats'" in second
    assert "did you mean 'DeadStripMinStat'" in second


def test_a_name_set_twice_is_an_error(load):
    with pytest.raises(JobError, match=r"a.py, line 3: 'RunNumber' is set a second time"):
        load(a_py="RunNumber = 1\nEvtMax = 1\nRunNumber = 2\n")


@pytest.mark.parametrize("value", ["None", "[1]", "'a'", "True", "-1", "1e999", "0.5"])
def test_values_are_checked_as_in_other_files(value, load):
    with pytest.raises(
        JobError, match=r"a.py, line 2: NoisyMinStat is .*, expected a whole number"
    ):
        load(a_py=f"# events\nNoisyMinStat = {value}\n")


HOSTILE = {
    "import": "import os",
    "from import": "from os import system",
    "call": "__import__('os').mkdir({marker!r})",
    "call as value": "NoisyMinStat = __import__('os').mkdir({marker!r})",
    "open": "NoisyMinStat = open({marker!r}, 'w')",
    "f-string": "BadChannels = f\"{{__import__('os').mkdir({marker!r})}}\"",
    "sum": "NoisyMinStat = 5000 + 5000",
    "product": "NoisyMinStat = 9 ** 9 ** 9 ** 9",
    "name": "NoisyMinStat = NoisyModuleList",
    "attribute": "NoisyMinStat = ().__class__",
    "subscript": "NoisyMinStat = [1][0]",
    "lambda": "NoisyMinStat = (lambda: 1)()",
    "comprehension": "NoisyMinStat = [x for x in (1,)]",
    "call in a list": "DataSource = [1, [print()]]",
    "starred": "DataSource = [*[1]]",
    "dictionary": "DataSource = {{}}",
    "tuple": "DataSource = (1, 2)",
    "set": "DataSource = {{1}}",
    "bytes": "GeometryTag = b'a'",
    "complex": "NoisyModuleDiff = 1j",
    "minus complex": "NoisyModuleDiff = -1j",
    "minus true": "NoisyMinStat = -True",
    "minus text": "NoisyMinStat = -'a'",
    "double minus": "NoisyMinStat = --1",
    "not": "NoisyUpdate = not True",
    "ellipsis": "NoisyMinStat = ...",
    "walrus": "NoisyMinStat = (x := 1)",
    "condition": "NoisyMinStat = 1 if True else 2",
    "comparison": "NoisyUpdate = 1 < 2",
    "if": "if True: NoisyMinStat = 1",
    "loop": "while True: pass",
    "function": "def f(): pass",
    "class": "class A: pass",
    "delete": "del NoisyMinStat",
    "two targets": "NoisyMinStat = NoisyModuleList = 1",
    "unpacking": "NoisyMinStat, NoisyModuleList = 1, 2",
    "attribute target": "SCTCalib.NoisyMinStat = 1",
    "item target": "a[0] = 1",
    "annotation": "NoisyMinStat: int = 1",
    "in-place sum": "NoisyMinStat += 1",
    "bare text": "'text'",
    "bare name": "NoisyMinStat",
    "include": "include('other.py')",
    "assert": "assert False",
    "raise": "raise SystemExit(0)",
    "global": "global x",
}


@pytest.mark.parametrize("line", HOSTILE.values(), ids=HOSTILE)
def test_everything_else_is_an_error_with_its_line_and_is_not_run(line, load, tmp_path):
    marker = tmp_path / "run"
    text = f"# first\nRunNumber = 1\n{line.format(marker=str(marker))}\n"
    with pytest.raises(JobError, match=r"a.py, line 3: .*(no literal|not of the form)") as caught:
        load(a_py=text)
    assert caught.value.code == 7
    assert len(str(caught.value).splitlines()) == 1
    assert not marker.exists()


def test_odd_escapes_in_texts_give_no_warning(load, tmp_path):
    assert load(a_py=r"BadChannels = 'a\d.json'").path("BadChannels") == tmp_path / r"a\d.json"


def test_line_ends_and_coding_remarks_of_other_editors_are_accepted(load):
    cfg = load(a_py="# -*- coding: latin-1 -*-\r\nNoisyMinStat = 1\r\n\fNoisyModuleList = 2")
    assert (cfg["NoisyMinStat"], cfg["NoisyModuleList"]) == (1, 2)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(values=st.lists(PLAIN, max_size=4))
def test_plain_values_are_read_back(values):
    text = "".join(f"A{n} = {value!r}\n" for n, value in enumerate(values))
    assignments, problems = read_assignments(text)
    assert problems == []
    assert [(name, value) for name, value, _ in assignments] == [
        (f"A{n}", value) for n, value in enumerate(values)
    ]
