"""Whether a database is sound."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sctcalib.cool.database import Database


def check_database(db: Database) -> list[str]:
    """Problems of the structure, one sentence each."""
    return [str(row[0]) for row in db.file.rows("PRAGMA integrity_check") if row[0] != "ok"]
