"""What reading RAW files accumulates: settings and the result, which adds up over files."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sctcalib.bytestream.layout import N_BOOKED_ERROR_TYPES, Counter
from sctcalib.detector.identifiers import IntArray
from sctcalib.detector.readout import BoolArray
from sctcalib.detector.regions import N_CHIPS_PER_SIDE, N_STRIPS, N_WAFERS
from sctcalib.job.errors import JobError

DAMAGE_LIMIT = 100
"""Damaged places that are listed of all files; their number is counted in full."""
MAX_TIME_BINS = 100_000
"""Time bins that are kept: six days of bins of 5 s."""


@dataclass(frozen=True)
class RawSettings:
    """What to accumulate, and from which events.

    Attributes
    ----------
    n_lumi_blocks
        Lumi blocks L of the run, > 0: the axis of the LB maps.
    lbs_per_window
        Lumi blocks in one window of the strip-wise LB maps, > 0.
    swap
        Which wafers are read out against phi, shape (8176,).
    accept
        Intervals [since, until) of event times in UTC seconds, shape (k, 2): only events in them
        enter hit and LB maps (the majority rule). None lets all pass.
    hv_bin_seconds
        Width of the time bins for HV trips, > 0; None leaves them out.
    hits, lumi_blocks, errors
        Whether to fill the hit map, the LB maps, the error maps.
    good_links
        Which links of each module work, shape (4088, 2); None for all. Where exactly one does,
        its errors count for both sides, and temporarily masked chips follow the chain of twelve.
    """

    n_lumi_blocks: int
    lbs_per_window: int
    swap: BoolArray
    accept: NDArray[np.int64] | NDArray[np.float64] | None = None
    hv_bin_seconds: float | None = None
    hits: bool = True
    lumi_blocks: bool = True
    errors: bool = True
    good_links: BoolArray | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for numbers that cannot be."""
        width = self.hv_bin_seconds
        if self.n_lumi_blocks < 1 or self.lbs_per_window < 1 or (width is not None and width <= 0):
            msg = (
                f"{self.n_lumi_blocks} lumi blocks, {self.lbs_per_window} in a window, bins of "
                f"{width} s: these must be above 0"
            )
            raise ValueError(msg)

    @property
    def n_windows(self) -> int:
        return -(-self.n_lumi_blocks // self.lbs_per_window)


@dataclass(frozen=True, order=True)
class Damage:
    """A place in a file that could not be decoded.

    ``offset`` is the byte offset of the ROB fragment or of the event; inside compressed data it is
    that of the data block.
    """

    file: str
    offset: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}: byte {self.offset}: {self.text}"


@dataclass
class DamageList:
    """The first damaged places in the order of file names and offsets, and how many there are."""

    count: int = 0
    first: list[Damage] = field(default_factory=list)

    def add(self, damage: Damage) -> None:
        """Count one more place, and list it if it is among the first."""
        self.count += 1
        self.first.append(damage)
        if len(self.first) >= 2 * DAMAGE_LIMIT:
            self._shorten()

    def merge(self, other: DamageList) -> None:
        self.count += other.count
        self.first.extend(other.first)
        self._shorten()

    def sorted(self) -> list[Damage]:
        """At most `DAMAGE_LIMIT` places, in order."""
        self._shorten()
        return list(self.first)

    def _shorten(self) -> None:
        self.first = sorted(self.first)[:DAMAGE_LIMIT]


@dataclass
class TimeBin:
    """One time bin: its events, its smallest and largest lumi block, hits (8176,) per wafer."""

    n_events: int
    first_lb: int
    last_lb: int
    hits: NDArray[np.unsignedinteger]


@dataclass
class TimeBins:
    """Hits per wafer in absolute time bins (bin = UTC seconds // width), for the HV trips.

    Rows are kept in the smallest integers that hold them, since a run has thousands of bins.
    """

    rows: dict[int, TimeBin] = field(default_factory=dict)

    def add(self, time_bin: int, row: TimeBin) -> None:
        """Add the contents of a bin; ``row.hits`` may be overwritten later."""
        known = self.rows.get(time_bin)
        if known is None and len(self.rows) >= MAX_TIME_BINS:
            msg = (
                f"the events spread over more than {MAX_TIME_BINS} time bins: choose a wider "
                "HVBinWidth, or leave out files with wrong event times"
            )
            raise JobError(msg)
        hits = row.hits.astype(np.uint32)
        if known is not None:
            hits += known.hits
            row = TimeBin(
                known.n_events + row.n_events,
                min(known.first_lb, row.first_lb),
                max(known.last_lb, row.last_lb),
                hits,
            )
        dtype = np.min_scalar_type(int(hits.max()))
        self.rows[time_bin] = TimeBin(row.n_events, row.first_lb, row.last_lb, hits.astype(dtype))

    def merge(self, other: TimeBins) -> None:
        for time_bin, row in other.rows.items():
            self.add(time_bin, row)

    def bins(self) -> IntArray:
        """Numbers of the bins that have events, ascending, shape (b,)."""
        return np.array(sorted(self.rows), dtype=np.int64)

    def n_events(self) -> IntArray:
        """Events of the bins of `bins`, shape (b,)."""
        return np.array([self.rows[b].n_events for b in sorted(self.rows)], dtype=np.int64)

    def lumi_blocks(self) -> IntArray:
        """Smallest and largest lumi block of the bins of `bins`, shape (b, 2)."""
        rows = [self.rows[b] for b in sorted(self.rows)]
        return np.array([(r.first_lb, r.last_lb) for r in rows], dtype=np.int64).reshape(-1, 2)

    def hits(self) -> NDArray[np.unsignedinteger]:
        """Hits of the bins of `bins`, shape (b, 8176), in the smallest integers that hold them."""
        kinds = [row.hits.dtype for row in self.rows.values()]
        matrix: NDArray[np.unsignedinteger] = np.zeros(
            (len(self.rows), N_WAFERS), dtype=np.result_type(np.uint8, *kinds)
        )
        for i, time_bin in enumerate(sorted(self.rows)):
            matrix[i] = self.rows[time_bin].hits
        return matrix


