"""Read what a job found: from its XML files or its COOL database.

Files that list strips only (BadStripsAllFile.xml, the database) say nothing of chips and wafers;
these follow from the strips. BadStripsNewFile.xml has only the list of new strips.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from sctcalib.detector.identifiers import IntArray, wafer_of_id32
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
