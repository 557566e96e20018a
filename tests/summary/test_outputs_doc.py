"""docs/outputs.md says what the files hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sctcalib.summary.bad_strips import write_bad_strips
from sctcalib.summary.noisy_summary import write_noisy_summary
from tests.summary.examples import (
    BAD_STRIPS_TEXT,
    ORIGINAL_SUMMARY_TEXT,
    bad_strips,
    example_channel,
    example_summary,
)

TEXT = (Path(__file__).parents[2] / "docs" / "outputs.md").read_text(encoding="utf-8")
SNIPPETS = [s for s in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL) if ".xml" in s]


@pytest.mark.parametrize(
    ("snippet", "printed"),
    [
        (SNIPPETS[0], "300000 U 69\n0.3.3.-1 " + str(list(range(1, 70))) + "\n"),
        (SNIPPETS[1], "300000 0.3.3.-1 0-69\n"),
        (SNIPPETS[2], "300000 SctDerivedMonitoring-RUN2-UPD4-005 5\n"),
    ],
)
def test_snippets_work_on_the_files(
    snippet: str,
    printed: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    write_noisy_summary(Path("BadStripsSummaryFile.xml"), example_summary())
    write_bad_strips(Path("BadStripsAllFile.xml"), bad_strips(example_channel()))
    exec(compile(snippet, "docs/outputs.md", "exec"), {})
    assert capsys.readouterr().out == printed


def test_every_value_of_the_files_is_described() -> None:
    names = set(re.findall(r'value name="(\w+)"', ORIGINAL_SUMMARY_TEXT + BAD_STRIPS_TEXT))
    assert {name for name in names if f"`{name}`" not in TEXT} == set()


def test_examples_are_those_of_the_tests() -> None:
    assert BAD_STRIPS_TEXT in TEXT
    sections = ORIGINAL_SUMMARY_TEXT[ORIGINAL_SUMMARY_TEXT.index("  <chips>") :]
    assert sections in TEXT
