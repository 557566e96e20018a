"""Read what a job found: from its XML files or its COOL database.

Files that list strips only (BadStripsAllFile.xml, the database) say nothing of chips and wafers;
these follow from the strips. BadStripsNewFile.xml has only the list of new strips.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sctcalib.detector.identifiers import wafer_of_id32
from sctcalib.detector.readout import BoolArray
from sctcalib.detector.regions import N_CHIPS_PER_SIDE, N_MODULES, N_WAFERS
from sctcalib.job.errors import InputFileError
from sctcalib.parts import strip_lists
from sctcalib.simulate.comparison import Found, noisy_chips, noisy_wafers, strip_mask
from sctcalib.simulate.earlier_run import FOLDER, TAG

SQLITE_MAGIC = b"SQLite format 3\0"
_NEW_FILE = "BadStripsNewFile"


def read_found(path: Path, run: int) -> Found:
    """What a file says of a run; its kind is recognised by its content.

    Raises InputFileError for a file that cannot be read, or holds nothing of this run.
    """
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise InputFileError(msg) from error
    if head.startswith(SQLITE_MAGIC):
        return _from_strips(_database_strips(path, run))
    if b"<channels" in head:
        return _from_bad_strips(path, run)
    if b"<run" in head:
        return _from_summary(path, run)
    msg = (
        f"{path}: is neither a BadStripsAllFile.xml, a BadStripsNewFile.xml, a"
        " BadStripsSummaryFile.xml nor a COOL database"
    )
    raise InputFileError(msg)


def _from_strips(strips: BoolArray) -> Found:
    return Found(strips=strips, chips=noisy_chips(strips), wafers=noisy_wafers(strips))


def _database_strips(path: Path, run: int) -> BoolArray:
    """Noisy strips that a database has for a run, under the only tag or the usual one."""
    from sctcalib.cool import CoolError, Database, run_lumi

    try:
        with Database.open(path) as database:
            folder = database.folder(FOLDER)
            tags = [tag.name for tag in folder.tags()]
            tag = tags[0] if len(tags) == 1 else TAG
            # the last key of the run belongs to objects that an earlier run left open
            objects = folder.browse(run_lumi(run), run_lumi(run, 0xFFFFFFFE), tag=tag)
    except CoolError as error:
        raise InputFileError(str(error)) from error
    if not objects:
        msg = f"{path}: {FOLDER} has nothing of run {run} under the tag {tag}"
        raise InputFileError(msg)
    lists = {}
    for found in objects:
        place = f"{path}: channel {found.channel}"
        try:
            module = int(wafer_of_id32(found.channel)) // 2
            lists[module] = strip_lists.decode(str(found.payload["DefectList"]))
        except (KeyError, ValueError) as error:
            msg = f"{place}: {error}"
            raise InputFileError(msg) from error
    return strip_mask(lists)


def _from_bad_strips(path: Path, run: int) -> Found:
    from sctcalib.summary.bad_strips import read_bad_strips

    file = read_bad_strips(path)
    check_run(path, file.run, run)
    if file.folder.strip("/") != FOLDER.strip("/"):
        msg = f"{path}: its strips are of folder {file.folder}, not of {FOLDER}"
        raise InputFileError(msg)
    strips = strip_mask({channel.module: channel.strips for channel in file.channels})
    return Found(new=strips) if _NEW_FILE in path.name else _from_strips(strips)


def _from_summary(path: Path, run: int) -> Found:
    from sctcalib.summary.noisy_summary import read_noisy_summary

    file = read_noisy_summary(path)
    check_run(path, file.run, run)
    rows = file.noisy_modules or ()
    chips = np.zeros((N_WAFERS, N_CHIPS_PER_SIDE), dtype=bool)
    wafers = np.zeros(N_WAFERS, dtype=bool)
    listed = np.zeros(N_MODULES, dtype=bool)
    for row in rows:
        listed[row.module] = True
        for link in row.links:
            wafers[2 * row.module + link] = True
        for chip in row.chips:
            chips[2 * row.module + chip // N_CHIPS_PER_SIDE, chip % N_CHIPS_PER_SIDE] = True
    return Found(
        strips=strip_mask({row.module: row.all for row in rows}),
        chips=chips,
        wafers=wafers,
        new=strip_mask({row.module: row.new for row in rows}),
        reference=strip_mask({row.module: row.ref for row in rows}),
        reference_run=file.reference_run,
        listed=listed,
    )


def check_run(path: Path, found: int, expected: int) -> None:
    """Raise InputFileError for a file of another run."""
    if found != expected:
        msg = f"{path}: is of run {found}, the truth is of run {expected}"
        raise InputFileError(msg)
