"""SCTLB.root: hits of every chip in every lumi block (algorithms-hitmaps.md 2.2)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sctcalib.detector.regions import N_CHIPS, N_CHIPS_PER_SIDE, REGIONS
from sctcalib.histograms.filling import Fills, fill
from sctcalib.histograms.layouts import (
    EVENTS,
    GENERAL,
    Axis,
    Family,
    events_family,
    lumi_block_families,
    window_maps,
)
from sctcalib.histograms.merge import (
    Block,
    Progress,
    Summed,
    begin_directory,
    blocks_of,
    pack_stack,
    sum_blocks,
    write_sums,
)
from sctcalib.histograms.ordered import in_order
from sctcalib.histograms.rootfile import RootFile
from sctcalib.histograms.rootwriter import Packed, new_root_file
from sctcalib.histograms.sources import Source, locate_all, walk_one
from sctcalib.histograms.templates import empty_stack, streamer_info
from sctcalib.job.errors import InputFileError

FILE_NAME = "SCTLB.root"
_AT_ONCE = 1024


@dataclass(frozen=True)
class LumiBlockMaps:
    """Hits per chip and lumi block; index i of a lumi-block axis is lumi block i + 1.

    ``events`` (L,) are the events of each lumi block, ``chips`` (n,) the chips that were kept,
    ascending, as ``6 * wafer hash + chip on its side`` in readout order, ``contents`` (n, L) their
    hits. ``n_events`` is the number of entries of ``GENERAL/events``.
    """

    events: NDArray[np.int64]
    chips: NDArray[np.int64]
    contents: NDArray[np.float32]
    n_events: int


@dataclass(frozen=True)
class LumiBlockHits:
    """Hits to write, as cells that may repeat: integer arrays of one shape (m,).

    ``count`` hits of offline strip ``strip`` on wafer ``wafer`` in lumi block ``block``, which were
    attributed to chip ``chip`` 0-5 of the side, in readout order (that of the first strip of
    their cluster). A strip above 767 and a lumi block outside 1...L go to under- and overflow.
    """

    wafer: NDArray[np.int64]
    strip: NDArray[np.int64]
    block: NDArray[np.int64]
    chip: NDArray[np.int64]
    count: NDArray[np.int64]

    def sorted_by_wafer(self) -> LumiBlockHits:
        order = np.argsort(self.wafer, kind="stable")
        fields = (self.wafer, self.strip, self.block, self.chip, self.count)
        return LumiBlockHits(*(np.asarray(each, dtype=np.int64)[order] for each in fields))

    def of_wafers(self, first: int, end: int) -> LumiBlockHits:
        """Those of a range of wafers; the hits must be sorted by wafer."""
        rows = slice(*np.searchsorted(self.wafer, [first, end]))
        fields = (self.wafer, self.strip, self.block, self.chip, self.count)
        return LumiBlockHits(*(each[rows] for each in fields))


class _Collector:
    """Takes summed blocks and keeps what `LumiBlockMaps` needs."""

    def __init__(self, n_blocks: int, keep_chips: ArrayLike | None) -> None:
        self._events = np.zeros(n_blocks, dtype=np.int64)
        self._n_events = 0
        self.chips = _chips(keep_chips)
        self.contents = np.zeros((len(self.chips), n_blocks), dtype=np.float32)

    def __call__(self, summed: Summed) -> None:
        if summed.block.number == 0:
            self._n_events = int(summed.statistics[0, 0])
            self._events[:] = summed.contents[0, 1:-1]
        elif len(summed.family.axes) == 1:
            first = summed.detector_rows.start
            rows = slice(*np.searchsorted(self.chips, [first, summed.detector_rows.stop]))
            self.contents[rows] = summed.contents[self.chips[rows] - first, 1:-1]

    def result(self) -> LumiBlockMaps:
        return LumiBlockMaps(self._events, self.chips, self.contents, self._n_events)


def _chips(keep: ArrayLike | None) -> NDArray[np.int64]:
    if keep is None:
        return np.arange(N_CHIPS)
    chips = np.unique(np.asarray(keep, dtype=np.int64))
    if len(chips) and (chips[0] < 0 or chips[-1] >= N_CHIPS):
        msg = f"chips are numbered 0-{N_CHIPS - 1}, not {chips[0]}...{chips[-1]}"
        raise ValueError(msg)
    return chips


def _binning(file: RootFile) -> tuple[int, int]:
    """Lumi blocks of a file, and how many of them a row of its 2D maps holds."""
    (axis,) = walk_one(file, events_family())[0].axes
    if axis != Axis(axis.n, 0.5, axis.n + 0.5):
        msg = f"{file.path}: {EVENTS}: it has {axis} instead of one bin for each lumi block from 1"
        raise InputFileError(msg)
    maps = window_maps(REGIONS[0], axis)
    one = replace(maps, names=maps.names[:1])
    windows = walk_one(file, one)[0].axes[1]
    per_window = (windows.high - windows.low) / windows.n
    if per_window < 1 or per_window % 1 or windows.n != -(-axis.n // int(per_window)):
        msg = (
            f"{file.path}: {one.directory}/{one.names[0]}: the lumi-block axis has {windows}, "
            f"which does not suit {axis.n} lumi blocks"
        )
        raise InputFileError(msg)
    return axis.n, int(per_window)


def _sources(paths: Sequence[Path]) -> list[Source]:
    files = [RootFile(Path(path)) for path in paths]
    binnings = [_binning(file) for file in files]
    for file, binning in zip(files, binnings, strict=True):
        if binning != binnings[0]:
            msg = (
                f"{file.path}: it has {binning[0]} lumi blocks, {binning[1]} in a window, but "
                f"{files[0].path} has {binnings[0][0]} and {binnings[0][1]}; "
                "the files of one job must have the same"
            )
            raise InputFileError(msg)
    families = lumi_block_families(*binnings[0])
    return locate_all(files, families)


def _n_blocks(source: Source) -> int:
    return source.families[0].axes[0].n


def read_lumi_blocks(path: Path, *, keep_chips: ArrayLike | None = None) -> LumiBlockMaps:
    """Events and chip histograms of one file; all chips, or only those of ``keep_chips``.

    The 2D maps and other chips must be there but are not read. Raises InputFileError for a file
    that is damaged or not of the layout (docs/hit-maps.md).
    """
    (source,) = _sources([path])
    collector = _Collector(_n_blocks(source), keep_chips)
    if keep_chips is None:
        numbers = [i for i, family in enumerate(source.families) if len(family.axes) == 1]
        with closing(
            sum_blocks([source], list(blocks_of(source.families, numbers)), packed=False)
        ) as sums:
            for summed in sums:
                collector(summed)
        return collector.result()
    (events,) = sum_blocks([source], [Block(0, slice(0, 1))], packed=False)
    collector(events)
    _read_some(source, collector.chips, collector.contents)
    return collector.result()


def _read_some(source: Source, chips: NDArray[np.int64], contents: NDArray[np.float32]) -> None:
    for number, family in enumerate(source.families):
        if len(family.axes) != 1 or number == 0:
            continue
        begin, end = np.searchsorted(chips, [family.first, family.first + len(family.names)])
        for at in range(begin, end, _AT_ONCE):
            rows = slice(at, min(at + _AT_ONCE, end))
            stack = source.read(number, (chips[rows] - family.first).tolist())
            contents[rows] = stack.contents[:, 1:-1]


def merge_lumi_blocks(
    paths: Sequence[Path],
    output: Path,
    *,
    keep_chips: ArrayLike | None = None,
    progress: Progress | None = None,
) -> LumiBlockMaps:
    """Add up LB files in their order into a new file, and give the sum of the chips to keep.

    The sum is that of ROOT's ``hadd``, 2D maps included. Raises InputFileError for a bad input or
    one with another number of lumi blocks, and OSError where the output cannot be written; then
    there is no output.
    """
    if not paths:
        msg = "no LB files to merge"
        raise ValueError(msg)
    sources = _sources(paths)
    collector = _Collector(_n_blocks(sources[0]), keep_chips)
    write_sums(sources, Path(output), FILE_NAME, sink=collector, progress=progress)
    return collector.result()


def write_lumi_blocks(
    path: Path, events: ArrayLike, hits: LumiBlockHits, *, lbs_per_window: int = 30
) -> None:
    """Write an LB file as the original fills it.

    Parameters
    ----------
    events
        Events of each lumi block, shape (L,), the first is lumi block 1.
    hits
        What the events contain, in any order; see `LumiBlockHits`.
    lbs_per_window
        Lumi blocks in one row of the 2D maps.

    Raises ValueError for values that do not fit, and OSError where the file cannot be written.
    """
    counts = np.asarray(events, dtype=np.int64)
    families = lumi_block_families(len(counts), lbs_per_window)
    by_wafer = hits.sorted_by_wafer()
    blocks = list(blocks_of(families, range(len(families))))

    def made(block: Block, _stop: Event) -> list[Packed]:
        family = families[block.number]
        stack = empty_stack(family, block.rows)
        fill(stack, _fills(family, block.rows, counts, by_wafer))
        return pack_stack(stack, block.rows)

    with new_root_file(Path(path), FILE_NAME) as writer, closing(in_order(made, blocks)) as work:
        for block, packed in zip(blocks, work, strict=True):
            begin_directory(writer, families, block)
            writer.add(packed)
        writer.finish(streamer_info())


def _fills(family: Family, rows: slice, events: NDArray[np.int64], hits: LumiBlockHits) -> Fills:
    """What goes into some histograms of a family."""
    first, end = family.first + rows.start, family.first + rows.stop
    if family.directory == GENERAL:
        return Fills(np.zeros_like(events), (np.arange(1, len(events) + 1),), events)
    if len(family.axes) == 2:
        mine = hits.of_wafers(first, end)
        return Fills(mine.wafer - first, (mine.strip, mine.block), mine.count)
    mine = hits.of_wafers(first // N_CHIPS_PER_SIDE, -(-end // N_CHIPS_PER_SIDE))
    chip = mine.wafer * N_CHIPS_PER_SIDE + mine.chip
    inside = (chip >= first) & (chip < end)
    return Fills(chip[inside] - first, (mine.block[inside],), mine.count[inside])
