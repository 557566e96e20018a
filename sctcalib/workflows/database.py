"""The conditions database of a job: every part adds its folder, and all are written together."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sctcalib.cool import CoolError, Database
from sctcalib.cool.folders import create_sct_folder, folder_of_part
from sctcalib.job.errors import OutputFileError
from sctcalib.job.transform import Job
from sctcalib.workflows.clock import insertion_clock
from sctcalib.workflows.instance import instance, interval

log = logging.getLogger(__name__)

DATABASE = "mycool.db"
SAMPLE_SIZE = 10_000
"""Written by the original where it has no number of its own, whatever the number of events."""
_SHARED = "database"


@dataclass(frozen=True)
class FolderContent:
    """What a part writes into its folder."""

    part: str
    rows: Sequence[tuple[int, Sequence[Any]]]
    """Channel and payload in the order of the folder's fields; channels ascending."""
    open_ended: bool = False
    """Valid from this run on, not for this run only."""


def contribute(job: Job, content: FolderContent) -> None:
    """Have the rows of a part written when all parts have run, if WriteToCool says so."""
    if content.rows and job.configuration["WriteToCool"]:
        job.shared.setdefault(_SHARED, []).append(content)


def write_database(job: Job) -> None:
    """Write what the parts contributed; without contributions there is no database."""
    contents: list[FolderContent] = job.shared.get(_SHARED, [])
    if contents:
        name = instance(job.inputs.project)
        tags = {c.part: job.configuration[folder_of_part(c.part).tag_option] for c in contents}
        write_folders(job.output(DATABASE), name, job.run, contents, tags)


def write_folders(
    path: Path,
    name: str,
    run: int,
    contents: Iterable[FolderContent],
    tags: dict[str, str],
) -> None:
    """Write folders into a new database; raises OutputFileError (exit 11)."""
    try:
        with (
            Database.create(path, name, clock=insertion_clock()) as database,
            database.transaction(),
        ):
            for content in contents:
                since, until = interval(run, open_ended=content.open_ended)
                tag = tags[content.part]
                create_sct_folder(database, folder_of_part(content.part).path).store_each(
                    ((since, until, channel, payload) for channel, payload in content.rows),
                    tag=tag,
                    user_tag_only=bool(tag),
                )
    except CoolError as error:
        msg = f"{path.name}: {error}"
        raise OutputFileError(msg) from error
