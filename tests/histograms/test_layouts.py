"""What map files must contain (algorithms-hitmaps.md 2.1, 2.2)."""

from __future__ import annotations

import pytest

from sctcalib.detector.identifiers import wafer_hash
from sctcalib.histograms.layouts import Axis, Family, hit_map_families, lumi_block_families


def _named(families: tuple[Family, ...], class_name: str) -> dict[str, tuple[str, int]]:
    """Path to title and position over the detector."""
    return {
        f"{family.directory}/{name}": (title, family.first + row)
        for family in families
        if family.class_name == class_name
        for row, (name, title) in enumerate(zip(family.names, family.titles, strict=True))
    }


def test_hit_map_file_has_events_and_a_histogram_for_each_wafer() -> None:
    families = hit_map_families()
    assert [(f.directory, f.class_name, len(f.names)) for f in families] == [
        ("GENERAL", "TH1I", 1),
        ("SCTEC", "TH1F", 1976),
        ("SCTB", "TH1F", 4224),
        ("SCTEA", "TH1F", 1976),
    ]
    assert families[0].titles == ["Events"]
    assert families[0].axes == (Axis(1, 0.5, 1.5),)
    assert {family.axes for family in families[1:]} == {(Axis(768, -0.5, 767.5),)}


@pytest.mark.parametrize(
    ("path", "title", "position"),
    [
        ("SCTB/0_3_3_-1_1", "SCT barrel Hitmap: plane 0_3_3_-1_1", (0, 3, 3, -1, 1)),
        ("SCTEC/-2_8_51_0_0", "SCT negativeEndcap Hitmap: plane -2_8_51_0_0", (-2, 8, 51, 0, 0)),
        ("SCTEA/2_0_0_1_0", "SCT positiveEndcap Hitmap: plane 2_0_0_1_0", (2, 0, 0, 1, 0)),
    ],
)
def test_hit_map_of_a_wafer_is_named_after_its_position(
    path: str, title: str, position: tuple[int, ...]
) -> None:
    expected = title, int(wafer_hash(*position))
    assert _named(hit_map_families(), "TH1F")[path] == expected


def test_lb_file_has_49056_chip_maps_and_8176_maps_in_two_dimensions() -> None:
    families = lumi_block_families(100, 30)
    assert families[0].axes == (Axis(100, 0.5, 100.5),)
    chips, windows = _named(families[1:], "TH1F"), _named(families, "TH2F")
    assert (len(chips), len(windows)) == (49056, 8176)
    assert {f.axes for f in families if f.class_name == "TH2F"} == {
        (Axis(768, -0.5, 767.5), Axis(4, 0.5, 120.5))
    }


def test_2d_map_has_two_underscores_in_its_name_and_one_at_the_end_of_its_title() -> None:
    windows = _named(lumi_block_families(10, 30), "TH2F")
    assert windows["SCTB/0_3_3_-1_1__2D"] == ("SCT barrel Hitmap: plane 0_3_3_-1_1_", 4939)


@pytest.mark.parametrize(
    ("path", "title", "chip"),
    [
        ("SCTB/0_3_3_-1_0_0", "SCTbarrel LB: chip 0_3_3_-1_0_0", 4938 * 6),
        ("SCTB/0_3_3_-1_0_5", "SCTbarrel LB: chip 0_3_3_-1_0_5", 4938 * 6 + 5),
        ("SCTB/0_3_3_-1_1_6", "SCTbarrel LB: chip 0_3_3_-1_1_6", 4939 * 6),
        ("SCTEA/2_8_51_0_1_11", "SCTpositiveEndcap LB: chip 2_8_51_0_1_11", 49055),
    ],
)
def test_chips_of_side_1_are_numbered_6_to_11(path: str, title: str, chip: int) -> None:
    assert _named(lumi_block_families(10, 30), "TH1F")[path] == (title, chip)
