"""docs/runs.md names what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from sctcalib.cli import main
from sctcalib.configuration.options import options
from sctcalib.runs.asked import SHOW_ITEMS
from sctcalib.runs.commands import runs
from sctcalib.runs.files import fields
from sctcalib.runs.output import JSON_RESULT, QUERY_RESULT, RUN_LIST
from sctcalib.runs.query_command import query

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "runs.md").read_text(encoding="utf-8")
CODE = set(re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)))
WORDS = {word for code in CODE for word in re.split(r"[\s,]+", code)}


def test_page_names_every_field():
    assert set(fields()) <= WORDS


def test_page_names_every_command():
    for name in runs.commands:
        assert f"runs {name}" in PAGE or f"`{name} RUN`" in PAGE


def test_page_names_every_option_of_queries():
    mine = {
        name
        for parameter in query.params
        for name in parameter.opts
        if name.startswith("--") and not getattr(parameter, "hidden", False)
    }
    missing = {name for name in mine if name not in PAGE}
    assert missing - {"--verbose", "--filenametag"} == set()


def test_page_names_items_to_show_files_and_options_of_the_configuration():
    assert set(SHOW_ITEMS) <= WORDS
    assert {QUERY_RESULT, RUN_LIST, JSON_RESULT} <= CODE
    mine = {name for name in options() if name.startswith("RunSelector")} - {"RunSelectorProjects"}
    assert {"RunDatabase", "LastRunFile", *mine} <= {word.strip(":") for word in WORDS}


@pytest.mark.parametrize("form", ["list", "import"])
def test_first_steps_print_what_the_page_says(tmp_path, monkeypatch, form):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SCTCALIB_RUNS", "runs.db")
    from sctcalib.simulate.run_record import write_run_record
    from sctcalib.simulate.settings import Settings

    write_run_record(tmp_path / "runs.json", Settings(run=267367))
    done = CliRunner().invoke(main, ["runs", "import", "runs.json"])
    if form == "list":
        done = CliRunner().invoke(main, ["runs", "list"])
    printed = "\n".join(line.rstrip() for line in done.output.splitlines())
    shown = re.sub(r" +", " ", PAGE)
    assert re.sub(r" +", " ", printed.replace("20000", "")).strip() in shown
