"""One small result file of every kind, and a database with every folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from sctcalib.cool.folders import SCT_FOLDERS
from sctcalib.detector.identifiers import layer_side_id32, module_id32, wafer_id32, wafers
from sctcalib.summary.bad_modules import BadModule, write_bad_modules
from sctcalib.summary.bad_strips import write_bad_strips
from sctcalib.summary.bytestream_modules import write_bytestream_modules
from sctcalib.summary.dead_files import (
    CHIPS_FOLDER,
    STRIPS_FOLDER,
    DeadChannel,
    of_one_run,
    write_dead_file,
)
from sctcalib.summary.dead_summary import DeadModule, DeadSummary, write_dead_summary
from sctcalib.summary.efficiency_modules import write_efficiency_modules
from sctcalib.summary.lorentz_angle_files import write_lorentz_file, write_lorentz_summary
from sctcalib.summary.monitoring_summary import SUMMARY_KINDS, write_monitoring_summary
from sctcalib.summary.noise_occupancy_file import write_noise_occupancy_file
from sctcalib.summary.noisy_lb_summary import (
    LumiBlock,
    NoisyChip,
    NoisyLbSummary,
    write_noisy_lb_summary,
)
from sctcalib.summary.noisy_summary import fake_summary, write_noisy_summary
from sctcalib.workflows.database import FolderContent, write_folders
from tests.summary import examples, hist_examples

RUN = 300000
"""Of all files."""
PREFIX = f"data15_13TeV.{RUN:08d}.express_express.sctcal.TASK.c0._0001"


def _empty_noisy_summary(path: Path) -> None:
    summary = fake_summary(RUN, "", "", 0, flag_enabled=True, read_cool=False)
    write_noisy_summary(path, summary)


def _summary(kind: str) -> Callable[[Path], None]:
    return lambda path: write_monitoring_summary(path, hist_examples.summary(kind))


def dead_summary() -> DeadSummary:
    """Of two modules."""
    dead = (DeadModule("0", 3, (1,), "6-11", "768-1535"), DeadModule("0", 8, (), "", "5"))
    return DeadSummary(
        **hist_examples.RUN, modules=0, links=1, chips=6, strips=1, flag="R", flag_reason="",
        flag_enabled=True, check_list="", dead_modules=dead,
    )  # fmt: skip


def _dead_file(path: Path, folder: str, text: str) -> None:
    write_dead_file(path, of_one_run(RUN, "T", folder, (DeadChannel(3, 6.0, text),)))


def noisy_lb_summary() -> NoisyLbSummary:
    """One noisy lumi block, and one with a noisy chip."""
    return NoisyLbSummary(
        **hist_examples.RUN, judged=600, chips=2, noisy=np.array([3]), noisy_fraction=1 / 600,
        flag="R",
        lumi_block_rows=(
            LumiBlock(3, 200, 1e-3, 600, 600 / 49056, noisy=True),
            LumiBlock(5, 200, 1e-5, 1, 1 / 49056, noisy=False),
        ),
        chip_rows=(
            NoisyChip("0", 7, 4, np.array([3, 5]), 2 / 600),
            NoisyChip("0", 7, 6, np.array([3]), 1 / 600),
        ),
    )  # fmt: skip


def noisy_summary(path: Path) -> None:
    """The example of the reference, which has one noisy module and one noisy chip."""
    write_noisy_summary(path, examples.example_summary(reference_run=299990))


WRITERS: dict[str, Callable[[Path], None]] = {
    "BadStripsSummaryFile.xml": noisy_summary,
    "BadStripsAllFile.xml": lambda path: write_bad_strips(
        path, examples.bad_strips(examples.example_channel())
    ),
    **{kind.file: _summary(name) for name, kind in SUMMARY_KINDS.items()},
    "EfficiencyModuleSummary.xml": lambda path: write_efficiency_modules(
        path, hist_examples.efficiency_modules()
    ),
    "NoiseOccupancyFile.xml": lambda path: write_noise_occupancy_file(
        path, hist_examples.noise_file()
    ),
    "BSErrorModuleSummary.xml": lambda path: write_bytestream_modules(
        path, hist_examples.bytestream_modules(hist_examples.random_counts())
    ),
    "LorentzAngleSummaryFile.xml": lambda path: write_lorentz_summary(
        path, hist_examples.lorentz_summary(3)
    ),
    "LorentzAngleFile.xml": lambda path: write_lorentz_file(path, hist_examples.lorentz_file()),
}
WRITERS |= {
    "DeadSummaryFile.xml": lambda path: write_dead_summary(path, dead_summary()),
    "DeadStripsFile.xml": lambda path: _dead_file(path, STRIPS_FOLDER, "0-127  700"),
    "DeadChipsFile.xml": lambda path: _dead_file(path, CHIPS_FOLDER, "0  11"),
    "NoisyLBSummaryFile.xml": lambda path: write_noisy_lb_summary(path, noisy_lb_summary()),
    "BadModulesFile.xml": lambda path: write_bad_modules(
        path,
        [BadModule("0", 5, 1000, 1600, 3, 4), BadModule("0", 99, 1300, 1301, 7, 7)],
    ),
}
EMPTY_WRITERS: dict[str, Callable[[Path], None]] = {
    "BadStripsSummaryFile.xml": _empty_noisy_summary,
    "BadStripsAllFile.xml": lambda path: write_bad_strips(path, examples.bad_strips()),
    "BadModulesFile.xml": lambda path: write_bad_modules(path, []),
    "DeadSummaryFile.xml": lambda path: write_dead_summary(
        path, replace(dead_summary(), dead_modules=())
    ),
    "NoisyLBSummaryFile.xml": lambda path: write_noisy_lb_summary(
        path, replace(noisy_lb_summary(), noisy=np.array([]), lumi_block_rows=(), chip_rows=())
    ),
    "EfficiencyModuleSummary.xml": lambda path: write_efficiency_modules(
        path, _without_values(hist_examples.efficiency_modules(), "efficiency", -1)
    ),
    "NoiseOccupancyFile.xml": lambda path: write_noise_occupancy_file(
        path, _without_values(hist_examples.noise_file(), "occupancy", 0)
    ),
    "BSErrorModuleSummary.xml": lambda path: write_bytestream_modules(
        path, hist_examples.bytestream_modules(np.zeros((8176, 15), dtype=np.int64))
    ),
    **{
        kind.file: lambda path, kind=kind, name=name: write_monitoring_summary(  # type: ignore[misc]
            path,
            replace(
                hist_examples.summary(name),
                means=tuple((value, np.zeros(48, dtype=int)) for value in kind.values),
            ),
        )
        for name, kind in SUMMARY_KINDS.items()
    },
}
"""What jobs write of a run in standby."""


def _without_values(content: Any, field: str, value: float) -> Any:
    return replace(content, **{field: np.full(8176, value, dtype=np.float32)})


def write(folder: Path, name: str) -> Path:
    """A file with the name that a job gives it."""
    path = folder / f"{PREFIX}.{name}"
    WRITERS[name](path)
    return path


def _positions(wafer: int) -> tuple[int, int, int, int]:
    w = wafers()[wafer]
    return int(w.bec), int(w.layer), int(w.eta), int(w.phi)


def _sides(sample: int, values: np.ndarray[Any, Any]) -> list[tuple[int, tuple[Any, ...]]]:
    ids = wafer_id32().tolist()
    return [
        (ids[wafer], (sample, *_positions(wafer), float(values[wafer])))
        for wafer in range(len(ids))
    ]


def _defects(kind: str, lists: dict[int, str]) -> list[tuple[int, tuple[Any, ...]]]:
    ids = module_id32().tolist()
    return [
        (ids[module], (10000, *_positions(2 * module), kind, 0.015, text))
        for module, text in lists.items()
    ]


def _lorentz() -> list[tuple[int, tuple[Any, ...]]]:
    return [
        (int(layer_side_id32(layer, side)), (10000, 0, layer, side, 111, *_NUMBERS))
        for layer in range(4)
        for side in (0, 1)
    ]


_NUMBERS = (-4.0, 0.03, 98.0, 1.2, 0.1, 1.1, 0.01, 2.5, 0.4, 1.14, 1.18)
_BS_COUNTS = "0 0 3 0 0 0 0 0 0 0 0 10 0 0 0"
BS_WAFER = 17
ROWS: dict[str, Callable[[], list[tuple[int, tuple[Any, ...]]]]] = {
    "doNoisyStrip": lambda: _defects("NOISY", {0: " 5-6  700 ", 2000: " 767-768  1535 ", 7: ""}),
    "doDeadStrip": lambda: _defects("DEAD", {12: " 0-127 "}),
    "doDeadChip": lambda: _defects("DEAD", {12: " 0  11 "}),
    "doNoiseOccupancy": lambda: _sides(10000, np.linspace(0, 1e-3, 8176)),
    "doRawOccupancy": lambda: _sides(20000, np.linspace(0, 1e-2, 8176)),
    "doEfficiency": lambda: _sides(500, np.linspace(0.9, 1, 8176)),
    "doBSErrorDB": lambda: [
        (
            int(wafer_id32()[BS_WAFER]),
            (20000, *_positions(BS_WAFER), _BS_COUNTS, " ".join(["0"] * 15)),
        )
    ],
    "doLorentzAngle": _lorentz,
}


def write_database(path: Path, *parts: str, run: int = RUN) -> Path:
    """A job's database with the folders of some parts."""
    contents = [FolderContent(part, ROWS[part]()) for part in parts]
    tags = {part: SCT_FOLDERS[part].default_tag for part in parts}
    write_folders(path, "CONDBR2", run, contents, tags)
    return path
