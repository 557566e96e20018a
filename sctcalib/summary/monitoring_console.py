"""The XML files of the HIST parts as text for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sctcalib.detector.identifiers import module_names
from sctcalib.parts.bytestream_errors import ERROR_NAMES
from sctcalib.parts.layer_means import ALL_ETA, layer_labels
from sctcalib.summary.bytestream_modules import NOT_KNOWN, ByteStreamModules
from sctcalib.summary.console import STYLES, Report, Table
from sctcalib.summary.efficiency_modules import EfficiencyModules
from sctcalib.summary.fragments import number, numbers
from sctcalib.summary.lorentz_angle_files import FLAGS, LorentzAngleFile, LorentzSummary
from sctcalib.summary.lorentz_records import LorentzRecord
from sctcalib.summary.monitoring_summary import COUNT, MonitoringSummary
from sctcalib.summary.noise_occupancy_file import NoiseOccupancyFile
from sctcalib.summary.run_values import RunValues

TITLES = {
    "Efficiency": "Efficiency",
    "NoiseOccupancy": "Noise occupancy",
    "RawOccupancy": "Raw occupancy",
    "BSErrors": "Byte-stream errors",
}
MEANS = {
    "meanEff": "Mean efficiency",
    "meanEff_bcid1": "Mean efficiency, first BCID",
    "meanNO": "Mean noise occupancy",
    "meanRO": "Mean raw occupancy",
    COUNT: "Sides with an error",
}
_COLUMNS = tuple(
    (part, eta, f"{short} {ring}".strip())
    for part, short, rings in (
        ("EndCapC", "C", (("0", "outer"), ("1", "middle"), ("2", "inner"))),
        ("Barrel", "barrel", ((ALL_ETA, ""),)),
        ("EndCapA", "A", (("0", "outer"), ("1", "middle"), ("2", "inner"))),
    )
    for eta, ring in rings
)
"""Part and eta of each column, and its heading."""


def _run_values(content: RunValues) -> list[tuple[str, str]]:
    return [
        ("Run", str(content.run)),
        ("Start", content.start),
        ("End", content.end),
        ("Duration", f"{content.duration} s"),
        ("Lumi blocks", str(content.lumi_blocks)),
        ("Events", str(content.events)),
    ]


def monitoring_report(summary: MonitoringSummary) -> Report:
    """The text of the four summaries of layers and rings."""
    tables = [_layer_table(name, column) for name, column in summary.means]
    title = f"{TITLES[summary.kind]} of run {summary.run}"
    return Report(title, _run_values(summary), tables)


def _layer_table(name: str, column: NDArray[Any]) -> Table:
    """Disks and layers downwards, parts and rings across."""
    texts = [str(x) if name == COUNT else format(x, ".6g") for x in column.tolist()]
    places = [(label.part, label.eta, label.layer) for label in layer_labels()]
    by_place = dict(zip(places, texts, strict=True))
    rows = [
        (str(layer), *(by_place.get((part, eta, layer), "") for part, eta, _ in _COLUMNS))
        for layer in range(max(label.layer for label in layer_labels()) + 1)
    ]
    header = ("layer", *(heading for *_, heading in _COLUMNS))
    return Table(f"{MEANS[name]}, disks and layers", header, rows, lists=0)


def efficiency_modules_report(modules: EfficiencyModules) -> Report:
    """The text of EfficiencyModuleSummary.xml: the lowest efficiencies first."""
    value = modules.efficiency
    measured = value[value >= 0]
    values = [
        *_run_values(modules),
        ("Sides without data", str(int((value < 0).sum()))),
        ("Sides with efficiency 0", str(int((value == 0).sum()))),
        ("Mean of the others", number(_mean(measured[measured > 0]))),
    ]
    order = np.argsort(value, kind="stable")
    table = _side_table("efficiency", order, modules.serials, numbers(value))
    return Report(f"Efficiency of sides, run {modules.run}", values, [table])


def noise_occupancy_report(file: NoiseOccupancyFile) -> Report:
    """The text of NoiseOccupancyFile.xml: the noisiest sides first."""
    value = file.occupancy
    values = [
        ("Run", str(file.run)),
        ("Valid", f"{file.since} to {file.until}"),
        ("Folder", file.folder),
        ("Tag", file.tag),
        ("Database", f"{file.server}, {file.schema}, {file.dbname}"),
        ("Sides with occupancy 0", str(int((value == 0).sum()))),
        ("Mean of all sides", number(_mean(value))),
    ]
    order = np.argsort(-value, kind="stable")
    table = _side_table("noise occupancy", order, file.serials, numbers(value))
    return Report(f"Noise occupancy of sides, run {file.run}", values, [table])


def _mean(values: NDArray[Any]) -> float:
    return float(values.astype(np.float64).mean()) if len(values) else 0.0


def _side_table(
    heading: str, order: NDArray[np.int64], serials: Sequence[str], texts: Sequence[str]
) -> Table:
    rows = [(*_side(wafer, serials), texts[wafer]) for wafer in order.tolist()]
    return Table("Sides", ("module", "side", "serial number", heading), rows, lists=0)


def _side(wafer: int, serials: Sequence[str]) -> tuple[str, str, str]:
    return module_names()[wafer // 2], str(wafer % 2), serials[wafer // 2]


def bytestream_modules_report(modules: ByteStreamModules) -> Report:
    """The text of BSErrorModuleSummary.xml: sides with errors, most errors first."""
    totals = modules.totals
    seen = (modules.errors != 0).any(axis=1) | (totals > 0)
    order = np.argsort(-totals, kind="stable")
    rows = [
        (*_side(wafer, modules.serials), str(totals[wafer]), " ".join(_types(modules, wafer)))
        for wafer in order[seen[order]].tolist()
    ]
    values = [
        *_run_values(modules),
        ("Sides with errors", str(int((totals > 0).sum()))),
        ("Errors", str(int(totals.sum()))),
    ]
    header = ("module", "side", "serial number", "errors", "types")
    table = Table("Sides with errors", header, rows, lists=1)
    return Report(f"Byte-stream errors of sides, run {modules.run}", values, [table])


def _types(modules: ByteStreamModules, wafer: int) -> Iterator[str]:
    for position, name in ERROR_NAMES.items():
        amount = modules.errors[wafer, position]
        if amount:
            yield f"{name}:{'?' if amount == NOT_KNOWN else format(amount, 'g')}"


def lorentz_summary_report(summary: LorentzSummary) -> Report:
    """The text of LorentzAngleSummaryFile.xml."""
    values = [*_run_values(summary), ("Flag", f"{summary.flag} ({FLAGS[summary.flag]})")]
    rows = [
        (*_profile(r), number(r.angle), number(r.min_width), fit_state(r), *_attempts(r))
        for r in summary.records
    ]
    header = ("layer", "side", "type", "angle", "minimum width", "fit", "attempts", "chi2")
    table = Table("Lorentz angle in degrees", header, rows, lists=0)
    styles = {"Flag": STYLES[summary.flag]}
    return Report(f"Lorentz angle of run {summary.run}", values, [table], styles)


def _profile(record: LorentzRecord) -> tuple[str, str, str]:
    return str(record.layer), str(record.side), f"<{record.module_type}>"


def fit_state(record: LorentzRecord) -> str:
    """What became of a fit, in words."""
    if record.converged:
        return "converged"
    return "failed" if record.is_fitted else "not fitted"


def _attempts(record: LorentzRecord) -> tuple[str, str]:
    attempts = "" if record.attempts is None else str(record.attempts)
    return attempts, "" if record.chi2 is None else number(record.chi2)


def lorentz_file_report(file: LorentzAngleFile) -> Report:
    """The text of LorentzAngleFile.xml."""
    rows = [(*_profile(r), *_fit_texts(r)) for r in file.records]
    header = ("layer", "side", "type", "angle", "a", "b", "sigma", "minimum width", "f(|error|)")
    table = Table("Fits", (*header, "chi2"), rows, lists=0)
    return Report("Lorentz angle", [("Folder", file.folder)], [table])


def _fit_texts(record: LorentzRecord) -> tuple[str, ...]:
    r = record
    if not r.is_fitted:
        return ("not fitted", *("",) * 6)
    return (
        _with_error(r.angle, r.angle_error),
        _with_error(r.a, r.a_error),
        _with_error(r.b, r.b_error),
        _with_error(r.sigma, r.sigma_error),
        *(number(x or 0) for x in (r.min_width, r.min_width_error, r.chi2)),
    )


def _with_error(value: float | None, error: float | None) -> str:
    return f"{number(value or 0)} +- {number(error or 0)}"
