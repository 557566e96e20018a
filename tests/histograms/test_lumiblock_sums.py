"""LB files from sums over events equal those from single hits."""

from __future__ import annotations

import numpy as np
import pytest

from sctcalib.detector.regions import N_CHIPS, N_STRIPS, N_WAFERS
from sctcalib.histograms.lumiblock_sums import LumiBlockSums, write_lumi_block_sums
from sctcalib.histograms.lumiblocks import LumiBlockHits, read_lumi_blocks, write_lumi_blocks

L, PER_WINDOW = 7, 3
WINDOWS = 3


def random_hits(rng, n=4000):
    wafer, strip = rng.integers(0, N_WAFERS, n), rng.integers(0, N_STRIPS, n)
    return LumiBlockHits(wafer, strip, rng.integers(0, L + 1, n), strip // 128, np.ones(n, int))


def sums_of(hits, events):
    chips = np.zeros((L + 2, N_CHIPS), dtype=np.uint32)
    np.add.at(chips, (hits.block, 6 * hits.wafer + hits.chip), 1)
    windows = np.zeros((WINDOWS + 2, N_WAFERS, N_STRIPS), dtype=np.uint32)
    row = np.where(hits.block == 0, 0, (hits.block - 1) // PER_WINDOW + 1)
    np.add.at(windows, (row, hits.wafer, hits.strip), 1)
    products = np.bincount(hits.wafer, hits.strip * hits.block, N_WAFERS).astype(np.int64)
    return LumiBlockSums(
        PER_WINDOW, np.pad(events, 1), chips, lambda a, b: windows[:, a:b], products
    )


def test_file_is_the_same_as_from_single_hits(tmp_path):
    events = np.arange(1, L + 1)
    hits = random_hits(np.random.default_rng(3))
    write_lumi_blocks(tmp_path / "hits.root", events, hits, lbs_per_window=PER_WINDOW)
    write_lumi_block_sums(tmp_path / "sums.root", sums_of(hits, events))
    one, other = (tmp_path / name for name in ("hits.root", "sums.root"))
    assert one.read_bytes() == other.read_bytes()
    assert read_lumi_blocks(other).n_events == events.sum()


def test_counts_beyond_what_a_histogram_holds_are_refused(tmp_path):
    sums = sums_of(random_hits(np.random.default_rng(1), 10), np.arange(1, L + 1))
    sums.chips[3, 5] = (1 << 24) + 1
    with pytest.raises(ValueError, match="whole numbers"):
        write_lumi_block_sums(tmp_path / "x.root", sums)
    assert not list(tmp_path.iterdir())
