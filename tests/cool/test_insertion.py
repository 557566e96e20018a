"""How multi-version folders keep HEAD and user tags (cool-sqlite.md 9, 11)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sctcalib.cool import CoolError, Database, Folder, Payload, TagError, TagLock, ValidityError
from tests.cool.helpers import INF, dump, iovs, new_database, rows, small_folder
from tests.cool.oracle import MultiVersion

PAYLOADS = [Payload.INLINE, Payload.SEPARATE, Payload.VECTOR]


def _value(folder: Folder, text: str) -> Any:
    return [[text], [text + "'"]] if folder.payload is Payload.VECTOR else [text]


def test_worked_example_of_three_overlapping_objects(db: Database) -> None:
    folder = small_folder(db, payload=Payload.INLINE)
    folder.store(0, INF, ["A"], 5)
    assert iovs(folder) == [(1, 5, 0, INF, 0, 0, 0)]
    folder.store(10, 20, ["B"], 5)
    assert iovs(folder) == [
        (1, 5, 0, INF, 0, 0, 7),
        (7, 5, 10, 20, 0, 0, 0),
        (8, 5, 0, 10, 0, 1, 0),
        (9, 5, 20, INF, 0, 1, 0),
    ]
    folder.store(15, 30, ["C"], 5)
    assert iovs(folder) == [
        (1, 5, 0, INF, 0, 0, 7),
        (7, 5, 10, 20, 0, 0, 13),
        (8, 5, 0, 10, 0, 1, 0),
        (9, 5, 20, INF, 0, 1, 13),
        (13, 5, 15, 30, 0, 0, 0),
        (14, 5, 10, 15, 0, 7, 0),
        (15, 5, 30, INF, 0, 9, 0),
    ]
    assert sorted(rows(folder, "IOVS", "OBJECT_ID, x"))[-3:] == [(13, "C"), (14, "B"), (15, "A")]
    assert rows(folder, "IOVS_SEQ", "CURRENT_VALUE") == [(18,)]
    assert rows(folder, "CHANNELS") == [(5, 15, 0, None, "")]


def test_an_open_interval_is_cut_by_a_later_object(db: Database) -> None:
    folder = small_folder(db)
    folder.store(100, INF, ["old"], 1)
    folder.store(200, INF, ["new"], 1)
    found = [(o.since, o.until, o.payload["x"]) for o in folder.browse()]
    assert found == [(100, 200, "old"), (200, INF, "new")]


def test_adjacent_intervals_leave_each_other_alone(db: Database) -> None:
    folder = small_folder(db)
    folder.store(10, 20, ["a"], 1)
    folder.store(20, 30, ["b"], 1)
    folder.store(0, 10, ["c"], 1)
    assert [row[0] for row in iovs(folder)] == [1, 7, 13]
    assert {row[6] for row in iovs(folder)} == {0}


def test_an_identical_interval_supersedes_without_system_rows(db: Database) -> None:
    folder = small_folder(db)
    folder.store(10, 20, ["a"], 1, tag="T")
    folder.store(10, 20, ["b"], 1, tag="T")
    assert iovs(folder) == [
        (1, 1, 10, 20, 0, 0, 7),
        (4, 1, 10, 20, 1, 0, 10),
        (7, 1, 10, 20, 0, 0, 0),
        (10, 1, 10, 20, 1, 0, 0),
    ]


@pytest.mark.parametrize(
    ("tag", "only", "ids"),
    [("", False, [1, 7, 13]), ("T", False, [1, 4, 7, 10, 13, 16]), ("T", True, [4, 10, 16])],
)
def test_id_slots_of_head_and_user_tag(db: Database, tag: str, only: bool, ids: list[int]) -> None:
    folder = small_folder(db)
    for channel in (1, 2, 3):
        folder.store(0, 9, ["a"], channel, tag=tag, user_tag_only=only)
    assert [row[0] for row in iovs(folder)] == ids
    assert rows(folder, "PAYLOAD", "PAYLOAD_ID") == [(1,), (2,), (3,)]


def test_the_payload_row_is_shared_by_all_copies(db: Database) -> None:
    folder = small_folder(db)
    folder.store(0, INF, ["a"], 1, tag="T")
    folder.store(10, 20, ["b"], 1, tag="T")
    found = sorted(rows(folder, "IOVS", "OBJECT_ID, PAYLOAD_ID"))
    assert found == [(1, 1), (4, 1), (7, 2), (8, 1), (9, 1), (10, 2), (11, 1), (12, 1)]
    assert len(rows(folder, "PAYLOAD")) == 2
    assert rows(folder, "CHANNELS", "LAST_OBJECT_ID") == [(12,)]


def test_only_rows_of_earlier_operations_get_a_new_modification_date(db: Database) -> None:
    folder = small_folder(db)
    folder.store(0, INF, ["old"], 1)
    folder.store_bulk([(10, 20, 1, ["a"]), (15, 30, 1, ["b"])])
    found = {
        row[0]: (row[1] == row[2])
        for row in rows(folder, "IOVS", "OBJECT_ID, SYS_INSTIME, LASTMOD_DATE")
    }
    assert found == {1: False, 7: True, 8: True, 9: True, 13: True, 14: True, 15: True}
    (sequence_time,) = rows(folder, "IOVS_SEQ", "LASTMOD_DATE")[0]
    assert rows(folder, "IOVS", "MAX(LASTMOD_DATE)") == [(sequence_time,)]


def test_a_bulk_has_one_time_string_and_writes_head_before_the_tag(db: Database) -> None:
    folder = small_folder(db)
    folder.store_bulk([(0, 9, channel, ["a"]) for channel in (3, 1, 2)], tag="T")
    found = rows(folder, "IOVS", "OBJECT_ID, CHANNEL_ID, USER_TAG_ID, SYS_INSTIME")
    assert [row[:3] for row in found] == [
        *((1, 3, 0), (7, 1, 0), (13, 2, 0), (4, 3, 1), (10, 1, 1), (16, 2, 1)),
    ]
    assert len({row[3] for row in found}) == 1
    assert {row[0] for row in rows(folder, "PAYLOAD", "P_SYS_INSTIME")} == {found[0][3]}


def test_more_than_ten_thousand_objects_are_flushed_in_pieces(db: Database) -> None:
    folder = small_folder(db)
    assert folder.store_bulk((0, 9, channel, ["a"]) for channel in range(10_001)) == 10_001
    times = rows(folder, "IOVS", "SYS_INSTIME, COUNT(*)")
    grouped = db.file.rows(
        f"SELECT COUNT(*) FROM {folder.table('IOVS')} GROUP BY SYS_INSTIME ORDER BY SYS_INSTIME"
    )
    assert grouped == [(10_000,), (1,)]
    assert times[0][1] == 10_001
    assert rows(folder, "IOVS_SEQ", "CURRENT_VALUE") == [(60_006,)]


INTERVALS = st.tuples(st.integers(0, 12), st.integers(1, 12)).map(
    lambda pair: (pair[0], INF if pair[0] + pair[1] > 18 else pair[0] + pair[1])
)
OPERATIONS = st.lists(
    st.tuples(
        st.lists(st.tuples(INTERVALS, st.integers(1, 2)), min_size=1, max_size=5),
        st.sampled_from([("", False), ("T", False), ("T", True)]),
        st.sampled_from(["store", "bulk", "each"]),
    ),
    max_size=6,
)


@pytest.mark.parametrize("payload", PAYLOADS)
@given(operations=OPERATIONS)
@settings(max_examples=60, deadline=None)
def test_any_sequence_of_insertions_gives_the_rows_of_the_rules(
    tmp_path_factory: pytest.TempPathFactory, payload: Payload, operations: list[Any]
) -> None:
    oracle = MultiVersion()
    path = tmp_path_factory.mktemp("property") / "a.db"
    with new_database(path) as db, db.transaction():
        folder = small_folder(db, payload=payload)
        operation = number = 0
        for objects, (tag, only), way in operations:
            new = []
            operation += 1
            for (since, until), channel in objects:
                number += 1
                new.append((since, until, channel, _value(folder, f"v{number}")))
                operation += way != "bulk"
                oracle.store(
                    *(since, until, channel, f"v{number}", operation),
                    head=not only,
                    user=bool(tag),
                )
            _store(folder, new, tag, only, way)
        _compare(folder, oracle)
        assert db.check() == []


def _store(folder: Folder, new: list[Any], tag: str, only: bool, way: str) -> None:
    if way == "bulk":
        folder.store_bulk(new, tag=tag, user_tag_only=only)
    elif way == "each":
        folder.store_each(new, tag=tag, user_tag_only=only)
    else:
        for since, until, channel, value in new:
            folder.store(since, until, value, channel, tag=tag, user_tag_only=only)


def _compare(folder: Folder, oracle: MultiVersion) -> None:
    expected = sorted(
        (r.id, r.channel, r.since, r.until, r.layer, r.original, r.new_head) for r in oracle.rows
    )
    assert iovs(folder) == expected
    assert dict(rows(folder, "CHANNELS", "CHANNEL_ID, LAST_OBJECT_ID")) == oracle.last_object
    columns = "OBJECT_ID, SYS_INSTIME, LASTMOD_DATE"
    dates = {ident: born == changed for ident, born, changed in rows(folder, "IOVS", columns)}
    assert dates == {r.id: r.operation == r.modified_by for r in oracle.rows}
    tags = ["", *folder.tag_names()]
    for layer, tag in enumerate(tags):
        for channel in (1, 2):
            for key in (*range(26), INF - 1):
                _compare_at(folder, tag, channel, key, oracle.at(key, channel, layer))


def _compare_at(folder: Folder, tag: str, channel: int, key: int, expected: str | None) -> None:
    found = folder.browse(key, key, channels=[channel], tag=tag)
    if expected is None:
        assert found == []
    elif folder.payload is Payload.VECTOR:
        assert [o.items for o in found] == [({"x": expected}, {"x": expected + "'"})]
    else:
        assert [o.payload for o in found] == [{"x": expected}]


@given(
    objects=st.lists(st.tuples(INTERVALS, st.integers(1, 3)), min_size=1, max_size=8),
    mode=st.sampled_from([("", False), ("T", False), ("T", True)]),
    before=st.booleans(),
    payload=st.sampled_from(PAYLOADS),
)
@settings(max_examples=80, deadline=None)
def test_store_each_equals_repeated_store_in_every_row_and_time(
    tmp_path_factory: pytest.TempPathFactory,
    objects: list[Any],
    mode: tuple[str, bool],
    before: bool,
    payload: Payload,
) -> None:
    folder_path = tmp_path_factory.mktemp("each")
    tag, only = mode

    def written(name: str, store: Callable[[Folder, list[Any]], None]) -> Any:
        with new_database(folder_path / name) as db, db.transaction():
            folder = small_folder(db, payload=payload)
            if before:
                folder.store(3, 8, _value(folder, "before"), 1, tag=tag, user_tag_only=only)
            store(
                folder,
                [(*interval, c, _value(folder, f"{n}")) for n, (interval, c) in enumerate(objects)],
            )
            return dump(db)

    one = written("one.db", lambda f, new: _store(f, new, tag, only, "store"))
    each = written("each.db", lambda f, new: _store(f, new, tag, only, "each"))
    assert each == one


def test_store_each_of_many_channels_equals_repeated_store(tmp_path: Path) -> None:
    objects = [(5, INF if n % 2 else 9, 7 * n, [str(n)]) for n in range(300)]
    found = []
    for way in ("store", "each"):
        with new_database(tmp_path / f"{way}.db") as db, db.transaction():
            folder = small_folder(db)
            _store(folder, objects, "T", True, way)
            _store(folder, objects[:200], "T", True, way)
            found.append(dump(db))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("since", "until"), [(5, 5), (6, 5), (-1, 5), (0, INF + 1), (INF, INF), (2**70, 2**71)]
)
def test_an_interval_must_not_be_empty_or_out_of_range(
    db: Database, since: int, until: int
) -> None:
    folder = small_folder(db)
    with pytest.raises(ValidityError, match="/A/B: channel 7: "):
        folder.store(since, until, ["a"], 7)
    assert iovs(folder) == []


@pytest.mark.parametrize("key", [1.0, "1", None, True])
def test_a_validity_key_is_an_integer(db: Database, key: Any) -> None:
    with pytest.raises(ValidityError, match="is not a validity key"):
        small_folder(db).store(key, 9, ["a"], 7)


@pytest.mark.parametrize("channel", [-1, 2**32, 1.5, "1", None, False])
def test_a_channel_is_a_number_of_32_bits(db: Database, channel: Any) -> None:
    with pytest.raises(CoolError, match="is not a channel number 0-4294967295"):
        small_folder(db).store(0, 9, ["a"], channel)


def test_an_error_rolls_the_whole_operation_back(db: Database) -> None:
    folder = small_folder(db)
    folder.store(0, 9, ["a"], 1)
    before = {name: found for name, found in dump(db).items() if name != "sqlite_sequence"}
    for store in (folder.store_bulk, folder.store_each):
        objects = [(0, 9, n, ["x"]) for n in range(10_000)]
        with pytest.raises(ValidityError, match=r"channel 10000: .*since>=until: 9 \.\.\. 9"):
            store([*objects, (9, 9, 10_000, ["x"])], tag="NEW")
        assert dump(db) == before


def test_user_tag_only_needs_a_tag(db: Database) -> None:
    folder = small_folder(db)
    for name in ("", "HEAD", "head"):
        with pytest.raises(TagError, match="user_tag_only needs the name of a tag"):
            folder.store(0, 9, ["a"], 1, tag=name, user_tag_only=True)


@pytest.mark.parametrize("name", ["HEAD", "Head", "head", ""])
def test_any_case_of_head_means_no_tag(db: Database, name: str) -> None:
    folder = small_folder(db)
    folder.store(0, 9, ["a"], 1, tag=name)
    assert folder.tags() == []
    assert [row[0] for row in iovs(folder)] == [1]


def test_storing_nothing_makes_no_tag(db: Database) -> None:
    folder = small_folder(db)
    assert folder.store_each([], tag="T") == 0
    assert folder.tags() == []


def test_store_returns_the_id_of_the_object(db: Database) -> None:
    folder = small_folder(db)
    assert folder.store(0, 9, ["a"], 1) == 1
    assert folder.store(0, 9, ["a"], 1, tag="T") == 7
    assert folder.store(0, 9, ["a"], 1, tag="T", user_tag_only=True) == 16


def test_nothing_can_be_stored_in_a_locked_tag(db: Database) -> None:
    folder = small_folder(db)
    folder.store(0, 9, ["a"], 1, tag="T")
    db.lock_tag("T", TagLock.LOCKED)
    with pytest.raises(TagError, match="'T' is locked"):
        folder.store(10, 19, ["a"], 1, tag="T")
    db.lock_tag("T", TagLock.UNLOCKED)
    folder.store(10, 19, ["a"], 1, tag="T")


def test_a_partially_locked_tag_takes_only_what_does_not_overlap(db: Database) -> None:
    folder = small_folder(db)
    folder.store(10, 20, ["a"], 1, tag="T", user_tag_only=True)
    db.lock_tag("T", TagLock.PARTIALLY_LOCKED)
    folder.store(20, 30, ["b"], 1, tag="T", user_tag_only=True)
    folder.store(15, 30, ["c"], 2, tag="T")
    with pytest.raises(TagError, match="partially locked, and channel 1 has an object"):
        folder.store(29, 40, ["d"], 1, tag="T")
    with pytest.raises(TagError, match="partially locked"):
        folder.store_bulk([(50, 60, 3, ["e"]), (55, 70, 3, ["f"])], tag="T")
    assert len(folder.browse(tag="T")) == 3


def test_many_objects_of_one_channel_in_one_bulk(db: Database) -> None:
    folder = small_folder(db)
    folder.store(0, INF, ["first"], 1)
    folder.store_bulk((10 * n, INF, 1, [str(n)]) for n in range(1, 2000))
    assert len(folder.browse()) == 2000
    assert folder.find(10_005, 1).payload == {"x": "1000"}
