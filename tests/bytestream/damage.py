"""Deliberate damage to RAW files."""

from __future__ import annotations

import struct
from pathlib import Path

END_RECORD_BYTES = 40
SEPARATOR_BYTES = 16
_SEPARATOR = struct.pack("<II", 0x1234CCCC, 4)
ROD_MARKER = struct.pack("<I", 0xEE1234EE)
ROB_MARKER = struct.pack("<I", 0xDD1234DD)


def truncate(path: Path, n_bytes: int) -> None:
    """Cut the last bytes off."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) - n_bytes])


def remove_end_record(path: Path) -> None:
    """As a writer leaves the file that dies."""
    truncate(path, END_RECORD_BYTES)


def flip(path: Path, at: int, mask: int = 0xFF) -> None:
    """Flip bits of the byte at an offset."""
    content = bytearray(path.read_bytes())
    content[at] ^= mask
    path.write_bytes(content)


def set_word(path: Path, at: int, word: int) -> None:
    """Replace the 32-bit word at an offset."""
    content = bytearray(path.read_bytes())
    content[at : at + 4] = struct.pack("<I", word)
    path.write_bytes(content)


def events(path: Path) -> list[int]:
    """Offset of every event, without its separator; of files that are whole and plain."""
    content = path.read_bytes()
    at, found = content.index(_SEPARATOR), []
    while content[at : at + 8] == _SEPARATOR:
        found.append(at + SEPARATOR_BYTES)
        at += SEPARATOR_BYTES + struct.unpack_from("<I", content, at + 12)[0]
    return found


def fragments(path: Path, event: int, marker: bytes = ROB_MARKER) -> list[int]:
    """Offsets of the ROB or ROD markers of an event."""
    content, starts = path.read_bytes(), events(path)
    end = starts[event + 1] if event + 1 < len(starts) else len(content)
    at, found = starts[event], []
    while (at := content.find(marker, at, end)) >= 0:
        found.append(at)
        at += 4
    return found
