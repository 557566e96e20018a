"""Lumi blocks in which a chip is noisy: example E7 of algorithms-hitmaps.md 8.2."""

from __future__ import annotations

import numpy as np

from sctcalib.parts.noisy_lumi_blocks import noisy_fraction, noisy_lumi_blocks, printed_numbers
from sctcalib.parts.strip_lists import encode, normalised
from tests.parts.test_noisy_strips import THRESHOLDS

EVENTS = np.array([100, 100, 0, 100, 100, 0, 0, 0, 0, 0])
HITS = np.array([[50, 97, 5, 200, 96, 3, 0, 0, 0, 0]], dtype=np.float32)


def test_e7_threshold_is_formed_in_single_precision():
    assert f"{float(THRESHOLDS.chip_hits):.10f}" == "0.9599999785"


def test_e7_list_and_fraction():
    noisy = noisy_lumi_blocks(HITS, EVENTS, THRESHOLDS.chip_hits)
    assert normalised(encode(printed_numbers(noisy[0]))) == "1 3-4"
    assert f"{float(noisy_fraction(noisy[0], EVENTS)):g}" == "0.75"


def test_no_noisy_lumi_block_gives_the_fraction_zero():
    noisy = noisy_lumi_blocks(HITS * 0, EVENTS, THRESHOLDS.chip_hits)
    assert not noisy.any()
    assert noisy_fraction(noisy[0], EVENTS) == 0
