"""What summaries say of the run besides results: start, end, duration, lumi blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sctcalib.job.transform import Job
from sctcalib.summary.times import utc_text
from sctcalib.workflows.run_information import run_information

RAW_MAPS = "raw maps"
"""Key of what parts share of decoded RAW files."""


@dataclass(frozen=True)
class RunLabels:
    """Times of a run as summaries print them; empty texts and 0 where they are not known."""

    start: str = ""
    end: str = ""
    duration: int = 0
    lumi_blocks: int = 0


def run_labels(job: Job) -> RunLabels:
    """From the run database or the run information file, else from the events of RAW input."""
    info = run_information(job)
    if info is None:
        return _labels_of_events(job)
    times = utc_text(info.start), utc_text(info.end)
    return RunLabels(*times, info.duration, info.n_lumi_blocks)


def _labels_of_events(job: Job) -> RunLabels:
    """First and last event of RAW files (algorithms-hitmaps.md 2.4); nothing for map files."""
    raw = job.shared.get(RAW_MAPS)
    if raw is None or raw.first_time is None or raw.first_lb is None:
        return RunLabels()
    first, last = raw.first_time, raw.last_time
    return RunLabels(utc_text(first), utc_text(last), last - first, raw.last_lb - raw.first_lb + 1)


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
