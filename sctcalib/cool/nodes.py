"""Folders and folder sets: path rules and the rows of the NODES table (cool-sqlite.md 4, 5)."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from sctcalib.cool.errors import DatabaseError, NodeError
from sctcalib.cool.schema import Fields, Payload, Versioning
from sctcalib.cool.storage import STORAGE_TYPES

MAX_TEXT_BYTES = 255
"""Limit of paths, descriptions and names."""
MAX_FIELDS = 900
MAX_BLOBS = 10
MAX_STRING255 = 200
_PATH = re.compile(r"/|(/[A-Za-z0-9_.-]+)+")
_FIELD_NAME = re.compile(r"(?!(?i:COOL_))[A-Za-z][A-Za-z0-9_]{0,29}")
_FIXED_COLUMNS = frozenset(
    (
        *("OBJECT_ID", "CHANNEL_ID", "IOV_SINCE", "IOV_UNTIL", "USER_TAG_ID", "SYS_INSTIME"),
        *("LASTMOD_DATE", "ORIGINAL_ID", "NEW_HEAD_ID", "PAYLOAD_ID", "PAYLOAD_SET_ID"),
        *("PAYLOAD_N_ITEMS", "PAYLOAD_ITEM_ID", "P_SYS_INSTIME"),
    )
)
NODE_COLUMNS = (
    "NODE_ID, NODE_PARENTID, NODE_FULLPATH, NODE_DESCRIPTION, NODE_ISLEAF, NODE_SCHEMA_VERSION, "
    "NODE_INSTIME, LASTMOD_DATE, FOLDER_VERSIONING, FOLDER_PAYLOADSPEC, FOLDER_PAYLOAD_INLINE, "
    "FOLDER_PAYLOAD_EXTREF"
)


@dataclass(frozen=True)
class Node:
    """One row of the NODES table, as a reader of any release's file needs it."""

    id: int
    parent_id: int | None
    path: str
    description: str
    is_folder: bool
    schema_version: str
    inserted: str
    modified: str
    versioning: int
    """0 single version, 1 multi version, -1 a folder set."""
    specification: str
    """Payload fields, ``name:Type,...``; empty for a folder set."""
    separate: bool
    """The folder says that its payload is in a table of its own."""
    payload_table: str

    @classmethod
    def from_row(cls, row: tuple[Any, ...]) -> Node:
        """From the columns NODE_COLUMNS; old releases have '' or NULL where others do not."""
        ident, parent, path, text, leaf, schema, born, changed, versioning, spec, apart, ref = row
        return cls(
            int(ident),
            parent,
            path or "",
            text or "",
            bool(leaf),
            schema or "",
            born or "",
            changed or "",
            -1 if versioning is None else int(versioning),
            spec or "",
            bool(apart),
            ref or "",
        )


def check_path(path: str) -> str:
    """The path itself; raises NodeError if COOL does not allow it."""
    if not _PATH.fullmatch(path):
        msg = (
            f"{path!r} is not a path of a folder: /A/B/C with characters A-Z, a-z, 0-9, _ . -, "
            "no / at the end"
        )
        raise NodeError(msg)
    if len(path) > MAX_TEXT_BYTES:
        msg = f"the path {path[:40]}... has {len(path)} characters, at most {MAX_TEXT_BYTES} fit"
        raise NodeError(msg)
    return path


def parent_of(path: str) -> str:
    """Path of the folder set that holds a node."""
    return path.rpartition("/")[0] or "/"


def check_description(text: str, path: str) -> str | None:
    """What is stored for a description: NULL for an empty one."""
    if "\0" in text or len(text.encode()) > MAX_TEXT_BYTES:
        msg = (
            f"{path}: a description has at most {MAX_TEXT_BYTES} bytes and no NUL, "
            f"this one has {len(text.encode())} bytes"
        )
        raise NodeError(msg)
    return text or None


def check_fields(fields: Fields, path: str) -> None:
    """Raise NodeError unless these can be the payload fields of a folder."""
    for problem in _field_problems(fields):
        msg = f"{path}: {problem}"
        raise NodeError(msg)


def _field_problems(fields: Fields) -> list[str]:
    problems = []
    kinds = Counter(kind for _, kind in fields)
    for name, kind in fields:
        if kind not in STORAGE_TYPES:
            known = ", ".join(STORAGE_TYPES)
            problems.append(f"field {name!r} has the type {kind!r}, which is none of {known}")
        if not _FIELD_NAME.fullmatch(name):
            problems.append(
                f"{name!r} is not a field name: 1-30 characters A-Z, a-z, 0-9, _, "
                "first a letter, not starting with COOL_"
            )
        if name.upper() in _FIXED_COLUMNS:
            problems.append(f"field {name!r} has the name of a column of COOL itself")
    for name, times in Counter(name.upper() for name, _ in fields).items():
        if times > 1:
            problems.append(f"field {name!r} is there {times} times (upper and lower case alike)")
    blobs = kinds["Blob64k"] + kinds["Blob16M"]
    for what, given, limit in (
        ("fields", len(fields), MAX_FIELDS),
        ("blobs", blobs, MAX_BLOBS),
        ("fields of type String255", kinds["String255"], MAX_STRING255),
    ):
        if given > limit:
            problems.append(f"{given} {what} are too many, at most {limit} fit")
    if not fields:
        problems.append("a folder needs at least one payload field")
    return problems


def specification(fields: Fields) -> str:
    """Payload fields as the NODES table has them."""
    return ",".join(f"{name}:{kind}" for name, kind in fields)


def parse_specification(node: Node) -> tuple[tuple[str, str], ...]:
    """Payload fields of a folder; raises DatabaseError if the row is not understood."""
    fields = []
    for item in node.specification.split(","):
        name, _, kind = item.partition(":")
        if kind not in STORAGE_TYPES or not name:
            msg = f"{node.path}: {item!r} in its payload specification is not name:Type"
            raise DatabaseError(msg)
        fields.append((name, kind))
    return tuple(fields)


def payload_mode(node: Node) -> Payload:
    """Where the payload is; raises DatabaseError if the folder contradicts itself."""
    mode = Payload.of_schema(node.schema_version)
    if node.separate != (mode is not Payload.INLINE) or bool(node.payload_table) != node.separate:
        msg = (
            f"{node.path}: schema version {node.schema_version} does not agree with "
            f"FOLDER_PAYLOAD_INLINE {int(node.separate)} and payload table {node.payload_table!r}"
        )
        raise DatabaseError(msg)
    return mode


def versioning_mode(node: Node) -> Versioning:
    """Single or multi version; raises DatabaseError for anything else."""
    try:
        return Versioning(node.versioning)
    except ValueError:
        msg = f"{node.path}: versioning {node.versioning} is neither 0 (single) nor 1 (multi)"
        raise DatabaseError(msg) from None
