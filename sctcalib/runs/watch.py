"""Import the files that appear in a directory, each version of each file once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sctcalib.job.errors import InputFileError, JobError
from sctcalib.runs.database import SqliteRuns
from sctcalib.runs.files import SUFFIXES, read_runs

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Looked:
    """What became of a file."""

    path: Path
    new: int = 0
    known: int = 0
    problem: str = ""
    """Why nothing was taken over."""


def look(
    folder: Path, database: SqliteRuns, on_file: Callable[[Looked], None] = lambda looked: None
) -> list[Looked]:
    """Import the JSON and CSV files that are new or have changed since the last look.

    A file with mistakes is looked at again when it has changed: it may have been half written.
    Raises InputFileError if the folder cannot be read.
    """
    done = []
    for path in _files(folder):
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        seen = status.st_size, status.st_mtime_ns
        key = str(path.resolve())
        if database.watched(key) == seen:
            continue
        looked = _import(path, database)
        database.note_watched(key, *seen, looked.problem)
        done.append(looked)
        on_file(looked)
    return done


def _files(folder: Path) -> Iterator[Path]:
    try:
        names = sorted(folder.iterdir())
    except OSError as error:
        msg = f"{folder}: cannot be read: {error.strerror}"
        raise InputFileError(msg) from None
    for path in names:
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file():
            yield path


def _import(path: Path, database: SqliteRuns) -> Looked:
    try:
        return Looked(path, *database.merge(read_runs(path)))
    except InputFileError as error:
        return Looked(path, problem=str(error))
    except JobError as error:  # several mistakes
        if error.code != InputFileError.code:
            raise
        return Looked(path, problem=str(error))
