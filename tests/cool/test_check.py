"""The structure check finds what is planted, and says where (cool-sqlite.md 2-12)."""

from __future__ import annotations

from pathlib import Path

import pytest

from sctcalib.cool import Database, Payload, Versioning
from tests.cool.helpers import INF, new_database, small_folder

F = "CONDBR2_F0002"
S = "CONDBR2_F0003"
PLANTED = [
    ("DROP TABLE CONDBR2_TAG2TAG_SEQ", "/: the table CONDBR2_TAG2TAG_SEQ is missing"),
    (f"DROP TABLE {F}_IOV2TAG", f"/A/B: the table {F}_IOV2TAG is missing"),
    (f"ALTER TABLE {F}_IOVS RENAME COLUMN IOV_SINCE TO SINCE", f"{F}_IOVS: its columns are"),
    ("DELETE FROM CONDBR2_DB_ATTRIBUTES WHERE rowid = 7", "DB_ATTRIBUTES: RELEASE is missing"),
    (
        "UPDATE CONDBR2_DB_ATTRIBUTES SET DB_ATTRIBUTE_VALUE = 'X' WHERE rowid = 1",
        "DEFAULT_TABLE_PREFIX is 'X', not 'CONDBR2_'",
    ),
    ("UPDATE CONDBR2_NODES_SEQ SET CURRENT_VALUE = 2", "value is 2, it must be at least 4"),
    ("DELETE FROM CONDBR2_NODES_SEQ", "CONDBR2_NODES_SEQ: a sequence has one row"),
    ("DELETE FROM CONDBR2_TAG2TAG_SEQ", "the row of the sequence is missing"),
    (f"INSERT INTO {F}_TAGS_SEQ VALUES ('X', 1, NULL)", f"{F}_TAGS_SEQ: a sequence has one row"),
    (f"UPDATE {F}_TAGS_SEQ SET CURRENT_VALUE = 0", f"{F}_TAGS_SEQ: its value is 0"),
    (
        f"UPDATE {F}_IOVS_SEQ SET CURRENT_VALUE = 13",
        "at least 11 and a multiple of 6",
    ),
    (f"UPDATE {F}_IOVS_SEQ SET CURRENT_VALUE = NULL", f"{F}_IOVS_SEQ: its value is None"),
    (f"UPDATE {F}_PAYLOAD_SEQ SET CURRENT_VALUE = 1", f"{F}_PAYLOAD_SEQ: its value is 1"),
    (f"UPDATE {S}_IOVS_SEQ SET CURRENT_VALUE = 1", f"{S}_IOVS_SEQ: its value is 1"),
    ("INSERT INTO CONDBR2_TAGS_SEQ VALUES (2, 1, NULL)", "a shared sequence must be empty"),
    ("UPDATE CONDBR2_NODES SET NODE_PARENTID = 0 WHERE NODE_ID = 2", "/A/B: its parent is node 0"),
    ("UPDATE CONDBR2_NODES SET FOLDER_VERSIONING = 1 WHERE NODE_ID = 1", "/A: a folder set with"),
    ("UPDATE CONDBR2_NODES SET FOLDER_VERSIONING = 7 WHERE NODE_ID = 2", "versioning 7 is neither"),
    (f"UPDATE {F}_TAGS SET TAG_NAME = 'X'", "tag 1 is 'X' in the folder's list and 'U' in"),
    (f"DELETE FROM {F}_TAGS WHERE TAG_ID = 1", "has the tag 1, which does not exist"),
    ("DELETE FROM CONDBR2_TAGS WHERE TAG_ID = 1", "tag 1 is 'U' in the folder's list and None"),
    (f"UPDATE {F}_IOVS SET IOV_UNTIL = IOV_SINCE WHERE OBJECT_ID = 7", "object 7 is valid from 5"),
    (f"UPDATE {F}_IOVS SET IOV_SINCE = -1 WHERE OBJECT_ID = 8", "object 8 is valid from -1"),
    (f"UPDATE {F}_IOVS SET IOV_UNTIL = 6 WHERE OBJECT_ID = 8", "but object 8 of its channel ends"),
    (f"UPDATE {S}_IOVS SET IOV_UNTIL = 6 WHERE OBJECT_ID = 1", "but object 1 of its channel ends"),
    (f"UPDATE {F}_IOVS SET NEW_HEAD_ID = 3 WHERE OBJECT_ID = 1", "object 1 is replaced by 3"),
    (f"UPDATE {F}_IOVS SET ORIGINAL_ID = 7 WHERE OBJECT_ID = 8", "object 8 is a part of 7"),
    (f"UPDATE {F}_IOVS SET OBJECT_ID = 12 WHERE OBJECT_ID = 7", "12 with the tag 0 has an id of"),
    (f"UPDATE {F}_IOVS SET PAYLOAD_ID = 9 WHERE OBJECT_ID = 7", "object 7 has no payload"),
    (f"UPDATE {F}_CHANNELS SET LAST_OBJECT_ID = 1", "channel 1 has 1 as its last object, the high"),
    (f"UPDATE {S}_CHANNELS SET LAST_OBJECT_ID = 1", "as its last object, the latest is 2"),
    (f"UPDATE {F}_CHANNELS SET HAS_NEW_DATA = 1", "channel 1 is marked as being written"),
    (f"DELETE FROM {F}_CHANNELS", "is invisible, channel 1 has no row (and 5 more like it)"),
    (f"UPDATE {F}_IOV2TAG SET IOV_SINCE = 1 WHERE OBJECT_ID = 8", "is not the one that was tagged"),
    (f"UPDATE {F}_IOV2TAG SET PAYLOAD_ID = 2", "has payload columns unlike its IOV2TAG row"),
    (f"UPDATE {F}_IOV2TAG SET TAG_ID = 1", "tag 1 is a user tag and a tag of HEAD"),
    (f"UPDATE {S}_IOVS SET USER_TAG_ID = 1", "has a tag or a successor"),
    ("UPDATE CONDBR2_F0004_IOVS SET PAYLOAD_N_ITEMS = 3", "object 1 has 2 payload items, not 3"),
    ("INSERT INTO CONDBR2_TAG2TAG VALUES (1, 5, 2, 1, '')", "CONDBR2_TAG2TAG: row 1 refers to a"),
]


@pytest.fixture(scope="module")
def sound_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("check") / "sound.db"
    with new_database(path) as db:
        folder = small_folder(db)
        folder.store(0, INF, ["a"], 1, tag="U")
        folder.store(5, INF, ["b"], 1, tag="U")
        folder.tag_head("H")
        single = small_folder(db, "/S", Versioning.SINGLE)
        single.store_bulk([(0, 5, 1, ["a"]), (5, 9, 1, ["b"])])
        small_folder(db, "/V", payload=Payload.VECTOR).store(0, 9, [["a"], ["b"]], 1)
    return path


def test_a_sound_file_has_no_problems(sound_file: Path) -> None:
    with Database.open(sound_file) as db:
        assert db.check() == []


@pytest.mark.parametrize(("statement", "message"), PLANTED)
def test_a_planted_problem_is_found(
    sound_file: Path, tmp_path: Path, statement: str, message: str
) -> None:
    path = tmp_path / "planted.db"
    path.write_bytes(sound_file.read_bytes())
    with Database.open(path, read_only=False) as db:
        db.file.run(statement)
        problems = db.check()
    assert [text for text in problems if message in text], problems
