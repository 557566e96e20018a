"""Rows of intervals: when chips were noisy, when modules had no high voltage."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from sctcalib.detector.identifiers import IntArray, modules
from sctcalib.plots.content import FloatArray
from sctcalib.plots.style import SERIES_COLOURS, polygons

MAX_NAMES = 45
"""Rows that are named; of more rows only some are."""
_REGION = {-2: "C", 0: "B", 2: "A"}
_HALF_ROW = 0.42


def place_name(module: int) -> str:
    """Where a module is: region and layer, phi, eta."""
    m = modules()[module]
    eta = str(int(m.eta)).replace("-", "\N{MINUS SIGN}")
    return rf"{_REGION[int(m.bec)]}{int(m.layer)}  $\phi$ {int(m.phi)}  $\eta$ {eta}"


def runs_of(numbers: IntArray) -> FloatArray:
    """Edges of the runs of consecutive numbers, each number being a bin of width 1: (n, 2)."""
    if not len(numbers):
        return np.empty((0, 2))
    breaks = np.flatnonzero(np.diff(numbers) > 1)
    first = numbers[np.concatenate([[0], breaks + 1])]
    last = numbers[np.concatenate([breaks, [len(numbers) - 1]])]
    return np.stack([first - 0.5, last + 0.5], axis=1)


def draw_rows(axes: Axes, names: Sequence[str], intervals: Sequence[FloatArray]) -> None:
    """A row of boxes for each name, the first one above; intervals have the shape (n, 2)."""
    boxes = _boxes(intervals)
    axes.add_collection(polygons(boxes, facecolors=SERIES_COLOURS[0], edgecolors="face", lw=0.2))
    axes.set_ylim(len(names) - 0.4, -0.6)
    step = -(-len(names) // MAX_NAMES)
    rows = range(0, len(names), step)
    size = float(np.clip(260 / len(rows), 6.5, 8.5))
    axes.set_yticks(rows, [names[row] for row in rows], size=size)
    axes.tick_params(axis="y", which="minor", left=False, right=False)
    axes.tick_params(axis="y", which="major", right=False)
    if step == 1:
        for border in range(1, len(names)):
            axes.axhline(border - 0.5, color="#e5e5e5", lw=0.5, zorder=0)
        return
    axes.annotate(
        f"1 row in {step} is named", (-0.01, -0.055), xycoords="axes fraction", ha="right", size=7,
        color="#666666",
    )  # fmt: skip


def _boxes(intervals: Sequence[FloatArray]) -> NDArray[np.float64]:
    """Corners of the boxes of all rows, shape (n, 4, 2)."""
    rows = np.repeat(np.arange(len(intervals)), [len(each) for each in intervals])
    edges = np.concatenate([np.empty((0, 2)), *intervals])
    x = edges[:, [0, 0, 1, 1]]
    y = rows[:, None] + np.array([-_HALF_ROW, _HALF_ROW, _HALF_ROW, -_HALF_ROW])
    return np.stack([x, y], axis=2)
