"""Make the files that the measurements read: hit maps and LB maps of the full detector.

The numbers are random but always the same; a file that is there is not made again. ``run.py`` runs
this as a process of its own, since a process that once was large makes its children look large.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from sctcalib.detector.regions import N_STRIPS, N_WAFERS
from sctcalib.histograms.hitmaps import write_hitmaps
from sctcalib.histograms.lumiblocks import LumiBlockHits, write_lumi_blocks
from sctcalib.resources import resource

N_EVENTS = 10_000
FILES = 10
LONG_RUN, SHORT_RUN = 500, 100
"""Lumi blocks of the two files for the LB merge, and of the ten files of the job."""
CELLS = 20_000
"""Strips with hits per lumi block and file."""


def hit_maps(folder: Path, number: int) -> Path:
    """A hit-map file: about eight hits per strip, and some noisy strips."""
    path = folder / f"hitmaps_{number}.root"
    if not path.exists():
        random = np.random.default_rng(number)
        rate = 8 * (0.5 + random.random((N_WAFERS, N_STRIPS)))
        noisy = random.random((N_WAFERS, N_STRIPS)) < 3e-4
        rate[noisy] = 0.3 * N_EVENTS * random.random(int(noisy.sum()))
        write_hitmaps(path, random.poisson(rate), N_EVENTS)
    return path


def lumi_blocks(folder: Path, number: int, n_blocks: int) -> Path:
    """An LB file with hits all over the detector."""
    path = folder / f"lb{n_blocks}_{number}.root"
    if not path.exists():
        random = np.random.default_rng(1000 + number)
        n = CELLS * n_blocks
        hits = LumiBlockHits(
            random.integers(0, N_WAFERS, n),
            random.integers(0, N_STRIPS, n),
            random.integers(1, n_blocks + 1, n),
            random.integers(0, 6, n),
            random.integers(1, 3, n),
        )
        events = np.full(n_blocks, N_EVENTS // n_blocks)
        write_lumi_blocks(path, events, hits)
    return path


def make(folder: Path) -> None:
    """All files that `hit_maps` and `lumi_blocks` are asked for."""
    for number in range(FILES):
        hit_maps(folder, number)
        lumi_blocks(folder, number, SHORT_RUN)
    for number in range(2):
        lumi_blocks(folder, number, LONG_RUN)


def job(folder: Path) -> tuple[Path, list[Path], list[Path]]:
    """A noisy-strip job for ten files of each kind: dictionary, hit maps, LB files."""
    maps = [hit_maps(folder, number) for number in range(FILES)]
    blocks = [lumi_blocks(folder, number, SHORT_RUN) for number in range(FILES)]
    dataset = "data15_13TeV.00267367.calibration_SCTNoise.sctcal.HITMAP.c0"
    inputs = []
    for number in range(FILES):
        for kind, path in (("SCTHitMaps", maps[number]), ("SCTLB", blocks[number])):
            name = f"{dataset}._{number + 1:04d}.{kind}.root.1"
            link = folder / name
            if not link.exists():
                link.symlink_to(path.name)
            inputs.append({"dsn": dataset, "lfn": name})
    prefix = dataset.replace("HITMAP", "NOISYSTRIP")
    dictionary = {
        "part": ["doNoisyStrip"],
        "splitNoisyStrip": 2,
        "maxEvents": 1,
        "prefix": f"{prefix}#{prefix}._0001",
        "SCTCalibConfig": [str(resource("share", "SCTCalibConfig.toml"))],
        "input": inputs,
    }
    path = folder / "job.json"
    path.write_text(json.dumps(dictionary, indent=1))
    return path, maps, blocks


if __name__ == "__main__":
    make(Path(sys.argv[1]))
