"""Sums of files that have one histogram for each wafer (hit maps, byte-stream errors)."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np

from sctcalib.detector.regions import N_WAFERS
from sctcalib.histograms.layouts import Family
from sctcalib.histograms.merge import Summed, blocks_of, sum_blocks
from sctcalib.histograms.rootfile import RootFile
from sctcalib.histograms.sources import locate_all


class WaferSums:
    """Takes summed blocks and keeps, in wafer-hash order, what the files say of each wafer.

    ``n_events`` is the number of entries of the first histogram of the layout, that of the events.
    ``contents`` has the shape (8176, ``n_bins`` + 2): underflow, bins, overflow. ``entries``
    (8176,) are the numbers of fills.
    """

    def __init__(self, n_bins: int) -> None:
        self.n_events = 0
        self.contents = np.empty((N_WAFERS, n_bins + 2), dtype=np.float32)
        self.entries = np.empty(N_WAFERS)

    def __call__(self, summed: Summed) -> None:
        if summed.block.number == 0:
            self.n_events = int(summed.statistics[0, 0])
            return
        self.contents[summed.detector_rows] = summed.contents
        self.entries[summed.detector_rows] = summed.statistics[:, 0]


def read_wafer_sums(path: Path, families: tuple[Family, ...], n_bins: int) -> WaferSums:
    """The histograms of one file; raises InputFileError for one that is not of the layout."""
    result = WaferSums(n_bins)
    sources = locate_all([RootFile(path)], families)
    blocks = list(blocks_of(families, range(len(families))))
    with closing(sum_blocks(sources, blocks, packed=False)) as sums:
        for summed in sums:
            result(summed)
    return result
