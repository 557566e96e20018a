"""HIST files: the few monitoring histograms that each part needs, as arrays over the wafers.

Files of releases 21.0, 22.0 and newer are read (docs/hist-files.md, reference/hist-files.md). Only
what is asked for is read. Everything that is missing is reported at once; objects of another class
or with other bins, and values that cannot be, are errors.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sctcalib.detector.regions import N_WAFERS
from sctcalib.histograms import monitoring_names as names
from sctcalib.histograms.monitoring_file import NestedRootFile
from sctcalib.histograms.monitoring_names import ErrorConvention, MapKind
from sctcalib.histograms.monitoring_objects import Bins
from sctcalib.histograms.monitoring_run import RunDirectory
from sctcalib.job.errors import InputFileError
from sctcalib.parts.bytestream_errors import ERROR_NAMES, N_POSITIONS

log = logging.getLogger(__name__)

FloatArray = NDArray[np.float64]
LorentzKey = tuple[int, int, int]
"""Barrel layer, side, sensor type (100 or 111)."""


@dataclass(frozen=True)
class WaferMap:
    """One bin of each wafer, shape (8176,), in hash order."""

    content: FloatArray
    """Mean of a profile's bin, 0 without entries; content of a histogram's bin."""
    entries: FloatArray | None
    """Entries of a profile's bins; None for a histogram."""

    @property
    def filled(self) -> bool:
        """Whether any bin that belongs to a module has an entry."""
        return bool((self.content if self.entries is None else self.entries).any())


@dataclass(frozen=True)
class ErrorMaps:
    """Byte-stream errors, shape (8176, 15): wafer, position of the error type.

    Positions are those of algorithms-hist.md 6.1; the three without histogram are 0.
    """

    content: FloatArray
    """Fraction of the events that have the error; their number where there are no entries."""
    entries: FloatArray | None
    """Events that were looked at; None for the counting maps of 21.0."""
    kind: str
    """How the names of the maps begin: ``SCT_NumberOf``, ``SCT_T`` or ``SCT_``."""


@dataclass(frozen=True)
class WidthProfile:
    """Mean cluster width versus incidence angle; arrays over the bins."""

    degrees: FloatArray
    """Bin centres."""
    width: FloatArray
    """Mean number of strips; 0 without entries."""
    error: FloatArray
    """By the error option that is stored with the profile; 0 without entries."""
    entries: FloatArray


