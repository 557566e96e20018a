"""The commands ``sctcalib upload ...``."""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sctcalib.cli import main
from sctcalib.uploads.heartbeat import LOG_NAME, State, state
from sctcalib.uploads.requests import FORMS, TASKS
from tests.support.processes import ROOT, run_sctcalib
from tests.uploads.files import job_database, names, put_request, uploaded

RUN = 267367
PAGE = ROOT / "docs" / "operations.md"


@pytest.fixture
def call(toupload: Path):
    """``sctcalib upload WORDS --dir toupload``."""

    def upload(*words: object) -> Result:
        return CliRunner().invoke(main, ["upload", *map(str, words), "--dir", str(toupload)])

    return upload


def test_from_the_request_to_the_raised_last_run(call, toupload, conditions, tmp_path):
    """As an operator and cron do it, by the installed command."""
    noisy = job_database(tmp_path / "P.mycool.db", RUN, "doNoisyStrip")
    effic = job_database(tmp_path / "Q.mycool.db", RUN, "doEfficiency")
    last_run = tmp_path / "lastRun"
    last_run.write_text("267360\n")
    done = run_sctcalib(tmp_path, "upload", "request", noisy.name, effic, "--dir", "toupload")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "requested: toupload/267367.noisy.UPD4.up",
        "requested: toupload/267367.effic.UPD.up",
    ]
    loop = ("upload", "run", "--dir", "toupload", "--conditions", conditions)
    done = run_sctcalib(tmp_path, *loop, "--last-run", last_run)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split(": ")[:2] for line in done.stdout.splitlines()] == [
        ["267367.noisy.UPD4.up", "merged"],
        ["267367.effic.UPD.up", "merged"],
    ]
    assert last_run.read_text() == "267367\n"
    assert uploaded(conditions, "doNoisyStrip") == uploaded(conditions, "doEfficiency") == [RUN]
    assert names(toupload) == {"267367.noisy.UPD4.log", "267367.effic.UPD.log"}


@pytest.mark.requirement("R78")
def test_last_run_is_never_lowered(call, toupload, conditions, tmp_path):
    last_run = tmp_path / "lastRun"
    last_run.write_text("300000\n")
    call("request", job_database(tmp_path / "a.db", RUN, "doNoisyStrip"))
    done = call("run", "--conditions", conditions, "--last-run", last_run)
    assert done.exit_code == 0, done.output
    assert last_run.read_text() == "300000\n"


def test_failed_requests_give_an_exit_code_and_a_line_on_standard_error(
    call, toupload, conditions, tmp_path
):
    put_request(toupload, f"{RUN}.noisy.UPD4.up", tmp_path / "gone.db")
    done = call("run", "--conditions", conditions)
    assert done.exit_code == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"{RUN}.noisy.UPD4.up: FAILED: ")
    assert "gone.db" in done.stderr


def test_nothing_to_do_is_said_nowhere_but_in_the_log(call, toupload, conditions):
    done = call("run", "--conditions", conditions)
    assert (done.exit_code, done.output) == (0, "")
    assert " start, process " in (toupload / LOG_NAME).read_text()


def test_without_databases_the_exit_code_is_74(call, tmp_path):
    done = call("run", "--conditions", tmp_path / "none")
    assert done.exit_code == 74
    assert "sctcalib conditions init makes a folder of databases" in done.output


@pytest.mark.parametrize("verb", ["list", "status"])
def test_a_directory_that_does_not_exist_is_wrong_usage(tmp_path, verb):
    done = CliRunner().invoke(main, ["upload", verb, "--dir", str(tmp_path / "nowhere")])
    assert done.exit_code == 2
    assert "nowhere" in done.output


def test_a_file_that_is_no_database_is_not_requested(call, toupload, tmp_path):
    (tmp_path / "x.db").write_text("text")
    done = call("request", tmp_path / "x.db")
    assert done.exit_code == 74
    assert "x.db" in done.output
    assert names(toupload) == set()


def test_a_retry_puts_failed_requests_back(call, toupload, conditions, tmp_path):
    name = f"{RUN}.effic.UPD.up"
    put_request(toupload, name, "../late.db")
    assert call("run", "--conditions", conditions).exit_code == 1
    job_database(tmp_path / "late.db", RUN, "doEfficiency")
    done = call("retry", "267367.efic.UPD.up")
    assert done.exit_code == 2
    assert f"did you mean '{name}'?" in done.output
    assert call("retry", name).exit_code == 0
    assert names(toupload) == {"failed", name}
    assert call("run", "--conditions", conditions).exit_code == 0
    assert names(toupload / "failed") == set()


def test_a_retry_does_not_replace_what_waits(call, toupload, conditions):
    name = f"{RUN}.effic.UPD.up"
    put_request(toupload, name, "gone.db")
    call("run", "--conditions", conditions)
    put_request(toupload, name, "other.db")
    done = call("retry", name)
    assert done.exit_code == 2
    assert "waits already" in done.output
    assert (toupload / name).read_text() == "other.db\n"
    assert (toupload / "failed" / name).exists()


