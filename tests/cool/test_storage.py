"""Storage types: what is kept, what is refused, and how the message reads (cool-sqlite.md 4)."""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sctcalib.cool import Database, DatabaseError, NodeError, Payload, PayloadError
from sctcalib.cool.storage import STORAGE_TYPES
from tests.cool.helpers import rows, small_folder

INTEGERS = {
    "UChar": (0, 255),
    "Int16": (-32768, 32767),
    "UInt16": (0, 65535),
    "Int32": (-(2**31), 2**31 - 1),
    "UInt32": (0, 2**32 - 1),
    "UInt63": (0, 2**63 - 1),
    "Int64": (-(2**63), 2**63 - 1),
}
TEXTS = {"String255": 255, "String4k": 4000, "String64k": 65535, "String16M": 16777215}
BLOBS = {"Blob64k": 65535, "Blob16M": 16777215}


def _round_trip(db: Database, kind: str, *values: Any) -> list[Any]:
    folder = db.create_folder("/T", [("x", kind)])
    folder.store_bulk([(0, 9, n, [value]) for n, value in enumerate(values)])
    return [found.payload["x"] for found in folder.browse()]


@pytest.mark.parametrize(("kind", "limits"), INTEGERS.items())
def test_integers_keep_their_whole_range(db: Database, kind: str, limits: tuple[int, int]) -> None:
    assert _round_trip(db, kind, *limits, 7, None) == [*limits, 7, None]


@pytest.mark.parametrize(("kind", "limits"), INTEGERS.items())
@pytest.mark.parametrize("side", [0, 1])
def test_integers_beyond_their_range_are_refused(
    db: Database, kind: str, limits: tuple[int, int], side: int
) -> None:
    value = limits[side] + (-1, 1)[side]
    with pytest.raises(PayloadError, match=f"/T: channel 1: field x: {value} is not an integer"):
        _round_trip(db, kind, 5, value)


def test_an_unsigned_char_is_stored_as_digits(db: Database) -> None:
    assert _round_trip(db, "UChar", 200) == [200]
    assert rows(db.folder("/T"), "PAYLOAD", "x, typeof(x)") == [("200", "text")]


def test_truth_values_are_stored_as_zero_and_one(db: Database) -> None:
    found = _round_trip(db, "Bool", True, False, None, 1, np.True_)
    assert found == [True, False, None, True, True]
    assert all(value is None or isinstance(value, bool) for value in found)
    assert rows(db.folder("/T"), "PAYLOAD", "x")[:2] == [(1,), (0,)]


def test_a_float_is_rounded_to_32_bits_first(db: Database) -> None:
    found = _round_trip(db, "Float", 0.1, 0.015, math.inf, -math.inf, None, 3, np.float32(0.25))
    assert found == [
        0.10000000149011612, 0.014999999664723873, math.inf, -math.inf, None, 3.0, 0.25
    ]  # fmt: skip
    assert f"{found[1]:.6g}" == "0.015"
    assert rows(db.folder("/T"), "PAYLOAD", "typeof(x)")[5] == ("real",)


def test_a_double_is_kept(db: Database) -> None:
    assert _round_trip(db, "Double", 0.1, 1e300, -math.inf) == [0.1, 1e300, -math.inf]


@pytest.mark.parametrize("kind", ["Float", "Double"])
@pytest.mark.parametrize("value", [math.nan, np.float64("nan")])
def test_not_a_number_is_refused(db: Database, kind: str, value: float) -> None:
    message = rf"channel 2: field x: {kind.lower()} is Not a Number \(NaN\)"
    with pytest.raises(PayloadError, match=message):
        _round_trip(db, kind, 1.0, 2.0, value)


@pytest.mark.parametrize("value", [1e39, -1e300, 10**400])
def test_a_number_beyond_32_bits_does_not_become_infinite(db: Database, value: float) -> None:
    with pytest.raises(PayloadError, match="within the range of the type"):
        _round_trip(db, "Float", 1.0, value)


