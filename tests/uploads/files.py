"""Databases of jobs, requests, and what lies in the conditions databases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sctcalib.cool import Database
from sctcalib.cool.folders import SCT_FOLDERS, create_sct_folder
from sctcalib.cool.reference import uploaded_runs
from tests.cool.merge_helpers import A, B, one_run

_VALUES = {"Int32": 1, "Float": 0.5, "String4k": "5 10-12"}


def job_database(file: Path, run: int, *parts: str, **changes: Any) -> Path:
    """A mycool.db of a run with two channels in the folder of every part.

    ``changes`` are ``text`` for the fields of texts, ``tag``, and ``interval``.
    """
    values = _VALUES | {"String4k": changes.get("text", _VALUES["String4k"])}
    with Database.create(file) as db:
        for part in parts:
            known = SCT_FOLDERS[part]
            payload = tuple(values[kind] for _, kind in known.fields)
            interval = changes.get("interval", one_run(run))
            objects = [(*interval, channel, payload) for channel in (A, B)]
            folder = create_sct_folder(db, known.path)
            folder.store_each(
                objects, tag=changes.get("tag", known.default_tag), user_tag_only=True
            )
    return file


def put_request(toupload: Path, name: str, file: Path | str) -> Path:
    """A request as people write it."""
    path = toupload / name
    path.write_text(f"{file}\n")
    return path


def uploaded(conditions: Path, part: str) -> list[int]:
    """Runs in the conditions database of a part's folder."""
    known = SCT_FOLDERS[part]
    name = "CONDBR2" if part == "doNoisyStrip" else "MONP200"
    with Database.open(conditions / f"{name}.db") as db:
        return uploaded_runs(db.folder(known.path), known.default_tag)


def names(folder: Path) -> set[str]:
    """Files and folders, but for the loop's own."""
    return {path.name for path in folder.iterdir()} - {"uploads.log", "uploads.lock"}
