"""Connection strings of SQLite files (cool-sqlite.md 1)."""

from __future__ import annotations

from pathlib import Path

import pytest

from sctcalib.cool import DatabaseError
from sctcalib.cool.connection import Connection, parse_connection


@pytest.mark.parametrize(
    ("text", "path", "name"),
    [
        ("mycool.db", "mycool.db", None),
        (Path("a/mycool.db"), "a/mycool.db", None),
        ("sqlite://;schema=mycool.db;dbname=CONDBR2", "mycool.db", "CONDBR2"),
        ("sqlite://X;schema=/data/my cool.db;dbname=COMP200", "/data/my cool.db", "COMP200"),
        ("sqlite://;dbname=OFLP200;schema=mycool.db;", "mycool.db", "OFLP200"),
        ("sqlite://;schema=mycool.db", "mycool.db", None),
    ],
)
def test_paths_and_connection_strings(text: str | Path, path: str, name: str | None) -> None:
    assert parse_connection(text) == Connection(Path(path), name)


@pytest.mark.parametrize(
    "text",
    [
        "oracle://ATLAS_COOLPROD;schema=ATLAS_COOLOFL_SCT;dbname=CONDBR2",
        "sqlite://;dbname=CONDBR2",
        "sqlite://",
        "sqlite://;schema=a.db;user=me",
        "sqlite://;schema=a.db;dbname=condbr2",
        "frontier://x;schema=a.db",
    ],
)
def test_other_strings_are_refused(text: str) -> None:
    with pytest.raises(DatabaseError):
        parse_connection(text)


def test_a_connection_is_written_as_a_string() -> None:
    assert str(Connection(Path("a.db"), "CONDBR2")) == "sqlite://;schema=a.db;dbname=CONDBR2"
    assert str(Connection(Path("a.db"), None)) == "sqlite://;schema=a.db"
