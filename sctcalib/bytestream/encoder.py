"""SCT read-out fragments from groups of strips and errors (reference/raw-bytestream.md 2.5, 3, 4).

All events of a call are encoded together, as array expressions: the result is one array of 32-bit
words with the ROB fragments of every event, in the order of ROD numbers. Each has two ROD status
words, and a header and a trailer for every link, as the hardware sends them. This module shares
nothing with the reading side, so that one checks the other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import numpy as np
from numpy.typing import NDArray

from sctcalib.bytestream.encoder_hits import Groups, Routes, Words, check_groups, hit_words
from sctcalib.bytestream.encoder_words import (
    HV_ON,
    N_FIBRES,
    PADDING,
    ROD_SUPER_CONDENSED,
    TRAILER,
    Mode,
    header_word,
)
from sctcalib.detector.identifiers import IntArray
from sctcalib.detector.readout import BoolArray
from sctcalib.detector.regions import N_WAFERS

WordArray = NDArray[np.uint32]

ROB_MARKER, ROD_MARKER = 0xDD1234DD, 0xEE1234EE
ROD_VERSION = 0x03010000
ROB_HEADER_SIZE, ROD_HEADER_SIZE, ROD_TRAILER_SIZE = 8, 9, 3
N_ROD_STATUS = 2
_BEFORE_DATA = ROB_HEADER_SIZE + ROD_HEADER_SIZE
_FRAME = _BEFORE_DATA + N_ROD_STATUS + ROD_TRAILER_SIZE
"""Words of a ROB fragment that are not data."""
_RUN_BITS = 0x7FFFFFFF


@dataclass(frozen=True)
class Links:
    """Where the data of each wafer come out: arrays over wafers, shape (8176,)."""

    rods: IntArray
    """Source identifiers of the RODs, ascending, 24 bits."""
    rod: IntArray
    """Index into ``rods`` for each wafer; -1 where it has no link."""
    fibre: IntArray
    """Fibre 0-95 of the ROD."""

    def __post_init__(self) -> None:
        used = self.rod >= 0
        key = self.rod[used] * N_FIBRES + self.fibre[used]
        fibres = self.fibre[used]
        if np.any((fibres < 0) | (fibres >= N_FIBRES)) or len(np.unique(key)) != len(key):
            msg = f"a fibre is outside 0-{N_FIBRES - 1}, or has two wafers"
            raise ValueError(msg)
        if np.any(np.diff(self.rods) <= 0) or self.rod.max(initial=-1) >= len(self.rods):
            msg = "ROD identifiers must ascend, and all wafers be at one of them"
            raise ValueError(msg)


@dataclass(frozen=True)
class EventNumbers:
    """What the ROD headers repeat of their events: arrays of one number per event."""

    run: int
    lvl1_id: IntArray
    bcid: IntArray
    trigger_type: IntArray


def _nothing() -> IntArray:
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class LinkBits:
    """Bits to set in headers and trailers of links: parallel arrays."""

    event: IntArray = field(default_factory=_nothing)
    wafer: IntArray = field(default_factory=_nothing)
    header: IntArray = field(default_factory=_nothing)
    trailer: IntArray = field(default_factory=_nothing)


@dataclass(frozen=True)
class LinkWords:
    """Words that follow the header of a wafer's link, before its hits: parallel arrays."""

    event: IntArray = field(default_factory=_nothing)
    wafer: IntArray = field(default_factory=_nothing)
    word: IntArray = field(default_factory=_nothing)


@dataclass(frozen=True)
class LooseWords:
    """Words at the end of the data of a ROD, after its last link: parallel arrays.

    With a header and a trailer among them they are another link, say one without cabling; hits
    alone are hits without header.
    """

    event: IntArray = field(default_factory=_nothing)
    rod: IntArray = field(default_factory=_nothing)
    """Index into the RODs of the cabling."""
    word: IntArray = field(default_factory=_nothing)


@dataclass(frozen=True)
class Conditions:
    """Everything that is not a hit; arrays over RODs have the shape (events, RODs)."""

    bits: LinkBits = field(default_factory=LinkBits)
    words: LinkWords = field(default_factory=LinkWords)
    loose: LooseWords = field(default_factory=LooseWords)
    rob_status: WordArray | None = None
    """First ROB status word; default 0."""
    rod_status: WordArray | None = None
    """Second ROD status word; default high voltage on, no clock error."""
    event_type: WordArray | None = None
    """Detector event type; default 0. The bit of super-condensed mode is set by the encoder."""
    absent: BoolArray | None = None
    """RODs without a fragment in the event."""


@dataclass(frozen=True)
class Fragments:
    """ROB fragments of events."""

    words: NDArray[np.uint32]
    """Little-endian 32-bit words."""
    starts: IntArray
    """Index of the first word of every event, and the end: shape (events + 1,)."""

    def of_event(self, event: int) -> bytes:
        """All fragments of one event."""
        return self.words[self.starts[event] : self.starts[event + 1]].tobytes()


