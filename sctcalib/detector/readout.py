"""Strip, chip and link numbers, and the readout swap (reference/detector.md 5).

Offline strips increase with phi; the readout order runs the other way on swapped wafers. Chips
0-5 of a module are on side 0 (link 0), chips 6-11 on side 1 (link 1), in readout order.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sctcalib.detector.identifiers import IntArray, wafers
from sctcalib.detector.regions import N_CHIPS_PER_SIDE, N_STRIPS, N_STRIPS_PER_CHIP

BoolArray = NDArray[np.bool_]

LAST_STRIP = N_STRIPS - 1


@cache
def default_swap() -> BoolArray:
    """Which wafers are read out against phi, shape (8176,), by the recipe of detector.md 5."""
    w = wafers()
    side_a = w.bec == 2
    turned_outer = (w.eta == 0) & (w.layer == 8)
    end_cap = np.where((w.eta == 1) | ((w.eta == 0) & ~turned_outer), ~side_a, side_a)
    swap_side_0 = (w.bec != 0) & end_cap
    swap: BoolArray = swap_side_0 ^ (w.side == 1)
    swap.flags.writeable = False
    return swap


def readout_strip(strip: ArrayLike, swap: ArrayLike) -> IntArray:
    """Position in readout order of offline strips, and the reverse (it is its own inverse)."""
    strips = np.asarray(strip, dtype=np.int64)
    return np.where(swap, LAST_STRIP - strips, strips)


def chip_of_strip(strip: ArrayLike, side: ArrayLike, swap: ArrayLike) -> IntArray:
    """Chip 0-11 of the module that reads out offline strips."""
    chip = readout_strip(strip, swap) // N_STRIPS_PER_CHIP
    return chip + N_CHIPS_PER_SIDE * np.asarray(side, dtype=np.int64)


def geometrical_chip(chip: ArrayLike, swap: ArrayLike) -> IntArray:
    """``offline strip // 128`` of chips 0-11 of the module."""
    on_side = np.asarray(chip, dtype=np.int64) % N_CHIPS_PER_SIDE
    return np.where(swap, N_CHIPS_PER_SIDE - 1 - on_side, on_side)


def online_strip(strip: ArrayLike, side: ArrayLike, swap: ArrayLike) -> IntArray:
    """Strip 0-1535 of the module in readout order (calibration and DAQ numbering)."""
    return readout_strip(strip, swap) + N_STRIPS * np.asarray(side, dtype=np.int64)


def per_chip(values: NDArray[np.generic], swap: BoolArray) -> NDArray[np.generic]:
    """Regroup an array over wafers and offline strips by chip in readout order.

    ``values`` has the shape (n, 768), ``swap`` (n,); the result is (n, 6, 128).
    """
    ordered = np.where(swap[:, None], values[:, ::-1], values)
    return ordered.reshape(len(values), N_CHIPS_PER_SIDE, N_STRIPS_PER_CHIP)
