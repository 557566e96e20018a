"""Histograms and profiles for a ROOT file that uproot writes, from arrays over their bins.

All arrays are over the bins with under- and overflow, x fastest. The moment sums are those that
ROOT gets when it fills at bin centres, so that ROOT's own statistics and ``hadd`` work.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sctcalib.histograms.layouts import Axis

FloatArray = NDArray[np.float64]
_NONE = np.zeros(0, dtype=">f8")


def histogram_1d(
    title: str,
    axis: Axis,
    contents: NDArray[Any],
    entries: float,
    *,
    x_title: str = "",
    labels: Sequence[str] = (),
) -> Any:
    """A TH1F of float32 contents or a TH1I of int32 ones."""
    from uproot.writing import identify

    made = _axis("xaxis", x_title, axis, labels)
    moments = _moments(contents.astype(np.float64), (axis,))
    return identify.to_TH1x("", title, contents, entries, *moments, _NONE, made)


def histogram_2d(
    title: str,
    axes: tuple[Axis, Axis],
    contents: NDArray[np.float32],
    entries: float,
    *,
    squares: FloatArray = _NONE,
    axis_titles: tuple[str, str] = ("", ""),
) -> Any:
    """A TH2F; ``squares`` are the sums of squared weights."""
    from uproot.writing import identify

    made = [_axis(*each) for each in zip(("xaxis", "yaxis"), axis_titles, axes, strict=True)]
    moments = _moments(contents.astype(np.float64), axes)
    return identify.to_TH2x("", title, contents, entries, *moments, squares, *made)


def profile_1d(
    title: str,
    axis: Axis,
    entries: NDArray[Any],
    sums: NDArray[Any],
    squares: NDArray[Any],
    *,
    axis_titles: tuple[str, str] = ("", ""),
) -> Any:
    """A TProfile whose error option is the error on the mean."""
    from uproot.writing import identify

    n, y, y2 = (array.astype(np.float64) for array in (entries, sums, squares))
    moments = (*_moments(n, (axis,)), _inside(y, (axis,)), _inside(y2, (axis,)))
    made = [_axis("xaxis", axis_titles[0], axis), _axis("yaxis", axis_titles[1], Axis(1, 0.0, 1.0))]
    return identify.to_TProfile("", title, y, n.sum(), *moments, y2, n, _NONE, *made)


def profile_2d(
    title: str,
    axes: tuple[Axis, Axis],
    entries: FloatArray,
    sums: FloatArray,
    squares: FloatArray,
    *,
    axis_titles: tuple[str, str] = ("", ""),
) -> Any:
    """A TProfile2D."""
    from uproot.writing import identify

    moments = (*_moments(entries, axes), _inside(sums, axes), _inside(squares, axes))
    made = [_axis(*each) for each in zip(("xaxis", "yaxis"), axis_titles, axes, strict=True)]
    return identify.to_TProfile2D(
        "", title, sums, entries.sum(), *moments, squares, entries, _NONE, *made
    )


def _axis(name: str, title: str, axis: Axis, labels: Sequence[str] = ()) -> Any:
    from uproot.writing import identify

    texts = [identify.to_TObjString(label) for label in labels]
    for number, text in enumerate(texts, 1):  # ROOT finds the bin of a label by this number
        text.bases[0].members["@fUniqueID"] = number
    stored = identify.to_THashList(texts) if texts else None
    return identify.to_TAxis(name, title, axis.n, axis.low, axis.high, fLabels=stored)


def _moments(weights: FloatArray, axes: tuple[Axis, ...]) -> tuple[float, ...]:
    """Sums over the bins inside of w, w (for w squared), w x, w x2 and with y: w y, w y2, w x y."""
    grid = weights.reshape([axis.n + 2 for axis in reversed(axes)])
    inside = grid[(slice(1, -1),) * len(axes)]
    x = _centres(axes[0])
    along_x = inside if len(axes) == 1 else inside.sum(axis=0)
    total = float(inside.sum())
    result = [total, total, float(along_x @ x), float(along_x @ x**2)]
    if len(axes) == 1:
        return tuple(result)
    y = _centres(axes[1])
    along_y = inside.sum(axis=1)
    return (*result, float(along_y @ y), float(along_y @ y**2), float(y @ inside @ x))


def _inside(values: FloatArray, axes: tuple[Axis, ...]) -> float:
    grid = values.reshape([axis.n + 2 for axis in reversed(axes)])
    return float(grid[(slice(1, -1),) * len(axes)].sum())


def _centres(axis: Axis) -> FloatArray:
    centres: FloatArray = axis.low + (np.arange(axis.n) + 0.5) * (axis.high - axis.low) / axis.n
    return centres
