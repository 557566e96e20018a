"""Streamed histograms: where their parts are, and many alike as one array (root-files.md 2).

A streamed histogram is, byte for byte: a *front* (class headers, name, title) whose length depends
on the name, and a *tail* (attributes, axes, statistics, options, bin contents) that is the same for
all histograms of one class and binning but for statistics and contents. So the tails of many
histograms form a matrix. The first one is walked member by member; the others are compared with it
in one array expression, and only those that differ are walked as well.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sctcalib.histograms.compression import DamagedError
from sctcalib.histograms.layouts import Axis, Family

_BYTE_COUNT = 0x40000000
_IS_REFERENCED = 1 << 4
_OLDEST_TH1 = 5
_STATISTICS = 5
"""fEntries, fTsumw, fTsumw2, fTsumwx, fTsumwx2."""
_MORE_STATISTICS = 3
"""fTsumwy, fTsumwy2, fTsumwxy of two-dimensional histograms."""
NAME_AT = {"TH1F": 28, "TH1I": 28, "TH2F": 34}
"""Where the name begins, after the headers of the nested classes and of TObject."""
ITEM = {"TH1F": ">f4", "TH1I": ">i4", "TH2F": ">f4"}
"""Type of the bin contents."""


@dataclass(frozen=True)
class Anatomy:
    """Where the parts of one streamed histogram are: byte offsets in the tail.

    ``front`` and ``tail`` are the lengths of the two.
    """

    front: int
    tail: int
    entries: int
    more: int
    """Offset of fTsumwy in the tail; 0 for one-dimensional histograms."""
    sumw2: int
    n_sumw2: int
    contents: int
    n_cells: int
    axes: tuple[Axis, ...]


def walk(streamed: bytes, class_name: str) -> Anatomy:
    """Find the parts of a streamed TH1F, TH1I or TH2F member by member.

    Raises DamagedError where the bytes are not such a histogram.
    """
    try:
        return _walk(streamed, two=class_name == "TH2F")
    except (struct.error, IndexError) as error:
        msg = f"it is not a streamed {class_name}: {error}"
        raise DamagedError(msg) from error


def _walk(streamed: bytes, *, two: bool) -> Anatomy:
    _, at, end = _record(streamed, 0)
    if end != len(streamed):
        msg = f"it has {len(streamed)} bytes and says {end}"
        raise DamagedError(msg)
    end_2d = 0
    if two:
        _, at, end_2d = _record(streamed, at)
    version, at, end_1d = _record(streamed, at)
    if version < _OLDEST_TH1:
        msg = f"it was written with version {version} of TH1, older than {_OLDEST_TH1}"
        raise DamagedError(msg)
    front = at = _record(streamed, at)[2]
    for _ in range(3):  # line, fill and marker attributes
        at = _record(streamed, at)[2]
    at += 4  # fNcells
    axes = []
    for _ in range(3):
        axis, at = _axis(streamed, at)
        axes.append(axis)
    entries = at + 4  # fBarOffset, fBarWidth
    at = entries + 8 * (_STATISTICS + 3)  # and fMaximum, fMinimum, fNormFactor
    _, at = _array(streamed, at, 8)  # fContour
    sumw2 = at + 4
    n_sumw2, at = _array(streamed, at, 8)
    _no_buffer(streamed, at)
    more, at = (end_1d + 8, end_2d) if two else (front, end_1d)
    n_cells, end = _array(streamed, at, 4)
    if end != len(streamed):
        msg = f"its bin contents end at byte {end} of {len(streamed)}"
        raise DamagedError(msg)
    return Anatomy(
        front,
        len(streamed) - front,
        entries - front,
        more - front,
        sumw2 - front,
        n_sumw2,
        at + 4 - front,
        n_cells,
        tuple(axes[: 2 if two else 1]),
    )


def _record(streamed: bytes, at: int) -> tuple[int, int, int]:
    """Version, first byte and end of a class part that begins with its byte count."""
    count, version = struct.unpack_from(">Ih", streamed, at)
    end = at + 4 + (count & ~_BYTE_COUNT)
    if not count & _BYTE_COUNT or end > len(streamed):
        msg = f"no class part begins at byte {at}"
        raise DamagedError(msg)
    return version, at + 6, end


def _array(streamed: bytes, at: int, item: int) -> tuple[int, int]:
    """Length of an array and the byte after it."""
    (n,) = struct.unpack_from(">i", streamed, at)
    end = at + 4 + n * item
    if n < 0 or end > len(streamed):
        msg = f"an array of {n} items at byte {at} does not fit"
        raise DamagedError(msg)
    return n, end


def _axis(streamed: bytes, at: int) -> tuple[Axis, int]:
    _, at, end = _record(streamed, at)
    for _ in range(2):  # name and attributes
        at = _record(streamed, at)[2]
    n, low, high = struct.unpack_from(">idd", streamed, at)
    n_edges, _ = _array(streamed, at + 20, 8)
    edges = np.frombuffer(streamed, ">f8", n_edges, at + 24)
    if n_edges and not np.array_equal(edges, low + (high - low) / n * np.arange(n + 1)):
        msg = "its bins have unequal widths"
        raise DamagedError(msg)
    return Axis(n, low, high), end


def _no_buffer(streamed: bytes, at: int) -> None:
    """Refuse fills that wait in fBuffer: they are not in the bins yet."""
    n_option = streamed[at]  # fOption
    at = _record(streamed, at + 1 + n_option)[2]  # fFunctions
    (size,) = struct.unpack_from(">i", streamed, at)
    if size and streamed[at + 4] and struct.unpack_from(">d", streamed, at + 5)[0]:
        msg = "it has fills that are buffered and not in the bins"
        raise DamagedError(msg)


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

    @property
    def statistics(self) -> NDArray[np.float64]:
        """View of fEntries and the sums of w, w2, wx, wx2, shape (n, 5), big-endian."""
        at = self.anatomy.entries
        return self.tails[:, at : at + 8 * _STATISTICS].view(">f8")

    @property
    def more_statistics(self) -> NDArray[np.float64]:
        """View of the sums of wy, wy2, wxy, shape (n, 3), big-endian; (n, 0) in one dimension."""
        at = self.anatomy.more
        return self.tails[:, at : at + (8 * _MORE_STATISTICS if at else 0)].view(">f8")

    @property
    def all_statistics(self) -> NDArray[np.float64]:
        """fEntries and all sums, shape (n, 5) or (n, 8), a native copy."""
        return np.concatenate([self.statistics, self.more_statistics], axis=1).astype(np.float64)

    def set_statistics(self, values: NDArray[np.float64]) -> None:
        """Write what `all_statistics` gives."""
        self.statistics[:] = values[:, :_STATISTICS]
        self.more_statistics[:] = values[:, _STATISTICS:]

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
        streamed = self.odd[row]
        own = walk(streamed, self.family.class_name)
        result = bytearray(streamed)
        parts = [(own.entries, self.statistics[row]), (own.contents, self.contents[row])]
        if own.more:
            parts.append((own.more, self.more_statistics[row]))
        if own.n_sumw2:
            parts.append((own.sumw2, self.sumw2[row].astype(">f8")))
        for at, values in parts:
            data = values.tobytes()
            result[own.front + at : own.front + at + len(data)] = data
        return bytes(result)


def stack(family: Family, objects: Sequence[bytes], bodies: Sequence[bytes]) -> Stack:
    """Put the streamed objects of a family together.

    ``bodies`` are the names and titles as the layout has them, see `Family.bodies`. Raises
    RowError for an object that is damaged or has another binning than the family.
    """
    anatomy = _checked_walk(family, objects, 0)
    fronts = list(expected_fronts(objects[0], anatomy, family.class_name, bodies))
    tails = np.empty((len(objects), anatomy.tail), dtype=np.uint8)
    flat = tails.reshape(-1).data
    result = Stack(family, fronts, tails, anatomy)
    n = anatomy.tail
    for row, (streamed, front) in enumerate(zip(objects, fronts, strict=True)):
        if len(streamed) - len(front) == n and streamed.startswith(front):
            flat[row * n : (row + 1) * n] = memoryview(streamed)[-n:]
        else:
            _place_odd(result, objects, row)
    for row in _other_rows(result).tolist():
        if row not in result.odd:
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


class RowError(DamagedError):
    """A histogram of a stack is not what it must be; ``row`` says which."""

    def __init__(self, row: int, why: str) -> None:
        self.row = row
        super().__init__(why)


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
    to[row] = tail[at : at + 8 * _STATISTICS].view(">f8")
    if own.more:
        result.more_statistics[row] = tail[own.more :][: 8 * _MORE_STATISTICS].view(">f8")
    if own.n_sumw2:
        result.sumw2[row] = tail[own.sumw2 :][: 8 * own.n_sumw2].view(">f8").astype(np.float64)


def _other_rows(result: Stack) -> NDArray[np.int64]:
    """Rows whose tail differs from the walked one outside of the statistics and contents."""
    a = result.anatomy
    fixed = [(0, a.entries)]
    after = a.entries + 8 * _STATISTICS
    if a.n_sumw2:
        fixed.append((after, a.sumw2))
        after = a.sumw2 + 8 * a.n_sumw2
    if a.more:
        fixed.append((after, a.more))
        after = a.more + 8 * _MORE_STATISTICS
    fixed.append((after, a.contents))
    differs = np.zeros(len(result.tails), dtype=bool)
    for begin, end in fixed:
        part = result.tails[:, begin:end]
        differs |= (part != part[0]).any(axis=1)
    return np.flatnonzero(differs)


def _collect_sumw2(result: Stack) -> None:
    a = result.anatomy
    for row, tail in enumerate(result.tails):
        if row not in result.odd:
            result.odd[row] = result.fronts[row] + tail.tobytes()
            part = tail[a.sumw2 : a.sumw2 + 8 * a.n_sumw2]
            result.sumw2[row] = part.view(">f8").astype(np.float64)
