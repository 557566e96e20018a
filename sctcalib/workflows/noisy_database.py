"""The conditions database of a noisy-strip job (algorithms-hitmaps.md 3.5, cool-folders.md 3-6)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from sctcalib.cool import CoolError, Database
from sctcalib.cool.folders import SCT_FOLDERS, create_sct_folder
from sctcalib.detector.identifiers import module_id32, modules
from sctcalib.job.errors import OutputFileError
from sctcalib.workflows.clock import insertion_clock
from sctcalib.workflows.instance import instance, interval
from sctcalib.workflows.noisy_records import ModuleRow

SAMPLE_SIZE = 10_000
"""Written by the original whatever the number of events."""


def write_noisy_database(
    path: Path,
    rows: Sequence[ModuleRow],
    *,
    run: int,
    project: str,
    tag: str,
    threshold: float,
    open_ended: bool,
) -> None:
    """Write module rows into a new database; raises OutputFileError (exit 11)."""
    since, until = interval(run, open_ended=open_ended)
    try:
        with (
            Database.create(path, instance(project), clock=insertion_clock()) as database,
            database.transaction(),
        ):
            folder = create_sct_folder(database, SCT_FOLDERS["doNoisyStrip"].path)
            folder.store_each(
                (
                    (since, until, channel, payload)
                    for channel, payload in _payloads(rows, threshold)
                ),
                tag=tag,
                user_tag_only=bool(tag),
            )
    except CoolError as error:
        msg = f"{path.name}: {error}"
        raise OutputFileError(msg) from error


def _payloads(
    rows: Sequence[ModuleRow], threshold: float
) -> Iterator[tuple[int, tuple[object, ...]]]:
    """Channel and payload of each row, in the order of the folder's fields."""
    channels, m = module_id32().tolist(), modules()
    columns = [column.tolist() for column in (m.bec, m.layer, m.eta, m.phi)]
    for module, text in rows:
        position = [column[module] for column in columns]
        yield channels[module], (SAMPLE_SIZE, *position, "NOISY", threshold, text)
