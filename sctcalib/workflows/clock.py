"""The time of insertions into databases: the machine's clock, or a given time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from sctcalib.job.errors import ArgumentError

VARIABLE = "SOURCE_DATE_EPOCH"
"""Environment variable with seconds since 1970: databases become the same to the byte."""


def insertion_clock() -> Callable[[], int]:
    """Nanoseconds since 1970 UTC; raises ArgumentError for a variable that is no time."""
    given = os.environ.get(VARIABLE, "")
    if not given:
        return time.time_ns
    if not (given.isascii() and given.isdigit() and len(given) <= 10):
        msg = f"{VARIABLE} is {given!r}; expected seconds since 1970-01-01 UTC"
        raise ArgumentError(msg)
    nanoseconds = int(given) * 10**9
    return lambda: nanoseconds
