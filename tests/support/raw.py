"""RAW files of simulated runs, jobs on them, and damaged copies."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.processes import run_transform

RUN = 267367
PROJECT = "data15_13TeV"
DATASET = f"{PROJECT}.{RUN:08d}.calibration_SCTNoise.daq.RAW"
HITMAP_DATASET = f"{PROJECT}.{RUN:08d}.calibration_SCTNoise.sctcal.HITMAP.c0"
OWN = {"jobReport.json", "log.sctcalib"}
DATA_SEPARATOR = 0x1234CCCC
NOISE_PARTS = ("doNoisyStrip", "doDeadStrip", "doDeadChip", "doNoisyLB")
DEAD_PARTS = ("doDeadStrip", "doDeadChip")
MAPS = ("SCTBSErrors.root", "SCTHitMaps.root", "SCTLB.root")
EPOCH = {"SOURCE_DATE_EPOCH": "1433995200"}
"""Makes outputs of equal jobs equal to the byte."""
RUNS = {
    "noise": {
        "n_events": 400, "n_files": 2, "n_lumi_blocks": 8, "noisy": (60, 10, 3, 1),
        "previous_run": RUN - 7,
        "defects": {
            "hv_trips": 2, "noisy_lumi_blocks": 1, "error_links": 8, "error_rods": 3,
            "unknown_ids": 3,
        },
    },
    "dead": {
        "n_events": 900, "n_files": 2, "n_lumi_blocks": 6, "occupancy": 0.033, "lit": "disk:8",
        "defects": {"dead_strips": 40, "dead_chips": 6, "dead_links": 3, "error_links": 4},
    },
}  # fmt: skip


def simulate_raw_run(
    folder: Path,
    *,
    noisy: tuple[int, int, int, int] = (0, 0, 0, 0),
    defects: Mapping[str, int] | None = None,
    occupancy: float = 0.0,
    lit: str = "all",
    mode: str = "condensed",
    **settings: Any,
) -> None:
    """Write RAW files of a run, their truth, and what belongs to them into an empty folder."""
    from sctcalib.bytestream.encoder_words import Mode
    from sctcalib.simulate.model import Defects
    from sctcalib.simulate.raw_files import simulate_raw
    from sctcalib.simulate.raw_settings import RawDefects, RawSettings
    from sctcalib.simulate.settings import Settings

    base = Settings(**{"run": RUN, "seed": 1, "defects": Defects(*noisy), **settings})
    planted = RawDefects(**(defects or {}))
    made = RawSettings(base, planted, occupancy=occupancy, lit=lit, mode=Mode(mode))
    simulate_raw(made, folder)


def raw_files(folder: Path) -> list[Path]:
    """The RAW files of a folder, in order."""
    return sorted(folder.glob("*.data"))


def truth_of(folder: Path) -> dict[str, Any]:
    """truth.json of a simulated run."""
    found: dict[str, Any] = json.loads((folder / "truth.json").read_text())
    return found


def write_job(
    here: Path,
    inputs: list[Path] | Path,
    *parts: str,
    options: list[str] | None = None,
    dataset: str = DATASET,
    **changes: Any,
) -> Path:
    """Write job.json for some files, or all RAW files of a folder, into a run directory.

    ``options`` are lines of a configuration file. The run information of the folder is used, unless
    ``RunInfo`` is among them. A value None removes a key.
    """
    files = raw_files(inputs) if isinstance(inputs, Path) else inputs
    lines = list(options or [])
    if files and not any(line.startswith("RunInfo") for line in lines):
        lines.insert(0, f'RunInfo = "{files[0].parent / "runInfo.txt"}"')
    (here / "options.toml").write_text("".join(f"{line}\n" for line in lines))
    job = {
        "part": list(parts),
        "splitNoisyStrip": 0,
        "SCTCalibConfig": ["options.toml"],
        "input": [{"dsn": dataset, "lfn": str(path)} for path in files],
        **changes,
    }
    path = here / "job.json"
    path.write_text(json.dumps({k: value for k, value in job.items() if value is not None}))
    return path


def map_files(*folders: Path) -> list[Path]:
    """The map files that jobs left in their run directories."""
    return [path for folder in folders for path in sorted(folder.glob("*.root"))]


def blocks(data: bytes) -> list[tuple[int, int]]:
    """Begin and end of the events of a RAW file, without their separators."""
    found = []
    at = data.index(struct.pack("<I", DATA_SEPARATOR))
    while data[at : at + 4] == struct.pack("<I", DATA_SEPARATOR):
        (size,) = struct.unpack_from("<I", data, at + 12)
        found.append((at + 16, at + 16 + size))
        at += 16 + size
    return found


def damaged(source: Path, target: Path, changes: Mapping[int, bytes]) -> Path:
    """A copy of a file with other bytes at some offsets."""
    data = bytearray(source.read_bytes())
    for offset, content in changes.items():
        assert data[offset : offset + len(content)] != content
        data[offset : offset + len(content)] = content
    target.write_bytes(data)
    return target


def events_of(folder: Path, number: int) -> int:
    """Events of file 1, 2, ... of a simulated run."""
    count: int = truth_of(folder)["files"][number - 1]["events"]
    return count


def write_empty_raw(path: Path) -> None:
    """A RAW file without events, as in a run that was stopped at once."""
    from datetime import UTC, datetime

    from sctcalib.bytestream.writer import FileInfo, RawWriter, RunParameters

    core = path.name.removesuffix("._0001.data")
    when = datetime(2015, 6, 16, 7, tzinfo=UTC)
    guid = "00000000-0000-4000-8000-000000000000"
    info = FileInfo(RunParameters(RUN), core, 1, when, guid, "calibration_SCTNoise", PROJECT)
    with RawWriter(path, info, when):
        pass


def write_majority(path: Path, intervals: list[tuple[float, float]]) -> Path:
    """A file of the option Majority: the detector was on in these UTC seconds."""
    rows = [
        {"since": since, "until": until, "region": "overall", "state": True, "hv": 1.0}
        for since, until in intervals
    ]
    path.write_text(json.dumps(rows))
    return path


def options_of(folder: Path) -> list[str]:
    """Configuration lines that name the run information and the reference run of a simulation."""
    lines = [f'RunInfo = "{folder / "runInfo.txt"}"']
    if (folder / "conditions.db").exists():
        lines.append(f'ConditionsDatabase = "{folder / "conditions.db"}"')
    return lines


def run_job(here: Path, *arguments: str, code: int = 0, env: dict[str, str] | None = None) -> str:
    """Run job.json; returns the log."""
    done = run_transform(here, "--argJSON=job.json", *arguments, env={**EPOCH, **(env or {})})
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return (here / "log.sctcalib").read_text()


def bytes_of(folder: Path, *names: str) -> dict[str, bytes]:
    """The content of some files."""
    return {name: (folder / name).read_bytes() for name in names}
