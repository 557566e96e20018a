"""Lists of strips or chips of a module as text: ``" 5  10-12  768 "`` (algorithms-hitmaps.md 3.4).

Numbers are 0-1535 for strips (768 * side + strip) and 0-11 for chips. The raw form, with its
blanks, is stored in COOL; XML files use the normalised or the trimmed one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sctcalib.detector.regions import N_MODULE_STRIPS


def encode(numbers: ArrayLike) -> str:
    """The raw form of ascending, distinct numbers: each run as `` n `` or `` a-b ``."""
    values = np.asarray(numbers, dtype=np.int64)
    if not len(values):
        return ""
    breaks = np.flatnonzero(np.diff(values) != 1) + 1
    starts = values[np.concatenate([[0], breaks])].tolist()
    ends = values[np.concatenate([breaks - 1, [-1]])].tolist()
    return "".join(
        f" {a} " if a == b else f" {a}-{b} " for a, b in zip(starts, ends, strict=True)
    )


def decode(text: str, end: int = N_MODULE_STRIPS) -> NDArray[np.int64]:
    """The ascending, distinct numbers of a list in any of its forms.

    A text without digits is an empty list. Raises ValueError that names the word for a number
    outside 0 ... end - 1, a range whose first number is larger than its last, and anything else.
    """
    flags = np.zeros(end, dtype=bool)
    if not any(character.isdigit() for character in text):
        return np.flatnonzero(flags)
    for word in text.split():
        first, dash, last = word.partition("-")
        if not (_is_number(first) and (_is_number(last) or not dash)):
            msg = f"{word!r} is neither a number nor a range a-b"
            raise ValueError(msg)
        low, high = int(first), int(last or first)
        if low > high or high >= end:
            msg = f"{word!r} is not within 0-{end - 1} in ascending order"
            raise ValueError(msg)
        flags[low : high + 1] = True
    return np.flatnonzero(flags)


def normalised(text: str) -> str:
    """The form of the noisy-strip XML files: single blanks, none outside."""
    return " ".join(text.split())


def trimmed(text: str) -> str:
    """The form of the dead-strip XML files: the first and last character removed."""
    return text[1:-1]


def count(text: str) -> int:
    """How many numbers the list holds, counted word by word (cool-folders.md 8.2)."""
    total = 0
    for word in text.split():
        first, dash, last = word.partition("-")
        total += int(last) - int(first) + 1 if dash else 1
    return total


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 9
