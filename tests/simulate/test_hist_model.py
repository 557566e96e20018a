"""The simulated detector and its monitoring: what is planted, and that counts follow from it."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from sctcalib.detector.identifiers import wafers
from sctcalib.detector.regions import N_STRIPS
from sctcalib.simulate.hist_model import Detector, Monitoring, measure, plan
from sctcalib.simulate.hist_settings import HistSettings, NoisyLayer

N_EVENTS = 50_000


def simulate(**changes: object) -> tuple[Detector, Monitoring]:
    settings = HistSettings(**{"run": 1, "n_events": N_EVENTS, **changes})  # type: ignore[arg-type]
    rng = np.random.default_rng(11)
    detector = plan(rng, settings)
    return detector, measure(rng, settings, detector)


def flat(value: object) -> list[object]:
    """Everything in nested data classes, dictionaries and arrays."""
    if isinstance(value, dict):
        return [x for each in value.values() for x in flat(each)]
    if isinstance(value, tuple):
        return [x for each in value for x in flat(each)]
    return value.ravel().tolist() if isinstance(value, np.ndarray) else [value]


def test_the_same_seed_gives_the_same_run():
    one, two = simulate(), simulate()
    assert flat(tuple(map(asdict, one))) == flat(tuple(map(asdict, two)))


def test_disabled_modules_measure_nothing():
    detector, counted = simulate(n_disabled=30)
    off = ~detector.enabled
    assert np.count_nonzero(off) == 60
    assert (off[::2] == off[1::2]).all()
    for values in (counted.crossings, counted.found, counted.trigger_hits, counted.errors):
        assert not values[off].any()
    assert not counted.hits[:, off].any()
    assert counted.hits[:, detector.enabled].sum(axis=0).all()


def test_inefficient_modules_are_planted():
    detector, _ = simulate(n_inefficient=7, n_disabled=0)
    low = detector.efficiency < 0.95
    assert np.count_nonzero(low) == 14
    assert (low[::2] == low[1::2]).all()
    assert detector.efficiency.min() >= 0.5
    assert (detector.efficiency[~low] >= 0.97).all()


def test_a_noisy_layer_has_twenty_times_the_noise():
    quiet, _ = simulate()
    noisy, _ = simulate(noisy_layers=(NoisyLayer(0, 2),))
    w = wafers()
    there = (w.bec == 0) & (w.layer == 2) & quiet.enabled
    ratio = noisy.noise[quiet.enabled] / quiet.noise[quiet.enabled]
    assert ratio == pytest.approx(np.where(there, 20, 1)[quiet.enabled], rel=1e-4)


@pytest.mark.parametrize("events", [0, 1, 3, 199])
def test_few_events(events):
    _, counted = simulate(n_events=events)
    assert counted.job_events.sum() == events
    assert counted.errors.max() <= events
    assert (counted.hits[counted.job_events == 0] == 0).all()


def test_counts_follow_from_the_truth():
    """Means over all sides, to five standard deviations."""
    detector, counted = simulate()
    expected = N_STRIPS * N_EVENTS * detector.hits.sum()
    assert abs(counted.hits.sum() - expected) < 5 * np.sqrt(expected)
    missed = (counted.crossings * (1 - detector.efficiency)).sum()
    assert abs((counted.crossings - counted.found).sum() - missed) < 5 * np.sqrt(missed)
    assert (counted.found_first <= counted.crossings_first).all()
    assert (counted.crossings_first <= counted.crossings).all()
    assert (counted.found_first <= counted.found).all()
    assert (counted.noise_hits <= counted.hits).all()


def test_noise_is_realistic_and_hits_are_mostly_of_tracks():
    detector, _ = simulate()
    on = detector.enabled
    barrel = (wafers().bec == 0) & on
    assert (detector.noise[barrel] * 1e5 > 0.1).all()
    assert (detector.noise[barrel] * 1e5 < 10).all()
    assert (detector.hits[on] * 1e5 > 100).all()
    assert (detector.hits[on] * 1e5 < 2000).all()


def test_errors_are_on_the_wanted_number_of_sides():
    _, counted = simulate(n_error_links=40, n_disabled=0)
    sides = np.flatnonzero(counted.errors.any(axis=1))
    assert len(sides) == 40
    assert len(set((sides // 2).tolist())) == 40
    n = N_EVENTS - counted.flagged_events
    assert counted.errors.max() == n
    assert not counted.errors[:, [6, 7, 8]].any()


@pytest.mark.parametrize("style", ["21.0", "master"])
def test_widths_are_whole_strips_with_a_spread_of_a_third_to_a_half(style):
    _, counted = simulate(style=style)
    n, sums, squares = counted.widths[0, 0, 111]
    near = np.abs(np.linspace(-1, 1, 360) * (18 if style == "21.0" else 90) + 4) < 5
    mean = sums[near].sum() / n[near].sum()
    spread = np.sqrt(squares[near].sum() / n[near].sum() - mean**2)
    assert 1.1 < mean < 1.5
    assert 0.3 < spread < 0.5
    assert (sums >= n).all()
    assert (squares >= sums).all()


def test_100_sensors_have_few_tracks_and_none_in_layer_1():
    _, counted = simulate()
    totals = {key: n.sum() for key, (n, _, _) in counted.widths.items()}
    assert totals[1, 0, 100] == totals[1, 1, 100] == 0
    assert 0.01 < totals[0, 0, 100] / totals[0, 0, 111] < 0.02


def test_in_standby_events_are_counted_and_nothing_is_measured():
    _, counted = simulate(is_empty=True)
    assert counted.job_events.sum() == N_EVENTS
    assert not any(
        values.any()
        for values in (counted.crossings, counted.hits, counted.trigger_hits, counted.errors)
    )
    assert not any(n.any() for n, _, _ in counted.widths.values())
