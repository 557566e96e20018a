"""Input files matched to a layout: every histogram found by directory and name, or reported."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sctcalib.histograms.compression import DamagedError
from sctcalib.histograms.layouts import EVENTS, GENERAL, Family
from sctcalib.histograms.objects import Anatomy, RowError, Stack, stack, walk
from sctcalib.histograms.rootfile import Key, KeyColumns, RootFile, some
from sctcalib.job.errors import InputFileError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Source:
    """One file, and where it has the histograms of each family of a layout."""

    file: RootFile
    families: tuple[Family, ...]
    columns: tuple[KeyColumns, ...]

    @property
    def path(self) -> Path:
        return self.file.path

    def read(self, number: int, rows: slice | Sequence[int]) -> Stack:
        """Some histograms of family ``number``, checked."""
        family = self.families[number]
        index = np.arange(len(family.names))[rows].tolist()
        names = [f"{family.directory}/{family.names[i]}" for i in index]
        columns = self.columns[number][np.asarray(index, dtype=np.int64)]
        try:
            result = stack(
                family,
                self.file.objects(columns, names),
                [family.bodies[i] for i in index],
            )
        except RowError as error:
            msg = f"{self.path}: {names[error.row]}: {error}"
            raise InputFileError(msg) from error
        self._check_contents(result, names)
        return result

    def _check_contents(self, result: Stack, names: Sequence[str]) -> None:
        contents = result.contents
        if contents.dtype.kind == "f":
            native = contents.astype(np.float32)
            within = native.min() >= 0 and native.max() < np.inf
            if within and np.array_equal(np.rint(native), native):
                return
            bad = ~((native >= 0) & np.isfinite(native) & (np.rint(native) == native))
        else:
            bad = contents.astype(np.int64) < 0
        if not bad.any():
            return
        row, cell = np.argwhere(bad)[0].tolist()
        msg = (
            f"{self.path}: {names[row]}: the content of bin {cell} is {contents[row, cell]}, "
            "not a number of hits"
        )
        raise InputFileError(msg)


def locate(file: RootFile, families: tuple[Family, ...]) -> Source:
    """Find all histograms of a layout in a file.

    Raises InputFileError with everything that is missing or of another class. Anything else in
    the file is reported as a warning and left alone.
    """
    missing: list[str] = []
    columns = []
    extra = [name for name in file.top if name not in {each.directory for each in families}]
    tables: dict[str, dict[str, Key]] = {}
    for family in families:
        if family.directory not in tables:
            tables[family.directory] = file.directory(family.directory) or {}
        table = tables[family.directory]
        keys = [table.get(name) for name in family.names]
        found = [key for key in keys if key is not None]
        missing += [path for path, key in zip(family.paths(), keys, strict=True) if key is None]
        _same_class(file.path, family, found)
        columns.append(KeyColumns.of(found))
    if missing:
        msg = f"{file.path}: no histogram {some(missing)}"
        raise InputFileError(msg)
    for directory, table in tables.items():
        known = {name for each in families if each.directory == directory for name in each.names}
        extra += [f"{directory}/{name}" for name in table if name not in known]
    if extra:
        log.warning("%s: ignored, as not part of a map file: %s", file.path, some(extra))
    return Source(file, families, tuple(columns))


def _same_class(path: Path, family: Family, keys: Sequence[Key]) -> None:
    other = [
        f"{family.directory}/{key.name} ({key.class_name})"
        for key in keys
        if key.class_name != family.class_name
    ]
    if other:
        msg = f"{path}: not of class {family.class_name}: {some(other)}"
        raise InputFileError(msg)


def walk_one(file: RootFile, directory: str, name: str, class_name: str) -> tuple[Anatomy, bytes]:
    """One histogram of a file and its anatomy; InputFileError where there is none."""
    path = f"{directory}/{name}"
    key = (file.directory(directory) or {}).get(name)
    if key is None:
        msg = f"{file.path}: no histogram {path}"
        raise InputFileError(msg)
    if key.class_name != class_name:
        msg = f"{file.path}: not of class {class_name}: {path} ({key.class_name})"
        raise InputFileError(msg)
    streamed = file.objects(KeyColumns.of([key]), [path])[0]
    try:
        return walk(streamed, class_name), streamed
    except DamagedError as error:
        msg = f"{file.path}: {path}: {error}"
        raise InputFileError(msg) from error


def events_of(file: RootFile) -> tuple[Anatomy, bytes]:
    """``GENERAL/events`` of a file and its anatomy."""
    return walk_one(file, GENERAL, "events", "TH1I")


def whole_number(path: Path, name: str, what: str, value: float) -> int:
    """A float64 as the number of events or fills it must be."""
    if not (value >= 0 and value == np.rint(value) and np.isfinite(value)):
        msg = f"{path}: {name}: {what} is {value:g}, not a number of events or hits"
        raise InputFileError(msg)
    return int(value)


__all__ = ["EVENTS", "Source", "events_of", "locate", "walk_one", "whole_number"]
