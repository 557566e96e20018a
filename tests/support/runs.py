"""Uploads of noisy strips as a queue of jobs sees them."""

from __future__ import annotations

import json
from pathlib import Path

from sctcalib.cool import Database, run_lumi
from sctcalib.cool.folders import create_sct_folder
from sctcalib.cool.reference import disabled_file

FOLDER = "/SCT/Derived/Monitoring"
TAG = "SctDerivedMonitoring-RUN2-UPD4-005"
CHANNEL = 134230016
"""Of a module."""


def upload(path: Path, *runs: int) -> Path:
    """Upload a list for runs into a conditions database, which is made if it is not there."""
    new = not path.exists()
    made = Database.create(path) if new else Database.open(path, read_only=False)
    with made as database:
        folder = create_sct_folder(database, FOLDER) if new else database.folder(FOLDER)
        for run in runs:
            payload = (10000, 0, 0, 0, 0, "NOISY", 0.015, " 1 ")
            until = run_lumi(run, 0xFFFFFFFF)
            folder.store(run_lumi(run), until, payload, CHANNEL, tag=TAG, user_tag_only=True)
    return path


def disable(path: Path, *runs: int) -> None:
    """Disable uploaded or other runs of a conditions database."""
    entries = [{"folder": FOLDER, "run": r, "who": "a", "when": "b", "why": "c"} for r in runs]
    disabled_file(path).write_text(json.dumps(entries))
