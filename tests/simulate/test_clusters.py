"""Filling map files from clusters: algorithms-hitmaps.md 2.1, 2.2, E2."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sctcalib.detector.regions import N_WAFERS
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


@pytest.mark.parametrize(("swap", "chips"), [(False, {0: 3, 5: 2}), (True, {5: 3, 0: 2})])
def test_e2_lumi_block_histograms_count_for_the_chip_of_the_first_strip(swap, chips):
    maps = LumiBlockMap(10, 4, swap_of(swap))
    maps.fill(E2, np.array([7, 7]))
    assert maps.events.tolist() == [0] * 7 + [2] + [0] * 4
    assert {c: int(maps.chips[WAFER, c, 7]) for c in range(6) if maps.chips[WAFER, c, 7]} == chips
    assert maps.chips.sum() == 5


def test_e2_two_dimensional_map():
    maps = LumiBlockMap(10, 4, swap_of(False))
    maps.fill(E2, np.array([7, 7]))
    windows = maps.windows(slice(WAFER, WAFER + 1))[0]
    assert windows.shape == (3 + 2, 770)
    filled = [(int(y), int(x)) for y, x in np.argwhere(windows)]
    # lumi blocks 5-8 are window 2; column 769 is the overflow of the strip axis
    assert filled == [(2, 127), (2, 128), (2, 129), (2, 768), (2, 769)]
    assert maps.windows(slice(0, N_WAFERS)).sum() == 5


def test_lumi_block_0_is_underflow_and_above_the_range_is_overflow():
    maps = LumiBlockMap(10, 4, swap_of(False))
    four = some_clusters((0, 0, 5, 1), (1, 0, 5, 1), (2, 0, 5, 1), (3, 0, 5, 1))
    maps.fill(four, np.array([0, 10, 11, 13]))
    assert maps.events[[0, 10, 11]].tolist() == [1, 1, 2]
    assert maps.chips[0, 0, [0, 10, 11]].tolist() == [1, 1, 2]
    # the 2D axis ends at 12, the end of its third window
    assert maps.windows(slice(0, 1))[0, :, 6].tolist() == [1, 0, 0, 2, 1]


def test_events_without_clusters_are_counted():
    hit_map, maps = HitMap(), LumiBlockMap(3, 30, swap_of(False))
    none = some_clusters()
    hit_map.fill(none, 4)
    maps.fill(none, np.array([1, 2, 2, 3]))
    assert hit_map.n_events == 4
    assert maps.events.tolist() == [0, 1, 2, 1, 0]
    assert hit_map.entries.sum() == maps.chips.sum() == 0


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
    assert np.array_equal(at_once.chips, portions.chips)
    whole = slice(0, 8000)
    assert np.array_equal(at_once.windows(whole), portions.windows(whole))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.integers(0, 40), max_size=20), max_size=5))
def test_sparse_counts_are_those_of_a_dense_array(portions):
    sparse = SparseCounts()
    dense = np.zeros(41, dtype=np.uint32)
    for number, cells in enumerate(portions):
        sparse.add(np.array(cells, dtype=np.int64))
        np.add.at(dense, np.array(cells, dtype=np.int64), 1)
        if number % 2:
            assert np.array_equal(sparse.dense(0, 41), dense)
    assert np.array_equal(sparse.dense(0, 41), dense)
    assert np.array_equal(sparse.dense(13, 29), dense[13:29])


def test_waiting_cells_are_summed_up_before_they_fill_the_memory(monkeypatch):
    monkeypatch.setattr(module, "_PENDING_LIMIT", 10)
    sparse = SparseCounts()
    for _ in range(100):
        sparse.add(np.array([3, 1, 3]))
        assert sparse._n_pending <= 10
    assert sparse.dense(0, 5).tolist() == [0, 100, 0, 200, 0]
