"""Time strings and validity keys (cool-sqlite.md 6, 10)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

from sctcalib.cool.errors import ValidityError

VALIDITY_KEY_MAX = 2**63 - 1
"""The key that means "no end"."""
MAX_RUN = 2**31 - 1
MAX_LB = 2**32 - 1
RUN_SHIFT = 32

_NANOSECONDS = 10**9
_SECONDS = "%Y-%m-%d_%H:%M:%S"
_TIME = re.compile(r"([\d_:-]{19})\.(\d{9}) GMT")


@lru_cache(maxsize=8)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime(_SECONDS)


def format_time(nanoseconds: int) -> str:
    """``YYYY-MM-DD_HH:MM:SS.nnnnnnnnn GMT`` of nanoseconds since 1970-01-01 UTC."""
    seconds, rest = divmod(nanoseconds, _NANOSECONDS)
    return f"{_second(seconds)}.{rest:09d} GMT"


def parse_time(text: str) -> int:
    """Nanoseconds since 1970-01-01 UTC of a time string; raises ValidityError for anything else."""
    match = _TIME.fullmatch(text)
    try:
        moment = datetime.strptime(match.group(1) if match else "", _SECONDS).replace(tzinfo=UTC)
    except ValueError:
        msg = f"{text!r} is not a time of the form YYYY-MM-DD_HH:MM:SS.nnnnnnnnn GMT"
        raise ValidityError(msg) from None
    return int(moment.timestamp()) * _NANOSECONDS + int(match.group(2) if match else 0)


def run_lumi(run: int, lb: int = 0) -> int:
    """Validity key of a lumi block: ``(run << 32) + lb``.

    Raises ValidityError for a run outside 0 ... 2**31 - 1 or a block outside 0 ... 2**32 - 1.
    """
    if not 0 <= run <= MAX_RUN:
        msg = f"run {run} is outside 0-{MAX_RUN}"
        raise ValidityError(msg)
    if not 0 <= lb <= MAX_LB:
        msg = f"lumi block {lb} of run {run} is outside 0-{MAX_LB}"
        raise ValidityError(msg)
    return (run << RUN_SHIFT) + lb


def run_of(key: int) -> int:
    """Run number of a run-lumi key."""
    return key >> RUN_SHIFT


def lb_of(key: int) -> int:
    """Lumi block of a run-lumi key."""
    return key & MAX_LB


def format_key(key: int, kind: str) -> str:
    """A key for people, by the kind of the folder: ``run/LB``, a date, else the number itself.

    ``inf`` is the key without end.
    """
    if key == VALIDITY_KEY_MAX:
        return "inf"
    if kind.startswith("run-"):
        return f"{run_of(key)}/{lb_of(key)}"
    return format_time(key) if kind == "time" else str(key)
