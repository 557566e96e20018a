"""Wafer hash, position, 32- and 64-bit identifiers, as arrays (reference/detector.md 2, 3).

The wafer hash is the rank of the wafer in the order (bec, layer, phi, eta, side). Module *m* has
the wafers 2m (side 0) and 2m + 1 (side 1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sctcalib.detector.regions import (
    BARREL_ETA,
    BARREL_PHI,
    N_MODULES,
    N_STRIPS,
    N_WAFERS,
    RING_PHI,
    RINGS_OF_DISK,
)

IntArray = NDArray[np.int64]

SCT_ID32 = 1 << 27
"""Bits 31-27 of every SCT identifier: Inner Detector (0), SCT (1)."""
_BEC_BIT, _LAYER_BIT, _PHI_BIT, _ETA_BIT, _SIDE_BIT = 25, 21, 15, 11, 10
_ETA_OFFSET = 6
_PLAIN_INTEGER = re.compile(r"-?[0-9]{1,9}")


@dataclass(frozen=True)
class Positions:
    """Where wafers are: five integer arrays of one shape.

    ``bec`` is -2 (end cap C), 0 (barrel) or 2 (end cap A); ``layer`` is the barrel layer 0-3 or the
    disk 0-8; ``eta`` is the barrel position -6...-1, 1...6 or the ring 0-2 (0 outermost).
    """

    bec: IntArray
    layer: IntArray
    phi: IntArray
    eta: IntArray
    side: IntArray

    def __getitem__(self, index: Any) -> Positions:
        fields = (self.bec, self.layer, self.phi, self.eta, self.side)
        return Positions(*(np.asarray(field[index]) for field in fields))


def _all_positions() -> Iterable[tuple[int, int, int, int, int]]:
    for bec in (-2, 0, 2):
        for layer, rings in enumerate(RINGS_OF_DISK if bec else BARREL_PHI):
            for phi in range(RING_PHI[0] if bec else rings):
                etas = [e for e in range(rings) if phi < RING_PHI[e]] if bec else BARREL_ETA
                for eta in etas:
                    for side in (0, 1):
                        yield bec, layer, phi, eta, side


@cache
def wafers() -> Positions:
    """All wafers in hash order, arrays of shape (8176,), read only."""
    columns = np.array(list(_all_positions()), dtype=np.int64).T.copy()
    columns.flags.writeable = False
    return Positions(*columns)


@cache
def modules() -> Positions:
    """All modules (their side-0 wafers) in hash order, arrays of shape (4088,), read only."""
    return wafers()[::2]


def _id32(
    bec: IntArray | np.int64,
    layer: IntArray,
    phi: IntArray | np.int64,
    eta: IntArray | np.int64,
    side: IntArray,
) -> IntArray:
    return (
        SCT_ID32
        | (bec // 2 + 1) << _BEC_BIT
        | layer << _LAYER_BIT
        | phi << _PHI_BIT
        | (eta + _ETA_OFFSET) << _ETA_BIT
        | side << _SIDE_BIT
    )


@cache
def wafer_id32() -> IntArray:
    """32-bit identifiers of all wafers in hash order, shape (8176,), ascending, read only.

    They are the channel numbers of the wafer-wise COOL folders.
    """
    w = wafers()
    ids = _id32(w.bec, w.layer, w.phi, w.eta, w.side)
    ids.flags.writeable = False
    return ids


@cache
def module_id32() -> IntArray:
    """32-bit identifiers of all modules, shape (4088,): channel numbers of module-wise folders."""
    return wafer_id32()[::2]


def layer_side_id32(layer: ArrayLike, side: ArrayLike) -> IntArray:
    """Identifiers of barrel layers and sides: of phi 0 and eta 0, where no module is.

    They are the channel numbers of the Lorentz-angle folder (cool-folders.md 4). Raises ValueError
    for a layer outside 0-3 or a side outside 0-1.
    """
    layers, sides = np.asarray(layer, dtype=np.int64), np.asarray(side, dtype=np.int64)
    _in_range("barrel layer", layers, len(BARREL_PHI))
    _in_range("side", sides, 2)
    zero = np.int64(0)
    return _id32(zero, layers, zero, zero, sides)


def to_id64(id32: ArrayLike) -> IntArray:
    """The 64-bit identifier of a 32-bit one: the same bits in the upper half."""
    return np.asarray(id32, dtype=np.int64) << 32


def strip_id32(wafer: ArrayLike, strip: ArrayLike) -> IntArray:
    """32-bit identifier of strips, from wafer hash and offline strip.

    Raises ValueError for a wafer hash outside 0-8175 or a strip outside 0-767.
    """
    hashes, strips = np.asarray(wafer, dtype=np.int64), np.asarray(strip, dtype=np.int64)
    _in_range("wafer hash", hashes, N_WAFERS)
    _in_range("strip", strips, N_STRIPS)
    return wafer_id32()[hashes] | strips


def wafer_of_id32(id32: ArrayLike) -> IntArray:
    """Wafer hash of 32-bit wafer or strip identifiers.

    Raises ValueError where no such wafer exists.
    """
    ids = np.asarray(id32, dtype=np.int64)
    wanted = ids & ~np.int64((1 << _SIDE_BIT) - 1)
    known = wafer_id32()
    found = np.minimum(np.searchsorted(known, wanted), N_WAFERS - 1)
    bad = (known[found] != wanted) | (strip_of_id32(ids) >= N_STRIPS)
    if np.any(bad):
        first = int(ids[bad].flat[0]) if ids.ndim else int(ids)
        msg = f"{first} (0x{first:08x}) is not the identifier of an SCT wafer or strip"
        raise ValueError(msg)
    return found


def wafer_of_id64(id64: ArrayLike) -> IntArray:
    """Wafer hash of 64-bit identifiers; raises ValueError where no such wafer exists."""
    ids = np.asarray(id64, dtype=np.int64)
    if np.any(ids & 0xFFFFFFFF):
        msg = "a 64-bit SCT identifier has zeros in its lower 32 bits"
        raise ValueError(msg)
    return wafer_of_id32(ids >> 32)


def strip_of_id32(id32: ArrayLike) -> IntArray:
    """Offline strip number (the lowest ten bits) of 32-bit identifiers."""
    return np.asarray(id32, dtype=np.int64) & ((1 << _SIDE_BIT) - 1)


def wafer_hash(
    bec: ArrayLike, layer: ArrayLike, phi: ArrayLike, eta: ArrayLike, side: ArrayLike = 0
) -> IntArray:
    """Wafer hash of positions; arguments broadcast.

    Raises ValueError that names the first position that does not exist.
    """
    given = np.broadcast_arrays(
        *(np.asarray(x, dtype=np.int64) for x in (bec, layer, phi, eta, side))
    )
    limits = ((-2, 2), (0, 15), (0, 63), (-_ETA_OFFSET, 9), (0, 1))
    bad = np.zeros(given[0].shape, dtype=bool)
    for values, (low, high) in zip(given, limits, strict=True):
        bad |= (values < low) | (values > high)
    bad |= given[0] % 2 != 0
    known = wafer_id32()
    wanted = _id32(*given)
    found = np.minimum(np.searchsorted(known, wanted), N_WAFERS - 1)
    bad |= known[found] != wanted
    if np.any(bad):
        first = tuple(int(x[bad][0]) if x.ndim else int(x) for x in given)
        msg = f"no wafer at (bec, layer, phi, eta, side) = {first}"
        raise ValueError(msg)
    return found


def module_of(bec: ArrayLike, layer: ArrayLike, phi: ArrayLike, eta: ArrayLike) -> IntArray:
    """Module number 0-4087 of positions; raises ValueError as `wafer_hash` does."""
    return wafer_hash(bec, layer, phi, eta) // 2


def position_text(wafer: int, delimiter: str = "_", *, with_side: bool = True) -> str:
    """``bec_layer_phi_eta_side`` of one wafer, or without the side: names of histograms and XML."""
    return delimiter.join(_position_fields()[wafer][: 5 if with_side else 4])


@cache
def _position_fields() -> list[tuple[str, ...]]:
    w = wafers()
    columns = np.stack([w.bec, w.layer, w.phi, w.eta, w.side], axis=1).tolist()
    return [tuple(map(str, row)) for row in columns]


@cache
def wafer_names() -> tuple[str, ...]:
    """Histogram names ``bec_layer_phi_eta_side`` of all wafers in hash order."""
    w = wafers()
    columns = (field.tolist() for field in (w.bec, w.layer, w.phi, w.eta, w.side))
    return tuple(
        f"{bec}_{layer}_{phi}_{eta}_{side}"
        for bec, layer, phi, eta, side in zip(*columns, strict=True)
    )


@cache
def module_names() -> tuple[str, ...]:
    """XML names ``bec.layer.phi.eta`` of all modules in hash order."""
    return tuple(".".join(fields[:4]) for fields in _position_fields()[::2])


def module_from_name(name: str, delimiter: str = ".") -> int:
    """Module number of ``bec.layer.phi.eta``; raises ValueError for anything else."""
    numbers = [int(word) for word in name.split(delimiter) if _PLAIN_INTEGER.fullmatch(word)]
    if delimiter.join(map(str, numbers)) != name or len(numbers) != 4:
        msg = f"{name!r} is not a module position bec{delimiter}layer{delimiter}phi{delimiter}eta"
        raise ValueError(msg)
    return int(module_of(*numbers))


def hex64(id64: int) -> str:
    """``0x`` and the lower-case hexadecimal digits without leading zeros (detector.md 3.3)."""
    return f"0x{id64:x}"


def dotted(wafer: int, strip: int = 0) -> str:
    """``[2.2.bec.layer.phi.eta.side.strip]`` (detector.md 3.3)."""
    return f"[2.2.{position_text(wafer, '.')}.{strip}]"


def expanded(wafer: int, strip: int = 0) -> str:
    """``2/2/bec/layer/phi/eta/side/strip`` (detector.md 3.3)."""
    return f"2/2/{position_text(wafer, '/')}/{strip}"


def _in_range(what: str, values: IntArray, end: int) -> None:
    bad = (values < 0) | (values >= end)
    if np.any(bad):
        first = int(values[bad][0]) if values.ndim else int(values)
        msg = f"{what} {first} is outside 0-{end - 1}"
        raise ValueError(msg)


assert N_MODULES * 2 == N_WAFERS
