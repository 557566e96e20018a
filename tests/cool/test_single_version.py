"""Single-version folders: later objects end open ones (cool-sqlite.md 10)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sctcalib.cool import (
    CoolError,
    Database,
    Folder,
    NodeError,
    Payload,
    TagError,
    ValidityError,
    Versioning,
)
from tests.cool.helpers import INF, dump, iovs, new_database, rows, small_folder

COLLISION = "Back-insertion collision: overlapping intervals not allowed in SINGLE_VERSION mode"


@pytest.fixture
def folder(db: Database) -> Iterator[Folder]:
    return small_folder(db, versioning=Versioning.SINGLE)  # type: ignore[return-value]


def _intervals(folder: Folder) -> list[tuple[int, int, str]]:
    return [(o.since, o.until, o.payload["x"]) for o in folder.browse()]


def test_ids_count_from_one_and_all_links_are_zero(folder: Folder) -> None:
    folder.store(0, 10, ["a"], 1)
    folder.store_bulk([(10, 20, 1, ["b"]), (0, 5, 2, ["c"])])
    assert iovs(folder) == [
        (1, 1, 0, 10, 0, 0, 0),
        (2, 1, 10, 20, 0, 0, 0),
        (3, 2, 0, 5, 0, 0, 0),
    ]
    assert rows(folder, "IOVS_SEQ", "CURRENT_VALUE") == [(3,)]
    assert rows(folder, "PAYLOAD", "PAYLOAD_ID") == [(1,), (2,), (3,)]
    assert rows(folder, "CHANNELS", "CHANNEL_ID, LAST_OBJECT_ID") == [(1, 2), (2, 3)]


def test_an_open_object_is_ended_by_the_next_one(folder: Folder) -> None:
    folder.store(0, INF, ["a"], 1)
    folder.store(10, 20, ["b"], 1)
    assert _intervals(folder) == [(0, 10, "a"), (10, 20, "b")]
    dates = rows(folder, "IOVS", "SYS_INSTIME, LASTMOD_DATE")
    assert dates[0][1] == dates[1][0] > dates[0][0]
    assert dates[1][0] == dates[1][1]


def test_an_open_object_is_ended_within_the_same_bulk(folder: Folder) -> None:
    folder.store_bulk([(0, INF, 1, ["a"]), (10, INF, 1, ["b"]), (20, 30, 1, ["c"])])
    assert _intervals(folder) == [(0, 10, "a"), (10, 20, "b"), (20, 30, "c")]
    assert all(
        born == changed for born, changed in rows(folder, "IOVS", "SYS_INSTIME, LASTMOD_DATE")
    )


@pytest.mark.parametrize(
    "objects",
    [
        [(0, 11, 1, ["a"]), (10, 20, 1, ["b"])],
        [(5, INF, 1, ["a"]), (5, 20, 1, ["b"])],
        [(5, INF, 1, ["a"]), (0, 3, 1, ["b"])],
        [(5, 9, 1, ["a"]), (0, 3, 1, ["b"])],
    ],
)
def test_objects_of_one_bulk_must_follow_each_other(folder: Folder, objects: list[object]) -> None:
    with pytest.raises(ValidityError, match=COLLISION):
        folder.store_bulk(objects)  # type: ignore[arg-type]
    assert iovs(folder) == []


def test_a_single_object_may_go_in_before_the_last_one(folder: Folder) -> None:
    folder.store(100, 200, ["last"], 1)
    folder.store(0, 10, ["before"], 1)
    folder.store(50, 100, ["between"], 1)
    assert [o[2] for o in _intervals(folder)] == ["before", "between", "last"]
    assert rows(folder, "CHANNELS", "LAST_OBJECT_ID") == [(1,)]
    folder.store(200, INF, ["after"], 1)
    assert rows(folder, "CHANNELS", "LAST_OBJECT_ID") == [(4,)]


@pytest.mark.parametrize(("since", "until"), [(0, 101), (150, 160), (50, INF), (5, 9), (100, 200)])
def test_back_insertion_must_not_overlap(folder: Folder, since: int, until: int) -> None:
    folder.store(0, 10, ["first"], 1)
    folder.store(100, 200, ["last"], 1)
    with pytest.raises(ValidityError, match=COLLISION):
        folder.store(since, until, ["x"], 1)
    assert len(iovs(folder)) == 2
    assert rows(folder, "IOVS_SEQ", "CURRENT_VALUE") == [(2,)]


def test_two_objects_of_a_bulk_cannot_both_go_in_before(folder: Folder) -> None:
    folder.store(100, 200, ["last"], 1)
    with pytest.raises(ValidityError, match=COLLISION):
        folder.store_bulk([(0, 10, 1, ["a"]), (10, 20, 1, ["b"])])
    folder.store_each([(0, 10, 1, ["a"]), (10, 20, 1, ["b"])])
    assert len(folder.browse()) == 3


def test_a_back_insertion_may_touch_an_object_ended_in_the_same_operation(folder: Folder) -> None:
    folder.store(0, INF, ["open"], 1)
    folder.store_each([(50, 60, 1, ["a"]), (20, 30, 2, ["b"]), (100, INF, 1, ["c"])])
    folder.store(70, 80, ["d"], 1)
    assert [o[:2] for o in _intervals(folder)][:4] == [(0, 50), (50, 60), (70, 80), (100, INF)]


def test_tags_of_any_kind_are_refused(folder: Folder) -> None:
    with pytest.raises(TagError, match="single-version folder, it cannot store objects under"):
        folder.store(0, 1, ["a"], 1, tag="T")
    with pytest.raises(TagError, match="single-version folder, it cannot tag HEAD"):
        folder.tag_head("T")
    with pytest.raises(TagError, match="has no tag 'T'"):
        folder.browse(tag="T")
    with pytest.raises(TagError, match="has no tags"):
        folder.db.tag_relation("/A", "G", "/A/B", "T")


def test_truncation_ends_what_is_open_at_that_point(folder: Folder) -> None:
    folder.store_bulk(
        [(0, INF, 1, ["a"]), (0, INF, 2, ["b"]), (50, INF, 3, ["c"]), (0, 9, 4, ["d"])]
    )
    assert folder.truncate(50, [1, 3]) == 1
    assert folder.truncate(60) == 2
    assert [o[1] for o in _intervals(folder)] == [50, 60, 60, 9]


def test_a_multi_version_folder_cannot_be_truncated(db: Database) -> None:
    with pytest.raises(NodeError, match="multi-version folder, it cannot truncate"):
        small_folder(db).truncate(5)


def _oracle(objects: list[tuple[int, int, int]]) -> list[tuple[int, int, int]] | None:
    """One operation per object; None where one is refused."""
    stored: list[list[int]] = []
    last: dict[int, list[int]] = {}
    for since, until, channel in objects:
        new = [channel, since, until]
        latest = last.get(channel)
        if latest is not None and latest[2] == INF and latest[1] < since:
            latest[2] = since
        elif latest is not None and since < latest[2]:
            if any(c == channel and s < until and u > since for c, s, u in stored):
                return None
            stored.append(new)
            continue
        stored.append(new)
        last[channel] = new
    return sorted((c, s, u) for c, s, u in stored)


STEPS = st.lists(
    st.tuples(st.integers(0, 20), st.sampled_from([1, 2, 5, INF]), st.integers(1, 2)), max_size=6
).map(lambda steps: [(s, min(s + length, INF), channel) for s, length, channel in steps])


@given(steps=STEPS, payload=st.sampled_from(list(Payload)))
@settings(max_examples=150, deadline=None)
def test_any_sequence_gives_what_the_rules_say(
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[int, int, int]],
    payload: Payload,
) -> None:
    expected = _oracle(steps)
    objects = [(s, u, c, ["x"] if payload is not Payload.VECTOR else []) for s, u, c in steps]
    results = []
    for way in ("store", "each"):
        with new_database(tmp_path_factory.mktemp("single") / "a.db") as db, db.transaction():
            folder = small_folder(db, versioning=Versioning.SINGLE, payload=payload)
            try:
                if way == "each":
                    folder.store_each(objects)
                else:
                    for since, until, channel, value in objects:
                        folder.store(since, until, value, channel)
            except CoolError:
                assert expected is None
                continue
            assert sorted((o.channel, o.since, o.until) for o in folder.browse()) == expected
            assert db.check() == []
            results.append(dump(db))
    if expected is not None:
        assert results[0] == results[1]
