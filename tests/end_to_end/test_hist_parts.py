"""The five parts that read a HIST file, as real commands on simulated runs of both styles."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from sctcalib.cool import Database
from sctcalib.cool.folders import JOB_DESCRIPTION, SCT_FOLDERS
from sctcalib.detector.identifiers import layer_side_id32, wafer_id32, wafers
from sctcalib.detector.regions import N_WAFERS
from sctcalib.histograms.monitoring import open_hist
from sctcalib.parts.layer_means import layer_labels, layer_of_wafer
from sctcalib.simulate.compare import compare_truth
from sctcalib.simulate.hist_truth import HistTruth, read_hist_truth
from sctcalib.summary.bytestream_modules import read_bytestream_modules
from sctcalib.summary.efficiency_modules import read_efficiency_modules
from sctcalib.summary.lorentz_angle_files import read_lorentz_file, read_lorentz_summary
from sctcalib.summary.monitoring_summary import read_monitoring_summary
from sctcalib.summary.noise_occupancy_file import read_noise_occupancy_file
from tests.end_to_end.conftest import EPOCH
from tests.support.hist import (
    ALL_XML,
    COMMON_SHEETS,
    OWN,
    PARTS,
    RUN,
    SHEETS,
    XML,
    copy_of_run_info,
    hidden,
    hist_of,
    patched,
    simulate_hist_run,
    stored,
    write_job,
)
from tests.support.processes import ROOT, contents, run_sctcalib, run_transform
from tests.support.reports import output_names, read_report
from tests.support.shared import made_once

RUNS = {
    "21.0": {"style": "21.0", "lorentz_tracks": 300.0},
    "master": {"style": "master"},
    "no events": {"n_events": 0},
    "empty maps": {"is_empty": True},
    "empty maps of 21.0": {"is_empty": True, "style": "21.0"},
    "few events": {"n_events": 4999, "style": "21.0"},
    "partly empty": {"lorentz_tracks": 0.0, "n_error_links": 0},
}
STYLES = ("21.0", "master")
STANDBY = ("no events", "empty maps", "empty maps of 21.0")
EMPTY = "HIST contents are empty"


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """The folder of a simulated run by its name in RUNS."""

    def folder(name: str) -> Path:
        return made_once(
            tmp_path_factory,
            f"hist-{name.replace(' ', '-')}",
            lambda path: simulate_hist_run(path, **RUNS[name]),
        )

    return folder


@pytest.fixture(scope="session")
def jobs(tmp_path_factory, runs):
    """The directory after a job with all five parts, by the name of the run.

    The dictionary is the simulation's own, as Tier-0 starts it, with or without ``athena``.
    """

    def folder(name: str, *, athena: bool = False) -> Path:
        def run(here: Path) -> None:
            source = runs(name)
            path = source / "job.json"
            if athena:
                path = write_job(here, source, options=['compatibility = "athena"'])
            done = run_transform(here, f"--argJSON={path}", "--input-dir", source, env=EPOCH)
            (here / "terminal.txt").write_text(done.stdout + done.stderr)
            (here / "exit-code.txt").write_text(str(done.returncode))

        suffix = "-athena" if athena else ""
        return made_once(tmp_path_factory, f"hist-job-{name.replace(' ', '-')}{suffix}", run)

    return folder


def truth_of(folder: Path) -> HistTruth:
    return read_hist_truth(folder / "truth.json")


def output(folder: Path, name: str) -> Path:
    """A published file, whatever the prefix."""
    (path,) = folder.glob(f"*{name}")
    return path


def run_job(here: Path, code: int = 0) -> str:
    """Run job.json; returns the log."""
    done = run_transform(here, "--argJSON=job.json", env=EPOCH)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return (here / "log.sctcalib").read_text()


def refused(here: Path, code: int, *texts: str) -> str:
    """Run job.json; it ends with a code and words, and leaves nothing but log and report."""
    before = set(contents(here))
    log = run_job(here, code)
    for text in texts:
        assert text in log
    assert set(contents(here)) - before == OWN
    report = read_report(here)
    assert report["exitCode"] == code
    assert output_names(report) == []
    message: str = report["exitMsg"]
    return message


# ---- all five parts in one job


@pytest.mark.parametrize("style", STYLES)
def test_all_parts_in_one_job_publish_everything_and_nothing_else(jobs, style):
    here = jobs(style)
    assert (here / "exit-code.txt").read_text() == "0"
    prefix = "data15_13TeV.00267367.express_express.sctcal.MONITORING.c0_c0._0001."
    outputs = {f"{prefix}{name}" for name in (*ALL_XML, "mycool.db")}
    beside = {*SHEETS.values(), *COMMON_SHEETS, "terminal.txt", "exit-code.txt"}
    assert set(contents(here)) == {*outputs, *beside, *OWN}
    assert set(output_names(read_report(here))) == outputs


@pytest.mark.parametrize("style", STYLES)
def test_file_is_opened_once_and_its_events_are_those_of_the_job(jobs, style):
    log = (jobs(style) / "log.sctcalib").read_text()
    assert log.count("100000 events by SCT/GENERAL/Conf/NumberOfEventsVsLB") == 1
    report = read_report(jobs(style))
    assert report["resource"]["transform"]["processedEvents"] == 100_000
    assert [report["results"][part]["events"] for part in PARTS] == [100_000] * 5
    (read,) = report["files"]["input"]
    assert [file["nentries"] for file in read["subFiles"]] == [100_000]


@pytest.mark.parametrize("name", [*ALL_XML, "mycool.db"])
@pytest.mark.parametrize("style", STYLES)
def test_everything_that_is_written_agrees_with_the_truth(jobs, runs, style, name):
    truth, found = runs(style) / "truth.json", output(jobs(style), name)
    done = CliRunner().invoke(compare_truth, ["--json", str(truth), str(found)])
    assert done.exit_code == 0, done.output
    compared = json.loads(done.stdout)["quantities"]
    assert all(each["compared"] >= 8 for each in compared.values())
    if name == "mycool.db":
        assert len(compared) == 6


@pytest.mark.parametrize("name", ALL_XML[0::2])
def test_a_wrong_truth_is_noticed(jobs, runs, tmp_path, name):
    """The comparison above can fail: against another seed of the same run."""
    simulate_hist_run(tmp_path, seed=2)
    done = CliRunner().invoke(
        compare_truth, [str(tmp_path / "truth.json"), str(output(jobs("master"), name))]
    )
    assert done.exit_code == 1


@pytest.mark.parametrize("style", STYLES)
def test_summaries_are_the_averages_of_the_files_of_the_sides(jobs, style):
    here = jobs(style)
    modules = read_efficiency_modules(output(here, "EfficiencyModuleSummary.xml"))
    summary = read_monitoring_summary(output(here, "EfficiencySummaryFile.xml"))
    sides = np.where(modules.efficiency < 0, 0, modules.efficiency).astype(np.float64)
    noise = read_noise_occupancy_file(output(here, "NoiseOccupancyFile.xml")).occupancy
    noise_summary = read_monitoring_summary(output(here, "NoiseOccupancySummaryFile.xml"))
    for found, values in ((summary, sides), (noise_summary, noise)):
        sums = np.bincount(layer_of_wafer(), values, len(layer_labels()))
        means = sums / np.bincount(layer_of_wafer())
        np.testing.assert_allclose(found.means[0][1], means, rtol=1e-5)
    errors = read_bytestream_modules(output(here, "BSErrorModuleSummary.xml"))
    links = np.bincount(layer_of_wafer(), errors.totals > 0, len(layer_labels()))
    error_summary = read_monitoring_summary(output(here, "BSErrorSummaryFile.xml"))
    assert error_summary.means[0][1].tolist() == links.astype(int).tolist()
    assert links.sum() == 20


def test_sides_without_crossings_are_told_apart_from_dead_ones(jobs, runs):
    modules = read_efficiency_modules(output(jobs("master"), "EfficiencyModuleSummary.xml"))
    nothing = truth_of(runs("master")).crossings == 0
    assert nothing.sum() >= 20
    assert (modules.efficiency == -1).tolist() == nothing.tolist()


@pytest.mark.parametrize(("style", "flag"), [("21.0", "G"), ("master", "R")])
def test_lorentz_flag_is_green_only_if_all_profiles_converge(jobs, style, flag):
    here = jobs(style)
    summary = read_lorentz_summary(output(here, "LorentzAngleSummaryFile.xml"))
    assert summary.flag == flag
    fitted = [r for r in summary.records if (r.layer, r.module_type) != (1, 100)]
    assert all(r.converged for r in fitted) == (flag == "G")
    failed = sum(not record.converged for record in fitted)
    log = (here / "log.sctcalib").read_text()
    assert log.count("Fit Failed! Unable to get LorentzAngle") == failed
    results = read_report(here)["results"]["doLorentzAngle"]
    assert (results["flag"], results["fits converged"]) == (flag, f"{14 - failed} of 14")
    unfitted = [r for r in summary.records if (r.layer, r.module_type) == (1, 100)]
    assert [(r.angle, r.min_width, r.converged) for r in unfitted] == [(0, 0, False)] * 2


@pytest.mark.parametrize("style", STYLES)
def test_run_values_come_from_the_run_information(jobs, runs, style):
    _, _, start, end, lumi_blocks, _ = (runs(style) / "runInfo.txt").read_text().split()
    for name in ("RawOccupancySummaryFile.xml", "BSErrorSummaryFile.xml"):
        found = read_monitoring_summary(output(jobs(style), name))
        assert (found.run, found.events, found.lumi_blocks) == (RUN, 100_000, int(lumi_blocks))
        assert found.duration == int(end) - int(start)
        assert found.start.startswith("2015-")


@pytest.mark.parametrize("style", STYLES)
def test_the_same_job_makes_the_same_bytes(jobs, runs, tmp_path, style):
    """From another directory and by the other command."""
    source = runs(style)
    more = {"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "OMP_NUM_THREADS": "1"}
    done = run_sctcalib(
        tmp_path, "run", source / "job.json", "--input-dir", source, env={**EPOCH, **more}
    )
    assert done.returncode == 0, done.stdout
    for name in (*ALL_XML, "mycool.db"):
        again, first = output(tmp_path, name), output(jobs(style), name)
        assert again.name == first.name
        assert again.read_bytes() == first.read_bytes(), name


# ---- the database


def test_one_database_has_all_five_folders(jobs):
    path = output(jobs("master"), "mycool.db")
    with Database.open(path) as database:
        assert database.name == "CONDBR2"
        assert database.check() == []
        folders = {folder.path: folder for folder in database.folders()}
        assert set(folders) == {SCT_FOLDERS[part].path for part in PARTS}
        assert {folder.description for folder in folders.values()} == {JOB_DESCRIPTION}


def positions(sample_size):
    w = wafers()
    sizes = np.broadcast_to(sample_size, (N_WAFERS,))
    return np.stack([sizes, w.bec, w.layer, w.eta, w.phi], axis=1).tolist()


@pytest.mark.parametrize("style", STYLES)
def test_efficiencies_in_the_database_have_their_numbers_of_crossings(jobs, runs, style):
    rows = stored(output(jobs(style), "mycool.db"), "doEfficiency")
    assert list(rows) == wafer_id32().tolist()
    payload = list(rows.values())
    truth = truth_of(runs(style))
    assert [list(row[:5]) for row in payload] == positions(truth.crossings)
    with open_hist(hist_of(runs(style)), RUN) as hist:
        maps = hist.efficiency()
    assert [row[5] for row in payload] == maps.content.astype(np.float32).tolist()


@pytest.mark.parametrize("style", STYLES)
def test_occupancies_in_the_database_are_single_precision(jobs, runs, style):
    database = output(jobs(style), "mycool.db")
    noise, raw = stored(database, "doNoiseOccupancy"), stored(database, "doRawOccupancy")
    assert list(noise) == list(raw) == wafer_id32().tolist()
    assert [list(row[:5]) for row in noise.values()] == positions(10_000)
    assert [list(row[:5]) for row in raw.values()] == positions(100_000)
    with open_hist(hist_of(runs(style)), RUN) as hist:
        shown, hits = hist.occupancy("hitoccupancymap", trigger=False), hist.hits()
    per_bin = shown.content.astype(np.float32) / np.float32(3)
    expected = (per_bin.astype(np.float64) / 1e5).astype(np.float32)
    assert [row[5] for row in noise.values()] == expected.tolist()
    expected = hits.content.astype(np.float32) / np.float32(100_000 * 768)
    assert [row[5] for row in raw.values()] == expected.tolist()


@pytest.mark.parametrize("style", STYLES)
def test_errors_in_the_database_are_those_of_the_bad_sides_and_of_the_first(jobs, runs, style):
    rows = stored(output(jobs(style), "mycool.db"), "doBSErrorDB")
    errors = truth_of(runs(style)).errors
    sides = sorted({0, *np.flatnonzero(errors.any(axis=1)).tolist()})
    assert len(sides) >= 20
    assert list(rows) == wafer_id32()[sides].tolist()
    at = positions(100_000)
    for wafer, row in zip(sides, rows.values(), strict=True):
        counts = errors[wafer].tolist()
        fractions = [float(np.float32(n) / np.float32(100_000)) for n in counts]
        texts = " ".join(map(str, counts)), " ".join(format(f, ".6g") for f in fractions)
        assert row == (*at[wafer], *texts)


@pytest.mark.parametrize("style", STYLES)
def test_lorentz_folder_has_eight_channels_with_the_values_of_the_111_sensors(jobs, style):
    here = jobs(style)
    rows = stored(output(here, "mycool.db"), "doLorentzAngle")
    records = read_lorentz_file(output(here, "LorentzAngleFile.xml")).records
    wanted = [record for record in records if record.module_type == 111]
    assert list(rows) == [int(layer_side_id32(r.layer, r.side)) for r in wanted]
    for record, row in zip(wanted, rows.values(), strict=True):
        assert row[:5] == (10_000, 0, record.layer, record.side, 111)
        printed = (
            record.angle, record.angle_error, record.chi2, record.a, record.a_error, record.b,
            record.b_error, record.sigma, record.sigma_error, record.min_width,
            record.min_width_error,
        )  # fmt: skip
        assert row[5:] == pytest.approx(printed, rel=1e-5)
        assert row[5:] == tuple(float(np.float32(value)) for value in row[5:])


def test_write_to_cool_false_writes_no_database(runs, tmp_path):
    write_job(tmp_path, runs("master"), "doRawOccupancy", options=["WriteToCool = false"])
    run_job(tmp_path)
    assert output_names(read_report(tmp_path)) == list(XML["doRawOccupancy"])


def test_run_1_data_goes_into_the_database_of_run_1(runs, tmp_path):
    job = json.loads(write_job(tmp_path, runs("master"), "doRawOccupancy").read_text())
    job["input"][0]["dsn"] = "data12_8TeV.00267367.express_express.merge.HIST.f1_h1"
    (tmp_path / "job.json").write_text(json.dumps(job))
    run_job(tmp_path)
    with Database.open(tmp_path / "mycool.db") as database:
        assert database.name == "COMP200"


# ---- one part in a job


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("style", STYLES)
def test_a_part_alone_writes_what_it_writes_beside_the_others(jobs, runs, tmp_path, style, part):
    job = runs(style) / f"job_{part}.json"
    done = run_sctcalib(tmp_path, "run", job, "--input-dir", runs(style))
    assert done.returncode == 0, done.stdout
    prefix = json.loads(job.read_text())["prefix"].partition("#")[2]
    names = [*XML[part], "mycool.db"]
    expected = {*(f"{prefix}.{name}" for name in names), SHEETS[part], *COMMON_SHEETS, *OWN}
    assert set(contents(tmp_path)) == expected
    for name in XML[part]:
        assert output(tmp_path, name).read_bytes() == output(jobs(style), name).read_bytes()
    with Database.open(output(tmp_path, "mycool.db")) as database:
        assert [folder.path for folder in database.folders()] == [SCT_FOLDERS[part].path]
    databases = [output(folder, "mycool.db") for folder in (tmp_path, jobs(style))]
    alone, together = (stored(database, part) for database in databases)
    assert alone == together


EXAMPLES = {
    "doEfficiency": "efficiency.json",
    "doNoiseOccupancy": "noise_occupancy.json",
    "doRawOccupancy": "raw_occupancy.json",
    "doLorentzAngle": "lorentz_angle.json",
    "doBSErrorDB": "bytestream_errors.json",
}


@pytest.mark.parametrize("part", PARTS)
def test_example_dictionaries_are_those_of_a_simulated_run(runs, part):
    example = json.loads((ROOT / "run" / EXAMPLES[part]).read_text())
    made = json.loads((runs("master") / f"job_{part}.json").read_text())
    assert example.pop("SCTCalibConfig") == ["share/SCTCalibConfig.toml"]
    del made["SCTCalibConfig"]
    del made["input"][0]["events"]
    assert example == made


def test_an_example_runs(jobs, runs, tmp_path):
    copy_of_run_info(runs("master"), tmp_path)
    done = run_sctcalib(
        tmp_path, "run", ROOT / "run" / "raw_occupancy.json", "--input-dir", runs("master")
    )
    assert done.returncode == 0, done.stdout
    name = "RawOccupancySummaryFile.xml"
    assert output(tmp_path, name).read_bytes() == output(jobs("master"), name).read_bytes()


# ---- compatibility = "athena"


def test_athena_efficiency_of_sides_without_entries_is_0(jobs, runs):
    here = jobs("master", athena=True)
    assert (here / "exit-code.txt").read_text() == "0"
    modules = read_efficiency_modules(output(here, "EfficiencyModuleSummary.xml"))
    assert (modules.efficiency[truth_of(runs("master")).crossings == 0] == 0).all()
    own = stored(output(jobs("master"), "mycool.db"), "doEfficiency")
    assert stored(output(here, "mycool.db"), "doEfficiency") == own


def test_athena_errors_of_newer_monitoring_are_cut_to_those_of_every_event(jobs, runs):
    """The content of a fraction is 0 unless the error is there in every event (6.3)."""
    here = jobs("master", athena=True)
    errors = truth_of(runs("master")).errors
    with open_hist(hist_of(runs("master")), RUN) as hist:
        maps = hist.errors()
    assert maps.entries is not None
    always = (errors > 0) & (errors == maps.entries)
    assert always.sum() == 1
    rows = stored(output(here, "mycool.db"), "doBSErrorDB")
    sides = sorted({0, *np.flatnonzero(always.any(axis=1)).tolist()})
    assert list(rows) == wafer_id32()[sides].tolist()
    summary = read_monitoring_summary(output(here, "BSErrorSummaryFile.xml"))
    first = layer_of_wafer()[0]
    expected = np.bincount(layer_of_wafer()[sides], minlength=48)
    assert summary.means[0][1].tolist() == expected.tolist()
    assert expected[first] >= 1


def test_athena_error_modules_have_the_rows_and_the_order_of_the_original(jobs, runs):
    here = jobs("21.0", athena=True)
    text = output(here, "BSErrorModuleSummary.xml").read_text()
    assert text.count("<module>") == 8528
    found = read_bytestream_modules(output(here, "BSErrorModuleSummary.xml"))
    assert found.totals.tolist() == truth_of(runs("21.0")).errors.sum(axis=1).tolist()
    assert output(jobs("21.0"), "BSErrorModuleSummary.xml").read_text().count("<module>") == 8176


# ---- standby


@pytest.mark.parametrize("name", STANDBY)
def test_standby_ends_well_with_the_files_of_empty_bins_and_no_database(jobs, name):
    here = jobs(name)
    assert (here / "exit-code.txt").read_text() == "0"
    assert not list(here.glob("*mycool.db"))
    assert len(output_names(read_report(here))) == len(ALL_XML)
    efficiency = read_efficiency_modules(output(here, "EfficiencyModuleSummary.xml"))
    assert set(efficiency.efficiency.tolist()) == {-1}
    assert not read_noise_occupancy_file(output(here, "NoiseOccupancyFile.xml")).occupancy.any()
    assert not read_bytestream_modules(output(here, "BSErrorModuleSummary.xml")).errors.any()
    for summary in (n for n in ALL_XML if n.endswith("SummaryFile.xml") and "Lorentz" not in n):
        found = read_monitoring_summary(output(here, summary))
        assert found.events == (0 if name == "no events" else 100_000)
        for _, means in found.means:
            assert not means.any()


@pytest.mark.parametrize("name", STANDBY)
def test_standby_gives_the_lorentz_values_of_an_empty_profile(jobs, name):
    summary = read_lorentz_summary(output(jobs(name), "LorentzAngleSummaryFile.xml"))
    assert summary.flag == "R"
    fitted = [r for r in summary.records if (r.layer, r.module_type) != (1, 100)]
    assert {(r.angle, r.min_width, r.converged) for r in fitted} == {(-5, 1.1582, False)}
    records = read_lorentz_file(output(jobs(name), "LorentzAngleFile.xml")).records
    fitted = [r for r in records if (r.layer, r.module_type) != (1, 100)]
    assert {(r.chi2, r.angle_error, r.min_width_error) for r in fitted} == {(0, 0, 1.21775)}


@pytest.mark.requirement("R86")
@pytest.mark.parametrize("name", STANDBY)
def test_standby_is_said_for_every_part_in_log_and_report(jobs, name):
    log = (jobs(name) / "log.sctcalib").read_text()
    results = read_report(jobs(name))["results"]
    for part in PARTS:
        assert f"WARNING {part}: {EMPTY}" in log
        assert results[part]["standby"] == EMPTY


@pytest.mark.parametrize("name", STANDBY)
def test_standby_with_athena_writes_the_database(jobs, name):
    here = jobs(name, athena=True)
    assert (here / "exit-code.txt").read_text() == "0"
    database = output(here, "mycool.db")
    events = 0 if name == "no events" else 100_000
    efficiency = stored(database, "doEfficiency")
    assert [list(row) for row in efficiency.values()] == [[*p, 0] for p in positions(0)]
    raw = stored(database, "doRawOccupancy")
    assert [list(row) for row in raw.values()] == [[*p, 0] for p in positions(events)]
    assert {row[5] for row in stored(database, "doNoiseOccupancy").values()} == {0}
    assert {row[5:7] for row in stored(database, "doLorentzAngle").values()} == {(-5, 0)}
    (errors,) = stored(database, "doBSErrorDB").values()
    assert errors == (events, -2, 0, 0, 0, "0 " * 14 + "0", "0 " * 14 + "0")
    modules = read_efficiency_modules(output(here, "EfficiencyModuleSummary.xml"))
    assert set(modules.efficiency.tolist()) == {0}


@pytest.mark.parametrize("name", STANDBY)
def test_athena_in_standby_counts_the_side_that_is_always_stored(jobs, name):
    summary = read_monitoring_summary(output(jobs(name, athena=True), "BSErrorSummaryFile.xml"))
    assert summary.means[0][1].tolist() == [1] + [0] * 47


def test_without_events_the_histograms_of_the_parts_are_not_asked_for(jobs, runs, tmp_path):
    stems = {b"SCT_NumberOf": b"XCT_NumberOf", b"hitsmap": b"Xitsmap", b"h_phiVs": b"X_phiVs"}
    hist = patched(hist_of(runs("no events")), tmp_path / "h.root", stems)
    write_job(tmp_path, runs("no events"), hist=hist)
    run_job(tmp_path)
    for name in ALL_XML:
        expected = output(jobs("no events"), name)
        assert (tmp_path / name).read_bytes() == expected.read_bytes()


@pytest.mark.parametrize("part", PARTS)
def test_few_events_ask_for_a_check_whatever_the_maps_hold(runs, tmp_path, part):
    write_job(tmp_path, runs("few events"), part)
    message = refused(tmp_path, 1)
    assert message == (
        "Number of events in HIST: 4999 is less than the required minimum number of events 5000"
    )
    assert read_report(tmp_path)["exitAcronym"] == "NEEDCHECK"


def test_the_least_number_of_events_is_enough(runs, tmp_path):
    write_job(tmp_path, runs("few events"), "doRawOccupancy", options=["RawOccupancyMinStat=4999"])
    run_job(tmp_path)


def test_few_events_go_before_empty_maps(runs, tmp_path):
    options = ["EfficiencyMinStat = 100001"]
    write_job(tmp_path, runs("empty maps"), "doEfficiency", options=options)
    message = refused(tmp_path, 1)
    assert message.endswith("100000 is less than the required minimum number of events 100001")


def test_each_part_decides_for_itself_whether_it_is_standby(jobs):
    """No Lorentz profile is filled; no errors with hits in the detector are a good result."""
    here = jobs("partly empty")
    database = output(here, "mycool.db")
    with Database.open(database) as opened:
        found = {folder.path for folder in opened.folders()}
    assert found == {SCT_FOLDERS[part].path for part in PARTS if part != "doLorentzAngle"}
    results = read_report(here)["results"]
    assert [part for part in PARTS if "standby" in results[part]] == ["doLorentzAngle"]
    (first,) = stored(database, "doBSErrorDB").values()
    assert first[5:] == ("0 " * 14 + "0", "0 " * 14 + "0")
    summary = read_monitoring_summary(output(here, "BSErrorSummaryFile.xml"))
    assert not summary.means[0][1].any()


def test_athena_counts_the_side_that_is_always_stored(jobs):
    here = jobs("partly empty", athena=True)
    summary = read_monitoring_summary(output(here, "BSErrorSummaryFile.xml"))
    assert summary.means[0][1].tolist() == [1] + [0] * 47


def test_without_error_map_entries_and_hit_maps_nothing_was_read(runs, tmp_path):
    """A file without hit maps: entries of the error maps have to tell; here there are some."""
    stems = (b"hitsmapECm_", b"hitsmap_", b"hitsmapECp_")
    hist = patched(
        hist_of(runs("partly empty")), tmp_path / "h.root", {s: b"X" + s[1:] for s in stems}
    )
    write_job(tmp_path, runs("partly empty"), "doBSErrorDB", hist=hist)
    assert EMPTY not in run_job(tmp_path)
    assert len(stored(tmp_path / "mycool.db", "doBSErrorDB")) == 1


# ---- what is missing in the file

MISSING = {
    "doEfficiency": ("SCT/SCTB/eff/eff_3_1", "SCT/SCTEC/eff/m_eff_8_0"),
    "doNoiseOccupancy": (
        "SCT/SCTB/Noise/hitoccupancymap_0_0",
        "SCT/SCTEA/Noise/hitoccupancymapECp_2_1",
    ),
    "doRawOccupancy": ("SCT/SCTB/hits/hitsmap_2_0", "SCT/SCTEC/hits/hitsmapECm_0_1"),
    "doLorentzAngle": (
        "SCT/GENERAL/lorentz/h_phiVsNstrips_111_1Side0",
        "SCT/GENERAL/lorentz/h_phiVsNstrips_100_3Side1",
    ),
    "doBSErrorDB": (
        "SCT/SCTB/errors/RawError/SCT_NumberOfRawErrorB_1_0",
        "SCT/SCTEA/errors/ROBFragmentError/SCT_NumberOfROBFragmentErrorEA_8_1",
    ),
}


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("how_many", [1, 2])
def test_missing_histograms_are_named_all_in_one_error(runs, tmp_path, part, how_many):
    paths = MISSING[part][:how_many]
    names = [path.rpartition("/")[2] for path in paths]
    hist = hidden(hist_of(runs("master")), tmp_path / "h.root", names)
    write_job(tmp_path, runs("master"), part, hist=hist)
    message = refused(tmp_path, 74)
    assert "histograms missing in run_267367: " in message
    assert all(path in message for path in paths)
    assert str(hist) in message


def test_missing_error_maps_of_any_kind_name_the_first_one_tried(runs, tmp_path):
    hist = patched(hist_of(runs("master")), tmp_path / "h.root", {b"SCT_NumberOf": b"XCT_NumberOf"})
    write_job(tmp_path, runs("master"), "doBSErrorDB", hist=hist)
    refused(
        tmp_path,
        74,
        "Unable to get profile for BSErrorsDB : run_267367/SCT/SCTEC/errors/ByteStreamParseError/"
        "SCT_NumberOfByteStreamParseErrorEC_0_0",
    )


def test_efficiencies_of_the_first_bcid_may_be_absent_as_before_2018(jobs, runs, tmp_path):
    hist = patched(hist_of(runs("21.0")), tmp_path / "h.root", {b"_bcid": b"_bciX"})
    write_job(tmp_path, runs("21.0"), "doEfficiency", hist=hist)
    log = run_job(tmp_path)
    assert "WARNING" in log
    assert "_bcid" in log
    summary = read_monitoring_summary(tmp_path / "EfficiencySummaryFile.xml")
    (_, means), (name, first) = summary.means
    assert (name, first.any()) == ("meanEff_bcid1", False)
    whole = read_monitoring_summary(output(jobs("21.0"), "EfficiencySummaryFile.xml"))
    assert means.tolist() == whole.means[0][1].tolist()
    modules = "EfficiencyModuleSummary.xml"
    assert (tmp_path / modules).read_bytes() == output(jobs("21.0"), modules).read_bytes()


def test_a_single_map_of_the_first_bcid_must_not_be_absent(runs, tmp_path):
    hist = hidden(hist_of(runs("master")), tmp_path / "h.root", ["p_eff_4_1_bcid"])
    write_job(tmp_path, runs("master"), "doEfficiency", hist=hist)
    assert "SCT/SCTEA/eff/p_eff_4_1_bcid" in refused(tmp_path, 74)


def test_profiles_of_layer_1_100_are_not_needed(jobs, runs, tmp_path):
    """21.0 books them; the job does the same without them, and says so."""
    names = [f"h_phiVsNstrips_100_1Side{side}" for side in (0, 1)]
    hist = hidden(hist_of(runs("21.0")), tmp_path / "h.root", names)
    write_job(tmp_path, runs("21.0"), "doLorentzAngle", hist=hist)
    assert "no profiles of layer 1 <100>: none is fitted" in run_job(tmp_path)
    for name in XML["doLorentzAngle"]:
        assert (tmp_path / name).read_bytes() == output(jobs("21.0"), name).read_bytes()


def test_without_the_first_counter_the_second_counts(runs, tmp_path):
    hist = hidden(hist_of(runs("21.0")), tmp_path / "h.root", ["NumberOfEventsVsLB"])
    write_job(tmp_path, runs("21.0"), "doRawOccupancy", hist=hist)
    assert "100000 events by GLOBAL/DQTDataFlow/events_lb" in run_job(tmp_path)


def test_without_any_counter_the_file_is_refused_not_taken_for_standby(runs, tmp_path):
    names = ["NumberOfEventsVsLB", "events_lb"]
    hist = hidden(hist_of(runs("master")), tmp_path / "h.root", names)
    write_job(tmp_path, runs("master"), "doRawOccupancy", hist=hist)
    message = refused(tmp_path, 74)
    assert "SCT/GENERAL/Conf/NumberOfEventsVsLB" in message
    assert "GLOBAL/DQTDataFlow/events_lb" in message


# ---- the file and the job do not fit


def test_file_of_another_run_is_refused(runs, tmp_path):
    """Neither the dataset nor the name of the file says it."""
    (tmp_path / "h.root").symlink_to(hist_of(runs("master")))
    job = json.loads(write_job(tmp_path, runs("master"), "doRawOccupancy").read_text())
    dataset = "data15_13TeV.00267368.express_express.merge.HIST.f1_h1"
    job["input"] = [{"dsn": dataset, "lfn": "h.root"}]
    (tmp_path / "job.json").write_text(json.dumps(job))
    message = refused(tmp_path, 74)
    assert "RunNumber in HIST is inconsistent with jobO : 267368; it has run 267367" in message


@pytest.mark.parametrize("kind", ["RAW", "HITMAP"])
def test_other_types_of_input_are_refused(runs, tmp_path, kind):
    job = json.loads(write_job(tmp_path, runs("master"), "doEfficiency").read_text())
    job["input"][0]["dsn"] = f"data15_13TeV.00267367.express_express.merge.{kind}.f1_h1"
    (tmp_path / "job.json").write_text(json.dumps(job))
    message = refused(tmp_path, 7)
    assert f"the inputs are of type {kind}" in message
    assert "Choose either of BS or HIST." in message


def test_a_part_that_reads_something_else_needs_a_job_of_its_own(runs, tmp_path):
    job = write_job(tmp_path, runs("master"), "doNoisyStrip", "doEfficiency", splitNoisyStrip=2)
    assert job.exists()
    message = refused(tmp_path, 7)
    assert "Both BS and HIST are set to be read. Choose either of BS or HIST." in message


def test_the_last_of_several_files_is_used(jobs, runs, tmp_path):
    job = json.loads(write_job(tmp_path, runs("master"), "doRawOccupancy").read_text())
    (last,) = job["input"]
    first = {**last, "lfn": str(hist_of(runs("no events"))), "events": 0}
    (tmp_path / "first").mkdir()
    link = tmp_path / "first" / "data15_13TeV.00267367.express_express.merge.HIST.f1_h1._0007.root"
    link.symlink_to(first["lfn"])
    job["input"] = [{**first, "lfn": str(link)}, last]
    (tmp_path / "job.json").write_text(json.dumps(job))
    log = run_job(tmp_path)
    assert (
        "WARNING The Histogram collection contains more than one histogram; using the last one."
        in log
    )
    name = "RawOccupancySummaryFile.xml"
    assert (tmp_path / name).read_bytes() == output(jobs("master"), name).read_bytes()


def test_a_damaged_file_is_refused(runs, tmp_path):
    data = hist_of(runs("master")).read_bytes()
    (tmp_path / "h.root").write_bytes(data[: len(data) // 2])
    write_job(tmp_path, runs("master"), "doRawOccupancy", hist=tmp_path / "h.root")
    assert "h.root" in refused(tmp_path, 74)


# ---- which maps hold the noise


@pytest.mark.parametrize(
    ("stem", "trigger", "quantity"),
    [
        ("noiseoccupancymap", True, "noise occupancy (trigger)"),
        ("noiseoccupancymap", False, "noise occupancy (noise)"),
        ("hitoccupancymap", True, "noise occupancy (trigger)"),
    ],
)
def test_noise_of_21_0_is_that_of_the_maps_that_are_asked_for(
    runs, tmp_path, stem, trigger, quantity
):
    options = [
        f'NoiseOccupancyHistogram = "{stem}"',
        f"NoiseOccupancyTriggerAware = {str(trigger).lower()}",
    ]
    write_job(tmp_path, runs("21.0"), "doNoiseOccupancy", options=options)
    run_job(tmp_path)
    done = CliRunner().invoke(
        compare_truth,
        ["--json", str(runs("21.0") / "truth.json"), str(tmp_path / "NoiseOccupancyFile.xml")],
    )
    assert done.exit_code == 0, done.output
    assert list(json.loads(done.stdout)["quantities"]) == [quantity]


@pytest.mark.parametrize(
    ("stem", "trigger"), [("noiseoccupancymap", False), ("hitoccupancymap", True)]
)
def test_there_is_no_fall_back_to_other_maps_of_noise(runs, tmp_path, stem, trigger):
    options = [
        f'NoiseOccupancyHistogram = "{stem}"',
        f"NoiseOccupancyTriggerAware = {str(trigger).lower()}",
    ]
    write_job(tmp_path, runs("master"), "doNoiseOccupancy", options=options)
    refused(
        tmp_path,
        74,
        f"SCT/SCTB/Noise/{stem}{'trigger' if trigger else ''}_",
        "the file has those of NoiseOccupancyHistogram 'hitoccupancymap' with "
        "NoiseOccupancyTriggerAware False, NoiseOccupancyHistogram 'noiseoccupancymap' with "
        "NoiseOccupancyTriggerAware True",
    )


def test_names_of_hit_maps_before_2010(jobs, runs, tmp_path):
    from sctcalib.simulate.hist_files import write_objects
    from sctcalib.simulate.hist_maps import objects
    from sctcalib.simulate.hist_model import measure, plan
    from sctcalib.simulate.hist_settings import HistSettings

    settings = HistSettings(run=RUN, seed=5)
    rng = np.random.default_rng(5)
    detector = plan(rng, settings)
    made = [
        (path.replace("hitsmapEC", "EC").replace("ECm_", "ECm_hitsmap_"), each)
        for path, each in objects(settings, measure(rng, settings, detector))
        if "/hits/" in path or "Conf/NumberOfEventsVsLB" in path
    ]
    made = [
        (path.replace("/ECp_", "/ECp_hitsmap_") if "SCTEA/hits" in path else path, each)
        for path, each in made
    ]
    write_objects(tmp_path / "h.root", RUN, iter(made))
    options = ["HistBefore2010 = true"]
    hist = tmp_path / "h.root"
    write_job(tmp_path, runs("master"), "doRawOccupancy", hist=hist, options=options)
    run_job(tmp_path)
    means = read_monitoring_summary(tmp_path / "RawOccupancySummaryFile.xml").means[0][1]
    hits = np.bincount(layer_of_wafer(), detector.hits) / np.bincount(layer_of_wafer())
    np.testing.assert_allclose(means, hits, rtol=0.01)
    (tmp_path / "again").mkdir()
    write_job(tmp_path / "again", runs("master"), "doRawOccupancy", hist=hist)
    assert "SCT/SCTEC/hits/hitsmapECm_" in refused(tmp_path / "again", 74)


# ---- run information


def test_run_information_in_the_run_directory_is_used(jobs, runs, tmp_path):
    copy_of_run_info(runs("master"), tmp_path)
    write_job(tmp_path, runs("master"), "doRawOccupancy", SCTCalibConfig=None)
    run_job(tmp_path)
    name = "RawOccupancySummaryFile.xml"
    assert (tmp_path / name).read_bytes() == output(jobs("master"), name).read_bytes()


@pytest.mark.parametrize("left_over", [False, True])
def test_without_run_information_labels_stay_empty(jobs, runs, tmp_path, left_over):
    if left_over:
        text = (runs("master") / "runInfo.txt").read_text()
        (tmp_path / "runInfo.txt").write_text(text.replace("267367", "267300", 1))
    write_job(tmp_path, runs("master"), "doRawOccupancy", SCTCalibConfig=None)
    log = run_job(tmp_path)
    reason = "is of run 267300, this job is of run 267367" if left_over else "not found"
    assert "WARNING" in log
    assert reason in log
    found = read_monitoring_summary(tmp_path / "RawOccupancySummaryFile.xml")
    assert (found.start, found.end, found.duration, found.lumi_blocks) == ("", "", 0, 0)
    whole = read_monitoring_summary(output(jobs("master"), "RawOccupancySummaryFile.xml"))
    assert found.means[0][1].tolist() == whole.means[0][1].tolist()
