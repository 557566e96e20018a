"""The run database: what the loop asks of it, and the embedded one, a SQLite file.

`RunDatabase` is the interface, so that a remote service can take the place of the file.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from sctcalib.job.errors import InputFileError, OutputFileError, raise_problems
from sctcalib.runs.files import PROBLEM_LIMIT, Given
from sctcalib.runs.records import FLAGS, Run, contradictions, run_of

APPLICATION_ID = 0x53435452
"""Written into the file's header: ``SCTR``."""
BUSY_TIMEOUT_S = 30.0
_PLAIN = (
    "project", "partition", "start", "end", "events", "detector_mask", "fill", "beam_energy", "bad",
)  # fmt: skip
_NESTED = ("lumi_blocks", "streams", *FLAGS)
"""Kept as JSON texts, which SQLite's JSON functions can query."""
_FIELDS = (*_PLAIN, *_NESTED)
Ranges = Sequence[tuple[int, int]]
"""Numbers from, to, both included; ascending and disjoint."""


def _create_runs(connection: sqlite3.Connection) -> None:
    nested = ", ".join(f"{name} TEXT CHECK ({name} IS NULL OR json_valid({name}))"
                       for name in _NESTED)  # fmt: skip
    connection.execute(
        'CREATE TABLE run (run INTEGER PRIMARY KEY, project TEXT, "partition" TEXT,'
        ' start INTEGER, "end" INTEGER, events INTEGER, detector_mask TEXT, fill INTEGER,'
        f" beam_energy REAL, bad TEXT, {nested})"
    )
    connection.execute("CREATE INDEX run_start ON run (start)")


def _create_watched(connection: sqlite3.Connection) -> None:
    connection.execute(
        "CREATE TABLE watched (path TEXT PRIMARY KEY, size INTEGER NOT NULL,"
        " modified INTEGER NOT NULL, problem TEXT NOT NULL)"
    )


MIGRATIONS = (_create_runs, _create_watched)
"""Steps from an empty file to today's tables; ``user_version`` is the number of those done."""


@dataclass(frozen=True)
class RunTimes:
    """When a run was, in nanoseconds; None is not known."""

    run: int
    start: int | None
    end: int | None


class RunDatabase(Protocol):
    """What is asked of a run database. Runs come in ascending order."""

    @property
    def name(self) -> str:
        """What to call it in messages."""

    def get(self, run: int) -> Run | None:
        """What is known of a run; None if the run is not known."""

    def runs(self, ranges: Ranges) -> Iterator[Run]:
        """The runs with numbers in ranges."""

    def times(self) -> list[RunTimes]:
        """When each run was."""


