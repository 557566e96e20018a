"""When was the detector on? The file of the option Majority (algorithms-hitmaps.md 2.1, 6.1).

An event passes where the majority state is set and more than 90 % of the modules have high
voltage. A file with intervals of the region ``overall`` is judged by these; one without them needs
barrel and both end caps.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sctcalib.job.errors import InputFileError, raise_problems

MAJORITY_FRACTION = 0.9
OVERALL = "overall"
PARTS = ("barrel", "ECA", "ECC")
REGIONS = (OVERALL, *PARTS)
FIELDS = ("since", "until", "region", "state", "hv")
PROBLEM_LIMIT = 20


def read_majority(path: Path) -> NDArray[np.float64]:
    """Disjoint, ascending intervals [since, until) in UTC seconds in which events pass, (k, 2).

    Raises InputFileError (exit 74) with everything that is wrong with the file.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise InputFileError(msg) from None
    except (ValueError, RecursionError) as error:
        msg = f"{path}: not JSON: {error}"
        raise InputFileError(msg) from None
    if not isinstance(content, list):
        msg = f"{path}: expected a list of intervals with {', '.join(FIELDS)}"
        raise InputFileError(msg)
    problems = [p for i, row in enumerate(content) for p in _problems(i, row)][:PROBLEM_LIMIT]
    raise_problems(InputFileError(f"{path}: {problem}") for problem in problems)
    return good_intervals(content)


def good_intervals(rows: list[dict[str, Any]]) -> NDArray[np.float64]:
    """Where checked rows say that the detector was on."""
    wanted = (OVERALL,) if any(row["region"] == OVERALL for row in rows) else PARTS
    edges = np.unique([[row["since"], row["until"]] for row in rows] or [])
    since, until = edges[:-1], edges[1:]
    good = np.ones(len(since), dtype=bool)
    for region in wanted:
        good &= _good_in(region, rows, since)
    pieces = np.column_stack([since[good], until[good]])
    return _joined(pieces)


def _good_in(
    region: str, rows: list[dict[str, Any]], since: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Which elementary intervals are covered by good rows of a region, and by no bad one."""
    good, bad = np.zeros(len(since), dtype=bool), np.zeros(len(since), dtype=bool)
    for row in rows:
        if row["region"] == region:
            inside = (since >= row["since"]) & (since < row["until"])
            passes = row["state"] and row["hv"] > MAJORITY_FRACTION
            good |= inside & passes
            bad |= inside & (not passes)
    return good & ~bad


def _joined(pieces: NDArray[np.float64]) -> NDArray[np.float64]:
    if not len(pieces):
        return np.empty((0, 2))
    starts = np.concatenate([[True], pieces[1:, 0] > pieces[:-1, 1]])
    ends = np.concatenate([starts[1:], [True]])
    return np.column_stack([pieces[starts, 0], pieces[ends, 1]])


def _problems(index: int, row: Any) -> Iterator[str]:
    place = f"$[{index}]"
    if not isinstance(row, dict) or set(row) != set(FIELDS):
        yield f"{place} is not an object with exactly {', '.join(FIELDS)}"
        return
    for name in ("since", "until", "hv"):
        value = row[name]
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:
            yield f"{place}.{name} is {value!r}, expected a number"
            return
    if not row["since"] < row["until"]:
        yield f"{place}: since {row['since']} is not before until {row['until']}"
    if not 0 <= row["hv"] <= 1:
        yield f"{place}.hv is {row['hv']}, expected a fraction 0-1"
    if row["region"] not in REGIONS:
        yield f"{place}.region is {row['region']!r}, expected one of {', '.join(REGIONS)}"
    if not isinstance(row["state"], bool):
        yield f"{place}.state is {row['state']!r}, expected true or false"
