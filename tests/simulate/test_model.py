"""Occupancies and planted defects of the simulated detector; detector.md 7."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sctcalib.detector.geometry import MODULE_TYPES, module_types
from sctcalib.detector.readout import chip_of_strip
from sctcalib.detector.regions import N_STRIPS, N_WAFERS
from sctcalib.job.errors import OutOfRangeError
from sctcalib.simulate import model
from sctcalib.simulate.model import CHIP, NEAR, NOISY, WAFER, Defects, HitSource

EVENTS = 3000
DEFECTS = Defects(noisy=30, near=10, noisy_chips=3, hot_wafers=1)


@pytest.fixture(scope="module")
def planted():
    return model.plan(np.random.default_rng(5), DEFECTS, EVENTS)


@pytest.fixture(scope="module")
def occupancy(planted):
    return model.strip_occupancy(np.random.default_rng(6), planted)


@pytest.fixture(scope="module")
def hits(occupancy):
    """Hits of every strip in all events, with a check of the clusters on the way."""
    counts = np.zeros(N_WAFERS * N_STRIPS, dtype=np.int64)
    source = HitSource(occupancy)
    ends = [0]
    for clusters, begin, end in source.draw(np.random.default_rng(7), EVENTS):
        assert begin == ends[-1]
        assert np.all((clusters.event >= 0) & (clusters.event < end - begin))
        ends.append(end)
        cluster, strip = clusters.hits()
        assert np.all(strip < N_STRIPS)
        np.add.at(counts, clusters.wafer[cluster] * N_STRIPS + strip, 1)
    assert ends[-1] == EVENTS
    return counts.reshape(N_WAFERS, N_STRIPS)


def test_number_of_planted_items(planted):
    assert len(planted.of(NOISY).wafer) == 30
    assert len(planted.of(NEAR).wafer) == 10
    assert len(np.unique(planted.of(CHIP).wafer)) == 3
    assert len(np.unique(planted.of(WAFER).wafer)) == 1
    assert np.all(np.diff(planted.wafer * N_STRIPS + planted.strip) > 0)


def test_a_noisy_chip_or_hot_wafer_has_more_than_half_of_its_strips(planted):
    chips = planted.of(CHIP)
    for wafer in np.unique(chips.wafer):
        strips = chips.strip[chips.wafer == wafer]
        assert 64 < len(strips) <= 128
        assert len(np.unique(chip_of_strip(strips, 0, swap=False))) == 1
    assert 384 < len(planted.of(WAFER).wafer) <= 768


def test_defects_of_different_kinds_are_on_different_modules(planted):
    groups = [
        set((planted.of(c).wafer // 2).tolist()) for c in (CHIP, WAFER)
    ] + [set((planted.wafer[planted.category < 2] // 2).tolist())]  # fmt: skip
    assert sum(map(len, groups)) == len(set.union(*groups))


@pytest.mark.parametrize("n_events", [20, 500, 3000, 20_000, 1_000_000])
def test_planted_strips_are_clearly_above_the_threshold_and_near_ones_are_not(n_events):
    planted = model.plan(np.random.default_rng(5), DEFECTS, n_events)
    sigma = model.threshold_sigma(planted.occupancy, n_events, model.THRESHOLD)
    near = planted.category == model.CATEGORIES.index(NEAR)
    if n_events >= 500:
        assert sigma[~near].min() >= 5
    assert np.abs(sigma[near]).max() <= 5
    assert planted.occupancy.max() <= 0.9
    assert planted.occupancy.min() > 0


def test_distance_from_the_threshold_uses_the_larger_spread():
    # 0.015 and 0.05 in 10000 events: sigma sqrt(0.05 * 0.95 / 10000)
    above = model.threshold_sigma(np.array([0.05]), 10_000, 0.015)
    assert above[0] == pytest.approx(0.035 / 0.0021794, rel=1e-4)
    below = model.threshold_sigma(np.array([0.0]), 10_000, 0.015)
    assert below[0] == pytest.approx(-0.015 / 0.0012155, rel=1e-4)
    assert model.threshold_sigma(np.array([0.5]), 0, 0.015)[0] == 0


def test_more_defects_than_the_detector_holds_are_refused():
    with pytest.raises(OutOfRangeError, match="4000 chips and 89 wafers do not fit"):
        model.plan(np.random.default_rng(1), Defects(0, 0, 4000, 89), 100)


def test_no_defects_at_all():
    planted = model.plan(np.random.default_rng(1), Defects(0, 0, 0, 0), 100)
    assert len(planted.wafer) == 0


def test_mean_occupancy_of_each_module_type_is_nominal(occupancy, planted):
    background = occupancy.copy()
    background[planted.wafer, planted.strip] = np.nan
    types = np.repeat(module_types(), 2)
    for number, kind in enumerate(MODULE_TYPES):
        strips = background[types == number]
        assert np.nanmean(strips) == pytest.approx(kind.noise_occupancy, rel=0.02)
        assert np.nanstd(np.log(strips)) == pytest.approx(0.5, rel=0.02)


def test_hits_of_each_module_type_follow_the_occupancy(hits, planted):
    background = hits.astype(float)
    background[planted.wafer, planted.strip] = np.nan
    types = np.repeat(module_types(), 2)
    for number, kind in enumerate(MODULE_TYPES):
        strips = background[types == number]
        expected = kind.noise_occupancy * EVENTS * np.count_nonzero(~np.isnan(strips))
        assert abs(np.nansum(strips) - expected) < 5 * np.sqrt(expected) + 0.02 * expected


def test_planted_strips_fire_at_their_rate(hits, planted):
    measured = hits[planted.wafer, planted.strip] / EVENTS
    sigma = np.sqrt(planted.occupancy * (1 - planted.occupancy) / EVENTS)
    pull = (measured - planted.occupancy) / sigma
    assert np.abs(pull).max() < 5
    assert abs(pull.mean()) < 5 / np.sqrt(len(pull))
    assert pull.std() == pytest.approx(1, abs=0.15)


def test_a_strip_fires_once_per_event_at_most():
    occupancy = np.zeros((N_WAFERS, N_STRIPS), dtype=np.float32)
    occupancy[7, [0, 5]] = 0.9
    total = 0
    for clusters, _, end in HitSource(occupancy).draw(np.random.default_rng(1), 4000):
        assert end == 4000
        cells = clusters.event * N_STRIPS + clusters.first
        assert len(np.unique(cells)) == len(cells)
        assert set(clusters.wafer) == {7}
        total += len(cells)
    assert total == pytest.approx(2 * 0.9 * 4000, rel=0.02)


def test_neighbours_that_fire_together_are_one_cluster():
    strips = [(0, 3, 10), (0, 3, 11), (0, 3, 12), (0, 3, 14), (0, 3, 767), (0, 4, 0), (1, 4, 0)]
    cells = np.array([(e * N_WAFERS + w) * N_STRIPS + s for e, w, s in strips])
    clusters = model.clusters_of(np.random.default_rng(1).permutation(np.append(cells, cells[:2])))
    rows = zip(clusters.event, clusters.wafer, clusters.first, clusters.size, strict=True)
    assert [tuple(map(int, row)) for row in rows] == [
        (0, 3, 10, 3), (0, 3, 14, 1), (0, 3, 767, 1), (0, 4, 0, 1), (1, 4, 0, 1),
    ]  # fmt: skip


def test_no_hits_are_no_clusters():
    assert len(model.clusters_of(np.empty(0, dtype=np.int64)).size) == 0


@settings(max_examples=60, deadline=None)
@given(st.sets(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 767)), max_size=40))
def test_clusters_hold_every_strip_once(strips):
    cells = np.array([(e * N_WAFERS + w) * N_STRIPS + s for e, w, s in strips], dtype=np.int64)
    clusters = model.clusters_of(cells)
    cluster, strip = clusters.hits()
    found = zip(clusters.event[cluster], clusters.wafer[cluster], strip, strict=True)
    assert sorted(tuple(map(int, row)) for row in found) == sorted(strips)


@pytest.mark.parametrize(("n_events", "n_blocks"), [(10, 3), (3, 10), (1000, 7), (0, 5)])
def test_events_are_spread_evenly_over_lumi_blocks_in_time_order(n_events, n_blocks):
    blocks = model.lumi_blocks_of_events(n_events, n_blocks)
    assert len(blocks) == n_events
    assert np.all(np.diff(blocks) >= 0)
    counts = np.bincount(blocks, minlength=n_blocks + 1)
    assert counts[0] == 0
    assert len(counts) == n_blocks + 1
    assert counts[1:].max() - counts[1:].min() <= 1
