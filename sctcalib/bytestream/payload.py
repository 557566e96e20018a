"""The 16-bit words of one ROD into groups of strips and errors (raw-bytestream.md 3.1-3.11).

Everything here is compiled, and works on signed 64-bit numbers. One loop over the words makes
groups, and notes everything else as incidents; these are rare, and turned into errors afterwards.
Bit fields of a group:

    wafer (13 bits) | first offline strip << 13 (10) | size << 23 (8) | time bin << 31 (3)
    | hit errors << 34 (2: first hit, second hit)

and of an incident: wafer + 1 (14 bits) | word << 14 (16) | kind << 30.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sctcalib.bytestream.compiled import compiled, internal, number
from sctcalib.bytestream.layout import ERROR_TYPES, Counter
from sctcalib.detector.identifiers import IntArray

STRIP_BIT, SIZE_BIT, TIME_BIN_BIT, HIT_ERROR_BIT = 13, 23, 31, 34
PER_WORD = 4
"""Groups, and incidents, that one 32-bit word makes at most: two of each half."""
EVENT_MARKS, CURSOR = 2, 3
"""Lengths of two arrays of `EventErrors`."""

_TYPE = {name: bit for bit, name in enumerate(ERROR_TYPES)}
_PARSE, _RAW = 1 << _TYPE["ByteStreamParseError"], 1 << _TYPE["RawError"]
_PREAMBLE, _TIMEOUT = 1 << _TYPE["PreambleError"], 1 << _TYPE["TimeOutError"]
_LVL1ID, _BCID = 1 << _TYPE["LVL1IDError"], 1 << _TYPE["BCIDError"]
_MASKED_LINK, _FORMATTER = 1 << _TYPE["MaskedLink"], 1 << _TYPE["FormatterError"]
_TRAILER_BIT, _LIMIT = 1 << _TYPE["TrailerError"], 1 << _TYPE["HeaderTrailerLimitError"]
_OVERFLOW, _MISSING_HEADER = (
    1 << _TYPE["TrailerOverflowError"],
    1 << _TYPE["MissingLinkHeaderError"],
)
_ABCD, _INVALID = 1 << _TYPE["ABCDError"], 1 << _TYPE["ABCDError_Invalid"]
_ERROR_1, _ERROR_2 = 1 << _TYPE["ABCDError_Error1"], 1 << _TYPE["ABCDError_Error2"]
_ERROR_4, _ERROR_7 = 1 << _TYPE["ABCDError_Error4"], 1 << _TYPE["ABCDError_Error7"]
_CHIP_0, _MASKED_CHIP_0 = _TYPE["ABCDError_Chip0"], _TYPE["TempMaskedChip0"]

(
    _N_HEADERS, _N_TRAILERS, _N_HITS, _N_GROUPS, _N_SINGLE, _N_PAIRED, _N_SUPER, _N_FIRST, _N_EVEN,
    _N_LAST, _N_LVL1ID, _N_BCID, _N_TIMEOUT, _N_FORMATTER, _N_PREAMBLE, _N_MASKED, _N_OVERFLOW,
    _N_LIMIT, _N_TRAILER, _N_TEMPORARY, _N_RAW, _N_ABCD, _N_HIT_1, _N_HIT_2, _N_BAD_CHIP,
    _N_BAD_EXPANDED, _N_REFUSED, _N_UNKNOWN, _N_MISSING, _N_BAD_HEADER, _N_DROPPED,
) = range(Counter.WORDS_AFTER_INVALID_HEADERS + 1)  # fmt: skip
"""The counters of this module, in the order of `Counter`, as plain numbers."""

(
    _OF_HEADER, _OF_TRAILER, _OF_CHIP, _OF_RAW, _OF_MISSING, _OF_BAD_HEADER, _OF_BAD_CHIP,
    _OF_BAD_EXPANDED, _OF_REFUSED,
) = range(9)  # fmt: skip
"""Kinds of incidents."""
_WORD_BIT, _KIND_BIT = 14, 30

_LAST_STRIP, _CHIP_STRIPS, _SIDE_CHIPS, _FIBRES = 767, 128, 6, 96
_FORMATTER_LINKS = 12
_HEADER, _TRAILER, _RAW_DATA, _HIT = 1, 2, 3, 4
"""The upper three bits of the kinds of words; 0 is a flagged error of a chip, 4-7 are hits."""
_CLEAN_TRAILER = 0x4000
_HALF = 1 if sys.byteorder == "little" else 0
"""The more significant half of a 32-bit word comes first: on such machines at the odd index."""
_GROUPS, INCIDENTS, UNKNOWN = range(3)
"""Entries of the cursor."""
_NO_STRIP = 1 << 20
"""Stands for "no first hit": beyond every limit, so that what follows it is refused."""
_CONDENSED_TIME_BIN = 2


class Tables(NamedTuple):
    """What decoding needs to know of the detector."""

    rod_ids: IntArray
    """(n,), ascending."""
    wafer: NDArray[np.int16]
    """(n + 1, 96): wafer behind each fibre, -1 where there is none; the last row is all -1."""
    rod_wafers: NDArray[np.int16]
    """(n + 1, 96): the wafers of each ROD, then -1; the last row is all -1."""
    swap: NDArray[np.uint8]
    """(8176,): 1 where strips are read out against phi."""
    shared: NDArray[np.uint8]
    """(8176,): 1 for the good side of a module with exactly one good link."""
    chain: NDArray[np.uint8]
    """(8176,): row of ``masked`` for the module."""
    masked: IntArray
    """(5, 16): chips 0-11 of the module, as bits, that a trailer declares masked."""


class EventErrors(NamedTuple):
    """The errors of one event."""

    words: IntArray
    """(8176,): error types of each wafer, as bits."""
    touched: IntArray
    """(8176,): wafers with errors; ``marks[0]`` of them."""
    marks: IntArray
    """(2,): number of touched wafers, number of groups of unknown fibres."""
    cursor: IntArray
    """(3,): groups in the event, incidents and groups of unknown fibres in the ROD so far."""


@internal
def _mark(errors: EventErrors, wafer: int, bits: int) -> None:
    """Set error bits of a wafer."""
    if bits:
        if errors.words[wafer] == 0:
            errors.touched[errors.marks[0]] = wafer
            errors.marks[0] += 1
        errors.words[wafer] |= bits


@internal
def mark_link(errors: EventErrors, tables: Tables, wafer: int, bits: int) -> None:
    """Set error bits of a link: also of the other side if its data come through this link.

    Nothing for wafer -1.
    """
    if wafer >= 0:
        _mark(errors, wafer, bits)
        if tables.shared[wafer]:
            _mark(errors, wafer ^ 1, bits)


@internal
def mark_rod(errors: EventErrors, tables: Tables, rod: int, bits: int) -> None:
    """Set error bits of all wafers that are cabled to a ROD; nothing for ROD -1."""
    for i in range(_FIBRES):
        wafer = number(tables.rod_wafers[rod, i])
        if wafer < 0:
            break
        mark_link(errors, tables, wafer, bits)


@internal
def _header_errors(
    word: int, wafer: int, tables: Tables, errors: EventErrors, counters: IntArray
) -> None:
    """The errors of a link header, ``001p tlbK dMMM MMMM``."""
    bits = 0
    if word & 0x1000:
        counters[_N_PREAMBLE] += 1
        bits |= _PREAMBLE
    if word & 0x0800:
        counters[_N_TIMEOUT] += 1
        bits |= _TIMEOUT
    if word & 0x0400:
        counters[_N_LVL1ID] += 1
        bits |= _LVL1ID
    if word & 0x0200:
        counters[_N_BCID] += 1
        bits |= _BCID
    if word & 0x0080:
        counters[_N_MASKED] += 1
        bits |= _MASKED_LINK
    if word & 15 >= _FORMATTER_LINKS:
        counters[_N_FORMATTER] += 1
        bits |= _FORMATTER
    mark_link(errors, tables, wafer, bits)


@internal
def _trailer_errors(
    word: int, wafer: int, tables: Tables, errors: EventErrors, counters: IntArray
) -> None:
    """The errors of a link trailer, ``010z hv.. .... mmmm``."""
    bits = 0
    if word & 0x1000:
        counters[_N_TRAILER] += 1
        bits |= _TRAILER_BIT
    if word & 0x0800:
        counters[_N_LIMIT] += 1
        bits |= _LIMIT
    if word & 0x0400:
        counters[_N_OVERFLOW] += 1
        bits |= _OVERFLOW
    mark_link(errors, tables, wafer, bits)
    if word & 15:
        counters[_N_TEMPORARY] += 1
        if wafer >= 0:
            chips = tables.masked[tables.chain[wafer], word & 15]
            _mark(errors, wafer & ~1, (chips & 0x3F) << _MASKED_CHIP_0)
            _mark(errors, wafer | 1, (chips >> _SIDE_CHIPS) << _MASKED_CHIP_0)


@internal
def _chip_errors(
    word: int, wafer: int, tables: Tables, errors: EventErrors, counters: IntArray
) -> None:
    """A flagged error of a front-end chip, ``000. .... .FFF FEEE``."""
    counters[_N_ABCD] += 1
    if wafer < 0:
        return
    code, chip = word & 7, (word >> 3) & 15
    kind = _INVALID
    if code == 1:
        kind = _ERROR_1
    elif code == 2:
        kind = _ERROR_2
    elif code == 4:
        kind = _ERROR_4
    elif code == 7:
        kind = _ERROR_7
    if kind != _INVALID:
        # a chip of the other side: this word, and only this one, is about the other wafer
        wafer = (wafer & ~1) | (chip >> 3)
        if chip & 7 >= _SIDE_CHIPS:
            kind = _INVALID
        else:
            _mark(errors, wafer, 1 << (_CHIP_0 + (chip & 7)))
    mark_link(errors, tables, wafer, kind | _ABCD)


@compiled
def enter_incidents(
    incidents: IntArray,
    cursor: IntArray,
    rod: int,
    tables: Tables,
    errors: EventErrors,
    counters: IntArray,
) -> None:
    """Turn the incidents of a ROD, and its groups of unknown fibres, into errors and counts."""
    counters[_N_UNKNOWN] += cursor[UNKNOWN]
    errors.marks[1] += cursor[UNKNOWN]
    for i in range(cursor[INCIDENTS]):
        wafer = (incidents[i] & 0x3FFF) - 1
        word = (incidents[i] >> _WORD_BIT) & 0xFFFF
        kind = incidents[i] >> _KIND_BIT
        if kind == _OF_HEADER:
            _header_errors(word, wafer, tables, errors, counters)
        elif kind == _OF_TRAILER:
            _trailer_errors(word, wafer, tables, errors, counters)
        elif kind == _OF_CHIP:
            _chip_errors(word, wafer, tables, errors, counters)
        elif kind == _OF_RAW:
            counters[_N_RAW] += 1
            mark_link(errors, tables, wafer, _RAW)
        elif kind == _OF_MISSING:
            counters[_N_MISSING] += 1
            mark_rod(errors, tables, rod, _MISSING_HEADER)
        else:
            counter = _N_REFUSED
            if kind == _OF_BAD_HEADER:
                counter = _N_BAD_HEADER
            elif kind == _OF_BAD_CHIP:
                counter = _N_BAD_CHIP
            elif kind == _OF_BAD_EXPANDED:
                counter = _N_BAD_EXPANDED
            counters[counter] += 1
            mark_link(errors, tables, wafer, _PARSE)


@internal
def _note(kind: int, word: int, wafer: int, incidents: IntArray, cursor: IntArray) -> None:
    """Note an incident."""
    incidents[cursor[INCIDENTS]] = kind << _KIND_BIT | word << _WORD_BIT | wafer + 1
    cursor[INCIDENTS] += 1


@internal
def _add(
    wafer: int,
    strip: int,
    size: int,
    low_bits: int,
    swap: NDArray[np.uint8],
    groups: IntArray,
    incidents: IntArray,
    cursor: IntArray,
) -> None:
    """Add a group, or refuse it; ``strip`` is in readout order."""
    if wafer < 0:
        cursor[UNKNOWN] += 1
    elif (strip & (_CHIP_STRIPS - 1)) + size > _CHIP_STRIPS:
        _note(_OF_REFUSED, 0, wafer, incidents, cursor)
    else:
        first = _LAST_STRIP - strip - (size - 1) if swap[wafer] else strip
        group = wafer | first << STRIP_BIT | size << SIZE_BIT | low_bits << TIME_BIN_BIT
        groups[cursor[_GROUPS]] = group
        cursor[_GROUPS] += 1


@internal
def _condensed_link(
    halves: NDArray[np.uint16],
    at: int,
    end: int,
    fibre: int,
    super_condensed: bool,
    wafers: NDArray[np.int16],
    swap: NDArray[np.uint8],
    counters: IntArray,
    groups: IntArray,
    incidents: IntArray,
    cursor: IntArray,
) -> tuple[int, int]:
    """A link in condensed or super-condensed mode, from the word after its header to its end: the
    position of the trailer or header there, and the fibre.
    """
    wafer = number(wafers[fibre])
    # side << 10 | strip of the group that may still grow, and its size
    pending, size, errors, n_hits, n_paired, n_bad = -1, 0, 0, 0, 0, 0
    while at < end:
        word = number(halves[at ^ _HALF])
        kind = word >> 13
        if kind in (_HEADER, _TRAILER):
            break
        at += 1
        if kind < _HIT:
            _note(_OF_RAW if kind == _RAW_DATA else _OF_CHIP, word, wafer, incidents, cursor)
            continue
        n_hits += 1
        position = (word >> 4) & 0x7FF
        if position & 0x3FF > _LAST_STRIP:
            n_bad += 1
            _note(_OF_BAD_CHIP, word, wafer, incidents, cursor)
            continue
        if position != pending:
            if pending >= 0:
                low = _CONDENSED_TIME_BIN | errors << 3
                _add(wafer, pending & 0x3FF, size, low, swap, groups, incidents, cursor)
            pending, size = position, 0
            if position >> 10 != fibre & 1:
                fibre ^= 1
                wafer = number(wafers[fibre])
        if super_condensed:
            size += (word & 15) + 1
        else:
            paired = word & 1
            n_paired += paired
            size = 2 if paired else max(size, 1)
            if word & 0xC:
                errors |= (word >> 2) & 1 | (word >> 2) & (paired << 1)
                counters[_N_HIT_1] += (word >> 2) & 1
                counters[_N_HIT_2] += (word >> 3) & paired
    if pending >= 0:
        low = _CONDENSED_TIME_BIN | errors << 3
        _add(wafer, pending & 0x3FF, size, low, swap, groups, incidents, cursor)
    counters[_N_HITS] += n_hits
    counters[_N_PAIRED] += n_paired
    counters[_N_SUPER if super_condensed else _N_SINGLE] += n_hits - n_bad - n_paired
    return at, fibre


@internal
def _expanded_link(
    halves: NDArray[np.uint16],
    at: int,
    end: int,
    fibre: int,
    wafers: NDArray[np.int16],
    swap: NDArray[np.uint8],
    counters: IntArray,
    groups: IntArray,
    incidents: IntArray,
    cursor: IntArray,
) -> tuple[int, int]:
    """The same in expanded mode, in which every strip is a group of its own."""
    wafer = number(wafers[fibre])
    strip = _NO_STRIP
    while at < end:
        word = number(halves[at ^ _HALF])
        kind = word >> 13
        if kind in (_HEADER, _TRAILER):
            break
        at += 1
        if kind < _HIT:
            _note(_OF_RAW if kind == _RAW_DATA else _OF_CHIP, word, wafer, incidents, cursor)
            continue
        counters[_N_HITS] += 1
        if not word & 8:
            counters[_N_FIRST] += 1
            position = (word >> 4) & 0x7FF
            strip = position & 0x3FF
            if strip > _LAST_STRIP:
                strip = _NO_STRIP
                _note(_OF_BAD_CHIP, word, wafer, incidents, cursor)
                continue
            if position >> 10 != fibre & 1:
                fibre ^= 1
                wafer = number(wafers[fibre])
            _add(wafer, strip, 1, word & 7, swap, groups, incidents, cursor)
            continue
        n_strips = 2 if word & 0x80 else 1
        if strip + n_strips > _LAST_STRIP:
            _note(_OF_BAD_EXPANDED, word, wafer, incidents, cursor)
            continue
        counters[_N_EVEN if n_strips == 2 else _N_LAST] += 1
        _add(wafer, strip + 1, 1, word & 7, swap, groups, incidents, cursor)
        if n_strips == 2:
            _add(wafer, strip + 2, 1, (word >> 4) & 7, swap, groups, incidents, cursor)
        strip += n_strips
    return at, fibre


@internal
def _scan(
    halves: NDArray[np.uint16],
    at: int,
    end: int,
    super_condensed: bool,
    wafers: NDArray[np.int16],
    swap: NDArray[np.uint8],
    counters: IntArray,
    groups: IntArray,
    incidents: IntArray,
    cursor: IntArray,
) -> None:
    """The loop over the links of a ROD, from one 16-bit word to another.

    Nearly all time is spent here and in the loops over the words of a link. They have no structures
    of arrays, whose handling would take longer than the words themselves.
    """
    fibre, n_headers, n_trailers = -1, 0, 0
    while at < end:
        word = number(halves[at ^ _HALF])
        at += 1
        kind = word >> 13
        if kind != _HEADER:
            wafer = number(wafers[fibre]) if fibre >= 0 else -1
            if kind != _TRAILER:
                _note(_OF_MISSING, word, wafer, incidents, cursor)
                continue
            n_trailers += 1
            if word & 0x1C0F:
                _note(_OF_TRAILER, word, wafer, incidents, cursor)
            continue
        n_headers += 1
        of_header = _FORMATTER_LINKS * ((word >> 4) & 7) + (word & 15)
        if of_header >= _FIBRES:
            wafer = number(wafers[fibre]) if fibre >= 0 else -1
            _note(_OF_BAD_HEADER, word, wafer, incidents, cursor)
            while at < end and halves[at ^ _HALF] >> 13 != _HEADER:
                counters[_N_DROPPED] += 1
                at += 1
            continue
        fibre = of_header
        if word & 0x1E80 or word & 15 >= _FORMATTER_LINKS:
            _note(_OF_HEADER, word, number(wafers[fibre]), incidents, cursor)
        if at < end and halves[at ^ _HALF] == _CLEAN_TRAILER:
            at += 1
            n_trailers += 1
        elif super_condensed or word & 0x0100:
            at, fibre = _condensed_link(
                halves, at, end, fibre, super_condensed, wafers, swap, counters, groups, incidents,
                cursor,
            )  # fmt: skip
        else:
            at, fibre = _expanded_link(
                halves, at, end, fibre, wafers, swap, counters, groups, incidents, cursor
            )
    counters[_N_HEADERS] += n_headers
    counters[_N_TRAILERS] += n_trailers


@compiled
def scan_rod(
    halves: NDArray[np.uint16],
    begin: int,
    end: int,
    rod: int,
    super_condensed: bool,
    wafer: NDArray[np.int16],
    swap: NDArray[np.uint8],
    counters: IntArray,
    groups: IntArray,
    n_groups: int,
    incidents: IntArray,
    cursor: IntArray,
) -> int:
    """Scan the data of a ROD in the 32-bit words ``begin`` to ``end``; the new number of groups.

    ``halves`` are the words of the event, seen as 16-bit words of this machine. ``rod`` is the row
    of the ROD in the tables, -1 for a ROD that is not cabled. ``groups`` must have room for
    `PER_WORD` more per word, ``incidents`` for as many in all. The incidents have yet to be
    entered.
    """
    cursor[_GROUPS], cursor[INCIDENTS], cursor[UNKNOWN] = n_groups, 0, 0
    _scan(
        halves, 2 * begin, 2 * end, super_condensed, wafer[rod], swap, counters, groups, incidents,
        cursor,
    )  # fmt: skip
    counters[_N_GROUPS] += cursor[_GROUPS] - n_groups
    return number(cursor[_GROUPS])
