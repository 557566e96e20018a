"""docs/byte-stream.md: its examples run, and it names every field."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from sctcalib.bytestream.maps import RawMaps
from sctcalib.detector.cabling import default_cabling
from sctcalib.detector.cabling_file import cabling_lines
from tests.bytestream.raw_files import Event, write_raw

PAGE = (Path(__file__).parents[2] / "docs" / "byte-stream.md").read_text()


def test_examples_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_raw(tmp_path / "run.data", [Event(event_id=7).with_halves([0x2100, 0x8050, 0x4000])])
    names: dict[str, object] = {}
    for code in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(code, names)
    out = capsys.readouterr().out
    assert out.startswith("1 1 {'link_headers': 1")
    assert "7 1 [(1988, 5, 1, 2)]" in out


def test_every_field_is_named() -> None:
    plain = {"n_lumi_blocks", "lbs_per_window", "rod_ids", "counter_values", "files_incomplete"}
    for field in dataclasses.fields(RawMaps):
        assert field.name in plain or f"`{field.name}`" in PAGE


def test_row_of_the_cabling_is_one_of_the_default() -> None:
    assert re.search(r"^0 0 0 0 1 .*$", PAGE, re.MULTILINE)[0] in cabling_lines(default_cabling())
