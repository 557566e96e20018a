"""Hits of the events of a simulated RAW run: noise, particles, HV trips, noisy lumi blocks.

Strips fire independently of each other, but for clusters of particles. Dead strips never fire.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sctcalib.detector.identifiers import IntArray
from sctcalib.detector.regions import N_STRIPS, N_WAFERS
from sctcalib.simulate.clusters import Clusters
from sctcalib.simulate.model import HitSource, clusters_of
from sctcalib.simulate.raw_plan import (
    CLUSTER_SIZES,
    MEAN_CLUSTER_SIZE,
    NOISY_BLOCK_OCCUPANCY,
    NoisyBlock,
    RawPlan,
    Times,
    Trip,
    particle_occupancy,
)
from sctcalib.simulate.raw_settings import RawSettings

_CELLS = N_WAFERS * N_STRIPS
_STARTS = N_STRIPS + len(CLUSTER_SIZES) - 1
"""Places of the first strip of a cluster that reaches a wafer; also some before strip 0."""
_HITS_AT_ONCE = 1_000_000
_MOST_EVENTS, _LEAST_EVENTS = 64, 4


class RunHits:
    """Draws the clusters of all events of a run, portion by portion."""

    def __init__(
        self, settings: RawSettings, plan: RawPlan, times: Times, noise: HitSource
    ) -> None:
        self._plan, self._times, self._noise = plan, times, noise
        self._alive = ~plan.dead.mask().reshape(-1)
        occupancy = particle_occupancy(*settings.particles)
        self._particles = -np.log1p(-occupancy) / MEAN_CLUSTER_SIZE * _STARTS
        """Clusters per event and wafer."""
        hits = noise.hits_per_event + float(occupancy.sum()) * N_STRIPS
        self.events_at_once = int(np.clip(_HITS_AT_ONCE / hits, _LEAST_EVENTS, _MOST_EVENTS))

    def clusters(self, rng: np.random.Generator, begin: int, end: int) -> Clusters:
        """Clusters of the events ``begin`` to ``end``, numbered from 0."""
        n_events = end - begin
        parts = [self._noise.cells(rng, n_events), self._particle_cells(rng, n_events)]
        seconds = self._times.seconds[begin:end]
        blocks = self._times.lumi_block[begin:end]
        parts += (_trip_cells(rng, trip, seconds) for trip in self._plan.trips)
        parts += (_block_cells(rng, noisy, blocks) for noisy in self._plan.noisy_blocks)
        cells = np.concatenate(parts)
        return clusters_of(cells[self._alive[cells % _CELLS]])

    def _particle_cells(self, rng: np.random.Generator, n_events: int) -> IntArray:
        counts = rng.poisson(self._particles * n_events)
        n_clusters = int(counts.sum())
        place = np.repeat(np.arange(N_WAFERS), counts)
        place += rng.integers(0, n_events, n_clusters) * N_WAFERS
        first = rng.integers(N_STRIPS - _STARTS, N_STRIPS, n_clusters)
        size = 1 + np.searchsorted(np.cumsum(CLUSTER_SIZES)[:-1], rng.random(n_clusters))
        return np.concatenate(list(_strips(place, first, size)))


def _strips(place: IntArray, first: IntArray, size: IntArray) -> Iterator[IntArray]:
    """Flat cells of the first, second, ... strips of clusters, where they are on the wafer."""
    for number in range(len(CLUSTER_SIZES)):
        strip = first + number
        chosen = (size > number) & (strip >= 0) & (strip < N_STRIPS)
        yield place[chosen] * N_STRIPS + strip[chosen]


def _trip_cells(rng: np.random.Generator, trip: Trip, seconds: IntArray) -> IntArray:
    events = np.flatnonzero((seconds >= trip.begin) & (seconds < trip.end))
    wafers = 2 * trip.module + np.arange(2)
    return _even_noise(rng, events, wafers, trip.hits / N_STRIPS)


def _block_cells(rng: np.random.Generator, noisy: NoisyBlock, blocks: IntArray) -> IntArray:
    events = np.flatnonzero(blocks == noisy.lumi_block)
    return _even_noise(rng, events, noisy.wafers(), NOISY_BLOCK_OCCUPANCY)


def _even_noise(
    rng: np.random.Generator, events: IntArray, wafers: IntArray, occupancy: float
) -> IntArray:
    """Cells of wafers all of whose strips have the same occupancy in some events."""
    n_cells = len(events) * len(wafers) * N_STRIPS
    n_hits = int(rng.poisson(-np.log1p(-occupancy) * n_cells)) if n_cells else 0
    cell = rng.integers(0, max(n_cells, 1), n_hits)
    pair, strip = np.divmod(cell, N_STRIPS)
    event, wafer = np.divmod(pair, len(wafers))
    return (events[event] * N_WAFERS + wafers[wafer]) * N_STRIPS + strip
