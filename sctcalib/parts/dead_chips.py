"""Dead and quiet chips, and dead links (algorithms-hitmaps.md 4.4, 4.5 steps 1-3)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sctcalib.detector.readout import BoolArray
from sctcalib.detector.regions import N_STRIPS
from sctcalib.parts.dead_wafers import WaferStrips, no_hit_probability


def find_dead_links(
    strips: WaferStrips, region_means: NDArray[np.float64], limit: float
) -> BoolArray:
    """Sides without any hit where the mean of the region makes that improbable, shape (8176,).

    ``region_means`` (8176,) are hits per strip and event; a link is dead if the probability of no
    hit is below ``limit``.
    """
    trials = np.array([strips.n_events * N_STRIPS])
    return strips.silent & (no_hit_probability(region_means, trials) < limit)


def find_dead_chips(strips: WaferStrips, analysed: BoolArray, limit: float) -> BoolArray:
    """Chips without any hit where the mean of their wafer makes that improbable, (8176, 6)."""
    trials = strips.n_events * strips.enabled_strips
    mean = strips.mean_occupancy()[:, None]
    improbable = no_hit_probability(mean, trials) < limit
    return np.asarray((strips.chip_hits == 0) & improbable & analysed[:, None])


def find_quiet_chips(strips: WaferStrips, analysed: BoolArray, fraction: np.float32) -> BoolArray:
    """Chips with an occupancy below a fraction of the mean of their wafer, shape (8176, 6)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        occupancy = strips.chip_hits / (strips.n_events * strips.enabled_strips)
    limit = strips.mean_occupancy() * np.float64(fraction)
    return (occupancy < limit[:, None]) & analysed[:, None]


def checked_chips(strips: WaferStrips, analysed: BoolArray) -> int:
    """How many chips were looked at: those of silent links, and the ones not disabled."""
    chips = (strips.enabled_strips > 0) & (analysed & ~strips.silent)[:, None]
    return 6 * int(strips.silent.sum()) + int(chips.sum())
