"""SCTBSErrors.root of the full detector (algorithms-hitmaps.md 2.3)."""

from __future__ import annotations

import os
import subprocess
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot

from sctcalib.detector.identifiers import wafer_names
from sctcalib.detector.regions import N_WAFERS, REGIONS
from sctcalib.histograms.bserrors import (
    merge_bs_errors,
    read_bs_errors,
    write_bs_errors,
)
from sctcalib.histograms.hitmaps import read_hitmaps
from sctcalib.histograms.kinds import read_event_counts
from sctcalib.job.errors import InputFileError

N_ALL_TYPES = 35


def random_counts(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).poisson(0.05, (N_WAFERS, N_ALL_TYPES))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, np.ndarray, int]]:
    folder = tmp_path_factory.mktemp("bserrors")
    made = []
    for number in range(2):
        path = folder / f"{number}.root"
        counts = random_counts(number)
        write_bs_errors(path, counts, 500 + number)
        made.append((path, counts, 500 + number))
    return made


def test_written_maps_come_back(files: list[tuple[Path, np.ndarray, int]]) -> None:
    path, counts, n_events = files[0]
    maps = read_bs_errors(path)
    assert maps.n_events == n_events
    assert read_event_counts([path]) == [n_events]
    assert (maps.contents.shape, maps.contents.dtype) == ((N_WAFERS, 17), np.float32)
    assert not maps.contents[:, 0].any()
    np.testing.assert_array_equal(maps.counts, counts[:, :15])
    np.testing.assert_array_equal(maps.contents[:, 16], counts[:, 15:].sum(axis=1))
    np.testing.assert_array_equal(maps.entries, counts.sum(axis=1))
    np.testing.assert_array_equal(maps.any_error, counts.any(axis=1))


def test_uproot_reads_the_same(files: list[tuple[Path, np.ndarray, int]]) -> None:
    path, counts, n_events = files[0]
    with uproot.open(path) as file:
        assert file.keys(recursive=False, cycle=False) == ["GENERAL", "SCTEC", "SCTB", "SCTEA"]
        assert file["GENERAL/events"].values().tolist() == [n_events]
        for region in REGIONS:
            assert len(file[region.directory].keys()) == region.n_wafers
        for wafer in (0, 1975, 1976, 4939, 6199, 6200, 8175):
            region = next(r for r in REGIONS if wafer in range(N_WAFERS)[r.wafers])
            name = wafer_names()[wafer]
            histogram = file[f"{region.directory}/{name}"]
            assert histogram.classname == "TH1F"
            assert histogram.title == f"SCT {region.title} BSErrors : plane {name}"
            assert histogram.axis().edges().tolist() == [t - 0.5 for t in range(16)]
            mine = counts[wafer]
            in_bins = np.append(mine[:15], mine[15:].sum())
            np.testing.assert_array_equal(histogram.values(flow=True)[1:], in_bins)
            types = np.arange(15)
            members = ("fEntries", "fTsumw", "fTsumw2", "fTsumwx", "fTsumwx2")
            assert [histogram.member(member) for member in members] == [
                mine.sum(), mine[:15].sum(), mine[:15].sum(),
                mine[:15] @ types, mine[:15] @ types**2,
            ]  # fmt: skip


def test_same_maps_give_the_same_bytes(
    files: list[tuple[Path, np.ndarray, int]], tmp_path: Path
) -> None:
    path, counts, n_events = files[0]
    write_bs_errors(tmp_path / "again.root", counts, n_events)
    assert (tmp_path / "again.root").read_bytes() == path.read_bytes()


def test_merge_adds_all_wafers_and_events(
    files: list[tuple[Path, np.ndarray, int]], tmp_path: Path
) -> None:
    (one, a, _), (two, b, _) = files
    output = tmp_path / "sum.root"
    seen: list[tuple[int, int]] = []
    merged = merge_bs_errors([one, two], output, progress=lambda *at: seen.append(at))
    assert merged.n_events == 1001
    np.testing.assert_array_equal(merged.counts, (a + b)[:, :15])
    np.testing.assert_array_equal(merged.entries, (a + b).sum(axis=1))
    assert seen[-1] == (8177, 8177)
    back = read_bs_errors(output)
    assert back.n_events == 1001
    np.testing.assert_array_equal(back.contents, merged.contents)
    np.testing.assert_array_equal(back.entries, merged.entries)


