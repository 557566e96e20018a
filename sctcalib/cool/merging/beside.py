"""What lies beside a destination: the lock, the copies of uploaded files, the log of merges."""

from __future__ import annotations

import fcntl
import getpass
import hashlib
import json
import logging
import os
import socket
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from sctcalib.cool.merging.problems import Code, failure

log = logging.getLogger(__name__)
WAIT_S = 600.0
"""How long a merge waits for another one."""
_POLL_S = 0.05
_CHUNK = 1 << 20


def lock_file(database: Path) -> Path:
    """The file that a merge keeps locked; it stays there, empty or with the last holder."""
    return database.with_name(database.name + ".lock")


def backup_folder(database: Path) -> Path:
    """Where copies of merged files are, each named by its SHA-256."""
    return database.with_name(database.name + ".backup")


def log_file(database: Path) -> Path:
    """One JSON line per merge."""
    return database.with_name(database.name + ".log.jsonl")


@contextmanager
def locked(database: Path, wait_s: float = WAIT_S) -> Generator[None]:
    """Hold the lock of a destination; raises MergeError (41) if another holds it too long.

    The lock is the system's, so it goes with a process that is killed.
    """
    path = lock_file(database)
    try:
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        text = f"{path} cannot be opened for locking: {error.strerror}"
        raise failure(Code.CANNOT_OPEN, text) from error
    with file:
        _acquire(file, path, wait_s)
        with suppress(OSError):  # only a help for those who wait
            file.truncate(0)
            file.write(f"{who()}, process {os.getpid()} on {socket.gethostname()}, since {now()}\n")
            file.flush()
        yield


def _acquire(file: IO[str], path: Path, wait_s: float) -> None:
    end = time.monotonic() + wait_s
    told = False
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(path)
        except OSError as error:
            text = f"{path} cannot be locked: {error.strerror}"
            raise failure(Code.CANNOT_OPEN, text) from error
        else:
            return
        if time.monotonic() >= end:
            text = f"{path} is held by another merge ({holder}); waited {wait_s:g} s"
            raise failure(Code.BUSY, text)
        if not told:
            log.warning("waiting for another merge: %s", holder)
            told = True
        time.sleep(_POLL_S)


def _holder(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip() or "unknown"
    except (OSError, ValueError):
        return "unknown"


def who() -> str:
    """The name of the user."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name
        return str(os.getuid())


def now() -> str:
    """UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def sha256_of(path: Path) -> str:
    """The checksum of a file; raises MergeError (10) if it cannot be read."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise failure(Code.CANNOT_OPEN, f"{path}: {error.strerror}") from error
    return digest.hexdigest()


def check_unchanged(source: Path, sha256: str) -> None:
    """Raise MergeError (10) if a file is no longer what it was."""
    if sha256_of(source) != sha256:
        raise failure(Code.CANNOT_OPEN, f"{source} was changed while it was being merged")


def back_up(source: Path, sha256: str, database: Path) -> Path:
    """Keep a copy of a file that is merged; the name says whether it is there already.

    Raises MergeError: 10 if the file is no longer what it was, 31 if it cannot be copied.
    """
    folder = backup_folder(database)
    target = folder / f"{sha256}.db"
    if target.exists():
        return target
    temporary = folder / f".{sha256}.{os.getpid()}"
    digest = hashlib.sha256()
    try:
        folder.mkdir(exist_ok=True)
        with source.open("rb") as given, temporary.open("wb") as copy:
            while chunk := given.read(_CHUNK):
                digest.update(chunk)
                copy.write(chunk)
            copy.flush()
            os.fsync(copy.fileno())
        if digest.hexdigest() == sha256:
            temporary.replace(target)
            return target
    except OSError as error:
        text = f"{source} cannot be copied to {target}: {error.strerror}"
        raise failure(Code.WRITING, text) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    raise failure(Code.CANNOT_OPEN, f"{source} was changed while it was being merged")


def append_log(database: Path, record: dict[str, Any]) -> None:
    """Add a line to the log of merges; a failure is only a warning, for the merge is done."""
    path = log_file(database)
    line = json.dumps(record, ensure_ascii=False)
    try:
        with path.open("a+b") as file:
            file.seek(0, os.SEEK_END)
            if file.tell():  # a line that a crash has cut stays alone
                file.seek(-1, os.SEEK_END)
                line = line if file.read(1) == b"\n" else f"\n{line}"
            file.write(f"{line}\n".encode())
    except OSError as error:
        log.warning("%s: the merge is done, but not noted: %s", path, error.strerror)


def read_log(database: Path) -> list[dict[str, Any]]:
    """The merges of a database, oldest first; a line that a crash has cut is left out."""
    path = log_file(database)
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise failure(Code.CANNOT_OPEN, f"{path}: {error.strerror}") from error
    records = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            record = json.loads(line)
        except ValueError:
            record = None
        if isinstance(record, dict):
            records.append(record)
        elif line.strip():
            log.warning("%s: line %d is not understood, it is left out", path, number)
    return records
