"""Read what a job on RAW files found: dead strips and chips, HV trips, noisy lumi blocks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sctcalib.detector.identifiers import IntArray, wafer_of_id32
from sctcalib.detector.readout import BoolArray, default_swap, readout_strip
from sctcalib.detector.regions import (
    N_CHIPS_PER_MODULE,
    N_CHIPS_PER_SIDE,
    N_MODULE_STRIPS,
    N_MODULES,
    N_STRIPS,
    N_WAFERS,
)
from sctcalib.job.errors import InputFileError
from sctcalib.parts import strip_lists
from sctcalib.simulate.comparison import Found
from sctcalib.simulate.found import SQLITE_MAGIC, check_run, read_found

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sctcalib.summary.parsing import Node

STRIPS_FOLDER, CHIPS_FOLDER = "/SCT/Derived/DeadStrips", "/SCT/Derived/DeadChips"


@dataclass(frozen=True)
class FoundTrip:
    """A trip that a job found; seconds since 1970."""

    module: int
    begin: int
    end: int


@dataclass(frozen=True)
class FoundInRaw:
    """What a file lists. None stands for what it does not hold."""

    noisy: Found | None = None
    dead_strips: BoolArray | None = None
    """Shape (8176, 768), offline strips."""
    dead_chips: BoolArray | None = None
    """Shape (8176, 6), readout order."""
    trips: tuple[FoundTrip, ...] | None = None
    noisy_blocks: IntArray | None = None
    """Numbers of lumi blocks."""


def read_found_in_raw(path: Path, run: int) -> FoundInRaw:
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
        return _from_database(path, run)
    return _from_xml(path, run)


def _from_database(path: Path, run: int) -> FoundInRaw:
    from sctcalib.cool import CoolError, Database

    try:
        with Database.open(path) as database:
            present = [f for f in (STRIPS_FOLDER, CHIPS_FOLDER) if database.has_folder(f)]
            lists = {folder: _lists(database, folder, run) for folder in present}
    except CoolError as error:
        raise InputFileError(str(error)) from error
    if not present:
        return FoundInRaw(noisy=read_found(path, run))
    strips, chips = lists.get(STRIPS_FOLDER), lists.get(CHIPS_FOLDER)
    if not strips and not chips:
        msg = f"{path}: {' and '.join(present)} have nothing of run {run}"
        raise InputFileError(msg)
    try:
        return FoundInRaw(
            dead_strips=None if strips is None else dead_strip_mask(strips.items()),
            dead_chips=None if chips is None else dead_chip_mask(chips.items()),
        )
    except ValueError as error:
        msg = f"{path}: {error}"
        raise InputFileError(msg) from error


def _lists(database: object, folder: str, run: int) -> dict[int, str]:
    """Lists of a run by module number, of all tags of a folder."""
    from sctcalib.cool import Database, run_lumi

    assert isinstance(database, Database)
    found = database.folder(folder)
    lists = {}
    for tag in found.tags():
        for row in found.browse(run_lumi(run), run_lumi(run, 0xFFFFFFFE), tag=tag.name):
            lists[int(wafer_of_id32(row.channel)) // 2] = str(row.payload["DefectList"])
    return lists


def _from_xml(path: Path, run: int) -> FoundInRaw:
    from sctcalib.summary import bad_modules, noisy_lb_summary
    from sctcalib.summary.parsing import Node, parse

    root = Node(path, parse(path))
    if root.name == "modules":
        return FoundInRaw(
            trips=tuple(
                FoundTrip(row.module, row.start, row.end)
                for row in bad_modules.bad_modules_of(root)
            )
        )
    if _has_value(root, "NoisyLB"):
        blocks = noisy_lb_summary.noisy_lb_summary_of(root)
        check_run(path, blocks.run, run)
        return FoundInRaw(noisy_blocks=blocks.noisy)
    if _has_value(root, "Strips"):
        return _from_dead_summary(root, run)
    folder = f"/{root.element.get('folder', '')}"
    if folder in (STRIPS_FOLDER, CHIPS_FOLDER):
        return _from_dead_file(root, run, folder)
    return FoundInRaw(noisy=read_found(path, run))


def _has_value(root: Node, name: str) -> bool:
    return root.name == "run" and bool(root.element.xpath(f"boolean(value/@name='{name}')"))


def _from_dead_file(root: Node, run: int, folder: str) -> FoundInRaw:
    from sctcalib.summary.dead_files import dead_file_of

    file = dead_file_of(root)
    check_run(root.path, file.run, run)
    rows = [(channel.module, channel.defects) for channel in file.channels]
    if folder == STRIPS_FOLDER:
        return FoundInRaw(dead_strips=dead_strip_mask(rows))
    return FoundInRaw(dead_chips=dead_chip_mask(rows))


def _from_dead_summary(root: Node, run: int) -> FoundInRaw:
    """Only the lists that some module has: the others were not searched, or nothing was found."""
    from sctcalib.summary.dead_summary import dead_summary_of

    file = dead_summary_of(root)
    check_run(root.path, file.run, run)
    strips = [(row.module, row.strips) for row in file.dead_modules if row.strips]
    chips = [(row.module, row.chips) for row in file.dead_modules if row.chips]
    return FoundInRaw(
        dead_strips=dead_strip_mask(strips) if strips or not chips else None,
        dead_chips=dead_chip_mask(chips) if chips or not strips else None,
    )


def dead_strip_mask(lists: Iterable[tuple[int, str]]) -> BoolArray:
    """Flags (8176, 768) of offline strips, from lists by module.

    The numbers are those of the default order of dead strips: readout order on side 0, its reverse
    on side 1 (algorithms-hitmaps.md 4.5). Raises ValueError for a list that is not one.
    """
    numbered = _mask(lists, N_MODULE_STRIPS).reshape(N_WAFERS, N_STRIPS)
    numbered[1::2] = numbered[1::2, ::-1].copy()
    offline = readout_strip(np.arange(N_STRIPS), default_swap()[:, None])
    return np.take_along_axis(numbered, offline, axis=1)


def dead_chip_mask(lists: Iterable[tuple[int, str]]) -> BoolArray:
    """Flags (8176, 6) of chips in readout order, from lists of chips 0-11 by module."""
    return _mask(lists, N_CHIPS_PER_MODULE).reshape(N_WAFERS, N_CHIPS_PER_SIDE)


def _mask(lists: Iterable[tuple[int, str]], end: int) -> BoolArray:
    mask = np.zeros((N_MODULES, end), dtype=bool)
    for module, text in lists:
        mask[module, strip_lists.decode(text, end)] = True
    return mask
