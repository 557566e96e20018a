"""Adding up histograms of several files as `hadd` does, block by block (root-files.md 1, 2).

A block is some histograms of one family, small enough for the processor's cache. A worker reads it
from all files in their order, adds up and compresses; the main thread writes finished blocks in
order. So memory depends on the block, not on the number of files, and two threads share the work.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sctcalib.histograms.anatomy import title_bytes
from sctcalib.histograms.compression import pack
from sctcalib.histograms.layouts import Axis, Family, text_bytes
from sctcalib.histograms.ordered import in_order
from sctcalib.histograms.rootwriter import Packed, RootWriter, new_root_file
from sctcalib.histograms.sources import Source
from sctcalib.histograms.stacks import Stack
from sctcalib.histograms.templates import streamer_info

Progress = Callable[[int, int], None]
"""Called with the number of histograms done and the number of all."""

_BLOCK_BYTES = 1 << 21
_INT_LIMIT = 2**31 - 1


@dataclass(frozen=True)
class Block:
    """Some consecutive histograms of one family."""

    number: int
    rows: slice


@dataclass(frozen=True)
class Summed:
    """A block, summed over the files.

    ``contents`` has the shape (n, cells), native, float32 or int64; ``statistics`` (n, 5) or
    (n, 8), see `Stack.all_statistics`; ``packed`` is empty if nothing is to be written.
    """

    block: Block
    family: Family
    contents: NDArray[Any]
    statistics: NDArray[np.float64]
    packed: list[Packed]

    @property
    def detector_rows(self) -> slice:
        """Rows in an array over the whole detector."""
        return detector_rows(self.family, self.block)


def detector_rows(family: Family, block: Block) -> slice:
    """Where the histograms of a block are in an array over the whole detector."""
    return slice(family.first + block.rows.start, family.first + block.rows.stop)


def blocks_of(families: Sequence[Family], numbers: Iterable[int]) -> Iterator[Block]:
    """Cut some families into blocks."""
    for number in numbers:
        n = len(families[number].names)
        size = max(1, _BLOCK_BYTES // (4 * families[number].n_cells + 600))
        for begin in range(0, n, size):
            yield Block(number, slice(begin, min(begin + size, n)))


def sum_blocks(
    sources: Sequence[Source], blocks: Sequence[Block], *, packed: bool
) -> Generator[Summed]:
    """The blocks in their order, summed over the files in theirs."""
    keep_freed_memory()
    return in_order(lambda block, stop: _sum_block(sources, block, stop, packed=packed), blocks)


def keep_freed_memory() -> None:
    """Let the C library keep what is freed: the blocks to come need as much again.

    By default it gives most of it back to the system and gets it anew for every block, page by
    page, a sixth of the time. To have freed a piece just below 32 MiB makes glibc keep up to twice
    as much; elsewhere it does nothing. The piece is never touched, so it costs no memory.
    """
    np.empty(31 << 20, dtype=np.uint8)


def _sum_block(sources: Sequence[Source], block: Block, stop: Event, *, packed: bool) -> Summed:
    first = sources[0].read(block.number, block.rows)
    total = Total(first)
    for source in sources[1:]:
        if stop.is_set():
            break
        total.add(source.read(block.number, block.rows))
    family = sources[0].families[block.number]
    objects = []
    if packed and not stop.is_set():
        total.store()
        objects = pack_stack(first, block.rows)
    return Summed(block, family, total.contents, total.statistics, objects)


def pack_stack(stack: Stack, rows: slice) -> list[Packed]:
    """The histograms of a stack, which are some rows of their family, ready to be stored."""
    family = stack.family
    class_text = text_bytes(family.class_name)
    return [
        Packed(
            class_text + text_bytes(name) + title_bytes(front, family.class_name),
            len(streamed),
            pack(streamed),
        )
        for name, front, streamed in zip(
            family.names[rows], stack.fronts, stack.streamed(), strict=True
        )
    ]


class Total:
    """The running sum of the stacks of one block; the first one becomes the result."""

    def __init__(self, first: Stack) -> None:
        self._first = first
        self._n = 1
        self.contents: NDArray[Any] = first.native
        self.statistics = first.all_statistics
        self._sumw2 = dict(first.sumw2)

    def add(self, other: Stack) -> None:
        """Add contents in float32 (or whole numbers), statistics in float64."""
        if self._n == 1:
            self.statistics = root_statistics(self._first)
        self._n += 1
        for row in self._sumw2.keys() | other.sumw2.keys():
            self._sumw2[row] = self._squares(row) + other.squares(row)
        self.contents += other.native
        self.statistics += root_statistics(other)

    def _squares(self, row: int) -> NDArray[np.float64]:
        squares = self._sumw2.get(row)
        return self.contents[row].astype(np.float64) if squares is None else squares

    def store(self) -> None:
        """Put the sums into the first stack."""
        whole = self.contents.dtype.kind == "i"
        contents = np.minimum(self.contents, _INT_LIMIT) if whole else self.contents
        self._first.contents[:] = contents
        self._first.set_statistics(self.statistics)
        self._first.set_sumw2(self._sumw2)


def root_statistics(stack: Stack) -> NDArray[np.float64]:
    """What ROOT's merge takes as statistics: recomputed from the bins where they were never set."""
    statistics = stack.all_statistics
    unset = np.flatnonzero((statistics[:, 1] == 0) & (statistics[:, 0] > 0))
    if len(unset):
        statistics[unset, 1:] = moments(stack.contents[unset].astype(np.float64), stack.family)
    return statistics


