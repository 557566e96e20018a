"""Reading HIST files: both styles of monitoring, the numbers of hist-files.md 10, options."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sctcalib.detector.identifiers import wafer_hash, wafers
from sctcalib.detector.regions import N_WAFERS
from sctcalib.histograms import monitoring_names as names
from sctcalib.histograms.layouts import Axis
from sctcalib.histograms.monitoring import open_hist
from sctcalib.parts.bytestream_errors import ERROR_NAMES, measure
from sctcalib.simulate.hist_model import N_JOBS
from sctcalib.simulate.hist_objects import histogram_1d, histogram_2d, profile_2d
from sctcalib.simulate.hist_settings import Style
from tests.histograms.monitoring_helpers import (
    COUNTS,
    LUMI_BLOCKS,
    NUMBER_OF,
    RUN,
    of_kinds,
    profile,
    simulated,
    without,
    write,
)

STYLES: tuple[Style, ...] = get_args(Style)
END_CAP, BARREL = names.END_CAP_AXES, names.BARREL_AXES


def enabled(style: Style) -> np.ndarray:
    return simulated(style)[0].enabled


@pytest.fixture(scope="module", params=STYLES)
def style(request: pytest.FixtureRequest) -> Style:
    return request.param


@pytest.fixture(scope="module")
def path(style: Style, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("hist") / "HIST.root.1", simulated(style)[2])


def test_efficiencies_are_what_was_counted(style, path):
    counted = simulated(style)[1]
    with open_hist(path, RUN) as hist:
        found, first = hist.efficiency(), hist.efficiency_first_bcid()
    assert_array_equal(found.entries, counted.crossings)
    assert_array_equal(found.content * found.entries, counted.found)
    assert not found.content[counted.crossings == 0].any()
    assert found.filled
    assert first is not None
    assert_array_equal(first.entries, counted.crossings_first)
    assert_allclose(first.content * first.entries, counted.found_first, rtol=1e-12)


def test_hits_are_what_was_counted(style, path):
    with open_hist(path, RUN) as hist:
        found = hist.hits()
    assert_array_equal(found.content, simulated(style)[1].hits.sum(axis=0))
    assert found.entries is None
    assert found.filled


def test_hit_occupancies_are_per_event_or_per_job(style, path):
    counted = simulated(style)[1]
    with open_hist(path, RUN) as hist:
        found = hist.occupancy("hitoccupancymap", trigger=False)
    expected = 1e5 * counted.hits.sum(axis=0) / (768 * counted.job_events.sum())
    assert_allclose(found.content, expected, rtol=1e-9)
    entries = N_JOBS if style == "21.0" else 20_000
    assert_array_equal(found.entries, entries * enabled(style))


def test_trigger_occupancies_are_another_quantity(style, path):
    counted = simulated(style)[1]
    with open_hist(path, RUN) as hist:
        found = hist.occupancy("noiseoccupancymap", trigger=True)
    expected = 1e5 * counted.trigger_hits / (768 * counted.trigger_events)
    assert_allclose(found.content, expected, rtol=1e-9)


def test_errors_are_exact_in_both_conventions(style, path):
    counted = simulated(style)[1]
    with open_hist(path, RUN) as hist:
        found = hist.errors()
        n_events = hist.n_events
    assert found.content.shape == (N_WAFERS, 15)
    assert found.kind == ("SCT_T" if style == "21.0" else "SCT_NumberOf")
    assert (found.entries is None) == (style == "21.0")
    result = measure(found.content, found.entries, n_events)
    assert_array_equal(result.counts, counted.errors)
    absent = [p for p in range(15) if p not in ERROR_NAMES]
    assert not found.content[:, absent].any()


def test_lorentz_profiles_have_whole_strips(style, path, caplog):
    counted = simulated(style)[1]
    with open_hist(path, RUN) as hist:
        found = hist.lorentz()
    assert len(found) == 16
    for (layer, side, sensor), each in found.items():
        if (layer, sensor) == (1, 100) and style == "master":
            assert each is None
            continue
        assert each is not None
        n, sums, squares = counted.widths[layer, side, sensor]
        low, step = (-18, 0.1) if style == "21.0" else (-90, 0.5)
        assert_allclose(each.degrees, low + step * (np.arange(360) + 0.5), atol=1e-9)
        assert_array_equal(each.entries, n)
        some = n > 0
        mean = sums[some] / n[some]
        assert_allclose(each.width[some], mean, rtol=1e-12)
        variance = squares[some] / n[some] - mean**2
        assert_allclose(each.error[some], np.sqrt(np.abs(variance) / n[some]), rtol=1e-9)
        assert not each.width[~some].any()
        assert not each.error[~some].any()
    warned = [r for r in caplog.records if "layer 1 <100>" in r.getMessage()]
    assert len(warned) == (style == "master")


def test_events_are_the_entries_of_the_first_counter(path):
    with open_hist(path, RUN) as hist:
        assert hist.n_events == 20_000
        assert hist.event_counter == "SCT/GENERAL/Conf/NumberOfEventsVsLB"


def test_lumi_blocks_beyond_the_axis_are_counted(tmp_path):
    contents = np.zeros(3002, dtype=np.float32)
    contents[[1, 3001]] = 5, 7
    counter = histogram_1d("", LUMI_BLOCKS, contents, 12.0)
    with open_hist(write(tmp_path / "a.root", {names.N_EVENTS: counter}), RUN) as hist:
        assert hist.n_events == 12


@pytest.mark.parametrize("esd", [0, 19_000, 20_500])
def test_without_the_first_counter_the_larger_label_counts(style, tmp_path, esd):
    labels = ["user", "online", "tier0", "tier0Raw", "tier0ESD", "AOD", "altprod"]
    if style == "21.0":
        labels.insert(1, "noOutput")
    contents = np.zeros(len(labels) + 2, dtype=np.int32)
    contents[labels.index("tier0") + 1] = 20_000
    contents[labels.index("tier0ESD") + 1] = esd
    contents[labels.index("user") + 1] = 99_999
    axis = Axis(len(labels), -0.5, len(labels) - 0.5)
    counter = histogram_1d("Event Count", axis, contents, 1.0, labels=labels)
    made = {names.EVENTS_BY_ENVIRONMENT: counter}
    with open_hist(write(tmp_path / "a.root", made), RUN) as hist:
        assert hist.n_events == max(20_000, esd)
        assert hist.event_counter == "GLOBAL/DQTDataFlow/events_lb"


def test_bins_of_the_reference(tmp_path):
    """hist-files.md 10: items 1 and 2, in all maps of a kind."""
    made = of_kinds("master", names.EFFICIENCY)
    made["SCT/SCTEC/eff/m_eff_0_0"] = profile(END_CAP, {(2, 6): (97, 100)})
    made["SCT/SCTB/eff/eff_3_1"] = profile(BARREL, {(1, 1): (1, 4), (13, 56): (3, 4)})
    with open_hist(write(tmp_path / "a.root", made), RUN) as hist:
        found = hist.efficiency()
    assert found.content[wafer_hash(-2, 0, 5, 1, 0)] == 0.97
    assert found.entries is not None
    assert found.entries[wafer_hash(-2, 0, 5, 1, 0)] == 100
    assert found.content[wafer_hash(-2, 0, 6, 1, 0)] == 0
    assert found.content[wafer_hash(0, 3, 0, -6, 1)] == 0.25
    assert found.content[wafer_hash(0, 3, 55, 6, 1)] == 0.75
    w = wafers()
    layer_3 = (w.bec == 0) & (w.layer == 3) & (w.side == 1)
    assert np.count_nonzero(found.content[layer_3]) == 2
    at = names.bin_of_wafer() - names.map_offsets()[names.map_of_wafer()]
    places = [wafer_hash(-2, 0, 5, 1, 0), wafer_hash(0, 3, 0, -6, 1), wafer_hash(0, 3, 55, 6, 1)]
    assert at[np.array(places)].tolist() == [32, 16, 853]


def test_44_maps_have_a_bin_of_their_own_for_each_wafer():
    assert names.N_MAPS == 44
    assert len(np.unique(names.bin_of_wafer())) == N_WAFERS
    for kind in (names.EFFICIENCY, names.HITS, names.HITS_BEFORE_2010):
        assert len(set(kind.paths())) == 44


def test_merged_jobs_of_21_are_averaged_unweighted(tmp_path):
    """hist-files.md 10, item 3."""
    kind = names.occupancy_kind("noiseoccupancymap", trigger=False)
    made = of_kinds("21.0", kind)
    made[kind.path(1, 0, 0)] = profile(BARREL, {(1, 1): (2 + 4, 2)})
    with open_hist(write(tmp_path / "a.root", made), RUN) as hist:
        found = hist.occupancy("noiseoccupancymap", trigger=False)
    wafer = wafer_hash(0, 0, 0, -6, 0)
    assert found.entries is not None
    assert (found.content[wafer], found.entries[wafer]) == (3, 2)


def test_merged_files_of_master_are_weighted_by_events(tmp_path):
    """hist-files.md 10, item 4."""
    kind = names.occupancy_kind("hitoccupancymap", trigger=False)
    made = of_kinds("master", kind)
    made[kind.path(2, 8, 1)] = profile(END_CAP, {(1, 52): (1000 * 2 + 3000 * 4, 4000)})
    with open_hist(write(tmp_path / "a.root", made), RUN) as hist:
        found = hist.occupancy("hitoccupancymap", trigger=False)
    assert found.content[wafer_hash(2, 8, 51, 0, 1)] == 3.5


def test_error_in_3_of_10000_events(tmp_path):
    """hist-files.md 10, items 5 and 6."""
    wafer = wafer_hash(0, 0, 0, 1, 1)
    for convention, made in (
        (NUMBER_OF, profile(BARREL, {(8, 1): (3, 10_000)})),
        (COUNTS, histogram_2d("", BARREL, _counts_of_three(), 3.0)),
    ):
        style: Style = "master" if convention is NUMBER_OF else "21.0"
        kinds = [convention.kind(name) for name in ERROR_NAMES.values()]
        maps = of_kinds(style, *kinds)
        maps[convention.kind("BCIDError").path(1, 0, 1)] = made
        with open_hist(write(tmp_path / f"{style}.root", maps), RUN) as hist:
            found = hist.errors()
        assert found.content[wafer, 2] == pytest.approx(0.0003 if found.entries is not None else 3)
        assert measure(found.content, found.entries, 10_000).counts[wafer, 2] == 3


def _counts_of_three() -> np.ndarray:
    grid = np.zeros((58, 15), dtype=">f4")
    grid[1, 8] = 3
    return grid.ravel()


def test_rates_of_21_serve_where_there_are_no_counts(tmp_path):
    rates = names.ERROR_CONVENTIONS[4]
    made = of_kinds("21.0", *(rates.kind(name) for name in ERROR_NAMES.values()))
    counted = simulated("21.0")[1]
    with open_hist(write(tmp_path / "a.root", made), RUN) as hist:
        found = hist.errors()
    assert found.kind == "SCT_"
    assert_array_equal(measure(found.content, found.entries, 20_000).counts, counted.errors)


@pytest.mark.parametrize("number", range(len(names.ERROR_CONVENTIONS)))
def test_error_maps_are_found_by_every_name(tmp_path, number):
    convention = names.ERROR_CONVENTIONS[number]
    like = names.ERROR_CONVENTIONS[number // 2 * 2]
    style: Style = "master" if convention.prefix == "SCT_NumberOf" else "21.0"
    made = simulated(style)[2]
    maps = {
        to: made[of]
        for name in ERROR_NAMES.values()
        for to, of in zip(convention.kind(name).paths(), like.kind(name).paths(), strict=True)
    }
    with open_hist(write(tmp_path / "a.root", maps), RUN) as hist:
        found = hist.errors()
    assert found.kind == convention.prefix
    counts = measure(found.content, found.entries, 20_000).counts
    assert_array_equal(counts, simulated(style)[1].errors)


def test_newer_names_win_over_counts_and_rates(tmp_path):
    made = dict(simulated("21.0")[2])
    empty = profile(END_CAP, {}), profile(BARREL, {})
    for name in ERROR_NAMES.values():
        for place, path in zip(names.MAPS, NUMBER_OF.kind(name).paths(), strict=True):
            made[path] = empty[place[0] == 1]
    with open_hist(write(tmp_path / "a.root", made), RUN) as hist:
        found = hist.errors()
    assert found.kind == "SCT_NumberOf"
    assert not found.content.any()


def test_booked_but_empty_maps_of_the_barrel_are_a_trap(tmp_path):
    made = simulated("21.0")[2]
    assert "SCT/SCTB/eff/m_eff_0_0" in made
    maps = of_kinds("21.0", names.EFFICIENCY)
    traps = {path: made[path] for path in made if path.startswith("SCT/SCTB/eff/m_eff_")}
    with open_hist(write(tmp_path / "a.root", {**traps, **maps}), RUN) as hist:
        assert_array_equal(hist.efficiency().entries, simulated("21.0")[1].crossings)


def test_bins_without_a_module_do_not_matter(tmp_path):
    made = of_kinds("master", names.EFFICIENCY)
    bins = np.full(15 * 58, 1000.0)
    inside = names.bin_of_wafer() - names.map_offsets()[names.map_of_wafer()]
    mine = names.map_of_wafer() == names.MAPS.index((1, 2, 0))
    bins[inside[mine]] = 1
    bins[5] = np.nan
    made["SCT/SCTB/eff/eff_2_0"] = profile_2d("", BARREL, np.ones(15 * 58), bins, bins)
    with open_hist(write(tmp_path / "a.root", made), RUN) as hist:
        found = hist.efficiency()
    assert_array_equal(found.content[mine], 1)


def test_nothing_filled_is_not_filled(tmp_path):
    empty = profile(END_CAP, {}), profile(BARREL, {(7, 5): (1, 1)})  # eta 0 does not exist
    made = {p: empty[place[0] == 1] for place, p in zip(names.MAPS, names.EFFICIENCY.paths(),
                                                        strict=True)}  # fmt: skip
    with open_hist(write(tmp_path / "a.root", made), RUN) as hist:
        assert not hist.efficiency().filled


def test_absent_first_bcid_maps_give_a_warning(tmp_path, caplog):
    made = of_kinds("21.0", names.EFFICIENCY)
    with open_hist(write(tmp_path / "a.root", made), RUN) as hist:
        assert hist.efficiency_first_bcid() is None
    assert "_bcid" in caplog.text


def test_hits_if_present(tmp_path):
    made = of_kinds("21.0", names.EFFICIENCY)
    with open_hist(write(tmp_path / "a.root", made), RUN) as hist:
        assert hist.hits_if_present() is None
    with open_hist(write(tmp_path / "b.root", of_kinds("21.0", names.HITS)), RUN) as hist:
        present = hist.hits_if_present()
    assert present is not None
    assert present.filled


def test_end_cap_hits_had_other_names_before_2010(tmp_path):
    made = of_kinds("21.0", names.HITS)
    old = dict(zip(names.HITS_BEFORE_2010.paths(), made.values(), strict=True))
    assert "SCT/SCTEC/hits/ECm_hitsmap_0_0" in old
    assert "SCT/SCTB/hits/hitsmap_0_0" in old
    with open_hist(write(tmp_path / "a.root", old), RUN, before_2010=True) as hist:
        assert_array_equal(hist.hits().content, simulated("21.0")[1].hits.sum(axis=0))


def test_a_colon_in_the_path_is_part_of_the_name(tmp_path):
    folder = tmp_path / "a:b"
    folder.mkdir()
    made = simulated("master")[2]
    counter = {p: made[p] for p in (names.EVENTS_BY_ENVIRONMENT,)}
    with open_hist(write(folder / "f:run_1.root", counter), RUN) as hist:
        assert hist.n_events == 20_000


def test_the_run_directory_is_not_padded(tmp_path):
    made = {names.N_EVENTS: simulated("master")[2][names.N_EVENTS]}
    with open_hist(write(tmp_path / "a.root", made, run=7), 7) as hist:
        assert hist.n_events == 20_000


def test_optional_profiles_of_layer_1_are_read_if_there(tmp_path):
    made = simulated("21.0")[2]
    maps = {path: made[path] for path in names.lorentz_paths().values()}
    with open_hist(write(tmp_path / "a.root", maps), RUN) as hist:
        found = hist.lorentz()[1, 0, 100]
    assert found is not None
    assert not found.entries.any()


def test_one_of_the_optional_profiles_may_be_alone(tmp_path):
    made = simulated("21.0")[2]
    gone = names.lorentz_paths()[1, 1, 100]
    maps = without({p: made[p] for p in names.lorentz_paths().values()}, [gone])
    with open_hist(write(tmp_path / "a.root", maps), RUN) as hist:
        found = hist.lorentz()
    assert found[1, 1, 100] is None
    assert found[1, 0, 100] is not None


def test_reading_does_not_import_uproot(path):
    code = (
        "import sys\nfrom sctcalib.histograms.monitoring import open_hist\n"
        f"with open_hist({str(path)!r}, {RUN}) as hist:\n"
        "    hist.n_events, hist.efficiency(), hist.errors(), hist.hits(), hist.lorentz()\n"
        "assert 'uproot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
