"""Filling map files from clusters: algorithms-hitmaps.md 2.1, 2.2, E2."""

from __future__ import annotations

import numpy as np
import pytest
import uproot
from hypothesis import given, settings
from hypothesis import strategies as st

from sctcalib.detector.regions import N_WAFERS
from sctcalib.histograms.lumiblocks import write_lumi_blocks
from sctcalib.simulate import clusters as module
from sctcalib.simulate.clusters import Clusters, HitMap, LumiBlockMap, SparseCounts

WAFER = 4938


def some_clusters(*rows: tuple[int, int, int, int]) -> Clusters:
    return Clusters(*np.array(rows, dtype=np.int64).reshape(-1, 4).T)


E2 = some_clusters((0, WAFER, 126, 3), (1, WAFER, 767, 2))


def swap_of(value: bool) -> np.ndarray:
    return np.full(N_WAFERS, value)


def test_e2_hit_map():
    hit_map = HitMap()
    hit_map.fill(E2, 2)
    assert hit_map.n_events == 2
    assert np.flatnonzero(hit_map.contents[WAFER]).tolist() == [126, 127, 128, 767]
    assert hit_map.contents[WAFER].max() == 1
    assert hit_map.overflow[WAFER] == 1
    assert hit_map.entries[WAFER] == 5
    assert hit_map.entries.sum() == 5


def cells_of(maps: LumiBlockMap) -> list[tuple[int, ...]]:
    """(wafer, strip, lumi block, chip, count) of everything that was hit."""
    hits = maps.hits()
    columns = (hits.wafer, hits.strip, hits.block, hits.chip, hits.count)
    return sorted(tuple(map(int, row)) for row in zip(*columns, strict=True))


@pytest.mark.parametrize(("swap", "chips"), [(False, (0, 5)), (True, (5, 0))])
def test_e2_lumi_block_hits_count_for_the_chip_of_the_first_strip(swap, chips):
    maps = LumiBlockMap(10, 4, swap_of(swap))
    maps.fill(E2, np.array([7, 7]))
    assert maps.events.tolist() == [0] * 7 + [2] + [0] * 4
    assert maps.n_lumi_blocks == 10
    first, second = chips
    # strip 768 stands for the overflow bin of the strip axis
    assert cells_of(maps) == [
        (WAFER, 126, 7, first, 1), (WAFER, 127, 7, first, 1), (WAFER, 128, 7, first, 1),
        (WAFER, 767, 7, second, 1), (WAFER, 768, 7, second, 1),
    ]  # fmt: skip


@pytest.mark.parametrize("swap", [False, True])
def test_e2_in_the_histograms_of_a_lumi_block_file(tmp_path, swap):
    maps = LumiBlockMap(10, 4, swap_of(swap))
    maps.fill(E2, np.array([7, 7]))
    path = tmp_path / "lb.root"
    write_lumi_blocks(path, maps.events[1:-1], maps.hits(), lbs_per_window=4)
    with uproot.open({path: None}) as file:
        assert file["GENERAL/events"].values().tolist() == [0] * 6 + [2] + [0] * 3
        chips = [file[f"SCTB/0_3_3_-1_0_{chip}"].values(flow=True) for chip in range(6)]
        assert {c: int(h.sum()) for c, h in enumerate(chips) if h.sum()} == (
            {5: 3, 0: 2} if swap else {0: 3, 5: 2}
        )
        assert all(h.sum() == h[7] for h in chips)
        windows = file["SCTB/0_3_3_-1_0__2D"]
        filled = [tuple(map(int, place)) for place in np.argwhere(windows.values(flow=True))]
        # lumi blocks 5-8 are window 2; column 769 is the overflow
        assert filled == [(127, 2), (128, 2), (129, 2), (768, 2), (769, 2)]
        assert windows.member("fEntries") == 5


def test_lumi_block_0_and_those_above_the_range_are_kept_apart():
    maps = LumiBlockMap(10, 4, swap_of(False))
    blocks = np.array([0, 10, 11, 13, 400])
    maps.fill(some_clusters(*((event, 0, 5, 1) for event in range(5))), blocks)
    assert maps.events[[0, 10, 11]].tolist() == [1, 1, 3]
    # 11 is in the last window of the 2D axis, which ends at 12; 13 and 400 are beyond it
    assert [(cell[2], cell[4]) for cell in cells_of(maps)] == [
        (0, 1), (10, 1), (11, 1), (13, 1), (14, 1),
    ]  # fmt: skip


def test_events_without_clusters_are_counted():
    hit_map, maps = HitMap(), LumiBlockMap(3, 30, swap_of(False))
    none = some_clusters()
    hit_map.fill(none, 4)
    maps.fill(none, np.array([1, 2, 2, 3]))
    assert hit_map.n_events == 4
    assert maps.events.tolist() == [0, 1, 2, 1, 0]
    assert hit_map.entries.sum() == 0
    assert cells_of(maps) == []


def test_the_same_strip_in_several_events_adds_up():
    hit_map = HitMap()
    hit_map.fill(some_clusters((0, 7, 3, 2), (1, 7, 4, 1), (2, 7, 4, 1)), 3)
    assert hit_map.contents[7, 3:5].tolist() == [1, 3]


def test_filling_in_portions_is_filling_at_once():
    at_once, portions = (LumiBlockMap(20, 7, swap_of(True)) for _ in range(2))
    rows = [(event, event * 37 % N_WAFERS, event * 11 % 768, 1 + event % 3) for event in range(200)]
    blocks = np.arange(200) % 23
    at_once.fill(some_clusters(*rows), blocks)
    for begin in range(0, 200, 50):
        part = [(event - begin, *rest) for event, *rest in rows[begin : begin + 50]]
        portions.fill(some_clusters(*part), blocks[begin : begin + 50])
    assert np.array_equal(at_once.events, portions.events)
    assert cells_of(at_once) == cells_of(portions)
    assert sum(cell[4] for cell in cells_of(at_once)) == sum(row[3] for row in rows)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.integers(0, 40), max_size=20), max_size=5))
def test_sparse_counts_are_those_of_a_dense_array(portions):
    sparse = SparseCounts()
    dense = np.zeros(41, dtype=np.uint32)
    for number, cells in enumerate(portions):
        sparse.add(np.array(cells, dtype=np.int64))
        np.add.at(dense, np.array(cells, dtype=np.int64), 1)
        if number % 2:
            sparse.cells()
    found, counts = sparse.cells()
    assert np.array_equal(found, np.flatnonzero(dense))
    assert np.array_equal(counts, dense[found])


def test_waiting_cells_are_summed_up_before_they_fill_the_memory(monkeypatch):
    monkeypatch.setattr(module, "_PENDING_LIMIT", 10)
    sparse = SparseCounts()
    for _ in range(100):
        sparse.add(np.array([3, 1, 3]))
        assert sparse._n_pending <= 10
    assert [values.tolist() for values in sparse.cells()] == [[1, 3], [100, 200]]
