"""What monitoring is to be simulated, and the names of its files (transform.md 2.3, 3.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

from sctcalib.detector.regions import BARREL_PHI, N_DISKS, N_MODULES, REGIONS
from sctcalib.job.errors import OutOfRangeError
from sctcalib.parts import PARTS
from sctcalib.runs.run_info import RunInfo
from sctcalib.simulate.settings import Settings

Style = Literal["21.0", "master"]
STYLES: tuple[str, ...] = get_args(Style)

TASKS = {name: part.task for name, part in PARTS.items() if part.reads.startswith("HIST")}
"""Parts that read monitoring, and the name of their task in the names of outputs."""
ALL_TASKS = "MONITORING"
_LAYER = re.compile(r"(\w+):([0-9])")
_ANGLE_LIMITS = (-8.0, 1.0)
"""In the range of the fit, degrees."""


@dataclass(frozen=True)
class NoisyLayer:
    """A barrel layer or a disk."""

    bec: int
    layer: int

    @classmethod
    def parse(cls, text: str) -> NoisyLayer:
        """From ``barrel:2``, ``endcapA:0`` or ``endcapC:8``; raises OutOfRangeError."""
        becs = {region.label.lower(): region.bec for region in REGIONS}
        match = _LAYER.fullmatch(text)
        bec = becs.get(match[1].lower()) if match else None
        if match is None or bec is None or int(match[2]) >= (N_DISKS if bec else len(BARREL_PHI)):
            msg = f"layer {text!r} is none of barrel:0-3, endcapA:0-8, endcapC:0-8"
            raise OutOfRangeError(msg)
        return cls(bec, int(match[2]))

    def __str__(self) -> str:
        label = next(region.label for region in REGIONS if region.bec == self.bec)
        return f"{label}:{self.layer}"


@dataclass(frozen=True)
class HistSettings:
    """A run's monitoring to simulate. Raises OutOfRangeError for values that cannot be."""

    run: int
    style: Style = "master"
    """Release of the monitoring: names, classes and bins of its histograms."""
    n_events: int = 100_000
    is_empty: bool = False
    """The detector in standby: events are counted, nothing is measured."""
    n_lumi_blocks: int = 100
    seed: int = 1
    project: str = "data15_13TeV"
    stream: str = "express_express"
    n_inefficient: int = 5
    """Modules of clearly low efficiency."""
    n_disabled: int = 10
    """Modules that are not read out."""
    noisy_layers: tuple[NoisyLayer, ...] = ()
    n_error_links: int = 20
    """Sides with byte-stream errors."""
    lorentz_angle: float = -4.0
    """Of <111> sensors, in degrees, but for the differences between layers."""
    lorentz_tracks: float = 10.0
    """Tracks per event in each layer and side."""

    def __post_init__(self) -> None:
        if self.style not in STYLES:
            msg = f"style {self.style!r} is none of {', '.join(STYLES)}"
            raise OutOfRangeError(msg)
        _ = self.base
        planted = self.n_inefficient, self.n_disabled, self.n_error_links
        if min(planted) < 0 or sum(planted) > N_MODULES:
            msg = f"inefficient, disabled modules and links with errors: {planted}; all together"
            msg += f" must be 0 to {N_MODULES}"
            raise OutOfRangeError(msg)
        low, high = _ANGLE_LIMITS
        if not low <= self.lorentz_angle <= high or not 0 <= self.lorentz_tracks <= 1000:
            msg = (
                f"Lorentz angle {self.lorentz_angle:g} or tracks {self.lorentz_tracks:g} is outside"
                f" {low:g} to {high:g} degrees, 0 to 1000 tracks per event"
            )
            raise OutOfRangeError(msg)

    @cached_property
    def base(self) -> Settings:
        """What all simulated runs have in common."""
        return Settings(
            run=self.run,
            n_events=self.n_events,
            n_lumi_blocks=self.n_lumi_blocks,
            seed=self.seed,
            project=self.project,
            stream=self.stream,
        )

    @property
    def dataset(self) -> str:
        """Name of the dataset; field 4 is the input type."""
        return f"{self._run_name}.merge.HIST.f1_h1"

    @property
    def file_name(self) -> str:
        """Name of the HIST file."""
        return f"{self.dataset}._0001.root.1"

    def prefix(self, task: str) -> str:
        """Prefix of a job's outputs, in the form dataset#file that Tier-0 uses."""
        outputs = f"{self._run_name}.sctcal.{task}.c0_c0"
        return f"{outputs}#{outputs}._0001"

    @property
    def _run_name(self) -> str:
        return f"{self.project}.{self.run:08d}.{self.stream}"

    def run_info(self) -> RunInfo:
        """Times of the run."""
        return self.base.run_info()
