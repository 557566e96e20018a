"""Times as summaries print them (algorithms-hitmaps.md 2.4, algorithms-hist.md 1.3)."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_NEW_FORM = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)"
    r"_(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)\.(?P<nanosecond>\d{9}) GMT",
    re.ASCII,
)
_OLD_FORM = re.compile(
    r"(?P<day>\d\d?)/(?P<month>\d\d?)/(?P<year>\d{4})"
    r" (?P<hour>\d\d?):(?P<minute>\d\d?):(?P<second>\d\d?)\.(?P<nanosecond>\d{1,9})",
    re.ASCII,
)


def utc_text(seconds: int | None) -> str:
    """``YYYY-MM-DD_hh:mm:ss.nnnnnnnnn GMT`` of whole seconds since 1970; empty for None.

    Raises ValueError for a time outside the years 1-9999.
    """
    if seconds is None:
        return ""
    try:
        time = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError) as error:
        msg = f"{seconds} s since 1970 is not a time of the years 1-9999"
        raise ValueError(msg) from error
    return f"{time.isoformat(sep='_', timespec='seconds')[:19]}.000000000 GMT"


def standard_time(text: str) -> str:
    """The form of `utc_text` for a text in that form, in the older one, or empty.

    The older form, ``13/6/2016 10:5:45.0``, pads nothing; its last number counts nanoseconds.
    Raises ValueError for any other text.
    """
    if not text:
        return ""
    found = _NEW_FORM.fullmatch(text) or _OLD_FORM.fullmatch(text)
    if found is None:
        msg = f"{text!r} is not a time such as '2016-06-13_10:05:45.000000000 GMT'"
        raise ValueError(msg)
    part = {name: int(digits) for name, digits in found.groupdict().items()}
    nanosecond = part.pop("nanosecond")
    try:
        time = datetime(**part, tzinfo=UTC)
    except ValueError as error:
        msg = f"{text!r} is not a time: {error}"
        raise ValueError(msg) from error
    return f"{time.isoformat(sep='_', timespec='seconds')[:19]}.{nanosecond:09d} GMT"
