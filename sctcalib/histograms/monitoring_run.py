"""The directory of one run in a HIST file: maps over the wafers, with everything checked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sctcalib.detector.identifiers import wafers
from sctcalib.histograms import monitoring_names as names
from sctcalib.histograms.layouts import Axis
from sctcalib.histograms.monitoring_file import NestedRootFile
from sctcalib.histograms.monitoring_names import MapKind
from sctcalib.histograms.monitoring_objects import Bins, divide
from sctcalib.histograms.rootfile import some
from sctcalib.job.errors import InputFileError

FloatArray = NDArray[np.float64]


class MapBins(NamedTuple):
    """Bins of the wafers in some kinds of maps, shape (kinds, 8176)."""

    content: FloatArray
    """Means of profiles, 0 without entries; contents of histograms."""
    entries: FloatArray | None
    """None for histograms."""


class RunDirectory:
    """Paths are below ``run_<N>``. All methods raise InputFileError for a bad file."""

    def __init__(self, file: NestedRootFile, run: int) -> None:
        self.file = file
        self.name = f"run_{run}"
        folders = file.subdirectories()
        if self.name not in folders:
            runs = [name.removeprefix("run_") for name in folders if name.startswith("run_")]
            found = f"it has run {some(runs)}" if runs else "it has no directory run_<number>"
            msg = f"{file.path}: RunNumber in HIST is inconsistent with jobO : {run}; {found}"
            raise InputFileError(msg)

    def place(self, path: str) -> str:
        """File and object, for messages."""
        return f"{self.file.path}: {self.name}/{path}"

    def has(self, path: str) -> bool:
        """Whether there is an object of this path."""
        return self.file.has(f"{self.name}/{path}")

    def has_any(self, kind: MapKind) -> bool:
        """Whether any of the 44 maps is there."""
        return any(map(self.has, kind.paths()))

    def read(self, classes: Mapping[str, str]) -> list[Bins]:
        """Objects that are there, given with the class that each must have."""
        return self.file.read({f"{self.name}/{p}": name for p, name in classes.items()})

    def labels(self, path: str) -> dict[str, int]:
        """Bin numbers by the labels of a histogram."""
        return self.file.labels(f"{self.name}/{path}")

    def maps(
        self, kinds: Sequence[MapKind], *, highest: float = math.inf, hint: str = ""
    ) -> MapBins:
        """Some kinds of maps of one class.

        Missing ones are reported all at once, with ``hint`` behind; so are those with other bins.
        Values of wafers must be numbers between 0 and ``highest``.
        """
        self.raise_missing(self._missing(kinds), hint)
        paths = [path for kind in kinds for path in kind.paths()]
        found = self.read({path: kind.class_name for kind in kinds for path in kind.paths()})
        self._check_axes(paths, [bins.axes for bins in found])
        content = _at_wafers([bins.sums for bins in found])
        entries = None
        if found[0].entries is not None:
            entries = _at_wafers([bins.entries for bins in found if bins.entries is not None])
            self._check_values(paths, "its entries in", entries, math.inf)
            content = divide(content, entries)
        self._check_values(paths, "its content in", content, highest)
        return MapBins(content, entries)

    def raise_missing(self, paths: Sequence[str], hint: str = "") -> None:
        """One error that lists the missing objects, if there are any."""
        if paths:
            msg = f"{self.file.path}: histograms missing in {self.name}: {', '.join(paths)}{hint}"
            raise InputFileError(msg)

    def _missing(self, kinds: Sequence[MapKind]) -> list[str]:
        """Paths of maps that are not there; one text for all maps of a region."""
        missing = []
        for kind in kinds:
            for region in range(len(kind.stems)):
                paths = [kind.path(*place) for place in names.MAPS if place[0] == region]
                absent = [path for path in paths if not self.has(path)]
                missing += [kind.family(region)] if len(absent) == len(paths) else absent
        return missing

    def _check_axes(self, paths: Sequence[str], found: Sequence[tuple[Axis, ...]]) -> None:
        expected = [names.AXES[region] for region, _, _ in names.MAPS]
        self.file.raise_all(
            [
                f"{self.name}/{path} has {_listed(axes)}, expected {_listed(right)}"
                for number, (path, axes) in enumerate(zip(paths, found, strict=True))
                if axes != (right := expected[number % names.N_MAPS])
            ]
        )

    def _check_values(
        self, paths: Sequence[str], what: str, values: FloatArray, highest: float
    ) -> None:
        """Refuse values that cannot be; bins without a module do not matter."""
        right = (values >= 0) & (values <= highest) & np.isfinite(values)
        if right.all():
            return
        kind, wafer = np.argwhere(~right)[0].tolist()
        number = names.N_MAPS * kind + int(names.map_of_wafer()[wafer])
        w = wafers()
        msg = (
            f"{self.place(paths[number])}: {what} eta {w.eta[wafer]}, phi {w.phi[wafer]} is"
            f" {values[kind, wafer]:g}, expected {_range(highest)}"
        )
        raise InputFileError(msg)


def _range(highest: float) -> str:
    return "a number from 0 on" if highest == math.inf else f"a number of 0 to {highest:g}"


def _listed(axes: tuple[Axis, ...]) -> str:
    return " x ".join(map(str, axes))


def _at_wafers(maps: Sequence[FloatArray]) -> FloatArray:
    """The bins of the wafers, shape (kinds, 8176), of 44 maps for each kind."""
    n = names.N_MAPS
    kinds = [maps[first : first + n] for first in range(0, len(maps), n)]
    return np.stack([np.concatenate(kind)[names.bin_of_wafer()] for kind in kinds])
