"""Finding and browsing (cool-sqlite.md 13)."""

from __future__ import annotations

import pytest

from sctcalib.cool import (
    ChannelError,
    Database,
    DatabaseError,
    NotFoundError,
    Order,
    Payload,
    TagError,
    Versioning,
)
from tests.cool.helpers import INF, rows, small_folder


def _found(objects: list[object]) -> list[tuple[int, int, str]]:
    return [(o.channel, o.since, o.payload["x"]) for o in objects]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (0, 9, []),
        (0, 10, ["a"]),
        (10, 10, ["a"]),
        (19, 19, ["a"]),
        (20, 20, ["b"]),
        (19, 20, ["a", "b"]),
        (15, 100, ["a", "b", "c"]),
        (30, 39, []),
        (40, INF, ["c"]),
        (INF - 1, INF, ["c"]),
        (INF, INF, []),
        (20, 10, []),
    ],
)
@pytest.mark.parametrize("versioning", Versioning)
def test_browse_touches_a_closed_range(
    db: Database, versioning: Versioning, since: int, until: int, expected: list[str]
) -> None:
    folder = small_folder(db, versioning=versioning)
    folder.store_bulk([(10, 20, 1, ["a"]), (20, 30, 1, ["b"]), (40, INF, 1, ["c"])])
    assert [o.payload["x"] for o in folder.browse(since, until)] == expected


def test_channels_by_number_and_by_name(db: Database) -> None:
    folder = small_folder(db)
    folder.create_channel(7, "seven", "the seventh")
    folder.store_bulk([(0, 9, n, [str(n)]) for n in (5, 7, 6, 8)])
    assert [o.channel for o in folder.browse(channels=[8, "seven", 99])] == [7, 8]
    assert folder.find(3, "seven").payload == {"x": "7"}
    assert folder.browse(channels=[]) == []
    with pytest.raises(ChannelError, match="no channel is named 'eight'"):
        folder.browse(channels=["eight"])


def test_many_channels_are_found_in_order(db: Database) -> None:
    folder = small_folder(db)
    folder.store_bulk([(n % 7, 9, n, ["a"]) for n in range(1200)])
    wanted = list(range(1199, -1, -2))
    for order in Order:
        found = folder.browse(channels=wanted, order=order)
        alone = [o for o in folder.browse(order=order) if o.channel % 2]
        assert found == alone


def test_the_four_orders(db: Database) -> None:
    folder = small_folder(db)
    folder.store_bulk([(0, 5, 2, ["a"]), (5, 9, 2, ["b"]), (1, 9, 1, ["c"]), (0, 9, 3, ["d"])])
    assert ["".join(o.payload["x"] for o in folder.browse(order=order)) for order in Order] == [
        "cabd",
        "adcb",
        "dbac",
        "bcda",
    ]


def test_find_gives_exactly_one_object_or_an_error(db: Database) -> None:
    folder = small_folder(db)
    folder.store(10, 20, ["a"], 1)
    assert folder.find(10, 1).object_id == 1
    for at, channel in ((20, 1), (9, 1), (15, 2)):
        with pytest.raises(
            NotFoundError, match=f"channel {channel} of HEAD: no object is valid at {at}"
        ):
            folder.find(at, channel)


def test_objects_of_a_channel_without_a_row_are_invisible(db: Database) -> None:
    folder = small_folder(db)
    folder.store_bulk([(0, 9, n, ["a"]) for n in (1, 2)])
    db.file.run(f"DELETE FROM {folder.table('CHANNELS')} WHERE CHANNEL_ID = 1")
    assert [o.channel for o in folder.browse()] == [2]
    assert folder.count() == 1
    assert "object 1 is invisible, channel 1 has no row" in " ".join(db.check())
    db.file.run(f"INSERT INTO {folder.table('CHANNELS')} VALUES (1, 1, 0, NULL, NULL)")


def test_layers_do_not_see_each_other(db: Database) -> None:
    folder = small_folder(db)
    folder.store(0, 9, ["head"], 1)
    folder.store(0, 9, ["s"], 1, tag="S", user_tag_only=True)
    folder.store(0, 9, ["t"], 1, tag="T", user_tag_only=True)
    assert [folder.find(5, 1, tag=tag).payload["x"] for tag in ("", "S", "T")] == ["head", "s", "t"]


