"""Read what the parts that read monitoring found: from the job's COOL database or an XML file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sctcalib.detector.identifiers import layer_side_id32, wafer_of_id32
from sctcalib.detector.regions import BARREL_PHI, N_WAFERS
from sctcalib.histograms.monitoring import LorentzKey
from sctcalib.job.errors import InputFileError
from sctcalib.parts.bytestream_errors import N_POSITIONS
from sctcalib.simulate.found import SQLITE_MAGIC
from sctcalib.simulate.hist_comparison import FoundAngle, FoundMonitoring
from sctcalib.simulate.hist_settings import TASKS

if TYPE_CHECKING:
    from sctcalib.summary.lorentz_records import LorentzRecord
    from sctcalib.summary.parsing import Node

_Objects = list[Any]


def read_found_monitoring(path: Path, run: int) -> FoundMonitoring:
    """What a file says of a run; its kind is recognised by its content.

    Raises InputFileError for a file that cannot be read, or holds nothing of this run.
    """
    try:
        with path.open("rb") as file:
            head = file.read(len(SQLITE_MAGIC))
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise InputFileError(msg) from error
    return _from_database(path, run) if head == SQLITE_MAGIC else _from_xml(path, run)


def _from_database(path: Path, run: int) -> FoundMonitoring:
    from sctcalib.cool import CoolError, Database
    from sctcalib.cool.folders import SCT_FOLDERS

    try:
        with Database.open(path) as database:
            objects = {
                part: _objects(database, SCT_FOLDERS[part].path, run)
                for part in TASKS
                if database.has_folder(SCT_FOLDERS[part].path)
            }
        found = {part: rows for part, rows in objects.items() if rows}
        if found:
            return _of_objects(found)
    except CoolError as error:
        raise InputFileError(str(error)) from error
    except (KeyError, ValueError) as error:
        msg = f"{path}: {error}"
        raise InputFileError(msg) from error
    folders = ", ".join(SCT_FOLDERS[part].path for part in TASKS)
    msg = f"{path}: nothing of run {run} is in any of {folders}"
    raise InputFileError(msg)


def _objects(database: Any, path: str, run: int) -> _Objects:
    """Objects of a run under the only tag; raises ValueError if there are several tags."""
    from sctcalib.cool import run_lumi

    folder = database.folder(path)
    tags = [tag.name for tag in folder.tags()]
    if len(tags) > 1:
        msg = f"{path} has the tags {', '.join(tags)}; compare a file with one of them"
        raise ValueError(msg)
    # the last key of the run belongs to objects that an earlier run left open
    found: _Objects = folder.browse(
        run_lumi(run), run_lumi(run, 0xFFFFFFFE), tag=tags[0] if tags else ""
    )
    return found


def _of_objects(objects: dict[str, _Objects]) -> FoundMonitoring:
    by_wafer = {"doEfficiency": "Efficiency", "doNoiseOccupancy": "NoiseOccupancy"}
    by_wafer["doRawOccupancy"] = "RawOccupancy"
    values = {part: _column(objects[part], f) for part, f in by_wafer.items() if part in objects}
    errors = objects.get("doBSErrorDB")
    return FoundMonitoring(
        efficiency=values.get("doEfficiency"),
        noise=values.get("doNoiseOccupancy"),
        raw=values.get("doRawOccupancy"),
        errors=None if errors is None else _error_counts(errors),
        lorentz=dict(_angles(objects.get("doLorentzAngle", []))),
    )


def _column(objects: _Objects, field: str) -> NDArray[np.float64]:
    values = np.full(N_WAFERS, np.nan)
    wafers = wafer_of_id32([each.channel for each in objects])
    values[wafers] = [float(each.payload[field]) for each in objects]
    return values


def _error_counts(objects: _Objects) -> NDArray[np.int64]:
    """Sides without an object have no errors."""
    counts = np.zeros((N_WAFERS, N_POSITIONS), dtype=np.int64)
    for each in objects:
        words = str(each.payload["BSErrors"]).split()
        if len(words) != N_POSITIONS:
            msg = f"channel {each.channel}: {len(words)} counts of errors, expected {N_POSITIONS}"
            raise ValueError(msg)
        counts[int(wafer_of_id32(each.channel))] = [int(word) for word in words]
    return counts


def _angles(objects: _Objects) -> Iterable[tuple[LorentzKey, FoundAngle]]:
    places = {
        int(layer_side_id32(layer, side)): (layer, side)
        for layer in range(len(BARREL_PHI))
        for side in (0, 1)
    }
    for each in objects:
        payload = each.payload
        if each.channel not in places:
            msg = f"channel {each.channel} is no layer and side of the barrel"
            raise ValueError(msg)
        layer, side = places[each.channel]
        yield (
            (layer, side, int(payload["moduleType"])),
            FoundAngle(
                float(payload["lorentzAngle"]),
                float(payload["minClusterWidth"]),
                float(payload["err_lorentzAngle"]),
            ),
        )


def _from_xml(path: Path, run: int) -> FoundMonitoring:
    from sctcalib.summary.kinds import recognise
    from sctcalib.summary.parsing import Node, parse

    root = Node(path, parse(path))
    read = _READERS.get(recognise(root).files)
    if read is None:
        msg = f"{path}: is of none of the parts {', '.join(TASKS)}"
        raise InputFileError(msg)
    found, its_run = read(root)
    if its_run not in (run, None):
        msg = f"{path}: is of run {its_run}, the truth is of run {run}"
        raise InputFileError(msg)
    return found


_Read = tuple[FoundMonitoring, int | None]
"""The content, and its run where the file says it."""


def _summary(root: Node) -> _Read:
    from sctcalib.summary.monitoring_summary import monitoring_summary_of

    file = monitoring_summary_of(root)
    return FoundMonitoring(means=dict(file.means)), file.run


def _efficiency_modules(root: Node) -> _Read:
    from sctcalib.summary.efficiency_modules import efficiency_modules_of

    file = efficiency_modules_of(root)
    values = np.where(file.efficiency == -1, 0.0, file.efficiency)  # -1: no entries
    return FoundMonitoring(efficiency=values), file.run


def _noise_occupancy(root: Node) -> _Read:
    from sctcalib.summary.noise_occupancy_file import noise_occupancy_file_of

    file = noise_occupancy_file_of(root)
    return FoundMonitoring(noise=file.occupancy.astype(np.float64)), file.run


def _error_modules(root: Node) -> _Read:
    from sctcalib.summary.bytestream_modules import bytestream_modules_of

    file = bytestream_modules_of(root)
    return FoundMonitoring(errors=file.errors), file.run


def _lorentz_summary(root: Node) -> _Read:
    from sctcalib.summary.lorentz_angle_files import lorentz_summary_of

    file = lorentz_summary_of(root)
    return FoundMonitoring(lorentz=_fits(file.records)), file.run


def _lorentz_file(root: Node) -> _Read:
    from sctcalib.summary.lorentz_angle_files import lorentz_file_of

    return FoundMonitoring(lorentz=_fits(lorentz_file_of(root).records)), None


def _fits(records: Iterable[LorentzRecord]) -> dict[LorentzKey, FoundAngle]:
    return {
        (r.layer, r.side, r.module_type): FoundAngle(
            r.angle, r.min_width, r.angle_error, r.converged
        )
        for r in records
    }


_READERS: dict[str, Callable[[Node], _Read]] = {
    "EfficiencySummaryFile.xml": _summary,
    "NoiseOccupancySummaryFile.xml": _summary,
    "RawOccupancySummaryFile.xml": _summary,
    "BSErrorSummaryFile.xml": _summary,
    "EfficiencyModuleSummary.xml": _efficiency_modules,
    "NoiseOccupancyFile.xml": _noise_occupancy,
    "BSErrorModuleSummary.xml": _error_modules,
    "LorentzAngleSummaryFile.xml": _lorentz_summary,
    "LorentzAngleFile.xml": _lorentz_file,
}
