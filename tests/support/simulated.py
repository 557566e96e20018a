"""Files of simulated runs, and jobs on them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DATASET = "data15_13TeV.{run:08d}.calibration_SCTNoise.sctcal.HITMAP.c0"
PREFIX = "data15_13TeV.{run:08d}.calibration_SCTNoise.sctcal.NOISYSTRIP.c0_c0._0001"
TASK_OUTPUTS = (
    "SCTHitMaps.root",
    "SCTLB.root",
    "BadStripsAllFile.xml",
    "BadStripsNewFile.xml",
    "BadStripsSummaryFile.xml",
    "mycool.db",
)
STYLE_SHEET = "BadStrips.xsl"
OWN = {"jobReport.json", "log.sctcalib"}


def simulate_run(
    folder: Path, *, defects: tuple[int, int, int, int] | None = None, **settings: Any
) -> None:
    """Write the files of a run into a folder that exists and is empty."""
    from sctcalib.simulate.files import simulate
    from sctcalib.simulate.model import Defects
    from sctcalib.simulate.settings import Settings

    if defects is not None:
        settings["defects"] = Defects(*defects)
    simulate(Settings(seed=1, **settings), folder)


def hit_map(folder: Path, number: int = 1) -> Path:
    """The hit-map file of a run, 1 being the first."""
    return sorted(folder.glob("*SCTHitMaps.root.1"))[number - 1]


def lb_file(folder: Path, number: int = 1) -> Path:
    """The LB file of a run."""
    return sorted(folder.glob("*SCTLB.root.1"))[number - 1]


def dictionary(folder: Path, **changes: Any) -> dict[str, Any]:
    """The job of a run, with absolute paths and plain names of outputs, and what is changed.

    A value None removes a key.
    """
    job = json.loads((folder / "job.json").read_text())
    for item in job["input"]:
        item["lfn"] = str(folder / item["lfn"])
    job["prefix"] = "P"
    if "SCTCalibConfig" in job:
        job["SCTCalibConfig"] = [str(folder / name) for name in job["SCTCalibConfig"]]
    job |= changes
    return {name: value for name, value in job.items() if value is not None}


def write_job(here: Path, folder: Path, name: str = "job.json", **changes: Any) -> Path:
    """Write such a dictionary into a run directory."""
    path = here / name
    path.write_text(json.dumps(dictionary(folder, **changes)))
    return path


def linked(here: Path, folder: Path, *names: str) -> None:
    """Links in the run directory to map files of a run, under other names."""
    for name, source in zip(names, (hit_map(folder), lb_file(folder)), strict=True):
        (here / name).symlink_to(source)
