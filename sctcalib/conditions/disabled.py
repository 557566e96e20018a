"""Runs that must not serve as reference: a list beside the database (cool-folders.md 8.3)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sctcalib.conditions.jsonfile import write_json
from sctcalib.cool.errors import NotFoundError, ValidityError
from sctcalib.cool.merging.beside import locked, now, who
from sctcalib.cool.reference import disabled_entries, disabled_file

WAIT_S = 60.0
"""For a merge, or somebody else who changes the list."""


def disable(database: Path, folder: str, run: int, why: str) -> dict[str, Any]:
    """Add a run to the list, with who and when; returns its entry.

    A run that is disabled already keeps its entry. Raises ValidityError without a reason.
    """
    if not why.strip():
        msg = f"run {run} of {folder}: say why it is disabled"
        raise ValidityError(msg)
    with locked(database, WAIT_S):
        entries = disabled_entries(database)
        found = next((entry for entry in entries if _is(entry, folder, run)), None)
        if found is not None:
            return found
        entry = {"folder": folder, "run": run, "who": who(), "when": now(), "why": why.strip()}
        write_json(disabled_file(database), [*entries, entry])
    return entry


def enable(database: Path, folder: str, run: int) -> dict[str, Any]:
    """Take a run off the list; returns its entry. Raises NotFoundError if it is not there."""
    with locked(database, WAIT_S):
        entries = disabled_entries(database)
        found = next((entry for entry in entries if _is(entry, folder, run)), None)
        if found is None:
            runs = sorted(entry["run"] for entry in entries if entry["folder"] == folder)
            known = f"disabled are {', '.join(map(str, runs))}" if runs else "no run is"
            msg = f"run {run} of {folder} is not disabled; {known}"
            raise NotFoundError(msg)
        kept = [entry for entry in entries if not _is(entry, folder, run)]
        write_json(disabled_file(database), kept)
    return found


def _is(entry: dict[str, Any], folder: str, run: int) -> bool:
    return bool(entry["folder"] == folder and entry["run"] == run)
