"""User tags, HEAD tags, locks and relations (cool-sqlite.md 6, 7, 12)."""

from __future__ import annotations

import pytest

from sctcalib.cool import Database, Payload, TagError, TagKind, TagLock
from tests.cool.helpers import INF, dump, iovs, rows, small_folder


def test_a_user_tag_has_the_same_time_everywhere(db: Database) -> None:
    folder = small_folder(db)
    folder.store(0, 9, ["a"], 1, tag="T")
    (tag,) = folder.tags()
    assert (tag.name, tag.path, tag.id, tag.description) == ("T", "/A/B", 1, "")
    assert (tag.kind, tag.lock) == (TagKind.USER, TagLock.UNLOCKED)
    assert rows(folder, "TAGS") == [(1, "T", None, tag.inserted)]
    assert rows(folder, "TAGS_SEQ", "CURRENT_VALUE, LASTMOD_DATE") == [(1, tag.inserted)]
    assert db.file.rows('SELECT * FROM "CONDBR2_TAGS"') == [(2, 1, "T", 0, None, tag.inserted)]


@pytest.mark.parametrize("payload", list(Payload))
def test_a_head_tag_copies_the_current_rows(db: Database, payload: Payload) -> None:
    folder = small_folder(db, payload=payload)
    value = [["v"]] if payload is Payload.VECTOR else ["v"]
    folder.store_bulk([(0, INF, 2, value), (0, INF, 1, value)])
    folder.store(5, 9, value, 2)
    assert folder.tag_head("H", "a description") == 4
    (tag,) = folder.tags()
    assert (tag.kind, tag.description) == (TagKind.HEAD, "a description")
    copied = rows(folder, "IOV2TAG", "TAG_ID, OBJECT_ID, CHANNEL_ID, IOV_SINCE, IOV_UNTIL")
    current = [(1, *row[:4]) for row in iovs(folder) if row[6] == 0]
    assert copied == current
    assert {row[0] for row in rows(folder, "IOV2TAG", "SYS_INSTIME")} == {tag.inserted}
    folder.store(0, INF, value, 3)
    assert len(folder.browse(tag="H")) == 4


def test_an_empty_head_cannot_be_tagged(db: Database) -> None:
    folder = small_folder(db)
    folder.store(0, 9, ["a"], 1, tag="U", user_tag_only=True)
    with pytest.raises(TagError, match="HEAD is empty, it cannot be tagged 'H'"):
        folder.tag_head("H")
    assert folder.tag_names() == ["U"]


def test_a_tag_cannot_be_both_kinds(db: Database) -> None:
    folder = small_folder(db)
    folder.store(0, 9, ["a"], 1, tag="U")
    folder.tag_head("H")
    with pytest.raises(TagError, match="'U' already exists, it is a user tag"):
        folder.tag_head("U")
    with pytest.raises(TagError, match="'H' already exists, it is a tag of an earlier HEAD"):
        folder.tag_head("H")
    with pytest.raises(TagError, match="'H' is a tag of HEAD, nothing can be stored"):
        folder.store(0, 9, ["a"], 1, tag="H")


def test_tag_names_are_unique_in_the_whole_database(db: Database) -> None:
    one, two = small_folder(db, "/A/B"), small_folder(db, "/A/C")
    one.store(0, 9, ["a"], 1, tag="T")
    with pytest.raises(TagError, match="'T' already exists in /A/B, not in /A/C"):
        two.store(0, 9, ["a"], 1, tag="T")
    two.store(0, 9, ["a"], 1, tag="t")  # case matters
    assert [tag.name for tag in db.tags()] == ["T", "t"]


@pytest.mark.parametrize("name", ["", "HEAD", "head", "a\0b", "é" * 128])
def test_names_that_no_tag_can_have(db: Database, name: str) -> None:
    folder = small_folder(db)
    folder.store(0, 9, ["a"], 1)
    with pytest.raises(TagError):
        folder.tag_head(name)


def test_deleting_a_user_tag_removes_its_objects_and_rows(db: Database) -> None:
    folder = small_folder(db)
    folder.store(0, 9, ["a"], 1, tag="U")
    folder.store(5, 9, ["b"], 1, tag="U")
    assert folder.delete_tag("U") == 3
    assert folder.tags() == []
    assert rows(folder, "TAGS") == []
    assert [row[0] for row in iovs(folder)] == [1, 7, 8]
    assert rows(folder, "CHANNELS", "LAST_OBJECT_ID") == [(11,)]
    folder.store(0, 9, ["c"], 1, tag="U")
    assert folder.tags()[0].id == 2  # ids are not given out again


