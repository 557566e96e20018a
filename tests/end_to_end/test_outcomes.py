"""Jobs with nothing to say, and jobs on the configuration's side roads."""

from __future__ import annotations

import json
import shutil

import pytest

from sctcalib.summary.noisy_summary import read_noisy_summary
from tests.support.processes import contents, run_sctcalib, run_transform, temporary_files
from tests.support.reports import output_names, read_report
from tests.support.simulated import (
    OWN,
    PREFIX,
    STYLE_SHEET,
    TASK_OUTPUTS,
    hit_map,
    lb_file,
    linked,
    write_job,
)

STANDBY = (
    "Noisy/dead/quiet strips/chips trying to read root files with 0 events. "
    "Gracefully exit and update lastRun counter to 267369"
)


@pytest.mark.requirement("R86")
def test_standby_leaves_only_the_summary_that_says_so(here, standby_run):
    write_job(here, standby_run)
    done = run_transform(here, "--argJSON=job.json")
    assert done.returncode == 0, done.stdout
    report = read_report(here)
    assert (report["exitAcronym"], report["exitMsg"]) == ("OK", STANDBY)
    assert STANDBY in done.stdout
    assert output_names(report) == ["P.BadStripsSummaryFile.xml"]
    assert set(contents(here)) == {"P.BadStripsSummaryFile.xml", STYLE_SHEET, "job.json", *OWN}
    summary = read_noisy_summary(here / "P.BadStripsSummaryFile.xml")
    assert (summary.run, summary.events, summary.flag) == (267369, 0, "R")
    assert "empty hitmaps" in summary.check_list


def test_standby_sets_aside_what_an_earlier_job_left(here, standby_run):
    """A database of another try must not be taken for that of an empty run."""
    write_job(here, standby_run)
    (here / "P.mycool.db").write_text("of an earlier job")
    assert run_transform(here, "--argJSON=job.json").returncode == 0
    assert not (here / "P.mycool.db").exists()
    assert (here / "P.mycool.db.stale").read_text() == "of an earlier job"


def test_events_of_the_files_win_over_those_of_the_dictionary(here, standby_run):
    job = json.loads(write_job(here, standby_run).read_text())
    for item in job["input"]:
        item["events"] = 50_000
    (here / "job.json").write_text(json.dumps(job))
    done = run_transform(here, "--argJSON=job.json")
    assert done.returncode == 0
    assert "holds 0 events, the dictionary says 50000" in done.stdout
    assert read_report(here)["exitMsg"] == STANDBY


