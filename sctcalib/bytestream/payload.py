"""The 16-bit words of one ROD into groups of strips and errors (raw-bytestream.md 3.1-3.11).

Everything here is compiled, and works on signed 64-bit numbers. One loop over the words makes
groups, and notes everything else as incidents; these are rare, and turned into errors afterwards.
Bit fields of a group:

    wafer (13 bits) | first offline strip << 13 (10) | size << 23 (8) | time bin << 31 (3)
    | hit errors << 34 (2: first hit, second hit)

and of an incident: wafer + 1 (14 bits) | word << 14 (16) | kind << 30.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sctcalib.bytestream.compiled import compiled, number
from sctcalib.bytestream.layout import ERROR_TYPES, Counter
from sctcalib.detector.identifiers import IntArray

STRIP_BIT, SIZE_BIT, TIME_BIN_BIT, HIT_ERROR_BIT = 13, 23, 31, 34
PER_WORD = 4
"""Groups, and incidents, that one 32-bit word makes at most: two of each half."""
EVENT_MARKS = 2
"""Length of the array with the running numbers of an event: touched wafers, unknown ids."""

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
_CLOSED, _OPEN, _DROPPING = 0, 1, 2
"""State between words: before a header or after a trailer, in a link, after an invalid header."""
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


@compiled
def _mark(errors: EventErrors, wafer: int, bits: int) -> None:
    """Set error bits of a wafer."""
    if bits:
        if errors.words[wafer] == 0:
            errors.touched[errors.marks[0]] = wafer
            errors.marks[0] += 1
        errors.words[wafer] |= bits


@compiled
def mark_link(errors: EventErrors, tables: Tables, wafer: int, bits: int) -> None:
    """Set error bits of a link: also of the other side if its data come through this link.

    Nothing for wafer -1.
    """
    if wafer >= 0:
        _mark(errors, wafer, bits)
        if tables.shared[wafer]:
            _mark(errors, wafer ^ 1, bits)


@compiled
def mark_rod(errors: EventErrors, tables: Tables, rod: int, bits: int) -> None:
    """Set error bits of all wafers that are cabled to a ROD; nothing for ROD -1."""
    for i in range(_FIBRES):
        wafer = number(tables.rod_wafers[rod, i])
        if wafer < 0:
            break
        mark_link(errors, tables, wafer, bits)


@compiled
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


@compiled
def _trailer_errors(
    word: int, wafer: int, tables: Tables, errors: EventErrors, counters: IntArray
) -> None:
    """The errors of a link trailer, ``010z hvxx xxxx mmmm``."""
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


@compiled
def _chip_errors(
    word: int, wafer: int, tables: Tables, errors: EventErrors, counters: IntArray
) -> None:
    """A flagged error of a front-end chip, ``000x xxxx xFFF FEEE``."""
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
def _enter_incidents(
    incidents: IntArray, n: int, rod: int, tables: Tables, errors: EventErrors, counters: IntArray
) -> None:
    """Turn the incidents of a ROD into errors and counts."""
    for i in range(n):
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


@compiled
def _incident(kind: int, word: int, wafer: int) -> int:
    return kind << _KIND_BIT | word << _WORD_BIT | wafer + 1


@compiled
def _group(wafer: int, strip: int, size: int, low_bits: int, swapped: int) -> int:
    """A group that is in range; ``strip`` is in readout order."""
    first = _LAST_STRIP - strip - (size - 1) if swapped else strip
    return wafer | first << STRIP_BIT | size << SIZE_BIT | low_bits << TIME_BIN_BIT


@compiled
def _scan(
    words: NDArray[np.uint32],
    begin: int,
    end: int,
    super_condensed: bool,
    wafers: NDArray[np.int16],
    swap: NDArray[np.uint8],
    counters: IntArray,
    groups: IntArray,
    n_groups: int,
    incidents: IntArray,
) -> tuple[int, int, int]:
    """The loop: numbers of groups, of incidents, and of groups of unknown fibres.

    All time is spent here, hence one function with its state in local variables; whatever it
    called with structures of arrays would cost more than the word itself.
    """
    n_incidents, n_unknown, n_headers, n_trailers, n_hits, n_dropped = 0, 0, 0, 0, 0, 0
    n_single, n_paired, n_first = 0, 0, 0
    state, fibre, wafer, condensed = _CLOSED, 0, -1, False
    # condensed: side << 10 | strip of the group that may still grow; expanded: the last strip
    pending, size, hit_errors, strip = -1, 0, 0, _NO_STRIP
    for half in range(2 * begin, 2 * end + 1):
        # after the last word, a header without number flushes the group that may still grow
        word = 0x2000
        if half < 2 * end:
            word = number(words[half >> 1])
            word = word & 0xFFFF if half & 1 else word >> 16
        position = (word >> 4) & 0x7FF
        is_header = word >> 13 == 1
        if pending >= 0 and (is_header or (word & 0x8000 and position != pending)):
            if word & 0x8000 and (state != _OPEN or position & 0x3FF > _LAST_STRIP):
                pass
            elif wafer < 0:
                n_unknown += 1
                pending = -1
            elif (pending & 127) + size > _CHIP_STRIPS:
                incidents[n_incidents] = _incident(_OF_REFUSED, word, wafer)
                n_incidents += 1
                pending = -1
            else:
                low = _CONDENSED_TIME_BIN | hit_errors << 3
                groups[n_groups] = _group(wafer, pending & 0x3FF, size, low, swap[wafer])
                n_groups += 1
                pending = -1
        if is_header:
            if half == 2 * end:
                break
            n_headers += 1
            pending, size, hit_errors, strip = -1, 0, 0, _NO_STRIP
            condensed = super_condensed or word & 0x0100 != 0
            fibre = _FORMATTER_LINKS * ((word >> 4) & 7) + (word & 15)
            if fibre >= _FIBRES:
                state = _DROPPING
                incidents[n_incidents] = _incident(_OF_BAD_HEADER, word, wafer)
                n_incidents += 1
                continue
            state = _OPEN
            wafer = number(wafers[fibre])
            if word & 0x1E80 or word & 15 >= _FORMATTER_LINKS:
                incidents[n_incidents] = _incident(_OF_HEADER, word, wafer)
                n_incidents += 1
        elif state == _DROPPING:
            n_dropped += 1
        elif word >> 13 == 2:
            n_trailers += 1
            state = _CLOSED
            if word & 0x1C0F:
                incidents[n_incidents] = _incident(_OF_TRAILER, word, wafer)
                n_incidents += 1
        elif state == _CLOSED:
            incidents[n_incidents] = _incident(_OF_MISSING, word, wafer)
            n_incidents += 1
        elif not word & 0x8000:
            kind = _OF_RAW if word >> 13 == 3 else _OF_CHIP
            incidents[n_incidents] = _incident(kind, word, wafer)
            n_incidents += 1
        elif word & 8 and not condensed:
            n_hits += 1
            n_more = 2 if word & 0x80 else 1
            if strip + n_more > _LAST_STRIP:
                incidents[n_incidents] = _incident(_OF_BAD_EXPANDED, word, wafer)
                n_incidents += 1
                continue
            counters[_N_EVEN if n_more == 2 else _N_LAST] += 1
            if wafer < 0:
                n_unknown += n_more
            else:
                groups[n_groups] = _group(wafer, strip + 1, 1, word & 7, swap[wafer])
                if n_more == 2:
                    low = (word >> 4) & 7
                    groups[n_groups + 1] = _group(wafer, strip + 2, 1, low, swap[wafer])
                n_groups += n_more
            strip += n_more
        else:
            n_hits += 1
            n_first += not condensed
            if position & 0x3FF > _LAST_STRIP:
                strip = _NO_STRIP
                incidents[n_incidents] = _incident(_OF_BAD_CHIP, word, wafer)
                n_incidents += 1
                continue
            if position >> 10 != fibre & 1:
                fibre ^= 1
                wafer = number(wafers[fibre])
            if not condensed:
                strip = position & 0x3FF
                if wafer < 0:
                    n_unknown += 1
                else:
                    groups[n_groups] = _group(wafer, strip, 1, word & 7, swap[wafer])
                    n_groups += 1
                continue
            if pending < 0:
                pending, size = position, 0
            if super_condensed:
                size += (word & 15) + 1
                counters[_N_SUPER] += 1
                continue
            if word & 4:
                counters[_N_HIT_1] += 1
                hit_errors |= 1
            if word & 1:
                n_paired += 1
                size = 2
                if word & 8:
                    counters[_N_HIT_2] += 1
                    hit_errors |= 2
            else:
                n_single += 1
                size = max(size, 1)
    counters[_N_HEADERS] += n_headers
    counters[_N_TRAILERS] += n_trailers
    counters[_N_HITS] += n_hits
    counters[_N_DROPPED] += n_dropped
    counters[_N_SINGLE] += n_single
    counters[_N_PAIRED] += n_paired
    counters[_N_FIRST] += n_first
    return n_groups, n_incidents, n_unknown


@compiled
def decode_words(
    words: NDArray[np.uint32],
    begin: int,
    end: int,
    rod: int,
    super_condensed: bool,
    tables: Tables,
    errors: EventErrors,
    counters: IntArray,
    groups: IntArray,
    n_groups: int,
    incidents: IntArray,
) -> int:
    """Decode the data words ``begin`` to ``end`` of a ROD; the new number of groups.

    ``rod`` is the row of the ROD in the tables, -1 for a ROD that is not cabled. ``groups`` must
    have room for `PER_WORD` more per word, ``incidents`` for as many in all.
    """
    n_all, n_incidents, n_unknown = _scan(
        words, begin, end, super_condensed, tables.wafer[rod], tables.swap, counters, groups,
        n_groups, incidents,
    )  # fmt: skip
    counters[_N_GROUPS] += n_all - n_groups
    counters[_N_UNKNOWN] += n_unknown
    errors.marks[1] += n_unknown
    if n_incidents:
        _enter_incidents(incidents, n_incidents, rod, tables, errors, counters)
    return n_all
