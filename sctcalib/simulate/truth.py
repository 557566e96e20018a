"""What was planted in a simulated run: the file truth.json (described in docs/simulation.md)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sctcalib.detector.identifiers import IntArray, module_from_name, module_names
from sctcalib.detector.readout import chip_of_strip, default_swap
from sctcalib.detector.regions import N_CHIPS_PER_MODULE, N_MODULE_STRIPS, N_STRIPS, N_WAFERS
from sctcalib.job.errors import InputFileError
from sctcalib.parts import strip_lists
from sctcalib.simulate.model import CATEGORIES, CHIP, WAFER, Planted

FILE_NAME = "truth.json"
FORMAT = 1
"""History: 1 first version."""


@dataclass(frozen=True)
class MapFiles:
    """One pair of simulated files, and the events in it."""

    hit_map: str
    lumi_blocks: str
    events: int


@dataclass(frozen=True)
class Reference:
    """An earlier run, uploaded to the simulated conditions database."""

    run: int
    database: str
    """File name, relative to the folder of truth.json."""
    tag: str
    strips: Mapping[int, IntArray]
    """Noisy strips 0-1535 by module number; modules without any are absent."""


@dataclass(frozen=True)
class Truth:
    """A simulated run and the defects in it."""

    run: int
    project: str
    stream: str
    seed: int
    threshold: float
    """Occupancy above which a strip is noisy."""
    events_per_lumi_block: IntArray
    """Events in lumi block 1, 2, ...; shape (number of lumi blocks,)."""
    lbs_per_window: int
    files: tuple[MapFiles, ...]
    highest_background: float
    """Largest occupancy of a strip that is not planted."""
    planted: Planted
    reference: Reference | None = None

    @property
    def n_events(self) -> int:
        """Events of the run."""
        return int(self.events_per_lumi_block.sum())

    def as_json(self) -> dict[str, Any]:
        """The content of the file."""
        return {
            "format": FORMAT,
            "run": self.run,
            "project": self.project,
            "stream": self.stream,
            "seed": self.seed,
            "threshold": self.threshold,
            "events": self.n_events,
            "lumi_blocks": len(self.events_per_lumi_block),
            "lbs_per_window": self.lbs_per_window,
            "highest_background": self.highest_background,
            "events_per_lumi_block": self.events_per_lumi_block.tolist(),
            "files": [
                {"hit_map": f.hit_map, "lumi_blocks": f.lumi_blocks, "events": f.events}
                for f in self.files
            ],
            "noisy_chips": list(_chips(self.planted.of(CHIP))),
            "hot_wafers": list(_wafers(self.planted.of(WAFER))),
            "strips": list(_strips(self.planted)),
            "reference": _reference_json(self.reference),
        }

    def write(self, path: Path) -> None:
        """Write the file: lists of objects with one object on a line."""
        write_object(path, self.as_json())


def write_object(path: Path, content: Mapping[str, object]) -> None:
    """Write a JSON object with one key on a line, and lists with one object on a line."""
    fields = (f'  "{name}": {_layout(value)}' for name, value in content.items())
    path.write_text("{\n" + ",\n".join(fields) + "\n}\n", encoding="ascii")


def _layout(value: object) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(f"    {json.dumps(row)}" for row in value) + "\n  ]"
    return json.dumps(value)


def _strips(planted: Planted) -> Iterator[dict[str, Any]]:
    columns = (planted.wafer, planted.strip, planted.occupancy, planted.category)
    for wafer, strip, occupancy, category in zip(*(c.tolist() for c in columns), strict=True):
        yield {
            "module": module_names()[wafer // 2],
            "side": wafer % 2,
            "wafer": wafer,
            "strip": strip,
            "occupancy": occupancy,
            "category": CATEGORIES[category],
        }


def _chips(planted: Planted) -> Iterator[dict[str, Any]]:
    module, chip = chips_of(planted)
    for key, count in zip(
        *np.unique(module * N_CHIPS_PER_MODULE + chip, return_counts=True), strict=True
    ):
        number = int(key) // N_CHIPS_PER_MODULE
        yield {
            "module": module_names()[number],
            "chip": int(key) % N_CHIPS_PER_MODULE,
            "strips": int(count),
        }


def _wafers(planted: Planted) -> Iterator[dict[str, Any]]:
    for wafer, count in zip(*np.unique(planted.wafer, return_counts=True), strict=True):
        name = module_names()[int(wafer) // 2]
        yield {"module": name, "side": int(wafer) % 2, "wafer": int(wafer), "strips": int(count)}


def chips_of(planted: Planted) -> tuple[IntArray, IntArray]:
    """Module number and chip 0-11, in readout order, of planted strips."""
    side, swap = planted.wafer % 2, default_swap()[planted.wafer]
    return planted.wafer // 2, chip_of_strip(planted.strip, side, swap)


def _reference_json(reference: Reference | None) -> dict[str, Any] | None:
    if reference is None:
        return None
    lists = {
        module_names()[module]: strip_lists.normalised(strip_lists.encode(strips))
        for module, strips in sorted(reference.strips.items())
    }
    return {
        "run": reference.run,
        "database": reference.database,
        "tag": reference.tag,
        "strips": lists,
    }


def read_truth(path: Path) -> Truth:
    """Read a truth.json; raises InputFileError if it is not one."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        truth = truth_of(content, tuple(MapFiles(**row) for row in content["files"]))
        check_events(truth, sum(file.events for file in truth.files))
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise InputFileError(msg) from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
        msg = f"{path}: is not the truth of a simulated run: {reason}"
        raise InputFileError(msg) from error
    return truth