def test_error_of_a_type_without_a_bin_is_an_error_all_the_same(tmp_path: Path) -> None:
    # E15: one entry of type 16
    counts = np.zeros((N_WAFERS, N_ALL_TYPES), dtype=int)
    counts[4938, 16] = 1
    write_bs_errors(tmp_path / "e15.root", counts, 10)
    maps = read_bs_errors(tmp_path / "e15.root")
    assert np.flatnonzero(maps.any_error).tolist() == [4938]
    assert (maps.counts.sum(), maps.contents[4938, 16]) == (0, 1)


def test_types_with_bins_are_enough(tmp_path: Path) -> None:
    write_bs_errors(tmp_path / "a.root", np.ones((N_WAFERS, 15)), 1)
    assert read_bs_errors(tmp_path / "a.root").entries.tolist() == [15] * N_WAFERS


@pytest.mark.parametrize("value", [-1, 0.5, 2**24 + 2, np.nan])
@pytest.mark.parametrize("error", [3, 20])
def test_counts_that_a_bin_cannot_hold_are_not_written(
    tmp_path: Path, value: float, error: int
) -> None:
    counts = np.zeros((N_WAFERS, N_ALL_TYPES))
    counts[5, error] = value
    with pytest.raises(ValueError, match="whole numbers of 0 to 16777216"):
        write_bs_errors(tmp_path / "a.root", counts, 1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("shape", [(N_WAFERS, 14), (N_WAFERS,), (8175, 15), (N_WAFERS, 15, 1)])
def test_counts_of_another_shape_are_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"not \(8176, 15 or more\)"):
        write_bs_errors(tmp_path / "a.root", np.zeros(shape), 1)
    assert list(tmp_path.iterdir()) == []


def test_no_files_are_no_sum(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no files of byte-stream errors"):
        merge_bs_errors([], tmp_path / "a.root")


def test_hit_maps_and_error_maps_are_not_taken_for_each_other(
    files: list[tuple[Path, np.ndarray, int]], hit_map_files: list[Any], tmp_path: Path
) -> None:
    with pytest.raises(InputFileError, match=r"15 bins -0.5...14.5 instead of 768"):
        read_hitmaps(files[0][0])
    with pytest.raises(InputFileError, match=r"768 bins -0.5...767.5 instead of 15"):
        merge_bs_errors([files[0][0], hit_map_files[0].path], tmp_path / "sum.root")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.root
def test_sum_is_that_of_hadd(files: list[tuple[Path, np.ndarray, int]], tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        root = pytest.importorskip("ROOT")
    home = Path(root.__file__).parent
    paths = [path for path, _, _ in files]
    theirs, ours = tmp_path / "theirs.root", tmp_path / "ours.root"
    merge_bs_errors(paths, ours)
    subprocess.run(
        [str(home / "bin" / "hadd"), "-f", str(theirs), *map(str, paths)],
        check=True,
        capture_output=True,
        env={**os.environ, "LD_LIBRARY_PATH": str(home / "lib")},
    )
    left, right = read_bs_errors(theirs), read_bs_errors(ours)
    assert left.n_events == right.n_events
    np.testing.assert_array_equal(left.contents, right.contents)
    np.testing.assert_array_equal(left.entries, right.entries)
    file, other = root.TFile(str(theirs)), root.TFile(str(ours))
    for name in ("SCTEC/-2_0_0_0_0", "SCTB/0_3_3_-1_1", "SCTEA/2_8_51_0_1"):
        one, two = file.Get(name), other.Get(name)
        assert one.GetTitle() == two.GetTitle()
        assert (one.GetMean(), one.GetRMS()) == (two.GetMean(), two.GetRMS())
        assert one.GetBinContent(16) == two.GetBinContent(16)
