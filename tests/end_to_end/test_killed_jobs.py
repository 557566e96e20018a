"""Noisy-strip jobs that are killed: 25 times, at random moments and in the midst of publication.

Jobs write the same bytes every time, so a file that is not half written is that of a whole job.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

import pytest

from sctcalib.transform import check_cool, check_root, check_xml
from tests.end_to_end.conftest import EPOCH
from tests.support.processes import (
    TRANSFORM,
    contents,
    environment,
    run_transform,
    temporary_files,
    wait_until,
)
from tests.support.reports import output_names, read_report
from tests.support.shared import made_once
from tests.support.simulated import TASK_OUTPUTS, simulate_run, write_job

NAMES = [f"P.{name}" for name in TASK_OUTPUTS]
SERIES, RANDOM_KILLS = 5, 4
"""Every series has its random moments and one in the publication."""
CHECKS = {".xml": check_xml, ".db": check_cool, ".root": check_root}


@dataclass(frozen=True)
class WholeJob:
    """What a job that is left alone writes, and how long that takes."""

    run: Path
    outputs: dict[str, bytes]
    seconds: float


@pytest.fixture(scope="session")
def whole_job(tmp_path_factory: pytest.TempPathFactory) -> WholeJob:
    """A job on a small run, once for all series."""

    def make(folder: Path) -> None:
        (folder / "data").mkdir()
        simulate_run(folder / "data", run=267370, n_events=1000, n_lumi_blocks=2, previous_run=100)
        (folder / "job").mkdir()
        write_job(folder / "job", folder / "data")
        begin = time.monotonic()
        done = run_transform(folder / "job", "--argJSON=job.json", env=EPOCH)
        (folder / "seconds").write_text(str(time.monotonic() - begin))
        assert done.returncode == 0, done.stdout

    folder = made_once(tmp_path_factory, "whole-job", make)
    found = contents(folder / "job")
    outputs = {name: found[name] for name in NAMES}
    return WholeJob(folder / "data", outputs, float((folder / "seconds").read_text()))


def start(here: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, TRANSFORM, "--argJSON=job.json"],
        cwd=here,
        env=environment(**EPOCH),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def check_what_is_left(here: Path, whole: WholeJob) -> None:
    """Nothing under a final name is half written; a report is there for a complete set only."""
    found = contents(here)
    for name in set(NAMES) & set(found):
        assert found[name] == whole.outputs[name], name
    if "jobReport.json" in found:
        report = read_report(here)
        assert (report["exitCode"], output_names(report)) == (0, NAMES)
        for entry in report["files"]["output"]:
            for file in entry["subFiles"]:
                data = found[file["name"]]
                assert (file["file_size"], file["checksum"]) == (
                    len(data),
                    f"{zlib.adler32(data):08x}",
                )


def complete(here: Path, whole: WholeJob) -> str:
    """Run the job again, to its end; returns what it says."""
    done = run_transform(here, "--argJSON=job.json", env=EPOCH)
    assert done.returncode == 0, done.stdout
    check_what_is_left(here, whole)
    assert set(NAMES) | {"jobReport.json", "log.sctcalib"} <= set(contents(here))
    assert temporary_files(here) == []
    return done.stdout


def test_files_of_the_whole_job_are_sound(whole_job, tmp_path):
    for name, data in whole_job.outputs.items():
        path = tmp_path / name
        path.write_bytes(data)
        CHECKS[path.suffix](path)
        path.write_bytes(data[: len(data) // 2])
        with pytest.raises(Exception, match=r"."):
            CHECKS[path.suffix](path)


@pytest.mark.parametrize("series", range(SERIES))
def test_kills_leave_nothing_half_written_and_the_next_job_completes(here, whole_job, series):
    chance = random.Random(series)
    write_job(here, whole_job.run)
    killed = 0
    for number in range(RANDOM_KILLS):
        part = number + (series + chance.random()) / SERIES
        job = start(here)
        try:
            job.wait(timeout=whole_job.seconds * part / RANDOM_KILLS)
        except subprocess.TimeoutExpired:
            job.kill()
            killed += 1
        job.wait()
        check_what_is_left(here, whole_job)
    assert killed >= 1
    complete(here, whole_job)

    job = start(here)
    try:
        wait_until(lambda: not (here / "jobReport.json").exists(), "publication begins")
        time.sleep(0.01 * series)
    finally:
        job.kill()
        job.wait()
    check_what_is_left(here, whole_job)
    complete(here, whole_job)
