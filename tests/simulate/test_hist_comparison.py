"""compare-truth for HIST files: right results agree, each kind of mistake is seen."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from sctcalib.cool import Database
from sctcalib.cool.folders import SCT_FOLDERS, create_sct_folder
from sctcalib.detector.identifiers import layer_side_id32, wafer_id32, wafers
from sctcalib.histograms.monitoring import open_hist
from sctcalib.parts import (
    bytestream_errors,
    efficiency,
    lorentz_angle,
    noise_occupancy,
    raw_occupancy,
)
from sctcalib.simulate.compare import compare_truth
from sctcalib.simulate.hist_comparison import (
    ANGLE,
    EFFICIENCY,
    ERRORS,
    LINKS,
    RAW,
    WIDTH,
    FoundAngle,
    FoundMonitoring,
    compare_monitoring,
)
from sctcalib.simulate.hist_files import simulate_hist
from sctcalib.simulate.hist_settings import HistSettings
from sctcalib.simulate.hist_truth import HistTruth, read_hist_truth

RUN = 267_367
NOISE = "noise occupancy (hits)"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hist")
    simulate_hist(HistSettings(RUN, seed=4), path)
    return path


@pytest.fixture(scope="module")
def truth(folder) -> HistTruth:
    return read_hist_truth(folder / "truth.json")


@pytest.fixture(scope="module")
def right(folder, truth) -> FoundMonitoring:
    """What jobs without a mistake find."""
    with open_hist(folder / truth.file, RUN) as hist:
        maps, first = hist.efficiency(), hist.efficiency_first_bcid()
        assert maps.entries is not None
        assert first is not None
        eff = efficiency.measure(maps.content, maps.entries, first.content)
        noise = noise_occupancy.measure(hist.occupancy("hitoccupancymap", trigger=False).content)
        raw = raw_occupancy.measure(hist.hits().content, hist.n_events)
        errors = hist.errors()
        counts = bytestream_errors.measure(errors.content, errors.entries, hist.n_events)
        fits = {}
        for key, p in hist.lorentz().items():
            if key[2] == 111 and p is not None:
                fit = lorentz_angle.fit(
                    lorentz_angle.Profile(p.degrees, p.width, p.error, p.entries)
                )
                fits[key] = FoundAngle(fit.angle, fit.min_width, fit.errors[1], fit.converged)
    return FoundMonitoring(
        eff.value.astype(np.float64),
        noise.value.astype(np.float64),
        raw.value.astype(np.float64),
        counts.counts,
        fits,
        {
            "meanEff": eff.means,
            "meanEff_bcid1": eff.means_first_bcid,
            "meanNO": noise.means,
            "meanRO": raw.means,
            LINKS: counts.link_counts.astype(np.float64),
        },
    )


def wrong(truth: HistTruth, found: FoundMonitoring) -> dict[str, int]:
    """Quantities that disagree, and in how many places."""
    return {a.name: len(a.outliers) for a in compare_monitoring(truth, found) if not a.is_right}


def test_right_results_agree_and_their_pulls_are_one(truth, right):
    agreements = {a.name: a for a in compare_monitoring(truth, right)}
    assert list(agreements) == [
        EFFICIENCY, NOISE, RAW, ERRORS, ANGLE, WIDTH,
        "meanEff", "meanEff_bcid1", "meanNO (hits)", "meanRO", LINKS,
    ]  # fmt: skip
    assert all(a.is_right for a in agreements.values())
    for name in (EFFICIENCY, NOISE, RAW):
        assert agreements[name].compared == 8176
        assert agreements[name].width == pytest.approx(1, abs=0.05)
        assert abs(agreements[name].mean) < 0.05
    assert agreements[ANGLE].compared == agreements[WIDTH].compared == 8
    assert 0.3 < agreements[ANGLE].width < 2
    assert 0.3 < agreements[WIDTH].width < 2
    for name in ("meanEff", "meanEff_bcid1", "meanRO"):
        assert 0.6 < agreements[name].width < 1.5


def changed(values: np.ndarray | None, **at: Any) -> np.ndarray:
    assert values is not None
    result = values.copy()
    for wafer, value in at.items():
        result[int(wafer.removeprefix("w"))] = value
    return result


@pytest.mark.parametrize("value", [np.nan, -0.1, 1.1, 0.0, 0.93])
def test_one_wrong_efficiency_is_seen(truth, right, value):
    assert truth.detector.efficiency[100] > 0.95
    found = replace(right, efficiency=changed(right.efficiency, w100=value), means={})
    assert wrong(truth, found) == {EFFICIENCY: 1}


def test_an_efficiency_of_a_disabled_side_is_seen(truth, right):
    off = int(np.flatnonzero(~truth.detector.enabled)[0])
    values = right.efficiency.copy()
    assert values[off] == 0
    values[off] = 0.98
    assert wrong(truth, replace(right, efficiency=values)) == {EFFICIENCY: 1}


def turned(values: np.ndarray) -> np.ndarray:
    """Sides exchanged, as if side 0 were read for side 1."""
    return values.reshape(-1, 2)[:, ::-1].ravel()


def shifted(values: np.ndarray) -> np.ndarray:
    """Every value one wafer late, as by an index that is off by one."""
    return np.roll(values, 1)


@pytest.mark.parametrize("mistake", [turned, shifted, lambda v: 1.002 * v, lambda v: v[::-1]])
@pytest.mark.parametrize("name", ["efficiency", "noise", "raw"])
def test_mistakes_in_all_wafers_are_seen(truth, right, name, mistake):
    values = np.clip(mistake(getattr(right, name)), 0, 1)
    assert wrong(truth, replace(right, means={}, **{name: values}))


def test_a_shift_too_small_for_a_single_side_is_seen(truth, right):
    found = replace(right, raw=right.raw * 1.0005, means={})
    assert wrong(truth, found) == {RAW: 1}


def test_noise_is_recognised_by_what_it_is(truth, right):
    rng = np.random.default_rng(1)
    for n_events, name in ((truth.n_events, "noise"), (truth.trigger_events, "trigger")):
        hits = rng.poisson(768 * n_events * truth.detector.noise)
        found = FoundMonitoring(noise=hits / (768 * n_events * 3))
        (agreement,) = compare_monitoring(truth, found)
        assert agreement.name == f"noise occupancy ({name})"
        assert agreement.is_right


@pytest.mark.parametrize("step", [1, -1])
def test_errors_must_be_exact(truth, right, step):
    counts = right.errors.copy()
    wafer, position = np.argwhere(counts > 1)[0]
    counts[wafer, position] += step
    assert wrong(truth, replace(right, errors=counts)) == {ERRORS: 1}


def test_truncated_fractions_are_no_counts(truth, right):
    counts = (right.errors / truth.n_events).astype(np.int64)
    assert wrong(truth, replace(right, errors=counts))[ERRORS] >= 18


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"angle": -2.0}, [ANGLE]),
        ({"width": 1.2}, [WIDTH]),
        ({"angle": float("nan")}, [ANGLE]),
        ({"angle": -2.0, "error": None}, [ANGLE]),
        ({"angle": -2.0, "error": 0.0}, [ANGLE]),
        ({"angle": -2.0, "converged": False}, []),
        ({"angle": -2.0, "converged": None}, [ANGLE]),
    ],
)
def test_a_wrong_angle_is_seen_unless_its_fit_says_that_it_failed(truth, right, change, names):
    key = (2, 1, 111)
    fits = {**right.lorentz, key: right.lorentz[key]._replace(**change)}
    assert wrong(truth, replace(right, lorentz=fits)) == dict.fromkeys(names, 1)


@pytest.mark.parametrize(
    ("name", "factor"),
    [("meanEff", 0.999), ("meanEff_bcid1", 0.99), ("meanNO", 3), ("meanRO", 1.01)],
)
def test_a_wrong_average_is_seen(truth, right, name, factor):
    means = right.means[name].copy()
    means[23] *= factor
    found = wrong(truth, FoundMonitoring(means={name: means}))
    assert list(found.values()) == [1]
    assert next(iter(found)).startswith(name)


def test_one_link_too_many_is_seen(truth, right):
    links = right.means[LINKS].copy()
    links[0] += 1
    assert wrong(truth, FoundMonitoring(means={LINKS: links})) == {LINKS: 1}


def test_in_standby_nothing_may_be_found(tmp_path, right):
    made = simulate_hist(HistSettings(RUN, is_empty=True), tmp_path)
    zeros = np.zeros(8176)
    nothing = FoundMonitoring(zeros, zeros, zeros, np.zeros((8176, 15), dtype=np.int64))
    assert not wrong(made, nothing)
    assert set(wrong(made, replace(right, means={}, lorentz={}))) == {
        EFFICIENCY, NOISE, RAW, ERRORS
    }  # fmt: skip


def write_database(path: Path, found: FoundMonitoring, *, run: int = RUN) -> Path:
    """A job's database with all five folders."""
    w = wafers()
    places = list(zip(*(c.tolist() for c in (w.bec, w.layer, w.eta, w.phi)), strict=True))
    ids = wafer_id32().tolist()
    rows: dict[str, list[tuple[int, tuple[Any, ...]]]] = {
        part: [(i, (10_000, *place, float(v))) for i, place, v in zip(ids, places, values,
                                                                     strict=True)]
        for part, values in (
            ("doEfficiency", found.efficiency),
            ("doNoiseOccupancy", found.noise),
            ("doRawOccupancy", found.raw),
        )
        if values is not None
    }  # fmt: skip
    assert found.errors is not None
    stored = [0, *(n for n in np.flatnonzero(found.errors.any(axis=1)).tolist() if n)]
    rows["doBSErrorDB"] = [
        (ids[n], (1, *places[n], " ".join(map(str, found.errors[n].tolist())), "0")) for n in stored
    ]
    rows["doLorentzAngle"] = [
        (int(layer_side_id32(layer, side)), _lorentz_row(layer, side, fit))
        for (layer, side, _), fit in found.lorentz.items()
    ]
    since = run << 32
    with Database.create(path, "CONDBR2") as database:
        for part, objects in rows.items():
            folder = create_sct_folder(database, SCT_FOLDERS[part].path)
            new = ((since, since + 0xFFFFFFFF, channel, payload) for channel, payload in objects)
            folder.store_each(new, tag=SCT_FOLDERS[part].default_tag, user_tag_only=True)
    return path


