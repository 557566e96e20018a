"""Raw occupancy of every side: fired strips, noise and tracks (reference/algorithms-hist.md 4)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sctcalib.detector.regions import N_STRIPS
from sctcalib.parts.layer_means import layer_means


@dataclass(frozen=True)
class RawOccupancy:
    """Hits per strip and event of each wafer, shape (8176,)."""

    value: NDArray[np.float32]
    n_events: int

    @property
    def is_empty(self) -> bool:
        """Whether every bin of a module is 0: standby (1.6)."""
        return not self.value.any()

    @property
    def means(self) -> NDArray[np.float64]:
        """Averages by layer label, shape (48,)."""
        return layer_means(self.value)


def measure(content: NDArray[np.float64], n_events: int) -> RawOccupancy:
    """Occupancy from fired strips summed over events, shape (8176,); single precision (4.2)."""
    hits = np.trunc(content).astype(np.uint64).astype(np.float32)
    if n_events == 0:
        return RawOccupancy(np.zeros_like(hits), 0)
    return RawOccupancy(hits / np.float32(n_events * N_STRIPS), n_events)
