"""When noisy chips were noisy: one row per chip, one column per lumi block."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sctcalib.detector.regions import N_CHIPS_PER_MODULE
from sctcalib.plots.content import ChipBlocks, Heading
from sctcalib.plots.raster import draw_rows, place_name, runs_of
from sctcalib.plots.style import SERIES_COLOURS, new_page, nothing_to_show, whole_ticks


def chip_page(heading: Heading, chips: Sequence[ChipBlocks], lumi_blocks: int) -> Figure:
    """The raster, how many chips were noisy in each lumi block, and how long each was.

    ``lumi_blocks`` is the number of those with events.
    """
    page = new_page(heading, "Noisy chips by lumi block", _numbers(chips, lumi_blocks))
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
    last = last_lumi_block(chips, lumi_blocks)
    draw_rows(
        raster,
        [f"{place_name(chip.module)}  chip {chip.chip}" for chip in chips],
        [runs_of(chip.numbers) for chip in chips],
    )
    raster.set_xlim(0.5, last + 0.5)
    raster.xaxis.set_major_locator(MaxNLocator(10, integer=True))
    raster.set_xlabel("lumi block")
    _chips_per_block(above, chips, last)
    _fractions(beside, chips)
    _numbers_of_chips(corner, chips)
    return page


def _numbers(chips: Sequence[ChipBlocks], lumi_blocks: int) -> str:
    n_modules = len({chip.module for chip in chips})
    return (
        f"{len(chips):,} noisy chips on {n_modules:,} modules; {lumi_blocks:,} lumi blocks with"
        " events. Filled: the chip was noisy in this lumi block."
    )


def last_lumi_block(chips: Sequence[ChipBlocks], lumi_blocks: int) -> int:
    """As far as the axis has to reach."""
    return max(1, lumi_blocks, *(int(chip.numbers.max(initial=1)) for chip in chips))


def _chips_per_block(axes: Axes, chips: Sequence[ChipBlocks], last: int) -> None:
    counts = np.bincount(np.concatenate([chip.numbers for chip in chips]), minlength=last + 1)
    edges = np.arange(1, last + 2) - 0.5
    axes.stairs(counts[1:], edges, fill=True, color=SERIES_COLOURS[0], alpha=0.5)
    axes.set_xlim(0.5, last + 0.5)
    axes.set_ylim(0, max(counts.max(), 3) * 1.15)
    axes.set_ylabel("Noisy chips")
    whole_ticks(axes, most=4)
    axes.xaxis.set_major_locator(MaxNLocator(10, integer=True))
    axes.tick_params(labelbottom=False)


def _fractions(axes: Axes, chips: Sequence[ChipBlocks]) -> None:
    edges = np.arange(len(chips) + 1) - 0.5
    fractions = [chip.fraction for chip in chips]
    axes.stairs(fractions, edges, orientation="horizontal", fill=True, color=SERIES_COLOURS[1])
    axes.set_xlim(0, 1.03)
    axes.set_ylim(len(chips) - 0.4, -0.6)
    axes.set_yticks([])
    axes.set_xticks([0, 0.5, 1])
    axes.tick_params(axis="y", which="both", left=False, right=False)
    axes.set_xlabel("fraction of lumi blocks")


def _numbers_of_chips(axes: Axes, chips: Sequence[ChipBlocks]) -> None:
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
