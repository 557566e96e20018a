"""What stands on the pages: titles with the run, numbers, limits, what is missing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.text import Text

from sctcalib.cool.folders import SCT_FOLDERS
from sctcalib.parts.lorentz_angle import Profile, WidthModel
from sctcalib.plots import content as shapes
from sctcalib.plots.database import Choice
from sctcalib.plots.layers import averages_page
from sctcalib.plots.links import change_page as link_change_page
from sctcalib.plots.links import types_page
from sctcalib.plots.lorentz import profile_page, results_page
from sctcalib.plots.maps import ABSENT, difference_scale, high_is_good_scale, log_scale
from sctcalib.plots.pages import pages_of
from sctcalib.plots.read import compared, read_subject
from sctcalib.plots.sides import distribution_page, map_page
from sctcalib.plots.strips import change_page
from sctcalib.plots.strips import distribution_page as strip_distributions
from sctcalib.plots.style import plot_style
from sctcalib.summary.lorentz_records import PROFILES
from tests.plots import files

PAGES = {
    "BadStripsSummaryFile.xml": 4,
    "BadStripsAllFile.xml": 2,
    "EfficiencySummaryFile.xml": 1,
    "NoiseOccupancySummaryFile.xml": 1,
    "RawOccupancySummaryFile.xml": 1,
    "BSErrorSummaryFile.xml": 1,
    "EfficiencyModuleSummary.xml": 3,
    "NoiseOccupancyFile.xml": 3,
    "BSErrorModuleSummary.xml": 3 + 12,
    "LorentzAngleSummaryFile.xml": 1,
    "LorentzAngleFile.xml": 1,
    "DeadSummaryFile.xml": 4,
    "DeadStripsFile.xml": 2,
    "DeadChipsFile.xml": 2,
    "NoisyLBSummaryFile.xml": 3,
    "BadModulesFile.xml": 2,
}
HEADING = shapes.Heading(
    run=300000, source="a file", stream="express_express", events=123456, reference="run 299999"
)


@pytest.fixture(autouse=True)
def _style() -> Iterator[None]:
    with plot_style():
        yield


def texts(page: Figure) -> str:
    """All texts of a page, one on each line."""
    return "\n".join(text.get_text() for text in page.findobj(Text) if text.get_text())


def absent_sides(page: Figure) -> int:
    """How many sides are hatched."""
    found = page.findobj(lambda artist: artist.get_gid() == ABSENT)
    return sum(int((patch.get_path().codes == 1).sum()) for patch in found)


def coloured_sides(page: Figure) -> int:
    """How many sides have the colour of a value."""
    (found,) = (c for c in page.axes[0].collections if isinstance(c, PolyCollection))
    return len(found.get_paths())


@pytest.mark.parametrize("name", files.WRITERS)
def test_every_page_names_run_stream_and_source(tmp_path: Path, name: str) -> None:
    path = files.write(tmp_path, name)
    pages = pages_of(read_subject(path, Choice()))
    assert len(pages) == PAGES[name]
    for page in (draw() for draw in pages[:2]):
        shown = texts(page)
        assert "SCT calibration" in shown
        assert page.get_label() in shown
        assert "run 300000   stream express_express" in shown
        assert path.name in shown


@pytest.mark.parametrize("name", [*files.EMPTY_WRITERS])
def test_pages_of_a_run_in_standby_can_be_drawn(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    files.EMPTY_WRITERS[name](path)
    subject = read_subject(path, Choice())
    alone = isinstance(subject.content, shapes.LumiBlocks | shapes.Trips)
    other = None if alone else subject
    for draw in pages_of(subject if alone else compared(subject, subject), other):
        page = draw()
        page.draw_without_rendering()
        if isinstance(subject.content, shapes.SideValues) and "index" in texts(page):
            assert absent_sides(page) == 8176


def test_titles_differ(tmp_path: Path) -> None:
    pages = pages_of(read_subject(files.write(tmp_path, "BadStripsSummaryFile.xml"), Choice()))
    titles = [draw().get_label() for draw in pages]
    assert titles == [
        "Noisy strips per side: all",
        "Noisy strips per side: not in the reference run",
        "Noisy strips: distributions",
        "Noisy chips by lumi block",
    ]


def test_no_label_of_a_map_overlaps_another(tmp_path: Path) -> None:
    path = files.write(tmp_path, "EfficiencyModuleSummary.xml")
    page = pages_of(read_subject(path, Choice()))[0]()
    page.draw_without_rendering()
    shown = [t for t in page.findobj(Text) if t.get_text().strip() and t.get_visible()]
    boxes = [t.get_window_extent() for t in shown]
    inside = page.bbox
    for index, box in enumerate(boxes):
        where = shown[index].get_text()
        assert inside.contains(box.x0, box.y0), where
        assert inside.contains(box.x1, box.y1), where
        clash = [shown[j].get_text() for j in range(index) if box.overlaps(boxes[j])]
        assert not clash, (where, clash)


def _sides(values: np.ndarray, quantity: str = "Efficiency") -> shapes.SideValues:
    return shapes.SideValues(quantity, values)


def test_sides_without_data_are_hatched_and_counted() -> None:
    values = np.full(8176, 0.995)
    values[:7] = np.nan
    values[100:103] = 0.7
    page = map_page(HEADING, _sides(values))
    assert absent_sides(page) == 7
    assert coloured_sides(page) == 8169
    assert "7 sides: no data; 3 below the specification 99 %" in texts(page)


def test_colours_follow_the_scale() -> None:
    values = np.full(8176, 0.999)
    values[5000] = 0.9
    page = map_page(HEADING, _sides(values))
    (shapes_,) = (c for c in page.axes[0].collections if isinstance(c, PolyCollection))
    page.draw_without_rendering()
    colours = shapes_.get_facecolor()
    assert len(np.unique(np.round(colours, 6), axis=0)) == 2
    assert (colours[5000] != colours[0]).any()


def test_an_outlier_does_not_stretch_the_scale_but_is_marked() -> None:
    rng = np.random.default_rng(1)
    values = rng.uniform(0.985, 0.999, 8176)
    values[9] = 0.01
    scale = high_is_good_scale("", values, 0.99, "")
    assert scale.norm.vmin is not None
    assert 0.9 < scale.norm.vmin < 0.99
    page = map_page(HEADING, _sides(values))
    assert page.axes[1]._colorbar.extend == "min"
    occupancy = rng.uniform(1e-5, 1e-4, 8176)
    occupancy[3] = 1e-12
    low = log_scale("", occupancy, "").norm.vmin
    assert low is not None
    assert low > 1e-6


def test_a_scale_of_changes_is_symmetric() -> None:
    norm = difference_scale("", np.array([-0.5, 0.1, np.nan])).norm
    assert norm.vmin is not None
    assert norm.vmax is not None
    assert norm.vmin == -norm.vmax < 0


def test_every_side_is_in_the_distributions_once() -> None:
    rng = np.random.default_rng(3)
    values = np.clip(rng.normal(0.99, 0.02, 8176), 0.001, 1)
    values[:50] = np.nan
    page = distribution_page(HEADING, _sides(values), None)
    heights = sum(
        patch.get_data().values.sum()
        for axes in page.axes
        for patch in axes.patches
        if hasattr(patch, "get_data")
    )
    assert heights == 8126
    assert "specification 99 %" in texts(page)


def test_a_region_without_any_value_says_why_it_is_empty() -> None:
    values = np.full(8176, 1e-4)
    values[:1976] = np.nan
    assert (
        texts(distribution_page(HEADING, _sides(values, "RawOccupancy"), None)).count("no hits")
        == 1
    )
    nothing = _sides(np.full(8176, np.nan), "RawOccupancy")
    assert texts(distribution_page(HEADING, nothing, None)).count("no hits") == 3


def test_the_reference_is_named_and_drawn() -> None:
    values = np.random.default_rng(5).uniform(1e-5, 1e-3, 8176)
    content = _sides(values, "NoiseOccupancy")
    alone = distribution_page(HEADING, content, None)
    both = distribution_page(HEADING, content, content)
    assert "run 299999" not in texts(alone).replace("compared with run 299999", "")
    assert texts(both).count("run 299999") >= 3
    n_patches = [sum(len(axes.patches) for axes in page.axes) for page in (alone, both)]
    assert n_patches[1] == n_patches[0] + 3


def test_a_side_that_is_not_in_both_runs_has_no_change() -> None:
    now = np.full(8176, 2e-5)
    before = np.full(8176, 1e-5)
    now[:3], before[2:5] = np.nan, np.nan
    subject = shapes.Subject(HEADING, _sides(now, "NoiseOccupancy"))
    other = shapes.Subject(HEADING, _sides(before, "NoiseOccupancy"))
    page = pages_of(subject, other)[-1]()
    assert absent_sides(page) == 5
    assert "factor 2.000 over 8,171 sides" in texts(page)


def test_averages_are_at_their_layer() -> None:
    from sctcalib.parts.layer_means import layer_labels

    means = np.linspace(0.9, 0.99, 48)
    content = shapes.LayerValues(
        "Efficiency", (("meanEff", means), ("meanEff_bcid1", means - 0.01))
    )
    page = averages_page(HEADING, content, None)
    barrel = {
        (round(float(line.get_xdata()[0])), round(float(line.get_ydata()[0]), 6))
        for line in page.axes[1].lines
        if line.get_marker() == "o"
    }
    expected = {
        (label.layer, round(float(value), 6))
        for label, value in zip(layer_labels(), means, strict=True)
        if label.part == "Barrel"
    }
    assert barrel == expected
    assert "first bunch of a train" in texts(page)
    assert page.axes[0].xaxis_inverted()


def test_values_outside_of_the_frame_are_counted() -> None:
    means = np.full(48, 0.99)
    means[0] = 0.1
    content = shapes.LayerValues("Efficiency", (("meanEff", means), ("meanEff_bcid1", means)))
    assert "2 below or above the frame" in texts(averages_page(HEADING, content, None))


def test_bars_of_links_add_up() -> None:
    counts = np.arange(48)
    page = averages_page(HEADING, shapes.LayerValues("BSErrors", (("nErrLink", counts),)), None)
    assert sum(bar.get_height() for axes in page.axes for bar in axes.patches) == counts.sum()
    assert f"{counts.sum():,} of 8,176 links" in texts(page)


def test_error_types_are_counted_by_links_and_by_events() -> None:
    errors = np.zeros((8176, 15), dtype=np.int64)
    errors[[3, 4000, 8000], 2] = 5
    errors[4000, 11] = 1000
    errors[17, 0] = -1
    content = shapes.LinkErrors(errors, np.maximum(errors, 0).sum(axis=1).astype(float))
    page = types_page(HEADING, content, None)
    rows = {
        int(t.xy[1]): t.get_text()
        for t in page.axes[0].texts
        if re.fullmatch(r"[\d,]+", t.get_text())
    }
    assert rows[2] == "3"
    assert rows[8] == "1"
    assert rows[0] == "0"
    assert "has lost the types of 1 links" in texts(page)
    assert "1,000" in texts(page)


def test_links_that_began_and_ceased_to_send_errors_are_counted() -> None:
    now, before = np.zeros((2, 8176))
    now[[1, 2, 3]], before[[3, 4]] = 1, 7
    errors = np.zeros((8176, 15), dtype=np.int64)
    page = link_change_page(
        HEADING, shapes.LinkErrors(errors, now), shapes.LinkErrors(errors, before)
    )
    assert "2 links began to send errors, 1 ceased; 1 did both times" in texts(page)


def test_strips_that_came_and_went_are_counted() -> None:
    now = shapes.StripLists("Noisy strips", {"strips": np.array([1, 2, 3, 768 * 9])})
    before = shapes.StripLists("Noisy strips", {"strips": np.array([3, 4])})
    shown = texts(change_page(HEADING, now, before))
    assert "3 strips came, 1 went; 2 of 8,176 sides have another number" in shown


def test_every_module_with_strips_is_in_the_distribution_of_lengths() -> None:
    numbers = np.concatenate([np.arange(1), np.arange(1536, 1536 + 70), np.arange(9e5, 9e5 + 3)])
    content = shapes.StripLists("Noisy strips", {"strips": numbers.astype(np.int64)})
    page = strip_distributions(HEADING, content, None)
    lengths, chips = page.axes[0], page.axes[1]
    counts = lengths.patches[0].get_data().values
    names = [label.get_text() for label in lengths.get_xticklabels()]
    assert {n: c for n, c in zip(names, counts, strict=True) if c} == {
        "1": 1,
        "3\N{EN DASH}4": 1,
        "65\N{EN DASH}\n128": 1,
    }
    assert "noisy chip: more than 64" in texts(page)
    assert chips.patches[0].get_data().values.sum() == 3


def test_lumi_blocks_of_the_noisy_summary_are_shown_as_they_really_are(tmp_path: Path) -> None:
    # The file says 1 3-4, which are the lumi blocks 2, 4 and 5.
    path = files.write(tmp_path, "BadStripsSummaryFile.xml")
    page = pages_of(read_subject(path, Choice()))[3]()
    above = page.axes[0].patches[0].get_data()
    assert (np.flatnonzero(above.values) + 1).tolist() == [2, 4, 5]
    (boxes,) = page.axes[2].collections
    edges = [path.vertices[:, 0] for path in boxes.get_paths()]
    assert [(float(e.min()), float(e.max())) for e in edges] == [(1.5, 2.5), (3.5, 5.5)]


def test_a_failed_fit_is_marked(tmp_path: Path) -> None:
    subject = read_subject(files.write(tmp_path, "LorentzAngleSummaryFile.xml"), Choice())
    assert isinstance(subject.content, shapes.LorentzAngles)
    page = results_page(HEADING, subject.content, None)
    assert "fit failed" in texts(page)
    assert "13 of 14 fits converged" in texts(page)
    crosses = [line for line in page.axes[0].lines if line.get_marker() == "x"]
    assert len(crosses) == 1
    good = replace(
        subject.content, records=tuple(replace(r, converged=True) for r in subject.content.records)
    )
    assert "fit failed" not in texts(results_page(HEADING, good, None))


def test_angles_have_their_errors_and_nothing_is_drawn_that_was_not_fitted(tmp_path: Path) -> None:
    subject = read_subject(files.write(tmp_path, "LorentzAngleFile.xml"), Choice())
    assert isinstance(subject.content, shapes.LorentzAngles)
    page = results_page(HEADING, subject.content, None)
    angles = page.axes[0].containers
    assert len(angles) == 14
    assert all(bar.has_yerr for bar in angles)


def _profiles(content: shapes.LorentzAngles) -> dict[tuple[int, int, int], Profile | None]:
    degrees = np.arange(-20, 10, 0.5)
    made: dict[tuple[int, int, int], Profile | None] = dict.fromkeys(PROFILES)
    for record in content.records:
        assert record.a is not None
        assert record.b is not None
        assert record.sigma is not None
        if record.a:
            width = WidthModel(degrees)(record.a, record.angle, record.b, record.sigma)
            error = np.full_like(degrees, 0.01)
            made[record.layer, record.side, record.module_type] = Profile(
                degrees, width + 0.02, error, 1 / error
            )
    return made


def test_residuals_are_those_of_the_parameters_in_the_file(tmp_path: Path) -> None:
    subject = read_subject(files.write(tmp_path, "LorentzAngleFile.xml"), Choice())
    assert isinstance(subject.content, shapes.LorentzAngles)
    page = profile_page(HEADING, subject.content, _profiles(subject.content), 1)
    assert len(page.axes) == 4
    pulls = [line for line in page.axes[1].lines if line.get_marker() == "."]
    # Each point lies 0.02 above the curve, and its error is 0.01.
    np.testing.assert_allclose(pulls[0].get_ydata(), 2, atol=1e-4)
    assert "layer 1, side 1" in texts(page)


def test_a_summary_without_parameters_is_fitted_again(tmp_path: Path) -> None:
    full = read_subject(files.write(tmp_path, "LorentzAngleFile.xml"), Choice()).content
    summary = read_subject(files.write(tmp_path, "LorentzAngleSummaryFile.xml"), Choice()).content
    assert isinstance(full, shapes.LorentzAngles)
    assert isinstance(summary, shapes.LorentzAngles)
    page = profile_page(HEADING, summary, _profiles(full), 1)
    assert texts(page).count("fitted for this picture") == 2


def test_an_empty_profile_says_so(tmp_path: Path) -> None:
    content = read_subject(files.write(tmp_path, "LorentzAngleFile.xml"), Choice()).content
    assert isinstance(content, shapes.LorentzAngles)
    page = profile_page(HEADING, content, dict.fromkeys(PROFILES), 2)
    assert texts(page).count("no entries") == 4


@pytest.mark.parametrize("part", SCT_FOLDERS)
def test_folders_can_be_compared_with_xml_or_another_database(tmp_path: Path, part: str) -> None:
    now = read_subject(files.write_database(tmp_path / "now.db", part), Choice())
    before = read_subject(files.write_database(tmp_path / "old.db", part, run=299999), Choice())
    subject = compared(now, before)
    pages = pages_of(subject, before)
    for draw in (pages[0], pages[-1]):
        assert "compared with run 299999" in texts(draw())
