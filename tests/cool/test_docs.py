"""The example of docs/cool.md runs and prints what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "cool.md"


def test_the_python_example_prints_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = PAGE.read_text(encoding="utf-8")
    match = re.search(r"```python\n(.*?)```\n\n```\n(.*?)```", text, re.DOTALL)
    assert match is not None
    monkeypatch.chdir(tmp_path)
    exec(match.group(1), {})
    assert capsys.readouterr().out == match.group(2)


def test_the_page_names_every_command() -> None:
    from sctcalib.cool.commands import cool

    text = PAGE.read_text(encoding="utf-8")
    assert set(re.findall(r"`sctcalib cool (\w+) ", text)) == set(cool.commands)


def test_the_page_names_every_storage_type() -> None:
    from sctcalib.cool.storage import STORAGE_TYPES

    text = PAGE.read_text(encoding="utf-8").replace("\n", " ")
    assert ", ".join(STORAGE_TYPES) in text
