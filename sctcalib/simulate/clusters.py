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

    def dense(self, begin: int, end: int) -> CountArray:
        """The counts of the cells from ``begin`` to before ``end``."""
        self._sum_up()
        low, high = np.searchsorted(self._cells, (begin, end))
        counts = np.zeros(end - begin, dtype=np.uint32)
        counts[self._cells[low:high] - begin] = self._counts[low:high]
        return counts

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
    """Hits by lumi block: what a lumi-block file holds.

    All lumi-block axes have an underflow bin 0 (lumi block 0) and an overflow bin at the end, as
    ROOT has; so bin *i* of a chip histogram is lumi block *i*.
    """

    def __init__(self, n_lumi_blocks: int, lbs_per_window: int, swap: BoolArray) -> None:
        self.n_lumi_blocks = n_lumi_blocks
        self.lbs_per_window = lbs_per_window
        self.n_windows = -(-n_lumi_blocks // lbs_per_window)
        self.events = np.zeros(n_lumi_blocks + 2, dtype=np.uint32)
        self.chips = np.zeros((N_WAFERS, N_CHIPS_PER_SIDE, n_lumi_blocks + 2), dtype=np.uint32)
        """Axes wafer, chip of the side in readout order, lumi block."""
        self._swap = swap
        self._windows = SparseCounts()

    def fill(self, clusters: Clusters, lumi_block: IntArray) -> None:
        """Add the clusters of events; ``lumi_block`` has one number for every event (>= 0)."""
        self.events += np.bincount(
            np.minimum(lumi_block, self.n_lumi_blocks + 1), minlength=self.n_lumi_blocks + 2
        ).astype(np.uint32)
        self._fill_chips(clusters, lumi_block[clusters.event])
        self._fill_windows(clusters, lumi_block[clusters.event])

    def windows(self, wafers: slice) -> CountArray:
        """2D maps of some wafers, axes wafer, window, strip; flow bins at both ends included.

        The shape is (wafers, windows + 2, 770), with the strip axis fastest as in ROOT.
        """
        begin, end, _ = wafers.indices(N_WAFERS)
        rows, columns = self.n_windows + 2, N_STRIPS + 2
        flat = self._windows.dense(begin * rows * columns, end * rows * columns)
        return flat.reshape(end - begin, rows, columns)

    def _fill_chips(self, clusters: Clusters, lumi_block: IntArray) -> None:
        bins = np.minimum(lumi_block, self.n_lumi_blocks + 1)
        readout = readout_strip(clusters.first, self._swap[clusters.wafer])
        chip = clusters.wafer * N_CHIPS_PER_SIDE + readout // N_STRIPS_PER_CHIP
        cells = chip * (self.n_lumi_blocks + 2) + bins
        np.add.at(self.chips.reshape(-1), cells, clusters.size.astype(np.uint32))

    def _fill_windows(self, clusters: Clusters, lumi_block: IntArray) -> None:
        # the axis ends after the last full window, which may be beyond the last lumi block
        last = self.n_windows * self.lbs_per_window
        window = np.where(
            lumi_block > last, self.n_windows + 1, 1 + (lumi_block - 1) // self.lbs_per_window
        )
        cluster, strip = clusters.hits()
        column = 1 + np.minimum(strip, N_STRIPS)
        row = clusters.wafer[cluster] * (self.n_windows + 2) + window[cluster]
        self._windows.add(row * (N_STRIPS + 2) + column)
