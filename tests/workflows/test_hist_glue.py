"""Between the searches of the HIST parts and their files: standby, rows, figures.

Reference: algorithms-hist.md 1.6, 2.5, 5.7, 6.3, 6.4; cool-folders.md 3, 4, 9.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sctcalib.detector.identifiers import wafer_id32, wafers
from sctcalib.detector.regions import N_WAFERS
from sctcalib.histograms.monitoring import ErrorMaps, WaferMap, WidthProfile
from sctcalib.job.errors import NeedCheckError
from sctcalib.parts import bytestream_errors, efficiency, raw_occupancy
from sctcalib.parts.lorentz_angle import NOT_FITTED, LorentzFit
from sctcalib.workflows import bytestream_errors as bytestream_part
from sctcalib.workflows import efficiency as efficiency_part
from sctcalib.workflows import lorentz_angle as lorentz_part
from sctcalib.workflows import noise_occupancy as noise_part
from sctcalib.workflows import raw_occupancy as raw_part
from sctcalib.workflows.database import FolderContent, contribute, write_database
from sctcalib.workflows.hist_parts import EMPTY, HistPart, check_events, run_hist_part, wafer_rows

PARTS = {
    module.PART.name: module.PART
    for module in (efficiency_part, noise_part, raw_part, lorentz_part, bytestream_part)
}


class Options(dict[str, Any]):
    def path(self, name: str) -> Path | None:
        return None


@dataclass
class FakeJob:
    """As much of a job as the glue needs."""

    n_events: int = 10_000
    options: dict[str, Any] = field(default_factory=dict)
    directory: Path = Path("nowhere")
    run: int = 300_000
    results: dict[str, Any] = field(default_factory=dict)
    shared: dict[str, Any] = field(default_factory=dict)
    beside: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.configuration = Options(compatibility="", WriteToCool=True, MinStat=5000)
        self.configuration |= self.options
        self.events = self.n_events
        self.shared["hist"] = SimpleNamespace(n_events=self.n_events)

    def put_beside(self, sheet: Path) -> None:
        self.beside.append(sheet.name)

    @property
    def contributed(self) -> list[FolderContent]:
        return self.shared.get("database", [])


@dataclass(frozen=True)
class Result:
    value: str
    is_empty: bool


def part_of(result, written):
    return HistPart(
        name="doEfficiency",
        min_events="MinStat",
        measure=lambda hist, job: result,
        nothing=lambda job: Result("nothing", is_empty=True),
        write=lambda job, found, values: written.append((found, values["events"])),
        rows=lambda found: [(1, (found.value,))],
        figures=lambda found: {"value": found.value},
        style_sheet="EfficiencyInfo.xsl",
    )


@pytest.mark.parametrize(
    ("n_events", "is_empty", "compatibility", "value", "standby", "stored"),
    [
        (5000, False, "", "found", False, True),
        (5000, True, "", "found", True, False),
        (5000, True, "athena", "found", True, True),
        (5000, False, "athena", "found", False, True),
        (0, False, "", "nothing", True, False),
        (0, False, "athena", "nothing", True, True),
    ],
)
def test_standby_writes_the_files_and_only_with_athena_the_database(
    n_events, is_empty, compatibility, value, standby, stored
):
    job, written = FakeJob(n_events, {"compatibility": compatibility}), []
    run_hist_part(part_of(Result("found", is_empty), written), job)
    assert written == [(Result(value, is_empty or not n_events), n_events)]
    rows = [FolderContent("doEfficiency", [(1, (value,))])]
    assert job.contributed == (rows if stored else [])
    expected = {"events": n_events, "value": value} | ({"standby": EMPTY} if standby else {})
    assert job.results == {"doEfficiency": expected}
    assert "EfficiencyInfo.xsl" in job.beside


def test_few_events_are_no_standby_even_if_the_maps_are_empty():
    job, written = FakeJob(4999), []
    with pytest.raises(NeedCheckError):
        run_hist_part(part_of(Result("found", is_empty=True), written), job)
    assert (written, job.contributed, job.results) == ([], [], {})


@pytest.mark.parametrize("n_events", [1, 4999])
def test_fewer_events_than_the_minimum_need_a_check(n_events):
    with pytest.raises(NeedCheckError) as raised:
        check_events(n_events, 5000)
    assert str(raised.value) == (
        f"Number of events in HIST: {n_events} is less than "
        "the required minimum number of events 5000"
    )


@pytest.mark.parametrize(("n_events", "minimum"), [(5000, 5000), (0, 5000), (1, 0), (0, 0)])
def test_the_minimum_is_enough_and_no_events_at_all_are_standby(n_events, minimum):
    check_events(n_events, minimum)


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_nothing_is_standby_and_has_rows_of_the_right_form(part):
    from sctcalib.cool.folders import folder_of_part

    nothing = part.nothing(FakeJob(0))
    assert nothing.is_empty
    rows = part.rows(nothing)
    assert len(rows) == {"doLorentzAngle": 8, "doBSErrorDB": 1}.get(part.name, N_WAFERS)
    n_fields = len(folder_of_part(part.name).fields)
    assert {len(payload) for _, payload in rows} == {n_fields}
    channels = [channel for channel, _ in rows]
    assert channels == sorted(set(channels))


# ---- rows of one number per side


def test_rows_of_the_sides_are_in_the_order_of_channels_with_plain_numbers():
    values = np.arange(N_WAFERS, dtype=np.float32) / 10
    rows = wafer_rows(np.arange(N_WAFERS) + 5, values)
    w = wafers()
    assert [channel for channel, _ in rows] == wafer_id32().tolist() == sorted(wafer_id32())
    for wafer in (0, 1975, 1976, 1988, 4939, 8175):
        place = int(w.bec[wafer]), int(w.layer[wafer]), int(w.eta[wafer]), int(w.phi[wafer])
        assert rows[wafer][1] == (wafer + 5, *place, float(values[wafer]))
    assert [type(value) for value in rows[7][1]] == [int] * 5 + [float]


def test_one_sample_size_serves_all_sides():
    rows = wafer_rows(10_000, np.zeros(N_WAFERS, dtype=np.float32))
    assert {payload[0] for _, payload in rows} == {10_000}


def test_efficiency_rows_hold_the_entries_and_raw_occupancy_rows_the_events():
    mean, entries = np.zeros(N_WAFERS), np.zeros(N_WAFERS)
    mean[1976], entries[1976] = 0.98, 1234
    found = efficiency.measure(mean, entries, None)
    (channel, payload) = efficiency_part.PART.rows(found)[1976]
    assert (channel, payload) == (167772160, (1234, 0, 0, -6, 0, float(np.float32(0.98))))
    hits = np.zeros(N_WAFERS)
    hits[0] = 123456
    raw = raw_part.PART.rows(raw_occupancy.measure(hits, 10_000))
    assert raw[0] == (134230016, (10_000, -2, 0, 0, 0, float(np.float32(123456 / 7680000))))


def test_mean_efficiency_in_the_report_is_that_of_the_sides_with_entries():
    mean, entries = np.zeros(N_WAFERS), np.zeros(N_WAFERS)
    mean[:4], entries[:4] = [1.0, 0.5, 1.0, 0.5], 10
    figures = efficiency_part.figures(efficiency.measure(mean, entries, None))
    assert figures == {"sides measured": 4, "mean efficiency": "0.7500"}


# ---- byte-stream errors

SOME, NO_HITS, HITS = 1.0, WaferMap(np.zeros(8), None), WaferMap(np.ones(8), None)


@pytest.mark.parametrize(
    ("content", "entries", "hits", "expected"),
    [
        (SOME, None, None, False),
        (SOME, 100.0, NO_HITS, False),
        (0.0, None, HITS, False),  # 21.0, a good run without errors
        (0.0, 0.0, HITS, False),
        (0.0, 100.0, HITS, False),
        (0.0, 100.0, NO_HITS, True),  # newer maps get entries also in standby
        (0.0, None, NO_HITS, True),
        (0.0, 100.0, None, False),  # no hit maps in the file: the entries tell
        (0.0, 0.0, None, True),
        (0.0, None, None, True),
    ],
)
def test_no_errors_are_standby_only_if_nothing_was_read_out(content, entries, hits, expected):
    maps = ErrorMaps(
        np.full((8, 15), content), None if entries is None else np.full((8, 15), entries), "SCT_"
    )
    assert bytestream_part.nothing_read(maps, hits) is expected


def found_errors(counts, n_events, *, athena=False):
    content = np.zeros((N_WAFERS, 15))
    for (wafer, position), n in counts.items():
        content[wafer, position] = n
    return bytestream_part.Found(
        bytestream_errors.measure(content, None, n_events, athena=athena), is_empty=False
    )


def test_error_texts_of_the_worked_example():
    found = found_errors({(4939, 2): 3, (4939, 11): 10_000}, 10_000)
    first, second = bytestream_part.rows(found)
    zeros = " ".join(["0"] * 15)
    assert first == (134230016, (10_000, -2, 0, 0, 0, zeros, zeros))
    assert second == (
        174173184,
        (
            10_000, 0, 3, -1, 3,
            "0 0 3 0 0 0 0 0 0 0 0 10000 0 0 0", "0 0 0.0003 0 0 0 0 0 0 0 0 1 0 0 0",
        ),
    )  # fmt: skip
    assert bytestream_part.figures(found) == {"links with errors": 1}


@pytest.mark.parametrize(("compatibility", "counted"), [("", 0), ("athena", 1)])
def test_without_events_the_original_still_counts_the_side_that_it_always_stores(
    compatibility, counted
):
    found = bytestream_part.nothing(FakeJob(0, {"compatibility": compatibility}))
    assert found.errors.link_counts.tolist() == [counted] + [0] * 47


def test_fractions_are_single_precision_with_six_digits():
    ((_, payload),) = bytestream_part.rows(found_errors({(0, 14): 1}, 3))
    assert payload[6].split()[14] == "0.333333"


# ---- Lorentz angle


def profiles(filled=()):
    bins = np.zeros(4)
    return {
        (layer, side, sensor): WidthProfile(
            bins, bins, bins, bins + ((layer, side, sensor) in filled)
        )
        for layer in range(4)
        for side in (0, 1)
        for sensor in (100, 111)
    }


class FakeHist:
    def __init__(self, found):
        self.found = found

    def lorentz(self):
        return self.found


class ProgressJob:
    def progress(self, what):
        return nullcontext(lambda done, total: None)


def a_fit(angle, *, converged=True):
    return LorentzFit(
        1.2, angle, 1.1, 2.5, (0.11, 0.03, 0.01, 0.4), 98.123456789,
        converged=converged, attempts=1, n_points=110,
    )  # fmt: skip


def fits(**changes):
    found = {key: a_fit(-4.0 if key[2] == 111 else -3.5) for key in profiles()}
    found |= dict.fromkeys(lorentz_part.NEVER_FITTED, NOT_FITTED)
    return lorentz_part.Found({**found, **changes.get("fits", {})}, is_empty=False)


def test_one_channel_a_layer_and_side_holds_the_values_of_the_111_sensors():
    rows = lorentz_part.rows(fits())
    assert [channel for channel, _ in rows][:3] == [167784448, 167785472, 169881600]
    assert len(rows) == 8
    _, payload = rows[0]
    assert payload[:5] == (10_000, 0, 0, 0, 111)
    expected = (-4, 0.03, 98.123456789, 1.2, 0.11, 1.1, 0.01, 2.5, 0.4)
    assert payload[5:14] == tuple(float(np.float32(value)) for value in expected)
    assert payload[14:] == (
        pytest.approx(1.1421467655, rel=1e-7), pytest.approx(1.1882, rel=1e-3),
    )  # fmt: skip
    assert {payload[4] for _, payload in rows} == {111}


def test_layer_1_100_does_not_make_the_flag_red():
    assert fits().flag == "G"
    assert lorentz_part.figures(fits())["fits converged"] == "14 of 14"


def test_one_fit_that_failed_makes_the_flag_red():
    found = fits(fits={(2, 1, 100): a_fit(-3.5, converged=False)})
    assert found.flag == "R"
    figures = lorentz_part.figures(found)
    assert (figures["fits converged"], figures["flag"]) == ("13 of 14", "R")
    assert figures["layer 2 side 1"] == "-4.000 +- 0.030 degrees"


@pytest.mark.parametrize(
    ("filled", "is_empty"),
    [((), True), (((1, 0, 100), (1, 1, 100)), True), (((3, 1, 100),), False)],
)
def test_lorentz_is_standby_if_none_of_the_14_fitted_profiles_has_entries(filled, is_empty):
    found = lorentz_part.find(FakeHist(profiles(filled)), ProgressJob())
    assert found.is_empty is is_empty
    assert found.flag == "R"
    assert all(fit.parameters == (1, -5, 1.13, 2) for fit in list(found.fits.values())[:4])


def test_profiles_of_layer_1_100_may_be_absent():
    given = {**profiles(), (1, 0, 100): None, (1, 1, 100): None}
    found = lorentz_part.find(FakeHist(given), ProgressJob())
    assert found.fits[1, 0, 100] is NOT_FITTED


# ---- contributions to the database


def test_without_write_to_cool_nothing_is_contributed():
    job = FakeJob(options={"WriteToCool": False})
    contribute(job, FolderContent("doEfficiency", [(1, (1,))]))
    assert job.contributed == []


def test_a_part_without_rows_contributes_nothing_and_without_any_there_is_no_database():
    job = FakeJob()
    contribute(job, FolderContent("doBSErrorDB", []))
    assert job.contributed == []
    write_database(job)  # would need an output if there were anything to write
