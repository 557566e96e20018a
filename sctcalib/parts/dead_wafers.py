"""The strips of all wafers as the dead search sees them (algorithms-hitmaps.md 4.1, 4.3).

Everything here is in readout order: chip on its side, strip on its chip.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sctcalib.detector.bad_channels import BadChannels
from sctcalib.detector.identifiers import IntArray
from sctcalib.detector.readout import BoolArray, per_chip
from sctcalib.detector.regions import N_STRIPS_PER_CHIP

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class WaferStrips:
    """Hits and state of every strip; arrays of shape (8176, 6, 128) unless said otherwise."""

    n_events: int
    hits: NDArray[Any]
    disabled: BoolArray
    """Bad in configuration: the strip itself, its chip or its module."""
    noisy: BoolArray
    """Above the occupancy that counts as noisy here, and not disabled."""
    skipped: BoolArray
    """Shape (8176,): of a bad module or link, or with byte-stream errors: not analysed."""
    busy: bool
    """A busy stream: strips without hits do not count as live ones."""

    @cached_property
    def no_hit(self) -> BoolArray:
        """Strips without a hit that are not disabled."""
        return np.asarray((self.hits == 0) & ~self.disabled)

    @cached_property
    def masked(self) -> BoolArray:
        """Wafers with all strips disabled, shape (8176,)."""
        return np.asarray(self.disabled.all(axis=(1, 2)))

    @cached_property
    def silent(self) -> BoolArray:
        """Analysed wafers that have no hit at all, shape (8176,)."""
        quiet = (self.no_hit | self.disabled).all(axis=(1, 2))
        return np.asarray(quiet & ~self.masked & ~self.skipped)

    @cached_property
    def enabled_strips(self) -> IntArray:
        """Strips of each chip that are not disabled, shape (8176, 6)."""
        return np.asarray(N_STRIPS_PER_CHIP - self.disabled.sum(axis=2))

    @cached_property
    def chip_hits(self) -> IntArray:
        """Hits of each chip on strips that are not disabled, noisy ones too, shape (8176, 6)."""
        return _sums(self.hits, ~self.disabled)

    @cached_property
    def normal_hits(self) -> IntArray:
        """Hits of each chip on strips that are neither noisy nor disabled, shape (8176, 6)."""
        return _sums(self.hits, ~(self.disabled | self.noisy))

    @cached_property
    def live_strips(self) -> IntArray:
        """Strips of each chip that means are taken over, shape (8176, 6)."""
        left_out = self.disabled | self.noisy
        if self.busy:
            left_out |= self.no_hit
        return np.asarray(N_STRIPS_PER_CHIP - left_out.sum(axis=2))

    def mean_occupancy(self, without: BoolArray | None = None) -> Reals:
        """Hits per strip and event of each wafer's live strips, shape (8176,); NaN without any.

        Chips ``without``, of shape (8176, 6), are left out with their hits and strips.
        """
        hits, strips = self.normal_hits, self.live_strips
        if without is not None:
            hits, strips = hits * ~without, strips * ~without
        with np.errstate(divide="ignore", invalid="ignore"):
            mean: Reals = hits.sum(axis=1) / (self.n_events * strips.sum(axis=1))
        return mean

    def occupancy(self) -> Reals:
        """Hits per event of every strip."""
        with np.errstate(divide="ignore", invalid="ignore"):
            occupancy: Reals = self.hits / np.float64(self.n_events)
        return occupancy

    def hits_in_disabled(self) -> IntArray:
        """Disabled strips with hits: rows of wafer, strip in readout order, hits; (n, 3).

        Those of skipped wafers, which are not looked at, are not among them.
        """
        odd = self.disabled & (self.hits > 0) & ~self.skipped[:, None, None]
        wafer, chip, strip = np.nonzero(odd)
        columns = (wafer, N_STRIPS_PER_CHIP * chip + strip, self.hits[odd])
        return np.column_stack([column.astype(np.int64) for column in columns])


def _sums(hits: NDArray[Any], counted: BoolArray) -> IntArray:
    return np.asarray(np.where(counted, hits, 0).sum(axis=2, dtype=np.int64))


def classify(
    counts: NDArray[Any],
    n_events: int,
    noisy: np.float32,
    *,
    swap: BoolArray,
    bad: BadChannels,
    skipped: BoolArray,
    busy: bool,
) -> WaferStrips:
    """Put hit counts (8176, 768) of offline strips into readout order, and tell what counts."""
    hits: NDArray[Any] = per_chip(counts, swap)
    disabled: BoolArray = np.asarray(per_chip(bad.configuration, swap), dtype=bool)
    with np.errstate(divide="ignore", invalid="ignore"):
        loud = hits / np.float64(n_events) > np.float64(noisy)
    return WaferStrips(n_events, hits, disabled, loud & ~disabled, skipped, busy)


def no_hit_probability(mean: NDArray[Any], trials: NDArray[Any]) -> Reals:
    """Binomial probability of no success in so many trials; arrays broadcast.

    1 without trials, and where there is no mean (NaN). Exact also beyond 2**32 trials, where the
    original wraps around.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        probability = np.exp(trials * np.log1p(-np.minimum(mean, 1.0)))
    return np.where((trials > 0) & ~np.isnan(mean), probability, 1.0)
