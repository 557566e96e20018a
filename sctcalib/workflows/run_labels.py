"""What summaries say of the run besides results: start, end, duration, lumi blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sctcalib.job.transform import Job
from sctcalib.summary.times import utc_text
from sctcalib.workflows.run_information import run_information


@dataclass(frozen=True)
class RunLabels:
    """Times of a run as summaries print them; empty texts and 0 where they are not known."""

    start: str = ""
    end: str = ""
    duration: int = 0
    lumi_blocks: int = 0


def run_labels(job: Job) -> RunLabels:
    """From the run database or the run information file."""
    info = run_information(job)
    if info is None:
        return RunLabels()
    times = utc_text(info.start), utc_text(info.end)
    return RunLabels(*times, info.duration, info.n_lumi_blocks)


def run_values(job: Job, *, events: int) -> dict[str, Any]:
    """The values with which every summary begins: fields of `RunValues`."""
    labels = run_labels(job)
    return {
        "run": job.run,
        "start": labels.start,
        "end": labels.end,
        "duration": labels.duration,
        "lumi_blocks": labels.lumi_blocks,
        "events": events,
    }
