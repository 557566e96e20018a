"""How well a job found what was planted: efficiency and purity of its lists.

A strip is judged if its true occupancy is at least five standard deviations from the threshold, for
the events of the run; the others, near the threshold, are counted apart. Chips and wafers follow
from their strips by the rules of algorithms-hitmaps.md 3.2 and 3.6: surely noisy if the surely
noisy strips alone suffice, surely not if the near ones together with them do not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from sctcalib.detector.identifiers import IntArray, module_names
from sctcalib.detector.readout import BoolArray, default_swap, per_chip
from sctcalib.detector.regions import (
    N_CHIPS_PER_SIDE,
    N_MODULES,
    N_STRIPS,
    N_STRIPS_PER_CHIP,
    N_WAFERS,
)
from sctcalib.simulate.model import CLEAR_SIGMA, threshold_sigma
from sctcalib.simulate.truth import Truth

NOISY_CHIP_STRIPS = N_STRIPS_PER_CHIP // 2
NOISY_WAFER_STRIPS = N_STRIPS // 2
"""A chip or wafer with more noisy strips than this is noisy (fractions 0.5)."""

STRIPS, CHIPS, WAFERS = "noisy strips", "noisy chips", "hot wafers"
NEW, REFERENCE = "new strips", "reference strips"


@dataclass(frozen=True)
class Found:
    """What a job found: arrays over wafers and strips (8176, 768), chips (8176, 6), wafers (8176,).

    Chips are in readout order. None stands for a list that the file does not hold.
    """

    strips: BoolArray | None = None
    chips: BoolArray | None = None
    wafers: BoolArray | None = None
    new: BoolArray | None = None
    reference: BoolArray | None = None
    """Of the listed modules only."""
    reference_run: int | None = None
    listed: BoolArray | None = None
    """Modules (4088,) that the file has something of."""


@dataclass(frozen=True)
class Expected:
    """What must be found (``sure``) and what may be found (``near``); boolean arrays of a shape."""

    sure: BoolArray
    near: BoolArray


@dataclass(frozen=True)
class Score:
    """Comparison of one list."""

    name: str
    expected: int
    found: int
    """Of the expected ones."""
    missed: IntArray
    """Flat numbers of the expected ones that were not found."""
    extra: IntArray
    """Flat numbers of those found that must not be."""
    near: int
    near_found: int

    @property
    def efficiency(self) -> float:
        """Part of the expected ones that was found; 1 if nothing was expected."""
        return self.found / self.expected if self.expected else 1.0

    @property
    def purity(self) -> float:
        """Part of the judged ones found that was expected; 1 if nothing was found."""
        judged = self.found + len(self.extra)
        return self.found / judged if judged else 1.0

    @property
    def is_right(self) -> bool:
        """Whether nothing is missed and nothing too many."""
        return not len(self.missed) and not len(self.extra)


def strip_mask(lists: Mapping[int, IntArray]) -> BoolArray:
    """Flags (8176, 768) of strips 0-1535 listed by module number."""
    mask = np.zeros((N_MODULES, 2 * N_STRIPS), dtype=bool)
    if lists:
        modules = np.repeat(list(lists), [len(strips) for strips in lists.values()])
        mask[modules, np.concatenate(list(lists.values()))] = True
    return mask.reshape(N_WAFERS, N_STRIPS)


def noisy_chips(strips: BoolArray) -> BoolArray:
    """Chips (8176, 6), in readout order, with more than half of their strips flagged."""
    flagged = per_chip(strips, default_swap())
    return np.asarray(np.count_nonzero(flagged, axis=2) > NOISY_CHIP_STRIPS)


def noisy_wafers(strips: BoolArray) -> BoolArray:
    """Wafers (8176,) with more than half of their strips flagged."""
    return np.asarray(np.count_nonzero(strips, axis=1) > NOISY_WAFER_STRIPS)


def expected_strips(truth: Truth) -> Expected:
    """Noisy strips of a simulated run, shape (8176, 768)."""
    planted, n_events = truth.planted, truth.n_events
    sigma = threshold_sigma(planted.occupancy, n_events, truth.threshold)
    highest = np.array([truth.highest_background])
    background = threshold_sigma(highest, n_events, truth.threshold)[0]
    near = np.full((N_WAFERS, N_STRIPS), background > -CLEAR_SIGMA)
    near[planted.wafer, planted.strip] = np.abs(sigma) < CLEAR_SIGMA
    sure = np.zeros_like(near)
    sure[planted.wafer, planted.strip] = sigma >= CLEAR_SIGMA
    return Expected(sure, near)


def compare(truth: Truth, found: Found, louder: BoolArray | None = None) -> list[Score]:
    """Score every list that was found against the truth.

    ``louder`` are wafers (8176,) whose strips may be noisy for other reasons than planted strips.
    New and reference strips are left out if the file says that the job used another reference run
    than the simulation has, or one where it has none.
    """
    strips = expected_strips(truth)
    if louder is not None:
        strips = Expected(strips.sure, strips.near | (louder[:, None] & ~strips.sure))
    any_strip = strips.sure | strips.near
    chips, wafers = noisy_chips(strips.sure), noisy_wafers(strips.sure)
    expected = {
        STRIPS: (found.strips, strips),
        CHIPS: (found.chips, Expected(chips, noisy_chips(any_strip) & ~chips)),
        WAFERS: (found.wafers, Expected(wafers, noisy_wafers(any_strip) & ~wafers)),
    }
    if has_right_reference(truth, found):
        old = strip_mask(truth.reference.strips if truth.reference else {})
        expected[NEW] = (found.new, Expected(strips.sure & ~old, strips.near & ~old))
        if found.listed is not None:
            old &= np.repeat(found.listed, 2)[:, None]
        expected[REFERENCE] = (found.reference, Expected(old, np.zeros_like(old)))
    return [score(n, mask, right) for n, (mask, right) in expected.items() if mask is not None]


def has_right_reference(truth: Truth, found: Found) -> bool:
    """Whether the job used the reference run of the simulation, as far as the file tells."""
    run = truth.reference.run if truth.reference else None
    return found.listed is None or found.reference_run == run


def score(name: str, found: BoolArray, expected: Expected) -> Score:
    """Compare one list, given as flags of the same shape."""
    return Score(
        name,
        expected=_count(expected.sure),
        found=_count(expected.sure & found),
        missed=np.flatnonzero(expected.sure & ~found),
        extra=np.flatnonzero(found & ~expected.sure & ~expected.near),
        near=_count(expected.near),
        near_found=_count(expected.near & found),
    )


def describe(name: str, flat: IntArray) -> Iterator[str]:
    """Names of strips, chips or wafers that a score lists by flat number."""
    for number in flat.tolist():
        if name == WAFERS:
            yield f"{module_names()[number // 2]} side {number % 2}"
        elif name == CHIPS:
            wafer, chip = divmod(number, N_CHIPS_PER_SIDE)
            yield f"{module_names()[wafer // 2]} chip {chip + N_CHIPS_PER_SIDE * (wafer % 2)}"
        else:
            wafer, strip = divmod(number, N_STRIPS)
            yield f"{module_names()[wafer // 2]} side {wafer % 2} strip {strip}"


def _count(flags: BoolArray) -> int:
    return int(np.count_nonzero(flags))
