"""What was planted in a simulated RAW run: truth.json of the kind "raw" (docs/simulation.md)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sctcalib.detector.identifiers import IntArray, module_from_name, module_names
from sctcalib.detector.regions import N_CHIPS_PER_MODULE, N_STRIPS, N_WAFERS
from sctcalib.job.errors import InputFileError
from sctcalib.simulate.raw_plan import Dead, NoisyBlock, Trip
from sctcalib.simulate.truth import Truth, check_events, truth_of, write_object

KIND = "raw"


@dataclass(frozen=True)
class RawFile:
    """One simulated RAW file."""

    raw: str
    events: int
    """In the file."""
    accepted: int
    """Without those that have too many unknown links."""
    hits: int
    """Strips that fired in accepted events, without RODs whose data are not decoded."""


@dataclass(frozen=True)
class CountedErrors:
    """How many accepted events have each type of error."""

    wafers: IntArray
    """Wafers that have them, all with the same numbers."""
    counts: Mapping[str, int]
    rod: int | None = None
    """ROD identifier, if the error is one of the ROD."""


@dataclass(frozen=True)
class RawTruth:
    """A simulated RAW run and the defects in it."""

    noisy: Truth
    """Noisy strips, of the accepted events; without files."""
    files: tuple[RawFile, ...]
    occupancy: float
    pile_up: float
    lit: str
    """Particles, as in the settings."""
    dead: Dead
    trips: tuple[Trip, ...]
    noisy_blocks: tuple[NoisyBlock, ...]
    errors: tuple[CountedErrors, ...]
    skipped_events: int
    tolerated_events: int
    """Events with unknown links: left out because they are too many, and just below the limit."""

    @property
    def n_events(self) -> int:
        """Accepted events."""
        return self.noisy.n_events

    def as_json(self) -> dict[str, Any]:
        """The content of the file."""
        base = self.noisy.as_json()
        return {
            "format": base.pop("format"),
            "kind": KIND,
            **base,
            "files": [dict(vars(file)) for file in self.files],
            "particles": {"occupancy": self.occupancy, "mu": self.pile_up, "lit": self.lit},
            "dead_strips": list(_dead_strips(self.dead)),
            "dead_chips": list(_dead_chips(self.dead)),
            "dead_links": list(map(_place, self.dead.links.tolist())),
            "hv_trips": [_trip_row(trip) for trip in self.trips],
            "noisy_lumi_blocks": [
                {"lumi_block": each.lumi_block, "bec": each.bec, "disk": each.disk}
                for each in self.noisy_blocks
            ],
            "errors": [_error_row(error) for error in self.errors],
            "unknown_links": {
                "skipped_events": self.skipped_events,
                "tolerated_events": self.tolerated_events,
            },
        }

    def write(self, path: Path) -> None:
        """Write the file: lists of objects with one object on a line."""
        write_object(path, self.as_json())


def _place(wafer: int) -> dict[str, Any]:
    return {"module": module_names()[wafer // 2], "side": wafer % 2, "wafer": wafer}


def _dead_strips(dead: Dead) -> Iterator[dict[str, Any]]:
    for wafer, strip in zip(dead.strip_wafer.tolist(), dead.strip.tolist(), strict=True):
        yield {**_place(wafer), "strip": strip}


def _dead_chips(dead: Dead) -> Iterator[dict[str, Any]]:
    for module, chip in zip(dead.chip_module.tolist(), dead.chip.tolist(), strict=True):
        yield {"module": module_names()[module], "chip": chip}


def _trip_row(trip: Trip) -> dict[str, Any]:
    values = {"begin": trip.begin, "end": trip.end, "hits": trip.hits}
    return {"module": module_names()[trip.module], **values}


def _error_row(error: CountedErrors) -> dict[str, Any]:
    place = {} if error.rod is None else {"rod": f"0x{error.rod:06x}"}
    return {**place, "wafers": error.wafers.tolist(), "counts": dict(error.counts)}


def is_raw_truth(path: Path) -> bool:
    """Whether a file is the truth of a RAW run; False also where it cannot be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.get("kind") == KIND


def read_raw_truth(path: Path) -> RawTruth:
    """Read a truth.json; raises InputFileError if it is not that of a RAW run."""
    try:
        return _raw_truth(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise InputFileError(msg) from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
        msg = f"{path}: is not the truth of a simulated RAW run: {reason}"
        raise InputFileError(msg) from error


def _raw_truth(content: dict[str, Any]) -> RawTruth:
    if content.get("kind") != KIND:
        msg = f"kind is {content.get('kind')!r}, expected {KIND!r}"
        raise ValueError(msg)
    particles, unknown = content["particles"], content["unknown_links"]
    truth = RawTruth(
        noisy=truth_of(content, ()),
        files=tuple(RawFile(**row) for row in content["files"]),
        occupancy=float(particles["occupancy"]),
        pile_up=float(particles["mu"]),
        lit=str(particles["lit"]),
        dead=_dead(content),
        trips=tuple(
            Trip(module_from_name(row["module"]), row["begin"], row["end"], row["hits"])
            for row in content["hv_trips"]
        ),
        noisy_blocks=tuple(NoisyBlock(**row) for row in content["noisy_lumi_blocks"]),
        errors=tuple(_error(row) for row in content["errors"]),
        skipped_events=int(unknown["skipped_events"]),
        tolerated_events=int(unknown["tolerated_events"]),
    )
    check_events(truth.noisy, sum(file.accepted for file in truth.files))
    return truth


def _dead(content: dict[str, Any]) -> Dead:
    strips, chips = content["dead_strips"], content["dead_chips"]
    return Dead(
        strip_wafer=_numbers((row["wafer"] for row in strips), N_WAFERS),
        strip=_numbers((row["strip"] for row in strips), N_STRIPS),
        chip_module=np.array([module_from_name(row["module"]) for row in chips], dtype=np.int64),
        chip=_numbers((row["chip"] for row in chips), N_CHIPS_PER_MODULE),
        links=_numbers((row["wafer"] for row in content["dead_links"]), N_WAFERS),
    )


def _error(row: dict[str, Any]) -> CountedErrors:
    counts = {str(name): int(count) for name, count in row["counts"].items()}
    rod = int(row["rod"], 16) if "rod" in row else None
    return CountedErrors(_numbers(row["wafers"], N_WAFERS), counts, rod)


def _numbers(values: Any, end: int) -> IntArray:
    numbers = np.array(list(values), dtype=np.int64)
    if np.any((numbers < 0) | (numbers >= end)):
        msg = f"a wafer, strip or chip is outside 0-{end - 1}"
        raise ValueError(msg)
    return numbers
