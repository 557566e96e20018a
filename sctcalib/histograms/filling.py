"""Filling empty histograms, many at a time, with what ROOT's Fill would leave in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sctcalib.histograms.layouts import Axis
from sctcalib.histograms.stacks import Stack

LARGEST_COUNT = 1 << 24
"""Above this, not every whole number is a float32; one fill more does not change a TH1F."""

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Fills:
    """Fills of a number of histograms: arrays of one shape (m,).

    ``row`` is the histogram, ``at`` its coordinates (x, or x and y), ``count`` how many fills with
    weight one are made there.
    """

    row: IntArray
    at: tuple[IntArray, ...]
    count: IntArray


def fill(stack: Stack, fills: Fills) -> None:
    """Set contents, entries and sums of empty histograms.

    Coordinates outside of an axis go to under- and overflow and count as entries, not in the sums.
    Raises ValueError where a content cannot be stored exactly.
    """
    axes = stack.family.axes
    n, n_cells = len(stack.fronts), stack.family.n_cells
    cell = np.zeros(len(fills.row), dtype=np.int64)
    inside = np.ones(len(fills.row), dtype=bool)
    stride = 1
    for axis, values in zip(axes, fills.at, strict=True):
        bins = bin_of(axis, values)
        inside &= (bins >= 1) & (bins <= axis.n)
        cell += stride * bins
        stride *= axis.n + 2
    weights = fills.count.astype(np.float64)
    cells = np.bincount(fills.row * n_cells + cell, weights, n * n_cells)
    contents = cells.astype(np.float64, copy=False)
    exact_or_raise(contents)
    stack.contents[:] = contents.reshape(n, n_cells)
    entries = np.bincount(fills.row, weights, n)
    row, weight = fills.row[inside], weights[inside]
    sums = [np.bincount(row, weight * x, n) for x in _products(fills.at, inside)]
    stack.set_statistics(np.column_stack([entries, *sums]))


def bin_of(axis: Axis, values: IntArray) -> IntArray:
    """The bin of each coordinate: 0 is underflow, n + 1 overflow."""
    width = (axis.high - axis.low) / axis.n
    bins = np.floor((values - axis.low) / width).astype(np.int64) + 1
    return np.asarray(np.clip(bins, 0, axis.n + 1))


def exact_or_raise(contents: NDArray[np.floating]) -> None:
    """Raise ValueError unless all contents are whole numbers that a float32 holds."""
    if contents.size and (
        contents.min() < 0 or not contents.max() <= LARGEST_COUNT or np.any(contents % 1)
    ):
        msg = f"contents must be whole numbers of 0 to {LARGEST_COUNT}"
        raise ValueError(msg)


def _products(at: Sequence[IntArray], inside: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """1, 1, x, xx (and y, yy, xy) of the fills inside: what the sums of ROOT add up."""
    x = at[0][inside].astype(np.float64)
    ones = np.ones(len(x))
    terms = [ones, ones, x, x * x]
    if len(at) == 2:
        y = at[1][inside].astype(np.float64)
        terms += [y, y * y, x * y]
    return terms
