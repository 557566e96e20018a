"""Noisy strips, wafers, links and chips of a run (reference/algorithms-hitmaps.md 3.2, 3.3, 3.6).

Pure functions: hit counts and thresholds in, a result of arrays out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sctcalib.detector.readout import per_chip
from sctcalib.detector.regions import (
    N_CHIPS_PER_MODULE,
    N_MODULE_STRIPS,
    N_MODULES,
    N_STRIPS,
    N_STRIPS_PER_CHIP,
    N_WAFERS,
    REGIONS,
)

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Thresholds:
    """What makes a strip, wafer or chip noisy; single precision, as the original compares."""

    strip: np.float32
    """Hits per strip and event, strictly above which a strip is noisy."""
    wafer: tuple[np.float32, np.float32, np.float32]
    """Hits per strip and event averaged over the wafer: end cap C, barrel, end cap A."""
    wafer_fraction: np.float32
    """Fraction of the 768 strips that must be noisy in a noisy wafer."""
    chip_fraction: np.float32
    """Fraction of the 128 strips that must be noisy in a noisy chip."""
    wafer_finder: bool = True
    wafer_write: bool = True
    wafer_all_strips: bool = False

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Thresholds:
        """The thresholds of a configuration, by its option names."""
        offline = options["NoisyStripThrDef"]
        regions = ("NoisyWaferThrECC", "NoisyWaferThrBarrel", "NoisyWaferThrECA")
        end_cap_c, barrel, end_cap_a = (np.float32(options[name]) for name in regions)
        return cls(
            np.float32(options["NoisyStripThrOffline" if offline else "NoisyStripThrOnline"]),
            (end_cap_c, barrel, end_cap_a),
            np.float32(options["NoisyWaferFraction"]),
            np.float32(options["NoisyChipFraction"]),
            options["NoisyWaferFinder"],
            options["NoisyWaferWrite"],
            options["NoisyWaferAllStrips"],
        )

    @property
    def chip_strips(self) -> int:
        """Noisy strips of a chip, strictly above which the chip is noisy."""
        return int(self.chip_fraction * np.float32(N_STRIPS_PER_CHIP))

    @property
    def chip_hits(self) -> np.float32:
        """Hits per event on a chip, strictly above which the chip is noisy in a lumi block."""
        return np.float32(self.strip * np.float32(N_STRIPS_PER_CHIP)) * self.chip_fraction


@dataclass(frozen=True)
class KnownBad:
    """Strips that need not be announced as new, shape (8176, 768) each; None: not consulted."""

    configuration: BoolArray | None = None
    calibration: BoolArray | None = None

    @property
    def consulted(self) -> bool:
        """Whether anything is."""
        return self.configuration is not None or self.calibration is not None

    def strips(self) -> BoolArray:
        """Strips bad in any of what is consulted, shape (8176, 768)."""
        bad = np.zeros((N_WAFERS, N_STRIPS), dtype=bool)
        for each in (self.configuration, self.calibration):
            if each is not None:
                bad |= each
        return bad


@dataclass(frozen=True)
class NoisyStrips:
    """What was found. Strip lists have the shape (4088, 1536): module, 768 * side + strip."""

    n_events: int
    thresholds: Thresholds
    noisy_wafers: BoolArray
    """Shape (8176,)."""
    noisy_chips: BoolArray
    """Shape (4088, 12), chips in readout order."""
    all: BoolArray
    """Every noisy strip."""
    new: BoolArray
    """Noisy strips that are not known bad: the original's NEW."""
    ref: BoolArray
    """Strips of the reference run."""
    known_bad: BoolArray

    @cached_property
    def gained(self) -> BoolArray:
        """StripOfflineNew of the summary: noisy now and not in the reference run."""
        return self.all & ~self.ref

    @cached_property
    def announced(self) -> BoolArray:
        """Content of BadStripsNewFile.xml as the guide has it: gained and not known bad."""
        return self.gained & ~self.known_bad

    @cached_property
    def changed_modules(self) -> BoolArray:
        """Modules whose list is not that of the reference run, shape (4088,)."""
        changed: BoolArray = np.any(self.all != self.ref, axis=1)
        return changed

    @property
    def counts(self) -> Counts:
        """The numbers of the summary."""
        return Counts(
            modules=_modules(self.all),
            links=int(self.noisy_wafers.sum()),
            chips=int(self.noisy_chips.any(axis=1).sum()),
            strips_all=int(self.all.sum()),
            strips_new=int(self.gained.sum()),
            modules_ref=_modules(self.ref),
            strips_ref=int(self.ref.sum()),
            modules_diff=int(self.changed_modules.sum()),
        )


