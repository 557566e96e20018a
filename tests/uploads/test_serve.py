"""The loop that cron starts: what is merged where, and what becomes of requests."""

from __future__ import annotations

import fcntl
import json
from pathlib import Path

import pytest

from sctcalib.cool.errors import DatabaseError
from sctcalib.job.errors import OutputFileError
from sctcalib.uploads import serve
from sctcalib.uploads.heartbeat import LOCK_NAME, LOG_NAME
from sctcalib.uploads.requests import TASKS, RequestError
from sctcalib.uploads.serve import Loop, Served
from tests.uploads.files import job_database, names, put_request, uploaded

RUN = 267367
NOISY_NAME, EFFIC_NAME = f"{RUN}.noisy.UPD4.up", f"{RUN}.effic.UPD.up"


@pytest.fixture
def noisy(tmp_path: Path) -> Path:
    return job_database(tmp_path / "noisy.db", RUN, "doNoisyStrip")


@pytest.fixture
def effic(tmp_path: Path) -> Path:
    return job_database(tmp_path / "effic.db", RUN, "doEfficiency")


@pytest.fixture
def loop(toupload: Path, conditions: Path):
    """Serve everything once."""

    def run(**more: object) -> list[Served]:
        return list(Loop(toupload, conditions, wait_s=0.2, **more).run())

    return run


def log_lines(toupload: Path) -> list[str]:
    """uploads.log without the times."""
    return [line.split(" ", 1)[1] for line in (toupload / LOG_NAME).read_text().splitlines()]


