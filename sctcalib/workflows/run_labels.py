"""What summaries say of the run besides results: start, end, duration, lumi blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sctcalib.job.transform import Job
from sctcalib.runs.run_info import FILE_NAME, read_run_info
from sctcalib.summary.times import utc_text


@dataclass(frozen=True)
class RunLabels:
    """Times of a run as summaries print them; empty texts and 0 where they are not known."""

    start: str = ""
    end: str = ""
    duration: int = 0
    lumi_blocks: int = 0


def run_labels(job: Job) -> RunLabels:
    """From the file of the option RunInfo, else from runInfo.txt in the run directory."""
    path = job.configuration.path("RunInfo") or job.directory / FILE_NAME
    info = read_run_info(path, job.run)
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
