"""One figure of the whole detector: a value for every side, one colour scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import (
    BoundaryNorm,
    Colormap,
    LinearSegmentedColormap,
    ListedColormap,
    LogNorm,
    Normalize,
)
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle, Wedge
from matplotlib.path import Path
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator

from sctcalib.detector.regions import BARREL_ETA, BARREL_PHI
from sctcalib.plots.content import FloatArray, Heading
from sctcalib.plots.layout import BARREL_NAMES, Disk, Grid, disks, grids, outlines
from sctcalib.plots.style import GREY, PAGE_INCHES, PALE, colour_map, new_page, polygons

ABSENT = "absent"
"""Name of the hatched shape."""
_SEAM = 0.2
"""Width of edges in points: without it hairlines of the background show between neighbours."""
_BAR = (10.8, 1.75, 0.17, 4.4)
"""Colour bar: left, bottom, width, height in inches."""


@dataclass(frozen=True)
class Scale:
    """How values become colours."""

    label: str
    norm: Normalize
    colours: Colormap
    absent: str = "no data"
    """What NaN means."""
    zero: str = ""
    """What 0 means if it has a colour of its own."""
    whole: bool = False
    """Values are whole numbers."""
    names: tuple[tuple[float, str], ...] = ()
    """Words for the values, where there are only a few."""


def count_scale(label: str, values: FloatArray, absent: str = "no data") -> Scale:
    """For numbers of which most are 0: logarithmic from 1 on."""
    highest = max(float(np.nanmax(values, initial=1)), 10)
    return Scale(label, LogNorm(1, highest), _pale_free("magma_r"), absent, "0", whole=True)


def log_scale(label: str, values: FloatArray, absent: str) -> Scale:
    """For positive numbers over several powers of ten; outliers below do not stretch it."""
    positive = values[values > 0]
    if not len(positive):
        return Scale(label, LogNorm(1e-6, 1e-3), colour_map("viridis"), absent)
    low, high = np.percentile(positive, 0.5), positive.max()
    low = min(max(low, high * 1e-7), high / 10)
    return Scale(label, LogNorm(low, high), colour_map("viridis"), absent)


def high_is_good_scale(label: str, values: FloatArray, limit: float, absent: str) -> Scale:
    """For efficiencies: up to 1, and down so far that the limit is well inside."""
    known = values[~np.isnan(values)]
    low = float(np.percentile(known, 1)) if len(known) else limit
    low = np.floor(min(low, 2 * limit - 1) * 100) / 100
    return Scale(label, Normalize(max(low, 0), 1), colour_map("viridis"), absent)


def difference_scale(label: str, values: FloatArray) -> Scale:
    """For differences of either sign: symmetric about 0."""
    known = np.abs(values[np.isfinite(values)])
    reach = float(np.percentile(known, 99.5)) if len(known) else 0.0
    reach = reach or float(known.max(initial=0)) or 1.0
    return Scale(label, Normalize(-reach, reach), colour_map("PuOr_r"), "not in both")


def three_way_scale(label: str, names: tuple[str, str, str]) -> Scale:
    """For -1, 0 and 1, each with a word."""
    colours = ListedColormap([colour_map("PuOr_r")(part) for part in (0.0, 0.5, 1.0)])
    words = tuple(zip((-1.0, 0.0, 1.0), names, strict=True))
    return Scale(label, BoundaryNorm([-1.5, -0.5, 0.5, 1.5], 3), colours, names=words)


def _pale_free(name: str) -> Colormap:
    """A map without its lightest tenth, which could be taken for 0."""
    colours = colour_map(name)(np.linspace(0.12, 1, 256))
    return LinearSegmentedColormap.from_list(f"{name} of counts", list(colours))


def detector_map(
    heading: Heading, title: str, values: FloatArray, scale: Scale, caption: str = ""
) -> Figure:
    """The page; ``values`` of all sides in hash order, shape (8176,), NaN where there is none."""
    page = new_page(heading, title, caption)
    axes = page.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, PAGE_INCHES[0])
    axes.set_ylim(0, PAGE_INCHES[1])
    axes.axis("off")
    _fill(axes, values, scale)
    _frame_barrel(axes)
    _name_disks(axes)
    _colour_bar(page, axes, values, scale)
    return page


def _fill(axes: Axes, values: FloatArray, scale: Scale) -> None:
    absent = np.isnan(values)
    zero = (values == 0) if scale.zero else np.zeros_like(absent)
    shown = ~absent & ~zero
    corners = outlines()
    if zero.any():
        _pale_background(axes)
    axes.add_collection(
        polygons(
            corners[shown], array=values[shown], cmap=scale.colours, norm=scale.norm,
            edgecolors="face", linewidths=_SEAM, snap=False,
        )
    )  # fmt: skip
    if absent.any():
        # As an artist: for limits, which are set already, a patch would be gone through by segment.
        axes.add_artist(_hatched(corners[absent]))


def _hatched(corners: FloatArray) -> PathPatch:
    """All of them as one shape: a hatch for each of thousands would take seconds."""
    closed = np.concatenate([corners, corners[:, :1]], axis=1)
    codes = np.full(closed.shape[:2], Path.LINETO, dtype=np.uint8)
    codes[:, 0], codes[:, -1] = Path.MOVETO, Path.CLOSEPOLY
    path = Path(closed.reshape(-1, 2), codes.ravel())
    return PathPatch(path, fc=GREY, ec="#7a7a7a", hatch="//////", lw=0, snap=False, gid=ABSENT)


def _pale_background(axes: Axes) -> None:
    """The colour of 0 under everything: thousands of shapes less than one for every side."""
    for grid in grids():
        for first in (BARREL_ETA[0], 1):
            left = float(grid.eta_left(np.array([first]))[0])
            width = len(BARREL_ETA) / 2 * grid.module_width
            axes.add_patch(Rectangle((left, grid.bottom), width, grid.height, fc=PALE, lw=0))
    for disk in disks():
        for inner, outer in disk.rings:
            ring = Wedge((disk.x, disk.y), outer, 0, 360, width=outer - inner, fc=PALE, lw=0)
            axes.add_patch(ring)


def _frame_barrel(axes: Axes) -> None:
    for grid in grids():
        frame = (grid.left, grid.bottom)
        axes.add_patch(Rectangle(frame, grid.width, grid.height, fill=False, ec="#555555", lw=0.6))
        top = grid.bottom + grid.height
        axes.text(grid.left + grid.width / 2, top + 0.05, f"side {grid.side}", size=8, ha="center")
        _ticks(axes, grid)
        if grid.side == 0:
            middle = grid.left + grid.width + 0.035
            name = f"barrel layer {grid.layer} ({BARREL_NAMES[grid.layer]})"
            axes.text(middle, top + 0.21, name, size=9.5, ha="center")
        if grid.layer == grid.side == 0:
            axes.text(
                grid.left - 0.34, grid.bottom + grid.height / 2, "$\\phi$ index", size=8,
                rotation=90, ha="center", va="center",
            )  # fmt: skip


def _ticks(axes: Axes, grid: Grid) -> None:
    n_phi = BARREL_PHI[grid.layer]
    lines = []
    if grid.side == 0:
        for phi in (0, n_phi // 4, n_phi // 2, 3 * n_phi // 4, n_phi - 1):
            y = grid.bottom + (phi + 0.5) * grid.height / n_phi
            lines.append([(grid.left - 0.05, y), (grid.left, y)])
            axes.text(grid.left - 0.08, y, str(phi), size=7, ha="right", va="center")
    for eta in (BARREL_ETA[0], -3, 3, BARREL_ETA[-1]):
        x = float(grid.eta_left(np.array([eta]))[0]) + grid.module_width / 2
        lines.append([(x, grid.bottom - 0.05), (x, grid.bottom)])
        text = str(eta).replace("-", "\N{MINUS SIGN}")
        axes.text(x, grid.bottom - 0.08, text, size=7, ha="center", va="top")
    axes.add_collection(LineCollection(lines, colors="#555555", linewidths=0.6))
    axes.text(
        grid.left + grid.width / 2, grid.bottom - 0.08, "$\\eta$", size=8, ha="center", va="top"
    )


def _name_disks(axes: Axes) -> None:
    first: dict[tuple[str, int], Disk] = {}
    for disk in disks():
        letter = "C" if disk.bec < 0 else "A"
        axes.text(disk.x, disk.y, str(disk.disk), size=8, ha="center", va="center", color="#333333")
        first.setdefault((letter, disk.side), disk)
    for (letter, side), disk in first.items():
        x = disk.x - disk.radius - 0.16
        axes.text(x, disk.y, f"side {side}", size=8, rotation=90, ha="center", va="center")
        if side == 0:
            below = disk.y - disk.radius - 0.02
            axes.text(
                x - 0.22, below, f"end cap {letter}, disks 0\N{EN DASH}8", size=9.5, rotation=90,
                ha="center", va="center",
            )  # fmt: skip


def _colour_bar(page: Figure, axes: Axes, values: FloatArray, scale: Scale) -> None:
    left, bottom, width, height = _BAR
    wide, high = PAGE_INCHES
    frame = page.add_axes((left / wide, bottom / high, width / wide, height / high))
    bar = page.colorbar(
        ScalarMappable(scale.norm, scale.colours), cax=frame, extend=_beyond(values, scale)
    )
    bar.set_label(scale.label, size=9.5, loc="center")
    frame.tick_params(labelsize=8, size=3)
    if scale.names:
        bar.set_ticks([value for value, _ in scale.names], labels=[word for _, word in scale.names])
        frame.minorticks_off()
    elif scale.whole:
        frame.yaxis.set_major_locator(LogLocator(10, subs=(1, 2, 5), numticks=12))
        frame.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        frame.minorticks_off()
    elif not isinstance(scale.norm, LogNorm):
        frame.yaxis.set_major_locator(MaxNLocator(8))
    _legend_of_absent(axes, values, scale)
    axes.text(
        left - 0.1, 0.62, "$\\phi=0$ to the right,\ncounter-clockwise", size=6.5, color="#666666",
        va="top",
    )  # fmt: skip


def _beyond(values: FloatArray, scale: Scale) -> str:
    """Whether there are values outside the scale; zeros with a colour of their own are not."""
    if scale.names:
        return "neither"
    known = values[~np.isnan(values) & ~((values == 0) & bool(scale.zero))]
    below = bool((known < scale.norm.vmin).any())
    above = bool((known > scale.norm.vmax).any())
    return {(0, 0): "neither", (1, 0): "min", (0, 1): "max", (1, 1): "both"}[below, above]


def _legend_of_absent(axes: Axes, values: FloatArray, scale: Scale) -> None:
    left, y = _BAR[0], _BAR[1] - 0.42
    if scale.zero:
        axes.add_patch(Rectangle((left, y), 0.17, 0.17, fc=PALE, ec="#888888", lw=0.4))
        axes.text(left + 0.24, y + 0.085, scale.zero, size=8, va="center")
        y -= 0.26
    if np.isnan(values).any():
        axes.add_patch(
            Rectangle((left, y), 0.17, 0.17, fc=GREY, ec="#7a7a7a", hatch="//////", lw=0)
        )
        axes.text(left + 0.24, y + 0.085, scale.absent, size=8, va="center")
