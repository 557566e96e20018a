"""A ROOT file whose directories are nested: find objects by their paths, read many at once."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from sctcalib.histograms.damage import DamagedError, RowError
from sctcalib.histograms.keys import NO_KEYS, KeyColumns, KeyTable
from sctcalib.histograms.monitoring_objects import Bins, read_bins
from sctcalib.histograms.rootfile import DIRECTORY_CLASSES, RootFile, some
from sctcalib.job.errors import InputFileError


class NestedRootFile(RootFile):
    """Paths are ``directory/.../name``; each list of keys is read once."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._tables: dict[str, KeyTable] = {"": self.top}

    def keys(self, directory: str) -> KeyTable:
        """The keys of a directory; none if there is no such directory."""
        if directory not in self._tables:
            self._tables[directory] = self._read_keys(directory)
        return self._tables[directory]

    def subdirectories(self, directory: str = "") -> list[str]:
        """Names of the directories in a directory."""
        table = self.keys(directory)
        return [n for n, row in table.rows.items() if table.class_names[row] in DIRECTORY_CLASSES]

    def has(self, path: str) -> bool:
        """Whether there is an object of this path, of any class."""
        directory, _, name = path.rpartition("/")
        return name in self.keys(directory).rows

    def read(self, classes: Mapping[str, str]) -> list[Bins]:
        """The bins of existing objects, given with the class that each must have.

        Raises InputFileError for objects of other classes, all at once, and for a damaged one.
        """
        paths = list(classes)
        self._check_classes(classes)
        try:
            objects = self.objects(self._columns(paths))
        except RowError as error:
            msg = f"{self.path}: {paths[error.row]}: {error}"
            raise InputFileError(msg) from error
        return [
            self._bins(path, streamed, classes[path])
            for path, streamed in zip(paths, objects, strict=True)
        ]

    def labels(self, path: str) -> dict[str, int]:
        """Bin numbers (from 1 on) by their labels on the x axis.

        A label carries the number of its bin; the order in which labels are stored means nothing.
        """
        import uproot

        try:
            # a colon in a plain path would be read as file:object
            with uproot.open({self.path: None}, object_cache=None, array_cache=None) as file:
                stored = file[path].member("fXaxis").member("fLabels") or []
            numbers = [label.bases[0].member("@fUniqueID") for label in stored]
        except Exception as error:  # damaged bytes give errors of many classes
            msg = f"{self.path}: {path}: its labels cannot be read: {error}"
            raise InputFileError(msg) from error
        # other writers than ROOT leave the number out and label all bins in order
        return {
            str(label): n or i for i, (label, n) in enumerate(zip(stored, numbers, strict=True), 1)
        }

    def raise_all(self, problems: Sequence[str]) -> None:
        """One error for some objects that are not what they must be, if there are any."""
        if problems:
            msg = f"{self.path}: {some(problems)}"
            raise InputFileError(msg)

    def _bins(self, path: str, streamed: bytes, class_name: str) -> Bins:
        try:
            return read_bins(streamed, class_name)
        except DamagedError as error:
            msg = f"{self.path}: {path}: {error}"
            raise InputFileError(msg) from error

    def _read_keys(self, directory: str) -> KeyTable:
        parent, _, name = directory.rpartition("/")
        table = self.keys(parent)
        row = table.rows.get(name)
        if row is None or table.class_names[row] not in DIRECTORY_CLASSES:
            return NO_KEYS
        at = int(table.columns.seek[row] + table.columns.header[row])
        try:
            return self._keys_of_record(at, directory)
        except (struct.error, IndexError, DamagedError, OSError) as error:
            msg = f"{self.path}: the directory {directory} is damaged: {error}"
            raise InputFileError(msg) from error

    def _check_classes(self, classes: Mapping[str, str]) -> None:
        problems = []
        for path, expected in classes.items():
            directory, _, name = path.rpartition("/")
            table = self.keys(directory)
            found = table.class_names[table.rows[name]]
            if found != expected:
                problems.append(f"{path} is a {found}, expected a {expected}")
        self.raise_all(problems)

    def _columns(self, paths: Sequence[str]) -> KeyColumns:
        """Where the objects are, gathered from their directories."""
        tables, rows = [], []
        for path in paths:
            directory, _, name = path.rpartition("/")
            table = self.keys(directory)
            tables.append(table.columns)
            rows.append(table.rows[name])
        fields = ("seek", "stored", "header", "length")
        return KeyColumns(
            *(
                np.array([getattr(t, field)[row] for t, row in zip(tables, rows, strict=True)])
                for field in fields
            )
        )
