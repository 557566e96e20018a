"""One list of options: schema, packaged values and page agree (algorithms-hitmaps.md 6)."""

from __future__ import annotations

import json
import math
import tomllib

import jsonschema
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sctcalib.configuration.files import packaged_file
from sctcalib.configuration.options import names_without_use, options, schema, tables
from sctcalib.configuration.table import BEGIN, END, main, option_tables, updated
from sctcalib.resources import resource

PAGE = resource("share").parent / "docs" / "configuration.md"

CONFIG_HEAD = {
    "UseConfiguration": True,
    "UseCalibration": True,
    "WriteToCool": True,
    "UseMajority": True,
    "LbsPerWindow": 30,
    "NoisyUpdate": False,
    "NoisyWriteAllModules": True,
    "NoisyMinStat": 10000,
    "NoisyStripAll": True,
    "NoisyStripThrDef": True,
    "NoisyStripThrOffline": 1.5e-2,
    "NoisyStripThrOnline": 1.5e-3,
    "NoisyWaferFinder": True,
    "NoisyWaferWrite": True,
    "NoisyWaferAllStrips": False,
    "NoisyWaferThrBarrel": 1e-3,
    "NoisyWaferThrECA": 1e-3,
    "NoisyWaferThrECC": 1e-3,
    "NoisyWaferFraction": 0.5,
    "NoisyChipFraction": 0.5,
    "NoisyUploadTest": True,
    "NoisyModuleList": 5000,
    "NoisyModuleDiff": 0.3,
    "NoisyStripDiff": 0.3,
    "NoisyReadNumRuns": 3,
    "TagID4NoisyUploadTest": "SctDerivedMonitoring-RUN2-UPD4-005",
    "TagID4NoisyStrips": "SctDerivedMonitoring-RUN2-UPD4-005",
    "DeadStripSignificance": 6,
    "QuietThresholdStrip": 0.5,
    "NoisyThr4DeadFinding": 0.05,
    "BusyThr4DeadFinding": 0.0001,
    "DeadStripMinStat": 5000,
    "DeadStripMinStatBusy": 5000,
    "DeadStripUploadTest": True,
    "TagID4DeadStrips": "SctDerivedDeadStrips-003-00",
    "DeadChipSignificance": 6,
    "QuietThresholdChip": 0.5,
    "DeadChipMinStat": 5000,
    "DeadChipUploadTest": True,
    "TagID4DeadChips": "SctDerivedDeadChips-003-00",
    "HVBinWidth": 5,
    "HVAbsTripLimit": 5.0,
    "HVRelTripLimit": 4.0,
    "EfficiencyMinStat": 5000,
    "NoiseOccupancyMinStat": 5000,
    "RawOccupancyMinStat": 5000,
    "LorentzAngleMinStat": 5000,
    "BSErrorDBMinStat": 5000,
    "NoiseOccupancyTriggerAware": False,
    "TagID4Efficiency": "SctDerivedEfficiency-003-00",
    "TagID4NoiseOccupancy": "SctDerivedNoiseOccupancy-003-01",
    "TagID4RawOccupancy": "SctDerivedRawOccupancy-003-00",
    "TagID4LorentzAngle": "SctDerivedLorentzAngleRun2_v2-001-00",
    "TagID4BSErrors": "SctDerivedBSErrorsRun2-001-00",
}
"""Column "config HEAD" of the table in algorithms-hitmaps.md 6; algorithms-hist.md 1.2, 3.1 and
cool-folders.md 2 for the parts that read HIST files."""
OURS = {
    "compatibility": "",
    "ConditionsDatabase": "",
    "BadChannels": "",
    "ReadoutSwapTable": "",
    "SerialNumbers": "",
    "RunInfo": "",
    "Cabling": "",
    "Majority": "",
    "LBMax": 1000,
    "RunDatabase": "",
    "LastRunFile": "",
    "RunSelectorExit": "needcheck",
    "RunSelectorInterval": 60.0,
    "RunSelectorMaxWait": 86400.0,
    "RunSelectorProjects": "data",
    "ZeroEventLimit": 1,
    "NoisyStripDiffMode": "relative",
    "NoiseOccupancyHistogram": "hitoccupancymap",
    "HistBefore2010": False,
    "DeadMinStatStrict": False,
    "DeadStripOrder": "reversed",
    "NoisyLBMinEvents": 10,
    "NoisyLBChipFraction": 0.01,
}


@pytest.fixture(scope="module")
def packaged():
    return tomllib.loads(packaged_file().read_text())


def test_packaged_values_are_those_of_the_reference(packaged):
    values = {name: value for table in packaged.values() for name, value in table.items()}
    assert values == CONFIG_HEAD | OURS


