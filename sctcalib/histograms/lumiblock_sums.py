"""Write SCTLB.root from sums over events, as a byte-stream job has them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import numpy as np
from numpy.typing import NDArray

from sctcalib.detector.regions import N_CHIPS_PER_SIDE
from sctcalib.histograms.filling import exact_or_raise
from sctcalib.histograms.layouts import GENERAL, Family, lumi_block_families
from sctcalib.histograms.lumiblocks import FILE_NAME
from sctcalib.histograms.merge import Block, begin_directory, blocks_of, pack_stack
from sctcalib.histograms.ordered import in_order
from sctcalib.histograms.rootwriter import Packed, new_root_file
from sctcalib.histograms.templates import empty_stack, streamer_info

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class LumiBlockSums:
    """Sums over the events of a run with L lumi blocks, ``per_window`` of them in a 2D row.

    Rows of the lumi-block axis are lumi blocks 0 ... L, and one for all above L; rows of windows
    are underflow, the windows, overflow.
    """

    per_window: int
    events: NDArray[np.int64]
    """(L + 2,)."""
    chips: NDArray[np.uint32]
    """(L + 2, 49056): hits of each chip, column 6 * wafer hash + chip on its side."""
    windows: Callable[[int, int], NDArray[np.uint32]]
    """Of the wafers first ... end - 1: (rows, end - first, 768) hits of strips in windows."""
    strip_block: NDArray[np.int64]
    """(8176,): sum of strip times lumi block over the hits in lumi blocks 1 ... L."""

    @property
    def n_blocks(self) -> int:
        """L."""
        return len(self.events) - 2


def write_lumi_block_sums(path: Path, sums: LumiBlockSums) -> None:
    """Write an LB file as the original fills it.

    Hits in lumi blocks above L that fall into the last window are in the 2D maps' contents and
    not in their moments along y. Raises ValueError for sums that a file cannot hold, OSError
    where it cannot be written.
    """
    families = lumi_block_families(sums.n_blocks, sums.per_window)
    blocks = list(blocks_of(families, range(len(families))))

    def made(block: Block, _stop: Event) -> list[Packed]:
        family = families[block.number]
        stack = empty_stack(family, block.rows)
        contents, statistics = _filled(family, block.rows, sums)
        exact_or_raise(contents)
        stack.contents[:] = contents
        stack.set_statistics(statistics)
        return pack_stack(stack, block.rows)

    with new_root_file(Path(path), FILE_NAME) as writer, closing(in_order(made, blocks)) as work:
        for block, packed in zip(blocks, work, strict=True):
            begin_directory(writer, families, block)
            writer.add(packed)
        writer.finish(streamer_info())


def _filled(family: Family, rows: slice, sums: LumiBlockSums) -> tuple[FloatArray, FloatArray]:
    """Contents (n, cells), and entries and moments (n, 5 or 8), of some histograms."""
    first, end = family.first + rows.start, family.first + rows.stop
    if family.directory == GENERAL:
        return _along_blocks(sums.events[None, :].astype(np.float64))
    if len(family.axes) == 1:
        return _along_blocks(sums.chips[:, first:end].T.astype(np.float64))
    return _windows(first, end, sums)


def _along_blocks(contents: FloatArray) -> tuple[FloatArray, FloatArray]:
    moments = _moments(contents)
    return contents, np.column_stack([contents.sum(axis=1), moments[:, [0, 0, 1, 2]]])


def _moments(contents: FloatArray) -> FloatArray:
    """Sums of 1, lb and lb squared over the lumi blocks 1 ... L, shape (n, 3)."""
    blocks = np.arange(1, contents.shape[1] - 1, dtype=np.float64)
    inside = contents[:, 1:-1]
    return np.column_stack([inside.sum(axis=1), inside @ blocks, inside @ blocks**2])


def _windows(first: int, end: int, sums: LumiBlockSums) -> tuple[FloatArray, FloatArray]:
    hits = sums.windows(first, end).astype(np.float64).transpose(1, 0, 2)
    contents = np.zeros((end - first, hits.shape[1], hits.shape[2] + 2))
    contents[:, :, 1:-1] = hits
    along_x = hits[:, 1:-1].sum(axis=1)
    strips = np.arange(hits.shape[2], dtype=np.float64)
    total = along_x.sum(axis=1)
    chips = sums.chips[:, first * N_CHIPS_PER_SIDE : end * N_CHIPS_PER_SIDE]
    by_wafer = chips.reshape(len(chips), -1, N_CHIPS_PER_SIDE).sum(axis=2)
    along_y = _moments(by_wafer.T.astype(np.float64))
    statistics = np.column_stack(
        [
            hits.sum(axis=(1, 2)),
            total,
            total,
            along_x @ strips,
            along_x @ strips**2,
            along_y[:, 1],
            along_y[:, 2],
            sums.strip_block[first:end],
        ]
    )
    return contents.reshape(end - first, -1), statistics