class SqliteRuns:
    """The embedded run database; it alone reads and writes the file.

    Readers see a consistent state and never wait; a writer waits for another one.
    Raises InputFileError for a file that is no run database, OutputFileError where it cannot
    be written.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.path = path
        if not path.exists() and not create:
            msg = f"run database {path}: no such file; 'sctcalib runs import' makes one"
            raise InputFileError(msg)
        if path.exists() and not path.is_file():
            msg = f"run database {path}: is not a file"
            raise InputFileError(msg)
        self._connection = self._open(create)
        try:
            with self._reading():
                self._migrate()
        except BaseException:
            self.close()
            raise

    @property
    def name(self) -> str:
        """The path of the file."""
        return str(self.path)

    def close(self) -> None:
        """Close the file; harmless if that was done."""
        self._connection.close()

    def __enter__(self) -> SqliteRuns:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.close()

    def get(self, run: int) -> Run | None:
        """What is known of a run; None if the run is not known."""
        values = self.values(run)
        return run_of(values) if values else None

    def values(self, run: int) -> dict[str, Any]:
        """What is known of a run, in the form of `schemas/runs.json`; empty if not known."""
        return next(self._values("WHERE run = ?", (run,)), {})

    def runs(self, ranges: Ranges) -> Iterator[Run]:
        """The runs with numbers in ranges."""
        for first, last in ranges:
            limits = (first, min(last, 2**63 - 1))
            yield from map(run_of, self._values("WHERE run BETWEEN ? AND ? ORDER BY run", limits))

    def times(self) -> list[RunTimes]:
        """When each run was."""
        with self._reading():
            rows = self._connection.execute('SELECT run, start, "end" FROM run ORDER BY run')
            return [RunTimes(*row) for row in rows]

    def merge(self, given: Iterable[Given]) -> tuple[int, int]:
        """Take over what is given, keep the rest; returns the numbers of new and of known runs.

        Raises InputFileError for values that contradict each other, all of them; then nothing has
        changed.
        """
        new = known = 0
        problems: list[str] = []
        with self.atomic():
            for each in given:
                before = self.values(each.values["run"])
                after = {**before, **each.values}
                found = list(contradictions(after))
                problems += [f"{each.place}: {problem}" for problem in found]
                if not found:
                    self._store(after)
                    new, known = (new, known + 1) if before else (new + 1, known)
            raise_problems(map(InputFileError, problems[:PROBLEM_LIMIT]))
        return new, known

    def watched(self, path: str) -> tuple[int, int] | None:
        """Size and modification time of a file when it was last imported, or was refused."""
        with self._reading():
            query = "SELECT size, modified FROM watched WHERE path = ?"
            row: tuple[int, int] | None = self._connection.execute(query, (path,)).fetchone()
            return row

    def note_watched(self, path: str, size: int, modified: int, problem: str = "") -> None:
        """Remember that a file was looked at."""
        with self.atomic():
            self._connection.execute(
                "INSERT OR REPLACE INTO watched VALUES (?, ?, ?, ?)",
                (path, size, modified, problem),
            )

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """All changes of the block, or none; a block within another one belongs to it."""
        if self._is_writing():
            yield
            return
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._is_writing():  # SQLite may have given up itself, as on a full disk
                    self._connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            msg = f"run database {self.path}: cannot be written: {error}"
            raise OutputFileError(msg) from error

    def _open(self, create: bool) -> sqlite3.Connection:
        """Open for writing, which tidies up at the end; where that is not allowed, for reading."""
        uri = self.path.absolute().as_uri()
        writable = os.access(self.path if self.path.exists() else self.path.parent, os.W_OK)
        beside = writable and os.access(self.path.parent, os.W_OK)
        if create or beside:
            mode = "mode=rwc" if create else "mode=rw"
        else:  # a file that no writer has open can be read without the files beside it
            busy = self.path.with_name(self.path.name + "-wal").exists()
            mode = "mode=ro" if busy else "mode=ro&immutable=1"
        try:
            return sqlite3.connect(
                f"{uri}?{mode}", uri=True, isolation_level=None, timeout=BUSY_TIMEOUT_S
            )
        except sqlite3.Error as error:
            kind = OutputFileError if create else InputFileError
            msg = f"run database {self.path}: cannot be opened: {error}"
            raise kind(msg) from error

    def _is_writing(self) -> bool:
        return self._connection.in_transaction

    def _migrate(self) -> None:
        version = self._pragma("user_version")
        if version > len(MIGRATIONS):
            msg = f"run database {self.path}: made by a newer version of this program"
            raise InputFileError(msg)
        if version == len(MIGRATIONS) and self._pragma("application_id") == APPLICATION_ID:
            return
        self._check_ours(version)
        self._connection.execute("PRAGMA journal_mode = WAL")
        with self.atomic():
            for number in range(self._pragma("user_version"), len(MIGRATIONS)):
                MIGRATIONS[number](self._connection)
                self._connection.execute(f"PRAGMA user_version = {number + 1}")
            self._connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")

    def _check_ours(self, version: int) -> None:
        """Refuse to make tables in somebody else's database."""
        (count,) = self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        foreign = self._pragma("application_id") != APPLICATION_ID and (version or count)
        if foreign:
            msg = f"{self.path}: is a SQLite file, and no run database"
            raise InputFileError(msg)

    def _pragma(self, name: str) -> int:
        value: int = self._connection.execute(f"PRAGMA {name}").fetchone()[0]
        return value

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            msg = f"run database {self.path}: cannot be read: {error}"
            raise InputFileError(msg) from error

    def _values(self, where: str, parameters: tuple[Any, ...]) -> Iterator[dict[str, Any]]:
        names = ", ".join(f'"{name}"' for name in ("run", *_FIELDS))
        with self._reading():
            rows = self._connection.execute(f"SELECT {names} FROM run {where}", parameters)
            for row in rows:
                known = {
                    name: value
                    for name, value in zip(("run", *_FIELDS), row, strict=True)
                    if value is not None
                }
                yield {
                    name: json.loads(value) if name in _NESTED else value
                    for name, value in known.items()
                }

    def _store(self, values: dict[str, Any]) -> None:
        row = [values["run"]]
        for name in _FIELDS:
            value = values.get(name)
            nested = name in _NESTED and value is not None
            row.append(json.dumps(value, separators=(",", ":")) if nested else value)
        names = ", ".join(f'"{name}"' for name in ("run", *_FIELDS))
        marks = ", ".join("?" * len(row))
        self._connection.execute(f"INSERT OR REPLACE INTO run ({names}) VALUES ({marks})", row)
