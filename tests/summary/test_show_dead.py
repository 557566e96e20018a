"""``sctcalib show`` of dead and quiet items, trips and noisy lumi blocks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from lxml import html

from sctcalib.cli import main
from sctcalib.summary.bad_modules import write_bad_modules
from sctcalib.summary.dead_files import STRIPS_FOLDER, of_one_run, write_dead_file
from sctcalib.summary.dead_summary import write_dead_summary
from sctcalib.summary.kinds import KINDS
from sctcalib.summary.noisy_lb_summary import write_noisy_lb_summary
from sctcalib.summary.page import style_sheets
from tests.summary.dead_examples import (
    bad_module,
    dead_channel,
    dead_chips,
    dead_module,
    dead_summary,
    lumi_block,
    noisy_chip,
    noisy_lb_summary,
)
from tests.summary.examples import RUN, SERIAL


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def show(*arguments: str) -> Result:
    result = CliRunner().invoke(main, ["show", *arguments])
    assert result.exit_code == 0, result.output
    return result


def page_of(name: str) -> html.HtmlElement:
    show(name, "-o", "page.html")
    page = html.fromstring(Path("page.html").read_bytes())
    links = [link for _, _, link, _ in page.iterlinks()]
    targets = {f"#{element.get('id')}" for element in page.iter() if element.get("id")}
    assert set(links) <= targets
    assert not page.xpath("//script | //link | //img")
    return page


def rows(page: html.HtmlElement, table: str) -> list[list[str]]:
    path = f"//table[@class='{table}']/tbody/tr"
    return [[" ".join(cell.text_content().split()) for cell in row] for row in page.xpath(path)]


def figures(page: html.HtmlElement) -> dict[str, str]:
    return {d.findtext("dt"): (d.find("dd").text or "").strip() for d in page.findall(".//dl/div")}


# Dead and quiet items


def test_text_of_a_dead_summary(folder: Path) -> None:
    write_dead_summary(Path("P.DeadSummaryFile.xml"), dead_summary())
    lines = show("P.DeadSummaryFile.xml").stdout.splitlines()
    assert lines[0] == "Dead strips and chips of run 300000"
    assert "  Flag                         G (green)" in lines
    assert "  Dead chips                   6 (with those of dead links)" in lines
    assert lines[-1] == "  0.3.3.-1  20220123456789  1      6-11"


def test_files_of_a_quiet_search_are_told_by_their_names(folder: Path) -> None:
    module = dead_module(chips="", strips="3-7  100", links=())
    write_dead_summary(Path("QuietSummaryFile.xml"), dead_summary(dead_modules=(module,)))
    lines = show("QuietSummaryFile.xml").stdout.splitlines()
    assert lines[0] == "Quiet strips and chips of run 300000"
    assert lines[-1].endswith("3-7 100")
    assert page_of("QuietSummaryFile.xml").findtext(".//title") == (
        "Quiet strips and chips, run 300000"
    )
    write_dead_file(Path("QuietChipsFile.xml"), dead_chips(dead_channel(threshold=0.5)))
    assert show("QuietChipsFile.xml").stdout.startswith("Quiet chips of run 300000\n")


def test_page_of_a_dead_summary(folder: Path) -> None:
    modules = (
        dead_module(module=0, links=(), chips="", strips="3-7  100", serial="<b>"),
        dead_module(),
    )
    write_dead_summary(Path("s.xml"), dead_summary(strips=6, dead_modules=modules))
    page = page_of("s.xml")
    assert page.findtext(".//title") == "Dead strips and chips, run 300000"
    assert page.find("body").get("class") == "flag-G"
    assert rows(page, "modules") == [
        ["-2.0.0.0", "end cap C, disk 0, outer", "<b>", "", "", "63-7 100"],
        ["0.3.3.-1", "barrel, layer 3", SERIAL, "1", "6-11", ""],
    ]
    assert page.xpath("//ul[@class='checks']/li/@class") == ["passed"]
    assert (figures(page)["Dead links"], figures(page)["Dead strips"]) == ("1", "6")
    counts = {label.get("for"): label.findtext("b") for label in page.iter("label")}
    assert counts == {"region-any": "2", "region-c": "1", "region-b": "1", "region-a": "0"}


@pytest.mark.parametrize(
    ("flag", "words", "check"),
    [("R", "Nothing was found", "failed"), ("U", "switched off", "untested")],
)
def test_page_of_a_summary_says_why_it_is_not_green(
    folder: Path, flag: str, words: str, check: str
) -> None:
    reason = "FAILED in #chips or #strips is non-zero"
    write_dead_summary(Path("s.xml"), dead_summary(flag=flag, flag_reason=reason, dead_modules=()))
    page = page_of("s.xml")
    assert words in page.xpath("string(//p[@class='verdict'])")
    assert page.xpath("//ul[@class='checks']/li/@class") == [check]
    assert page.xpath("//section/p[@class='none']/text()") == ["none"]


def test_text_and_page_of_a_list_of_chips(folder: Path) -> None:
    write_dead_file(Path("c.xml"), dead_chips(dead_channel()))
    lines = show("c.xml").stdout.splitlines()
    assert lines[0] == "Dead chips of run 300000"
    assert lines[-2].split() == ["module", "type", "threshold", "number", "chips"]
    assert lines[-1].split() == ["0.3.3.-1", "DEAD", "6", "3", "1", "8-9"]
    page = page_of("c.xml")
    assert page.findtext(".//title") == "Dead chips, run 300000"
    assert rows(page, "channels") == [["0.3.3.-1", "barrel, layer 3", "DEAD", "6", "31 8-9"]]
    assert "SctDerivedDeadChips-003-00" in page.text_content()


def test_text_and_page_of_a_list_of_strips(folder: Path) -> None:
    channel = dead_channel(defects="5  5-2")
    write_dead_file(Path("s.xml"), of_one_run(RUN, "tag", STRIPS_FOLDER, (channel,)))
    lines = show("s.xml").stdout.splitlines()
    assert lines[0] == "Dead strips of run 300000"
    assert lines[-1].split() == ["0.3.3.-1", "DEAD", "6", "?", "5", "5-2"]
    assert page_of("s.xml").findtext(".//title") == "Dead strips, run 300000"


def test_list_without_modules(folder: Path) -> None:
    write_dead_file(Path("c.xml"), dead_chips())
    assert "Modules: 0" in show("c.xml").stdout.splitlines()
    assert page_of("c.xml").xpath("//section/p/text()") == ["none"]


# Trips


def test_text_and_page_of_trips(folder: Path) -> None:
    intervals = [
        bad_module(),
        bad_module(start=951827696, end=951868800, first_lb=11, last_lb=15),
        bad_module(module=4087, start=0, end=1),
    ]
    write_bad_modules(Path("b.xml"), intervals)
    lines = show("b.xml").stdout.splitlines()
    assert lines[:3] == ["Trips of the high voltage", "  Intervals  3", "  Modules    2"]
    assert "  0.3.3.-1  20220123456789  2016-06-01 09:59:45  20       0-0" in lines
    page = page_of("b.xml")
    assert [row[3:] for row in rows(page, "intervals")] == [
        ["2016-06-01 09:59:45", "2016-06-01 10:00:05", "20", "0"],
        ["2000-02-29 12:34:56", "2000-03-01 00:00:00", "41104", "11\u201315"],
        ["1970-01-01 00:00:00", "1970-01-01 00:00:01", "1", "0"],
    ]


def test_no_trips_are_a_result_too(folder: Path) -> None:
    write_bad_modules(Path("b.xml"), [])
    assert "Intervals: 0" in show("b.xml").stdout.splitlines()
    assert page_of("b.xml").xpath("string(//section/p)").startswith("none;")


def test_time_beyond_the_calendar_is_shown_as_it_is(folder: Path) -> None:
    write_bad_modules(Path("b.xml"), [bad_module(start=10**15, end=10**15 + 5)])
    assert "1000000000000000 s" in show("b.xml").stdout


# Noisy lumi blocks


def test_text_of_noisy_lumi_blocks(folder: Path) -> None:
    summary = noisy_lb_summary(noisy=np.array([2]), noisy_fraction=0.25, flag="R")
    write_noisy_lb_summary(Path("n.xml"), summary)
    lines = show("n.xml").stdout.splitlines()
    assert lines[0] == "Noisy lumi blocks of run 300000"
    assert "  Flag                      R (noisy lumi blocks)" in lines
    assert "  Noisy lumi blocks         2, 0.25 of those judged" in lines
    assert lines[-1].split() == ["0.3.3.-1", SERIAL, "7", "0.75", "2", "4-5"]


def test_page_of_noisy_lumi_blocks(folder: Path) -> None:
    blocks = (
        lumi_block(chips=491, chip_fraction=491 / 49056, noisy=True),
        lumi_block(number=4, events=12345, occupancy=0.5),
    )
    summary = noisy_lb_summary(
        noisy=np.array([2]), noisy_fraction=0.25, flag="R", lumi_block_rows=blocks,
        chip_rows=(noisy_chip(), noisy_chip(module=0, lb_fraction=1e-05)),
    )  # fmt: skip
    write_noisy_lb_summary(Path("n.xml"), summary)
    page = page_of("n.xml")
    assert page.findtext(".//title") == "Noisy lumi blocks, run 300000"
    assert page.xpath("string(//p[@class='verdict'])").endswith("in the lumi blocks 2.")
    assert figures(page)["Noisy lumi blocks"] == "1"
    assert rows(page, "lumiblocks") == [
        ["2", "100", "0.015", "491", "1.001 %", "noisy"],
        ["4", "12,345", "50,000", "1", "0.002 %", ""],
    ]
    assert [row[3:] for row in rows(page, "chips")] == [
        ["1", "7", "75 %", "2 4-5"], ["1", "7", "0.001 %", "2 4-5"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("flag", "words"), [("G", "No chip"), ("Y", "as a whole was not"), ("U", "enough events")]
)
def test_page_of_quieter_runs(folder: Path, flag: str, words: str) -> None:
    write_noisy_lb_summary(
        Path("n.xml"), noisy_lb_summary(flag=flag, lumi_block_rows=(), chip_rows=())
    )
    page = page_of("n.xml")
    assert words in page.xpath("string(//p[@class='verdict'])")
    assert page.xpath("//section/p/text()") == ["none", "none"]
    assert "Noisy lumi blocks         none" in show("n.xml").stdout


def test_style_sheets_come_with_the_ones_they_take_in() -> None:
    names = {kind.style_sheet for kind in KINDS}
    assert {"DeadInfo.xsl", "NoisyLBInfo.xsl", "BadModules.xsl"} <= names
    assert [sheet.name for sheet in style_sheets("DeadInfo.xsl")] == [
        "DeadInfo.xsl", "BadStripsList.xsl", "BadStrips.xsl",
    ]  # fmt: skip
