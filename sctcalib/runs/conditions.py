"""The conditions of a query, from their texts (run-query-and-upload.md A2, A5, A6).

What is not known passes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sctcalib.runs.columns import (
    DURATION,
    ENERGY,
    EVENTS,
    FILL,
    MASK,
    PARTITION,
    PROJECT,
    READY,
    STABLE_BEAMS,
    STREAMS,
    Column,
    Piece,
)
from sctcalib.runs.ranges import QueryError, contains, parse_number, parse_ranges
from sctcalib.runs.records import Run, Stream

TRUTH = {"1": True, "t": True, "true": True, "0": False, "f": False, "false": False}
INVALID_ENERGY = 7864
"""In GeV: a beam energy from here on says that there is none (0xFFFF times 0.12)."""


@dataclass(frozen=True)
class Condition:
    """What the lumi blocks of a run have to fulfil; those with an unknown value do."""

    column: Column
    passes: Callable[[Any], bool]
    words: str
    """What is asked, for people."""
    priority: int
    """Conditions with a larger one are checked first."""

    def accepts(self, piece: Piece) -> bool:
        """Whether the lumi blocks of a piece pass."""
        return piece.value is None or self.passes(piece.value)

    def accepts_some(self, run: Run) -> bool:
        """Whether any lumi block of a run passes."""
        return any(map(self.accepts, self.column.pieces(run)))


def partition(name: str) -> Condition:
    """Equality of the partition's name."""
    return Condition(PARTITION, lambda value: value == name, f"partition {name}", 30)


def project(patterns: str) -> Condition:
    """One of the patterns, joined by commas, begins the project tag, in any case of letters."""
    expressions = [re.compile(wildcards(p.strip()), re.IGNORECASE) for p in patterns.split(",")]
    return Condition(
        PROJECT,
        lambda value: any(e.match(value) for e in expressions),
        f"project tag {patterns}",
        40,
    )


def events(text: str) -> Condition:
    """Physics events in ranges."""
    ranges = parse_ranges(text)
    return Condition(EVENTS, lambda value: contains(ranges, value), f"events {text}", 280)


def duration(text: str) -> Condition:
    """Seconds: more than ``N`` or ``N+``, less than ``N-``."""
    limit = parse_number(text.strip().rstrip("+-"))
    if text.strip().endswith("-"):
        return Condition(DURATION, lambda value: value < limit, f"duration < {limit} s", 95)
    return Condition(DURATION, lambda value: value > limit, f"duration > {limit} s", 95)


def ready(text: str) -> Condition:
    """Equality of the ready-for-physics flag."""
    wanted = "1" if truth("readyforphysics", text) else "0"
    return Condition(READY, lambda value: value == wanted, f"ready for physics {wanted}", 31)


def truth(what: str, text: str) -> bool:
    """True of ``1``, ``T``, ``true``; False of ``0``, ``F``, ``false``."""
    value = TRUTH.get(text.strip().lower())
    if value is None:
        msg = f"{what} {text!r} is none of 1, T, true, 0, F, false"
        raise QueryError(msg)
    return value


def lhc(text: str) -> Condition:
    """``stablebeams TRUE``, ``fillnumber RANGES`` or ``beamenergy RANGES``."""
    name, _, value = text.strip().partition(" ")
    name, value = name.lower(), value.strip()
    if name == "stablebeams":
        wanted = "TRUE" if truth(name, value) else "FALSE"
        return Condition(STABLE_BEAMS, lambda v: v == wanted, f"stable beams {wanted}", 48)
    if name == "fillnumber":
        ranges = parse_ranges(value)
        return Condition(FILL, lambda v: contains(ranges, int(v)), f"fill number {value}", 48)
    if name == "beamenergy":
        ranges = parse_ranges(value)
        return Condition(
            ENERGY,
            lambda v: float(v) < INVALID_ENERGY and contains(ranges, float(v)),
            f"beam energy {value}",
            48,
        )
    msg = f"lhc {text!r} begins with none of stablebeams, fillnumber, beamenergy"
    raise QueryError(msg)


def detector_mask(required: Iterable[str], excluded: Iterable[str]) -> Condition | None:
    """Bits that must be set, or not set; of masks with an ``A`` any bit will do."""
    inside = outside = any_of = 0
    texts = [text.strip() for text in required]
    for text in texts:
        if text.upper().endswith("A"):
            any_of |= _mask(text[:-1])
        else:
            inside |= _mask(text)
    without = [text.strip() for text in excluded]
    for text in without:
        outside |= _mask(text)
    if not texts and not without:
        return None
    looked_at = inside | outside

    def passes(value: int) -> bool:
        return (looked_at == 0 or value & looked_at == inside) and (
            any_of == 0 or value & any_of != 0
        )

    words = [*texts, *(f"not {text}" for text in without)]
    return Condition(MASK, passes, f"detector mask {' '.join(words)}", 60)


def _mask(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,40}", text):
        msg = f"detector mask {text!r} is no decimal number, with A behind it if any bit will do"
        raise QueryError(msg)
    return int(text)


def streams(text: str) -> Condition:
    """``PATTERN``: such a stream is there; ``PATTERN N+``: with more than N events in all such.

    ``N`` is the same as ``N+``, ``N-`` asks for fewer; a ``!`` before the pattern reverses it.
    """
    pattern, _, count = text.strip().partition(" ")
    negated = pattern.startswith("!")
    pattern = pattern.removeprefix("!")
    if not pattern:
        msg = f"streams {text!r} names no stream"
        raise QueryError(msg)
    enough = _enough(count.strip())

    def passes(known: Mapping[str, Stream]) -> bool:
        found = matching(pattern, known)
        return enough([known[name].events for name in found]) != negated

    return Condition(STREAMS, passes, f"streams {text.strip()}", 95)


def matching(pattern: str, names: Iterable[str]) -> list[str]:
    """Names of streams that begin as a pattern says; commas join alternatives."""
    alternatives = "|".join(wildcards(each) for each in pattern.split(",") if each)
    expression = re.compile(f"(?:{alternatives})")
    return [name for name in names if expression.match(name)]


def _enough(count: str) -> Callable[[list[int]], bool]:
    """Judges the events of the matching streams; both limits are strict."""
    if not count:
        return bool
    limit = parse_number(count.rstrip("+-"))
    if count.endswith("-"):
        return lambda found: sum(found) < limit
    return lambda found: sum(found) > limit


def wildcards(pattern: str) -> str:
    """The regular expression of a pattern: ``*`` and ``%`` are any text, ``?`` one character."""
    parts = {"*": ".*", "%": ".*", "?": "."}
    return "".join(parts.get(character) or re.escape(character) for character in pattern)
