"""doNoisyStrip at step 2: hit maps and lumi-block maps in; maps, XML and database out."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sctcalib.detector.bad_channels import read_bad_channels
from sctcalib.detector.regions import N_STRIPS
from sctcalib.histograms.hitmaps import HitMaps, merge_hitmaps
from sctcalib.histograms.lumiblocks import LumiBlockMaps, merge_lumi_blocks
from sctcalib.job.transform import Job
from sctcalib.parts.noisy_strips import KnownBad, NoisyStrips, Thresholds, find
from sctcalib.parts.upload_flag import UploadFlag, UploadLimits, judge
from sctcalib.resources import resource
from sctcalib.summary.bad_strips import BadStripsFile, write_bad_strips
from sctcalib.summary.noisy_summary import NoisySummary, fake_summary, write_noisy_summary
from sctcalib.workflows.database import FolderContent, contribute
from sctcalib.workflows.instance import instance, interval
from sctcalib.workflows.map_files import HIT_MAPS, LUMI_BLOCKS, of_kind
from sctcalib.workflows.noisy_database import noisy_rows
from sctcalib.workflows.noisy_records import (
    chip_records,
    database_rows,
    list_records,
    module_records,
)
from sctcalib.workflows.reference_run import ReferenceData, read_reference_data
from sctcalib.workflows.run_labels import run_labels
from sctcalib.workflows.tables import readout_swap, serial_numbers

log = logging.getLogger(__name__)

PART = "doNoisyStrip"
HIT_MAP_FILE, LB_FILE = "SCTHitMaps.root", "SCTLB.root"
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
    """Find the noisy strips of a run and write everything that is said of them."""
    options = job.configuration
    swap = readout_swap(options)
    known_bad = read_known_bad(options, swap)
    reference = read_reference_data(job)
    maps = merge_hits(job)
    found = find(
        maps.counts,
        maps.entries,
        maps.n_events,
        Thresholds.from_options(options),
        swap=swap,
        known_bad=known_bad,
        reference=reference.strips,
    )
    blocks = merge_blocks(job, found)
    log.info("Root merge successful")
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


def merge_hits(job: Job) -> HitMaps:
    """Merge the hit maps into the job's own."""
    log.info("Merging Hitmap files!")
    paths = [file.local for file in of_kind(job.inputs, HIT_MAPS)]
    with job.progress("merging hit maps") as tick:
        maps = merge_hitmaps(paths, job.output(HIT_MAP_FILE), progress=tick)
    job.entries[HIT_MAP_FILE] = maps.n_events
    return maps


def merge_blocks(job: Job, found: NoisyStrips) -> LumiBlockMaps:
    """Merge the LB maps into the job's own, and get the lumi blocks of the noisy chips."""
    log.info("Merging LBHitmap files!")
    paths = [file.local for file in of_kind(job.inputs, LUMI_BLOCKS)]
    chips = np.flatnonzero(found.noisy_chips)
    with job.progress("merging lumi-block maps") as tick:
        blocks = merge_lumi_blocks(paths, job.output(LB_FILE), keep_chips=chips, progress=tick)
    job.entries[LB_FILE] = blocks.n_events
    return blocks


def read_known_bad(options: Any, swap: NDArray[np.bool_]) -> KnownBad:
    """What the option BadChannels names, as far as the Use... options ask for it."""
    if not (options["UseConfiguration"] or options["UseCalibration"]):
        log.warning("UseConfiguration and UseCalibration are off: every noisy strip is new")
        return KnownBad()
    path = options.path("BadChannels")
    if path is None:
        log.info("no BadChannels: no strip counts as known bad")
        return KnownBad()
    bad = read_bad_channels(path, swap)
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
