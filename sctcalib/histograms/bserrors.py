"""SCTBSErrors.root: byte-stream errors of every wafer by type (algorithms-hitmaps.md 2.3).

There are 35 error types; only the first 15 have bins of their own, the others share the overflow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sctcalib.detector.regions import N_WAFERS, REGIONS
from sctcalib.histograms.filling import Fills, exact_or_raise, fill
from sctcalib.histograms.layouts import Axis, Family, events_family, wafer_maps
from sctcalib.histograms.merge import (
    Block,
    Progress,
    begin_directory,
    blocks_of,
    detector_rows,
    moments,
    pack_stack,
    write_sums,
)
from sctcalib.histograms.rootfile import RootFile
from sctcalib.histograms.rootwriter import Packed, new_root_file
from sctcalib.histograms.sources import locate_all
from sctcalib.histograms.templates import empty_stack, streamer_info
from sctcalib.histograms.wafer_sums import WaferSums, read_wafer_sums

FILE_NAME = "SCTBSErrors.root"
N_TYPES = 15
"""Error types with a bin of their own."""
_TYPES = Axis(N_TYPES, -0.5, N_TYPES - 0.5)


@dataclass(frozen=True)
class ErrorMaps:
    """Byte-stream errors of all wafers, in wafer-hash order.

    ``n_events`` is the number of entries of ``GENERAL/events``. ``contents`` has the shape
    (8176, 17): underflow, events with an error of the types 0-14, overflow with those of all other
    types. ``entries`` (8176,) are the numbers of fills.
    """

    n_events: int
    contents: NDArray[np.float32]
    entries: NDArray[np.float64]

    @property
    def any_error(self) -> NDArray[np.bool_]:
        """Wafers with an error of any type, shape (8176,): the dead search leaves them out."""
        return np.asarray(self.entries > 0)

    @property
    def counts(self) -> NDArray[np.int64]:
        """Events with an error of each of the types 0-14, shape (8176, 15)."""
        return self.contents[:, 1:-1].astype(np.int64)


@cache
def bs_error_families() -> tuple[Family, ...]:
    """The layout: events, then the wafers of each region, in hash order."""
    maps = (
        wafer_maps(region, f"SCT {region.title} BSErrors : plane {{}}", _TYPES)
        for region in REGIONS
    )
    return (events_family(), *maps)


def _maps(sums: WaferSums) -> ErrorMaps:
    return ErrorMaps(sums.n_events, sums.contents, sums.entries)


def read_bs_errors(path: Path) -> ErrorMaps:
    """All error maps of one file.

    Raises InputFileError for a file that is damaged or not of the layout (docs/hit-maps.md).
    """
    return _maps(read_wafer_sums(Path(path), bs_error_families(), N_TYPES))


def merge_bs_errors(
    paths: Sequence[Path], output: Path, *, progress: Progress | None = None
) -> ErrorMaps:
    """Add up error-map files in their order into a new file, and give the sum.

    The sum is that of ROOT's ``hadd``. Raises InputFileError for a bad input and OSError where the
    output cannot be written; then there is no output.
    """
    if not paths:
        msg = "no files of byte-stream errors to merge"
        raise ValueError(msg)
    sums = WaferSums(N_TYPES)
    sources = locate_all((RootFile(Path(path)) for path in paths), bs_error_families())
    write_sums(sources, Path(output), FILE_NAME, sink=sums, progress=progress)
    return _maps(sums)


def write_bs_errors(path: Path, counts: ArrayLike, n_events: int) -> None:
    """Write an error-map file as the original fills it.

    ``counts`` are the events with an error of each type, shape (8176, n) with n of at least 15:
    the types from 15 on are filled into the overflow. Raises ValueError for counts that do not
    fit, and OSError where the file cannot be written.
    """
    contents = _binned(np.asarray(counts))
    families = bs_error_families()
    with new_root_file(Path(path), FILE_NAME) as writer:
        for block in blocks_of(families, range(len(families))):
            begin_directory(writer, families, block)
            writer.add(_packed(families[block.number], block, contents, n_events))
        writer.finish(streamer_info())


def _binned(counts: NDArray[np.number]) -> NDArray[np.float64]:
    """Contents with under- and overflow, shape (8176, 17)."""
    if counts.ndim != 2 or len(counts) != N_WAFERS or counts.shape[1] < N_TYPES:
        msg = f"counts of errors have the shape {counts.shape}, not ({N_WAFERS}, {N_TYPES} or more)"
        raise ValueError(msg)
    contents = np.zeros((N_WAFERS, N_TYPES + 2))
    contents[:, 1:-1] = counts[:, :N_TYPES]
    contents[:, -1] = counts[:, N_TYPES:].sum(axis=1)
    exact_or_raise(np.asarray(counts, dtype=np.float64))
    exact_or_raise(contents)
    return contents


def _packed(
    family: Family, block: Block, contents: NDArray[np.float64], n_events: int
) -> list[Packed]:
    stack = empty_stack(family, block.rows)
    if block.number == 0:
        one = np.ones(1, dtype=np.int64)
        fill(stack, Fills(one - 1, (one,), n_events * one))
    else:
        mine = contents[detector_rows(family, block)]
        stack.contents[:] = mine
        stack.set_statistics(np.column_stack([mine.sum(axis=1), moments(mine, family)]))
    return pack_stack(stack, block.rows)
