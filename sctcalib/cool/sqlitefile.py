"""One SQLite file: opening without side effects, transactions, errors that name the file."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sctcalib.cool.errors import DatabaseError

log = logging.getLogger(__name__)
Row = tuple[Any, ...]
_BUSY_TIMEOUT_S = 30.0
_PAGE_CACHE_KIB = 32768


class SqliteFile:
    """The connection to a file; every failure of SQLite becomes a DatabaseError."""

    def __init__(self, path: Path, mode: str) -> None:
        self.path = path
        self.read_only = mode == "ro"
        self._depth = 0
        uri = f"{path.resolve().as_uri()}?mode={mode}"
        try:
            self._connection = sqlite3.connect(
                uri, uri=True, isolation_level=None, timeout=_BUSY_TIMEOUT_S
            )
        except sqlite3.Error as error:
            raise self._failure(error) from error
        try:
            self.rows("SELECT COUNT(*) FROM sqlite_master")  # the first look at the content
            self.rows(f"PRAGMA cache_size = -{_PAGE_CACHE_KIB}")
        except DatabaseError:
            self.close()
            raise

    @classmethod
    def open(cls, path: Path, *, read_only: bool) -> SqliteFile:
        """Open an existing file; it is never created."""
        if not path.exists():
            msg = f"{path} does not exist"
            raise DatabaseError(msg)
        if not path.is_file():
            msg = f"{path} is not a file"
            raise DatabaseError(msg)
        return cls(path, "ro" if read_only else "rw")

    @classmethod
    def create(cls, path: Path) -> SqliteFile:
        """Make a new file; nothing that exists is touched."""
        try:
            path.open("xb").close()
        except FileExistsError:
            msg = f"{path} exists already"
            raise DatabaseError(msg) from None
        except OSError as error:
            msg = f"{path} cannot be created: {error.strerror}"
            raise DatabaseError(msg) from error
        return cls(path, "rw")

    def close(self) -> None:
        """Roll back what is pending and close; harmless when closed already."""
        self._connection.close()

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """All rows of a query."""
        try:
            return self._connection.execute(sql, parameters).fetchall()
        except (sqlite3.Error, OverflowError) as error:
            raise self._failure(error) from error

    def row(self, sql: str, parameters: Sequence[Any] = ()) -> Row | None:
        """The first row of a query, or None."""
        try:
            first: Row | None = self._connection.execute(sql, parameters).fetchone()
        except (sqlite3.Error, OverflowError) as error:
            raise self._failure(error) from error
        return first

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """One statement; returns the number of rows it changed."""
        try:
            return self._connection.execute(sql, parameters).rowcount
        except (sqlite3.Error, OverflowError) as error:
            raise self._failure(error) from error

    def run_many(self, sql: str, parameters: Iterable[Sequence[Any]]) -> None:
        """One statement for many rows."""
        try:
            self._connection.executemany(sql, parameters)
        except (sqlite3.Error, OverflowError) as error:
            raise self._failure(error) from error

    @contextmanager
    def transaction(self) -> Generator[None]:
        """Commit all or nothing; inside another one, undo all or nothing (a savepoint)."""
        if self.read_only:
            msg = f"{self.path} is opened read only"
            raise DatabaseError(msg)
        level = self._depth
        self.run("BEGIN IMMEDIATE" if level == 0 else f"SAVEPOINT cool_{level}")
        self._depth += 1
        try:
            yield
            self.run("COMMIT" if level == 0 else f"RELEASE cool_{level}")
        except BaseException:
            self._undo(level)
            raise
        finally:
            self._depth = level

    def _undo(self, level: int) -> None:
        try:
            if not self._connection.in_transaction:  # SQLite gave up itself, as on a full disk
                return
            if level == 0:
                self._connection.execute("ROLLBACK")
            else:
                self._connection.execute(f"ROLLBACK TO cool_{level}")
                self._connection.execute(f"RELEASE cool_{level}")
        except sqlite3.Error as error:  # the failure that brought us here is the one to report
            log.warning("%s: rollback failed: %s", self.path, error)

    def _failure(self, error: Exception) -> DatabaseError:
        if isinstance(error, OverflowError):
            return DatabaseError(f"{self.path}: an integer does not fit 64 bits")
        return DatabaseError(f"{self.path}: {error}")
