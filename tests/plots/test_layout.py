"""Where sides are drawn: all of them, once, where they are in the detector."""

from __future__ import annotations

import numpy as np

from sctcalib.detector.identifiers import wafer_hash, wafers
from sctcalib.plots.layout import disks, grids, outlines
from sctcalib.plots.style import PAGE_INCHES


def _centres() -> np.ndarray:
    return np.asarray(outlines().mean(axis=1))


def _areas() -> np.ndarray:
    x, y = outlines()[..., 0], outlines()[..., 1]
    return np.abs((x * np.roll(y, -1, axis=1) - y * np.roll(x, -1, axis=1)).sum(axis=1)) / 2


def test_every_side_has_an_area_on_the_page_below_the_heading() -> None:
    assert (_areas() > 1e-4).all()
    assert (outlines() > 0.3).all()
    assert outlines()[..., 0].max() < PAGE_INCHES[0] - 0.9
    assert outlines()[..., 1].max() < 0.86 * PAGE_INCHES[1]


def test_no_two_sides_are_at_the_same_place() -> None:
    centres = _centres()
    assert len(np.unique(np.round(centres, 4), axis=0)) == len(centres)


def test_barrel_modules_tile_their_frames_without_eta_0() -> None:
    w = wafers()
    for grid in grids():
        mine = (w.bec == 0) & (w.layer == grid.layer) & (w.side == grid.side)
        gap = grid.width - 12 * grid.module_width
        assert gap > 0
        np.testing.assert_allclose(_areas()[mine].sum(), (grid.width - gap) * grid.height)


def test_eta_increases_to_the_right_and_phi_upwards() -> None:
    left, right = (_centres()[int(wafer_hash(0, 2, 5, eta, 1))] for eta in (-1, 1))
    low, high = (_centres()[int(wafer_hash(0, 2, phi, 4, 0))] for phi in (5, 6))
    assert left[0] < right[0]
    assert left[1] == right[1]
    assert low[1] < high[1]


def test_phi_is_counter_clockwise_on_the_disks_of_both_end_caps() -> None:
    for disk in disks():
        place = (disk.bec, disk.disk)
        first, quarter = (
            _centres()[int(wafer_hash(*place, phi, 0, disk.side))] - (disk.x, disk.y)
            for phi in (0, 13)
        )
        assert first[0] > 0.3
        assert abs(first[1]) < 1e-9
        assert quarter[1] > 0.3
        assert abs(quarter[0]) < 1e-9


def test_ring_0_is_outside_ring_2_inside() -> None:
    disk = next(d for d in disks() if (d.bec, d.disk, d.side) == (2, 3, 1))
    radii = [
        np.hypot(*(_centres()[int(wafer_hash(2, 3, 0, ring, 1))] - (disk.x, disk.y)))
        for ring in (0, 1, 2)
    ]
    assert radii == sorted(radii, reverse=True)
    assert [outer for _, outer in disk.rings] == sorted(
        (outer for _, outer in disk.rings), reverse=True
    )
    for (inner, outer), radius in zip(disk.rings, radii, strict=True):
        assert inner < radius < outer


def test_rings_of_a_disk_do_not_overlap() -> None:
    for disk in disks():
        for (inner, _), (_, outer) in zip(disk.rings, disk.rings[1:], strict=False):
            assert outer < inner
