"""Averages over layers and rings: algorithms-hist.md 1.4, 1.5, examples 2 and 3 of section 8."""

from __future__ import annotations

import numpy as np

from sctcalib.detector.identifiers import wafers
from sctcalib.detector.regions import N_WAFERS
from sctcalib.parts.layer_means import LayerLabel, layer_labels, layer_means, layer_of_wafer

W = wafers()


def test_48_labels_in_the_order_of_the_summaries():
    labels = layer_labels()
    assert len(labels) == 48
    assert labels[:3] == (
        LayerLabel("EndCapC", 0, "0"), LayerLabel("EndCapC", 0, "1"), LayerLabel("EndCapC", 1, "0"),
    )  # fmt: skip
    assert labels[21:24] == (
        LayerLabel("EndCapC", 8, "0"), LayerLabel("Barrel", 0, "all"),
        LayerLabel("Barrel", 1, "all"),
    )  # fmt: skip
    assert labels[26:] == tuple(LayerLabel("EndCapA", x.layer, x.eta) for x in labels[:22])


def test_sides_of_each_label_are_the_geometrical_ones():
    sides = dict(zip(layer_labels(), np.bincount(layer_of_wafer()).tolist(), strict=True))
    assert sides[LayerLabel("EndCapC", 8, "0")] == 104
    assert sides[LayerLabel("EndCapA", 3, "2")] == 80
    assert [sides[LayerLabel("Barrel", n, "all")] for n in range(4)] == [768, 960, 1152, 1344]


def test_a_side_without_data_counts_as_zero():
    values = np.zeros(N_WAFERS)
    ring = np.flatnonzero((W.bec == -2) & (W.layer == 8))
    values[ring[1:]] = np.float32(0.99)
    assert f"{layer_means(values)[21]:g}" == "0.980481"


def test_barrel_average_is_over_all_eta_and_both_sides():
    values = np.zeros(N_WAFERS)
    layer = np.flatnonzero((W.bec == 0) & (W.layer == 1))
    values[layer[:480]], values[layer[480:]] = 1, 0.5
    assert f"{layer_means(values)[23]:g}" == "0.75"
