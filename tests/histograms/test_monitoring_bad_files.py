"""HIST files with something wrong: one error, exit 74, that says what, where, and what is right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sctcalib.detector.identifiers import wafer_hash
from sctcalib.histograms import monitoring_names as names
from sctcalib.histograms.damage import DamagedError
from sctcalib.histograms.layouts import Axis
from sctcalib.histograms.monitoring import HistFile, open_hist
from sctcalib.histograms.monitoring_file import NestedRootFile
from sctcalib.histograms.monitoring_objects import read_bins
from sctcalib.job.errors import InputFileError
from sctcalib.parts.bytestream_errors import ERROR_NAMES
from sctcalib.simulate.hist_objects import histogram_1d, histogram_2d, profile_1d
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

END_CAP, BARREL = names.END_CAP_AXES, names.BARREL_AXES
EFFICIENCY, HITS = names.EFFICIENCY, names.HITS


def counter() -> dict[str, Any]:
    return {names.N_EVENTS: simulated("master")[2][names.N_EVENTS]}


def failure(path: Path, ask: Callable[[HistFile], object], *, run: int = RUN) -> str:
    """The message of the error that reading gives."""
    with pytest.raises(InputFileError) as error, open_hist(path, run) as hist:
        ask(hist)
    assert str(path) in str(error.value)
    assert error.value.code == 74
    return str(error.value)


def events(hist: HistFile) -> int:
    return hist.n_events


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def overwritten_keys(path: Path) -> None:
    """Destroy the list of keys of the run's directory."""
    file = NestedRootFile(path)
    table = file.keys("")
    seek = int(table.columns.seek[0])
    data = bytearray(path.read_bytes())
    data[seek + 60 : seek + 90] = b"\xff" * 30
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda path: path.unlink(), "cannot be read: No such file"),
        (lambda path: path.write_bytes(b""), "the file is empty"),
        (lambda path: path.write_bytes(b"<?xml version='1.0'?>" * 9), "it begins with b'<?xm'"),
        (truncated, "it is cut off"),
        (overwritten_keys, f"the directory run_{RUN}"),
    ],
    ids=["absent", "empty", "not ROOT", "truncated", "keys"],
)
def test_a_file_that_is_not_sound(tmp_path, damage, reason):
    path = write(tmp_path / "a.root", counter())
    damage(path)
    assert reason in failure(path, events)


def test_a_folder_is_no_file(tmp_path):
    assert "cannot be read" in failure(tmp_path, events)


def test_an_object_whose_bytes_are_damaged_is_named(tmp_path):
    path = write(tmp_path / "a.root", of_kinds("master", EFFICIENCY))
    file = NestedRootFile(path)
    table = file.keys(f"run_{RUN}/SCT/SCTB/eff")
    row = table.rows["eff_1_1"]
    begin = int(table.columns.seek[row] + table.columns.header[row])
    data = bytearray(path.read_bytes())
    data[begin + 30 : begin + 60] = bytes(30)
    path.write_bytes(data)
    assert f"run_{RUN}/SCT/SCTB/eff/eff_1_1: " in failure(path, lambda hist: hist.efficiency())


@pytest.mark.parametrize("run", [1, 30_000, 3_000_000])
def test_another_run(tmp_path, run):
    message = failure(write(tmp_path / "a.root", counter()), events, run=run)
    assert f"RunNumber in HIST is inconsistent with jobO : {run}" in message
    assert "it has run 300000" in message


def test_no_run_at_all(tmp_path):
    import uproot

    path = tmp_path / "a.root"
    with uproot.recreate(path) as file:
        file["SCT/x"] = histogram_1d("", Axis(1, 0, 1), np.zeros(3, dtype="f4"), 0.0)
    message = failure(path, events)
    assert f"RunNumber in HIST is inconsistent with jobO : {RUN}" in message
    assert "no directory run_<number>" in message


def test_a_histogram_called_like_a_run_is_no_run(tmp_path):
    import uproot

    path = tmp_path / "a.root"
    with uproot.recreate(path) as file:
        file[f"run_{RUN}"] = histogram_1d("", Axis(1, 0, 1), np.zeros(3, dtype="f4"), 0.0)
    assert "inconsistent" in failure(path, events)


