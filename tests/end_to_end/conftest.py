"""A job that went well, run once and looked at by many tests."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.processes import run_transform
from tests.support.raw import RUNS, simulate_raw_run
from tests.support.shared import made_once

EPOCH = {"SOURCE_DATE_EPOCH": "1433995200"}


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """An empty run directory."""
    folder = tmp_path / "run"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def good_job(tmp_path_factory: pytest.TempPathFactory, noisy_run: Path) -> Path:
    """The directory after the noisy-strip job of the noisy run, as Tier-0 starts it.

    The dictionary is the simulation's own, in another directory; runInfo.txt stands in this one.
    Standard output and error are in ``terminal.txt`` beside the directory's files.
    """

    def run(folder: Path) -> None:
        shutil.copy(noisy_run / "runInfo.txt", folder)
        job = noisy_run / "job.json"
        done = run_transform(folder, f"--argJSON={job}", "--input-dir", noisy_run, env=EPOCH)
        (folder / "terminal.txt").write_text(done.stdout + done.stderr)
        (folder / "exit-code.txt").write_text(str(done.returncode))

    return made_once(tmp_path_factory, "good-job", run)


@pytest.fixture(scope="session")
def raw_runs(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder with the RAW files of a simulated run, by its name in RUNS."""

    def folder(name: str) -> Path:
        return made_once(
            tmp_path_factory, f"raw-{name}", lambda path: simulate_raw_run(path, **RUNS[name])
        )

    return folder
