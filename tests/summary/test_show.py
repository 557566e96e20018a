"""``sctcalib show``: the text on the terminal and the page for the browser."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from lxml import html

from sctcalib.cli import main
from sctcalib.summary.bad_strips import BadStripsChannel, write_bad_strips
from sctcalib.summary.console import noisy_report, print_rich
from sctcalib.summary.noisy_summary import (
    NoisyModule,
    NoisySummary,
    fake_summary,
    write_noisy_summary,
)
from tests.summary.examples import (
    END,
    ORIGINAL_SUMMARY_TEXT,
    RUN,
    SERIAL,
    START,
    bad_strips,
    example_channel,
    example_summary,
)

CHECKS = example_summary().check_list.split("; ")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def show(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["show", *arguments])


def page_of(summary: NoisySummary) -> html.HtmlElement:
    write_noisy_summary(Path("s.xml"), summary)
    result = show("s.xml", "-o", "s.html")
    assert result.exit_code == 0, result.output
    return html.fromstring(Path("s.html").read_bytes())


def many_modules(number: int) -> tuple[NoisyModule, ...]:
    return tuple(
        NoisyModule(
            SERIAL, m, (), (), np.arange(m % 5 + 1), np.arange(m % 2), np.arange(m % 2, m % 5 + 1)
        )
        for m in range(number)
    )


# The page


def test_page_has_the_results_of_the_example(folder: Path) -> None:
    page = page_of(example_summary(reference_run=299999))
    text = " ".join(page.text_content().split())
    assert page.findtext(".//title") == "Noisy strips, run 300000"
    assert "2016-06-01 10:00:00 GMT" in text
    assert "8 h 0 min" in text
    figures = {d.findtext("dt"): d.find("dd").text for d in page.findall(".//dl/div")}
    assert figures["Events"] == "50,000"
    assert (figures["Noisy strips"], figures["New strips"]) == ("70", "69")
    assert figures["Reference run"].strip() == "299999"
    (chip,) = page.xpath("//table[@class='chips']/tbody/tr")
    cells = [cell.text_content().strip() for cell in chip]
    assert cells == ["0.3.3.-1", "barrel, layer 3", SERIAL, "0", "0", "0.6 %", "1 3-4"]
    (module,) = page.xpath("//table[@class='modules']/tbody/tr")
    assert module.get("id") == "m0.3.3.-1"
    assert chip.find(".//a").get("href") == "#m0.3.3.-1"
    assert [(b.text, b.getnext().text) for b in module.iter("b")] == [
        ("70", "0-69"), ("69", "1-69"), ("1", "0"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("flag", "failed", "name", "classes"),
    [
        ("G", [], "green", ["passed"] * 4),
        ("Y", [3], "yellow", ["passed"] * 3 + ["failed"]),
        ("R", [0, 3], "red", ["failed", "passed", "passed", "failed"]),
        ("U", [0, 1, 2, 3], "not tested", ["untested"] * 4),
    ],
)
def test_page_says_which_checks_failed(
    folder: Path, flag: str, failed: list[int], name: str, classes: list[str]
) -> None:
    # The original leaves "; " behind each failed test but the last one.
    reason = "".join(f"FAILED in {CHECKS[i]}" + "; " * (i < 3) for i in failed)
    page = page_of(replace(example_summary(), flag=flag, flag_reason=reason))
    assert page.find("body").get("class") == f"flag-{flag}"
    assert page.xpath("string(//*[@class='badge'])") == name
    items = page.xpath("//ul[@class='checks']/li")
    assert [item.text for item in items] == CHECKS
    assert [item.get("class") for item in items] == classes


def test_check_whose_text_begins_another_one_is_not_taken_for_it(folder: Path) -> None:
    summary = replace(
        example_summary(), flag="R", check_list="#events more than 10; #events more than 1000",
        flag_reason="FAILED in #events more than 1000",
    )  # fmt: skip
    items = page_of(summary).xpath("//ul[@class='checks']/li")
    assert [item.get("class") for item in items] == ["passed", "failed"]


def test_page_of_a_run_without_events(folder: Path) -> None:
    page = page_of(fake_summary(RUN, "", "", 0, flag_enabled=True, read_cool=False))
    text = page.text_content()
    assert "The hit maps of this run are empty" in text
    assert "Noisy strips tried to run over empty hitmaps" in text
    assert "not known" in text
    assert not page.findall(".//table")


def test_page_with_empty_sections(folder: Path) -> None:
    page = page_of(replace(example_summary(), noisy_chips=(), noisy_modules=()))
    assert page.xpath("//section/p[@class='none']/text()") == ["none", "none"]


def test_page_has_all_modules_and_counts_for_its_filters(folder: Path) -> None:
    page = page_of(replace(example_summary(), noisy_modules=many_modules(4088)))
    rows = page.xpath("//table[@class='modules']/tbody/tr")
    assert len(rows) == 4088
    labels = {label.get("for"): label for label in page.iter("label")}
    counts = {name: int(label.findtext("b") or 0) for name, label in labels.items()}
    assert counts == {
        "region-any": 4088, "region-c": 988, "region-b": 2112, "region-a": 988,
        "change-any": 0, "change-some": 2044, "change-new": 2044,
    }  # fmt: skip
    kinds = [set(row.get("class").split()) for row in rows]
    assert sum("new" in kind for kind in kinds) == sum("same" not in kind for kind in kinds) == 2044
    assert sum("becm2" in kind for kind in kinds) == sum("bec2" in kind for kind in kinds) == 988
    css = page.findtext(".//style")
    assert all(name.endswith("any") or f"#{name}:checked" in css for name in counts)


def test_longest_lists_are_counted(folder: Path) -> None:
    lists = np.arange(0, 1536, 2), np.flatnonzero(np.arange(1536) % 3), np.arange(1536)
    module = NoisyModule(SERIAL, 0, (), (), *lists)
    page = page_of(replace(example_summary(), noisy_modules=(module,)))
    counts = page.xpath("//table[@class='modules']/tbody/tr//b/text()")
    assert counts == ["768", "1024", "1536"]


def test_page_asks_for_nothing_outside_itself(folder: Path) -> None:
    page = page_of(example_summary())
    links = [link for _, _, link, _ in page.iterlinks()]
    assert links
    assert all(link.startswith("#") for link in links)
    targets = {element.get("id") for element in page.iter() if element.get("id")}
    assert {link.removeprefix("#") for link in links} <= targets
    assert not page.xpath("//script | //link | //img | //iframe")
    assert "url(" not in page.findtext(".//style")


def test_texts_of_the_file_are_not_markup(folder: Path) -> None:
    odd = "<script>alert(1)</script>"
    module = replace((example_summary().noisy_modules or ())[0], serial=odd)
    page = page_of(replace(example_summary(), check_list=odd, start=odd, noisy_modules=(module,)))
    assert not page.xpath("//script")
    assert page.text_content().count(odd) == 3


def test_summary_of_the_original_has_a_page(folder: Path) -> None:
    Path("s.xml").write_text(ORIGINAL_SUMMARY_TEXT)
    assert show("s.xml", "-o", "s.html").exit_code == 0
    assert "none" in html.parse("s.html").xpath("string(//dl/div[last()])")


def test_page_of_a_list(folder: Path) -> None:
    other = BadStripsChannel(0, 0.0015, np.array([3]))
    write_bad_strips(Path("BadStripsAllFile.xml"), bad_strips(other, example_channel()))
    assert show("BadStripsAllFile.xml", "-o", "list.html").exit_code == 0
    page = html.parse("list.html").getroot()
    assert page.findtext(".//title") == "Bad strips, run 300000"
    rows = page.xpath("//table[@class='channels']/tbody/tr")
    assert [[cell.text_content() for cell in row] for row in rows] == [
        ["-2.0.0.0", "end cap C, disk 0, outer", "NOISY", "0.0015", "13"],
        ["0.3.3.-1", "barrel, layer 3", "NOISY", "0.015", "55 10-12 768"],
    ]
    assert "for this run" in page.text_content()
    assert "BadStripsAllFile.xml" in page.text_content()


def test_list_with_an_open_interval_and_no_modules(folder: Path) -> None:
    write_bad_strips(Path("list.xml"), replace(bad_strips(), until=(1 << 63) - 1))
    assert show("list.xml", "-o", "list.html").exit_code == 0
    page = html.parse("list.html").getroot()
    assert "open-ended" in page.text_content()
    assert page.xpath("//section/p/text()") == ["none"]


# The terminal


def test_text_has_the_run_values_and_the_first_rows(folder: Path) -> None:
    write_noisy_summary(Path("s.xml"), replace(example_summary(), noisy_modules=many_modules(50)))
    result = show("s.xml")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "Noisy strips of run 300000"
    assert "  Flag                      U (not tested)" in lines
    assert "  Noisy strips              70 (69 new; reference 1)" in lines
    assert "Noisy modules: 50" in lines
    assert sum(SERIAL in line for line in lines) == 1 + 20
    assert lines[-1] == "  ... and 30 more; --all shows them"
    assert result.stderr == "As a page for the browser: sctcalib show s.xml -o s.html\n"


def test_all_rows_and_whole_lists_on_demand(folder: Path) -> None:
    long = np.arange(0, 1536, 2)
    module = NoisyModule(SERIAL, 4087, (0, 1), (3, 4), long, long, long[:0])
    summary = replace(example_summary(), noisy_modules=(*many_modules(50), module))
    write_noisy_summary(Path("s.xml"), summary)
    short, whole = show("s.xml").stdout, show("--all", "s.xml").stdout
    assert sum(SERIAL in line for line in whole.splitlines()) == 1 + 51
    assert "more; --all" not in whole
    assert " 1530 1532 1534" in whole
    assert "2.8.51.0" not in short


def test_long_list_is_cut_at_a_blank(folder: Path) -> None:
    write_bad_strips(
        Path("l.xml"), bad_strips(replace(example_channel(), strips=np.arange(0, 1536, 2)))
    )
    (line,) = [line for line in show("l.xml").stdout.splitlines() if "NOISY" in line]
    assert (
        line
        == "  0.3.3.-1  NOISY  0.015      768     0 2 4 6 8 10 12 14 16 18 20 22 24 26 28 30 ..."
    )


def test_text_of_a_list(folder: Path) -> None:
    write_bad_strips(Path("l.xml"), bad_strips(example_channel()))
    lines = show("l.xml").stdout.splitlines()
    assert lines[0] == "Bad strips of run 300000"
    assert "  Strips    5" in lines
    assert "  0.3.3.-1  NOISY  0.015      5       5 10-12 768" in lines


def test_run_without_events_has_no_tables(folder: Path) -> None:
    write_noisy_summary(
        Path("s.xml"), fake_summary(RUN, START, END, 1, flag_enabled=False, read_cool=False)
    )
    result = show("s.xml")
    assert "R (red)" in result.stdout
    assert "Upload test               disabled" in result.stdout
    assert "Noisy modules:" not in result.stdout


def test_terminal_gets_tables_and_texts_are_not_markup(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    summary = replace(example_summary(), check_list="[red]odd[/red]", noisy_modules=many_modules(3))
    print_rich(noisy_report(summary), rows=2)
    text = capsys.readouterr().out
    assert "[red]odd[/red]" in text
    assert "0.3.3.-1" in text
    assert "0-1" in text
    assert "... and 1 more; --all shows them" in text


# Mistakes


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "s.xml: cannot be read: No such file"),
        ("", "s.xml: not well-formed XML"),
        ("<run></run>", "<run> with these values cannot be shown; these can: BadStripsSummaryFile"),
        ("<module></module>", "<module> with these values cannot be shown"),
        ("<channels></channels>", "line 1: <channels> has no attribute 'server'"),
        (ORIGINAL_SUMMARY_TEXT.replace(">50000<", "><"), "line 9: value 'Events': ''"),
    ],
)
def test_bad_file_ends_with_74_and_leaves_no_page(
    folder: Path, content: str | None, message: str
) -> None:
    if content is not None:
        Path("s.xml").write_text(content)
    Path("s.html").write_text("an earlier page")
    for arguments in (["s.xml"], ["s.xml", "-o", "s.html"]):
        result = show(*arguments)
        assert result.exit_code == 74
        assert message in result.stderr
        assert "Traceback" not in result.stderr
    assert Path("s.html").read_text() == "an earlier page"


def test_page_does_not_replace_its_source(folder: Path) -> None:
    Path("s.xml").write_text(ORIGINAL_SUMMARY_TEXT)
    Path("link.xml").symlink_to("s.xml")
    for output in ("s.xml", "./s.xml", "link.xml", str(folder / "s.xml")):
        result = show("s.xml", "-o", output)
        assert result.exit_code == 7
        assert "would overwrite the file to be shown" in result.stderr
    assert Path("s.xml").read_text() == ORIGINAL_SUMMARY_TEXT


def test_folder_of_the_page_must_exist(folder: Path) -> None:
    Path("s.xml").write_text(ORIGINAL_SUMMARY_TEXT)
    missing = show("s.xml", "-o", "no/such/s.html")
    assert (missing.exit_code, "the folder no/such does not exist" in missing.stderr) == (11, True)
    is_folder = show("s.xml", "-o", ".")
    assert (is_folder.exit_code, "is a folder" in is_folder.stderr) == (11, True)
    assert sorted(path.name for path in folder.iterdir()) == ["s.xml"]


def test_page_replaces_an_earlier_one_and_leaves_nothing_else(folder: Path) -> None:
    Path("s.xml").write_text(ORIGINAL_SUMMARY_TEXT)
    Path("s.html").write_text("an earlier page")
    assert show("s.xml", "-o", "s.html").exit_code == 0
    assert Path("s.html").read_text().startswith("<!DOCTYPE html")
    assert sorted(path.name for path in folder.iterdir()) == ["s.html", "s.xml"]


def test_help_needs_no_heavy_import() -> None:
    code = (
        "import sys; from sctcalib.summary import commands; "
        "print(sorted({'lxml', 'numpy', 'rich', 'uproot'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout == "[]\n"
