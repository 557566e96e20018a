"""The file truth.json, and the names and times of a simulated run."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from sctcalib.job.errors import InputFileError, OutOfRangeError
from sctcalib.simulate.earlier_run import by_module, strips_of_earlier_run
from sctcalib.simulate.model import CHIP, NOISY, WAFER, Defects, plan
from sctcalib.simulate.settings import Settings
from sctcalib.simulate.truth import MapFiles, Reference, Truth, read_truth


def make_truth(**changes) -> Truth:
    planted = plan(np.random.default_rng(3), Defects(5, 2, 1, 1), 20_000)
    values = {
        "run": 267367,
        "project": "data15_13TeV",
        "stream": "calibration_SCTNoise",
        "seed": 3,
        "threshold": 0.015,
        "events_per_lumi_block": np.array([6000, 7000, 7000]),
        "lbs_per_window": 30,
        "files": (MapFiles("a", "b", 9000), MapFiles("c", "d", 11000)),
        "highest_background": 4e-4,
        "planted": planted,
        "reference": Reference(267360, "conditions.db", "TAG", {2469: np.array([5, 10, 11, 768])}),
    }
    return Truth(**(values | changes))


def assert_equal(one: object, other: object) -> None:
    assert type(one) is type(other)
    if dataclasses.is_dataclass(one):
        for field in dataclasses.fields(one):
            assert_equal(getattr(one, field.name), getattr(other, field.name))
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_equal(one[key], other[key])
    else:
        assert np.array_equal(one, other)


@pytest.mark.parametrize("reference", [True, False])
def test_truth_is_read_back(tmp_path, reference):
    truth = make_truth() if reference else make_truth(reference=None)
    truth.write(tmp_path / "truth.json")
    assert_equal(read_truth(tmp_path / "truth.json"), truth)


def test_truth_without_defects_is_read_back(tmp_path):
    planted = plan(np.random.default_rng(3), Defects(0, 0, 0, 0), 0)
    truth = make_truth(
        planted=planted, events_per_lumi_block=np.zeros(3, dtype=np.int64), files=(), reference=None
    )
    truth.write(tmp_path / "truth.json")
    assert_equal(read_truth(tmp_path / "truth.json"), truth)


def test_truth_names_positions_chips_and_wafers():
    content = make_truth().as_json()
    assert content["events"] == 20_000
    assert content["lumi_blocks"] == 3
    assert content["reference"]["strips"] == {"0.3.3.-1": "5 10-11 768"}
    assert len(content["noisy_chips"]) == len(content["hot_wafers"]) == 1
    chip, wafer = content["noisy_chips"][0], content["hot_wafers"][0]
    strips = [row for row in content["strips"] if row["category"] == CHIP]
    assert chip["strips"] == len(strips) > 64
    assert {row["module"] for row in strips} == {chip["module"]}
    assert {row["side"] for row in strips} == {chip["chip"] // 6}
    assert wafer["strips"] == sum(row["category"] == WAFER for row in content["strips"]) > 384
    assert wafer["wafer"] % 2 == wafer["side"]


def test_one_item_on_a_line(tmp_path):
    truth = make_truth()
    truth.write(tmp_path / "truth.json")
    lines = (tmp_path / "truth.json").read_text().splitlines()
    assert sum('"category"' in line for line in lines) == len(truth.planted.wafer)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [({"format": 2}, "format is 2, expected 1"),
     ({"run": "x"}, "invalid literal"),
     ({"run": None}, "int()"),
     ({"files": [{}]}, "missing"),
     ({"files": []}, "20000 events in the lumi blocks"),
     ({"strips": [{"wafer": 9000, "strip": 0, "occupancy": 0.1, "category": NOISY}]}, "not exist"),
     ({"strips": [{"wafer": 1, "strip": 0, "occupancy": 2, "category": NOISY}]}, "not exist"),
     ({"strips": [{"wafer": 1, "strip": 0, "occupancy": 0, "category": "odd"}]}, "not in tuple"),
     ({"strips": [{"wafer": 1}]}, "'strip' is missing"),
     ({"reference": {"run": 1, "database": "", "tag": "", "strips": {"0.9.0.1": "1"}}}, "no wafer"),
     ({"reference": {"run": 1, "database": "", "tag": "", "strips": {"0.3.3.-1": "9-3"}}}, "9-3")],
)  # fmt: skip
def test_wrong_truth_is_refused(tmp_path, change, complaint):
    path = tmp_path / "truth.json"
    path.write_text(json.dumps(make_truth().as_json() | change))
    with pytest.raises(InputFileError, match="is not the truth of a simulated run") as caught:
        read_truth(path)
    assert complaint in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"<xml/>", b"\xff\xfe"])
def test_other_files_are_not_a_truth(tmp_path, content):
    path = tmp_path / "truth.json"
    path.write_bytes(content)
    with pytest.raises(InputFileError, match=r"truth\.json: is not the truth"):
        read_truth(path)


def test_missing_truth_is_an_input_error(tmp_path):
    with pytest.raises(InputFileError, match="cannot be read: No such file"):
        read_truth(tmp_path / "truth.json")


def test_names_are_those_of_tier_0():
    settings = Settings(run=267367)
    assert settings.file_name(1, "SCTHitMaps") == (
        "data15_13TeV.00267367.calibration_SCTNoise.sctcal.HITMAP.c0._0001.SCTHitMaps.root.1"
    )
    assert settings.prefix == (
        "data15_13TeV.00267367.calibration_SCTNoise.sctcal.NOISYSTRIP.c0_c0#"
        "data15_13TeV.00267367.calibration_SCTNoise.sctcal.NOISYSTRIP.c0_c0._0001"
    )


def test_run_info_is_of_the_project_year_and_as_long_as_its_lumi_blocks():
    info = Settings(run=267367, n_lumi_blocks=873).run_info()
    assert info.line() == ("267367 data15_13TeV 1434438000 1434490380 873 SCTBA,SCTBC,SCTEA,SCTEC")


def test_events_are_split_over_the_files():
    assert Settings(run=1, n_events=20, n_files=3).event_ranges() == [(0, 6), (6, 13), (13, 20)]
    assert Settings(run=1, n_events=0, n_files=2).event_ranges() == [(0, 0), (0, 0)]


@pytest.mark.parametrize(
    ("values", "complaint"),
    [({"run": 0}, "run 0 is outside"), ({"run": 2**31}, "is outside"),
     ({"previous_run": 10}, "previous run 10 must be before run 10"),
     ({"previous_run": 0}, "previous run 0"),
     ({"project": "mc15_13TeV"}, "project 'mc15_13TeV'"),
     ({"project": "data15_13TeV/x"}, "project"),
     ({"stream": "SCTNoise"}, "stream 'SCTNoise'"),
     ({"stream": "a_b.c"}, "stream"),
     ({"n_files": 0}, "must be positive"), ({"n_events": -1}, "must be positive")],
)  # fmt: skip
def test_impossible_runs_are_refused(values, complaint):
    with pytest.raises(OutOfRangeError, match=complaint):
        Settings(**({"run": 10} | values))


def test_earlier_run_shares_strips_lacks_some_and_has_others():
    planted = plan(np.random.default_rng(3), Defects(100, 5, 4, 2), 20_000)
    old = strips_of_earlier_run(np.random.default_rng(4), planted)
    before = {(m, int(s)) for m, strips in old.items() for s in strips}
    single, all_now = (
        {(int(w) // 2, int(w) % 2 * 768 + int(s)) for w, s in zip(p.wafer, p.strip, strict=True)}
        for p in (planted.of(NOISY), planted)
    )
    assert len(before & single) == 80
    assert len(before - all_now) == 20
    for category, shared in ((CHIP, 2), (WAFER, 1)):
        group = planted.of(category)
        cells = zip(group.wafer.tolist(), group.strip.tolist(), strict=True)
        kept = {w for w, s in cells if (w // 2, w % 2 * 768 + s) in before}
        assert len(kept) == shared


def test_strips_are_grouped_by_module():
    groups = by_module(np.array([1536 * 7 + 800, 3, 1536 * 7 + 5, 3]))
    assert {module: strips.tolist() for module, strips in groups.items()} == {0: [3], 7: [5, 800]}
    assert by_module(np.empty(0, dtype=np.int64)) == {}
