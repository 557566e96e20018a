"""Writing a new ROOT file in one pass: directories with many objects, readable by ROOT and uproot.

The same content always gives the same bytes: times are a constant and the file's UUID is made
from the content. A file is written under a temporary name beside its own and renamed when whole.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple

from sctcalib.histograms.compression import crc32
from sctcalib.histograms.keys import KEY_HEADER, WIDE
from sctcalib.histograms.layouts import text_bytes
from sctcalib.histograms.rootfile import WIDE_FILE

BEGIN = 100
"""First byte after the header, where the record of the file itself begins."""
FORMAT = 63200
"""Version of the file format in the header, that of ROOT 6.32."""
COMPRESSION = 101
"""zlib (1), level 1."""
BIG = 2_000_000_000
"""Seeks above this are written with 64 bits, as ROOT does."""
DATIME = (1 << 22) | (1 << 17)
"""1995-01-01 00:00:00 in ROOT's packing, the earliest valid one."""
FIRST_CYCLE = 1
_KEY, _DIRECTORY = 4, 5
_SEEKS, _WIDE_SEEKS = struct.Struct(">ii"), struct.Struct(">qq")
_RECORD_BYTES = 60
"""A directory's record, with room for 64-bit seeks."""


class Packed(NamedTuple):
    """One object ready to be stored.

    ``texts`` are class, name and title as they stand in a key, ``length`` is that of the expanded
    object, ``stored`` are the bytes to write.
    """

    texts: bytes
    length: int
    stored: bytes


def key_texts(class_name: str, name: str, title: str) -> bytes:
    """Class, name and title as they stand in a key."""
    return text_bytes(class_name) + text_bytes(name) + text_bytes(title)


@dataclass
class _Directory:
    name: str
    at: int
    header: bytes
    keys: list[bytes] = field(default_factory=list)


