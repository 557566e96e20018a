"""Input files matched to a layout: every histogram found by directory and name, or reported."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sctcalib.histograms.anatomy import Anatomy, walk
from sctcalib.histograms.damage import DamagedError, RowError
from sctcalib.histograms.keys import KeyColumns, KeyTable, Names
from sctcalib.histograms.layouts import Family
from sctcalib.histograms.rootfile import RootFile, some
from sctcalib.histograms.stacks import Stack, stack
from sctcalib.job.errors import InputFileError

log = logging.getLogger(__name__)

_INFINITY = 0x7F800000
"""The bits of an infinite float32."""


@dataclass(frozen=True)
class Source:
    """One file, and where it has the histograms of each family of a layout."""

    file: RootFile
    families: tuple[Family, ...]
    columns: tuple[KeyColumns, ...]
    names: dict[str, Names]
    """Of each directory."""
    rows: tuple[list[int], ...]
    """For each family, the rows of its histograms among the keys of the directory."""
    whole: bool
    """There is nothing else in the directories."""

    @property
    def path(self) -> Path:
        return self.file.path

    def read(self, number: int, rows: slice | list[int]) -> Stack:
        """Some histograms of family ``number``, checked."""
        family = self.families[number]
        try:
            result = stack(family, self.file.objects(self.columns[number][rows]))
            check_entries(result)
            check_contents(result)
        except RowError as error:
            row = (
                range(len(family.names))[rows][error.row]
                if isinstance(rows, slice)
                else (rows[error.row])
            )
            name = f"{family.directory}/{family.names[row]}"
            msg = f"{self.path}: {name}: {error}"
            raise InputFileError(msg) from error
        return result


def check_entries(result: Stack) -> None:
    """Raise RowError where fEntries is anything but a number of fills."""
    entries = result.statistics[:, 0].astype(np.float64)
    good = (entries >= 0) & (entries < np.inf) & (np.rint(entries) == entries)
    if not good.all():
        row = int(np.argmin(good))
        raise RowError(row, f"its number of entries is {entries[row]}, not a count")


def check_contents(result: Stack) -> None:
    """Raise RowError where a bin holds anything but a number of hits."""
    contents = result.native
    if contents.dtype.kind == "i":
        good = contents >= 0
    else:
        # as whole numbers, the bits of negative, infinite and undefined values are the largest
        within = contents.view(np.uint32).max() < _INFINITY
        if within and (np.rint(contents) == contents).all():
            return
        good = (contents >= 0) & (contents < np.inf) & (np.rint(contents) == contents)
    if not good.all():
        row, cell = np.argwhere(~good)[0].tolist()
        raise RowError(row, f"the content of bin {cell} is {contents[row, cell]}, not a count")


def locate_all(files: Iterable[RootFile], families: tuple[Family, ...]) -> list[Source]:
    """`locate` for several files."""
    result: list[Source] = []
    for file in files:
        result.append(locate(file, families, result[0] if result else None))
    return result


def locate(file: RootFile, families: tuple[Family, ...], like: Source | None = None) -> Source:
    """Find all histograms of a layout in a file.

    ``like`` may be another file with the same layout; if the names are the same and in the same
    order, they are not looked up again. Raises InputFileError with everything that is missing or of
    another class. Anything else in the file is reported as a warning and left alone.
    """
    directories = dict.fromkeys(family.directory for family in families)
    before = like.names if like is not None else {}
    tables = {name: file.directory(name, before.get(name)) for name in directories}
    names = {name: table.names for name, table in tables.items()}
    extra = [name for name in file.top.rows if name not in tables]
    if like is not None and like.whole and all(names[each] is before[each] for each in names):
        rows = like.rows
    else:
        rows = _rows(file.path, families, tables)
        extra += _unknown(tables, families)
    if extra:
        log.warning("%s: ignored, as not part of a map file: %s", file.path, some(extra))
    columns = tuple(
        tables[family.directory].columns[each] for family, each in zip(families, rows, strict=True)
    )
    return Source(file, families, columns, names, rows, not extra)


def _rows(
    path: Path, families: Sequence[Family], tables: Mapping[str, KeyTable]
) -> tuple[list[int], ...]:
    """The row of each histogram among the keys; InputFileError for what is missing or wrong."""
    result, problems = [], []
    for family in families:
        table = tables[family.directory]
        rows = [table.rows.get(name, -1) for name in family.names]
        problems += _missing(family, rows) or _of_other_class(family, table, rows)
        result.append(rows)
    if problems:
        msg = f"{path}: {'; '.join(problems)}"
        raise InputFileError(msg)
    return tuple(result)


def _missing(family: Family, rows: Sequence[int]) -> list[str]:
    names = [family.names[i] for i, row in enumerate(rows) if row < 0]
    if not names:
        return []
    return [f"no {family.class_name} {some([f'{family.directory}/{name}' for name in names])}"]


def _of_other_class(family: Family, table: KeyTable, rows: Sequence[int]) -> list[str]:
    other = [
        f"{family.directory}/{name} ({table.class_names[row]})"
        for name, row in zip(family.names, rows, strict=True)
        if table.class_names[row] != family.class_name
    ]
    return [f"not of class {family.class_name}: {some(other)}"] if other else []


def _unknown(tables: Mapping[str, KeyTable], families: Sequence[Family]) -> list[str]:
    """What the directories contain beyond the layout."""
    unknown = []
    for directory, table in tables.items():
        names = [each.names for each in families if each.directory == directory]
        if len(table.rows) > sum(map(len, names)):
            known = set().union(*names)
            unknown += [f"{directory}/{name}" for name in table.rows if name not in known]
    return unknown


def walk_one(file: RootFile, family: Family) -> tuple[Anatomy, bytes]:
    """The only histogram of a family, whatever its binning; InputFileError if there is none."""
    table = file.directory(family.directory)
    rows = [table.rows.get(name, -1) for name in family.names]
    problems = _missing(family, rows) or _of_other_class(family, table, rows)
    if problems:
        msg = f"{file.path}: {problems[0]}"
        raise InputFileError(msg)
    try:
        (streamed,) = file.objects(table.columns[rows])
        return walk(streamed, family.class_name), streamed
    except DamagedError as error:
        msg = f"{file.path}: {family.directory}/{family.names[0]}: {error}"
        raise InputFileError(msg) from error
