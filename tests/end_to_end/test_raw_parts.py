"""The parts that read RAW files, as real commands: the three steps, the truth, the same bytes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from sctcalib.cool import Database
from sctcalib.cool.commands import cool
from sctcalib.detector.identifiers import module_id32, modules
from sctcalib.detector.readout import default_swap
from sctcalib.detector.regions import N_STRIPS
from sctcalib.detector.tables import write_swap_table
from sctcalib.histograms.bserrors import read_bs_errors
from sctcalib.histograms.kinds import read_event_counts
from sctcalib.simulate.compare import compare_truth
from sctcalib.summary.bad_modules import read_bad_modules
from sctcalib.summary.dead_files import read_dead_file
from sctcalib.summary.dead_summary import read_dead_summary
from sctcalib.summary.noisy_lb_summary import read_noisy_lb_summary
from sctcalib.summary.noisy_summary import read_noisy_summary
from tests.support.processes import contents
from tests.support.raw import (
    DEAD_PARTS,
    HITMAP_DATASET,
    MAPS,
    NOISE_PARTS,
    OWN,
    RUN,
    bytes_of,
    map_files,
    options_of,
    raw_files,
    run_job,
    truth_of,
    write_job,
    write_majority,
)
from tests.support.reports import message, output_names, read_report
from tests.support.shared import made_once

QUIET_PARTS = ("doQuietStrip", "doQuietChip")
NOISE_XML = (
    "BadStripsAllFile.xml", "BadStripsNewFile.xml", "BadStripsSummaryFile.xml",
    "DeadChipsFile.xml", "DeadStripsFile.xml", "DeadSummaryFile.xml", "NoisyLBSummaryFile.xml",
)  # fmt: skip
STYLE_SHEETS = {"BadStrips.xsl", "BadStripsList.xsl", "DeadInfo.xsl", "NoisyLBInfo.xsl"}
STRIPS_FOLDER, CHIPS_FOLDER = "/SCT/Derived/DeadStrips", "/SCT/Derived/DeadChips"


@pytest.fixture(scope="session")
def jobs(tmp_path_factory, raw_runs):
    """The directory after a job that many tests look at, by its name."""

    def one_step(name: str, *parts: str):
        def run(here: Path) -> None:
            write_job(here, raw_runs(name), *parts, options=options_of(raw_runs(name)))
            run_job(here, "--jobs", "2")

        return run

    def maps(name: str, number: int, *parts: str):
        def run(here: Path) -> None:
            file = raw_files(raw_runs(name))[number - 1]
            write_job(
                here, [file], *parts, splitNoisyStrip=1, prefix=f"M._000{number}",
                options=options_of(raw_runs(name)),
            )  # fmt: skip
            run_job(here)

        return run

    def two_steps(name: str, makers: tuple[str, ...], *parts: str):
        def run(here: Path) -> None:
            write_job(
                here, map_files(*map(folder, makers)), *parts, splitNoisyStrip=2, maxEvents=1,
                dataset=HITMAP_DATASET, options=options_of(raw_runs(name)),
            )  # fmt: skip
            run_job(here)

        return run

    noise_maps, dead_maps = ("noise maps 1", "noise maps 2"), ("dead maps 1", "dead maps 2")
    known = {
        "noise": one_step("noise", *NOISE_PARTS, "doHV"),
        "noise maps 1": maps("noise", 1, *NOISE_PARTS),
        "noise maps 2": maps("noise", 2, *NOISE_PARTS),
        "noise from maps": two_steps("noise", noise_maps, *NOISE_PARTS),
        "dead": one_step("dead", *DEAD_PARTS),
        "dead maps 1": maps("dead", 1, *DEAD_PARTS),
        "dead maps 2": maps("dead", 2, *DEAD_PARTS),
        "dead from maps": two_steps("dead", dead_maps, *DEAD_PARTS),
        "quiet": one_step("dead", *QUIET_PARTS),
        "quiet from maps": two_steps("dead", dead_maps, *QUIET_PARTS),
    }

    def folder(name: str) -> Path:
        return made_once(tmp_path_factory, f"raw-job-{name.replace(' ', '-')}", known[name])

    return folder


def dead_job(here: Path, jobs, raw_runs, *parts: str, options: tuple[str, ...] = ()) -> None:
    """Write the job on the maps of the dead run, with more options."""
    files = map_files(jobs("dead maps 1"), jobs("dead maps 2"))
    lines = [*options_of(raw_runs("dead")), *options]
    write_job(
        here, files, *(parts or DEAD_PARTS), splitNoisyStrip=2, dataset=HITMAP_DATASET,
        options=lines,
    )  # fmt: skip


def folders_of(database: Path) -> set[str]:
    with Database.open(database) as opened:
        return {folder.path for folder in opened.folders()}


def same_content(one: Path, two: Path) -> bool:
    """By ``sctcalib cool diff``."""
    done = CliRunner().invoke(cool, ["diff", str(one), str(two)])
    assert done.exit_code in (0, 1), done.output
    return done.exit_code == 0


def is_right(folder: Path, path: Path) -> bool:
    """Whether compare-truth finds nothing missed and nothing extra, of something."""
    done = CliRunner().invoke(compare_truth, ["--json", str(folder / "truth.json"), str(path)])
    assert done.exit_code in (0, 1), done.output
    return done.exit_code == 0 and json.loads(done.stdout)["right"] is True


# ---- noisy strips, noisy lumi blocks, trips and dead items of one run in one job


def test_all_parts_in_one_job_publish_everything_and_nothing_else(jobs):
    here = jobs("noise")
    outputs = {*NOISE_XML, *MAPS, "BadModulesFile.xml", "mycool.db"}
    assert set(contents(here)) == {*outputs, *STYLE_SHEETS, *OWN, "job.json", "options.toml"}
    assert set(output_names(read_report(here))) == outputs


def test_files_are_decoded_once_for_all_parts(jobs):
    log = (jobs("noise") / "log.sctcalib").read_text()
    assert len(re.findall(r"\d+ events read in", log)) == 1


@pytest.mark.parametrize(
    "name",
    ["BadStripsAllFile.xml", "BadStripsNewFile.xml", "BadStripsSummaryFile.xml", "mycool.db",
     "NoisyLBSummaryFile.xml", "BadModulesFile.xml"],
)  # fmt: skip
def test_closure_of_noise(jobs, raw_runs, name):
    assert is_right(raw_runs("noise"), jobs("noise") / name)


def test_what_was_planted_is_there_to_be_found(jobs, raw_runs):
    """So that the closure is not one of empty lists."""
    truth, here = truth_of(raw_runs("noise")), jobs("noise")
    trips = read_bad_modules(here / "BadModulesFile.xml")
    assert len(trips) == len(truth["hv_trips"]) == 2
    blocks = read_noisy_lb_summary(here / "NoisyLBSummaryFile.xml")
    assert blocks.noisy.tolist() == [block["lumi_block"] for block in truth["noisy_lumi_blocks"]]
    assert (blocks.flag, blocks.judged, blocks.lumi_blocks) == ("R", 8, 8)
    noisy = read_noisy_summary(here / "BadStripsSummaryFile.xml")
    assert (noisy.reference_run, noisy.events, noisy.lumi_blocks) == (RUN - 7, 397, 8)
    assert noisy.strips_all > 300


@pytest.mark.requirement("R8")
def test_nothing_dead_means_no_folder_of_dead_items(jobs):
    here = jobs("noise")
    assert folders_of(here / "mycool.db") == {"/SCT/Derived/Monitoring"}
    assert read_dead_file(here / "DeadStripsFile.xml").channels == ()
    assert read_dead_summary(here / "DeadSummaryFile.xml").flag == "R"


@pytest.mark.requirement("R17")
def test_steps_1_and_2_give_the_bytes_of_step_0(jobs):
    """But for the lumi blocks of the dead summary, which the original does not know at step 2."""
    whole, parts = jobs("noise"), jobs("noise from maps")
    names = [name for name in NOISE_XML if name != "DeadSummaryFile.xml"]
    assert bytes_of(whole, *names, *MAPS) == bytes_of(parts, *names, *MAPS)
    assert same_content(whole / "mycool.db", parts / "mycool.db")


@pytest.mark.requirement("R17")
@pytest.mark.requirement("R35")
def test_maps_of_step_1_are_all_that_it_writes(jobs):
    here = jobs("noise maps 1")
    outputs = {f"M._0001.{name}" for name in MAPS}
    assert set(contents(here)) == {*outputs, *OWN, "job.json", "options.toml"}
    report = read_report(here)
    entries = {f["name"]: f["nentries"] for e in report["files"]["output"] for f in e["subFiles"]}
    accepted = truth_accepted(report)
    assert entries == dict.fromkeys(outputs, accepted)


def truth_accepted(report) -> int:
    """Events in the maps, from the figures of the decoding."""
    figures = report["results"]["byte stream"]
    assert figures["events read"] == 200
    left_out = figures.get("events with unknown identifiers", 0)
    return figures["events read"] - left_out


def test_a_part_alone_with_one_thread_gives_the_same_bytes(jobs, raw_runs, tmp_path):
    write_job(tmp_path, raw_runs("noise"), "doNoisyStrip", options=options_of(raw_runs("noise")))
    run_job(tmp_path, "--jobs", "1")
    names = [*NOISE_XML[:3], *MAPS[1:], "mycool.db"]
    assert bytes_of(tmp_path, *names) == bytes_of(jobs("noise"), *names)


@pytest.mark.requirement("R9")
def test_events_with_too_many_unknown_identifiers_are_left_out_with_warnings(jobs):
    """R9: warnings, not errors, with numbers in log and report; ten in an event are tolerated."""
    here = jobs("noise")
    log = (here / "log.sctcalib").read_text()
    assert "WARNING 3 events with more than 10 unknown OnlineIds are in no map" in log
    assert " ERROR " not in log
    report = read_report(here)
    assert report["exitCode"] == 0
    figures = report["results"]["byte stream"]
    assert figures["events read"] == 400
    assert figures["events in the maps"] == 397
    assert figures["events with unknown identifiers"] == 3
    assert figures["counters"]["unknown_ids"] == 3 * 11 + 3 * 10
    assert list(read_event_counts([here / name for name in MAPS])) == [397] * 3
    assert report["resource"]["transform"]["processedEvents"] == 397


def test_report_has_the_events_of_every_input(jobs):
    (read,) = read_report(jobs("noise"))["files"]["input"]
    assert read["type"] == "RAW"
    assert [file["nentries"] for file in read["subFiles"]] == [200, 200]


def test_byte_stream_errors_are_those_that_were_planted(jobs, raw_runs):
    """Links and RODs with errors; types 15 and above are in the overflow only."""
    errors = read_bs_errors(jobs("noise") / "SCTBSErrors.root")
    expected = {each["wafer"] for each in wafers_with_errors(truth_of(raw_runs("noise")))}
    assert set(np.flatnonzero(errors.any_error).tolist()) == expected


def wafers_with_errors(truth):
    for error in truth["errors"]:
        wafers = error["wafers"] if "wafers" in error else [error["wafer"]]
        yield from ({"wafer": wafer} for wafer in wafers)


def test_lumi_block_maps_of_other_events_than_listed_hit_maps_are_refused(jobs, tmp_path):
    """doNoisyLB does not need hit maps; if they are there, they have to fit."""
    files = [f for f in map_files(jobs("noise maps 1"), jobs("noise maps 2")) if "LB" in f.name]
    files += [f for f in map_files(jobs("noise maps 1")) if "HitMaps" in f.name]
    write_job(tmp_path, files, "doNoisyLB", splitNoisyStrip=2, dataset=HITMAP_DATASET)
    assert "the LB maps 397: not of the same files" in run_job(tmp_path, code=8)


def test_with_athena_both_sides_of_a_module_trip_by_themselves(jobs, raw_runs, tmp_path):
    options = [*options_of(raw_runs("noise")), 'compatibility = "athena"']
    write_job(tmp_path, raw_runs("noise"), "doHV", options=options)
    run_job(tmp_path)
    whole = [row.module for row in read_bad_modules(jobs("noise") / "BadModulesFile.xml")]
    sides = [row.module for row in read_bad_modules(tmp_path / "BadModulesFile.xml")]
    assert sides == [module for module in whole for _ in range(2)]


# ---- dead and quiet items


@pytest.mark.parametrize(
    "name", ["DeadStripsFile.xml", "DeadChipsFile.xml", "DeadSummaryFile.xml", "mycool.db"]
)
def test_closure_of_dead_items(jobs, raw_runs, name):
    assert is_right(raw_runs("dead"), jobs("dead") / name)


def test_both_dead_parts_share_summary_and_database(jobs, raw_runs):
    here, truth = jobs("dead"), truth_of(raw_runs("dead"))
    assert folders_of(here / "mycool.db") == {STRIPS_FOLDER, CHIPS_FOLDER}
    found = read_dead_summary(here / "DeadSummaryFile.xml")
    assert (found.links, found.modules) == (len(truth["dead_links"]), 0) == (3, 0)
    assert found.chips == 6 * 3 + len(truth["dead_chips"]) == 24
    assert found.strips == len(truth["dead_strips"]) + 128 * 6 == 40 + 768
    assert (found.flag, found.lumi_blocks, found.events) == ("G", 6, 900)
    strips = read_dead_file(here / "DeadStripsFile.xml").channels
    chips = read_dead_file(here / "DeadChipsFile.xml").channels
    listed = {each.module for each in found.dead_modules}
    assert {each.module for each in (*strips, *chips)} == listed
    assert {each.module for each in chips} < {each.module for each in strips}


def test_database_holds_what_the_files_list(jobs):
    here = jobs("dead")
    channels = module_id32()
    with Database.open(here / "mycool.db") as database:
        for path, name in ((STRIPS_FOLDER, "DeadStripsFile"), (CHIPS_FOLDER, "DeadChipsFile")):
            folder = database.folder(path)
            (tag,) = folder.tag_names()
            stored = {
                each.channel: (each.payload["DefectList"].strip(), each.since >> 32)
                for each in folder.browse(tag=tag)
            }
            listed = read_dead_file(here / f"{name}.xml").channels
            assert stored == {int(channels[x.module]): (x.defects, RUN) for x in listed}


@pytest.mark.parametrize("kind", ["dead", "quiet"])
def test_dead_and_quiet_items_in_two_steps_give_the_bytes_of_one(jobs, kind):
    whole, parts = jobs(kind), jobs(f"{kind} from maps")
    word = kind.capitalize()
    same = [f"{word}StripsFile.xml", f"{word}ChipsFile.xml", *MAPS[:2]]
    assert bytes_of(whole, *same) == bytes_of(parts, *same)
    assert same_content(whole / "mycool.db", parts / "mycool.db")
    summary = f"{word}SummaryFile.xml"
    one, two = ((folder / summary).read_text() for folder in (whole, parts))
    assert one.replace('"LB">6<', '"LB">0<') == two


def test_quiet_items_include_the_dead_ones(jobs, raw_runs):
    """Where particles hit; elsewhere nearly everything is quiet with so few events."""
    quiet = read_dead_file(jobs("quiet") / "QuietStripsFile.xml").channels
    lists = {each.module: set(each.numbers.tolist()) for each in quiet}
    for dead in read_dead_file(jobs("dead") / "DeadStripsFile.xml").channels:
        assert set(dead.numbers.tolist()) <= lists[dead.module]
    assert {each.threshold for each in quiet} == {0.5}
    assert not (jobs("quiet") / "DeadSummaryFile.xml").exists()
    assert folders_of(jobs("quiet") / "mycool.db") == {STRIPS_FOLDER, CHIPS_FOLDER}


def test_of_very_many_strips_only_the_first_are_in_the_log(jobs):
    here = jobs("quiet")
    log = (here / "log.sctcalib").read_text()
    total = read_report(here)["results"]["doQuietStrip"]["strips"]
    assert total > 1_000_000
    assert log.count("DEADSTRIP : ") == 10_000
    assert f"{total - 10_000} more strips are in the lists only" in log
    assert f"total #DeadStrip : {total}" in log


def test_any_number_of_processes_gives_the_same_bytes(jobs, raw_runs, tmp_path):
    """More than files here, two for the job that is compared, one in the test above."""
    write_job(tmp_path, raw_runs("dead"), *DEAD_PARTS, options=options_of(raw_runs("dead")))
    run_job(tmp_path, env={"ATHENA_PROC_NUMBER": "7"})
    names = [n for n in contents(tmp_path) if n.endswith((".xml", ".root", ".db"))]
    assert len(names) == 6
    assert bytes_of(tmp_path, *names) == bytes_of(jobs("dead"), *names)


def test_one_part_alone_lists_only_its_items(jobs, raw_runs, tmp_path):
    dead_job(tmp_path, jobs, raw_runs, "doDeadChip")
    run_job(tmp_path)
    name = "DeadChipsFile.xml"
    assert bytes_of(tmp_path, name) == bytes_of(jobs("dead"), name)
    assert folders_of(tmp_path / "mycool.db") == {CHIPS_FOLDER}
    assert not (tmp_path / "DeadStripsFile.xml").exists()
    found = read_dead_summary(tmp_path / "DeadSummaryFile.xml")
    assert (found.chips, found.strips) == (24, 0)
    assert {each.strips for each in found.dead_modules} == {""}


def test_known_bad_channels_are_left_out(jobs, raw_runs, tmp_path):
    """A module with dead strips, a dead link and a dead chip that are known to be bad."""
    rows = dead_rows(truth_of(raw_runs("dead")))
    (tmp_path / "bad.json").write_text(json.dumps(rows))
    dead_job(tmp_path, jobs, raw_runs, options=('BadChannels = "bad.json"',))
    run_job(tmp_path)
    before = read_dead_summary(jobs("dead") / "DeadSummaryFile.xml")
    after = read_dead_summary(tmp_path / "DeadSummaryFile.xml")
    assert (after.links, after.chips) == (before.links - 1, before.chips - 6 - 1)
    m = modules()
    gone = {tuple(rows["modules"][0]), tuple(rows["links"][0][:4]), tuple(rows["chips"][0][:4])}
    places = {
        (int(m.bec[x.module]), int(m.layer[x.module]), int(m.phi[x.module]), int(m.eta[x.module]))
        for x in before.dead_modules
    }
    left = {
        (int(m.bec[x.module]), int(m.layer[x.module]), int(m.phi[x.module]), int(m.eta[x.module]))
        for x in after.dead_modules
    }
    assert gone <= places
    assert left == places - gone


def dead_rows(truth):
    """Lists of a BadChannels file: one planted item of each kind."""

    def place(text: str) -> list[int]:
        return [int(part) for part in text.split(".")]

    link, chip, strip = (truth[name][0] for name in ("dead_links", "dead_chips", "dead_strips"))
    return {
        "modules": [place(strip["module"])],
        "links": [[*place(link["module"]), link["side"]]],
        "chips": [[*place(chip["module"]), chip["chip"]]],
    }


def test_another_swap_table_mirrors_the_numbers_of_strips(jobs, raw_runs, tmp_path):
    swap = default_swap()
    write_swap_table(tmp_path / "swap.csv", ~swap)
    dead_job(tmp_path, jobs, raw_runs, options=('ReadoutSwapTable = "swap.csv"',))
    run_job(tmp_path)
    default = read_dead_file(jobs("dead") / "DeadStripsFile.xml").channels
    mirrored = read_dead_file(tmp_path / "DeadStripsFile.xml").channels
    expected = {}
    for each in default:
        sides, strips = np.divmod(each.numbers, N_STRIPS)
        numbers = np.sort(sides * N_STRIPS + N_STRIPS - 1 - strips)
        expected[each.module] = numbers.tolist()
    assert {each.module: each.numbers.tolist() for each in mirrored} == expected


def test_athena_writes_only_modules_whose_second_side_is_special(jobs, raw_runs, tmp_path):
    dead_job(tmp_path, jobs, raw_runs, options=('compatibility = "athena"',))
    run_job(tmp_path)
    links = truth_of(raw_runs("dead"))["dead_links"]
    second = {link["module"] for link in links if link["side"] == 1}
    found = read_dead_summary(tmp_path / "DeadSummaryFile.xml")
    m = modules()
    names = {
        f"{m.bec[i]}.{m.layer[i]}.{m.phi[i]}.{m.eta[i]}"
        for i in (each.module for each in found.dead_modules)
    }
    assert names == second
    assert all(each.chips == each.strips for each in found.dead_modules)


def test_strict_statistics_switch_a_search_off(jobs, raw_runs, tmp_path):
    options = ("DeadMinStatStrict = true", "DeadChipMinStat = 900")
    dead_job(tmp_path, jobs, raw_runs, options=options)
    log = run_job(tmp_path)
    assert "WARNING required minimum statistics is 5k events for DeadStrip search" in log
    assert not (tmp_path / "DeadStripsFile.xml").exists()
    assert folders_of(tmp_path / "mycool.db") == {CHIPS_FOLDER}
    report = read_report(tmp_path)
    assert message(report) == "doDeadStrip: too few events (900), nothing is listed"
    assert list(report["results"]) == ["doDeadChip"]


def test_strict_statistics_that_leave_nothing_ask_for_a_check(jobs, raw_runs, tmp_path):
    dead_job(tmp_path, jobs, raw_runs, options=("DeadMinStatStrict = true",))
    log = run_job(tmp_path, code=1)
    assert "Number of events 900 is less than the required minimum number of events" in log
    assert set(contents(tmp_path)) == {*OWN, "job.json", "options.toml"}


def test_closure_with_statistics(jobs, raw_runs, tmp_path):
    """The first half of the run has too few events for strips, enough for chips and links."""
    write_job(
        tmp_path, map_files(jobs("dead maps 1")), *DEAD_PARTS, splitNoisyStrip=2,
        dataset=HITMAP_DATASET, options=options_of(raw_runs("dead")),
    )  # fmt: skip
    run_job(tmp_path)
    found = read_dead_summary(tmp_path / "DeadSummaryFile.xml")
    assert (found.events, found.links, found.chips, found.strips) == (450, 3, 24, 0)
    everything = {x.module for x in read_dead_file(jobs("dead") / "DeadChipsFile.xml").channels}
    half = {x.module for x in read_dead_file(tmp_path / "DeadChipsFile.xml").channels}
    assert half == everything


# ---- which events enter


def test_majority_is_for_noisy_strips_only(jobs, raw_runs, tmp_path):
    write_majority(tmp_path / "majority.json", [(0, 1)])
    options = [*options_of(raw_runs("noise")), 'Majority = "majority.json"']
    write_job(tmp_path, raw_runs("noise"), "doHV", options=options)
    run_job(tmp_path)
    name = "BadModulesFile.xml"
    assert bytes_of(tmp_path, name) == bytes_of(jobs("noise"), name)


def test_skipped_events_are_the_first_ones(jobs, raw_runs, tmp_path):
    """What is left is the second file, whatever has been skipped."""
    write_job(
        tmp_path, raw_runs("dead"), *DEAD_PARTS, splitNoisyStrip=1, skipEvents=450,
        options=options_of(raw_runs("dead")),
    )  # fmt: skip
    run_job(tmp_path)
    for name in MAPS[:2]:
        expected = (jobs("dead maps 2") / f"M._0002.{name}").read_bytes()
        assert (tmp_path / name).read_bytes() == expected
