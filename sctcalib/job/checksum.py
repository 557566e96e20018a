"""adler32 of files, the checksum of the field's file catalogues."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path

_BLOCK = 1 << 22
_THREADS = 2


def adler32(path: Path) -> str:
    """Checksum of a file as eight hexadecimal digits."""
    try:
        from isal.isal_zlib import adler32 as update
    except ImportError:  # the standard library has the same function, only slower
        update = zlib.adler32
    value = 1
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            value = update(block, value)
    return f"{value:08x}"


def checksums(paths: Sequence[Path]) -> list[str]:
    """Checksums of several files, two at a time (the work is done without Python's lock)."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(adler32, paths))
