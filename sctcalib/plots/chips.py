"""When noisy chips were noisy: one row per chip, one column per lumi block."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sctcalib.detector.identifiers import Positions, modules
from sctcalib.detector.regions import N_CHIPS_PER_MODULE
from sctcalib.plots.content import FloatArray, Heading, IntArray, StripLists
from sctcalib.plots.style import SERIES_COLOURS, new_page, nothing_to_show, polygons, whole_ticks
from sctcalib.summary.noisy_summary import NoisyChip

MAX_NAMES = 45
"""Rows that are named; of more rows only some are."""
_REGION = {-2: "C", 0: "B", 2: "A"}


def chip_page(heading: Heading, content: StripLists) -> Figure:
    """The raster, how many chips were noisy in each lumi block, and how long each was."""
    chips = content.chips or ()
    page = new_page(heading, "Noisy chips by lumi block", _numbers(chips, content.lumi_blocks))
    frames = page.subplots(
        2, 2, width_ratios=(5, 1), height_ratios=(1, 4.2),
        gridspec_kw={
            "left": 0.145, "right": 0.965, "bottom": 0.085, "top": 0.85, "wspace": 0.07,
            "hspace": 0.06,
        },
    )  # fmt: skip
    (above, corner), (raster, beside) = frames
    if not chips:
        for axes in (above, corner, beside):
            axes.remove()
        nothing_to_show(raster, "no noisy chip")
        return page
    last = _last_lumi_block(chips, content.lumi_blocks)
    _raster(raster, chips, last)
    _chips_per_block(above, chips, last)
    _fractions(beside, chips)
    _numbers_of_chips(corner, chips)
    return page


def _numbers(chips: Sequence[NoisyChip], lumi_blocks: int) -> str:
    n_modules = len({chip.module for chip in chips})
    return (
        f"{len(chips):,} noisy chips on {n_modules:,} modules; {lumi_blocks:,} lumi blocks with"
        " events. Filled: the chip was noisy in this lumi block."
    )


def _lumi_blocks(chip: NoisyChip) -> IntArray:
    """Real numbers; the file has them minus one (algorithms-hitmaps.md 3.6)."""
    return chip.lumi_blocks + 1


def _last_lumi_block(chips: Sequence[NoisyChip], lumi_blocks: int) -> int:
    noisy = [int(_lumi_blocks(chip)[-1]) for chip in chips if len(chip.lumi_blocks)]
    return max(*noisy, lumi_blocks, 1) if noisy else max(lumi_blocks, 1)


def _runs(numbers: IntArray) -> tuple[IntArray, IntArray]:
    """First and last of each run of consecutive numbers."""
    breaks = np.flatnonzero(np.diff(numbers) > 1)
    first = numbers[np.concatenate([[0], breaks + 1])]
    return first, numbers[np.concatenate([breaks, [len(numbers) - 1]])]


def _boxes(chips: Sequence[NoisyChip]) -> FloatArray:
    """Corners of a box for every run of lumi blocks, shape (n, 4, 2)."""
    boxes = [np.empty((0, 4, 2))]
    for row, chip in enumerate(chips):
        if len(chip.lumi_blocks):
            first, last = _runs(_lumi_blocks(chip))
            x = np.stack([first - 0.5, first - 0.5, last + 0.5, last + 0.5], axis=1)
            y = np.broadcast_to([row - 0.42, row + 0.42, row + 0.42, row - 0.42], x.shape)
            boxes.append(np.stack([x, y], axis=2))
    return np.concatenate(boxes)


def _raster(axes: Axes, chips: Sequence[NoisyChip], last: int) -> None:
    axes.add_collection(
        polygons(_boxes(chips), facecolors=SERIES_COLOURS[0], edgecolors="face", lw=0.2)
    )
    axes.set_xlim(0.5, last + 0.5)
    axes.set_ylim(len(chips) - 0.4, -0.6)
    axes.xaxis.set_major_locator(MaxNLocator(10, integer=True))
    axes.set_xlabel("lumi block")
    step = -(-len(chips) // MAX_NAMES)
    rows = range(0, len(chips), step)
    size = float(np.clip(260 / len(rows), 6.5, 8.5))
    axes.set_yticks(rows, [chip_name(chips[row]) for row in rows], size=size)
    axes.tick_params(axis="y", which="minor", left=False, right=False)
    axes.tick_params(axis="y", which="major", right=False)
    if len(chips) <= MAX_NAMES:
        for border in range(1, len(chips)):
            axes.axhline(border - 0.5, color="#e5e5e5", lw=0.5, zorder=0)
    else:
        axes.annotate(
            f"1 row in {step} is named", (-0.01, -0.055), xycoords="axes fraction", ha="right",
            size=7, color="#666666",
        )  # fmt: skip


def chip_name(chip: NoisyChip) -> str:
    """Where a chip is: region and layer, phi, eta, chip number."""
    m: Positions = modules()[chip.module]
    region = f"{_REGION[int(m.bec)]}{int(m.layer)}"
    eta = str(int(m.eta)).replace("-", "\N{MINUS SIGN}")
    return rf"{region}  $\phi$ {int(m.phi)}  $\eta$ {eta}  chip {chip.chip}"


def _chips_per_block(axes: Axes, chips: Sequence[NoisyChip], last: int) -> None:
    counts = np.bincount(np.concatenate([_lumi_blocks(chip) for chip in chips]), minlength=last + 1)
    edges = np.arange(1, last + 2) - 0.5
    axes.stairs(counts[1 : last + 1], edges, fill=True, color=SERIES_COLOURS[0], alpha=0.5)
    axes.set_xlim(0.5, last + 0.5)
    axes.set_ylim(0, max(counts.max(), 3) * 1.15)
    axes.set_ylabel("Noisy chips")
    whole_ticks(axes, most=4)
    axes.xaxis.set_major_locator(MaxNLocator(10, integer=True))
    axes.tick_params(labelbottom=False)


def _fractions(axes: Axes, chips: Sequence[NoisyChip]) -> None:
    rows = np.arange(len(chips))
    fractions = [chip.lb_fraction for chip in chips]
    axes.barh(rows, fractions, 0.84, color=SERIES_COLOURS[1])
    axes.set_xlim(0, 1.03)
    axes.set_ylim(len(chips) - 0.4, -0.6)
    axes.set_yticks([])
    axes.set_xticks([0, 0.5, 1])
    axes.tick_params(axis="y", which="both", left=False, right=False)
    axes.set_xlabel("fraction of lumi blocks")


def _numbers_of_chips(axes: Axes, chips: Sequence[NoisyChip]) -> None:
    counts = np.bincount([chip.chip for chip in chips], minlength=N_CHIPS_PER_MODULE)
    axes.bar(range(N_CHIPS_PER_MODULE), counts, 0.8, color=SERIES_COLOURS[2])
    axes.set_ylim(0, max(counts.max(), 3) * 1.15)
    whole_ticks(axes, most=3)
    axes.set_xticks([0, 5, 6, 11])
    axes.set_xlim(-0.6, N_CHIPS_PER_MODULE - 0.4)
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.set_xlabel("chip number", loc="center")
    axes.yaxis.tick_right()
