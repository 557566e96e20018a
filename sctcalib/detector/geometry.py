"""Module types, nominal values, positions and neighbours (reference/detector.md 1, 4, 6, 7).

Positions are the published, rounded ones: good for maps and simulation, not for alignment. Arrays
over modules have the shape (4088,) in module order, arrays over wafers (8176,) in hash order; all
are read only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sctcalib.detector.identifiers import IntArray, module_of, modules, wafer_hash, wafers
from sctcalib.detector.regions import BARREL_ETA, BARREL_PHI, RING_PHI, RINGS_OF_DISK

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
_Number = TypeVar("_Number", bound=np.generic)


@dataclass(frozen=True)
class ModuleType:
    """A kind of module: what its sides are made of, and how noisy they nominally are."""

    name: str
    sensors_per_side: int
    noise_occupancy: float
    """Typical fraction of events in which a strip fires at the threshold of 1 fC."""
    noise_charge: int
    """Equivalent noise charge in electrons at 0 degrees Celsius."""


MODULE_TYPES = (
    ModuleType("outer", 2, 3.5e-5, 1618),
    ModuleType("middle", 2, 2.7e-5, 1557),
    ModuleType("short middle", 1, 2.0e-9, 940),
    ModuleType("inner", 1, 5.0e-9, 1090),
    ModuleType("barrel", 2, 1.5e-5, 1500),
    ModuleType("barrel layer 3", 2, 2.1e-5, 1541),
)
"""The first four stand at their end-cap type number; the barrel's last layer is warmer."""
_OUTER, _MIDDLE, _SHORT_MIDDLE, _INNER, _BARREL, _BARREL_3 = range(6)
_SHORT_MIDDLE_DISK = 7

NOISE_OCCUPANCY_LIMIT = 5e-4
"""Specification of the noise occupancy at 1 fC."""
THRESHOLD_FEMTOCOULOMB = 1.0
STEREO_ANGLE_MILLIRADIAN = 40.0

BARREL_RADIUS_MM = (299.0, 371.0, 443.0, 514.0)
BARREL_TILT_DEGREES = (11.0, 11.0, 11.25, 11.25)
BARREL_MODULE_PITCH_MM = 124.5
"""Distance of module centres along z (an approximation: 12 modules over +-746 mm)."""
DISK_Z_MM = (853.8, 934.0, 1091.5, 1299.9, 1399.7, 1771.4, 2115.2, 2505.0, 2720.2)
RING_RADII_MM = ((438.8, 560.0), (337.6, 455.3), (402.8, 455.3), (275.0, 334.1))
"""Active radii (from, to) by end-cap module type: outer, middle, short middle, inner."""

_SENSORS_100 = {
    0: "5:4 14:-6 14:-5 20:-4 20:-3 20:-2 20:-1 20:1 20:4 21:-6 21:-5 21:-3 22:2 22:3 31:6",
    2: "8:6 13:2 13:3 14:4 23:6 24:4 29:-5 29:-4 29:-3 29:-2 29:-1 29:3 32:-4 32:-3 32:-1 32:2 32:4"
    " 32:5 32:6 33:-5 33:-4 33:-3 33:-2 33:-1 33:1 33:2 33:3 37:-5 37:-4 37:-3 37:-2 37:-1 37:1"
    " 37:2 37:3 37:4 37:5 38:-5 38:-4 38:-3 38:-2 38:1 38:3 38:4 45:-5 45:5 47:-5 47:-1 47:1 47:3"
    " 47:4",
    3: "6:-6 6:-2 9:-6 9:1 9:2 9:5 9:6 11:1 13:-1 13:2 13:5 17:6 19:-2 19:6 24:-6 24:-3 26:1 31:5"
    " 39:-5 39:-3 39:2 47:-5 47:3 54:4 54:5 55:-3",
}
"""Barrel modules with <100> sensors, by layer, as phi:eta; all others have <111> sensors."""


@cache
def module_types() -> IntArray:
    """Index into `MODULE_TYPES` of every module."""
    m = modules()
    ring_types = np.array([_OUTER, _MIDDLE, _INNER])
    end_cap = ring_types[np.where(m.bec == 0, 0, m.eta)]
    end_cap[(end_cap == _MIDDLE) & (m.layer == _SHORT_MIDDLE_DISK)] = _SHORT_MIDDLE
    barrel = np.where(m.layer == len(BARREL_PHI) - 1, _BARREL_3, _BARREL)
    return _read_only(np.where(m.bec == 0, barrel, end_cap))


