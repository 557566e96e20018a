"""A detector with known noise: how often each strip fires, and which defects are planted.

Noise is that of detector.md 7 by module type, with a strip-to-strip spread. Each planted strip
belongs to one category; its occupancy replaces the nominal one. The strips of an event fire
independently of each other, and events are independent.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sctcalib.detector.geometry import noise_occupancy
from sctcalib.detector.identifiers import IntArray
from sctcalib.detector.regions import (
    N_CHIPS_PER_SIDE,
    N_MODULES,
    N_STRIPS,
    N_STRIPS_PER_CHIP,
    N_WAFERS,
)
from sctcalib.job.errors import OutOfRangeError
from sctcalib.simulate.clusters import Clusters

FloatArray = NDArray[np.float64]

THRESHOLD = 0.015
"""Occupancy above which a strip is noisy: the option NoisyStripThrOffline."""
CLEAR_SIGMA = 5.0
"""A strip this many standard deviations from the threshold is judged with certainty."""

NOISY, NEAR, CHIP, WAFER = "noisy strip", "near threshold", "noisy chip", "hot wafer"
CATEGORIES = (NOISY, NEAR, CHIP, WAFER)

_SPREAD = 0.5
"""Standard deviation of the logarithm of the occupancy over strips of one type."""
_HIGHEST = {NOISY: 0.6, CHIP: 0.15, WAFER: 0.10}
_HIGHEST_OF_ALL = 0.9
_PLANT_SIGMA = 8.0
_NEAR_SIGMA = 3.0
_LEAST_FRACTION = 0.6
"""At least this part of the strips of a noisy chip or hot wafer is noisy (> 1/2 makes it one)."""
_HITS_AT_ONCE = 500_000


@dataclass(frozen=True)
class Defects:
    """How many of each kind are planted."""

    noisy: int = 100
    near: int = 20
    noisy_chips: int = 4
    hot_wafers: int = 1


@dataclass(frozen=True)
class Planted:
    """The planted strips, as parallel arrays in ascending order of wafer and strip."""

    wafer: IntArray
    strip: IntArray
    """Offline strip 0-767."""
    occupancy: FloatArray
    category: IntArray
    """Index into `CATEGORIES`."""

    def of(self, category: str) -> Planted:
        """The strips of one category."""
        return self[self.category == CATEGORIES.index(category)]

    def __getitem__(self, chosen: NDArray[np.bool_]) -> Planted:
        return Planted(
            self.wafer[chosen], self.strip[chosen], self.occupancy[chosen], self.category[chosen]
        )


def threshold_sigma(occupancy: FloatArray, n_events: int, threshold: float) -> FloatArray:
    """Distance of occupancies from the threshold in standard deviations of the measured one.

    Positive above the threshold; 0 without events, when nothing can be said.
    """
    wider = np.clip(np.maximum(occupancy, threshold), 0.0, 1.0 - 1e-9)
    return (occupancy - threshold) * np.sqrt(n_events / (wider * (1.0 - wider)))


def plan(rng: np.random.Generator, defects: Defects, n_events: int) -> Planted:
    """Choose where defects are and how strong; each category is on wafers of its own.

    Raises OutOfRangeError if the detector has no room for them.
    """
    wanted = defects.noisy_chips + defects.hot_wafers
    if wanted > N_MODULES or defects.noisy + defects.near > (N_MODULES - wanted) * N_STRIPS:
        msg = (
            f"{defects.noisy} + {defects.near} strips, {defects.noisy_chips} chips and"
            f" {defects.hot_wafers} wafers do not fit: the detector has {N_MODULES} modules, of"
            f" which every noisy chip and hot wafer takes one, and {N_STRIPS} strips on a side"
        )
        raise OutOfRangeError(msg)
    modules = rng.permutation(N_MODULES)
    wafers = 2 * modules + rng.integers(0, 2, N_MODULES)
    chips, hot, single = np.split(wafers, [defects.noisy_chips, wanted])
    first = rng.integers(0, N_CHIPS_PER_SIDE, len(chips)) * N_STRIPS_PER_CHIP
    n_single = defects.noisy + defects.near
    cells = rng.choice(len(single) * N_STRIPS, n_single, replace=False)
    singles = single[cells // N_STRIPS] * N_STRIPS + cells % N_STRIPS
    groups = (
        singles[: defects.noisy],
        singles[defects.noisy :],
        _parts_of(rng, chips * N_STRIPS + first, N_STRIPS_PER_CHIP),
        _parts_of(rng, hot * N_STRIPS, N_STRIPS),
    )
    return _with_occupancies(rng, groups, n_events)


def _parts_of(rng: np.random.Generator, begin: IntArray, length: int) -> IntArray:
    """Flat numbers of randomly chosen strips of chips or wafers: a large part of each."""
    fraction = rng.uniform(_LEAST_FRACTION, 1.0, (len(begin), 1))
    rank = rng.permuted(np.tile(np.arange(length), (len(begin), 1)), axis=1)
    row, strip = np.nonzero(rank < np.ceil(fraction * length))
    return begin[row] + strip


def _with_occupancies(
    rng: np.random.Generator, groups: tuple[IntArray, ...], n_events: int
) -> Planted:
    occupancies = [
        _near_threshold(rng, len(flat), n_events)
        if name == NEAR
        else _well_above(rng, len(flat), n_events, _HIGHEST[name])
        for name, flat in zip(CATEGORIES, groups, strict=True)
    ]
    category = np.repeat(np.arange(len(groups)), [len(flat) for flat in groups])
    cells = np.concatenate(groups)
    order = np.argsort(cells)
    return Planted(
        cells[order] // N_STRIPS,
        cells[order] % N_STRIPS,
        np.round(np.concatenate(occupancies)[order], 6),
        category[order],
    )


def _well_above(rng: np.random.Generator, count: int, n_events: int, highest: float) -> FloatArray:
    """Occupancies spread evenly on a logarithmic scale, surely above the threshold."""
    lowest = min(max(2.0 * THRESHOLD, _clearly_above(n_events)), _HIGHEST_OF_ALL)
    return np.geomspace(lowest, max(highest, lowest), max(count, 2))[rng.permutation(count)]


def _clearly_above(n_events: int) -> float:
    """The occupancy that measures `_PLANT_SIGMA` of its standard deviations above the threshold."""
    a = _PLANT_SIGMA**2 / max(n_events, 1)
    b = 2.0 * THRESHOLD + a
    return (b + math.sqrt(b * b - 4.0 * (1.0 + a) * THRESHOLD**2)) / (2.0 * (1.0 + a))


def _near_threshold(rng: np.random.Generator, count: int, n_events: int) -> FloatArray:
    sigma = math.sqrt(THRESHOLD * (1.0 - THRESHOLD) / max(n_events, 1))
    distance: FloatArray = sigma * rng.uniform(-_NEAR_SIGMA, _NEAR_SIGMA, count)
    return np.clip(THRESHOLD + distance, 1e-3, 0.5)


def strip_occupancy(rng: np.random.Generator, planted: Planted) -> NDArray[np.float32]:
    """How often each strip fires, shape (8176, 768), dimensionless.

    The mean over the strips of one module type is the nominal noise occupancy.
    """
    spread = rng.standard_normal((N_WAFERS, N_STRIPS), dtype=np.float32)
    spread *= np.float32(_SPREAD)
    occupancy: NDArray[np.float32] = np.exp(spread, out=spread)
    nominal = noise_occupancy() * math.exp(-(_SPREAD**2) / 2)
    occupancy *= np.repeat(nominal, 2).astype(np.float32)[:, None]
    occupancy[planted.wafer, planted.strip] = planted.occupancy
    return occupancy


class HitSource:
    """Draws the clusters of events from the occupancies of all strips."""

    def __init__(self, occupancy: NDArray[np.float32]) -> None:
        # A strip that fires with probability p is a Poisson process of mean -log(1 - p) of which
        # only "at least once" is seen. So all strips can be drawn together, exactly.
        rates = occupancy.reshape(-1).astype(np.float64)
        np.negative(np.log1p(np.negative(rates, out=rates), out=rates), out=rates)
        self._cumulative = np.cumsum(rates, out=rates)
        self.hits_per_event = float(self._cumulative[-1])

    def draw(self, rng: np.random.Generator, n_events: int) -> Iterator[tuple[Clusters, int, int]]:
        """Clusters of portions of the events; with the first event of the portion and its end."""
        at_once = max(1, int(_HITS_AT_ONCE / max(self.hits_per_event, 1e-9)))
        for begin in range(0, n_events, at_once):
            end = min(begin + at_once, n_events)
            yield clusters_of(self.cells(rng, end - begin)), begin, end

    def cells(self, rng: np.random.Generator, n_events: int) -> IntArray:
        """Fired strips of events, numbered flat by event, wafer and strip; some several times."""
        n_hits = rng.poisson(n_events * self.hits_per_event)
        # ordered uniform numbers, from the distances between them: no sorting, local look-ups
        steps = np.cumsum(rng.standard_exponential(n_hits + 1))
        place = steps[:-1] * (self._cumulative[-1] / steps[-1])
        cell: IntArray = np.minimum(
            np.searchsorted(self._cumulative, place, side="right"), N_WAFERS * N_STRIPS - 1
        )
        cell += rng.integers(0, n_events, n_hits) * (N_WAFERS * N_STRIPS)
        return cell


def clusters_of(cells: IntArray) -> Clusters:
    """Group fired strips, numbered flat by event, wafer and strip, into clusters.

    The array is sorted in place. A strip that is listed several times fired once.
    """
    cells.sort()
    cells = cells[np.diff(cells, prepend=-1) != 0]
    strip = cells % N_STRIPS
    starts = np.flatnonzero((np.diff(cells, prepend=-2) != 1) | (strip == 0))
    size = np.diff(starts, append=len(cells))
    place = cells[starts] // N_STRIPS
    return Clusters(place // N_WAFERS, place % N_WAFERS, strip[starts], size)


def lumi_blocks_of_events(n_events: int, n_lumi_blocks: int) -> IntArray:
    """Lumi block (1 ... n) of every event of a run, in time order, evenly filled."""
    return 1 + np.arange(n_events) * n_lumi_blocks // max(n_events, 1)
