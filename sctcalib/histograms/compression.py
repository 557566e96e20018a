"""Compressed payloads of ROOT files: what is stored to what was streamed, and back.

A payload is one or more blocks of at most 16 MiB. Each has nine bytes in front: two letters for
the algorithm, one for the method, the packed and the expanded length (three bytes each, least
significant first). A payload as long as the object itself is not compressed (root-files.md 2).

Functions raise `DamagedError` for anything that cannot be expanded to exactly the given length.
"""

from __future__ import annotations

import zlib
from types import ModuleType

from sctcalib.histograms.damage import DamagedError

_fast: ModuleType
try:
    from isal import isal_zlib as _fast
except ImportError:  # zlib reads at half the speed and writes at a third
    _fast = zlib

BLOCK_HEADER = 9
LARGEST_BLOCK = 0xFFFFFF
LEVEL = 1
WINDOW = 15

inflate = _fast.decompress
"""``inflate(packed, WINDOW, expanded_length)``; releases the interpreter lock."""
_deflate = _fast.compress
crc32 = _fast.crc32

InflateError: type[Exception] = _fast.error


def expand(stored: memoryview, length: int) -> bytes:
    """The streamed object, ``length`` bytes, from its stored form."""
    if len(stored) == length:
        return bytes(stored)
    pieces = []
    at = 0
    while at < len(stored):
        head = bytes(stored[at : at + BLOCK_HEADER])
        packed = int.from_bytes(head[3:6], "little")
        at += BLOCK_HEADER
        if len(head) < BLOCK_HEADER or at + packed > len(stored):
            msg = "a compressed block is cut off"
            raise DamagedError(msg)
        size = int.from_bytes(head[6:9], "little")
        pieces.append(_expand_block(head[:2], stored[at : at + packed], size))
        at += packed
    whole = b"".join(pieces)
    if len(whole) != length:
        msg = f"expands to {len(whole)} bytes instead of {length}"
        raise DamagedError(msg)
    return whole


def _expand_block(tag: bytes, packed: memoryview, size: int) -> bytes:
    expander = _EXPANDERS.get(tag)
    if expander is None:
        known = ", ".join(name.decode() for name in _EXPANDERS)
        msg = f"compressed with the unknown method {tag!r} (known: {known})"
        raise DamagedError(msg)
    try:
        return expander(packed, size)
    except DamagedError:
        raise
    except Exception as error:  # each library has its own family of exceptions
        msg = f"cannot be decompressed ({tag.decode()}: {error})"
        raise DamagedError(msg) from error


def _zlib(packed: memoryview, size: int) -> bytes:
    return bytes(inflate(packed, WINDOW, size))


def _old(packed: memoryview, size: int) -> bytes:
    return zlib.decompress(packed, -WINDOW, size)


def _lzma(packed: memoryview, _size: int) -> bytes:
    import lzma

    return lzma.decompress(packed)


def _zstd(packed: memoryview, size: int) -> bytes:
    import cramjam

    return bytes(cramjam.zstd.decompress(bytes(packed), output_len=size))


def _lz4(packed: memoryview, size: int) -> bytes:
    import cramjam
    import xxhash

    checksum, data = bytes(packed[:8]), bytes(packed[8:])
    if xxhash.xxh64_digest(data) != checksum:
        msg = "cannot be decompressed (L4: wrong checksum)"
        raise DamagedError(msg)
    return bytes(cramjam.lz4.decompress_block(data, output_len=size))


_EXPANDERS = {b"ZL": _zlib, b"ZS": _zstd, b"L4": _lz4, b"XZ": _lzma, b"CS": _old}


def pack(streamed: bytes) -> bytes:
    """The stored form: zlib blocks, or the object itself where that is not longer."""
    blocks = []
    for at in range(0, len(streamed), LARGEST_BLOCK):
        piece = streamed[at : at + LARGEST_BLOCK]
        packed = _deflate(piece, LEVEL)
        sizes = len(packed).to_bytes(3, "little") + len(piece).to_bytes(3, "little")
        blocks += [b"ZL\x08", sizes, packed]
    stored = b"".join(blocks)
    return stored if len(stored) < len(streamed) else streamed
