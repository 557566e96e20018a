"""What the run database is told of a simulated run: runs.json, for ``sctcalib runs import``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sctcalib.runs.records import LAST_RUN_WITH_DECIMAL_MASK, SCT_PARTITIONS
from sctcalib.simulate.settings import SECONDS_PER_LUMI_BLOCK, Settings

FILE_NAME = "runs.json"
_NANOSECOND = 10**9
_STREAMS = ("calibration_SCTNoise", "express_express")
_BEAM_ENERGY = 6500
"""In GeV."""


def write_run_record(path: Path, settings: Settings) -> None:
    """Write the file of a run."""
    content = {"runs": [run_record(settings)]}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="ascii")


def run_record(settings: Settings) -> dict[str, Any]:
    """A run with stable beams from beginning to end; a cosmic one without beams.

    All streams of the loop have the events of the one that is simulated, so that it does not matter
    which simulation of a run is imported last.
    """
    info = settings.run_info()
    mask = sum(1 << bit for bit in SCT_PARTITIONS)
    old = settings.run <= LAST_RUN_WITH_DECIMAL_MASK
    start, step = info.start * _NANOSECOND, SECONDS_PER_LUMI_BLOCK * _NANOSECOND
    has_beams = "cos" not in settings.project
    whole_run = {"first": 1, "last": settings.n_lumi_blocks}
    streams = sorted({*_STREAMS, settings.stream})
    record = {
        "run": settings.run,
        "project": settings.project,
        "partition": "ATLAS",
        "start": start,
        "end": info.end * _NANOSECOND,
        "lumi_blocks": [start + number * step for number in range(settings.n_lumi_blocks)],
        "streams": {name: {"events": settings.n_events} for name in streams},
        "detector_mask": f"{mask}" if old else f"{mask:016x}",
        "stable_beams": [{**whole_run, "value": has_beams}],
        "recorded": [{**whole_run, "value": True}],
    }
    return {**record, "beam_energy": _BEAM_ENERGY} if has_beams else record
