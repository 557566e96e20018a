"""Reading ROOT files in bulk: header, directories, keys, and many objects with few reads.

Only the frame of the file is understood here, not the objects in it (see `objects`). Files of
either seek width are read, 32 or 64 bits (root-files.md 2).
"""

from __future__ import annotations

import logging
import os
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sctcalib.histograms.compression import BLOCK_HEADER, WINDOW, InflateError, expand, inflate
from sctcalib.histograms.damage import DamagedError, RowError
from sctcalib.histograms.keys import (
    KEY_HEADER,
    NO_KEYS,
    WIDE,
    KeyColumns,
    KeyTable,
    Names,
    gather,
    parse_keys,
    same_key,
)
from sctcalib.job.errors import InputFileError

log = logging.getLogger(__name__)

WIDE_FILE = 1_000_000
"""Added to the version of files whose header has 64-bit seeks."""
DIRECTORY_CLASSES = ("TDirectory", "TDirectoryFile")
_BLOCK_FIELDS = np.dtype(
    [("tag", "S2"), ("method", "u1"), ("packed", "u1", 3), ("expanded", "u1", 3)]
)
_PLACES = np.array([1, 1 << 8, 1 << 16], dtype=np.int64)
_GAP = 1 << 16
"""Objects closer together than this are fetched with one read."""
_SPAN = 1 << 24
"""Bytes that one read fetches at most (and one object more)."""
_HEADER_BYTES = 64
_RECORD_BYTES = 42
_STRUCTURE_ERRORS = (struct.error, IndexError, DamagedError)


class _Header(NamedTuple):
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

    def directory(self, name: str, like: Names | None = None) -> KeyTable:
        """The keys of a first-level directory; none if there is no such directory.

        It is faster if ``like`` are the names in a file that is probably alike.
        """
        row = self.top.rows.get(name)
        if row is None or self.top.class_names[row] not in DIRECTORY_CLASSES:
            return NO_KEYS
        columns = self.top.columns
        try:
            at = int(columns.seek[row] + columns.header[row])
            return self._keys_of_record(at, name, like)
        except OSError as error:
            raise _unreadable(self.path, error) from error
        except _STRUCTURE_ERRORS as error:
            msg = f"{self.path}: the directory {name} is damaged: {error}"
            raise InputFileError(msg) from error

    def streamer_info(self) -> tuple[bytes, int] | None:
        """The stored record of class descriptions and its expanded length; None if not usable."""
        seek, n = self._header.info_seek, self._header.info_bytes
        try:
            record = self._read(seek, n)
            _, _, length, _, header, _ = KEY_HEADER.unpack_from(record)
            whole = expand(memoryview(record)[header:], length)
        except (*_STRUCTURE_ERRORS, OSError):
            return None
        return (record[header:], length) if b"TStreamerInfo" in whole else None

    def objects(self, keys: KeyColumns) -> list[bytes]:
        """The streamed objects of some keys, in their order.

        Raises RowError for one that cannot be unpacked, InputFileError if the file is unreadable.
        """
        result: list[bytes] = [b""] * len(keys)
        try:
            with self.path.open("rb", buffering=0) as file:
                for rows in _spans(keys):
                    for row, streamed in zip(
                        rows.tolist(), self._read_span(file.fileno(), keys, rows), strict=True
                    ):
                        result[row] = streamed
        except OSError as error:
            raise _unreadable(self.path, error) from error
        return result

    def _read_span(self, file: int, keys: KeyColumns, rows: NDArray[np.int64]) -> list[bytes]:
        mine = keys[rows]
        ends = mine.seek + mine.stored
        bad = (mine.seek < 0) | (ends > self.size) | (mine.stored < mine.header)
        if bad.any():
            raise RowError(int(rows[bad.argmax()]), "its key points outside the file")
        first = int(mine.seek[0])
        span = _pread(file, first, int(ends.max()) - first)
        starts = mine.seek - first
        same = same_key(span, starts, mine)
        if not same.all():
            raise RowError(int(rows[same.argmin()]), "its key does not lead to it")
        return _expand_all(span, starts, mine, rows)

    def _read_header(self) -> _Header:
        start = self._read(0, min(self.size, _HEADER_BYTES))
        if not start:
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

    def _keys_of_record(self, at: int, name: str, like: Names | None = None) -> KeyTable:
        record = self._read(at, _RECORD_BYTES)
        (version,) = struct.unpack_from(">h", record)
        seek = struct.unpack_from(">qqq" if version > WIDE else ">iii", record, 18)[2]
        (n_bytes,) = struct.unpack_from(">i", record, 10)
        if seek <= 0 or n_bytes <= 0:
            msg = "it has no list of keys: it was not closed properly"
            raise DamagedError(msg)
        listing = self._read(seek, n_bytes)
        (header,) = struct.unpack_from(">h", listing, 14)
        (count,) = struct.unpack_from(">i", listing, header)
        table = parse_keys(listing, header + 4, count, like)
        if table.names.repeated:
            log.warning(
                "%s: several cycles of %s in %s; the highest is used",
                self.path,
                some(table.names.repeated),
                name,
            )
        return table

    def _read(self, at: int, n: int) -> bytes:
        if at < 0 or n < 0 or at + n > self.size:
            msg = f"a record of {n} bytes at byte {at} is outside the file"
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
    pieces = []
    while n:  # a read may give less than asked for, above 2 GiB always
        piece = os.pread(file, n, at)
        if not piece:
            msg = "the file became shorter while it was read"
            raise OSError(msg)
        pieces.append(piece)
        at += len(piece)
        n -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _spans(keys: KeyColumns) -> Iterable[NDArray[np.int64]]:
    """Rows in the order of the file, in groups that one read each should fetch."""
    if not len(keys):
        return []
    order = np.argsort(keys.seek, kind="stable")
    seek = keys.seek[order]
    far = seek[1:] - (seek + keys.stored[order])[:-1] > _GAP
    full = np.diff((seek - seek[0]) // _SPAN) > 0
    return np.split(order, np.flatnonzero(far | full) + 1)


def _expand_all(
    span: bytes, starts: NDArray[np.int64], keys: KeyColumns, rows: NDArray[np.int64]
) -> list[bytes]:
    """Expand objects whose keys begin at some bytes of a span."""
    view = memoryview(span)
    begins, ends = starts + keys.header, (starts + keys.stored).tolist()
    lengths = keys.length.tolist()
    if _one_zlib_block(span, begins, keys).all():
        bodies = zip((begins + BLOCK_HEADER).tolist(), ends, lengths, strict=True)
        try:
            objects = [inflate(view[begin:end], WINDOW, n) for begin, end, n in bodies]
        except InflateError:
            objects = []  # the long way says which
        if list(map(len, objects)) == lengths:
            return objects
    objects = []
    for row, begin, end, n in zip(rows.tolist(), begins.tolist(), ends, lengths, strict=True):
        try:
            objects.append(expand(view[begin:end], n))
        except DamagedError as error:
            raise RowError(row, str(error)) from error
    return objects


def _one_zlib_block(span: bytes, begins: NDArray[np.int64], keys: KeyColumns) -> NDArray[np.bool_]:
    """Which payloads are a single zlib block, the case that is worth a short cut."""
    found = gather(span, begins, _BLOCK_FIELDS)
    payload = keys.stored - keys.header
    packed, expanded = (found[name] @ _PLACES for name in ("packed", "expanded"))
    fits = (packed == payload - BLOCK_HEADER) & (expanded == keys.length)
    return np.asarray((found["tag"] == b"ZL") & fits & (payload != keys.length))
