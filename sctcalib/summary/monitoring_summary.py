"""Averages by layer and ring: the summary files of four HIST parts.

``EfficiencySummaryFile.xml``, ``NoiseOccupancySummaryFile.xml``, ``RawOccupancySummaryFile.xml``
and ``BSErrorSummaryFile.xml`` (algorithms-hist.md 1.5, 2.4, 3.4, 4.3, 6.5).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sctcalib.parts.layer_means import LayerLabel, layer_labels
from sctcalib.summary.fragments import values, write_text
from sctcalib.summary.parsing import Node, any_real, natural, parse
from sctcalib.summary.run_values import RunValues, run_fields, run_opening, section

_PLACE = ("part", "layer", "eta")


@dataclass(frozen=True)
class SummaryKind:
    """One of the four files."""

    file: str
    style_sheet: str
    values: tuple[str, ...]
    """Names of the averages; each layer has one block per name."""


SUMMARY_KINDS = {
    "Efficiency": SummaryKind(
        "EfficiencySummaryFile.xml", "EfficiencyInfo.xsl", ("meanEff", "meanEff_bcid1")
    ),
    "NoiseOccupancy": SummaryKind(
        "NoiseOccupancySummaryFile.xml", "NoiseOccupancyInfo.xsl", ("meanNO",)
    ),
    "RawOccupancy": SummaryKind("RawOccupancySummaryFile.xml", "RawOccupancyInfo.xsl", ("meanRO",)),
    "BSErrors": SummaryKind("BSErrorSummaryFile.xml", "BSErrorInfo.xsl", ("nErrLink",)),
}
COUNT = "nErrLink"
"""The one value that is a count of sides, not an average."""


@dataclass(frozen=True, eq=False, kw_only=True)
class MonitoringSummary(RunValues):
    """The content of a file."""

    kind: str
    """Key of `SUMMARY_KINDS`."""
    means: tuple[tuple[str, NDArray[Any]], ...]
    """Value name, and the 48 values in the order of `parts.layer_means.layer_labels`.

    Averages are float64; nErrLink counts sides and is int64.
    """

    def __post_init__(self) -> None:
        if self.kind not in SUMMARY_KINDS:
            msg = f"kind {self.kind!r} is not one of {', '.join(SUMMARY_KINDS)}"
            raise ValueError(msg)
        expected = SUMMARY_KINDS[self.kind].values
        names = tuple(name for name, _ in self.means)
        if names != expected:
            msg = f"a summary of {self.kind} has the values {expected}, not {names}"
            raise ValueError(msg)
        for name, array in self.means:
            if array.shape != (len(layer_labels()),):
                msg = f"{name} has the shape {array.shape}, not ({len(layer_labels())},)"
                raise ValueError(msg)


def write_monitoring_summary(path: Path, summary: MonitoringSummary) -> None:
    """Write a file; raises OutputFileError (exit 11)."""
    opening = run_opening(SUMMARY_KINDS[summary.kind].style_sheet, summary)
    blocks = "".join(_blocks(summary))
    write_text(path, f"{opening}  <data>\n{blocks}  </data>\n</run>\n")


def _blocks(summary: MonitoringSummary) -> Iterator[str]:
    columns = [(name, array.tolist()) for name, array in summary.means]
    for index, label in enumerate(layer_labels()):
        for name, column in columns:
            # Averages are double-precision numbers in the original, too (1.4).
            text = str(int(column[index])) if name == COUNT else format(column[index], ".6g")
            texts: tuple[str | int, ...] = (label.part, label.layer, label.eta, text)
            fields = zip((*_PLACE, name), texts, strict=True)
            yield f"    <parts>\n{values(fields, 6)}    </parts>\n"


def read_monitoring_summary(path: Path) -> MonitoringSummary:
    """Read a file, also the original's; raises InputFileError (exit 74) naming file and line."""
    return monitoring_summary_of(Node(path, parse(path)))


def monitoring_summary_of(root: Node) -> MonitoringSummary:
    """The content below the root element of a parsed file; raises as `read_monitoring_summary`."""
    content, _ = run_fields(root)
    nodes = section(root, "data", "parts")
    kind = _kind(root, nodes)
    found: dict[str, dict[LayerLabel, float]] = {name: {} for name in SUMMARY_KINDS[kind].values}
    for node in nodes:
        _take(node, found)
    for name, column in found.items():
        missing = next((label for label in layer_labels() if label not in column), None)
        if missing:
            root.fail(
                f"there is no {name} of {missing.part}, layer {missing.layer}, eta {missing.eta}"
            )
    means = tuple(
        (name, np.array([column[label] for label in layer_labels()], _type(name)))
        for name, column in found.items()
    )
    return MonitoringSummary(**content, kind=kind, means=means)


def _type(name: str) -> type[Any]:
    return np.int64 if name == COUNT else np.float64


def _kind(root: Node, nodes: list[Node]) -> str:
    names = {value.get("name") for node in nodes[:1] for value in node.element}
    kinds = [kind for kind, its in SUMMARY_KINDS.items() if names.intersection(its.values)]
    if len(kinds) != 1:
        known = ", ".join(name for its in SUMMARY_KINDS.values() for name in its.values)
        root.fail(f"the first <parts> of <data> has none or several of the values {known}")
    return kinds[0]


def _take(node: Node, found: dict[str, dict[LayerLabel, float]]) -> None:
    node.attributes()
    node.children("value")
    fields = node.fields(_PLACE, tuple(found))
    given = [name for name in found if fields.has(name)]
    if len(given) != 1:
        node.fail(f"<parts> has {len(given)} of the values {', '.join(found)}, not one")
    label = LayerLabel(fields.text("part"), fields.convert("layer", natural), fields.text("eta"))
    if label not in layer_labels():
        node.fail(f"the SCT has no part {label.part!r}, layer {label.layer}, eta {label.eta!r}")
    name = given[0]
    if label in found[name]:
        node.fail(f"a second {name} of {label.part}, layer {label.layer}, eta {label.eta}")
    found[name][label] = fields.convert(name, natural if name == COUNT else any_real)
