"""Runs of a simulated detector, each written once a test session and only read by tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.shared import made_once
from tests.support.simulated import simulate_run


@pytest.fixture(scope="session")
def noisy_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run 267367: two pairs of map files, noisy strips, and an uploaded run before it."""
    return made_once(
        tmp_path_factory,
        "noisy-run",
        lambda folder: simulate_run(
            folder, run=267367, n_files=2, n_events=4000, n_lumi_blocks=20, previous_run=267360
        ),
    )


@pytest.fixture(scope="session")
def quiet_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run 267368: one pair of map files, no noisy strip."""
    return made_once(
        tmp_path_factory,
        "quiet-run",
        lambda folder: simulate_run(
            folder, run=267368, n_events=2000, n_lumi_blocks=5, defects=(0, 0, 0, 0)
        ),
    )


@pytest.fixture(scope="session")
def standby_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run 267369: one pair of map files without events."""
    return made_once(
        tmp_path_factory,
        "standby-run",
        lambda folder: simulate_run(folder, run=267369, n_events=0, n_lumi_blocks=5),
    )
