"""Compilation of the decoding loops with numba; importing this module needs the extra ``raw``."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from sctcalib.job.errors import ArgumentError

try:
    import numba
except ImportError as error:
    msg = "reading RAW files needs numba; install it with: pip install 'sctcalib[raw]'"
    raise ArgumentError(msg) from error

_Function = TypeVar("_Function", bound=Callable[..., Any])

_CONFIG: Any = numba.config
_HERE = Path(__file__).resolve().parent
_SOURCES = ("compiled.py", "layout.py", "payload.py", "fragments.py", "filling.py")
"""All modules with compiled functions, and with constants that these contain."""


def _cache_folder() -> Path | None:
    """A folder for machine code, or None where none can be written.

    numba looks only at the file of a function to see whether its machine code is out of date, but
    that contains the functions it calls too. Hence a folder for each state of all the sources.
    """
    sources = b"".join((_HERE / name).read_bytes() for name in _SOURCES)
    name = f"compiled-{hashlib.sha256(sources).hexdigest()[:16]}"
    given = _CONFIG.CACHE_DIR
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sctcalib"
    for base in [Path(given)] if given else [_HERE / "__pycache__", home]:
        try:
            (base / name).mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(base / name, os.W_OK):
            return base / name
    return None


_FOLDER = _cache_folder()


@contextmanager
def _cache_in(folder: Path) -> Iterator[None]:
    """numba chooses the place of its machine code when a function is declared."""
    before = _CONFIG.CACHE_DIR
    _CONFIG.CACHE_DIR = str(folder)
    try:
        yield
    finally:
        _CONFIG.CACHE_DIR = before


def compiled(function: _Function) -> _Function:
    """The function as machine code, made at its first call and kept on disk for later processes.

    The lock of the interpreter is released while it runs. Where no folder for machine code can be
    written, it is made anew in every process.
    """
    return _declared(function)


def internal(function: _Function) -> _Function:
    """The same for a function that only compiled ones call: without a way in from Python, which
    would take as long to make as the function.
    """
    return _declared(function, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def _declared(function: _Function, **options: bool) -> _Function:
    njit: Any = numba.njit
    if _FOLDER is None:
        made: _Function = njit(nogil=True, **options)(function)
    else:
        with _cache_in(_FOLDER):
            made = njit(cache=True, nogil=True, **options)(function)
    return made


@internal
def number(word: Any) -> int:
    """A word of any width as the signed 64-bit number that all arithmetic is done in."""
    return np.int64(word)  # type: ignore[return-value]
