"""Lists of strips or chips of a module as text: ``" 5  10-12  768 "`` (algorithms-hitmaps.md 3.4).

Numbers are 0-1535 for strips (768 * side + strip) and 0-11 for chips. The raw form, with its
blanks, is stored in COOL; XML files use the normalised or the trimmed one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sctcalib.detector.regions import N_MODULE_STRIPS


def encode(numbers: ArrayLike) -> str:
    """The raw form of ascending, distinct numbers: each run as `` n `` or `` a-b ``.

    Raises ValueError for numbers that are negative or not strictly ascending.
    """
    return encode_many([numbers])[0]


def encode_many(lists: Sequence[ArrayLike]) -> list[str]:
    """The raw form of every list, as `encode`, much faster than one call for each."""
    return [f" {'  '.join(words)} " if words else "" for words in _words_of(lists)]


def encode_normalised(lists: Sequence[ArrayLike]) -> list[str]:
    """The normalised form of every list, as fast as `encode_many`; raises as `encode`."""
    return [" ".join(words) for words in _words_of(lists)]


def _words_of(lists: Sequence[ArrayLike]) -> list[list[str]]:
    """The words ``a`` and ``a-b`` of every list: one pass over the concatenation of them all."""
    arrays = [np.asarray(numbers, dtype=np.int64) for numbers in lists]
    bounds = np.concatenate([[0], np.cumsum([len(array) for array in arrays], dtype=np.int64)])
    if not bounds[-1]:
        return [[] for _ in arrays]
    values = np.concatenate(arrays)
    step = np.diff(values)
    inside = np.ones(len(values) - 1, dtype=bool)
    inside[bounds[(bounds > 0) & (bounds < len(values))] - 1] = False
    _check_order(values, step, inside)
    begins = np.flatnonzero(np.concatenate([[True], (step != 1) | ~inside, [True]]))
    words = _words(values[begins[:-1]], values[begins[1:] - 1])
    splits = np.searchsorted(begins, bounds).tolist()
    return [words[first:last] for first, last in pairwise(splits)]


def _check_order(
    values: NDArray[np.int64], step: NDArray[np.int64], inside: NDArray[np.bool_]
) -> None:
    if values.min() < 0:
        msg = f"a list of strips, chips or lumi blocks holds the negative number {values.min()}"
        raise ValueError(msg)
    wrong = np.flatnonzero((step < 1) & inside)
    if len(wrong):
        before, after = values[wrong[0]], values[wrong[0] + 1]
        msg = f"{after} follows {before} in a list whose numbers must ascend and differ"
        raise ValueError(msg)


def _words(starts: NDArray[np.int64], ends: NDArray[np.int64]) -> list[str]:
    """``a`` or ``a-b`` for every run."""
    if ends.max() < N_MODULE_STRIPS:
        words = _strip_texts()[starts]
    else:
        words = np.array([str(number) for number in starts.tolist()], dtype=object)
    ranges = np.flatnonzero(starts != ends)
    pairs = zip(starts[ranges].tolist(), ends[ranges].tolist(), strict=True)
    words[ranges] = [f"{first}-{last}" for first, last in pairs]
    texts: list[str] = words.tolist()
    return texts


@cache
def _strip_texts() -> NDArray[np.object_]:
    return np.array([str(strip) for strip in range(N_MODULE_STRIPS)], dtype=object)


def decode(text: str, end: int = N_MODULE_STRIPS) -> NDArray[np.int64]:
    """The ascending, distinct numbers of a list in any of its forms.

    A text without digits is an empty list. Raises ValueError that names the word for a number
    outside 0 ... end - 1, a range whose first number is larger than its last, and anything else.
    """
    if not any(character.isdigit() for character in text):
        return np.empty(0, dtype=np.int64)
    runs = _runs(text)
    lows, highs = runs[:, 0], runs[:, 1]
    wrong = np.flatnonzero((lows > highs) | (highs >= end))
    if len(wrong):
        word = text.split()[wrong[0]]
        msg = f"{word!r} is not within 0-{end - 1} in ascending order"
        raise ValueError(msg)
    flags = np.zeros(highs.max() + 1, dtype=bool)
    flags[lows] = True
    for low, high in runs[lows != highs].tolist():
        flags[low : high + 1] = True
    return np.flatnonzero(flags)


def normalised(text: str) -> str:
    """The form of the noisy-strip XML files: single blanks, none outside."""
    return " ".join(text.split())


def trimmed(text: str) -> str:
    """The form of the dead-strip XML files: the first and last character removed."""
    return text[1:-1]


def count(text: str) -> int:
    """How many numbers the list holds, counted word by word (cool-folders.md 8.2).

    Raises ValueError that names a word which is neither a number nor a range.
    """
    runs = _runs(text)
    return int((runs[:, 1] - runs[:, 0] + 1).sum())


def _runs(text: str) -> NDArray[np.int64]:
    """First and last number of every word, shape (words, 2)."""
    numbers: list[int] = []
    for word in text.split():
        first, dash, last = word.partition("-")
        if not (_is_number(first) and (_is_number(last) or not dash)):
            msg = f"{word!r} is neither a number nor a range a-b"
            raise ValueError(msg)
        low = int(first)
        numbers += (low, int(last) if dash else low)
    return np.array(numbers, dtype=np.int64).reshape(-1, 2)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 9
