"""Which wafer sends its data through which fibre of which read-out driver (ROD).

The real table of a run lives in the conditions database; here it comes from a text file in the
original's format (`sctcalib.detector.cabling_file`) or is a consistent synthetic one, in which
every wafer has a fibre of its own (reference/raw-bytestream.md 5).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sctcalib.detector.identifiers import IntArray, wafer_hash
from sctcalib.detector.regions import (
    BARREL_ETA,
    BARREL_PHI,
    N_DISKS,
    N_MODULES,
    N_WAFERS,
    RINGS_OF_DISK,
)

N_FIBRES = 96
"""Fibres of one ROD."""
NOT_CABLED = -1
INVALID_ONLINE_ID = 0xFFFFFFFF
FIRST_ROD, LAST_ROD = 0x210000, 0x24010F
RUN1_RODS, RUN2_RODS = 90, 128
LAST_YEAR_OF_90_RODS = 2013

_FIBRE_BIT = 24
_ROD_MASK = (1 << _FIBRE_BIT) - 1
_MODULES_PER_UNIT = 6
_UNITS_PER_ROD = 8

_RUN1_CRATES = {
    0x210000: 11, 0x210100: 11, 0x220000: 11, 0x220100: 11,
    0x230000: 11, 0x230100: 12, 0x240000: 12, 0x240100: 11,
}  # fmt: skip
"""RODs of each crate in Run 1, by the identifier of its first one."""
_RUN2_RODS_PER_CRATE = 16

_HARNESSES = (
    (5, 4, 3, 2, 1, 0),
    (12, 11, 10, 9, 8, 7),
    (6, 16, 15, 14, 13, -1),
    (22, 21, 20, 19, 18, 17),
    (28, 30, 32, 29, 31, -1),
    (26, 27, 25, 23, 24, -1),
)
"""Module numbers in a quadrant of a disk, in fibre order, by harness position; -1 is none."""
_HARNESSES_BY_RINGS = {1: 2, 2: 4, 3: 6}
_RING_NUMBERS = (range(13), range(13, 23), range(23, 33))
"""Module numbers of a quadrant that belong to each ring."""
_LAST_DISK = N_DISKS - 1
_SPECIAL_NUMBER = 6
_SPECIAL_QUADRANTS = {-2: (3, 2, 1, 0), 2: (2, 1, 0, 3)}
"""The harness that serves number 6 of the last disk: quadrants of its fibres 1-4."""


@dataclass(frozen=True)
class Cabling:
    """The table of fibres.

    ``rod_ids`` (n,) are the ROD identifiers, ascending; ``wafer`` (n, 96) int16 is the wafer hash
    behind each fibre of each ROD, -1 where there is none. ``serials`` (4088,) are the serial
    numbers of the modules, 0 where unknown, or None if the source has none.
    """

    rod_ids: IntArray
    wafer: NDArray[np.int16]
    serials: IntArray | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for a table that is not one."""
        cabled = self.wafer[self.wafer != NOT_CABLED]
        if self.wafer.shape != (len(self.rod_ids), N_FIBRES) or np.any(np.diff(self.rod_ids) <= 0):
            msg = "a cabling needs ascending ROD identifiers and a row of 96 fibres for each"
            raise ValueError(msg)
        if len(np.unique(cabled)) != len(cabled):
            msg = "a wafer is cabled twice"
            raise ValueError(msg)
        if len(cabled) and not 0 <= cabled.min() <= cabled.max() < N_WAFERS:
            msg = f"a cabled wafer is outside 0-{N_WAFERS - 1}"
            raise ValueError(msg)

    @property
    def n_cabled(self) -> int:
        """How many wafers have a fibre."""
        return int(np.count_nonzero(self.wafer != NOT_CABLED))

    def place_of_wafer(self) -> tuple[IntArray, IntArray]:
        """ROD index and fibre of every wafer, shape (8176,), -1 where it is not cabled."""
        rod_index = np.full(N_WAFERS, NOT_CABLED, dtype=np.int64)
        fibre = np.full(N_WAFERS, NOT_CABLED, dtype=np.int64)
        rows, columns = np.nonzero(self.wafer != NOT_CABLED)
        hashes = self.wafer[rows, columns]
        rod_index[hashes], fibre[hashes] = rows, columns
        return rod_index, fibre

    def online_ids(self) -> IntArray:
        """Online identifier of every wafer, shape (8176,); 0xffffffff where it is not cabled."""
        rod_index, fibre = self.place_of_wafer()
        ids = self.rod_ids[rod_index] | fibre << _FIBRE_BIT
        return np.where(fibre == NOT_CABLED, INVALID_ONLINE_ID, ids)

    def wafer_of_online_id(self, online_id: ArrayLike) -> IntArray:
        """Wafer hash behind online identifiers, -1 for unknown ones."""
        ids = np.asarray(online_id, dtype=np.int64)
        if not len(self.rod_ids):
            return np.full(ids.shape, NOT_CABLED, dtype=np.int64)
        rod, fibre = ids & _ROD_MASK, ids >> _FIBRE_BIT
        row = np.minimum(np.searchsorted(self.rod_ids, rod), len(self.rod_ids) - 1)
        known = (self.rod_ids[row] == rod) & (fibre >= 0) & (fibre < N_FIBRES)
        found = self.wafer[row, np.where(known, fibre, 0)].astype(np.int64)
        return np.where(known, found, NOT_CABLED)


