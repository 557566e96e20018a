"""docs/outputs-dead.md says what the files hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sctcalib.configuration.options import options
from sctcalib.summary.dead_files import write_dead_file
from tests.summary.dead_examples import (
    BAD_MODULES_TEXT,
    DEAD_CHIPS_TEXT,
    DEAD_SUMMARY_TEXT,
    NOISY_LB_TEXT,
    dead_channel,
    dead_chips,
)

TEXT = (Path(__file__).parents[2] / "docs" / "outputs-dead.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (DEAD_CHIPS_TEXT, "## DeadStripsFile.xml"),
        (DEAD_SUMMARY_TEXT, "## DeadSummaryFile.xml"),
        (BAD_MODULES_TEXT, "## BadModulesFile.xml"),
        (NOISY_LB_TEXT, "## NoisyLBSummaryFile.xml"),
    ],
)
def test_every_value_is_described_in_its_section(text: str, title: str) -> None:
    section = TEXT[TEXT.index(title) :].split("\n## ")[0]
    names = set(re.findall(r'value name="(\w+)"', text))
    assert {n for n in names if f"`{n}`" not in section and f'name="{n}"' not in section} == set()


def test_examples_are_those_of_the_tests() -> None:
    assert DEAD_CHIPS_TEXT in TEXT
    assert NOISY_LB_TEXT.split("  <chips>\n")[1].split("  </chips>")[0] in TEXT


def test_options_that_it_names_exist() -> None:
    words = set(re.findall(r"`((?:Dead|Quiet|HV|NoisyLB|NoisyThr|BusyThr)\w+)`", TEXT))
    assert len(words & set(options())) >= 8
    assert {word for word in words if word not in options()} <= {"NoisyLB"}


def test_snippet_works_on_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_dead_file(Path("DeadChipsFile.xml"), dead_chips(dead_channel()))
    (snippet,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    exec(compile(snippet, "docs/outputs-dead.md", "exec"), {})
    assert capsys.readouterr().out == "0.3.3.-1 [1, 8, 9]\n"
