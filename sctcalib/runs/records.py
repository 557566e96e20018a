"""What can be known of a run (run-query-and-upload.md A6, A8).

Everything but the number may be unknown, which is None. Lumi blocks are numbered from 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

LAST_RUN_WITH_DECIMAL_MASK = 236100
"""Masks of later runs are hexadecimal."""
PHYSICS, CALIBRATION = "physics_", "calibration_"
"""Beginnings of the names of streams."""
SCT_PARTITIONS = {4: "SCTBA", 5: "SCTBC", 6: "SCTEA", 7: "SCTEC"}
"""The parts of the SCT by the bits of the detector mask, in all years."""
FLAGS = ("stable_beams", "ready_for_physics", "recorded")
"""Fields that hold flags by ranges of lumi blocks."""


@dataclass(frozen=True)
class BlockValue:
    """A flag, or a number of events, of lumi blocks ``first`` to ``last``, both included."""

    first: int
    last: int
    value: int


@dataclass(frozen=True)
class Stream:
    """A stream of a run: ``calibration_SCTNoise``, ``express_express``, ``physics_Main``, ..."""

    events: int
    bytes: int | None = None
    blocks: tuple[BlockValue, ...] = ()
    """Events by ranges of lumi blocks, as far as known."""


@dataclass(frozen=True)
class Run:
    """A run; None is what is not known."""

    run: int
    project: str | None = None
    partition: str | None = None
    start: int | None = None
    """Nanoseconds since 1970-01-01 UTC, as ``end``; a run without an end is still on."""
    end: int | None = None
    lumi_blocks: int | None = None
    block_starts: tuple[int, ...] = ()
    """Start of each lumi block in nanoseconds, or nothing."""
    given_events: int | None = None
    streams: Mapping[str, Stream] | None = None
    detector_mask: str | None = None
    """As the original stores it; `mask` is the number."""
    fill: int | None = None
    beam_energy: float | None = None
    """Of one beam, in GeV."""
    flags: Mapping[str, tuple[BlockValue, ...]] = field(default_factory=dict)
    """By the names in `FLAGS`."""
    bad: str | None = None
    """Why the run is marked bad."""

    @property
    def n_blocks(self) -> int:
        """Number of lumi blocks; a run of which nothing is known counts as one block."""
        if self.lumi_blocks:
            return self.lumi_blocks
        return max((r.last for ranges in self.flags.values() for r in ranges), default=1)

    @property
    def mask(self) -> int | None:
        """The detector mask as a number."""
        if self.detector_mask is None:
            return None
        return int(self.detector_mask, 10 if self.run <= LAST_RUN_WITH_DECIMAL_MASK else 16)

    @property
    def events(self) -> int | None:
        """Physics events: as given, else the sum over the physics streams."""
        if self.given_events is not None or self.streams is None:
            return self.given_events
        of_physics = [s.events for name, s in self.streams.items() if name.startswith(PHYSICS)]
        return sum(of_physics) if of_physics else None

    @property
    def duration(self) -> int | None:
        """Whole seconds from start to end."""
        if self.start is None or self.end is None:
            return None
        return (self.end - self.start) // 10**9

    @property
    def sct_partitions(self) -> tuple[str, ...]:
        """The parts of the SCT that were in the run."""
        mask = self.mask or 0
        return tuple(name for bit, name in SCT_PARTITIONS.items() if mask >> bit & 1)

    @property
    def has_data_streams(self) -> bool:
        """Whether a stream other than calibration is known, or nothing of the streams."""
        return self.streams is None or any(
            not name.startswith(CALIBRATION) for name in self.streams
        )


def run_of(values: Mapping[str, Any]) -> Run:
    """A run from checked values in the form of `schemas/runs.json`."""
    blocks = values.get("lumi_blocks")
    starts = tuple(blocks) if isinstance(blocks, Sequence) else ()
    streams = values.get("streams")
    return Run(
        run=values["run"],
        project=values.get("project"),
        partition=values.get("partition"),
        start=values.get("start"),
        end=values.get("end"),
        lumi_blocks=len(starts) or (blocks if isinstance(blocks, int) else None),
        block_starts=starts,
        given_events=values.get("events"),
        streams=None if streams is None else {n: _stream(s) for n, s in streams.items()},
        detector_mask=values.get("detector_mask"),
        fill=values.get("fill"),
        beam_energy=values.get("beam_energy"),
        flags={
            name: tuple(BlockValue(r["first"], r["last"], r["value"]) for r in values[name])
            for name in FLAGS
            if values.get(name)
        },
        bad=values.get("bad"),
    )


def _stream(values: Mapping[str, Any]) -> Stream:
    blocks = tuple(BlockValue(b["first"], b["last"], b["events"]) for b in values.get("blocks", ()))
    return Stream(values["events"], values.get("bytes"), blocks)


def contradictions(values: Mapping[str, Any]) -> Iterator[str]:
    """What the schema cannot say is wrong with the values of a run."""
    start, end = values.get("start"), values.get("end")
    if start is not None and end is not None and end < start:
        yield f"end {end} is before start {start}"
    mask = values.get("detector_mask")
    if mask is not None and values["run"] <= LAST_RUN_WITH_DECIMAL_MASK and not mask.isdecimal():
        yield (
            f"detector_mask is {mask!r}; up to run {LAST_RUN_WITH_DECIMAL_MASK} it is a decimal"
            " number"
        )
    blocks = values.get("lumi_blocks")
    n_blocks = len(blocks) if isinstance(blocks, list) else blocks
    if isinstance(blocks, list):
        late = next((n for n, (a, b) in enumerate(pairwise(blocks), 2) if b <= a), None)
        if late:
            yield f"lumi_blocks: block {late} does not start after block {late - 1}"
    for name in FLAGS:
        yield from _bad_ranges(name, values.get(name) or (), n_blocks)
    for name, stream in (values.get("streams") or {}).items():
        ranges = stream.get("blocks", ())
        yield from _bad_ranges(f"streams.{name}.blocks", ranges, n_blocks)
        total = sum(r["events"] for r in ranges)
        if total > stream["events"]:
            yield f"streams.{name}: {total} events in blocks, {stream['events']} in all"


def _bad_ranges(
    where: str, ranges: Sequence[Mapping[str, int]], n_blocks: int | None
) -> Iterator[str]:
    """Ranges ascend, do not overlap, and end with the run."""
    before = 0
    for index, each in enumerate(ranges):
        first, last = each["first"], each["last"]
        if first > last:
            yield f"{where}[{index}]: first {first} is after last {last}"
        elif first <= before:
            yield f"{where}[{index}]: begins with {first}, the one before ends with {before}"
        if n_blocks is not None and last > n_blocks:
            yield f"{where}[{index}]: block {last} of a run of {n_blocks} lumi blocks"
        before = max(before, last)
