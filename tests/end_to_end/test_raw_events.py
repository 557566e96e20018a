"""Which events of RAW files enter the maps, as real commands: majority, limits, standby."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sctcalib.histograms.kinds import read_event_counts
from sctcalib.histograms.lumiblocks import read_lumi_blocks
from sctcalib.summary.bad_modules import read_bad_modules
from sctcalib.summary.noisy_lb_summary import read_noisy_lb_summary
from sctcalib.summary.noisy_summary import read_noisy_summary
from tests.support.raw import (
    DATASET,
    HITMAP_DATASET,
    MAPS,
    NOISE_PARTS,
    map_files,
    options_of,
    run_job,
    truth_of,
    write_empty_raw,
    write_job,
    write_majority,
)
from tests.support.reports import message, output_names, read_report
from tests.support.shared import made_once

# ---- majority


def test_only_events_in_majority_state_enter_hit_and_lumi_block_maps(raw_runs, tmp_path):
    """Lumi blocks 3 to 6; error maps take all events (algorithms-hitmaps.md 2.1, 2.3)."""
    truth = truth_of(raw_runs("noise"))
    start = int((raw_runs("noise") / "runInfo.txt").read_text().split()[2])
    write_majority(tmp_path / "majority.json", [(start + 120, start + 360)])
    options = [*options_of(raw_runs("noise")), 'Majority = "majority.json"']
    write_job(
        tmp_path,
        raw_runs("noise"),
        "doNoisyStrip",
        "doDeadStrip",
        splitNoisyStrip=1,
        options=options,
    )
    run_job(tmp_path)
    blocks = truth["events_per_lumi_block"]
    accepted = sum(blocks[2:6])
    lumi_blocks = read_lumi_blocks(tmp_path / "SCTLB.root", keep_chips=[])
    assert lumi_blocks.events.tolist() == [0, 0, *blocks[2:6], 0, 0]
    results = read_report(tmp_path)["results"]
    assert results["doDeadStrip"] == {"events": accepted, "events in error maps": 397}
    assert results["byte stream"]["events without majority"] == 397 - accepted
    counted = read_event_counts([tmp_path / name for name in MAPS])
    assert list(counted) == [397, accepted, accepted]


def test_without_an_accepted_event_noisy_strips_are_in_standby(raw_runs, tmp_path):
    write_majority(tmp_path / "majority.json", [(0, 1)])
    options = [*options_of(raw_runs("noise")), 'Majority = "majority.json"']
    write_job(tmp_path, raw_runs("noise"), "doNoisyStrip", options=options)
    run_job(tmp_path)
    summary = read_noisy_summary(tmp_path / "BadStripsSummaryFile.xml")
    assert (summary.events, summary.flag) == (0, "R")
    assert "empty hitmaps" in summary.check_list
    outputs = {"BadStripsSummaryFile.xml", *MAPS[1:]}
    assert set(output_names(read_report(tmp_path))) == outputs
    assert "no event has entered the hit maps" in message(read_report(tmp_path))


@pytest.mark.requirement("R19")
@pytest.mark.parametrize(
    ("arguments", "read"),
    [
        ({"maxEvents": 250}, 250),
        ({"skipEvents": 200}, 200),
        ({"maxEvents": 50, "skipEvents": 175}, 50),
        ({"maxEvents": 900, "skipEvents": 390}, 10),
        ({"maxEvents": "1", "skipEvents": 400}, 0),
        ({"maxEvents": 0}, 0),
    ],
)
def test_first_events_and_number_of_events_count_over_files(raw_runs, tmp_path, arguments, read):
    write_job(
        tmp_path, raw_runs("noise"), "doHV", options=options_of(raw_runs("noise")), **arguments
    )
    run_job(tmp_path)
    figures = read_report(tmp_path)["results"]["byte stream"]
    assert figures.get("events read", 0) == read


def test_without_run_information_the_maps_have_the_lumi_blocks_of_the_option(raw_runs, tmp_path):
    options = ['RunInfo = "none.txt"', "LBMax = 5"]
    write_job(tmp_path, raw_runs("noise"), "doNoisyLB", options=options)
    log = run_job(tmp_path)
    assert "WARNING the number of lumi blocks is not known: LBMax 5 is taken" in log
    blocks = truth_of(raw_runs("noise"))["events_per_lumi_block"]
    outside = sum(blocks[5:])
    assert f"WARNING {outside} events have a lumi block outside 1-5" in log
    maps = read_lumi_blocks(tmp_path / "SCTLB.root", keep_chips=[])
    assert maps.events.tolist() == blocks[:5]
    report = read_report(tmp_path)
    assert report["results"]["byte stream"]["events outside the lumi blocks"] == outside
    summary = read_noisy_lb_summary(tmp_path / "NoisyLBSummaryFile.xml")
    assert summary.start == "2015-06-16_07:00:00.000000000 GMT"  # of the first event
    assert summary.lumi_blocks == 5


# ---- standby: a RAW file without events


@pytest.fixture(scope="session")
def standby(tmp_path_factory):
    """Directories after steps 0, 1 and 2 on a file without events."""
    parts = (*NOISE_PARTS, "doHV")

    def run(folder: Path) -> None:
        raw = folder / f"{DATASET}._lb0000._SFO-1._0001.data"
        write_empty_raw(raw)
        info = "267367 data15_13TeV 1434438000 1434438480 8 SCTBA,SCTBC,SCTEA,SCTEC"
        (folder / "runInfo.txt").write_text(info)
        options = options_of(folder)
        for step in (0, 1, 2):
            here = folder / f"step{step}"
            here.mkdir()
            files, dataset = [raw], DATASET
            if step == 2:
                files, dataset = map_files(folder / "step1"), HITMAP_DATASET
            chosen = parts if step == 0 else NOISE_PARTS
            write_job(here, files, *chosen, splitNoisyStrip=step, options=options, dataset=dataset)
            run_job(here)

    return made_once(tmp_path_factory, "raw-standby", run)


@pytest.mark.requirement("R86")
@pytest.mark.parametrize("step", [0, 2])
def test_standby_has_what_says_so_and_nothing_to_upload(standby, step):
    here = standby / f"step{step}"
    summary = read_noisy_summary(here / "BadStripsSummaryFile.xml")
    assert (summary.events, summary.flag) == (0, "R")
    blocks = read_noisy_lb_summary(here / "NoisyLBSummaryFile.xml")
    assert (blocks.flag, blocks.noisy.tolist(), blocks.chips) == ("U", [], 0)
    maps = MAPS if step == 0 else ("SCTLB.root",)
    trips = ("BadModulesFile.xml",) if step == 0 else ()
    outputs = {"BadStripsSummaryFile.xml", "NoisyLBSummaryFile.xml", *maps, *trips}
    assert set(output_names(read_report(here))) == outputs
    log = (here / "log.sctcalib").read_text()
    assert "LB maps are empty" in log
    assert (" 0 trips" in log) == (step == 0)


def test_standby_of_trips_is_a_warning_and_an_empty_list(standby):
    log = (standby / "step0" / "log.sctcalib").read_text()
    assert "WARNING 0 time bins with events are fewer than 20: not judged" in log
    assert read_bad_modules(standby / "step0" / "BadModulesFile.xml") == ()


def test_maps_of_standby_are_empty_and_whole(standby):
    paths = [standby / "step1" / name for name in MAPS]
    assert list(read_event_counts(paths)) == [0, 0, 0]
    assert set(output_names(read_report(standby / "step1"))) == set(MAPS)


def test_few_time_bins_are_not_judged(raw_runs, tmp_path):
    write_job(
        tmp_path, raw_runs("noise"), "doHV", maxEvents=40, options=options_of(raw_runs("noise"))
    )
    log = run_job(tmp_path)
    assert re.search(r"WARNING (\d|1\d) time bins with events are fewer than 20: not judged", log)
    figures = read_report(tmp_path)["results"]["doHV"]
    assert (figures["wafers judged"], figures["trips"]) == (0, 0)
