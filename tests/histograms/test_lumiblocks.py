"""SCTLB.root of the full detector (algorithms-hitmaps.md 2.2)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import uproot
from numpy.typing import NDArray

from sctcalib.detector.readout import readout_strip
from sctcalib.histograms.layouts import EVENTS
from sctcalib.histograms.lumiblocks import (
    LumiBlockHits,
    merge_lumi_blocks,
    read_lumi_blocks,
    write_lumi_blocks,
)
from sctcalib.job.errors import InputFileError
from tests.histograms.conftest import N_BLOCKS, HitMapFile, LumiBlockFile


def _chip_contents(hits: LumiBlockHits) -> NDArray[np.int64]:
    """Hits by chip and lumi block with under- and overflow, shape (49056, L + 2)."""
    contents = np.zeros((49056, N_BLOCKS + 2), dtype=np.int64)
    np.add.at(contents, (6 * hits.wafer + hits.chip, hits.block), hits.count)
    return contents


def test_written_lumi_blocks_come_back(lumi_block_files: list[LumiBlockFile]) -> None:
    written = lumi_block_files[0]
    maps = read_lumi_blocks(written.path)
    assert maps.n_events == written.events.sum()
    np.testing.assert_array_equal(maps.events, written.events)
    np.testing.assert_array_equal(maps.chips, np.arange(49056))
    np.testing.assert_array_equal(maps.contents, _chip_contents(written.hits)[:, 1:-1])


def test_only_some_chips_are_kept_on_request(lumi_block_files: list[LumiBlockFile]) -> None:
    path = lumi_block_files[0].path
    everything = read_lumi_blocks(path)
    some = read_lumi_blocks(path, keep_chips=[49055, 3, 29634, 3])
    assert some.chips.tolist() == [3, 29634, 49055]
    np.testing.assert_array_equal(some.contents, everything.contents[some.chips])
    np.testing.assert_array_equal(some.events, everything.events)
    none = read_lumi_blocks(path, keep_chips=[])
    assert none.contents.shape == (0, N_BLOCKS)


@pytest.mark.parametrize("chip", [-1, 49056])
def test_chip_that_does_not_exist_is_refused(
    lumi_block_files: list[LumiBlockFile], chip: int
) -> None:
    with pytest.raises(ValueError, match="chips are numbered 0-49055"):
        read_lumi_blocks(lumi_block_files[0].path, keep_chips=[chip])


def test_uproot_reads_the_same(lumi_block_files: list[LumiBlockFile]) -> None:
    written = lumi_block_files[0]
    hits = written.hits
    mine = hits.wafer == 4939
    with uproot.open(written.path) as file:
        assert len(file["SCTB"].keys()) == 7 * 4224
        np.testing.assert_array_equal(file[EVENTS].values(), written.events)
        windows = file["SCTB/0_3_3_-1_1__2D"]
        assert windows.classname == "TH2F"
        assert windows.title == "SCT barrel Hitmap: plane 0_3_3_-1_1_"
        assert windows.axis(1).edges().tolist() == [0.5, 3.5, 6.5, 9.5]
        expected = np.zeros((770, 5))
        window = np.where(hits.block == 0, 0, (hits.block - 1) // 3 + 1)
        np.add.at(expected, (hits.strip[mine] + 1, window[mine]), hits.count[mine])
        np.testing.assert_array_equal(windows.values(flow=True), expected)
        inside = mine & (hits.strip < 768) & (hits.block > 0)
        w, x, y = hits.count[inside], hits.strip[inside], hits.block[inside]
        assert windows.member("fEntries") == hits.count[mine].sum()
        assert [
            windows.member(f"fTsum{name}") for name in ("w", "w2", "wx", "wx2", "wy", "wy2", "wxy")
        ] == [v.sum() for v in (w, w, w * x, w * x * x, w * y, w * y * y, w * x * y)]
        chip = file["SCTB/0_3_3_-1_1_8"]
        assert chip.title == "SCTbarrel LB: chip 0_3_3_-1_1_8"
        contents = _chip_contents(hits)[4939 * 6 + 2]
        np.testing.assert_array_equal(chip.values(flow=True), contents)
        assert chip.member("fEntries") == contents.sum()


@pytest.mark.parametrize("keep", [None, [0, 777, 49055]])
def test_merge_adds_chips_events_and_2d_maps(
    lumi_block_files: list[LumiBlockFile], tmp_path: Path, keep: list[int] | None
) -> None:
    one, two = lumi_block_files
    output = tmp_path / "sum.root"
    merged = merge_lumi_blocks([one.path, two.path], output, keep_chips=keep)
    contents = (_chip_contents(one.hits) + _chip_contents(two.hits))[:, 1:-1]
    np.testing.assert_array_equal(merged.contents, contents[merged.chips])
    np.testing.assert_array_equal(merged.events, one.events + two.events)
    assert merged.n_events == one.events.sum() + two.events.sum()
    if keep is not None:
        assert merged.chips.tolist() == keep
        return
    np.testing.assert_array_equal(read_lumi_blocks(output).contents, contents)
    name = "SCTEA/2_8_51_0_1__2D"
    files = [uproot.open(path) for path in (output, one.path, two.path)]
    values = [file[name].values(flow=True) for file in files]
    np.testing.assert_array_equal(values[0], values[1] + values[2])
    for file in files:
        file.close()


@pytest.mark.parametrize(("swap", "chips"), [(False, {0: 3, 5: 2}), (True, {5: 3, 0: 2})])
def test_hits_of_a_cluster_count_for_the_chip_of_its_first_strip(
    tmp_path: Path, swap: bool, chips: dict[int, int]
) -> None:
    # E2: clusters (126, 3) and (767, 2) in lumi block 7
    first, size = np.array([126, 767]), np.array([3, 2])
    start = np.repeat(first, size)
    strip = start + np.array([0, 1, 2, 0, 1])
    n = len(strip)
    hits = LumiBlockHits(
        np.full(n, 4938), strip, np.full(n, 7), readout_strip(start, swap) // 128, np.ones(n, int)
    )
    events = np.zeros(10, dtype=np.int64)
    events[6] = 2
    write_lumi_blocks(tmp_path / "e2.root", events, hits)
    maps = read_lumi_blocks(tmp_path / "e2.root")
    rows, blocks = np.nonzero(maps.contents)
    assert set(blocks.tolist()) == {6}
    assert {int(row) - 4938 * 6: int(maps.contents[row, 6]) for row in rows} == chips
    assert maps.n_events == 2


def test_files_with_other_lumi_blocks_are_refused_together(
    lumi_block_files: list[LumiBlockFile], tmp_path: Path
) -> None:
    nothing = LumiBlockHits(*(np.zeros(0, dtype=np.int64) for _ in range(5)))
    for number, (n_blocks, per_window) in enumerate([(N_BLOCKS + 1, 3), (N_BLOCKS, 4)]):
        other = tmp_path / f"{number}.root"
        write_lumi_blocks(other, np.zeros(n_blocks), nothing, lbs_per_window=per_window)
        with pytest.raises(
            InputFileError,
            match=f"it has {n_blocks} lumi blocks, {per_window} in a window, but .* has 7 and 3",
        ) as caught:
            merge_lumi_blocks([lumi_block_files[0].path, other], tmp_path / "out.root")
        assert str(caught.value).startswith(f"{other}: ")
        assert not (tmp_path / "out.root").exists()


def test_hit_map_file_is_not_taken_for_an_lb_file(hit_map_files: list[HitMapFile]) -> None:
    with pytest.raises(InputFileError, match="no TH2F SCTEC/-2_0_0_0_0__2D"):
        read_lumi_blocks(hit_map_files[0].path)


def test_no_files_are_a_mistake_of_the_caller(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no LB files"):
        merge_lumi_blocks([], tmp_path / "out.root")