def test_without_counter_both_are_named(tmp_path):
    message = failure(write(tmp_path / "a.root", of_kinds("master", HITS)), events)
    assert "SCT/GENERAL/Conf/NumberOfEventsVsLB" in message
    assert "GLOBAL/DQTDataFlow/events_lb" in message


@pytest.mark.parametrize("entries", [-1.0, 0.5, np.nan, np.inf])
def test_a_counter_that_is_no_count(tmp_path, entries):
    made = histogram_1d("", LUMI_BLOCKS, np.zeros(3002, dtype="f4"), entries)
    message = failure(write(tmp_path / "a.root", {names.N_EVENTS: made}), events)
    assert f"number of events is {entries:g}, not a count" in message


@pytest.mark.parametrize("path", [names.N_EVENTS, names.EVENTS_BY_ENVIRONMENT])
def test_a_counter_of_another_class(tmp_path, path):
    made = histogram_1d("", LUMI_BLOCKS, np.zeros(3002), 9.0)
    right = "TH1F" if path == names.N_EVENTS else "TH1I"
    message = failure(write(tmp_path / "a.root", {path: made}), events)
    assert f"{path} is a TH1D, expected a {right}" in message


@pytest.mark.parametrize("labels", [(), ("user", "online", "AOD")])
def test_a_counter_without_the_labels(tmp_path, labels):
    contents = np.zeros(5, dtype=np.int32)
    made = histogram_1d("", Axis(3, -0.5, 2.5), contents, 9.0, labels=labels)
    message = failure(write(tmp_path / "a.root", {names.EVENTS_BY_ENVIRONMENT: made}), events)
    assert "no bin is labelled tier0ESD or tier0" in message
    assert str(list(labels)) in message


def test_all_missing_maps_are_in_one_message(tmp_path):
    gone = ["SCT/SCTEC/eff/m_eff_3_0", "SCT/SCTEA/eff/p_eff_8_1", "SCT/SCTB/eff/eff_0_0"]
    made = without(of_kinds("master", EFFICIENCY), gone)
    message = failure(write(tmp_path / "a.root", made), lambda hist: hist.efficiency())
    assert all(path in message for path in gone)
    assert "SCT/SCTB/eff/eff_0_1" not in message
    assert f"missing in run_{RUN}" in message


def test_missing_regions_are_named_in_short(tmp_path):
    gone = [*EFFICIENCY.paths()[:18], "SCT/SCTB/eff/eff_2_1"]
    made = without(of_kinds("master", EFFICIENCY), gone)
    message = failure(write(tmp_path / "a.root", made), lambda hist: hist.efficiency())
    assert message.endswith("SCT/SCTEC/eff/m_eff_<0-8>_<0-1>, SCT/SCTB/eff/eff_2_1")


def test_first_bcid_maps_are_all_there_or_none(tmp_path):
    kind = names.EFFICIENCY_FIRST_BCID
    made = without(of_kinds("master", kind), ["SCT/SCTB/eff/eff_2_1_bcid"])
    message = failure(write(tmp_path / "a.root", made), lambda hist: hist.efficiency_first_bcid())
    assert message.endswith(": SCT/SCTB/eff/eff_2_1_bcid")


def test_hit_maps_are_all_there_or_none(tmp_path):
    made = without(of_kinds("master", HITS), ["SCT/SCTB/hits/hitsmap_2_1"])
    message = failure(write(tmp_path / "a.root", made), lambda hist: hist.hits_if_present())
    assert message.endswith(": SCT/SCTB/hits/hitsmap_2_1")


def test_names_before_2010_are_not_tried_unasked(tmp_path):
    old = dict(zip(names.HITS_BEFORE_2010.paths(), of_kinds("21.0", HITS).values(), strict=True))
    message = failure(write(tmp_path / "a.root", old), lambda hist: hist.hits())
    assert "SCT/SCTEC/hits/hitsmapECm_<0-8>_<0-1>" in message


def test_no_fall_back_between_occupancies_but_a_hint(tmp_path):
    kinds = [names.occupancy_kind("hitoccupancymap", trigger=False)]
    kinds.append(names.occupancy_kind("noiseoccupancymap", trigger=True))
    path = write(tmp_path / "a.root", of_kinds("master", *kinds))
    message = failure(path, lambda hist: hist.occupancy("noiseoccupancymap", trigger=False))
    assert "SCT/SCTB/Noise/noiseoccupancymap_<0-3>_<0-1>" in message
    assert (
        "NoiseOccupancyHistogram 'hitoccupancymap' with NoiseOccupancyTriggerAware False" in message
    )
    assert (
        "NoiseOccupancyHistogram 'noiseoccupancymap' with NoiseOccupancyTriggerAware True"
        in message
    )
    assert (
        "NoiseOccupancyHistogram 'noiseoccupancymap' with NoiseOccupancyTriggerAware False"
        not in message
    )


