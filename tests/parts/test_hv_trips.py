"""Trips of the high voltage: algorithms-hitmaps.md 5."""

from __future__ import annotations

from dataclasses import astuple, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sctcalib.configuration.options import options
from sctcalib.detector.identifiers import module_of, wafer_hash, wafers
from sctcalib.detector.regions import N_MODULES, N_WAFERS
from sctcalib.parts.hv_trips import Thresholds, TimeBins, Trips, find_trips
from sctcalib.parts.layer_means import layer_of_wafer

THRESHOLDS = Thresholds.from_options({name: o.default for name, o in options().items()})
WAFER = int(wafer_hash(0, 3, 3, -1))
MODULE = int(module_of(0, 3, 3, -1))
LAYER = np.flatnonzero(layer_of_wafer() == layer_of_wafer()[WAFER])


def run(n_bins=200, events=50, base=1, first=0):
    """Bins of a quiet run: one hit on each wafer in a bin, ten bins to a lumi block."""
    number = first + np.arange(n_bins)
    lumi_block = 1 + np.arange(n_bins) // 10
    hits = np.full((n_bins, N_WAFERS), base, dtype=np.int32)
    return TimeBins(number, np.full(n_bins, events), lumi_block, lumi_block, hits)


def trips(found: Trips):
    return np.column_stack(astuple(found)).tolist()


def test_example_of_a_trip():
    bins = run()
    bins.hits[100:106, WAFER] = 60
    found = find_trips(bins, THRESHOLDS)
    assert trips(found.wafers) == [[WAFER, 500, 530, 11, 11]]
    assert trips(found.modules) == [[MODULE, 500, 530, 11, 11]]
    assert (found.n_bins, found.seconds, found.n_events) == (200, 1000, 10_000)
    assert found.n_wafers == N_WAFERS


def test_example_of_three_bins_is_none():
    bins = run()
    bins.hits[100:103, WAFER] = 60
    assert len(find_trips(bins, THRESHOLDS).wafers) == 0


def test_four_bins_are_enough_and_may_be_at_the_edges_of_the_run():
    bins = run()
    bins.hits[:4, WAFER] = 60
    bins.hits[-4:, WAFER] = 60
    assert trips(find_trips(bins, THRESHOLDS).wafers) == [
        [WAFER, 0, 20, 1, 1], [WAFER, 980, 1000, 20, 20],
    ]  # fmt: skip


def test_example_of_beam_that_comes_on():
    bins = run()
    bins.hits[100:106, LAYER] = 60
    assert len(find_trips(bins, THRESHOLDS).wafers) == 0


def test_rest_of_the_layer_decides_and_not_other_layers():
    bins = run()
    others = np.setdiff1d(np.arange(N_WAFERS), LAYER)
    bins.hits[100:106, others] = 60
    bins.hits[100:106, WAFER] = 60
    assert trips(find_trips(bins, THRESHOLDS).wafers) == [[WAFER, 500, 530, 11, 11]]


def test_rings_and_sides_of_the_detector_are_layers_of_their_own():
    w = wafers()
    ring = (w.bec == 2) & (w.layer == 4)
    mine = np.flatnonzero(ring & (w.eta == 1))
    bins = run()
    bins.hits[100:106, mine[:-3]] = 60  # most of the ring: beam
    bins.hits[100:106, np.flatnonzero(ring & (w.eta == 2))[0]] = 60
    found = find_trips(bins, THRESHOLDS).wafers
    assert found.index.tolist() == np.flatnonzero(ring & (w.eta == 2))[:1].tolist()


@pytest.mark.parametrize(("hits", "found"), [(25, 0), (26, 1)])
def test_more_than_five_hits_per_second(hits, found):
    bins = run(events=1000)
    bins.hits[50:54, WAFER] = hits
    assert len(find_trips(bins, THRESHOLDS).wafers) == found


@pytest.mark.parametrize(("hits", "found"), [(240, 0), (241, 1)])
def test_more_than_four_times_the_normal_rate(hits, found):
    bins = run(base=1)
    bins.hits[:, WAFER] = 60  # always noisy: that is its normal rate
    bins.hits[50:54, WAFER] = hits
    assert len(find_trips(bins, THRESHOLDS).wafers) == found


def test_rate_is_per_event_so_that_a_higher_trigger_rate_is_no_trip():
    bins = run(events=50)
    bins.events[50:60] = 5000
    bins.hits[50:60] = 100
    assert len(find_trips(bins, THRESHOLDS).wafers) == 0


def test_intervals_at_most_a_bin_apart_are_one():
    bins = run()
    for first in (20, 25, 31, 60):
        bins.hits[first : first + 4, WAFER] = 60
    assert trips(find_trips(bins, THRESHOLDS).wafers) == [
        [WAFER, 100, 145, 3, 3], [WAFER, 155, 175, 4, 4], [WAFER, 300, 320, 7, 7],
    ]  # fmt: skip


def test_both_sides_of_a_module_are_merged():
    bins = run()
    bins.hits[100:104, WAFER] = 60
    bins.hits[103:108, WAFER + 1] = 60
    bins.hits[150:154, WAFER + 1] = 60
    bins.hits[40:44, 0] = 60
    found = find_trips(bins, THRESHOLDS)
    assert trips(found.wafers) == [
        [0, 200, 220, 5, 5], [WAFER, 500, 520, 11, 11],
        [WAFER + 1, 515, 540, 11, 11], [WAFER + 1, 750, 770, 16, 16],
    ]  # fmt: skip
    assert trips(found.modules) == [
        [0, 200, 220, 5, 5], [MODULE, 500, 540, 11, 11], [MODULE, 750, 770, 16, 16],
    ]  # fmt: skip


