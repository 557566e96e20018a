"""What has been uploaded: the last runs of every folder and tag."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sctcalib.conditions.layout import existing
from sctcalib.cool import query
from sctcalib.cool.database import Database
from sctcalib.cool.folder import Folder
from sctcalib.cool.reference import disabled_runs
from sctcalib.cool.times import RUN_SHIFT, VALIDITY_KEY_MAX, run_lumi, run_of

N_RUNS = 3


@dataclass(frozen=True)
class TagStatus:
    """The uploads to one folder and tag."""

    database: str
    folder: str
    tag: str
    objects: int
    """Current ones."""
    runs: tuple[int, ...]
    """The last runs in which objects begin, newest first."""
    inserted: str
    """When the last of these runs was written; empty without one."""
    disabled: tuple[int, ...]
    """Runs that are no reference, ascending."""


def status(directory: Path, n_runs: int = N_RUNS) -> list[TagStatus]:
    """All folders and tags of the databases in a folder."""
    found = []
    for name, file in existing(directory):
        with Database.open(file, name) as db:
            for folder in db.folders():
                disabled = tuple(sorted(disabled_runs(file, folder.path)))
                found += [_of_tag(folder, tag, n_runs, disabled) for tag in folder.tag_names()]
    return found


def _of_tag(folder: Folder, tag: str, n_runs: int, disabled: tuple[int, ...]) -> TagStatus:
    runs = last_runs(folder, tag, n_runs)
    inserted = ""
    if runs:
        first = run_lumi(runs[0])
        inserted = query.last_inserted(folder, tag, first, first + (1 << RUN_SHIFT) - 1)
    count = folder.count(tag)
    return TagStatus(folder.db.name, folder.path, tag, count, runs, inserted, disabled)


def last_runs(folder: Folder, tag: str, n_runs: int) -> tuple[int, ...]:
    """The last runs in which current objects begin, newest first."""
    runs: list[int] = []
    before = VALIDITY_KEY_MAX
    while len(runs) < n_runs:
        start = query.last_start(folder, tag, before)
        if start is None:
            break
        runs.append(run_of(start))
        before = run_of(start) << RUN_SHIFT
    return tuple(runs)
