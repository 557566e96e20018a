"""Names and DDL of every COOL table, exactly as the original software writes them
(cool-sqlite.md 2, 3, 5, 8).

The texts are compared by the original's tools and by our tests: blanks, missing quotes after
REFERENCES and the NOT NULL of TAG2TAG only are as found in real files. Of the vector-payload
tables only the content is documented; their texts follow the same habits.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum, IntEnum

from sctcalib.cool.errors import DatabaseError
from sctcalib.cool.storage import STORAGE_TYPES

Fields = Sequence[tuple[str, str]]
"""Payload fields: (name, storage type)."""

RELEASE = "3.1.0"
SCHEMA_VERSION = "2.0.0"
MAX_NODE_ID = 9999
FOLDER_SET_VERSIONING = -1
_DATABASE_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,7}")
ATTRIBUTES_TABLE = "_DB_ATTRIBUTES"


class Versioning(IntEnum):
    """How a folder keeps its history."""

    SINGLE = 0
    MULTI = 1


class Payload(Enum):
    """Where a folder keeps its payload; the value is the schema version of such folders."""

    INLINE = "2.0.1"
    SEPARATE = "2.8.0"
    VECTOR = "2.9.0"

    @classmethod
    def of_schema(cls, version: str) -> Payload:
        """The payload mode of a folder of this schema version."""
        start = version.split(".")[:2]
        return {("2", "8"): cls.SEPARATE, ("2", "9"): cls.VECTOR}.get(tuple(start), cls.INLINE)  # type: ignore[arg-type]


def check_database_name(name: str) -> str:
    """The name itself; raises DatabaseError if COOL does not allow it."""
    if not _DATABASE_NAME.fullmatch(name):
        msg = (
            f"{name!r} is not a COOL database name: 1-8 characters A-Z, 0-9, _, first a letter, "
            "for example CONDBR2"
        )
        raise DatabaseError(msg)
    return name


def node_prefix(database: str, node_id: int) -> str:
    """Start of the names of all tables of a node, ``CONDBR2_F0003``."""
    return f"{database}_F{node_id:04d}"


def _sequence(table: str) -> str:
    return (
        f'CREATE TABLE "{table}" ( "SEQUENCE_NAME" TEXT ,"CURRENT_VALUE" UNSIGNEDINT ,'
        '"LASTMOD_DATE" TEXT , PRIMARY KEY("SEQUENCE_NAME") )'
    )


def _shared_sequence(table: str, database: str) -> str:
    return (
        f'CREATE TABLE "{table}" ( "NODE_ID" UNSIGNEDINT ,"CURRENT_VALUE" UNSIGNEDINT ,'
        '"LASTMOD_DATE" TEXT , PRIMARY KEY("NODE_ID"), '
        f'FOREIGN KEY("NODE_ID") REFERENCES {database}_NODES("NODE_ID") )'
    )


FOREIGN_KEY_MEMO = (
    "CREATE TABLE IF NOT EXISTS "
    "coral_sqlite_fk(id TEXT NOT NULL, name TEXT, tablename TEXT NOT NULL)"
)
"""Once per file; SQLite keeps the text without IF NOT EXISTS."""


def base_tables(database: str) -> list[str]:
    """The tables of an empty database, without the memo of foreign keys that is once per file."""
    p = database
    attributes = (
        f'CREATE TABLE "{p}_DB_ATTRIBUTES" ( "DB_ATTRIBUTE_NAME" TEXT ,"DB_ATTRIBUTE_VALUE" TEXT ,'
        ' PRIMARY KEY("DB_ATTRIBUTE_NAME") )'
    )
    nodes = (
        f'CREATE TABLE "{p}_NODES" ( "NODE_ID" UNSIGNEDINT ,"NODE_PARENTID" UNSIGNEDINT ,'
        '"NODE_NAME" TEXT ,"NODE_FULLPATH" TEXT ,"NODE_DESCRIPTION" TEXT ,"NODE_ISLEAF" BOOLEAN ,'
        '"NODE_SCHEMA_VERSION" TEXT ,"NODE_INSTIME" TEXT ,"LASTMOD_DATE" TEXT ,'
        '"FOLDER_VERSIONING" INT ,"FOLDER_PAYLOADSPEC" TEXT ,"FOLDER_PAYLOAD_INLINE" UNSIGNEDSHORT '
        ',"FOLDER_PAYLOAD_EXTREF" TEXT ,"FOLDER_CHANNELSPEC" TEXT ,"FOLDER_CHANNEL_EXTREF" TEXT ,'
        '"FOLDER_IOVTABLENAME" TEXT ,"FOLDER_TAGTABLENAME" TEXT ,"FOLDER_IOV2TAGTABLENAME" TEXT ,'
        '"FOLDER_CHANNELTABLENAME" TEXT , PRIMARY KEY("NODE_ID"), UNIQUE ( "NODE_FULLPATH" ), '
        'UNIQUE ( "NODE_ID","NODE_PARENTID" ), '
        f'FOREIGN KEY("NODE_PARENTID") REFERENCES {p}_NODES("NODE_ID") )'
    )
    return [
        attributes,
        nodes,
        _sequence(f"{p}_NODES_SEQ"),
        _sequence(f"{p}_F0000_TAGS_SEQ"),
        *_tag_tables(p),
        _shared_sequence(f"{p}_TAGS_SEQ", p),
        _shared_sequence(f"{p}_IOVS_SEQ", p),
    ]


def _tag_tables(p: str) -> list[str]:
    tags = (
        f'CREATE TABLE "{p}_TAGS" ( "NODE_ID" UNSIGNEDINT ,"TAG_ID" UNSIGNEDINT ,"TAG_NAME" TEXT ,'
        '"TAG_LOCK_STATUS" UNSIGNEDSHORT ,"TAG_DESCRIPTION" TEXT ,"SYS_INSTIME" TEXT , '
        'PRIMARY KEY("NODE_ID","TAG_ID"), UNIQUE ( "TAG_NAME" ), '
        f'FOREIGN KEY("NODE_ID") REFERENCES {p}_NODES("NODE_ID") )'
    )
    relations = (
        f'CREATE TABLE "{p}_TAG2TAG" ( "PARENT_NODEID" UNSIGNEDINT  NOT NULL,'
        '"PARENT_TAGID" UNSIGNEDINT  NOT NULL,"CHILD_NODEID" UNSIGNEDINT  NOT NULL,'
        '"CHILD_TAGID" UNSIGNEDINT ,"SYS_INSTIME" TEXT , '
        'PRIMARY KEY("PARENT_NODEID","PARENT_TAGID","CHILD_NODEID"), '
        'FOREIGN KEY("CHILD_NODEID","PARENT_NODEID") '
        f'REFERENCES {p}_NODES("NODE_ID","NODE_PARENTID"), '
        f'FOREIGN KEY("PARENT_NODEID","PARENT_TAGID") REFERENCES {p}_TAGS("NODE_ID","TAG_ID"), '
        f'FOREIGN KEY("CHILD_NODEID","CHILD_TAGID") REFERENCES {p}_TAGS("NODE_ID","TAG_ID") )'
    )
    return [tags, relations, _sequence(f"{p}_TAG2TAG_SEQ")]


def attributes(database: str) -> list[tuple[str, str]]:
    """The ten rows of DB_ATTRIBUTES of a new database, in order."""
    return [
        ("DEFAULT_TABLE_PREFIX", f"{database}_"),
        ("NODE_TABLE_NAME", f"{database}_NODES"),
        ("TAG_TABLE_NAME", f"{database}_TAGS"),
        ("TAG2TAG_TABLE_NAME", f"{database}_TAG2TAG"),
        ("TAG_SHAREDSEQ_NAME", f"{database}_TAGS_SEQ"),
        ("IOV_SHAREDSEQ_NAME", f"{database}_IOVS_SEQ"),
        ("RELEASE", RELEASE),
        ("CVS_CHECKOUT", "$Name: not supported by cvs2svn $"),
        ("CVS_CHECKIN", "$Id: RalDatabase.cpp,v 1.656 2012-07-08 20:02:33 avalassi Exp $"),
        ("SCHEMA_VERSION", SCHEMA_VERSION),
    ]


def tag_relation_keys(database: str) -> list[tuple[str, str, str]]:
    """The memo of TAG2TAG's foreign keys; the name of the first one really is ``0``."""
    table = f"{database}_TAG2TAG"
    return [("0", "0", table), ("1", f"{table}_PTAG_FK", table), ("2", f"{table}_CTAG_FK", table)]


