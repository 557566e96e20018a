"""doRawOccupancy: fired strips of every side from a HIST file."""

from __future__ import annotations

from typing import Any

import numpy as np

from sctcalib.detector.regions import N_WAFERS
from sctcalib.histograms.monitoring import HistFile
from sctcalib.job.transform import Job
from sctcalib.parts.raw_occupancy import RawOccupancy, measure
from sctcalib.workflows.hist_parts import HistPart, run_hist_part, wafer_rows, write_summary


def find(hist: HistFile, job: Job) -> RawOccupancy:
    """Occupancies from the hit maps."""
    return measure(hist.hits().content, hist.n_events)


def write(job: Job, found: RawOccupancy, values: dict[str, Any]) -> None:
    """The averages; there is no file of the sides."""
    means = (("meanRO", found.means),)
    write_summary(job, "RawOccupancy", values, means)


def figures(found: RawOccupancy) -> dict[str, Any]:
    """For the report."""
    return {"mean raw occupancy": f"{found.value.mean(dtype=np.float64):.3g}"}


PART = HistPart(
    name="doRawOccupancy",
    min_events="RawOccupancyMinStat",
    measure=find,
    nothing=lambda job: measure(np.zeros(N_WAFERS), 0),
    write=write,
    rows=lambda found: wafer_rows(found.n_events, found.value),
    figures=figures,
    style_sheet="RawOccupancyInfo.xsl",
)


def run(job: Job) -> None:
    """Run the part."""
    run_hist_part(PART, job)
