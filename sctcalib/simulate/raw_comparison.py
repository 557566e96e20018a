"""How well a job on RAW files found what was planted.

A dead item is found if so long a silence is improbable: beyond six standard deviations, that is if
more than 20.7 hits were expected in it (algorithms-hitmaps.md 4.4, 4.5, E10). It is judged if that
is certain or impossible within five standard deviations of the measured mean; in between it is
"near". Sides with byte-stream errors are not searched.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sctcalib.detector.identifiers import IntArray, module_names, wafers
from sctcalib.detector.readout import BoolArray
from sctcalib.detector.regions import (
    N_CHIPS_PER_SIDE,
    N_DISKS,
    N_STRIPS,
    N_STRIPS_PER_CHIP,
    N_WAFERS,
)
from sctcalib.simulate import comparison
from sctcalib.simulate.comparison import Expected, Score, score
from sctcalib.simulate.model import CLEAR_SIGMA, threshold_sigma
from sctcalib.simulate.raw_found import FoundInRaw, FoundTrip
from sctcalib.simulate.raw_plan import NOISY_BLOCK_OCCUPANCY, strips_of_chips, wafer_occupancy
from sctcalib.simulate.raw_settings import HV_BIN_SECONDS
from sctcalib.simulate.raw_truth import RawTruth
from sctcalib.simulate.settings import SECONDS_PER_LUMI_BLOCK

FloatArray = NDArray[np.float64]

DEAD_STRIPS, DEAD_CHIPS = "dead strips", "dead chips"
TRIPS, NOISY_BLOCKS = "HV trips", "noisy lumi blocks"
SIGNIFICANCE = 6
"""The options DeadStripSignificance and DeadChipSignificance."""
HITS_NEEDED = -math.log(0.5 * math.erfc(SIGNIFICANCE / math.sqrt(2)))
_SPREAD_OF_MEAN = 0.02
"""Relative spread of the mean noise of the strips of a wafer."""


@dataclass(frozen=True)
class Reach:
    """Whether dead items of each wafer must be found (``sure``) or may be (``near``), (8176,)."""

    sure: BoolArray
    near: BoolArray


def compare_raw(truth: RawTruth, found: FoundInRaw) -> list[Score]:
    """Score every list that was found against the truth."""
    scores = []
    if found.noisy is not None:
        scores = comparison.compare(truth.noisy, found.noisy, _louder(truth))
    if found.dead_strips is not None:
        scores.append(score(DEAD_STRIPS, found.dead_strips, expected_dead_strips(truth)))
    if found.dead_chips is not None:
        scores.append(score(DEAD_CHIPS, found.dead_chips, expected_dead_chips(truth)))
    if found.trips is not None:
        scores.append(_score_trips(truth, found.trips))
    if found.noisy_blocks is not None:
        scores.append(_score_blocks(truth, found.noisy_blocks))
    return scores


def _louder(truth: RawTruth) -> BoolArray:
    """Wafers that trips or noisy lumi blocks bring near the threshold of noisy strips, (8176,)."""
    highest = truth.noisy.highest_background + _added_occupancy(truth)
    sigma = threshold_sigma(highest, truth.n_events, truth.noisy.threshold)
    return np.asarray(sigma > -CLEAR_SIGMA) & (_added_occupancy(truth) > 0)


def expected_dead_strips(truth: RawTruth) -> Expected:
    """Dead strips that a search must find, and may find, shape (8176, 768), offline strips."""
    single = np.zeros((N_WAFERS, N_STRIPS), dtype=bool)
    single[truth.dead.strip_wafer, truth.dead.strip] = True
    wafer, strips = strips_of_chips(truth.dead.chip_module, truth.dead.chip)
    single[wafer[:, None], strips] = True
    return _expected(truth, single, _reach(truth, 1))


def expected_dead_chips(truth: RawTruth) -> Expected:
    """Dead chips that a search must find, and may find, shape (8176, 6), readout order."""
    chips = np.zeros((N_WAFERS, N_CHIPS_PER_SIDE), dtype=bool)
    wafer = 2 * truth.dead.chip_module + truth.dead.chip // N_CHIPS_PER_SIDE
    chips[wafer, truth.dead.chip % N_CHIPS_PER_SIDE] = True
    return _expected(truth, chips, _reach(truth, N_STRIPS_PER_CHIP))


def _expected(truth: RawTruth, single: BoolArray, reach: Reach) -> Expected:
    """What must and may be found of items on live wafers, and of dead links as a whole."""
    links = np.zeros((N_WAFERS, 1), dtype=bool)
    links[truth.dead.links] = True
    of_links = _link_reach(truth)
    sure = np.where(links, of_links.sure[:, None], single & reach.sure[:, None])
    near = np.where(links, of_links.near[:, None], single & reach.near[:, None])
    # where noise is far above the mean, silent items of a healthy part look dead
    loud = np.zeros(N_WAFERS, dtype=bool)
    loud[truth.noisy.planted.wafer] = True
    for trip in truth.trips:
        loud[2 * trip.module : 2 * trip.module + 2] = True
    for block in truth.noisy_blocks:
        loud[block.wafers()] = True
    searched = np.ones(N_WAFERS, dtype=bool)
    for error in truth.errors:
        searched[error.wafers] = False
    near |= loud[:, None]
    return Expected(sure & searched[:, None], near & ~sure & searched[:, None])


def _reach(truth: RawTruth, n_strips: int) -> Reach:
    """Of items of a number of strips on wafers that are alive otherwise."""
    highest = wafer_occupancy(truth.occupancy, truth.pile_up, truth.lit)
    dead = truth.dead.mask().sum(axis=1)
    lowest = highest * (N_STRIPS - dead) / N_STRIPS
    hits = truth.n_events * lowest * N_STRIPS
    return _within(truth.n_events * n_strips, lowest, highest, hits)


def _link_reach(truth: RawTruth) -> Reach:
    """Of whole links: the mean is that of the layer, or of the ring on both sides."""
    w = wafers()
    cell = np.where(w.bec == 0, N_DISKS, w.layer) * 4 + np.where(w.bec == 0, w.layer, w.eta)
    size = np.bincount(cell)[cell]
    alive = wafer_occupancy(truth.occupancy, truth.pile_up, truth.lit)
    planted = truth.noisy.planted
    added = np.bincount(planted.wafer, planted.occupancy, minlength=N_WAFERS) / N_STRIPS
    added += _added_occupancy(truth)
    dead = truth.dead.mask().sum(axis=1) / N_STRIPS
    lowest = (np.bincount(cell, alive * (1 - dead)))[cell] / size
    highest = np.bincount(cell, alive + added)[cell] / size
    hits = truth.n_events * lowest * size * N_STRIPS
    return _within(truth.n_events * N_STRIPS, lowest, highest, hits)


def _within(trials: int, lowest: FloatArray, highest: FloatArray, hits: FloatArray) -> Reach:
    """Whether an item with so many trials is found for sure, or perhaps, given the mean."""
    error = CLEAR_SIGMA * np.sqrt(1 / np.maximum(hits, 1e-9) + _SPREAD_OF_MEAN**2)
    least = trials * lowest * np.maximum(1 - error, 0)
    most = -trials * np.log1p(-np.minimum(highest * (1 + error), 0.99))
    return Reach(least > HITS_NEEDED, most > HITS_NEEDED)


def _added_occupancy(truth: RawTruth) -> FloatArray:
    """Upper limit of what trips and noisy lumi blocks add to the mean occupancy of wafers."""
    added = np.zeros(N_WAFERS)
    for trip in truth.trips:
        share = (trip.end - trip.begin) / _duration(truth)
        added[2 * trip.module : 2 * trip.module + 2] += 2 * share * trip.hits / N_STRIPS
    for block in truth.noisy_blocks:
        share = truth.noisy.events_per_lumi_block[block.lumi_block - 1] / max(truth.n_events, 1)
        added[block.wafers()] += 2 * share * NOISY_BLOCK_OCCUPANCY
    return added


def _duration(truth: RawTruth) -> int:
    return len(truth.noisy.events_per_lumi_block) * SECONDS_PER_LUMI_BLOCK


def _score_trips(truth: RawTruth, found: tuple[FoundTrip, ...]) -> Score:
    """A trip is found if an interval of its module begins and ends as it does, within a bin."""
    between_events = _duration(truth) / max(truth.n_events, 1)
    tolerance = HV_BIN_SECONDS + 2 * between_events
    matched, extra = set(), []
    for each in found:
        of_module = [
            number
            for number, trip in enumerate(truth.trips)
            if trip.module == each.module
            and abs(trip.begin - each.begin) <= tolerance
            and abs(trip.end - each.end) <= tolerance
            and number not in matched
        ]
        if of_module:
            matched.add(of_module[0])
        else:
            extra.append(each.module)
    missed = [trip.module for n, trip in enumerate(truth.trips) if n not in matched]
    return Score(
        TRIPS, len(truth.trips), len(matched), np.array(missed, dtype=np.int64),
        np.array(extra, dtype=np.int64), 0, 0,
    )  # fmt: skip


def _score_blocks(truth: RawTruth, found: IntArray) -> Score:
    n_blocks = len(truth.noisy.events_per_lumi_block)
    is_found = np.zeros(max(n_blocks, int(found.max(initial=0))) + 1, dtype=bool)
    is_found[found] = True
    sure = np.zeros_like(is_found)
    sure[[block.lumi_block for block in truth.noisy_blocks]] = True
    return score(NOISY_BLOCKS, is_found, Expected(sure, np.zeros_like(sure)))


def describe(name: str, flat: IntArray) -> Iterator[str]:
    """Names of the items that a score lists by flat number."""
    if name == TRIPS:
        yield from (module_names()[module] for module in flat.tolist())
    elif name == NOISY_BLOCKS:
        yield from (f"lumi block {number}" for number in flat.tolist())
    else:
        yield from comparison.describe(comparison.CHIPS if name == DEAD_CHIPS else name, flat)
