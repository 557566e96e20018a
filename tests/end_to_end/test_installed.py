"""A wheel of the repository, installed where nothing of the checkout can be seen."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.support.processes import ROOT
from tests.support.reports import output_names, read_report
from tests.support.shared import made_once
from tests.support.simulated import write_job

NOT_SOURCES = shutil.ignore_patterns(
    ".*", "*.egg-info", "__pycache__", "build", "dist", "demo", "tests", "benchmarks"
)


def run(*command: object, cwd: Path) -> str:
    """Run a command without the paths of the checkout; it has to succeed."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(folder: Path) -> None:
    """Make a wheel from a copy of the sources, and install it in an environment of its own.

    The libraries are lent by the environment that runs the tests; an editable installation there
    is not seen, since its hook is read only from the environment's own folder. Nothing is fetched.
    """
    shutil.copytree(ROOT, folder / "source", ignore=NOT_SOURCES)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    offline = ["--no-deps", "--no-build-isolation", "--no-index"]
    run(*pip, "wheel", *offline, "--wheel-dir", folder, folder / "source", cwd=folder)
    shutil.rmtree(folder / "source")
    run(sys.executable, "-m", "venv", "--without-pip", folder / "env", cwd=folder)
    (wheel,) = folder.glob("*.whl")
    python = folder / "env" / "bin" / "python"
    run(*pip, "--python", python, "install", "--no-deps", "--no-index", wheel, cwd=folder)
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(run(python, "-c", where, cwd=folder).strip())
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the wheel and of the environment ``env``."""
    pytest.importorskip("pip")
    return made_once(tmp_path_factory, "installed", build)


def test_the_wheel_holds_package_data_and_programs(installed):
    (wheel,) = installed.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    data = {
        f"sctcalib/{folder}/{path.relative_to(ROOT / folder)}"
        for folder in ("share", "schemas")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "sctcalib").rglob("*.py")}
    assert data | modules | {"sctcalib/py.typed"} <= names
    assert any(name.endswith("/scripts/sctcalib_trf.py") for name in names)
    assert not [name for name in names if name.startswith("tests")]


def test_the_installed_package_is_the_one_that_runs(installed):
    code = "import sctcalib; print(sctcalib.__file__)"
    path = run(installed / "env" / "bin" / "python", "-c", code, cwd=installed).strip()
    assert Path(path).is_relative_to(installed / "env")


def test_the_installed_programs_run_a_job(installed, standby_run, tmp_path):
    programs = installed / "env" / "bin"
    assert "doNoisyStrip" in run(programs / "sctcalib", "parts", cwd=tmp_path)
    assert run(programs / "sctcalib", "--version", cwd=tmp_path).startswith("sctcalib")
    job = write_job(tmp_path, standby_run)
    for command in (
        [programs / "sctcalib_trf.py", f"--argJSON={job}"],
        [programs / "python", "-u", programs / "sctcalib_trf.py", f"--argJSON={job}"],
        [programs / "sctcalib", "run", job],
    ):
        run(*command, cwd=tmp_path)
        report = read_report(tmp_path)
        assert output_names(report) == ["P.BadStripsSummaryFile.xml"]
        (tmp_path / "jobReport.json").unlink()


def test_without_the_package_the_transform_says_what_to_do(tmp_path):
    """A plain python3 of the system, as one starts it by mistake."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", ROOT / "transforms" / "sctcalib_trf.py", "--help"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "is not installed for" in done.stderr
    assert "make venv" in done.stderr
    assert "Traceback" not in done.stderr
