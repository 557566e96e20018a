"""Dead and quiet strips of wafers that are alive (algorithms-hitmaps.md 4.5 steps 4, 5)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sctcalib.detector.readout import BoolArray
from sctcalib.detector.regions import N_STRIPS, N_STRIPS_PER_CHIP, N_WAFERS
from sctcalib.parts.dead_wafers import WaferStrips, no_hit_probability

Reals = NDArray[np.float64]


def strip_means(strips: WaferStrips, chips: BoolArray, *, athena: bool) -> Reals:
    """Hits per strip and event outside of the chips that were found, shape (8176,).

    ``chips`` has the shape (8176, 6). The original takes the strips of dead chips from a number of
    strips times events without multiplying them by the events, which changes nearly nothing.
    """
    if not athena:
        return strips.mean_occupancy(without=chips)
    strip_events = strips.n_events * strips.live_strips.sum(axis=1)
    left = strip_events - N_STRIPS_PER_CHIP * chips.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        means: Reals = np.where(strip_events > 0, strips.normal_hits.sum(axis=1) / left, np.nan)
    return means


def find_dead_strips(
    strips: WaferStrips, analysed: BoolArray, means: Reals, limit: float
) -> BoolArray:
    """Strips without a hit where the mean of the wafer makes that improbable.

    Shape (8176, 768), readout order. Strips of dead chips are judged like any other.
    """
    improbable = no_hit_probability(means, np.array([strips.n_events])) < limit
    found = strips.no_hit & (improbable & analysed)[:, None, None]
    return found.reshape(N_WAFERS, N_STRIPS)


def find_quiet_strips(
    strips: WaferStrips, analysed: BoolArray, means: Reals, fraction: np.float32, *, athena: bool
) -> BoolArray:
    """Strips with an occupancy below a fraction of the mean of the wafer, as the dead ones.

    The original reports disabled strips as well.
    """
    limit = (means * np.float64(fraction))[:, None, None]
    found = (strips.occupancy() < limit) & ~strips.disabled
    if athena:
        found |= strips.disabled & ~np.isnan(limit)
    return (found & analysed[:, None, None]).reshape(N_WAFERS, N_STRIPS)


def numbered(strips: BoolArray, order: str) -> BoolArray:
    """Strips (8176, 768) in readout order by their number 0-1535 in the module, (4088, 1536).

    Side 0 is 0-767. On side 1 readout position r is the number 768 + r in the order ``straight``,
    768 + (767 - r) in the order ``reversed`` of the newest original, and 768 + (768 - r) in the
    order ``athena`` of the earlier ones, which never looks at position 0.
    """
    sides = strips.reshape(-1, 2, N_STRIPS).copy()
    if order == "reversed":
        sides[:, 1] = sides[:, 1, ::-1].copy()
    elif order == "athena":
        sides[:, 1, 1:] = sides[:, 1, :0:-1].copy()
        sides[:, 1, 0] = False
    elif order != "straight":
        msg = f"strip order {order!r} is not one of reversed, straight, athena"
        raise ValueError(msg)
    return sides.reshape(-1, 2 * N_STRIPS)
