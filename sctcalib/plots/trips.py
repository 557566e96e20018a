"""Pages of modules that had no high voltage."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sctcalib.detector.regions import N_MODULES
from sctcalib.plots.content import Heading, Trips
from sctcalib.plots.maps import count_scale, detector_map
from sctcalib.plots.raster import draw_rows, place_name
from sctcalib.plots.sides import Page
from sctcalib.plots.style import new_page, nothing_to_show

SECONDS_PER_MINUTE = 60


def trip_pages(heading: Heading, content: Trips) -> list[Page]:
    """The map and the times."""
    return [lambda: map_page(heading, content), lambda: times_page(heading, content)]


def _numbers(content: Trips) -> str:
    n_modules = len(np.unique(content.modules))
    return f"{len(content.modules):,} intervals of {n_modules:,} modules."


def map_page(heading: Heading, content: Trips) -> Figure:
    """How many intervals each module has; both sides of it are shown alike."""
    counts = np.bincount(content.modules, minlength=N_MODULES)
    values = np.repeat(counts, 2).astype(np.float64)
    scale = count_scale("Intervals of bad high voltage, per module", values)
    return detector_map(heading, "Trips of the high voltage", values, scale, _numbers(content))


def times_page(heading: Heading, content: Trips) -> Figure:
    """One row per module; lumi blocks if the file has them, else time."""
    page = new_page(heading, "Trips of the high voltage by time", _numbers(content))
    axes = page.add_axes((0.12, 0.085, 0.845, 0.76))
    if not len(content.modules):
        nothing_to_show(axes, "no trip")
        return page
    named = np.unique(content.modules).tolist()
    if content.lumi_blocks.any():
        edges = content.lumi_blocks + np.array([-0.5, 0.5])
        axes.set_xlabel("lumi block")
    else:
        edges = (content.seconds - content.seconds.min()) / SECONDS_PER_MINUTE
        axes.set_xlabel("minutes after the first trip")
    rows = [edges[content.modules == module] for module in named]
    draw_rows(axes, [place_name(module) for module in named], rows)
    margin = 0.02 * (edges.max() - edges.min()) + 0.01
    axes.set_xlim(edges.min() - margin, edges.max() + margin)
    axes.xaxis.set_major_locator(MaxNLocator(10))
    return page
