"""A folder of a COOL database as something that can be drawn (cool-folders.md 2-4, 8)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from sctcalib.cool import CoolError, Database
from sctcalib.cool.errors import DatabaseError, DatabaseNameError
from sctcalib.cool.folder import Folder
from sctcalib.cool.folders import SCT_FOLDERS, SctFolder
from sctcalib.cool.query import Object
from sctcalib.cool.reference import uploaded_runs
from sctcalib.cool.times import MAX_LB, run_lumi
from sctcalib.detector.identifiers import IntArray, wafer_of_id32
from sctcalib.detector.regions import N_CHIPS_PER_MODULE, N_MODULE_STRIPS, N_WAFERS
from sctcalib.job.errors import ArgumentError, InputFileError
from sctcalib.parts import strip_lists
from sctcalib.parts.bytestream_errors import N_POSITIONS
from sctcalib.plots.content import (
    Content,
    Heading,
    LinkErrors,
    LorentzAngles,
    SideValues,
    StripLists,
    Subject,
    detector_numbers,
    positive,
)
from sctcalib.summary.lorentz_records import LorentzRecord

_MAGIC = b"SQLite format 3\0"
_SHOWN_RUNS = 8
_LORENTZ_FIELDS = {
    "lorentzAngle": "angle",
    "err_lorentzAngle": "angle_error",
    "chisq": "chi2",
    "fitParam_a": "a",
    "err_a": "a_error",
    "fitParam_b": "b",
    "err_b": "b_error",
    "fitParam_sigma": "sigma",
    "err_sigma": "sigma_error",
    "minClusterWidth": "min_width",
    "err_minClusterWidth": "min_width_error",
}


@dataclass(frozen=True)
class Choice:
    """Which of the contents of a database; what is None is chosen if there is only one.

    Without a run it is the last one.
    """

    folder: str | None = None
    tag: str | None = None
    run: int | None = None

    def given(self) -> list[str]:
        """Names of the options that were used."""
        return [f"--{name}" for name, value in vars(self).items() if value is not None]


def is_database(path: Path) -> bool:
    """Whether a file is a SQLite database; raises InputFileError if it cannot be read."""
    if path.exists() and not path.is_file():
        msg = f"{path}: is not a regular file"
        raise InputFileError(msg)
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror or error}"
        raise InputFileError(msg) from error


def read_database(path: Path, choice: Choice) -> Subject:
    """The objects of one folder and tag that are valid in one run.

    Raises InputFileError (exit 74) for a damaged database, ArgumentError (exit 7) for a choice
    that is missing or impossible, with what there is.
    """
    try:
        with Database.open(path) as db:
            folder, known = _folder(db, choice.folder)
            tag = _tag(folder, choice.tag)
            run, objects = _objects(folder, tag, choice.run)
            events, content = _CONTENTS[known.part](folder, objects)
    except DatabaseNameError as error:
        raise ArgumentError(str(error)) from error
    except DatabaseError as error:
        raise InputFileError(str(error)) from error
    except CoolError as error:
        raise ArgumentError(str(error)) from error
    source = f"{path.name}   {known.path}   {f'tag {tag}' if tag else 'HEAD'}"
    return Subject(Heading(run=run, source=source, events=events), content)


def _folder(db: Database, path: str | None) -> tuple[Folder, SctFolder]:
    known = {folder.path: folder for folder in SCT_FOLDERS.values()}
    present = [name for name in known if db.has_folder(name)]
    if path is None and len(present) == 1:
        path = present[0]
    if path not in present:
        there = ", ".join(present) or "none of the calibration loop"
        given = "choose a folder with --folder" if path is None else f"--folder {path} is not one"
        msg = f"{db.path}: {given}; it has: {there}"
        raise (ArgumentError if present else InputFileError)(msg)
    folder = db.folder(path)
    if folder.fields != known[path].fields:
        msg = f"{folder} has other fields than the calibration loop writes"
        raise InputFileError(msg)
    return folder, known[path]


def _tag(folder: Folder, tag: str | None) -> str:
    names = folder.tag_names()
    if tag is not None:
        return tag
    if not names or folder.count():
        return ""
    if len(names) > 1:
        msg = f"{folder}: choose a tag with --tag; it has: {', '.join(names)}"
        raise ArgumentError(msg)
    return names[0]


def _objects(folder: Folder, tag: str, run: int | None) -> tuple[int, list[Object]]:
    """What is valid at the first key of a run, or else begins within it."""
    runs = uploaded_runs(folder, tag)
    if not runs:
        msg = f"{folder}: there are no objects in {tag or 'HEAD'}"
        raise InputFileError(msg)
    wanted = runs[-1] if run is None else run
    start = run_lumi(wanted)
    found = folder.browse(start, start, tag=tag)
    found = found or folder.browse(start, run_lumi(wanted, MAX_LB - 1), tag=tag)
    if not found:
        last = ", ".join(map(str, runs[-_SHOWN_RUNS:]))
        msg = f"{folder}: nothing is valid in run {wanted}; runs with objects: {last}"
        if len(runs) > _SHOWN_RUNS:
            msg += f" and {len(runs) - _SHOWN_RUNS} earlier ones"
        raise ArgumentError(msg)
    return wanted, found


def _wafers(folder: Folder, objects: Sequence[Object]) -> IntArray:
    try:
        return wafer_of_id32([found.channel for found in objects])
    except ValueError as error:
        msg = f"{folder}: channel {error}"
        raise InputFileError(msg) from error


def _sides(
    quantity: str, folder: Folder, objects: Sequence[Object], *, counts_events: bool = False
) -> tuple[int | None, Content]:
    values = np.full(N_WAFERS, np.nan)
    values[_wafers(folder, objects)] = [found.payload[quantity] for found in objects]
    events = objects[0].payload["SampleSize"] if counts_events else None
    return events, SideValues(quantity, positive(values))


def _strips(
    what: str, per_module: int, folder: Folder, objects: Sequence[Object]
) -> tuple[int | None, Content]:
    modules = (_wafers(folder, objects) // 2).tolist()
    lists = [
        (module, _decoded(folder, found, per_module))
        for module, found in zip(modules, objects, strict=True)
        if found.payload["DefectList"]
    ]
    name = what.split()[-1]
    numbers = detector_numbers(lists, per_module)
    return None, StripLists(what, {name: numbers}, per_side=per_module // 2)


def _decoded(folder: Folder, found: Object, end: int) -> IntArray:
    try:
        return strip_lists.decode(found.payload["DefectList"], end=end)
    except ValueError as error:
        msg = f"{folder}: channel {found.channel}: DefectList: {error}"
        raise InputFileError(msg) from error


def _links(folder: Folder, objects: Sequence[Object]) -> tuple[int | None, Content]:
    errors = np.zeros((N_WAFERS, N_POSITIONS), dtype=np.int64)
    errors[_wafers(folder, objects)] = [_counts(folder, found) for found in objects]
    totals = errors.sum(axis=1).astype(np.float64)
    return objects[0].payload["SampleSize"], LinkErrors(errors, totals)


def _counts(folder: Folder, found: Object) -> list[int]:
    words = str(found.payload["BSErrors"]).split()
    if len(words) != N_POSITIONS or not all(word.isdecimal() for word in words):
        msg = f"{folder}: channel {found.channel}: BSErrors is not a list of {N_POSITIONS} counts"
        raise InputFileError(msg)
    return [int(word) for word in words]


def _lorentz(folder: Folder, objects: Sequence[Object]) -> tuple[int | None, Content]:
    records = []
    for found in objects:
        p = found.payload
        numbers: dict[str, Any] = {key: p[name] for name, key in _LORENTZ_FIELDS.items()}
        try:
            records.append(LorentzRecord(p["Layer"], p["Side"], p["moduleType"], **numbers))
        except ValueError as error:
            msg = f"{folder}: channel {found.channel}: {error}"
            raise InputFileError(msg) from error
    return None, LorentzAngles(tuple(records))


_CONTENTS: dict[str, Callable[[Folder, Sequence[Object]], tuple[int | None, Content]]] = {
    "doNoisyStrip": partial(_strips, "Noisy strips", N_MODULE_STRIPS),
    "doDeadStrip": partial(_strips, "Dead strips", N_MODULE_STRIPS),
    "doDeadChip": partial(_strips, "Dead chips", N_CHIPS_PER_MODULE),
    "doNoiseOccupancy": partial(_sides, "NoiseOccupancy"),
    "doRawOccupancy": partial(_sides, "RawOccupancy", counts_events=True),
    "doEfficiency": partial(_sides, "Efficiency"),
    "doBSErrorDB": _links,
    "doLorentzAngle": _lorentz,
}
"""By the part that writes the folder."""
