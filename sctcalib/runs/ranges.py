"""Ranges of numbers and times, as queries write them (run-query-and-upload.md A3, A4)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

OPEN_END = 2**63 - 1
"""The end of ``10000+``."""
NANOSECOND = 10**9
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
"""Seconds."""
_FACTORS = {"": "", "k": "000", "m": "000000"}
_NUMBER = re.compile(r"([0-9]{1,15})([km]?)", re.IGNORECASE)
_DATE = re.compile(
    r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})?(?:[_ ]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?)?"
)
Range = tuple[int, int]


class QueryError(ValueError):
    """A query that cannot be understood; the message is for the person who wrote it."""


def parse_number(text: str) -> int:
    """``10000``, ``10k``, ``2m``."""
    found = _NUMBER.fullmatch(text.strip())
    if not found:
        msg = f"{text.strip()!r} is no number such as 10000 or 10k"
        raise QueryError(msg)
    return int(found[1] + _FACTORS[found[2].lower()])


def parse_ranges(text: str) -> tuple[Range, ...]:
    """``N``, ``A-B``, ``N+`` (from N on), ``N-`` (up to N), ``-`` (all), joined by commas.

    Ascending; what overlaps or is adjacent is joined.
    """
    return joined(_parse_range(item.strip()) for item in text.split(","))


def joined(ranges: Iterable[Range]) -> tuple[Range, ...]:
    """Ranges in ascending order, those that overlap or are adjacent made one."""
    result: list[Range] = []
    for first, last in sorted(ranges):
        if result and first <= result[-1][1] + 1:
            result[-1] = (result[-1][0], max(last, result[-1][1]))
        else:
            result.append((first, last))
    return tuple(result)


def contains(ranges: Iterable[Range], number: float) -> bool:
    """Whether a number is in one of the ranges."""
    return any(first <= number <= last for first, last in ranges)


def _parse_range(item: str) -> Range:
    if item == "-":
        return 0, OPEN_END
    if item.endswith("+"):
        return parse_number(item[:-1]), OPEN_END
    if item.endswith("-"):
        return 0, parse_number(item[:-1])
    first, dash, last = item.partition("-")
    low = parse_number(first)
    high = parse_number(last) if dash else low
    if high < low:
        msg = f"the range {item} ends before it begins"
        raise QueryError(msg)
    return low, high


def parse_duration(text: str) -> int:
    """Seconds of ``3d``, ``1d 12h``: numbers with the units s, m, h, d, w, y."""
    words = re.findall(r"[0-9]+\s*[smhdwy]", text)
    if not words or re.sub(r"\s", "", "".join(words)) != re.sub(r"\s", "", text):
        msg = f"{text.strip()!r} is no duration such as 3d or '1d 12h' (units s m h d w y)"
        raise QueryError(msg)
    return sum(int(word[:-1]) * UNITS[word[-1]] for word in words)


def parse_times(text: str, now: int) -> tuple[Range, ...]:
    """Times in nanoseconds since 1970 UTC, both ends included.

    ``a-b``, ``a+``, ``a-`` or ``a`` (that day), joined by commas, with dates ``d.m.Y`` or ``d.m.``
    (this year), and a time of day as ``_HH:MM:SS`` or `` HH:MM:SS``. A first day begins at
    00:00:00, a last one ends with 23:59:59. ``now`` is in nanoseconds.
    """
    year = datetime.fromtimestamp(now // NANOSECOND, UTC).year
    return joined(_parse_time_range(item.strip(), year) for item in text.split(","))


def _parse_time_range(item: str, year: int) -> Range:
    if item.endswith("+"):
        return _time(item[:-1], year, is_end=False), OPEN_END
    if item.endswith("-"):
        return 0, _time(item[:-1], year, is_end=True)
    first, dash, last = item.partition("-")
    since = _time(first, year, is_end=False)
    until = _time(last if dash else first, year, is_end=True)
    if until < since:
        msg = f"the time range {item} ends before it begins"
        raise QueryError(msg)
    return since, until


def _time(text: str, year: int, *, is_end: bool) -> int:
    found = _DATE.fullmatch(text.strip())
    if not found:
        msg = f"{text.strip()!r} is no date such as 1.6.2015, 1.6. or 1.6.2015_12:30:00 (UTC)"
        raise QueryError(msg)
    day, month, given_year, hour, minute, second = found.groups()
    try:
        moment = datetime(
            int(given_year or year), int(month), int(day), int(hour or 0), int(minute or 0),
            int(second or 0), tzinfo=UTC,
        )  # fmt: skip
    except ValueError as error:
        msg = f"{text.strip()!r} is no date: {error}"
        raise QueryError(msg) from None
    if is_end and hour is None:
        moment += timedelta(hours=23, minutes=59, seconds=59)
    seconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    return seconds * NANOSECOND + (NANOSECOND - 1 if is_end else 0)
