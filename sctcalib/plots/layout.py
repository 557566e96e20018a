"""Where each side of the detector lies on a page: barrel grids above, end-cap disks below.

Units are inches from the lower left corner of the page. Positions follow detector.md 1: phi
increases upwards in the grids, and counter-clockwise on the disks of both end caps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from sctcalib.detector.geometry import module_types, modules_in_phi
from sctcalib.detector.identifiers import wafers
from sctcalib.detector.regions import BARREL_ETA, BARREL_PHI, N_DISKS, N_WAFERS, RINGS_OF_DISK

FloatArray = NDArray[np.float64]

BARREL_NAMES = ("B3", "B4", "B5", "B6")
_LEFT = 0.95
_GRID_WIDTH, _GRID_HEIGHT, _GRID_BOTTOM = 1.0, 1.88, 4.95
_SIDE_GAP, _LAYER_PITCH = 0.07, 2.43
_CENTRE_GAP = 0.4
"""Between eta -1 and 1, in widths of a module: there is no eta 0."""
_DISK_PITCH, _DISK_RADIUS = 1.078, 0.485
_ROWS = ((-2, 0, 3.99), (-2, 1, 2.98), (2, 0, 1.93), (2, 1, 0.92))
"""End cap, side and height of the centres of a row of disks."""
_DRAWN_RADII_MM = ((449.0, 560.0), (337.6, 445.0), (402.8, 445.0), (275.0, 333.0))
"""By end-cap module type; rings overlap in truth, where the disks are drawn they must not."""
_OUTER_MM = 560.0
_SHORT_MIDDLE_DISK = 7
_FILLED = 0.93
"""How much of its share in phi a module takes up on a disk."""
_ARC = np.linspace(-0.5, 0.5, 4)


@dataclass(frozen=True)
class Grid:
    """Frame of one side of a barrel layer."""

    layer: int
    side: int
    left: float
    bottom: float
    width: float
    height: float

    @property
    def module_width(self) -> float:
        """Of one step in eta."""
        return self.width / (len(BARREL_ETA) + _CENTRE_GAP)

    def eta_left(self, eta: NDArray[np.int64]) -> FloatArray:
        """Left edges of modules."""
        step = np.where(eta < 0, eta - BARREL_ETA[0], eta - BARREL_ETA[0] - 1 + _CENTRE_GAP)
        return np.asarray(self.left + step * self.module_width)


@dataclass(frozen=True)
class Disk:
    """One side of an end-cap disk."""

    bec: int
    disk: int
    side: int
    x: float
    y: float
    radius: float
    rings: tuple[tuple[float, float], ...]
    """Inner and outer radius of each."""


@cache
def grids() -> tuple[Grid, ...]:
    """The eight of the barrel."""
    return tuple(
        Grid(
            layer,
            side,
            _LEFT + layer * _LAYER_PITCH + side * (_GRID_WIDTH + _SIDE_GAP),
            _GRID_BOTTOM,
            _GRID_WIDTH,
            _GRID_HEIGHT,
        )
        for layer in range(len(BARREL_PHI))
        for side in (0, 1)
    )


@cache
def disks() -> tuple[Disk, ...]:
    """The 36 of the end caps."""
    return tuple(_disks())


def _disks() -> Iterator[Disk]:
    scale = _DISK_RADIUS / _OUTER_MM
    for bec, side, y in _ROWS:
        for disk, n_rings in enumerate(RINGS_OF_DISK):
            kinds = (0, 2 if disk == _SHORT_MIDDLE_DISK else 1, 3)[:n_rings]
            radii = [_DRAWN_RADII_MM[kind] for kind in kinds]
            rings = tuple((inner * scale, outer * scale) for inner, outer in radii)
            x = _LEFT + (disk + 0.5) * _DISK_PITCH
            yield Disk(bec, disk, side, x, y, _DISK_RADIUS, rings)


@cache
def outlines() -> FloatArray:
    """Corners of every side in hash order, shape (8176, 8, 2), read only."""
    corners = np.empty((N_WAFERS, 2 * len(_ARC), 2))
    w = wafers()
    for grid in grids():
        mine = (w.bec == 0) & (w.layer == grid.layer) & (w.side == grid.side)
        corners[mine] = _rectangles(grid, w.eta[mine], w.phi[mine])
    types, n_phi = np.repeat(module_types(), 2), np.repeat(modules_in_phi(), 2)
    for disk in disks():
        mine = (w.bec == disk.bec) & (w.layer == disk.disk) & (w.side == disk.side)
        corners[mine] = _sectors(
            disk, types[mine], 2 * np.pi * w.phi[mine] / n_phi[mine], n_phi[mine]
        )
    corners.flags.writeable = False
    return corners


def _rectangles(grid: Grid, eta: NDArray[np.int64], phi: NDArray[np.int64]) -> FloatArray:
    left = grid.eta_left(eta)
    height = grid.height / BARREL_PHI[grid.layer]
    bottom = grid.bottom + phi * height
    x = np.stack([left, left + grid.module_width], axis=1)[:, [0] * 4 + [1] * 4]
    y = np.stack([bottom, bottom + height], axis=1)[:, [0, 1, 1, 1, 1, 0, 0, 0]]
    return np.stack([x, y], axis=2)


def _sectors(
    disk: Disk, types: NDArray[np.int64], phi: FloatArray, n_phi: NDArray[np.int64]
) -> FloatArray:
    radii = np.array(_DRAWN_RADII_MM)[types] * _DISK_RADIUS / _OUTER_MM
    arc = phi[:, None] + _FILLED * 2 * np.pi / n_phi[:, None] * _ARC
    angles = np.concatenate([arc, arc[:, ::-1]], axis=1)
    distance = np.repeat(radii, len(_ARC), axis=1)
    x, y = disk.x + distance * np.cos(angles), disk.y + distance * np.sin(angles)
    return np.stack([x, y], axis=2)


assert len(RINGS_OF_DISK) == N_DISKS
