"""The files of a simulated run, and the commands that make and judge them."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from sctcalib.cool import Database
from sctcalib.detector.readout import default_swap, per_chip
from sctcalib.detector.regions import N_CHIPS_PER_SIDE, N_WAFERS
from sctcalib.histograms.hitmaps import HitMaps, read_hitmaps
from sctcalib.histograms.lumiblocks import LumiBlockMaps, read_lumi_blocks
from sctcalib.job.errors import OutOfRangeError, OutputFileError
from sctcalib.parts import strip_lists
from sctcalib.runs.run_info import read_run_info
from sctcalib.simulate.commands import simulate as command
from sctcalib.simulate.comparison import strip_mask
from sctcalib.simulate.earlier_run import FOLDER, TAG
from sctcalib.simulate.files import simulate
from sctcalib.simulate.model import Defects
from sctcalib.simulate.settings import Settings
from sctcalib.simulate.truth import Truth, read_truth

SETTINGS = Settings(
    run=267367,
    n_events=2001,
    n_files=2,
    n_lumi_blocks=7,
    lbs_per_window=3,
    seed=11,
    defects=Defects(noisy=40, near=5, noisy_chips=2, hot_wafers=1),
    previous_run=267360,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("simulated") / "run"
    simulate(SETTINGS, path)
    return path


@pytest.fixture(scope="module")
def truth(folder) -> Truth:
    return read_truth(folder / "truth.json")


@pytest.fixture(scope="module")
def maps(folder, truth) -> list[tuple[HitMaps, LumiBlockMaps]]:
    return [
        (read_hitmaps(folder / f.hit_map), read_lumi_blocks(folder / f.lumi_blocks))
        for f in truth.files
    ]


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def checksums(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_files_of_a_run(folder):
    dataset = "data15_13TeV.00267367.calibration_SCTNoise.sctcal.HITMAP.c0"
    assert names_in(folder) == [
        "SCTCalibConfig.toml",
        "conditions.db",
        f"{dataset}._0001.SCTHitMaps.root.1",
        f"{dataset}._0001.SCTLB.root.1",
        f"{dataset}._0002.SCTHitMaps.root.1",
        f"{dataset}._0002.SCTLB.root.1",
        "job.json",
        "runInfo.txt",
        "runs.json",
        "truth.json",
    ]


def test_events_of_files_maps_and_truth_agree(maps, truth):
    assert [f.events for f in truth.files] == [1000, 1001]
    assert [hit_map.n_events for hit_map, _ in maps] == [1000, 1001]
    assert [blocks.n_events for _, blocks in maps] == [1000, 1001]
    per_block = sum(blocks.events for _, blocks in maps)
    assert np.array_equal(per_block, truth.events_per_lumi_block)
    assert truth.n_events == SETTINGS.n_events


def test_files_follow_each_other_in_time(maps):
    first, second = (np.flatnonzero(blocks.events) for _, blocks in maps)
    assert first[-1] <= second[0]


def test_hits_of_hit_map_and_lumi_blocks_agree(maps):
    for hit_map, blocks in maps:
        assert np.array_equal(hit_map.entries, hit_map.counts.sum(axis=1))
        per_chip_maps = blocks.contents.sum(axis=1).reshape(N_WAFERS, N_CHIPS_PER_SIDE)
        assert np.array_equal(per_chip_maps.sum(axis=1), hit_map.entries)
        # clusters across a chip edge count for the chip of their first strip: a few hits differ
        hits = per_chip(hit_map.counts, default_swap()).sum(axis=2)
        assert np.abs(per_chip_maps - hits).sum() <= 0.01 * hits.sum()


def test_planted_strips_fire_at_their_rate_and_no_other_strip_does(maps, truth):
    counts = sum(hit_map.counts.astype(np.int64) for hit_map, _ in maps)
    p, n = truth.planted, truth.n_events
    pull = (counts[p.wafer, p.strip] / n - p.occupancy) / np.sqrt(
        p.occupancy * (1 - p.occupancy) / n
    )
    assert np.abs(pull).max() < 5
    counts[p.wafer, p.strip] = 0
    assert truth.highest_background < 2e-3
    assert counts.max() <= 0.01 * n


def test_run_info_is_read_back(folder):
    info = read_run_info(folder / "runInfo.txt", 267367)
    assert info is not None
    assert (info.project, info.n_lumi_blocks, info.duration) == ("data15_13TeV", 7, 420)
    assert info.partitions == ("SCTBA", "SCTBC", "SCTEA", "SCTEC")


def test_job_dictionary_names_the_files_and_the_configuration(folder, truth):
    job = json.loads((folder / "job.json").read_text())
    assert job["part"] == ["doNoisyStrip"]
    assert (job["splitNoisyStrip"], job["maxEvents"]) == (2, 1)
    assert job["SCTCalibConfig"] == ["SCTCalibConfig.toml"]
    assert [item["lfn"] for item in job["input"]] == [
        name for f in truth.files for name in (f.hit_map, f.lumi_blocks)
    ]
    assert [item["events"] for item in job["input"]] == [1000, 1000, 1001, 1001]
    for item in job["input"]:
        assert item["lfn"].startswith(item["dsn"] + "._000")
        assert (folder / item["lfn"]).is_file()
    assert tomllib.loads((folder / "SCTCalibConfig.toml").read_text()) == {
        "ConditionsDatabase": "conditions.db",
        "RunInfo": "runInfo.txt",
    }


def test_conditions_database_holds_the_earlier_run(folder, truth):
    with Database.open(folder / "conditions.db", "CONDBR2") as database:
        objects = database.folder(FOLDER).browse(tag=TAG)
    assert len(objects) == 4088
    assert {(o.since, o.until) for o in objects} == {(267360 << 32, (267360 << 32) + 0xFFFFFFFF)}
    lists = {
        module: strip_lists.decode(o.payload["DefectList"])
        for module, o in enumerate(objects)
        if o.payload["DefectList"]
    }
    assert np.array_equal(strip_mask(lists), strip_mask(truth.reference.strips))
    first = objects[0].payload
    assert (first["SampleSize"], first["DefectType"]) == (10_000, "NOISY")
    assert first["Threshold"] == pytest.approx(0.015)
    barrel = next(o for o in objects if o.channel == 174172160).payload
    assert [barrel[name] for name in ("BarrelEndcap", "Layer", "Eta", "Phi")] == [0, 3, -1, 3]


def test_new_gone_and_common_strips_relative_to_the_earlier_run(truth):
    now = np.zeros((N_WAFERS, 768), dtype=bool)
    now[truth.planted.wafer, truth.planted.strip] = True
    before = strip_mask(truth.reference.strips)
    assert np.count_nonzero(before & now) > 32
    assert np.count_nonzero(before & ~now) == 8
    assert np.count_nonzero(now & ~before) > 8


def test_same_seed_same_bytes_and_another_seed_others(tmp_path):
    few = {"run": 267367, "n_events": 300, "n_lumi_blocks": 2, "previous_run": 267360}
    for name, seed in (("one", 12), ("again", 12), ("other", 13)):
        simulate(Settings(**few, seed=seed), tmp_path / name)
    one, again, other = (checksums(tmp_path / name) for name in ("one", "again", "other"))
    assert one == again
    assert one.keys() == other.keys()
    assert {name for name in one if one[name] == other[name]} == {
        "SCTCalibConfig.toml", "job.json", "runInfo.txt", "runs.json",
    }  # fmt: skip


def run_command(*arguments: object):
    return CliRunner().invoke(command, ["hitmaps", *map(str, arguments)])


def test_standby_run_has_empty_maps(tmp_path):
    result = run_command(tmp_path / "standby", "--run", 5, "--empty", "--lumi-blocks", 3)
    assert result.exit_code == 0, result.output
    assert "0 events in 1 pair of files, 0 planted strips" in result.output
    truth = read_truth(tmp_path / "standby" / "truth.json")
    assert (truth.n_events, len(truth.planted.wafer)) == (0, 0)
    (files,) = truth.files
    hit_map = read_hitmaps(tmp_path / "standby" / files.hit_map)
    blocks = read_lumi_blocks(tmp_path / "standby" / files.lumi_blocks)
    assert hit_map.n_events == blocks.n_events == 0
    assert hit_map.counts.sum() == blocks.contents.sum() == 0
    assert len(blocks.events) == 3


def test_files_of_another_run_are_not_overwritten(tmp_path):
    quick = ("--events", 20, "--lumi-blocks", 2)
    assert run_command(tmp_path, "--run", 5, *quick).exit_code == 0
    before = checksums(tmp_path)
    refused = run_command(tmp_path, "--run", 6, *quick)
    assert refused.exit_code == OutputFileError.code
    assert "job.json, runInfo.txt, runs.json, truth.json of run 5, not 6" in refused.output
    assert "--force" in refused.output
    assert checksums(tmp_path) == before
    forced = run_command(tmp_path, "--run", 6, *quick, "--force")
    assert forced.exit_code == 0
    assert read_truth(tmp_path / "truth.json").run == 6


def test_foreign_files_are_not_overwritten(tmp_path):
    (tmp_path / "job.json").write_text("{}")
    refused = run_command(tmp_path, "--run", 6, "--events", 20)
    assert refused.exit_code == OutputFileError.code
    assert "holds job.json of an unknown run" in refused.output
    assert (tmp_path / "job.json").read_text() == "{}"


def test_the_same_run_again_replaces_all_its_files(tmp_path):
    few = {"run": 5, "n_events": 20, "n_lumi_blocks": 2, "defects": Defects(2, 0, 0, 0)}
    simulate(Settings(**few, n_files=2, previous_run=4), tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    assert len(names_in(tmp_path)) == 11
    simulate(Settings(**few), tmp_path)
    assert [name for name in names_in(tmp_path) if not name.startswith("data15")] == [
        "job.json", "notes.txt", "runInfo.txt", "runs.json", "truth.json",
    ]  # fmt: skip
    assert len(names_in(tmp_path)) == 7


def test_nothing_is_left_of_a_failed_simulation(tmp_path, monkeypatch):
    def fails(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sctcalib.simulate.files.write_lumi_blocks", fails)
    with pytest.raises(OutputFileError, match="No space left on device"):
        simulate(Settings(run=5, n_events=20, n_lumi_blocks=2), tmp_path)
    assert names_in(tmp_path) == []


def test_counts_that_a_map_cannot_hold_are_explained(tmp_path, monkeypatch):
    monkeypatch.setattr("sctcalib.histograms.filling.LARGEST_COUNT", 10)
    result = run_command(tmp_path, "--run", 5, "--events", 100, "--lumi-blocks", 2)
    assert result.exit_code == OutOfRangeError.code
    assert "simulate fewer than 100 events per file" in result.output
    assert names_in(tmp_path) == []


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [((), 2, "Missing option '--run'"),
     (("--run", "0"), 5, "run 0 is outside 1-"),
     (("--run", "5", "--files", "0"), 2, "0 is not in the range"),
     (("--run", "5", "--empty", "--events", "3"), 2, "--empty is a run without events"),
     (("--run", "5", "--project", "mc"), 5, "project 'mc' is not of the form"),
     (("--run", "5", "--previous-run", "5"), 5, "previous run 5 must be before run 5"),
     (("--run", "5", "--noisy-chips", "5000"), 5, "do not fit")],
)  # fmt: skip
def test_mistakes_on_the_command_line_are_explained(tmp_path, arguments, code, complaint):
    result = run_command(tmp_path / "x", *arguments)
    assert result.exit_code == code
    assert complaint in result.output
    assert "Traceback" not in result.output
    assert not (tmp_path / "x").exists()


def test_folder_that_cannot_be_made_is_an_output_error(tmp_path):
    (tmp_path / "file").write_text("")
    result = run_command(tmp_path / "file" / "x", "--run", 5, "--events", 20)
    assert result.exit_code == OutputFileError.code
    assert "cannot be written" in result.output


def test_help_has_examples():
    assert "sctcalib simulate hitmaps --run 267367" in run_command("--help").output
