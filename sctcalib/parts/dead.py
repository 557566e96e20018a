"""The search for dead or quiet strips, chips and links (reference/algorithms-hitmaps.md 4, 8.1).

One search serves the parts doDeadStrip, doDeadChip, doQuietStrip and doQuietChip. By default it
does what the original means to do; with athena compatibility what its newest release does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sctcalib.detector.bad_channels import BadChannels
from sctcalib.detector.identifiers import IntArray
from sctcalib.detector.readout import BoolArray
from sctcalib.detector.regions import N_MODULES
from sctcalib.job.errors import NeedCheckError
from sctcalib.parts.dead_chips import (
    checked_chips,
    find_dead_chips,
    find_dead_links,
    find_quiet_chips,
)
from sctcalib.parts.dead_means import OUTERMOST_LAYER, RegionMeans, region_means
from sctcalib.parts.dead_strips import (
    find_dead_strips,
    find_quiet_strips,
    numbered,
    strip_means,
)
from sctcalib.parts.dead_wafers import WaferStrips, classify

Mode = Literal["dead", "quiet"]
ATHENA = "athena"


@dataclass(frozen=True)
class Thresholds:
    """What makes a strip or chip dead or quiet."""

    strip_significance: int
    """In standard deviations: a strip is dead if its silence is less probable than that."""
    chip_significance: int
    """The same for chips and links."""
    quiet_strip: np.float32
    """Fraction of the mean of the wafer, below which a strip is quiet."""
    quiet_chip: np.float32
    noisy: np.float32
    """Hits per event, above which a strip is left out of the means."""
    busy: np.float32
    """Mean occupancy of the outermost barrel layer, above which the stream is busy."""
    strip_min_events: int
    strip_min_events_busy: int
    chip_min_events: int
    strict: bool = False
    """With too few events: True: no search; False: a warning."""
    strip_order: str = "reversed"
    """Numbers of side 1, see `sctcalib.parts.dead_strips.numbered`."""

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Thresholds:
        """The thresholds of a configuration, by its option names."""
        return cls(
            strip_significance=options["DeadStripSignificance"],
            chip_significance=options["DeadChipSignificance"],
            quiet_strip=np.float32(options["QuietThresholdStrip"]),
            quiet_chip=np.float32(options["QuietThresholdChip"]),
            noisy=np.float32(options["NoisyThr4DeadFinding"]),
            busy=np.float32(options["BusyThr4DeadFinding"]),
            strip_min_events=options["DeadStripMinStat"],
            strip_min_events_busy=options["DeadStripMinStatBusy"],
            chip_min_events=options["DeadChipMinStat"],
            strict=options["DeadMinStatStrict"],
            strip_order=options["DeadStripOrder"],
        )

    @property
    def strip_probability(self) -> float:
        """One-sided probability of the significance of strips."""
        return tail_probability(self.strip_significance)

    @property
    def chip_probability(self) -> float:
        """One-sided probability of the significance of chips."""
        return tail_probability(self.chip_significance)


def tail_probability(significance: float) -> float:
    """Probability of a normal variable above so many standard deviations."""
    return 0.5 * math.erfc(significance / math.sqrt(2))


@dataclass(frozen=True)
class Search:
    """What is listed of the findings."""

    strips: bool = True
    chips: bool = True
    mode: Mode = "dead"
    compatibility: str = ""

    @property
    def athena(self) -> bool:
        """Whether the original's mistakes are wanted."""
        return self.compatibility == ATHENA


@dataclass(frozen=True)
class Counts:
    """Numbers of the summary (algorithms-hitmaps.md 4.6, 4.7)."""

    modules: int
    """Both links dead."""
    links: int
    """One link dead: modules, not links."""
    chips: int
    """Those of dead links are among them."""
    strips: int
    """Those of dead links are not among them."""


