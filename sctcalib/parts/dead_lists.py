"""Dead strips and chips as lists for database and files (algorithms-hitmaps.md 4.5.6, 4.6).

Each side of a module has its own runs: strips 767 and 768 do not join, nor do chips 5 and 6.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sctcalib.detector.identifiers import module_id32
from sctcalib.detector.readout import BoolArray
from sctcalib.detector.regions import N_CHIPS_PER_SIDE, N_MODULES, N_STRIPS
from sctcalib.parts import strip_lists
from sctcalib.parts.dead import Counts, DeadSearch

WHOLE_SIDES = {" 0-5  6-11 ": (0, 1), " 0-5 ": (0,), " 6-11 ": (1,)}
"""Dead links by the list of chips."""
LOGGED_STRIPS = 10_000
"""Strips that the log names; with few events most of the detector can be quiet."""
_MISTAKEN_END = 5
"""Index at which the original ends runs: the last chip, and by mistake also a strip."""


@dataclass(frozen=True)
class ModuleLists:
    """The lists of a module in the raw form; empty if not searched or nothing was found."""

    module: int
    links: tuple[int, ...]
    """Sides that are dead as a whole; the original tells them by the list of chips."""
    chips: str
    strips: str


@dataclass(frozen=True)
class Row:
    """A module of a database folder or a list file."""

    module: int
    threshold: float
    """Significance, or the threshold of quiet strips or chips."""
    text: str
    """The list in the raw form."""


def module_lists(found: DeadSearch) -> tuple[ModuleLists, ...]:
    """The modules with anything to list, in module order."""
    lists = _original_lists(found) if found.search.athena else _lists(found)
    return tuple(each for each in lists if each.chips or each.strips)


def listed_counts(found: DeadSearch, lists: Sequence[ModuleLists]) -> Counts:
    """The numbers of the summary; the original counts dead modules and links in its lists."""
    counts = found.counts
    if not found.search.athena:
        return counts
    n_links = [len(each.links) for each in lists]
    return Counts(n_links.count(2), n_links.count(1), counts.chips, counts.strips)


def summary_lists(found: DeadSearch, lists: Sequence[ModuleLists]) -> tuple[ModuleLists, ...]:
    """What the summary shows of each module.

    The original shows the list of strips in the place of the chips too, and takes the links from
    that.
    """
    if not found.search.athena:
        return tuple(lists)
    return tuple(ModuleLists(x.module, _links(x.strips), x.strips, x.strips) for x in lists)


def _links(chips: str) -> tuple[int, ...]:
    return WHOLE_SIDES.get(chips, ())


def chip_rows(found: DeadSearch, lists: Sequence[ModuleLists]) -> list[Row]:
    """The rows of dead or quiet chips."""
    t = found.thresholds
    thresholds = _thresholds(found, float(t.chip_significance), float(t.quiet_chip))
    return [Row(x.module, thresholds[x.module], x.chips) for x in lists if x.chips]


def strip_rows(found: DeadSearch, lists: Sequence[ModuleLists]) -> list[Row]:
    """The rows of dead or quiet strips."""
    t = found.thresholds
    thresholds = _thresholds(found, float(t.strip_significance), float(t.quiet_strip))
    return [Row(x.module, thresholds[x.module], x.strips) for x in lists if x.strips]


def _thresholds(found: DeadSearch, dead: float, quiet: float) -> list[float]:
    """By module. The original gives the quiet threshold only where side 1 was not judged."""
    if found.search.mode == "dead":
        return [dead] * N_MODULES
    if not found.search.athena:
        return [quiet] * N_MODULES
    return [dead if judged else quiet for judged in found.judged_sides[1::2].tolist()]


def _lists(found: DeadSearch) -> Iterator[ModuleLists]:
    chips = found.chips & found.search.chips
    modules = np.flatnonzero(chips.any(axis=1) | found.strips.any(axis=1)).tolist()
    chip_texts = _by_side(chips, modules)
    strip_texts = _by_side(found.strips, modules)
    dead = found.links.reshape(-1, 2)
    links = [tuple(np.flatnonzero(dead[module]).tolist()) for module in modules]
    return map(ModuleLists, modules, links, chip_texts, strip_texts)


def _by_side(flags: BoolArray, modules: Sequence[int]) -> list[str]:
    """The list of each module, run by run of each side; ``flags`` has a row for each module."""
    per_side = flags.shape[1] // 2
    lists = []
    for module in modules:
        numbers = np.flatnonzero(flags[module])
        middle = np.searchsorted(numbers, per_side)
        lists += [numbers[:middle], numbers[middle:]]
    texts = strip_lists.encode_many(lists)
    return [first + second for first, second in zip(texts[::2], texts[1::2], strict=True)]


@dataclass
class _Run:
    """The one run that the original keeps for chips and strips of both sides."""

    going: bool = False
    begin: int = 0
    end: int = 0

    def texts(self, flags: Sequence[bool], first: int) -> Iterator[str]:
        """What it appends for flags whose first number is ``first``."""
        for index, dead in enumerate(flags):
            if dead:
                if not self.going:
                    self.begin = first + index
                self.end = first + index
            if (self.going and not dead) or (dead and index == _MISTAKEN_END):
                yield f" {self.begin} " if self.begin == self.end else f" {self.begin}-{self.end} "
            self.going = dead


def _original_lists(found: DeadSearch) -> Iterator[ModuleLists]:
    """The lists with the original's mistakes: only of modules whose side 1 is special."""
    written = ~found.judged_sides[1::2] | found.links[1::2]
    modules = written & (found.chips.any(axis=1) | found.strips.any(axis=1))
    return (original_list(found, module) for module in np.flatnonzero(modules).tolist())


