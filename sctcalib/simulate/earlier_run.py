"""An earlier run as it was uploaded: the reference of the new and old noisy strips.

Most of the planted strips were noisy then too; some are new since, and some others were noisy then
and recovered. So the lists New and Ref of a job can be checked.
"""

from __future__ import annotations

import numpy as np

from sctcalib.detector.identifiers import IntArray
from sctcalib.detector.regions import N_MODULE_STRIPS, N_STRIPS, N_WAFERS
from sctcalib.simulate.model import CHIP, NOISY, WAFER, Planted

FILE_NAME = "conditions.db"
FOLDER = "/SCT/Derived/Monitoring"
TAG = "SctDerivedMonitoring-RUN2-UPD4-005"

_KEPT_FRACTION = 0.8
_RECOVERED_FRACTION = 0.2
"""Strips that were noisy then and are not now, relative to the planted single strips."""


def strips_of_earlier_run(rng: np.random.Generator, planted: Planted) -> dict[int, IntArray]:
    """Noisy strips 0-1535 of the earlier run, ascending, by module number."""
    single = _flat(planted.of(NOISY))
    kept = rng.permutation(single)[: round(_KEPT_FRACTION * len(single))]
    groups = [planted.of(category) for category in (CHIP, WAFER)]
    halves = [_flat(group[_every_second_wafer(group)]) for group in groups]
    n_recovered = round(_RECOVERED_FRACTION * len(single))
    elsewhere = np.setdiff1d(rng.integers(0, N_WAFERS * N_STRIPS, 2 * n_recovered), _flat(planted))
    recovered = rng.permutation(elsewhere)[:n_recovered]
    return by_module(np.concatenate([kept, *halves, recovered]))


def by_module(flat: IntArray) -> dict[int, IntArray]:
    """Strips 0-1535 by module of strips numbered flat, 768 * wafer + strip; sorted, distinct."""
    ordered = np.unique(flat)
    modules, starts = np.unique(ordered // N_MODULE_STRIPS, return_index=True)
    lists = np.split(ordered % N_MODULE_STRIPS, starts[1:])
    return dict(zip(modules.tolist(), lists, strict=False))


def _flat(planted: Planted) -> IntArray:
    return planted.wafer * N_STRIPS + planted.strip


def _every_second_wafer(planted: Planted) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    _, order = np.unique(planted.wafer, return_inverse=True)
    every_second: np.ndarray[tuple[int, ...], np.dtype[np.bool_]] = order % 2 == 0
    return every_second
