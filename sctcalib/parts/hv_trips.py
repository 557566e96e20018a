"""Trips of the high voltage: wafers that become noisy for a short time (algorithms-hitmaps.md 5).

Time is cut into bins of fixed width, and in each bin a wafer is compared with itself in the rest
of the run and with the other wafers of its layer or ring. So neither the order of events nor a
change of beam or trigger rate matters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sctcalib.detector.identifiers import IntArray
from sctcalib.detector.readout import BoolArray
from sctcalib.detector.regions import N_WAFERS
from sctcalib.parts.layer_means import layer_labels, layer_of_wafer

MIN_BINS = 20
"""Bins with events, below which nothing is judged."""
SUCCESSIVE = 4
"""High bins one after the other that make a trip."""


@dataclass(frozen=True)
class Thresholds:
    """What makes a wafer high in a bin."""

    bin_width: int
    """Seconds."""
    hits_per_second: float
    ratio: float
    """Hits per event over the normal ones."""

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Thresholds:
        """The thresholds of a configuration, by its option names."""
        return cls(options["HVBinWidth"], options["HVAbsTripLimit"], options["HVRelTripLimit"])


@dataclass(frozen=True)
class TimeBins:
    """Sums over the events of each time bin; bins without events need not be there.

    Arrays over the bins, ascending: ``number`` (seconds of the event // bin width), ``events``,
    ``first_lb`` and ``last_lb`` (smallest and largest lumi block), and ``hits`` (n, 8176), the
    fired strips of each wafer.
    """

    number: IntArray
    events: IntArray
    first_lb: IntArray
    last_lb: IntArray
    hits: NDArray[np.integer[Any]]

    def __add__(self, other: TimeBins) -> TimeBins:
        """The sums of both, for events that were counted apart."""
        number, at = np.unique(np.append(self.number, other.number), return_inverse=True)
        mine, others = at[: len(self.number)], at[len(self.number) :]
        n = len(number)
        hits = np.zeros((n, N_WAFERS), dtype=np.result_type(self.hits, other.hits))
        first_lb, last_lb = np.full(n, np.iinfo(np.int64).max), np.zeros(n, dtype=np.int64)
        events = np.zeros(n, dtype=np.int64)
        for rows, part in ((mine, self), (others, other)):
            hits[rows] += part.hits
            events[rows] += part.events
            first_lb[rows] = np.minimum(first_lb[rows], part.first_lb)
            last_lb[rows] = np.maximum(last_lb[rows], part.last_lb)
        return TimeBins(number, events, first_lb, last_lb, hits)

    def with_events(self) -> TimeBins:
        """Only the bins that have events."""
        keep = self.events > 0
        if keep.all():
            return self
        first_lb, last_lb = self.first_lb[keep], self.last_lb[keep]
        return TimeBins(self.number[keep], self.events[keep], first_lb, last_lb, self.hits[keep])


@dataclass(frozen=True)
class Trips:
    """Intervals of wafers or of modules; integer arrays of one shape (n,).

    Sorted by ``index`` (wafer hash, or module number), then time. ``start`` and ``end`` are
    seconds, ``end`` is exclusive; the lumi blocks are inclusive.
    """

    index: IntArray
    start: IntArray
    end: IntArray
    first_lb: IntArray
    last_lb: IntArray

    def __len__(self) -> int:
        return len(self.index)


@dataclass(frozen=True)
class HvTrips:
    """What was found, and in how much data."""

    n_bins: int
    """Bins with events."""
    seconds: int
    """Time that these bins cover."""
    n_events: int
    n_wafers: int
    """Wafers that were judged; 0 with too few bins."""
    wafers: Trips
    modules: Trips
    """Those of both sides together, since the supply of a module serves both."""


def find_trips(
    bins: TimeBins, thresholds: Thresholds, *, bad_modules: BoolArray | None = None
) -> HvTrips:
    """Find the trips of a run. Modules flagged in ``bad_modules`` (4088,) are left out."""
    filled = bins.with_events()
    n_bins = len(filled.number)
    wanted = np.ones(N_WAFERS, dtype=bool)
    if bad_modules is not None:
        wanted &= ~np.repeat(bad_modules, 2)
    if n_bins < MIN_BINS:
        wanted[:] = False
    parts = [
        _trips(filled, high, wafers, thresholds.bin_width)
        for wafers, high in _high_bins(filled, thresholds, wanted)
    ]
    found = _merged(_joined(parts), thresholds.bin_width)
    by_module = Trips(found.index // 2, found.start, found.end, found.first_lb, found.last_lb)
    return HvTrips(
        n_bins=n_bins,
        seconds=n_bins * thresholds.bin_width,
        n_events=int(filled.events.sum()),
        n_wafers=int(wanted.sum()),
        wafers=found,
        modules=_merged(by_module, thresholds.bin_width),
    )


def _high_bins(
    bins: TimeBins, thresholds: Thresholds, wanted: BoolArray
) -> Iterator[tuple[IntArray, BoolArray]]:
    """Wafers of each layer or ring, and in which bins they are high, shape (bins, wafers)."""
    layers = layer_of_wafer()
    for layer in range(len(layer_labels())):
        wafers = np.flatnonzero((layers == layer) & wanted)
        if not len(wafers):
            continue
        hits = bins.hits[:, wafers]
        rate = hits / bins.events[:, None]
        own = np.median(rate, axis=0)
        around = np.median(rate, axis=1)
        normal = np.maximum(own, around[:, None])
        high = hits / thresholds.bin_width > thresholds.hits_per_second
        yield wafers, high & (rate > thresholds.ratio * normal)


def _trips(bins: TimeBins, high: BoolArray, wafers: IntArray, width: int) -> Trips:
    """Runs of high bins that follow each other without a gap in time."""
    rows = _runs(bins.number, high)
    long = rows[2] - rows[1] + 1 >= SUCCESSIVE
    wafer, first, last = (row[long] for row in rows)
    spans = list(zip(first.tolist(), (last + 1).tolist(), strict=True))
    return Trips(
        wafers[wafer],
        bins.number[first] * width,
        (bins.number[last] + 1) * width,
        np.array([bins.first_lb[a:b].min() for a, b in spans], dtype=np.int64),
        np.array([bins.last_lb[a:b].max() for a, b in spans], dtype=np.int64),
    )


def _runs(number: IntArray, high: BoolArray) -> tuple[IntArray, IntArray, IntArray]:
    """Column, first and last row of every run of high bins; gaps in ``number`` end a run."""
    follows = np.zeros(high.shape, dtype=bool)
    follows[1:] = high[1:] & high[:-1] & (np.diff(number) == 1)[:, None]
    begins = high & ~follows
    ends = high.copy()
    ends[:-1] &= ~follows[1:]
    column, first = np.nonzero(begins.T)
    _, last = np.nonzero(ends.T)
    return column, first, last


def _joined(parts: list[Trips]) -> Trips:
    fields = ("index", "start", "end", "first_lb", "last_lb")
    nothing = np.zeros(0, dtype=np.int64)
    return Trips(
        *(np.concatenate([nothing, *(getattr(part, name) for part in parts)]) for name in fields)
    )


def _merged(trips: Trips, width: int) -> Trips:
    """Intervals of one wafer or module that overlap, or are at most a bin apart, are one."""
    if not len(trips):
        return trips
    order = np.lexsort([trips.end, trips.start, trips.index])
    index, start, end = trips.index[order], trips.start[order], trips.end[order]
    reach = _latest_end(index, end)
    new = np.ones(len(order), dtype=bool)
    new[1:] = (np.diff(index) != 0) | (start[1:] > reach[:-1] + width)
    begins = np.flatnonzero(new)
    return Trips(
        index[begins],
        start[begins],
        np.maximum.reduceat(end, begins),
        np.minimum.reduceat(trips.first_lb[order], begins),
        np.maximum.reduceat(trips.last_lb[order], begins),
    )


def _latest_end(index: IntArray, end: IntArray) -> IntArray:
    """The latest end up to each interval among those of its wafer or module."""
    room = np.int64(end.max() - end.min() + 1)
    shifted = (end - end.min()) + room * index
    return np.asarray(np.maximum.accumulate(shifted) - room * index + end.min())
