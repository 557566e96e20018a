"""Files as jobs write them, destinations as uploads find them."""

from __future__ import annotations

import sqlite3
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sctcalib.cool import Database, run_lumi
from sctcalib.cool.folders import (
    DESTINATION_DESCRIPTION,
    JOB_DESCRIPTION,
    SCT_FOLDERS,
    create_sct_folder,
    sct_folder,
)
from sctcalib.detector.identifiers import module_id32
from tests.cool.helpers import INF as INF

NOISY, DEAD, OCCUPANCY = (
    SCT_FOLDERS[part].path for part in ("doNoisyStrip", "doDeadStrip", "doNoiseOccupancy")
)
NOISY_TAG, DEAD_TAG, OCCUPANCY_TAG = (
    sct_folder(path).default_tag for path in (NOISY, DEAD, OCCUPANCY)
)
MODULES: list[int] = module_id32().tolist()
A, B = MODULES[0], MODULES[1]


def one_run(run: int) -> tuple[int, int]:
    return run_lumi(run), run_lumi(run, 0xFFFFFFFF)


def open_from(run: int) -> tuple[int, int]:
    return run_lumi(run), INF


def payload(path: str, value: Any) -> tuple[Any, ...]:
    """A payload of one of the folders."""
    if path == OCCUPANCY:
        return (10000, 0, 1, 2, 3, float(value))
    return (10000, 0, 1, 2, 3, "DEAD" if path == DEAD else "NOISY", 0.015, value)


def job_file(
    file: Path,
    path: str,
    tag: str,
    values: dict[int, Any],
    interval: tuple[int, int],
    *,
    description: str = JOB_DESCRIPTION,
) -> Path:
    """A new file with one folder, as a job writes it."""
    with Database.create(file) as db:
        folder = create_sct_folder(db, path, description)
        objects = [(*interval, channel, payload(path, value)) for channel, value in values.items()]
        folder.store_each(objects, tag=tag, user_tag_only=bool(tag))
    return file


def new_destination(file: Path, name: str = "CONDBR2") -> Path:
    """A destination with all SCT folders and their tags, without objects."""
    with Database.create(file, name) as db:
        for folder in SCT_FOLDERS.values():
            create_sct_folder(db, folder.path, DESTINATION_DESCRIPTION)
            parent, _, short = folder.path.rpartition("/")
            db.tag_relation(parent, f"parent-{short}", folder.path, folder.default_tag)
    return file


@cache
def _template() -> bytes:
    with TemporaryDirectory() as folder:
        return new_destination(Path(folder) / "dest.db").read_bytes()


def fresh_destination(file: Path) -> Path:
    """As `new_destination`, made once per run of the tests."""
    file.write_bytes(_template())
    return file


def content(file: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables, after SQLite has put right what a killed program left."""
    connection = sqlite3.connect(file)
    try:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {
            name: sorted(connection.execute(f'SELECT * FROM "{name}"').fetchall(), key=repr)
            for (name,) in names.fetchall()
        }
    finally:
        connection.close()