def _lorentz_row(layer: int, side: int, fit: FoundAngle) -> tuple[Any, ...]:
    others = (0.0,) * 7
    head = (10_000, 0, layer, side, 111)
    return (*head, fit.angle, fit.error, *others, fit.width, 0.0)


def compare(*words: object) -> tuple[int, str]:
    result = CliRunner().invoke(compare_truth, [str(word) for word in words])
    return result.exit_code, result.output


@pytest.fixture(scope="module")
def database(right, tmp_path_factory) -> Path:
    return write_database(tmp_path_factory.mktemp("db") / "mycool.db", right)


def test_a_right_database_agrees(folder, database):
    code, output = compare(folder / "truth.json", database)
    assert code == 0, output
    assert output.splitlines()[0] == "Run 267367, 100000 events, monitoring of master"
    rows = [line.split()[0] for line in output.splitlines()[2:]]
    assert rows == ["efficiency", "noise", "raw", "BS", "Lorentz", "min."]


def test_json_has_the_same(folder, database):
    code, output = compare("--json", folder / "truth.json", database)
    content = json.loads(output)
    assert code == 0
    assert content["right"] is True
    assert content["run"] == RUN
    assert set(content["quantities"]) == {EFFICIENCY, NOISE, RAW, ERRORS, ANGLE, WIDTH}
    assert content["quantities"][ERRORS] == {
        "compared": 8176, "outliers": [], "mean_pull": 0.0, "rms_pull": 0.0
    }  # fmt: skip


