"""Many histograms of one family as arrays.

The tails of histograms that are alike form a matrix. The first one is walked member by member; the
others are compared with it in one array expression, and only those that differ are walked as well.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sctcalib.histograms.anatomy import (
    ITEM,
    N_MORE_STATISTICS,
    N_STATISTICS,
    NAME_AT,
    Anatomy,
    walk,
)
from sctcalib.histograms.damage import DamagedError, RowError
from sctcalib.histograms.layouts import Family


@dataclass(frozen=True)
class Stack:
    """n histograms of one family from one file (or summed), as arrays.

    ``tails`` has the shape (n, bytes); a histogram of another anatomy has only its statistics and
    contents there, and its complete bytes in ``odd``. ``sumw2`` holds its sums of squared weights.
    """

    family: Family
    fronts: list[bytes]
    tails: NDArray[np.uint8]
    anatomy: Anatomy
    odd: dict[int, bytes] = field(default_factory=dict)
    sumw2: dict[int, NDArray[np.float64]] = field(default_factory=dict)

    @property
    def contents(self) -> NDArray[np.generic]:
        """View of the bin contents with under- and overflow, big-endian, shape (n, cells)."""
        return self.tails[:, self.anatomy.contents :].view(ITEM[self.family.class_name])

    @cached_property
    def native(self) -> NDArray[Any]:
        """Bin contents as they were read, float32 or int64."""
        return self.contents.astype(np.int64 if self.contents.dtype.kind == "i" else np.float32)

    def squares(self, row: int) -> NDArray[np.float64]:
        """Sums of squared weights of one histogram; its contents where it has none."""
        squares = self.sumw2.get(row)
        return self.native[row].astype(np.float64) if squares is None else squares

    @property
    def statistics(self) -> NDArray[np.float64]:
        """View of fEntries and the sums of w, w2, wx, wx2, shape (n, 5), big-endian."""
        at = self.anatomy.entries
        return self.tails[:, at : at + 8 * N_STATISTICS].view(">f8")

    @property
    def more_statistics(self) -> NDArray[np.float64]:
        """View of the sums of wy, wy2, wxy, shape (n, 3), big-endian; (n, 0) in one dimension."""
        at = self.anatomy.more
        return self.tails[:, at : at + (8 * N_MORE_STATISTICS if at else 0)].view(">f8")

    @property
    def all_statistics(self) -> NDArray[np.float64]:
        """fEntries and all sums, shape (n, 5) or (n, 8), a native copy."""
        return np.concatenate([self.statistics, self.more_statistics], axis=1).astype(np.float64)

    def set_statistics(self, values: NDArray[np.float64]) -> None:
        """Write what `all_statistics` gives."""
        self.statistics[:] = values[:, :N_STATISTICS]
        self.more_statistics[:] = values[:, N_STATISTICS:]

    def streamed(self) -> Iterator[bytes]:
        """The complete bytes of each histogram, with the arrays' present values."""
        rows = self.tails.reshape(-1).data
        n = self.anatomy.tail
        for row, front in enumerate(self.fronts):
            if row in self.odd:
                yield self._streamed_odd(row)
            else:
                yield front + rows[row * n : (row + 1) * n]

    def _streamed_odd(self, row: int) -> bytes:
        class_name = self.family.class_name
        sumw2 = self.sumw2.get(row)
        result = self.odd[row]
        own = walk(result, class_name)
        if sumw2 is not None and not own.n_sumw2:
            result = _with_sumw2(result, own, class_name)
            own = walk(result, class_name)
        whole = bytearray(result)
        parts = [(own.entries, self.statistics[row]), (own.contents, self.contents[row])]
        if own.more:
            parts.append((own.more, self.more_statistics[row]))
        if sumw2 is not None:
            parts.append((own.sumw2, sumw2.astype(">f8")))
        for at, values in parts:
            data = values.tobytes()
            whole[own.front + at : own.front + at + len(data)] = data
        return bytes(whole)

    def set_sumw2(self, sumw2: dict[int, NDArray[np.float64]]) -> None:
        """Give histograms sums of squared weights, which those need not have had before."""
        self.sumw2.update(sumw2)
        for row in sumw2:
            if row not in self.odd:
                self.odd[row] = self.fronts[row] + self.tails[row].tobytes()


def _with_sumw2(streamed: bytes, own: Anatomy, class_name: str) -> bytes:
    """The same histogram with room for sums of squared weights."""
    at = own.front + own.sumw2
    room = own.n_cells * 8
    count = struct.pack(">i", own.n_cells)
    new = bytearray(streamed[: at - 4] + count + bytes(room) + streamed[at:])
    for place in range(0, NAME_AT[class_name] - 16, 6):  # the nested classes, TH1 innermost
        (n_bytes,) = struct.unpack_from(">I", new, place)
        struct.pack_into(">I", new, place, n_bytes + room)
    return bytes(new)


