"""In which lumi blocks chips are noisy (reference/algorithms-hitmaps.md 3.6)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FIRST_PRINTED_LB = 0
"""Number printed for the first lumi block: the original counts from 0, so LB = printed + 1."""


def noisy_lumi_blocks(
    chip_hits: NDArray[Any], events: NDArray[Any], threshold: np.float32
) -> NDArray[np.bool_]:
    """Where a chip has more hits per event than the threshold, shape (n_chips, n_lumi_blocks).

    ``chip_hits`` has that shape, ``events`` (n_lumi_blocks,); index i is lumi block i + 1. A
    lumi block without events is never noisy. Compared in double precision.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = chip_hits.astype(np.float64) / events.astype(np.float64)
    noisy: NDArray[np.bool_] = (events > 0) & (rate > np.float64(threshold))
    return noisy


def printed_numbers(noisy: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The numbers that summaries print for one chip's noisy lumi blocks."""
    return np.flatnonzero(noisy) + FIRST_PRINTED_LB


def noisy_fraction(noisy: NDArray[np.bool_], events: NDArray[Any]) -> np.float32:
    """Noisy lumi blocks of one chip over those with events; 0 if there is none."""
    count = int(noisy.sum())
    if count == 0:
        return np.float32(0)
    return np.float32(count) / np.float32(np.count_nonzero(events))
