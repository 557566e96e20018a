"""Pages of Lorentz angles: the results by layer, and the profiles with their fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sctcalib.detector.regions import BARREL_PHI
from sctcalib.parts.lorentz_angle import FIT_RANGE_DEGREES, Profile, WidthModel, fit
from sctcalib.plots.content import Heading, LorentzAngles
from sctcalib.plots.sides import Page
from sctcalib.plots.style import (
    LIMIT_COLOUR,
    REFERENCE_COLOUR,
    new_page,
    nothing_to_show,
)
from sctcalib.summary.lorentz_records import LorentzRecord

Key = tuple[int, int, int]
PUBLISHED_DEGREES = -3.9
"""Barrel, 150 V, 2 T (detector.md 7)."""
OUTLIER_DEGREES = 2.5
"""Fits that are farther from the median have failed, whatever they say."""
TYPES = {111: r"$\langle$111$\rangle$", 100: r"$\langle$100$\rangle$"}
_COLOURS = {111: "#0072b2", 100: "#d55e00"}
_MARKERS = {0: "o", 1: "s"}
_SHOWN_DEGREES = (-16.0, 8.0)


def lorentz_pages(
    heading: Heading,
    content: LorentzAngles,
    other: LorentzAngles | None,
    profiles: Mapping[Key, Profile | None] | None = None,
) -> list[Page]:
    """The overview, and with profiles a page for every layer."""
    pages: list[Page] = [lambda: results_page(heading, content, other)]
    if profiles is not None:
        layers = range(len(BARREL_PHI))
        pages += [partial(profile_page, heading, content, profiles, layer) for layer in layers]
    return pages


def is_fitted(record: LorentzRecord) -> bool:
    """Whether there was anything to fit: layer 1 has no <100> modules."""
    return (record.layer, record.module_type) != (1, 100)


def results_page(heading: Heading, content: LorentzAngles, other: LorentzAngles | None) -> Figure:
    """Angle, minimum width and chi-square by layer, side and type."""
    page = new_page(heading, "Lorentz angle", _caption(content))
    grid = page.add_gridspec(
        2, 2, left=0.075, right=0.965, bottom=0.085, top=0.8, wspace=0.16, hspace=0.2,
        height_ratios=(1.5, 1),
    )  # fmt: skip
    angle = page.add_subplot(grid[0, :])
    _points(angle, content, other, "angle")
    _frame_angles(angle, content, other)
    angle.axhline(PUBLISHED_DEGREES, color="#999999", ls=":", lw=1.2, zorder=0)
    angle.set_ylabel("Lorentz angle [degrees]")
    width = page.add_subplot(grid[1, 0])
    _points(width, content, other, "min_width")
    width.set_ylabel("Minimum width [strips]")
    _at_least(width, 0.02)
    chi2 = page.add_subplot(grid[1, 1])
    if any(record.chi2 is not None for record in content.records):
        _points(chi2, content, other, "chi2")
        chi2.set_ylabel(r"$\chi^2$ of the fit")
        chi2.set_ylim(0)
    else:
        nothing_to_show(chi2, r"no $\chi^2$ in this file")
    page.legend(
        handles=_handles(heading, content, other), loc="upper right",
        bbox_to_anchor=(0.972, 0.875), ncols=8, handletextpad=0.2, columnspacing=1.2,
    )  # fmt: skip
    return page


def _caption(content: LorentzAngles) -> str:
    fitted = [r for r in content.records if is_fitted(r)]
    parts = [content.verdict] if content.verdict else []
    if any(r.converged is not None for r in fitted):
        good = sum(bool(r.converged) for r in fitted)
        parts.append(f"{good} of {len(fitted)} fits converged.")
    if all(r.angle_error is None for r in fitted):
        parts.append("Errors of the angles are in LorentzAngleFile.xml, not in this file.")
    return "   ".join(parts)


def _position(record: LorentzRecord) -> float:
    """Four places per layer: sides apart, types next to each other."""
    return (
        record.layer + (record.side - 0.5) * 0.44 + (0.08 if record.module_type == 100 else -0.08)
    )


def _points(axes: Axes, content: LorentzAngles, other: LorentzAngles | None, key: str) -> None:
    for record in other.records if other else ():
        if is_fitted(record) and getattr(record, key) is not None:
            axes.plot(
                _position(record), getattr(record, key), _MARKERS[record.side], ms=11, mfc="none",
                mec=REFERENCE_COLOUR,
            )  # fmt: skip
    for record in content.records:
        value = getattr(record, key)
        if is_fitted(record) and value is not None:
            failed = record.converged is False
            axes.errorbar(
                _position(record), value, record.angle_error if key == "angle" else None,
                fmt=_MARKERS[record.side], ms=6.5, color=_COLOURS[record.module_type],
                mfc="none" if failed else _COLOURS[record.module_type], capsize=3, elinewidth=1.2,
            )  # fmt: skip
            if failed:
                axes.plot(_position(record), value, "x", ms=12, color=LIMIT_COLOUR, mew=1.5)
    _layer_axis(axes)


def _layer_axis(axes: Axes) -> None:
    axes.set_xlim(-0.5, len(BARREL_PHI) - 0.5)
    axes.set_xticks(range(len(BARREL_PHI)), [f"layer {layer}" for layer in range(len(BARREL_PHI))])
    axes.tick_params(axis="x", which="both", top=False, bottom=False)
    for border in range(len(BARREL_PHI) - 1):
        axes.axvline(border + 0.5, color="#bbbbbb", lw=0.8, zorder=0)
    axes.margins(y=0.18)


def _frame_angles(axes: Axes, content: LorentzAngles, other: LorentzAngles | None) -> None:
    """A range that a fit that ran away does not spoil; what is outside is counted."""
    records = [r for r in (*content.records, *(other.records if other else ())) if is_fitted(r)]
    angles = np.array([r.angle for r in records])
    errors = np.array([r.angle_error or 0.0 for r in records])
    inside = np.abs(angles - np.median(angles)) < OUTLIER_DEGREES
    usual = inside & (errors < OUTLIER_DEGREES)
    low = min((angles - errors)[usual], default=PUBLISHED_DEGREES - 1)
    high = max((angles + errors)[usual], default=PUBLISHED_DEGREES + 1)
    low, high = min(low, PUBLISHED_DEGREES), max(high, PUBLISHED_DEGREES)
    axes.set_ylim(low - 0.12 * (high - low) - 0.05, high + 0.12 * (high - low) + 0.05)
    outside = int((~inside).sum())
    if outside:
        axes.annotate(
            f"{outside} outside of the frame", (0.01, 0.03), xycoords="axes fraction", size=8,
            color="#666666",
        )  # fmt: skip


def _at_least(axes: Axes, spread: float) -> None:
    """A range of values that does not make a drama of tiny differences."""
    low, high = axes.get_ylim()
    if high - low < spread:
        axes.set_ylim((low + high - spread) / 2, (low + high + spread) / 2)
    axes.ticklabel_format(axis="y", useOffset=False)


def _handles(heading: Heading, content: LorentzAngles, other: LorentzAngles | None) -> list[Line2D]:
    present = {record.module_type for record in content.records}
    handles = [
        _handle("o", _COLOURS[kind], f"{name} sensors") for kind, name in TYPES.items()
        if kind in present
    ]  # fmt: skip
    handles += [_handle(marker, "#444444", f"side {side}") for side, marker in _MARKERS.items()]
    if any(r.converged is False and is_fitted(r) for r in content.records):
        handles.append(_handle("x", LIMIT_COLOUR, "fit failed"))
    if other is not None:
        handles.append(_handle("o", REFERENCE_COLOUR, heading.reference, hollow=True))
    published = f"published, 150 V, 2 T: \N{MINUS SIGN}{-PUBLISHED_DEGREES}\N{DEGREE SIGN}"
    handles.append(Line2D([], [], color="#999999", ls=":", lw=1.2, label=published))
    return handles


def _handle(marker: str, colour: str, label: str, *, hollow: bool = False) -> Line2D:
    fill = "none" if hollow else colour
    return Line2D([], [], ls="", marker=marker, color=colour, mfc=fill, ms=7, label=label)


def profile_page(
    heading: Heading,
    content: LorentzAngles,
    profiles: Mapping[Key, Profile | None],
    layer: int,
) -> Figure:
    """Profiles of one layer, each with its fit and below it the residuals."""
    caption = (
        "Mean width of clusters versus incidence angle; shaded: range of the fit."
        "   Residuals: (data \N{MINUS SIGN} fit) / error."
    )
    page = new_page(heading, f"Lorentz angle: profiles of layer {layer}", caption)
    records = {(r.layer, r.side, r.module_type): r for r in content.records}
    kinds = [kind for kind in TYPES if (layer, kind) != (1, 100)]
    outer = page.add_gridspec(
        2, len(kinds), left=0.075, right=0.965, bottom=0.085, top=0.845, wspace=0.14, hspace=0.3
    )
    for row, side in enumerate((0, 1)):
        for column, kind in enumerate(kinds):
            inner = outer[row, column].subgridspec(2, 1, height_ratios=(3, 1), hspace=0.06)
            above, below = page.add_subplot(inner[0]), page.add_subplot(inner[1])
            above.set_title(f"layer {layer}, side {side}, {TYPES[kind]}")
            key = (layer, side, kind)
            _profile(above, below, profiles.get(key), records.get(key))
    return page


def _profile(
    above: Axes, below: Axes, profile: Profile | None, record: LorentzRecord | None
) -> None:
    for axes in (above, below):
        axes.set_xlim(*_SHOWN_DEGREES)
        axes.axvspan(*FIT_RANGE_DEGREES, color="#eef3f7", zorder=0)
    above.tick_params(labelbottom=False)
    below.set_xlabel("incidence angle [degrees]")
    below.set_ylabel("Pull", loc="center")
    above.set_ylabel("Mean width [strips]")
    points = None if profile is None else _shown(profile)
    if profile is None or points is None or not len(points.degrees):
        nothing_to_show(above, "no entries")
        nothing_to_show(below, "")
        return
    above.errorbar(points.degrees, points.width, points.error, fmt="k.", ms=4, elinewidth=0.8)
    curve = _curve(profile, record)
    if curve is not None:
        parameters, text = curve
        x = np.linspace(*FIT_RANGE_DEGREES, 300)
        above.plot(x, WidthModel(x)(*parameters), color=_COLOURS[111], lw=1.6, zorder=3)
        above.axvline(parameters[1], color=LIMIT_COLOUR, ls="--", lw=1)
        _residuals(below, profile, parameters)
        above.text(0.03, 0.95, text, transform=above.transAxes, va="top", size=8.5, linespacing=1.4)
    low, high = points.width.min(), points.width.max()
    # Room for the numbers above the points.
    above.set_ylim(low - 0.08 * (high - low), high + 0.6 * (high - low) + 1e-3)


def _shown(profile: Profile) -> Profile:
    low, high = _SHOWN_DEGREES
    use = (profile.degrees > low) & (profile.degrees < high) & (profile.error > 0)
    return Profile(
        profile.degrees[use], profile.width[use], profile.error[use], profile.entries[use]
    )


def _curve(
    profile: Profile, record: LorentzRecord | None
) -> tuple[tuple[float, float, float, float], str] | None:
    """Parameters (a, angle, b, sigma) and what is said of them.

    They are those of the file where it has them all. The summary has only the angle, and a
    database no <100> modules; then the profile is fitted again.
    """
    if record is not None and None not in (record.a, record.b, record.sigma):
        assert record.a is not None
        assert record.b is not None
        assert record.sigma is not None
        parameters = record.a, record.angle, record.b, record.sigma
        return (
            (parameters, _text(parameters, record.angle_error, record.chi2))
            if any(parameters)
            else None
        )
    if not len(profile.fitted().degrees):
        return None
    again = fit(profile)
    text = _text(again.parameters, again.errors[1], again.chi2)
    state = "fitted for this picture" if again.converged else "fitted for this picture: failed"
    return again.parameters, f"{text}\n{state}"


def _text(
    parameters: tuple[float, float, float, float], error: float | None, chi2: float | None
) -> str:
    a, angle, b, sigma = parameters
    plus = f" \N{PLUS-MINUS SIGN} {error:.3f}" if error is not None else ""
    minus = "\N{MINUS SIGN}"
    first = f"Lorentz angle {angle:.3f}{plus}\N{DEGREE SIGN}".replace("-", minus)
    rest = rf"$a$ {a:.3f}   $b$ {b:.3f}   $\sigma$ {sigma:.2f}" + "\N{DEGREE SIGN}"
    last = rf"   $\chi^2$ {chi2:.1f}" if chi2 is not None else ""
    return f"{first}\n{rest.replace('-', minus)}{last}"


def _residuals(axes: Axes, profile: Profile, parameters: Sequence[float]) -> None:
    points = profile.fitted()
    pulls = (points.width - WidthModel(points.degrees)(*parameters)) / points.error
    axes.axhline(0, color=_COLOURS[111], lw=1)
    axes.plot(points.degrees, pulls, "k.", ms=4)
    reach = max(3.0, float(np.abs(pulls).max()) * 1.15) if len(pulls) else 3.0
    axes.set_ylim(-reach, reach)
    axes.set_yticks([-2, 0, 2] if reach < 6 else [0])
