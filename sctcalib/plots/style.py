"""How all pages look: A4 landscape, one heading, colours that everybody can tell apart."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import mplhep
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import Colormap
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from sctcalib.plots.content import FloatArray, Heading

PAGE_INCHES = (11.69, 8.27)
"""A4 landscape."""
EXPERIMENT_LABEL = "SCT calibration"
REGION_COLOURS = {"EndCapC": "#0072b2", "Barrel": "#d55e00", "EndCapA": "#009e73"}
SERIES_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7")
"""Layers, rings or lists on one axis (Okabe and Ito)."""
REFERENCE_COLOUR = "#777777"
LIMIT_COLOUR = "#b2182b"
PALE, GREY = "#f1f1ee", "#bdbdbd"
"""Zero, and no data."""
_STYLE = {
    # TeX Gyre Heros comes with mplhep; DejaVu, with matplotlib, has the few other characters.
    "font.sans-serif": ["TeX Gyre Heros", "DejaVu Sans"],
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.labelsize": 9.5,
    "axes.labelpad": 4,
    "axes.linewidth": 0.8,
    "axes.autolimit_mode": "data",
    "axes.unicode_minus": True,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "xtick.major.size": 5,
    "xtick.minor.size": 2.5,
    "ytick.major.size": 5,
    "ytick.minor.size": 2.5,
    "lines.linewidth": 1.4,
    "lines.markersize": 5,
    "legend.fontsize": 8.5,
    "legend.borderpad": 0.4,
    "mathtext.default": "regular",
    "hatch.linewidth": 0.4,
    "pdf.compression": 6,
}


@contextmanager
def plot_style() -> Iterator[None]:
    """The style; pages are to be made and saved inside."""
    look: dict[str, Any] = {**mplhep.style.ATLAS, **_STYLE}
    with mpl.rc_context(look):  # type: ignore[arg-type]  # one literal type per parameter
        yield


def new_page(heading: Heading, title: str, caption: str = "") -> Figure:
    """An empty page with its heading: what is shown, of which run, and in one line what was found.

    The figure can be told by its label, which is the title.
    """
    page = Figure(figsize=PAGE_INCHES, label=title)
    name = page.text(0.045, 0.957, EXPERIMENT_LABEL, size=15, weight="bold", style="italic")
    page.text(0.058 + _width(page, name), 0.957, title, size=15)
    page.text(0.045, 0.923, heading.text(), size=10.5)
    page.text(0.045, 0.893, caption, size=9.5, color="#444444")
    page.text(0.045, 0.014, heading.source, size=7, color="#666666")
    return page


def _width(page: Figure, text: mpl.text.Text) -> float:
    """Width of a text as a fraction of the page."""
    box = text.get_window_extent(page._get_renderer())  # type: ignore[attr-defined]
    return float(box.width / page.bbox.width)


def number_page(page: Figure, number: int, total: int) -> None:
    """Which page it is, in the corner."""
    if total > 1:
        page.text(0.955, 0.014, f"{number} / {total}", size=7, color="#666666", ha="right")


def colour_map(name: str) -> Colormap:
    """A map of matplotlib by name."""
    return mpl.colormaps[name]


def polygons(corners: FloatArray, **look: Any) -> PolyCollection:
    """Filled shapes of one number of corners, shape (n, corners, 2); an array is fastest."""
    return PolyCollection(corners, **look)  # type: ignore[arg-type]


def whole_ticks(axes: Axes, *, most: int = 6, along: str = "y") -> None:
    """Ticks at whole numbers only, with commas in the thousands."""
    axis = axes.yaxis if along == "y" else axes.xaxis
    axis.set_major_locator(MaxNLocator(most, integer=True))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.minorticks_off()


def log_axis(axes: Axes, low: float, high: float, *, along: str = "y") -> None:
    """A logarithmic axis with these limits; they are set first, as there may be no data at all."""
    if along == "y":
        axes.set_ylim(low, high)
        axes.set_yscale("log")
    else:
        axes.set_xlim(low, high)
        axes.set_xscale("log")


def nothing_to_show(axes: Axes, text: str) -> None:
    """Say in an empty frame why it is empty."""
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color="#666666")
    axes.set_xticks([])
    axes.set_yticks([])