class RootWriter:
    """Appends objects, directory by directory; see `new_root_file`."""

    def __init__(self, stream: BinaryIO, name: str, *, big: int = BIG) -> None:
        self._stream, self._name, self._big = stream, name, big
        self._at = 0
        self._crc = 0
        self._directories: list[_Directory] = []
        self._write(bytes(BEGIN))
        texts = text_bytes(name) + text_bytes("")
        header = self._key("TFile", name, "", len(texts) + _RECORD_BYTES)
        self._name_bytes = len(header) + len(texts)
        self._write(header + texts + bytes(_RECORD_BYTES))

    def directory(self, name: str) -> None:
        """Begin a first-level directory; objects that follow go into it."""
        at = self._at
        header = self._key("TDirectory", name, name, _RECORD_BYTES, parent=BEGIN)
        self._directories.append(_Directory(name, at, header))
        self._write(header + bytes(_RECORD_BYTES))

    def add(self, objects: Iterable[Packed]) -> None:
        """Append objects to the directory begun last."""
        directory = self._directories[-1]
        pieces = []
        at = self._at
        for texts, length, stored in objects:
            key = self._key_header(texts, length, len(stored), directory.at, at)
            directory.keys.append(key)
            pieces += [key, stored]
            at += len(key) + len(stored)
        self._write(b"".join(pieces))

    def finish(self, streamer_info: tuple[bytes, int]) -> None:
        """Write the lists of keys, the class descriptions and the header."""
        listings = [self._listing(each) for each in self._directories]
        stored, length = streamer_info
        info_at = self._at
        info_key = self._key(
            "TList", "StreamerInfo", "Doubly linked list", length, len(stored), parent=BEGIN
        )
        self._write(info_key + stored)
        top = _Directory(self._name, BEGIN, b"", [each.header for each in self._directories])
        top_listing = self._listing(top)
        free_at, free = self._free_segments()
        self._write(free)
        uuid = self._uuid()
        for each, listing in zip(self._directories, listings, strict=True):
            record = self._record(each.at, BEGIN, len(each.header), listing, uuid)
            self._patch(each.at + len(each.header), record)
        record = self._record(BEGIN, 0, self._name_bytes, top_listing, uuid)
        self._patch(BEGIN + self._name_bytes, record)
        self._patch(0, self._header(free_at, len(free), info_at, len(info_key) + len(stored), uuid))

    def _write(self, data: bytes) -> None:
        self._stream.write(data)
        self._crc = crc32(data, self._crc)
        self._at += len(data)

    def _patch(self, at: int, data: bytes) -> None:
        self._stream.seek(at)
        self._stream.write(data)

    def _key(
        self,
        class_name: str,
        name: str,
        title: str,
        length: int,
        stored: int | None = None,
        *,
        parent: int = 0,
    ) -> bytes:
        """Header of a record here; ``stored`` bytes follow it (``length`` if not given)."""
        texts = key_texts(class_name, name, title)
        return self._key_header(
            texts, length, length if stored is None else stored, parent, self._at
        )

    def _key_header(self, texts: bytes, length: int, stored: int, parent: int, at: int) -> bytes:
        wide = at > self._big
        n = KEY_HEADER.size + (16 if wide else 8) + len(texts)
        numbers = KEY_HEADER.pack(
            n + stored, _KEY + WIDE if wide else _KEY, length, DATIME, n, FIRST_CYCLE
        )
        return numbers + (_WIDE_SEEKS if wide else _SEEKS).pack(at, parent) + texts

    def _listing(self, directory: _Directory) -> tuple[int, int]:
        """Write a directory's list of keys; where it is and how long."""
        at = self._at
        keys = struct.pack(">i", len(directory.keys)) + b"".join(directory.keys)
        class_name, title = ("TFile", "") if at and not directory.header else ("TDirectory", None)
        title = directory.name if title is None else title
        header = self._key(class_name, directory.name, title, len(keys), parent=directory.at)
        self._write(header + keys)
        return at, len(header) + len(keys)

    def _record(
        self, at: int, parent: int, name_bytes: int, listing: tuple[int, int], uuid: bytes
    ) -> bytes:
        wide = max(at, listing[0]) > self._big
        version = _DIRECTORY + WIDE if wide else _DIRECTORY
        head = struct.pack(">hIIii", version, DATIME, DATIME, listing[1], name_bytes)
        seeks = struct.pack(">qqq" if wide else ">iii", at, parent, listing[0])
        return (head + seeks + uuid).ljust(_RECORD_BYTES, b"\0")

    def _free_segments(self) -> tuple[int, bytes]:
        """The record that says the file is free from its end on."""
        at = self._at
        wide = at > self._big
        n = 18 if wide else 10
        header = self._key("TFile", self._name, "", n, parent=BEGIN)
        end = at + len(header) + n
        if wide:
            last = (end // 10**9 + 1) * 10**9
            return at, header + struct.pack(">hqq", 1 + WIDE, end, last)
        return at, header + struct.pack(">hii", 1, end, BIG)

    def _uuid(self) -> bytes:
        """A version-8 UUID from checksum and length, with the version number in front."""
        first = struct.pack(">IIQ", self._crc, self._at & 0xFFFFFFFF, self._crc * 0x9E3779B1)
        number = int.from_bytes(first, "big")
        number = number & ~(0xF << 76) | 8 << 76
        number = number & ~(3 << 62) | 2 << 62
        return struct.pack(">h", 1) + number.to_bytes(16, "big")

    def _header(self, free_at: int, n_free: int, info_at: int, n_info: int, uuid: bytes) -> bytes:
        wide = self._at > self._big
        seek = "q" if wide else "i"
        version = FORMAT + WIDE_FILE if wide else FORMAT
        head = struct.pack(f">4sii{seek}{seek}", b"root", version, BEGIN, self._at, free_at)
        counts = struct.pack(">iii", n_free, 1, self._name_bytes)
        units = struct.pack(f">Bi{seek}i", 8 if wide else 4, COMPRESSION, info_at, n_info)
        return head + counts + units + uuid


@contextmanager
def new_root_file(path: Path, name: str, *, big: int = BIG) -> Iterator[RootWriter]:
    """A writer whose file appears at ``path`` when the block ends well, and not at all otherwise.

    ``name`` is the file name that is stored in the file; it does not follow ``path``, so that the
    bytes do not depend on where the file is written. The caller ends with `RootWriter.finish`.
    Raises OSError where the file cannot be written.
    """
    partial = path.with_name(f".{path.name}.writing")
    try:
        with partial.open("wb") as stream:
            yield RootWriter(stream, name, big=big)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
