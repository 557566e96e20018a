"""A clock that ticks, and short ways to look into tables."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from sctcalib.cool import Database, Folder, Payload, Versioning
from sctcalib.cool.times import format_time

START = 1_446_004_193_000_000_000
"""2015-10-28 03:49:53 UTC in nanoseconds."""
TICK = 1_000_000
INF = 2**63 - 1


def ticking() -> Callable[[], int]:
    """A clock whose readings are one millisecond apart."""
    readings = count(START, TICK)
    return lambda: next(readings)


def tick(number: int) -> str:
    """Time string of the n-th reading of a ticking clock, from 0."""
    return format_time(START + number * TICK)


def new_database(path: Path) -> Database:
    return Database.create(path, clock=ticking())


def small_folder(
    db: Database,
    path: str = "/A/B",
    versioning: Versioning = Versioning.MULTI,
    payload: Payload = Payload.SEPARATE,
) -> Folder:
    """A folder with one field ``x`` of type String255."""
    return db.create_folder(path, [("x", "String255")], versioning=versioning, payload=payload)


def rows(folder: Folder, table: str, columns: str = "*") -> list[tuple[Any, ...]]:
    """All rows of one of the folder's tables, in the order they were written."""
    return folder.db.file.rows(f"SELECT {columns} FROM {folder.table(table)} ORDER BY rowid")


IOV = "OBJECT_ID, CHANNEL_ID, IOV_SINCE, IOV_UNTIL, USER_TAG_ID, ORIGINAL_ID, NEW_HEAD_ID"


def iovs(folder: Folder) -> list[tuple[Any, ...]]:
    """(id, channel, since, until, tag, original, new head) by id."""
    return sorted(rows(folder, "IOVS", IOV))


def dump(db: Database) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables."""
    tables = db.file.rows("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {name: db.file.rows(f'SELECT * FROM "{name}" ORDER BY rowid') for (name,) in tables}
