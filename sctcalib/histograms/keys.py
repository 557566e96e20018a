"""The list of keys of a directory, as columns: tens of thousands are parsed at once."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sctcalib.histograms.damage import DamagedError

WIDE = 1000
"""Added to the version of keys and directory records whose seeks have 64 bits."""
KEY_HEADER = struct.Struct(">ihiIhh")
"""Bytes of header and object, version, object length, time, bytes of the header, cycle."""
_KEY_FIELDS = np.dtype(
    [("n", ">i4"), ("v", ">i2"), ("length", ">i4"), ("t", ">u4"), ("header", ">i2"), ("c", ">i2")]
)
_SMALLEST_KEY = KEY_HEADER.size + 8 + 3
_SHORT, _LONG = np.dtype([("seek", ">i4")]), np.dtype([("seek", ">i8")])


@dataclass(frozen=True)
class KeyColumns:
    """Where n objects of one file are; arrays of shape (n,), lengths in bytes.

    ``seek`` leads to the key before the object, ``stored`` counts both, ``header`` the key alone,
    ``length`` the object when it is expanded.
    """

    seek: NDArray[np.int64]
    stored: NDArray[np.int32]
    header: NDArray[np.int32]
    length: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.seek)

    def __getitem__(self, rows: slice | list[int] | NDArray[np.int64]) -> KeyColumns:
        return KeyColumns(self.seek[rows], self.stored[rows], self.header[rows], self.length[rows])


@dataclass(frozen=True)
class KeyTable:
    """The keys of one directory.

    ``rows`` leads from a name to the row of its highest cycle; ``repeated`` are the names that have
    several cycles.
    """

    columns: KeyColumns
    rows: dict[str, int]
    class_names: list[str]
    repeated: list[str]


_NONE = np.zeros(0, dtype=np.int32)
NO_KEYS = KeyTable(KeyColumns(_NONE.astype(np.int64), _NONE, _NONE, _NONE), {}, [], [])


def parse_keys(listing: bytes, at: int, count: int) -> KeyTable:
    """The keys that begin at a byte of a listing.

    Raises DamagedError or IndexError where the bytes are not that many keys.
    """
    begins = _begins(listing, at, count)
    if not count:
        return NO_KEYS
    fields = gather(listing, begins, _KEY_FIELDS)
    wide = fields["v"] > WIDE
    seek = np.where(
        wide,
        gather(listing, begins + KEY_HEADER.size, _LONG)["seek"],
        gather(listing, begins + KEY_HEADER.size, _SHORT)["seek"],
    )
    class_begin, class_end = _text(listing, begins + KEY_HEADER.size + np.where(wide, 16, 8))
    name_begin, name_end = _text(listing, class_end)
    text = listing.decode("latin-1")
    names = _cut(text, name_begin, name_end)
    columns = KeyColumns(
        seek.astype(np.int64),
        fields["n"].astype(np.int32),
        fields["header"].astype(np.int32),
        fields["length"].astype(np.int32),
    )
    rows = dict(zip(names, range(count), strict=True))
    repeated = _highest_cycles(names, fields["c"], rows) if len(rows) < count else []
    return KeyTable(columns, rows, _cut(text, class_begin, class_end), repeated)


def gather(raw: bytes, starts: NDArray[np.int64], fields: np.dtype[np.void]) -> NDArray[np.void]:
    """Packed records that begin at some bytes, shape (n,); what is beyond the end is arbitrary."""
    data = np.frombuffer(raw, dtype=np.uint8)
    index = starts[:, None] + np.arange(fields.itemsize)
    found: NDArray[np.void] = data[np.minimum(index, len(data) - 1)].view(fields)[:, 0]
    return found


def same_key(raw: bytes, starts: NDArray[np.int64], keys: KeyColumns) -> NDArray[np.bool_]:
    """Whether the keys that stand before objects are the ones that the directory lists."""
    found = gather(raw, starts, _KEY_FIELDS)
    same = (found["n"] == keys.stored) & (found["length"] == keys.length)
    return np.asarray(same & (found["header"] == keys.header))


def _begins(listing: bytes, at: int, count: int) -> NDArray[np.int64]:
    """Where each key begins: a key gives its own length in bytes 14 and 15."""
    if not 0 <= count <= len(listing) // _SMALLEST_KEY:
        msg = f"{count} keys do not fit in a list of {len(listing)} bytes"
        raise DamagedError(msg)
    begins = []
    for _ in range(count):
        begins.append(at)
        at += listing[at + 14] << 8 | listing[at + 15]
    if at > len(listing):
        msg = "its list of keys is cut off"
        raise DamagedError(msg)
    return np.array(begins, dtype=np.int64)


def _text(listing: bytes, at: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Begin and end of the texts at some bytes; those of 255 bytes and more have a longer count."""
    n = np.frombuffer(listing, dtype=np.uint8)[at].astype(np.int64)
    begin = at + 1
    for row in np.flatnonzero(n == 255).tolist():
        first = int(begin[row])
        n[row] = int.from_bytes(listing[first : first + 4], "big")
        begin[row] += 4
    return begin, begin + n


def _cut(text: str, begin: NDArray[np.int64], end: NDArray[np.int64]) -> list[str]:
    return [text[a:b] for a, b in zip(begin.tolist(), end.tolist(), strict=True)]


def _highest_cycles(names: list[str], cycles: NDArray[np.int16], rows: dict[str, int]) -> list[str]:
    """Let each name lead to its highest cycle; the names that occur more than once."""
    repeated = set()
    seen: dict[str, int] = {}
    for row, name in enumerate(names):
        if name in seen:
            repeated.add(name)
        if name not in seen or cycles[row] > cycles[seen[name]]:
            seen[name] = row
    rows.update(seen)
    return sorted(repeated)
