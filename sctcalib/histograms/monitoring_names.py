"""Names and bins of the monitoring histograms that the calibration loop reads (hist-files.md).

A kind of map is 44 objects, one for each layer or disk and side: 18 of end cap C, 8 of the barrel,
18 of end cap A.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np

from sctcalib.detector.identifiers import IntArray, wafers
from sctcalib.detector.regions import BARREL_ETA, BARREL_PHI, N_DISKS, REGIONS, RING_PHI
from sctcalib.histograms.layouts import Axis

N_EVENTS = "SCT/GENERAL/Conf/NumberOfEventsVsLB"
"""Its entries are the events, also those with the SCT error flag."""
EVENTS_BY_ENVIRONMENT = "GLOBAL/DQTDataFlow/events_lb"
TIER0_LABELS = ("tier0ESD", "tier0")
"""The larger of the two bins with these labels counts."""

_ETA_BINS = 2 * BARREL_ETA[-1] + 1
BARREL_AXES = (
    Axis(_ETA_BINS, -_ETA_BINS / 2, _ETA_BINS / 2),
    Axis(BARREL_PHI[-1], -0.5, BARREL_PHI[-1] - 0.5),
)
END_CAP_AXES = (Axis(3, -0.5, 2.5), Axis(RING_PHI[0], -0.5, RING_PHI[0] - 0.5))
AXES = (END_CAP_AXES, BARREL_AXES, END_CAP_AXES)
"""Eta and phi by region; all layers and disks have the full size."""
LAYERS = (N_DISKS, len(BARREL_PHI), N_DISKS)

LORENTZ_AXES = (Axis(360, -18.0, 18.0), Axis(360, -90.0, 90.0))
"""Incidence angle in degrees: of release 21.0, and of all later ones."""
SENSOR_TYPES = (100, 111)
LORENTZ_FOLDER = "SCT/GENERAL/lorentz"


class MapKind(NamedTuple):
    """A class, and for each region the path below ``run_<N>`` that ``_<layer>_<side>`` ends."""

    class_name: str
    stems: tuple[str, str, str]
    suffix: str = ""

    def path(self, region: int, layer: int, side: int) -> str:
        return f"{self.stems[region]}_{layer}_{side}{self.suffix}"

    def paths(self) -> list[str]:
        """The 44 paths in the order of `MAPS`."""
        return [self.path(*place) for place in MAPS]

    def family(self, region: int) -> str:
        """All paths of a region in one text."""
        return f"{self.stems[region]}_<0-{LAYERS[region] - 1}>_<0-1>{self.suffix}"


MAPS = tuple(
    (region, layer, side)
    for region, layers in enumerate(LAYERS)
    for layer in range(layers)
    for side in (0, 1)
)
"""Region, layer or disk, and side of each map."""
N_MAPS = len(MAPS)

_END_CAP_LETTERS = ("ECm", "", "ECp")


def _named(class_name: str, folder: str, names: tuple[str, str, str], suffix: str = "") -> MapKind:
    stems = tuple(
        f"SCT/{region.directory}/{folder}/{name}"
        for region, name in zip(REGIONS, names, strict=True)
    )
    return MapKind(class_name, (stems[0], stems[1], stems[2]), suffix)


def _lettered(name: str) -> tuple[str, str, str]:
    c, b, a = (f"{name}{letters}" for letters in _END_CAP_LETTERS)
    return c, b, a


EFFICIENCY = _named("TProfile2D", "eff", ("m_eff", "eff", "p_eff"))
"""In the barrel ``m_eff`` is a trap: 21.0 books it and never fills it."""
EFFICIENCY_FIRST_BCID = EFFICIENCY._replace(suffix="_bcid")
HITS = _named("TH2F", "hits", _lettered("hitsmap"))
HITS_BEFORE_2010 = _named("TH2F", "hits", ("ECm_hitsmap", "hitsmap", "ECp_hitsmap"))
OCCUPANCY_STEMS = ("hitoccupancymap", "noiseoccupancymap")


def occupancy_kind(stem: str, *, trigger: bool) -> MapKind:
    """Maps of hits or of noise, of all events or of those of the empty-bunch trigger."""
    return _named("TProfile2D", "Noise", _lettered(stem + ("trigger" if trigger else "")))


@dataclass(frozen=True)
class ErrorConvention:
    """One of the ways in which byte-stream error maps are named."""

    prefix: str
    class_name: str
    in_folder: bool
    """Whether each error has a directory of its own."""

    @property
    def is_fraction(self) -> bool:
        """Whether contents are fractions of the events, not numbers of them."""
        return self.class_name == "TProfile2D"

    def kind(self, error: str) -> MapKind:
        """The maps of one error."""
        folder = f"errors/{error}" if self.in_folder else "errors"
        c, b, a = (f"{self.prefix}{error}{letters}" for letters in ("EC", "B", "EA"))
        return _named(self.class_name, folder, (c, b, a))


ERROR_CONVENTIONS = tuple(
    ErrorConvention(prefix, class_name, in_folder)
    for prefix, class_name in (
        ("SCT_NumberOf", "TProfile2D"),
        ("SCT_T", "TH2F"),
        ("SCT_", "TProfile2D"),
    )
    for in_folder in (True, False)
)
"""In the order in which they are looked for (algorithms-hist.md 6.2)."""


def lorentz_paths() -> dict[tuple[int, int, int], str]:
    """Paths of the 16 profiles by layer, side and sensor type."""
    return {
        (layer, side, sensor): f"{LORENTZ_FOLDER}/h_phiVsNstrips_{sensor}_{layer}Side{side}"
        for layer in range(len(BARREL_PHI))
        for side in (0, 1)
        for sensor in SENSOR_TYPES
    }


def has_no_modules(layer: int, _side: int, sensor: int) -> bool:
    """Whether no module of the layer has such sensors."""
    return (layer, sensor) == (1, 100)


@cache
def map_offsets() -> IntArray:
    """Where each of the 44 maps begins when all their bins are strung together; shape (45,)."""
    cells = [(AXES[region][0].n + 2) * (AXES[region][1].n + 2) for region, _, _ in MAPS]
    return np.concatenate([[0], np.cumsum(cells)]).astype(np.int64)


@cache
def map_of_wafer() -> IntArray:
    """Which of the 44 maps has the bin of each wafer, shape (8176,)."""
    w = wafers()
    first = np.concatenate([[0], np.cumsum(2 * np.array(LAYERS))])
    return np.asarray(first[w.bec // 2 + 1] + 2 * w.layer + w.side)


@cache
def bin_of_wafer() -> IntArray:
    """Where the bin of each wafer is among all bins of 44 maps, shape (8176,) (hist-files.md 2)."""
    w = wafers()
    region = w.bec // 2 + 1
    column = w.eta + np.where(region == 1, BARREL_ETA[-1], 0) + 1
    row_length = np.array([eta.n + 2 for eta, _ in AXES])[region]
    return np.asarray(map_offsets()[map_of_wafer()] + (w.phi + 1) * row_length + column)
