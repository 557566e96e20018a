"""A small cabling, the full one by its recipe, and short ways to encode and to look at words.

The cabling is worked out here apart from that of the package, as a check on it.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from sctcalib.bytestream.encoder import (
    Conditions,
    Encoder,
    EventNumbers,
    Fragments,
    Links,
)
from sctcalib.bytestream.encoder_hits import Groups
from sctcalib.detector.identifiers import IntArray, wafer_hash
from sctcalib.detector.regions import BARREL_PHI, N_WAFERS, RINGS_OF_DISK

BARREL = int(wafer_hash(0, 3, 3, -1, 0))
"""A barrel module: side 0 is not swapped, side 1 is."""

_HARNESSES = (
    (5, 4, 3, 2, 1, 0),
    (12, 11, 10, 9, 8, 7),
    (6, 16, 15, 14, 13),
    (22, 21, 20, 19, 18, 17),
    (28, 30, 32, 29, 31),
    (26, 27, 25, 23, 24),
)
_SPECIAL_QUADRANTS = {-2: (3, 2, 1, 0), 2: (2, 1, 0, 3)}


def _barrel_units(positive: bool) -> list[tuple[int, list[tuple[int, int, int, int, int]]]]:
    """Numbers of harnesses (MURs) of a half of the barrel, with (fibre index, position)."""
    sign = 1 if positive else -1
    return [
        (
            1000 * (layer + 3) + 100 * positive + phi + 1,
            [(index, 0, layer, phi, sign * (index + 1)) for index in range(6)],
        )
        for layer, n_phi in enumerate(BARREL_PHI)
        for phi in range(n_phi)
    ]


def _end_cap_position(bec: int, disk: int, number: int, quadrant: int) -> tuple[int, int]:
    """(phi, eta) of a module number of a quadrant (raw-bytestream.md 5.4)."""
    eta = 0 if number <= 12 else 1 if number <= 22 else 2
    ip = (13, 10, 10)[eta] * quadrant + number - (0, 13, 23)[eta]
    n_phi = 40 if eta else 52
    if bec < 0:
        start = ip + 14 if disk == 8 else (49 if eta else 64) - ip
    else:
        start = 64 - ip if disk == 8 else (66, 50, 51)[eta] + ip
    return start % n_phi, eta


def _end_cap_units(bec: int) -> list[tuple[int, list[tuple[int, int, int, int, int]]]]:
    units = []
    for disk, rings in enumerate(RINGS_OF_DISK):
        for quadrant in range(4):
            for position in range((2, 4, 6)[rings - 1]):
                number = 10000 * (disk + 1) + 1000 * (bec < 0) + 100 * quadrant
                number += 10 * (position // 2) + position % 2 + 1
                modules = [
                    (index, bec, disk, *_end_cap_position(bec, disk, module, quadrant))
                    for index, module in enumerate(_HARNESSES[position])
                    if disk < 8 or module != 6
                ]
                units.append((number, modules))
    special = [
        (index, bec, 8, *_end_cap_position(bec, 8, 6, quadrant))
        for index, quadrant in enumerate(_SPECIAL_QUADRANTS[bec], start=1)
    ]
    return [*units, (90401 + 1000 * (bec < 0), special)]


@cache
def full_links() -> Links:
    """The cabling of the 128 RODs of Run 2 (raw-bytestream.md 5.5)."""
    rod, fibre = np.full(N_WAFERS, -1), np.zeros(N_WAFERS, dtype=np.int64)
    partitions = (
        _barrel_units(positive=True), _barrel_units(positive=False),
        _end_cap_units(2), _end_cap_units(-2),
    )  # fmt: skip
    for partition, units in enumerate(partitions):
        rods = [k * 32 // len(units) for k in range(len(units))]
        for k, (_, modules) in enumerate(sorted(units)):
            order = k - rods.index(rods[k])
            for index, bec, layer, phi, eta in modules:
                wafer = int(wafer_hash(bec, layer, phi, eta))
                rod[wafer : wafer + 2] = 32 * partition + rods[k]
                fibre[wafer : wafer + 2] = 12 * order + 2 * index + np.arange(2)
    ids = [
        (0x21 + partition) << 16 | crate << 8 | slot
        for partition in range(4)
        for crate in range(2)
        for slot in range(16)
    ]
    return Links(np.array(ids), rod, fibre)


def links_of(fibres: dict[int, int], rod: int = 0x220106) -> Links:
    """One ROD with the given fibres by wafer."""
    rods, fibre = np.full(N_WAFERS, -1), np.zeros(N_WAFERS, dtype=np.int64)
    rods[list(fibres)], fibre[list(fibres)] = 0, list(fibres.values())
    return Links(np.array([rod]), rods, fibre)


def groups_of(*rows: tuple[int, ...]) -> Groups:
    """Groups (event, wafer, first strip, size[, time bin[, error bits]])."""
    full = np.array([(*row, *(2, 0)[len(row) - 4 :]) for row in rows], dtype=np.int64)
    return Groups(*full.reshape(-1, 6).T)


def numbers_of(n_events: int, run: int = 267367) -> EventNumbers:
    """Event numbers of no importance."""
    count = np.arange(n_events)
    return EventNumbers(run, count + 0x01000000, count + 7, np.full(n_events, 0x84))


def encode(encoder: Encoder, groups: Groups, n_events: int = 1, **conditions) -> Fragments:
    """Encode with conditions given by name."""
    return encoder.encode(numbers_of(n_events), groups, Conditions(**conditions))


def rods_of(fragments: Fragments, event: int = 0) -> list[IntArray]:
    """The ROB fragments of an event, each as an array of its words."""
    words = np.frombuffer(fragments.of_event(event), dtype="<u4").astype(np.int64)
    result = []
    while len(words):
        result.append(words[: words[1]])
        words = words[words[1] :]
    return result


def data_of(fragment: IntArray) -> list[int]:
    """The 16-bit words of a fragment whose status words are behind the data."""
    n_data = fragment[-2]
    assert len(fragment) == n_data + 22
    words = fragment[17 : 17 + n_data]
    return np.stack([words >> 16, words & 0xFFFF], axis=1).reshape(-1).tolist()
