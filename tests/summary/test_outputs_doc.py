"""docs/outputs.md says what the files hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sctcalib.parts import PARTS
from sctcalib.summary.bad_strips import write_bad_strips
from sctcalib.summary.bytestream_modules import write_bytestream_modules
from sctcalib.summary.efficiency_modules import write_efficiency_modules
from sctcalib.summary.lorentz_angle_files import write_lorentz_file, write_lorentz_summary
from sctcalib.summary.monitoring_summary import SUMMARY_KINDS, write_monitoring_summary
from sctcalib.summary.noise_occupancy_file import write_noise_occupancy_file
from sctcalib.summary.noisy_summary import write_noisy_summary
from tests.summary.examples import (
    BAD_STRIPS_TEXT,
    ORIGINAL_SUMMARY_TEXT,
    bad_strips,
    example_channel,
    example_summary,
)
from tests.summary.hist_examples import (
    HEADER_TEXT,
    LORENTZ_PART_TEXT,
    OURS,
    bytestream_modules,
    efficiency_modules,
    lorentz_file,
    lorentz_summary,
    noise_file,
    random_counts,
    summary,
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


@pytest.mark.parametrize(
    ("snippet", "printed"),
    [
        (SNIPPETS[3], "NoiseOccupancy meanNO LayerLabel(part='Barrel', layer=0, eta='all') "),
        (SNIPPETS[4], "-2_0_0_1_1 -1.0\n"),
        (SNIPPETS[5], "G [-3.9, -4.025, -4.15, -4.275]\n"),
    ],
)
def test_snippets_work_on_the_files_of_hist_parts(
    snippet: str,
    printed: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    write_monitoring_summary(Path("NoiseOccupancySummaryFile.xml"), summary("NoiseOccupancy"))
    sides = efficiency_modules()
    sides.efficiency[3] = -1
    write_efficiency_modules(Path("EfficiencyModuleSummary.xml"), sides)
    write_lorentz_summary(Path("LorentzAngleSummaryFile.xml"), lorentz_summary())
    exec(compile(snippet, "docs/outputs.md", "exec"), {})
    assert printed in capsys.readouterr().out


def test_every_value_of_the_files_of_hist_parts_is_described(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("e.xml", "n.xml", "b.xml", "s.xml", "f.xml")]
    write_efficiency_modules(files[0], efficiency_modules())
    write_noise_occupancy_file(files[1], noise_file())
    write_bytestream_modules(files[2], bytestream_modules(random_counts()))
    write_lorentz_summary(files[3], lorentz_summary())
    write_lorentz_file(files[4], lorentz_file())
    names = {kind for its in SUMMARY_KINDS.values() for kind in its.values}
    for path in files:
        names |= set(re.findall(r'(?:value|payloadType) name="(\w+)"', path.read_text()))
    text = TEXT[TEXT.index("## Files of HIST parts") :]
    described = set(re.findall(r"`(\w+)`", text)) | set(re.findall(r'name="(\w+)"', text))
    assert names - described == set()
    assert {"meanEff", "nErrors", "Attempts", "err_a"} <= names


def test_fragments_of_hist_parts_are_those_of_the_reference() -> None:
    assert HEADER_TEXT in TEXT
    block = LORENTZ_PART_TEXT.replace("    </parts>\n", OURS + "    </parts>\n")
    assert block in TEXT
    for kind in PARTS.values():
        for output in kind.outputs:
            assert f"`{output.suffix}`" in TEXT


def test_every_value_of_the_files_is_described() -> None:
    names = set(re.findall(r'value name="(\w+)"', ORIGINAL_SUMMARY_TEXT + BAD_STRIPS_TEXT))
    assert {name for name in names if f"`{name}`" not in TEXT} == set()


def test_examples_are_those_of_the_tests() -> None:
    assert BAD_STRIPS_TEXT in TEXT
    sections = ORIGINAL_SUMMARY_TEXT[ORIGINAL_SUMMARY_TEXT.index("  <chips>") :]
    assert sections in TEXT