def test_missing_profiles_are_all_named_but_the_optional(tmp_path):
    paths = names.lorentz_paths()
    gone = [paths[0, 0, 100], paths[1, 0, 111], paths[1, 0, 100], paths[1, 1, 100]]
    made = without({p: simulated("21.0")[2][p] for p in paths.values()}, gone)
    message = failure(write(tmp_path / "a.root", made), lambda hist: hist.lorentz())
    assert message.endswith(
        ": SCT/GENERAL/lorentz/h_phiVsNstrips_100_0Side0,"
        " SCT/GENERAL/lorentz/h_phiVsNstrips_111_1Side0"
    )


def test_without_error_maps_the_first_name_is_given(tmp_path):
    message = failure(write(tmp_path / "a.root", counter()), lambda hist: hist.errors())
    assert (
        f"Unable to get profile for BSErrorsDB : run_{RUN}/SCT/SCTEC/errors/ByteStreamParseError/"
        "SCT_NumberOfByteStreamParseErrorEC_0_0"
    ) in message
    assert "SCT/SCTEC/errors/SCT_TByteStreamParseErrorEC_0_0" in message


def test_missing_error_maps_are_all_named(tmp_path):
    made = of_kinds("21.0", *(COUNTS.kind(name) for name in ERROR_NAMES.values()))
    gone = [COUNTS.kind("BCIDError").path(1, 3, 1), *COUNTS.kind("ROBFragmentError").paths()]
    path = write(tmp_path / "a.root", without(made, gone))
    message = failure(path, lambda hist: hist.errors())
    assert "SCT/SCTB/errors/BCIDError/SCT_TBCIDErrorB_3_1" in message
    assert "SCT/SCTEA/errors/ROBFragmentError/SCT_TROBFragmentErrorEA_<0-8>_<0-1>" in message


def test_a_file_is_not_read_half_in_one_convention_half_in_the_other(tmp_path):
    made = of_kinds("21.0", *(COUNTS.kind(name) for name in ERROR_NAMES.values()))
    newer = of_kinds("master", NUMBER_OF.kind("ByteStreamParseError"))
    message = failure(write(tmp_path / "a.root", {**made, **newer}), lambda hist: hist.errors())
    assert "errors/TimeOutError/SCT_NumberOfTimeOutErrorB_<0-3>_<0-1>" in message


def test_without_the_first_map_the_convention_of_the_others_is_demanded(tmp_path):
    made = of_kinds("21.0", *(COUNTS.kind(name) for name in ERROR_NAMES.values()))
    first = COUNTS.kind("ByteStreamParseError").path(0, 0, 0)
    path = write(tmp_path / "a.root", without(made, [first]))
    assert failure(path, lambda hist: hist.errors()).endswith(f": {first}")


@pytest.mark.parametrize(
    ("path", "made", "ask", "right"),
    [
        (EFFICIENCY.path(1, 0, 0), "TH2F", HistFile.efficiency, "TProfile2D"),
        (HITS.path(0, 8, 1), "TProfile2D", HistFile.hits, "TH2F"),
        (NUMBER_OF.kind("RawError").path(2, 1, 0), "TH2F", HistFile.errors, "TProfile2D"),
        (names.lorentz_paths()[2, 1, 111], "TH2F", HistFile.lorentz, "TProfile"),
    ],
    ids=["efficiency", "hits", "errors", "lorentz"],
)
def test_an_object_of_another_class(tmp_path, path, made, ask, right):
    maps = dict(simulated("master")[2])
    flat = np.zeros(270, dtype=">f4")
    maps[path] = (
        profile(END_CAP, {}) if made == "TProfile2D" else histogram_2d("", END_CAP, flat, 0)
    )
    message = failure(write(tmp_path / "a.root", maps), ask)
    assert f"{path} is a {made}, expected a {right}" in message


