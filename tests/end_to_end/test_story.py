"""Three runs through the whole loop, with the commands that operators, Tier-0 and cron use.

The hit maps of the later runs are those of the first one with some strips changed, so that it is
known which strips are noisy, new and recovered.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from sctcalib.histograms.hitmaps import read_hitmaps, write_hitmaps
from sctcalib.summary.bad_strips import read_bad_strips
from sctcalib.summary.noisy_summary import NoisySummary, read_noisy_summary
from tests.support.processes import (
    TRANSFORM,
    contents,
    environment,
    run_sctcalib,
    run_transform,
    wait_until,
)
from tests.support.reports import message, read_report
from tests.support.shared import made_once
from tests.support.simulated import PREFIX, dictionary, hit_map, lb_file, simulate_run

FIRST, SECOND, THIRD, WITHOUT_BEAM = RUNS = (267361, 267362, 267363, 267364)
N_EVENTS = 2000
NOISY_COUNT = 60
"""Hits from which on a strip is noisy for certain; the threshold is at 30."""
N_CHANGED = 12
"""Strips that become noisy, and as many that recover, from each run to the next."""
Strips = frozenset[int]
"""Noisy strips as 1536 * module + strip."""

OPTIONS = """
ConditionsDatabase = "conditions"
RunDatabase = "runs.db"
LastRunFile = "lastRun"
RunSelectorInterval = 0.2
RunSelectorMaxWait = 100
"""


@dataclass(frozen=True)
class Story:
    """One folder with everything: runs, jobs, requests, databases."""

    folder: Path

    def sctcalib(self, *words: object, code: int = 0) -> str:
        """A command in the folder, which must end with the exit code; returns what it prints."""
        done = run_sctcalib(self.folder, *words)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def job(self, run: int, name: str = "") -> Path:
        """The directory of a job of a run, with its dictionary."""
        here = self.folder / (name or f"job-{run}")
        here.mkdir()
        data = self.folder / f"run-{run}"
        settings = {
            "prefix": PREFIX.format(run=run),
            "doRunInfo": True,
            "doRunSelector": True,
            "SCTCalibConfig": str(self.folder / "options.toml"),
        }
        (here / "job.json").write_text(json.dumps(dictionary(data, **settings)))
        return here

    def process(self, run: int, name: str = "") -> Path:
        """Run a job, which must end well; returns its directory."""
        here = self.job(run, name)
        done = run_transform(here, "--argJSON=job.json")
        assert done.returncode == 0, done.stdout
        return here

    def upload(self, run: int) -> str:
        """Request the upload of a run, and do what cron does."""
        database = f"job-{run}/{PREFIX.format(run=run)}.mycool.db"
        self.sctcalib("upload", "request", database, "--dir", "toupload")
        where = ("--dir", "toupload", "--conditions", "conditions", "--last-run", "lastRun")
        return self.sctcalib("upload", "run", *where)

    def status(self) -> list[int]:
        """Uploaded runs of noisy strips, newest first."""
        found = json.loads(self.sctcalib("conditions", "status", "conditions", "--json"))
        (runs,) = [each["runs"] for each in found if each["folder"] == "/SCT/Derived/Monitoring"]
        return list(runs)


def changed(source: Path, target: Path, first: int) -> tuple[Strips, Strips]:
    """A hit map in which N_CHANGED strips have become noisy, and as many have recovered."""
    maps = read_hitmaps(source)
    counts = maps.counts.copy()
    flat = counts.reshape(-1)
    recovered = np.flatnonzero(flat >= NOISY_COUNT)[-N_CHANGED:]
    fresh = np.arange(first, first + 997 * N_CHANGED, 997)
    assert (flat[fresh] < NOISY_COUNT // 4).all()
    flat[recovered] = 0
    flat[fresh] = NOISY_COUNT * 10
    write_hitmaps(target, counts, maps.n_events)
    return frozenset(fresh.tolist()), frozenset(recovered.tolist())


def write_runs(folder: Path) -> None:
    """Map files of all runs, each in its folder; the first is simulated."""
    first = folder / f"run-{FIRST}"
    first.mkdir()
    simulate_run(first, run=FIRST, n_events=N_EVENTS, n_lumi_blocks=3, defects=(60, 0, 0, 0))
    before = first
    for number, run in enumerate(RUNS[1:], 1):
        here = folder / f"run-{run}"
        here.mkdir()
        job = (first / "job.json").read_text().replace(str(FIRST), str(run))
        (here / "job.json").write_text(job)
        names = [
            path.name.replace(str(FIRST), str(run)) for path in (hit_map(first), lb_file(first))
        ]
        fresh, recovered = changed(hit_map(before), here / names[0], 1_000_000 * number)
        shutil.copy(lb_file(first), here / names[1])
        changes = {"fresh": sorted(fresh), "recovered": sorted(recovered)}
        (here / "changes.json").write_text(json.dumps(changes))
        before = here


def run_entry(run: int) -> dict[str, object]:
    """What the run database is told of a run: beams are stable after the first lumi block."""
    start = 1_433_995_200 * 10**9 + (run - FIRST) * 7200 * 10**9
    return {
        "run": run,
        "project": "data15_13TeV",
        "partition": "ATLAS",
        "start": start,
        "end": start + 3600 * 10**9,
        "lumi_blocks": 3,
        "detector_mask": "00000000000000f0",
        "streams": {"calibration_SCTNoise": {"events": 20_000}},
        "stable_beams": [
            {"first": 1, "last": 1, "value": False},
            {"first": 2, "last": 3, "value": run != WITHOUT_BEAM},
        ],
    }


@pytest.fixture(scope="session")
def runs_of_the_story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_once(tmp_path_factory, "runs-of-the-story", write_runs)


@pytest.fixture
def story(runs_of_the_story: Path, tmp_path: Path) -> Story:
    """As it is before the first run: databases without uploads, three good runs and one other."""
    folder = tmp_path / "story"
    folder.mkdir()
    for run in RUNS:
        (folder / f"run-{run}").symlink_to(runs_of_the_story / f"run-{run}")
    (folder / "toupload").mkdir()
    (folder / "options.toml").write_text(OPTIONS)
    (folder / "runs.json").write_text(json.dumps({"runs": [run_entry(run) for run in RUNS]}))
    story = Story(folder)
    story.sctcalib("conditions", "init", "conditions")
    story.sctcalib("runs", "import", "--database", "runs.db", "runs.json")
    return story


def listed(job: Path, run: int, name: str) -> Strips:
    """Strips of one of the lists of a job."""
    file = read_bad_strips(job / f"{PREFIX.format(run=run)}.{name}")
    return frozenset(
        1536 * channel.module + strip for channel in file.channels for strip in channel.strips
    )


def all_and_new(job: Path, run: int) -> tuple[Strips, Strips]:
    return listed(job, run, "BadStripsAllFile.xml"), listed(job, run, "BadStripsNewFile.xml")


def summary(job: Path, run: int) -> NoisySummary:
    return read_noisy_summary(job / f"{PREFIX.format(run=run)}.BadStripsSummaryFile.xml")


def in_summary(found: NoisySummary, name: str) -> Strips:
    """Strips of a kind, ``all``, ``new`` or ``ref``, of the modules of a summary."""
    return frozenset(
        1536 * module.module + strip
        for module in found.noisy_modules or ()
        for strip in getattr(module, name)
    )


def changes_of(story: Story, run: int) -> tuple[Strips, Strips]:
    """Strips that are noisy since a run, and that are no longer."""
    found = json.loads((story.folder / f"run-{run}" / "changes.json").read_text())
    return frozenset(found["fresh"]), frozenset(found["recovered"])


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Jobs in the background; what is left of them is killed after the test."""
    jobs: list[subprocess.Popen[bytes]] = []
    yield jobs
    for job in jobs:
        job.kill()
        job.wait()


