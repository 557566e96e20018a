"""doHV: modules whose bias voltage tripped, from the time structure of RAW data."""

from __future__ import annotations

import logging

import numpy as np

from sctcalib.job.transform import Job
from sctcalib.parts.hv_trips import MIN_BINS, HvTrips, Thresholds, TimeBins, Trips, find_trips
from sctcalib.summary.bad_modules import BadModule, write_bad_modules
from sctcalib.workflows.raw_maps import raw_maps
from sctcalib.workflows.tables import known_bad_channels, serial_texts

log = logging.getLogger(__name__)

PART = "doHV"
FILE = "BadModulesFile.xml"


def run(job: Job) -> None:
    """Find the trips and list the modules with their intervals."""
    options = job.configuration
    raw = raw_maps(job)
    bins = raw.time_bins
    lumi_blocks = bins.lumi_blocks()
    found = find_trips(
        TimeBins(bins.bins(), bins.n_events(), lumi_blocks[:, 0], lumi_blocks[:, 1], bins.hits()),
        Thresholds.from_options(options),
        bad_modules=known_bad_channels(options).modules,
    )
    if found.n_wafers == 0:
        log.warning(
            "%d time bins with events are fewer than %d: not judged", found.n_bins, MIN_BINS
        )
    write_bad_modules(job.output(FILE), intervals(job, found))
    log.info(
        "%d trips of %d wafers, in %d bins (%d s) with %d events",
        len(found.wafers), found.n_wafers, found.n_bins, found.seconds, found.n_events,
    )  # fmt: skip
    for rod in np.flatnonzero(raw.rod_hv_not_on).tolist():
        log.info(
            "ROD 0x%06x: not all HV bits set in %d events", raw.rod_ids[rod], raw.rod_hv_not_on[rod]
        )
    job.results[PART] = {
        "time bins": found.n_bins,
        "seconds": found.seconds,
        "events": found.n_events,
        "wafers judged": found.n_wafers,
        "trips": len(found.modules),
        "RODs with HV bits off": int(np.count_nonzero(raw.rod_hv_not_on)),
    }


def intervals(job: Job, found: HvTrips) -> list[BadModule]:
    """Rows of the file: of modules, or in the original's way of each side by itself."""
    athena = job.configuration["compatibility"] == "athena"
    trips: Trips = found.wafers if athena else found.modules
    serials = serial_texts(job.configuration)
    columns = (trips.index, trips.start, trips.end, trips.first_lb, trips.last_lb)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [
        BadModule(serials[module], module, start, end, first, last)
        for index, start, end, first, last in rows
        for module in [index // 2 if athena else index]
    ]
