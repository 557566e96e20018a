"""The columns of a query result: what a run says in each range of its lumi blocks (A6, A7).

Values are those that results print; None is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sctcalib.runs.records import Run

UNKNOWN = "n.a."


@dataclass(frozen=True)
class Piece:
    """A value of lumi blocks ``first`` to before ``end``; end 0 is the end of the run."""

    first: int
    end: int
    value: Any


@dataclass(frozen=True)
class Column:
    """A column of results."""

    key: str
    pieces: Callable[[Run], list[Piece]]


def whole_run(key: str, value: Callable[[Run], Any]) -> Column:
    """A column with one value for all lumi blocks."""
    return Column(key, lambda run: [Piece(1, run.n_blocks + 1, value(run))])


def by_blocks(key: str, name: str, words: tuple[str, str]) -> Column:
    """A column of a flag by ranges of lumi blocks; ``words`` are those for no and yes."""

    def pieces(run: Run) -> list[Piece]:
        ranges = run.flags.get(name, ())
        return _filled(run, (Piece(r.first, r.last + 1, words[bool(r.value)]) for r in ranges))

    return Column(key, pieces)


def stream_column(name: str) -> Column:
    """Events and bytes of a stream."""

    def pieces(run: Run) -> list[Piece]:
        stream = (run.streams or {}).get(name)
        size = stream.bytes if stream and stream.bytes is not None else UNKNOWN
        return [Piece(1, 0, (stream.events, size) if stream else None)]

    return Column(f"STR:{name}", pieces)


def _filled(run: Run, pieces: Iterable[Piece]) -> list[Piece]:
    """All lumi blocks of a run: gaps are unknown, neighbours of one value joined."""
    result: list[Piece] = []
    end = run.n_blocks + 1
    for piece in (*pieces, Piece(end, end, None)):
        done = result[-1].end if result else 1
        for each in (Piece(done, piece.first, None), piece):
            if each.first >= each.end:
                continue
            if result and result[-1].value == each.value:
                result[-1] = Piece(result[-1].first, each.end, each.value)
            else:
                result.append(each)
    return result


PROJECT = whole_run("Project tag", lambda run: run.project)
EVENTS = whole_run("#Events", lambda run: run.events)
PARTITION = whole_run("Partition name", lambda run: run.partition)
MASK = whole_run("Detector mask", lambda run: run.mask)
DURATION = whole_run("Duration", lambda run: run.duration)
STREAMS = whole_run("Streams", lambda run: run.streams)
READY = by_blocks("Ready for physics", "ready_for_physics", ("0", "1"))
FILL = whole_run("lhc:fillnumber", lambda run: None if run.fill is None else str(run.fill))
STABLE_BEAMS = by_blocks("lhc:stablebeams", "stable_beams", ("FALSE", "TRUE"))
ENERGY = whole_run(
    "lhc:beamenergy", lambda run: None if run.beam_energy is None else f"{run.beam_energy:.10g}"
)
BEAM_MODE = whole_run("lhc:beammode", lambda run: None)
