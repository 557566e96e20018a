"""Event headers and the chain of ROB fragments, formats 5.0 and 4.0 (raw-bytestream.md 2, 3.12).

Everything here is compiled. Positions are indices of 32-bit words; sizes read from the data are
signed 64-bit numbers and compared with what is left before they are used.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sctcalib.bytestream.compiled import compiled, internal, number
from sctcalib.bytestream.layout import (
    ERROR_TYPES,
    EVENT,
    FORMAT_4,
    FORMAT_5,
    MAX_ROBS,
    MAX_STATUS_WORDS,
    OLD_FORMATS,
    ROB,
    ROD,
    ROD_FORMAT,
    ROD_HEADER_SIZE,
    ROD_TRAILER_SIZE,
    Counter,
    Fault,
)
from sctcalib.bytestream.payload import (
    INCIDENTS,
    UNKNOWN,
    EventErrors,
    Tables,
    enter_incidents,
    mark_rod,
    scan_rod,
)
from sctcalib.detector.identifiers import IntArray

(
    VERSION, STATUS, TIME, TIME_NS, EVENT_ID, RUN_TYPE, RUN, LUMI_BLOCK, LVL1_ID, BCID, TRIGGER,
    COMPRESSED, PLAIN_WORDS, CHECKSUM_TYPE, PAYLOAD, PAYLOAD_END,
) = range(16)  # fmt: skip
N_FIELDS = 16
"""Entries of the array with the fields of an event header."""

_NONE = int(Fault.NONE)
_NOT_AN_EVENT, _OLD, _UNKNOWN_FORMAT = (
    int(f) for f in (Fault.NOT_AN_EVENT, Fault.OLD_FORMAT, Fault.UNKNOWN_FORMAT)
)
_EVENT_SIZE, _EVENT_HEADER = int(Fault.EVENT_SIZE), int(Fault.EVENT_HEADER)
_COMPRESSION = int(Fault.COMPRESSION)
_ROB_MARKER, _ROB_SIZE, _TOO_MANY = (
    int(f) for f in (Fault.ROB_MARKER, Fault.ROB_SIZE, Fault.TOO_MANY_ROBS)
)
_ROB_HEADER, _ROD_SIZE, _ROD_MARKER = (
    int(f) for f in (Fault.ROB_HEADER, Fault.ROD_SIZE, Fault.ROD_MARKER)
)
_ROD_HEADER, _ROD_TRAILER = int(Fault.ROD_HEADER), int(Fault.ROD_TRAILER)

_RODS, _ROB_ERRORS, _TRUNCATED = (
    int(c) for c in (Counter.RODS, Counter.ROBS_WITH_ERRORS, Counter.TRUNCATED_RODS)
)
_MASKED, _CLOCK, _SIMULATED = (
    int(c) for c in (Counter.MASKED_RODS, Counter.ROD_CLOCK_ERRORS, Counter.SIMULATED_RODS)
)
_DAMAGED, _DUPLICATES = int(Counter.DAMAGED_RODS), int(Counter.DUPLICATE_ROBS)
_HV_ON, _HV_NOT_ON = int(Counter.RODS_HV_ON), int(Counter.RODS_HV_NOT_ON)

_TYPE = {name: bit for bit, name in enumerate(ERROR_TYPES)}
_CLOCK_BIT, _ROB_BIT = 1 << _TYPE["RODClockError"], 1 << _TYPE["ROBFragmentError"]
_TRUNCATED_BIT, _MASKED_BIT = 1 << _TYPE["TruncatedROD"], 1 << _TYPE["MaskedROD"]
_SIMULATED_BIT = 1 << _TYPE["RODSimulatedData"]

_ROB_FIXED = 7
_ID_MASK = 0xFFFFFF
_IS_TRUNCATED, _IS_MASKED = 1 << 27, 1 << 29 | 1 << 31
_CLOCK_BITS, _HV_BITS = 3 << 16, 0xF << 20
_IS_SIMULATED, _IS_SUPER_CONDENSED = 1 << 20, 1 << 21
_EVENT_FIXED = 23
_OLD_1, _OLD_2, _OLD_3 = OLD_FORMATS
(
    _SOURCE, _ROB_STATUS, _TYPE_BITS, _DATA, _N_DATA, _HAS_STATUS, _ROD_STATUS,
) = range(7)  # fmt: skip
"""Entries of the array with what matters of a ROB fragment: identifier of the ROD, first ROB
status word, detector event type, first data word, number of data words, second ROD status word."""
ROB_FIELDS = 7
FAULT_FIELDS = 4
"""A damaged place: word, fault, row of the ROD or -1, and the value that was found."""


class EventBuffers(NamedTuple):
    """What decoding one event fills; all are overwritten by the next event."""

    header: IntArray
    """(16,): fields of the event header, see the constants of this module."""
    errors: EventErrors
    counters: IntArray
    """(n,): see `Counter`."""
    groups: IntArray
    """Packed groups of strips (payload.py)."""
    incidents: IntArray
    """Space for what `decode_words` notes; as long as ``groups``."""
    robs: IntArray
    """(n RODs, 2): where the fragment of each ROD begins and ends, -1 without one."""
    rob: IntArray
    """(7,): the fragment that is being decoded."""
    hv: NDArray[np.int8]
    """(n RODs,): 1 where not all four HV bits are set."""
    faults: IntArray
    """(k, 4): damaged RODs; see `FAULT_FIELDS`."""


@compiled
def read_event_header(
    words: NDArray[np.uint32], begin: int, end: int, header: IntArray
) -> tuple[int, int]:
    """Read the header of the event in ``words[begin:end]``: fault, and the value at fault."""
    n_words = end - begin
    if n_words < 1 or words[begin] != EVENT:
        return _NOT_AN_EVENT, number(words[begin]) if n_words >= 1 else 0
    if n_words < _EVENT_FIXED:
        return _EVENT_SIZE, n_words
    size, header_size = number(words[begin + 1]), number(words[begin + 2])
    version, n_status = number(words[begin + 3]), number(words[begin + 5])
    major = version >> 16
    if major in (_OLD_1, _OLD_2, _OLD_3):
        return _OLD, version
    if major not in (FORMAT_5, FORMAT_4):
        return _UNKNOWN_FORMAT, version
    if size > n_words or header_size > size:
        return _EVENT_SIZE, size
    fixed = 13 if major == FORMAT_5 else 10  # words after the status, before the counted lists
    at = begin + 6 + n_status
    if n_status > MAX_STATUS_WORDS or at + fixed + 4 > begin + header_size:
        return _EVENT_HEADER, header_size
    lists = at + fixed
    for _ in range(4):
        if lists >= begin + header_size:
            return _EVENT_HEADER, header_size
        lists += 1 + number(words[lists])
    if lists != begin + header_size:
        return _EVENT_HEADER, header_size
    header[VERSION] = version
    header[STATUS] = number(words[begin + 6]) if n_status else 0
    _read_specific_words(words, at, major == FORMAT_5, header)
    header[PAYLOAD] = begin + header_size
    header[PAYLOAD_END] = begin + size - (1 if header[CHECKSUM_TYPE] else 0)
    if header[PAYLOAD_END] < header[PAYLOAD]:
        return _EVENT_SIZE, size
    if header[COMPRESSED] not in (0, 1):
        return _COMPRESSION, header[COMPRESSED]
    return _NONE, 0


@internal
def _read_specific_words(words: NDArray[np.uint32], at: int, is_5: bool, header: IntArray) -> None:
    """The fields after the status words, from the checksum type at ``at``."""
    header[CHECKSUM_TYPE] = words[at]
    header[TIME] = words[at + 1]
    header[TIME_NS] = words[at + 2]
    header[EVENT_ID] = words[at + 3]
    after = at + 4
    if is_5:
        header[EVENT_ID] |= number(words[at + 4]) << 32
        after += 1
    header[RUN_TYPE] = words[after]
    header[RUN] = words[after + 1]
    header[LUMI_BLOCK] = words[after + 2] & 0xFFFF
    header[LVL1_ID] = words[after + 3]
    header[BCID] = words[after + 4] & 0xFFFF
    header[TRIGGER] = words[after + 5] & 0xFF
    header[COMPRESSED] = 0
    header[PLAIN_WORDS] = 0
    if is_5:
        header[COMPRESSED] = words[after + 6]
        header[PLAIN_WORDS] = words[after + 7]


@internal
def row_of_rod(rod_ids: IntArray, source: int) -> int:
    """Row of a ROD in the tables, -1 for an unknown one."""
    low, high = 0, len(rod_ids)
    while low < high:
        middle = (low + high) >> 1
        if rod_ids[middle] < source:
            low = middle + 1
        else:
            high = middle
    return low if low < len(rod_ids) and rod_ids[low] == source else -1


@compiled
def find_robs(
    words: NDArray[np.uint32], begin: int, end: int, tables: Tables, event: EventBuffers
) -> tuple[int, int, int]:
    """Walk the ROB fragments, and note those of cabled RODs: fault, its word, the value there.

    Of fragments with the same identifier the last one counts.
    """
    event.robs[:] = -1
    at, n_robs = begin, 0
    while at < end:
        left = end - at
        if words[at] != ROB:
            return _ROB_MARKER, at, number(words[at])
        size = number(words[at + 1]) if left >= 2 else 0
        if size < _ROB_FIXED or size > left:
            return _ROB_SIZE, at, size
        n_robs += 1
        if n_robs > MAX_ROBS:
            return _TOO_MANY, at, n_robs
        row = row_of_rod(tables.rod_ids, number(words[at + 4]) & _ID_MASK)
        if row >= 0:
            if event.robs[row, 0] >= 0:
                event.counters[_DUPLICATES] += 1
            event.robs[row, 0] = at
            event.robs[row, 1] = at + size
        at += size
    return _NONE, end, 0


@internal
def _read_rob(words: NDArray[np.uint32], begin: int, end: int, rob: IntArray) -> tuple[int, int]:
    """Read the headers and the trailer of a ROB and its ROD fragment: fault, and the value at
    fault. What was not reached stays 0 in ``rob``, the source -1.
    """
    rob[:] = 0
    rob[_SOURCE] = -1
    header_size, n_rob_status = number(words[begin + 2]), number(words[begin + 5])
    at = begin + header_size
    if n_rob_status > MAX_STATUS_WORDS or header_size != _ROB_FIXED + n_rob_status or at > end:
        return _ROB_HEADER, header_size
    if n_rob_status:
        rob[_ROB_STATUS] = words[begin + 6]
    if words[begin + 6 + n_rob_status]:
        end -= 1
    if end - at < ROD_HEADER_SIZE + ROD_TRAILER_SIZE:
        return _ROD_SIZE, end - at
    if words[at] != ROD:
        return _ROD_MARKER, number(words[at])
    rob[_SOURCE] = number(words[at + 3]) & _ID_MASK
    rob[_TYPE_BITS] = words[at + 8]
    n_status, n_data = number(words[end - 3]), number(words[end - 2])
    status_after = number(words[end - 1])
    if words[at + 1] != ROD_HEADER_SIZE:
        return _ROD_HEADER, number(words[at + 1])
    if number(words[at + 2]) >> 16 != ROD_FORMAT:
        return _ROD_HEADER, number(words[at + 2])
    if status_after > 1:
        return _ROD_TRAILER, status_after
    if at + ROD_HEADER_SIZE + n_status + n_data + ROD_TRAILER_SIZE != end:
        return _ROD_TRAILER, n_data
    data = at + ROD_HEADER_SIZE
    status = data + n_data if status_after else data
    rob[_DATA] = data if status_after else data + n_status
    rob[_N_DATA] = n_data
    rob[_HAS_STATUS] = n_status > 1
    if n_status > 1:
        rob[_ROD_STATUS] = words[status + 1]
    return _NONE, 0


@internal
def _is_to_be_decoded(rob: IntArray, rod: int, tables: Tables, event: EventBuffers) -> bool:
    """Errors of a ROB as a whole; False for one whose data were lost or cut."""
    if rob[_TYPE_BITS] & _IS_SIMULATED:
        event.counters[_SIMULATED] += 1
        mark_rod(event.errors, tables, rod, _SIMULATED_BIT)
    if rob[_ROB_STATUS]:
        event.counters[_ROB_ERRORS] += 1
        mark_rod(event.errors, tables, rod, _ROB_BIT)
        if rob[_ROB_STATUS] & _IS_TRUNCATED:
            event.counters[_TRUNCATED] += 1
            mark_rod(event.errors, tables, rod, _TRUNCATED_BIT)
            return False
        if rob[_ROB_STATUS] & _IS_MASKED:
            event.counters[_MASKED] += 1
            mark_rod(event.errors, tables, rod, _MASKED_BIT)
            return False
    if rob[_ROD_STATUS] & _CLOCK_BITS:
        event.counters[_CLOCK] += 1
        mark_rod(event.errors, tables, rod, _CLOCK_BIT)
    return True


@internal
def _note_fault(event: EventBuffers, n_faults: int, row: int, fault: int, value: int) -> None:
    """Note that the fragment of a ROD is damaged."""
    event.counters[_DAMAGED] += 1
    event.faults[n_faults, 0] = event.robs[row, 0]
    event.faults[n_faults, 1] = fault
    event.faults[n_faults, 2] = row
    event.faults[n_faults, 3] = value


@compiled
def decode_robs(words: NDArray[np.uint32], tables: Tables, event: EventBuffers) -> tuple[int, int]:
    """Decode the fragments that `find_robs` noted: number of groups, number of damaged RODs.

    All numbers of the event must have been cleared. Arrays are taken out of their structures once,
    before the loop.
    """
    n_groups, n_faults = 0, 0
    halves = words.view(np.uint16)
    rod_ids, wafer, swap = tables.rod_ids, tables.wafer, tables.swap
    robs, rob, hv, counters = event.robs, event.rob, event.hv, event.counters
    groups, incidents, cursor = event.groups, event.incidents, event.errors.cursor
    for row in range(len(rod_ids)):
        if robs[row, 0] < 0:
            continue
        fault, value = _read_rob(words, robs[row, 0], robs[row, 1], rob)
        rod = row
        if rob[_SOURCE] >= 0 and rob[_SOURCE] != rod_ids[row]:
            rod = row_of_rod(rod_ids, rob[_SOURCE])
        is_rare = rob[_TYPE_BITS] & _IS_SIMULATED or rob[_ROD_STATUS] & _CLOCK_BITS
        if (is_rare or rob[_ROB_STATUS]) and not _is_to_be_decoded(rob, rod, tables, event):
            continue
        if fault:
            _note_fault(event, n_faults, row, fault, value)
            n_faults += 1
            continue
        counters[_RODS] += 1
        if rob[_HAS_STATUS]:
            is_on = rob[_ROD_STATUS] & _HV_BITS == _HV_BITS
            counters[_HV_ON if is_on else _HV_NOT_ON] += 1
            if rod >= 0 and not is_on:
                hv[rod] = 1
        n_groups = scan_rod(
            halves, rob[_DATA], rob[_DATA] + rob[_N_DATA], rod,
            rob[_TYPE_BITS] & _IS_SUPER_CONDENSED != 0, wafer, swap, counters, groups, n_groups,
            incidents, cursor,
        )  # fmt: skip
        if cursor[INCIDENTS] or cursor[UNKNOWN]:
            enter_incidents(incidents, cursor, rod, tables, event.errors, counters)
    return n_groups, n_faults


@compiled
def clear_event(event: EventBuffers) -> None:
    """Forget the event before."""
    errors = event.errors
    for i in range(errors.marks[0]):
        errors.words[errors.touched[i]] = 0
    errors.marks[:] = 0
    event.counters[:] = 0
    event.hv[:] = 0
