"""Runs for tests, and databases of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sctcalib.runs.asked import Asked, understand
from sctcalib.runs.database import SqliteRuns
from sctcalib.runs.files import Given, read_runs
from sctcalib.runs.query import Result, select
from sctcalib.runs.ranges import NANOSECOND
from sctcalib.runs.records import LAST_RUN_WITH_DECIMAL_MASK

RUN = 267367
START, END = 1433995200123000000, 1434031200456000000
"""Of the run of the reference's examples."""
NOISE = "calibration_SCTNoise"
GOOD: Mapping[str, Any] = {
    "run": RUN,
    "project": "data15_13TeV",
    "partition": "ATLAS",
    "start": START,
    "end": END,
    "lumi_blocks": 873,
    "events": 15034412,
    "detector_mask": "00000000000000f0",
    "fill": 3851,
    "beam_energy": 6500,
    "stable_beams": [
        {"first": 1, "last": 73, "value": False},
        {"first": 74, "last": 873, "value": True},
    ],
    "streams": {
        NOISE: {"events": 1201453, "bytes": 512345678901},
        "physics_Main": {
            "events": 14210387,
            "blocks": [
                {"first": 1, "last": 73, "events": 1209132},
                {"first": 74, "last": 873, "events": 13001255},
            ],
        },
    },
}
"""The run of the examples in run-query-and-upload.md A7."""
DAY = 86400 * NANOSECOND


def good(run: int, **changes: Any) -> dict[str, Any]:
    """A run like that of the examples, with other values; those that are None are not given."""
    if run <= LAST_RUN_WITH_DECIMAL_MASK:
        changes = {"detector_mask": "240"} | changes
    return {
        name: value for name, value in (GOOD | {"run": run} | changes).items() if value is not None
    }


def write_json(path: Path, *runs: Mapping[str, Any]) -> Path:
    """A file for ``runs import``."""
    path.write_text(json.dumps({"runs": runs}))
    return path


def fill(path: Path, *runs: Mapping[str, Any]) -> Path:
    """A run database with runs, in addition to those that it holds."""
    given = read_runs(write_json(path.with_suffix(".import.json"), *runs))
    with SqliteRuns(path, create=True) as store:
        store.merge(given)
    return path


def given(values: Mapping[str, Any], place: str = "here") -> Given:
    return Given(place, values)


def ask(path: Path, now: int = END, **options: Any) -> Result:
    """The result of a query by options."""
    with SqliteRuns(path) as store:
        return select(understand(Asked(**options), now), store)


def numbers(path: Path, **options: Any) -> list[int]:
    return ask(path, **options).numbers
