"""The lastRun file (transform.md 7.2)."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sctcalib.job.errors import InputFileError, OutputFileError
from sctcalib.runs.last_run import last_run, raise_last_run, read_last_run, set_last_run
from tests.support.processes import environment

pytestmark = pytest.mark.requirement("R87")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "lastRun"


@pytest.mark.parametrize("text", ["267360", "267360 ", "267360\n", " 267360 \n\n", "0267360"])
def test_white_space_does_not_matter(path, text):
    path.write_text(text)
    assert read_last_run(path) == 267360


@pytest.mark.parametrize(
    "content", [b"", b" \n", b"x", b"1 2", b"-1", b"1.5", b"9" * 11, b"2147483648", b"\xff"]
)
def test_a_file_without_a_run_number_is_refused_with_the_remedy(path, content):
    path.write_bytes(content)
    with pytest.raises(InputFileError, match=f"'sctcalib lastrun {path} --set RUN'"):
        read_last_run(path)


def test_without_a_file_the_highest_uploaded_run_counts_else_zero(path):
    assert read_last_run(path) is None
    assert last_run(path) == 0
    assert last_run(None, lambda: [3, 9, 5]) == 9
    assert last_run(path, list) == 0
    path.write_text("4\n")
    assert last_run(path, lambda: [3, 9, 5]) == 4


def test_uploaded_runs_are_not_asked_for_where_the_file_is_there(path):
    path.write_text("4\n")

    def never():
        raise AssertionError

    assert last_run(path, never) == 4


def test_raising_never_lowers(path):
    assert raise_last_run(path, 10)
    assert not raise_last_run(path, 9)
    assert not raise_last_run(path, 10)
    assert read_last_run(path) == 10
    assert raise_last_run(path, 11)
    assert path.read_text() == "11\n"


def test_people_may_set_any_value(path):
    set_last_run(path, 10)
    set_last_run(path, 3)
    assert read_last_run(path) == 3


def test_a_file_that_holds_no_number_is_not_raised(path):
    path.write_text("out of order\n")
    with pytest.raises(InputFileError):
        raise_last_run(path, 5)
    assert path.read_text() == "out of order\n"


def test_a_link_stays_a_link_and_the_mode_stays(path, tmp_path):
    real = tmp_path / "real"
    real.write_text("1\n")
    real.chmod(0o664)
    path.symlink_to(real)
    raise_last_run(path, 5)
    assert path.is_symlink()
    assert (real.read_text(), real.stat().st_mode & 0o777) == ("5\n", 0o664)


def test_a_place_that_cannot_be_written_is_an_output_error(tmp_path):
    for write in (set_last_run, raise_last_run):
        with pytest.raises(OutputFileError, match="cannot be written"):
            write(tmp_path / "none" / "lastRun", 5)


def test_many_at_once_leave_the_highest(path):
    code = (
        "import sys; from pathlib import Path; from sctcalib.runs.last_run import raise_last_run;"
        "k = int(sys.argv[2]);"
        "[raise_last_run(Path(sys.argv[1]), n) for n in range(k, 300 + k, 3)]"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", code, str(path), str(k)], env=environment())
        for k in (1, 2, 3)
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert read_last_run(path) == 300
    assert {p.name for p in path.parent.iterdir()} == {"lastRun", ".lastRun.lock"}
