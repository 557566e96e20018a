"""A short RAW run with every kind of defect, and its reading."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sctcalib.bytestream.accumulate import accumulate
from sctcalib.bytestream.maps import RawMaps
from sctcalib.bytestream.maps import RawSettings as Wanted
from sctcalib.detector.cabling import cabling_of_year
from sctcalib.detector.readout import default_swap
from sctcalib.simulate.model import Defects
from sctcalib.simulate.raw_settings import RawDefects, RawSettings
from sctcalib.simulate.raw_truth import RawTruth
from sctcalib.simulate.settings import Settings

BASE = Settings(
    run=267367,
    n_events=420,
    n_files=2,
    n_lumi_blocks=20,
    seed=5,
    defects=Defects(noisy=20, near=3, noisy_chips=1, hot_wafers=1),
)
DEFECTS = RawDefects(
    dead_strips=10, dead_chips=3, dead_links=2, hv_trips=2, noisy_lumi_blocks=2, error_links=14,
    error_rods=6, unknown_ids=2,
)  # fmt: skip
SETTINGS = RawSettings(BASE, DEFECTS)
SMALL = RawSettings(replace(BASE, n_events=30, n_files=1, defects=Defects(3, 1, 0, 0)))
"""Few events, nothing beyond noisy strips."""


def read_files(folder: Path, truth: RawTruth, settings: RawSettings = SETTINGS) -> RawMaps:
    """Everything that the reader makes of the files of a run."""
    wanted = Wanted(settings.base.n_lumi_blocks, 30, default_swap(), hv_bin_seconds=5)
    paths = [folder / file.raw for file in truth.files]
    return accumulate(paths, cabling_of_year(settings.year), wanted)