def folder_set_tables(prefix: str) -> list[str]:
    """The only table of a folder set."""
    return [_sequence(f"{prefix}_TAGS_SEQ")]


def folder_tables(
    prefix: str, fields: Fields, versioning: Versioning, payload: Payload
) -> list[str]:
    """All tables and indices of a folder in their order of creation."""
    columns = "".join(f',"{name}" {STORAGE_TYPES[kind].column} ' for name, kind in fields)
    ddl = _channels(prefix)
    if payload is Payload.SEPARATE:
        ddl += [_payload(prefix, columns), _sequence(f"{prefix}_PAYLOAD_SEQ")]
    ddl += [_iovs(prefix, columns, payload), *_iov_indices(prefix, versioning)]
    ddl.append(_sequence(f"{prefix}_IOVS_SEQ"))
    if payload is Payload.VECTOR:
        ddl.append(_vector_payload(prefix, columns))
    if versioning is Versioning.MULTI:
        ddl += _folder_tags(prefix, payload)
    return ddl


def folder_keys(prefix: str, payload: Payload) -> list[tuple[str, str, str]]:
    """The memo of a folder's foreign keys."""
    table = f"{prefix}_IOVS"
    keys = [("0", f"{table}_CHANNEL_FK", table)]
    if payload is Payload.SEPARATE:
        keys.append(("1", f"{table}_PAYLOAD_FK", table))
    if payload is Payload.VECTOR:
        keys += [("1", f"{table}_ORIGID_FK", table), ("2", f"{table}_P_SETID_FK", table)]
        keys.append(("0", f"{prefix}_PAYLOAD_OID_FK", f"{prefix}_PAYLOAD"))
    return keys