def original_list(found: DeadSearch, module: int) -> ModuleLists:
    """The lists of one module, each run as the original ends it; written or not."""
    run = _Run()
    chips, strips = "", ""
    for side in (0, 1):
        first_chip, first_strip = N_CHIPS_PER_SIDE * side, N_STRIPS * side
        wafer = 2 * module + side
        if found.links[wafer]:
            chips += f" {first_chip}-{first_chip + N_CHIPS_PER_SIDE - 1} "
            strips += f" {first_strip}-{first_strip + N_STRIPS - 1} "
        elif found.analysed[wafer]:
            of_side = found.chips[module, first_chip : first_chip + N_CHIPS_PER_SIDE].tolist()
            chips += "".join(run.texts(of_side, first_chip))
            if found.search.strips:
                of_side = found.strips[module, first_strip : first_strip + N_STRIPS].tolist()
                strips += "".join(run.texts(of_side, first_strip))
    chips, strips = chips if found.search.chips else "", strips if found.search.strips else ""
    return ModuleLists(module, _links(chips), chips, strips)


def log_lines(found: DeadSearch) -> Iterator[str]:
    """A line for every dead link, chip and strip, in the words of the original, and the totals.

    Strips have their number 0-1535 of the lists; of very many only the first are named.
    """
    identifiers = module_id32().tolist()
    for wafer in np.flatnonzero(found.links).tolist():
        yield f"DEADLINK : {identifiers[wafer // 2]}, side={wafer % 2}"
    single = ~found.links[:, None]
    by_side = found.chips.reshape(-1, N_CHIPS_PER_SIDE) & single
    for wafer, chip in np.argwhere(by_side).tolist():
        side = wafer % 2
        yield (
            f"DEADCHIP : {identifiers[wafer // 2]}, side={side}, "
            f"chip(online)={chip + N_CHIPS_PER_SIDE * side}"
        )
    strips = np.argwhere(found.strips.reshape(-1, N_STRIPS) & single)
    for wafer, strip in strips[:LOGGED_STRIPS].tolist():
        yield (
            f"DEADSTRIP : {identifiers[wafer // 2]}, side={wafer % 2}, "
            f"strip={strip + N_STRIPS * (wafer % 2)}"
        )
    if len(strips) > LOGGED_STRIPS:
        yield f"{len(strips) - LOGGED_STRIPS} more strips are in the lists only"
    counts = found.counts
    yield f"total #DeadStrip : {counts.strips}"
    yield f"total #DeadChip : {counts.chips}, #noHitChip : {found.checked_chips}"