def test_long_interval_of_one_side_takes_in_later_ones_of_the_other():
    bins = run(400)
    bins.hits[100:140, WAFER] = 60
    bins.hits[105:109, WAFER + 1] = 60
    bins.hits[135:143, WAFER + 1] = 60
    assert trips(find_trips(bins, THRESHOLDS).modules) == [[MODULE, 500, 715, 11, 15]]


def test_lumi_blocks_are_the_smallest_and_largest_of_the_interval():
    bins = run()
    bins.hits[105:125, WAFER] = 60
    bins.last_lb[110] = 99
    assert trips(find_trips(bins, THRESHOLDS).wafers) == [[WAFER, 525, 625, 11, 99]]


def test_gap_in_time_ends_a_run_of_high_bins():
    bins = run()
    bins.number[102:] += 1000
    bins.hits[100:104, WAFER] = 60
    assert len(find_trips(bins, THRESHOLDS).wafers) == 0
    bins.hits[98:106, WAFER] = 60
    assert trips(find_trips(bins, THRESHOLDS).wafers) == [
        [WAFER, 490, 510, 10, 11], [WAFER, 5510, 5530, 11, 11],
    ]  # fmt: skip


def test_bins_without_events_are_no_bins():
    bins = run(40)
    bins.events[5:25] = 0
    bins.hits[5:25] = 0
    bins.hits[30:34, WAFER] = 60
    found = find_trips(bins, THRESHOLDS)
    assert (found.n_bins, found.seconds) == (20, 100)
    assert trips(found.wafers) == [[WAFER, 150, 170, 4, 4]]


def test_fewer_than_twenty_bins_are_not_judged():
    bins = run(19)
    bins.hits[5:9, WAFER] = 60
    found = find_trips(bins, THRESHOLDS)
    assert (found.n_bins, found.n_wafers, len(found.wafers)) == (19, 0, 0)
    assert find_trips(run(20), THRESHOLDS).n_wafers == N_WAFERS
    nothing = find_trips(run(0), THRESHOLDS)
    assert (nothing.n_bins, nothing.n_events, len(nothing.modules)) == (0, 0, 0)


def test_bad_modules_are_left_out_of_the_search_and_of_the_medians():
    bins = run()
    bins.hits[100:106, WAFER] = 60
    bins.hits[100:106, LAYER[: len(LAYER) * 3 // 4]] = 60
    bad = np.zeros(N_MODULES, dtype=bool)
    bad[LAYER[: len(LAYER) * 3 // 4] // 2] = True
    bad[MODULE] = False
    found = find_trips(bins, THRESHOLDS, bad_modules=bad)
    assert found.n_wafers == N_WAFERS - 2 * bad.sum()
    assert MODULE in found.modules.index
    bad[MODULE] = True
    assert len(find_trips(bins, THRESHOLDS, bad_modules=bad).modules) == 0


def test_width_of_the_bins_scales_seconds_and_rates():
    bins = run()
    bins.hits[100:106, WAFER] = 60
    wide = replace(THRESHOLDS, bin_width=11)
    assert trips(find_trips(bins, wide).wafers) == [[WAFER, 1100, 1166, 11, 11]]
    assert len(find_trips(bins, replace(THRESHOLDS, bin_width=12)).wafers) == 0


def test_absolute_times_stay_exact():
    first = 1_700_000_000 // 5
    bins = run(first=first)
    bins.hits[100:106, N_WAFERS - 1] = 60
    found = find_trips(bins, THRESHOLDS)
    assert found.modules.start.tolist() == [(first + 100) * 5]
    assert found.modules.end.tolist() == [(first + 106) * 5]


@settings(max_examples=30, deadline=None)
@given(split=st.lists(st.booleans(), min_size=30, max_size=30), seed=st.integers(0, 1000))
def test_sums_of_parts_are_the_sums_of_the_whole(split, seed):
    random = np.random.default_rng(seed)
    number = random.integers(0, 8, 30)
    lumi_block, hits = random.integers(1, 50, 30), random.integers(0, 5, (30, N_WAFERS))

    def summed(wanted):
        parts = [
            TimeBins(number[[i]], np.ones(1, int), lumi_block[[i]], lumi_block[[i]], hits[[i]])
            for i in wanted
        ]
        total = run(0)
        for part in parts:
            total = total + part
        return total

    chosen = np.array(split)
    one, two = summed(np.flatnonzero(chosen)), summed(np.flatnonzero(~chosen))
    whole = summed(range(30))
    for part, expected in zip(astuple(one + two), astuple(whole), strict=True):
        np.testing.assert_array_equal(part, expected)
    assert whole.number.tolist() == np.unique(number).tolist()
    assert whole.events.sum() == 30
    first = number == whole.number[0]
    assert whole.first_lb[0] == lumi_block[first].min()
    assert whole.last_lb[0] == lumi_block[first].max()
    np.testing.assert_array_equal(whole.hits[0], hits[first].sum(axis=0))