def test_plain_texts_as_inputs_are_enough(here, quiet_run):
    """The original took a list of texts for a run without events (transform.md 2.6)."""
    names = [str(hit_map(quiet_run)), str(lb_file(quiet_run))]
    done = run_transform(
        here, "--input", names[0], "--input", names[1], "--splitNoisyStrip", "2",
        "--prefix", "X#_0007", "--doRunInfo", "--doRunSelector=False", "--preExec", "x = 1",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    report = read_report(here)
    assert output_names(report) == [f"X._0007.{name}" for name in TASK_OUTPUTS[:-1]]
    assert report["run"] == 267368
    warnings = [line for line in done.stdout.splitlines() if "WARNING" in line]
    assert sum("doRunInfo: no run database is named" in line for line in warnings) == 1
    assert "WARNING without effect here, ignored: preExec" in done.stdout


def test_without_a_noisy_strip_there_is_no_database(here, quiet_run):
    write_job(here, quiet_run)
    (here / "P.mycool.db").write_text("of an earlier job")
    done = run_sctcalib(here, "run", "job.json")
    assert done.returncode == 0, done.stdout
    assert "No local DB was created." in (here / "log.sctcalib").read_text()
    assert output_names(read_report(here)) == [f"P.{name}" for name in TASK_OUTPUTS[:-1]]
    assert not (here / "P.mycool.db").exists()
    assert (here / "P.mycool.db.stale").read_text() == "of an earlier job"
    assert read_noisy_summary(here / "P.BadStripsSummaryFile.xml").strips_all == 0


def test_with_noisy_update_an_unchanged_list_makes_no_database(here, noisy_run, good_job):
    """The conditions database is what the good job of the same run has written."""
    shutil.copy(good_job / f"{PREFIX.format(run=267367)}.mycool.db", here / "conditions.db")
    (here / "update.toml").write_text('ConditionsDatabase = "conditions.db"\nNoisyUpdate = true\n')
    write_job(here, noisy_run, SCTCalibConfig=["update.toml"])
    before = (here / "conditions.db").read_bytes()
    done = run_transform(here, "--argJSON=job.json")
    assert done.returncode == 0, done.stdout
    assert "No local DB was created." in done.stdout
    assert not (here / "P.mycool.db").exists()
    assert read_noisy_summary(here / "P.BadStripsSummaryFile.xml").strips_all > 0
    assert (here / "conditions.db").read_bytes() == before


def test_configuration_in_the_form_of_the_original(here, noisy_run):
    """Thresholds above everything but the hottest strips; unknown names are said to be unused."""
    (here / "SCTCalibConfig.py").write_text(
        "# the original's form\n"
        "NoisyStripThrDef      = True\n"
        "NoisyStripThrOffline  = 0.99999\n"
        "NoisyWaferFinder      = False\n"
        "ConditionsTag         = 'COMCOND-BLKPA-2015-01'\n"
    )
    write_job(here, noisy_run, SCTCalibConfig="SCTCalibConfig.py")
    done = run_transform(here, "--argJSON=job.json")
    assert done.returncode == 0, done.stdout
    report = read_report(here)
    assert report["configuration"]["options"]["NoisyStripThrOffline"] == 0.99999
    assert report["results"]["doNoisyStrip"]["noisy strips"] < 100
    assert f"configuration file {here / 'SCTCalibConfig.py'}" in done.stdout
    assert "options without use here: ConditionsTag" in done.stdout


def test_repeating_a_job_from_its_report(here, quiet_run):
    """As on a laptop: the report and the files in one folder, names without their paths."""
    (here / "first").mkdir()
    write_job(here / "first", quiet_run, prefix="D#_0001")
    (here / "first" / "job.json").write_text(
        (here / "first" / "job.json").read_text().replace(f"{quiet_run}/", "/tier0/pool/")
    )
    first = run_transform(here / "first", "--argJSON=job.json")
    assert first.returncode == 74
    report = here / "jobReport.json"
    shutil.copy(here / "first" / "jobReport.json", report)
    again = ["run", "--from-report", report.name, "--input-dir", quiet_run]
    dry = run_sctcalib(here, *again, "--dry-run")
    assert dry.returncode == 0
    assert "D._0001.SCTHitMaps.root" in dry.stdout
    assert str(hit_map(quiet_run)) in dry.stdout
    assert set(contents(here)) == {"first", "first/job.json", "first/jobReport.json",
                                   "first/log.sctcalib", "jobReport.json"}  # fmt: skip
    done = run_sctcalib(here, *again, "--loglevel", "DEBUG", "--keep")
    assert done.returncode == 0, done.stdout
    assert read_report(here)["arguments"]["prefix"] == "D#_0001"
    assert (here / "D._0001.SCTHitMaps.root").exists()
    assert (here / "kept-D._0001.1").is_dir()
    assert temporary_files(here) == []


def test_a_repeated_job_that_fails_again_replaces_the_report_it_came_from(here, standby_run):
    job = write_job(here, standby_run, input=["SCTHitMaps.root", "SCTLB.root"], RunNumber=5)
    for command in (["run", job], ["run", "--from-report", "jobReport.json", "--prefix", "Q"]):
        assert run_sctcalib(here, *command).returncode == 74
    assert read_report(here)["arguments"]["prefix"] == "Q"
    (here / "elsewhere").mkdir()
    shutil.copy(here / "jobReport.json", here / "elsewhere" / "other.json")
    before = (here / "elsewhere" / "other.json").read_bytes()
    command = ["run", "--from-report", "other.json", "--reportName", "other"]
    done = run_sctcalib(here / "elsewhere", *command)
    assert done.returncode == 74
    assert (here / "elsewhere" / "other.json").read_bytes() != before


def test_a_report_without_arguments_is_refused(here):
    (here / "x.json").write_text('{"exitCode": 0}')
    done = run_sctcalib(here, "run", "--from-report", "x.json")
    assert done.returncode == 7
    assert "x.json: has no arguments; --from-report takes the jobReport.json" in done.stdout


NAMES = [
    ("blanks", "a b SCTHitMaps.root", "a b SCTLB.root", "p q"),
    ("beyond ASCII", "ünï.SCTHitMaps.root", "ünï.SCTLB.root", "prä\U0001f600"),
    ("line feed", "x\ny.SCTHitMaps.root", "x\ny.SCTLB.root", "P"),
    ("dashes", "-SCTHitMaps.root", "--SCTLB.root", "-p"),
    ("quotes", "'SCTHitMaps\".root", "'SCTLB\".root", "'p\"$HOME`"),
    ("percent", "%s%d.SCTHitMaps.root", "{0}.SCTLB.root", "%s{}"),
    ("long", "x" * 230 + "SCTHitMaps.root", "x" * 230 + "SCTLB.root", "p" * 230),
]


@pytest.mark.parametrize(
    ("maps", "blocks", "prefix"), [n[1:] for n in NAMES], ids=[n[0] for n in NAMES]
)
def test_odd_names_of_files_and_prefixes(here, standby_run, maps, blocks, prefix):
    linked(here, standby_run, maps, blocks)
    write_job(here, standby_run, input=[maps, blocks], prefix=prefix, RunNumber=267369)
    done = run_transform(here, "--argJSON=job.json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert output_names(read_report(here)) == [f"{prefix}.BadStripsSummaryFile.xml"]
    assert (here / f"{prefix}.BadStripsSummaryFile.xml").exists()


@pytest.mark.parametrize(
    "env",
    [
        {"LC_ALL": "C", "LANG": "C"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"HOME": ""},
        {"TMPDIR": "/nonexistent"},
    ],
    ids=["C", "ASCII only", "no home", "no temporary folder"],
)
def test_poor_environments(here, standby_run, env):
    folder = here / "földer ü"
    folder.mkdir()
    write_job(folder, standby_run, prefix="P")
    done = run_transform(folder, "--argJSON=job.json", env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    assert output_names(read_report(folder)) == ["P.BadStripsSummaryFile.xml"]


def test_names_beyond_the_coding_of_the_system_are_refused_in_words(here, standby_run):
    write_job(here, standby_run, prefix="ü")
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = run_transform(here, "--argJSON=job.json", env=ascii_only)
    assert done.returncode == 7, done.stdout + done.stderr
    assert "file names are in ascii here" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
