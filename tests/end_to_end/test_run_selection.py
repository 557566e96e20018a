"""Jobs that look into the run database first: real programs, tiny intervals."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import subprocess
import sys
import time

import pytest

from sctcalib.runs.last_run import read_last_run
from sctcalib.summary.noisy_summary import read_noisy_summary
from tests.runs.helpers import fill, good
from tests.support.processes import (
    TRANSFORM,
    contents,
    environment,
    run_sctcalib,
    run_transform,
    temporary_files,
)
from tests.support.reports import message, output_names, read_report
from tests.support.simulated import OWN, STYLE_SHEET, write_job

RUN, STANDBY_RUN, QUIET_RUN = 267367, 267369, 267368
STREAMS = {"calibration_SCTNoise": {"events": 20_000}}
NO_BEAMS = [{"first": 1, "last": 873, "value": False}]


def usual(run, **changes):
    return good(run, **{"streams": STREAMS, **changes})


@pytest.fixture
def prepare(here):
    """A job with the selector, in its run directory; the databases stand beside that."""
    around = here.parent

    def write(folder, *runs, conditions=False, **options):
        fill(around / "runs.db", *runs)
        values = {
            "RunDatabase": "runs.db", "LastRunFile": "lastRun", "RunSelectorInterval": 0.05,
            "RunSelectorMaxWait": 60, **options,
        }  # fmt: skip
        if conditions:
            shutil.copy(folder / "conditions.db", around)
            values["ConditionsDatabase"] = "conditions.db"
        (around / "selector.json").write_text(json.dumps(values))
        return write_job(
            here, folder, doRunSelector="True", SCTCalibConfig=[str(around / "selector.json")]
        )

    return write


@pytest.fixture
def start(here):
    """Start the transform; its output is a pipe. Whatever happens, it ends with the test."""
    with contextlib.ExitStack() as stack:

        def program():
            call = [sys.executable, "-u", str(TRANSFORM), "--argJSON=job.json"]
            begun = subprocess.Popen(
                call, cwd=here, env=environment(), stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True,
            )  # fmt: skip
            stack.enter_context(begun)
            stack.callback(begun.kill)
            return begun

        yield program


def read_until(program, text):
    """Lines of the program up to one with a text."""
    lines = []
    for line in program.stdout:
        lines.append(line)
        if text in line:
            return lines
    pytest.fail(f"{text!r} is not in\n{''.join(lines)}")


@pytest.mark.requirement("R11")
@pytest.mark.requirement("R84")
def test_without_stable_beams_the_job_fails_with_the_line_of_the_guide(here, quiet_run, prepare):
    prepare(quiet_run, usual(QUIET_RUN, stable_beams=NO_BEAMS))
    done = run_transform(here, "--argJSON=job.json", "--doRunInfo")
    assert done.returncode == 1
    line = f"Run {QUIET_RUN} : run selection didn't pass Stable Beam check--- job will be finished"
    assert line in done.stdout
    assert line in (here / "log.sctcalib").read_text()
    report = read_report(here)
    assert (report["exitAcronym"], report["exitMsg"]) == (
        "NEEDCHECK", "Did not pass run selection criteria",
    )  # fmt: skip
    assert set(contents(here)) == {"job.json", *OWN}


@pytest.mark.requirement("R11")
def test_the_job_may_end_gracefully_without_outputs(here, quiet_run, prepare):
    prepare(quiet_run, usual(QUIET_RUN, stable_beams=NO_BEAMS), RunSelectorExit="graceful")
    done = run_transform(here, "--argJSON=job.json", "--doRunInfo")
    assert done.returncode == 0, done.stdout
    report = read_report(here)
    text = "Did not pass run selection criteria. Finish execution and exit gracefully."
    assert (report["exitAcronym"], message(report)) == ("OK", text)
    assert output_names(report) == []
    assert set(contents(here)) == {"job.json", *OWN}
    assert read_last_run(here.parent / "lastRun") is None


@pytest.mark.requirement("R15")
@pytest.mark.requirement("R16")
def test_a_quiet_run_passes_gets_its_run_info_and_raises_last_run(here, quiet_run, prepare):
    """Nothing will be uploaded of a run without noisy strips, so nobody has to wait for it."""
    prepare(quiet_run, usual(QUIET_RUN))
    (here / "runInfo.txt").write_text("5 data15_cos 1 2 3 NONE")
    done = run_transform(here, "--argJSON=job.json", "--doRunInfo")
    assert done.returncode == 0, done.stdout
    assert (here / "runInfo.txt").read_text() == (
        f"{QUIET_RUN} data15_13TeV 1433995200 1434031200 873 SCTBA,SCTBC,SCTEA,SCTEC"
    )
    summary = read_noisy_summary(here / "P.BadStripsSummaryFile.xml")
    assert (summary.start, summary.duration) == ("2015-06-11_04:00:00.000000000 GMT", 36000)
    assert read_last_run(here.parent / "lastRun") == QUIET_RUN
    assert f"lastRun is now {QUIET_RUN}" in (here / "log.sctcalib").read_text()


@pytest.mark.requirement("R86")
@pytest.mark.requirement("R87")
def test_standby_raises_last_run_as_its_message_says(here, standby_run, prepare):
    prepare(standby_run, usual(STANDBY_RUN))
    done = run_transform(here, "--argJSON=job.json")
    assert done.returncode == 0, done.stdout
    assert f"update lastRun counter to {STANDBY_RUN}" in done.stdout
    assert read_last_run(here.parent / "lastRun") == STANDBY_RUN
    assert set(contents(here)) == {"P.BadStripsSummaryFile.xml", STYLE_SHEET, "job.json", *OWN}


@pytest.mark.requirement("R12")
@pytest.mark.requirement("R87")
def test_a_waiting_job_is_released_by_the_last_run_file(here, standby_run, prepare, start):
    prepare(standby_run, usual(STANDBY_RUN), usual(STANDBY_RUN - 1), usual(STANDBY_RUN - 2))
    job = start()
    lines = read_until(job, "waiting for previous run(s) processed/uploaded")
    assert f"{STANDBY_RUN - 2}, {STANDBY_RUN - 1} (0 s so far" in lines[-1]
    path = here.parent / "lastRun"
    done = run_sctcalib(here, "lastrun", path, "--set", STANDBY_RUN - 2)
    assert done.returncode == 0, done.stderr
    lines = read_until(job, f"processed/uploaded: {STANDBY_RUN - 1} (")
    run_sctcalib(here, "lastrun", path, "--set", STANDBY_RUN - 1)
    assert job.stdout is not None
    rest = job.stdout.read()
    assert job.wait(60) == 0, rest
    assert f"Run {STANDBY_RUN} : job starts running now" in rest
    assert read_last_run(path) == STANDBY_RUN


@pytest.mark.requirement("R12")
def test_a_run_that_is_marked_bad_releases_a_waiting_job(here, standby_run, prepare, start):
    prepare(standby_run, usual(STANDBY_RUN), usual(STANDBY_RUN - 1))
    job = start()
    read_until(job, "waiting for previous run(s) processed/uploaded")
    database = here.parent / "runs.db"
    run_sctcalib(here, "runs", "bad", "--database", database, STANDBY_RUN - 1, "--why", "no HV")
    assert job.stdout is not None
    rest = job.stdout.read()
    assert job.wait(60) == 0, rest


@pytest.mark.requirement("R12")
def test_a_wait_that_is_too_long_is_exit_1_with_the_runs(here, standby_run, prepare):
    runs = [usual(STANDBY_RUN - n) for n in range(3)]
    prepare(standby_run, *runs, RunSelectorMaxWait=0.2)
    done = run_transform(here, "--argJSON=job.json")
    assert done.returncode == 1
    text = f"in vain for run {STANDBY_RUN - 2}, {STANDBY_RUN - 1} to be uploaded, disabled or"
    assert text in message(read_report(here))
    assert set(contents(here)) == {"job.json", *OWN}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_wait_at_once(here, standby_run, prepare, start, number):
    prepare(standby_run, usual(STANDBY_RUN), usual(STANDBY_RUN - 1), RunSelectorInterval=600)
    job = start()
    read_until(job, "waiting for previous run(s) processed/uploaded")
    begin = time.monotonic()
    job.send_signal(number)
    assert job.stdout is not None
    job.stdout.read()
    assert job.wait(30) == 128 + number
    assert time.monotonic() - begin < 10
    assert read_report(here)["exitCode"] == 128 + number
    assert set(contents(here)) == {"job.json", *OWN}
    assert temporary_files(here) == []


def test_a_second_job_of_the_same_prefix_is_refused_while_the_first_waits(
    here, standby_run, prepare, start
):
    prepare(standby_run, usual(STANDBY_RUN), usual(STANDBY_RUN - 1), RunSelectorInterval=600)
    read_until(start(), "waiting for previous run(s) processed/uploaded")
    done = run_transform(here, "--argJSON=job.json", "--reportName", "second")
    assert done.returncode == 11
    assert "another job" in done.stdout


def test_no_run_after_last_run_is_the_reference(here, noisy_run, prepare):
    """Run 267360 is uploaded; lastRun was set to the run before it (cool-folders.md 8.3)."""
    prepare(noisy_run, usual(RUN), conditions=True)
    path = here.parent / "lastRun"
    path.write_text("267359\n")
    done = run_transform(here, "--argJSON=job.json")
    assert done.returncode == 0, done.stdout
    assert read_noisy_summary(here / "P.BadStripsSummaryFile.xml").reference_run is None
    path.write_text("267360\n")
    assert run_transform(here, "--argJSON=job.json").returncode == 0
    assert read_noisy_summary(here / "P.BadStripsSummaryFile.xml").reference_run == 267360
    assert read_last_run(path) == 267360


def test_a_selector_without_a_run_database_is_refused_with_all_other_mistakes(here, quiet_run):
    write_job(here, quiet_run, doRunSelector=True, maxEvents=-3)
    done = run_transform(here, "--argJSON=job.json")
    assert "maxEvents is -3" in done.stdout
    write_job(here, quiet_run, doRunSelector=True, input=["nowhere"])
    done = run_transform(here, "--argJSON=job.json")
    assert done.returncode == 7
    assert "doRunSelector needs a run database" in done.stdout
    assert "nowhere not found" in done.stdout
    (here.parent / "selector.json").write_text('{"RunDatabase": "none.db"}')
    write_job(
        here, quiet_run, doRunSelector=True, SCTCalibConfig=[str(here.parent / "selector.json")]
    )
    done = run_transform(here, "--argJSON=job.json")
    assert done.returncode == 74
    assert "none.db: no such file; 'sctcalib runs import' makes one" in done.stdout


def test_simulated_runs_can_be_imported_and_selected(here, noisy_run):
    """The 4000 events of the simulated run are too few for the loop, and the job says so."""
    done = run_sctcalib(here, "runs", "import", "--database", "runs.db", noisy_run / "runs.json")
    assert done.stdout == "runs.db: 1 new, 0 replaced\n"
    write_job(here, noisy_run, doRunSelector=True)
    done = run_transform(here, "--argJSON=job.json", env={"SCTCALIB_RUNS": "runs.db"})
    assert done.returncode == 1
    assert "does not fulfil: streams *calibration_SCTNoise 10000+" in done.stdout