def _channels(f: str) -> list[str]:
    channels = (
        f'CREATE TABLE "{f}_CHANNELS" ( "CHANNEL_ID" UNSIGNEDINT ,"LAST_OBJECT_ID" UNSIGNEDINT ,'
        '"HAS_NEW_DATA" BOOLEAN ,"CHANNEL_NAME" TEXT ,"DESCRIPTION" TEXT , '
        'PRIMARY KEY("CHANNEL_ID") )'
    )
    names = f'CREATE UNIQUE INDEX "{f}_CHANNELS_N_UK" ON "{f}_CHANNELS"( "CHANNEL_NAME" )'
    return [channels, names]


def _payload(f: str, columns: str) -> str:
    return (
        f'CREATE TABLE "{f}_PAYLOAD" ( "PAYLOAD_ID" UNSIGNEDINT ,"P_SYS_INSTIME" TEXT {columns}, '
        'PRIMARY KEY("PAYLOAD_ID") )'
    )


def _vector_payload(f: str, columns: str) -> str:
    return (
        f'CREATE TABLE "{f}_PAYLOAD" ( "PAYLOAD_SET_ID" UNSIGNEDINT ,'
        f'"PAYLOAD_ITEM_ID" UNSIGNEDINT ,"P_SYS_INSTIME" TEXT {columns}, '
        'PRIMARY KEY("PAYLOAD_SET_ID","PAYLOAD_ITEM_ID"), '
        f'FOREIGN KEY("PAYLOAD_SET_ID") REFERENCES {f}_IOVS("OBJECT_ID") )'
    )


