"""Reading ROOT files in bulk: header, directories, keys, and many objects with few reads.

Only the frame of the file is understood here, not the objects in it (see `objects`). Files of
either seek width are read, 32 or 64 bits (root-files.md 2).
"""

from __future__ import annotations

import logging
import os
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sctcalib.histograms.compression import (
    BLOCK_HEADER,
    WINDOW,
    DamagedError,
    InflateError,
    expand,
    inflate,
)
from sctcalib.job.errors import InputFileError

log = logging.getLogger(__name__)

WIDE = 1000
"""Added to the version of keys and directory records whose seeks have 64 bits."""
WIDE_FILE = 1_000_000
KEY_HEADER = struct.Struct(">ihiIhh")
"""Stored bytes with this header, version, object length, time, header length, cycle."""
_KEY_FIELDS = np.dtype(
    [("n", ">i4"), ("v", ">i2"), ("length", ">i4"), ("t", ">u4"), ("header", ">i2"), ("c", ">i2")]
)
_BLOCK_FIELDS = np.dtype([("tag", "S2"), ("method", "u1"), ("sizes", "u1", 6)])
_GAP = 1 << 16
"""Objects closer together than this are fetched with one read."""
_SPAN = 1 << 24
DIRECTORY_CLASSES = ("TDirectory", "TDirectoryFile")
_STRUCTURE_ERRORS = (struct.error, IndexError, DamagedError, UnicodeDecodeError)


class Key(NamedTuple):
    """One entry of a directory's list of keys; lengths in bytes, seek from the file's start."""

    class_name: str
    name: str
    title: str
    cycle: int
    seek: int
    stored: int
    header: int
    length: int


@dataclass(frozen=True)
class KeyColumns:
    """Where n objects of one file are, in the order of a layout; arrays of shape (n,)."""

    seek: NDArray[np.int64]
    stored: NDArray[np.int32]
    header: NDArray[np.int16]
    length: NDArray[np.int32]

    @classmethod
    def of(cls, keys: Sequence[Key]) -> KeyColumns:
        return cls(
            np.array([key.seek for key in keys], dtype=np.int64),
            np.array([key.stored for key in keys], dtype=np.int32),
            np.array([key.header for key in keys], dtype=np.int16),
            np.array([key.length for key in keys], dtype=np.int32),
        )

    def __getitem__(self, rows: slice | NDArray[np.int64]) -> KeyColumns:
        return KeyColumns(self.seek[rows], self.stored[rows], self.header[rows], self.length[rows])


@dataclass(frozen=True)
class _Header:
    begin: int
    end: int
    name_bytes: int
    info_seek: int
    info_bytes: int


