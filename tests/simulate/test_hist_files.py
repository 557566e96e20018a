"""Files of a simulated HIST run: names, truth, what is overwritten, the command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.testing import assert_array_equal

from sctcalib.histograms.monitoring import open_hist
from sctcalib.job.errors import InputFileError, OutputFileError
from sctcalib.runs.run_info import read_run_info
from sctcalib.simulate.commands import simulate
from sctcalib.simulate.hist_files import job_dictionaries, simulate_hist
from sctcalib.simulate.hist_settings import TASKS, HistSettings
from sctcalib.simulate.hist_truth import is_hist_truth, read_hist_truth

RUN = 267_367


def settings(**changes: object) -> HistSettings:
    return HistSettings(**{"run": RUN, "n_events": 6000, **changes})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hist")
    simulate_hist(settings(), path)
    return path


def test_the_folder_holds_everything_that_a_job_needs(folder):
    jobs = {"job.json", *(f"job_{part}.json" for part in TASKS)}
    others = {
        "truth.json", "runInfo.txt", "runs.json", "SCTCalibConfig.toml", settings().file_name,
    }  # fmt: skip
    assert {path.name for path in folder.iterdir()} == jobs | others
    info = read_run_info(folder / "runInfo.txt", RUN)
    assert info is not None
    assert info.n_lumi_blocks == 100


def test_jobs_name_the_part_and_the_file(folder):
    for name, job in job_dictionaries(settings()).items():
        assert json.loads((folder / name).read_text()) == job
        assert job["input"] == [
            {"dsn": settings().dataset, "lfn": settings().file_name, "events": 6000}
        ]
    jobs = job_dictionaries(settings())
    assert jobs["job.json"]["part"] == list(TASKS)
    assert jobs["job_doBSErrorDB.json"]["part"] == ["doBSErrorDB"]
    assert len({job["prefix"] for job in jobs.values()}) == len(jobs)


def test_the_truth_is_read_back_as_it_was(folder):
    truth = read_hist_truth(folder / "truth.json")
    again = folder / "again.json"
    truth.write(again)
    second = read_hist_truth(again)
    again.unlink()
    made = simulate_hist(settings(), folder)
    for other in (second, made):
        for name in ("enabled", "efficiency", "noise", "hits"):
            assert_array_equal(getattr(truth.detector, name), getattr(other.detector, name))
        assert truth.detector.lorentz == other.detector.lorentz
        assert_array_equal(truth.crossings, other.crossings)
        assert_array_equal(truth.errors, other.errors)
        assert truth.clusters == other.clusters
        assert (truth.run, truth.n_events, truth.trigger_events) == (RUN, 6000, 60)
        assert (truth.style, truth.file) == (other.style, other.file)


def test_truths_of_the_two_simulations_are_told_apart(folder, tmp_path):
    assert is_hist_truth(folder / "truth.json")
    assert not is_hist_truth(tmp_path / "absent.json")
    (tmp_path / "other.json").write_text('{"format": 1}')
    assert not is_hist_truth(tmp_path / "other.json")
    (tmp_path / "list.json").write_text("[]")
    assert not is_hist_truth(tmp_path / "list.json")


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("kind", "hits", "kind and format are"),
        ("format", 2, "kind and format are"),
        ("efficiency", [1.0], "efficiency must be 8176 numbers"),
        ("noise", [-1.0] * 8176, "noise must be 8176 numbers from 0 on"),
        ("hits", None, "hits must be 8176 numbers"),
        ("lorentz", [], "lorentz must have the 16 combinations"),
        ("errors", [{"wafer": 8176}], "errors has wafer 8176"),
        ("errors", [{}], "'wafer' is missing"),
        ("run", "x", "invalid literal"),
        ("crossings", ..., "'crossings' is missing"),
    ],
)
def test_a_truth_with_a_mistake(folder, tmp_path, name, value, reason):
    content = json.loads((folder / "truth.json").read_text())
    content[name] = value
    if value is ...:
        del content[name]
    path = tmp_path / "truth.json"
    path.write_text(json.dumps(content))
    with pytest.raises(InputFileError) as error:
        read_hist_truth(path)
    assert f"{path}: is not the truth of a simulated HIST file: " in str(error.value)
    assert reason in str(error.value)


def test_the_same_seed_gives_the_same_histograms_and_truth(folder, tmp_path):
    simulate_hist(settings(), tmp_path)
    for name in ("truth.json", "runInfo.txt", "job.json"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()
    with (
        open_hist(folder / settings().file_name, RUN) as one,
        open_hist(tmp_path / settings().file_name, RUN) as two,
    ):
        assert_array_equal(one.hits().content, two.hits().content)
        assert_array_equal(one.efficiency().content, two.efficiency().content)
        assert_array_equal(one.errors().content, two.errors().content)


def test_another_seed_gives_another_detector(folder, tmp_path):
    made = simulate_hist(settings(seed=2), tmp_path)
    first = read_hist_truth(folder / "truth.json")
    assert np.count_nonzero(made.detector.noise != first.detector.noise) > 8000


def test_another_run_is_not_overwritten_unasked(tmp_path):
    simulate_hist(settings(), tmp_path)
    before = (tmp_path / "truth.json").read_bytes()
    other = settings(run=267_368)
    with pytest.raises(OutputFileError, match=f"of run {RUN}, not 267368.*--force"):
        simulate_hist(other, tmp_path)
    assert (tmp_path / "truth.json").read_bytes() == before
    assert not (tmp_path / other.file_name).exists()
    simulate_hist(other, tmp_path, force=True)
    assert (tmp_path / other.file_name).exists()


def test_files_of_unknown_origin_are_not_overwritten_unasked(tmp_path):
    (tmp_path / "job.json").write_text("mine")
    with pytest.raises(OutputFileError, match=r"holds job.json of another simulation.*--force"):
        simulate_hist(settings(), tmp_path)
    assert (tmp_path / "job.json").read_text() == "mine"


def test_the_same_run_in_another_stream_replaces_the_file(tmp_path):
    simulate_hist(settings(), tmp_path)
    other = settings(stream="physics_Main")
    simulate_hist(other, tmp_path)
    assert (tmp_path / other.file_name).exists()
    assert not (tmp_path / settings().file_name).exists()


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputFileError, match="cannot be written"):
        simulate_hist(settings(), tmp_path / "file")


@pytest.mark.parametrize("style", ["21.0", "master"])
@pytest.mark.parametrize("events", [0, 6000])
def test_files_of_standby_are_whole_and_empty(tmp_path, style, events):
    made = settings(style=style, is_empty=True, n_events=events)
    simulate_hist(made, tmp_path)
    with open_hist(tmp_path / made.file_name, RUN) as hist:
        assert hist.n_events == events
        assert not hist.efficiency().filled
        assert not hist.hits().filled
        occupancy = hist.occupancy("hitoccupancymap", trigger=False)
        assert not occupancy.content.any()
        assert occupancy.filled == (events > 0)  # good sides have entries, also without hits
        assert not hist.errors().content.any()
        assert not any(p.entries.any() for p in hist.lorentz().values() if p is not None)


def test_the_command_makes_the_files(tmp_path):
    words = ["hist", "--run", "5", "--style", "21.0", "--events", "5000", "--seed", "3"]
    words += ["--noisy-layer", "barrel:1", "--noisy-layer", "endcapA:2", "--errors", "7"]
    words += ["--inefficient", "2", "--disabled", "1", "--lorentz", "-3.5", "--lumi-blocks", "9"]
    words += ["--lorentz-tracks", "2", "--project", "data18_hi", "--stream", "physics_Main"]
    result = CliRunner().invoke(simulate, [*words, str(tmp_path)])
    assert result.exit_code == 0, result.output
    truth = read_hist_truth(tmp_path / "truth.json")
    assert (truth.run, truth.n_events, truth.style) == (5, 5000, "21.0")
    assert truth.file.startswith("data18_hi.00000005.physics_Main.merge.HIST.")
    assert 0 < np.count_nonzero(truth.errors.any(axis=1)) <= 7
    assert truth.detector.lorentz[1, 0, 111].angle == pytest.approx(-3.5, abs=0.2)
    assert np.count_nonzero(~truth.detector.enabled) == 2
    assert truth.file in result.output
    assert "sctcalib run" in result.output
    content = json.loads((tmp_path / "truth.json").read_text())
    assert content["noisy_layers"] == ["Barrel:1", "EndCapA:2"]


def test_a_users_mistake_is_one_line(tmp_path):
    words = ["hist", "--run", "5", "--noisy-layer", "barel:1", str(tmp_path)]
    result = CliRunner().invoke(simulate, words)
    assert result.exit_code == 5
    assert result.output.startswith("Error: layer 'barel:1' is none of barrel:0-3")
    assert len(result.output.splitlines()) == 1
    assert not list(tmp_path.iterdir())