def test_all_objects_of_other_classes_are_named(tmp_path):
    maps = of_kinds("master", EFFICIENCY)
    wrong = [EFFICIENCY.path(0, 0, 0), EFFICIENCY.path(2, 8, 1)]
    maps |= {p: histogram_2d("", END_CAP, np.zeros(270, dtype=">f4"), 0) for p in wrong}
    message = failure(write(tmp_path / "a.root", maps), lambda hist: hist.efficiency())
    assert all(path in message for path in wrong)
    assert EFFICIENCY.path(1, 0, 0) not in message


@pytest.mark.parametrize(
    "axes",
    [
        (Axis(13, -6.5, 6.5), Axis(52, -0.5, 51.5)),
        (Axis(13, -6.0, 7.0), Axis(56, -0.5, 55.5)),
        (Axis(56, -0.5, 55.5), Axis(13, -6.5, 6.5)),
        END_CAP,
    ],
    ids=["short", "shifted", "turned", "end cap"],
)
def test_maps_with_other_bins(tmp_path, axes):
    maps = of_kinds("master", EFFICIENCY)
    maps[EFFICIENCY.path(1, 3, 0)] = profile(axes, {(1, 1): (1, 1)})
    message = failure(write(tmp_path / "a.root", maps), lambda hist: hist.efficiency())
    assert f"SCT/SCTB/eff/eff_3_0 has {axes[0]} x {axes[1]}, expected" in message
    assert "13 bins -6.5...6.5 x 56 bins -0.5...55.5" in message


@pytest.mark.parametrize("axis", [Axis(180, -18, 18), Axis(360, -45, 45)], ids=str)
def test_profiles_with_other_bins(tmp_path, axis):
    paths = names.lorentz_paths()
    maps = {p: simulated("21.0")[2][p] for p in paths.values()}
    maps[paths[3, 1, 111]] = profile_1d("", axis, *(np.ones(axis.n + 2) for _ in range(3)))
    message = failure(write(tmp_path / "a.root", maps), lambda hist: hist.lorentz())
    assert f"h_phiVsNstrips_111_3Side1 has {axis}, expected" in message
    assert "360 bins -18...18 or 360 bins -90...90" in message


@pytest.mark.parametrize(
    ("total", "entries", "reason"),
    [
        (np.nan, 10, "its content in eta 2, phi 7 is nan, expected a number of 0 to 1"),
        (np.inf, 10, "its content in eta 2, phi 7 is inf"),
        (-1, 10, "its content in eta 2, phi 7 is -0.1"),
        (11, 10, "its content in eta 2, phi 7 is 1.1"),
        (5, -10, "its entries in eta 2, phi 7 is -10, expected a number from 0 on"),
        (5, np.nan, "its entries in eta 2, phi 7 is nan"),
        (5, np.inf, "its entries in eta 2, phi 7 is inf"),
    ],
)
def test_values_that_cannot_be(tmp_path, total, entries, reason):
    maps = of_kinds("master", EFFICIENCY)
    maps[EFFICIENCY.path(2, 4, 1)] = profile(END_CAP, {(3, 8): (total, entries)})
    message = failure(write(tmp_path / "a.root", maps), lambda hist: hist.efficiency())
    assert f"SCT/SCTEA/eff/p_eff_4_1: {reason}" in message


@pytest.mark.parametrize("content", [-1, np.nan, np.inf])
def test_numbers_of_hits_that_cannot_be(tmp_path, content):
    maps = of_kinds("master", HITS)
    grid = np.zeros((58, 15), dtype=">f4")
    grid[3, 13] = content
    maps[HITS.path(1, 0, 1)] = histogram_2d("", BARREL, grid.ravel(), 1)
    message = failure(write(tmp_path / "a.root", maps), lambda hist: hist.hits())
    assert f"SCT/SCTB/hits/hitsmap_0_1: its content in eta 6, phi 2 is {content:g}" in message


def test_an_error_cannot_be_in_more_than_all_events(tmp_path):
    maps = of_kinds("master", *(NUMBER_OF.kind(name) for name in ERROR_NAMES.values()))
    path = NUMBER_OF.kind("MaskedLink").path(0, 0, 0)
    maps[path] = profile(END_CAP, {(1, 1): (12, 10)})
    assert f"{path}: its content in eta 0, phi 0 is 1.2" in failure(
        write(tmp_path / "a.root", maps), lambda hist: hist.errors()
    )


