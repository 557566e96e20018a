"""``DeadSummaryFile.xml`` and ``QuietSummaryFile.xml`` (algorithms-hitmaps.md 4.7, 7.5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sctcalib.detector.identifiers import module_names
from sctcalib.parts import strip_lists
from sctcalib.summary.channels import check_module, module_of_name
from sctcalib.summary.dead_files import checked_list
from sctcalib.summary.fragments import one_by_one, values, write_text
from sctcalib.summary.parsing import Node, natural, one_of, parse
from sctcalib.summary.run_values import RunValues, run_fields, run_opening, section
from sctcalib.summary.streamed import streamed_block

STYLE_SHEET = "DeadInfo.xsl"
FLAGS = {"G": "green", "R": "red", "U": "not tested"}
"""Upload flags and what they mean."""
N_LINKS = 2
_FIELDS = ("SN", "BecLayerPhiEta", "LinkID", "ChipID", "StripIDOnline")


@dataclass(frozen=True)
class DeadModule:
    """The dead or quiet items of a module.

    The lists have the trimmed form and are kept as texts: those of the original may repeat numbers,
    and its newest releases have the strips in the place of the chips too.
    """

    serial: str
    """Serial number: 14 digits, or ``0`` where it is not known."""
    module: int
    links: tuple[int, ...]
    """Dead sides, 0 and 1."""
    chips: str
    """Chips 0-11 in readout order."""
    strips: str
    """Strips 0-1535 in the numbering of the option DeadStripOrder."""

    def __post_init__(self) -> None:
        check_module(self.module)
        checked_list(self.chips)
        checked_list(self.strips)
        if self.links not in ((), (0,), (1,), (0, 1)):
            msg = f"module {self.module}: links {self.links} do not ascend within 0-{N_LINKS - 1}"
            raise ValueError(msg)


@dataclass(frozen=True, eq=False, kw_only=True)
class DeadSummary(RunValues):
    """Everything in the file."""

    modules: int
    """Modules with two dead links."""
    links: int
    """Modules with one dead link."""
    chips: int
    """Dead or quiet chips, six of each dead link included."""
    strips: int
    """Dead or quiet strips, without those of dead links."""
    flag: str
    """Upload flag: G green, R red, U not tested."""
    flag_reason: str
    flag_enabled: bool
    check_list: str
    dead_modules: tuple[DeadModule, ...]

    def __post_init__(self) -> None:
        if self.flag not in FLAGS:
            msg = f"flag {self.flag!r} is not one of {', '.join(FLAGS)}"
            raise ValueError(msg)


def _enabled(state: bool) -> str:
    return "ENABLED" if state else "DISABLED"


_VALUES: tuple[tuple[str, str, Callable[[Any], str | int], Callable[[str], object]], ...] = (
    ("Modules", "modules", int, natural),
    ("Links", "links", int, natural),
    ("Chips", "chips", int, natural),
    ("Strips", "strips", int, natural),
    ("Flag", "flag", str, one_of({flag: flag for flag in FLAGS})),
    ("FlagReason", "flag_reason", str, str),
    ("FlagEnable", "flag_enabled", _enabled, one_of({"ENABLED": True, "DISABLED": False})),
    ("CheckList", "check_list", str, str),
)
"""Name in the file, name of the attribute, printing and reading; in the order of the file."""


def write_dead_summary(path: Path, summary: DeadSummary) -> None:
    """Write the file. Modules appear in the given order: module order, by convention.

    Raises OutputFileError (exit 11) where it cannot be written.
    """
    own = [(name, text(getattr(summary, key))) for name, key, text, _ in _VALUES]
    pieces = [
        run_opening(STYLE_SHEET, summary),
        values(own, 2),
        "  <modules>\n",
        *map(_block, summary.dead_modules),
        "  </modules>\n</run>\n",
    ]
    write_text(path, "".join(pieces))


def _block(module: DeadModule) -> str:
    texts = (
        module.serial,
        module_names()[module.module],
        one_by_one(module.links),
        module.chips,
        module.strips,
    )
    return streamed_block("module", zip(_FIELDS, texts, strict=True))


def read_dead_summary(path: Path) -> DeadSummary:
    """Read the file, also the original's; raises InputFileError (exit 74) naming file and line."""
    return dead_summary_of(Node(path, parse(path)))


def dead_summary_of(root: Node) -> DeadSummary:
    """The content below the root element of a parsed file; raises as `read_dead_summary`."""
    content, fields = run_fields(root, *(name for name, *_ in _VALUES))
    content |= {key: fields.convert(name, reader) for name, key, _, reader in _VALUES}
    found: dict[int, DeadModule] = {}
    for node in section(root, "modules", "module"):
        module = _dead_module(node)
        if module.module in found:
            node.fail("a second <module> for the same module")
        found[module.module] = module
    return DeadSummary(**content, dead_modules=tuple(found.values()))


def _dead_module(node: Node) -> DeadModule:
    node.attributes()
    node.children("value")
    fields = node.fields(_FIELDS)
    links = fields.convert("LinkID", partial(strip_lists.decode, end=N_LINKS))
    return DeadModule(
        serial=fields.text("SN"),
        module=fields.convert("BecLayerPhiEta", module_of_name),
        links=tuple(links.tolist()),
        chips=fields.convert("ChipID", checked_list),
        strips=fields.convert("StripIDOnline", checked_list),
    )
