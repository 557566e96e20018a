"""docs/hist-files.md: its tables are those of the program."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from sctcalib.histograms import monitoring_names as names
from sctcalib.simulate.commands import hist
from sctcalib.simulate.hist_files import simulate_hist
from sctcalib.simulate.hist_settings import TASKS, HistSettings

PAGE = Path(__file__).parents[2] / "docs" / "hist-files.md"


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def first_column(text: str) -> list[str]:
    """Words in code style in the first column of the tables."""
    rows = re.findall(r"^\| (`[^|]*) \|", text, re.MULTILINE)
    return [word for row in rows for word in re.findall(r"`([^`]+)`", row)]


def section(page: str, title: str) -> str:
    return re.split(r"^## ", page.partition(f"\n## {title}")[2], flags=re.MULTILINE)[0]


def test_every_option_is_described(page):
    described = first_column(section(page, "`sctcalib simulate hist`"))
    options = [each.opts[0] for each in hist.params if each.opts[0].startswith("--")]
    assert sorted(described) == sorted(options)


def test_defaults_are_those_of_the_command(page):
    text = section(page, "`sctcalib simulate hist`").replace("\N{MINUS SIGN}", "-")
    defaults = {
        each.opts[0]: each.default
        for each in hist.params
        if type(each.default) in (int, float) and not each.required
    }
    assert len(defaults) == 8
    for option, default in defaults.items():
        row = re.search(rf"^\| `{option}` \| ([^|]*) \|", text, re.MULTILINE)
        assert row is not None
        assert float(row[1]) == default


def test_every_key_of_the_truth_is_described(page, tmp_path):
    simulate_hist(HistSettings(1, n_events=100), tmp_path)
    keys = json.loads((tmp_path / "truth.json").read_text())
    assert sorted(first_column(section(page, "truth.json"))) == sorted(keys)


def test_objects_are_named_as_they_are_read(page):
    text = section(page, "What is read")
    assert all(f"`{part}`" in text for part in TASKS)
    for path in (names.N_EVENTS, names.EVENTS_BY_ENVIRONMENT, names.LORENTZ_FOLDER):
        assert path in text
    for kind in (names.EFFICIENCY, names.HITS):
        assert all(f"`{stem}…`" in text for stem in kind.stems)
    for stem in names.HITS_BEFORE_2010.stems:
        assert f"`{stem.rpartition('/')[2]}" in text or stem in text
    for convention in names.ERROR_CONVENTIONS:
        assert f"{convention.prefix}<error>" in text
