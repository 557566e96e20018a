"""Averages over a layer or ring, as the XML summaries print them (algorithms-hist.md 1.4, 1.5).

One value per barrel layer (over all eta, phi and both sides) and one per end-cap disk and ring
(over phi and both sides): 48 of them. Sides without data count as 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sctcalib.detector.identifiers import wafers
from sctcalib.detector.regions import REGIONS

ALL_ETA = "all"
"""What summaries print as the eta of a barrel layer."""


@dataclass(frozen=True)
class LayerLabel:
    """Which sides an average is over."""

    part: str
    """``EndCapC``, ``Barrel`` or ``EndCapA``."""
    layer: int
    """Barrel layer or disk."""
    eta: str
    """The ring, or ``all`` in the barrel."""


@cache
def layer_labels() -> tuple[LayerLabel, ...]:
    """The 48 labels in the order of the summaries: end cap C, barrel, end cap A."""
    return tuple(_numbered()[0])


@cache
def layer_of_wafer() -> NDArray[np.int64]:
    """Index of each wafer's label, shape (8176,), read only."""
    index = np.array(_numbered()[1], dtype=np.int64)
    index.flags.writeable = False
    return index


@cache
def _numbered() -> tuple[list[LayerLabel], list[int]]:
    w = wafers()
    names = {region.bec: region.label for region in REGIONS}
    keys = [
        (bec, layer, ALL_ETA if bec == 0 else eta)
        for bec, layer, eta in zip(w.bec.tolist(), w.layer.tolist(), w.eta.tolist(), strict=True)
    ]
    distinct = list(dict.fromkeys(keys))
    number = {key: i for i, key in enumerate(distinct)}
    labels = [LayerLabel(names[bec], layer, str(eta)) for bec, layer, eta in distinct]
    return labels, [number[key] for key in keys]


def layer_sums(values: NDArray[Any]) -> NDArray[np.float64]:
    """Sums over the sides of each label, in double precision, shape (48,); ``values`` (8176,)."""
    labels = layer_labels()
    weights = values.astype(np.float64)
    return np.bincount(layer_of_wafer(), weights, len(labels)).astype(np.float64)


def layer_means(values: NDArray[Any]) -> NDArray[np.float64]:
    """Sums divided by the geometrical number of sides, shape (48,); ``values`` (8176,)."""
    return layer_sums(values) / np.bincount(layer_of_wafer())
