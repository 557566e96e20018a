"""The whole way: a run is calibrated, uploaded, and becomes the reference."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.processes import run_sctcalib, run_transform
from tests.support.simulated import write_job


def test_an_upload_becomes_the_reference_of_the_next_job(tmp_path: Path, noisy_run: Path) -> None:
    folder = tmp_path / "conditions"
    assert run_sctcalib(tmp_path, "conditions", "init", folder).returncode == 0

    def upload(file: Path) -> str:
        done = run_sctcalib(tmp_path, "conditions", "upload", file, "--to", folder)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def reference_of_job() -> str:
        (tmp_path / "c.toml").write_text('ConditionsDatabase = "conditions"\n')
        write_job(tmp_path, noisy_run, SCTCalibConfig=["c.toml"])
        done = run_transform(tmp_path, "--argJSON=job.json")
        assert done.returncode == 0, done.stdout
        lines = [line for line in done.stdout.splitlines() if "eference run" in line]
        return lines[0].partition("eference run")[2].split(",")[0].strip() if lines else ""

    assert reference_of_job() == ""  # an empty tag is no mistake: nothing was uploaded yet
    upload(noisy_run / "conditions.db")
    assert reference_of_job() == "267360"
    told = upload(tmp_path / "P.mycool.db")
    assert "compared with run 267360" in told
    assert "merged: 4088 objects" in told
    assert "no change" in upload(tmp_path / "P.mycool.db")
    done = run_sctcalib(tmp_path, "conditions", "status", folder, "--json")
    assert json.loads(done.stdout)[0]["runs"] == [267367, 267360]
    words = ("--run", "267360", "--folder", "Monitoring", "--why", "a test")
    assert run_sctcalib(tmp_path, "conditions", "disable", folder, *words).returncode == 0
    assert reference_of_job() == ""


def test_a_folder_without_the_database_of_the_run(tmp_path: Path, noisy_run: Path) -> None:
    (tmp_path / "conditions").mkdir()
    (tmp_path / "c.toml").write_text('ConditionsDatabase = "conditions"\n')
    write_job(tmp_path, noisy_run, SCTCalibConfig=["c.toml"])
    done = run_transform(tmp_path, "--argJSON=job.json")
    assert done.returncode == 74
    assert "has no CONDBR2.db; sctcalib conditions init" in done.stdout


def test_no_output_may_replace_a_file_of_the_folder(tmp_path: Path, noisy_run: Path) -> None:
    """The job runs in the folder of the databases, and one has the name of its output."""
    assert run_sctcalib(tmp_path, "conditions", "init", tmp_path).returncode == 0
    (tmp_path / "P.mycool.db").symlink_to("MONP200.db")
    (tmp_path / "c.toml").write_text('ConditionsDatabase = "."\n')
    write_job(tmp_path, noisy_run, SCTCalibConfig=["c.toml"])
    done = run_transform(tmp_path, "--argJSON=job.json")
    assert done.returncode == 7
    assert "would overwrite the conditions database" in done.stdout
