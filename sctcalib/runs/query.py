"""Select runs, and say which of their lumi blocks pass (run-query-and-upload.md A3, A6)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sctcalib.runs import columns
from sctcalib.runs.asked import Query
from sctcalib.runs.columns import Column
from sctcalib.runs.conditions import Condition, matching
from sctcalib.runs.database import RunDatabase
from sctcalib.runs.ranges import OPEN_END, Range
from sctcalib.runs.records import Run

_LHC = {
    "": (columns.FILL, columns.STABLE_BEAMS, columns.ENERGY),
    "min": (columns.STABLE_BEAMS,),
    "all": (columns.FILL, columns.STABLE_BEAMS, columns.ENERGY, columns.BEAM_MODE),
}
_SIMPLE = {
    "projecttag": columns.PROJECT,
    "events": columns.EVENTS,
    "partition": columns.PARTITION,
    "detmask": columns.MASK,
    "readyforphysics": columns.READY,
}


@dataclass(frozen=True)
class Entry:
    """A value of lumi blocks ``first`` to before ``end`` (0: to the end of the run)."""

    first: int
    end: int
    value: Any
    """None is unknown."""
    accepted: bool


@dataclass(frozen=True)
class Selected:
    """A run that was selected."""

    run: Run
    blocks: tuple[Range, ...]
    """Ranges of lumi blocks in which all conditions hold, both ends included."""


@dataclass(frozen=True)
class Result:
    """The selected runs, newest first."""

    query: Query
    runs: tuple[Selected, ...]

    @property
    def numbers(self) -> list[int]:
        """Run numbers, newest first."""
        return [selected.run.run for selected in self.runs]

    @cached_property
    def columns(self) -> list[Column]:
        """The columns by lumi blocks: in the order of the items to show, streams last."""
        found: list[Column] = []
        patterns = []
        for item in self.query.shows:
            name, _, rest = item.partition(" ")
            if name == "streams":
                patterns.append(rest)
            found += _LHC[rest] if name == "lhc" else [_SIMPLE[name]] if name in _SIMPLE else []
        known = sorted({name for each in self.runs for name in each.run.streams or {}})
        shown = dict.fromkeys(name for pattern in patterns for name in matching(pattern, known))
        found += map(columns.stream_column, shown)
        return list({column.key: column for column in found}.values())

    def entries(self, column: Column, run: Run) -> list[Entry]:
        """What a column says of a run."""
        asked = [c for c in self.query.conditions if c.column is column]
        return [
            Entry(p.first, p.end, p.value, all(c.accepts(p) for c in asked))
            for p in column.pieces(run)
        ]


def select(query: Query, database: RunDatabase) -> Result:
    """The runs that pass: those with a lumi block in which every condition holds."""
    judged = ((run, accepted_blocks(run, query.conditions)) for run in candidates(query, database))
    found = [Selected(run, blocks) for run, blocks in judged if blocks]
    found.sort(key=lambda each: -each.run.run)
    return Result(query, tuple(found[: query.last_runs]))


def accepted_blocks(run: Run, conditions: Iterable[Condition]) -> tuple[Range, ...]:
    """Ranges of lumi blocks in which all conditions hold."""
    accepted = [True] * run.n_blocks
    for condition in conditions:
        for piece in condition.column.pieces(run):
            if not condition.accepts(piece):
                accepted[piece.first - 1 : piece.end - 1] = [False] * (piece.end - piece.first)
    return tuple(_ranges(accepted))


def _ranges(accepted: Sequence[bool]) -> Iterator[Range]:
    first = None
    for number, each in enumerate((*accepted, False), 1):
        if each and first is None:
            first = number
        elif not each and first is not None:
            yield first, number - 1
            first = None


def candidates(query: Query, database: RunDatabase) -> Iterator[Run]:
    """The runs to look at, before any condition."""
    if query.last_runs is not None:
        return database.runs(_last(query.last_runs, database))
    if query.started_after is not None:
        later = [
            t.run for t in database.times() if t.start is not None and t.start > query.started_after
        ]
        return database.runs([(min(later), OPEN_END)] if later else [])
    if query.times:
        numbers = [t.run for t in database.times() if _is_on(t.start, t.end, query.times)]
        return database.runs([(number, number) for number in numbers])
    return database.runs(query.runs or [(0, OPEN_END)])


def _last(count: int, database: RunDatabase) -> list[Range]:
    """From the ``count``-th last run with data on; fewer runs do."""
    oldest = None
    for times in reversed(database.times()):
        if count == 0:
            break
        run = database.get(times.run)
        if run and run.has_data_streams:
            oldest, count = times.run, count - 1
    return [] if oldest is None else [(oldest, OPEN_END)]


def _is_on(start: int | None, end: int | None, ranges: Iterable[Range]) -> bool:
    """Whether a run was on at some time of the ranges; one without an end still is."""
    return start is not None and any(
        start <= until and (end is None or end >= since) for since, until in ranges
    )
