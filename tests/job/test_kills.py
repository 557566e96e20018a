"""Signals, kills, full disks and rivals, on the toy transform as a program of its own."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.processes import (
    contents,
    environment,
    run_program,
    temporary_files,
    wait_until,
    without_rights,
)
from tests.support.reports import output_names, read_report
from tests.support.toy import BIG

CATCHABLE = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP]
OUTPUTS = {"P.count.txt", "P.data.bin", "P.copy.txt"}
Start = Callable[..., "subprocess.Popen[str]"]


def default_signals() -> None:
    """A shell may have us ignore some of them."""
    for each in CATCHABLE:
        signal.signal(each, signal.SIG_DFL)


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    return tmp_path / "marks"


@pytest.fixture
def start(here: Path, marks: Path) -> Start:
    """Start a toy job with both parts; what is left of it is killed after the test."""
    started = []

    def start(
        *arguments: str,
        name: str = "job.json",
        slow: float = 0,
        marks_file: Path | None = None,
        preexec: Callable[[], None] = default_signals,
        **values: object,
    ) -> subprocess.Popen[str]:
        job = {
            "input": ["a.num", "b.num"],
            "RunNumber": 7,
            "prefix": "P",
            "part": ["doCount", "doCopy"],
        } | values
        (here / name).write_text(json.dumps(job))
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.toy", name, *arguments],
            cwd=here,
            env=environment(TOY_MARKS=str(marks_file or marks), TOY_SLOW=str(slow)),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=preexec,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def reached(marks: Path, event: str) -> Callable[[], bool]:
    return lambda: marks.exists() and event in marks.read_text()


def unchanged(before: dict[str, bytes], after: dict[str, bytes]) -> bool:
    return all(after.get(name) == data for name, data in before.items())


@pytest.fixture
def earlier(start: Start, here: Path) -> dict[str, bytes]:
    """The good outputs of an earlier job with other inputs."""
    (here / "a.num").write_text("1000")
    assert start().wait() == 0
    (here / "a.num").write_text("3")
    found = contents(here)
    assert set(found) > OUTPUTS
    return {name: found[name] for name in OUTPUTS}


@pytest.mark.parametrize("number", CATCHABLE)
@pytest.mark.parametrize(
    ("event", "values", "slow"),
    [
        ("part doCount", {"act": ["sleep:30"]}, 0),
        ("check P.count.txt", {}, 0.15),
        ("check P.data.bin", {}, 0.15),
        ("check P.copy.txt", {}, 0.15),
    ],
    ids=["at work", "before the first rename", "between renames", "before the last rename"],
)
def test_a_signal_takes_everything_back(start, marks, here, earlier, number, event, values, slow):
    marks.unlink()
    job = start(slow=slow, **values)
    wait_until(reached(marks, event), event)
    job.send_signal(number)
    output, _ = job.communicate(timeout=20)
    assert job.returncode == 128 + number, output
    assert f"Transform received signal {int(number)}" in output
    report = read_report(here)
    assert (report["exitCode"], report["exitAcronym"]) == (
        128 + number,
        f"TRF_SIG_{number.name}",
    )
    assert output_names(report) == []
    after = contents(here)
    assert unchanged(earlier, after)
    assert set(after) == OUTPUTS | {"a.num", "b.num", "job.json", "log.toy", "jobReport.json"}


def test_signals_at_random_moments_leave_all_or_nothing(start, here, marks, earlier):
    """The kernel decides where it hits; whatever the moment, the set is whole and of one job."""
    codes = set()
    for tenth in range(10):
        marks.unlink(missing_ok=True)
        job = start(slow=0.01)
        wait_until(marks.exists, "the part begins")
        with pytest.raises(subprocess.TimeoutExpired):
            job.wait(timeout=0.008 * tenth + 0.0001)
        job.send_signal(signal.SIGTERM)
        job.communicate(timeout=20)
        codes.add(job.returncode)
        after = contents(here)
        if job.returncode == 0:
            assert after["P.count.txt"] == b"7\n"
            assert len(output_names(read_report(here))) == 3
            break
        assert job.returncode == 143
        assert unchanged(earlier, after)
        assert read_report(here)["exitCode"] == 143
        assert temporary_files(here) == []
    assert 143 in codes


def test_a_second_signal_does_not_disturb_the_clean_up(start, here, marks, earlier):
    marks.unlink()
    job = start(slow=0.3)
    wait_until(reached(marks, "check P.data.bin"), "publication")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        job.send_signal(number)
    job.communicate(timeout=20)
    assert job.returncode in (143, 130, 129)
    assert unchanged(earlier, contents(here))
    assert temporary_files(here) == []
    assert read_report(here)["exitCode"] == job.returncode


def test_a_hang_up_that_the_caller_ignores_is_ignored(start, here, marks):
    job = start(preexec=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN), act=["sleep:0.3"])
    wait_until(marks.exists, "the part begins")
    job.send_signal(signal.SIGHUP)
    job.communicate(timeout=20)
    assert job.returncode == 0


def test_other_signals_of_batch_systems_end_a_job_in_order(start, here, marks):
    job = start(act=["sleep:30"])
    wait_until(marks.exists, "the part begins")
    job.send_signal(signal.SIGUSR1)
    job.communicate(timeout=20)
    assert job.returncode == 128 + signal.SIGUSR1
    assert read_report(here)["exitAcronym"] == "TRF_SIG_SIGUSR1"
    assert temporary_files(here) == []


@pytest.mark.parametrize("event", ["check P.count.txt", "check P.data.bin", "check P.copy.txt"])
def test_after_a_kill_the_missing_report_tells_that_the_set_is_not_complete(
    start, here, marks, earlier, event
):
    marks.unlink()
    job = start(slow=0.3)
    wait_until(reached(marks, event), event)
    job.kill()
    job.communicate()
    assert not (here / "jobReport.json").exists()
    new = {"P.count.txt": b"7\n", "P.data.bin": b"7" * 100, "P.copy.txt": b"3\n4\n"}
    for name in OUTPUTS:
        assert (here / name).read_bytes() in (earlier[name], new[name])
    assert temporary_files(here) != []
    again = start()
    output, _ = again.communicate(timeout=20)
    assert again.returncode == 0
    assert "temporary files of a killed job were removed" in output
    assert {name: contents(here)[name] for name in OUTPUTS} == new
    assert temporary_files(here) == []


def test_after_a_kill_at_work_the_earlier_set_and_its_report_stand(start, here, marks, earlier):
    marks.unlink()
    report = (here / "jobReport.json").read_bytes()
    job = start(act=["sleep:30"])
    wait_until(reached(marks, "part doCount"), "the part")
    job.kill()
    job.communicate()
    assert unchanged({**earlier, "jobReport.json": report}, contents(here))


def test_a_running_job_can_be_watched_and_nothing_has_a_final_name_yet(start, here, marks):
    job = start(act=["sleep:30"])
    wait_until(reached(marks, "part doCount"), "the part")
    assert not OUTPUTS & set(contents(here))
    assert not (here / "log.toy").exists()
    logs = list(here.glob(".*/log.part"))
    assert len(logs) == 1
    assert "part doCount begins" in logs[0].read_text()
    job.terminate()
    job.wait(timeout=20)


def test_of_two_jobs_with_one_prefix_the_second_is_refused(start, here, marks):
    """The first job must not notice, whatever the second one cleans up."""
    first = start(slow=0.3)
    wait_until(reached(marks, "check P.count.txt"), "publication")
    second = start(name="second.json", marks_file=here / "unused")
    output, _ = second.communicate(timeout=20)
    assert second.returncode == 11
    assert f"another job (process {first.pid} on " in output
    assert "is writing outputs with the prefix 'P'" in output
    assert not (here / "unused").exists()
    output, _ = first.communicate(timeout=20)
    assert first.returncode == 0, output
    assert set(contents(here)) >= OUTPUTS
    assert read_report(here)["exitCode"] == 0
    assert temporary_files(here) == []


@pytest.mark.requirement("R18")
def test_two_jobs_with_different_prefixes_both_finish(start, here, marks, tmp_path):
    """log and report are whole, and both of the job that finished last."""
    names = [f"Q{number}" for number in range(4)]
    jobs = [
        start(name=f"{name}.job", prefix=name, slow=0.02, marks_file=tmp_path / name)
        for name in names
    ]
    outputs = [job.communicate(timeout=60)[0] for job in jobs]
    assert [job.returncode for job in jobs] == [0] * 4, outputs
    for name in names:
        assert (here / f"{name}.count.txt").read_text() == "7\n"
    report = read_report(here)
    assert report["exitCode"] == 0
    assert report["arguments"]["prefix"] in names
    assert (here / "log.toy").read_text().count("This is toy_trf") == 1
    assert temporary_files(here) == []


def test_a_lock_without_an_owner_does_not_block(start, here, marks):
    first = start(act=["sleep:30"])
    wait_until(reached(marks, "part doCount"), "the part")
    first.kill()
    first.communicate()
    again = start()
    again.communicate(timeout=20)
    assert again.returncode == 0


def test_file_size_limit_is_reported_and_takes_everything_back(start, here, earlier):
    """A size limit is what a full disk looks like to a program, and needs no rights."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (BIG // 2, BIG // 2))

    job = start(preexec=limited, act=["fill"])
    output, _ = job.communicate(timeout=20)
    assert job.returncode == 11
    assert "cannot be written: File too large" in output
    assert read_report(here)["exitAcronym"] == "TRF_OUTPUT_FILE_ERROR"
    assert unchanged(earlier, contents(here))
    assert temporary_files(here) == []


