"""All kinds of input of the loop for one run, small: what the example dictionaries work on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sctcalib.simulate.files import simulate
from sctcalib.simulate.hist_files import simulate_hist
from sctcalib.simulate.hist_settings import HistSettings
from sctcalib.simulate.model import Defects
from sctcalib.simulate.raw_files import simulate_raw
from sctcalib.simulate.raw_settings import RawDefects, RawSettings
from sctcalib.simulate.settings import Settings

HITMAPS, HIST, HIST_21, RAW, DEAD = "hitmaps", "hist", "hist-21.0", "raw", "dead"
FOLDERS = (HITMAPS, HIST, HIST_21, RAW, DEAD)
"""Sub-folders, each with its truth.json, runInfo.txt and job dictionaries."""
EXPRESS = "express_express"
_RUNS_BACK = 7
"""The earlier run that the hit maps are compared with is so many numbers before."""


def simulate_all(
    run: int, seed: int, folder: Path, *, force: bool = False, say: Callable[[str], None]
) -> None:
    """Simulate hit maps, HIST files of both styles, and RAW files; ``say`` gets a line for each.

    Raises OutputFileError if a sub-folder holds another run (unless ``force``).
    """
    maps = Settings(
        run, n_events=20_000, n_files=2, n_lumi_blocks=200, seed=seed,
        previous_run=run - _RUNS_BACK if run > _RUNS_BACK else None,
    )  # fmt: skip
    steps: tuple[tuple[str, str, Callable[[Path], object]], ...] = (
        (HITMAPS, "hit maps", lambda to: simulate(maps, to, force=force)),
        (
            HIST,
            "monitoring histograms of new releases",
            lambda to: simulate_hist(HistSettings(run, seed=seed), to, force=force),
        ),
        (
            HIST_21,
            "monitoring histograms of release 21.0",
            lambda to: simulate_hist(HistSettings(run, "21.0", seed=seed), to, force=force),
        ),
        (
            RAW,
            "RAW data of the noise stream",
            lambda to: simulate_raw(noise(run, seed), to, force=force),
        ),
        (
            DEAD,
            "RAW data with particles",
            lambda to: simulate_raw(particles(run, seed), to, force=force),
        ),
    )
    for name, what, make in steps:
        make(folder / name)
        say(f"{folder / name}: {what}")


def noise(run: int, seed: int) -> RawSettings:
    """A short run of the noise stream, with every kind of defect."""
    base = Settings(run, n_events=2000, n_files=2, n_lumi_blocks=20, seed=seed)
    defects = RawDefects(
        dead_strips=20, dead_chips=5, dead_links=3, hv_trips=3, noisy_lumi_blocks=2,
        error_links=15, error_rods=6, unknown_ids=3,
    )  # fmt: skip
    return RawSettings(base, defects)


def particles(run: int, seed: int) -> RawSettings:
    """A run whose particles let dead strips be found, in one layer."""
    base = Settings(
        run, n_events=1500, n_lumi_blocks=15, seed=seed, stream=EXPRESS, defects=Defects(0, 0, 0, 0)
    )
    defects = RawDefects(dead_strips=60, dead_chips=8, dead_links=3, error_links=5)
    return RawSettings(base, defects, occupancy=0.02, lit="barrel:0")
