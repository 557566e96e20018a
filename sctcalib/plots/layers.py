"""Averages by layer, disk and ring: end cap C, barrel and end cap A along the beam."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from sctcalib.detector.regions import BARREL_PHI, N_DISKS
from sctcalib.parts.layer_means import layer_labels, layer_of_wafer
from sctcalib.plots.content import (
    QUANTITIES,
    FloatArray,
    Heading,
    LayerValues,
    Quantity,
    SideValues,
)
from sctcalib.plots.style import (
    LIMIT_COLOUR,
    REFERENCE_COLOUR,
    REGION_COLOURS,
    SERIES_COLOURS,
    log_axis,
    new_page,
    whole_ticks,
)
from sctcalib.summary.monitoring_summary import COUNT

RING_NAMES = {"0": "outer ring", "1": "middle ring", "2": "inner ring", "all": "barrel"}
_COLOURS = dict(zip(RING_NAMES, (*SERIES_COLOURS[:3], REGION_COLOURS["Barrel"]), strict=True))
_SHIFTS = {"0": -0.22, "1": 0.0, "2": 0.22, "all": 0.0}
_SERIES_NAMES = {
    "meanEff": "all bunch crossings",
    "meanEff_bcid1": "first bunch of a train",
    COUNT: "links with errors",
}


@dataclass(frozen=True)
class Series:
    """One of the curves: 48 values in the order of `parts.layer_means.layer_labels`."""

    name: str
    values: NDArray[np.float64]


def means_with_data(values: FloatArray) -> FloatArray:
    """Means over the sides of each layer or ring that have a value, shape (48,); NaN if none."""
    known = ~np.isnan(values)
    index, n = layer_of_wafer()[known], len(layer_labels())
    sums, counts = np.bincount(index, values[known], n), np.bincount(index, minlength=n)
    with np.errstate(invalid="ignore"):
        means: FloatArray = sums / counts
    return means


def averages_page(heading: Heading, content: LayerValues, other: LayerValues | None) -> Figure:
    """The page of a summary file; links with errors are counted, everything else averaged."""
    series = _series(content)
    # One set of reference points is enough to compare with.
    reference = _series(other)[:1] if other else []
    if content.quantity in QUANTITIES:
        return _points(heading, QUANTITIES[content.quantity], series, reference, _AS_IN_FILE)
    return link_counts_page(heading, series[0].values, reference[0].values if other else None)


_AS_IN_FILE = "Averages of the summary file, in which sides without data count as 0."
_WITH_DATA = "Averages over the sides that have a value."


def means_page(heading: Heading, content: SideValues, other: SideValues | None) -> Figure:
    """The same from values of sides; those without a value do not count."""
    series = [Series("", means_with_data(content.values))]
    reference = [Series("", means_with_data(other.values))] if other else []
    return _points(heading, QUANTITIES[content.quantity], series, reference, _WITH_DATA)


def _series(content: LayerValues) -> list[Series]:
    return [
        Series(_SERIES_NAMES.get(name, ""), values.astype(np.float64))
        for name, values in content.means
    ]


def _points(
    heading: Heading,
    quantity: Quantity,
    series: Sequence[Series],
    reference: Sequence[Series],
    caption: str,
) -> Figure:
    page = new_page(heading, f"{quantity.title} by layer and ring", caption)
    axes = region_axes(page, f"Mean {quantity.label[0].lower()}{quantity.label[1:]}")
    for number, one in enumerate(reference):
        _draw_points(axes, one.values, "os"[number], REFERENCE_COLOUR, hollow=True, size=9)
    for number, one in enumerate(series):
        _draw_points(axes, one.values, "os"[number], None, hollow=number > 0)
    _set_range(axes, quantity, [one.values for one in (*series, *reference)])
    _draw_limit(axes, quantity)
    handles = [_marker("o", colour, RING_NAMES[ring]) for ring, colour in _COLOURS.items()]
    if len(series) > 1:
        handles += [_marker("os"[i], "black", s.name, i > 0) for i, s in enumerate(series)]
    if reference:
        handles.append(_marker("o", REFERENCE_COLOUR, heading.reference, hollow=True))
    _legend(page, handles)
    return page


def region_axes(page: Figure, label: str) -> tuple[Axes, Axes, Axes]:
    """Three frames side by side: disks of end cap C from the far end, layers, disks of A."""
    frames = page.subplots(
        1, 3, sharey=True, width_ratios=(N_DISKS, len(BARREL_PHI) + 1, N_DISKS),
        gridspec_kw={"left": 0.085, "right": 0.955, "bottom": 0.1, "top": 0.79, "wspace": 0.04},
    )  # fmt: skip
    names = ("End cap C", "Barrel", "End cap A")
    for axes, name, count in zip(frames, names, (N_DISKS, len(BARREL_PHI), N_DISKS), strict=True):
        axes.set_title(name)
        axes.set_xlim(-0.6, count - 0.4)
        axes.set_xticks(range(count))
        axes.tick_params(axis="x", which="minor", top=False, bottom=False)
        axes.set_xlabel("layer" if name == "Barrel" else "disk")
        axes.grid(axis="y", color="#dddddd", lw=0.6)
        axes.set_axisbelow(True)
    frames[0].invert_xaxis()
    frames[0].set_ylabel(label)
    first, second, third = frames
    return first, second, third


def _draw_points(
    axes: Sequence[Axes],
    values: FloatArray,
    marker: str,
    colour: str | None,
    *,
    hollow: bool = False,
    size: float = 6,
) -> None:
    frames = dict(zip(("EndCapC", "Barrel", "EndCapA"), axes, strict=True))
    for label, value in zip(layer_labels(), values.tolist(), strict=True):
        own = colour or _COLOURS[label.eta]
        x = label.layer + _SHIFTS[label.eta] * (-1 if label.part == "EndCapC" else 1)
        frames[label.part].plot(
            x, value, marker, color=own, ms=size, mfc="none" if hollow else own, mew=1.2
        )


def _set_range(axes: Sequence[Axes], quantity: Quantity, arrays: Sequence[FloatArray]) -> None:
    values = np.concatenate(arrays)
    values = values[np.isfinite(values) & (values > 0)]
    if quantity.log:
        low, high = (values.min(), values.max()) if len(values) else (1e-6, 1e-3)
        if quantity.limit is not None and low / 6 < quantity.limit < high * 6:
            low, high = min(low, quantity.limit), max(high, quantity.limit)
        log_axis(axes[0], low / 1.6, high * 1.6)
    else:
        low = float(np.percentile(values, 3)) if len(values) else 0.0
        bottom = min(low - 0.3 * (1 - low), 2 * (quantity.limit or 1) - 1)
        axes[0].set_ylim(max(bottom, 0), 1 + 0.03 * (1 - bottom))
    _mark_outside(axes, arrays)


def _mark_outside(axes: Sequence[Axes], arrays: Sequence[FloatArray]) -> None:
    """Say how many points lie outside of the frame; nothing disappears silently."""
    low, high = axes[0].get_ylim()
    outside = sum(int(((a < low) | (a > high)).sum()) for a in arrays)
    if outside:
        axes[0].annotate(
            f"{outside} below or above the frame", (0.5, 0.025), xycoords="axes fraction",
            size=8, color="#666666", ha="center",
        )  # fmt: skip


def _draw_limit(axes: Sequence[Axes], quantity: Quantity) -> None:
    low, high = axes[0].get_ylim()
    if quantity.limit is None or not low < quantity.limit < high:
        return
    for one in axes:
        one.axhline(quantity.limit, color=LIMIT_COLOUR, ls="--", lw=1)
    axes[1].annotate(
        quantity.limit_text, (0.5, quantity.limit), xycoords=("axes fraction", "data"),
        xytext=(0, 4), textcoords="offset points", size=8.5, color=LIMIT_COLOUR, ha="center",
    )  # fmt: skip


def _marker(marker: str, colour: str, label: str, hollow: bool = False) -> Line2D:
    fill = "none" if hollow else colour
    return Line2D([], [], ls="", marker=marker, color=colour, mfc=fill, mew=1.2, label=label)


def _legend(page: Figure, handles: Sequence[Line2D | Patch]) -> None:
    page.legend(
        handles=handles, loc="upper right", bbox_to_anchor=(0.962, 0.885), ncols=len(handles),
        handletextpad=0.4, columnspacing=1.2,
    )  # fmt: skip


def link_counts_page(
    heading: Heading, counts: FloatArray, reference: FloatArray | None = None
) -> Figure:
    """Stacked bars of the number of links with errors, 48 values."""
    total = int(counts.sum())
    sides = np.bincount(layer_of_wafer())
    share = f"{100 * total / sides.sum():.2f}"
    caption = f"{total:,} of {sides.sum():,} links (sides) sent byte-stream errors ({share} %)."
    page = new_page(heading, "Links with byte-stream errors by layer and ring", caption)
    axes = region_axes(page, "Links with errors")
    frames = dict(zip(("EndCapC", "Barrel", "EndCapA"), axes, strict=True))
    stacked: dict[tuple[str, int], float] = {}
    before: dict[tuple[str, int], float] = {}
    others = counts * 0 if reference is None else reference
    for label, value, other in zip(layer_labels(), counts, others, strict=True):
        place = (label.part, label.layer)
        bottom = stacked.get(place, 0.0)
        frames[label.part].bar(label.layer, value, 0.7, bottom, color=_COLOURS[label.eta])
        stacked[place], before[place] = bottom + value, before.get(place, 0.0) + other
    handles: list[Line2D | Patch] = [
        Patch(color=colour, label=RING_NAMES[ring]) for ring, colour in _COLOURS.items()
    ]
    if reference is not None:
        for (part, layer), value in before.items():
            frames[part].plot([layer - 0.4, layer + 0.4], [value] * 2, color="black", lw=1.4)
        handles.append(Line2D([], [], color="black", label=heading.reference))
    axes[0].set_ylim(0, max(*stacked.values(), *before.values(), 3.5) * 1.12)
    whole_ticks(axes[0])
    axes[0].yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    _legend(page, handles)
    return page
