"""What a map file is, and how many events it holds, without reading its histograms."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from sctcalib.detector.identifiers import wafer_names
from sctcalib.detector.regions import REGIONS
from sctcalib.histograms.layouts import EVENTS, events_family
from sctcalib.histograms.rootfile import RootFile, some
from sctcalib.histograms.sources import walk_one
from sctcalib.job.errors import InputFileError

Kind = Literal["hitmap", "lb"]


def identify(path: Path) -> Kind:
    """Whether a file has the layout of hit maps or of LB maps, by the names in it.

    Raises InputFileError for a file that has neither.
    """
    file = RootFile(Path(path))
    for region in REGIONS:
        names = file.directory(region.directory).rows
        for wafer in wafer_names()[region.wafers]:
            if f"{wafer}__2D" in names:
                return "lb"
            if wafer in names:
                return "hitmap"
    found = some(list(file.top.rows)) or "nothing"
    msg = f"{path}: neither hit maps nor LB maps; it contains {found}"
    raise InputFileError(msg)


def read_event_counts(paths: Sequence[Path]) -> list[int]:
    """Events of each file: the entries of ``GENERAL/events``; nothing else is read.

    Raises InputFileError for a file without a sound histogram of that name.
    """
    return [_events(RootFile(Path(path))) for path in paths]


def _events(file: RootFile) -> int:
    anatomy, streamed = walk_one(file, events_family())
    (entries,) = struct.unpack_from(">d", streamed, anatomy.front + anatomy.entries)
    if not (math.isfinite(entries) and entries >= 0 and entries.is_integer()):
        msg = f"{file.path}: {EVENTS}: its number of entries is {entries}, not a count"
        raise InputFileError(msg)
    return int(entries)
