"""Pages of the noisy lumi blocks of a run."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from sctcalib.configuration.options import options
from sctcalib.detector.regions import N_CHIPS, N_CHIPS_PER_SIDE, N_WAFERS
from sctcalib.plots.chips import chip_page, last_lumi_block
from sctcalib.plots.content import Heading, LumiBlocks
from sctcalib.plots.maps import count_scale, detector_map
from sctcalib.plots.sides import Page
from sctcalib.plots.style import LIMIT_COLOUR, SERIES_COLOURS, log_axis, new_page, nothing_to_show


def lumi_block_pages(heading: Heading, content: LumiBlocks) -> list[Page]:
    """Lumi blocks, the raster of chips, the map of chips; the first page is the overview."""
    return [
        lambda: blocks_page(heading, content),
        lambda: chip_page(heading, content.chips, content.lumi_blocks),
        lambda: map_page(heading, content),
    ]


def blocks_page(heading: Heading, content: LumiBlocks) -> Figure:
    """Noisy chips and occupancy of every lumi block that has a noisy chip."""
    page = new_page(heading, "Noisy lumi blocks", content.verdict)
    chips, occupancy = page.subplots(
        2, 1, sharex=True, height_ratios=(1.4, 1),
        gridspec_kw={"left": 0.08, "right": 0.965, "bottom": 0.085, "top": 0.83, "hspace": 0.08},
    )  # fmt: skip
    last = last_lumi_block(content.chips, max(content.lumi_blocks, *content.numbers, 1))
    chips.set_xlim(0.5, last + 0.5)
    if not len(content.numbers):
        nothing_to_show(chips, "no lumi block with a noisy chip")
        nothing_to_show(occupancy, "")
        return page
    _chips(chips, content)
    _occupancy(occupancy, content)
    occupancy.set_xlabel("lumi block")
    occupancy.xaxis.set_major_locator(MaxNLocator(10, integer=True))
    handles = [
        Patch(color=LIMIT_COLOUR, label="noisy lumi block"),
        Patch(color=SERIES_COLOURS[0], label="noisy chips only"),
    ]
    page.legend(handles=handles, loc="upper right", bbox_to_anchor=(0.972, 0.885), ncols=2)
    return page


def _colours(content: LumiBlocks) -> list[str]:
    return [LIMIT_COLOUR if noisy else SERIES_COLOURS[0] for noisy in content.noisy]


def _chips(axes: Axes, content: LumiBlocks) -> None:
    axes.bar(content.numbers, content.n_chips, 1.0, color=_colours(content))
    fraction = options()["NoisyLBChipFraction"].default
    assert isinstance(fraction, float)
    limit = fraction * N_CHIPS
    axes.axhline(limit, color=LIMIT_COLOUR, ls="--", lw=1)
    axes.annotate(
        f"more than {100 * fraction:g} % of the chips ({limit:.0f}): noisy lumi block",
        (0.99, limit), xycoords=("axes fraction", "data"), xytext=(0, 4),
        textcoords="offset points", ha="right", size=8.5, color=LIMIT_COLOUR,
    )  # fmt: skip
    log_axis(axes, 0.5, max(float(content.n_chips.max()), limit) * 3)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_ylabel("Noisy chips")


def _occupancy(axes: Axes, content: LumiBlocks) -> None:
    axes.scatter(content.numbers, content.occupancy, 16, c=_colours(content))
    positive = content.occupancy[content.occupancy > 0]
    if len(positive):
        log_axis(axes, positive.min() / 2, positive.max() * 2)
    axes.set_ylabel("Occupancy of the detector\n[hits per strip and event]")


def map_page(heading: Heading, content: LumiBlocks) -> Figure:
    """How many chips of each side were noisy at some time."""
    wafers = [2 * chip.module + chip.chip // N_CHIPS_PER_SIDE for chip in content.chips]
    counts = np.bincount(np.array(wafers, dtype=np.int64), minlength=N_WAFERS).astype(np.float64)
    caption = f"{len(wafers):,} chips were noisy in at least one lumi block."
    scale = count_scale("Chips with a noisy lumi block, per side", counts)
    return detector_map(heading, "Chips with noisy lumi blocks", counts, scale, caption)
