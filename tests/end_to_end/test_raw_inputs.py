"""RAW parts with files that are damaged, of another kind or run, or do not fit; real commands."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest

from sctcalib.detector.cabling import NOT_CABLED, Cabling, default_cabling
from sctcalib.detector.cabling_file import write_cabling
from sctcalib.detector.identifiers import module_names
from sctcalib.simulate.raw_truth import read_raw_truth
from sctcalib.summary.bad_modules import read_bad_modules
from tests.support.processes import contents, run_sctcalib, run_transform
from tests.support.raw import (
    DATASET,
    HITMAP_DATASET,
    OWN,
    blocks,
    damaged,
    options_of,
    raw_files,
    run_job,
    write_job,
)
from tests.support.reports import message, output_names, read_report

TRIPS = "BadModulesFile.xml"


def hv_job(here: Path, raw_runs, files: list[Path], options: tuple[str, ...] = (), **more) -> Path:
    """Write a job of the part that is done fastest."""
    return write_job(
        here, files, "doHV", options=[*options_of(raw_runs("noise")), *options], **more
    )


def refused(here: Path, code: int, *arguments: str) -> str:
    """Run job.json; it ends with a code and leaves nothing but log and report."""
    before = set(contents(here))
    run_job(here, *arguments, code=code)
    assert set(contents(here)) - before == OWN
    report = read_report(here)
    assert (report["exitCode"], output_names(report)) == (code, [])
    return message(report)


def figures(here: Path) -> dict[str, object]:
    found = dict(read_report(here)["results"]["byte stream"])
    found.pop("counters")
    return found


# ---- damaged files: what is whole is read


def test_a_file_that_breaks_off_is_read_up_to_there(raw_runs, tmp_path):
    first, second = raw_files(raw_runs("noise"))
    data = first.read_bytes()
    end = blocks(data)[149][1]
    (tmp_path / "cut.data").write_bytes(data[: end + 5000])
    hv_job(tmp_path, raw_runs, [tmp_path / "cut.data", second])
    log = run_job(tmp_path)
    assert "WARNING" in log
    assert "cut.data" in log
    found = figures(tmp_path)
    assert found["events read"] == 150 + 200
    assert found["files incomplete"] == found["places damaged"] == 1


def test_a_file_without_its_end_record_is_whole_but_for_that(raw_runs, tmp_path):
    first, second = raw_files(raw_runs("noise"))
    data = first.read_bytes()
    (tmp_path / "open.data").write_bytes(data[: blocks(data)[-1][1]])
    hv_job(tmp_path, raw_runs, [tmp_path / "open.data", second])
    run_job(tmp_path)
    assert figures(tmp_path)["events read"] == 400
    assert figures(tmp_path)["files incomplete"] == 1


def test_a_damaged_event_header_costs_one_event(raw_runs, tmp_path):
    first, second = raw_files(raw_runs("noise"))
    begin, _ = blocks(first.read_bytes())[20]
    bad = damaged(first, tmp_path / "bad.data", {begin: b"\0\0\0\0"})
    hv_job(tmp_path, raw_runs, [bad, second])
    log = run_job(tmp_path)
    assert f"bad.data: byte {begin}: event skipped" in log
    assert "WARNING 1 events could not be read and are in no map" in log
    found = figures(tmp_path)
    assert (found["events read"], found["events damaged"]) == (400, 1)
    assert read_report(tmp_path)["exitCode"] == 0


def test_a_damaged_rod_fragment_costs_that_alone(raw_runs, tmp_path):
    first, second = raw_files(raw_runs("noise"))
    data = first.read_bytes()
    begin, end = blocks(data)[30]
    marker = data.index(struct.pack("<I", 0xEE1234EE), begin, end)
    bad = damaged(first, tmp_path / "bad.data", {marker: b"\x01\x02\x03\x04"})
    hv_job(tmp_path, raw_runs, [bad, second])
    log = run_job(tmp_path)
    assert "WARNING 1 ROD fragments were damaged and skipped" in log
    report = read_report(tmp_path)["results"]["byte stream"]
    assert "events damaged" not in report
    assert report["counters"]["damaged_rods"] == 1


UNREADABLE = {
    "empty": b"",
    "text": b"this is no RAW file\n" * 100,
    "a ROOT file": b"root" + bytes(2000),
    "half a record": struct.pack("<2I", 0x1234AAAA, 8),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_files_of_which_nothing_can_be_read_are_refused_by_name(raw_runs, tmp_path, what):
    (tmp_path / "bad.data").write_bytes(UNREADABLE[what])
    hv_job(tmp_path, raw_runs, [raw_files(raw_runs("noise"))[0], tmp_path / "bad.data"])
    assert "bad.data" in refused(tmp_path, 74)


def test_a_file_without_a_readable_event_is_refused(raw_runs, tmp_path):
    data = raw_files(raw_runs("noise"))[0].read_bytes()
    begin, _ = blocks(data)[0]
    (tmp_path / "bad.data").write_bytes(data[: begin + 1000])
    hv_job(tmp_path, raw_runs, [tmp_path / "bad.data"])
    assert "bad.data" in refused(tmp_path, 74)


# ---- files that do not belong here


def test_a_file_of_another_run_is_refused_by_its_own_record(raw_runs, tmp_path):
    """Neither the dataset nor the name of the file says it."""
    (tmp_path / "x.data").symlink_to(raw_files(raw_runs("noise"))[0])
    dataset = DATASET.replace("267367", "267368")
    hv_job(tmp_path, raw_runs, [tmp_path / "x.data"], dataset=dataset)
    assert refused(tmp_path, 74).endswith("x.data: is of run 267367, this job is of run 267368")


def test_files_of_two_runs_are_refused_by_their_names(raw_runs, tmp_path):
    path = hv_job(tmp_path, raw_runs, raw_files(raw_runs("noise")))
    job = json.loads(path.read_text())
    job["input"][1]["dsn"] = DATASET.replace("267367", "267368")
    path.write_text(json.dumps(job))
    assert "the inputs are of several runs" in refused(tmp_path, 8)


def test_the_same_file_twice_counts_once(raw_runs, tmp_path):
    first, second = raw_files(raw_runs("noise"))
    (tmp_path / "again.data").symlink_to(first)
    hv_job(tmp_path, raw_runs, [first, second, first, tmp_path / "again.data"])
    log = run_job(tmp_path)
    assert log.count("is listed twice; it is used once") == 2
    assert figures(tmp_path)["events read"] == 400


def test_another_number_of_events_than_the_dictionary_says_is_a_warning(raw_runs, tmp_path):
    path = hv_job(tmp_path, raw_runs, raw_files(raw_runs("noise")))
    job = json.loads(path.read_text())
    job["input"][0]["events"], job["input"][1]["events"] = 201, 200
    path.write_text(json.dumps(job))
    log = run_job(tmp_path)
    assert log.count("holds 200 events, the dictionary says 201") == 1
    assert log.count("the dictionary says") == 1


RAW_KIND, HIST_KIND = DATASET, DATASET.replace("daq.RAW", "merge.HIST")
PARTS_AND_KINDS = [
    (["doNoisyStrip"], 0, HITMAP_DATASET, 7, "for hit maps set splitNoisyStrip to 2"),
    (["doDeadChip"], 1, HITMAP_DATASET, 7, "the inputs are of type HITMAP; splitNoisyStrip 1"),
    (["doHV"], 2, HITMAP_DATASET, 7, "the inputs are of type HITMAP; doHV reads RAW files"),
    (["doNoisyLB"], 0, HIST_KIND, 7, "the inputs are of type HIST; splitNoisyStrip 0 reads RAW"),
    (["doHV"], 0, HIST_KIND, 7, "the inputs are of type HIST; doHV reads RAW files"),
    (["doNoisyStrip"], 2, RAW_KIND, 8, "doNoisyStrip needs both of every file of the run"),
    (["doQuietStrip"], 2, RAW_KIND, 8, "0 hit-map files and 0 byte-stream-error files"),
    (["doNoisyLB"], 2, RAW_KIND, 8, "0 LB files: doNoisyLB needs them of every file of the run"),
    (["doEfficiency"], 0, RAW_KIND, 7, "the inputs are of type RAW; doEfficiency reads HIST"),
    (["doDeadStrip", "doQuietStrip"], 0, RAW_KIND, 7, "dead and quiet items are looked for in"),
    (["doHV", "doNoisyLB"], 2, HITMAP_DATASET, 7, "put doHV in a job of its own"),
    (["doHV", "doEfficiency"], 0, RAW_KIND, 7, "Both BS and HIST are set to be read."),
]


@pytest.mark.parametrize(
    ("parts", "step", "dataset", "code", "text"),
    PARTS_AND_KINDS,
    ids=[f"{'+'.join(each[0])} {each[1]} {each[2].split('.')[-1]}" for each in PARTS_AND_KINDS],
)
def test_parts_steps_and_inputs_that_do_not_fit(
    raw_runs, tmp_path, parts, step, dataset, code, text
):
    files = raw_files(raw_runs("noise"))
    if dataset != RAW_KIND:  # names of files say the kind too
        files = [tmp_path / "x.data"]
        files[0].symlink_to(raw_files(raw_runs("noise"))[0])
    write_job(tmp_path, files, *parts, splitNoisyStrip=step, dataset=dataset)
    lines = refused(tmp_path, code).splitlines()
    assert len(set(lines)) == len(lines)
    assert [line for line in lines if text in line]


def test_a_file_that_is_no_map_is_named(raw_runs, tmp_path):
    """A RAW file with the name of a map file, and the dataset of one."""
    path = tmp_path / "a.SCTLB.root"
    path.symlink_to(raw_files(raw_runs("noise"))[0])
    write_job(tmp_path, [path], "doNoisyLB", splitNoisyStrip=2, dataset=HITMAP_DATASET)
    assert "a.SCTLB.root" in refused(tmp_path, 74)


# ---- configuration of the decoding


def test_the_default_cabling_written_out_gives_the_same(raw_runs, tmp_path):
    write_cabling(tmp_path / "cabling.dat", default_cabling())
    hv_job(tmp_path, raw_runs, raw_files(raw_runs("noise")), ('Cabling = "cabling.dat"',))
    log = run_job(tmp_path)
    assert "8176 entries were made to the identifier map" in log
    done = run_sctcalib(tmp_path, "compare-truth", raw_runs("noise") / "truth.json", TRIPS)
    assert done.returncode == 0, done.stdout


def test_another_cabling_moves_the_hits_to_other_modules(raw_runs, tmp_path):
    """Two modules with exchanged fibres: the trips of one are seen in the other."""
    truth = read_raw_truth(raw_runs("noise") / "truth.json")
    tripped = truth.trips[0].module
    near = tripped + (1 if tripped % 2 == 0 else -1)
    assert near not in {trip.module for trip in truth.trips}
    exchanged = np.arange(8176, dtype=np.int16).reshape(-1, 2)
    exchanged[[tripped, near]] = exchanged[[near, tripped]]
    default = default_cabling()
    table = np.where(default.wafer == NOT_CABLED, NOT_CABLED, exchanged.reshape(-1)[default.wafer])
    cabling = Cabling(default.rod_ids, table.astype(np.int16))
    write_cabling(tmp_path / "cabling.dat", cabling)
    hv_job(tmp_path, raw_runs, raw_files(raw_runs("noise")), ('Cabling = "cabling.dat"',))
    run_job(tmp_path)
    found = {row.module for row in read_bad_modules(tmp_path / TRIPS)}
    expected = {trip.module for trip in truth.trips} - {tripped} | {near}
    assert found == expected


def test_trips_of_known_bad_modules_are_not_listed(raw_runs, tmp_path):
    truth = read_raw_truth(raw_runs("noise") / "truth.json")
    names = [module_names()[trip.module] for trip in truth.trips]
    place = [int(part) for part in names[0].replace(".", "_").split("_")]
    (tmp_path / "bad.json").write_text(json.dumps({"modules": [place]}))
    hv_job(tmp_path, raw_runs, raw_files(raw_runs("noise")), ('BadChannels = "bad.json"',))
    run_job(tmp_path)
    found = {row.module for row in read_bad_modules(tmp_path / TRIPS)}
    assert found == {trip.module for trip in truth.trips[1:]}


@pytest.mark.parametrize("option", ["Cabling", "ReadoutSwapTable", "BadChannels", "Majority"])
def test_a_table_that_is_missing_is_an_input_error(raw_runs, tmp_path, option):
    options = [*options_of(raw_runs("noise")), f'{option} = "none.dat"']
    write_job(tmp_path, raw_runs("noise"), "doNoisyStrip", splitNoisyStrip=1, options=options)
    assert "none.dat" in refused(tmp_path, 74)


# ---- looking before running


def test_dry_run_shows_inputs_and_outputs_and_leaves_nothing(raw_runs, tmp_path):
    write_job(
        tmp_path, raw_runs("noise"), "doNoisyStrip", "doDeadChip", "doNoisyLB", "doHV",
        prefix="D#D._0002", options=options_of(raw_runs("noise")),
    )  # fmt: skip
    before = contents(tmp_path)
    done = run_transform(tmp_path, "--argJSON=job.json", "--dry-run")
    assert done.returncode == 0, done.stdout + done.stderr
    assert contents(tmp_path) == before
    for path in raw_files(raw_runs("noise")):
        assert path.name in done.stdout
    for name in ("SCTLB.root", "SCTBSErrors.root", TRIPS, "NoisyLBSummaryFile.xml", "mycool.db"):
        assert f"D._0002.{name}" in done.stdout


def test_a_prefix_stands_before_all_outputs(raw_runs, tmp_path):
    hv_job(tmp_path, raw_runs, raw_files(raw_runs("noise")), prefix="D#D._0002", maxEvents=5)
    run_job(tmp_path)
    assert output_names(read_report(tmp_path)) == [f"D._0002.{TRIPS}"]
