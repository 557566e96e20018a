"""``sctcalib show`` of the files of the HIST parts: text, and page."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from lxml import html

from sctcalib.cli import main
from sctcalib.detector.identifiers import wafer_hash
from sctcalib.parts.layer_means import layer_labels, layer_of_wafer
from sctcalib.resources import resource
from sctcalib.summary.bytestream_modules import write_bytestream_modules
from sctcalib.summary.efficiency_modules import write_efficiency_modules
from sctcalib.summary.lorentz_angle_files import write_lorentz_file, write_lorentz_summary
from sctcalib.summary.monitoring_summary import SUMMARY_KINDS, write_monitoring_summary
from sctcalib.summary.noise_occupancy_file import write_noise_occupancy_file
from sctcalib.summary.page import style_sheets
from tests.summary.hist_examples import (
    LORENTZ_FOLDER_TEXT,
    OLD_TIMES,
    SERIALS,
    bytestream_modules,
    counts,
    efficiency_modules,
    lorentz_file,
    lorentz_summary,
    noise_file,
    summary,
)

ERRORS = counts(
    {
        (-2, 8, 0, 0, 0): {"MaskedLink": 123456},
        (0, 3, 3, -1, 1): {"BCIDError": 13, "RawError": 2},
        (2, 8, 1, 0, 0): {"TimeOutError": 1},
    }
)
WRITERS: dict[str, Callable[[Path], None]] = {
    **{
        kind: lambda path, kind=kind: write_monitoring_summary(path, summary(kind))
        for kind in SUMMARY_KINDS
    },
    "efficiency of sides": lambda path: write_efficiency_modules(path, efficiency_modules()),
    "noise of sides": lambda path: write_noise_occupancy_file(path, noise_file()),
    "errors of sides": lambda path: write_bytestream_modules(path, bytestream_modules(ERRORS)),
    "errors of sides, original": lambda path: write_bytestream_modules(
        path, bytestream_modules(ERRORS), athena=True
    ),
    "Lorentz summary": lambda path: write_lorentz_summary(path, lorentz_summary(3)),
    "Lorentz file": lambda path: write_lorentz_file(path, lorentz_file()),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def show(*arguments: str) -> Result:
    result = CliRunner().invoke(main, ["show", *arguments])
    assert result.exit_code == 0, result.output
    return result


@cache
def shown(kind: str, *options: str) -> str:
    """Text of a kind of file, made once for all tests."""
    WRITERS[kind](Path("f.xml"))
    return show("f.xml", *options).stdout


def lines_of(kind: str, *options: str) -> list[str]:
    return shown(kind, *options).splitlines()


@cache
def page_bytes(kind: str) -> bytes:
    """Page of a kind of file, made once for all tests."""
    WRITERS[kind](Path("f.xml"))
    show("f.xml", "-o", "f.html")
    return Path("f.html").read_bytes()


def page_of(kind: str) -> html.HtmlElement:
    return html.fromstring(page_bytes(kind))


def text_of(page: html.HtmlElement) -> str:
    return " ".join(page.find("body").text_content().split())


# Text


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        ("Efficiency", "Efficiency of run 300000"),
        ("NoiseOccupancy", "Noise occupancy of run 300000"),
        ("RawOccupancy", "Raw occupancy of run 300000"),
        ("BSErrors", "Byte-stream errors of run 300000"),
        ("efficiency of sides", "Efficiency of sides, run 300000"),
        ("noise of sides", "Noise occupancy of sides, run 300000"),
        ("errors of sides", "Byte-stream errors of sides, run 300000"),
        ("errors of sides, original", "Byte-stream errors of sides, run 300000"),
        ("Lorentz summary", "Lorentz angle of run 300000"),
        ("Lorentz file", "Lorentz angle"),
    ],
)
def test_every_kind_is_recognised_by_its_content(folder: Path, kind: str, title: str) -> None:
    assert lines_of(kind)[0] == title


def test_text_of_a_summary_has_disks_and_layers_downwards(folder: Path) -> None:
    lines = lines_of("BSErrors")
    rows = lines[lines.index("Sides with an error, disks and layers: 9") + 1 :]
    header = "layer C outer C middle C inner barrel A outer A middle A inner"
    assert " ".join(rows[0].split()) == header
    values = dict(zip(layer_labels(), map(str, summary("BSErrors").means[0][1]), strict=True))
    shown = sorted(word for row in rows[1:] for word in row.split()[1:])
    assert shown == sorted(values.values())
    last = next(v for la, v in values.items() if (la.part, la.layer) == ("EndCapA", 8))
    assert rows[9].split() == ["8", rows[9].split()[1], last]


def test_text_of_sides_begins_with_the_extreme_ones(folder: Path) -> None:
    efficiency = efficiency_modules().efficiency
    lines = lines_of("efficiency of sides")
    assert f"  Sides without data       {int((efficiency < 0).sum())}" in lines
    assert sum(SERIALS[0][:8] in line for line in lines) == 20
    everything = lines_of("efficiency of sides", "--all")
    rows = [line.split() for line in everything if SERIALS[0][:8] in line]
    shown = [float(row[3]) for row in rows]
    assert len(shown) == 8176
    assert shown == sorted(shown)
    noise = [float(x.split()[3]) for x in lines_of("noise of sides") if SERIALS[0][:8] in x]
    assert noise == sorted(noise, reverse=True)
    assert noise[0] == pytest.approx(noise_file().occupancy.max(), rel=1e-5)


@pytest.mark.parametrize("kind", ["errors of sides", "errors of sides, original"])
def test_text_of_errors_has_only_sides_with_errors(folder: Path, kind: str) -> None:
    lines = lines_of(kind)
    assert "  Sides with errors  3" in lines
    assert "  Errors             123472" in lines
    rows = [line.split() for line in lines if SERIALS[0][:8] in line]
    assert [(row[0], row[1], *row[3:]) for row in rows] == [
        ("-2.8.0.0", "0", "123456", "MaskedLink:123456"),
        ("0.3.3.-1", "1", "15", "BCIDError:13", "RawError:2"),
        ("2.8.1.0", "0", "1", "TimeOutError:1"),
    ]


def test_text_of_the_lorentz_angle_says_what_became_of_each_fit(folder: Path) -> None:
    lines = lines_of("Lorentz summary")
    assert "  Flag         R (red)" in lines
    rows = [line.split() for line in lines if "<1" in line]
    states = [" ".join(row[5:-2]) if row[3] != "0" else "not fitted" for row in rows]
    assert states.count("converged") == 13
    assert (states[3], states[4], states[6]) == ("failed", "not fitted", "not fitted")
    assert rows[3][-2:] == ["3", "101.1"]


def test_text_of_the_fits_has_errors(folder: Path) -> None:
    lines = lines_of("Lorentz file")
    texts = [" ".join(line.split()) for line in lines]
    assert any("<100> -3.9 +- 0.03 1.2 +- 0.11 1.1 +- 0.01 2.5 +- 0.4 1.14" in t for t in texts)
    assert sum("not fitted" in line for line in lines) == 2


def test_lorentz_file_of_the_original_is_shown(folder: Path) -> None:
    WRITERS["Lorentz file"](Path("f.xml"))
    text = Path("f.xml").read_text()
    opened = text.replace('clid="1238547719" />', 'clid="1238547719">')
    assert LORENTZ_FOLDER_TEXT.split("\n", 2)[1] in opened
    Path("f.xml").write_text(opened)
    assert show("f.xml", "-o", "f.html").stdout == "f.html: page of f.xml\n"


# Pages


@pytest.mark.parametrize("kind", WRITERS)
def test_page_asks_for_nothing_outside_itself(folder: Path, kind: str) -> None:
    page = page_of(kind)
    targets = {element.get("id") for element in page.iter() if element.get("id")}
    links = {link for _, _, link, _ in page.iterlinks()}
    assert links <= {f"#{target}" for target in targets}
    assert not page.xpath("//script | //link | //img | //iframe")
    assert all("url(" not in (style.text or "") for style in page.iter("style"))
    assert page.xpath("string(//footer)") == "f.xml"


@pytest.mark.parametrize(
    ("kind", "power"), [("Efficiency", 2), ("NoiseOccupancy", 5), ("RawOccupancy", 3)]
)
def test_page_of_a_summary_shows_every_average_in_its_unit(
    folder: Path, kind: str, power: int
) -> None:
    page = page_of(kind)
    for table, (_, column) in enumerate(summary(kind).means):
        section = page.findall(".//section")[table]
        cells = section.xpath(".//td[@title]")
        assert {cell.get("title") for cell in cells} == {format(x, ".6g") for x in column}
        for cell in cells:
            expected = float(cell.get("title")) * 10**power
            colour = float(re.findall(r"--v:(.*)", cell.get("style"))[0])
            assert colour == pytest.approx(expected, rel=1e-5)
            assert float(cell.text.replace(",", "")) == pytest.approx(expected, rel=0.005, abs=5e-4)


def test_page_of_a_summary_has_the_mean_of_each_part_weighted_with_its_sides(folder: Path) -> None:
    means = summary("NoiseOccupancy").means[0][1]
    sides = np.bincount(layer_of_wafer())
    figures = {d.findtext("dt"): d for d in page_of("NoiseOccupancy").findall(".//dl/div")}
    for part, name in (("EndCapC", "End cap C"), ("Barrel", "Barrel"), ("EndCapA", "End cap A")):
        here = np.array([label.part == part for label in layer_labels()])
        mean = np.average(means[here], weights=sides[here]) * 1e5
        shown = figures[name].find("dd").text.replace(",", "")
        assert float(shown) == pytest.approx(mean, rel=0.005)


def test_layers_stand_where_they_are_in_the_detector(folder: Path) -> None:
    tables = page_of("BSErrors").xpath("//table[starts-with(@class, 'grid')]")
    values = {
        (label.part, str(label.layer), label.eta): str(value)
        for label, value in zip(layer_labels(), summary("BSErrors").means[0][1], strict=True)
    }
    for table, part in ((tables[0], "EndCapC"), (tables[2], "EndCapA")):
        disks = [th.text for th in table.xpath("./thead/tr[2]/th")][1:]
        assert disks == [str(d) for d in (range(8, -1, -1) if part == "EndCapC" else range(9))]
        for ring, row in enumerate(table.xpath("./tbody/tr")):
            for disk, cell in zip(disks, row.findall("td"), strict=True):
                assert (cell.text or None) == values.get((part, disk, str(ring)))
    rows = tables[1].xpath("./tbody/tr")
    assert [(row.find("th").text_content(), row.findtext("td")) for row in rows] == [
        (f"layer {la}", values[("Barrel", str(la), "all")]) for la in (3, 2, 1, 0)
    ]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("Efficiency", "Nothing was measured: all values are 0."),
        ("RawOccupancy", "Nothing was measured: all values are 0."),
        ("BSErrors", "No side has an error."),
    ],
)
def test_page_says_if_everything_is_zero(folder: Path, kind: str, text: str) -> None:
    content = summary(kind)
    zero = tuple((name, 0 * column) for name, column in content.means)
    write_monitoring_summary(Path("f.xml"), replace(content, means=zero))
    show("f.xml", "-o", "f.html")
    assert text in text_of(html.fromstring(Path("f.html").read_bytes()))
    assert text not in text_of(page_of(kind))


def test_older_times_are_shown_as_they_stand(folder: Path) -> None:
    WRITERS["RawOccupancy"](Path("f.xml"))
    text = Path("f.xml").read_text()
    for newer, older in OLD_TIMES.items():
        text = text.replace(newer, older)
    Path("f.xml").write_text(text)
    show("f.xml", "-o", "f.html")
    page = text_of(html.fromstring(Path("f.html").read_bytes()))
    assert "Time13/6/2016 10:5:45.0to 13/6/2016 20:5:45.0, 10 h 0 min" in page


@pytest.mark.parametrize(
    "kind",
    ["efficiency of sides", "noise of sides", "errors of sides", "errors of sides, original"],
)
def test_map_has_every_side_in_its_row_by_phi(folder: Path, kind: str) -> None:
    maps = page_of(kind).xpath("//div[@class='map']")
    assert len(maps) == 2 * (4 + 9 + 9)
    found = []
    for one in maps:
        for row in one.findall("div"):
            places = [re.findall(r"-?\d+", cell.get("title"))[:5] for cell in row.findall("i")]
            numbers = np.array(places, dtype=int)
            assert len(np.unique(numbers[:, [0, 1, 3, 4]], axis=0)) == 1
            assert numbers[:, 2].tolist() == list(range(len(numbers)))
            found += wafer_hash(*numbers.T).tolist()
    assert sorted(found) == list(range(8176))


def test_map_tells_no_data_from_zero(folder: Path) -> None:
    efficiency = efficiency_modules().efficiency
    page = page_of("efficiency of sides")
    maps = page.xpath("//div[@class='map']//i")
    classes = [cell.get("class") for cell in maps]
    assert classes.count("no-data") == (efficiency < 0).sum()
    assert classes.count("zero") == (efficiency == 0).sum()
    figures = {d.findtext("dt"): d.find("dd").text for d in page.findall(".//dl/div")}
    assert figures["Without data"] == str((efficiency < 0).sum())
    assert figures["Efficiency 0"] == str((efficiency == 0).sum())


@pytest.mark.parametrize(
    ("kind", "title", "last"), [("efficiency of sides", "Efficiency", False),
                                ("noise of sides", "Noise occupancy", True)]
)  # fmt: skip
def test_lists_of_sides_the_extreme_ones_and_those_of_a_layer(
    folder: Path, kind: str, title: str, last: bool
) -> None:
    page = page_of(kind)
    rows = page.xpath("//section[@id='list']//tbody/tr")
    shown = [float(row[4].text_content()) for row in rows]
    assert len(shown) == 100
    assert shown == sorted(shown, reverse=last)
    lists = page.xpath("//section[@class='on-demand']")
    assert sum(len(one.xpath(".//tbody/tr")) for one in lists) == 8176
    layer = page.xpath("//section[@id='list-0-2']//tbody/tr")
    assert len(layer) == 2 * 12 * 48
    assert all(row[0].text.startswith("0.2.") for row in layer)
    linked = {link.get("href") for link in page.xpath("//h3/a")}
    assert linked == {f"#{one.get('id')}" for one in lists}
    assert page.xpath("//thead/tr/th[5]")[0].text == title


@pytest.mark.parametrize("kind", ["errors of sides", "errors of sides, original"])
def test_page_of_errors_lists_sides_and_types(folder: Path, kind: str) -> None:
    page = page_of(kind)
    rows = page.xpath("//section[@id='list']//tbody/tr")
    cells = [[" ".join(cell.text_content().split()) for cell in row] for row in rows]
    wanted = [("-2.8.0.0", "0", "123,456", "MaskedLink 123456"),
              ("0.3.3.-1", "1", "15", "BCIDError 13RawError 2"),
              ("2.8.1.0", "0", "1", "TimeOutError 1")]  # fmt: skip
    if kind.endswith("original"):
        # Its type stands in the row of end cap C, where there is no error.
        wanted[2] = ("2.8.1.0", "0", "1", "")
        wanted.append(("-2.8.1.0", "0", "0", "TimeOutError 1"))
        assert "may belong to the other end cap" in text_of(page)
    assert [(c[0], c[2], c[4], c[5]) for c in cells] == wanted
    labels = [label.text_content() for label in page.iter("label")]
    c = 1 + kind.endswith("original")
    assert labels == [f"all {c + 2}", f"end cap C {c}", "barrel 1", "end cap A 1"]


def test_page_without_errors(folder: Path) -> None:
    write_bytestream_modules(Path("f.xml"), bytestream_modules(0 * ERRORS))
    show("f.xml", "-o", "f.html")
    page = html.parse("f.html").getroot()
    assert page.xpath("//section[@id='list']/p/text()") == ["none"]


def test_page_of_the_lorentz_angle(folder: Path) -> None:
    page = page_of("Lorentz summary")
    assert page.find("body").get("class") == "flag-R"
    assert "1 of 14 fits failed" in text_of(page)
    rows = page.xpath("//table[@class='lorentz']/tbody/tr")
    cells = [[cell.text_content() for cell in row] for row in rows]
    assert cells[0] == ["0", "0", "<100>", "", "-3.9", "1.14214", "converged", "1", "98.1"]
    assert cells[3][6:] == ["failed", "3", "101.1"]
    assert "not fitted" in cells[4][-1]
    assert "All fits converged." not in text_of(page)


def test_page_of_the_fits_has_errors(folder: Path) -> None:
    page = page_of("Lorentz file")
    rows = page.xpath("//table[@class='lorentz']/tbody/tr")
    assert [cell.text_content() for cell in rows[0]][4:8] == [
        "-3.9 ± 0.03", "1.2 ± 0.11", "1.1 ± 0.01", "2.5 ± 0.4",
    ]  # fmt: skip
    assert len(rows) == 16


# Style sheets


@pytest.mark.parametrize("kind", [kind.style_sheet for kind in SUMMARY_KINDS.values()])
def test_what_must_lie_beside_an_xml_file(kind: str) -> None:
    paths = style_sheets(kind)
    assert [path.name for path in paths] == [kind, "Monitoring.xsl", "BadStrips.xsl"]
    assert all(path.is_file() for path in paths)


def test_sheet_that_takes_in_no_other_one_is_alone() -> None:
    assert style_sheets("BadStrips.xsl") == [resource("share", "BadStrips.xsl")]
