"""Files are what the original software writes: texts, rows, ids (cool-sqlite.md 3, 5, 8, 16)."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from sctcalib.cool import Database, Payload, Versioning, run_lumi
from tests.cool import original_ddl as ddl
from tests.cool.helpers import INF, dump, iovs, new_database, small_folder, tick

EFFICIENCY = [("SampleSize", "Int32"), ("Efficiency", "Float")]
RUN = (run_lumi(300000), run_lumi(300000, 0xFFFFFFFF))
FIRST, SECOND = 167772160, 167773184


def _texts(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    found = connection.execute("SELECT sql FROM sqlite_master WHERE sql NOT NULL ORDER BY rowid")
    texts = [row[0] for row in found]
    connection.close()
    return texts


def _expected(*blocks: str, prefix: str = "", columns: str = "") -> list[str]:
    text = "".join(blocks).replace("{COLS}", columns).replace("{P}", "CONDBR2")
    return text.replace("{F}", prefix).splitlines()


X = ',"x" TEXT '
FOLDER_BLOCKS = {
    (Payload.INLINE, Versioning.MULTI): (
        *(ddl.CHANNELS, ddl.IOVS_INLINE, ddl.INDICES, ddl.INDICES_MULTI, ddl.IOVS_SEQ),
        ddl.TAGS_INLINE,
    ),
    (Payload.SEPARATE, Versioning.MULTI): (
        *(ddl.CHANNELS, ddl.IOVS_SEPARATE, ddl.INDICES, ddl.INDICES_MULTI, ddl.IOVS_SEQ),
        ddl.TAGS_SEPARATE,
    ),
    (Payload.INLINE, Versioning.SINGLE): (
        *(ddl.CHANNELS, ddl.IOVS_INLINE, ddl.INDICES, ddl.IOVS_SEQ),
    ),
    (Payload.SEPARATE, Versioning.SINGLE): (
        *(ddl.CHANNELS, ddl.IOVS_SEPARATE, ddl.INDICES, ddl.IOVS_SEQ),
    ),
    (Payload.VECTOR, Versioning.SINGLE): (
        *(ddl.CHANNELS, ddl.IOVS_VECTOR, ddl.INDICES, ddl.IOVS_SEQ, ddl.PAYLOAD_VECTOR),
    ),
}


def test_texts_of_an_empty_database(db: Database) -> None:
    texts = _texts(db.path)
    base = _expected(ddl.BASE)
    assert sorted(texts) == sorted(base)
    tables = [text.split("(")[0].split()[2].strip('"') for text in texts]
    assert tables == [
        *("CONDBR2_DB_ATTRIBUTES", "coral_sqlite_fk", "CONDBR2_NODES", "CONDBR2_NODES_SEQ"),
        *("CONDBR2_F0000_TAGS_SEQ", "CONDBR2_TAGS", "CONDBR2_TAG2TAG", "CONDBR2_TAG2TAG_SEQ"),
        *("CONDBR2_TAGS_SEQ", "CONDBR2_IOVS_SEQ"),
    ]


@pytest.mark.parametrize(("payload", "versioning"), FOLDER_BLOCKS)
def test_texts_of_a_folder(db: Database, payload: Payload, versioning: Versioning) -> None:
    small_folder(db, "/A/B", versioning, payload)
    texts = _texts(db.path)[len(_expected(ddl.BASE)) :]
    blocks = FOLDER_BLOCKS[payload, versioning]
    assert texts == [
        *_expected(ddl.FOLDER_SET, prefix="CONDBR2_F0001"),
        *_expected(*blocks, prefix="CONDBR2_F0002", columns=X),
    ]


def test_column_types_of_all_storage_types(db: Database) -> None:
    kinds = {
        "Bool": "BOOLEAN", "UChar": "UNSIGNEDCHAR", "Int16": "SHORT", "UInt16": "UNSIGNEDSHORT",
        "Int32": "INT", "UInt32": "UNSIGNEDINT", "UInt63": "ULONGLONG", "Int64": "SLONGLONG",
        "Float": "FLOAT", "Double": "DOUBLE", "String255": "TEXT", "String4k": "TEXT",
        "String64k": "TEXT", "String16M": "TEXT", "Blob64k": "BLOB", "Blob16M": "BLOB",
    }  # fmt: skip
    folder = db.create_folder("/T", [(f"f{kind}", kind) for kind in kinds])
    info = db.file.rows("PRAGMA table_info('CONDBR2_F0001_PAYLOAD')")
    assert [(row[1], row[2]) for row in info[2:]] == [(f"f{k}", t) for k, t in kinds.items()]
    assert folder.node.specification == ",".join(f"f{kind}:{kind}" for kind in kinds)


def test_the_vector_folder_passes_the_foreign_key_check(db: Database) -> None:
    folder = small_folder(db, "/V", payload=Payload.VECTOR)
    folder.store(0, INF, [["a"], ["b"]], 1, tag="T")
    folder.store(5, 9, [], 1, tag="T")
    folder.store(5, 9, [["u"]], 2, tag="U", user_tag_only=True)
    assert db.file.rows("PRAGMA foreign_key_check") == []
    memo = db.file.rows("SELECT * FROM coral_sqlite_fk WHERE tablename LIKE '%F0001%'")
    assert memo == [
        ("0", "CONDBR2_F0001_IOVS_CHANNEL_FK", "CONDBR2_F0001_IOVS"),
        ("1", "CONDBR2_F0001_IOVS_ORIGID_FK", "CONDBR2_F0001_IOVS"),
        ("2", "CONDBR2_F0001_IOVS_P_SETID_FK", "CONDBR2_F0001_IOVS"),
        ("0", "CONDBR2_F0001_PAYLOAD_OID_FK", "CONDBR2_F0001_PAYLOAD"),
    ]


def test_golden_rows_of_a_minimal_run_2_file(tmp_path: Path) -> None:
    text = "<timeStamp>run-lumi</timeStamp>"
    with new_database(tmp_path / "mycool.db") as db:
        folder = db.create_folder("/SCT/Derived/Efficiency", EFFICIENCY, description=text)
        for channel, value in ((FIRST, 0.995), (SECOND, 0.99)):
            folder.store(*RUN, (10000, value), channel, tag="T-001", user_tag_only=True)
        found = dump(db)
    # readings of the clock: root and its tag sequence 0 1, SCT 2 3, Derived 4 5, the folder 6
    # and its sequences PAYLOAD IOVS TAGS 7 8 9, the tag 10, then IOVS and PAYLOAD for each object
    t0, t1, t2, t3, t4, t5, t6 = (tick(n) for n in (0, 2, 4, 6, 10, 11, 13))
    f3 = "CONDBR2_F0003"
    fixed = (-1, None, 0, *[None] * 7)
    tables = [f"{f3}_{name}" for name in ("IOVS", "TAGS", "IOV2TAG", "CHANNELS")]
    golden = {
        "CONDBR2_DB_ATTRIBUTES": [
            ("DEFAULT_TABLE_PREFIX", "CONDBR2_"),
            ("NODE_TABLE_NAME", "CONDBR2_NODES"),
            ("TAG_TABLE_NAME", "CONDBR2_TAGS"),
            ("TAG2TAG_TABLE_NAME", "CONDBR2_TAG2TAG"),
            ("TAG_SHAREDSEQ_NAME", "CONDBR2_TAGS_SEQ"),
            ("IOV_SHAREDSEQ_NAME", "CONDBR2_IOVS_SEQ"),
            ("RELEASE", "3.1.0"),
            ("CVS_CHECKOUT", "$Name: not supported by cvs2svn $"),
            ("CVS_CHECKIN", "$Id: RalDatabase.cpp,v 1.656 2012-07-08 20:02:33 avalassi Exp $"),
            ("SCHEMA_VERSION", "2.0.0"),
        ],
        "CONDBR2_NODES": [
            (0, None, None, "/", None, 0, "2.0.0", t0, t0, *fixed),
            (1, 0, "SCT", "/SCT", None, 0, "2.0.0", t1, t1, *fixed),
            (2, 1, "Derived", "/SCT/Derived", None, 0, "2.0.0", t2, t2, *fixed),
            (
                *(3, 2, "Efficiency", "/SCT/Derived/Efficiency", text, 1, "2.8.0", t3, t3, 1),
                *("SampleSize:Int32,Efficiency:Float", 1, f"{f3}_PAYLOAD", None, None, *tables),
            ),
        ],
        "CONDBR2_NODES_SEQ": [("CONDBR2_NODES_SEQ", 3, t3)],
        "CONDBR2_F0000_TAGS_SEQ": [("CONDBR2_F0000_TAGS_SEQ", 0, tick(1))],
        "CONDBR2_F0001_TAGS_SEQ": [("CONDBR2_F0001_TAGS_SEQ", 0, tick(3))],
        "CONDBR2_F0002_TAGS_SEQ": [("CONDBR2_F0002_TAGS_SEQ", 0, tick(5))],
        "CONDBR2_TAGS": [(3, 1, "T-001", 0, None, t4)],
        "CONDBR2_TAG2TAG_SEQ": [("CONDBR2_TAG2TAG_SEQ", None, None)],
        f"{f3}_TAGS_SEQ": [(f"{f3}_TAGS_SEQ", 1, t4)],
        f"{f3}_TAGS": [(1, "T-001", None, t4)],
        f"{f3}_CHANNELS": [(FIRST, 4, 0, None, ""), (SECOND, 10, 0, None, "")],
        f"{f3}_PAYLOAD": [(1, t5, 10000, 0.9950000047683716), (2, t6, 10000, 0.9900000095367432)],
        f"{f3}_PAYLOAD_SEQ": [(f"{f3}_PAYLOAD_SEQ", 2, tick(14))],
        f"{f3}_IOVS": [
            (4, FIRST, 1288490188800000, 1288494483767295, 1, t5, t5, 0, 0, 1),
            (10, SECOND, 1288490188800000, 1288494483767295, 1, t6, t6, 0, 0, 2),
        ],
        f"{f3}_IOVS_SEQ": [(f"{f3}_IOVS_SEQ", 12, t6)],
        f"{f3}_IOV2TAG": [],
        "CONDBR2_TAG2TAG": [],
        "CONDBR2_TAGS_SEQ": [],
        "CONDBR2_IOVS_SEQ": [],
        "coral_sqlite_fk": [
            ("0", "0", "CONDBR2_TAG2TAG"),
            ("1", "CONDBR2_TAG2TAG_PTAG_FK", "CONDBR2_TAG2TAG"),
            ("2", "CONDBR2_TAG2TAG_CTAG_FK", "CONDBR2_TAG2TAG"),
            ("0", f"{f3}_IOVS_CHANNEL_FK", f"{f3}_IOVS"),
            ("1", f"{f3}_IOVS_PAYLOAD_FK", f"{f3}_IOVS"),
        ],
    }
    assert found == golden


def test_later_runs_get_the_next_ids_and_a_repeated_run_supersedes(tmp_path: Path) -> None:
    with new_database(tmp_path / "mycool.db") as db:
        folder = db.create_folder("/SCT/Derived/Efficiency", EFFICIENCY)

        def write(since: int, until: int) -> None:
            objects = [(since, until, channel, (1, 0.5)) for channel in (FIRST, SECOND)]
            folder.store_each(objects, tag="T-001", user_tag_only=True)

        write(*RUN)
        write(run_lumi(300001), INF)
        assert [row[0] for row in iovs(folder)] == [4, 10, 16, 22]
        assert {row[6] for row in iovs(folder)} == {0}
        write(*RUN)
        assert [(row[0], row[6]) for row in iovs(folder)] == [
            *((4, 28), (10, 34), (16, 0), (22, 0), (28, 0), (34, 0)),
        ]


def test_a_written_file_is_one_plain_file_with_a_rollback_journal(tmp_path: Path) -> None:
    path = tmp_path / "mycool.db"
    with new_database(path) as db:
        small_folder(db).store(0, 1, ["x"], 1)
    assert [entry.name for entry in tmp_path.iterdir()] == ["mycool.db"]
    connection = sqlite3.connect(path)
    pragmas = [
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "user_version", "application_id", "encoding")
    ]
    connection.close()
    assert pragmas == ["delete", 0, 0, "UTF-8"]
    assert path.read_bytes()[18:20] == b"\x01\x01"  # file format: legacy, no write-ahead log


def test_the_same_clock_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.db", "b.db"):
        with new_database(tmp_path / name) as db:
            small_folder(db).store_each([(0, 9, n, ["x"]) for n in range(99)], tag="T")
    assert (tmp_path / "a.db").read_bytes() == (tmp_path / "b.db").read_bytes()
