"""The lastRun file: up to which run the queue has been served (transform.md 7.2).

It holds one run number. Programs only raise it; people set it to release a waiting job.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sctcalib.job.errors import InputFileError, OutputFileError

MAX_RUN = 2**31 - 1
_SIZE_LIMIT = 4096


def read_last_run(path: Path) -> int | None:
    """The number in the file; None if there is no file.

    Raises InputFileError (exit 74) for a file that holds anything else.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_SIZE_LIMIT).decode("ascii", "replace").strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        msg = f"lastRun file {path}: cannot be read: {error.strerror}"
        raise InputFileError(msg) from None
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= MAX_RUN):
        msg = (
            f"lastRun file {path} holds {text[:40]!r}, expected a run number; "
            f"'sctcalib lastrun {path} --set RUN' sets it"
        )
        raise InputFileError(msg)
    return int(text)


def last_run(path: Path | None, uploaded: Callable[[], Iterable[int]] = tuple) -> int:
    """The last run that needs no more waiting for.

    That is the number in the file; if there is no file, the highest of the uploaded runs, which are
    asked for only then; else 0.
    """
    pointer = read_last_run(path) if path else None
    return max(uploaded(), default=0) if pointer is None else pointer


def set_last_run(path: Path, run: int) -> None:
    """Set the number to any value. Raises OutputFileError (exit 11)."""
    with _locked(path):
        _write(path, run)


def raise_last_run(path: Path, run: int) -> bool:
    """Raise the number to ``run``, never lower it; returns whether it has changed.

    Several programs may do so at once. Raises OutputFileError (exit 11) where the file cannot be
    written, InputFileError (74) if it holds no number.
    """
    with _locked(path):
        before = read_last_run(path)
        if before is not None and before >= run:
            return False
        _write(path, run)
        return True


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One writer at a time; the lock is a hidden file that stays, an unlinked one would not do."""
    lock = path.with_name(f".{path.name}.lock")
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        msg = f"lastRun file {path}: cannot be written: {error.strerror}"
        raise OutputFileError(msg) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write(path: Path, run: int) -> None:
    """Whole or not at all; a link stays a link, and the file keeps its mode."""
    target = path.resolve()
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        temporary.write_text(f"{run}\n", encoding="ascii")
        with suppress(OSError):
            temporary.chmod(target.stat().st_mode & 0o777)
        temporary.replace(target)
    except OSError as error:
        msg = f"lastRun file {path}: cannot be written: {error.strerror}"
        raise OutputFileError(msg) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
