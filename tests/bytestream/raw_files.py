"""RAW files made word by word, for tests of the reading side: nothing is checked or corrected."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

ROD_ID = 0x210000


def rod(
    halves: Sequence[int],
    *,
    source: int = ROD_ID,
    status: Sequence[int] = (0, 0x00F00000),
    status_first: bool = False,
    detector_type: int = 0,
    version: int = 0x03010000,
) -> list[int]:
    """A ROD fragment with 16-bit words; an odd number is padded with a trailer."""
    padded = [*halves, 0x4000] if len(halves) % 2 else list(halves)
    data = [padded[i] << 16 | padded[i + 1] for i in range(0, len(padded), 2)]
    body = [*status, *data] if status_first else [*data, *status]
    header = [0xEE1234EE, 9, version, source, 300000, 7, 11, 3, detector_type]
    return [*header, *body, len(status), len(data), 0 if status_first else 1]


def rob(
    fragment: Sequence[int],
    *,
    source: int = ROD_ID,
    status: Sequence[int] = (0,),
    checksum: bool = False,
) -> list[int]:
    """A ROB fragment around a ROD fragment."""
    header = 7 + len(status)
    size = header + len(fragment) + checksum
    words = [0xDD1234DD, size, header, 0x05000000, source, len(status), *status, 2 * checksum]
    return [*words, *fragment, *([0xABCD] if checksum else [])]


@dataclass(frozen=True)
class Event:
    """The header of an event, and its ROB fragments."""

    robs: tuple[Sequence[int], ...] = ()
    lumi_block: int = 1
    time: int = 1_500_000_000
    event_id: int = 1
    version: int = 0x05000000
    compress: bool = False
    checksum: bool = False
    status: tuple[int, ...] = (0,)
    lists: tuple[tuple[int, ...], ...] = ((1, 2, 3), (), (4,), (5, 6))

    def words(self, order: str = "<") -> list[int]:
        """The words of the event, as numbers; packed bytes are stored as in ``order``."""
        payload = [word for each in self.robs for word in each]
        n_plain = len(payload)
        if self.compress:
            packed = zlib.compress(struct.pack(f"{order}{n_plain}I", *payload))
            packed += b"\0" * (-len(packed) % 4)
            payload = list(struct.unpack(f"{order}{len(packed) // 4}I", packed))
        is_5 = self.version >> 16 == 0x0500
        specific = [self.time, 123, self.event_id & 0xFFFFFFFF]
        specific += [self.event_id >> 32] if is_5 else []
        specific += [1, 300000, self.lumi_block, 0x01000007, 99, 4]
        specific += [int(self.compress), n_plain] if is_5 else []
        for each in self.lists:
            specific += [len(each), *each]
        n_header = 7 + len(self.status) + len(specific)
        size = n_header + len(payload) + self.checksum
        head = [0xAA1234AA, size, n_header, self.version, 0, len(self.status), *self.status]
        tail = [0xC0FFEE] if self.checksum else []
        return [*head, 2 * self.checksum, *specific, *payload, *tail]

    def with_halves(self, halves: Sequence[int], **keywords: int) -> Event:
        """The event with one ROB of these 16-bit words."""
        return replace(self, robs=(rob(rod(halves, **keywords)),))


def packed_words(words: Sequence[int], order: str = "<") -> bytes:
    return struct.pack(f"{order}{len(words)}I", *words)


def text(string: str, order: str = "<") -> bytes:
    """A string of the file records."""
    encoded = string.encode()
    return packed_words([len(encoded)], order) + encoded + b" " * (-len(encoded) % 4)


def file_head(
    *,
    version: int = 6,
    order: str = "<",
    metadata: Sequence[str] | None = ("GUID=0", "Stream=calibration_SCTNoise", "LumiBlock=0"),
) -> bytes:
    """The records before the first event."""
    start = packed_words([0x1234AAAA, 8, version, 1, 4072017, 123456, 0, 0], order)
    names = packed_words([0x1234AABB], order) + text("SFO-1", order) + text("core_name", order)
    strings = b""
    if metadata is not None:
        strings = packed_words([0x1234AABC, len(metadata)], order)
        strings += b"".join(text(each, order) for each in metadata)
    n_mask = {2: 1, 5: 2}.get(version, 4)
    mask = [0x40, 1, 2, 3][:n_mask]
    run = packed_words([0x1234BBBB, 8 + n_mask, 300000, 0, 1, 2, *mask, 0, 6500], order)
    return start + names + strings + run


def file_end(n_events: int, order: str = "<") -> bytes:
    numbers = [0x1234DDDD, 10, 4072017, 123500, n_events, 1, n_events, 1, 1, 0x1234EEEE]
    return packed_words(numbers, order)


def block(data: bytes, number: int = 1, order: str = "<") -> bytes:
    """A data block with its separator."""
    return packed_words([0x1234CCCC, 4, number, len(data)], order) + data


def write_raw(
    path: Path,
    events: Sequence[Event | Sequence[int]],
    *,
    version: int = 6,
    order: str = "<",
    compress: bool = False,
    end: bool = True,
) -> Path:
    """A file of events, or of blocks given as words."""
    metadata = ["GUID=0", *(["Compression=zlib"] if compress else [])]
    parts = [file_head(version=version, order=order, metadata=metadata)]
    for i, event in enumerate(events, start=1):
        words = event.words(order) if isinstance(event, Event) else event
        data = packed_words(words, order)
        if compress:
            data = zlib.compress(data)
            data += b"\0" * (-len(data) % 4)
        parts.append(block(data, i, order))
    if end:
        parts.append(file_end(len(events), order))
    path.write_bytes(b"".join(parts))
    return path
