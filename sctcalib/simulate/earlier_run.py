"""An earlier run as it was uploaded: the reference of the new and old noisy strips.

Most of the planted strips were noisy then too; some are new since, and some others were noisy then
and recovered. So the lists New and Ref of a job can be checked.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sctcalib.detector.identifiers import IntArray, module_id32, modules
from sctcalib.detector.regions import N_MODULE_STRIPS, N_STRIPS, N_WAFERS
from sctcalib.parts import strip_lists
from sctcalib.simulate.model import CHIP, NOISY, THRESHOLD, WAFER, Planted
from sctcalib.simulate.truth import Reference

if TYPE_CHECKING:
    from sctcalib.cool.folder import NewObject

FILE_NAME = "conditions.db"
FOLDER = "/SCT/Derived/Monitoring"
TAG = "SctDerivedMonitoring-RUN2-UPD4-005"

_SAMPLE_SIZE = 10_000
_LAST_LUMI_BLOCK = 0xFFFFFFFF
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


def write_database(path: Path, reference: Reference, upload_time: int) -> None:
    """Write a COOL database as the upload of the earlier run leaves it (cool-folders.md 3, 5, 7).

    Every module has an object, valid for the one run; ``upload_time`` is in seconds since 1970.
    """
    from sctcalib.cool.database import Database
    from sctcalib.cool.folders import DESTINATION_DESCRIPTION, INSTANCE, create_sct_folder

    with Database.create(path, INSTANCE, clock=lambda: upload_time * 10**9) as database:
        folder = create_sct_folder(database, FOLDER, DESTINATION_DESCRIPTION)
        folder.store_each(_objects(reference), tag=reference.tag, user_tag_only=True)


def _objects(reference: Reference) -> Iterator[NewObject]:
    since = reference.run << 32
    m = modules()
    columns = (module_id32(), m.bec, m.layer, m.eta, m.phi)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    for module, (channel, *place) in enumerate(rows):
        strips = strip_lists.encode(reference.strips.get(module, []))
        payload = (_SAMPLE_SIZE, *place, "NOISY", THRESHOLD, strips)
        yield since, since + _LAST_LUMI_BLOCK, channel, payload


def _flat(planted: Planted) -> IntArray:
    return planted.wafer * N_STRIPS + planted.strip


def _every_second_wafer(planted: Planted) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    _, order = np.unique(planted.wafer, return_inverse=True)
    every_second: np.ndarray[tuple[int, ...], np.dtype[np.bool_]] = order % 2 == 0
    return every_second
