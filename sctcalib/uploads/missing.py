"""Good runs whose noisy strips are neither uploaded nor requested (transform.md R77)."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

from sctcalib.conditions.layout import NOISY, place
from sctcalib.cool.database import Database
from sctcalib.cool.reference import disabled_runs, uploaded_runs
from sctcalib.runs.asked import understand
from sctcalib.runs.database import RunDatabase
from sctcalib.runs.query import select
from sctcalib.runs.records import Run
from sctcalib.uploads.requests import FAILED, find_failed, find_requests
from sctcalib.workflows.run_selection import conditions_of


@dataclass(frozen=True)
class Missing:
    """A run that waits for somebody."""

    run: Run
    failed: bool
    """A request for it has failed."""


def missing(
    directory: Path,
    conditions: Path,
    runs: RunDatabase,
    *,
    after: int = 0,
    project: str = "data_13TeV",
) -> list[Missing]:
    """Runs after ``after``, ascending, that pass the selection of noisy strips for a project.

    Runs that are marked bad or disabled are not among them. Raises CoolError if a directory or a
    database cannot be read.
    """
    asked = replace(conditions_of(project, [NOISY.part]), run=(f"{after + 1}+",))
    good = [found.run for found in select(understand(asked, time.time_ns()), runs).runs]
    requested, failed = _requested(directory)
    done = requested | _served(conditions)
    left = {run.run: run for run in good if run.bad is None and run.run not in done}
    return [Missing(left[number], number in failed) for number in sorted(left)]


def _requested(directory: Path) -> tuple[set[int], set[int]]:
    """Runs whose noisy strips wait to be uploaded, and those where that has failed."""
    waiting = {each.run for each in find_requests(directory)[0] if each.is_noisy}
    failed = find_requests(directory / FAILED)[0] if find_failed(directory) else []
    return waiting, {each.run for each in failed if each.is_noisy}


def _served(conditions: Path) -> set[int]:
    """Runs that are uploaded, under any tag, or disabled."""
    found = place(conditions, NOISY)
    with Database.open(found.file, found.database) as db:
        folder = db.folder(NOISY.path)
        uploaded = {run for tag in folder.tag_names() for run in uploaded_runs(folder, tag)}
    return uploaded | disabled_runs(found.file, NOISY.path)
