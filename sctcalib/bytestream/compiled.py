"""Compilation of the decoding loops with numba; importing this module needs the extra ``raw``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from sctcalib.job.errors import ArgumentError

try:
    import numba
except ImportError as error:
    msg = "reading RAW files needs numba; install it with: pip install 'sctcalib[raw]'"
    raise ArgumentError(msg) from error

_Function = TypeVar("_Function", bound=Callable[..., Any])


def compiled(function: _Function) -> _Function:
    """The function as machine code, made at its first call and kept on disk for later processes.

    The lock of the interpreter is released while it runs. Where no folder for compiled code can be
    written, it is made anew in every process.
    """
    njit: Any = numba.njit
    try:
        made: _Function = njit(cache=True, nogil=True)(function)
    except RuntimeError:
        made = njit(nogil=True)(function)
    return made


@compiled
def number(word: Any) -> int:
    """A word of any width as the signed 64-bit number that all arithmetic is done in."""
    return np.int64(word)  # type: ignore[return-value]
