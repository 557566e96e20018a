"""Noise occupancy of every side (reference/algorithms-hist.md 3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sctcalib.parts.layer_means import layer_means

N_TIME_BINS = 3
HISTOGRAM_UNIT = 1e5
"""Histograms hold 1e5 times the occupancy."""


@dataclass(frozen=True)
class NoiseOccupancy:
    """Hits per strip, event and time bin of each wafer, shape (8176,)."""

    value: NDArray[np.float32]

    @property
    def is_empty(self) -> bool:
        """Whether every bin of a module is 0: standby (1.6)."""
        return not self.value.any()

    @property
    def means(self) -> NDArray[np.float64]:
        """Averages by layer label, shape (48,)."""
        return layer_means(self.value)


def measure(content: NDArray[np.float64]) -> NoiseOccupancy:
    """Occupancy from the bins of the maps, shape (8176,), unit 1e-5; single precision (3.2)."""
    by_time_bin = content.astype(np.float32) / np.float32(N_TIME_BINS)
    return NoiseOccupancy((by_time_bin.astype(np.float64) / HISTOGRAM_UNIT).astype(np.float32))