def test_an_unknown_tag_names_those_present(db: Database) -> None:
    folder = small_folder(db)
    folder.store(0, 9, ["a"], 1, tag="SctDerivedMonitoring-001")
    with pytest.raises(TagError, match="no tag 'Sct' in /A/B; there are: SctDerivedMonitoring-001"):
        folder.browse(tag="Sct")
    with pytest.raises(TagError, match="did you mean 'SctDerivedMonitoring-001'"):
        folder.browse(tag="SctDerivedMonitoring-002")


@pytest.mark.parametrize("payload", [Payload.INLINE, Payload.SEPARATE])
def test_a_tag_of_head_shows_what_head_was(db: Database, payload: Payload) -> None:
    folder = small_folder(db, payload=payload)
    folder.store(0, INF, ["a"], 1)
    folder.tag_head("T")
    folder.store(5, INF, ["b"], 1)
    assert _found(folder.browse(tag="T")) == [(1, 0, "a")]
    assert folder.find(7, 1, tag="T").payload == {"x": "a"}
    assert folder.find(7, 1).payload == {"x": "b"}


def test_head_as_of_a_date(db: Database) -> None:
    folder = small_folder(db)
    folder.store(0, INF, ["a"], 1)
    folder.store(5, INF, ["b"], 1, tag="T")
    folder.store(0, 3, ["c"], 1)
    dates = [row[0] for row in rows(folder, "IOVS", "DISTINCT SYS_INSTIME")]
    seen = [_found(folder.head_as_of(date)) for date in dates]
    assert seen == [
        [(1, 0, "a")],
        [(1, 0, "a"), (1, 5, "b")],
        [(1, 0, "c"), (1, 3, "a"), (1, 5, "b")],
    ]
    assert _found(folder.head_as_of(dates[2], 1, 3)) == [(1, 0, "c"), (1, 3, "a")]
    assert folder.head_as_of("2001-01-01_00:00:00.000000000 GMT") == []


def test_a_missing_payload_row_is_an_error_not_an_empty_value(db: Database) -> None:
    folder = small_folder(db)
    folder.store(0, 9, ["a"], 1)
    db.file.run(f"UPDATE {folder.table('IOVS')} SET PAYLOAD_ID = 99")
    with pytest.raises(DatabaseError, match="channel 1: the payload of object 1 is missing"):
        folder.browse()
    db.file.run(f"UPDATE {folder.table('IOVS')} SET PAYLOAD_ID = 1")


def test_missing_vector_items_are_an_error(db: Database) -> None:
    folder = small_folder(db, payload=Payload.VECTOR)
    folder.store(0, 9, [["a"], ["b"]], 1)
    db.file.run(f"UPDATE {folder.table('IOVS')} SET PAYLOAD_N_ITEMS = 3")
    with pytest.raises(DatabaseError, match="object 1 has 2 of 3 items"):
        folder.browse()
    db.file.run(f"UPDATE {folder.table('IOVS')} SET PAYLOAD_N_ITEMS = 2")


def test_browsing_a_long_history_reads_only_the_objects_in_the_range(db: Database) -> None:
    folder = small_folder(db)
    folder.store_bulk([(10 * n, 10 * n + 10, c, ["a"]) for c in (1, 2) for n in range(500)])
    plan = db.file.rows(
        "EXPLAIN QUERY PLAN SELECT MAX(IOV_SINCE) FROM "
        f"{folder.table('IOVS')} WHERE USER_TAG_ID = 0 AND NEW_HEAD_ID = 0 AND CHANNEL_ID = 1 "
        "AND IOV_SINCE <= 5"
    )
    assert "UTAG_5INDX" in plan[0][3]
    assert [o.since for o in folder.browse(2500, 2515)] == [2500, 2510] * 2


def test_count(db: Database) -> None:
    folder = small_folder(db)
    folder.store_bulk([(0, 9, n, ["a"]) for n in range(5)])
    folder.store(3, 6, ["b"], 1)
    folder.tag_head("H")
    folder.store(0, 9, ["c"], 1, tag="U", user_tag_only=True)
    assert [folder.count(tag) for tag in ("", "H", "U")] == [7, 7, 1]
