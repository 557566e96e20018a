"""The part doNoisyLB: algorithms-hitmaps.md 3.8."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from sctcalib.configuration.options import options
from sctcalib.detector.regions import N_CHIPS
from sctcalib.parts.noisy_lumi_blocks import (
    FIRST_LB,
    Thresholds,
    find_noisy_lumi_blocks,
    noisy_lumi_blocks,
)
from sctcalib.parts.strip_lists import encode, normalised

EVENTS = np.array([100, 100, 0, 100, 100, 5, 0, 0, 0, 0])
THRESHOLDS = Thresholds.from_options({name: o.default for name, o in options().items()})
CHIP = 12 * 2469 + 7


def example():
    hits = np.zeros((N_CHIPS, 10), dtype=np.float32)
    hits[CHIP, [0, 1, 3, 4, 5]] = [50, 97, 200, 96, 50]
    return hits


def test_thresholds_of_the_packaged_configuration():
    assert THRESHOLDS.chip_hits == np.float32(0.9599999785)
    assert (THRESHOLDS.min_events, THRESHOLDS.chip_fraction) == (10, 0.01)


def test_example_of_one_chip():
    found = find_noisy_lumi_blocks(EVENTS, example(), THRESHOLDS)
    assert found.chips.tolist() == [CHIP]
    assert normalised(encode(np.flatnonzero(found.chip_lumi_blocks[0]) + FIRST_LB)) == "2 4-5"
    assert found.chip_noisy_fractions.tolist() == [0.75]
    assert found.judged.sum() == 4
    assert found.chip_counts.tolist() == [0, 1, 0, 1, 1, 0, 0, 0, 0, 0]
    assert (found.noisy.any(), found.noisy_fraction, found.flag) == (False, 0, "Y")
    assert found.n_events == 405
    np.testing.assert_allclose(found.occupancy[1], 97 / (100 * 6279168))
    np.testing.assert_allclose(found.occupancy[5], 50 / (5 * 6279168))
    assert found.occupancy[2] == 0


@pytest.mark.parametrize(
    ("chips", "fraction", "noisy", "flag"),
    [(490, 0.0099886, False, "Y"), (491, 0.010009, True, "R")],
)
def test_example_of_a_noisy_lumi_block(chips, fraction, noisy, flag):
    hits = np.zeros((N_CHIPS, 10), dtype=np.float32)
    hits[np.linspace(0, N_CHIPS - 1, chips).astype(int), 1] = 97
    found = find_noisy_lumi_blocks(EVENTS, hits, THRESHOLDS)
    assert len(found.chips) == chips
    assert found.chip_fraction[1] == pytest.approx(fraction, rel=1e-4)
    assert np.flatnonzero(found.noisy).tolist() == [1] * noisy
    assert found.flag == flag
    assert found.noisy_fraction == (0.25 if noisy else 0)


def test_lumi_block_at_the_limit_is_not_noisy():
    hits = np.zeros((N_CHIPS, 10), dtype=np.float32)
    hits[: N_CHIPS // 4, 1] = 97
    quarter = replace(THRESHOLDS, chip_fraction=0.25)
    assert find_noisy_lumi_blocks(EVENTS, hits, quarter).flag == "Y"


def test_flags_of_silence_and_of_too_few_events():
    hits = np.zeros((N_CHIPS, 10), dtype=np.float32)
    assert find_noisy_lumi_blocks(EVENTS, hits, THRESHOLDS).flag == "G"
    few = np.full(10, 9)
    found = find_noisy_lumi_blocks(few, example(), THRESHOLDS)
    assert (found.flag, len(found.chips), found.noisy_fraction) == ("U", 0, 0)
    nothing = find_noisy_lumi_blocks(np.zeros(10, dtype=int), example() * 0, THRESHOLDS)
    assert (nothing.flag, nothing.occupancy.any(), nothing.n_events) == ("U", False, 0)


def test_least_number_of_events_is_enough():
    found = find_noisy_lumi_blocks(np.full(10, 10), example(), THRESHOLDS)
    assert found.judged.all()


def test_events_outside_of_the_lumi_blocks_are_events_of_the_run():
    found = find_noisy_lumi_blocks(EVENTS, example(), THRESHOLDS, n_events=500)
    assert found.n_events == 500


def test_hits_of_other_lumi_blocks_or_chips_are_refused():
    with pytest.raises(ValueError, match=r"\(49056, 9\), not \(49056, 10\)"):
        find_noisy_lumi_blocks(EVENTS, example()[:, 1:], THRESHOLDS)


def test_same_as_chip_by_chip():
    random = np.random.default_rng(3)
    events = random.integers(0, 40, 12)
    hits = random.poisson(0.7 * events, (N_CHIPS, 12)).astype(np.float32)
    found = find_noisy_lumi_blocks(events, hits, THRESHOLDS)
    flags = noisy_lumi_blocks(hits, events, THRESHOLDS.chip_hits) & (events >= 10)
    np.testing.assert_array_equal(found.chips, np.flatnonzero(flags.any(axis=1)))
    np.testing.assert_array_equal(found.chip_lumi_blocks, flags[found.chips])
    np.testing.assert_array_equal(found.chip_counts, flags.sum(axis=0))
    np.testing.assert_allclose(
        found.occupancy, hits.sum(axis=0, dtype=float) / np.maximum(events, 1) / 6279168
    )


def test_memory_for_a_long_run_is_small_besides_the_input():
    events = np.full(400, 100)
    hits = np.zeros((N_CHIPS, 400), dtype=np.float32)
    hits[:, 7] = 97
    tracemalloc.start()
    found = find_noisy_lumi_blocks(events, hits, THRESHOLDS)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found.chips) == N_CHIPS
    assert np.flatnonzero(found.noisy).tolist() == [7]
    assert peak < 0.75 * hits.nbytes  # a byte for each cell, twice while put together
