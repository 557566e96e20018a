"""Which histograms the map files hold (algorithms-hitmaps.md 2): names, titles, classes, bins."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

from sctcalib.detector.identifiers import wafer_names
from sctcalib.detector.regions import N_CHIPS_PER_SIDE, N_STRIPS, REGIONS, Region

GENERAL = "GENERAL"
EVENTS = f"{GENERAL}/events"


@dataclass(frozen=True)
class Axis:
    """Bins of equal width; equality of all three numbers is exact."""

    n: int
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.n} bins {self.low:g}...{self.high:g}"


STRIPS = Axis(N_STRIPS, -0.5, N_STRIPS - 0.5)
ONE_BIN = Axis(1, 0.5, 1.5)


@dataclass(frozen=True)
class Family:
    """Histograms of one directory that are alike but for their names and titles.

    ``first`` is the position of the first one in an array over the whole detector.
    """

    directory: str
    class_name: str
    names: tuple[str, ...]
    title: str
    """``{}`` stands for the name, without ``suffix``."""
    axes: tuple[Axis, ...]
    first: int = 0
    suffix: str = ""

    @property
    def n_cells(self) -> int:
        """Bins of one histogram with under- and overflow."""
        return math.prod(axis.n + 2 for axis in self.axes)

    @property
    def titles(self) -> list[str]:
        return [self.title.format(name.removesuffix(self.suffix)) for name in self.names]

    def bodies(self, rows: slice) -> list[bytes]:
        """Names and titles of some histograms as they are streamed."""
        texts = zip(self.names[rows], self.titles[rows], strict=True)
        return [text_bytes(name) + text_bytes(title) for name, title in texts]


def text_bytes(text: str) -> bytes:
    """A TString as it is streamed: its length, then its bytes."""
    data = text.encode()
    if len(data) < 255:
        return bytes([len(data)]) + data
    return b"\xff" + len(data).to_bytes(4, "big") + data


def events_family(axis: Axis = ONE_BIN) -> Family:
    """The histogram ``GENERAL/events``, in which each event is filled once."""
    return Family(GENERAL, "TH1I", ("events",), "Events", (axis,))


@cache
def hit_map_families() -> tuple[Family, ...]:
    """SCTHitMaps.root: events, then the wafers of each region, in hash order."""
    return (
        events_family(),
        *(
            wafer_maps(region, f"SCT {region.title} Hitmap: plane {{}}", STRIPS)
            for region in REGIONS
        ),
    )


def wafer_maps(region: Region, title: str, axis: Axis) -> Family:
    """One TH1F for each wafer of a region, named after its position."""
    names = wafer_names()[region.wafers]
    return Family(region.directory, "TH1F", names, title, (axis,), region.first_wafer)


@cache
def lumi_block_families(n_blocks: int, per_window: int) -> tuple[Family, ...]:
    """SCTLB.root for ``n_blocks`` lumi blocks, ``per_window`` of them in one row of the 2D maps.

    Events, then for each region the 2D maps of its wafers and the histograms of its chips.
    """
    axis = Axis(n_blocks, 0.5, n_blocks + 0.5)
    rows = -(-n_blocks // per_window)
    windows = Axis(rows, 0.5, per_window * rows + 0.5)
    families = [events_family(axis)]
    for region in REGIONS:
        families += [window_maps(region, windows), _chip_maps(region, axis)]
    return tuple(families)


def window_maps(region: Region, windows: Axis) -> Family:
    """The 2D maps of a region, strips by windows of lumi blocks."""
    suffix = "__2D"
    names = tuple(f"{wafer}{suffix}" for wafer in wafer_names()[region.wafers])
    title = f"SCT {region.title} Hitmap: plane {{}}_"
    return Family(
        region.directory, "TH2F", names, title, (STRIPS, windows), region.first_wafer, suffix
    )


def _chip_maps(region: Region, axis: Axis) -> Family:
    """Chips 0-5 are on side 0 (even hash), chips 6-11 on side 1."""
    names = tuple(
        f"{wafer}_{chip + N_CHIPS_PER_SIDE * (row % 2)}"
        for row, wafer in enumerate(wafer_names()[region.wafers])
        for chip in range(N_CHIPS_PER_SIDE)
    )
    title = f"SCT{region.title} LB: chip {{}}"
    first = region.first_wafer * N_CHIPS_PER_SIDE
    return Family(region.directory, "TH1F", names, title, (axis,), first)
