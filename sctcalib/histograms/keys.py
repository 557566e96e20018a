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
class Names:
    """The texts of a list of keys, which the files of one job have in common.

    ``rows`` leads from a name to the row of its highest cycle; ``repeated`` are the names that have
    several cycles. ``listing`` are the bytes they were found in, and ``numbers`` marks those bytes
    that another list with the same texts may have otherwise.
    """

    rows: dict[str, int]
    class_names: list[str]
    repeated: list[str]
    listing: bytes
    numbers: NDArray[np.bool_]
    begins: NDArray[np.int64]

    def same_in(self, listing: bytes) -> bool:
        """Whether another list of keys has the same texts at the same places."""
        if self.repeated or len(listing) != len(self.listing):
            return False
        mine, other = (np.frombuffer(raw, dtype=np.uint8) for raw in (self.listing, listing))
        return bool(((mine == other) | self.numbers).all())


@dataclass(frozen=True)
class KeyTable:
    """The keys of one directory."""

    columns: KeyColumns
    names: Names

    @property
    def rows(self) -> dict[str, int]:
        """From a name to the row of its highest cycle."""
        return self.names.rows

    @property
    def class_names(self) -> list[str]:
        """The class of the object of each row."""
        return self.names.class_names


_NONE = np.zeros(0, dtype=np.int32)
NO_KEYS = KeyTable(
    KeyColumns(_NONE.astype(np.int64), _NONE, _NONE, _NONE),
    Names({}, [], [], b"", _NONE.astype(bool), _NONE.astype(np.int64)),
)


def parse_keys(listing: bytes, at: int, count: int, like: Names | None = None) -> KeyTable:
    """The keys that begin at a byte of a listing; ``like`` may be the names of a similar list.

    Raises DamagedError or IndexError where the bytes are not that many keys.
    """
    if not count:
        return NO_KEYS
    if like is not None and len(like.begins) == count and like.same_in(listing):
        return KeyTable(_columns(listing, like.begins)[0], like)
    begins = _begins(listing, at, count)
    columns, wide, cycles = _columns(listing, begins)
    class_begin, class_end = _text(listing, begins + KEY_HEADER.size + np.where(wide, 16, 8))
    name_begin, name_end = _text(listing, class_end)
    text = listing.decode("latin-1")
    names = _cut(text, name_begin, name_end)
    rows = dict(zip(names, range(count), strict=True))
    repeated = _highest_cycles(names, cycles, rows) if len(rows) < count else []
    classes = _cut(text, class_begin, class_end)
    numbers = _numbers(len(listing), begins, wide)
    return KeyTable(columns, Names(rows, classes, repeated, listing, numbers, begins))


def _columns(
    listing: bytes, begins: NDArray[np.int64]
) -> tuple[KeyColumns, NDArray[np.bool_], NDArray[np.int16]]:
    """Places of the objects, which keys have 64-bit seeks, and the cycles."""
    fields = gather(listing, begins, _KEY_FIELDS)
    wide = np.asarray(fields["v"] > WIDE)
    seek = gather(listing, begins + KEY_HEADER.size, _SHORT)["seek"].astype(np.int64)
    if wide.any():
        long = gather(listing, begins + KEY_HEADER.size, _LONG)["seek"]
        seek = np.where(wide, long, seek)
    columns = KeyColumns(
        seek,
        fields["n"].astype(np.int32),
        fields["header"].astype(np.int32),
        fields["length"].astype(np.int32),
    )
    return columns, wide, fields["c"]


def _numbers(n_bytes: int, begins: NDArray[np.int64], wide: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Marks all bytes of a list but texts, versions and lengths of keys; none is before a key."""
    result = np.zeros(n_bytes, dtype=bool)
    result[: begins[0]] = True
    for offset in (*range(4), *range(6, 14), *range(16, 26)):
        result[begins + offset] = True
    for offset in range(26, 34):
        result[begins[wide] + offset] = True
    return result


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