class RootFile:
    """The directories and keys of one file; it is opened anew for each bulk of objects.

    Directories below the first level are not entered. Of several cycles of a name the highest is
    used. Raises InputFileError that names the file for anything that is not a sound ROOT file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.size = path.stat().st_size
            self._header = self._read_header()
            self.top = self._keys_of_record(self._header.begin + self._header.name_bytes, "/")
        except OSError as error:
            raise _unreadable(path, error) from error
        except _STRUCTURE_ERRORS as error:
            msg = f"{path}: not a sound ROOT file: {error}"
            raise InputFileError(msg) from error

    def directory(self, name: str) -> dict[str, Key] | None:
        """The keys of a first-level directory by name, or None if there is no such directory."""
        key = self.top.get(name)
        if key is None or key.class_name not in DIRECTORY_CLASSES:
            return None
        try:
            return self._keys_of_record(key.seek + key.header, name)
        except OSError as error:
            raise _unreadable(self.path, error) from error
        except _STRUCTURE_ERRORS as error:
            msg = f"{self.path}: the directory {name} is damaged: {error}"
            raise InputFileError(msg) from error

    def streamer_info(self) -> tuple[bytes, int] | None:
        """The stored record of class descriptions and its expanded length; None if not usable."""
        header = self._header
        try:
            record = self._read(header.info_seek, header.info_bytes)
            key, _ = _parse_key(record, 0)
            stored = record[key.header : header.info_bytes]
            whole = expand(memoryview(stored), key.length)
        except (*_STRUCTURE_ERRORS, OSError):
            return None
        return (stored, key.length) if b"TStreamerInfo" in whole else None

    def objects(self, keys: KeyColumns, names: Sequence[str]) -> list[bytes]:
        """The streamed objects of some keys, in their order.

        ``names`` (with the directory) are used in error messages only.
        """
        result: list[bytes] = [b""] * len(names)
        try:
            with self.path.open("rb", buffering=0) as file:
                for rows in _spans(keys):
                    self._read_span(file.fileno(), keys[rows], rows.tolist(), names, result)
        except OSError as error:
            raise _unreadable(self.path, error) from error
        return result

    def _read_span(
        self,
        file: int,
        keys: KeyColumns,
        rows: list[int],
        names: Sequence[str],
        result: list[bytes],
    ) -> None:
        first = int(keys.seek[0])
        last = int(np.max(keys.seek + keys.stored))
        if first < 0 or last > self.size or np.any(keys.stored < keys.header):
            raise self._damaged(names[rows[-1]], "its key points outside the file")
        span = _pread(file, first, last - first)
        starts = keys.seek - first
        bad = _other_record(span, starts, keys)
        if len(bad):
            raise self._damaged(names[rows[bad[0]]], "its key does not lead to it")
        view = memoryview(span)
        begins = (starts + keys.header).tolist()
        ends = (starts + keys.stored).tolist()
        plain = _one_zlib_block(span, starts, keys).tolist()
        lengths = keys.length.tolist()
        for row, begin, end, length, is_plain in zip(
            rows, begins, ends, lengths, plain, strict=True
        ):
            try:
                if is_plain:
                    streamed = inflate(view[begin + BLOCK_HEADER : end], WINDOW, length)
                else:
                    streamed = expand(view[begin:end], length)
            except (InflateError, DamagedError) as error:
                raise self._damaged(names[row], str(error)) from error
            if len(streamed) != length:
                raise self._damaged(names[row], f"{len(streamed)} bytes instead of {length}")
            result[row] = streamed

    def _damaged(self, name: str, why: str) -> InputFileError:
        return InputFileError(f"{self.path}: {name} cannot be read: {why}")

    def _read_header(self) -> _Header:
        start = self._read(0, min(self.size, 100))
        if self.size == 0:
            msg = "the file is empty"
            raise DamagedError(msg)
        if start[:4] != b"root":
            msg = f"it begins with {start[:4]!r} instead of b'root'"
            raise DamagedError(msg)
        version, begin = struct.unpack_from(">ii", start, 4)
        if version >= WIDE_FILE:
            end, _, _, _, name_bytes = struct.unpack_from(">qqiii", start, 12)
            info_seek, info_bytes = struct.unpack_from(">qi", start, 45)
        else:
            end, _, _, _, name_bytes = struct.unpack_from(">iiiii", start, 12)
            info_seek, info_bytes = struct.unpack_from(">ii", start, 37)
        if end > self.size:
            msg = f"it has {self.size} bytes, its header says {end}: it is cut off"
            raise DamagedError(msg)
        return _Header(begin, end, name_bytes, info_seek, info_bytes)

    def _keys_of_record(self, at: int, name: str) -> dict[str, Key]:
        record = self._read(at, 42)
        (version,) = struct.unpack_from(">h", record)
        seek = struct.unpack_from(">qqq" if version > WIDE else ">iii", record, 18)[2]
        (n_bytes,) = struct.unpack_from(">i", record, 10)
        if seek <= 0 or n_bytes <= 0:
            msg = "it has no list of keys: it was not closed properly"
            raise DamagedError(msg)
        listing = self._read(seek, n_bytes)
        own, _ = _parse_key(listing, 0)
        (count,) = struct.unpack_from(">i", listing, own.header)
        return self._by_name(_parse_keys(listing, own.header + 4, count), name)

    def _by_name(self, keys: Iterable[Key], directory: str) -> dict[str, Key]:
        table: dict[str, Key] = {}
        repeated = []
        for key in keys:
            other = table.setdefault(key.name, key)
            if other is not key:
                repeated.append(key.name)
                if key.cycle > other.cycle:
                    table[key.name] = key
        if repeated:
            log.warning(
                "%s: several cycles of %s in %s; the highest is used",
                self.path,
                some(repeated),
                directory,
            )
        return table

    def _read(self, at: int, n: int) -> bytes:
        if at < 0 or n < 0 or at + n > self.size:
            msg = f"a record at byte {at} with {n} bytes is outside the file"
            raise DamagedError(msg)
        with self.path.open("rb", buffering=0) as file:
            return _pread(file.fileno(), at, n)


def some(names: Sequence[str], shown: int = 5) -> str:
    """The first few names and how many there are."""
    if len(names) <= shown:
        return ", ".join(names)
    return f"{', '.join(names[:shown])}, ... ({len(names)} in all)"


def _unreadable(path: Path, error: OSError) -> InputFileError:
    return InputFileError(f"{path}: cannot be read: {error.strerror or error}")


def _pread(file: int, at: int, n: int) -> bytes:
    piece = os.pread(file, n, at)
    if len(piece) == n:
        return piece
    pieces = [piece]
    while piece:  # a read may return less than asked for, above 2 GiB always
        at += len(piece)
        n -= len(piece)
        piece = os.pread(file, n, at)
        pieces.append(piece)
    if n:
        msg = "the file ends early"
        raise OSError(msg)
    return b"".join(pieces)


def _parse_key(buffer: bytes, at: int) -> tuple[Key, int]:
    stored, version, length, _, header, cycle = KEY_HEADER.unpack_from(buffer, at)
    wide = version > WIDE
    (seek,) = struct.unpack_from(">q" if wide else ">i", buffer, at + 18)
    texts = []
    at += 34 if wide else 26
    for _ in range(3):
        n = buffer[at]
        at += 1
        if n == 255:
            (n,) = struct.unpack_from(">i", buffer, at)
            at += 4
        if n < 0 or at + n > len(buffer):
            msg = "a key is cut off"
            raise DamagedError(msg)
        texts.append(buffer[at : at + n].decode("utf-8", "replace"))
        at += n
    return Key(texts[0], texts[1], texts[2], cycle, seek, stored, header, length), at


def _parse_keys(listing: bytes, at: int, count: int) -> Iterable[Key]:
    for _ in range(count):
        key, at = _parse_key(listing, at)
        yield key


def _spans(keys: KeyColumns) -> Iterable[NDArray[np.int64]]:
    """Rows in the order of the file, in groups that one read each should fetch."""
    order = np.argsort(keys.seek, kind="stable")
    seek = keys.seek[order]
    ends = seek + keys.stored[order]
    far = seek[1:] - ends[:-1] > _GAP
    full = np.diff((seek - (seek[0] if len(seek) else 0)) // _SPAN) > 0
    return np.split(order, np.flatnonzero(far | full) + 1) if len(order) else []


def _gather(span: bytes, starts: NDArray[np.int64], fields: np.dtype[np.void]) -> NDArray[np.void]:
    """Records of a packed dtype that begin at some bytes, shape (n,)."""
    raw = np.frombuffer(span, dtype=np.uint8)
    index = starts[:, None] + np.arange(fields.itemsize)
    found: NDArray[np.void] = raw[np.minimum(index, len(raw) - 1)].view(fields)[:, 0]
    return found


def _other_record(span: bytes, starts: NDArray[np.int64], keys: KeyColumns) -> NDArray[np.int64]:
    """Which objects are not preceded by the key that the directory lists for them."""
    found = _gather(span, starts, _KEY_FIELDS)
    same = (found["n"] == keys.stored) & (found["length"] == keys.length)
    return np.flatnonzero(~(same & (found["header"] == keys.header)))


def _one_zlib_block(span: bytes, starts: NDArray[np.int64], keys: KeyColumns) -> NDArray[np.bool_]:
    """Which payloads are a single zlib block, the case that is worth a short cut."""
    found = _gather(span, starts + keys.header, _BLOCK_FIELDS)
    sizes = found["sizes"].astype(np.int64) @ np.kron(
        np.eye(2, dtype=np.int64), [[1], [1 << 8], [1 << 16]]
    )
    payload = keys.stored - keys.header
    fits = (sizes[:, 0] == payload - BLOCK_HEADER) & (sizes[:, 1] == keys.length)
    return np.asarray((found["tag"] == b"ZL") & fits & (payload != keys.length))