def test_packaged_file_and_schema_have_the_same_options_tables_and_defaults(packaged):
    in_file = {table: list(content.items()) for table, content in packaged.items()}
    in_schema: dict[str, list[tuple[str, object]]] = {table: [] for table in tables()}
    for option in options().values():
        in_schema[option.table].append((option.name, option.default))
    assert in_file == in_schema


def test_packaged_file_is_valid(packaged):
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.Draft202012Validator(schema()).validate(packaged)


def test_packaged_file_gives_description_unit_and_reference_of_every_option():
    lines = packaged_file().read_text().split("\n\n")
    remarks = {
        block.splitlines()[-1].partition(" =")[0]: block for block in lines if " = " in block
    }
    for option in options().values():
        words = " ".join(line.removeprefix("# ") for line in remarks[option.name].splitlines())
        assert option.description in words
        assert f"[{option.reference}]" in words
        assert option.unit in words


def test_every_default_is_allowed():
    assert [option.check(option.default) for option in options().values()] == [""] * len(options())


def test_option_names_are_unique_over_all_tables_and_unlike_table_names():
    names = [name for table in schema()["$defs"].values() for name in table["properties"]]
    assert len(names) == len(set(names)) == len(options())
    assert not set(names) & ({"$schema"} | set(tables()))


def test_an_option_is_either_used_or_without_use():
    assert not names_without_use() & set(options())
    assert len(schema()["x-without-use"]) == len(names_without_use())


def test_options_use_only_schema_words_that_are_checked():
    checked = {"type", "enum", "minimum", "maximum", "minLength", "maxLength", "not"}
    said = {"description", "default", "x-unit", "x-reference", "x-kind"}
    for table in schema()["$defs"].values():
        assert set(table) == {"description", "properties"}
        for words in table["properties"].values():
            assert set(words) <= checked | said
            assert set(words.get("not", {})) <= {"pattern"}
            assert {"maxLength", "enum"} & set(words) or words["type"] != "string"


def test_counts_fractions_and_thresholds_have_a_unit():
    for option in options().values():
        assert bool(option.unit) == (option.type in ("integer", "number"))


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 3),
    st.sampled_from([2**31 - 1, 2**31, 10**400, 1000, 1001, 4088, 4089, 6279168, 6279169]),
    st.floats(-2, 10_000),
    st.sampled_from([1.0, -0.0, 1e300, 3.5]),
    st.text(max_size=5),
    st.sampled_from(
        ["", "athena", "relative", "absolute", "a\n", "a" * 255, "a" * 256, "x" * 4097]
    ),
    st.lists(st.integers(), max_size=1),
    st.just({}),
)


@settings(max_examples=300, deadline=None)
@given(name=st.sampled_from(sorted(options())), value=VALUES)
@example("TagID4NoisyStrips", "tag\n")
@example("BadChannels", "a\udc80")
@example("NoisyMinStat", 5e4)
def test_own_check_and_schema_give_the_same_verdict(name, value):
    option = options()[name]
    valid = jsonschema.Draft202012Validator(schema()).is_valid({name: value})
    assert (option.check(value) == "") == valid
    table = {option.table: {name: value}}
    assert jsonschema.Draft202012Validator(schema()).is_valid(table) == valid


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_nan_and_infinity_are_no_numbers(value):
    for option in options().values():
        assert option.check(value)


@pytest.mark.parametrize(
    "content",
    [
        {"common": {"NoisyMinStat": 1}},
        {"doDeadStrips": {}},
        {"NoisyMinstat": 1},
        {"common": 3},
        {"HVQlength": 3},
    ],
)
def test_schema_refuses_what_the_loader_refuses(content):
    assert not jsonschema.Draft202012Validator(schema()).is_valid(content)


def test_schema_accepts_tables_flat_names_and_its_own_name():
    content = {
        "$schema": "x",
        "NoisyMinStat": 1,
        "common": {"WriteToCool": False},
        "doNoisyStrip": {},
    }
    jsonschema.Draft202012Validator(schema()).validate(content)


def test_page_has_the_current_table():
    page = PAGE.read_text(encoding="utf-8")
    assert updated(page) == page
    assert all(f"| `{name}` | `{json.dumps(o.default)}` |" in page for name, o in options().items())


def test_page_is_rewritten_between_its_marks(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    main([str(page)])
    assert page.read_text() == f"before\n{BEGIN}\n\n{option_tables()}\n{END}\nafter\n"


@pytest.mark.parametrize("page", ["", BEGIN, END])
def test_page_without_marks_is_refused(page):
    with pytest.raises(ValueError, match="lacks"):
        updated(page)