@dataclass
class WindowHits:
    """Hits of every strip in windows of lumi blocks.

    Row 0 is the underflow (lumi block 0), row y the window of lumi blocks (y - 1) M + 1 ... y M,
    the last row the overflow: the axis of the 2D maps in SCTLB.root. Counts are kept as 16 bits,
    and their overflows apart, since few strips have more and the windows are many.
    """

    low: NDArray[np.uint16]
    """(Y + 2, 8176, 768), or no rows."""
    high: Tally[int] = field(default_factory=Tally)
    """Multiples of 65536 to add, by flat index into ``low``."""

    def row(self, window: int) -> NDArray[np.uint32]:
        """The hits of one row, shape (8176, 768)."""
        cells = N_WAFERS * N_STRIPS
        counts: NDArray[np.uint32] = self.low[window].astype(np.uint32)
        for cell, overflows in self.high.items():
            if cell // cells == window:
                counts.flat[cell % cells] += np.uint32(overflows << 16)
        return counts

    def wafers(self, first: int, end: int) -> NDArray[np.uint32]:
        """The hits of the wafers first ... end - 1 in all rows, shape (Y + 2, end - first, 768)."""
        counts: NDArray[np.uint32] = self.low[:, first:end].astype(np.uint32)
        for cell, overflows in self.high.items():
            window, wafer, strip = np.unravel_index(cell, self.low.shape)
            if first <= wafer < end:
                counts[window, wafer - first, strip] += np.uint32(overflows << 16)
        return counts

    def merge_row(self, other: WindowHits, window: int) -> None:
        """Add the low parts of a row of another; `high` is not touched but for new overflows."""
        mine, theirs = self.low[window], other.low[window]
        mine += theirs
        over = np.flatnonzero(mine < theirs)
        self.high.update((over + window * N_WAFERS * N_STRIPS).tolist())


