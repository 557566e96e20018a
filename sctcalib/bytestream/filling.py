"""Decoded events into maps, and the loop over the data blocks of a file, compiled.

The loop stops where Python has something to do (see `Stop`) and is called again at the place where
it stopped; what belongs to an event is entered only when the event is complete.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sctcalib.bytestream.compiled import compiled, internal, number
from sctcalib.bytestream.fragments import (
    COMPRESSED,
    FAULT_FIELDS,
    LUMI_BLOCK,
    PAYLOAD,
    PAYLOAD_END,
    TIME,
    EventBuffers,
    clear_event,
    decode_robs,
    find_robs,
    read_event_header,
)
from sctcalib.bytestream.layout import DATA_SEPARATOR, MAX_EVENT_BYTES, N_BOOKED_ERROR_TYPES
from sctcalib.bytestream.payload import PER_WORD, SIZE_BIT, STRIP_BIT, Tables
from sctcalib.detector.identifiers import IntArray

MAX_UNKNOWN_IDS = 10
"""An event with more groups of unknown fibres than that enters no map."""


class Stop(IntEnum):
    """Why the loop over data blocks returned."""

    MORE = 0
    """The next record is not complete, or all blocks asked for are done."""
    NO_SEPARATOR = 1
    """There is something else than a data separator."""
    COMPRESSED = 2
    """The event is compressed."""
    GROUPS = 3
    """The buffer of groups is too small for the event."""
    CARRIES = 4
    """The list of overflows of the window maps may not hold those of the event."""
    TIME_BINS = 5
    """All slots for time bins are taken."""
    FAULTS = 6
    """The list of faults may not hold those of the event."""
    TOO_LARGE = 7
    """The block is larger than any event."""
    DONE = 8
    """All blocks asked for are done."""


_MORE, _NO_SEPARATOR, _COMPRESSED = int(Stop.MORE), int(Stop.NO_SEPARATOR), int(Stop.COMPRESSED)
_GROUPS, _CARRIES, _TIME_BINS = int(Stop.GROUPS), int(Stop.CARRIES), int(Stop.TIME_BINS)
_FAULTS, _TOO_LARGE, _DONE = int(Stop.FAULTS), int(Stop.TOO_LARGE), int(Stop.DONE)
EVENT_DONE = -1

(
    SKIP, TAKE, EVENTS_READ, EVENTS_DAMAGED, EVENTS_UNKNOWN, EVENTS_REJECTED, EVENTS_OUTSIDE,
    EVENTS_FILLED, EVENTS_IN_ERRORS, FIRST_LB, LAST_LB, FIRST_TIME, LAST_TIME, N_CARRIES,
    N_FAULTS, N_SLOTS, WANTED,
) = range(17)  # fmt: skip
"""Entries of ``state``; WANTED is the size that a buffer must have."""
N_STATE = 17
NO_LUMI_BLOCK, NO_TIME = 1 << 31, 1 << 62

(L, PER_WINDOW, N_WINDOWS, DO_BLOCKS, DO_ERRORS, DO_BINS, DO_ACCEPT) = range(7)
"""Entries of ``settings``."""
N_SETTINGS = 7

SLOT_BIN, SLOT_EVENTS, SLOT_FIRST_LB, SLOT_LAST_LB = range(4)

_WAFER_MASK, _STRIP_MASK, _SIZE_MASK = 0x1FFF, 0x3FF, 0xFF
_CHIPS, _CHIP_SHIFT, _STRIPS, _LAST_STRIP = 6, 7, 768, 767
_N_CELLS = 8176 * _STRIPS


class Maps(NamedTuple):
    """Arrays that accumulate; those that were not asked for have no rows. See `RawMaps`."""

    counts: NDArray[np.uint32]
    lb_events: IntArray
    chip_hits: NDArray[np.uint32]
    windows: NDArray[np.uint16]
    strip_block: IntArray
    errors: IntArray
    error_overflow: IntArray
    rod_hv: IntArray
    counters: IntArray


class Workspace(NamedTuple):
    """Everything else that the loop reads and writes."""

    state: IntArray
    settings: IntArray
    accept: IntArray
    """(k, 2): disjoint intervals [since, until) in UTC seconds, ascending."""
    bin_seconds: NDArray[np.float64]
    """(1,)."""
    carries: IntArray
    """Flat indices of window bins that went from 65535 to 0."""
    faults: IntArray
    """(m, 4): faults of events and RODs, in words of the buffer; see `FAULT_FIELDS`."""
    slots: IntArray
    """(s, 4): time bin, its events, its smallest and largest lumi block."""
    slot_hits: NDArray[np.uint32]
    """(s, 8176): hits of each wafer."""


@internal
def _note(faults: IntArray, state: IntArray, word: int, fault: int, value: int) -> None:
    """Enter a fault of an event; nothing where the list is full."""
    n = state[N_FAULTS]
    if n < len(faults):
        faults[n, 0] = word
        faults[n, 1] = fault
        faults[n, 2] = -1
        faults[n, 3] = value
        state[N_FAULTS] = n + 1


@internal
def _is_accepted(accept: IntArray, time: int) -> bool:
    """Whether one of the intervals contains a time."""
    low, high = 0, len(accept)
    while low < high:
        middle = (low + high) >> 1
        if accept[middle, 0] <= time:
            low = middle + 1
        else:
            high = middle
    return low > 0 and time < accept[low - 1, 1]


@internal
def _fill_strips(
    counts: NDArray[np.uint32],
    windows: NDArray[np.uint16],
    offset: int,
    groups: IntArray,
    n_groups: int,
    carries: IntArray,
    n_carries: int,
) -> int:
    """Enter the groups of an event into the hit map and into a window map, whichever has strips;
    the new number of overflows. Both are seen as one row; the window begins at ``offset``.
    """
    do_hits, do_blocks = len(counts) > 0, len(windows) > 0
    for i in range(n_groups):
        first = (groups[i] & _WAFER_MASK) * _STRIPS + ((groups[i] >> STRIP_BIT) & _STRIP_MASK)
        for cell in range(first, first + ((groups[i] >> SIZE_BIT) & _SIZE_MASK)):
            if do_hits:
                counts[cell] += np.uint32(1)
            if do_blocks:
                windows[offset + cell] += np.uint16(1)
                if windows[offset + cell] == 0:
                    carries[n_carries] = offset + cell
                    n_carries += 1
    return n_carries


@internal
def _fill_chips(
    chips: NDArray[np.uint32],
    strip_block: IntArray,
    factor: int,
    groups: IntArray,
    n_groups: int,
    swap: NDArray[np.uint8],
) -> None:
    """Enter the groups of an event into the chips of a lumi block: all of a group into the chip
    of its first offline strip. Add ``factor`` times the strips to the sums of the wafers.

    A loop of its own is faster than one loop with that over the strips.
    """
    for i in range(n_groups):
        wafer = groups[i] & _WAFER_MASK
        first = (groups[i] >> STRIP_BIT) & _STRIP_MASK
        size = (groups[i] >> SIZE_BIT) & _SIZE_MASK
        readout = _LAST_STRIP - first if swap[wafer] else first
        chips[wafer * _CHIPS + (readout >> _CHIP_SHIFT)] += np.uint32(size)
        strip_block[wafer] += factor * (size * first + ((size * (size - 1)) >> 1))


@internal
def _fill_errors(event: EventBuffers, maps: Maps) -> None:
    """Enter the errors of an event: a bin for each of the first 15 types, one for the others."""
    for i in range(event.errors.marks[0]):
        wafer = event.errors.touched[i]
        bits = event.errors.words[wafer]
        for kind in range(N_BOOKED_ERROR_TYPES):
            maps.errors[wafer, kind] += (bits >> kind) & 1
        bits >>= N_BOOKED_ERROR_TYPES
        while bits:
            maps.error_overflow[wafer] += 1
            bits &= bits - 1


@internal
def _slot_of(work: Workspace, time_bin: int) -> int:
    """The slot of a time bin, or the number of slots in use if it has none."""
    n = work.state[N_SLOTS]
    for i in range(n - 1, -1, -1):
        if work.slots[i, SLOT_BIN] == time_bin:
            return i
    return number(n)


@internal
def _fill_time_bin(
    event: EventBuffers, n_groups: int, block: int, slot: int, time_bin: int, work: Workspace
) -> None:
    """Enter an event into its time bin; a new slot starts there."""
    if slot == work.state[N_SLOTS]:
        work.state[N_SLOTS] += 1
        work.slots[slot, SLOT_BIN] = time_bin
        work.slots[slot, SLOT_EVENTS] = 0
        work.slots[slot, SLOT_FIRST_LB] = block
        work.slots[slot, SLOT_LAST_LB] = block
        work.slot_hits[slot] = 0
    work.slots[slot, SLOT_EVENTS] += 1
    work.slots[slot, SLOT_FIRST_LB] = min(block, work.slots[slot, SLOT_FIRST_LB])
    work.slots[slot, SLOT_LAST_LB] = max(block, work.slots[slot, SLOT_LAST_LB])
    for i in range(n_groups):
        group = event.groups[i]
        size = (group >> SIZE_BIT) & _SIZE_MASK
        work.slot_hits[slot, group & _WAFER_MASK] += np.uint32(size)


@internal
def _n_strips(groups: IntArray, n_groups: int) -> int:
    total = 0
    for i in range(n_groups):
        total += (groups[i] >> SIZE_BIT) & _SIZE_MASK
    return total


@internal
def _enter(
    event: EventBuffers, n_groups: int, slot: int, time_bin: int, tables: Tables, maps: Maps,
    work: Workspace,
) -> None:  # fmt: skip
    """Enter a decoded event into all that is accumulated."""
    state, settings = work.state, work.settings
    time, block = event.header[TIME], event.header[LUMI_BLOCK]
    for i in range(len(event.counters)):
        maps.counters[i] += event.counters[i]
    for i in range(len(event.hv)):
        maps.rod_hv[i] += event.hv[i]
    state[FIRST_LB], state[LAST_LB] = min(state[FIRST_LB], block), max(state[LAST_LB], block)
    state[FIRST_TIME] = min(state[FIRST_TIME], time)
    state[LAST_TIME] = max(state[LAST_TIME], time)
    if event.errors.marks[1] > MAX_UNKNOWN_IDS:
        state[EVENTS_UNKNOWN] += 1
        return
    state[EVENTS_IN_ERRORS] += 1
    if settings[DO_ERRORS]:
        _fill_errors(event, maps)
    if settings[DO_BINS]:
        _fill_time_bin(event, n_groups, block, slot, time_bin, work)
    if settings[DO_ACCEPT] and not _is_accepted(work.accept, time):
        state[EVENTS_REJECTED] += 1
        return
    state[EVENTS_FILLED] += 1
    n_blocks, n_windows = settings[L], settings[N_WINDOWS]
    if block == 0 or block > n_blocks:
        state[EVENTS_OUTSIDE] += 1
    window = 0 if block == 0 else min((block - 1) // settings[PER_WINDOW], n_windows) + 1
    row = min(block, n_blocks + 1)
    if settings[DO_BLOCKS]:
        maps.lb_events[row] += 1
        # the mixed moment of the 2D maps is that of the lumi blocks 1 ... L
        factor = block if 0 < block <= n_blocks else 0
        chips = maps.chip_hits[row]
        _fill_chips(chips, maps.strip_block, factor, event.groups, n_groups, tables.swap)
    state[N_CARRIES] = _fill_strips(
        maps.counts.reshape(maps.counts.size),
        maps.windows.reshape(maps.windows.size),
        window * _N_CELLS,
        event.groups,
        n_groups,
        work.carries,
        state[N_CARRIES],
    )


@internal
def _room(groups: IntArray, n_groups: int, time_bin: int, work: Workspace) -> int:
    """Whether lists that an event may fill have room for it, else which has not."""
    state, settings = work.state, work.settings
    if settings[DO_BLOCKS]:
        n_strips = _n_strips(groups, n_groups)
        if n_strips > len(work.carries) - state[N_CARRIES]:
            state[WANTED] = n_strips
            return _CARRIES
    if settings[DO_BINS] and _slot_of(work, time_bin) == len(work.slots):
        return _TIME_BINS
    return EVENT_DONE


@compiled
def fill_event(
    words: NDArray[np.uint32], begin: int, end: int, tables: Tables, event: EventBuffers,
    maps: Maps, work: Workspace,
) -> int:  # fmt: skip
    """Decode and enter the event in ``words[begin:end]``: -1, or a `Stop` to be dealt with."""
    state = work.state
    if state[N_FAULTS] + len(tables.rod_ids) + 1 > len(work.faults):
        return _FAULTS
    clear_event(event)
    fault, value = read_event_header(words, begin, end, event.header)
    at = begin
    if not fault and event.header[COMPRESSED]:
        return _COMPRESSED
    if not fault:
        payload, payload_end = event.header[PAYLOAD], event.header[PAYLOAD_END]
        if PER_WORD * (payload_end - payload) + PER_WORD > len(event.groups):
            state[WANTED] = PER_WORD * (payload_end - payload) + PER_WORD
            return _GROUPS
        fault, at, value = find_robs(words, payload, payload_end, tables, event)
    if fault:
        state[EVENTS_READ] += 1
        state[EVENTS_DAMAGED] += 1
        _note(work.faults, state, at, fault, value)
        return EVENT_DONE
    n_groups, n_faults = decode_robs(words, tables, event)
    time_bin = number(np.floor(event.header[TIME] / work.bin_seconds[0]))
    stop = _room(event.groups, n_groups, time_bin, work)
    if stop != EVENT_DONE:
        return stop
    state[EVENTS_READ] += 1
    for i in range(n_faults):
        for j in range(FAULT_FIELDS):
            work.faults[state[N_FAULTS], j] = event.faults[i, j]
        state[N_FAULTS] += 1
    _enter(event, n_groups, _slot_of(work, time_bin), time_bin, tables, maps, work)
    return EVENT_DONE


@compiled
def fill_blocks(
    words: NDArray[np.uint32], begin: int, end: int, tables: Tables, event: EventBuffers,
    maps: Maps, work: Workspace,
) -> tuple[int, int]:  # fmt: skip
    """Decode the data blocks in ``words[begin:end]``: `Stop`, and the separator it is about.

    ``state[SKIP]`` blocks are passed over first, then ``state[TAKE]`` are read.
    """
    state = work.state
    at = begin
    while state[TAKE] > 0:
        if end - at < 4:
            state[WANTED] = 4
            return _MORE, at
        n_bytes = number(words[at + 3])
        if words[at] != DATA_SEPARATOR or words[at + 1] != 4 or n_bytes & 3:
            return _NO_SEPARATOR, at
        if n_bytes > MAX_EVENT_BYTES:
            return _TOO_LARGE, at
        n_words = 4 + (n_bytes >> 2)
        if end - at < n_words:
            state[WANTED] = n_words
            return _MORE, at
        if state[SKIP] > 0:
            state[SKIP] -= 1
        else:
            stop = fill_event(words, at + 4, at + n_words, tables, event, maps, work)
            if stop != EVENT_DONE:
                return stop, at
            state[TAKE] -= 1
        at += n_words
    return _DONE, at
