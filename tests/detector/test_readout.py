"""Readout swap, chips and online strips: detector.md 5, algorithms-hitmaps.md 1.7, E6."""

from __future__ import annotations

import numpy as np
import pytest

from sctcalib.detector import readout
from sctcalib.detector.identifiers import wafer_hash, wafers
from sctcalib.detector.regions import N_WAFERS


def test_default_table_has_988_modules_with_side_0_swapped_and_4088_wafers():
    swap = readout.default_swap()
    assert swap.shape == (N_WAFERS,)
    assert np.count_nonzero(swap[::2]) == 988
    assert np.count_nonzero(swap) == 4088
    assert np.all(swap[::2] != swap[1::2])


@pytest.mark.parametrize(
    ("bec", "layer", "eta", "swapped"),
    [(0, 0, -6, False), (0, 3, 6, False),
     (2, 0, 0, False), (2, 7, 0, False), (2, 8, 0, True), (2, 0, 1, False), (2, 1, 2, True),
     (-2, 0, 0, True), (-2, 7, 0, True), (-2, 8, 0, False), (-2, 0, 1, True), (-2, 1, 2, False)],
)  # fmt: skip
def test_default_swap_of_side_0(bec, layer, eta, swapped):
    assert readout.default_swap()[wafer_hash(bec, layer, 3, eta, 0)] == swapped
    assert readout.default_swap()[wafer_hash(bec, layer, 3, eta, 1)] != swapped


@pytest.mark.parametrize(
    ("strips", "side", "swap", "chip"),
    [((0, 64), 0, False, 0), ((0, 64), 0, True, 5), ((128, 192), 1, False, 7),
     ((128, 192), 1, True, 10), ((767, 767), 1, False, 11), ((767, 767), 1, True, 6)],
)  # fmt: skip
def test_chip_of_strip(strips, side, swap, chip):
    first, last = strips
    chips = readout.chip_of_strip(np.arange(first, last + 1), side, swap)
    assert set(chips.tolist()) == {chip}
    assert readout.geometrical_chip(chip, swap) == first // 128


def test_chip_is_the_physical_chip_of_the_geometrical_one():
    strips = np.arange(768)
    c = strips // 128
    assert np.array_equal(readout.chip_of_strip(strips, 0, False), c)
    assert np.array_equal(readout.chip_of_strip(strips, 0, True), 5 - c)
    assert np.array_equal(readout.chip_of_strip(strips, 1, False), 6 + c)
    assert np.array_equal(readout.chip_of_strip(strips, 1, True), 11 - c)


def test_online_strip_counts_in_readout_order_from_side_0_to_side_1():
    assert readout.online_strip(10, 0, False) == 10
    assert readout.online_strip(10, 0, True) == 757
    assert readout.online_strip(10, 1, False) == 778
    assert readout.online_strip(10, 1, True) == 1525


def test_readout_order_is_its_own_inverse():
    strips = np.tile(np.arange(768), (N_WAFERS, 1))
    swap = readout.default_swap()[:, None]
    assert np.array_equal(readout.readout_strip(readout.readout_strip(strips, swap), swap), strips)


def test_regrouping_by_chip_agrees_with_the_chip_of_each_strip():
    values = np.tile(np.arange(768), (4, 1))
    swap = np.array([False, True, True, False])
    grouped = readout.per_chip(values, swap)
    assert grouped.shape == (4, 6, 128)
    for row in range(4):
        for chip in range(6):
            assert set(readout.chip_of_strip(grouped[row, chip], 0, swap[row]).tolist()) == {chip}


def test_one_wafer_per_side():
    assert np.array_equal(wafers().side, np.arange(N_WAFERS) % 2)
