"""The detector as arrays for the compiled loops (raw-bytestream.md 3.11, 3.12)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sctcalib.bytestream.payload import Tables
from sctcalib.detector.cabling import N_FIBRES, NOT_CABLED, Cabling
from sctcalib.detector.identifiers import IntArray
from sctcalib.detector.readout import BoolArray
from sctcalib.detector.regions import N_CHIPS_PER_MODULE, N_CHIPS_PER_SIDE, N_MODULES, N_WAFERS

_NORMAL, _BY_LINK_0, _BY_LINK_1, _MODIFIED_BY_LINK_0, _MODIFIED_BY_LINK_1 = range(5)
_CHAINS = {
    _BY_LINK_0: (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11),
    _BY_LINK_1: (6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5),
    _MODIFIED_BY_LINK_0: (0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 6),
    _MODIFIED_BY_LINK_1: (6, 7, 8, 9, 10, 11, 1, 2, 3, 4, 5, 0),
}
"""Order of the chips of a module that is read out through one link."""
_MODIFIED = {
    _BY_LINK_0: (_MODIFIED_BY_LINK_0, (20220170200183, 20220330200606, 20220330200693)),
    _BY_LINK_1: (
        _MODIFIED_BY_LINK_1,
        (
            20220170200653, 20220330200117, 20220330200209, 20220330200505, 20220330200637,
            20220330200701,
        ),
    ),
}  # fmt: skip
"""Modules whose chain has another order, by serial number."""


def decoding_tables(cabling: Cabling, swap: BoolArray, good_links: BoolArray | None) -> Tables:
    """Arrays for the decoder; ``good_links`` (4088, 2) or None if all links work."""
    links = np.ones((N_MODULES, 2), dtype=bool) if good_links is None else good_links
    single = links[:, 0] != links[:, 1]
    none = np.full((1, N_FIBRES), NOT_CABLED)
    wafer = np.concatenate([cabling.wafer, none]).astype(np.int16)
    return Tables(
        rod_ids=np.ascontiguousarray(cabling.rod_ids, dtype=np.int64),
        wafer=wafer,
        rod_wafers=np.ascontiguousarray(np.sort(wafer, axis=1)[:, ::-1]),
        swap=np.array(swap, dtype=np.uint8),
        shared=(single[:, None] & links).reshape(N_WAFERS).astype(np.uint8),
        chain=np.repeat(_chains(links, single, cabling.serials), 2),
        masked=_masked_chips(),
    )


def _chains(links: BoolArray, single: BoolArray, serials: IntArray | None) -> NDArray[np.uint8]:
    """Row of `_masked_chips` for each module."""
    chain = np.where(single, np.where(links[:, 0], _BY_LINK_0, _BY_LINK_1), _NORMAL)
    if serials is not None:
        for normal, (modified, numbers) in _MODIFIED.items():
            chain[(chain == normal) & np.isin(serials, numbers)] = modified
    return chain.astype(np.uint8)


def _masked_chips() -> IntArray:
    """Chips as bits, by chain and number in the trailer: the first masked chip and all after it."""
    masked = np.zeros((1 + len(_CHAINS), 16), dtype=np.int64)
    for first in range(N_CHIPS_PER_MODULE):
        end = N_CHIPS_PER_SIDE if first < N_CHIPS_PER_SIDE else N_CHIPS_PER_MODULE
        masked[_NORMAL, first + 1] = _bits(range(first, end))
        for chain, order in _CHAINS.items():
            masked[chain, first + 1] = _bits(order[order.index(first) :])
    return masked


def _bits(chips: range | tuple[int, ...]) -> int:
    return sum(1 << chip for chip in chips)
