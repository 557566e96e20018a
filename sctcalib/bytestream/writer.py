"""RAW files: records of the file and full-event fragments (reference/raw-bytestream.md 1, 2).

Files are written in little-endian order, as the data-taking hosts do. All dates and times are given
by the caller, so that equal content gives equal bytes.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal, Self

EventFormat = Literal["5.0", "4.0"]

FILE_START, FILE_STRINGS, FILE_METADATA = 0x1234AAAA, 0x1234AABB, 0x1234AABC
RUN_PARAMETERS, DATA_SEPARATOR = 0x1234BBBB, 0x1234CCCC
FILE_END, END_OF_RECORD = 0x1234DDDD, 0x1234EEEE
EVENT_MARKER = 0xAA1234AA
VERSIONS: dict[EventFormat, int] = {"5.0": 0x05000000, "4.0": 0x04000000}
"""Version words of full events and ROB fragments."""
PARTIAL_EVENT = 0x80000000
"""Event status: only some of the detectors' fragments are there, as in calibration streams."""

_FIXED_HEADER = {"5.0": 23, "4.0": 20}
_NO_CHECKSUM, _ADLER_32 = 0, 2
_UNCOMPRESSED, _ZLIB = 0, 1
_COMPRESSION_LEVEL = 1
_MASK_WORDS = {6: 4, 5: 2}
"""Words of the detector mask by version of the file records."""
_MEGABYTE = 1 << 20
_WORD_BITS = 0xFFFFFFFF


@dataclass(frozen=True)
class EventHeader:
    """What the header of a full event says."""

    run: int
    lumi_block: int
    seconds: int
    """Time of the bunch crossing since 1970."""
    nanoseconds: int
    global_id: int
    """Event number, 64 bits (32 in format 4.0)."""
    lvl1_id: int
    """Extended LVL1 identifier: ECR count in bits 31-24, LVL1 counter below."""
    bcid: int
    trigger_type: int = 0
    run_type: int = 0
    """0 physics, 1 calibration, 2 cosmics."""
    status: tuple[int, ...] = (0,)
    source_id: int = 0
    lvl1_info: tuple[int, ...] = ()
    lvl2_info: tuple[int, ...] = ()
    hlt_info: tuple[int, ...] = ()
    stream_tags: tuple[bytes, ...] = ()


