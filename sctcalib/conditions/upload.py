"""A job's file into a folder of conditions databases: noisy strips into one database, all other
folders into another (transform.md R68, R69)."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

from sctcalib.conditions.layout import NOISY, OTHERS, existing
from sctcalib.cool.connection import parse_connection
from sctcalib.cool.database import Clock, Database
from sctcalib.cool.errors import CoolError
from sctcalib.cool.merging.perform import Options, merge
from sctcalib.cool.merging.problems import Code, MergeError, failure
from sctcalib.cool.merging.report import Report
from sctcalib.cool.merging.sources import Selection, check_source, read_contents

COMMENTS = {True: "SCT NoisyStrips", False: "SCT MONP200 Folders"}
"""Without another comment, for noisy strips and for the others."""


@dataclass(frozen=True)
class _Side:
    destination: Path
    options: Options


def upload(
    file: Path | str,
    directory: Path,
    options: Options | None = None,
    *,
    backup: bool | None = None,
    clock: Clock = time.time_ns,
) -> list[Report]:
    """Merge all that a file holds; descriptions of folders may differ.

    If there are two databases to go to, both are looked at before either is written. Without
    ``backup`` being given, files with noisy strips are copied and others not. Raises MergeError.
    """
    try:
        sides = _sides(file, directory, options or Options(), backup)
    except MergeError:
        raise
    except CoolError as error:
        raise failure(Code.CANNOT_OPEN, str(error)) from error
    if len(sides) > 1:
        for side in sides:
            merge(file, side.destination, replace(side.options, dry_run=True), clock=clock)
    return [merge(file, side.destination, side.options, clock=clock) for side in sides]


def _sides(file: Path | str, directory: Path, options: Options, backup: bool | None) -> list[_Side]:
    """Where the folders of a file go."""
    known = dict(existing(directory))
    name, paths = _folders(file, options)
    sides = []
    for is_noisy, target in ((True, name), (False, OTHERS)):
        wanted = {path for path in paths if (path == NOISY.path) is is_noisy}
        if not wanted:
            continue
        if target not in known:
            text = f"{directory} has no {target}.db for {min(wanted)}"
            raise failure(Code.CANNOT_OPEN, f"{text}; sctcalib conditions init makes it")
        sides.append(
            _Side(
                known[target],
                replace(
                    options,
                    selection=replace(options.selection, folders=sorted(wanted)),
                    database=target,
                    ignore_description=True,
                    backup=is_noisy if backup is None else backup,
                    comment=options.comment or COMMENTS[is_noisy],
                ),
            )
        )
    return sides


def _folders(file: Path | str, options: Options) -> tuple[str, set[str]]:
    """Name of the database in a file, and the folders with objects."""
    given = parse_connection(file)
    with Database.open(given.path, options.source_database or given.name) as db:
        check_source(db)
        contents = read_contents(db, options.selection or Selection())
        return db.name, {content.folder.path for content in contents}
