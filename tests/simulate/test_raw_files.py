"""RAW files of a simulated run: what the reader finds is what the truth says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from sctcalib.bytestream.encoder_words import Mode
from sctcalib.bytestream.files import count_blocks, read_file_info
from sctcalib.bytestream.layout import ERROR_TYPES
from sctcalib.bytestream.maps import RawMaps
from sctcalib.cool import Database
from sctcalib.detector.cabling import default_cabling
from sctcalib.detector.identifiers import modules, wafers
from sctcalib.detector.readout import default_swap, per_chip
from sctcalib.detector.regions import N_WAFERS
from sctcalib.job.errors import OutOfRangeError, OutputFileError
from sctcalib.runs.run_info import read_run_info
from sctcalib.simulate import everything
from sctcalib.simulate.commands import simulate as command
from sctcalib.simulate.model import Defects
from sctcalib.simulate.raw_errors import LINK_ERRORS
from sctcalib.simulate.raw_files import JOBS, simulate_raw
from sctcalib.simulate.raw_settings import RawDefects, RawSettings
from sctcalib.simulate.raw_truth import RawTruth, is_raw_truth, read_raw_truth
from sctcalib.simulate.settings import Settings
from tests.simulate.raw_helpers import BASE, DEFECTS, SETTINGS, SMALL, read_files

CORE = "data15_13TeV.00267367.calibration_SCTNoise.daq.RAW._lb0000._SFO-1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("raw") / "run"
    simulate_raw(SETTINGS, path)
    return path


@pytest.fixture(scope="module")
def truth(folder) -> RawTruth:
    return read_raw_truth(folder / "truth.json")


@pytest.fixture(scope="module")
def maps(folder, truth) -> RawMaps:
    return read_files(folder, truth)


def test_files_have_the_names_of_tier_0(folder):
    names = {path.name for path in folder.iterdir()}
    assert names == {
        f"{CORE}._0001.data", f"{CORE}._0002.data", "truth.json", "runInfo.txt", "runs.json",
        "SCTCalibConfig.toml", *JOBS,
    }  # fmt: skip


def test_records_of_the_files_say_run_stream_and_events(folder, truth):
    for number, file in enumerate(truth.files, start=1):
        info = read_file_info(folder / file.raw)
        assert (info.version, info.run, info.file_number) == (6, 267367, number)
        assert info.name_core == CORE
        assert info.values["Stream"] == "calibration_SCTNoise"
        assert info.values["Project"] == "data15_13TeV"
        assert len(info.values["GUID"]) == 36
        assert info.end is not None
        assert (info.end.n_events, info.end.run_events) == (210, 210 * number)
        assert info.end.status == (number == 2)
        assert count_blocks(info) == 210


def test_every_hit_of_accepted_events_is_read(maps, truth):
    assert maps.damage.count == maps.files_incomplete == 0
    assert maps.n_events == truth.n_events == 418
    assert maps.counts.sum() == sum(file.hits for file in truth.files) > 10_000


def test_events_with_too_many_unknown_links_are_left_out(maps, truth):
    assert (truth.skipped_events, truth.tolerated_events) == (2, 2)
    assert (maps.events_unknown, maps.events_read) == (2, 420)
    assert maps.counters["unknown_ids"] == 2 * 11 + 2 * 10


def test_events_of_lumi_blocks_are_those_of_the_truth(maps, truth):
    np.testing.assert_array_equal(maps.lb_events[1:-1], truth.noisy.events_per_lumi_block)
    assert maps.events_outside_lbs == 0


def test_events_are_within_the_times_of_the_run(folder, maps):
    info = read_run_info(folder / "runInfo.txt", 267367)
    assert info is not None
    assert (info.end - info.start, info.n_lumi_blocks) == (1200, 20)
    assert info.start <= maps.first_time < info.start + 6
    assert info.end - 6 < maps.last_time < info.end


def test_errors_are_counted_exactly(maps, truth):
    expected = np.zeros((N_WAFERS, len(ERROR_TYPES)), dtype=np.int64)
    for error in truth.errors:
        for name, count in error.counts.items():
            expected[error.wafers, ERROR_TYPES.index(name)] += count
    np.testing.assert_array_equal(maps.errors, expected[:, :15])
    np.testing.assert_array_equal(maps.error_overflow, expected[:, 15:].sum(axis=1))
    kinds = {name for error in truth.errors for name in error.counts}
    assert kinds >= {*LINK_ERRORS} - {"TempMaskedChip"}
    assert kinds >= {"TruncatedROD", "MaskedROD", "RODClockError", "MissingLinkHeaderError"}
    assert sum(error.rod is not None for error in truth.errors) == 6


def test_dead_items_have_no_hit(maps, truth):
    dead = truth.dead
    assert (len(dead.strip), len(dead.chip), len(dead.links)) == (10, 3, 2)
    assert not maps.counts[dead.mask()].any()
    by_chip = per_chip(maps.counts, default_swap()).sum(axis=2).reshape(-1, 12)
    assert not by_chip[dead.chip_module, dead.chip].any()
    assert not maps.counts[dead.links].any()
    assert dead.mask().sum() == 10 + 3 * 128 + 2 * 768


def test_noisy_strips_fire_as_often_as_planted(maps, truth):
    planted = truth.noisy.planted
    found = maps.counts[planted.wafer, planted.strip] / maps.n_events
    sigma = np.sqrt(planted.occupancy * (1 - planted.occupancy) / maps.n_events)
    pull = (found - planted.occupancy) / sigma
    assert np.abs(pull).max() < 6
    assert abs(pull.mean()) < 5 / np.sqrt(len(pull))


def test_trips_are_noise_of_both_sides_within_their_bins(maps, truth):
    bins, hits, events = maps.time_bins.bins(), maps.time_bins.hits(), maps.time_bins.n_events()
    assert len(truth.trips) == 2
    for trip in truth.trips:
        assert trip.begin % 5 == trip.end % 5 == 0
        inside = (bins >= trip.begin // 5) & (bins < trip.end // 5)
        assert np.count_nonzero(inside) >= 6
        for wafer in (2 * trip.module, 2 * trip.module + 1):
            assert hits[inside, wafer].min() > 25  # five a second
            rate = hits[inside, wafer].sum() / events[inside].sum()
            assert rate == pytest.approx(trip.hits, rel=0.15)
            assert hits[~inside, wafer].max() < 10


def test_noisy_lumi_blocks_have_a_noisy_ring(maps, truth):
    assert len(truth.noisy_blocks) == 2
    for block in truth.noisy_blocks:
        ring = block.wafers()
        chips = (6 * ring[:, None] + np.arange(6)).reshape(-1)
        of_block = maps.chip_hits[block.lumi_block, chips] / maps.lb_events[block.lumi_block]
        assert len(chips) == 624
        assert of_block.mean() == pytest.approx(3.0, rel=0.05)
        other = maps.chip_hits[1 + block.lumi_block % 20, chips]
        assert other.sum() < 0.1 * maps.chip_hits[block.lumi_block, chips].sum()


def test_each_module_has_one_kind_of_defect(truth):
    kinds = [
        np.unique(truth.noisy.planted.wafer // 2),
        np.unique(truth.dead.strip_wafer // 2),
        truth.dead.chip_module,
        truth.dead.links // 2,
        np.array([trip.module for trip in truth.trips]),
        np.unique([e.wafers[0] // 2 for e in truth.errors if e.rod is None]),
    ]
    together = np.concatenate(kinds)
    assert len(np.unique(together)) == len(together)


def test_dictionaries_name_the_files_and_their_parts(folder, truth):
    parts = {
        "job_split0.json": ("doNoisyStrip", 0, "NOISYSTRIP.c0_c0"),
        "job_split1.json": ("doNoisyStrip", 1, "HITMAP.c0"),
        "job_dead_strip.json": ("doDeadStrip", 0, "DEADSTRIP.c0_c0"),
        "job_dead_chip.json": ("doDeadChip", 0, "DEADCHIP.c0_c0"),
        "job_hv.json": ("doHV", 0, "HV.c0_c0"),
        "job_noisy_lb.json": ("doNoisyLB", 0, "NOISYLB.c0_c0"),
    }
    for name, (part, split, task) in parts.items():
        job = json.loads((folder / name).read_text())
        outputs = f"data15_13TeV.00267367.calibration_SCTNoise.sctcal.{task}"
        assert job["part"] == [part]
        assert job["splitNoisyStrip"] == split
        assert job["prefix"] == f"{outputs}#{outputs}._0001"
        assert job["SCTCalibConfig"] == ["SCTCalibConfig.toml"]
        assert [item["lfn"] for item in job["input"]] == [file.raw for file in truth.files]
        assert {item["dsn"] for item in job["input"]} == {CORE.removesuffix("._lb0000._SFO-1")}


def test_truth_is_read_as_written(folder, truth, tmp_path):
    assert is_raw_truth(folder / "truth.json")
    truth.write(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (folder / "truth.json").read_bytes()


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        simulate_raw(SMALL, tmp_path / name)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    other = replace(SMALL, base=replace(SMALL.base, seed=6))
    simulate_raw(other, tmp_path / "c")
    raw = SMALL.file_name(1)
    assert contents(tmp_path / "a")[raw] != contents(tmp_path / "c")[raw]


@pytest.mark.parametrize(
    ("mode", "event_format", "compress"),
    [
        (Mode.CONDENSED, "5.0", True),
        (Mode.EXPANDED, "4.0", False),
        (Mode.SUPER, "4.0", True),
        (Mode.SUPER, "5.0", False),
    ],
)
def test_modes_and_formats_hold_the_same_hits(tmp_path, mode, event_format, compress):
    small = replace(SMALL, occupancy=0.004, lit="disk:8")
    settings = replace(small, mode=mode, event_format=event_format, compress=compress)
    expected = read_files(tmp_path, simulate_raw(small, tmp_path), small).counts
    truth = simulate_raw(settings, tmp_path / "other")
    info = read_file_info(tmp_path / "other" / truth.files[0].raw)
    assert info.version == (5 if event_format == "4.0" else 6)
    assert info.is_compressed == (compress and event_format == "4.0")
    found = read_files(tmp_path / "other", truth, settings)
    np.testing.assert_array_equal(found.counts, expected)
    plain = (tmp_path / small.file_name(1)).stat().st_size
    assert (info.size < 0.7 * plain) == compress


def test_run_1_has_the_cabling_of_90_rods(tmp_path):
    settings = replace(SMALL, base=replace(SMALL.base, project="data12_8TeV"), event_format="4.0")
    truth = simulate_raw(settings, tmp_path)
    maps = read_files(tmp_path, truth, settings)
    assert maps.rod_ids.tolist() == default_cabling(90).rod_ids.tolist()
    assert maps.counts.sum() == truth.files[0].hits


@pytest.mark.parametrize(
    ("lit", "chosen"),
    [
        ("all", lambda w: w.bec < 9),
        ("barrel", lambda w: w.bec == 0),
        ("endcaps", lambda w: w.bec != 0),
        ("barrel:2", lambda w: (w.bec == 0) & (w.layer == 2)),
        ("disk:3", lambda w: (w.bec != 0) & (w.layer == 3)),
    ],
)
def test_particles_hit_where_they_are_wanted(tmp_path, lit, chosen):
    base = replace(SMALL.base, n_events=12, defects=Defects(0, 0, 0, 0))
    settings = RawSettings(base, RawDefects(dead_links=20), occupancy=0.02, lit=lit)
    truth = simulate_raw(settings, tmp_path)
    occupancy = read_files(tmp_path, truth, settings).counts.mean(axis=1) / 12
    is_lit = chosen(wafers())
    assert is_lit[truth.dead.links].all()
    is_lit[truth.dead.links] = False
    assert occupancy[is_lit].mean() == pytest.approx(0.02, rel=0.01)
    assert occupancy[~is_lit].max(initial=0) < 0.002


def test_pile_up_gives_the_occupancies_of_the_layers(tmp_path):
    base = replace(SMALL.base, n_events=12, defects=Defects(0, 0, 0, 0))
    settings = RawSettings(base, pile_up=30)
    counts = read_files(tmp_path, simulate_raw(settings, tmp_path), settings).counts
    occupancy, m = counts.reshape(-1, 1536).mean(axis=1) / 12, modules()
    for layer, expected in enumerate((3.0e-4, 2.0e-4, 1.4e-4, 1.0e-4)):
        found = occupancy[(m.bec == 0) & (m.layer == layer)].mean()
        assert found == pytest.approx(30 * expected, rel=0.03)


def test_a_run_is_replaced_as_a_whole_and_other_runs_are_kept(tmp_path):
    two = replace(SMALL, base=replace(SMALL.base, n_files=2, previous_run=267360))
    simulate_raw(two, tmp_path)
    assert (tmp_path / "conditions.db").exists()
    simulate_raw(SMALL, tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {
        f"{CORE}._0001.data",
        "truth.json",
        "runInfo.txt",
        "runs.json",
        "SCTCalibConfig.toml",
        *JOBS,
    }
    other = replace(SMALL, base=replace(SMALL.base, run=267368))
    with pytest.raises(OutputFileError, match="of run 267367, not 267368"):
        simulate_raw(other, tmp_path)
    simulate_raw(other, tmp_path, force=True)
    assert read_raw_truth(tmp_path / "truth.json").noisy.run == 267368


def test_files_of_unknown_origin_are_kept(tmp_path):
    (tmp_path / "truth.json").write_text("{}")
    with pytest.raises(OutputFileError, match="another simulation"):
        simulate_raw(SMALL, tmp_path)


def test_previous_run_is_in_a_database(tmp_path):
    settings = replace(SMALL, base=replace(SMALL.base, previous_run=267360))
    truth = simulate_raw(settings, tmp_path)
    with Database.open(tmp_path / "conditions.db") as database:
        assert database.has_folder("/SCT/Derived/Monitoring")
    assert truth.noisy.reference is not None
    configuration = (tmp_path / "SCTCalibConfig.toml").read_text()
    assert configuration == 'ConditionsDatabase = "conditions.db"\nRunInfo = "runInfo.txt"\n'


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"occupancy": 0.01, "pile_up": 20}, "not both"),
        ({"occupancy": 0.05}, "occupancy 0.05 is outside 0-0.045"),
        ({"occupancy": -0.1}, "outside 0-0.045"),
        ({"pile_up": 151}, "mu 151 outside 0-150"),
        ({"lit": "endcapA"}, "'endcapA' is none of all, barrel"),
        ({"base": replace(BASE, n_events=0)}, "at least one event"),
        ({"base": replace(BASE, n_events=300)}, "15.0 events in a lumi block are too few"),
        ({"defects": RawDefects(noisy_lumi_blocks=3)}, "at most a tenth"),
        ({"defects": RawDefects(unknown_ids=60)}, "at most an eighth of the events"),
        (
            {"defects": RawDefects(hv_trips=1), "base": replace(BASE, n_events=60)},
            "too few for HV trips: a trip of 32 bins",
        ),
        (
            {"defects": RawDefects(hv_trips=1), "base": replace(BASE, n_lumi_blocks=2)},
            "too few for",
        ),
    ],
)
def test_settings_that_cannot_be_are_refused(changes, message):
    with pytest.raises(OutOfRangeError, match=message):
        replace(SETTINGS, **changes)


def test_more_defects_than_modules_are_refused(tmp_path):
    crowded = replace(SETTINGS, defects=RawDefects(dead_links=4100))
    with pytest.raises(OutOfRangeError, match="4100 modules with defects do not fit"):
        simulate_raw(crowded, tmp_path)
    assert not list(tmp_path.iterdir())


def test_command_plants_what_its_options_say(tmp_path):
    options = (
        "raw --run 267367 --events 40 --lumi-blocks 2 --seed 9 --noisy 3 --near 0 --noisy-chips 0"
        " --hot-wafers 0 --dead-strips 4 --dead-chips 2 --dead-links 1 --hv-trips 0 --noisy-lbs 0"
        " --errors 3 --rod-errors 1 --unknown-ids 1 --mode super --format 4.0 --compress"
        " --stream physics_Main --project data12_8TeV"
    )
    result = CliRunner().invoke(command, [*options.split(), str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert "Run 267367: 40 events in 1 file." in result.output
    assert f"sctcalib run {tmp_path / 'job_split0.json'} --input-dir {tmp_path}" in result.output
    truth = read_raw_truth(tmp_path / "truth.json")
    assert len(truth.noisy.planted.wafer) == 3
    assert (len(truth.dead.strip), len(truth.dead.chip), len(truth.dead.links)) == (4, 2, 1)
    assert (len(truth.errors), truth.skipped_events) == (4, 1)
    info = read_file_info(tmp_path / truth.files[0].raw)
    assert (info.version, info.is_compressed) == (5, True)
    assert info.name_core.startswith("data12_8TeV.00267367.physics_Main.daq.RAW")


def test_command_refuses_without_traceback(tmp_path):
    arguments = ["raw", "--run", "267367", "--lit", "moon", str(tmp_path)]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 5
    assert result.output.startswith("Error: region 'moon' is none of")
    assert not list(tmp_path.iterdir())


def test_everything_is_in_folders_of_its_own(tmp_path, monkeypatch):
    made: dict[str, object] = {}

    def note(settings, folder, *, force):
        made[folder.name] = settings
        assert folder.parent == tmp_path
        assert not force

    for name in ("simulate", "simulate_hist", "simulate_raw"):
        monkeypatch.setattr(everything, name, note)
    result = CliRunner().invoke(command, ["all", "--run", "267400", "--seed", "3", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert tuple(made) == ("hitmaps", "hist", "hist-21.0", "raw", "dead")
    assert made["hitmaps"].previous_run == 267393
    assert (made["hist"].style, made["hist-21.0"].style) == ("master", "21.0")
    assert made["raw"].base.stream == "calibration_SCTNoise"
    assert (made["dead"].base.stream, made["dead"].lit) == ("express_express", "barrel:0")
    assert {getattr(s, "base", s).run for s in made.values()} == {267400}
    assert {getattr(s, "base", s).seed for s in made.values()} == {3}
    assert isinstance(made["raw"].base, Settings)
    assert made["raw"].defects != DEFECTS
