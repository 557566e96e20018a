"""In which lumi blocks chips are noisy (reference/algorithms-hitmaps.md 3.6, 3.8).

The summary of noisy strips asks this of chips that are noisy over the whole run; the part
doNoisyLB asks it of every chip, and of the detector as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sctcalib.detector.identifiers import IntArray
from sctcalib.detector.readout import BoolArray
from sctcalib.detector.regions import N_CHIPS, N_STRIPS, N_WAFERS
from sctcalib.parts import noisy_strips

FIRST_PRINTED_LB = 0
"""Number printed for the first lumi block: the original counts from 0, so LB = printed + 1."""
FIRST_LB = 1
"""Number of the first lumi block, as the part doNoisyLB prints it."""
_CHIPS_AT_ONCE = 1024


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


@dataclass(frozen=True)
class Thresholds:
    """What makes a chip noisy in a lumi block, and a lumi block noisy."""

    chip_hits: np.float32
    """Hits per event on a chip, strictly above which it is noisy."""
    min_events: int
    """Least number of events of a lumi block that is judged."""
    chip_fraction: float
    """Part of all chips, strictly above which a lumi block is noisy."""

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Thresholds:
        """The thresholds of a configuration, by its option names."""
        strips = noisy_strips.Thresholds.from_options(options)
        return cls(strips.chip_hits, options["NoisyLBMinEvents"], options["NoisyLBChipFraction"])


@dataclass(frozen=True)
class NoisyLumiBlocks:
    """What was found. Index i of an axis of lumi blocks is lumi block i + 1."""

    n_events: int
    events: IntArray
    """Shape (L,)."""
    judged: BoolArray
    """Lumi blocks with enough events, shape (L,)."""
    chip_counts: IntArray
    """Noisy chips of each lumi block, shape (L,)."""
    occupancy: NDArray[np.float64]
    """Hits per strip and event of the whole detector, shape (L,); 0 without events."""
    noisy: BoolArray
    """Noisy lumi blocks, shape (L,)."""
    chips: IntArray
    """Chips with a noisy lumi block, ascending, 12 * module + chip in readout order; (n,)."""
    chip_lumi_blocks: BoolArray
    """When they are noisy, shape (n, L)."""

    @property
    def chip_fraction(self) -> NDArray[np.float64]:
        """Noisy chips of each lumi block over all chips, shape (L,)."""
        return self.chip_counts / N_CHIPS

    @property
    def noisy_fraction(self) -> np.float32:
        """Noisy lumi blocks over judged ones; 0 if there is none."""
        return _fraction(int(self.noisy.sum()), int(self.judged.sum()))

    @property
    def chip_noisy_fractions(self) -> NDArray[np.float32]:
        """Noisy lumi blocks over judged ones of each of ``chips``, shape (n,)."""
        counts = self.chip_lumi_blocks.sum(axis=1).astype(np.float32)
        return np.asarray(counts / np.float32(max(int(self.judged.sum()), 1)))

    @property
    def flag(self) -> str:
        """``R`` a noisy lumi block, ``Y`` noisy chips only, ``G`` neither, ``U`` none judged."""
        if not self.judged.any():
            return "U"
        if self.noisy.any():
            return "R"
        return "Y" if len(self.chips) else "G"


def find_noisy_lumi_blocks(
    events: NDArray[Any],
    chip_hits: NDArray[Any],
    thresholds: Thresholds,
    *,
    n_events: int | None = None,
) -> NoisyLumiBlocks:
    """Judge every chip and the whole detector in every lumi block.

    Parameters
    ----------
    events
        Events of each lumi block, shape (L,).
    chip_hits
        Hits of each chip, shape (49056, L), rows ``12 * module + chip`` in readout order. It is
        gone through in pieces; what is needed besides is small, and a byte for every chip with a
        noisy lumi block and lumi block.
    n_events
        Events of the run; by default those of the lumi blocks.
    """
    n_blocks = len(events)
    if chip_hits.shape != (N_CHIPS, n_blocks):
        msg = f"chip hits have the shape {chip_hits.shape}, not {(N_CHIPS, n_blocks)}"
        raise ValueError(msg)
    judged = events >= thresholds.min_events
    counted = np.where(judged, events, 0)
    total, chips, lumi_blocks = np.zeros(n_blocks), [], []
    for begin in range(0, N_CHIPS, _CHIPS_AT_ONCE):
        hits = chip_hits[begin : begin + _CHIPS_AT_ONCE]
        total += hits.sum(axis=0, dtype=np.float64)
        noisy = noisy_lumi_blocks(hits, counted, thresholds.chip_hits)
        rows = np.flatnonzero(noisy.any(axis=1))
        chips.append(begin + rows)
        lumi_blocks.append(noisy[rows])
    flags = np.concatenate(lumi_blocks)
    chip_counts = flags.sum(axis=0, dtype=np.int64)
    strip_events = events.astype(np.float64) * N_WAFERS * N_STRIPS
    return NoisyLumiBlocks(
        n_events=int(events.sum()) if n_events is None else n_events,
        events=events.astype(np.int64),
        judged=judged,
        chip_counts=chip_counts,
        occupancy=np.divide(total, strip_events, out=np.zeros(n_blocks), where=events > 0),
        noisy=chip_counts / N_CHIPS > thresholds.chip_fraction,
        chips=np.concatenate(chips),
        chip_lumi_blocks=flags,
    )


def _fraction(part: int, whole: int) -> np.float32:
    return np.float32(part) / np.float32(whole) if part else np.float32(0)
