"""Instances of the loop as programs of their own: two at once, and killed ones."""

from __future__ import annotations

import fcntl
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sctcalib.uploads.heartbeat import LOG_NAME
from tests.cool.merge_helpers import content
from tests.support.processes import environment, run_sctcalib, wait_until
from tests.uploads.files import job_database, names, put_request, uploaded

RUN = 267367
NOISY_NAME, EFFIC_NAME = f"{RUN}.noisy.UPD4.up", f"{RUN}.effic.UPD.up"


@pytest.fixture
def start(toupload: Path, conditions: Path) -> Iterator[object]:
    """Start the loop in the background; what is left of it is killed after the test."""
    started: list[subprocess.Popen[str]] = []

    def run() -> subprocess.Popen[str]:
        words = ["upload", "run", "--dir", str(toupload), "--conditions", str(conditions)]
        process = subprocess.Popen(
            [sys.executable, "-m", "sctcalib", *words],
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def log_of(toupload: Path) -> str:
    path = toupload / LOG_NAME
    return path.read_text() if path.exists() else ""


def test_of_two_instances_the_second_ends_with_0_and_the_first_goes_on(
    start, toupload, conditions, tmp_path
):
    put_request(toupload, NOISY_NAME, job_database(tmp_path / "n.db", RUN, "doNoisyStrip"))
    with (conditions / "CONDBR2.db.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # so that the first one is at work for a while
        first = start()
        wait_until((toupload / NOISY_NAME.replace(".up", ".log")).exists, "it is at work")
        where = ("--dir", toupload, "--conditions", conditions)
        second = run_sctcalib(tmp_path, "upload", "run", *where)
        assert (second.returncode, second.stdout, second.stderr) == (0, "", "")
        assert first.poll() is None
    output, _ = first.communicate(timeout=60)
    assert first.returncode == 0, output
    assert uploaded(conditions, "doNoisyStrip") == [RUN]
    log = log_of(toupload)
    assert f"another instance is at work (process {first.pid} since " in log
    assert log.count(": merged: ") == 1


def test_after_kills_at_random_moments_the_next_start_completes(
    start, toupload, conditions, tmp_path
):
    files = {
        NOISY_NAME: job_database(tmp_path / "n.db", RUN, "doNoisyStrip"),
        EFFIC_NAME: job_database(tmp_path / "e.db", RUN, "doEfficiency"),
    }
    for name, file in files.items():
        put_request(toupload, name, file)
    chance = random.Random(1)
    codes = []
    for _ in range(8):
        loop = start()
        line = f"start, process {loop.pid}\n"
        wait_until(lambda line=line: line in log_of(toupload), "it begins")
        time.sleep(0.15 * chance.random())
        loop.kill()
        loop.communicate()
        codes.append(loop.returncode)
        assert names(toupload) <= {*files, *(name.replace(".up", ".log") for name in files)}
        for database in ("CONDBR2.db", "MONP200.db"):
            assert content(conditions / database)
    assert -signal.SIGKILL in codes
    last = start()
    output, _ = last.communicate(timeout=60)
    assert last.returncode == 0, output
    assert uploaded(conditions, "doNoisyStrip") == uploaded(conditions, "doEfficiency") == [RUN]
    assert names(toupload) == {name.replace(".up", ".log") for name in files}