@dataclass(frozen=True)
class Counts:
    """Numbers of the noisy-strip summary (algorithms-hitmaps.md 3.6, 3.7)."""

    modules: int
    links: int
    """Noisy wafers."""
    chips: int
    """Modules with at least one noisy chip: the original's count, kept for the page."""
    strips_all: int
    strips_new: int
    modules_ref: int
    strips_ref: int
    modules_diff: int


def strip_occupancy(counts: NDArray[Any], n_events: int) -> NDArray[np.float32]:
    """Hits per event of each strip, in single precision as the threshold is compared.

    ``counts`` has the shape (8176, 768); NaN or inf without events.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        occupancy: NDArray[np.float32] = counts.astype(np.float32) / np.float32(n_events)
    return occupancy


def find_noisy_wafers(
    noisy: BoolArray, entries: NDArray[np.float64], n_events: int, thresholds: Thresholds
) -> BoolArray:
    """Wafers with many noisy strips and a high average occupancy, shape (8176,).

    ``noisy`` has the shape (8176, 768); ``entries`` (8176,) are histogram entries, not integrals.
    """
    limit = np.empty(N_WAFERS)
    for region, threshold in zip(REGIONS, thresholds.wafer, strict=True):
        limit[region.wafers] = threshold
    many = noisy.sum(axis=1) > thresholds.wafer_fraction * np.float32(N_STRIPS)
    with np.errstate(divide="ignore", invalid="ignore"):
        average = np.trunc(entries) / N_STRIPS / n_events
        noisy_wafers: BoolArray = many & (average > limit)
    return noisy_wafers


def find(
    counts: NDArray[Any],
    entries: NDArray[np.float64],
    n_events: int,
    thresholds: Thresholds,
    *,
    swap: BoolArray,
    known_bad: KnownBad | None = None,
    reference: BoolArray | None = None,
) -> NoisyStrips:
    """Find the noisy strips of a run.

    Parameters
    ----------
    counts
        Hits, shape (8176, 768): wafer hash, offline strip.
    entries
        Entries of the wafer histograms, shape (8176,).
    n_events
        Events in the hit maps.
    swap
        Wafers read out against phi, shape (8176,).
    reference
        Strips of the reference run, shape (4088, 1536); None without one.
    """
    bad = known_bad or KnownBad()
    noisy = strip_occupancy(counts, n_events) > thresholds.strip
    wafers = find_noisy_wafers(noisy, entries, n_events, thresholds)
    special = wafers if thresholds.wafer_finder else np.zeros(N_WAFERS, dtype=bool)
    listed = noisy
    if not thresholds.wafer_write:
        listed = noisy & ~special[:, None]
    elif thresholds.wafer_all_strips:
        listed = noisy | special[:, None]
    bad_strips = bad.strips()
    new = listed & ~bad_strips
    if thresholds.wafer_write and thresholds.wafer_all_strips:
        new |= special[:, None]
    by_module = listed.reshape(N_MODULES, N_MODULE_STRIPS)
    return NoisyStrips(
        n_events=n_events,
        thresholds=thresholds,
        noisy_wafers=wafers,
        noisy_chips=find_noisy_chips(by_module, swap, thresholds.chip_strips),
        all=by_module,
        new=new.reshape(N_MODULES, N_MODULE_STRIPS),
        ref=np.zeros_like(by_module) if reference is None else reference,
        known_bad=bad_strips.reshape(N_MODULES, N_MODULE_STRIPS),
    )


def find_noisy_chips(strips: BoolArray, swap: BoolArray, limit: int) -> BoolArray:
    """Chips with more than ``limit`` noisy strips, shape (4088, 12), readout order.

    ``strips`` has the shape (4088, 1536), ``swap`` (8176,).
    """
    by_chip = per_chip(strips.reshape(N_WAFERS, N_STRIPS), swap).sum(axis=2)
    noisy: BoolArray = by_chip.reshape(N_MODULES, N_CHIPS_PER_MODULE) > limit
    return noisy


def _modules(strips: BoolArray) -> int:
    return int(strips.any(axis=1).sum())
