"""What is to be simulated, and the names of its files (reference/transform.md 2.6, 3.2, 7.1)."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sctcalib.job.errors import OutOfRangeError
from sctcalib.runs.run_info import RunInfo
from sctcalib.simulate.model import Defects

MAX_RUN = 2**31 - 2
SECONDS_PER_LUMI_BLOCK = 60
PARTITIONS = ("SCTBA", "SCTBC", "SCTEA", "SCTEC")
_PROJECT = re.compile(r"data([0-9]{2})_[A-Za-z0-9]+")
_STREAM = re.compile(r"[A-Za-z0-9]+_[A-Za-z0-9]+")


@dataclass(frozen=True)
class Settings:
    """A run to simulate. Raises OutOfRangeError for values that cannot be."""

    run: int
    n_events: int = 20_000
    """Events of the run, split over the files."""
    n_files: int = 1
    n_lumi_blocks: int = 100
    lbs_per_window: int = 30
    seed: int = 1
    project: str = "data15_13TeV"
    stream: str = "calibration_SCTNoise"
    defects: Defects = field(default_factory=Defects)
    previous_run: int | None = None

    def __post_init__(self) -> None:
        if not 0 < self.run <= MAX_RUN:
            msg = f"run {self.run} is outside 1-{MAX_RUN}"
            raise OutOfRangeError(msg)
        if self.previous_run is not None and not 0 < self.previous_run < self.run:
            msg = f"the previous run {self.previous_run} must be before run {self.run}"
            raise OutOfRangeError(msg)
        if not _PROJECT.fullmatch(self.project):
            msg = f"project {self.project!r} is not of the form dataYY_ENERGY, as data15_13TeV"
            raise OutOfRangeError(msg)
        if not _STREAM.fullmatch(self.stream):
            msg = f"stream {self.stream!r} is not of the form TYPE_NAME, as calibration_SCTNoise"
            raise OutOfRangeError(msg)
        if min(self.n_files, self.n_lumi_blocks, self.lbs_per_window) < 1 or self.n_events < 0:
            msg = "files, lumi blocks and lumi blocks per window must be positive, events too or 0"
            raise OutOfRangeError(msg)

    @property
    def dataset(self) -> str:
        """Name of the dataset of map files."""
        return f"{self._run_name}.HITMAP.c0"

    @property
    def prefix(self) -> str:
        """Prefix of the noisy-strip job's outputs, in the form dataset#file that Tier-0 uses."""
        outputs = f"{self._run_name}.NOISYSTRIP.c0_c0"
        return f"{outputs}#{outputs}._0001"

    @property
    def _run_name(self) -> str:
        return f"{self.project}.{self.run:08d}.{self.stream}.sctcal"

    def file_name(self, number: int, kind: str) -> str:
        """Name of file 1, 2, ... of a kind, ``SCTHitMaps`` or ``SCTLB``."""
        return f"{self.dataset}._{number:04d}.{kind}.root.1"

    def event_ranges(self) -> list[tuple[int, int]]:
        """First event and end of each file."""
        edges = [self.n_events * number // self.n_files for number in range(self.n_files + 1)]
        return list(itertools.pairwise(edges))

    def run_info(self) -> RunInfo:
        """Times of the run: from 1 June of the project's year on, an hour later for each run."""
        year = 2000 + int(self.project[4:6])
        first = int(datetime(year, 6, 1, tzinfo=UTC).timestamp())
        start = first + self.run % 1000 * 3600
        end = start + self.n_lumi_blocks * SECONDS_PER_LUMI_BLOCK
        return RunInfo(self.run, self.project, start, end, self.n_lumi_blocks, PARTITIONS)
