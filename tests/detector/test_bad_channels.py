"""The option BadChannels (algorithms-hitmaps.md 1.7, 3.3)."""

from __future__ import annotations

import json

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sctcalib.detector.bad_channels import LISTS, no_bad_channels, read_bad_channels
from sctcalib.detector.identifiers import module_of, wafers
from sctcalib.detector.readout import chip_of_strip, default_swap
from sctcalib.job.errors import InputFileError, JobError
from sctcalib.resources import resource

MODULE = [0, 3, 3, -1]
SIDE_0, SIDE_1 = 4938, 4939


@pytest.fixture(scope="session")
def schema():
    return json.loads(resource("schemas", "bad_channels.json").read_text())


@pytest.fixture
def read(tmp_path):
    def read_content(content, swap=None):
        path = tmp_path / "BadChannels.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return read_bad_channels(path, default_swap() if swap is None else swap)

    return read_content


def set_items(flags):
    return [tuple(index) for index in np.argwhere(flags).tolist()]


def test_nothing_is_bad_without_a_file(read):
    for bad in (no_bad_channels(), read({})):
        assert not any(array.any() for array in vars(bad).values())
        assert {name: array.shape for name, array in vars(bad).items()} == {
            "modules": (4088,),
            "links": (8176,),
            "chips": (4088, 12),
            "strips": (8176, 768),
            "configuration": (8176, 768),
            "calibration": (8176, 768),
        }


def test_strip_number_is_768_times_side_plus_offline_strip(read):
    bad = read({"strips": [[*MODULE, 5], [*MODULE, 767], [*MODULE, 768], [*MODULE, 1535]]})
    expected = [(SIDE_0, 5), (SIDE_0, 767), (SIDE_1, 0), (SIDE_1, 767)]
    assert set_items(bad.configuration) == set_items(bad.strips) == expected
    assert not bad.calibration.any()


def test_calibration_defects_are_kept_apart(read):
    bad = read({"calibration_strips": [[*MODULE, 768]]})
    assert set_items(bad.calibration) == [(SIDE_1, 0)]
    assert not bad.configuration.any()


