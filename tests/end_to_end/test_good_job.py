"""The noisy-strip job of a simulated run, from map files to everything that is published."""

from __future__ import annotations

import sqlite3
import zlib
from pathlib import Path

import numpy as np
import pytest

from sctcalib.cool import Database
from sctcalib.cool.folders import SCT_FOLDERS
from sctcalib.histograms.hitmaps import read_hitmaps
from sctcalib.histograms.kinds import read_event_counts
from sctcalib.summary.bad_strips import read_bad_strips
from sctcalib.summary.noisy_summary import NoisySummary, read_noisy_summary
from tests.end_to_end.conftest import EPOCH
from tests.support.processes import contents, run_sctcalib
from tests.support.reports import output_names, read_report
from tests.support.simulated import OWN, PREFIX, STYLE_SHEET, TASK_OUTPUTS, hit_map, lb_file

RUN = 267367
P = PREFIX.format(run=RUN)
NAMES = [f"{P}.{name}" for name in TASK_OUTPUTS]


@pytest.fixture(scope="session")
def summary(good_job) -> NoisySummary:
    return read_noisy_summary(good_job / f"{P}.BadStripsSummaryFile.xml")


@pytest.mark.requirement("R1")
@pytest.mark.requirement("R36")
def test_it_ends_well_with_all_outputs_and_nothing_else(good_job):
    assert (good_job / "exit-code.txt").read_text() == "0"
    beside = {STYLE_SHEET, "runInfo.txt", "terminal.txt", "exit-code.txt"}
    assert set(contents(good_job)) == {*NAMES, *OWN, *beside}


@pytest.mark.requirement("R2")
def test_report(good_job, noisy_run):
    report = read_report(good_job)
    assert (report["exitCode"], report["exitMsg"], report["run"]) == (0, "OK", RUN)
    assert output_names(report) == NAMES
    written = {file["name"]: file for e in report["files"]["output"] for file in e["subFiles"]}
    for name, file in written.items():
        data = (good_job / name).read_bytes()
        assert file["file_size"] == len(data)
        assert file["checksum"] == f"{zlib.adler32(data):08x}"
    assert [written[name].get("nentries") for name in NAMES] == [4000, 4000, *[None] * 4]
    (read,) = report["files"]["input"]
    assert read["type"] == "HITMAP"
    assert read["dataset"] == "data15_13TeV.00267367.calibration_SCTNoise.sctcal.HITMAP.c0"
    assert [file["nentries"] for file in read["subFiles"]] == [2000] * 4
    assert {entry["dataset"] for entry in report["files"]["output"]} == {P.removesuffix("._0001")}
    assert report["resource"]["transform"]["processedEvents"] == 4000
    assert report["results"]["doNoisyStrip"]["reference run"] == 267360


@pytest.mark.requirement("R4")
def test_log_has_the_phrases_that_experts_search_for(good_job):
    log = (good_job / "log.sctcalib").read_text()
    for phrase in (
        "This is sctcalib_trf",
        "Merging Hitmap files!",
        "Merging LBHitmap files!",
        "Root merge successful",
        "Reference run 267360, uploaded 2015-",
        "Hits, Nevts, Occ: ",
        "upload flag R",
        "FAILED in #events more than 10000",
        "trf exit code 0",
    ):
        assert phrase in log
    assert "WARNING" not in log
    assert "Traceback" not in log


def test_terminal_shows_the_log_and_a_summary(good_job):
    terminal = (good_job / "terminal.txt").read_text()
    for line in (good_job / "log.sctcalib").read_text().splitlines():
        assert f"sctcalib {line}\n" in terminal
    assert "run 267367  exit 0 OK" in terminal
    assert "noisy strips" in terminal
    assert f"{P}.mycool.db" in terminal


def test_summary_counts_what_it_lists(summary):
    modules = summary.noisy_modules
    assert (summary.run, summary.events, summary.lumi_blocks) == (RUN, 4000, 20)
    assert summary.strips_all == sum(len(module.all) for module in modules) > 100
    assert summary.strips_new == sum(len(module.new) for module in modules) > 0
    assert summary.modules == len(modules)
    assert summary.chips == len({chip.module for chip in summary.noisy_chips}) > 0
    assert [chip for m in modules for chip in m.chips] == [c.chip for c in summary.noisy_chips]
    assert summary.links == sum(len(module.links) for module in modules) == 1


