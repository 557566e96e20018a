"""``sctcalib plot``: what it prints, which files it makes, how it fails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sctcalib.cli import main
from tests.plots import files
from tests.support.hist import hist_of, simulate_hist_run


def _plot(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["plot", *map(str, arguments)])


def test_without_a_name_the_overview_lies_beside_the_file(tmp_path: Path) -> None:
    path = files.write(tmp_path, "BadStripsAllFile.xml")
    result = _plot(path)
    picture = path.with_suffix(".png")
    assert result.exit_code == 0
    assert result.stdout == f"{picture}\n"
    assert "The overview of 2 pages" in result.stderr
    assert sorted(tmp_path.iterdir()) == sorted([path, picture])


def test_a_document_with_a_reference_run(tmp_path: Path) -> None:
    now = files.write_database(tmp_path / "now.db", "doRawOccupancy", "doLorentzAngle")
    other = files.write_database(tmp_path / "other.db", "doLorentzAngle", run=299999)
    pdf = tmp_path / "out.pdf"
    result = _plot(
        now, "--folder", "/SCT/Derived/LorentzAngleRun2_v2", "--compare", other, "-o", pdf
    )
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"{pdf}\n", "")
    assert pdf.stat().st_size > 5000


def test_profiles_of_a_monitoring_file_are_drawn_by_layer(tmp_path: Path) -> None:
    simulate_hist_run(tmp_path, run=files.RUN, n_events=2000)
    path = files.write(tmp_path, "LorentzAngleFile.xml")
    result = _plot(path, "--hist", hist_of(tmp_path), "-o", tmp_path / "angles.png")
    assert result.exit_code == 0
    names = [Path(line).name for line in result.stdout.splitlines()]
    assert names == [f"angles-{number}.png" for number in range(1, 6)]
    wrong = _plot(path, "--run", 7, "--hist", hist_of(tmp_path), "-o", tmp_path / "x.pdf")
    assert wrong.exit_code == 74
    assert "RunNumber in HIST is inconsistent" in wrong.stderr


def test_mistakes_are_one_line_with_the_code_of_their_kind(tmp_path: Path) -> None:
    xml = files.write(tmp_path, "BSErrorSummaryFile.xml")
    other = files.write(tmp_path, "RawOccupancySummaryFile.xml")
    text = tmp_path / "text.xml"
    text.write_text("no XML")
    mistakes = {
        74: [(text,), (tmp_path / "none.xml",), (tmp_path,), (xml, "--compare", text)],
        11: [(xml, "-o", tmp_path / "none" / "x.png")],
        7: [
            (xml, "-o", "x.svg"),
            (xml, "--folder", "/SCT/Derived/Efficiency"),
            (xml, "--compare", other),
            (xml, "--hist", text),
            (files.write(tmp_path, "BadModulesFile.xml"), "--compare", xml),
        ],
    }
    before = sorted(tmp_path.iterdir())
    for code, calls in mistakes.items():
        for call in calls:
            result = _plot(*call)
            assert (result.exit_code, result.stdout) == (code, ""), call
            assert result.stderr.startswith("Error: ")
            assert result.stderr.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("library", ["matplotlib", "mplhep"])
def test_a_missing_library_is_named_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    path = files.write(tmp_path, "BSErrorSummaryFile.xml")
    monkeypatch.setitem(sys.modules, library, None)
    result = _plot(path)
    assert result.exit_code == 7
    assert "pip install 'sctcalib[plots]'" in result.stderr
    assert list(tmp_path.iterdir()) == [path]


def test_no_display_is_needed(tmp_path: Path) -> None:
    path = files.write(tmp_path, "BSErrorSummaryFile.xml")
    hidden = {"DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    code = "import sys; from sctcalib.cli import main; main(['plot', sys.argv[1]])"
    call = [sys.executable, "-W", "error", "-c", code, str(path)]
    done = subprocess.run(call, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_help_does_not_load_the_libraries() -> None:
    code = (
        "import sys; from sctcalib.plots.commands import plot; plot(['--help'], standalone_mode=0);"
        "assert not {'matplotlib', 'mplhep', 'numpy', 'lxml'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Examples:" in done.stdout