def test_bad_module_makes_all_strips_of_both_sides_bad(read):
    bad = read({"modules": [MODULE]})
    assert set_items(bad.modules) == [(SIDE_0 // 2,)]
    assert bad.configuration[[SIDE_0, SIDE_1]].all()
    assert bad.configuration.sum() == 1536
    assert not bad.strips.any()


def test_bad_link_is_kept_and_leaves_its_strips_good(read):
    bad = read({"links": [[*MODULE, 1]]})
    assert set_items(bad.links) == [(SIDE_1,)]
    assert not bad.configuration.any()


@pytest.mark.parametrize(
    ("chip", "swap", "wafer", "first_strip"),
    [
        (0, False, SIDE_0, 0),
        (0, True, SIDE_0, 640),
        (5, True, SIDE_0, 0),
        (7, False, SIDE_1, 128),
        (7, True, SIDE_1, 512),
        (10, True, SIDE_1, 128),
    ],
)
def test_strips_of_a_bad_chip_follow_the_readout_swap(chip, swap, wafer, first_strip, read):
    bad = read({"chips": [[*MODULE, chip]]}, np.full(8176, swap))
    strips = [(wafer, strip) for strip in range(first_strip, first_strip + 128)]
    assert set_items(bad.configuration) == strips
    assert set_items(bad.chips) == [(SIDE_0 // 2, chip)]


ROWS = st.tuples(st.integers(0, 4087), st.integers(0, 1535))


@settings(max_examples=15, deadline=None)
@given(modules=st.lists(ROWS, max_size=3), chips=st.lists(ROWS), strips=st.lists(ROWS))
def test_configuration_says_of_every_strip_whether_it_its_chip_or_its_module_is_bad(
    modules, chips, strips, tmp_path_factory
):
    w = wafers()

    def rows(given, end=None):
        positions = [[int(a[2 * m]) for a in (w.bec, w.layer, w.phi, w.eta)] for m, _ in given]
        items = [[] if end is None else [item % end] for _, item in given]
        return [position + item for position, item in zip(positions, items, strict=True)]

    content = {"modules": rows(modules), "chips": rows(chips, 12), "strips": rows(strips, 1536)}
    path = tmp_path_factory.mktemp("bad") / "bad.json"
    path.write_text(json.dumps(content))
    swap = default_swap()
    bad = read_bad_channels(path, swap)
    expected = np.zeros((8176, 768), dtype=bool)
    for module, number in strips:
        expected[2 * module + number // 768, number % 768] = True
    for module, chip in chips:
        wafer = 2 * module + chip % 12 // 6
        of_chip = chip_of_strip(np.arange(768), wafer % 2, swap[wafer]) == chip % 12
        expected[wafer] |= of_chip
    for module, _ in modules:
        expected[2 * module : 2 * module + 2] = True
    assert np.array_equal(bad.configuration, expected)


def test_arrays_are_read_only(read):
    for array in vars(read({"modules": [MODULE]})).values():
        with pytest.raises(ValueError, match="read-only"):
            array[...] = True


def test_packaged_example_is_valid_and_read(schema):
    path = resource("share", "examples") / "BadChannels.json"
    jsonschema.Draft202012Validator(schema).validate(json.loads(path.read_text()))
    bad = read_bad_channels(path, default_swap())
    assert bad.configuration.sum() == 2 * 768 + 128 + 3
    assert bad.calibration.sum() == 2
    assert bad.links.sum() == 1
    assert bad.modules[module_of(0, 3, 20, -6)]


def test_schema_and_reader_have_the_same_lists(schema):
    jsonschema.Draft202012Validator.check_schema(schema)
    assert set(schema["properties"]) - {"$schema", "description"} == set(LISTS)
    assert schema["additionalProperties"] is False


BAD_ROWS = {
    "no such module": ({"modules": [MODULE, [0, 3, 3, 0]]}, "$.modules[1]: no module at"),
    "end cap C has no phi 52": ({"modules": [[-2, 0, 52, 0]]}, "= (-2, 0, 52, 0)"),
    "odd bec": ({"modules": [[1, 0, 0, 0]]}, "no module at"),
    "huge number": ({"modules": [[0, 3, 3, 10**30]]}, "no module at"),
    "three numbers": ({"modules": [[0, 3, 3]]}, "$.modules[0] is [0, 3, 3], expected"),
    "no row": (
        {"modules": [5]},
        "$.modules[0] is 5, expected whole numbers [bec, layer, phi, eta]",
    ),
    "no list": ({"strips": {"a": 1}}, "$.strips is {'a': 1}, expected a list"),
    "side 2": ({"links": [[*MODULE, 2]]}, "$.links[0][4]: side is 2, expected 0-1"),
    "chip 12": ({"chips": [[*MODULE, 12]]}, "$.chips[0][4]: chip is 12, expected 0-11"),
    "strip 1536": ({"strips": [[*MODULE, 1536]]}, "strip is 1536, expected 0-1535"),
    "strip -1": ({"strips": [[*MODULE, -1]]}, "strip is -1, expected 0-1535"),
    "truth value": ({"strips": [[*MODULE, True]]}, "expected whole numbers"),
    "text": ({"strips": [[*MODULE, "5"]]}, "expected whole numbers"),
    "half": ({"strips": [[*MODULE, 0.5]]}, "expected whole numbers"),
    "misspelt": ({"module": [MODULE]}, "unknown name 'module' (did you mean 'modules'?)"),
    "unknown": ({"xyz": []}, "unknown name 'xyz'; one of modules, links"),
    "description": ({"description": 3}, "$.description is 3, expected a text"),
    "a list at the top": ([MODULE], "expected an object with the lists modules"),
}


@pytest.mark.parametrize(("content", "message"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_bad_content_is_named_with_its_place(content, message, read):
    with pytest.raises(InputFileError) as caught:
        read(content)
    assert message in str(caught.value)
    assert "BadChannels.json: " in str(caught.value)
    assert caught.value.code == 74


BAD_FILES = {
    "empty": (b"", "cannot be read as JSON"),
    "cut": (b'{"modules": [[0, 3,', "line 1 column"),
    "name twice": (b'{"strips": [], "strips": []}', "'strips' is given twice"),
    "not UTF-8": (b'{"description": "\xff"}', "utf-8"),
    "byte order mark": (b"\xef\xbb\xbf{}", "BOM"),
    "deep": (b"[" * 100_000, "nested too deeply"),
    "thousands of digits": (b'{"modules": [[0, 3, 3, ' + b"9" * 5000 + b"]]}", "digits"),
}


@pytest.mark.parametrize(("content", "message"), BAD_FILES.values(), ids=BAD_FILES)
def test_damaged_file_is_an_input_file_error(content, message, tmp_path):
    path = tmp_path / "BadChannels.json"
    path.write_bytes(content)
    with pytest.raises(InputFileError, match=message) as caught:
        read_bad_channels(path, default_swap())
    assert str(path) in str(caught.value)


def test_absent_file_and_folder_are_input_file_errors(tmp_path):
    for path in (tmp_path / "absent.json", tmp_path):
        with pytest.raises(InputFileError, match="cannot be read"):
            read_bad_channels(path, default_swap())


def test_all_problems_are_named_at_once(read):
    with pytest.raises(JobError) as caught:
        read({"modules": [[9, 9, 9, 9]], "chips": [[*MODULE, 12], [*MODULE, 1], []], "strip": []})
    assert caught.value.code == 74
    lines = str(caught.value).splitlines()
    assert ["$.modules[0]" in lines[0], "$.chips[0]" in lines[1], "$.chips[2]" in lines[2]] == [
        True
    ] * 3
    assert "did you mean 'strips'" in lines[3]
    assert len(lines) == 4


def test_long_lists_of_problems_are_cut(read):
    with pytest.raises(JobError) as caught:
        read({"modules": [[9, 9, 9, 9]] * 5000})
    assert len(str(caught.value).splitlines()) == 101
    assert str(caught.value).endswith("further problems are not listed")


ITEMS = st.one_of(st.integers(-3, 60), st.sampled_from([True, None, "a", 0.5, 1535, 1536]))


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(sorted(LISTS)), tail=st.lists(ITEMS, max_size=2))
def test_reader_and_schema_judge_rows_alike(name, tail, schema, tmp_path_factory):
    content = {name: [[*MODULE, *tail]]}
    path = tmp_path_factory.mktemp("bad") / "bad.json"
    path.write_text(json.dumps(content))
    valid = jsonschema.Draft202012Validator(schema).is_valid(content)
    try:
        read_bad_channels(path, default_swap())
    except JobError:
        assert not valid
    else:
        assert valid