@pytest.mark.parametrize(("kind", "limit"), TEXTS.items())
def test_texts_up_to_their_limit_in_bytes(db: Database, kind: str, limit: int) -> None:
    values = ["a" * limit, "é" * (limit // 2), " 5  10-12 "]
    assert _round_trip(db, kind, *values) == values


@pytest.mark.parametrize(("kind", "limit"), TEXTS.items())
@pytest.mark.parametrize("letter", ["a", "é"])
def test_longer_texts_are_refused_not_cut(db: Database, kind: str, limit: int, letter: str) -> None:
    text = letter * (limit // len(letter.encode()) + 1)
    size = len(text.encode())
    message = f"channel 1: field x: the text has {size} bytes, at most {limit} fit"
    with pytest.raises(PayloadError, match=message):
        _round_trip(db, kind, "short", text)


def test_the_empty_text_is_stored_as_null_and_null_is_read_as_empty(db: Database) -> None:
    assert _round_trip(db, "String255", "", None, "a") == ["", "", "a"]
    assert rows(db.folder("/T"), "PAYLOAD", "x") == [(None,), (None,), ("a",)]


@pytest.mark.parametrize("value", ["a\0b", "\0", "\ud800"])
def test_texts_that_sqlite_cannot_keep_are_refused(db: Database, value: str) -> None:
    with pytest.raises(PayloadError, match=r"channel 1: field x: .* is not a text"):
        _round_trip(db, "String4k", "fine", value)


@pytest.mark.parametrize(("kind", "limit"), BLOBS.items())
def test_blobs_up_to_their_limit(db: Database, kind: str, limit: int) -> None:
    assert _round_trip(db, kind, b"\0" * limit, bytearray(b"ab"), b"", None) == [
        b"\0" * limit, b"ab", b"", None
    ]  # fmt: skip
    with pytest.raises(PayloadError, match=f"at most {limit} fit"):
        db.folder("/T").store(0, 9, [b"\0" * (limit + 1)], 9)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("Int32", 1.0), ("Int32", "1"), ("Int32", True), ("Int32", b"1"), ("UChar", "5"),
        ("Float", "1"), ("Float", True), ("Float", 1j), ("Double", [1]), ("String4k", 1),
        ("String4k", b"a"), ("Blob64k", "a"), ("Blob64k", 5), ("Bool", 2), ("Bool", "True"),
        ("Bool", 1.0),
    ],
)  # fmt: skip
def test_a_value_of_a_wrong_type_is_refused(db: Database, kind: str, value: Any) -> None:
    message = rf"/T: channel 0: field x: .* is not .* \({kind}\)"
    with pytest.raises(PayloadError, match=message):
        _round_trip(db, kind, value)


def test_integers_of_numpy_are_integers(db: Database) -> None:
    assert _round_trip(db, "Int32", np.int64(5), np.uint8(7)) == [5, 7]
    assert rows(db.folder("/T"), "PAYLOAD", "typeof(x)") == [("integer",)] * 2


VALUES = {
    **{kind: st.integers(*limits) for kind, limits in INTEGERS.items()},
    "Bool": st.booleans(),
    "Float": st.floats(width=32, allow_nan=False),
    "Double": st.floats(allow_nan=False),
    **{
        kind: st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=60)
        for kind in TEXTS
    },
    **{kind: st.binary(max_size=60) for kind in BLOBS},
}


@given(
    record=st.fixed_dictionaries({kind: st.none() | values for kind, values in VALUES.items()}),
    payload=st.sampled_from([Payload.INLINE, Payload.SEPARATE]),
)
@settings(max_examples=60, deadline=None)
def test_any_record_comes_back(
    tmp_path_factory: pytest.TempPathFactory, record: dict[str, Any], payload: Payload
) -> None:
    path = tmp_path_factory.mktemp("record") / "a.db"
    with Database.create(path) as db:
        fields = [(f"f{kind}", kind) for kind in VALUES]
        folder = db.create_folder("/T", fields, payload=payload)
        folder.store(0, 9, {f"f{kind}": value for kind, value in record.items()}, 1)
        found = folder.find(5, 1).payload
    expected = {f"f{kind}": "" if v is None and kind in TEXTS else v for kind, v in record.items()}
    assert found == expected
    assert {k: type(v) for k, v in found.items()} == {k: type(v) for k, v in expected.items()}


@given(
    kind=st.sampled_from(list(VALUES)),
    values=st.lists(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary()),
        min_size=1,
        max_size=4,
    ),
)
@settings(max_examples=300)
def test_a_column_is_encoded_as_its_values_are(kind: str, values: list[Any]) -> None:
    storage = STORAGE_TYPES[kind]
    outcomes = []
    for encode in (storage.encode_column, lambda column: [storage.encode(v) for v in column]):
        try:
            outcomes.append(encode(values))
        except PayloadError as error:
            outcomes.append(str(error))
    assert outcomes[0] == outcomes[1]


def test_32_bit_rounding_is_that_of_the_machine() -> None:
    values = [0.1, 1 / 3, 1e-45, 16777217.0, 3.4028235e38]
    expected = [struct.unpack("f", struct.pack("f", value))[0] for value in values]
    assert STORAGE_TYPES["Float"].encode_column(values) == expected


# ---------------------------------------------------------------- records


