"""COOL connection strings of SQLite files: ``sqlite://;schema=FILE;dbname=NAME``
(cool-sqlite.md 1)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sctcalib.cool.errors import DatabaseError
from sctcalib.cool.schema import check_database_name


@dataclass(frozen=True)
class Connection:
    """Where a database is."""

    path: Path
    name: str | None
    """Name of the database, or None where it is not said."""

    def __str__(self) -> str:
        ending = f";dbname={self.name}" if self.name else ""
        return f"sqlite://;schema={self.path}{ending}"


def parse_connection(text: str | Path) -> Connection:
    """A path, or a connection string with or without a dummy server after ``//``.

    Raises DatabaseError for any other technology and for what is not understood.
    """
    if isinstance(text, Path) or "://" not in text:
        return Connection(Path(text), None)
    technology, _, rest = text.partition("://")
    _, *items = rest.split(";")
    values = dict(item.partition("=")[::2] for item in items if item)
    unknown = sorted(set(values) - {"schema", "dbname"})
    if technology != "sqlite" or not values.get("schema") or unknown:
        msg = f"{text!r} is not the path of a SQLite file, nor sqlite://;schema=FILE;dbname=NAME"
        raise DatabaseError(msg)
    name = values.get("dbname")
    return Connection(Path(values["schema"]), check_database_name(name) if name else None)


def file_in_folder(folder: Path, name: str) -> Path:
    """Where a folder of conditions databases has the database of a name."""
    return folder / f"{name}.db"
