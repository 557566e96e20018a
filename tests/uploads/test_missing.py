"""Which runs somebody should look at: good ones that are neither uploaded nor requested."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from sctcalib.cli import main
from tests.uploads.files import job_database, put_request

GOOD, UPLOADED, REQUESTED, FAILED, BAD, DISABLED, NO_BEAM, FEW_EVENTS, COSMIC = range(101, 110)
LATER = 200


def entry(run: int, **changes: Any) -> dict[str, Any]:
    """A run that the selector lets pass, but for the changes."""
    return {
        "run": run,
        "project": "data15_13TeV",
        "partition": "ATLAS",
        "start": 1_433_995_200 * 10**9,
        "lumi_blocks": 10,
        "detector_mask": "240",
        "streams": {"calibration_SCTNoise": {"events": 10_001}},
        "stable_beams": [{"first": 1, "last": 10, "value": True}],
        **changes,
    }


@pytest.fixture
def call(toupload: Path, conditions: Path, tmp_path: Path):
    """``sctcalib upload missing`` after everything has happened."""
    runs = [entry(run) for run in (GOOD, UPLOADED, REQUESTED, FAILED, DISABLED, LATER)]
    runs += [
        entry(BAD, bad="HV ramp"),
        entry(NO_BEAM, stable_beams=[{"first": 1, "last": 10, "value": False}]),
        entry(FEW_EVENTS, streams={"calibration_SCTNoise": {"events": 10_000}}),
        entry(COSMIC, project="data15_cos"),
    ]
    (tmp_path / "runs.json").write_text(json.dumps({"runs": runs}))
    database, where = tmp_path / "runs.db", ["--dir", str(toupload)]

    def run(*words: object, code: int = 0) -> str:
        done = CliRunner().invoke(main, [*map(str, words)])
        assert done.exit_code == code, done.output
        return done.output

    run("runs", "import", "--database", database, tmp_path / "runs.json")
    file = job_database(tmp_path / "a.db", UPLOADED, "doNoisyStrip")
    run("conditions", "upload", file, "--to", conditions)
    put_request(toupload, f"{FAILED:06d}.noisy.UPD4.up", "gone.db")
    run("upload", "run", *where, "--conditions", conditions, code=1)
    put_request(toupload, f"{REQUESTED:06d}.noisy.UPD4.up", "a.db")
    put_request(toupload, f"{GOOD:06d}.effic.UPD.up", "e.db")
    disabled = ("--run", DISABLED, "--folder", "Monitoring", "--why", "standby")
    run("conditions", "disable", conditions, *disabled)
    (tmp_path / "lastRun").write_text(f"{LATER - 1}\n")

    def missing(*words: object) -> str:
        more = ["--conditions", conditions, "--database", database]
        return run("upload", "missing", *where, *more, *words)

    return missing


@pytest.mark.requirement("R77")
def test_good_runs_neither_uploaded_nor_requested_are_listed(call):
    assert call().splitlines() == [
        f"run {GOOD}, started 2015-06-11_04:00:00: neither uploaded nor requested",
        f"run {FAILED}, started 2015-06-11_04:00:00: its upload has failed",
        f"run {LATER}, started 2015-06-11_04:00:00: neither uploaded nor requested",
    ]
    assert json.loads(call("--json")) == [
        {"run": GOOD, "failed": False},
        {"run": FAILED, "failed": True},
        {"run": LATER, "failed": False},
    ]


def test_only_runs_after_last_run(call, tmp_path):
    found = json.loads(call("--json", "--last-run", tmp_path / "lastRun"))
    assert [each["run"] for each in found] == [LATER]
    (tmp_path / "lastRun").write_text(f"{LATER}\n")
    assert call("--last-run", tmp_path / "lastRun") == ""


def test_cosmic_runs_are_asked_for(call):
    found = json.loads(call("--json", "--project", "data_cos"))
    assert [each["run"] for each in found] == [COSMIC]
