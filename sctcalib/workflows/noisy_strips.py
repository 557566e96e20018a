"""doNoisyStrip at step 2: hit maps and lumi-block maps in; maps, XML and database out."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np

from sctcalib.detector.regions import N_STRIPS
from sctcalib.histograms.hitmaps import HitMaps
from sctcalib.histograms.lumiblocks import LumiBlockMaps
from sctcalib.job.transform import Job
from sctcalib.parts.noisy_strips import KnownBad, NoisyStrips, Thresholds, find
from sctcalib.parts.upload_flag import UploadFlag, UploadLimits, judge
from sctcalib.resources import resource
from sctcalib.summary.bad_strips import BadStripsFile, write_bad_strips
from sctcalib.summary.noisy_summary import NoisySummary, fake_summary, write_noisy_summary
from sctcalib.workflows.database import FolderContent, contribute
from sctcalib.workflows.instance import instance, interval
from sctcalib.workflows.maps import hit_maps, lumi_block_maps
from sctcalib.workflows.noisy_database import noisy_rows
from sctcalib.workflows.noisy_records import (
    chip_records,
    database_rows,
    list_records,
    module_records,
)
from sctcalib.workflows.reference_run import ReferenceData, read_reference_data
from sctcalib.workflows.run_labels import run_labels
from sctcalib.workflows.tables import known_bad_channels, readout_swap, serial_numbers

log = logging.getLogger(__name__)

PART = "doNoisyStrip"
RAW_TO_MAPS = 1
"""splitNoisyStrip of a job that only makes maps."""
EMPTY_MAPS = "no event has entered the hit maps"
SUMMARY, ALL_LIST, NEW_LIST = (
    "BadStripsSummaryFile.xml",
    "BadStripsAllFile.xml",
    "BadStripsNewFile.xml",
)
STYLE_SHEET = "BadStrips.xsl"
NO_DATABASE = (
    "Number of noisy strips was zero or the same list of noisy strips. No local DB was created."
)


def write_standby(job: Job) -> None:
    """Without events: the summary that says so, and nothing that one could upload."""
    labels = run_labels(job)
    summary = fake_summary(
        job.run,
        labels.start,
        labels.end,
        labels.duration,
        events=job.events or 0,
        flag_enabled=job.configuration["NoisyUploadTest"],
        read_cool=False,
    )
    write_summary(job, summary)
    job.results[PART] = {"events": job.events, "flag": summary.flag}


def run(job: Job) -> None:
    """Make the maps (step 1), find the noisy strips and write what is said of them."""
    if job.arguments["splitNoisyStrip"] == RAW_TO_MAPS:
        events = hit_maps(job).n_events
        lumi_block_maps(job, [])
        job.results[PART] = {"events": events}
        return
    options = job.configuration
    swap = readout_swap(options)
    known_bad = read_known_bad(options)
    reference = read_reference_data(job)
    maps = hit_maps(job)
    if maps.n_events < options["ZeroEventLimit"]:
        lumi_block_maps(job, [])
        job.idle[PART] = f"{EMPTY_MAPS}: no noisy strips are looked for"
        log.warning("%s", job.idle[PART])
        write_standby(job)
        return
    found = find(
        maps.counts,
        maps.entries,
        maps.n_events,
        Thresholds.from_options(options),
        swap=swap,
        known_bad=known_bad,
        reference=reference.strips,
    )
    blocks = lumi_block_maps(job, np.flatnonzero(found.noisy_chips))
    flag = judge(
        maps.n_events,
        found.counts.modules,
        found.counts.strips_all,
        reference.recent,
        UploadLimits.from_options(options),
    )
    log_findings(found, maps, flag)
    write_summary(job, summarise(job, found, blocks, flag, reference))
    write_lists(job, found)
    rows = add_to_database(job, found, reference) if options["WriteToCool"] else 0
    job.results[PART] = figures(found, flag, reference, rows)


def read_known_bad(options: Any) -> KnownBad:
    """What the option BadChannels names, as far as the Use... options ask for it."""
    if not (options["UseConfiguration"] or options["UseCalibration"]):
        log.warning("UseConfiguration and UseCalibration are off: every noisy strip is new")
        return KnownBad()
    if options.path("BadChannels") is None:
        log.info("no BadChannels: no strip counts as known bad")
        return KnownBad()
    bad = known_bad_channels(options)
    return KnownBad(
        bad.configuration if options["UseConfiguration"] else None,
        bad.calibration if options["UseCalibration"] else None,
    )


def log_findings(found: NoisyStrips, maps: HitMaps, flag: UploadFlag) -> None:
    """The lines of the log that experts look for."""
    for wafer in np.flatnonzero(found.noisy_wafers).tolist():
        entries = int(maps.entries[wafer])
        log.info("Module: %d", wafer)
        average = entries / N_STRIPS / maps.n_events
        log.info("Hits, Nevts, Occ: %d, %d, %g", entries, maps.n_events, average)
    counts = found.counts
    log.info("noisy strips: %d in %d modules", counts.strips_all, counts.modules)
    log.info("reference run: %d in %d modules", counts.strips_ref, counts.modules_ref)
    log.info("noisy wafers: %d, noisy chips: %d", counts.links, int(found.noisy_chips.sum()))
    log.info("upload flag %s", flag.flag)
    for reason in filter(None, flag.reason.split("; ") if flag.flag != "U" else ()):
        log.info("%s", reason)


def summarise(
    job: Job,
    found: NoisyStrips,
    blocks: LumiBlockMaps,
    flag: UploadFlag,
    reference: ReferenceData,
) -> NoisySummary:
    """The content of BadStripsSummaryFile.xml."""
    counts = found.counts
    labels = run_labels(job)
    serials = serial_numbers(job.configuration)
    return NoisySummary(
        run=job.run,
        start=labels.start,
        end=labels.end,
        duration=labels.duration,
        lumi_blocks=int(np.count_nonzero(blocks.events > 0)),
        events=found.n_events,
        modules=counts.modules,
        links=counts.links,
        chips=counts.chips,
        strips_all=counts.strips_all,
        strips_new=counts.strips_new,
        modules_ref=counts.modules_ref,
        strips_ref=counts.strips_ref,
        modules_diff=counts.modules_diff,
        flag=flag.flag,
        flag_reason=flag.reason,
        flag_enabled=flag.enabled,
        read_cool=flag.compared,
        check_list=flag.check_list,
        reference_run=reference.run,
        noisy_chips=chip_records(found, blocks, serials),
        noisy_modules=module_records(found, serials, update=job.configuration["NoisyUpdate"]),
    )


def write_summary(job: Job, summary: NoisySummary) -> None:
    """Write the summary, and put the style sheet that it names beside it."""
    write_noisy_summary(job.output(SUMMARY), summary)
    job.put_beside(resource("share", STYLE_SHEET))


def write_lists(job: Job, found: NoisyStrips) -> None:
    """Write the files of all and of new noisy strips."""
    athena = job.configuration["compatibility"] == "athena"
    tag = job.configuration["TagID4NoisyStrips"]
    fresh = found.new if athena else found.announced
    for name, strips in ((ALL_LIST, found.all), (NEW_LIST, fresh)):
        records = list_records(strips, found.thresholds.strip)
        since, until = interval(job.run)
        dbname = instance(job.inputs.project)
        file = BadStripsFile(job.run, since, until, tag, records, dbname=dbname)
        write_bad_strips(job.output(name), file)


def add_to_database(job: Job, found: NoisyStrips, reference: ReferenceData) -> int:
    """Have the modules written to mycool.db, if there are any; returns their number."""
    options = job.configuration
    rows = database_rows(found, options, reference.valid)
    if not rows:
        log.info(NO_DATABASE)
    payloads = noisy_rows(rows, float(found.thresholds.strip))
    contribute(job, FolderContent(PART, payloads, open_ended=options["NoisyUpdate"]))
    return len(rows)


def figures(
    found: NoisyStrips, flag: UploadFlag, reference: ReferenceData, rows: int
) -> dict[str, Any]:
    """What the report and the summary on the terminal say."""
    counts = found.counts
    grey = "no uploaded run to compare with" if flag.enabled else "NoisyUploadTest is off"
    return {
        "events": found.n_events,
        "noisy strips": counts.strips_all,
        "new strips": counts.strips_new,
        "modules with noisy strips": counts.modules,
        "noisy wafers": counts.links,
        "noisy chips": int(found.noisy_chips.sum()),
        "reference run": reference.run,
        "upload flag": flag.flag,
        "flag reason": grey if flag.flag == "U" else flag.reason,
        "database rows": rows,
    }
