"""What RAW data are to be simulated, and the names of the files (raw-bytestream.md 1.4)."""

from __future__ import annotations

from dataclasses import dataclass, field

from sctcalib.bytestream.encoder_words import Mode
from sctcalib.bytestream.writer import EventFormat, file_name, file_name_core
from sctcalib.detector.regions import BARREL_PHI, N_DISKS
from sctcalib.job.errors import OutOfRangeError
from sctcalib.simulate.settings import SECONDS_PER_LUMI_BLOCK, Settings

APPLICATION = "SFO-1"
LIT_REGIONS = (
    "all",
    "barrel",
    "endcaps",
    *(f"barrel:{layer}" for layer in range(len(BARREL_PHI))),
    *(f"disk:{disk}" for disk in range(N_DISKS)),
)
"""Where particles may hit; disks and end caps are those of both sides.

A dead-strip search compares layers and disks, so never a part of one: what is dark in a lit layer
would be dead.
"""
HV_BIN_SECONDS = 5
"""The option HVBinWidth: trips begin and end at its multiples."""
_MAX_OCCUPANCY = 0.045
"""Above 0.05, dead-strip searches take a strip for a noisy one."""
_EVENTS_OF_NOISY_BLOCK = 20
"""A lumi block with fewer events may have fewer than ten by chance, and then is not judged."""


@dataclass(frozen=True)
class RawDefects:
    """How many defects are planted beyond those of hit maps."""

    dead_strips: int = 0
    dead_chips: int = 0
    dead_links: int = 0
    hv_trips: int = 0
    noisy_lumi_blocks: int = 0
    error_links: int = 0
    """Sides with a byte-stream error of their link in some events."""
    error_rods: int = 0
    """RODs with an error in some events."""
    unknown_ids: int = 0
    """Events that are left out because of unknown links, and as many just below the limit."""


@dataclass(frozen=True)
class RawSettings:
    """RAW files to simulate. Raises OutOfRangeError for values that cannot be."""

    base: Settings
    """Run, events, files, lumi blocks, seed, names and noisy strips, as for hit maps."""
    defects: RawDefects = field(default_factory=RawDefects)
    occupancy: float = 0.0
    """Mean occupancy of strips where particles hit, beyond noise."""
    pile_up: float = 0.0
    """Instead: collisions per crossing (mu); occupancies follow from the layers."""
    lit: str = "all"
    """Where particles hit, one of `LIT_REGIONS`."""
    mode: Mode = Mode.CONDENSED
    event_format: EventFormat = "5.0"
    compress: bool = False
    """Compress every event (format 5.0), or every data block (4.0)."""

    def __post_init__(self) -> None:
        if self.occupancy and self.pile_up:
            msg = "give either the occupancy or the pile-up mu, not both"
            raise OutOfRangeError(msg)
        if not (0 <= self.occupancy <= _MAX_OCCUPANCY and 0 <= self.pile_up <= 150):
            msg = (
                f"occupancy {self.occupancy:g} is outside 0-{_MAX_OCCUPANCY:g},"
                f" or mu {self.pile_up:g} outside 0-150"
            )
            raise OutOfRangeError(msg)
        if self.lit not in LIT_REGIONS:
            msg = f"region {self.lit!r} is none of all, barrel, endcaps, barrel:0-3, disk:0-8"
            raise OutOfRangeError(msg)
        if self.base.n_events < 1:
            msg = "a RAW file needs at least one event"
            raise OutOfRangeError(msg)
        self._check_defects()

    def _check_defects(self) -> None:
        base, defects = self.base, self.defects
        if defects.noisy_lumi_blocks:
            per_block = base.n_events / base.n_lumi_blocks
            if per_block < _EVENTS_OF_NOISY_BLOCK:
                msg = (
                    f"{per_block:.1f} events in a lumi block are too few for noisy ones: at least"
                    f" {_EVENTS_OF_NOISY_BLOCK} are needed; simulate more events or fewer blocks"
                )
                raise OutOfRangeError(msg)
            if defects.noisy_lumi_blocks > max(1, base.n_lumi_blocks // 10):
                msg = "at most a tenth of the lumi blocks can be noisy"
                raise OutOfRangeError(msg)
        if defects.hv_trips and self.trip_bins * 8 > self.duration // HV_BIN_SECONDS:
            msg = (
                f"{base.n_events} events in {base.n_lumi_blocks} lumi blocks are too few for HV"
                f" trips: a trip of {self.trip_bins} bins of {HV_BIN_SECONDS} s would take more"
                " than an eighth of the run; simulate more events or lumi blocks"
            )
            raise OutOfRangeError(msg)
        if 2 * defects.unknown_ids > base.n_events // 4:
            msg = "at most an eighth of the events can have too many unknown links"
            raise OutOfRangeError(msg)

    @property
    def particles(self) -> tuple[float, float, str]:
        """Occupancy, pile-up and lit region."""
        return self.occupancy, self.pile_up, self.lit

    @property
    def duration(self) -> int:
        """Length of the run in seconds."""
        return self.base.n_lumi_blocks * SECONDS_PER_LUMI_BLOCK

    @property
    def events_per_bin(self) -> float:
        """Mean number of events in a bin of HV_BIN_SECONDS."""
        return self.base.n_events * HV_BIN_SECONDS / self.duration

    @property
    def trip_bins(self) -> int:
        """Length of a HV trip: at least six bins with events, four of which make a trip."""
        return max(6, -int(-8 // min(1.0, self.events_per_bin)))

    @property
    def dataset(self) -> str:
        """Name of the dataset of RAW files."""
        return f"{self._run_name}.daq.RAW"

    @property
    def core(self) -> str:
        """Name of the files without number."""
        base = self.base
        return file_name_core(base.project, base.run, base.stream, 0, APPLICATION)

    @property
    def _run_name(self) -> str:
        return f"{self.base.project}.{self.base.run:08d}.{self.base.stream}"

    def file_name(self, number: int) -> str:
        """Name of file 1, 2, ..."""
        return file_name(self.core, number)

    def prefix(self, task: str) -> str:
        """Prefix of the outputs of a task, in the form dataset#file that Tier-0 uses."""
        outputs = f"{self._run_name}.sctcal.{task}"
        return f"{outputs}#{outputs}._0001"

    @property
    def year(self) -> int:
        """Year of the run, from the project."""
        return 2000 + int(self.base.project[4:6])
