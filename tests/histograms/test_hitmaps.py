"""SCTHitMaps.root of the full detector (algorithms-hitmaps.md 2.1)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import uproot

from sctcalib.detector.identifiers import wafer_names
from sctcalib.detector.regions import REGIONS
from sctcalib.histograms.hitmaps import merge_hitmaps, read_hitmaps, write_hitmaps
from sctcalib.histograms.kinds import identify, read_event_counts
from sctcalib.histograms.layouts import hit_map_families
from sctcalib.histograms.rootwriter import new_root_file
from sctcalib.histograms.stacks import Stack
from sctcalib.histograms.templates import empty_stack, streamer_info
from sctcalib.job.errors import InputFileError
from tests.histograms.conftest import HitMapFile, LumiBlockFile
from tests.histograms.helpers import write_small


def test_written_maps_come_back(hit_map_files: list[HitMapFile]) -> None:
    written = hit_map_files[0]
    maps = read_hitmaps(written.path)
    assert maps.n_events == written.n_events
    assert maps.counts.dtype == np.uint32
    np.testing.assert_array_equal(maps.counts, written.counts)
    assert maps.contents.dtype == np.float32
    np.testing.assert_array_equal(maps.contents[:, 769], written.overflow)
    assert not maps.contents[:, 0].any()
    fills = written.counts.sum(axis=1) + written.overflow
    np.testing.assert_array_equal(maps.entries, fills)


def test_uproot_reads_the_same(hit_map_files: list[HitMapFile]) -> None:
    written = hit_map_files[0]
    with uproot.open(written.path) as file:
        assert file.keys(recursive=False, cycle=False) == ["GENERAL", "SCTEC", "SCTB", "SCTEA"]
        events = file["GENERAL/events"]
        assert (events.classname, events.title) == ("TH1I", "Events")
        assert events.values().tolist() == [written.n_events]
        for region in REGIONS:
            assert len(file[region.directory].keys()) == region.n_wafers
        for wafer in (0, 17, 1975, 1976, 4939, 6199, 6200, 8175):
            region = next(r for r in REGIONS if wafer in range(8176)[r.wafers])
            name = wafer_names()[wafer]
            histogram = file[f"{region.directory}/{name}"]
            assert histogram.title == f"SCT {region.title} Hitmap: plane {name}"
            assert histogram.axis().edges()[[0, -1]].tolist() == [-0.5, 767.5]
            counts = written.counts[wafer]
            np.testing.assert_array_equal(histogram.values(), counts)
            strips = np.arange(768)
            assert [
                histogram.member(name)
                for name in ("fEntries", "fTsumw", "fTsumw2", "fTsumwx", "fTsumwx2")
            ] == [
                counts.sum() + written.overflow[wafer],
                counts.sum(),
                counts.sum(),
                counts @ strips,
                counts @ strips**2,
            ]


def test_same_maps_give_the_same_bytes(hit_map_files: list[HitMapFile], tmp_path: Path) -> None:
    written = hit_map_files[0]
    again = tmp_path / "again.root"
    write_hitmaps(again, written.counts, written.n_events, overflow=written.overflow)
    assert again.read_bytes() == written.path.read_bytes()


def test_merge_adds_all_wafers_and_events(hit_map_files: list[HitMapFile], tmp_path: Path) -> None:
    one, two = hit_map_files
    output = tmp_path / "sum.root"
    seen: list[tuple[int, int]] = []
    merged = merge_hitmaps(
        [one.path, two.path], output, progress=lambda done, total: seen.append((done, total))
    )
    assert merged.n_events == 2001
    np.testing.assert_array_equal(merged.counts, one.counts + two.counts)
    assert seen[-1] == (8177, 8177)
    back = read_hitmaps(output)
    assert back.n_events == 2001
    np.testing.assert_array_equal(back.contents, merged.contents)
    np.testing.assert_array_equal(back.entries, merged.entries)


def test_strips_beyond_the_edge_count_as_entries_only(tmp_path: Path) -> None:
    # E2: two events; clusters (126, 3) and (767, 2) on one wafer
    counts = np.zeros((8176, 768), dtype=np.int64)
    counts[4938, [126, 127, 128, 767]] = 1
    overflow = np.zeros(8176, dtype=np.int64)
    overflow[4938] = 1
    write_hitmaps(tmp_path / "e2.root", counts, 2, overflow=overflow)
    maps = read_hitmaps(tmp_path / "e2.root")
    assert (maps.n_events, maps.entries[4938], maps.entries.sum()) == (2, 5, 5)
    assert np.flatnonzero(maps.contents[4938]).tolist() == [127, 128, 129, 768, 769]
    assert maps.counts.sum() == 4


def test_entries_may_differ_from_the_sum_of_contents(tmp_path: Path) -> None:
    entries = np.arange(8176)
    write_hitmaps(tmp_path / "a.root", np.zeros((8176, 768)), 1, entries=entries)
    np.testing.assert_array_equal(read_hitmaps(tmp_path / "a.root").entries, entries)


@pytest.mark.parametrize("value", [-1, 0.5, 2**24 + 2, np.nan])
def test_counts_that_a_bin_cannot_hold_are_not_written(tmp_path: Path, value: float) -> None:
    counts = np.zeros((8176, 768))
    counts[5, 5] = value
    with pytest.raises(ValueError, match="whole numbers of 0 to 16777216"):
        write_hitmaps(tmp_path / "a.root", counts, 1)
    assert not (tmp_path / "a.root").exists()


def _write_with(path: Path, *, leave_out: tuple[str, ...] = (), entries: float = 0) -> Path:
    """An empty full-detector file without some wafers, with some number of entries everywhere."""
    from dataclasses import replace

    from sctcalib.histograms.merge import pack_stack

    with new_root_file(path, "a.root") as writer:
        for family in hit_map_families():
            left = tuple(name for name in family.names if name not in leave_out)
            small = replace(family, names=left)
            rows = slice(0, len(left))
            stack: Stack = empty_stack(small, rows)
            stack.statistics[:, 0] = entries
            writer.directory(family.directory)
            writer.add(pack_stack(stack, rows))
        writer.finish(streamer_info())
    return path


def test_missing_wafers_are_an_error_and_never_shift_others(tmp_path: Path) -> None:
    path = _write_with(tmp_path / "a.root", leave_out=("0_3_3_-1_1", "2_0_0_0_0"))
    with pytest.raises(
        InputFileError, match=r"no TH1F SCTB/0_3_3_-1_1; no TH1F SCTEA/2_0_0_0_0$"
    ) as caught:
        read_hitmaps(path)
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize("entries", [-1.0, 0.5, np.nan, np.inf])
def test_entries_that_are_not_a_number_of_fills_are_an_error(
    tmp_path: Path, entries: float
) -> None:
    path = _write_with(tmp_path / "a.root", entries=entries)
    with pytest.raises(InputFileError, match=f"GENERAL/events: its number of entries is {entries}"):
        read_hitmaps(path)
    with pytest.raises(InputFileError, match="GENERAL/events"):
        read_event_counts([path])


def test_kind_and_events_are_told_without_reading_the_maps(
    hit_map_files: list[HitMapFile], lumi_block_files: list[LumiBlockFile], tmp_path: Path
) -> None:
    paths = [hit_map_files[1].path, lumi_block_files[0].path]
    assert [identify(path) for path in paths] == ["hitmap", "lb"]
    assert read_event_counts(paths) == [1001, lumi_block_files[0].events.sum()]
    other = write_small(tmp_path / "other.root", np.ones((3, 4)))
    with pytest.raises(
        InputFileError, match="neither hit maps nor LB maps; it contains GENERAL, SCTB"
    ):
        identify(other)


def test_lb_file_is_not_taken_for_a_hit_map_file(lumi_block_files: list[LumiBlockFile]) -> None:
    with pytest.raises(InputFileError, match=r"no TH1F SCTEC/-2_0_0_0_0, .* \(1976 in all\)"):
        read_hitmaps(lumi_block_files[0].path)


def test_no_files_are_a_mistake_of_the_caller(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no hit-map files"):
        merge_hitmaps([], tmp_path / "out.root")
