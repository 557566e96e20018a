"""``EfficiencyModuleSummary.xml``: the efficiency of every side (algorithms-hist.md 2.3, 7.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sctcalib.detector.identifiers import wafers
from sctcalib.summary.blocks import (
    BARREL,
    END_CAP_A,
    END_CAP_C,
    SAMPLE_SIZE,
    Blocks,
    by_wafer,
    check_serials,
    check_sides,
    wafer_order,
)
from sctcalib.summary.fragments import escaped, numbers, values, write_text
from sctcalib.summary.parsing import Node, any_real, parse, whole
from sctcalib.summary.run_values import RunValues, run_fields, run_opening, section

STYLE_SHEET = "EfficiencyInfo.xsl"
_POSITION = ("barrel_endcap", "Layer", "Eta", "Phi", "Side")
_FIELDS = ("SN", "SampleSize", "barrel_endcap", "Layer", "Eta", "Phi", "Efficiency", "Side")


@dataclass(frozen=True, eq=False, kw_only=True)
class EfficiencyModules(RunValues):
    """The content of the file."""

    serials: Sequence[str]
    """Serial numbers of the 4088 modules; ``0`` where one is not known."""
    efficiency: NDArray[np.float32]
    """Fraction 0-1 of every side in hash order, shape (8176,); -1 without entries (7.2).

    With athena compatibility, and in files before 2024, sides without entries have 0.
    """
    sample_size: int = SAMPLE_SIZE

    def __post_init__(self) -> None:
        check_serials(self.serials)
        check_sides("efficiencies", self.efficiency)


def write_efficiency_modules(path: Path, modules: EfficiencyModules) -> None:
    """Write the file; raises OutputFileError (exit 11)."""
    serials = [escaped(serial) for serial in modules.serials]
    efficiencies = numbers(modules.efficiency)
    positions = _position_texts(modules.sample_size)
    blocks = [
        f'   <module>\n    <value name="SN">{serials[wafer // 2]}</value>\n{positions[wafer]}'
        f'    <value name="Efficiency">{efficiencies[wafer]}</value>\n'
        f'    <value name="Side">{wafer % 2}</value>\n   </module>\n'
        for wafer in wafer_order((END_CAP_C, END_CAP_A, BARREL))
    ]
    opening = run_opening(STYLE_SHEET, modules)
    write_text(path, "".join([opening, "  <modules>\n", *blocks, "  </modules>\n</run>\n"]))


@cache
def _position_texts(sample_size: int) -> list[str]:
    """The lines between serial number and efficiency, of every side."""
    w = wafers()
    columns = (w.bec.tolist(), w.layer.tolist(), w.eta.tolist(), w.phi.tolist())
    return [
        values(zip(_FIELDS[1:6], (sample_size, *position), strict=True), 4)
        for position in zip(*columns, strict=True)
    ]


def read_efficiency_modules(path: Path) -> EfficiencyModules:
    """Read the file, also the original's; raises InputFileError (exit 74) naming file and line."""
    return efficiency_modules_of(Node(path, parse(path)))


def efficiency_modules_of(root: Node) -> EfficiencyModules:
    """The content below the root element of a parsed file; raises as `read_efficiency_modules`."""
    content, _ = run_fields(root)
    nodes = section(root, "modules", "module")
    if not nodes:
        root.fail("<modules> holds no <module>")
    for node in nodes:
        node.attributes()
    blocks = Blocks(nodes, _FIELDS)
    found = blocks.sides(zip(*(blocks.column(name, whole) for name in _POSITION), strict=True))
    return EfficiencyModules(
        **content,
        serials=blocks.serials(found),
        efficiency=by_wafer(found, blocks.column("Efficiency", any_real), np.float32),
        sample_size=blocks.sample_size(),
    )