def stack(family: Family, objects: Sequence[bytes]) -> Stack:
    """Put streamed objects of a family together.

    Raises RowError for an object that is damaged or has another binning than the family.
    """
    anatomy = _checked_walk(family, objects, 0)
    n = anatomy.tail
    pieces = [streamed[-n:].rjust(n) for streamed in objects]
    tails = np.frombuffer(bytearray().join(pieces), dtype=np.uint8).reshape(len(objects), n)
    result = Stack(family, [streamed[:-n] for streamed in objects], tails, anatomy)
    other = _other_tails(result) | _other_heads(result, objects)
    for row in np.flatnonzero(other).tolist():
        _place_odd(result, objects, row)
    if anatomy.n_sumw2:
        _collect_sumw2(result)
    return result


def expected_fronts(
    streamed: bytes, anatomy: Anatomy, class_name: str, bodies: Sequence[bytes]
) -> Iterator[bytes]:
    """The fronts that histograms with other names and titles have: other texts, other counts."""
    name_at = NAME_AT[class_name]
    counts = range(0, name_at - 10, 6)
    heads: dict[int, bytes] = {}
    for body in bodies:
        head = heads.get(len(body))
        if head is None:
            new = bytearray(streamed[:name_at])
            for at in counts:
                (count,) = struct.unpack_from(">I", new, at)
                count += name_at + len(body) - anatomy.front
                struct.pack_into(">I", new, at, count)
            head = heads[len(body)] = bytes(new)
        yield head + body


def _checked_walk(family: Family, objects: Sequence[bytes], row: int) -> Anatomy:
    try:
        anatomy = walk(objects[row], family.class_name)
    except DamagedError as error:
        raise RowError(row, str(error)) from error
    if anatomy.axes != family.axes:
        found, wanted = (" x ".join(map(str, axes)) for axes in (anatomy.axes, family.axes))
        raise RowError(row, f"it has {found} instead of {wanted}")
    if anatomy.n_cells != family.n_cells:
        msg = f"it has {anatomy.n_cells} cells instead of {family.n_cells}"
        raise RowError(row, msg)
    if anatomy.n_sumw2 not in (0, family.n_cells):
        raise RowError(row, f"it has {anatomy.n_sumw2} sums of squared weights")
    return anatomy


def _place_odd(result: Stack, objects: Sequence[bytes], row: int) -> None:
    """Take a histogram of another anatomy, title or attributes into the arrays."""
    streamed = objects[row]
    own = _checked_walk(result.family, objects, row)
    result.odd[row] = streamed
    result.fronts[row] = streamed[: own.front]
    tail = np.frombuffer(streamed, np.uint8)[own.front :]
    result.contents[row] = tail[own.contents :].view(result.contents.dtype)
    at, to = own.entries, result.statistics
    to[row] = tail[at : at + 8 * N_STATISTICS].view(">f8")
    if own.more:
        result.more_statistics[row] = tail[own.more :][: 8 * N_MORE_STATISTICS].view(">f8")
    if own.n_sumw2:
        result.sumw2[row] = tail[own.sumw2 :][: 8 * own.n_sumw2].view(">f8").astype(np.float64)


def _other_heads(result: Stack, objects: Sequence[bytes]) -> NDArray[np.bool_]:
    """Rows whose class headers differ from the walked ones by more than the length of the texts."""
    n_head = NAME_AT[result.family.class_name]
    joined = b"".join([streamed[:n_head].ljust(n_head) for streamed in objects])
    heads = np.frombuffer(joined, dtype=np.uint8).reshape(-1, n_head)
    lengths = np.fromiter(map(len, objects), dtype=np.int64, count=len(objects))
    differs = np.zeros(len(objects), dtype=bool)
    fixed = np.ones(n_head, dtype=bool)
    for place in range(0, n_head - 10, 6):  # the byte counts of the nested classes
        fixed[place : place + 4] = False
        counts = heads[:, place : place + 4].view(">u4")[:, 0].astype(np.int64)
        differs |= counts - counts[0] != lengths - lengths[0]
    return np.asarray(differs | (heads != heads[0])[:, fixed].any(axis=1))


def _other_tails(result: Stack) -> NDArray[np.bool_]:
    """Rows whose tail differs from the walked one outside of the statistics and contents."""
    a = result.anatomy
    fixed = [(0, a.entries)]
    after = a.entries + 8 * N_STATISTICS
    if a.n_sumw2:
        fixed.append((after, a.sumw2))
        after = a.sumw2 + 8 * a.n_sumw2
    if a.more:
        fixed.append((after, a.more))
        after = a.more + 8 * N_MORE_STATISTICS
    fixed.append((after, a.contents))
    differs = np.zeros(len(result.tails), dtype=bool)
    for begin, end in fixed:
        part = result.tails[:, begin:end]
        differs |= (part != part[0]).any(axis=1)
    return differs


def _collect_sumw2(result: Stack) -> None:
    a = result.anatomy
    for row, tail in enumerate(result.tails):
        if row not in result.odd:
            result.odd[row] = result.fronts[row] + tail.tobytes()
            part = tail[a.sumw2 : a.sumw2 + 8 * a.n_sumw2]
            result.sumw2[row] = part.view(">f8").astype(np.float64)
