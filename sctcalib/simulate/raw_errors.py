"""Byte-stream errors of a simulated RAW run, and links that the cabling does not know.

An error is planned as the numbers of the events that have it, so the truth counts exactly what a
reader must find (raw-bytestream.md 3.12-3.14).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sctcalib.bytestream import encoder_words as word
from sctcalib.bytestream.encoder import Conditions, LinkBits, Links, LinkWords, LooseWords
from sctcalib.detector.identifiers import IntArray
from sctcalib.detector.readout import BoolArray
from sctcalib.detector.regions import N_CHIPS_PER_SIDE

if TYPE_CHECKING:
    from collections.abc import Sequence

TOLERATED_UNKNOWN_GROUPS = 10
"""Groups of unknown links in an event, with one more of which it is left out."""
_ABCD, _RAW, _MASKED_CHIPS = "ABCDError", "RawError", "TempMaskedChip"
LINK_ERRORS = (*word.HEADER_ERRORS, *word.TRAILER_ERRORS, _ABCD, _RAW, _MASKED_CHIPS)
"""Errors of links, planted in this order over and over."""
_ABCD_CODES = (1, 2, 4, 7)

ROD_ERRORS: dict[str, tuple[str, ...]] = {
    "RODClockError": (),
    "ROBFragmentError": (),
    "MissingLinkHeaderError": (),
    "RODSimulatedData": (),
    "TruncatedROD": ("ROBFragmentError",),
    "MaskedROD": ("ROBFragmentError",),
}
"""Errors of RODs, planted in this order over and over, and those that they bring with them."""
WITHOUT_DATA = ("TruncatedROD", "MaskedROD")
"""Errors of RODs whose hits a reader leaves alone."""
_ROB_STATUS = {
    "ROBFragmentError": 1 << 16,
    "TruncatedROD": word.ROB_TRUNCATED,
    "MaskedROD": word.ROB_LOST,
}
_LINK_FRACTION = (0.005, 0.3)
_ROD_FRACTION = (0.002, 0.01)
"""Range of the fraction of events that have the error."""


@dataclass(frozen=True)
class LinkError:
    """An error of the link of a wafer, and the events that have it, ascending."""

    wafer: int
    name: str
    events: IntArray
    chip: int = 0
    """Chip 0-5 of the side, where the error has one."""
    code: int = 1
    """Of an ABCD error."""

    def counted(self) -> dict[str, int]:
        """How often a reader finds each type of error."""
        names = [self.name]
        if self.name == _ABCD:
            names += [f"{_ABCD}_Error{self.code}", f"{_ABCD}_Chip{self.chip}"]
        elif self.name == _MASKED_CHIPS:
            names = [f"{_MASKED_CHIPS}{chip}" for chip in range(self.chip, N_CHIPS_PER_SIDE)]
        return dict.fromkeys(names, len(self.events))

    def bits(self) -> tuple[int, int]:
        """Bits of header and trailer."""
        side = self.wafer % 2
        masked = word.masked_chips_bits(side, self.chip) if self.name == _MASKED_CHIPS else 0
        trailer = word.TRAILER_ERRORS.get(self.name, 0) | masked
        return word.HEADER_ERRORS.get(self.name, 0), trailer

    def extra_word(self) -> int | None:
        """The word that follows the header, if the error is one."""
        if self.name == _ABCD:
            return word.abcd_error_word(self.wafer % 2, self.chip, self.code)
        return word.raw_data_word(0b1010) if self.name == _RAW else None


@dataclass(frozen=True)
class RodError:
    """An error of a ROD, and the events that have it, ascending."""

    rod: int
    """Index into the RODs of the cabling."""
    name: str
    events: IntArray

    def counted(self) -> dict[str, int]:
        """How often a reader finds each type of error, on every wafer of the ROD."""
        return dict.fromkeys((self.name, *ROD_ERRORS[self.name]), len(self.events))


class UnknownLink(NamedTuple):
    """A link without cabling in one event, with a number of hits."""

    event: int
    rod: int
    fibre: int
    groups: int


@dataclass(frozen=True)
class Errors:
    """All errors of a run."""

    links: tuple[LinkError, ...]
    rods: tuple[RodError, ...]
    unknown: tuple[UnknownLink, ...]

    def skipped(self, n_events: int) -> BoolArray:
        """Events that a reader leaves out because of unknown links, shape (events,)."""
        skipped = np.zeros(n_events, dtype=bool)
        over = [u.event for u in self.unknown if u.groups > TOLERATED_UNKNOWN_GROUPS]
        skipped[over] = True
        return skipped

    def conditions(self, begin: int, end: int, n_rods: int) -> Conditions:
        """What the encoder must put into the events ``begin`` to ``end``."""
        states = _RodStates(end - begin, n_rods)
        for error in self.rods:
            states.set(error, _within(error.events, begin, end))
        loose = [
            *states.loose,
            *(
                (link.event - begin, link.rod, each)
                for link in self.unknown
                if begin <= link.event < end
                for each in _unknown_words(link)
            ),
        ]
        return Conditions(
            bits=LinkBits(*_columns(self._link_bits(begin, end), 4)),
            words=LinkWords(*_columns(self._link_words(begin, end), 3)),
            loose=LooseWords(*_columns(loose, 3)),
            rob_status=states.rob_status,
            rod_status=states.rod_status,
            event_type=states.event_type,
        )

    def without_data(self, begin: int, end: int, n_rods: int) -> BoolArray:
        """RODs whose data a reader does not decode, shape (end - begin, RODs)."""
        flags = np.zeros((end - begin, n_rods), dtype=bool)
        for error in self.rods:
            if error.name in WITHOUT_DATA:
                flags[_within(error.events, begin, end), error.rod] = True
        return flags

    def _link_bits(self, begin: int, end: int) -> list[tuple[int, ...]]:
        return [
            (event, error.wafer, *error.bits())
            for error in self.links
            if any(error.bits())
            for event in _within(error.events, begin, end).tolist()
        ]

    def _link_words(self, begin: int, end: int) -> list[tuple[int, ...]]:
        return [
            (event, error.wafer, extra)
            for error in self.links
            if (extra := error.extra_word()) is not None
            for event in _within(error.events, begin, end).tolist()
        ]


class _RodStates:
    """Status words of the RODs of some events."""

    def __init__(self, n_events: int, n_rods: int) -> None:
        shape = (n_events, n_rods)
        self.rob_status = np.zeros(shape, dtype=np.uint32)
        self.rod_status = np.full(shape, word.HV_ON, dtype=np.uint32)
        self.event_type = np.zeros(shape, dtype=np.uint32)
        self.loose: list[tuple[int, ...]] = []

    def set(self, error: RodError, events: IntArray) -> None:
        """Plant an error in events."""
        at = (events, error.rod)
        if error.name == "RODClockError":
            self.rod_status[at] |= np.uint32(word.TIM_CLOCK_ERROR)
        elif error.name == "RODSimulatedData":
            self.event_type[at] |= np.uint32(word.ROD_SIMULATOR)
        elif error.name == "MissingLinkHeaderError":
            hit = int(word.hit_word(0, 0, 0))
            self.loose += [(event, error.rod, hit) for event in events.tolist()]
        else:
            self.rob_status[at] |= np.uint32(_ROB_STATUS[error.name])


def _within(events: IntArray, begin: int, end: int) -> IntArray:
    return events[np.searchsorted(events, begin) : np.searchsorted(events, end)] - begin


def _columns(rows: Sequence[tuple[int, ...]], n_columns: int) -> IntArray:
    return np.array(rows, dtype=np.int64).reshape(-1, n_columns).T


def _unknown_words(link: UnknownLink) -> list[int]:
    """Header, single hits on every second strip, and trailer of a link, in expanded mode."""
    strips = 2 * np.arange(link.groups)
    hits = word.hit_word(link.fibre % 2, strips, word.CONDENSED_TIME_BIN)
    header = word.header_word(link.fibre, word.Mode.EXPANDED)
    return [int(header), *hits.tolist(), word.TRAILER]


def choose_rods(rng: np.random.Generator, links: Links, count: int) -> tuple[IntArray, IntArray]:
    """RODs that get errors, and the modules behind them."""
    rods = np.sort(rng.permutation(len(links.rods))[:count])
    return rods, np.unique(np.flatnonzero(np.isin(links.rod, rods)) // 2)


def plan_errors(
    rng: np.random.Generator,
    links: Links,
    n_events: int,
    wafers: IntArray,
    rods: IntArray,
    n_unknown: int,
) -> Errors:
    """Choose the events with errors of the given wafers and RODs, and with unknown links.

    Events that are left out because of unknown links have no other errors.
    """
    unknown = _plan_unknown(rng, links, n_events, n_unknown)
    skipped = {u.event for u in unknown if u.groups > TOLERATED_UNKNOWN_GROUPS}
    usable = np.setdiff1d(np.arange(n_events), np.array(sorted(skipped), dtype=np.int64))

    def some_events(fraction: tuple[float, float]) -> IntArray:
        count = max(1, round(len(usable) * rng.uniform(*fraction)))
        return np.sort(rng.choice(usable, count, replace=False))

    link_errors = tuple(
        LinkError(
            wafer,
            LINK_ERRORS[number % len(LINK_ERRORS)],
            some_events(_LINK_FRACTION),
            chip=int(rng.integers(0, N_CHIPS_PER_SIDE)),
            code=int(rng.choice(_ABCD_CODES)),
        )
        for number, wafer in enumerate(np.sort(wafers).tolist())
    )
    names = list(ROD_ERRORS)
    rod_errors = tuple(
        RodError(rod, names[number % len(names)], some_events(_ROD_FRACTION))
        for number, rod in enumerate(rods.tolist())
    )
    return Errors(link_errors, rod_errors, unknown)


def _plan_unknown(
    rng: np.random.Generator, links: Links, n_events: int, count: int
) -> tuple[UnknownLink, ...]:
    """Events with one group too many of an unknown link, and as many at the limit."""
    used = set(zip(links.rod.tolist(), links.fibre.tolist(), strict=True))
    all_places = ((rod, fibre) for rod in range(len(links.rods)) for fibre in range(word.N_FIBRES))
    free = [place for place in all_places if place not in used]
    events = rng.permutation(n_events)[: 2 * count].tolist()
    places = [free[int(index)] for index in rng.integers(0, len(free), len(events))]
    groups = [TOLERATED_UNKNOWN_GROUPS + (number < count) for number in range(len(events))]
    rows = zip(events, places, groups, strict=True)
    return tuple(sorted(UnknownLink(event, *place, n) for event, place, n in rows))
