"""The dictionaries in run/: every part has one, and each works on what the simulation writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sctcalib.parts import PARTS
from sctcalib.simulate import everything
from sctcalib.simulate.hist_files import simulate_hist
from sctcalib.simulate.hist_settings import HistSettings
from sctcalib.simulate.raw_files import simulate_raw
from sctcalib.simulate.raw_settings import RawSettings
from sctcalib.simulate.settings import Settings
from tests.support.processes import ROOT, run_sctcalib
from tests.support.raw import EPOCH, RUN
from tests.support.reports import output_names, read_report
from tests.support.shared import made_once

EXAMPLES = {
    "noisy_strips": ("doNoisyStrip", everything.HITMAPS),
    "hit_maps": ("doNoisyStrip", everything.RAW),
    "noisy_lumi_blocks": ("doNoisyLB", everything.RAW),
    "hv_trips": ("doHV", everything.RAW),
    "dead_strips": ("doDeadStrip", everything.DEAD),
    "dead_chips": ("doDeadChip", everything.DEAD),
    "quiet_strips": ("doQuietStrip", everything.DEAD),
    "quiet_chips": ("doQuietChip", everything.DEAD),
    "efficiency": ("doEfficiency", everything.HIST),
    "noise_occupancy": ("doNoiseOccupancy", everything.HIST),
    "raw_occupancy": ("doRawOccupancy", everything.HIST),
    "lorentz_angle": ("doLorentzAngle", everything.HIST),
    "bytestream_errors": ("doBSErrorDB", everything.HIST),
}
"""Part, and folder of ``sctcalib simulate all``, by name of the dictionary."""


def example(name: str) -> dict[str, object]:
    found: dict[str, object] = json.loads((ROOT / "run" / f"{name}.json").read_text())
    return found


@pytest.fixture(scope="session")
def data(tmp_path_factory, noisy_run):
    """The files of ``simulate all`` by its settings, but with fewer events."""

    def make(folder: Path) -> None:
        noise, particles = everything.noise(RUN, 1), everything.particles(RUN, 1)
        for name, full in ((everything.RAW, noise), (everything.DEAD, particles)):
            base = Settings(
                RUN, n_events=60, n_files=full.base.n_files, n_lumi_blocks=3,
                stream=full.base.stream, defects=full.base.defects,
            )  # fmt: skip
            small = RawSettings(base, occupancy=full.occupancy, lit=full.lit)
            simulate_raw(small, folder / name)
        simulate_hist(HistSettings(RUN, seed=1), folder / everything.HIST)
        (folder / everything.HITMAPS).symlink_to(noisy_run)

    return made_once(tmp_path_factory, "example-data", make)


def test_every_part_has_an_example_and_every_file_is_one():
    assert {part for part, _ in EXAMPLES.values()} == set(PARTS)
    assert {path.stem for path in (ROOT / "run").glob("*.json")} == set(EXAMPLES)
    for name, (part, _) in EXAMPLES.items():
        assert example(name)["part"] == [part]


def test_the_readme_has_a_row_for_every_example():
    lines = (ROOT / "run" / "README.md").read_text().splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "|" in line]
    found = {}
    for files, parts, folder in rows[2:]:
        parts = parts.partition(",")[0] if files.count("`") == 2 else parts
        for file, part in zip(files.split(", "), parts.split(", "), strict=True):
            found[file.strip("`").removesuffix(".json")] = (
                part.strip("`"), folder.strip("`").removeprefix("data/"),
            )  # fmt: skip
    assert found == EXAMPLES


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_names_the_files_that_the_simulation_writes(name):
    """At its full size: two pairs of maps, two RAW files of noise, one with particles."""
    job, folder = example(name), EXAMPLES[name][1]
    if folder == everything.HITMAPS:
        stem = f"data15_13TeV.{RUN:08d}.calibration_SCTNoise.sctcal.HITMAP.c0"
        names = [
            f"{stem}._{n:04d}.{kind}.root.1" for n in (1, 2) for kind in ("SCTHitMaps", "SCTLB")
        ]
        dataset = stem
    elif folder == everything.HIST:
        settings = HistSettings(RUN)
        names, dataset = [settings.file_name], settings.dataset
    else:
        make = everything.noise if folder == everything.RAW else everything.particles
        raw = make(RUN, 1)
        names = [raw.file_name(n) for n in range(1, raw.base.n_files + 1)]
        dataset = raw.dataset
    assert job["input"] == [{"dsn": dataset, "lfn": each} for each in names]


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_runs(data, tmp_path, name):
    part, folder = EXAMPLES[name]
    path = ROOT / "run" / f"{name}.json"
    (tmp_path / "runInfo.txt").write_bytes((data / folder / "runInfo.txt").read_bytes())
    done = run_sctcalib(tmp_path, "run", path, "--input-dir", data / folder, env=EPOCH)
    assert done.returncode == 0, done.stdout + done.stderr
    report = read_report(tmp_path)
    assert (report["run"], part in report["results"]) == (RUN, True)
    prefix = str(example(name)["prefix"]).partition("#")[2]
    step = example(name).get("splitNoisyStrip", 0)
    expected = {
        f"{prefix}.{output.suffix}"
        for output in PARTS[part].outputs
        if output.when({"splitNoisyStrip": step}) and not output.optional
    }
    assert expected <= set(output_names(report)) <= expected | {f"{prefix}.mycool.db"}