def test_deleting_a_tag_of_a_vector_folder_removes_its_payload(db: Database) -> None:
    folder = small_folder(db, payload=Payload.VECTOR)
    folder.store(0, 9, [["a"]], 1, tag="U")
    folder.store(0, 9, [["b"]], 2, tag="U", user_tag_only=True)
    folder.delete_tag("U")
    assert rows(folder, "PAYLOAD", "PAYLOAD_SET_ID, x") == [(1, "a")]


def test_deleting_a_head_tag_leaves_head(db: Database) -> None:
    folder = small_folder(db)
    folder.store(0, 9, ["a"], 1)
    folder.tag_head("H")
    assert folder.delete_tag("H") == 1
    assert rows(folder, "IOV2TAG") == []
    assert len(folder.browse()) == 1


@pytest.mark.parametrize("status", [TagLock.LOCKED, TagLock.PARTIALLY_LOCKED])
def test_locked_tags_are_not_deleted(db: Database, status: TagLock) -> None:
    folder = small_folder(db)
    folder.store(0, 9, ["a"], 1, tag="U")
    db.lock_tag("U", status)
    assert folder.tags()[0].lock is status
    with pytest.raises(TagError, match="locked and cannot be deleted"):
        folder.delete_tag("U")


def test_unknown_tags_cannot_be_locked_or_deleted(db: Database) -> None:
    folder = small_folder(db)
    folder.store(0, 9, ["a"], 1, tag="Monitoring-1")
    with pytest.raises(TagError, match="did you mean 'Monitoring-1'"):
        db.lock_tag("Monitoring-2", TagLock.LOCKED)
    with pytest.raises(TagError, match="no tag 'X' in /A/B; there are: Monitoring-1"):
        folder.delete_tag("X")


# ---------------------------------------------------------------- relations


def test_relations_make_missing_tags_and_step_their_clock(db: Database) -> None:
    folder = small_folder(db)
    db.tag_relation("/A", "G", "/A/B", "L")
    (row,) = db.file.rows('SELECT * FROM "CONDBR2_TAG2TAG"')
    assert row[:4] == (1, 1, 2, 1)
    sequence = 'SELECT CURRENT_VALUE, LASTMOD_DATE FROM "CONDBR2_TAG2TAG_SEQ"'
    assert db.file.rows(sequence) == [(0, row[4])]
    db.tag_relation("/", "TOP", "/A", "G")
    assert db.file.rows(sequence)[0][0] == 1
    assert [(t.path, t.name, t.kind) for t in db.tags()] == [
        *(("/", "TOP", TagKind.GLOBAL), ("/A", "G", TagKind.GLOBAL), ("/A/B", "L", TagKind.EMPTY)),
    ]
    assert rows(folder, "TAGS", "TAG_ID, TAG_NAME") == [(1, "L")]
    assert db.find_tag_relation("/A", "G", "/A/B") == "L"
    assert db.tag_relations() == [("/", "TOP", "/A", "G"), ("/A", "G", "/A/B", "L")]
    assert folder.browse(tag="L") == []


def test_resolving_goes_one_step_per_level(db: Database) -> None:
    folder = small_folder(db)
    folder.store(0, 9, ["a"], 1, tag="OWN")
    db.tag_relation("/", "TOP", "/A", "MID")
    db.tag_relation("/A", "MID", "/A/B", "OWN")
    for tag in ("TOP", "MID", "OWN"):
        assert db.resolve_tag("/A/B", tag) == "OWN"
    small_folder(db, "/A/C")
    with pytest.raises(TagError, match="'TOP' is not found in /A/C: no relation to /A/C"):
        db.resolve_tag("/A/C", "TOP")
    small_folder(db, "/X/Y")
    with pytest.raises(TagError, match="no relation to /X"):
        db.resolve_tag("/X/Y", "TOP")
    with pytest.raises(TagError, match="'MID' is in /A, which is not above /X/Y"):
        db.resolve_tag("/X/Y", "MID")
    with pytest.raises(TagError, match="no tag 'TOPP'; did you mean 'TOP'"):
        db.resolve_tag("/A/B", "TOPP")
    with pytest.raises(TagError, match="stands for HEAD"):
        db.resolve_tag("/A/B", "HEAD")