def moments(contents: NDArray[np.float64], family: Family) -> NDArray[np.float64]:
    """Sums of w, w2, wx, wx2 (and wy, wy2, wxy) over the bins without under- and overflow.

    ``contents`` has the shape (n, cells), the result (n, 4) or (n, 7).
    """
    shape = [axis.n + 2 for axis in reversed(family.axes)]
    inside = contents.reshape(-1, *shape)[(slice(None), *(slice(1, -1) for _ in shape))]
    x = _centres(family.axes[0])
    along_x = inside if inside.ndim == 2 else inside.sum(axis=1)
    total = along_x.sum(axis=1)
    sums = [total, total, along_x @ x, along_x @ (x * x)]
    if len(shape) == 2:
        y, along_y = _centres(family.axes[1]), inside.sum(axis=2)
        sums += [along_y @ y, along_y @ (y * y), (inside @ x) @ y]
    return np.column_stack(sums)


def _centres(axis: Axis) -> NDArray[np.float64]:
    width = (axis.high - axis.low) / axis.n
    return np.asarray(axis.low + (np.arange(axis.n) + 0.5) * width, dtype=np.float64)


def write_sums(
    sources: Sequence[Source],
    output: Path,
    name: str,
    *,
    sink: Callable[[Summed], None],
    progress: Progress | None = None,
) -> None:
    """Sum all families over the files, write the result, and hand each block to ``sink``.

    Class descriptions are those of the first file if it has usable ones. Raises InputFileError for
    a bad input and OSError where the output cannot be written; then there is no output.
    """
    families = sources[0].families
    blocks = list(blocks_of(families, range(len(families))))
    n_all = sum(len(family.names) for family in families)
    done = 0
    info = sources[0].file.streamer_info() or streamer_info()
    summing = closing(sum_blocks(sources, blocks, packed=True))
    with new_root_file(output, name) as writer, summing as sums:
        for summed in sums:
            begin_directory(writer, families, summed.block)
            writer.add(summed.packed)
            sink(summed)
            done += len(summed.packed)
            if progress is not None:
                progress(done, n_all)
        writer.finish(info)


def begin_directory(writer: RootWriter, families: Sequence[Family], block: Block) -> None:
    """Each directory begins with the first block of the first of its families."""
    directory = families[block.number].directory
    before = block.number and families[block.number - 1].directory
    if block.rows.start == 0 and directory != before:
        writer.directory(directory)
