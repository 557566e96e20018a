"""Counts, sensor types, positions, neighbours and nominal values: detector.md 1, 4, 6, 7."""

from __future__ import annotations

import numpy as np
import pytest

from sctcalib.detector import geometry
from sctcalib.detector.identifiers import module_of, modules, wafer_hash, wafers
from sctcalib.detector.regions import N_CHIPS, N_MODULES, N_STRIPS, N_WAFERS


def test_counts_of_the_detector():
    m = modules()
    assert (N_MODULES, N_WAFERS, N_CHIPS, N_WAFERS * N_STRIPS) == (4088, 8176, 49056, 6279168)
    assert [np.count_nonzero(m.bec == bec) for bec in (-2, 0, 2)] == [988, 2112, 988]
    per_layer = [np.count_nonzero((m.bec == 0) & (m.layer == layer)) for layer in range(4)]
    assert per_layer == [384, 480, 576, 672]
    per_disk = [np.count_nonzero((m.bec == 2) & (m.layer == disk)) for disk in range(9)]
    assert per_disk == [92, 132, 132, 132, 132, 132, 92, 92, 52]


def test_100_sensors_are_92_barrel_modules():
    m, flags = modules(), geometry.has_100_sensors()
    assert np.all(m.bec[flags] == 0)
    per_layer = [np.count_nonzero(flags[(m.bec == 0) & (m.layer == i)]) for i in range(4)]
    assert per_layer == [15, 0, 51, 26]
    for layer, phi, eta in ((0, 5, 4), (0, 31, 6), (2, 8, 6), (2, 47, 4), (3, 6, -6), (3, 55, -3)):
        assert flags[module_of(0, layer, phi, eta)]
    assert not flags[module_of(0, 0, 5, 3)]


@pytest.mark.parametrize(
    ("bec", "layer", "eta", "name", "sensors", "occupancy", "charge"),
    [(0, 0, 1, "barrel", 2, 1.5e-5, 1500), (0, 3, -6, "barrel layer 3", 2, 2.1e-5, 1541),
     (2, 1, 2, "inner", 1, 5e-9, 1090), (-2, 1, 1, "middle", 2, 2.7e-5, 1557),
     (2, 7, 1, "short middle", 1, 2e-9, 940), (-2, 8, 0, "outer", 2, 3.5e-5, 1618)],
)  # fmt: skip
def test_module_types_and_their_nominal_noise(bec, layer, eta, name, sensors, occupancy, charge):
    module = module_of(bec, layer, 0, eta)
    kind = geometry.MODULE_TYPES[geometry.module_types()[module]]
    assert (kind.name, kind.sensors_per_side) == (name, sensors)
    assert geometry.noise_occupancy()[module] == occupancy
    assert geometry.noise_charge()[module] == charge


def test_number_of_modules_of_each_type():
    counts = np.bincount(geometry.module_types())
    # outer 9 x 52 per end cap, middle 7 x 40, short middle 40, inner 5 x 40
    assert counts.tolist() == [936, 560, 80, 400, 1440, 672]


def test_positions_of_modules():
    here = module_of(0, 2, 12, -1)
    assert geometry.radius_mm()[here] == 443.0
    assert geometry.z_mm()[here] == -62.25
    assert geometry.phi_radian()[here] == pytest.approx(np.pi / 2)
    assert geometry.tilt_degrees()[here] == 11.25
    there = module_of(-2, 7, 10, 1)
    assert geometry.z_mm()[there] == -2505.0
    assert geometry.radius_mm()[there] == pytest.approx((402.8 + 455.3) / 2)
    assert geometry.phi_radian()[there] == pytest.approx(np.pi / 2)
    assert geometry.tilt_degrees()[there] == 0


def test_barrel_ends_within_its_length():
    z = geometry.z_mm()[modules().bec == 0]
    assert z.max() == pytest.approx(5.5 * 124.5)
    assert z.min() == -z.max()


def test_neighbours_in_phi_go_around_the_ring():
    previous, following = geometry.phi_neighbours()
    assert following[wafer_hash(0, 0, 31, 1, 1)] == wafer_hash(0, 0, 0, 1, 1)
    assert previous[wafer_hash(2, 4, 0, 0, 0)] == wafer_hash(2, 4, 51, 0, 0)
    assert previous[wafer_hash(2, 4, 0, 2, 0)] == wafer_hash(2, 4, 39, 2, 0)
    assert np.array_equal(previous[following], np.arange(N_WAFERS))


def test_neighbours_in_eta_skip_zero_and_stop_at_the_ends():
    previous, following = geometry.eta_neighbours()
    assert following[wafer_hash(0, 1, 5, -1, 1)] == wafer_hash(0, 1, 5, 1, 1)
    assert previous[wafer_hash(0, 1, 5, 1)] == wafer_hash(0, 1, 5, -1)
    assert following[wafer_hash(0, 1, 5, 6)] == -1
    assert previous[wafer_hash(0, 1, 5, -6)] == -1


def test_neighbours_in_eta_of_the_end_caps_are_rings_1_and_2():
    previous, following = geometry.eta_neighbours()
    assert following[wafer_hash(2, 3, 7, 1, 1)] == wafer_hash(2, 3, 7, 2, 1)
    assert previous[wafer_hash(2, 3, 7, 2, 1)] == wafer_hash(2, 3, 7, 1, 1)
    assert following[wafer_hash(2, 3, 7, 2)] == -1
    assert previous[wafer_hash(2, 3, 7, 1)] == -1
    for disk in (0, 6, 7):
        assert following[wafer_hash(2, disk, 7, 1)] == -1
    outer = np.flatnonzero((wafers().bec != 0) & (wafers().eta == 0))
    assert np.all(previous[outer] == -1)
    assert np.all(following[outer] == -1)


def test_eta_neighbours_are_mutual():
    previous, following = geometry.eta_neighbours()
    has = np.flatnonzero(following >= 0)
    assert np.array_equal(previous[following[has]], has)
    # 11 steps in each barrel row of 176 phi sectors; 40 in each of five disks of two end caps
    assert len(has) == 2 * (11 * 176 + 2 * 5 * 40)


def test_other_side_is_the_same_module():
    other = geometry.other_side()
    assert np.array_equal(other // 2, np.arange(N_WAFERS) // 2)
    assert np.all(wafers().side[other] != wafers().side)