def test_list_shows_what_waits_in_order_and_what_failed(call, toupload, conditions):
    put_request(toupload, f"{RUN}.deads.UPD.up", "gone.db")
    call("run", "--conditions", conditions)
    put_request(toupload, f"{RUN}.effic.UPD.up", "/data/e.db")
    put_request(toupload, f"{RUN}.noisy.UPD4.up", "n.db")
    put_request(toupload, "wrong.up", "x.db")
    rows = json.loads(call("list", "--json").output)
    assert [(row["request"], row["state"], row["run"], row["task"]) for row in rows] == [
        (f"{RUN}.noisy.UPD4.up", "pending", RUN, "noisy"),
        (f"{RUN}.effic.UPD.up", "pending", RUN, "effic"),
        ("wrong.up", "misnamed", None, None),
        (f"{RUN}.deads.UPD.up", "failed", RUN, "deads"),
    ]
    files = [row["file"] for row in rows]
    assert files == [f"{toupload}/n.db", "/data/e.db", None, f"{toupload}/gone.db"]
    shown = call("list").output.splitlines()
    assert shown[0].split() == ["request", "state", "run", "task", "file"]
    assert len(shown) == 5


# ------------------------------------------------------------------ status


@pytest.mark.requirement("R60")
@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (None, State.WARNING),
        (0, State.WORKING),
        (3599.9, State.WORKING),
        (3600, State.WARNING),
        (1e6, State.WARNING),
        (-1, State.WORKING),
        (-61, State.WARNING),
    ],
)
def test_the_loop_works_if_it_was_started_less_than_an_hour_ago(age, expected):
    assert state(age) is expected


@pytest.mark.requirement("R60")
def test_status_takes_the_age_of_the_log(call, toupload, conditions):
    found = call("status")
    assert found.exit_code == 1
    assert found.output.startswith("warning: there is no uploads.log")
    call("run", "--conditions", conditions)
    found = call("status")
    assert found.exit_code == 0
    assert found.output.splitlines() == [
        "working: last sign of life 0 minutes ago",
        "pending: 0",
        "failed: 0",
    ]
    before = time.time() - 4000
    os.utime(toupload / LOG_NAME, (before, before))
    found = call("status")
    assert found.exit_code == 1
    assert found.output.startswith("warning: last sign of life 67 minutes ago")
    os.utime(toupload / LOG_NAME, (before + 9000, before + 9000))
    assert "s in the future" in call("status").output


def test_status_counts_what_waits_and_what_failed(call, toupload, conditions):
    put_request(toupload, f"{RUN}.deads.UPD.up", "gone.db")
    call("run", "--conditions", conditions)
    put_request(toupload, f"{RUN}.effic.UPD.up", "e.db")
    put_request(toupload, "wrong.up", "x.db")
    found = call("status")
    assert found.exit_code == 1  # because of the failed one
    assert found.output.splitlines()[1:] == [
        f"pending: 1 {RUN}.effic.UPD.up",
        "misnamed: 1 wrong.up",
        f"failed: 1 {RUN}.deads.UPD.up",
    ]
    as_json = json.loads(call("status", "--json").output)
    assert as_json["state"] == "working"
    assert as_json["pending"] == [f"{RUN}.effic.UPD.up"]


# ------------------------------------------------------------------ the page


def test_the_page_names_every_task_and_command():
    text = PAGE.read_text()
    for part, task in TASKS.items():
        assert f"| `{task}` | `{part}` |" in text
    for command in ("request", "list", "run", "retry", "status", "missing"):
        assert f"`sctcalib upload {command}" in text
    assert "<run>.noisy.<tag>.up" in FORMS
    assert "<run>.noisy.<tag>.up" in text


@pytest.mark.requirement("R82")
def test_the_crontab_of_the_page_has_five_fields_and_commands_that_exist():
    """Minute, hour, day of month, month, day of week; then the command."""
    block = re.search(r"```crontab\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert block is not None
    lines = [line for line in block[1].splitlines() if line and not line.startswith("#")]
    jobs = [line for line in lines if not re.match(r"[A-Z]+=", line)]
    assert len(jobs) == 2
    for line in jobs:
        *fields, command = line.split(None, 5)
        limits = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)]
        for field, (low, high) in zip(fields, limits, strict=True):
            assert field == "*" or low <= int(field.removeprefix("*/")) <= high, line
        words = command.split()
        assert words[0] == "sctcalib"
        group = main.get_command(None, words[1])
        assert group.get_command(None, words[2]) is not None
        options = {name for p in group.get_command(None, words[2]).params for name in p.opts}
        assert {word for word in words if word.startswith("--")} <= options
    assert any(line.startswith("0 * * * * sctcalib upload run ") for line in jobs)
