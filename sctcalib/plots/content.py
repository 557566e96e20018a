"""What can be drawn: the few shapes that all results have, wherever they were read from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sctcalib.detector.geometry import NOISE_OCCUPANCY_LIMIT
from sctcalib.detector.regions import N_MODULE_STRIPS, N_STRIPS, N_WAFERS
from sctcalib.summary.lorentz_records import LorentzRecord

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Heading:
    """Which run it is, and where it comes from."""

    run: int | None
    """None where the file does not say: LorentzAngleFile.xml."""
    source: str
    """File, with folder and tag for a database."""
    stream: str = ""
    events: int | None = None
    reference: str = ""
    """What it is compared with."""

    def text(self) -> str:
        """One line."""
        parts = [f"run {self.run}" if self.run is not None else "run not in the file"]
        if self.stream:
            parts.append(f"stream {self.stream}")
        if self.events is not None:
            parts.append(f"{self.events:,} events")
        if self.reference:
            parts.append(f"compared with {self.reference}")
        return "   ".join(parts)


@dataclass(frozen=True)
class Quantity:
    """Something with a value per side, and how it is drawn."""

    title: str
    symbol: str
    """For axes; all of them are dimensionless ratios, whose meaning follows."""
    unit: str
    log: bool
    absent: str
    """What a side without a value means."""
    limit: float | None = None
    limit_text: str = ""
    high_is_good: bool = False

    @property
    def label(self) -> str:
        """Of an axis."""
        return f"{self.symbol} [{self.unit}]"


EFFICIENCY_SPECIFICATION = 0.99
"""Hit efficiency, detector.md 7."""
QUANTITIES = {
    "Efficiency": Quantity(
        "Hit efficiency", "Efficiency", "hits per track crossing", log=False,
        absent="no data", limit=EFFICIENCY_SPECIFICATION, limit_text="specification 99 %",
        high_is_good=True,
    ),
    "NoiseOccupancy": Quantity(
        "Noise occupancy", "Noise occupancy", "hits per strip, event and time bin", log=True,
        absent="no hits", limit=NOISE_OCCUPANCY_LIMIT,
        limit_text=r"noise specification $5\times10^{-4}$",
    ),
    "RawOccupancy": Quantity(
        "Raw occupancy", "Raw occupancy", "hits per strip and event", log=True, absent="no hits",
    ),
}  # fmt: skip
"""By the name that summaries and folders have for them."""


@dataclass(frozen=True, eq=False)
class SideValues:
    """One value per side."""

    quantity: str
    """Key of `QUANTITIES`."""
    values: FloatArray
    """Hash order, shape (8176,); NaN where there is none."""

    @property
    def kind(self) -> str:
        """For messages."""
        return f"the {QUANTITIES[self.quantity].title.lower()} of every side"


@dataclass(frozen=True, eq=False)
class LayerValues:
    """One value per layer or ring, as the summaries have them."""

    quantity: str
    """Key of `summary.monitoring_summary.SUMMARY_KINDS`."""
    means: tuple[tuple[str, NDArray[Any]], ...]
    """Name, and the 48 values in the order of `parts.layer_means.layer_labels`."""

    @property
    def kind(self) -> str:
        """For messages."""
        return f"a summary of {self.quantity}"


@dataclass(frozen=True, eq=False)
class ChipBlocks:
    """A noisy chip and its noisy lumi blocks."""

    module: int
    chip: int
    """0-11, readout order."""
    numbers: IntArray
    """Ascending, as they really are: from 1 on."""
    fraction: float
    """Noisy lumi blocks over those with events, or over those that were judged."""


@dataclass(frozen=True, eq=False)
class StripLists:
    """Bad strips or chips of all modules."""

    what: str
    """For titles: ``Noisy strips``."""
    lists: Mapping[str, IntArray]
    """By name, the first the one that counts; ascending numbers per_side * wafer + strip."""
    per_side: int = N_STRIPS
    """768 strips or 6 chips."""
    empty: bool = False
    """There were no events."""
    chips: tuple[ChipBlocks, ...] | None = None
    lumi_blocks: int = 0
    """Lumi blocks with events."""
    verdict: str = ""
    """The upload flag, in words."""

    @property
    def kind(self) -> str:
        """For messages."""
        return f"{self.what.lower()} of modules"

    def per_wafer(self, name: str) -> IntArray:
        """How many a list has of each side, shape (8176,)."""
        return np.bincount(self.lists[name] // self.per_side, minlength=N_WAFERS)

    def per_module(self, name: str) -> IntArray:
        """How many a list has of each module, shape (4088,)."""
        sums: IntArray = self.per_wafer(name).reshape(-1, 2).sum(axis=1)
        return sums

    @property
    def main(self) -> str:
        """Name of the first list."""
        return next(iter(self.lists))


@dataclass(frozen=True, eq=False)
class LorentzAngles:
    """Results of the fits; a database has those of <111> modules only."""

    records: tuple[LorentzRecord, ...]
    verdict: str = ""

    @property
    def kind(self) -> str:
        """For messages."""
        return "Lorentz angles"


@dataclass(frozen=True, eq=False)
class LinkErrors:
    """Byte-stream errors of every link (side)."""

    errors: NDArray[Any]
    """Shape (8176, 15): events with the error, or their fraction; -1 where it is not known."""
    totals: FloatArray
    """Sums over the error types, shape (8176,)."""
    is_fraction: bool = False

    @property
    def kind(self) -> str:
        """For messages."""
        return "byte-stream errors of every link"


@dataclass(frozen=True, eq=False)
class DeadItems:
    """Dead or quiet chips and strips of all modules, from one file."""

    chips: StripLists
    strips: StripLists

    @property
    def kind(self) -> str:
        """For messages."""
        return "dead or quiet chips and strips of modules"


@dataclass(frozen=True, eq=False)
class LumiBlocks:
    """Lumi blocks in which chips are noisy; arrays have one length."""

    numbers: IntArray
    n_chips: IntArray
    """Noisy chips."""
    occupancy: FloatArray
    """Hits per strip and event of the whole detector."""
    noisy: NDArray[np.bool_]
    """Whether the lumi block is noisy as a whole."""
    chips: tuple[ChipBlocks, ...]
    lumi_blocks: int
    """Lumi blocks with events."""
    verdict: str

    @property
    def kind(self) -> str:
        """For messages."""
        return "noisy lumi blocks"


@dataclass(frozen=True, eq=False)
class Trips:
    """Intervals in which modules had no high voltage."""

    modules: IntArray
    """Shape (n,)."""
    seconds: IntArray
    """Begin and end, seconds since 1970, shape (n, 2)."""
    lumi_blocks: IntArray
    """First and last, shape (n, 2); all 0 in files of the original."""

    @property
    def kind(self) -> str:
        """For messages."""
        return "trips of the high voltage"


Content = (
    SideValues | LayerValues | StripLists | LorentzAngles | LinkErrors | DeadItems | LumiBlocks
    | Trips
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Subject:
    """A run, and what is drawn of it."""

    heading: Heading
    content: Content


def detector_numbers(
    lists: Sequence[tuple[int, IntArray]], per_module: int = N_MODULE_STRIPS
) -> IntArray:
    """Numbers over the whole detector, ascending, from (module, numbers within it)."""
    arrays = [module * per_module + np.asarray(numbers) for module, numbers in lists]
    joined = np.concatenate(arrays) if arrays else np.empty(0)
    return np.sort(joined.astype(np.int64))


def positive(values: NDArray[Any]) -> FloatArray:
    """NaN where there is no positive, finite number."""
    numbers = values.astype(np.float64)
    return np.where(np.isfinite(numbers) & (numbers > 0), numbers, np.nan)
