"""HIST files of simulated runs, jobs on them, and such files with objects renamed away."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

RUN = 267367
PARTS = ("doEfficiency", "doNoiseOccupancy", "doRawOccupancy", "doLorentzAngle", "doBSErrorDB")
XML = {
    "doEfficiency": ("EfficiencyModuleSummary.xml", "EfficiencySummaryFile.xml"),
    "doNoiseOccupancy": ("NoiseOccupancyFile.xml", "NoiseOccupancySummaryFile.xml"),
    "doRawOccupancy": ("RawOccupancySummaryFile.xml",),
    "doLorentzAngle": ("LorentzAngleFile.xml", "LorentzAngleSummaryFile.xml"),
    "doBSErrorDB": ("BSErrorModuleSummary.xml", "BSErrorSummaryFile.xml"),
}
ALL_XML = tuple(name for part in PARTS for name in XML[part])
SHEETS = {
    "doEfficiency": "EfficiencyInfo.xsl",
    "doNoiseOccupancy": "NoiseOccupancyInfo.xsl",
    "doRawOccupancy": "RawOccupancyInfo.xsl",
    "doLorentzAngle": "LorentzAngleInfo.xsl",
    "doBSErrorDB": "BSErrorInfo.xsl",
}
COMMON_SHEETS = {"BadStrips.xsl", "Monitoring.xsl"}
OWN = {"jobReport.json", "log.sctcalib"}
HIDING = b"X"
"""Takes the place of the first letter of a name that is to be missing."""


def simulate_hist_run(folder: Path, **settings: Any) -> None:
    """Write a HIST file, its truth, and what belongs to them into a folder that exists."""
    from sctcalib.simulate.hist_files import simulate_hist
    from sctcalib.simulate.hist_settings import HistSettings

    simulate_hist(HistSettings(**{"run": RUN, "seed": 1, **settings}), folder)


def hist_of(folder: Path) -> Path:
    """The HIST file of a simulated run."""
    (path,) = folder.glob("*.HIST.*.root.1")
    return path


def dictionary(folder: Path, *parts: str, **changes: Any) -> dict[str, Any]:
    """The job of a simulated run, with plain names of outputs; None removes a key."""
    job = json.loads((folder / "job.json").read_text())
    for item in job["input"]:
        item["lfn"] = str(folder / item["lfn"])
    job["SCTCalibConfig"] = [str(folder / name) for name in job["SCTCalibConfig"]]
    job |= {"part": list(parts or PARTS), "prefix": "", **changes}
    return {name: value for name, value in job.items() if value is not None}


def write_job(here: Path, folder: Path, *parts: str, **changes: Any) -> Path:
    """Write such a dictionary as job.json into a run directory.

    ``hist`` is another HIST file, ``options`` are lines of a configuration file of its own.
    """
    hist, options = changes.pop("hist", None), changes.pop("options", None)
    job = dictionary(folder, *parts, **changes)
    if hist is not None:
        job["input"][0]["lfn"] = str(hist)
    if options is not None:
        (here / "options.toml").write_text("".join(f"{line}\n" for line in options))
        job["SCTCalibConfig"] = [*job.get("SCTCalibConfig", []), "options.toml"]
    path = here / "job.json"
    path.write_text(json.dumps(job))
    return path


def as_named(name: str) -> bytes:
    """A name as ROOT stores it: its length and its letters."""
    return bytes([len(name)]) + name.encode()


def hidden(source: Path, target: Path, names: Iterable[str]) -> Path:
    """A copy of a HIST file in which objects of these names are missing."""
    return patched(
        source, target, {as_named(n): as_named(n)[:1] + HIDING + n[1:].encode() for n in names}
    )


def patched(source: Path, target: Path, changes: Mapping[bytes, bytes]) -> Path:
    """A copy with bytes replaced by as many others: keys of ROOT files are not compressed."""
    data = source.read_bytes()
    for old, new in changes.items():
        assert len(old) == len(new)
        assert data.count(old) >= 2, old  # in the key of the object and in that of its directory
        data = data.replace(old, new)
    target.write_bytes(data)
    return target


def copy_of_run_info(folder: Path, here: Path) -> Path:
    """runInfo.txt in the run directory, as an earlier step leaves it."""
    return Path(shutil.copy(folder / "runInfo.txt", here))


def stored(database: Path, part: str) -> dict[int, tuple[Any, ...]]:
    """Payloads of a part's folder by channel, in the order of the folder's fields.

    Every object must be valid for the run, and there must be one tag, that of the configuration.
    """
    from sctcalib.cool import Database
    from sctcalib.cool.folders import SCT_FOLDERS

    known = SCT_FOLDERS[part]
    with Database.open(database) as db:
        folder = db.folder(known.path)
        assert folder.tag_names() == [known.default_tag]
        assert folder.count() == 0  # nothing but under the tag
        objects = folder.browse(tag=known.default_tag)
    assert {(each.since, each.until) for each in objects} == {(RUN << 32, (RUN << 32) + 0xFFFFFFFF)}
    assert all(tuple(each.payload) == known.field_names for each in objects)
    return {each.channel: tuple(each.payload.values()) for each in objects}