def _iovs(f: str, columns: str, payload: Payload) -> str:
    own, keys = {
        Payload.INLINE: (columns, ""),
        Payload.SEPARATE: (
            ',"PAYLOAD_ID" UNSIGNEDINT ',
            f', FOREIGN KEY("PAYLOAD_ID") REFERENCES {f}_PAYLOAD("PAYLOAD_ID")',
        ),
        Payload.VECTOR: (
            ',"PAYLOAD_SET_ID" UNSIGNEDINT ,"PAYLOAD_N_ITEMS" UNSIGNEDINT ',
            (
                f', FOREIGN KEY("PAYLOAD_SET_ID") REFERENCES {f}_IOVS("OBJECT_ID")'
                ', FOREIGN KEY("CHANNEL_ID","PAYLOAD_SET_ID") '
                f'REFERENCES {f}_IOVS("CHANNEL_ID","OBJECT_ID")'
            ),
        ),
    }[payload]
    unique = ' UNIQUE ( "CHANNEL_ID","OBJECT_ID" ),' if payload is Payload.VECTOR else ""
    return (
        f'CREATE TABLE "{f}_IOVS" ( "OBJECT_ID" UNSIGNEDINT ,"CHANNEL_ID" UNSIGNEDINT ,'
        '"IOV_SINCE" ULONGLONG ,"IOV_UNTIL" ULONGLONG ,"USER_TAG_ID" UNSIGNEDINT ,'
        '"SYS_INSTIME" TEXT ,"LASTMOD_DATE" TEXT ,"ORIGINAL_ID" UNSIGNEDINT ,'
        f'"NEW_HEAD_ID" UNSIGNEDINT {own}, PRIMARY KEY("OBJECT_ID"),{unique} '
        f'FOREIGN KEY("CHANNEL_ID") REFERENCES {f}_CHANNELS("CHANNEL_ID"){keys} )'
    )


def _iov_indices(f: str, versioning: Versioning) -> list[str]:
    indices = [
        ("", "CO_2INDX", '"CHANNEL_ID", "OBJECT_ID"'),
        ("", "CSU_3INDX", '"CHANNEL_ID", "IOV_SINCE", "IOV_UNTIL"'),
        ("", "SU_2INDX", '"IOV_SINCE", "IOV_UNTIL"'),
    ]
    if versioning is Versioning.MULTI:
        interval = '"CHANNEL_ID", "IOV_SINCE", "IOV_UNTIL"'
        indices += [
            ("UNIQUE ", "OCSU_4INDX", f'"OBJECT_ID", {interval}'),
            ("UNIQUE ", "UTAG_5INDX", f'"USER_TAG_ID", "NEW_HEAD_ID", {interval}'),
        ]
    return [
        f'CREATE {unique}INDEX "{f}_IOVS_{name}" ON "{f}_IOVS"( {columns} )'
        for unique, name, columns in indices
    ]


def _folder_tags(f: str, payload: Payload) -> list[str]:
    column, key = {
        Payload.INLINE: ("", ""),
        Payload.SEPARATE: (
            ',"PAYLOAD_ID" UNSIGNEDINT ',
            f', FOREIGN KEY("PAYLOAD_ID") REFERENCES {f}_PAYLOAD("PAYLOAD_ID")',
        ),
        Payload.VECTOR: (
            ',"PAYLOAD_SET_ID" UNSIGNEDINT ',
            f', FOREIGN KEY("PAYLOAD_SET_ID") REFERENCES {f}_IOVS("OBJECT_ID")',
        ),
    }[payload]
    tags = (
        f'CREATE TABLE "{f}_TAGS" ( "TAG_ID" UNSIGNEDINT ,"TAG_NAME" TEXT ,"TAG_DESCRIPTION" TEXT ,'
        '"SYS_INSTIME" TEXT , PRIMARY KEY("TAG_ID") )'
    )
    tagged = (
        f'CREATE TABLE "{f}_IOV2TAG" ( "TAG_ID" UNSIGNEDINT ,"OBJECT_ID" UNSIGNEDINT ,'
        '"CHANNEL_ID" UNSIGNEDINT ,"IOV_SINCE" ULONGLONG ,"IOV_UNTIL" ULONGLONG ,'
        f'"SYS_INSTIME" TEXT {column}, PRIMARY KEY("TAG_ID","OBJECT_ID"), '
        f'FOREIGN KEY("OBJECT_ID") REFERENCES {f}_IOVS("OBJECT_ID"), '
        f'FOREIGN KEY("TAG_ID") REFERENCES {f}_TAGS("TAG_ID"){key} )'
    )
    index = (
        f'CREATE INDEX "{f}_IOV2TAG_4INDX" ON "{f}_IOV2TAG"'
        '( "TAG_ID", "CHANNEL_ID", "IOV_SINCE", "IOV_UNTIL" )'
    )
    return [_sequence(f"{f}_TAGS_SEQ"), tags, tagged, index]