@dataclass
class RawMaps:
    """The sum over events; see `sctcalib.bytestream.accumulate`.

    Arrays that were not asked for have no rows. The rows of the lumi-block axis are lumi blocks
    0 ... L, and one for all above L.
    """

    n_lumi_blocks: int
    lbs_per_window: int
    rod_ids: IntArray
    """(n,) of the cabling, ascending."""
    counts: NDArray[np.uint32]
    """(8176, 768): hits of each offline strip."""
    lb_events: IntArray
    """(L + 2,): events of each lumi block."""
    chip_hits: NDArray[np.uint32]
    """(L + 2, 49056): hits of each chip; column 6 * wafer hash + chip on its side, readout order.
    All strips of a group belong to the chip of its first offline strip."""
    windows: WindowHits
    strip_block: IntArray
    """(8176,): sum of offline strip times lumi block over the hits in lumi blocks 1 ... L: the
    mixed moment of the 2D maps, which their windows have lost."""
    errors: IntArray
    """(8176, 15): events in which a wafer has each of the first 15 error types."""
    error_overflow: IntArray
    """(8176,): the same for the other 20 types, summed."""
    rod_hv_not_on: IntArray
    """(n,): events in which a ROD did not report all four HV bits."""
    counter_values: IntArray
    """One number for each `Counter`."""
    n_events: int = 0
    """Events in hit and LB maps: the entries of ``GENERAL/events``."""
    events_read: int = 0
    """Data blocks read, whatever became of them."""
    events_damaged: int = 0
    """Events whose header or chain of ROB fragments could not be read; they are in no map."""
    events_unknown: int = 0
    """Events with more than ten groups of unknown online identifiers; they are in no map."""
    events_rejected: int = 0
    """Events outside the accepted intervals; they are in error maps and time bins only."""
    events_outside_lbs: int = 0
    """Events of ``n_events`` with lumi block 0 or above L."""
    error_events: int = 0
    """Events in the error maps."""
    first_lb: int | None = None
    last_lb: int | None = None
    first_time: int | None = None
    last_time: int | None = None
    """Of all events with a readable header and ROB chain; times in UTC seconds."""
    files_incomplete: int = 0
    """Files that end inside a record, or without an end-of-file record."""
    time_bins: TimeBins = field(default_factory=TimeBins)
    damage: DamageList = field(default_factory=DamageList)

    @property
    def entries(self) -> IntArray:
        """Hits of each wafer, shape (8176,) or (0,)."""
        hits: IntArray = self.counts.sum(axis=1, dtype=np.int64)
        return hits

    @property
    def error_entries(self) -> IntArray:
        """Errors of all types of each wafer, shape (8176,) or (0,)."""
        entries: IntArray = self.errors.sum(axis=1) + self.error_overflow
        return entries

    @property
    def counters(self) -> dict[str, int]:
        """Numbers by the names of `Counter` in lower case."""
        return {c.name.lower(): int(self.counter_values[c]) for c in Counter}

    def merge(self, other: RawMaps) -> RawMaps:
        """Add another result to this one, which is returned.

        Associative and commutative. Raises ValueError if the two were made with other settings.
        """
        for name, mine, theirs in (
            ("lumi blocks", self.n_lumi_blocks, other.n_lumi_blocks),
            ("lumi blocks per window", self.lbs_per_window, other.lbs_per_window),
            ("RODs", self.rod_ids.tolist(), other.rod_ids.tolist()),
            ("maps", self._shapes(), other._shapes()),
        ):
            if mine != theirs:
                msg = f"maps with different {name} cannot be added: {mine} and {theirs}"
                raise ValueError(msg)
        self._merge_arrays(other)
        self._merge_numbers(other)
        self.time_bins.merge(other.time_bins)
        self.damage.merge(other.damage)
        return self

    def _shapes(self) -> list[tuple[int, ...]]:
        arrays = (self.counts, self.chip_hits, self.windows.low, self.errors)
        return [array.shape for array in arrays]

    def _merge_arrays(self, other: RawMaps) -> None:
        self.counts += other.counts
        self.errors += other.errors
        self.error_overflow += other.error_overflow
        self.rod_hv_not_on += other.rod_hv_not_on
        self.counter_values += other.counter_values
        # only what the other has touched: untouched pages of both need no memory
        for row in np.flatnonzero(other.lb_events).tolist():
            self.chip_hits[row] += other.chip_hits[row]
        for window in other.filled_windows():
            self.windows.merge_row(other.windows, window)
        self.windows.high.update(other.windows.high)
        self.lb_events += other.lb_events
        self.strip_block += other.strip_block

    def filled_windows(self) -> Iterator[int]:
        """Rows of ``windows`` that may have hits."""
        last = len(self.windows.low) - 1
        blocks = np.flatnonzero(self.lb_events)
        rows = (blocks - 1) // self.lbs_per_window + 1
        found = set(np.clip(rows, 0, last).tolist()) if last > 0 else set()
        if last > 0 and self.lb_events[-1]:
            found |= {last - 1, last}
        yield from sorted(found)

    def _merge_numbers(self, other: RawMaps) -> None:
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name, choose in (
            ("first_lb", min), ("last_lb", max), ("first_time", min), ("last_time", max),
        ):  # fmt: skip
            known = [x for x in (getattr(self, name), getattr(other, name)) if x is not None]
            setattr(self, name, choose(known) if known else None)


_SUMS = (
    "n_events", "events_read", "events_damaged", "events_unknown", "events_rejected",
    "events_outside_lbs", "error_events", "files_incomplete",
)  # fmt: skip


def empty_maps(settings: RawSettings, rod_ids: IntArray) -> RawMaps:
    """Maps of no events. Memory is used only where something is entered."""
    n_rows = settings.n_lumi_blocks + 2 if settings.lumi_blocks else 0
    n_windows = settings.n_windows + 2 if settings.lumi_blocks else 0
    n_errors = N_WAFERS if settings.errors else 0
    return RawMaps(
        settings.n_lumi_blocks,
        settings.lbs_per_window,
        rod_ids,
        counts=np.zeros((N_WAFERS if settings.hits else 0, N_STRIPS), dtype=np.uint32),
        lb_events=np.zeros(n_rows, dtype=np.int64),
        chip_hits=np.zeros((n_rows, N_WAFERS * N_CHIPS_PER_SIDE), dtype=np.uint32),
        windows=WindowHits(np.zeros((n_windows, N_WAFERS, N_STRIPS), dtype=np.uint16)),
        strip_block=np.zeros(N_WAFERS if settings.lumi_blocks else 0, dtype=np.int64),
        errors=np.zeros((n_errors, N_BOOKED_ERROR_TYPES), dtype=np.int64),
        error_overflow=np.zeros(n_errors, dtype=np.int64),
        rod_hv_not_on=np.zeros(len(rod_ids), dtype=np.int64),
        counter_values=np.zeros(len(Counter), dtype=np.int64),
    )