def start(here: Path) -> subprocess.Popen[bytes]:
    with (here / "terminal.txt").open("wb") as terminal:
        return subprocess.Popen(
            [sys.executable, "-u", TRANSFORM, "--argJSON=job.json"],
            cwd=here,
            env=environment(),
            stdout=terminal,
            stderr=subprocess.STDOUT,
        )


def terminal_of(here: Path) -> str:
    return (here / "terminal.txt").read_text()


@pytest.mark.requirement("R6")
@pytest.mark.requirement("R12")
@pytest.mark.requirement("R16")
@pytest.mark.requirement("R37")
@pytest.mark.requirement("R38")
@pytest.mark.requirement("R78")
def test_three_runs_through_the_loop(story: Story, started: list[subprocess.Popen[bytes]]):
    # the first run: nothing to compare with, nothing to wait for
    one = story.process(FIRST)
    all_1, new_1 = all_and_new(one, FIRST)
    assert len(all_1) == 60
    assert new_1 == all_1
    assert summary(one, FIRST).reference_run is None
    assert f"{FIRST}.noisy.UPD4.up: merged: 4088 objects" in story.upload(FIRST)
    assert story.status() == [FIRST]
    assert story.sctcalib("lastrun", "lastRun") == f"{FIRST}\n"

    # the second run: New and Ref are with respect to the first
    two = story.process(SECOND)
    all_2, new_2 = all_and_new(two, SECOND)
    fresh, recovered = changes_of(story, SECOND)
    assert all_2 == (all_1 - recovered) | fresh
    assert new_2 == fresh
    found = summary(two, SECOND)
    assert found.reference_run == FIRST
    assert in_summary(found, "all") == all_2
    assert in_summary(found, "new") == fresh
    assert in_summary(found, "ref") <= all_1
    assert in_summary(found, "ref") >= all_1 - recovered
    assert (found.strips_all, found.strips_new, found.strips_ref) == (60, N_CHANGED, 60)

    # the third run waits until the second is uploaded
    three = story.job(THIRD)
    job = start(three)
    started.append(job)
    waiting = f"Run {THIRD} : waiting for previous run(s) processed/uploaded: {SECOND}"
    wait_until(lambda: waiting in terminal_of(three), "the job waits")
    assert f"Run {SECOND}: this run has to be processed/uploaded ---> job in pending state" in (
        terminal_of(three)
    )
    assert job.poll() is None
    assert not list(three.glob("*.xml"))
    assert f"{SECOND}.noisy.UPD4.up: merged: 4088 objects" in story.upload(SECOND)
    assert job.wait(timeout=60) == 0, terminal_of(three)
    assert f"Run {THIRD} : checked the last run uploaded ---> job will be launched" in (
        terminal_of(three)
    )
    fresh, recovered = changes_of(story, THIRD)
    all_3, new_3 = all_and_new(three, THIRD)
    assert all_3 == (all_2 - recovered) | fresh
    assert new_3 == fresh
    assert summary(three, THIRD).reference_run == SECOND
    assert story.sctcalib("lastrun", "lastRun") == f"{SECOND}\n"

    # the second run was not good after all: the reference of the third is the first
    why = ("--folder", "Monitoring", "--why", "a loose cable")
    story.sctcalib("conditions", "disable", "conditions", "--run", SECOND, *why)
    again = story.process(THIRD, "job-again")
    all_3_again, new_3_again = all_and_new(again, THIRD)
    assert summary(again, THIRD).reference_run == FIRST
    assert all_3_again == all_3
    assert new_3_again == all_3 - all_1
    assert new_3 < new_3_again
    assert story.status() == [SECOND, FIRST]
    assert story.sctcalib("lastrun", "lastRun") == f"{SECOND}\n"

    # what has been requested is all done
    state = story.sctcalib("upload", "status", "--dir", "toupload")
    assert state.splitlines()[1:] == ["pending: 0", "failed: 0"]
    left = {path.name for path in (story.folder / "toupload").glob("*.*")} - {"uploads.lock"}
    logs = {f"{run}.noisy.UPD4.log" for run in (FIRST, SECOND)}
    assert left == {"uploads.log", *logs}


