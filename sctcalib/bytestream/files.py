"""The records of RAW files around the events (raw-bytestream.md 1)."""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from sctcalib.bytestream.layout import (
    DATA_SEPARATOR,
    FILE_END,
    FILE_END_MARKER,
    FILE_METADATA,
    FILE_NAMES,
    FILE_START,
    FILE_START_SWAPPED,
    MASK_WORDS,
    RUN_PARAMETERS,
)
from sctcalib.job.errors import InputFileError

_LONGEST_STRING = 1 << 20
_MOST_STRINGS = 1 << 16
_START_WORDS, _END_WORDS, _SEPARATOR_WORDS = 8, 10, 4
_ZLIB, _NO_COMPRESSION = "zlib", "none"


@dataclass(frozen=True)
class FileEnd:
    """The file end record; sizes in MB of event data, date DDMMYYYY and time HHMMSS."""

    date: int
    time: int
    n_events: int
    megabytes: int
    run_events: int
    run_megabytes: int
    status: int
    """1 for the last file of the sequence."""


@dataclass(frozen=True)
class RawFileInfo:
    """What the records of a file say before its first event, and at its end.

    Date (DDMMYYYY) and time (HHMMSS) are local times of the writing host.
    """

    path: Path
    version: int
    foreign: bool
    """Whether its byte order is not that of this machine."""
    file_number: int
    date: int
    time: int
    application: str
    name_core: str
    metadata: tuple[str, ...]
    run: int
    max_events: int
    recording: int
    trigger_type: int
    detector_mask: int
    beam_type: int
    beam_energy: int
    data_offset: int
    """Byte offset of the first data separator, or of the file end record."""
    size: int
    """Bytes of the whole file."""
    end: FileEnd | None = None
    """None where the writer did not finish the file."""
    values: dict[str, str] = field(default_factory=dict, compare=False)
    """The metadata strings ``key=value``."""

    @property
    def order(self) -> str:
        """Byte order of the words, for struct and numpy."""
        return ">" if (sys.byteorder == "little") == self.foreign else "<"

    @property
    def is_compressed(self) -> bool:
        """Whether every data block is one zlib stream."""
        return self.values.get("Compression", _NO_COMPRESSION) == _ZLIB


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A file for reading, without a buffer; what goes wrong is an InputFileError."""
    try:
        with path.open("rb", buffering=0) as file:
            yield file
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror or error}"
        raise InputFileError(msg) from error


def read_file_info(path: Path) -> RawFileInfo:
    """Read the records around the events.

    Raises InputFileError for a file that is not a RAW file, of an unknown version, or that ends
    before its first event could begin.
    """
    with opened(path) as file:
        return _Records(path, file).info()


def count_blocks(info: RawFileInfo) -> int:
    """Data blocks of a file, by its data separators; an incomplete last one does not count."""
    n_blocks, at = 0, info.data_offset
    separator = struct.Struct(f"{info.order}4I")
    with opened(info.path) as file:
        while at + separator.size <= info.size:
            file.seek(at)
            marker, words, _, n_bytes = separator.unpack(_exactly(file, separator.size))
            at += separator.size + n_bytes
            damaged = marker != DATA_SEPARATOR or words != _SEPARATOR_WORDS or n_bytes & 3
            if damaged or at > info.size:
                break
            n_blocks += 1
    return n_blocks


def is_file_end(words: tuple[int, ...]) -> bool:
    """Whether ten words are a file end record."""
    return words[:2] == (FILE_END, _END_WORDS) and words[9] == FILE_END_MARKER


def _exactly(file: BinaryIO, n_bytes: int) -> bytes:
    """That many bytes; fewer at the end of the file."""
    parts = []
    while n_bytes > 0:
        part = file.read(n_bytes)
        if not part:
            break
        parts.append(part)
        n_bytes -= len(part)
    return b"".join(parts)


class _Records:
    """Reads the records at the head of a file one after the other."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path, self.file = path, file
        self.size = os.fstat(file.fileno()).st_size
        self.order = "<"
        self.at = 0

    def info(self) -> RawFileInfo:
        first = self._words(1)[0]
        if first not in (FILE_START, FILE_START_SWAPPED):
            self._fail(f"it begins with 0x{first:08x}; a RAW file begins with 0x{FILE_START:08x}")
        self.order = "<" if first == FILE_START else ">"
        words, version, number, date, time, _, _ = self._words(_START_WORDS - 1)
        if version not in MASK_WORDS or words != _START_WORDS:
            known = ", ".join(map(str, MASK_WORDS))
            self._fail(
                f"the format version is {version} ({words} words), supported are {known} (8 words)"
            )
        self._marker(FILE_NAMES, "file name strings")
        application, core = self._string(), self._string()
        metadata = self._metadata()
        run = self._run_parameters(version)
        values = dict(text.split("=", 1) for text in metadata if "=" in text)
        compression = values.get("Compression", _NO_COMPRESSION)
        if compression not in (_NO_COMPRESSION, _ZLIB):
            self._fail(f"the compression is {compression!r}, supported are none and zlib")
        data_offset = self.at
        return RawFileInfo(
            path=self.path,
            version=version,
            foreign=(self.order == ">") == (sys.byteorder == "little"),
            file_number=number,
            date=date,
            time=time,
            application=application,
            name_core=core,
            metadata=metadata,
            run=run[0],
            max_events=run[1],
            recording=run[2],
            trigger_type=run[3],
            detector_mask=run[4],
            beam_type=run[5],
            beam_energy=run[6],
            data_offset=data_offset,
            size=self.size,
            end=self._end(data_offset),
            values=values,
        )

    def _metadata(self) -> tuple[str, ...]:
        """The free metadata strings; their record may be missing."""
        if self._words(1)[0] != FILE_METADATA:
            self.at -= 4
            return ()
        (n_strings,) = self._words(1)
        if n_strings > _MOST_STRINGS:
            self._fail(f"it claims {n_strings} metadata strings")
        return tuple(self._string() for _ in range(n_strings))

    def _run_parameters(self, version: int) -> tuple[int, ...]:
        """Run, maximum of events, recording, trigger type, mask, beam type, beam energy."""
        mask_words = MASK_WORDS[version]
        self._marker(RUN_PARAMETERS, "run parameters")
        size, *fields = self._words(mask_words + 7)
        if size != mask_words + 8:
            self._fail(f"the run parameters have {size} words, expected {mask_words + 8}")
        mask = sum(word << 32 * i for i, word in enumerate(fields[4:-2]))
        return (*fields[:4], mask, *fields[-2:])

    def _end(self, data_offset: int) -> FileEnd | None:
        if self.size < data_offset + 4 * _END_WORDS:
            return None
        self.at = self.size - 4 * _END_WORDS
        words = self._words(_END_WORDS)
        return FileEnd(*words[2:9]) if is_file_end(words) else None

    def _marker(self, wanted: int, what: str) -> None:
        (found,) = self._words(1)
        if found != wanted:
            self._fail(f"byte {self.at - 4}: 0x{found:08x} instead of the {what} (0x{wanted:08x})")

    def _string(self) -> str:
        (length,) = self._words(1)
        if length > _LONGEST_STRING:
            self._fail(f"byte {self.at - 4}: a string of {length} bytes")
        return self._bytes(-(-length // 4) * 4)[:length].decode("utf-8", "replace")

    def _words(self, n: int) -> tuple[int, ...]:
        return struct.unpack(f"{self.order}{n}I", self._bytes(4 * n))

    def _bytes(self, n: int) -> bytes:
        self.file.seek(self.at)
        found = _exactly(self.file, n)
        if len(found) < n:
            self._fail(f"it ends after {self.size} bytes, before its first event")
        self.at += n
        return found

    def _fail(self, problem: str) -> None:
        msg = f"{self.path}: not a readable RAW file: {problem}"
        raise InputFileError(msg)
