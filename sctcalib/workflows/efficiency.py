"""doEfficiency: hit efficiency of every side from a HIST file."""

from __future__ import annotations

from typing import Any

import numpy as np

from sctcalib.detector.regions import N_WAFERS
from sctcalib.histograms.monitoring import HistFile
from sctcalib.job.transform import Job
from sctcalib.parts.efficiency import NO_DATA, Efficiency, measure
from sctcalib.summary.efficiency_modules import EfficiencyModules, write_efficiency_modules
from sctcalib.workflows.hist_parts import (
    ATHENA,
    HistPart,
    run_hist_part,
    wafer_rows,
    write_summary,
)
from sctcalib.workflows.tables import serial_texts


def find(hist: HistFile, job: Job) -> Efficiency:
    """Efficiencies from the maps, those of the first BCID where the file has them."""
    maps, first = hist.efficiency(), hist.efficiency_first_bcid()
    assert maps.entries is not None
    return measure(maps.content, maps.entries, first.content if first else None)


def write(job: Job, found: Efficiency, values: dict[str, Any]) -> None:
    """The averages, and the value of every side."""
    means = (("meanEff", found.means), ("meanEff_bcid1", found.means_first_bcid))
    write_summary(job, "Efficiency", values, means)
    shown = found.value
    if job.configuration["compatibility"] != ATHENA:
        shown = np.where(found.sample_size > 0, shown, np.float32(NO_DATA))
    modules = EfficiencyModules(serials=serial_texts(job.configuration), efficiency=shown, **values)
    write_efficiency_modules(job.output("EfficiencyModuleSummary.xml"), modules)


def figures(found: Efficiency) -> dict[str, Any]:
    """For the report."""
    measured = found.sample_size > 0
    mean = float(found.value[measured].mean(dtype=np.float64)) if measured.any() else 0.0
    return {"sides measured": int(measured.sum()), "mean efficiency": f"{mean:.4f}"}


PART = HistPart(
    name="doEfficiency",
    min_events="EfficiencyMinStat",
    measure=find,
    nothing=lambda job: measure(np.zeros(N_WAFERS), np.zeros(N_WAFERS), None),
    write=write,
    rows=lambda found: wafer_rows(found.sample_size, found.value),
    figures=figures,
    style_sheet="EfficiencyInfo.xsl",
)


def run(job: Job) -> None:
    """Run the part."""
    run_hist_part(PART, job)