def truth_of(content: dict[str, Any], files: tuple[MapFiles, ...]) -> Truth:
    """The truth from the JSON object; raises KeyError, TypeError or ValueError if it is not one."""
    if content["format"] != FORMAT:
        msg = f"format is {content['format']!r}, expected {FORMAT}"
        raise ValueError(msg)
    return Truth(
        run=int(content["run"]),
        project=str(content["project"]),
        stream=str(content["stream"]),
        seed=int(content["seed"]),
        threshold=float(content["threshold"]),
        events_per_lumi_block=np.array(content["events_per_lumi_block"], dtype=np.int64),
        lbs_per_window=int(content["lbs_per_window"]),
        files=files,
        highest_background=float(content["highest_background"]),
        planted=_planted(content["strips"]),
        reference=_reference(content["reference"]),
    )


def check_events(truth: Truth, in_files: int) -> None:
    """Raise ValueError if the lumi blocks have another number of events than the files."""
    if truth.n_events != in_files:
        msg = f"{truth.n_events} events in the lumi blocks, another number in the files"
        raise ValueError(msg)


def _planted(rows: list[dict[str, Any]]) -> Planted:
    wafer = np.array([row["wafer"] for row in rows], dtype=np.int64)
    strip = np.array([row["strip"] for row in rows], dtype=np.int64)
    occupancy = np.array([row["occupancy"] for row in rows], dtype=np.float64)
    category = np.array([CATEGORIES.index(row["category"]) for row in rows], dtype=np.int64)
    outside = (wafer < 0) | (wafer >= N_WAFERS) | (strip < 0) | (strip >= N_STRIPS)
    if np.any(outside) or not np.all((occupancy >= 0) & (occupancy <= 1)):
        msg = "strips has an item with a wafer, strip or occupancy that does not exist"
        raise ValueError(msg)
    return Planted(wafer, strip, occupancy, category)


def _reference(content: dict[str, Any] | None) -> Reference | None:
    if content is None:
        return None
    strips = {
        module_from_name(name): strip_lists.decode(text, N_MODULE_STRIPS)
        for name, text in content["strips"].items()
    }
    return Reference(int(content["run"]), str(content["database"]), str(content["tag"]), strips)
