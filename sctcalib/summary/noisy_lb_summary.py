"""``NoisyLBSummaryFile.xml``: noisy lumi blocks of the detector and of chips.

Reference: algorithms-hitmaps.md 3.8. Numbers of lumi blocks are the real ones here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from sctcalib.detector.identifiers import IntArray, module_names
from sctcalib.detector.regions import N_CHIPS, N_CHIPS_PER_MODULE
from sctcalib.parts import strip_lists
from sctcalib.summary.channels import check_module, module_of_name
from sctcalib.summary.fragments import number, values, write_text
from sctcalib.summary.noisy_summary import LUMI_BLOCK_END
from sctcalib.summary.parsing import Node, natural, one_of, parse, real
from sctcalib.summary.run_values import RunValues, run_fields, run_opening

STYLE_SHEET = "NoisyLBInfo.xsl"
FLAGS = {
    "G": "no noisy lumi block or chip",
    "Y": "noisy chips only",
    "R": "noisy lumi blocks",
    "U": "no lumi block judged",
}
_VALUES = ("LBJudged", "Chips", "NoisyLB", "LBFraction", "Flag")
_BLOCK_FIELDS = ("LB", "Events", "Occupancy", "Chips", "ChipFraction", "Noisy")
_CHIP_FIELDS = ("SN", "BecLayerPhiEta", "ChipID", "LB", "LBFraction")
_SECTIONS = (("lumiblocks", "lumiblock"), ("chips", "chip"))


@dataclass(frozen=True)
class LumiBlock:
    """A lumi block in which chips are noisy."""

    number: int
    events: int
    occupancy: float
    """Hits per strip and event of the whole detector; printed in single precision."""
    chips: int
    """Noisy chips."""
    chip_fraction: float
    """Noisy chips over all chips."""
    noisy: bool
    """Whether the lumi block is noisy."""


@dataclass(frozen=True, eq=False)
class NoisyChip:
    """A chip and the lumi blocks in which it is noisy."""

    serial: str
    """Serial number of the module: 14 digits, or ``0`` where it is not known."""
    module: int
    """Number 0-4087 in hash order."""
    chip: int
    """0-11, readout order; 6-11 on side 1."""
    lumi_blocks: IntArray
    """Ascending."""
    lb_fraction: float
    """Noisy lumi blocks over judged ones; printed in single precision."""

    def __post_init__(self) -> None:
        check_module(self.module)
        if not 0 <= self.chip < N_CHIPS_PER_MODULE:
            msg = f"module {self.module}: chip {self.chip} is outside 0-{N_CHIPS_PER_MODULE - 1}"
            raise ValueError(msg)


@dataclass(frozen=True, eq=False, kw_only=True)
class NoisyLbSummary(RunValues):
    """Everything in the file; the lumi blocks of the run values are those with events."""

    judged: int
    """Lumi blocks with enough events."""
    chips: int
    """Chips with a noisy lumi block."""
    noisy: IntArray
    """Numbers of the noisy lumi blocks, ascending."""
    noisy_fraction: float
    """Noisy lumi blocks over judged ones; 0 if there is none."""
    flag: str
    lumi_block_rows: tuple[LumiBlock, ...]
    chip_rows: tuple[NoisyChip, ...]

    def __post_init__(self) -> None:
        if self.flag not in FLAGS:
            msg = f"flag {self.flag!r} is not one of {', '.join(FLAGS)}"
            raise ValueError(msg)


def write_noisy_lb_summary(path: Path, summary: NoisyLbSummary) -> None:
    """Write the file. Lumi blocks and chips appear in the given order: ascending, by convention.

    Raises OutputFileError (exit 11) where it cannot be written, ValueError for numbers of lumi
    blocks that do not ascend or are out of range.
    """
    lists = [summary.noisy, *(chip.lumi_blocks for chip in summary.chip_rows)]
    for each in lists:
        if len(each) and each[-1] >= LUMI_BLOCK_END:
            msg = f"lumi block {each[-1]} is outside 0-{LUMI_BLOCK_END - 1}"
            raise ValueError(msg)
    noisy, *texts = strip_lists.encode_normalised(lists)
    own: tuple[str | int, ...] = (
        summary.judged,
        summary.chips,
        noisy,
        number(summary.noisy_fraction),
        summary.flag,
    )
    pieces = [
        run_opening(STYLE_SHEET, summary),
        values(zip(_VALUES, own, strict=True), 2),
        "  <lumiblocks>\n",
        *map(_lumi_block_text, summary.lumi_block_rows),
        "  </lumiblocks>\n  <chips>\n",
        *_chip_texts(summary.chip_rows, texts),
        "  </chips>\n</run>\n",
    ]
    write_text(path, "".join(pieces))


def _lumi_block_text(block: LumiBlock) -> str:
    texts: tuple[str | int, ...] = (
        block.number,
        block.events,
        number(block.occupancy),
        block.chips,
        number(block.chip_fraction),
        int(block.noisy),
    )
    fields = values(zip(_BLOCK_FIELDS, texts, strict=True), 6)
    return f"    <lumiblock>\n{fields}    </lumiblock>\n"


def _chip_texts(chips: Sequence[NoisyChip], lists: Sequence[str]) -> Iterator[str]:
    for chip, lumi_blocks in zip(chips, lists, strict=True):
        name, fraction = module_names()[chip.module], number(chip.lb_fraction)
        texts: tuple[str | int, ...] = (chip.serial, name, chip.chip, lumi_blocks, fraction)
        fields = values(zip(_CHIP_FIELDS, texts, strict=True), 6)
        yield f"    <chip>\n{fields}    </chip>\n"


def read_noisy_lb_summary(path: Path) -> NoisyLbSummary:
    """Read the file; raises InputFileError (exit 74) naming file and line."""
    return noisy_lb_summary_of(Node(path, parse(path)))


def noisy_lb_summary_of(root: Node) -> NoisyLbSummary:
    """The content below the root element of a parsed file; raises as `read_noisy_lb_summary`."""
    content, fields = run_fields(root, *_VALUES)
    blocks, chips = _sections(root)
    return NoisyLbSummary(
        **content,
        judged=fields.convert("LBJudged", natural),
        chips=fields.convert("Chips", natural),
        noisy=fields.convert("NoisyLB", _lumi_blocks),
        noisy_fraction=fields.convert("LBFraction", real),
        flag=fields.convert("Flag", one_of({flag: flag for flag in FLAGS})),
        lumi_block_rows=_distinct(blocks, [_lumi_block(node) for node in blocks], "number"),
        chip_rows=_distinct(chips, [_chip(node) for node in chips], "module", "chip"),
    )


_lumi_blocks = partial(strip_lists.decode, end=LUMI_BLOCK_END)


def _sections(root: Node) -> list[list[Node]]:
    """The blocks of the two sections, each of which is there once."""
    children = root.children("value", *(tag for tag, _ in _SECTIONS))
    found = []
    for tag, block in _SECTIONS:
        sections = [child for child in children if child.name == tag]
        if len(sections) != 1:
            root.fail(f"<run> has {len(sections)} sections <{tag}>, not one")
        sections[0].attributes()
        found.append(sections[0].children(block))
    return found


def _distinct(nodes: Sequence[Node], rows: Sequence[Any], *keys: str) -> tuple[Any, ...]:
    """The rows, which differ in their keys."""
    seen: set[tuple[int, ...]] = set()
    for node, row in zip(nodes, rows, strict=True):
        key = tuple(getattr(row, name) for name in keys)
        if key in seen:
            node.fail(f"a second <{node.name}> for the same {' and '.join(keys)}")
        seen.add(key)
    return tuple(rows)


def _lumi_block(node: Node) -> LumiBlock:
    node.attributes()
    node.children("value")
    fields = node.fields(_BLOCK_FIELDS)
    return LumiBlock(
        number=fields.convert("LB", natural),
        events=fields.convert("Events", natural),
        occupancy=fields.convert("Occupancy", real),
        chips=fields.convert("Chips", _chip_count),
        chip_fraction=fields.convert("ChipFraction", real),
        noisy=fields.convert("Noisy", one_of({"0": False, "1": True})),
    )


def _chip_count(text: str) -> int:
    count = natural(text)
    if count > N_CHIPS:
        msg = f"{text!r} is more than the {N_CHIPS} chips of the detector"
        raise ValueError(msg)
    return count


def _chip(node: Node) -> NoisyChip:
    node.attributes()
    node.children("value")
    fields = node.fields(_CHIP_FIELDS)
    chip = fields.convert("ChipID", natural)
    if chip >= N_CHIPS_PER_MODULE:
        fields.fail("ChipID", f"{chip} is not a chip 0-{N_CHIPS_PER_MODULE - 1}")
    return NoisyChip(
        serial=fields.text("SN"),
        module=fields.convert("BecLayerPhiEta", module_of_name),
        chip=chip,
        lumi_blocks=np.asarray(fields.convert("LB", _lumi_blocks)),
        lb_fraction=fields.convert("LBFraction", real),
    )
