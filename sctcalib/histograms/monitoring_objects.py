"""Bins of one streamed histogram or profile, taken from its bytes (root-files.md 2).

Unlike in plain histograms the bin array is not at the end of a profile, so each object is walked
member by member. Every array must have the length that the axes ask for and the last member must
end where the object ends: another layout is an error and never a wrong number.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sctcalib.histograms.damage import DamagedError
from sctcalib.histograms.layouts import Axis

FloatArray = NDArray[np.float64]

_BYTE_COUNT = 0x40000000
_OLDEST_TH1 = 5
_CONTENT = {"TH1F": ">f4", "TH1I": ">i4", "TH2F": ">f4", "TProfile": ">f8", "TProfile2D": ">f8"}
_TWO_DIMENSIONS = ("TH2F", "TProfile2D")
_PROFILES = ("TProfile", "TProfile2D")
MEAN, SPREAD, SPREAD_OR_INTEGER, WEIGHTS = range(4)
"""Error options of a profile: ``""``, ``"s"``, ``"i"``, ``"g"``."""


@dataclass(frozen=True)
class Bins:
    """Bins of one object; arrays over all of them, x fastest, under- and overflow included."""

    axes: tuple[Axis, ...]
    fills: float
    """fEntries."""
    sums: FloatArray
    """Contents of a histogram; of a profile the sums of the values that were filled."""
    squares: FloatArray
    """Sums of squares (fSumw2); empty if there are none."""
    entries: FloatArray | None = None
    """Sums of weights of a profile."""
    weights_squared: FloatArray | None = None
    """Sums of squared weights of a profile (fBinSumw2); empty if all weights were one."""
    error_mode: int = MEAN

    def means(self) -> FloatArray:
        """Means of a profile, 0 in bins without entries."""
        assert self.entries is not None
        return divide(self.sums, self.entries)

    def errors(self) -> FloatArray:
        """Errors of a profile's bins by its own error option, 0 without entries.

        Spread over the root of the effective entries; the spread itself; the same as the first
        with the spread of a rounded number where there is none; or one over the root of the weight.
        """
        assert self.entries is not None
        assert self.weights_squared is not None
        if self.error_mode == WEIGHTS:
            return divide(np.ones_like(self.sums), np.sqrt(self.entries))
        spread = np.sqrt(np.abs(divide(self.squares, self.entries) - self.means() ** 2))
        if self.error_mode == SPREAD:
            return spread
        if self.error_mode == SPREAD_OR_INTEGER:
            spread = np.where((spread == 0) & (self.entries != 0), 1 / math.sqrt(12), spread)
        effective = self.entries
        if len(self.weights_squared):
            effective = divide(self.entries**2, self.weights_squared)
        return divide(spread, np.sqrt(effective))


def divide(above: FloatArray, below: FloatArray) -> FloatArray:
    """Quotient, 0 where the divisor is 0."""
    result = np.zeros(np.broadcast_shapes(above.shape, below.shape))
    np.divide(above, below, out=result, where=below != 0)
    return result


def read_bins(streamed: bytes, class_name: str) -> Bins:
    """The bins of a TH1F, TH1I, TH2F, TProfile or TProfile2D.

    Raises DamagedError where the bytes are not such an object.
    """
    try:
        return _Walk(streamed).whole(class_name)
    except (struct.error, IndexError, ValueError) as error:
        if isinstance(error, DamagedError):
            raise
        msg = f"it is not a streamed {class_name}: {error}"
        raise DamagedError(msg) from error


class _Walk:
    """Goes through the bytes of one object; ``at`` is the next one."""

    def __init__(self, streamed: bytes) -> None:
        self._bytes = streamed
        self.at = 0

    def whole(self, class_name: str) -> Bins:
        two = class_name in _TWO_DIMENSIONS
        end = self._begin()
        if end != len(self._bytes):
            msg = f"it has {len(self._bytes)} bytes and says {end}"
            raise DamagedError(msg)
        if class_name in _PROFILES:
            self._begin()  # TH1D or TH2D
        end_of_base = self._begin() if two else 0
        axes, fills, squares = self._th1(2 if two else 1)
        self.at = end_of_base or self.at
        sums = self._array(_CONTENT[class_name])
        bins = Bins(axes, fills, sums, squares)
        if class_name in _PROFILES:
            bins = self._profile(bins)
        if self.at != len(self._bytes):
            msg = f"its last known member ends at byte {self.at} of {len(self._bytes)}"
            raise DamagedError(msg)
        _check_lengths(bins)
        return bins

    def _profile(self, bins: Bins) -> Bins:
        entries = self._array(">f8")
        (mode,) = struct.unpack_from(">i", self._bytes, self.at)
        if mode not in (MEAN, SPREAD, SPREAD_OR_INTEGER, WEIGHTS):
            msg = f"its error option is {mode}, known are {MEAN} to {WEIGHTS}"
            raise DamagedError(msg)
        self.at += 4 + 4 * 8  # the option, two limits, two sums
        squared = self._array(">f8")
        return Bins(bins.axes, bins.fills, bins.sums, bins.squares, entries, squared, mode)

    def _th1(self, n_axes: int) -> tuple[tuple[Axis, ...], float, FloatArray]:
        """Axes, fills and sums of squares; goes to the end of the base class TH1."""
        start = self.at
        end = self._begin()
        (version,) = struct.unpack_from(">h", self._bytes, start + 4)
        if version < _OLDEST_TH1:
            msg = f"it was written with version {version} of TH1, older than {_OLDEST_TH1}"
            raise DamagedError(msg)
        for _ in range(4):  # name and title; line, fill and marker attributes
            self._skip()
        self.at += 4  # fNcells
        axes = tuple([self._axis() for _ in range(3)][:n_axes])
        self.at += 4  # bar chart options
        (fills,) = struct.unpack_from(">d", self._bytes, self.at)
        self.at += 8 * 8  # statistics and limits of drawing
        self._array(">f8")  # contour levels
        squares = self._array(">f8")
        self.at += 1 + self._bytes[self.at]  # drawing option
        self._skip()  # list of functions
        self._no_buffer()
        self.at = end
        return axes, fills, squares

    def _begin(self) -> int:
        """Enter a class part, which begins with its byte count; where it ends."""
        count, _ = struct.unpack_from(">Ih", self._bytes, self.at)
        end: int = self.at + 4 + (count & ~_BYTE_COUNT)
        if not count & _BYTE_COUNT or end > len(self._bytes):
            msg = f"no class part begins at byte {self.at}"
            raise DamagedError(msg)
        self.at += 6
        return end

    def _skip(self) -> None:
        self.at = self._begin()

    def _array(self, item: str) -> FloatArray:
        (n,) = struct.unpack_from(">i", self._bytes, self.at)
        begin, size = self.at + 4, int(item[-1])
        if n < 0 or begin + n * size > len(self._bytes):
            msg = f"an array of {n} items at byte {self.at} does not fit"
            raise DamagedError(msg)
        self.at = begin + n * size
        return np.frombuffer(self._bytes, item, n, begin).astype(np.float64)

    def _axis(self) -> Axis:
        end = self._begin()
        for _ in range(2):  # name and attributes
            self._skip()
        n, low, high = struct.unpack_from(">idd", self._bytes, self.at)
        self.at += 20
        edges = self._array(">f8")
        if len(edges) and not _evenly_spaced(edges, Axis(n, low, high)):
            msg = "its bins have unequal widths"
            raise DamagedError(msg)
        self.at = end
        return Axis(n, low, high)

    def _no_buffer(self) -> None:
        """Refuse fills that wait in fBuffer: they are not in the bins yet."""
        (size,) = struct.unpack_from(">i", self._bytes, self.at)
        if not size or not self._bytes[self.at + 4]:
            return
        if struct.unpack_from(">d", self._bytes, self.at + 5)[0]:
            msg = "it has fills that are buffered and not in the bins"
            raise DamagedError(msg)


def _evenly_spaced(edges: FloatArray, axis: Axis) -> bool:
    expected = np.linspace(axis.low, axis.high, axis.n + 1)
    tolerance = 1e-9 * (axis.high - axis.low) / axis.n
    return len(edges) == len(expected) and np.allclose(edges, expected, rtol=0, atol=tolerance)


def _check_lengths(bins: Bins) -> None:
    n_cells = math.prod(axis.n + 2 for axis in bins.axes)
    lengths = {"bin contents": len(bins.sums)}
    if bins.entries is not None:
        lengths |= {"bin entries": len(bins.entries), "sums of squares": len(bins.squares)}
    if bins.weights_squared is not None and len(bins.weights_squared):
        lengths["squared weights"] = len(bins.weights_squared)
    for what, n in lengths.items():
        if n != n_cells:
            msg = f"it has {n} {what}, its axes ask for {n_cells}"
            raise DamagedError(msg)