@pytest.mark.parametrize("number", range(3), ids=["entries", "widths", "squared widths"])
@pytest.mark.parametrize("value", [-1.0, np.nan])
def test_profiles_with_values_that_cannot_be(tmp_path, number, value):
    paths = names.lorentz_paths()
    maps = {p: simulated("21.0")[2][p] for p in paths.values()}
    arrays = [np.ones(362) for _ in range(3)]
    arrays[number][17] = value
    maps[paths[0, 0, 111]] = profile_1d("", names.LORENTZ_AXES[0], *arrays)
    message = failure(write(tmp_path / "a.root", maps), lambda hist: hist.lorentz())
    assert "h_phiVsNstrips_111_0Side0: bin 17: sum of" in message
    assert f"is {value:g}" in message


def test_several_cycles_the_highest_counts(tmp_path, caplog):
    import uproot

    path = write(tmp_path / "a.root", of_kinds("master", EFFICIENCY))
    name = EFFICIENCY.path(1, 0, 0)
    with uproot.update(path) as file:
        file[f"run_{RUN}/{name}"] = profile(BARREL, {(1, 1): (1, 2)})
    with open_hist(path, RUN) as hist:
        found = hist.efficiency()
    assert found.content[wafer_hash(0, 0, 0, -6, 0)] == 0.5
    assert "several cycles of eff_0_0" in caplog.text


def test_a_profile_without_squares_is_damaged(tmp_path):
    from uproot.writing import identify

    maps = of_kinds("master", EFFICIENCY)
    cells, nothing = np.zeros(870), np.zeros(0)
    axes = [
        identify.to_TAxis(name, "", axis.n, axis.low, axis.high)
        for name, axis in zip(("xaxis", "yaxis"), BARREL, strict=True)
    ]
    maps[EFFICIENCY.path(1, 1, 0)] = identify.to_TProfile2D(
        "", "", cells, *[0.0] * 10, nothing, cells, nothing, *axes
    )
    message = failure(write(tmp_path / "a.root", maps), lambda hist: hist.efficiency())
    assert "SCT/SCTB/eff/eff_1_0: it has 0 sums of squares, its axes ask for 870" in message


@pytest.mark.parametrize(
    ("path", "class_name"),
    [
        (names.N_EVENTS, "TH1F"),
        (names.EVENTS_BY_ENVIRONMENT, "TH1I"),
        (HITS.path(0, 0, 0), "TH2F"),
        (names.lorentz_paths()[0, 0, 111], "TProfile"),
        (EFFICIENCY.path(0, 0, 0), "TProfile2D"),
    ],
    ids=["TH1F", "TH1I", "TH2F", "TProfile", "TProfile2D"],
)
def test_objects_that_are_cut_off_or_of_another_class_are_damaged(tmp_path, path, class_name):
    path_of_file = write(tmp_path / "a.root", {path: simulated("master")[2][path]})
    file = NestedRootFile(path_of_file)
    folder, _, name = path.rpartition("/")
    table = file.keys(f"run_{RUN}/{folder}")
    (streamed,) = file.objects(table.columns[[table.rows[name]]])
    assert read_bins(streamed, class_name).sums.any()
    for n in [*range(400), *range(400, len(streamed), 97)]:
        with pytest.raises(DamagedError):
            read_bins(streamed[:n], class_name)
    others = {"TH1F", "TH2F", "TProfile", "TProfile2D"} - {class_name, "TH1F", "TH1I"}
    for other in others:
        with pytest.raises(DamagedError):
            read_bins(streamed, other)


def test_labels_in_damaged_bytes_are_an_input_error(tmp_path):
    import uproot

    labels = ["user", "online", "tier0"]
    contents = np.zeros(5, dtype=np.int32)
    made = histogram_1d("", Axis(3, -0.5, 2.5), contents, 9.0, labels=labels)
    path = tmp_path / "a.root"
    with uproot.recreate(path, compression=None) as file:
        file[f"run_{RUN}/{names.EVENTS_BY_ENVIRONMENT}"] = made
    data = path.read_bytes()
    at = data.index(b"THashList\0")
    path.write_bytes(data[: at + 12] + b"\xff" * 12 + data[at + 24 :])
    assert "events_lb: its labels cannot be read" in failure(path, events)
