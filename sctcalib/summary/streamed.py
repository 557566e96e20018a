"""Blocks as the original's element streamer writes them (algorithms-hitmaps.md 7.5).

A line end before each opening tag and after each closing one, so that values are apart by an empty
line, and nothing is indented.
"""

from __future__ import annotations

from collections.abc import Iterable

from sctcalib.summary.fragments import value


def streamed_block(tag: str, fields: Iterable[tuple[str, str | int]]) -> str:
    """One block with its values, which are escaped."""
    texts = "".join(["\n" + value(name, text, 0) for name, text in fields])
    return f"\n<{tag}>{texts}</{tag}>\n"
