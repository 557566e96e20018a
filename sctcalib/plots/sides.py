"""Pages of a quantity that every side has: map, distributions, averages, change."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sctcalib.detector.identifiers import wafers
from sctcalib.detector.regions import REGIONS
from sctcalib.plots.content import QUANTITIES, FloatArray, Heading, Quantity, SideValues
from sctcalib.plots.layers import RING_NAMES, means_page
from sctcalib.plots.maps import (
    Scale,
    detector_map,
    difference_scale,
    high_is_good_scale,
    log_scale,
)
from sctcalib.plots.style import (
    LIMIT_COLOUR,
    REFERENCE_COLOUR,
    SERIES_COLOURS,
    log_axis,
    new_page,
)

Page = Callable[[], Figure]
REGION_TITLES = ("End cap C", "Barrel", "End cap A")


def side_pages(heading: Heading, content: SideValues, other: SideValues | None) -> list[Page]:
    """What can be made of the values of all sides; the first page is the overview."""
    pages: list[Page] = [
        lambda: map_page(heading, content),
        lambda: distribution_page(heading, content, other),
        lambda: means_page(heading, content, other),
    ]
    if other is not None:
        pages.append(lambda: change_page(heading, content, other))
    return pages


def map_page(heading: Heading, content: SideValues) -> Figure:
    """The map of the detector."""
    quantity = QUANTITIES[content.quantity]
    return detector_map(
        heading, quantity.title, content.values, _scale(quantity, content.values),
        _numbers(quantity, content.values),
    )  # fmt: skip


def _scale(quantity: Quantity, values: FloatArray) -> Scale:
    if quantity.log:
        return log_scale(quantity.label, values, quantity.absent)
    return high_is_good_scale(quantity.label, values, quantity.limit or 1.0, quantity.absent)


def _numbers(quantity: Quantity, values: FloatArray) -> str:
    """Mean, sides without a value, sides beyond the limit."""
    known = values[~np.isnan(values)]
    if not len(known):
        return f"All {len(values):,} sides: {quantity.absent}."
    mean = f"{known.mean():.4f}" if not quantity.log else scientific(float(known.mean()))
    text = f"Mean {mean} over {len(known):,} sides; {len(values) - len(known):,} sides: "
    text += quantity.absent
    if quantity.limit is not None:
        beyond = known < quantity.limit if quantity.high_is_good else known > quantity.limit
        word = "below" if quantity.high_is_good else "above"
        text += f"; {int(beyond.sum()):,} {word} the {quantity.limit_text}"
    return text + "."


def scientific(value: float) -> str:
    """``1.23 x 10^-5`` in the mathematics of matplotlib."""
    if not value:
        return "0"
    digits, _, power = f"{value:.2e}".partition("e")
    return rf"${digits}\times10^{{{int(power)}}}$"


def distribution_page(heading: Heading, content: SideValues, other: SideValues | None) -> Figure:
    """Histograms by layer or ring, one frame per region, with the limit."""
    quantity = QUANTITIES[content.quantity]
    everything = [content.values] + ([other.values] if other else [])
    edges = _edges(quantity, np.concatenate(everything))
    caption = f"In {quantity.unit}. Values outside the axis are in the first and last bin."
    page = new_page(heading, f"{quantity.title}: distribution", caption)
    frames = page.subplots(
        1, 3, sharey=True, sharex=True,
        gridspec_kw={"left": 0.07, "right": 0.965, "bottom": 0.1, "top": 0.82, "wspace": 0.1},
    )  # fmt: skip
    for axes, region, title in zip(frames, REGIONS, REGION_TITLES, strict=True):
        axes.set_title(title)
        if quantity.log:
            log_axis(axes, edges[0], edges[-1], along="x")
        if other is not None:
            _histogram(
                axes, other.values[region.wafers], edges, REFERENCE_COLOUR, heading.reference
            )
        _by_group(axes, region.bec, content.values, edges, quantity)
        if quantity.limit is not None and edges[0] < quantity.limit < edges[-1]:
            axes.axvline(
                quantity.limit, 0, 0.68, color=LIMIT_COLOUR, ls="--", lw=1,
                label=quantity.limit_text,
            )  # fmt: skip
    _finish(page, frames, edges, quantity)
    return page


def _finish(page: Figure, frames: Sequence[Axes], edges: FloatArray, quantity: Quantity) -> None:
    highest = max(axes.dataLim.y1 for axes in frames)
    # Room above the histograms for the legends.
    log_axis(frames[0], 0.5, max(highest, 10) ** 1.5)
    frames[0].set_xlim(edges[0], edges[-1])
    frames[0].set_ylabel("Sides")
    if not quantity.log:
        frames[0].xaxis.set_major_locator(MaxNLocator(5))
    for axes in frames:
        if axes.get_legend_handles_labels()[0]:
            axes.legend(loc="upper left" if quantity.high_is_good else "upper right")
        axes.set_xlabel(quantity.symbol, loc="right")


def _edges(quantity: Quantity, values: FloatArray) -> FloatArray:
    values = values[np.isfinite(values)]
    if quantity.log:
        positive = values[values > 0]
        low, high = (positive.min(), positive.max()) if len(positive) else (1e-6, 1e-3)
        low = max(low, high * 1e-8)
        first = np.floor(np.log10(low))
        last = max(np.ceil(np.log10(max(high, quantity.limit or 0))), first + 1)
        return np.asarray(np.logspace(first, last, 61))
    limit = quantity.limit or 1.0
    low = float(np.percentile(values, 0.2)) if len(values) else limit
    low = max(np.floor(min(low, 2 * limit - 1) * 50) / 50, 0.0)
    return np.asarray(np.linspace(low, 1, 61))


def _by_group(
    axes: Axes, bec: int, values: FloatArray, edges: FloatArray, quantity: Quantity
) -> None:
    w = wafers()
    key = w.layer if bec == 0 else w.eta
    inside = (w.bec == bec) & ~np.isnan(values)
    if not inside.any():
        axes.text(
            0.5, 0.45, quantity.absent, transform=axes.transAxes, ha="center", color="#666666"
        )
        return
    for group in np.unique(key[w.bec == bec]).tolist():
        chosen = values[inside & (key == group)]
        name = f"layer {group}" if bec == 0 else RING_NAMES[str(group)]
        mean = "\N{EN DASH}"
        if len(chosen):
            mean = scientific(chosen.mean()) if quantity.log else f"{chosen.mean():.4f}"
        _histogram(axes, chosen, edges, SERIES_COLOURS[group], f"{name}, mean {mean}")


def _histogram(axes: Axes, values: FloatArray, edges: FloatArray, colour: str, label: str) -> None:
    inside = np.clip(values[~np.isnan(values)], edges[0], np.nextafter(edges[-1], 0))
    counts, _ = np.histogram(inside, edges)
    if colour == REFERENCE_COLOUR:
        axes.stairs(counts, edges, color=colour, alpha=0.3, fill=True, label=label)
    else:
        axes.stairs(counts, edges, color=colour, lw=1.3, label=label)


def change_page(heading: Heading, content: SideValues, other: SideValues) -> Figure:
    """Map of the change against the reference: difference, or ratio where the scale is log."""
    quantity = QUANTITIES[content.quantity]
    now, before = content.values, other.values
    if quantity.log:
        with np.errstate(divide="ignore", invalid="ignore"):
            change = np.where((now > 0) & (before > 0), np.log10(now / before), np.nan)
        label = rf"$\log_{{10}}$ of {quantity.symbol.lower()} over reference"
    else:
        change = now - before
        label = f"{quantity.symbol} minus reference"
    return detector_map(
        heading, f"{quantity.title}: change", change, difference_scale(label, change),
        _change_text(change, log=quantity.log),
    )  # fmt: skip


def _change_text(change: FloatArray, *, log: bool) -> str:
    known = change[np.isfinite(change)]
    if not len(known):
        return "No side has a value in both."
    mean = f"factor {10 ** known.mean():.3f}" if log else f"{known.mean():+.5f}"
    return f"Mean change {mean} over {len(known):,} sides with a value in both."
