"""What a transform may do before an input is read, and after the outputs are in place."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from tests.support.processes import contents, environment, temporary_files, wait_until
from tests.support.reports import read_report


@pytest.fixture
def marks(here, monkeypatch):
    """Steps of the job so far."""
    path = here.parent / "marks"
    monkeypatch.setenv("TOY_MARKS", str(path))
    return lambda: path.read_text().splitlines()


def log_lines(here):
    return [line.partition(" INFO ")[2] for line in (here / "log.toy").read_text().splitlines()]


def test_preparation_comes_first_and_the_conclusion_after_the_checks(run_toy, marks):
    run_toy()
    steps = marks()
    assert (steps[0], steps[-1]) == ("prepare", "concluded")
    assert steps.index("part doCount") < steps.index("check P.count.txt") < len(steps) - 1


def test_preparation_comes_before_inputs_are_read(here, run_toy):
    """A checksum that is not true is found later."""
    item = {"dsn": "d", "lfn": "a.num", "checksum": "00000001"}
    assert run_toy(input=[item])["exitCode"] == 74
    assert run_toy(input=[item], act=["refuse"])["exitCode"] == 1
    assert run_toy(input=[item], act=["part company:over"])["exitCode"] == 0


def test_a_refusal_fails_the_job_and_nothing_else_happens(here, run_toy, marks):
    before = set(contents(here))
    report = run_toy(act=["refuse"])
    assert (report["exitCode"], report["exitMsg"]) == (1, "someone has to look at this")
    assert marks() == ["prepare"]
    assert set(contents(here)) - before == {"jobReport.json", "log.toy"}


def test_a_job_may_end_well_before_its_parts_run(here, run_toy, marks):
    report = run_toy(act=["part company:nothing to do", "own file:x"])
    assert (report["exitCode"], report["exitMsg"]) == (0, "nothing to do")
    assert marks() == ["prepare", "concluded"]
    assert report["files"]["output"] == []
    assert set(contents(here)) == {"a.num", "b.num", "jobReport.json", "log.toy"}


def test_outputs_of_an_earlier_job_are_set_aside_by_one_that_ends_early(here, run_toy):
    run_toy()
    run_toy(act=["part company:nothing to do"])
    assert (here / "P.count.txt.stale").exists()
    assert not (here / "P.count.txt").exists()


def test_a_file_of_its_own_name_replaces_what_is_there(here, run_toy):
    (here / "own.txt").write_text("old")
    run_toy(act=["own file:new"])
    assert (here / "own.txt").read_text() == "new"


@pytest.mark.parametrize("act", ["refuse", "crash", "regret"])
def test_a_file_of_its_own_name_is_not_touched_by_a_job_that_fails(here, run_toy, act):
    (here / "own.txt").write_text("old")
    assert run_toy(act=["own file:new", act])["exitCode"] > 0
    assert (here / "own.txt").read_text() == "old"


def test_the_conclusion_sees_the_outputs_and_its_words_are_in_the_log(here, run_toy):
    run_toy()
    assert "concluded with ['P.count.txt']" in log_lines(here)


def test_a_conclusion_that_fails_takes_the_outputs_back(here, run_toy):
    report = run_toy(act=["regret"])
    assert (report["exitCode"], report["exitMsg"]) == (65, "the algorithm does not converge")
    assert set(contents(here)) == {"a.num", "b.num", "jobReport.json", "log.toy"}


def test_a_failed_job_has_no_conclusion(run_toy, marks):
    run_toy(act=["fail"])
    assert "concluded" not in marks()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_waiting_preparation_at_once(here, number):
    (here / "job.json").write_text('{"input": ["a.num"], "RunNumber": 7, "act": ["wait:60"]}')
    marks = here.parent / "marks"
    job = subprocess.Popen(
        [sys.executable, "-m", "tests.support.toy", "job.json"],
        cwd=here, env=environment(TOY_MARKS=str(marks)), stdout=subprocess.DEVNULL,
    )  # fmt: skip
    wait_until(marks.exists, "the preparation begins")
    begin = time.monotonic()
    job.send_signal(number)
    assert job.wait(20) == 128 + number
    assert time.monotonic() - begin < 10
    assert read_report(here)["exitCode"] == 128 + number
    assert temporary_files(here) == []
