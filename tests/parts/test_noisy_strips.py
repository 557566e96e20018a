"""Noisy strips: the worked examples E4-E8 of algorithms-hitmaps.md 8.2."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sctcalib.detector.identifiers import module_of
from sctcalib.detector.readout import default_swap
from sctcalib.detector.regions import N_MODULE_STRIPS, N_MODULES, N_STRIPS, N_WAFERS
from sctcalib.parts.noisy_strips import KnownBad, Thresholds, find
from sctcalib.parts.strip_lists import encode, normalised

MODULE = int(module_of(0, 3, 3, -1))
"""The module of the worked examples."""
THRESHOLDS = Thresholds(
    strip=np.float32(0.015),
    wafer=(np.float32(1e-3),) * 3,
    wafer_fraction=np.float32(0.5),
    chip_fraction=np.float32(0.5),
)
NO_SWAP = np.zeros(N_WAFERS, dtype=bool)


def hits(values, wafer=2 * MODULE):
    """Hit counts that are zero but for given strips of a wafer."""
    counts = np.zeros((N_WAFERS, N_STRIPS), dtype=np.uint32)
    for strips, count in values:
        counts[wafer, strips] = count
    return counts


def search(counts, n_events=10_000, thresholds=THRESHOLDS, swap=NO_SWAP, **more):
    return find(counts, counts.sum(axis=1).astype(float), n_events, thresholds, swap=swap, **more)


def strips_of(flags, module=MODULE):
    return np.flatnonzero(flags[module]).tolist()


@pytest.mark.parametrize(
    ("n_events", "count", "noisy"),
    [(10_000, 150, 0), (10_000, 151, 1), (20_000, 300, 0), (20_000, 301, 1), (12_345, 185, 0),
     (12_345, 186, 1)],
)  # fmt: skip
def test_e4_threshold_is_strict_in_single_precision(n_events, count, noisy):
    assert search(hits([(7, count)]), n_events).counts.strips_all == noisy


def test_the_online_threshold_is_used_when_the_default_is_not_offline():
    options = {
        "NoisyStripThrDef": False, "NoisyStripThrOffline": 0.015, "NoisyStripThrOnline": 0.0015,
        "NoisyWaferThrECC": 1e-3, "NoisyWaferThrBarrel": 2e-3, "NoisyWaferThrECA": 3e-3,
        "NoisyWaferFraction": 0.5, "NoisyChipFraction": 0.5, "NoisyWaferFinder": True,
        "NoisyWaferWrite": True, "NoisyWaferAllStrips": False,
    }  # fmt: skip
    thresholds = Thresholds.from_options(options)
    assert thresholds.strip == np.float32(0.0015)
    assert thresholds.wafer == (np.float32(1e-3), np.float32(2e-3), np.float32(3e-3))


def test_e5_wafer_is_noisy_from_385_strips_on():
    found = search(hits([(slice(0, 385), 200)]))
    assert np.flatnonzero(found.noisy_wafers).tolist() == [2 * MODULE]
    assert found.counts.links == 1
    assert found.counts.strips_all == 385

    found = search(hits([(slice(0, 384), 200)]))
    assert not found.noisy_wafers.any()
    assert found.counts.strips_all == 384


def test_e5_wafer_with_low_average_is_not_noisy():
    thresholds = replace(THRESHOLDS, wafer=(np.float32(1),) * 3)
    assert not search(hits([(slice(0, 385), 200)]), thresholds=thresholds).noisy_wafers.any()


@pytest.mark.parametrize("region", [0, 1, 2])
def test_each_region_has_its_own_wafer_threshold(region):
    first_of = [0, 1976, 6200]
    high = [np.float32(1)] * 3
    high[region] = np.float32(1e-3)
    counts = sum(hits([(slice(0, 500), 200)], wafer) for wafer in first_of)
    found = search(counts, thresholds=replace(THRESHOLDS, wafer=tuple(high)))
    assert np.flatnonzero(found.noisy_wafers).tolist() == [first_of[region]]


def test_average_occupancy_of_a_wafer_comes_from_entries_not_from_contents():
    counts = hits([(slice(0, 385), 200)])
    entries = np.zeros(N_WAFERS)
    found = find(counts, entries, 10_000, THRESHOLDS, swap=NO_SWAP)
    assert not found.noisy_wafers.any()


def test_e5_unwritten_noisy_wafer_is_left_out_and_later_wafers_are_not():
    counts = hits([(slice(0, 385), 200)]) + hits([(5, 200)], wafer=8000)
    found = search(counts, thresholds=replace(THRESHOLDS, wafer_write=False))
    assert found.noisy_wafers[2 * MODULE]
    assert strips_of(found.all) == []
    assert strips_of(found.all, 4000) == [5]


def test_noisy_wafer_adds_all_strips_when_asked_to():
    counts = hits([(slice(0, 385), 200)])
    bad = np.ones((N_WAFERS, N_STRIPS), dtype=bool)
    found = search(
        counts,
        thresholds=replace(THRESHOLDS, wafer_all_strips=True),
        known_bad=KnownBad(configuration=bad),
    )
    assert strips_of(found.all) == list(range(768))
    assert strips_of(found.new) == list(range(768))


def test_without_the_wafer_finder_links_are_counted_all_the_same():
    thresholds = replace(THRESHOLDS, wafer_finder=False, wafer_write=False)
    found = search(hits([(slice(0, 385), 200)]), thresholds=thresholds)
    assert found.counts.links == 1
    assert found.counts.strips_all == 385


@pytest.mark.parametrize(
    ("side", "strips", "swapped", "chips"),
    [
        (0, slice(0, 65), False, [0]),
        (0, slice(0, 65), True, [5]),
        (1, slice(128, 193), False, [7]),
        (1, slice(128, 193), True, [10]),
        (0, slice(0, 64), False, []),
        (0, [*range(64), *range(128, 192)], False, []),
    ],
)
def test_e6_chip_is_noisy_from_65_strips_on(side, strips, swapped, chips):
    counts = hits([(strips, 200)], wafer=2 * MODULE + side)
    swap = np.full(N_WAFERS, swapped)
    found = search(counts, swap=swap)
    assert np.flatnonzero(found.noisy_chips[MODULE]).tolist() == chips


def test_e6_chips_counts_modules():
    counts = hits([(slice(0, 65), 200)]) + hits([(slice(128, 193), 200)], wafer=2 * MODULE + 1)
    found = search(counts)
    assert np.flatnonzero(found.noisy_chips[MODULE]).tolist() == [0, 7]
    assert found.counts.chips == 1


def e8_reference():
    a, b, c = 100, 200, 300
    ref = np.zeros((N_MODULES, N_MODULE_STRIPS), dtype=bool)
    ref[a, [5, 20]] = True
    ref[c, 9] = True
    counts = (
        hits([([5, 10, 11, 12], 200)], wafer=2 * a)
        + hits([(0, 200)], wafer=2 * a + 1)
        + hits([(7, 200)], wafer=2 * b)
    )
    return search(counts, reference=ref)


def test_e8_numbers_against_the_reference():
    counts = e8_reference().counts
    assert (counts.modules, counts.modules_ref) == (2, 2)
    assert (counts.strips_all, counts.strips_ref) == (6, 3)
    assert counts.modules_diff == 3
    assert counts.strips_new == 5


def test_e8_strips_gained_over_the_reference():
    found = e8_reference()
    texts = [normalised(encode(np.flatnonzero(found.gained[m]))) for m in (100, 200, 300)]
    assert texts == ["10-12 768", "7", ""]


def test_new_leaves_out_what_is_known_bad_and_announced_also_what_is_in_the_reference():
    bad = np.zeros((N_WAFERS, N_STRIPS), dtype=bool)
    bad[2 * MODULE, 3] = True
    ref = np.zeros((N_MODULES, N_MODULE_STRIPS), dtype=bool)
    ref[MODULE, 4] = True
    counts = hits([([3, 4, 5], 200)])
    for known in (KnownBad(configuration=bad), KnownBad(calibration=bad)):
        found = search(counts, known_bad=known, reference=ref)
        assert strips_of(found.all) == [3, 4, 5]
        assert strips_of(found.new) == [4, 5]
        assert strips_of(found.gained) == [3, 5]
        assert strips_of(found.announced) == [5]


def test_without_a_reference_all_strips_are_gained():
    found = search(hits([([3, 4], 200)]))
    assert strips_of(found.gained) == strips_of(found.announced) == [3, 4]


def test_without_events_nothing_is_noisy():
    found = search(np.zeros((N_WAFERS, N_STRIPS), dtype=np.uint32), n_events=0)
    assert found.counts.strips_all == 0
    assert found.counts.links == 0


def test_default_swap_table_gives_chips_of_the_barrel_side_1_reversed():
    found = search(hits([(slice(0, 65), 200)], wafer=2 * MODULE + 1), swap=default_swap())
    assert np.flatnonzero(found.noisy_chips[MODULE]).tolist() == [11]
