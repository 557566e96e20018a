"""A file as a row of data blocks in a buffer, and packed events unpacked."""

from __future__ import annotations

import zlib
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from sctcalib.bytestream.files import RawFileInfo, is_file_end
from sctcalib.bytestream.fragments import (
    COMPRESSED,
    PAYLOAD,
    PAYLOAD_END,
    PLAIN_WORDS,
    read_event_header,
)
from sctcalib.bytestream.layout import (
    DATA_SEPARATOR,
    FAULT_TEXTS,
    FILE_END,
    MAX_EVENT_BYTES,
    Fault,
)
from sctcalib.detector.identifiers import IntArray

WordArray = NDArray[np.uint32]

PORTION_WORDS = 1 << 20
"""4 MB: what is read at a time, unless an event is larger."""
SEPARATOR_WORDS, END_WORDS = 4, 10
_COMPRESSION_AFTER_CHECKSUM_TYPE = 11


class BlockReader:
    """Reads a file in order into one buffer, whose words begin to end have not been used yet.

    The buffer grows only for an event that does not fit. Words are in the byte order of this
    machine.
    """

    def __init__(self, info: RawFileInfo, file: BinaryIO) -> None:
        self.info = info
        self._file = file
        self._next = info.data_offset
        self.words: WordArray = np.empty(PORTION_WORDS, dtype=np.uint32)
        self.begin = self.end = 0
        file.seek(self._next)

    @property
    def offset(self) -> int:
        """Byte offset in the file of word ``begin``."""
        return self.offset_of(self.begin)

    def offset_of(self, word: int) -> int:
        """Byte offset in the file of a word of the buffer."""
        return self._next - 4 * (self.end - word)

    @property
    def left(self) -> int:
        """Words from ``begin`` to the end of the file."""
        return (self.info.size - self.offset) // 4

    def fill(self, wanted: int) -> bool:
        """Read on so that there are at least ``wanted`` words; False if the file has fewer."""
        if wanted > self.left:
            return False
        kept = self.end - self.begin
        if wanted <= kept:
            return True
        unused = self.words[self.begin : self.end].copy()
        if wanted > len(self.words):
            self.words = np.empty(wanted, dtype=np.uint32)
        self.words[:kept] = unused
        self.begin, self.end = 0, kept
        self._read()
        return self.end >= wanted

    def skip(self, n_words: int) -> None:
        """Pass over words, without reading those that are not in the buffer."""
        if n_words <= self.end - self.begin:
            self.begin += n_words
        else:
            self._next = self.offset + 4 * n_words
            self._file.seek(self._next)
            self.begin = self.end = 0

    def next_block(self) -> int | None:
        """Words of the data block whose separator is at ``begin``, None if there is no whole one.

        The block is in the buffer unless it is larger than any event.
        """
        if not self.fill(SEPARATOR_WORDS):
            return None
        separator: list[int] = self.words[self.begin : self.begin + SEPARATOR_WORDS].tolist()
        marker, size, _, n_bytes = separator
        if marker != DATA_SEPARATOR or size != SEPARATOR_WORDS or n_bytes % 4:
            return None
        n_words = SEPARATOR_WORDS + n_bytes // 4
        if n_words > self.left or (n_bytes <= MAX_EVENT_BYTES and not self.fill(n_words)):
            return None
        return n_words - SEPARATOR_WORDS

    def problem(self) -> str | None:
        """What is wrong with the end of the data, given that no whole block begins here."""
        if self.left < 1:
            return "the file ends without an end-of-file record"
        self.fill(min(self.left, END_WORDS))
        found = self.words[self.begin : min(self.begin + END_WORDS, self.end)].tolist()
        if len(found) == END_WORDS and is_file_end(tuple(found)):
            return None
        if found[:1] == [FILE_END]:
            return "the end-of-file record is damaged"
        if found[:2] == [DATA_SEPARATOR, SEPARATOR_WORDS]:
            return "the file ends inside a data block, or the size of the block is damaged"
        value = f"0x{found[0]:08x}" if found else "nothing"
        return f"{value} instead of a data separator; what follows is not read"

    def _read(self) -> None:
        """Read into the free end of the buffer, as much as it holds."""
        free = self.words.data.cast("B")[4 * self.end :]
        n_bytes = 0
        while n_bytes < len(free):
            n = self._file.readinto(free[n_bytes:])  # type: ignore[attr-defined]
            if not n:
                break
            n_bytes += n
        begin, self.end = self.end, self.end + n_bytes // 4
        self._next += 4 * (self.end - begin)
        if self.info.foreign:
            self.words[begin : self.end].byteswap(inplace=True)


def inflate(packed: bytes, limit: int) -> bytes:
    """Unpack one zlib stream that zeros may follow.

    Raises ValueError if it is damaged, incomplete, or longer than ``limit`` bytes.
    """
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(packed, limit + 1)
    except zlib.error as error:
        msg = f"the compressed data cannot be unpacked: {error}"
        raise ValueError(msg) from error
    if len(plain) > limit:
        msg = f"more than {limit} bytes once unpacked"
        raise ValueError(msg)
    if not unpacker.eof:
        msg = "the compressed data are incomplete"
        raise ValueError(msg)
    return plain


def plain_event(words: WordArray, header: IntArray, info: RawFileInfo) -> WordArray:
    """The event of a data block without compression, and its header fields in ``header``.

    It is ``words`` itself unless something was compressed. Raises ValueError for a block whose
    header cannot be read, or that cannot be unpacked.
    """
    if info.is_compressed:
        words = _unpacked_block(words, info)
    fault, value = read_event_header(words, 0, len(words), header)
    if fault:
        msg = f"{FAULT_TEXTS[Fault(fault)]} (found 0x{value:08x})"
        raise ValueError(msg)
    if header[COMPRESSED]:
        words = _unpacked_event(words, header, info)
        header[PAYLOAD_END] = len(words)
    return words


def _unpacked_block(words: WordArray, info: RawFileInfo) -> WordArray:
    """A data block of a file in which every block is packed; raises ValueError."""
    plain = inflate(_raw_bytes(words, info), MAX_EVENT_BYTES)
    if len(plain) % 4:
        msg = f"{len(plain)} bytes are not whole words"
        raise ValueError(msg)
    return _native_words(plain, info)


def _unpacked_event(words: WordArray, header: IntArray, info: RawFileInfo) -> WordArray:
    """An event with packed payload as one without; raises ValueError."""
    n_words = int(header[PLAIN_WORDS])
    if 4 * n_words > MAX_EVENT_BYTES:
        msg = f"{n_words} words are more than any event has"
        raise ValueError(msg)
    payload, payload_end = header[PAYLOAD], header[PAYLOAD_END]
    plain = inflate(_raw_bytes(words[payload:payload_end], info), 4 * n_words)
    if len(plain) != 4 * n_words:
        msg = f"{len(plain)} bytes once unpacked instead of {4 * n_words}"
        raise ValueError(msg)
    event = np.concatenate([words[:payload], _native_words(plain, info)])
    checksum_type = 6 + int(words[5])
    event[1] = len(event)
    event[checksum_type] = event[checksum_type + _COMPRESSION_AFTER_CHECKSUM_TYPE] = 0
    return event


def _raw_bytes(words: WordArray, info: RawFileInfo) -> bytes:
    """Words of the buffer as they stand in the file."""
    return (words.byteswap() if info.foreign else words).tobytes()


def _native_words(data: bytes, info: RawFileInfo) -> WordArray:
    """Bytes in the byte order of the file as words of this machine."""
    return np.frombuffer(data, dtype=f"{info.order}u4").astype(np.uint32)