def test_a_wrong_database_is_described(folder, truth, right, tmp_path):
    values = right.efficiency.copy()
    values[1000:1015] = 0.3
    path = write_database(tmp_path / "mycool.db", replace(right, efficiency=values))
    code, output = compare(folder / "truth.json", path)
    assert code == 1
    w = wafers()
    first = f"efficiency: -2.{w.layer[1000]}.{w.phi[1000]}.{w.eta[1000]} side 0: 0.3, pull "
    assert first in output
    assert "efficiency: 5 more (see --json)" in output


def test_a_database_of_another_run_is_refused(folder, right, tmp_path):
    path = write_database(tmp_path / "mycool.db", right, run=RUN + 1)
    code, output = compare(folder / "truth.json", path)
    assert code == 74
    assert f"nothing of run {RUN} is in any of /SCT/Derived/Efficiency, " in output


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read: No such file"),
        (b"", ""),
        (b"<run/>", "cannot be shown"),
        (b"SQLite format 3\0 and no more", ""),
    ],
)
def test_a_file_that_cannot_be_compared(folder, tmp_path, content, reason):
    path = tmp_path / "found"
    if content is not None:
        path.write_bytes(content)
    code, output = compare(folder / "truth.json", path)
    assert code == 74
    assert output.startswith("Error: ")
    assert str(path) in output
    assert reason in output
    assert "Traceback" not in output
