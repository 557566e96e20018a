"""``uploads.log``: a line at every start of the loop, from which others see that it works
(transform.md R60, R76); and the lock against a second instance."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from sctcalib.cool.merging.beside import now
from sctcalib.uploads.requests import RequestError

LOG_NAME = "uploads.log"
LOCK_NAME = "uploads.lock"
WORKING_S = 3600
"""A log that has not grown for so long means that the loop is not started any more."""
CLOCK_S = 60
"""Clocks of file servers may be so much ahead."""


class State(StrEnum):
    """Whether the loop is started regularly."""

    WORKING = "working"
    WARNING = "warning"


def note(directory: Path, text: str) -> None:
    """Add a line to the log; raises RequestError if that fails."""
    path = directory / LOG_NAME
    try:
        with path.open("a", encoding="utf-8", errors="surrogateescape") as file:
            file.write(f"{now()} {text}\n")
    except OSError as error:
        msg = f"{path}: cannot be written: {error.strerror}"
        raise RequestError(msg) from error


def heartbeat_age(directory: Path) -> float | None:
    """Seconds since the log was written to; None without a log."""
    try:
        return time.time() - (directory / LOG_NAME).stat().st_mtime
    except OSError:
        return None


def state(age: float | None) -> State:
    """What an age means; one from the future says nothing."""
    alive = age is not None and -CLOCK_S <= age < WORKING_S
    return State.WORKING if alive else State.WARNING


@contextmanager
def single_instance(directory: Path) -> Generator[str]:
    """Hold the lock; the value is empty, or says who else holds it.

    The lock is the system's, so it goes with a process that is killed.
    """
    path = directory / LOCK_NAME
    try:
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        msg = f"{path}: cannot be opened for locking: {error.strerror}"
        raise RequestError(msg) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            yield file.read().strip() or "unknown process"
            return
        file.truncate(0)
        file.write(f"process {os.getpid()} since {now()}\n")
        file.flush()
        yield ""