def online_id(rod: int, fibre: int) -> int:
    """The 32-bit online identifier of a fibre."""
    return fibre << _FIBRE_BIT | rod


def rod_ids(n_rods: int = RUN2_RODS) -> IntArray:
    """Identifiers of the RODs of Run 1 (90) or Run 2 (128), ascending."""
    if n_rods == RUN2_RODS:
        crates = dict.fromkeys(_RUN1_CRATES, _RUN2_RODS_PER_CRATE)
    elif n_rods == RUN1_RODS:
        crates = _RUN1_CRATES
    else:
        msg = f"the SCT had {RUN1_RODS} or {RUN2_RODS} RODs, not {n_rods}"
        raise ValueError(msg)
    return np.array([first + slot for first, slots in crates.items() for slot in range(slots)])


@cache
def default_cabling(n_rods: int = RUN2_RODS) -> Cabling:
    """The synthetic table of all 8176 wafers, by the recipe of raw-bytestream.md 5.5."""
    rods = rod_ids(n_rods)
    table = np.full((n_rods, N_FIBRES), NOT_CABLED, dtype=np.int16)
    for partition, units in _partitions().items():
        of_partition = np.flatnonzero(rods >> 16 == partition)
        for row, order, members in _placed(units, of_partition, n_rods == RUN1_RODS):
            first = 2 * _MODULES_PER_UNIT * order
            for fibre_index, wafer in members:
                fibre = first + 2 * fibre_index
                table[row, fibre : fibre + 2] = wafer, wafer + 1
    table.flags.writeable = False
    return Cabling(rods, table)


def cabling_of_year(year: int | None) -> Cabling:
    """The synthetic table for a run of that year: 90 RODs up to 2013, 128 later or if unknown."""
    old = year is not None and year <= LAST_YEAR_OF_90_RODS
    return default_cabling(RUN1_RODS if old else RUN2_RODS)


_Members = list[tuple[int, int]]
"""Fibre index in the unit, and the side-0 wafer, of the modules of a unit."""


def _placed(
    units: list[_Members], rows: IntArray, fill_up: bool
) -> Iterator[tuple[int, int, _Members]]:
    """ROD row and order in the ROD of each unit: eight to a ROD, or evenly over the RODs."""
    previous, order = -1, 0
    for k, members in enumerate(units):
        rod = k // _UNITS_PER_ROD if fill_up else k * len(rows) // len(units)
        order = order + 1 if rod == previous else 0
        previous = rod
        yield int(rows[rod]), order, members


def _partitions() -> dict[int, list[_Members]]:
    """The module units of each partition, in the order of their numbers."""
    units: dict[int, dict[int, _Members]] = {0x21: {}, 0x22: {}, 0x23: {}, 0x24: {}}
    for partition, number, members in [*_barrel_units(), *_end_cap_units()]:
        units[partition][number] = members
    return {key: [each[number] for number in sorted(each)] for key, each in units.items()}


def _barrel_units() -> Iterator[tuple[int, int, _Members]]:
    for layer, n_phi in enumerate(BARREL_PHI):
        for phi in range(n_phi):
            for sign in (-1, 1):
                number = 1000 * (layer + 3) + 100 * (sign > 0) + phi + 1
                etas = [sign * (index + 1) for index in range(len(BARREL_ETA) // 2)]
                hashes = wafer_hash(0, layer, phi, etas).tolist()
                yield (0x21 if sign > 0 else 0x22), number, list(enumerate(hashes))


def _end_cap_units() -> Iterator[tuple[int, int, _Members]]:
    for bec, partition in ((2, 0x23), (-2, 0x24)):
        for disk, rings in enumerate(RINGS_OF_DISK):
            base = 10000 * (disk + 1) + 1000 * (bec < 0)
            for quadrant in range(4):
                for position in range(_HARNESSES_BY_RINGS[rings]):
                    number = base + 100 * quadrant + 10 * (position // 2) + position % 2 + 1
                    members = [
                        (index, _end_cap_wafer(bec, disk, quadrant, module))
                        for index, module in enumerate(_HARNESSES[position])
                        if module >= 0
                    ]
                    yield partition, number, members
        special = [
            (index, _end_cap_wafer(bec, _LAST_DISK, quadrant, _SPECIAL_NUMBER))
            for index, quadrant in enumerate(_SPECIAL_QUADRANTS[bec], start=1)
        ]
        yield partition, 10000 * N_DISKS + 1000 * (bec < 0) + 401, special


def _end_cap_wafer(bec: int, disk: int, quadrant: int, number: int) -> int:
    """Side-0 wafer of a module number in a quadrant (raw-bytestream.md 5.4)."""
    ring = next(i for i, numbers in enumerate(_RING_NUMBERS) if number in numbers)
    ip = len(_RING_NUMBERS[ring]) * quadrant + number - _RING_NUMBERS[ring][0]
    if bec < 0:
        phi = (
            (ip + 14) % 52 if disk == _LAST_DISK else ((64 - ip) % 52, *[(49 - ip) % 40] * 2)[ring]
        )
    elif disk == _LAST_DISK:
        phi = (64 - ip) % 52
    else:
        phi = ((66 + ip) % 52, (50 + ip) % 40, (51 + ip) % 40)[ring]
    return int(wafer_hash(bec, disk, phi, ring))


assert N_MODULES * 2 == N_WAFERS
