"""The argument dictionary is strict JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sctcalib.job.dictionary import MAX_BYTES, MAX_DEPTH, parse_dictionary, read_dictionary
from sctcalib.job.errors import JobError

BOM = b"\xef\xbb\xbf"


def nested(levels: int) -> bytes:
    """An object with this many levels, itself included."""
    return b'{"a": ' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


GOOD = [
    ("plain", b'{"a": 1}', {"a": 1}),
    ("byte-order mark", BOM + b'{"a": 1}', {"a": 1}),
    ("empty object", b"{}", {}),
    ("white space around", b"\n\t {} \r\n", {}),
    ("beyond ASCII", '{"a": "ü\U0001f600"}'.encode(), {"a": "ü\U0001f600"}),
    ("pair of surrogates", rb'{"a": "\ud83d\ude00"}', {"a": "\U0001f600"}),
    ("equal keys on different levels", b'{"a": {"a": 1}}', {"a": {"a": 1}}),
]


@pytest.mark.parametrize(("data", "value"), [g[1:] for g in GOOD], ids=[g[0] for g in GOOD])
def test_what_is_taken(data, value):
    assert parse_dictionary(data, "job.json") == value


BAD = [
    ("empty file", b"", 7, "not JSON"),
    ("text", b"part = doNoisyStrip", 7, "not JSON"),
    ("place of a mistake", b'{"a": 1,\n "b" 2}', 7, "line 2 column 6"),
    ("trailing comma", b'{"a": 1,}', 7, "not JSON"),
    ("comment", b'{"a": 1} // x', 7, "not JSON"),
    ("two objects", b"{} {}", 7, "not JSON"),
    ("single quotes", b"{'a': 1}", 7, "not JSON"),
    ("list", b"[1]", 7, "holds a list; expected an object"),
    ("list of objects", b'[{"part": "doNoisyStrip"}]', 7, "holds a list"),
    ("text value", b'"x"', 7, "holds a text"),
    ("number", b"3", 7, "holds a number"),
    ("null", b"null", 7, "holds null"),
    ("truth value", b"true", 7, "holds a truth value"),
    ("key twice", b'{"a": 1, "a": 1}', 7, "key 'a' is given twice"),
    ("key twice below", b'{"input": [{"lfn": "x", "lfn": "y"}]}', 7, "key 'lfn' is given twice"),
    ("key twice by escape", rb'{"a": 1, "\u0061": 2}', 7, "key 'a' is given twice"),
    ("UTF-16 with mark", '{"a": 1}'.encode("utf-16"), 7, "UTF-16 or UTF-32; save it as UTF-8"),
    ("UTF-16 without mark", '{"a": 1}'.encode("utf-16-le"), 7, "UTF-16"),
    ("UTF-32", '{"a": 1}'.encode("utf-32-be"), 7, "UTF-32"),
    ("Latin-1", '{"a": "ü"}'.encode("latin-1"), 7, "not UTF-8 at byte 7"),
    ("pickle", b"\x80\x04\x95\x00", 7, "job.json"),
    ("NaN", b'{"a": NaN}', 4, "NaN is not a value"),
    ("infinity", b'{"a": Infinity}', 4, "Infinity is not a value"),
    ("minus infinity", b'{"a": [-Infinity]}', 4, "-Infinity is not a value"),
    ("overflow", b'{"a": 1e999}', 4, "a number is too large"),
    ("negative overflow", b'{"a": {"b": -1e999}}', 4, "a number is too large"),
    ("endless integer", b'{"a": ' + b"9" * 5000 + b"}", 4, "job.json"),
    ("null character", rb'{"a": "x\u0000y"}', 7, "a character no name can have"),
    ("null character in a key", rb'{"x\u0000": 1}', 7, "a character no name can have"),
    ("half a surrogate pair", rb'{"a": ["\ud800"]}', 7, "a character no name can have"),
    ("too deep", nested(MAX_DEPTH + 1), 7, "nested deeper than 64 levels"),
    ("much too deep", nested(100_000), 7, "nested deeper than 64 levels"),
    ("too long", b'{"a": "' + b"x" * MAX_BYTES + b'"}', 7, "larger than 16 MiB"),
]


@pytest.mark.requirement("R2")
@pytest.mark.requirement("R3")
@pytest.mark.parametrize(("data", "code", "text"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_what_is_refused(data, code, text):
    with pytest.raises(JobError) as caught:
        parse_dictionary(data, "job.json")
    assert caught.value.code == code
    assert str(caught.value).startswith("job.json: ")
    assert text in str(caught.value)


def test_as_deep_as_allowed():
    assert parse_dictionary(nested(MAX_DEPTH), "x")


def test_as_long_as_allowed():
    frame = b'{"a": ""}'
    data = frame[:-2] + b"x" * (MAX_BYTES - len(frame)) + frame[-2:]
    assert len(data) == MAX_BYTES
    assert len(parse_dictionary(data, "x")["a"]) == MAX_BYTES - len(frame)


@settings(max_examples=60)
@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
        st.one_of(
            st.integers(),
            st.booleans(),
            st.none(),
            st.floats(allow_nan=False, allow_infinity=False),
        ),
    )
)
def test_what_a_json_writer_makes_is_read_back(value):
    assert parse_dictionary(json.dumps(value).encode(), "x") == value
    assert parse_dictionary(json.dumps(value, ensure_ascii=False).encode(), "x") == value


@settings(max_examples=60)
@given(st.binary(max_size=60))
def test_any_bytes_are_an_object_or_a_clear_refusal(data):
    try:
        found = parse_dictionary(data, "x")
    except JobError as error:
        found = {"refused": str(error)}
    assert isinstance(found, dict)
    assert str(found.get("refused", "x: ")).startswith("x: ")


def test_a_missing_file_is_a_missing_argument(tmp_path):
    with pytest.raises(JobError, match=r"none\.json: no such file") as caught:
        read_dictionary(tmp_path / "none.json")
    assert caught.value.code == 17


@pytest.mark.parametrize("name", ["folder", "x" * 300, "file/below", "null\0"])
def test_a_file_that_cannot_be_read_is_named(tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("{}")
    with pytest.raises(JobError, match="cannot be read") as caught:
        read_dictionary(tmp_path / name)
    assert caught.value.code == 7


def test_a_file_is_read_from_its_path(tmp_path: Path):
    path = tmp_path / "ü b.json"
    path.write_bytes(BOM + b'{"part": "x"}')
    assert read_dictionary(path) == {"part": "x"}