@pytest.mark.requirement("R11")
@pytest.mark.requirement("R84")
def test_a_run_without_stable_beam_ends_with_the_message_of_the_guide(story: Story):
    here = story.job(WITHOUT_BEAM)
    done = run_transform(here, "--argJSON=job.json")
    text = (
        f"Run {WITHOUT_BEAM} : run selection didn't pass Stable Beam check--- job will be finished"
    )
    assert text in done.stdout
    assert text in (here / "log.sctcalib").read_text()
    assert done.returncode == 1
    report = read_report(here)
    assert (report["exitCode"], report["exitAcronym"]) == (1, "NEEDCHECK")
    assert "Did not pass run selection criteria" in message(report)
    names = {"job.json", "jobReport.json", "log.sctcalib", "runInfo.txt"}
    assert set(contents(here)) <= names


@pytest.mark.requirement("R12")
@pytest.mark.requirement("R87")
def test_a_waiting_job_is_released_by_hand(story: Story, started: list[subprocess.Popen[bytes]]):
    """The first run fails and is never uploaded: an operator sets lastRun."""
    here = story.job(SECOND)
    job = start(here)
    started.append(job)
    wait_until(lambda: "waiting for previous run(s)" in terminal_of(here), "the job waits")
    (remedy,) = re.findall(r"go on: (sctcalib lastrun .* --set RUN)", terminal_of(here))
    assert remedy.split()[1] == "lastrun"
    story.sctcalib("lastrun", "lastRun", "--set", FIRST)
    assert job.wait(timeout=60) == 0, terminal_of(here)
    assert summary(here, SECOND).reference_run is None


@pytest.mark.requirement("R88")
def test_the_query_of_the_guide_finds_the_runs_to_process(story: Story):
    guide = (
        "--time", "1.6.2015-30.6.2015", "--lhc", "stablebeams TRUE",
        "--partition", "ATLAS", "--detmaskin", "240A", "--projecttag", "data*_*eV",
        "--streams", "*calibration_SCTNoise 10000+", "--show", "streams *calibration_SCTNoise",
        "--show", "run", "--show", "events", "--show", "time", "--show", "lhc",
        "--noroot", "--nohtml", "--verbose",
    )  # fmt: skip
    printed = story.sctcalib("runs", "query", "--database", "runs.db", *guide)
    assert " ==> 3 runs found" in printed
    result = (story.folder / "data" / "QueryResult.txt").read_text()
    assert "number of runs: 3" in result
    assert re.findall(r" Run: (\d+)", result) == [str(run) for run in (THIRD, SECOND, FIRST)]
    assert "STR:calibration_SCTNoise: [<DataEntry [1-0) a (20000, " in result
    assert "[<DataEntry [1-2) r 'FALSE'>, <DataEntry [2-4) a 'TRUE'>]" in result
    lists = (story.folder / "data" / "MyLBCollection.xml").read_text()
    assert f'<Metadata Name="RunList">{THIRD},{SECOND},{FIRST}</Metadata>' in lists
    assert lists.count('<LBRange Start="2" End="3"/>') == 3
