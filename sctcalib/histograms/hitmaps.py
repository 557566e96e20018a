"""SCTHitMaps.root: hits of every strip of the detector (algorithms-hitmaps.md 2.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sctcalib.detector.regions import N_STRIPS, N_WAFERS
from sctcalib.histograms.filling import Fills, exact_or_raise, fill
from sctcalib.histograms.layouts import hit_map_families
from sctcalib.histograms.merge import (
    Progress,
    begin_directory,
    blocks_of,
    detector_rows,
    moments,
    pack_stack,
    write_sums,
)
from sctcalib.histograms.rootfile import RootFile
from sctcalib.histograms.rootwriter import new_root_file
from sctcalib.histograms.sources import locate_all
from sctcalib.histograms.stacks import Stack
from sctcalib.histograms.templates import empty_stack, streamer_info
from sctcalib.histograms.wafer_sums import WaferSums, read_wafer_sums

FILE_NAME = "SCTHitMaps.root"


@dataclass(frozen=True)
class HitMaps:
    """Hit maps of all wafers, in wafer-hash order.

    ``n_events`` is the number of entries of ``GENERAL/events``. ``contents`` has the shape
    (8176, 770): underflow, the 768 offline strips, overflow. ``entries`` (8176,) are the numbers of
    fills, with those of under- and overflow.
    """

    n_events: int
    contents: NDArray[np.float32]
    entries: NDArray[np.float64]

    @cached_property
    def counts(self) -> NDArray[np.uint32]:
        """Hits of each offline strip, shape (8176, 768)."""
        return self.contents[:, 1:-1].astype(np.uint32)


def _maps(sums: WaferSums) -> HitMaps:
    return HitMaps(sums.n_events, sums.contents, sums.entries)


def read_hitmaps(path: Path) -> HitMaps:
    """All hit maps of one file.

    Raises InputFileError for a file that is damaged or not of the layout (docs/hit-maps.md).
    """
    return _maps(read_wafer_sums(Path(path), hit_map_families(), N_STRIPS))


def merge_hitmaps(
    paths: Sequence[Path], output: Path, *, progress: Progress | None = None
) -> HitMaps:
    """Add up hit-map files in their order into a new file, and give the sum.

    The sum is that of ROOT's ``hadd``: contents in float32, entries and moments in float64. Raises
    InputFileError for a bad input and OSError where the output cannot be written; then there is no
    output.
    """
    if not paths:
        msg = "no hit-map files to merge"
        raise ValueError(msg)
    sums = WaferSums(N_STRIPS)
    files = (RootFile(Path(path)) for path in paths)
    sources = locate_all(files, hit_map_families())
    write_sums(sources, Path(output), FILE_NAME, sink=sums, progress=progress)
    return _maps(sums)


def write_hitmaps(
    path: Path,
    counts: ArrayLike,
    n_events: int,
    *,
    entries: ArrayLike | None = None,
    overflow: ArrayLike | None = None,
) -> None:
    """Write a hit-map file as the original fills it, each hit with weight one.

    Parameters
    ----------
    counts
        Hits of each offline strip, shape (8176, 768), whole numbers of 0 to 2**24.
    n_events
        Events that were filled.
    entries
        Fills of each wafer, shape (8176,); by default the hits and the overflow.
    overflow
        Hits beyond strip 767, shape (8176,); by default none.

    Raises ValueError for values that do not fit, and OSError where the file cannot be written.
    """
    contents = np.zeros((N_WAFERS, N_STRIPS + 2))
    contents[:, 1:-1] = counts
    contents[:, -1] = 0 if overflow is None else overflow
    exact_or_raise(contents)
    fills = contents.sum(axis=1) if entries is None else np.asarray(entries, dtype=np.float64)
    families = hit_map_families()
    with new_root_file(Path(path), FILE_NAME) as writer:
        for block in blocks_of(families, range(len(families))):
            begin_directory(writer, families, block)
            stack = empty_stack(families[block.number], block.rows)
            if block.number == 0:
                one = np.ones(1, dtype=np.int64)
                fill(stack, Fills(one - 1, (one,), n_events * one))
            else:
                rows = detector_rows(stack.family, block)
                _set(stack, contents[rows], fills[rows])
            writer.add(pack_stack(stack, block.rows))
        writer.finish(streamer_info())


def _set(stack: Stack, contents: NDArray[np.float64], fills: NDArray[np.float64]) -> None:
    """Set contents and entries, and the sums that fills with weight one would have left."""
    stack.contents[:] = contents
    stack.set_statistics(np.column_stack([fills, moments(contents, stack.family)]))