class HistFile:
    """The monitoring of one run; see `open_hist`. Everything raises InputFileError (exit 74)."""

    def __init__(self, run: RunDirectory, *, before_2010: bool = False) -> None:
        self._run = run
        self._hits = names.HITS_BEFORE_2010 if before_2010 else names.HITS

    @property
    def n_events(self) -> int:
        """Events of the run; 0 in standby."""
        return self._count[0]

    @property
    def event_counter(self) -> str:
        """Which histogram counts them: its path below the directory of the run."""
        return self._count[1]

    @cached_property
    def _count(self) -> tuple[int, str]:
        first, second = names.N_EVENTS, names.EVENTS_BY_ENVIRONMENT
        if self._run.has(first):
            events, path = self._run.read({first: "TH1F"})[0].fills, first
        elif self._run.has(second):
            events, path = self._tier0_events(), second
        else:
            msg = (
                f"{self._run.file.path}: no number of events: neither {first} nor {second} is in"
                f" {self._run.name}"
            )
            raise InputFileError(msg)
        if not (math.isfinite(events) and events >= 0 and events.is_integer()):
            msg = f"{self._run.place(path)}: its number of events is {events:g}, not a count"
            raise InputFileError(msg)
        return int(events), path

    def _tier0_events(self) -> float:
        """The larger of the counts of the two environments of the Tier-0, found by label."""
        path = names.EVENTS_BY_ENVIRONMENT
        bins = self._run.read({path: "TH1I"})[0]
        labels = self._run.labels(path)
        inside = range(1, bins.axes[0].n + 1)
        found = [labels[label] for label in names.TIER0_LABELS if labels.get(label) in inside]
        if not found:
            wanted = " or ".join(names.TIER0_LABELS)
            msg = f"{self._run.place(path)}: no bin is labelled {wanted}; labels: {list(labels)}"
            raise InputFileError(msg)
        return float(bins.sums[found].max())

    def efficiency(self) -> WaferMap:
        """Hit efficiencies 0-1; entries are track crossings."""
        return self._map(names.EFFICIENCY, highest=1)

    def efficiency_first_bcid(self) -> WaferMap | None:
        """The same for the first bunch of a train; None, with a warning, if no map is there."""
        if self._run.has_any(names.EFFICIENCY_FIRST_BCID):
            return self._map(names.EFFICIENCY_FIRST_BCID, highest=1)
        log.warning(
            "%s: no efficiencies of the first bunches of trains (maps ..._bcid): they count as 0",
            self._run.file.path,
        )
        return None

    def occupancy(self, stem: str, *, trigger: bool) -> WaferMap:
        """Occupancies in units of 1e-5.

        ``stem`` is ``hitoccupancymap`` or ``noiseoccupancymap``; ``trigger`` asks for the maps of
        the empty-bunch trigger. There is no fall-back from one to another: they are different
        quantities.
        """
        kind = names.occupancy_kind(stem, trigger=trigger)
        hint = "" if self._run.has_any(kind) else self._other_occupancies()
        return self._map(kind, hint=hint)

    def _other_occupancies(self) -> str:
        """Which maps a job could ask for instead."""
        others = [
            f"NoiseOccupancyHistogram {stem!r} with NoiseOccupancyTriggerAware {aware}"
            for stem in names.OCCUPANCY_STEMS
            for aware in (False, True)
            if self._run.has_any(names.occupancy_kind(stem, trigger=aware))
        ]
        return f"; the file has those of {', '.join(others)}" if others else ""

    def hits(self) -> WaferMap:
        """Fired strips, summed over the events."""
        return self._map(self._hits)

    def hits_if_present(self) -> WaferMap | None:
        """The same; None if the file has no hit map at all."""
        return self.hits() if self._run.has_any(self._hits) else None

    def _map(self, kind: MapKind, *, highest: float = math.inf, hint: str = "") -> WaferMap:
        content, entries = self._run.maps([kind], highest=highest, hint=hint)
        return WaferMap(content[0], None if entries is None else entries[0])

    def errors(self) -> ErrorMaps:
        """Byte-stream errors; the kind of names that the first map has is demanded of all."""
        convention = self._error_convention()
        kinds = [convention.kind(name) for name in ERROR_NAMES.values()]
        highest = 1 if convention.is_fraction else math.inf
        content, entries = self._run.maps(kinds, highest=highest)
        counted = None if entries is None else _at_positions(entries)
        return ErrorMaps(_at_positions(content), counted, convention.prefix)

    def _error_convention(self) -> ErrorConvention:
        """The first one that has the first map; without a first map, one that has any map."""
        first = next(iter(ERROR_NAMES.values()))
        tried = {each: each.kind(first).path(0, 0, 0) for each in names.ERROR_CONVENTIONS}
        for convention, path in tried.items():
            if self._run.has(path):
                return convention
        for convention in tried:
            if any(self._run.has_any(convention.kind(name)) for name in ERROR_NAMES.values()):
                return convention
        wanted, *others = tried.values()
        msg = (
            f"{self._run.file.path}: Unable to get profile for BSErrorsDB : {self._run.name}/"
            f"{wanted}; no other map of byte-stream errors is there either (looked for"
            f" {', '.join(others)} and so on)"
        )
        raise InputFileError(msg)

    def lorentz(self) -> dict[LorentzKey, WidthProfile | None]:
        """The 16 profiles of cluster widths; None, with a warning, for layer 1 <100> if absent.

        No module of layer 1 has <100> sensors, and newer monitoring makes no such profile.
        """
        paths = names.lorentz_paths()
        absent = [key for key, path in paths.items() if not self._run.has(path)]
        optional = [key for key in absent if names.has_no_modules(*key)]
        self._run.raise_missing([paths[key] for key in absent if key not in optional])
        if optional:
            log.warning("%s: no profiles of layer 1 <100>: none is fitted", self._run.file.path)
        present = {key: path for key, path in paths.items() if key not in absent}
        found = self._run.read(dict.fromkeys(present.values(), "TProfile"))
        profiles = {
            key: self._width_profile(path, bins)
            for (key, path), bins in zip(present.items(), found, strict=True)
        }
        return {key: profiles.get(key) for key in paths}

    def _width_profile(self, path: str, bins: Bins) -> WidthProfile:
        (axis,) = bins.axes
        if axis not in names.LORENTZ_AXES:
            expected = " or ".join(map(str, names.LORENTZ_AXES))
            msg = f"{self._run.place(path)} has {axis}, expected {expected}"
            raise InputFileError(msg)
        assert bins.entries is not None
        inside = slice(1, -1)
        sums = {"entries": bins.entries, "widths": bins.sums, "squared widths": bins.squares}
        for what, values in sums.items():
            wrong = ~(np.isfinite(values) & (values >= 0))[inside]
            if wrong.any():
                number = int(wrong.argmax()) + 1
                msg = f"{self._run.place(path)}: bin {number}: sum of {what} is {values[number]:g}"
                raise InputFileError(msg)
        centres = axis.low + (np.arange(axis.n) + 0.5) * (axis.high - axis.low) / axis.n
        return WidthProfile(
            centres, bins.means()[inside], bins.errors()[inside], bins.entries[inside]
        )


def _at_positions(values: FloatArray) -> FloatArray:
    """Values of the error types with histograms, (12, 8176), at their places in (8176, 15)."""
    placed = np.zeros((N_WAFERS, N_POSITIONS))
    placed[:, list(ERROR_NAMES)] = values.T
    return placed


@contextmanager
def open_hist(path: Path, run: int, *, before_2010: bool = False) -> Iterator[HistFile]:
    """The monitoring histograms of a run in a local HIST file.

    ``before_2010`` selects the names that hit maps of the end caps had then (HistBefore2010).

    Raises InputFileError (exit 74) for a file that is not a sound ROOT file or is of another run.
    """
    yield HistFile(RunDirectory(NestedRootFile(Path(path)), run), before_2010=before_2010)
