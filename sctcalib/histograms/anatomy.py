"""Where the parts of a streamed histogram are, found member by member (root-files.md 2).

A streamed histogram is, byte for byte: a *front* (class headers, name, title) whose length depends
on the name, and a *tail* (attributes, axes, statistics, options, bin contents) that is the same for
all histograms of one class and binning but for statistics and contents.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from sctcalib.histograms.damage import DamagedError
from sctcalib.histograms.layouts import Axis

_BYTE_COUNT = 0x40000000
_IS_REFERENCED = 1 << 4
_OLDEST_TH1 = 5
N_STATISTICS = 5
"""fEntries, fTsumw, fTsumw2, fTsumwx, fTsumwx2."""
N_MORE_STATISTICS = 3
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
    axes, at = _axes(streamed, at)
    entries = at + 4  # fBarOffset, fBarWidth
    at = entries + 8 * (N_STATISTICS + 3)  # and fMaximum, fMinimum, fNormFactor
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


def _axes(streamed: bytes, at: int) -> tuple[list[Axis], int]:
    """The x, y and z axes and the byte after them."""
    axes = []
    for _ in range(3):
        axis, at = _axis(streamed, at)
        axes.append(axis)
    return axes, at


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


def title_bytes(front: bytes, class_name: str) -> bytes:
    """The title of a histogram as it is streamed, with its length: the last text of its front."""
    at = NAME_AT[class_name]
    n = front[at]
    if n == 255:
        n = 4 + int.from_bytes(front[at + 1 : at + 5], "big")
    return front[at + 1 + n :]
