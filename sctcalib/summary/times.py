"""Times as summaries print them (algorithms-hitmaps.md 2.4)."""

from __future__ import annotations

from datetime import UTC, datetime


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