@dataclass(frozen=True)
class DeadSearch:
    """What was found."""

    n_events: int
    thresholds: Thresholds
    search: Search
    """Without what a strict minimum of events has switched off."""
    means: RegionMeans
    busy: bool
    warnings: tuple[str, ...]
    """About too few events."""
    links: BoolArray
    """Dead links, shape (8176,)."""
    chips: BoolArray
    """Dead or quiet chips, with those of dead links, shape (4088, 12), readout order."""
    strips: BoolArray
    """Dead or quiet strips by number, with those of dead links, shape (4088, 1536)."""
    analysed: BoolArray
    """Wafers that were searched for single chips and strips, shape (8176,)."""
    judged_sides: BoolArray
    """Wafers that were neither skipped nor all masked, shape (8176,)."""
    checked_chips: int
    hits_in_disabled: IntArray
    """See `WaferStrips.hits_in_disabled`."""

    @cached_property
    def counts(self) -> Counts:
        """The numbers of what was found, listed or not; strips only if they were searched."""
        dead = self.links.reshape(N_MODULES, 2)
        single = self.strips.reshape(-1, self.strips.shape[1] // 2) & ~self.links[:, None]
        return Counts(
            modules=int(dead.all(axis=1).sum()),
            links=int((dead.sum(axis=1) == 1).sum()),
            chips=int(self.chips.sum()),
            strips=int(single.sum()),
        )


def find_dead(
    counts: NDArray[Any],
    n_events: int,
    thresholds: Thresholds,
    *,
    swap: BoolArray,
    bad: BadChannels,
    bs_error_wafers: BoolArray,
    strips: bool = True,
    chips: bool = True,
    mode: Mode = "dead",
    compatibility: str = "",
) -> DeadSearch:
    """Find dead or quiet strips and chips.

    Parameters
    ----------
    counts
        Hits, shape (8176, 768): wafer hash, offline strip.
    n_events
        Events in the hit maps.
    swap
        Wafers read out against phi, shape (8176,).
    bad
        What is known to be bad; it is not searched.
    bs_error_wafers
        Wafers with any byte-stream error, shape (8176,); they are not searched either.
    strips, chips
        What is to be listed.
    compatibility
        ``athena`` for the original with its mistakes.

    Raises NeedCheckError (exit 1) if strict minima of events leave nothing to search for.
    """
    search = Search(strips, chips, mode, compatibility)
    means = region_means(counts, n_events, thresholds.noisy, bad.modules)
    busy = bool(means.barrel[OUTERMOST_LAYER] > np.float64(thresholds.busy))
    search, warnings = check_statistics(n_events, search, thresholds, busy=busy)
    skipped = disabled_wafers(bad, athena=search.athena) | bs_error_wafers
    state = classify(
        counts, n_events, thresholds.noisy, swap=swap, bad=bad, skipped=skipped, busy=busy
    )
    return _find(state, search, thresholds, means, warnings)


def check_statistics(
    n_events: int, search: Search, thresholds: Thresholds, *, busy: bool
) -> tuple[Search, tuple[str, ...]]:
    """What to search for, and warnings, where there are fewer events than the minima.

    Raises NeedCheckError (exit 1) if strict minima leave nothing.
    """
    least = thresholds.strip_min_events_busy if busy else thresholds.strip_min_events
    few_strips = search.strips and n_events < least
    few_chips = search.chips and n_events < thresholds.chip_min_events
    warnings = []
    if few_strips:
        warnings.append(
            f"required minimum statistics is {least // 1000}k events "
            "for DeadStrip search with this stream"
        )
    if few_chips:
        warnings.append(
            f"required minimum statistics is {thresholds.chip_min_events} events "
            "for DeadChip search"
        )
    if thresholds.strict:
        search = Search(
            search.strips and not few_strips,
            search.chips and not few_chips,
            search.mode,
            search.compatibility,
        )
        if warnings and not (search.strips or search.chips):
            msg = (
                f"Number of events {n_events} is less than the required minimum number of "
                f"events... exit getDeadStrip(): {'; '.join(warnings)}"
            )
            raise NeedCheckError(msg)
    return search, tuple(warnings)


def disabled_wafers(bad: BadChannels, *, athena: bool) -> BoolArray:
    """Sides of bad modules, and sides whose link is bad, shape (8176,).

    The original takes the wrong side: of a module with a bad link it looks at side 0 alone, and
    disables it if its link is good.
    """
    links = bad.links
    if athena:
        pairs = bad.links.reshape(N_MODULES, 2)
        links = np.column_stack([pairs[:, 1] & ~pairs[:, 0], np.zeros(N_MODULES, dtype=bool)])
    return np.repeat(bad.modules, 2) | links.reshape(-1)


def _find(
    state: WaferStrips,
    search: Search,
    thresholds: Thresholds,
    means: RegionMeans,
    warnings: tuple[str, ...],
) -> DeadSearch:
    links = find_dead_links(state, means.of_wafers(), thresholds.chip_probability)
    judged = ~state.skipped & ~state.masked
    analysed = judged & ~links
    if search.mode == "dead":
        analysed &= state.no_hit.any(axis=(1, 2))
        chips = find_dead_chips(state, analysed, thresholds.chip_probability)
    else:
        chips = find_quiet_chips(state, analysed, thresholds.quiet_chip)
    strips = np.zeros((len(links), state.hits[0].size), dtype=bool)
    if search.strips:
        strips = _find_strips(state, search, thresholds, analysed, chips)
    order = ATHENA if search.athena else thresholds.strip_order
    by_number = numbered(strips, order).reshape(strips.shape) | (links[:, None] & search.strips)
    return DeadSearch(
        n_events=state.n_events,
        thresholds=thresholds,
        search=search,
        means=means,
        busy=state.busy,
        warnings=warnings,
        links=links,
        chips=(chips | links[:, None]).reshape(N_MODULES, -1),
        strips=by_number.reshape(N_MODULES, -1),
        analysed=analysed,
        judged_sides=judged,
        checked_chips=checked_chips(state, analysed),
        hits_in_disabled=state.hits_in_disabled(),
    )


def _find_strips(
    state: WaferStrips,
    search: Search,
    thresholds: Thresholds,
    analysed: BoolArray,
    chips: BoolArray,
) -> BoolArray:
    """Shape (8176, 768), readout order."""
    means = strip_means(state, chips, athena=search.athena)
    if search.mode == "dead":
        return find_dead_strips(state, analysed, means, thresholds.strip_probability)
    return find_quiet_strips(state, analysed, means, thresholds.quiet_strip, athena=search.athena)
