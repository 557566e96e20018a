"""doNoiseOccupancy: noise occupancy of every side from a HIST file."""

from __future__ import annotations

from typing import Any

import numpy as np

from sctcalib.detector.regions import N_WAFERS
from sctcalib.histograms.monitoring import HistFile
from sctcalib.job.transform import Job
from sctcalib.parts.noise_occupancy import NoiseOccupancy, measure
from sctcalib.summary.noise_occupancy_file import NoiseOccupancyFile, write_noise_occupancy_file
from sctcalib.workflows.database import SAMPLE_SIZE
from sctcalib.workflows.hist_parts import HistPart, run_hist_part, wafer_rows, write_summary
from sctcalib.workflows.tables import serial_texts


def find(hist: HistFile, job: Job) -> NoiseOccupancy:
    """Occupancies from the maps that the configuration names."""
    options = job.configuration
    trigger = options["NoiseOccupancyTriggerAware"]
    return measure(hist.occupancy(options["NoiseOccupancyHistogram"], trigger=trigger).content)


def write(job: Job, found: NoiseOccupancy, values: dict[str, Any]) -> None:
    """The averages, and the value of every side."""
    means = (("meanNO", found.means),)
    write_summary(job, "NoiseOccupancy", values, means)
    file = NoiseOccupancyFile(
        run=job.run,
        tag=job.configuration["TagID4NoiseOccupancy"],
        serials=serial_texts(job.configuration),
        occupancy=found.value,
    )
    write_noise_occupancy_file(job.output("NoiseOccupancyFile.xml"), file)


def figures(found: NoiseOccupancy) -> dict[str, Any]:
    """For the report."""
    return {"mean noise occupancy": f"{found.value.mean(dtype=np.float64):.3g}"}


PART = HistPart(
    name="doNoiseOccupancy",
    min_events="NoiseOccupancyMinStat",
    measure=find,
    nothing=lambda job: measure(np.zeros(N_WAFERS)),
    write=write,
    rows=lambda found: wafer_rows(SAMPLE_SIZE, found.value),
    figures=figures,
    style_sheet="NoiseOccupancyInfo.xsl",
)


def run(job: Job) -> None:
    """Run the part."""
    run_hist_part(PART, job)
