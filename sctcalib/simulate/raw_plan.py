"""Which defects a simulated RAW run has, and when: dead items, HV trips, noisy lumi blocks.

Every module has at most one kind of defect, so that the truth is unambiguous.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sctcalib.detector.geometry import noise_occupancy
from sctcalib.detector.identifiers import IntArray, wafers
from sctcalib.detector.readout import BoolArray, chip_of_strip, default_swap
from sctcalib.detector.regions import (
    N_CHIPS_PER_MODULE,
    N_CHIPS_PER_SIDE,
    N_DISKS,
    N_MODULE_STRIPS,
    N_MODULES,
    N_STRIPS,
    N_STRIPS_PER_CHIP,
    N_WAFERS,
)
from sctcalib.job.errors import OutOfRangeError
from sctcalib.simulate.model import Planted
from sctcalib.simulate.raw_settings import HV_BIN_SECONDS, RawSettings
from sctcalib.simulate.settings import SECONDS_PER_LUMI_BLOCK

FloatArray = NDArray[np.float64]

CLUSTER_SIZES = np.array([0.65, 0.25, 0.10])
"""Probability of particle clusters of 1, 2, 3 strips."""
MEAN_CLUSTER_SIZE = float(CLUSTER_SIZES @ np.arange(1, len(CLUSTER_SIZES) + 1))

_BARREL_PER_COLLISION = (3.0e-4, 2.0e-4, 1.4e-4, 1.0e-4)
_RING_PER_COLLISION = (0.8e-4, 1.3e-4, 2.3e-4)
"""Strip occupancy per collision by barrel layer and end-cap ring (detector.md 7)."""
_NOISE_TO_SEARCH = 2e-5
"""Without particles, dead items are planted on modules with at least this noise."""
_LEAST_TRIP_HITS = 15.0
_TRIP_HITS_OF_BIN = 75.0
_TRIP_FACTOR = 12.0
_NANO = 10**9
NOISY_BLOCK_OCCUPANCY = 3.0 / N_STRIPS_PER_CHIP
"""Of a ring in a noisy lumi block: three hits per event and chip; a chip is noisy above 0.96."""
_LARGEST_TRIP = 0.5 * N_STRIPS


@dataclass(frozen=True)
class Dead:
    """Dead items."""

    strip_wafer: IntArray
    strip: IntArray
    """Offline strips of the wafers ``strip_wafer``."""
    chip_module: IntArray
    chip: IntArray
    """Chips 0-11, in readout order, of the modules ``chip_module``."""
    links: IntArray
    """Wafers."""

    def mask(self) -> BoolArray:
        """All strips that give no hits, shape (8176, 768)."""
        dead = np.zeros((N_WAFERS, N_STRIPS), dtype=bool)
        dead[self.strip_wafer, self.strip] = True
        dead[self.links] = True
        wafer, strips = strips_of_chips(self.chip_module, self.chip)
        dead[wafer[:, None], strips] = True
        return dead


@dataclass(frozen=True)
class Trip:
    """A trip of the bias voltage: both sides of a module are noisy for a while."""

    module: int
    begin: int
    end: int
    """Seconds since 1970, multiples of HV_BIN_SECONDS."""
    hits: float
    """Hits per event and side during the trip."""


@dataclass(frozen=True)
class NoisyBlock:
    """A lumi block in which all chips of the outer ring of a disk are noisy."""

    lumi_block: int
    bec: int
    disk: int

    def wafers(self) -> IntArray:
        """The wafers of the ring."""
        w = wafers()
        return np.flatnonzero((w.bec == self.bec) & (w.layer == self.disk) & (w.eta == 0))


@dataclass(frozen=True)
class RawPlan:
    """Everything planned for a run but errors."""

    planted: Planted
    dead: Dead
    trips: tuple[Trip, ...]
    noisy_blocks: tuple[NoisyBlock, ...]
    error_wafers: IntArray
    """Wafers that get byte-stream errors."""


@dataclass(frozen=True)
class Times:
    """When the events of a run are: arrays over events, in order of time."""

    seconds: IntArray
    """Since 1970."""
    nanoseconds: IntArray
    lumi_block: IntArray


def event_times(rng: np.random.Generator, settings: RawSettings) -> Times:
    """Times of all events: evenly spread, each at random within its share of the run."""
    n_events = settings.base.n_events
    place = (np.arange(n_events) + rng.random(n_events)) / n_events
    elapsed = np.floor(place * (settings.duration * _NANO)).astype(np.int64)
    elapsed = np.minimum(elapsed, settings.duration * _NANO - 1)
    seconds, nanoseconds = np.divmod(elapsed, _NANO)
    start = settings.base.run_info().start
    return Times(start + seconds, nanoseconds, 1 + seconds // SECONDS_PER_LUMI_BLOCK)


def particle_occupancy(occupancy: float, pile_up: float, lit: str) -> FloatArray:
    """Mean occupancy of the strips of every wafer by particles, shape (8176,)."""
    w = wafers()
    per_layer = np.array(_BARREL_PER_COLLISION)[np.where(w.bec == 0, w.layer, 0)]
    per_ring = np.array(_RING_PER_COLLISION)[np.where(w.bec == 0, 0, w.eta)]
    by_pile_up = pile_up * np.where(w.bec == 0, per_layer, per_ring)
    return np.where(lit_wafers(lit), by_pile_up + occupancy, 0.0)


def lit_wafers(name: str) -> BoolArray:
    """Wafers of one of `LIT_REGIONS`, shape (8176,)."""
    w = wafers()
    part, _, layer = name.partition(":")
    everywhere = np.ones(N_WAFERS, dtype=bool)
    parts = {"all": everywhere, "barrel": w.bec == 0, "endcaps": w.bec != 0, "disk": w.bec != 0}
    lit: BoolArray = parts[part] & (w.layer == int(layer)) if layer else parts[part]
    return lit


def wafer_occupancy(occupancy: float, pile_up: float, lit: str) -> FloatArray:
    """Mean occupancy of live strips that are not planted, by noise and particles, (8176,)."""
    return np.repeat(noise_occupancy(), 2) + particle_occupancy(occupancy, pile_up, lit)


def plan_run(
    rng: np.random.Generator, settings: RawSettings, planted: Planted, excluded: IntArray
) -> RawPlan:
    """Choose where and when the defects are; ``excluded`` are modules that stay without.

    Raises OutOfRangeError if the detector has no room for them.
    """
    defects = settings.defects
    blocks = tuple(_noisy_blocks(rng, settings))
    rings = np.concatenate([block.wafers() for block in blocks] or [excluded[:0]]) // 2
    free = np.ones(N_MODULES, dtype=bool)
    free[planted.wafer // 2] = free[excluded] = free[rings] = False
    if settings.occupancy or settings.pile_up:
        suited = lit_wafers(settings.lit)[::2]
    else:
        suited = noise_occupancy() >= _NOISE_TO_SEARCH
    # where dead items are searched first, so that they get what they need
    order = rng.permutation(N_MODULES)
    order = order[np.argsort(~suited[order], kind="stable")]
    order = order[free[order]]
    counts = (
        -(-defects.dead_strips // 4), defects.dead_chips, defects.dead_links,
        defects.hv_trips, defects.error_links,
    )  # fmt: skip
    n_dead = sum(counts[:3])
    if sum(counts) > len(order) or n_dead > np.count_nonzero(suited & free):
        msg = f"{sum(counts)} modules with defects do not fit: at most {len(order)} are left"
        raise OutOfRangeError(msg)
    parts = np.split(order[: sum(counts)], np.cumsum(counts)[:-1])
    dead = _dead(rng, parts[:3], defects.dead_strips)
    errors = 2 * parts[4] + rng.integers(0, 2, len(parts[4]))
    return RawPlan(planted, dead, tuple(_trips(rng, settings, parts[3])), blocks, errors)


def _dead(rng: np.random.Generator, chosen: list[IntArray], n_strips: int) -> Dead:
    strip_modules, chip_modules, link_modules = chosen
    cells = rng.choice(len(strip_modules) * N_MODULE_STRIPS, n_strips, replace=False)
    within = cells % N_MODULE_STRIPS
    cells = np.sort(strip_modules[cells // N_MODULE_STRIPS] * N_MODULE_STRIPS + within)
    return Dead(
        strip_wafer=cells // N_STRIPS,
        strip=cells % N_STRIPS,
        chip_module=np.sort(chip_modules),
        chip=rng.integers(0, N_CHIPS_PER_MODULE, len(chip_modules)),
        links=np.sort(2 * link_modules + rng.integers(0, 2, len(link_modules))),
    )


def _trips(rng: np.random.Generator, settings: RawSettings, chosen: IntArray) -> Iterator[Trip]:
    start = settings.base.run_info().start
    n_bins = settings.duration // HV_BIN_SECONDS
    normal = wafer_occupancy(*settings.particles) * N_STRIPS
    for module in np.sort(chosen).tolist():
        first = int(rng.integers(1, n_bins - settings.trip_bins))
        begin = start + first * HV_BIN_SECONDS
        end = begin + settings.trip_bins * HV_BIN_SECONDS
        of_bin = _TRIP_HITS_OF_BIN / max(settings.events_per_bin, 1.0)
        hits = max(_LEAST_TRIP_HITS, of_bin, _TRIP_FACTOR * float(normal[2 * module]))
        yield Trip(module, begin, end, round(min(hits, _LARGEST_TRIP), 3))


def _noisy_blocks(rng: np.random.Generator, settings: RawSettings) -> Iterator[NoisyBlock]:
    count = settings.defects.noisy_lumi_blocks
    blocks = np.sort(rng.permutation(settings.base.n_lumi_blocks)[:count]) + 1
    for block in blocks.tolist():
        yield NoisyBlock(block, int(rng.choice([-2, 2])), int(rng.integers(0, N_DISKS)))


def strips_of_chips(module: IntArray, chip: IntArray) -> tuple[IntArray, IntArray]:
    """Wafers (n,) and offline strips (n, 128) of chips 0-11 of modules."""
    wafer = 2 * module + chip // N_CHIPS_PER_SIDE
    every = np.arange(N_STRIPS)
    chips = chip_of_strip(every, (wafer % 2)[:, None], default_swap()[wafer][:, None])
    columns = np.nonzero(chips == chip[:, None])[1]
    return wafer, columns.reshape(len(wafer), -1) if len(wafer) else columns.reshape(0, 1)
