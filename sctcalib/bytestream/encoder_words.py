"""The 16-bit words of SCT ROD data, as a writer makes them (reference/raw-bytestream.md 3.2-3.12).

Arguments may be arrays; nothing is checked here but the kind of word that results.
"""

from __future__ import annotations

from enum import Enum

import numpy as np
from numpy.typing import ArrayLike

from sctcalib.detector.identifiers import IntArray

HEADER, HIT, TRAILER, RAW_DATA = 0x2000, 0x8000, 0x4000, 0x6000
"""Bits that make a word a link header, a hit, a link trailer, raw data (no bit: an ABCD error)."""
CONDENSED_LINK = 0x0100
"""Header bit: the hits of this link are in condensed mode."""
WRONG_FORMATTER_LINK = 0x000C
"""Link bits beyond 11: a formatter error. The header then seems to be that of another fibre."""
PADDING = TRAILER
"""Fills a 32-bit word; 0 would be an ABCD error."""

N_FORMATTER_LINKS = 12
N_FIBRES = 96
CONDENSED_TIME_BIN = 2
"""What a reader takes for the time bin where the words have none."""

HEADER_ERRORS = {
    "PreambleError": 0x1000,
    "TimeOutError": 0x0800,
    "LVL1IDError": 0x0400,
    "BCIDError": 0x0200,
    "MaskedLink": 0x0080,
}
"""Header bits by the error that they report."""
TRAILER_ERRORS = {
    "TrailerError": 0x1000,
    "HeaderTrailerLimitError": 0x0800,
    "TrailerOverflowError": 0x0400,
}
"""Trailer bits by the error that they report."""

HV_ON = 0x00F00000
"""Second ROD status word: the four bits of the high voltage."""
TIM_CLOCK_ERROR, BOC_CLOCK_ERROR = 1 << 16, 1 << 17
"""Second ROD status word: RODClockError."""
ROB_TRUNCATED, ROB_LOST, ROB_DISCARD = 1 << 27, 1 << 29, 1 << 31
"""ROB status word: TruncatedROD, MaskedROD, MaskedROD; any other bit is a ROBFragmentError only."""
ROD_SIMULATOR, ROD_SUPER_CONDENSED = 1 << 20, 1 << 21
"""Detector event type of a ROD."""

_ADDRESS_BIT, _SIDE_BIT = 4, 14


class Mode(Enum):
    """How hits are packed into words."""

    EXPANDED = "expanded"
    """Every strip with its time bin."""
    CONDENSED = "condensed"
    """One or two strips in a word, with error flags and without time bin."""
    SUPER = "super"
    """Up to 16 strips in a word."""


def header_word(fibre: ArrayLike, mode: Mode = Mode.CONDENSED) -> IntArray:
    """Link header of fibre 0-95, without errors."""
    formatter, link = np.divmod(np.asarray(fibre, dtype=np.int64), N_FORMATTER_LINKS)
    condensed = CONDENSED_LINK if mode is Mode.CONDENSED else 0
    return np.asarray(HEADER | condensed | formatter << 4 | link)


def hit_word(side: ArrayLike, strip: ArrayLike, low: ArrayLike) -> IntArray:
    """Hit word of a strip 0-767 in readout order; ``low`` are the bits 3-0, which the mode defines.

    As chips have 128 strips, chip and address are adjacent parts of the strip number.
    """
    sides, strips = np.asarray(side, dtype=np.int64), np.asarray(strip, dtype=np.int64)
    lowest = np.asarray(low, dtype=np.int64)
    return np.asarray(HIT | sides << _SIDE_BIT | strips << _ADDRESS_BIT | lowest)


def further_pair_word(time_bin: ArrayLike, next_time_bin: ArrayLike) -> IntArray:
    """Expanded mode: the two strips that follow, with their time bins."""
    later = np.asarray(next_time_bin, dtype=np.int64)
    return np.asarray(HIT | 0x88 | later << 4 | np.asarray(time_bin, dtype=np.int64))


def last_word(time_bin: ArrayLike) -> IntArray:
    """Expanded mode: one strip that follows, the last of its cluster."""
    return np.asarray(HIT | 0x08 | np.asarray(time_bin, dtype=np.int64))


def abcd_error_word(side: int, chip: int, code: int) -> int:
    """Flagged error of chip 0-5 of a side (6 and 7 do not exist); codes 1, 2, 4 and 7 are legal."""
    return side << 6 | chip << 3 | code


def raw_data_word(bits: int, n_bits: int = 8) -> int:
    """Raw data of a link in configuration mode: 1-8 bits."""
    return RAW_DATA | (n_bits - 1) << 10 | bits


def masked_chips_bits(side: int, first_chip: int) -> int:
    """Trailer bits: chips from ``first_chip`` 0-5 to the end of the side are temporarily masked."""
    return side * 6 + first_chip + 1
