"""Pages of byte-stream errors: maps, links by error type, links by layer and ring."""

from __future__ import annotations

from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from sctcalib.detector.regions import REGIONS
from sctcalib.parts.bytestream_errors import ERROR_NAMES
from sctcalib.parts.layer_means import layer_sums
from sctcalib.plots.content import FloatArray, Heading, LinkErrors
from sctcalib.plots.layers import link_counts_page
from sctcalib.plots.maps import Scale, count_scale, detector_map, log_scale, three_way_scale
from sctcalib.plots.sides import REGION_TITLES, Page
from sctcalib.plots.style import REGION_COLOURS, SERIES_COLOURS, new_page, whole_ticks


def link_pages(heading: Heading, content: LinkErrors, other: LinkErrors | None) -> list[Page]:
    """The overview, counts, and a map for each error type that occurred."""
    pages: list[Page] = [
        lambda: map_page(heading, content),
        lambda: types_page(heading, content, other),
        lambda: link_counts_page(
            heading, _links_by_layer(content), None if other is None else _links_by_layer(other)
        ),
    ]
    if other is not None:
        pages.append(lambda: change_page(heading, content, other))
    occurred = [p for p in ERROR_NAMES if (content.errors[:, p] != 0).any()]
    # With one type its map is the overview.
    types = occurred if len(occurred) > 1 else []
    return [*pages, *(partial(type_page, heading, content, position) for position in types)]


def _links_by_layer(content: LinkErrors) -> FloatArray:
    return layer_sums(content.totals > 0)


def map_page(heading: Heading, content: LinkErrors) -> Figure:
    """Errors of all types on each side."""
    n = int((content.totals > 0).sum())
    unit = "fractions of events" if content.is_fraction else "events"
    label = f"{unit.capitalize()} with an error, summed over error types"
    caption = f"{n:,} of {len(content.totals):,} links (sides) sent errors."
    scale = _scale(label, content.totals, fraction=content.is_fraction)
    return detector_map(heading, "Byte-stream errors", content.totals, scale, caption)


def type_page(heading: Heading, content: LinkErrors, position: int) -> Figure:
    """Errors of one type on each side."""
    values = np.where(content.errors[:, position] < 0, np.nan, content.errors[:, position])
    n = int((values > 0).sum())
    name = ERROR_NAMES[position]
    label = f"{'Fraction of events' if content.is_fraction else 'Events'} with {name}"
    caption = f"{n:,} links (sides) sent this error."
    scale = _scale(label, values, fraction=content.is_fraction)
    return detector_map(heading, f"Byte-stream errors: {name}", values, scale, caption)


def _scale(label: str, values: FloatArray, *, fraction: bool) -> Scale:
    counts = count_scale(label, values, "not known")
    if not fraction:
        return counts
    positive = values[values > 0]
    return Scale(label, log_scale(label, positive, "").norm, counts.colours, "not known", "0")


def types_page(heading: Heading, content: LinkErrors, other: LinkErrors | None) -> Figure:
    """For each error type how many links sent it, and how often it came."""
    page = new_page(heading, "Byte-stream errors by type", _lost(content))
    links, events = page.subplots(
        1, 2, sharey=True,
        gridspec_kw={"left": 0.185, "right": 0.965, "bottom": 0.1, "top": 0.83, "wspace": 0.08},
    )  # fmt: skip
    rows = np.arange(len(ERROR_NAMES))
    links.set_yticks(rows, list(ERROR_NAMES.values()), size=9.5)
    links.set_ylim(len(rows) - 0.4, -0.6)
    for axes in (links, events):
        axes.tick_params(axis="y", which="both", left=False, right=False)
        axes.grid(axis="x", color="#dddddd", lw=0.6)
        axes.set_axisbelow(True)
    _region_bars(links, (content.errors > 0)[:, list(ERROR_NAMES)].astype(float))
    links.set_xlabel("links (sides) that sent the error")
    links.set_xlim(0, max(links.dataLim.x1, 5) * 1.25)
    whole_ticks(links, along="x")
    # Regions are not told apart here: parts of a bar mean nothing on a logarithmic axis.
    events.barh(rows, _n_events(content), 0.7, color=SERIES_COLOURS[3])
    what = "fractions of events" if content.is_fraction else "events"
    events.set_xlabel(f"{what} with the error, summed over links")
    _logarithmic(events, fraction=content.is_fraction)
    for axes, of in ((links, _n_links), (events, _n_events)):
        if other is not None:
            _mark_reference(axes, of(other), heading.reference)
        _totals(axes, of(content))
    page.legend(
        *links.get_legend_handles_labels(), loc="upper right", bbox_to_anchor=(0.972, 0.885),
        ncols=4, columnspacing=1.2,
    )  # fmt: skip
    return page


def _n_links(content: LinkErrors) -> NDArray[np.float64]:
    counts: FloatArray = (content.errors > 0)[:, list(ERROR_NAMES)].sum(axis=0).astype(float)
    return counts


def _n_events(content: LinkErrors) -> NDArray[np.float64]:
    sums: FloatArray = np.maximum(content.errors, 0)[:, list(ERROR_NAMES)].sum(axis=0).astype(float)
    return sums


def _logarithmic(axes: Axes, *, fraction: bool) -> None:
    """An axis on which 0 can be shown, with room for the totals."""
    reach = axes.dataLim.x1
    if fraction:
        axes.set_xlim(0, max(reach, 0.01) * 1.25)
        return
    axes.set_xlim(0, max(reach, 10) * 40)
    axes.set_xscale("symlog", linthresh=1, linscale=0.3)


def _mark_reference(axes: Axes, values: FloatArray, label: str) -> None:
    rows = np.arange(len(values))
    axes.plot(values, rows, "|", ms=18, mew=1.8, color="black", label=label, clip_on=False)
    linear = axes.get_xscale() == "linear"
    axes.set_xlim(0, max(axes.get_xlim()[1], values.max() * (1.25 if linear else 40)))


def _region_bars(axes: Axes, values: FloatArray) -> None:
    """Bars stacked by region; ``values`` (8176, 12)."""
    rows = np.arange(values.shape[1])
    left = np.zeros(values.shape[1])
    for region, title in zip(REGIONS, REGION_TITLES, strict=True):
        width = values[region.wafers].sum(axis=0)
        axes.barh(rows, width, 0.7, left, color=REGION_COLOURS[region.label], label=title)
        left += width


def _totals(axes: Axes, totals: FloatArray) -> None:
    """A column of numbers at the right."""
    for row, total in enumerate(totals.tolist()):
        text = f"{total:,.0f}" if total == int(total) else f"{total:.3g}"
        axes.annotate(
            text, (0.985, row), xycoords=("axes fraction", "data"), ha="right", va="center", size=9
        )


def _lost(content: LinkErrors) -> str:
    lost = int((content.errors < 0).any(axis=1).sum())
    if not lost:
        return "Error types 6\N{EN DASH}8 have no histogram and are always 0."
    return f"The original's file has lost the types of {lost:,} links; they are left out here."


def change_page(heading: Heading, content: LinkErrors, other: LinkErrors) -> Figure:
    """Map of links that began or ceased to send errors."""
    now, before = content.totals > 0, other.totals > 0
    change = now.astype(float) - before
    caption = f"{int((change > 0).sum()):,} links began to send errors, "
    caption += f"{int((change < 0).sum()):,} ceased; {int((now & before).sum()):,} did both times."
    scale = three_way_scale("Errors of the link", ("ceased", "same", "began"))
    return detector_map(heading, "Links with byte-stream errors: change", change, scale, caption)