def test_full_disk_for_the_log_too(start, here, earlier):
    """With no byte to spare not even the report can be written: the exit code has to do."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))

    job = start(preexec=limited)
    output, _ = job.communicate(timeout=20)
    assert job.returncode == 11
    assert "log.toy: cannot be written: File too large" in output
    assert unchanged(earlier, contents(here))
    assert temporary_files(here) == []


def test_read_only_directory_is_refused_with_one_line(start, here):
    (here / "P.count.txt").write_text("precious")
    start(act=["fail"]).wait()  # writes the dictionary, log and report
    before = contents(here)
    here.chmod(0o555)
    try:
        done = run_program(["-m", "tests.support.toy", "job.json"], here, preexec_fn=without_rights)
    finally:
        here.chmod(0o755)
    assert done.returncode == 11, done
    assert f"{here}: cannot be written: Permission denied" in done.stdout
    assert "log.toy: cannot be written: Permission denied" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert contents(here) == before


def test_unreadable_input_is_named(start, here):
    (here / "a.num").chmod(0)
    job = start(preexec=without_rights)
    output, _ = job.communicate(timeout=20)
    assert job.returncode == 74, output
    assert "a.num: cannot be read: Permission denied" in output


def test_an_input_in_a_folder_that_may_not_be_entered_is_named(start, here):
    (here / "closed").mkdir(mode=0)
    job = start(preexec=without_rights, input=["closed/a.num"])
    output, _ = job.communicate(timeout=20)
    assert job.returncode == 74, output
    assert "closed/a.num: cannot be read: Permission denied" in output


@pytest.mark.parametrize("kind", ["closed", "full", "nobody reads"])
def test_lost_standard_output_does_not_change_the_outcome(here, kind):
    (here / "job.json").write_text('{"input": ["a.num"], "RunNumber": 7, "act": ["fail"]}')
    arguments = ["-m", "tests.support.toy", "job.json"]
    if kind == "closed":
        done = run_program(arguments, here, stdout=None, preexec_fn=lambda: os.close(1))
    elif kind == "full":
        with Path("/dev/full").open("w") as full:
            done = run_program(arguments, here, stdout=full)
    else:
        reader, writer = os.pipe()
        os.close(reader)
        done = run_program(arguments, here, stdout=writer)
        os.close(writer)
    assert done.returncode == 65
    assert done.stderr == ""
    assert read_report(here)["exitCode"] == 65
    assert temporary_files(here) == []
