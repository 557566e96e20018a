"""From clusters to the contents of map files (reference/algorithms-hitmaps.md 2.1, 2.2, E2).

A cluster is a group of adjacent strips of one wafer that fired in one event; the raw data hold
it as its first offline strip and its size. The filling rules have two peculiarities. A cluster may
run past strip 767: the surplus goes to the overflow bin. And in the lumi-block histograms of chips
a cluster counts, with all its strips, for the chip of its first offline strip.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sctcalib.detector.identifiers import IntArray
from sctcalib.detector.readout import BoolArray, readout_strip
from sctcalib.detector.regions import (
    N_CHIPS_PER_SIDE,
    N_STRIPS,
    N_STRIPS_PER_CHIP,
    N_WAFERS,
)
from sctcalib.histograms.lumiblocks import LumiBlockHits

CountArray = NDArray[np.uint32]

_PENDING_LIMIT = 2_000_000
"""Cells that wait for summation: 16 MB."""


@dataclass(frozen=True)
class Clusters:
    """Clusters of some events, as parallel integer arrays."""

    event: IntArray
    """Number of the event, counted from 0 within the events filled together."""
    wafer: IntArray
    first: IntArray
    """First strip, offline, 0-767."""
    size: IntArray
    """Number of strips (> 0)."""

    def hits(self) -> tuple[IntArray, IntArray]:
        """Cluster number and strip of every hit; strips past 767 keep their number."""
        cluster = np.repeat(np.arange(len(self.size)), self.size)
        ends = np.cumsum(self.size)
        within = np.arange(len(cluster)) - np.repeat(ends - self.size, self.size)
        return cluster, self.first[cluster] + within


class SparseCounts:
    """Counts in a large array of which few cells are ever filled; cells are numbered flat."""

    def __init__(self) -> None:
        self._cells = np.empty(0, dtype=np.int64)
        self._counts = np.empty(0, dtype=np.uint32)
        self._pending: list[IntArray] = []
        self._n_pending = 0

    def add(self, cells: IntArray) -> None:
        """Count each of the cells once."""
        self._pending.append(cells)
        self._n_pending += len(cells)
        if self._n_pending > _PENDING_LIMIT:
            self._sum_up()

    def cells(self) -> tuple[IntArray, CountArray]:
        """The cells that were counted, ascending, and their counts."""
        self._sum_up()
        return self._cells, self._counts

    def _sum_up(self) -> None:
        if not self._pending:
            return
        cells = np.sort(np.concatenate(self._pending))
        self._pending, self._n_pending = [], 0
        starts = np.flatnonzero(np.diff(cells, prepend=-1))
        counts = np.diff(starts, append=len(cells)).astype(np.uint32)
        self._cells, self._counts = _merged(self._cells, self._counts, cells[starts], counts)


def _merged(
    cells: IntArray, counts: CountArray, more_cells: IntArray, more_counts: CountArray
) -> tuple[IntArray, CountArray]:
    """Two ascending lists of cells as one; counts of common cells are added."""
    if not len(cells):
        return more_cells, more_counts
    all_cells = np.concatenate([cells, more_cells])
    order = np.argsort(all_cells, kind="stable")
    ordered = all_cells[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=-1))
    summed = np.add.reduceat(np.concatenate([counts, more_counts])[order], starts)
    return ordered[starts], summed.astype(np.uint32)


class HitMap:
    """Hits of every strip: what a hit-map file holds."""

    def __init__(self) -> None:
        self.n_events = 0
        self.contents = np.zeros((N_WAFERS, N_STRIPS), dtype=np.uint32)
        """Axes wafer, offline strip."""
        self.overflow = np.zeros(N_WAFERS, dtype=np.uint32)
        """Hits past strip 767, by wafer."""

    @property
    def entries(self) -> IntArray:
        """Number of fills of every wafer histogram, overflow included, shape (8176,)."""
        within: IntArray = self.contents.sum(axis=1, dtype=np.int64)
        return within + self.overflow

    def fill(self, clusters: Clusters, n_events: int) -> None:
        """Add the clusters of ``n_events`` events, also of those without any cluster."""
        self.n_events += n_events
        cluster, strip = clusters.hits()
        wafer = clusters.wafer[cluster]
        inside = strip < N_STRIPS
        cells = wafer[inside] * N_STRIPS + strip[inside]
        np.add.at(self.contents.reshape(-1), cells, np.uint32(1))
        np.add.at(self.overflow, wafer[~inside], np.uint32(1))


class LumiBlockMap:
    """Hits by lumi block: what a lumi-block file holds, as the cells that were hit.

    Lumi block 0 and those above the range are kept: they belong into under- and overflow.
    """

    def __init__(self, n_lumi_blocks: int, lbs_per_window: int, swap: BoolArray) -> None:
        self.events = np.zeros(n_lumi_blocks + 2, dtype=np.int64)
        """Events by lumi block; the last element is the overflow."""
        self.lbs_per_window = lbs_per_window
        self._swap = swap
        # the axis of the 2D maps ends with a full window, at most this far beyond the last block
        self._n_blocks = n_lumi_blocks + lbs_per_window + 1
        self._hits = SparseCounts()

    @property
    def n_lumi_blocks(self) -> int:
        """Lumi blocks of the run."""
        return len(self.events) - 2

    def fill(self, clusters: Clusters, lumi_block: IntArray) -> None:
        """Add the clusters of events; ``lumi_block`` has one number for every event (>= 0)."""
        overflow = len(self.events) - 1
        self.events += np.bincount(np.minimum(lumi_block, overflow), minlength=overflow + 1)
        cluster, strip = clusters.hits()
        wafer = clusters.wafer[cluster]
        readout = readout_strip(clusters.first, self._swap[clusters.wafer])
        chip = (readout // N_STRIPS_PER_CHIP)[cluster]
        block = np.minimum(lumi_block, self._n_blocks - 1)[clusters.event[cluster]]
        cell = (wafer * N_CHIPS_PER_SIDE + chip) * (N_STRIPS + 1) + np.minimum(strip, N_STRIPS)
        self._hits.add(cell * self._n_blocks + block)

    def hits(self) -> LumiBlockHits:
        """What was hit how often, ascending by wafer; strip 768 stands for all beyond 767."""
        cells, count = self._hits.cells()
        cells, block = np.divmod(cells, self._n_blocks)
        cells, strip = np.divmod(cells, N_STRIPS + 1)
        wafer, chip = np.divmod(cells, N_CHIPS_PER_SIDE)
        return LumiBlockHits(wafer, strip, block, chip, count.astype(np.int64))
