"""A run directory with inputs of the toy transform."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support import toy
from tests.support.reports import read_report

RunToy = Callable[..., dict[str, Any]]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty run directory, the current one, with two inputs: 3 and 4 events."""
    directory = tmp_path / "run"
    directory.mkdir()
    monkeypatch.chdir(directory)
    for name, events in (("a.num", 3), ("b.num", 4)):
        (directory / name).write_text(str(events))
    return directory


@pytest.fixture
def run_toy(here: Path) -> RunToy:
    """Run a toy job on both inputs; returns its report, which has been validated."""

    def run(
        *,
        options: dict[str, Any] | None = None,
        report: str = "jobReport.json",
        **values: Any,
    ) -> dict[str, Any]:
        job = {"input": ["a.num", "b.num"], "RunNumber": 7, "prefix": "P"} | values
        code = toy.run(job, here, **(options or {}))
        found = read_report(here, report)
        assert found["exitCode"] == code
        return found

    return run
