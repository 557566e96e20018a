"""Files of old releases and other tools are read (cool-sqlite.md 15); here they are rebuilt."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from sctcalib.cool import Database, DatabaseError, NodeError, Payload, TagKind, Versioning
from tests.cool import original_ddl as ddl
from tests.cool.helpers import INF, iovs

DESCRIPTION = (
    '<timeStamp>run-lumi</timeStamp><addrHeader><address_header service_type="71" '
    'clid="1238547719" /></addrHeader><typeName>CondAttrListCollection</typeName>'
)
SPECIFICATION = "stave:Int32,eta:Int32,mag:Float,base:Float,free:Float"
COLUMNS = ',"stave" INT ,"eta" INT ,"mag" FLOAT ,"base" FLOAT ,"free" FLOAT '
P, F = "CONDBR2", "CONDBR2_F0002"
T = "2015-10-28_03:49:53.{:09d} GMT"
N_STAVES = 14


def _run(connection: sqlite3.Connection, *blocks: str) -> None:
    text = "".join(blocks).replace("{COLS}", COLUMNS).replace("{P}", P).replace("{F}", F)
    for statement in text.splitlines():
        connection.execute(statement)


def _fill(connection: sqlite3.Connection, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    for row in rows:
        marks = ",".join("?" * len(row))
        connection.execute(f'INSERT INTO "{table}" VALUES ({marks})', row)


@pytest.fixture
def stave_file(tmp_path: Path) -> Path:
    """A file as COOL 2.9.5 wrote it in 2015: both layers, inline payload, microseconds."""
    path = tmp_path / "staves.db"
    connection = sqlite3.connect(path)
    _run(connection, ddl.BASE, ddl.FOLDER_SET.replace("{F}", "CONDBR2_F0001"), ddl.CHANNELS)
    _run(connection, ddl.IOVS_INLINE, ddl.INDICES, ddl.INDICES_MULTI, ddl.IOVS_SEQ)
    _run(connection, ddl.TAGS_INLINE)
    names = {"DEFAULT_TABLE_PREFIX": f"{P}_", "NODE_TABLE_NAME": f"{P}_NODES"}
    names |= {"TAG_TABLE_NAME": f"{P}_TAGS", "TAG2TAG_TABLE_NAME": f"{P}_TAG2TAG"}
    names |= {"TAG_SHAREDSEQ_NAME": f"{P}_TAGS_SEQ", "IOV_SHAREDSEQ_NAME": f"{P}_IOVS_SEQ"}
    names |= {"RELEASE": "2.9.5", "CVS_CHECKOUT": "$Name: not supported by cvs2svn $"}
    names |= {"CVS_CHECKIN": "$Id: RalDatabase.cpp,v 1.656 $", "SCHEMA_VERSION": "2.0.0"}
    _fill(connection, f"{P}_DB_ATTRIBUTES", names.items())
    times = [T.format(n) for n in (575072000, 683125000, 687094000)]
    tables = [f"{F}_{name}" for name in ("IOVS", "TAGS", "IOV2TAG", "CHANNELS")]
    fixed = (-1, None, 0, *[None] * 7)
    leaf = (1, SPECIFICATION, 0, None, None, None, *tables)
    _fill(
        connection,
        f"{P}_NODES",
        [
            (0, None, None, "/", None, 0, "2.0.0", times[0], times[0], *fixed),
            (1, 0, "Indet", "/Indet", None, 0, "2.0.0", times[1], times[1], *fixed),
            (2, 1, "IBLDist", "/Indet/IBLDist", DESCRIPTION, 1, "2.0.1", times[2], times[2], *leaf),
        ],
    )
    sequences = {"NODES": 2, "F0000_TAGS": 0, "F0001_TAGS": 0, "F0002_TAGS": 1}
    sequences |= {"F0002_IOVS": 6 * N_STAVES, "TAG2TAG": None}
    for name, value in sequences.items():
        table = f"{P}_{name}_SEQ"
        _fill(connection, table, [(table, value, None if value is None else times[2])])
    born = T.format(763464000)
    _fill(connection, f"{P}_TAGS", [(2, 1, "IndetIBLDist", 0, None, born)])
    _fill(connection, f"{F}_TAGS", [(1, "IndetIBLDist", None, born)])
    for n in range(N_STAVES):
        channel, time = 100 * (n + 1), T.format(765742000 + n)
        _fill(connection, f"{F}_CHANNELS", [(channel, 6 * n + 4, 0, None, "")])
        values = (time, time, 0, 0, n, 0, 0.0, 0.0, 0.0)
        for tag, slot in ((0, 1), (1, 4)):
            _fill(connection, f"{F}_IOVS", [(6 * n + slot, channel, 0, INF, tag, *values)])
    table = f"{P}_TAG2TAG"
    keys = [("0", "0", table), ("1", f"{table}_PTAG_FK", table), ("2", f"{table}_CTAG_FK", table)]
    _fill(connection, "coral_sqlite_fk", [*keys, ("0", f"{F}_IOVS_CHANNEL_FK", f"{F}_IOVS")])
    connection.commit()
    connection.close()
    return path


def _edit(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def _is_read(path: Path) -> None:
    with Database.open(path, P) as db:
        folder = db.folder("/Indet/IBLDist")
        assert folder.description == DESCRIPTION
        assert (folder.payload, folder.versioning) == (Payload.INLINE, Versioning.MULTI)
        for tag in ("", "IndetIBLDist"):
            objects = folder.browse(tag=tag)
            assert [o.channel for o in objects] == [100 * (n + 1) for n in range(N_STAVES)]
            assert objects[3].payload == {"stave": 3, "eta": 0, "mag": 0, "base": 0, "free": 0}
        assert [tag.kind for tag in db.tags()] == [TagKind.USER]
        assert db.folder_sets()[1].path == "/Indet"


def test_a_file_of_2015_is_read_and_sound(stave_file: Path) -> None:
    _is_read(stave_file)
    with Database.open(stave_file) as db:
        assert db.check() == []


def test_a_file_of_2015_can_be_extended(stave_file: Path) -> None:
    with Database.open(stave_file, read_only=False) as db:
        folder = db.folder("/Indet/IBLDist")
        folder.store(5, 9, (1, 2, 0.5, 0.25, 0.125), 100, tag="IndetIBLDist")
        assert [row[0] for row in iovs(folder)][-6:] == [85, 86, 87, 88, 89, 90]
        assert folder.find(6, 100).payload["mag"] == 0.5
        assert folder.find(9, 100).payload["mag"] == 0.0
        folder.tag_head("NEW")
        db.create_folder("/Indet/More", [("x", "Int32")])
        assert db.check() == []


def test_empty_texts_instead_of_null_as_in_cool_2_2(stave_file: Path) -> None:
    _edit(
        stave_file,
        f"""UPDATE {P}_NODES SET NODE_NAME = IFNULL(NODE_NAME, ''),
            FOLDER_PAYLOADSPEC = IFNULL(FOLDER_PAYLOADSPEC, ''),
            FOLDER_PAYLOAD_EXTREF = '', FOLDER_CHANNELSPEC = '', FOLDER_CHANNEL_EXTREF = '',
            FOLDER_IOVTABLENAME = IFNULL(FOLDER_IOVTABLENAME, '')""",
        f"UPDATE {P}_NODES SET NODE_DESCRIPTION = '' WHERE NODE_ID < 2",
        f"UPDATE {P}_NODES SET FOLDER_PAYLOAD_INLINE = NULL WHERE NODE_ID = 0",
        f"UPDATE {P}_TAGS SET TAG_DESCRIPTION = ''",
        f"UPDATE {P}_DB_ATTRIBUTES SET DB_ATTRIBUTE_VALUE = '2.2.0' "
        "WHERE DB_ATTRIBUTE_NAME = 'RELEASE'",
        "DELETE FROM coral_sqlite_fk",
    )
    _is_read(stave_file)
    with Database.open(stave_file) as db:
        assert db.check() == []


def test_a_missing_memo_of_foreign_keys_is_made_when_a_folder_is_added(stave_file: Path) -> None:
    _edit(stave_file, "DROP TABLE coral_sqlite_fk")
    _is_read(stave_file)
    with Database.open(stave_file, read_only=False) as db:
        db.create_folder("/X", [("x", "Int32")])
        assert len(db.file.rows("SELECT * FROM coral_sqlite_fk")) == 2


@pytest.mark.parametrize("text", ["''", "NULL"])
def test_channel_descriptions_may_be_empty_or_null(stave_file: Path, text: str) -> None:
    _edit(stave_file, f"UPDATE {F}_CHANNELS SET DESCRIPTION = {text}")
    _is_read(stave_file)
    with Database.open(stave_file) as db:
        assert {c.description for c in db.folder("/Indet/IBLDist").channels()} == {""}


def test_channels_without_objects(stave_file: Path) -> None:
    _edit(stave_file, f"INSERT INTO {F}_CHANNELS VALUES (5, 0, 0, 'five', NULL)")
    _is_read(stave_file)
    with Database.open(stave_file) as db:
        assert db.check() == []
        assert db.folder("/Indet/IBLDist").browse(channels=["five"]) == []


def test_a_folder_with_a_user_tag_only(stave_file: Path) -> None:
    _edit(stave_file, f"DELETE FROM {F}_IOVS WHERE USER_TAG_ID = 0")
    with Database.open(stave_file) as db:
        folder = db.folder("/Indet/IBLDist")
        assert folder.browse() == []
        assert len(folder.browse(tag="IndetIBLDist")) == N_STAVES
        assert db.check() == []


def test_unknown_attributes_and_tables_are_ignored(stave_file: Path) -> None:
    _edit(
        stave_file,
        f"INSERT INTO {P}_DB_ATTRIBUTES VALUES ('LAST_REPLICATION', 'some day')",
        f"INSERT INTO {P}_DB_ATTRIBUTES VALUES ('SE_2_0_0_X', '')",
        "CREATE TABLE CORACOOL_PAYLOAD (x REFERENCES elsewhere(y))",
        "INSERT INTO CORACOOL_PAYLOAD VALUES (1)",
        f"CREATE TABLE {P}_OWN (x)",
    )
    _is_read(stave_file)
    with Database.open(stave_file) as db:
        assert db.check() == []


def test_the_key_of_tag2tag_as_newer_sqlite_made_it(stave_file: Path) -> None:
    _edit(
        stave_file,
        f"DROP TABLE {P}_TAG2TAG",
        f'CREATE TABLE "{P}_TAG2TAG" ( "PARENT_NODEID" UNSIGNEDINT ,"PARENT_TAGID" UNSIGNEDINT ,'
        '"CHILD_NODEID" UNSIGNEDINT ,"CHILD_TAGID" UNSIGNEDINT ,"SYS_INSTIME" TEXT , '
        'PRIMARY KEY("PARENT_NODEID"), UNIQUE ( "PARENT_TAGID","CHILD_NODEID" ) )',
    )
    _is_read(stave_file)
    with Database.open(stave_file, read_only=False) as db:
        db.tag_relation("/Indet", "G", "/Indet/IBLDist", "IndetIBLDist")
        assert db.resolve_tag("/Indet/IBLDist", "G") == "IndetIBLDist"
        assert db.check() == []


def test_a_stale_text_in_the_folders_own_tag_list(stave_file: Path) -> None:
    _edit(stave_file, f"UPDATE {P}_TAGS SET TAG_DESCRIPTION = 'newer'")
    with Database.open(stave_file) as db:
        assert db.tags()[0].description == "newer"
        assert db.check() == []


def test_folders_of_cool_2_0_are_read_but_not_extended(stave_file: Path) -> None:
    _edit(
        stave_file,
        f"UPDATE {P}_NODES SET NODE_SCHEMA_VERSION = '2.0.0'",
        f'DROP INDEX "{F}_IOVS_UTAG_5INDX"',
    )
    _is_read(stave_file)
    message = r"schema of COOL 2\.0, it can be read but not"
    with Database.open(stave_file, read_only=False) as db:
        folder = db.folder("/Indet/IBLDist")
        with pytest.raises(NodeError, match=message):
            folder.store(0, 9, (1, 2, 3, 4, 5), 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("NODE_SCHEMA_VERSION = '2.8.0'", "does not agree with FOLDER_PAYLOAD_INLINE 0"),
        ("FOLDER_PAYLOAD_INLINE = 1", "does not agree with FOLDER_PAYLOAD_INLINE 1"),
        ("FOLDER_PAYLOADSPEC = 'a'", "'a' in its payload specification is not name:Type"),
        ("FOLDER_PAYLOADSPEC = 'a:int'", "'a:int' in its payload specification"),
        ("FOLDER_PAYLOADSPEC = NULL", "'' in its payload specification"),
        ("FOLDER_VERSIONING = 5", "versioning 5 is neither 0"),
    ],
)
def test_a_folder_that_contradicts_itself_is_refused(
    stave_file: Path, change: str, message: str
) -> None:
    _edit(stave_file, f"UPDATE {P}_NODES SET {change} WHERE NODE_ID = 2")
    with Database.open(stave_file) as db:
        with pytest.raises(DatabaseError, match=message):
            db.folder("/Indet/IBLDist")
        assert db.node_paths() == ["/", "/Indet", "/Indet/IBLDist"]
        assert db.check() != []


def test_several_databases_with_folders_of_the_same_number(stave_file: Path) -> None:
    with Database.create_in(stave_file, "OFLP200") as db:
        db.create_folder("/Indet/IBLDist", [("x", "Int32")]).store(0, 9, [7], 1)
    _is_read(stave_file)
    with Database.open(stave_file, "OFLP200") as db:
        assert db.folder("/Indet/IBLDist").find(0, 1).payload == {"x": 7}
        assert db.check() == []