@dataclass(frozen=True)
class _Slots:
    """Places for words within an event: links by ROD and fibre, and behind the links of each ROD
    one for loose words and padding. Arrays over slots but for the last two, over RODs."""

    rod: IntArray
    """Index of the ROD."""
    is_link: BoolArray
    header: NDArray[np.uint16]
    """Header word of the link, without errors."""
    first: IntArray
    """First slot of each ROD."""
    tail: IntArray
    """Last slot of each ROD: that for loose words."""


def _slots(links: Links, wafer: IntArray, mode: Mode) -> tuple[_Slots, IntArray]:
    """Slots for the links of the wafers given, and the slot of each of these wafers."""
    n_rods = len(links.rods)
    rod = np.concatenate([links.rod[wafer], np.arange(n_rods)])
    fibre = np.concatenate([links.fibre[wafer], np.full(n_rods, N_FIBRES)])
    order = np.lexsort((fibre, rod))
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    tail = place[len(wafer) :]
    header = header_word(fibre[order], mode).astype(np.uint16)
    first = np.append(0, tail[:-1] + 1)
    return _Slots(rod[order], fibre[order] < N_FIBRES, header, first, tail), place[: len(wafer)]


class Encoder:
    """Makes ROB fragments for a cabling and a mode.

    Parameters
    ----------
    links
        Cabling.
    swap
        Which wafers are read out against offline strip numbers, shape (8176,).
    all_links
        Header and trailer also for links without hits and errors.
    redundant
        Wafers whose link is broken and whose data leave over that of the other side.
    silent
        Wafers whose link sends nothing at all.
    rob_version
        Version word of ROB fragments.
    status_first
        Put the ROD status words before the data.
    """

    def __init__(
        self,
        links: Links,
        swap: BoolArray,
        mode: Mode = Mode.CONDENSED,
        *,
        all_links: bool = True,
        redundant: tuple[int, ...] = (),
        silent: tuple[int, ...] = (),
        rob_version: int = 0x05000000,
        status_first: bool = False,
    ) -> None:
        self.links, self.mode, self.all_links = links, mode, all_links
        self._rob_version, self._status_first = rob_version, status_first
        sends = links.rod >= 0
        sends[[*redundant, *silent]] = False
        wafer = np.flatnonzero(sends)
        slot = np.full(N_WAFERS, -1, dtype=np.int64)
        self._slots, slot[wafer] = _slots(links, wafer, mode)
        moved = np.array(redundant, dtype=np.int64)
        slot[moved] = slot[moved ^ 1]
        self._routes = Routes(slot, links.fibre % 2, swap)

    def encode(
        self, numbers: EventNumbers, groups: Groups, conditions: Conditions | None = None
    ) -> Fragments:
        """Encode events; raises ValueError for groups that cannot be."""
        conditions = conditions or Conditions()
        n_events, n_rods = len(numbers.lvl1_id), len(self.links.rods)
        check_groups(groups, n_events)
        sent = np.ones((n_events, n_rods), dtype=bool)
        if conditions.absent is not None:
            sent &= ~conditions.absent
        words = self._all_words(groups, conditions, sent)
        offset = _BEFORE_DATA + (N_ROD_STATUS if self._status_first else 0)
        present = self._present(words, conditions.bits, sent)
        layout = _Layout(self._slots, words, present, sent, offset)
        out = np.zeros(layout.n_words, dtype="<u4")
        self._write_frames(out, layout, numbers, conditions)
        halves = out.view("<u2")
        self._write_links(halves, layout, conditions.bits)
        halves[layout.positions(words) ^ 1] = words.word
        return Fragments(cast("NDArray[np.uint32]", out), layout.event_starts)

    def _all_words(self, groups: Groups, conditions: Conditions, sent: BoolArray) -> Words:
        """Words between headers and trailers, ordered by event and slot."""
        extra, loose = conditions.words, conditions.loose
        words = (
            Words(extra.event, self._routes.slot[extra.wafer], extra.word)
            + hit_words(groups, self._routes, self.mode)
            + Words(loose.event, self._slots.tail[loose.rod], loose.word)
        )
        kept = (words.slot >= 0) & sent[words.event, self._slots.rod[words.slot]]
        key = words.event * len(self._slots.rod) + words.slot
        order = np.argsort(key, kind="stable")
        order = order[kept[order]]
        return Words(words.event[order], words.slot[order], words.word[order])

    def _present(self, words: Words, bits: LinkBits, sent: BoolArray) -> BoolArray:
        """Links with header and trailer, shape (events, slots)."""
        present = np.broadcast_to(self._slots.is_link, (len(sent), len(self._slots.is_link))).copy()
        if not self.all_links:
            used = np.zeros_like(present)
            used[words.event, words.slot] = True
            slot = self._routes.slot[bits.wafer]
            used[bits.event[slot >= 0], slot[slot >= 0]] = True
            present &= used
        if not sent.all():
            present &= sent[:, self._slots.rod]
        return present

    def _write_frames(
        self, out: WordArray, layout: _Layout, numbers: EventNumbers, conditions: Conditions
    ) -> None:
        """Headers, status words and trailers of all fragments."""
        event, rod = np.nonzero(layout.sent)
        start, n_data = layout.fragment_start, layout.n_data[layout.sent]

        def of_rods(values: WordArray | None, default: int) -> IntArray:
            if values is None:
                return np.full(len(event), default, dtype=np.int64)
            return values[layout.sent].astype(np.int64)

        source = self.links.rods[rod]
        event_type = of_rods(conditions.event_type, 0)
        if self.mode is Mode.SUPER:
            event_type |= ROD_SUPER_CONDENSED
        head: tuple[int | IntArray, ...] = (
            ROB_MARKER, n_data + _FRAME, ROB_HEADER_SIZE, self._rob_version, source, 1,
            of_rods(conditions.rob_status, 0), 0,
            ROD_MARKER, ROD_HEADER_SIZE, ROD_VERSION, source, numbers.run & _RUN_BITS,
            numbers.lvl1_id[event], numbers.bcid[event], numbers.trigger_type[event], event_type,
        )  # fmt: skip
        for index, value in enumerate(head):
            out[start + index] = value
        status = start + _BEFORE_DATA + (0 if self._status_first else n_data)
        out[status] = 0
        out[status + 1] = of_rods(conditions.rod_status, HV_ON)
        end = start + n_data + _FRAME - ROD_TRAILER_SIZE
        out[end] = N_ROD_STATUS
        out[end + 1] = n_data
        out[end + 2] = 0 if self._status_first else 1

    def _write_links(self, halves: NDArray[np.uint16], layout: _Layout, bits: LinkBits) -> None:
        """Headers and trailers of links, and padding."""
        headers = np.broadcast_to(self._slots.header, layout.present.shape)
        trailers = np.broadcast_to(np.uint16(TRAILER), layout.present.shape)
        slot = self._routes.slot[bits.wafer]
        event, known = bits.event[slot >= 0], slot[slot >= 0]
        if len(known):
            headers, trailers = headers.copy(), trailers.copy()
            given = bits.header.astype(np.uint16), bits.trailer.astype(np.uint16)
            np.bitwise_or.at(headers, (event, known), given[0][slot >= 0])
            np.bitwise_or.at(trailers, (event, known), given[1][slot >= 0])
        begin = layout.slot_start[layout.present]
        length = layout.length[layout.present]
        halves[begin ^ 1] = headers[layout.present]
        halves[(begin + length - 1) ^ 1] = trailers[layout.present]
        padded = (layout.slot_start + layout.length - 1)[:, self._slots.tail][layout.padded]
        halves[padded ^ 1] = PADDING


