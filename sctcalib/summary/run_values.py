"""What every file of a HIST part says first: run, times, lumi blocks, events.

Reference: algorithms-hist.md 1.3, 1.5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sctcalib.summary.fragments import DECLARATION, stylesheet, values
from sctcalib.summary.parsing import Fields, Node, natural, whole
from sctcalib.summary.times import standard_time


@dataclass(frozen=True, eq=False, kw_only=True)
class RunValues:
    """The run values; all files of HIST parts extend them."""

    run: int
    start: str
    """As `sctcalib.summary.times.utc_text` prints it; empty if not known."""
    end: str
    duration: int
    """Seconds; 0 if not known."""
    lumi_blocks: int
    """Lumi blocks of the run, from the run information; 0 if not known."""
    events: int


RUN_VALUES: tuple[tuple[str, str, Callable[[str], Any]], ...] = (
    ("RunNumber", "run", natural),
    ("StartTime", "start", standard_time),
    ("EndTime", "end", standard_time),
    ("Duration", "duration", whole),
    ("LB", "lumi_blocks", natural),
    ("Events", "events", natural),
)
"""Name in the file, name of the attribute, and reading; in the order of the file."""


def run_opening(style_sheet: str, content: RunValues) -> str:
    """A file up to its last common run value."""
    fields = [(name, getattr(content, key)) for name, key, _ in RUN_VALUES]
    return f"{DECLARATION}{stylesheet(style_sheet)}<run>\n{values(fields, 2)}"


def run_fields(root: Node, *more: str) -> tuple[dict[str, Any], Fields]:
    """The run values by attribute, and the fields with ``more`` required ones.

    The older form of times becomes the newer one. Raises InputFileError (exit 74).
    """
    if root.name != "run":
        root.fail(f"the root element is <{root.name}>, not the <run> of a summary")
    root.attributes()
    fields = root.fields([*(name for name, *_ in RUN_VALUES), *more])
    return {key: fields.convert(name, reader) for name, key, reader in RUN_VALUES}, fields


def section(root: Node, tag: str, block: str) -> list[Node]:
    """The blocks of the one section that follows the run values."""
    sections = [child for child in root.children("value", tag) if child.name == tag]
    if len(sections) != 1:
        root.fail(f"<run> has {len(sections)} sections <{tag}>, not one")
    sections[0].attributes()
    return sections[0].children(block)
