"""What was asked for: the options of a query as texts, and the query made of them (A2, A3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sctcalib.runs import conditions
from sctcalib.runs.conditions import Condition
from sctcalib.runs.ranges import (
    NANOSECOND,
    QueryError,
    Range,
    joined,
    parse_duration,
    parse_number,
    parse_ranges,
    parse_times,
)

LAST = "last"
SHOW_ITEMS = (
    "run", "time", "duration", "projecttag", "events", "lhc", "streams", "partition", "detmask",
    "readyforphysics",
)  # fmt: skip
DEFAULT_SHOWS = ("run", "time")


@dataclass(frozen=True)
class Asked:
    """The options of a query, as they were given."""

    run: tuple[str, ...] = ()
    time: tuple[str, ...] = ()
    partition: str | None = None
    detmaskin: tuple[str, ...] = ()
    detmaskout: tuple[str, ...] = ()
    projecttag: str | None = None
    streams: tuple[str, ...] = ()
    events: str | None = None
    lhc: tuple[str, ...] = ()
    duration: str | None = None
    readyforphysics: str | None = None
    show: tuple[str, ...] = ()


@dataclass(frozen=True)
class Query:
    """A query that was understood."""

    runs: tuple[Range, ...] = ()
    """Numbers; without them and the following, all runs."""
    last_runs: int | None = None
    """Only so many, counted from the newest, of those with data."""
    started_after: int | None = None
    """The oldest run that started later, and all with higher numbers; nanoseconds."""
    times: tuple[Range, ...] = ()
    """Runs that were on at some time of these ranges; nanoseconds, both ends included."""
    conditions: tuple[Condition, ...] = ()
    shows: tuple[str, ...] = DEFAULT_SHOWS


def understand(asked: Asked, now: int) -> Query:
    """The query of options; ``now`` in nanoseconds. Raises QueryError."""
    found: list[Condition | None] = [
        *(conditions.streams(text) for text in asked.streams),
        conditions.detector_mask(asked.detmaskin, asked.detmaskout),
        *(conditions.lhc(text) for text in asked.lhc),
    ]
    single: tuple[tuple[str | None, Callable[[str], Condition]], ...] = (
        (asked.events, conditions.events),
        (asked.duration, conditions.duration),
        (asked.projecttag, conditions.project),
        (asked.readyforphysics, conditions.ready),
        (asked.partition, conditions.partition),
    )
    found += [make(text) for text, make in single if text is not None]
    checked = [condition for condition in found if condition]
    checked.sort(key=lambda condition: -condition.priority)
    last_runs, runs = _runs(asked.run)
    started_after, times = _times(asked.time, now) if not asked.run else (None, ())
    return Query(
        runs=runs,
        last_runs=last_runs,
        started_after=started_after,
        times=times,
        conditions=tuple(checked),
        shows=_shows(asked.show),
    )


def _runs(texts: tuple[str, ...]) -> tuple[int | None, tuple[Range, ...]]:
    """How many of the last runs, and the ranges of numbers."""
    counts = [text for text in texts if text.strip().startswith(LAST)]
    if counts and len(texts) > 1:
        msg = f"{counts[0]} cannot go with other runs"
        raise QueryError(msg)
    if counts:
        return parse_number(counts[0].strip().removeprefix(LAST)), ()
    return None, joined(range_ for text in texts for range_ in parse_ranges(text))


def _times(texts: tuple[str, ...], now: int) -> tuple[int | None, tuple[Range, ...]]:
    """The start of ``last...``, and the ranges of times."""
    recent = [text for text in texts if text.strip().startswith(LAST)]
    if recent and len(texts) > 1:
        msg = f"{recent[0]!r} cannot go with other times"
        raise QueryError(msg)
    if recent:
        seconds = parse_duration(recent[0].strip().removeprefix(LAST))
        return now - seconds * NANOSECOND, ()
    return None, joined(range_ for text in texts for range_ in parse_times(text, now))


def _shows(texts: tuple[str, ...]) -> tuple[str, ...]:
    shows = tuple(" ".join(text.split()) for text in texts)
    for text in shows:
        name, _, rest = text.partition(" ")
        if name not in SHOW_ITEMS or (rest and name not in ("lhc", "streams")):
            msg = f"show {text!r}: the items are {', '.join(SHOW_ITEMS)}"
            raise QueryError(msg)
        if name == "streams" and not rest:
            msg = "show streams needs a pattern, such as 'streams *calibration_SCTNoise'"
            raise QueryError(msg)
        if name == "lhc" and rest not in ("", "all", "min"):
            msg = f"show {text!r}: expected lhc, lhc all or lhc min"
            raise QueryError(msg)
    return shows or DEFAULT_SHOWS
