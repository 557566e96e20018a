"""The 16-bit words of one ROD into groups of strips and errors (raw-bytestream.md 3.1-3.11).

Everything here is compiled. Integers are signed 64-bit numbers, bit fields of the packed groups:

    wafer (13 bits) | first offline strip << 13 (10) | size << 23 (8) | time bin << 31 (3)
    | hit-error flags << 34 (2: first hit, second hit)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sctcalib.bytestream.compiled import compiled, number
from sctcalib.bytestream.layout import ERROR_TYPES, Counter
from sctcalib.detector.identifiers import IntArray

STRIP_BIT, SIZE_BIT, TIME_BIN_BIT, HIT_ERROR_BIT = 13, 23, 31, 34
GROUPS_PER_WORD = 4
"""Groups that one 32-bit word can make at most: two of each half."""
EVENT_MARKS = 2
"""Length of the array with the running numbers of an event: touched wafers, unknown ids."""

_TYPE = {name: bit for bit, name in enumerate(ERROR_TYPES)}
PARSE, TIMEOUT, BCID = (_TYPE[n] for n in ("ByteStreamParseError", "TimeOutError", "BCIDError"))
LVL1ID, PREAMBLE, FORMATTER = (_TYPE[n] for n in ("LVL1IDError", "PreambleError", "FormatterError"))
TRAILER_BIT, OVERFLOW, LIMIT = (
    _TYPE[n] for n in ("TrailerError", "TrailerOverflowError", "HeaderTrailerLimitError")
)
ABCD, RAW, MASKED_LINK = (_TYPE[n] for n in ("ABCDError", "RawError", "MaskedLink"))
MISSING_HEADER = _TYPE["MissingLinkHeaderError"]
CHIP_0, MASKED_CHIP_0 = _TYPE["ABCDError_Chip0"], _TYPE["TempMaskedChip0"]
ERROR_1, ERROR_2, ERROR_4 = (_TYPE[f"ABCDError_Error{code}"] for code in (1, 2, 4))
ERROR_7, INVALID = _TYPE["ABCDError_Error7"], _TYPE["ABCDError_Invalid"]

_HEADERS, _TRAILERS = int(Counter.LINK_HEADERS), int(Counter.LINK_TRAILERS)
_HIT_WORDS, _GROUPS = int(Counter.HIT_WORDS), int(Counter.GROUPS)
_SINGLE, _PAIRED = int(Counter.SINGLE_CONDENSED), int(Counter.PAIRED_CONDENSED)
_SUPER = int(Counter.SUPER_CONDENSED)
_FIRST, _EVEN, _LAST = (
    int(c) for c in (Counter.FIRST_EXPANDED, Counter.PAIRED_EXPANDED, Counter.LAST_EXPANDED)
)
_N_LVL1ID, _N_BCID = int(Counter.LVL1ID_ERRORS), int(Counter.BCID_ERRORS)
_N_TIMEOUT, _N_FORMATTER = int(Counter.TIMEOUT_ERRORS), int(Counter.FORMATTER_ERRORS)
_N_PREAMBLE, _N_MASKED = int(Counter.PREAMBLE_ERRORS), int(Counter.MASKED_LINKS)
_N_OVERFLOW, _N_LIMIT = int(Counter.TRAILER_OVERFLOW_ERRORS), int(Counter.TRAILER_LIMIT_ERRORS)
_N_TRAILER, _N_TEMPORARY = int(Counter.TRAILER_ERRORS), int(Counter.TEMPORARILY_MASKED)
_N_RAW, _N_ABCD = int(Counter.RAW_DATA), int(Counter.ABCD_ERRORS)
_HIT_1, _HIT_2 = int(Counter.FIRST_HIT_ERRORS), int(Counter.SECOND_HIT_ERRORS)
_BAD_CHIP, _BAD_EXPANDED = int(Counter.INVALID_CHIPS), int(Counter.REFUSED_EXPANDED)
_REFUSED = int(Counter.REFUSED_GROUPS)
_MISSING = int(Counter.MISSING_LINK_HEADERS)
_BAD_HEADER, _DROPPED = int(Counter.INVALID_HEADERS), int(Counter.WORDS_AFTER_INVALID_HEADERS)

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
    """(n, 96): wafer behind each fibre, -1 where there is none."""
    rod_wafers: NDArray[np.int16]
    """(n, 96): the wafers of each ROD, then -1."""
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
def mark(
    words: IntArray,
    touched: IntArray,
    marks: IntArray,
    wafer: int,
    bits: int,
) -> None:
    """Set error bits of a wafer; nothing for wafer -1."""
    if wafer < 0 or bits == 0:
        return
    if words[wafer] == 0:
        touched[marks[0]] = wafer
        marks[0] += 1
    words[wafer] |= bits


@compiled
def mark_link(errors: EventErrors, shared: NDArray[np.uint8], wafer: int, bits: int) -> None:
    """Set error bits of a link: also of the other side if its data come through this link."""
    mark(errors.words, errors.touched, errors.marks, wafer, bits)
    if wafer >= 0 and shared[wafer]:
        mark(errors.words, errors.touched, errors.marks, wafer ^ 1, bits)


@compiled
def mark_rod(errors: EventErrors, tables: Tables, rod: int, bits: int) -> None:
    """Set error bits of all wafers that are cabled to a ROD; nothing for ROD -1."""
    if rod < 0:
        return
    for wafer in tables.rod_wafers[rod]:
        if wafer < 0:
            break
        mark_link(errors, tables.shared, number(wafer), bits)


@compiled
def _flagged_chip(word: int, wafer: int, errors: EventErrors, shared: NDArray[np.uint8]) -> None:
    """A flagged error of a front-end chip, ``000x xxxx xFFF FEEE``."""
    if wafer < 0:
        return
    code, chip = word & 7, (word >> 3) & 15
    kind = INVALID
    if code == 1:
        kind = ERROR_1
    elif code == 2:
        kind = ERROR_2
    elif code == 4:
        kind = ERROR_4
    elif code == 7:
        kind = ERROR_7
    if kind != INVALID:
        # a chip of the other side: this word, and only this one, is about the other wafer
        wafer = (wafer & ~1) | (chip >> 3)
        if chip & 7 >= _SIDE_CHIPS:
            kind = INVALID
        else:
            chip_bit = 1 << (CHIP_0 + (chip & 7))
            mark(errors.words, errors.touched, errors.marks, wafer, chip_bit)
    mark_link(errors, shared, wafer, (1 << kind) | (1 << ABCD))


@compiled
def _trailer(
    word: int, wafer: int, tables: Tables, errors: EventErrors, counters: IntArray
) -> None:
    """The errors of a link trailer, ``010z hvxx xxxx mmmm``."""
    bits = 0
    if word & 0x1000:
        counters[_N_TRAILER] += 1
        bits |= 1 << TRAILER_BIT
    if word & 0x0800:
        counters[_N_LIMIT] += 1
        bits |= 1 << LIMIT
    if word & 0x0400:
        counters[_N_OVERFLOW] += 1
        bits |= 1 << OVERFLOW
    mark_link(errors, tables.shared, wafer, bits)
    if word & 15 and wafer >= 0:
        counters[_N_TEMPORARY] += 1
        chips = tables.masked[tables.chain[wafer], word & 15]
        low, high = chips & 0x3F, chips >> _SIDE_CHIPS
        mark(errors.words, errors.touched, errors.marks, wafer & ~1, low << MASKED_CHIP_0)
        mark(errors.words, errors.touched, errors.marks, wafer | 1, high << MASKED_CHIP_0)


@compiled
def _header_errors(
    word: int, wafer: int, errors: EventErrors, shared: NDArray[np.uint8], counters: IntArray
) -> None:
    """The errors of a link header, ``001p tlbK dMMM MMMM``."""
    bits = 0
    if word & 0x1000:
        counters[_N_PREAMBLE] += 1
        bits |= 1 << PREAMBLE
    if word & 0x0800:
        counters[_N_TIMEOUT] += 1
        bits |= 1 << TIMEOUT
    if word & 0x0400:
        counters[_N_LVL1ID] += 1
        bits |= 1 << LVL1ID
    if word & 0x0200:
        counters[_N_BCID] += 1
        bits |= 1 << BCID
    if word & 0x0080:
        counters[_N_MASKED] += 1
        bits |= 1 << MASKED_LINK
    if word & 15 >= _FORMATTER_LINKS:
        counters[_N_FORMATTER] += 1
        bits |= 1 << FORMATTER
    mark_link(errors, shared, wafer, bits)


@compiled
def _make_group(
    wafer: int,
    strip: int,
    size: int,
    low_bits: int,
    tables: Tables,
    errors: EventErrors,
    counters: IntArray,
    groups: IntArray,
    n_groups: int,
) -> int:
    """Append a group, or refuse it; the new number of groups."""
    if wafer < 0:
        errors.marks[1] += 1
        return n_groups
    if (strip & (_CHIP_STRIPS - 1)) + size > _CHIP_STRIPS:
        counters[_REFUSED] += 1
        mark_link(errors, tables.shared, wafer, 1 << PARSE)
        return n_groups
    first = _LAST_STRIP - strip - (size - 1) if tables.swap[wafer] else strip
    groups[n_groups] = wafer | first << STRIP_BIT | size << SIZE_BIT | low_bits << TIME_BIN_BIT
    return n_groups + 1


@compiled
def _header(
    word: int, wafer: int, rod: int, tables: Tables, errors: EventErrors, counters: IntArray
) -> tuple[int, int, int]:
    """A link header: state, fibre and wafer afterwards; ``wafer`` is that of the link before."""
    fibre = _FORMATTER_LINKS * ((word >> 4) & 7) + (word & 15)
    if fibre >= _FIBRES:
        counters[_BAD_HEADER] += 1
        mark_link(errors, tables.shared, wafer, 1 << PARSE)
        return _DROPPING, 0, wafer
    wafer = number(tables.wafer[rod, fibre]) if rod >= 0 else -1
    if word & 0x1E80 or word & 15 >= _FORMATTER_LINKS:
        _header_errors(word, wafer, errors, tables.shared, counters)
    return _OPEN, fibre, wafer


@compiled
def _further_hit(
    word: int,
    strip: int,
    wafer: int,
    tables: Tables,
    errors: EventErrors,
    counters: IntArray,
    groups: IntArray,
    n_groups: int,
) -> tuple[int, int]:
    """One or two more strips of a cluster in expanded mode: last strip, number of groups."""
    n_strips = 2 if word & 0x80 else 1
    if strip + n_strips > _LAST_STRIP:
        counters[_BAD_EXPANDED] += 1
        mark_link(errors, tables.shared, wafer, 1 << PARSE)
        return strip, n_groups
    strip += 1
    n_groups = _make_group(wafer, strip, 1, word & 7, tables, errors, counters, groups, n_groups)
    if n_strips == 1:
        counters[_LAST] += 1
        return strip, n_groups
    counters[_EVEN] += 1
    strip += 1
    low = (word >> 4) & 7
    n_groups = _make_group(wafer, strip, 1, low, tables, errors, counters, groups, n_groups)
    return strip, n_groups


@compiled
def _grown(
    word: int, super_condensed: bool, size: int, hit_errors: int, counters: IntArray
) -> tuple[int, int]:
    """Size and hit errors of the pending group after a condensed word for its first strip."""
    if super_condensed:
        counters[_SUPER] += 1
        return size + (word & 15) + 1, hit_errors
    if word & 4:
        counters[_HIT_1] += 1
        hit_errors |= 1
    if word & 1:
        counters[_PAIRED] += 1
        if word & 8:
            counters[_HIT_2] += 1
            hit_errors |= 2
        return 2, hit_errors
    counters[_SINGLE] += 1
    return max(size, 1), hit_errors


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
) -> int:
    """Decode the data words ``begin`` to ``end`` of a ROD; the new number of groups.

    ``rod`` is the row of the ROD in the tables, -1 for a ROD that is not cabled. ``groups`` must
    have room for four groups per word. This is the loop that all time is spent in, hence one
    function with its state in local variables.
    """
    n_before, n_headers, n_trailers, n_hits = n_groups, 0, 0, 0
    state, fibre, wafer, condensed, missing = _CLOSED, 0, -1, False, False
    # condensed: side << 10 | strip of the group that may still grow; expanded: the last strip
    pending, size, hit_errors, strip = -1, 0, 0, _NO_STRIP
    for half in range(2 * begin, 2 * end):
        word = number(words[half >> 1])
        word = word & 0xFFFF if half & 1 else word >> 16
        is_header = word >> 13 == 1
        if state != _OPEN and not is_header:
            if state == _DROPPING:
                counters[_DROPPED] += 1
            elif word >> 13 == 2:
                n_trailers += 1
                _trailer(word, wafer, tables, errors, counters)
            else:
                missing = True
                counters[_MISSING] += 1
        elif word & 0x8000:
            n_hits += 1
            position = (word >> 4) & 0x7FF
            condensed_word = super_condensed or condensed
            if word & 8 and not condensed_word:
                strip, n_groups = _further_hit(
                    word, strip, wafer, tables, errors, counters, groups, n_groups
                )
                continue
            if not condensed_word:
                counters[_FIRST] += 1
            if position & 0x3FF > _LAST_STRIP:
                counters[_BAD_CHIP] += 1
                mark_link(errors, tables.shared, wafer, 1 << PARSE)
                strip = _NO_STRIP
                continue
            if pending >= 0 and position != pending:
                low = _CONDENSED_TIME_BIN | hit_errors << 3
                n_groups = _make_group(
                    wafer, pending & 0x3FF, size, low, tables, errors, counters, groups, n_groups
                )
                size = 0
            if position >> 10 != fibre & 1:
                fibre ^= 1
                wafer = number(tables.wafer[rod, fibre]) if rod >= 0 else -1
            if condensed_word:
                pending = position
                size, hit_errors = _grown(word, super_condensed, size, hit_errors, counters)
            else:
                strip = position & 0x3FF
                n_groups = _make_group(
                    wafer, strip, 1, word & 7, tables, errors, counters, groups, n_groups
                )
        elif is_header:
            if pending >= 0:
                low = _CONDENSED_TIME_BIN | hit_errors << 3
                n_groups = _make_group(
                    wafer, pending & 0x3FF, size, low, tables, errors, counters, groups, n_groups
                )
            n_headers += 1
            state, fibre, wafer = _header(word, wafer, rod, tables, errors, counters)
            condensed = word & 0x0100 != 0
            pending, size, hit_errors, strip = -1, 0, 0, _NO_STRIP
        elif word >> 13 == 2:
            n_trailers += 1
            state = _CLOSED
            if word & 0x1C0F:
                _trailer(word, wafer, tables, errors, counters)
        elif word >> 13 == 3:
            counters[_N_RAW] += 1
            mark_link(errors, tables.shared, wafer, 1 << RAW)
        else:
            counters[_N_ABCD] += 1
            _flagged_chip(word, wafer, errors, tables.shared)
    if pending >= 0:
        low = _CONDENSED_TIME_BIN | hit_errors << 3
        n_groups = _make_group(
            wafer, pending & 0x3FF, size, low, tables, errors, counters, groups, n_groups
        )
    if missing:
        mark_rod(errors, tables, rod, 1 << MISSING_HEADER)
    counters[_HEADERS] += n_headers
    counters[_TRAILERS] += n_trailers
    counters[_HIT_WORDS] += n_hits
    counters[_GROUPS] += n_groups - n_before
    return n_groups
