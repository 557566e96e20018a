"""What a job asks of the decoder: lumi blocks, majority, cabling, threads, what is filled."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sctcalib.configuration import load_configuration
from sctcalib.detector.cabling import default_cabling
from sctcalib.detector.cabling_file import write_cabling
from sctcalib.job.errors import InputFileError, JobError
from sctcalib.job.inputs import resolve_inputs
from sctcalib.workflows import raw_maps
from tests.support.raw import DATASET, RUN, write_empty_raw, write_majority

HIT_PARTS = ["doNoisyStrip", "doDeadStrip", "doDeadChip", "doQuietStrip", "doQuietChip"]


class FakeJob(SimpleNamespace):
    """As much of a job as the decoding needs."""

    def found_events(self, file: Any, events: int) -> None:
        self.counted[file.base_name] = events


def job(here: Path, *parts: str, lines: tuple[str, ...] = (), **more: Any) -> FakeJob:
    path = here / "options.toml"
    path.write_text("\n".join(lines))
    defaults = {
        "arguments": {"part": list(parts), "maxEvents": -1, "skipEvents": 0},
        "configuration": load_configuration([str(path)]),
        "directory": here,
        "run": RUN,
        "inputs": SimpleNamespace(project="data15_13TeV"),
        "shared": {},
        "counted": {},
    }
    return FakeJob(**{**defaults, **more})


# ---- what is filled


@pytest.mark.parametrize("part", HIT_PARTS)
def test_hit_maps_are_for_parts_that_judge_strips(tmp_path, part):
    settings = raw_maps._settings(job(tmp_path, part))
    assert settings.hits
    assert settings.lumi_blocks == (part == "doNoisyStrip")
    assert settings.errors == (part != "doNoisyStrip")
    assert settings.hv_bin_seconds is None


def test_trips_need_time_bins_only(tmp_path):
    settings = raw_maps._settings(job(tmp_path, "doHV", lines=("HVBinWidth = 7",)))
    assert (settings.hits, settings.lumi_blocks, settings.errors) == (False, False, False)
    assert settings.hv_bin_seconds == 7
    # a float always, or the decoder is compiled a second time
    assert isinstance(settings.hv_bin_seconds, float)


def test_noisy_lumi_blocks_need_lumi_block_maps_only(tmp_path):
    settings = raw_maps._settings(job(tmp_path, "doNoisyLB", lines=("LbsPerWindow = 20",)))
    assert settings.lumi_blocks
    assert settings.lbs_per_window == 20
    assert (settings.hits, settings.errors) == (False, False)


def test_several_parts_get_what_each_of_them_needs(tmp_path):
    settings = raw_maps._settings(job(tmp_path, "doHV", "doDeadChip", "doNoisyLB"))
    assert settings.hits
    assert settings.lumi_blocks
    assert settings.errors
    assert settings.hv_bin_seconds == 5


def test_bad_links_change_the_decoding(tmp_path):
    assert raw_maps._settings(job(tmp_path, "doHV")).good_links is None
    (tmp_path / "bad.json").write_text(json.dumps({"links": [[0, 3, 21, 4, 1]]}))
    settings = raw_maps._settings(job(tmp_path, "doHV", lines=('BadChannels = "bad.json"',)))
    assert settings.good_links is not None
    assert settings.good_links.shape == (4088, 2)
    assert (~settings.good_links).sum(axis=0).tolist() == [0, 1]


# ---- majority


def test_edges_of_majority_intervals_are_kept_to_the_second():
    """An event of second s is inside [since, until) if since <= s < until."""
    given = np.array([[10.0, 12.0], [20.2, 22.2], [30.7, 32.7], [40.5, 40.9]])
    seconds = np.arange(60)
    exact = [((given[:, 0] <= s) & (s < given[:, 1])).any() for s in seconds]
    whole = raw_maps.whole_seconds(given)
    kept = [((whole[:, 0] <= s) & (s < whole[:, 1])).any() for s in seconds]
    assert kept == exact


@pytest.mark.parametrize("until", [np.inf, 1e300, 2.0**63])
def test_an_interval_without_end_has_none(until):
    since, end = raw_maps.whole_seconds(np.array([[-until, until]]))[0].tolist()
    assert since < -(10**18)
    assert end > 10**18


def test_majority_is_asked_for_by_noisy_strips_only(tmp_path):
    write_majority(tmp_path / "m.json", [(5, 9)])
    lines = ('Majority = "m.json"',)
    accept = raw_maps._settings(job(tmp_path, "doNoisyStrip", lines=lines)).accept
    assert accept is not None
    assert accept.tolist() == [[5, 9]]
    assert raw_maps._settings(job(tmp_path, "doDeadStrip", lines=lines)).accept is None
    off = (*lines, "UseMajority = false")
    assert raw_maps._settings(job(tmp_path, "doNoisyStrip", lines=off)).accept is None
    assert raw_maps._settings(job(tmp_path, "doNoisyStrip")).accept is None


def test_a_majority_without_a_good_interval_lets_nothing_pass(tmp_path):
    (tmp_path / "m.json").write_text("[]")
    lines = ('Majority = "m.json"',)
    accept = raw_maps._settings(job(tmp_path, "doNoisyStrip", lines=lines)).accept
    assert accept is not None
    assert accept.shape == (0, 2)


# ---- lumi blocks


def test_lumi_blocks_come_from_run_information(tmp_path, caplog):
    (tmp_path / "runInfo.txt").write_text(f"{RUN} data15_13TeV 100 200 321 SCTBA")
    assert raw_maps.n_lumi_blocks(job(tmp_path, "doNoisyLB")) == 321
    assert caplog.text == ""


@pytest.mark.parametrize("content", [None, "267366 data15_13TeV 100 200 321 SCTBA", "x"])
def test_without_run_information_lumi_blocks_are_an_option(tmp_path, caplog, content):
    if content is not None:
        (tmp_path / "runInfo.txt").write_text(content)
    assert raw_maps.n_lumi_blocks(job(tmp_path, "doNoisyLB", lines=("LBMax = 77",))) == 77
    assert "LBMax 77 is taken" in caplog.text


def test_a_run_of_no_lumi_blocks_is_not_believed(tmp_path, caplog):
    (tmp_path / "runInfo.txt").write_text(f"{RUN} data15_13TeV 100 200 0 SCTBA")
    assert raw_maps.n_lumi_blocks(job(tmp_path, "doNoisyLB")) == 1000
    assert "LBMax 1000 is taken" in caplog.text


def test_impossibly_many_lumi_blocks_are_not_believed(tmp_path, caplog):
    """Their maps would need terabytes."""
    (tmp_path / "runInfo.txt").write_text(f"{RUN} data15_13TeV 100 200 1000000000 SCTBA")
    assert raw_maps.n_lumi_blocks(job(tmp_path, "doNoisyLB")) == 1000
    assert "1000000000 lumi blocks cannot be: LBMax 1000 is taken" in caplog.text


# ---- cabling and threads


@pytest.mark.parametrize(
    ("project", "rods"),
    [("data15_13TeV", 128), ("data12_8TeV", 90), ("data18_cos", 128), ("x", 128), ("", 128)],
)
def test_the_cabling_is_that_of_the_year(tmp_path, project, rods):
    known = job(tmp_path, "doHV", inputs=SimpleNamespace(project=project))
    assert len(raw_maps.cabling(known).rod_ids) == rods


def test_a_cabling_file_wins_over_the_year(tmp_path):
    write_cabling(tmp_path / "c.dat", default_cabling(90))
    found = raw_maps.cabling(job(tmp_path, "doHV", lines=('Cabling = "c.dat"',)))
    assert len(found.rod_ids) == 90


@pytest.mark.parametrize(
    ("given", "granted", "expected"),
    [(3, "5", 3), (None, "5", 5), (None, "", 2), (None, "0", 2), (None, "-1", 2), (None, "x", 2)],
)
def test_number_of_threads(tmp_path, monkeypatch, given, granted, expected):
    """--jobs, else what production grants, else the cores."""
    monkeypatch.setattr(raw_maps.os, "sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setenv("ATHENA_PROC_NUMBER", granted)
    asked = job(tmp_path, "doHV", arguments={"part": ["doHV"], "jobs": given})
    assert raw_maps.n_jobs(asked) == expected


# ---- files


def test_files_tell_their_run_and_events_before_decoding(tmp_path, caplog):
    name = f"{DATASET}._lb0000._SFO-1._0001.data"
    write_empty_raw(tmp_path / name)
    inputs = resolve_inputs([{"dsn": DATASET, "lfn": str(tmp_path / name), "events": 3}], run=None)
    one = job(tmp_path, "doHV", inputs=inputs)
    raw_maps.check_files(one)
    assert one.counted == {name: 0}
    assert f"{name} holds 0 events, the dictionary says 3" in caplog.text


def test_all_files_that_do_not_belong_here_are_named(tmp_path):
    for name in ("a.data", "b.data"):
        write_empty_raw(tmp_path / name)
    (tmp_path / "c.data").write_text("x" * 1000)
    paths = [str(tmp_path / f"{letter}.data") for letter in "abc"]
    inputs = resolve_inputs(paths, run=RUN + 1)
    with pytest.raises(JobError, match="is of run") as caught:
        raw_maps.check_files(job(tmp_path, "doHV", inputs=inputs, run=RUN + 1))
    assert [letter in str(caught.value) for letter in ("a.data", "b.data", "c.data")] == [True] * 3
    assert caught.value.code == InputFileError.code


# ---- the log while files are read


def test_time_left_is_told_from_time_to_time(monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    now, told = [100.0], []
    monkeypatch.setattr(raw_maps.time, "monotonic", lambda: now[0])
    tick = raw_maps._logging_tick(lambda done, total: told.append(done), 100.0)
    for seconds, done in ((10, 0), (31, 1), (40, 300), (70, 500), (80, 900)):
        now[0] = 100.0 + seconds
        tick(done, 1000)
    assert told == [0, 1, 300, 500, 900]
    assert [record.getMessage() for record in caplog.records] == [
        "0 % of the RAW files read",  # no guess from a thousandth of them
        "50 % of the RAW files read, about 70 s left",
    ]


def test_without_run_information_times_are_those_of_the_events():
    from types import SimpleNamespace

    from sctcalib.workflows.run_labels import RAW_MAPS, RunLabels, _labels_of_events

    raw = SimpleNamespace(first_time=1523960533, last_time=1523960593, first_lb=5, last_lb=7)
    labels = _labels_of_events(SimpleNamespace(shared={RAW_MAPS: raw}))
    start, end = "2018-04-17_10:22:13.000000000 GMT", "2018-04-17_10:23:13.000000000 GMT"
    assert labels == RunLabels(start, end, 60, 3)
    assert _labels_of_events(SimpleNamespace(shared={})) == RunLabels()
