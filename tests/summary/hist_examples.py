"""Contents of the HIST parts' files, and the fragments that algorithms-hist.md prints of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sctcalib.detector.identifiers import wafer_hash
from sctcalib.parts.bytestream_errors import ERROR_NAMES, N_POSITIONS
from sctcalib.parts.lorentz_angle import NOT_FITTED, LorentzFit
from sctcalib.summary.bytestream_modules import ByteStreamModules
from sctcalib.summary.efficiency_modules import EfficiencyModules
from sctcalib.summary.lorentz_angle_files import LorentzAngleFile, LorentzSummary
from sctcalib.summary.lorentz_records import PROFILES, lorentz_flag, lorentz_records
from sctcalib.summary.monitoring_summary import SUMMARY_KINDS, MonitoringSummary
from sctcalib.summary.noise_occupancy_file import NoiseOccupancyFile

RUN: dict[str, Any] = {
    "run": 300000,
    "start": "2016-06-13_10:05:45.000000000 GMT",
    "end": "2016-06-13_20:05:45.000000000 GMT",
    "duration": 36000,
    "lumi_blocks": 600,
    "events": 123456,
}
"""The run of 1.5."""
SERIALS = tuple(f"20220330{module:06d}" for module in range(1, 4089))
HEADER_TEXT = """\
<?xml version="1.0" encoding="UTF-8"?>
<?xml-stylesheet type="text/xsl" href="EfficiencyInfo.xsl"?>
<run>
  <value name="RunNumber">300000</value>
  <value name="StartTime">2016-06-13_10:05:45.000000000 GMT</value>
  <value name="EndTime">2016-06-13_20:05:45.000000000 GMT</value>
  <value name="Duration">36000</value>
  <value name="LB">600</value>
  <value name="Events">123456</value>
"""
OLD_TIMES = {RUN["start"]: "13/6/2016 10:5:45.0", RUN["end"]: "13/6/2016 20:5:45.0"}
LORENTZ_PART_TEXT = """\
    <parts>
  <value name="part">Barrel</value>
  <value name="layer">0</value>
  <value name="Side">0</value>
  <value name="Module">100</value>
  <value name="lorentzAngle">-3.9</value>
  <value name="minClusterWidth">1.14215</value>
  <value name="Fit">1</value>
    </parts>
"""
"""As the original writes it (5.5)."""
OURS = """\
  <value name="Attempts">1</value>
  <value name="chisq">98.1</value>
"""
"""What ours has besides."""
LORENTZ_FOLDER_TEXT = """\
<folderDefinition folder="SCT/Derived/LorentzAngleRun2_v2" version="multi">
  <folderDescription>
     <timeStamp>run-lumi</timeStamp>
     <addrHeader>
        <address_header service_type="71" clid="1238547719">
     </addrHeader>
     <typeName>CondAttrListCollection</typeName>
  </folderDescription>
  <payloadDescription>
    <payloadType name="moduleType">100</payloadType>
    <payloadType name="lorentzAngle">-3.9</payloadType>
    <payloadType name="err_lorentzAngle">0.03</payloadType>
    <payloadType name="chisq">98.1</payloadType>
    <payloadType name="fitParam_a">1.2</payloadType>
    <payloadType name="err_a">0.11</payloadType>
    <payloadType name="fitParam_b">1.1</payloadType>
    <payloadType name="err_b">0.01</payloadType>
    <payloadType name="fitParam_sigma">2.5</payloadType>
    <payloadType name="err_sigma">0.4</payloadType>
    <payloadType name="minClusterWidth">1.14215</payloadType>
    <payloadType name="err_minClusterWidth">1.1871</payloadType>
  </payloadDescription>
  <channel id="0" name="0_0 " />
</folderDefinition>
"""
"""As the original writes it: address_header is left open (5.4)."""


def summary(kind: str, seed: int = 1) -> MonitoringSummary:
    """A summary with random averages."""
    rng = np.random.default_rng(seed)
    means = tuple((name, _means(rng, name)) for name in SUMMARY_KINDS[kind].values)
    return MonitoringSummary(**RUN, kind=kind, means=means)


def _means(rng: np.random.Generator, name: str) -> NDArray[Any]:
    return rng.integers(0, 80, 48) if name == "nErrLink" else 10 ** rng.uniform(-7, 0, 48)


def efficiency_modules(seed: int = 1) -> EfficiencyModules:
    """Random efficiencies, some without data."""
    rng = np.random.default_rng(seed)
    efficiency = rng.uniform(0.4, 1, 8176)
    efficiency[rng.choice(8176, 100)] = -1
    efficiency[rng.choice(8176, 100)] = 0
    return EfficiencyModules(**RUN, serials=SERIALS, efficiency=np.float32(efficiency))


def noise_file(seed: int = 1) -> NoiseOccupancyFile:
    """Random occupancies."""
    occupancy = 10 ** np.random.default_rng(seed).uniform(-7, -2, 8176)
    return NoiseOccupancyFile(
        run=300000,
        tag="SctDerivedNoiseOccupancy-003-01",
        serials=SERIALS,
        occupancy=occupancy.astype(np.float32),
    )


def counts(errors: dict[tuple[int, int, int, int, int], dict[str, int]]) -> NDArray[np.int64]:
    """Counts of sides given by (bec, layer, phi, eta, side) and error type, shape (8176, 15)."""
    positions = {name: position for position, name in ERROR_NAMES.items()}
    array = np.zeros((8176, N_POSITIONS), dtype=np.int64)
    for place, its in errors.items():
        for name, count in its.items():
            array[int(wafer_hash(*place)), positions[name]] = count
    return array


def bytestream_modules(errors: NDArray[Any]) -> ByteStreamModules:
    """A file of these counts."""
    return ByteStreamModules(**RUN, serials=SERIALS, errors=errors, totals=errors.sum(axis=1))


def random_counts(seed: int = 1, n_sides: int = 400) -> NDArray[np.int64]:
    """Counts of some sides, each of up to three error types."""
    rng = np.random.default_rng(seed)
    errors = np.zeros((8176, N_POSITIONS), dtype=np.int64)
    types = rng.permuted(np.tile(list(ERROR_NAMES), (n_sides, 1)), axis=1)[:, :3]
    some = rng.random((n_sides, 3)) < (1, 0.5, 0.25)
    sides = np.repeat(rng.choice(8176, n_sides, replace=False), 3).reshape(-1, 3)
    errors[sides[some], types[some]] = rng.integers(1, 100000, some.sum())
    return errors


def fits(*failed: int) -> list[LorentzFit]:
    """The 16 fits, the numbers of which tell them apart; those with the given indices failed."""
    return [
        NOT_FITTED
        if (layer, kind) == (1, 100)
        else LorentzFit(
            1.2, -3.9 - index / 8, 1.1, 2.5, (0.11, 0.03 + index, 0.01, 0.4), 98.1 + index,
            converged=index not in failed, attempts=3 if index in failed else 1,
        )
        for index, (layer, _, kind) in enumerate(PROFILES)
    ]  # fmt: skip


def lorentz_summary(*failed: int) -> LorentzSummary:
    """A summary of such fits."""
    records = lorentz_records(fits(*failed))
    return LorentzSummary(**RUN, flag=lorentz_flag(records), records=records)


def lorentz_file() -> LorentzAngleFile:
    """The other file of such fits."""
    return LorentzAngleFile(lorentz_records(fits()))