def test_one_child_tag_per_parent_tag_and_child(db: Database) -> None:
    small_folder(db)
    db.tag_relation("/A", "G", "/A/B", "L")
    before = dump(db)
    with pytest.raises(TagError, match="'G' of /A selects 'L' in /A/B already"):
        db.tag_relation("/A", "G", "/A/B", "OTHER")
    assert dump(db) == before  # the new tag OTHER has been rolled back too


def test_only_direct_children_can_be_related(db: Database) -> None:
    small_folder(db)
    with pytest.raises(TagError, match="/A/B is not directly inside /"):
        db.tag_relation("/", "G", "/A/B", "L")
    with pytest.raises(TagError, match="/ is not directly inside /"):
        db.tag_relation("/", "G", "/", "L")


def test_a_tag_used_by_a_relation_stays_when_deleted(db: Database) -> None:
    folder = small_folder(db)
    folder.store(0, 9, ["a"], 1, tag="L", user_tag_only=True)
    db.tag_relation("/A", "G", "/A/B", "L")
    folder.delete_tag("L")
    assert [tag.kind for tag in folder.tags()] == [TagKind.EMPTY]
    folder.store(0, 9, ["b"], 1, tag="L")  # it may become a user tag again
    assert [tag.kind for tag in folder.tags()] == [TagKind.USER]


def test_an_empty_tag_of_a_relation_may_become_a_head_tag(db: Database) -> None:
    folder = small_folder(db)
    folder.store(0, 9, ["a"], 1)
    db.tag_relation("/A", "G", "/A/B", "L")
    born = folder.tags()[0].inserted
    folder.tag_head("L")
    ((value, time),) = db.file.rows('SELECT CURRENT_VALUE, LASTMOD_DATE FROM "CONDBR2_TAG2TAG_SEQ"')
    assert value == 1
    assert rows(folder, "IOV2TAG", "SYS_INSTIME") == [(time,)]
    assert born < time
    assert folder.tags()[0].inserted == born


def test_deleting_a_relation_removes_tags_without_use(db: Database) -> None:
    folder = small_folder(db)
    small_folder(db, "/A/C").store(0, 9, ["a"], 1, tag="LC")
    db.tag_relation("/A", "G", "/A/B", "LB")
    db.tag_relation("/A", "G", "/A/C", "LC")
    db.delete_tag_relation("/A", "G", "/A/B")
    assert [tag.name for tag in db.tags()] == ["G", "LC"]
    assert rows(folder, "TAGS") == []
    db.delete_tag_relation("/A", "G", "/A/C")
    assert [tag.name for tag in db.tags()] == ["LC"]
    with pytest.raises(TagError, match="no tag 'G' in /A"):
        db.delete_tag_relation("/A", "G", "/A/C")


def test_a_missing_relation_cannot_be_deleted(db: Database) -> None:
    small_folder(db)
    small_folder(db, "/A/C")
    db.tag_relation("/A", "G", "/A/B", "L")
    assert db.find_tag_relation("/A", "G", "/A/C") is None
    with pytest.raises(TagError, match="'G' of /A selects no tag in /A/C"):
        db.delete_tag_relation("/A", "G", "/A/C")


def test_locks_of_parent_tags(db: Database) -> None:
    small_folder(db)
    small_folder(db, "/A/C")
    db.tag_relation("/A", "G", "/A/B", "L")
    db.lock_tag("G", TagLock.LOCKED)
    with pytest.raises(TagError, match="'G' of /A is locked"):
        db.tag_relation("/A", "G", "/A/C", "M")
    with pytest.raises(TagError, match="'G' of /A is locked"):
        db.delete_tag_relation("/A", "G", "/A/B")
    db.lock_tag("G", TagLock.PARTIALLY_LOCKED)
    db.tag_relation("/A", "G", "/A/C", "M")  # new relations are allowed


def test_a_locked_child_tag_without_other_use_keeps_its_relation(db: Database) -> None:
    small_folder(db)
    db.tag_relation("/A", "G", "/A/B", "L")
    db.lock_tag("L", TagLock.LOCKED)
    before = dump(db)
    with pytest.raises(TagError, match="'L' of /A/B would be deleted, but it is locked"):
        db.delete_tag_relation("/A", "G", "/A/B")
    assert dump(db) == before


def test_locked_tags_cannot_be_filled_from_head(db: Database) -> None:
    folder = small_folder(db)
    folder.store(0, 9, ["a"], 1)
    db.tag_relation("/A", "G", "/A/B", "L")
    for status in (TagLock.LOCKED, TagLock.PARTIALLY_LOCKED):
        db.lock_tag("L", status)
        with pytest.raises(TagError, match="'L' is locked"):
            folder.tag_head("L")
