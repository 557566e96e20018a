"""``BadModulesFile.xml``: trips of the high voltage (algorithms-hitmaps.md 5, 7.5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sctcalib.detector.identifiers import module_names
from sctcalib.summary.channels import check_module, module_of_name
from sctcalib.summary.fragments import DECLARATION, write_text
from sctcalib.summary.parsing import Node, natural, parse, whole
from sctcalib.summary.streamed import streamed_block

STYLE_SHEET = "BadModules.xsl"
"""Of the page that ``sctcalib show`` makes; the file names none."""
_OPENING = DECLARATION.rstrip("\n") + " \n"
"""With the blank at the end of the original's line."""
_FIELDS = ("SN", "BecLayerPhiEta", "StartTime", "EndTime", "StartLBN", "EndLBN")


@dataclass(frozen=True)
class BadModule:
    """One interval of a module; a module may have several, and in the original each side its own.

    Times are seconds since 1970.
    """

    serial: str
    """Serial number: 14 digits, or ``0`` where it is not known."""
    module: int
    start: int
    end: int
    first_lb: int
    last_lb: int

    def __post_init__(self) -> None:
        check_module(self.module)
        if self.end < self.start or self.last_lb < self.first_lb:
            msg = (
                f"module {self.module}: the interval {self.start}-{self.end} s, "
                f"lumi blocks {self.first_lb}-{self.last_lb}, ends before it starts"
            )
            raise ValueError(msg)


def write_bad_modules(path: Path, intervals: Sequence[BadModule]) -> None:
    """Write the file: module order, then time, by convention; raises OutputFileError (exit 11)."""
    blocks = "".join([_block(interval) for interval in intervals])
    write_text(path, f"{_OPENING}\n<modules>{blocks}</modules>\n")


def _block(interval: BadModule) -> str:
    texts: tuple[str | int, ...] = (
        interval.serial,
        module_names()[interval.module],
        interval.start,
        interval.end,
        interval.first_lb,
        interval.last_lb,
    )
    return streamed_block("module", zip(_FIELDS, texts, strict=True))


def read_bad_modules(path: Path) -> tuple[BadModule, ...]:
    """Read the file; raises InputFileError (exit 74) naming file and line."""
    return bad_modules_of(Node(path, parse(path)))


def bad_modules_of(root: Node) -> tuple[BadModule, ...]:
    """The content below the root element of a parsed file; raises as `read_bad_modules`."""
    if root.name != "modules":
        root.fail(f"the root element is <{root.name}>, not the <modules> of bad modules")
    root.attributes()
    return tuple(map(_interval, root.children("module")))


def _interval(node: Node) -> BadModule:
    node.attributes()
    node.children("value")
    fields = node.fields(_FIELDS)
    serial = fields.text("SN")
    module = fields.convert("BecLayerPhiEta", module_of_name)
    start, end = (fields.convert(name, whole) for name in ("StartTime", "EndTime"))
    first, last = (fields.convert(name, natural) for name in ("StartLBN", "EndLBN"))
    try:
        return BadModule(serial, module, start, end, first, last)
    except ValueError as error:
        node.fail(str(error))
