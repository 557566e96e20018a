"""Constants of the detector and its three regions (reference/algorithms-hitmaps.md 1.1, 1.2)."""

from __future__ import annotations

from dataclasses import dataclass

N_MODULES = 4088
N_WAFERS = 2 * N_MODULES
N_STRIPS = 768
"""Strips of one side (wafer)."""
N_STRIPS_PER_CHIP = 128
N_CHIPS_PER_SIDE = 6
N_CHIPS_PER_MODULE = 12
N_CHIPS = N_MODULES * N_CHIPS_PER_MODULE
N_MODULE_STRIPS = 2 * N_STRIPS

BARREL_PHI = (32, 40, 48, 56)
"""Modules in phi, by barrel layer."""
BARREL_ETA = (-6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6)
N_DISKS = 9
RING_PHI = (52, 40, 40)
"""Modules in phi, by end-cap ring: outer, middle, inner."""
RINGS_OF_DISK = (2, 3, 3, 3, 3, 3, 2, 2, 1)
"""Rings present on each disk; they are always the outermost ones."""


@dataclass(frozen=True)
class Region:
    """One of the two end caps or the barrel, with the names that files use for it."""

    bec: int
    directory: str
    """Directory in ROOT map files."""
    title: str
    """Word in histogram titles."""
    label: str
    """Name in the XML monitoring summaries."""
    first_wafer: int
    n_wafers: int

    @property
    def wafers(self) -> slice:
        """The wafers of this region in an array over all wafers."""
        return slice(self.first_wafer, self.first_wafer + self.n_wafers)


REGIONS = (
    Region(-2, "SCTEC", "negativeEndcap", "EndCapC", 0, 1976),
    Region(0, "SCTB", "barrel", "Barrel", 1976, 4224),
    Region(2, "SCTEA", "positiveEndcap", "EndCapA", 6200, 1976),
)
"""In wafer-hash order; the index is ``bec // 2 + 1``."""