def test_a_record_is_a_mapping_or_a_sequence(db: Database) -> None:
    folder = db.create_folder("/T", [("a", "Int32"), ("b", "String4k")])
    folder.store_bulk([(0, 9, 1, {"b": "x", "a": 1}), (0, 9, 2, (2, "y")), (0, 9, 3, [3, "z"])])
    found = [o.payload for o in folder.browse()]
    assert found == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}, {"a": 3, "b": "z"}]
    assert list(found[0]) == ["a", "b"]


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"a": 1}, "channel 4: payload without b; the fields are: a, b"),
        ({"a": 1, "B": 2}, "payload without b and with B"),
        ({"a": 1, "b": "", "c": 2}, "payload with c"),
        ([1], "a mapping or a sequence of 2 values, not \\[1\\]"),
        ((1, "a", 2), "a sequence of 2 values"),
        ("ab", "a sequence of 2 values"),
        (None, "a sequence of 2 values"),
    ],
)
def test_a_record_has_exactly_the_fields(db: Database, record: Any, message: str) -> None:
    folder = db.create_folder("/T", [("a", "Int32"), ("b", "String4k")])
    with pytest.raises(PayloadError, match=message):
        folder.store(0, 9, record, 4)


@pytest.mark.parametrize("vector", [{"x": "a"}, "ab", 5, [["a", "b"]]])
def test_a_vector_is_a_list_of_records(db: Database, vector: Any) -> None:
    with pytest.raises(PayloadError, match="channel 4"):
        small_folder(db, payload=Payload.VECTOR).store(0, 9, vector, 4)


def test_vectors_of_any_length_come_back(db: Database) -> None:
    folder = small_folder(db, payload=Payload.VECTOR)
    folder.store_bulk([(0, 9, n, [[f"{n}-{i}"] for i in range(n)]) for n in (0, 3, 1)])
    assert [[r["x"] for r in o.items] for o in folder.browse()] == [
        [],
        ["1-0"],
        ["3-0", "3-1", "3-2"],
    ]
    assert rows(folder, "PAYLOAD", "PAYLOAD_SET_ID, PAYLOAD_ITEM_ID, x") == [
        *((1, 0, None), (7, 0, "3-0"), (7, 1, "3-1"), (7, 2, "3-2"), (13, 0, "1-0")),
    ]
    assert rows(folder, "IOVS", "OBJECT_ID, PAYLOAD_SET_ID, PAYLOAD_N_ITEMS") == [
        *((1, 1, 0), (7, 7, 3), (13, 13, 1)),
    ]


# ---------------------------------------------------------------- specifications


@pytest.mark.parametrize(
    "name",
    ["", "1a", "_a", "a" * 31, "a b", "a-b", "é", "COOL_x", "cool_x", "Channel_Id", "PAYLOAD_ID"],
)
def test_field_names_that_cool_or_sqlite_refuse(db: Database, name: str) -> None:
    with pytest.raises(NodeError, match="/T: "):
        db.create_folder("/T", [(name, "Int32")])
    assert db.node_paths() == ["/"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ([], "at least one payload field"),
        ([("a", "int")], "which is none of Bool, UChar"),
        ([("a", "Int32"), ("A", "Int32")], "is there 2 times"),
        ([(f"f{n}", "Int32") for n in range(901)], "901 fields are too many, at most 900"),
        ([(f"f{n}", "Blob64k") for n in range(11)], "11 blobs are too many, at most 10"),
        ([(f"f{n}", "String255") for n in range(201)], "201 fields of type String255"),
    ],
)
def test_payload_specifications_that_cool_refuses(
    db: Database, fields: list[tuple[str, str]], message: str
) -> None:
    with pytest.raises(NodeError, match=message):
        db.create_folder("/T", fields)


def test_nine_hundred_fields_are_allowed(db: Database) -> None:
    folder = db.create_folder("/T", [(f"f{n}", "Int32") for n in range(900)])
    folder.store(0, 9, list(range(900)), 1)
    assert folder.find(0, 1).payload["f899"] == 899


@pytest.mark.parametrize(
    ("kind", "stored"),
    [
        ("Int32", "'abc'"),
        ("Float", "'abc'"),
        ("Bool", "7"),
        ("String255", "x'00'"),
        ("Blob64k", "5"),
    ],
)
def test_a_stored_value_of_a_wrong_type_is_an_error_that_says_where(
    db: Database, kind: str, stored: str
) -> None:
    folder = db.create_folder("/T", [("x", kind)])
    folder.store(0, 9, [None], 4)
    db.file.run(f"UPDATE {folder.table('PAYLOAD')} SET x = {stored}")
    with pytest.raises(DatabaseError, match="/T: channel 4: field x: "):
        folder.browse()
