"""Hit efficiency of every side (reference/algorithms-hist.md 2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sctcalib.parts.layer_means import layer_means

NO_DATA = -1.0
"""Efficiency that the module file prints for a side without entries (7.2)."""


@dataclass(frozen=True)
class Efficiency:
    """Arrays over the wafers, shape (8176,), in hash order."""

    value: NDArray[np.float32]
    """Fraction 0-1; 0 without entries."""
    value_first_bcid: NDArray[np.float32]
    """The same for the first bunch of a train; only averages use it."""
    sample_size: NDArray[np.int64]
    """Track crossings."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was measured: standby (1.6)."""
        return not self.sample_size.any()

    @property
    def means(self) -> NDArray[np.float64]:
        """Averages by layer label, shape (48,)."""
        return layer_means(self.value)

    @property
    def means_first_bcid(self) -> NDArray[np.float64]:
        """Averages by layer label, shape (48,)."""
        return layer_means(self.value_first_bcid)


def measure(
    mean: NDArray[np.float64],
    entries: NDArray[np.float64],
    mean_first_bcid: NDArray[np.float64] | None,
) -> Efficiency:
    """Efficiency from the bins of the maps, each of shape (8176,).

    ``mean`` is 0 in bins without entries; without maps of the first BCID its averages are 0.
    """
    first = np.zeros_like(mean) if mean_first_bcid is None else mean_first_bcid
    return Efficiency(
        mean.astype(np.float32), first.astype(np.float32), np.trunc(entries).astype(np.int64)
    )