def event_fragment(
    header: EventHeader,
    robs: bytes,
    event_format: EventFormat = "5.0",
    *,
    compress: bool = False,
    checksum: bool = False,
) -> bytes:
    """The bytes of a full event with the given ROB fragments.

    ``compress`` is the compression of the event, which format 5.0 has and 4.0 has not;
    ``checksum`` adds the Adler-32 of the stored payload. Raises ValueError if the format has no
    compression, or if ``robs`` is not a whole number of words.
    """
    if len(robs) % 4 or (compress and event_format != "5.0"):
        msg = f"{len(robs)} bytes of fragments, format {event_format}, compressed: {compress}"
        raise ValueError(msg)
    payload = _padded(zlib.compress(robs, _COMPRESSION_LEVEL), b"\0") if compress else robs
    check = struct.pack("<I", zlib.adler32(payload)) if checksum else b""
    tags = b"".join(_padded(tag + b"\0", b"\0") for tag in header.stream_tags)
    tag_words = struct.unpack(f"<{len(tags) // 4}I", tags)
    blocks = (header.lvl1_info, header.lvl2_info, header.hlt_info, tag_words)
    info = [word for block in blocks for word in (len(block), *block)]
    n_header = _FIXED_HEADER[event_format] + len(header.status) + sum(map(len, blocks))
    words = [
        EVENT_MARKER,
        n_header + (len(payload) + len(check)) // 4,
        n_header,
        VERSIONS[event_format],
        header.source_id,
        len(header.status),
        *header.status,
        _ADLER_32 if checksum else _NO_CHECKSUM,
        *_specific(header, event_format, _ZLIB if compress else _UNCOMPRESSED, len(robs) // 4),
        *info,
    ]
    return _words(*words) + payload + check


def _specific(
    header: EventHeader, event_format: EventFormat, compression: int, n_payload: int
) -> list[int]:
    """Words between the checksum type and the number of LVL1 info words."""
    upper_id = [header.global_id >> 32] if event_format == "5.0" else []
    stored = [compression, n_payload] if event_format == "5.0" else []
    return [
        header.seconds,
        header.nanoseconds,
        header.global_id & _WORD_BITS,
        *upper_id,
        header.run_type,
        header.run,
        header.lumi_block,
        header.lvl1_id,
        header.bcid,
        header.trigger_type,
        *stored,
    ]


@dataclass(frozen=True)
class RunParameters:
    """The run parameters record of a file."""

    run: int
    max_events: int = 0
    recording_enabled: int = 1
    trigger_type: int = 0
    detector_mask: int = 0
    beam_type: int = 0
    beam_energy: int = 0
    """GeV."""

    def record(self, version: int) -> bytes:
        """The record in the layout of a version of file records."""
        n_mask = _MASK_WORDS[version]
        mask = [self.detector_mask >> 32 * index & _WORD_BITS for index in range(n_mask)]
        values = (self.run, self.max_events, self.recording_enabled, self.trigger_type)
        beam = (self.beam_type, self.beam_energy)
        return _words(RUN_PARAMETERS, 8 + n_mask, *values, *mask, *beam)


@dataclass(frozen=True)
class FileInfo:
    """What the first records of a file say."""

    parameters: RunParameters
    core: str
    """Name of the file without its number and ``.data``."""
    number: int
    """Of the file in its sequence, from 1."""
    opened: datetime
    guid: str
    """36 characters, upper-case hexadecimal."""
    stream: str
    project: str
    lumi_block: int = 0
    """0 if the file spans several."""
    application: str = "SFO-1"
    strings: tuple[str, ...] = ()
    """Further metadata."""
    version: int = 6
    """Of the file records: 6, or 5 as in Run 1."""
    compress: bool = False
    """Compression of whole data blocks, as in Run 1."""
    max_blocks: int = 0
    max_megabytes: int = 0

    def metadata(self) -> tuple[str, ...]:
        """The free metadata strings in their order."""
        return (
            f"GUID={self.guid}",
            *self.strings,
            f"Stream={self.stream}",
            f"Project={self.project}",
            f"LumiBlock={self.lumi_block}",
            *(("Compression=zlib",) if self.compress else ()),
        )

    def records(self) -> bytes:
        """Everything before the first event."""
        limits = (self.max_blocks, self.max_megabytes)
        start = _words(
            FILE_START, 8, self.version, self.number, *_date_and_time(self.opened), *limits
        )
        names = _words(FILE_STRINGS) + _string(self.application) + _string(self.core)
        texts = self.metadata()
        metadata = _words(FILE_METADATA, len(texts)) + b"".join(map(_string, texts))
        return start + names + metadata + self.parameters.record(self.version)


@dataclass
class Totals:
    """Events and their bytes in all files of a sequence so far."""

    events: int = 0
    n_bytes: int = 0


@dataclass
class RawWriter:
    """Writes one file of a sequence; a context manager.

    The file has its name only once it is complete; until then its name ends on ``.writing``. It
    is removed if the block is left by an exception.
    """

    path: Path
    info: FileInfo
    closed: datetime
    """Date and time of the end record."""
    last: bool = True
    """Whether this is the last file of the sequence."""
    run: Totals = field(default_factory=Totals)
    """Totals of the sequence before this file; counted on while writing."""

    def __post_init__(self) -> None:
        self._file: BinaryIO | None = None
        self._in_file = Totals()

    def __enter__(self) -> Self:
        self._file = self._temporary.open("wb")
        self._file.write(self.info.records())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._file is not None
        with self._file as file:
            if kind is None:
                file.write(self._end_record())
        if kind is None:
            self._temporary.replace(self.path)
        else:
            self._temporary.unlink()

    @property
    def _temporary(self) -> Path:
        return self.path.with_name(self.path.name + ".writing")

    def write(self, event: bytes) -> None:
        """Append an event."""
        assert self._file is not None, "write() is for inside the with block"
        if self.info.compress:
            event = _padded(zlib.compress(event, _COMPRESSION_LEVEL), b"\0")
        for totals in (self._in_file, self.run):
            totals.events += 1
            totals.n_bytes += len(event)
        self._file.write(_words(DATA_SEPARATOR, 4, self.run.events, len(event)))
        self._file.write(event)

    def _end_record(self) -> bytes:
        counts = [
            number
            for totals in (self._in_file, self.run)
            for number in (totals.events, int(totals.n_bytes / _MEGABYTE + 0.5))
        ]
        when = _date_and_time(self.closed)
        return _words(FILE_END, 10, *when, *counts, int(self.last), END_OF_RECORD)


def _words(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


def _padded(text: bytes, filler: bytes) -> bytes:
    return text + filler * (-len(text) % 4)


def _string(text: str) -> bytes:
    encoded = text.encode("ascii")
    return _words(len(encoded)) + _padded(encoded, b" ")


def _date_and_time(when: datetime) -> tuple[int, int]:
    date = 1_000_000 * when.day + 10_000 * when.month + when.year
    return date, 10_000 * when.hour + 100 * when.minute + when.second


def file_name_core(project: str, run: int, stream: str, lumi_block: int, application: str) -> str:
    """Name of a RAW file without its number, in the form of data taking (1.4)."""
    return f"{project}.{run:08d}.{stream}.daq.RAW._lb{lumi_block:04d}._{application}"


def file_name(core: str, number: int) -> str:
    """Name of a RAW file."""
    return f"{core}._{number:04d}.data"