class _Layout:
    """Where everything goes. Positions of 16-bit words count the more significant half first."""

    def __init__(
        self, slots: _Slots, words: Words, present: BoolArray, sent: BoolArray, data_offset: int
    ) -> None:
        n_events, n_slots = present.shape
        first_slot = slots.first
        self.present, self.sent, self._is_link = present, sent, slots.is_link
        counts = np.bincount(words.event * n_slots + words.slot, minlength=n_events * n_slots)
        self.length = counts.reshape(n_events, n_slots) + 2 * present
        """16-bit words of every slot."""
        self.padded = np.add.reduceat(self.length, first_slot, axis=1) % 2 == 1
        self.length[:, slots.tail] += self.padded
        self.n_data = np.add.reduceat(self.length, first_slot, axis=1) // 2
        """Data words, shape (events, RODs)."""
        sizes = np.where(sent, self.n_data + _FRAME, 0)
        starts = np.cumsum(sizes).reshape(sizes.shape) - sizes
        self.fragment_start = starts[sent]
        self.event_starts = np.append(0, np.cumsum(sizes.sum(axis=1)))
        self.n_words = int(self.event_starts[-1])
        before = np.cumsum(self.length).reshape(self.length.shape) - self.length
        shift = 2 * (starts + data_offset) - before[:, first_slot]
        n_of_rod = np.diff(first_slot, append=n_slots)
        self.slot_start = before + np.repeat(shift, n_of_rod, axis=1)
        """Position of the first 16-bit word of every slot."""

    def positions(self, words: Words) -> IntArray:
        """Position of every word; in the slot of a link the header comes first."""
        key = words.event * len(self._is_link) + words.slot
        starts = np.flatnonzero(np.diff(key, prepend=-1))
        rank = np.arange(len(key)) - np.repeat(starts, np.diff(starts, append=len(key)))
        position: IntArray = self.slot_start[words.event, words.slot] + rank
        return position + self._is_link[words.slot]
