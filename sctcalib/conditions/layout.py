"""A folder of conditions databases: one file for each, with the folders and tags of the SCT
(cool-folders.md 1, 2, 6)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from sctcalib.cool.connection import file_in_folder
from sctcalib.cool.database import Database
from sctcalib.cool.errors import DatabaseError, NodeError, nearest
from sctcalib.cool.folders import (
    DESTINATION_DESCRIPTION,
    SCT_FOLDERS,
    SctFolder,
    create_sct_folder,
)

NOISY = SCT_FOLDERS["doNoisyStrip"]
OTHERS = "MONP200"
"""The database of all folders but that of the noisy strips."""
RUN2, RUN1 = "CONDBR2", "COMP200"
DATABASES = (RUN2, RUN1, OTHERS)
RUN1_TAG = "SctDerivedMonitoring-UPD4-002"
"""Of the noisy strips in Run 1."""

SETS = ("/", "/SCT", "/SCT/Derived")
"""The folder sets above the folders of the SCT, from the root on."""


@dataclass(frozen=True)
class Place:
    """Where a folder of the SCT is."""

    file: Path
    database: str
    folder: SctFolder


def database_of(folder: SctFolder, noisy: str = RUN2) -> str:
    """The database that a folder's uploads go to; noisy strips of Run 1 have another one."""
    return noisy if folder == NOISY else OTHERS


def existing(directory: Path) -> list[tuple[str, Path]]:
    """Names and files of the databases in a folder; raises DatabaseError if there are none."""
    if not directory.is_dir():
        what = "is not a folder" if directory.exists() else "does not exist"
        msg = f"{directory} {what}; sctcalib conditions init makes a folder of databases"
        raise DatabaseError(msg)
    found = [(name, file_in_folder(directory, name)) for name in DATABASES]
    present = [(name, file) for name, file in found if file.exists()]
    if not present:
        names = ", ".join(file.name for _, file in found)
        msg = f"{directory} has none of {names}; sctcalib conditions init makes them"
        raise DatabaseError(msg)
    return present


def files_of(directory: Path) -> list[Path]:
    """All files of the databases in a folder: with locks, logs and lists beside them."""
    patterns = (f"{file_in_folder(Path(), name)}*" for name in DATABASES)
    found = (path for pattern in patterns for path in directory.glob(pattern))
    return sorted(path for path in found if path.is_file())


def init(
    directory: Path, tags: Mapping[str, str] | None = None, *, run1: bool = False
) -> list[Path]:
    """Make the databases that a folder lacks; returns the new files.

    ``tags`` maps paths of folders to tags, for other than the usual ones. Raises DatabaseError if
    there is nothing to make, or a file cannot be made.
    """
    names = [RUN2, OTHERS, *([RUN1] if run1 else [])]
    missing = [name for name in names if not file_in_folder(directory, name).exists()]
    if not missing:
        shown = ", ".join(file_in_folder(directory, name).name for name in names)
        msg = f"{directory} has {shown} already; nothing was changed"
        raise DatabaseError(msg)
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"{directory} cannot be made: {error.strerror}"
        raise DatabaseError(msg) from error
    return [_create(directory, name, tags or {}) for name in missing]


def _create(directory: Path, name: str, tags: Mapping[str, str]) -> Path:
    """A database under a temporary name first, so that a half one is never seen."""
    file = file_in_folder(directory, name)
    temporary = directory / f".{file.name}.{os.getpid()}"
    folders = [f for f in SCT_FOLDERS.values() if (f == NOISY) is (name != OTHERS)]
    usual = {NOISY.path: RUN1_TAG} if name == RUN1 else {}
    try:
        with Database.create(temporary, name) as db, db.transaction():
            for folder in folders:
                create_sct_folder(db, folder.path, DESTINATION_DESCRIPTION)
            add_tags(db, {f.path: f.default_tag for f in folders} | usual | _of(tags, folders))
        os.link(temporary, file)  # unlike a renaming it never replaces anything
    except OSError as error:
        msg = f"{file} cannot be made: {error.strerror}"
        raise DatabaseError(msg) from error
    finally:
        temporary.unlink(missing_ok=True)
    return file


def _of(tags: Mapping[str, str], folders: Iterable[SctFolder]) -> dict[str, str]:
    paths = {folder.path for folder in folders}
    return {path: tag for path, tag in tags.items() if path in paths}


def add_tags(db: Database, tags: Mapping[str, str]) -> None:
    """Make tags that hold nothing yet, as a hierarchy does: a tag of every folder set selects one
    of each of its children, from the root down to the folders (cool-sqlite.md 12)."""
    names = {path: parent_tag(db.name, path) for path in SETS}
    for above, below in pairwise(SETS):
        db.tag_relation(above, names[above], below, names[below])
    for path, tag in tags.items():
        db.tag_relation(SETS[-1], names[SETS[-1]], path, tag)


def parent_tag(database: str, path: str) -> str:
    """The tag of a folder set that leads to the tags of our folders."""
    word = path.replace("/", "") or database
    return f"{word}-CALIBRATION-00"


def folder_named(text: str) -> SctFolder:
    """A folder of the SCT by its path, by the last word of it, or by the part that writes it.

    Raises NodeError that names the nearest one.
    """
    known: dict[str, SctFolder] = {}
    for folder in SCT_FOLDERS.values():
        known |= dict.fromkeys((folder.path, folder.path.rpartition("/")[2], folder.part), folder)
    if text not in known:
        words = sorted(known, key=lambda name: (name[0] == "/", name))
        msg = f"{text!r} is no folder of the calibration loop{nearest(text, words)}"
        raise NodeError(msg)
    return known[text]


def place(directory: Path, folder: SctFolder, database: str = "") -> Place:
    """Where a folder of the SCT is; ``database`` chooses between Run 1 and Run 2."""
    name = database or database_of(folder)
    known = dict(existing(directory))
    if name not in known:
        msg = f"{directory} has no database {name!r}{nearest(name, known)}"
        raise DatabaseError(msg)
    return Place(known[name], name, folder)
