"""The conditions database of a job: every part adds its folder, and all are written together."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sctcalib.cool import CoolError, Database
from sctcalib.cool.folders import create_sct_folder, folder_of_part
from sctcalib.detector.identifiers import position_text, wafer_of_id32
from sctcalib.job.errors import JobError, OutputFileError
from sctcalib.job.transform import Job
from sctcalib.workflows.clock import insertion_clock
from sctcalib.workflows.instance import instance, interval

log = logging.getLogger(__name__)

DATABASE = "mycool.db"
SAMPLE_SIZE = 10_000
"""Written by the original where it has no number of its own, whatever the number of events."""
MAX_TEXT = 4000
"""Characters that the type String4k takes."""
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
    """Have the rows of a part written when all parts have run, if WriteToCool says so.

    Raises JobError (exit 65) for a list that is too long for the database, with its module.
    """
    if content.rows and job.configuration["WriteToCool"]:
        check_lists(content)
        job.shared.setdefault(_SHARED, []).append(content)


def check_lists(content: FolderContent) -> None:
    """Refuse lists that String4k does not hold; only a module out of control has one."""
    for channel, payload in content.rows:
        length = max((len(value) for value in payload if isinstance(value, str)), default=0)
        if length > MAX_TEXT:
            place = position_text(int(wafer_of_id32(channel)), ".", with_side=False)
            msg = (
                f"{content.part}: the list of module {place} has {length} characters; the database "
                f"takes {MAX_TEXT}. Is the module read out at all?"
            )
            raise JobError(msg)


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
