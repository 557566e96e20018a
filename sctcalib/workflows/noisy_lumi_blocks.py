"""doNoisyLB: lumi blocks in which the detector, or a chip of it, was noisy."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np

from sctcalib.detector.regions import N_CHIPS_PER_MODULE
from sctcalib.job.transform import Job
from sctcalib.parts.noisy_lumi_blocks import NoisyLumiBlocks, Thresholds, find_noisy_lumi_blocks
from sctcalib.summary.noisy_lb_summary import (
    LumiBlock,
    NoisyChip,
    NoisyLbSummary,
    write_noisy_lb_summary,
)
from sctcalib.summary.page import style_sheets
from sctcalib.workflows.map_files import count_events
from sctcalib.workflows.maps import lumi_block_maps, reads_maps
from sctcalib.workflows.run_labels import run_values
from sctcalib.workflows.tables import serial_texts

log = logging.getLogger(__name__)

PART = "doNoisyLB"
RAW_TO_MAPS = 1
FILE = "NoisyLBSummaryFile.xml"
STYLE_SHEET = "NoisyLBInfo.xsl"
EMPTY_MAPS = "LB maps are empty"


def run(job: Job) -> None:
    """Make the LB maps (step 1), judge every chip in every lumi block, write the summary."""
    if job.arguments["splitNoisyStrip"] == RAW_TO_MAPS:
        job.results[PART] = {"events": lumi_block_maps(job, []).n_events}
        return
    if reads_maps(job):
        job.events = count_events(job)  # also compares them with those of hit maps, if listed
    maps = lumi_block_maps(job)
    thresholds = Thresholds.from_options(job.configuration)
    found = find_noisy_lumi_blocks(maps.events, maps.contents, thresholds, n_events=maps.n_events)
    if found.n_events == 0:
        job.idle[PART] = EMPTY_MAPS
        log.warning("%s", EMPTY_MAPS)
    write_noisy_lb_summary(job.output(FILE), summarise(job, found))
    for sheet in style_sheets(STYLE_SHEET):
        job.put_beside(sheet)
    job.results[PART] = {
        "events": found.n_events,
        "lumi blocks judged": int(found.judged.sum()),
        "noisy lumi blocks": int(found.noisy.sum()),
        "chips with noisy lumi blocks": len(found.chips),
        "flag": found.flag,
    }


def summarise(job: Job, found: NoisyLumiBlocks) -> NoisyLbSummary:
    """The content of NoisyLBSummaryFile.xml; lumi blocks have their real numbers."""
    serials = serial_texts(job.configuration)
    fractions = found.chip_noisy_fractions
    values: dict[str, Any] = run_values(job, events=found.n_events)
    values["lumi_blocks"] = int(np.count_nonzero(found.events))
    return NoisyLbSummary(
        judged=int(found.judged.sum()),
        chips=len(found.chips),
        noisy=np.flatnonzero(found.noisy) + 1,
        noisy_fraction=float(found.noisy_fraction),
        flag=found.flag,
        lumi_block_rows=tuple(
            LumiBlock(
                number=i + 1,
                events=int(found.events[i]),
                occupancy=float(found.occupancy[i]),
                chips=int(found.chip_counts[i]),
                chip_fraction=float(found.chip_fraction[i]),
                noisy=bool(found.noisy[i]),
            )
            for i in np.flatnonzero(found.chip_counts).tolist()
        ),
        chip_rows=tuple(
            NoisyChip(
                serial=serials[chip // N_CHIPS_PER_MODULE],
                module=chip // N_CHIPS_PER_MODULE,
                chip=chip % N_CHIPS_PER_MODULE,
                lumi_blocks=np.flatnonzero(noisy) + 1,
                lb_fraction=float(fraction),
            )
            for chip, noisy, fraction in zip(
                found.chips.tolist(), found.chip_lumi_blocks, fractions, strict=True
            )
        ),
        **values,
    )
