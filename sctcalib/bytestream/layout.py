"""Words of RAW files and of the SCT payload, error types and counters (raw-bytestream.md 1-3).

Only the reading side uses this module; the writing side has its own constants, so that one is a
check of the other.
"""

from __future__ import annotations

from enum import IntEnum

FILE_START, FILE_NAMES, FILE_METADATA = 0x1234AAAA, 0x1234AABB, 0x1234AABC
RUN_PARAMETERS, DATA_SEPARATOR = 0x1234BBBB, 0x1234CCCC
FILE_END, FILE_END_MARKER = 0x1234DDDD, 0x1234EEEE
FILE_START_SWAPPED = 0xAAAA3412
"""What a file start record reads as where the writing host had the other byte order."""
MASK_WORDS = {2: 1, 5: 2, 6: 4}
"""Words of the detector mask, by version of the file format."""

EVENT, ROB, ROD = 0xAA1234AA, 0xDD1234DD, 0xEE1234EE
FORMAT_5, FORMAT_4 = 0x0500, 0x0400
OLD_FORMATS = (0x0204, 0x0300, 0x0301)
ROD_FORMAT = 0x0301
ROD_HEADER_SIZE, ROD_TRAILER_SIZE = 9, 3
MAX_ROBS = 4096
MAX_STATUS_WORDS = 64
"""More status words than any fragment has: a header that claims them is damaged."""
MAX_EVENT_BYTES = 1 << 26
"""A data block above 64 MB is damaged; the largest real events have a few."""

ERROR_TYPES = (
    "ByteStreamParseError", "TimeOutError", "BCIDError", "LVL1IDError", "PreambleError",
    "FormatterError", "TrailerError", "TrailerOverflowError", "HeaderTrailerLimitError",
    "ABCDError", "RawError", "MaskedLink", "RODClockError", "TruncatedROD", "ROBFragmentError",
    "MissingLinkHeaderError", "MaskedROD", "ABCDError_Chip0", "ABCDError_Chip1", "ABCDError_Chip2",
    "ABCDError_Chip3", "ABCDError_Chip4", "ABCDError_Chip5", "ABCDError_Error1",
    "ABCDError_Error2", "ABCDError_Error4", "TempMaskedChip0", "TempMaskedChip1",
    "TempMaskedChip2", "TempMaskedChip3", "TempMaskedChip4", "TempMaskedChip5",
    "ABCDError_Error7", "ABCDError_Invalid", "RODSimulatedData",
)  # fmt: skip
"""Names of the error types; the index is the bit in the error word of a wafer."""
N_ERROR_TYPES = len(ERROR_TYPES)
N_BOOKED_ERROR_TYPES = 15
"""Types with a bin of their own in the error maps."""


class Counter(IntEnum):
    """What is counted while decoding, over all events whose headers are readable."""

    LINK_HEADERS = 0
    LINK_TRAILERS = 1
    HIT_WORDS = 2
    GROUPS = 3
    SINGLE_CONDENSED = 4
    PAIRED_CONDENSED = 5
    SUPER_CONDENSED = 6
    FIRST_EXPANDED = 7
    PAIRED_EXPANDED = 8
    LAST_EXPANDED = 9
    LVL1ID_ERRORS = 10
    BCID_ERRORS = 11
    TIMEOUT_ERRORS = 12
    FORMATTER_ERRORS = 13
    PREAMBLE_ERRORS = 14
    MASKED_LINKS = 15
    TRAILER_OVERFLOW_ERRORS = 16
    TRAILER_LIMIT_ERRORS = 17
    TRAILER_ERRORS = 18
    TEMPORARILY_MASKED = 19
    RAW_DATA = 20
    ABCD_ERRORS = 21
    FIRST_HIT_ERRORS = 22
    SECOND_HIT_ERRORS = 23
    INVALID_CHIPS = 24
    REFUSED_EXPANDED = 25
    REFUSED_GROUPS = 26
    UNKNOWN_IDS = 27
    MISSING_LINK_HEADERS = 28
    INVALID_HEADERS = 29
    WORDS_AFTER_INVALID_HEADERS = 30
    RODS = 31
    ROBS_WITH_ERRORS = 32
    TRUNCATED_RODS = 33
    MASKED_RODS = 34
    ROD_CLOCK_ERRORS = 35
    SIMULATED_RODS = 36
    DAMAGED_RODS = 37
    DUPLICATE_ROBS = 38
    RODS_HV_ON = 39
    RODS_HV_NOT_ON = 40


class Fault(IntEnum):
    """Why an event, or one ROD of it, could not be decoded."""

    NONE = 0
    NOT_AN_EVENT = 1
    OLD_FORMAT = 2
    UNKNOWN_FORMAT = 3
    EVENT_SIZE = 4
    EVENT_HEADER = 5
    COMPRESSION = 6
    ROB_MARKER = 7
    ROB_SIZE = 8
    TOO_MANY_ROBS = 9
    TOO_LARGE = 10
    ROB_HEADER = 11
    ROD_SIZE = 12
    ROD_MARKER = 13
    ROD_HEADER = 14
    ROD_TRAILER = 15


FAULT_TEXTS = {
    Fault.NOT_AN_EVENT: "the data block does not begin with the marker of an event",
    Fault.OLD_FORMAT: "unsupported format version",
    Fault.UNKNOWN_FORMAT: "unknown format version",
    Fault.EVENT_SIZE: "the event does not fit into its data block",
    Fault.EVENT_HEADER: "the numbers of words in the event header do not add up",
    Fault.COMPRESSION: "unknown compression type",
    Fault.ROB_MARKER: "no ROB fragment where the next one should begin",
    Fault.ROB_SIZE: "the size of a ROB fragment goes beyond its event",
    Fault.TOO_MANY_ROBS: f"more than {MAX_ROBS} ROB fragments",
    Fault.TOO_LARGE: f"the data block is larger than {MAX_EVENT_BYTES >> 20} MB",
    Fault.ROB_HEADER: "the header of the ROB fragment is damaged",
    Fault.ROD_SIZE: "the ROB fragment is too short for a ROD fragment",
    Fault.ROD_MARKER: "the ROD fragment does not begin with its marker",
    Fault.ROD_HEADER: "the header size or format version of the ROD fragment is wrong",
    Fault.ROD_TRAILER: "the numbers of data and status words of the ROD fragment do not add up",
}
"""What is said of each; the value that was found is added."""
