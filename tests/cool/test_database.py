"""Opening and creating files, nodes, channels, transactions."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from sctcalib.cool import (
    ChannelError,
    CoolError,
    Database,
    DatabaseError,
    DatabaseNameError,
    NodeError,
    Payload,
    Versioning,
)
from tests.cool.helpers import dump, iovs, new_database, rows, small_folder, ticking


def test_an_existing_path_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_text("precious")
    with pytest.raises(DatabaseError, match=r"a\.db exists already"):
        Database.create(path)
    assert path.read_text() == "precious"


def test_a_file_that_cannot_be_made_is_a_cool_error(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="cannot be created"):
        Database.create(tmp_path / "absent" / "a.db")


@pytest.mark.parametrize("name", ["", "condbr2", "2CONDB", "CONDBR2XY", "CON-DB", "CONDB R"])
def test_database_names_that_cool_refuses(tmp_path: Path, name: str) -> None:
    with pytest.raises(DatabaseError, match="is not a COOL database name"):
        Database.create(tmp_path / "a.db", name)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_creation_leaves_no_file(tmp_path: Path) -> None:
    def broken() -> int:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        Database.create(tmp_path / "a.db", clock=broken)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("read_only", [True, False])
def test_opening_a_missing_file_does_not_create_it(tmp_path: Path, read_only: bool) -> None:
    with pytest.raises(DatabaseError, match=r"a\.db does not exist"):
        Database.open(tmp_path / "a.db", read_only=read_only)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not a COOL database"),
        (b"this is a text file, not a database\n" * 99, "file is not a database"),
        (b"SQLite format 3\0" + b"\xff" * 2000, "a.db"),
    ],
)
def test_files_that_are_no_database(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(content)
    with pytest.raises(DatabaseError, match=message):
        Database.open(path)
    assert path.read_bytes() == content


def test_a_folder_of_the_file_system_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="is not a file"):
        Database.open(tmp_path)


def test_a_file_damaged_by_two_bytes_too_many_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with new_database(path) as db:
        small_folder(db).store_bulk([(0, 9, n, ["a" * 99]) for n in range(200)])
    data = path.read_bytes()
    path.write_bytes(data[:5000] + b"XX" + data[5000:])
    with pytest.raises(DatabaseError, match=r"a\.db: .*(malformed|out of order|Tree|page)"):
        _read_all(path)


def _read_all(path: Path) -> None:
    with Database.open(path) as db:
        for folder in db.folders():
            folder.browse()
        raise DatabaseError("; ".join(db.check()))


def test_a_truncated_file_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with new_database(path) as db:
        small_folder(db).store_bulk([(0, 9, n, ["a" * 99]) for n in range(200)])
    path.write_bytes(path.read_bytes()[:8192])
    with pytest.raises(DatabaseError, match=r"a\.db: database disk image is malformed"):
        _read_all(path)


def test_another_sqlite_file_is_not_a_cool_database(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "a.db")
    connection.execute("CREATE TABLE t (x)")
    connection.close()
    with pytest.raises(DatabaseError, match="is not a COOL database: it has no table NAME_DB_ATTR"):
        Database.open(tmp_path / "a.db")


def test_an_incomplete_database_is_refused(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "a.db")
    connection.execute("CREATE TABLE CONDBR2_DB_ATTRIBUTES (x)")
    connection.close()
    with pytest.raises(DatabaseError, match="the table CONDBR2_NODES is missing"):
        Database.open(tmp_path / "a.db")


def test_reading_leaves_no_trace(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with new_database(path) as db:
        small_folder(db).store(0, 9, ["a"], 1)
    before, time = path.read_bytes(), path.stat().st_mtime_ns
    path.chmod(0o444)
    with Database.open(path) as db:
        assert db.check() == []
        assert len(db.folder("/A/B").browse()) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.db"]
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (before, time)


def test_nothing_can_be_written_when_opened_for_reading(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with new_database(path) as db:
        small_folder(db).store(0, 9, ["a"], 1, tag="T")
    with Database.open(path) as db:
        folder = db.folder("/A/B")
        for write in (
            lambda: folder.store(0, 9, ["a"], 1),
            lambda: folder.create_channel(5),
            lambda: folder.set_description("x"),
            lambda: folder.tag_head("H"),
            lambda: folder.delete_tag("T"),
            lambda: db.create_folder_set("/X"),
            lambda: db.lock_tag("T"),
        ):
            with pytest.raises(DatabaseError, match=r"a\.db is opened read only"):
                write()  # type: ignore[no-untyped-call]


def test_several_databases_in_one_file(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    new_database(path).close()
    with Database.create_in(path, "OFLP200", clock=ticking()) as db:
        small_folder(db, "/MC").store(0, 9, ["mc"], 1)
        assert db.check() == []
    with pytest.raises(DatabaseError, match="holds a database OFLP200 already"):
        Database.create_in(path, "OFLP200")
    with pytest.raises(DatabaseNameError, match="several databases, choose one: CONDBR2, OFLP200"):
        Database.open(path)
    with pytest.raises(DatabaseNameError, match="no database 'OFLP20'; did you mean 'OFLP200'"):
        Database.open(path, "OFLP20")
    with Database.open(path, "CONDBR2") as db:
        assert db.node_paths() == ["/"]
        assert db.check() == []
    with Database.open(path, "OFLP200") as db:
        assert db.name == "OFLP200"
        assert db.folder("/MC").find(0, 1).payload == {"x": "mc"}
        memo = db.file.rows("SELECT COUNT(*) FROM sqlite_master WHERE name = 'coral_sqlite_fk'")
        assert memo == [(1,)]


def test_a_path_with_special_characters(tmp_path: Path) -> None:
    path = tmp_path / "what?#100% 'é'.db"
    new_database(path).close()
    with Database.open(path) as db:
        assert db.path == path
    assert len(list(tmp_path.iterdir())) == 1


def test_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    new_database(Path("mycool.db")).close()
    with Database.open("mycool.db") as db:
        assert db.node_paths() == ["/"]


# ---------------------------------------------------------------- transactions


def test_a_transaction_is_all_or_nothing(db: Database) -> None:
    folder = small_folder(db)
    before = dump(db)

    def store_and_fail() -> None:
        with db.transaction():
            folder.store(0, 9, ["a"], 1, tag="T")
            db.create_folder_set("/X")
            raise KeyError

    with pytest.raises(KeyError):
        store_and_fail()
    assert dump(db) == before


def test_a_failed_call_inside_a_transaction_undoes_only_itself(db: Database) -> None:
    folder = small_folder(db)
    with db.transaction():
        folder.store(0, 9, ["a"], 1)
        with pytest.raises(CoolError):
            folder.store_bulk([(0, 9, 2, ["b"]), (0, 9, 3, [None, None])], tag="T")
        with db.transaction(), db.transaction():
            folder.store(0, 9, ["c"], 4)
    assert [o.channel for o in folder.browse()] == [1, 4]
    assert folder.tags() == []


def test_an_exception_inside_with_database_rolls_back(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    new_database(path).close()

    def fail() -> None:
        with Database.open(path, read_only=False) as db, db.transaction():
            small_folder(db)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.db"]
    with Database.open(path) as db:
        assert db.node_paths() == ["/"]


def test_closing_in_the_middle_of_a_transaction_discards_it(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    db = new_database(path)

    def close_too_early() -> None:
        with db.transaction():
            small_folder(db)
            db.close()

    with pytest.raises(DatabaseError, match="closed database"):
        close_too_early()
    db.close()
    with Database.open(path) as reopened:
        assert reopened.node_paths() == ["/"]


def test_a_file_that_another_process_writes_is_waited_for_then_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.db"
    monkeypatch.setattr("sctcalib.cool.sqlitefile._BUSY_TIMEOUT_S", 0.05)
    new_database(path).close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(DatabaseError, match="database is locked"):
        Database.open(path, read_only=False)
    other.close()


# ---------------------------------------------------------------- nodes


def test_missing_parents_are_made_first(db: Database) -> None:
    db.create_folder_set("/P", "a set")
    folder = small_folder(db, "/P/Q/R/S")
    assert db.node_paths() == ["/", "/P", "/P/Q", "/P/Q/R", "/P/Q/R/S"]
    assert [(n.id, n.parent_id) for n in db.nodes()] == [(0, None), (1, 0), (2, 1), (3, 2), (4, 3)]
    assert [node.path for node in db.folder_sets()] == ["/", "/P", "/P/Q", "/P/Q/R"]
    assert [f.path for f in db.folders()] == [folder.path] == ["/P/Q/R/S"]
    assert db.node("/P").description == "a set"


def test_a_deep_path_does_not_run_out_of_anything(db: Database) -> None:
    path = "/a" * 120
    assert small_folder(db, path).id == 120


@pytest.mark.parametrize(
    "path", ["", "A", "/A/", "//A", "/A//B", "/A B", "/é", "/A\n", "/" + "a" * 255, "/"]
)
def test_paths_that_no_folder_can_have(db: Database, path: str) -> None:
    with pytest.raises(NodeError):
        small_folder(db, path)
    with pytest.raises(NodeError):
        db.create_folder_set(path)
    assert db.node_paths() == ["/"]


def test_a_path_of_255_characters(db: Database) -> None:
    assert small_folder(db, "/" + "a" * 254).id == 1


def test_a_path_exists_once(db: Database) -> None:
    small_folder(db, "/A/B")
    for path in ("/A", "/A/B"):
        with pytest.raises(NodeError, match=f"{path!r} exists already"):
            small_folder(db, path)
    small_folder(db, "/a/b")  # case matters
    with pytest.raises(NodeError, match="'/A/B/C' cannot be inside '/A/B', which is a folder"):
        small_folder(db, "/A/B/C")


def test_an_unknown_folder_names_the_nearest(db: Database) -> None:
    small_folder(db, "/SCT/Derived/Monitoring")
    small_folder(db, "/SCT/Derived/DeadChips")
    message = "'/SCT/Derived/Monitorin' is no folder in CONDBR2; did you mean '/SCT/Derived/Monito"
    with pytest.raises(NodeError, match=message):
        db.folder("/SCT/Derived/Monitorin")
    with pytest.raises(NodeError, match=r"'/SCT' is a folder set, .*; there are: /SCT"):
        db.folder("/SCT")
    assert not db.has_folder("/SCT")
    assert db.has_folder("/SCT/Derived/DeadChips")


def test_properties_of_a_folder(db: Database) -> None:
    for versioning in Versioning:
        for payload in Payload:
            path = f"/{versioning.name}/{payload.name}"
            created = small_folder(db, path, versioning, payload)
            found = db.folder(path)
            assert (found.id, found.path, found.fields) == (created.id, path, (("x", "String255"),))
            assert (found.versioning, found.payload) == (versioning, payload)
    assert db.check() == []


def test_a_description_can_be_replaced(db: Database) -> None:
    folder = small_folder(db)
    assert folder.description == ""
    born = folder.node.inserted
    folder.set_description("<timeStamp>time</timeStamp>")
    assert folder.key_kind == "time"
    assert db.folder("/A/B").description == "<timeStamp>time</timeStamp>"
    node = db.node("/A/B")
    assert node.inserted == born < node.modified
    folder.set_description("")
    sql = 'SELECT NODE_DESCRIPTION FROM "CONDBR2_NODES" WHERE NODE_ID = 2'
    assert db.file.rows(sql) == [(None,)]
    for text in ("a" * 256, "é" * 128, "a\0"):
        with pytest.raises(NodeError, match="at most 255 bytes"):
            folder.set_description(text)


def test_node_ids_end_at_9999(db: Database) -> None:
    db.file.run('UPDATE "CONDBR2_NODES_SEQ" SET CURRENT_VALUE = 9998')
    assert small_folder(db, "/LAST").id == 9999
    before = dump(db)
    with pytest.raises(NodeError, match="CONDBR2 is full"):
        small_folder(db, "/MORE")
    assert dump(db) == before


def test_channels_are_announced_or_made_by_the_first_object(db: Database) -> None:
    folder = small_folder(db)
    folder.create_channel(5, "five", "the fifth")
    folder.create_channel(6)
    folder.store(0, 9, ["a"], 7)
    folder.store(0, 9, ["a"], 5)
    assert rows(folder, "CHANNELS") == [
        *((5, 7, 0, "five", "the fifth"), (6, 0, 0, None, None), (7, 1, 0, None, "")),
    ]
    assert [(c.id, c.name, c.description) for c in folder.channels()] == [
        *((5, "five", "the fifth"), (6, "", ""), (7, "", "")),
    ]
    assert [row[0] for row in iovs(folder)] == [1, 7]


@pytest.mark.parametrize(
    ("number", "name", "message"),
    [
        (5, "", "channel 5 exists already"),
        (6, "five", "the name 'five' belongs to channel 5 already"),
        (-1, "", "outside 0-4294967295"),
        (2**32, "", "outside 0-4294967295"),
        (6, "a" * 256, "over 255 bytes"),
        (6, "a\0", "has a NUL"),
    ],
)
def test_channels_that_cannot_be_announced(
    db: Database, number: int, name: str, message: str
) -> None:
    folder = small_folder(db)
    folder.create_channel(5, "five")
    with pytest.raises(ChannelError, match=message):
        folder.create_channel(number, name)


def test_the_process_leaves_no_open_file_behind(tmp_path: Path) -> None:
    with new_database(tmp_path / "a.db") as db:
        small_folder(db)
    for _ in range(3):
        with pytest.raises(DatabaseNameError):
            Database.open(tmp_path / "a.db", "NOPE")
    assert not [name for name in _open_files() if name.endswith("a.db")]


def _open_files() -> list[str]:
    found = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # the one that lists the others is gone by now
            found.append(str(descriptor.readlink()))
    return found
