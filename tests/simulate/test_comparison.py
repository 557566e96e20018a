"""Efficiency and purity of lists made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from sctcalib.detector.readout import default_swap
from sctcalib.detector.regions import N_STRIPS, N_WAFERS
from sctcalib.simulate import comparison
from sctcalib.simulate.comparison import CHIPS, NEW, REFERENCE, STRIPS, WAFERS, Found
from sctcalib.simulate.model import CATEGORIES, NEAR, NOISY, Planted
from sctcalib.simulate.truth import MapFiles, Reference, Truth

BARREL = 4938
"""(0,3,3,-1) side 0, module 2469, not swapped."""


def truth_of(strips, *, n_events=20_000, reference=None) -> Truth:
    """A run with planted (wafer, strip, occupancy); near the threshold below 0.017."""
    wafer, strip, occupancy = map(np.array, zip(*strips, strict=True))
    near = CATEGORIES.index(NEAR) * (occupancy < 0.017) + CATEGORIES.index(NOISY)
    planted = Planted(wafer, strip, occupancy.astype(float), near)
    old = reference and Reference(1, "", "", reference)
    return Truth(
        2, "", "", 1, 0.015, np.array([n_events]), 30, (MapFiles("", "", n_events),), 4e-4,
        planted, old,
    )  # fmt: skip


def mask(*strips) -> np.ndarray:
    flags = np.zeros((N_WAFERS, N_STRIPS), dtype=bool)
    for wafer, strip in strips:
        flags[wafer, strip] = True
    return flags


def scores(truth, found) -> dict[str, comparison.Score]:
    return {score.name: score for score in comparison.compare(truth, found)}


def test_strips_found_missed_and_too_many():
    truth = truth_of([(1, 5, 0.1), (1, 6, 0.1), (2, 0, 0.5), (3, 7, 0.0155)])
    score = scores(truth, Found(strips=mask((1, 5), (2, 0), (9, 9))))[STRIPS]
    assert (score.expected, score.found) == (3, 2)
    assert list(comparison.describe(STRIPS, score.missed)) == ["-2.0.0.0 side 1 strip 6"]
    assert list(comparison.describe(STRIPS, score.extra)) == ["-2.0.2.0 side 1 strip 9"]
    assert score.efficiency == pytest.approx(2 / 3)
    assert score.purity == pytest.approx(2 / 3)
    assert not score.is_right


@pytest.mark.parametrize("found_near", [True, False])
def test_strips_near_the_threshold_are_counted_apart(found_near):
    truth = truth_of([(1, 5, 0.1), (3, 7, 0.0155), (3, 8, 0.0145)])
    strips = mask((1, 5), *([(3, 7)] if found_near else []))
    score = scores(truth, Found(strips=strips))[STRIPS]
    assert (score.near, score.near_found) == (2, int(found_near))
    assert (score.efficiency, score.purity, score.is_right) == (1, 1, True)


def test_everything_is_near_the_threshold_in_a_few_events():
    # in 100 events a single noise hit exceeds the threshold of 1.5
    score = scores(truth_of([(1, 5, 0.9)], n_events=100), Found(strips=mask((1, 5), (8, 8))))[
        STRIPS
    ]
    assert score.is_right
    assert score.expected == 1
    assert score.near == N_WAFERS * N_STRIPS - 1


def test_nothing_is_expected_without_events():
    score = scores(truth_of([(1, 5, 0.9)], n_events=0), Found(strips=mask()))[STRIPS]
    assert (score.expected, score.efficiency, score.purity, score.is_right) == (0, 1, 1, True)


@pytest.mark.parametrize(
    ("sure", "near", "expected", "near_chips"), [(65, 0, 1, 0), (64, 0, 0, 0), (64, 1, 0, 1)]
)
def test_noisy_chips_follow_from_their_strips(sure, near, expected, near_chips):
    strips = [(BARREL, s, 0.1) for s in range(sure)]
    strips += [(BARREL, sure + s, 0.015) for s in range(near)]
    chips = np.zeros((N_WAFERS, 6), dtype=bool)
    chips[BARREL, 0] = chips[BARREL + 1, 2] = True
    score = scores(truth_of(strips), Found(chips=chips))[CHIPS]
    assert (score.expected, score.found, score.near) == (expected, expected, near_chips)
    extra = list(comparison.describe(CHIPS, score.extra))
    assert extra[-1] == "0.3.3.-1 chip 8"
    assert len(extra) == 2 - expected - near_chips


def test_chips_are_in_readout_order():
    swapped = int(np.flatnonzero(default_swap())[0])
    noisy = comparison.noisy_chips(mask(*((swapped, s) for s in range(65))))
    assert np.argwhere(noisy).tolist() == [[swapped, 5]]


@pytest.mark.parametrize(("n", "hot"), [(384, 0), (385, 1)])
def test_hot_wafers_have_more_than_half_of_their_strips(n, hot):
    truth = truth_of([(BARREL, s, 0.1) for s in range(n)])
    wafers = np.arange(N_WAFERS) == BARREL
    score = scores(truth, Found(wafers=wafers))[WAFERS]
    assert (score.expected, score.found, len(score.extra)) == (hot, hot, 1 - hot)
    assert list(comparison.describe(WAFERS, score.extra)) == ["0.3.3.-1 side 0"] * (1 - hot)


def test_new_and_reference_strips():
    truth = truth_of(
        [(BARREL, 5, 0.1), (BARREL, 6, 0.1), (BARREL + 1, 7, 0.1)],
        reference={2469: np.array([5, 20])},
    )
    right = Found(new=mask((BARREL, 6), (BARREL + 1, 7)), reference=mask((BARREL, 5), (BARREL, 20)))
    assert all(score.is_right for score in comparison.compare(truth, right))
    wrong = Found(new=mask((BARREL, 5), (BARREL, 6)), reference=mask((BARREL, 5)))
    by_name = scores(truth, wrong)
    assert (len(by_name[NEW].missed), len(by_name[NEW].extra)) == (1, 1)
    assert (len(by_name[REFERENCE].missed), len(by_name[REFERENCE].extra)) == (1, 0)


def test_reference_strips_of_modules_that_the_file_leaves_out_are_not_missed():
    truth = truth_of([(BARREL, 5, 0.1)], reference={2469: np.array([5]), 7: np.array([1, 2])})
    listed = np.arange(4088) == 2469
    found = Found(new=mask(), reference=mask((BARREL, 5)), reference_run=1, listed=listed)
    by_name = scores(truth, found)
    assert by_name[REFERENCE].is_right
    assert by_name[REFERENCE].expected == 1
    assert by_name[NEW].is_right


@pytest.mark.parametrize("used", [None, 3])
def test_new_strips_relative_to_another_run_are_not_judged(used):
    truth = truth_of([(BARREL, 5, 0.1)], reference={7: np.array([1])})
    listed = np.zeros(4088, dtype=bool)
    found = Found(new=mask(), reference=mask(), reference_run=used, listed=listed)
    assert scores(truth, found) == {}


def test_without_a_reference_every_strip_is_new():
    truth = truth_of([(BARREL, 5, 0.1)])
    for listed in (None, np.arange(4088) == 2469):
        score = scores(truth, Found(new=mask((BARREL, 5)), listed=listed))[NEW]
        assert (score.expected, score.found, score.is_right) == (1, 1, True)
    assert not scores(truth, Found(new=mask()))[NEW].is_right


def test_lists_by_module_become_flags():
    flags = comparison.strip_mask({2469: np.array([0, 767, 768])})
    assert np.argwhere(flags).tolist() == [[BARREL, 0], [BARREL, 767], [BARREL + 1, 0]]
    assert not comparison.strip_mask({}).any()
