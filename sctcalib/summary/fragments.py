"""Pieces of XML text that the files of all parts are made of, and how they reach the disk.

The reference fixes every byte: indentation, empty elements as ``<value ...></value>``, no
declaration in some files (algorithms-hitmaps.md 7). Text is always escaped, which the original
never does; none of its own texts needs it.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sctcalib.job.errors import OutputFileError

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SINGLE = struct.Struct("<f")  # the native "f" would turn overflow into infinity


def stylesheet(name: str) -> str:
    """The processing instruction that names a style sheet for browsers, with its line end."""
    return f'<?xml-stylesheet type="text/xsl" href="{attribute(name)}"?>\n'


def escaped(text: str) -> str:
    """Character data. Raises OutputFileError (exit 11) for characters that XML 1.0 cannot hold."""
    if not text.isprintable():
        _refuse_what_xml_cannot_hold(text)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # A parser turns bare carriage returns, and in attributes all white space, into something else.
    return text.replace("\r", "&#13;")


def attribute(text: str) -> str:
    """The inside of a double-quoted attribute. Raises OutputFileError as `escaped` does."""
    text = escaped(text).replace('"', "&quot;")
    return text.replace("\t", "&#9;").replace("\n", "&#10;")


def _refuse_what_xml_cannot_hold(text: str) -> None:
    bad = _NOT_XML.search(text)
    if bad:
        msg = f"{text!r} cannot be written to XML 1.0, which has no character {bad[0]!r}"
        raise OutputFileError(msg)


def value(name: str, text: str | int, indent: int) -> str:
    """One line ``<value name="...">...</value>``, escaped."""
    content = escaped(text) if isinstance(text, str) else str(text)
    return f"{_opening(name, indent)}{content}</value>\n"


@cache
def _opening(name: str, indent: int) -> str:
    return f'{" " * indent}<value name="{attribute(name)}">'


def values(fields: Iterable[tuple[str, str | int]], indent: int) -> str:
    """One `value` line for every pair of name and content."""
    return "".join([value(name, text, indent) for name, text in fields])


def number(real: float) -> str:
    """A real number as the original prints a float: C's ``%g`` of the single-precision value.

    Raises OverflowError for finite numbers outside single precision.
    """
    single: float = _SINGLE.unpack(_SINGLE.pack(real))[0]
    return format(single, ".6g")


def numbers(reals: NDArray[Any]) -> list[str]:
    """Texts of an array of reals, as `number` prints one; beyond single precision ``inf``."""
    with np.errstate(over="ignore"):
        single = np.asarray(reals).astype(np.float32)
    return [format(real, ".6g") for real in single.tolist()]


def one_by_one(numbers: Iterable[int]) -> str:
    """Links or chips, never joined to ranges: ``0 1``."""
    return " ".join(map(str, numbers))


def write_text(path: Path, text: str) -> None:
    """Write a whole file as UTF-8 with LF line ends; raises OutputFileError (exit 11)."""
    try:
        path.write_bytes(text.encode())
    except OSError as error:
        msg = f"{path}: cannot be written: {error.strerror or error}"
        raise OutputFileError(msg) from error
