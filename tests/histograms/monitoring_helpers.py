"""HIST files for tests: those of the simulation, with one thing changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from sctcalib.histograms import monitoring_names as names
from sctcalib.histograms.layouts import Axis
from sctcalib.histograms.monitoring_names import MapKind
from sctcalib.simulate.hist_files import write_objects
from sctcalib.simulate.hist_maps import objects
from sctcalib.simulate.hist_model import Detector, Monitoring, measure, plan
from sctcalib.simulate.hist_objects import profile_2d
from sctcalib.simulate.hist_settings import HistSettings, Style

RUN = 300_000
Objects = Mapping[str, Any]
NUMBER_OF, COUNTS = names.ERROR_CONVENTIONS[0], names.ERROR_CONVENTIONS[2]
"""Each error in a directory of its own."""
LUMI_BLOCKS = Axis(3000, 0.5, 3000.5)


@cache
def simulated(style: Style) -> tuple[Detector, Monitoring, dict[str, Any]]:
    """A detector, what was counted, and all objects of its file by path."""
    settings = HistSettings(RUN, style=style, n_events=20_000)
    rng = np.random.default_rng(7)
    detector = plan(rng, settings)
    counted = measure(rng, settings, detector)
    return detector, counted, dict(objects(settings, counted))


def of_kinds(style: Style, *kinds: MapKind) -> dict[str, Any]:
    """The maps of some kinds."""
    made = simulated(style)[2]
    return {path: made[path] for kind in kinds for path in kind.paths()}


def write(path: Path, made: Objects, *, run: int = RUN) -> Path:
    """Write objects with paths below the directory of the run."""
    write_objects(path, run, iter(made.items()))
    return path


def profile(axes: tuple[Axis, Axis], cells: Mapping[tuple[int, int], tuple[float, float]]) -> Any:
    """A TProfile2D with sums and entries of some bins, given by their ROOT numbers in x and y."""
    sums, entries = (np.zeros((axes[1].n + 2, axes[0].n + 2)) for _ in range(2))
    for (x, y), (total, n) in cells.items():
        sums[y, x], entries[y, x] = total, n
    return profile_2d("", axes, entries.ravel(), sums.ravel(), sums.ravel())


def without(made: Objects, paths: Iterable[str]) -> dict[str, Any]:
    gone = set(paths)
    assert gone <= set(made)
    return {path: each for path, each in made.items() if path not in gone}
