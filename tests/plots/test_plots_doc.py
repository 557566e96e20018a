"""docs/plots.md speaks of every kind of file, every folder and every option."""

from __future__ import annotations

from pathlib import Path

import pytest

from sctcalib.cool.folders import SCT_FOLDERS
from sctcalib.plots.commands import plot
from sctcalib.plots.read import READERS

PAGE = (Path(__file__).parents[2] / "docs" / "plots.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", READERS)
def test_every_file_that_can_be_drawn_is_described(kind: str) -> None:
    for name in kind.replace(",", " ").replace(" and ", " ").split():
        assert f"`{name}`" in PAGE


def test_every_folder_is_described() -> None:
    assert [f.path for f in SCT_FOLDERS.values() if f"`{f.path}`" not in PAGE] == []


def test_every_option_is_described() -> None:
    options = [name for option in plot.params for name in option.opts if name.startswith("--")]
    assert [name for name in options if f"`{name}" not in PAGE and name != "--output"] == []
    assert "`-o" in PAGE
