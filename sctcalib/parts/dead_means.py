"""Mean occupancies of layers and rings, for the dead search (algorithms-hitmaps.md 4.2).

A barrel layer is one cell, and so is a ring of a disk, with both end caps together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sctcalib.detector.identifiers import IntArray, wafers
from sctcalib.detector.readout import BoolArray
from sctcalib.detector.regions import BARREL_PHI, N_DISKS, N_MODULE_STRIPS, RING_PHI

N_LAYERS, N_RINGS = len(BARREL_PHI), len(RING_PHI)
OUTERMOST_LAYER = 3
"""The barrel layer whose mean tells a busy stream."""


@dataclass(frozen=True)
class RegionMeans:
    """Hits per strip and event; 0 where there is no enabled module."""

    cells: NDArray[np.float64]
    """Shape (31,): the four barrel layers, then disk by disk the rings 0, 1, 2."""
    enabled: IntArray
    """Modules that are not bad, shape (31,)."""

    @property
    def barrel(self) -> NDArray[np.float64]:
        """By layer, shape (4,)."""
        return self.cells[:N_LAYERS]

    @property
    def end_caps(self) -> NDArray[np.float64]:
        """By disk and ring, shape (9, 3); 0 where a disk has no such ring."""
        return self.cells[N_LAYERS:].reshape(N_DISKS, N_RINGS)

    def of_wafers(self) -> NDArray[np.float64]:
        """The mean of each wafer's cell, shape (8176,)."""
        return np.asarray(self.cells[cell_of_wafer()])

    def texts(self) -> Iterator[str]:
        """A line of the log for every cell."""
        for cell, (mean, enabled) in enumerate(
            zip(self.cells.tolist(), self.enabled.tolist(), strict=True)
        ):
            disk, ring = divmod(cell - N_LAYERS, N_RINGS)
            place = f"EndCap : disk={disk}, eta={ring}"
            if cell < N_LAYERS:
                place = f"Barrel : layer={cell}"
            yield f"{place}, meanOccupancy={mean:g}, #enabledModule={enabled}"


@cache
def cell_of_wafer() -> IntArray:
    """The cell of each wafer, shape (8176,), read only."""
    w = wafers()
    cells = np.where(w.bec == 0, w.layer, N_LAYERS + N_RINGS * w.layer + w.eta)
    cells.flags.writeable = False
    return cells


def region_means(
    counts: NDArray[Any], n_events: int, noisy: np.float32, bad_modules: BoolArray
) -> RegionMeans:
    """Mean occupancies from hit counts of shape (8176, 768).

    Hits of strips with an occupancy of ``noisy`` or more do not count. Hits in bad modules (4088,)
    do, but these are taken from the number of modules that the sum is divided by.
    """
    cells = cell_of_wafer()
    n_cells = N_LAYERS + N_DISKS * N_RINGS
    with np.errstate(divide="ignore", invalid="ignore"):
        calm = counts / np.float64(n_events) < np.float64(noisy)
    hits = np.bincount(cells, np.where(calm, counts, 0).sum(axis=1, dtype=np.float64), n_cells)
    enabled = np.bincount(cells[::2], ~bad_modules, n_cells).astype(np.int64)
    strip_events = n_events * N_MODULE_STRIPS * enabled
    means = np.divide(hits, strip_events, out=np.zeros(n_cells), where=strip_events > 0)
    return RegionMeans(means, enabled)
