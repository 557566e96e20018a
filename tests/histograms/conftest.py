"""Full-detector files, made once for all tests of this folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sctcalib.detector.regions import N_STRIPS, N_WAFERS
from sctcalib.histograms.hitmaps import write_hitmaps
from sctcalib.histograms.lumiblocks import LumiBlockHits, write_lumi_blocks

N_BLOCKS = 7


@dataclass(frozen=True)
class HitMapFile:
    path: Path
    counts: NDArray[np.int64]
    overflow: NDArray[np.int64]
    n_events: int


@dataclass(frozen=True)
class LumiBlockFile:
    path: Path
    events: NDArray[np.int64]
    hits: LumiBlockHits


@pytest.fixture(scope="session")
def hit_map_files(tmp_path_factory: pytest.TempPathFactory) -> list[HitMapFile]:
    folder = tmp_path_factory.mktemp("hitmaps")
    files = []
    for number in range(2):
        random = np.random.default_rng(number)
        counts = random.poisson(0.5, (N_WAFERS, N_STRIPS))
        counts[17 + number] = 0  # a wafer that was not read out
        overflow = random.poisson(0.01, N_WAFERS)
        file = HitMapFile(folder / f"{number}.root", counts, overflow, 1000 + number)
        write_hitmaps(file.path, counts, file.n_events, overflow=overflow)
        files.append(file)
    return files


@pytest.fixture(scope="session")
def lumi_block_files(tmp_path_factory: pytest.TempPathFactory) -> list[LumiBlockFile]:
    folder = tmp_path_factory.mktemp("lb")
    files = []
    for number in range(2):
        random = np.random.default_rng(10 + number)
        n = 200_000
        hits = LumiBlockHits(
            random.integers(0, N_WAFERS, n),
            random.integers(0, N_STRIPS + 1, n),  # 768 is overflow
            random.integers(0, N_BLOCKS + 2, n),  # 0 and 8 are under- and overflow
            random.integers(0, 6, n),
            random.integers(1, 4, n),
        )
        events = random.integers(0, 100, N_BLOCKS)
        file = LumiBlockFile(folder / f"{number}.root", events, hits)
        write_lumi_blocks(file.path, events, hits, lbs_per_window=3)
        files.append(file)
    return files
