"""Efficiency, occupancies and byte-stream errors: algorithms-hist.md 2-4, 6 and 8."""

from __future__ import annotations

import numpy as np
import pytest

from sctcalib.detector.identifiers import wafer_hash
from sctcalib.detector.regions import N_WAFERS
from sctcalib.parts import bytestream_errors, efficiency, noise_occupancy, raw_occupancy
from sctcalib.parts.layer_means import LayerLabel, layer_labels


def filled(value):
    return np.full(N_WAFERS, value, dtype=float)


def test_efficiency_is_single_precision_and_entries_are_truncated():
    found = efficiency.measure(filled(0.99), filled(1234.9), None)
    assert found.value.dtype == np.float32
    assert found.value[0] == np.float32(0.99)
    assert found.sample_size[0] == 1234
    assert not found.is_empty


def test_without_first_bcid_maps_their_averages_are_zero():
    assert not efficiency.measure(filled(1), filled(5), None).means_first_bcid.any()


def test_first_bcid_maps_only_change_their_own_averages():
    found = efficiency.measure(filled(0.99), filled(10), filled(0.97))
    assert f"{found.means_first_bcid[0]:g}" == "0.97"
    assert f"{found.means[0]:g}" == "0.99"


def test_efficiency_without_entries_is_standby():
    assert efficiency.measure(filled(0), filled(0), filled(1)).is_empty


@pytest.mark.parametrize(
    ("content", "printed", "single"),
    [
        (1.5, "5e-06", np.float32(5e-6)),
        (0.37, "1.23333e-06", np.float32(1.2333334e-6)),
        (12.345, "4.115e-05", np.float32(4.1150004e-5)),
    ],
)
def test_noise_occupancy_is_per_time_bin(content, printed, single):
    found = noise_occupancy.measure(filled(content))
    assert f"{float(found.value[7]):g}" == printed
    assert found.value[7] == single
    assert f"{found.means[22]:g}" == printed


def test_zero_noise_everywhere_is_standby():
    assert noise_occupancy.measure(filled(0)).is_empty
    assert not noise_occupancy.measure(filled(1e-3)).is_empty


@pytest.mark.parametrize(
    ("hits", "events", "printed"),
    [(123456, 10_000, "0.016075"), (7, 5000, "1.82292e-06"), (7.9, 5000, "1.82292e-06"),
     (20_000_000, 50_001, "0.520823"), (5, 0, "0")],
)  # fmt: skip
def test_raw_occupancy(hits, events, printed):
    found = raw_occupancy.measure(filled(hits), events)
    assert f"{float(found.value[0]):g}" == printed
    assert found.value.dtype == np.float32


def errors_of(wafer, position, value, others=0.0):
    content = np.full((N_WAFERS, 15), others)
    content[wafer, position] = value
    return content


def test_counting_maps_give_events_and_fractions():
    content = errors_of(100, 2, 3)
    content[100, 11] = 10_000
    found = bytestream_errors.measure(content, None, 10_000)
    assert found.counts[100].tolist() == [0, 0, 3, *[0] * 8, 10_000, 0, 0, 0]
    assert [f"{float(x):g}" for x in found.fractions[100, [0, 2, 11]]] == ["0", "0.0003", "1"]
    assert found.totals[100] == 10_003


def test_fraction_maps_are_turned_back_into_counts():
    content, entries = errors_of(100, 2, 0.0003), np.full((N_WAFERS, 15), 10_000.0)
    assert bytestream_errors.measure(content, entries, 10_000).counts[100, 2] == 3
    athena = bytestream_errors.measure(content, entries, 10_000, athena=True)
    assert athena.counts[100, 2] == 0


def test_links_with_errors_are_counted_by_ring():
    first, second = (int(wafer_hash(2, 8, 0, 0, side)) for side in (0, 1))
    content = errors_of(first, 2, 2)
    content[first, 10], content[second, 1] = 5, 1
    found = bytestream_errors.measure(content, None, 10_000)
    ring = layer_labels().index(LayerLabel("EndCapA", 8, "0"))
    assert found.link_counts[ring] == 2
    assert found.link_counts.sum() == 2
    assert found.totals[[first, second]].tolist() == [7, 1]
    assert found.stored.tolist() == [0, first, second]


def test_the_side_that_is_always_stored_counts_only_as_in_the_original():
    nothing = np.zeros((N_WAFERS, 15))
    found = bytestream_errors.measure(nothing, None, 10)
    assert (found.stored.tolist(), found.link_counts[0]) == ([0], 0)
    assert bytestream_errors.measure(nothing, None, 10, athena=True).link_counts[0] == 1