@pytest.mark.requirement("R37")
def test_reference_and_new_strips_come_from_the_earlier_run(summary):
    assert summary.reference_run == 267360
    assert summary.flag == "R"
    assert summary.read_cool
    assert summary.strips_ref > 0
    for module in summary.noisy_modules:
        assert set(module.new) == set(module.all) - set(module.ref)


def test_times_come_from_run_info(summary, noisy_run):
    start, end = (noisy_run / "runInfo.txt").read_text().split()[2:4]
    assert summary.duration == int(end) - int(start) == 20 * 60
    assert summary.start.startswith("2015-06-")
    assert summary.end


@pytest.mark.requirement("R38")
@pytest.mark.requirement("R39")
def test_lists_agree_with_the_summary(good_job, summary):
    everything = read_bad_strips(good_job / f"{P}.BadStripsAllFile.xml")
    new = read_bad_strips(good_job / f"{P}.BadStripsNewFile.xml")
    assert (everything.run, new.run) == (RUN, RUN)
    listed = {module.module: module for module in summary.noisy_modules}
    for channel in everything.channels:
        assert list(channel.strips) == list(listed[channel.module].all)
    assert {c.module for c in everything.channels} == set(listed)
    for channel in new.channels:
        assert list(channel.strips) == list(listed[channel.module].new)
    assert {c.module for c in new.channels} == {m for m, e in listed.items() if len(e.new)}


@pytest.mark.requirement("R10")
def test_database_is_sound_and_says_the_same(good_job, summary):
    path = good_job / f"{P}.mycool.db"
    with sqlite3.connect(path) as plain:
        assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    plain.close()
    with Database.open(path) as database:
        assert database.name == "CONDBR2"
        assert database.check() == []
        folder = database.folder(SCT_FOLDERS["doNoisyStrip"].path)
        assert [tag.name for tag in folder.tags()] == ["SctDerivedMonitoring-RUN2-UPD4-005"]
    shown = run_sctcalib(good_job, "cool", "ls", path)
    assert shown.returncode == 0
    assert "/SCT/Derived/Monitoring" in shown.stdout


@pytest.mark.parametrize("name", [n for n in TASK_OUTPUTS if not n.endswith(".root")])
def test_closure_all_that_is_well_above_the_threshold_is_found(good_job, noisy_run, name):
    done = run_sctcalib(good_job, "compare-truth", noisy_run / "truth.json", f"{P}.{name}")
    assert done.returncode == 0, done.stdout
    assert "missed in" not in done.stdout
    assert "extra in" not in done.stdout
    assert "expected" in done.stdout


@pytest.mark.requirement("R7")
def test_merged_hit_maps_are_the_sum_of_the_inputs(good_job, noisy_run):
    merged = read_hitmaps(good_job / f"{P}.SCTHitMaps.root")
    parts = [read_hitmaps(hit_map(noisy_run, number)) for number in (1, 2)]
    assert np.array_equal(merged.counts, parts[0].counts + parts[1].counts)
    assert merged.n_events == 4000
    assert list(read_event_counts([good_job / f"{P}.SCTLB.root"])) == [4000]
    assert list(read_event_counts([lb_file(noisy_run)])) == [2000]


def test_a_second_job_makes_the_same_bytes(good_job, noisy_run, here):
    """From another directory, by the other command, without -u and with another home."""
    (here / "runInfo.txt").write_bytes((noisy_run / "runInfo.txt").read_bytes())
    done = run_sctcalib(
        here,
        "run",
        noisy_run / "job.json",
        "--input-dir",
        noisy_run,
        env={**EPOCH, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "HOME": "/nonexistent"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for name in NAMES:
        assert (here / name).read_bytes() == (good_job / name).read_bytes(), name


def test_inputs_are_not_touched(good_job, noisy_run):
    before = (noisy_run.parent / "noisy-run.done").stat().st_mtime
    for path in Path(noisy_run).iterdir():
        assert path.stat().st_mtime <= before