@cache
def noise_occupancy() -> FloatArray:
    """Nominal noise occupancy of the strips of every module at 1 fC, dimensionless."""
    return _read_only(np.array([t.noise_occupancy for t in MODULE_TYPES])[module_types()])


@cache
def noise_charge() -> FloatArray:
    """Nominal equivalent noise charge of every module, in electrons at 0 degrees Celsius."""
    return _read_only(np.array([float(t.noise_charge) for t in MODULE_TYPES])[module_types()])


@cache
def has_100_sensors() -> BoolArray:
    """Which modules have <100> sensors (92 in the barrel); the others have <111>."""
    listed = [
        (layer, *map(int, place.split(":")))
        for layer, places in _SENSORS_100.items()
        for place in places.split()
    ]
    layer, phi, eta = np.array(listed).T
    flags = np.zeros(len(modules().bec), dtype=bool)
    flags[module_of(0, layer, phi, eta)] = True
    return _read_only(flags)


@cache
def modules_in_phi() -> IntArray:
    """How many modules the phi ring of each module has."""
    m = modules()
    in_barrel = np.array(BARREL_PHI)[np.where(m.bec == 0, m.layer, 0)]
    in_ring = np.array(RING_PHI)[np.where(m.bec == 0, 0, m.eta)]
    return _read_only(np.where(m.bec == 0, in_barrel, in_ring))


@cache
def phi_radian() -> FloatArray:
    """Azimuth of module centres in [0, 2 pi); module 0 of each ring is put at 0."""
    return _read_only(2 * np.pi * modules().phi / modules_in_phi())


@cache
def z_mm() -> FloatArray:
    """Position of module centres along the beam, positive on side A."""
    m = modules()
    along = np.sign(m.eta) * (np.abs(m.eta) - 0.5) * BARREL_MODULE_PITCH_MM
    return _read_only(np.where(m.bec == 0, along, np.sign(m.bec) * np.array(DISK_Z_MM)[m.layer]))


@cache
def radius_mm() -> FloatArray:
    """Distance of module centres from the beam: of the layer, or the middle of the ring."""
    m = modules()
    in_barrel = np.array(BARREL_RADIUS_MM)[np.where(m.bec == 0, m.layer, 0)]
    in_ring = np.mean(RING_RADII_MM, axis=1)[np.where(m.bec == 0, 0, module_types())]
    return _read_only(np.where(m.bec == 0, in_barrel, in_ring))


@cache
def tilt_degrees() -> FloatArray:
    """Tilt of barrel modules against the tangent; 0 in the end caps."""
    m = modules()
    tilt = np.array(BARREL_TILT_DEGREES)[np.where(m.bec == 0, m.layer, 0)]
    return _read_only(np.where(m.bec == 0, tilt, 0.0))


@cache
def other_side() -> IntArray:
    """Hash of the wafer on the other side of the module, for every wafer."""
    return _read_only(np.arange(len(wafers().bec)) ^ 1)


@cache
def phi_neighbours() -> tuple[IntArray, IntArray]:
    """Hashes of the previous and the next wafer in phi, same side, around the ring."""
    w = wafers()
    n_phi = np.repeat(modules_in_phi(), 2)
    previous, following = ((w.phi + step) % n_phi for step in (-1, 1))
    return (
        _read_only(wafer_hash(w.bec, w.layer, previous, w.eta, w.side)),
        _read_only(wafer_hash(w.bec, w.layer, following, w.eta, w.side)),
    )


@cache
def eta_neighbours() -> tuple[IntArray, IntArray]:
    """Hashes of the previous and the next wafer in eta, same side; -1 where there is none.

    The barrel steps from -1 to 1 and ends at -6 and 6. In the end caps only rings 1 and 2 of the
    same disk are neighbours: ring 0 has another number of modules.
    """
    return _eta_step(-1), _eta_step(1)


def _eta_step(step: int) -> IntArray:
    w = wafers()
    reached = w.eta + step
    in_barrel = np.where(reached == 0, step, reached)
    rings = np.array(RINGS_OF_DISK)[w.layer]
    inside = np.where(
        w.bec == 0,
        np.abs(in_barrel) <= BARREL_ETA[-1],
        (w.eta > 0) & (reached > 0) & (reached < rings),
    )
    eta = np.where(inside, np.where(w.bec == 0, in_barrel, reached), w.eta)
    neighbours = wafer_hash(w.bec, w.layer, w.phi, eta, w.side)
    return _read_only(np.where(inside, neighbours, -1))


def _read_only(values: NDArray[_Number]) -> NDArray[_Number]:
    values.flags.writeable = False
    return values