def merges(conditions: Path, name: str) -> list[dict[str, object]]:
    text = (conditions / f"{name}.db.log.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.requirement("R68")
@pytest.mark.requirement("R70")
@pytest.mark.requirement("R76")
def test_noisy_strips_go_to_condbr2_and_the_request_goes_away(loop, toupload, conditions, noisy):
    put_request(toupload, NOISY_NAME, noisy)
    (result,) = loop()
    assert result.ok
    assert result.text.startswith("merged: 2 objects into CONDBR2 in ")
    assert uploaded(conditions, "doNoisyStrip") == [RUN]
    (record,) = merges(conditions, "CONDBR2")
    assert record["comment"] == "SCT NoisyStrips"
    assert record["backup"] is not None
    assert not (conditions / "MONP200.db.log.jsonl").exists()
    assert names(toupload) == {f"{RUN}.noisy.UPD4.log"}
    log = (toupload / f"{RUN}.noisy.UPD4.log").read_text()
    assert "comment: SCT NoisyStrips" in log
    assert "merged: 2 objects into CONDBR2" in log
    assert "strips" in log


@pytest.mark.requirement("R69")
@pytest.mark.requirement("R70")
@pytest.mark.parametrize("part", [part for part in TASKS if part != "doNoisyStrip"])
def test_all_others_go_to_monp200_without_a_copy(loop, toupload, conditions, tmp_path, part):
    file = job_database(tmp_path / "mycool.db", RUN, part)
    put_request(toupload, f"{RUN}.{TASKS[part]}.UPD.up", file)
    (result,) = loop()
    assert result.text.startswith("merged: 2 objects into MONP200 in ")
    assert uploaded(conditions, part) == [RUN]
    (record,) = merges(conditions, "MONP200")
    assert (record["comment"], record["backup"]) == ("SCT MONP200 Folders", None)
    assert not (conditions / "MONP200.db.backup").exists()
    assert names(toupload) == {f"{RUN}.{TASKS[part]}.UPD.log"}


@pytest.mark.requirement("R72")
def test_folder_descriptions_of_jobs_differ_and_that_is_ignored(loop, toupload, conditions, effic):
    from sctcalib.cool import Database

    with Database.open(effic) as a, Database.open(conditions / "MONP200.db") as b:
        path = "/SCT/Derived/Efficiency"
        assert a.folder(path).description != b.folder(path).description
    put_request(toupload, EFFIC_NAME, effic)
    assert loop()[0].ok


@pytest.mark.requirement("R65")
def test_noisy_ones_are_served_first_then_ascending_runs(loop, toupload, tmp_path):
    for run, part in [(9, "doEfficiency"), (8, "doEfficiency"), (10, "doNoisyStrip"), (7, "")]:
        name = f"{run:06d}.{TASKS.get(part, 'noisy')}.{'UPD' if 'Eff' in part else 'UPD4'}.up"
        file = job_database(tmp_path / f"{run}.db", run, part or "doNoisyStrip")
        put_request(toupload, name, file)
    served = [result.name for result in loop()]
    assert served == [
        "000007.noisy.UPD4.up",
        "000010.noisy.UPD4.up",
        "000008.effic.UPD.up",
        "000009.effic.UPD.up",
    ]


@pytest.mark.requirement("R76")
def test_a_line_at_every_start_also_with_nothing_to_do(loop, toupload):
    assert loop() == []
    assert loop() == []
    lines = log_lines(toupload)
    assert [line.split(",")[0] for line in lines] == ["start", "end", "start", "end"]
    assert lines[1] == "end, 0 requests, 0 failed"


def test_what_was_uploaded_already_is_no_change_and_the_request_goes_away(
    loop, toupload, conditions, noisy
):
    put_request(toupload, NOISY_NAME, noisy)
    loop()
    put_request(toupload, NOISY_NAME, noisy)
    (result,) = loop()
    assert result.ok
    assert result.text.startswith("no change: ")
    assert names(toupload) == {f"{RUN}.noisy.UPD4.log"}
    assert len(merges(conditions, "CONDBR2")) == 1


@pytest.mark.requirement("R67")
def test_a_relative_path_is_relative_to_the_directory_of_requests(
    loop, toupload, tmp_path, noisy, monkeypatch
):
    monkeypatch.chdir("/")
    put_request(toupload, NOISY_NAME, f"../{noisy.name}")
    assert loop()[0].ok
    assert not (toupload / NOISY_NAME).exists()


def test_a_file_with_noisy_strips_and_others_goes_to_both(loop, toupload, conditions, tmp_path):
    file = job_database(tmp_path / "both.db", RUN, "doNoisyStrip", "doDeadStrip")
    put_request(toupload, NOISY_NAME, file)
    (result,) = loop()
    assert result.ok
    assert uploaded(conditions, "doNoisyStrip") == uploaded(conditions, "doDeadStrip") == [RUN]


# ------------------------------------------------------------------ failures


def conflicting(toupload: Path, tmp_path: Path, loop) -> Path:
    """Other strips of a run that was uploaded."""
    put_request(toupload, NOISY_NAME, job_database(tmp_path / "first.db", RUN, "doNoisyStrip"))
    assert loop()[0].ok
    return job_database(tmp_path / "second.db", RUN, "doNoisyStrip", text="700")


def test_a_refused_merge_goes_to_failed_with_its_log(loop, toupload, conditions, tmp_path):
    put_request(toupload, NOISY_NAME, conflicting(toupload, tmp_path, loop))
    (result,) = loop()
    assert not result.ok
    assert "2 conflicts with what is there" in result.text
    assert names(toupload) == {"failed"}
    assert names(toupload / "failed") == {NOISY_NAME, f"{RUN}.noisy.UPD4.log"}
    log = (toupload / "failed" / f"{RUN}.noisy.UPD4.log").read_text()
    assert "exit code of the merge 37" in log
    assert log_lines(toupload)[-1] == "end, 1 requests, 1 failed"
    assert f"{NOISY_NAME}: FAILED: " in log_lines(toupload)[-2]
    assert loop() == []  # is not tried again
    assert len(merges(conditions, "CONDBR2")) == 1


def test_a_later_success_clears_what_failed(loop, toupload, tmp_path, conditions, noisy):
    put_request(toupload, NOISY_NAME, "nowhere.db")
    assert not loop()[0].ok
    put_request(toupload, NOISY_NAME, noisy)
    assert loop()[0].ok
    assert names(toupload) == {"failed", f"{RUN}.noisy.UPD4.log"}
    assert names(toupload / "failed") == set()


@pytest.mark.parametrize(
    ("name", "parts", "run", "why"),
    [
        (NOISY_NAME, ["doEfficiency"], RUN, "has no /SCT/Derived/Monitoring, but doEfficiency"),
        (EFFIC_NAME, ["doNoisyStrip"], RUN, "must be called 267367.noisy.UPD4.up"),
        (EFFIC_NAME, ["doEfficiency", "doNoisyStrip"], RUN, "must be called 267367.noisy.UPD4.up"),
        (NOISY_NAME, ["doNoisyStrip"], 267368, "is of run 267368, the request of run 267367"),
        (EFFIC_NAME, [], RUN, "has no object to merge"),
    ],
)
def test_a_file_of_another_kind_or_run_fails(
    loop, toupload, conditions, tmp_path, name, parts, run, why
):
    put_request(toupload, name, job_database(tmp_path / "x.db", run, *parts))
    (result,) = loop()
    assert not result.ok
    assert why in result.text
    assert names(toupload / "failed") == {name, name.replace(".up", ".log")}
    assert not list(conditions.glob("*.jsonl"))


@pytest.mark.parametrize("name", ["what.up", "267367.noisy.UPD.up", "267367.effic.UPD4.up"])
def test_misnamed_requests_fail_and_say_how_they_are_named(loop, toupload, noisy, name):
    put_request(toupload, name, noisy)
    (result,) = loop()
    assert "is no name of a request" in result.text
    assert name in names(toupload / "failed")


def test_the_tag_part_is_only_a_label(loop, toupload, conditions, noisy, effic):
    put_request(toupload, f"{RUN}.noisy.blah.up", noisy)
    put_request(toupload, f"{RUN}.whatX.UPz.up", effic)
    assert [result.ok for result in loop()] == [True, True]
    assert uploaded(conditions, "doEfficiency") == [RUN]


def test_one_failure_does_not_keep_the_others(loop, toupload, conditions, effic):
    put_request(toupload, NOISY_NAME, "gone.db")
    put_request(toupload, "wrong.up", "gone.db")
    put_request(toupload, EFFIC_NAME, effic)
    assert [(result.name, result.ok) for result in loop()] == [
        ("wrong.up", False),
        (NOISY_NAME, False),
        (EFFIC_NAME, True),
    ]
    assert uploaded(conditions, "doEfficiency") == [RUN]


def test_a_bug_in_one_request_does_not_keep_the_others(loop, toupload, noisy, effic, monkeypatch):
    def upload(file, *rest):
        if file == noisy:
            msg = "one by nothing"
            raise ZeroDivisionError(msg)
        return real(file, *rest)

    real = serve.upload
    monkeypatch.setattr(serve, "upload", upload)
    put_request(toupload, NOISY_NAME, noisy)
    put_request(toupload, EFFIC_NAME, effic)
    assert [(result.ok, result.text[:17]) for result in loop()] == [
        (False, "ZeroDivisionError"),
        (True, "merged: 2 objects"),
    ]
    log = (toupload / "failed" / f"{RUN}.noisy.UPD4.log").read_text()
    assert "Traceback" in log


def test_a_merge_that_another_one_holds_up_fails_after_the_wait(loop, toupload, conditions, noisy):
    put_request(toupload, NOISY_NAME, noisy)
    with (conditions / "CONDBR2.db.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        (result,) = loop()
    assert "is held by another merge" in result.text
    log = (toupload / "failed" / f"{RUN}.noisy.UPD4.log").read_text()
    assert "waiting for another merge" in log
    assert "exit code of the merge 41" in log


@pytest.mark.parametrize("kind", ["missing", "empty"])
def test_without_databases_all_requests_stay(toupload, tmp_path, noisy, kind):
    request = put_request(toupload, NOISY_NAME, noisy)
    folder = tmp_path / "none"
    if kind == "empty":
        folder.mkdir()
    with pytest.raises(DatabaseError, match="sctcalib conditions init"):
        list(Loop(toupload, folder).run())
    assert request.exists()
    assert names(toupload) == {NOISY_NAME}
    assert "nothing done: " in log_lines(toupload)[-1]


def test_a_directory_that_is_not_there_is_named(tmp_path, conditions):
    with pytest.raises(RequestError, match=r"uploads\.log: cannot be written: No such file"):
        list(Loop(tmp_path / "nowhere", conditions).run())


def test_a_log_that_cannot_be_written_stops_before_the_merge(loop, toupload, conditions, noisy):
    put_request(toupload, NOISY_NAME, noisy)
    (toupload / f"{RUN}.noisy.UPD4.log").mkdir()
    with pytest.raises(RequestError, match=r"UPD4\.log: Is a directory"):
        loop()
    assert uploaded(conditions, "doNoisyStrip") == []
    assert (toupload / NOISY_NAME).exists()


# ------------------------------------------------------------------ a second instance


def test_a_second_instance_says_so_and_does_nothing(loop, toupload, noisy):
    put_request(toupload, NOISY_NAME, noisy)
    with (toupload / LOCK_NAME).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write("process 17 since noon\n")
        file.flush()
        assert loop() == []
    assert log_lines(toupload)[-1] == (
        "another instance is at work (process 17 since noon); nothing to do here"
    )
    assert names(toupload) == {NOISY_NAME}
    assert len(loop()) == 1  # the lock went with its holder


# ------------------------------------------------------------------ lastRun


@pytest.mark.requirement("R78")
def test_last_run_is_told_of_noisy_strips_only(loop, toupload, noisy, effic):
    told: list[int] = []
    put_request(toupload, NOISY_NAME, noisy)
    put_request(toupload, EFFIC_NAME, effic)
    assert len(loop(raise_last_run=told.append)) == 2
    assert told == [RUN]


def test_last_run_is_told_of_what_was_uploaded_already_but_not_of_failures(
    loop, toupload, tmp_path, noisy
):
    told: list[int] = []
    second = conflicting(toupload, tmp_path, loop)
    put_request(toupload, NOISY_NAME, second)
    assert not loop(raise_last_run=told.append)[0].ok
    assert told == []
    put_request(toupload, NOISY_NAME, tmp_path / "first.db")
    assert loop(raise_last_run=told.append)[0].text.startswith("no change")
    assert told == [RUN]


def test_a_last_run_that_cannot_be_raised_is_a_failure_that_a_retry_mends(
    loop, toupload, conditions, noisy
):
    def broken(run: int) -> None:
        msg = f"lastRun: cannot be written for {run}"
        raise OutputFileError(msg)

    put_request(toupload, NOISY_NAME, noisy)
    (result,) = loop(raise_last_run=broken)
    assert (result.ok, result.text) == (False, "lastRun: cannot be written for 267367")
    log = (toupload / "failed" / f"{RUN}.noisy.UPD4.log").read_text()
    assert "merged: 2 objects" in log
    assert uploaded(conditions, "doNoisyStrip") == [RUN]
    told: list[int] = []
    put_request(toupload, NOISY_NAME, noisy)
    assert loop(raise_last_run=told.append)[0].ok
    assert told == [RUN]
