"""Pages of lists of noisy or dead strips: maps, distributions, change."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from sctcalib.configuration.options import options
from sctcalib.detector.identifiers import wafers
from sctcalib.detector.regions import (
    BARREL_PHI,
    N_CHIPS_PER_SIDE,
    N_DISKS,
    N_STRIPS,
    N_STRIPS_PER_CHIP,
    N_WAFERS,
)
from sctcalib.plots.chips import chip_page
from sctcalib.plots.content import DeadItems, FloatArray, Heading, IntArray, StripLists
from sctcalib.plots.maps import count_scale, detector_map, difference_scale
from sctcalib.plots.sides import Page
from sctcalib.plots.style import (
    LIMIT_COLOUR,
    REFERENCE_COLOUR,
    SERIES_COLOURS,
    log_axis,
    new_page,
    whole_ticks,
)

LENGTH_EDGES = np.array([1, 2, 3, 5, 9, 17, 33, 65, 129, 257, 513, 1025, 2049]) - 0.5
"""Lengths of lists: 1, 2, 3-4, 5-8 and so on, twice as many each time."""
_BREAK = "\n"
_POSITION_BIN = 16
"""Strips per bin of the distribution over a side."""


def strip_pages(heading: Heading, content: StripLists, other: StripLists | None) -> list[Page]:
    """What can be made of the lists; the first page is the overview."""
    pages: list[Page] = [lambda: map_page(heading, content, content.main)]
    if content.empty:
        return pages
    if "new" in content.lists:
        pages.append(lambda: map_page(heading, content, "new"))
    pages.append(lambda: distribution_page(heading, content, other))
    chips = content.chips
    if chips is not None:
        pages.append(lambda: chip_page(heading, chips, content.lumi_blocks))
    if other is not None:
        pages.append(lambda: change_page(heading, content, other))
    return pages


def dead_pages(heading: Heading, content: DeadItems, other: DeadItems | None) -> list[Page]:
    """Pages of the chips, then of the strips."""
    return [
        *strip_pages(heading, content.chips, None if other is None else other.chips),
        *strip_pages(heading, content.strips, None if other is None else other.strips),
    ]


def _thing(content: StripLists) -> str:
    return "strips" if content.per_side == N_STRIPS else "chips"


def map_page(heading: Heading, content: StripLists, name: str) -> Figure:
    """How many each side has."""
    values = content.per_wafer(name).astype(np.float64)
    title = f"{content.what} per side"
    if len(content.lists) > 1:
        title += {"new": ": not in the reference run"}.get(name, ": all")
    if content.empty:
        values[:] = np.nan
        caption = "The hit maps are empty: nothing was measured."
    else:
        caption = _numbers(content, name)
    scale = count_scale(f"{content.what} per side", values)
    return detector_map(heading, title, values, scale, caption)


def _numbers(content: StripLists, name: str) -> str:
    """Counts of one list, and of the others where this is the first."""
    things = _thing(content)
    n, modules = len(content.lists[name]), int((content.per_module(name) > 0).sum())
    text = f"{n:,} {things} on {modules:,} modules"
    if name == content.main:
        text += "".join(
            f"; {_WORDS[key]}: {len(numbers):,}"
            for key, numbers in content.lists.items()
            if key != name
        )
    return f"{text}.   {content.verdict}".rstrip()


_WORDS = {"all": "all", "new": "new", "ref": "in the reference run"}


def _colours(content: StripLists) -> list[tuple[str, str]]:
    fixed = {"new": SERIES_COLOURS[1], "ref": REFERENCE_COLOUR}
    return [(name, fixed.get(name, SERIES_COLOURS[0])) for name in content.lists]


def distribution_page(heading: Heading, content: StripLists, other: StripLists | None) -> Figure:
    """Lengths of the lists, strips per chip, where the modules and where the strips are."""
    title = f"{content.what}: distributions"
    page = new_page(heading, title, _numbers(content, content.main))
    frames = page.subplots(
        2, 2,
        gridspec_kw={
            "left": 0.07, "right": 0.965, "bottom": 0.085, "top": 0.845, "wspace": 0.16,
            "hspace": 0.32,
        },
    )  # fmt: skip
    shown = [(content, name, colour, _WORDS.get(name, "")) for name, colour in _colours(content)]
    if other is not None:
        shown.append((other, other.main, "black", heading.reference))
    _lengths(frames[0, 0], shown, _thing(content))
    _along_the_beam(frames[1, 0], shown, content.what)
    if content.per_side == N_STRIPS:
        _per_chip(frames[0, 1], shown, limit=content.what.startswith("Noisy"))
        _over_the_side(frames[1, 1], shown)
    else:
        _per_number(frames[0, 1], shown)
        frames[1, 1].remove()
    return page


_Shown = Sequence[tuple[StripLists, str, str, str]]


def _steps(axes: Axes, counts: IntArray, edges: FloatArray, colour: str, label: str) -> None:
    if colour == REFERENCE_COLOUR:
        axes.stairs(counts, edges, fill=True, color=colour, alpha=0.3, label=label)
    else:
        dashed = "--" if colour == "black" else "-"
        axes.stairs(counts, edges, color=colour, lw=1.5, ls=dashed, label=label)


def _lengths(axes: Axes, shown: _Shown, things: str) -> None:
    for content, name, colour, label in shown:
        _steps(axes, _binned(content.per_module(name)), _bin_edges(), colour, label)
    _length_axis(axes, 2 * shown[0][0].per_side)
    axes.set_title("Length of the list of a module")
    axes.set_xlabel(f"{things} in the list")
    axes.set_ylabel("Modules")
    _log_counts(axes)
    if len(shown) > 1:
        axes.legend(loc="upper right", ncols=2)


def _binned(lengths: IntArray) -> IntArray:
    """How many lengths are 1, 2, 3-4, 5-8 and so on."""
    counts: IntArray = np.histogram(lengths, LENGTH_EDGES)[0]
    return counts


def _bin_edges() -> FloatArray:
    """Bins of equal width on the page, whatever lengths they hold."""
    return edges_of(len(LENGTH_EDGES) - 1)


def edges_of(n: int) -> FloatArray:
    """Edges of bins centred at 0 to n - 1."""
    return np.asarray(np.arange(n + 1) - 0.5, dtype=np.float64)


def _length_axis(axes: Axes, longest: int) -> None:
    """Names of the bins up to a length."""
    first = (LENGTH_EDGES[:-1] + 0.5).astype(int).tolist()
    last = np.minimum(LENGTH_EDGES[1:] - 0.5, longest).astype(int).tolist()
    names = [
        str(low) if low == high else f"{low}\N{EN DASH}{_BREAK * (high > 99)}{high}"
        for low, high in zip(first, last, strict=True)
        if low <= longest
    ]
    axes.set_xlim(-0.5, len(names) - 0.5)
    axes.set_xticks(range(len(names)), names, size=7.5)
    axes.tick_params(axis="x", which="minor", top=False, bottom=False)


def _log_counts(axes: Axes) -> None:
    """A logarithmic axis of counts with room for a legend."""
    log_axis(axes, 0.5, max(axes.dataLim.y1, 10) ** 1.25)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def _per_chip(axes: Axes, shown: _Shown, *, limit: bool) -> None:
    """Strips of each chip; the direction of readout does not matter for how many there are."""
    for content, name, colour, label in shown:
        per_chip = np.bincount(content.lists[name] // N_STRIPS_PER_CHIP)
        _steps(axes, _binned(per_chip), _bin_edges(), colour, label)
    _length_axis(axes, N_STRIPS_PER_CHIP)
    axes.set_title("Strips of a chip")
    axes.set_xlabel("strips in the list, of the 128 of a chip")
    axes.set_ylabel("Chips")
    _log_counts(axes)
    if limit:
        _draw_chip_limit(axes)


def _draw_chip_limit(axes: Axes) -> None:
    fraction = options()["NoisyChipFraction"].default
    assert isinstance(fraction, float)
    limit = int(fraction * N_STRIPS_PER_CHIP)
    place = float(np.interp(limit + 0.5, LENGTH_EDGES, _bin_edges()))
    axes.axvline(place, 0, 0.84, color=LIMIT_COLOUR, ls="--", lw=1)
    axes.annotate(
        f"noisy chip: more than {limit}", (place, 0.9), xycoords=("data", "axes fraction"),
        ha="right", size=8.5, color=LIMIT_COLOUR, va="center",
    )  # fmt: skip


def _per_number(axes: Axes, shown: _Shown) -> None:
    edges = edges_of(2 * N_CHIPS_PER_SIDE)
    for content, name, colour, label in shown:
        numbers = content.lists[name] % (2 * N_CHIPS_PER_SIDE)
        _steps(axes, np.histogram(numbers, edges)[0], edges, colour, label)
    axes.set_title("Number of the chip")
    axes.set_xlabel("chip, readout order (6\N{EN DASH}11: side 1)")
    axes.set_ylabel("Chips in the list")
    axes.set_ylim(0, max(axes.dataLim.y1, 3) * 1.15)
    whole_ticks(axes)
    axes.set_xticks(range(2 * N_CHIPS_PER_SIDE))


def _along_the_beam(axes: Axes, shown: _Shown, what: str) -> None:
    """How many each disk and layer has, from end cap C to end cap A."""
    w = wafers()
    place = np.select(
        [w.bec < 0, w.bec == 0],
        [N_DISKS - 1 - w.layer, N_DISKS + w.layer],
        N_DISKS + len(BARREL_PHI) + w.layer,
    )
    n = 2 * N_DISKS + len(BARREL_PHI)
    edges = edges_of(n)
    for content, name, colour, label in shown:
        counts = np.bincount(place, content.per_wafer(name), n)
        _steps(axes, counts.astype(np.int64), edges, colour, label)
    for border in (N_DISKS - 0.5, N_DISKS + len(BARREL_PHI) - 0.5):
        axes.axvline(border, color="#999999", lw=0.8)
    names = [*map(str, range(N_DISKS - 1, -1, -1)), *map(str, range(4)), *map(str, range(N_DISKS))]
    axes.set_xticks(range(n), names)
    axes.set_xlim(-0.5, n - 0.5)
    axes.tick_params(axis="x", which="minor", top=False, bottom=False)
    _log_counts(axes)
    for x, text in ((4, "end cap C"), (10.5, "barrel"), (17, "end cap A")):
        axes.annotate(
            text, (x, 0.92), xycoords=("data", "axes fraction"), ha="center", color="#444444"
        )
    axes.set_title("Disk or layer")
    axes.set_xlabel("disk 8\N{EN DASH}0, layer 0\N{EN DASH}3, disk 0\N{EN DASH}8")
    axes.set_ylabel(what)


def _over_the_side(axes: Axes, shown: _Shown) -> None:
    edges = _POSITION_BIN * (edges_of(N_STRIPS // _POSITION_BIN) + 0.5) - 0.5
    for content, name, colour, label in shown:
        counts, _ = np.histogram(content.lists[name] % N_STRIPS, edges)
        _steps(axes, counts, edges, colour, label)
    for border in range(N_STRIPS_PER_CHIP, N_STRIPS, N_STRIPS_PER_CHIP):
        axes.axvline(border - 0.5, color="#cccccc", lw=0.8, zorder=0)
    axes.set_xlim(-0.5, N_STRIPS - 0.5)
    axes.set_ylim(0, max(axes.dataLim.y1, 3) * 1.15)
    whole_ticks(axes)
    axes.set_xticks(range(0, N_STRIPS + 1, N_STRIPS_PER_CHIP))
    axes.set_title("Position on the side")
    axes.set_xlabel("offline strip number (lines: edges of chips)")
    axes.set_ylabel(f"Strips / {_POSITION_BIN}")


def change_page(heading: Heading, content: StripLists, other: StripLists) -> Figure:
    """Map of how many more each side has than in the reference."""
    now, before = content.per_wafer(content.main), other.per_wafer(other.main)
    change = (now - before).astype(np.float64)
    come = np.setdiff1d(content.lists[content.main], other.lists[other.main], assume_unique=True)
    gone = np.setdiff1d(other.lists[other.main], content.lists[content.main], assume_unique=True)
    things = _thing(content)
    caption = f"{len(come):,} {things} came, {len(gone):,} went; {(change != 0).sum():,} of"
    caption += f" {N_WAFERS:,} sides have another number."
    scale = difference_scale(f"{content.what} per side, minus reference", change)
    return detector_map(heading, f"{content.what}: change", change, scale, caption)
