"""Maps from RAW files: decoded once for all parts of a job."""

from __future__ import annotations

import logging
import os
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sctcalib.bytestream.accumulate import accumulate
from sctcalib.bytestream.maps import RawMaps, RawSettings
from sctcalib.detector.cabling import Cabling, cabling_of_year
from sctcalib.detector.cabling_file import read_cabling
from sctcalib.job.errors import InputFileError, JobError, raise_problems
from sctcalib.job.inputs import InputFile
from sctcalib.job.transform import Job
from sctcalib.runs.majority import read_majority
from sctcalib.workflows.run_information import run_information
from sctcalib.workflows.run_labels import RAW_MAPS
from sctcalib.workflows.tables import known_bad_channels, readout_swap

log = logging.getLogger(__name__)

PROCESSES = "ATHENA_PROC_NUMBER"
"""Environment variable of production: how many cores a job may use."""
MAX_LUMI_BLOCKS = 65_535
"""More than a run can have; also the largest LBMax."""
LOG_EVERY_SECONDS = 30.0
_LEAST_SHARE = 0.01
"""Of the bytes of all files, before which it is not guessed how long the rest will take."""
_FAR = 2.0**62
"""Seconds before and after 1970 that no event reaches."""
HIT_PARTS = ("doNoisyStrip", "doDeadStrip", "doDeadChip", "doQuietStrip", "doQuietChip")
ERROR_PARTS = HIT_PARTS[1:]
LUMI_BLOCK_PARTS = ("doNoisyStrip", "doNoisyLB")


def raw_maps(job: Job) -> RawMaps:
    """What the parts of the job need from its RAW files."""
    if RAW_MAPS not in job.shared:
        job.shared[RAW_MAPS] = _decode(job)
    maps: RawMaps = job.shared[RAW_MAPS]
    return maps


def _decode(job: Job) -> RawMaps:
    settings = _settings(job)
    check_files(job)
    paths = [file.local for file in job.inputs.files]
    begin = time.monotonic()
    with job.progress("reading RAW files") as tick:
        maps = accumulate(
            paths,
            cabling(job),
            settings,
            max_events=job.arguments["maxEvents"],
            skip_events=job.arguments["skipEvents"],
            jobs=n_jobs(job),
            progress=_logging_tick(tick, begin),
        )
    seconds = max(time.monotonic() - begin, 1e-3)
    job.events = maps.n_events
    log.info(
        "%d events read in %.1f s (%.0f/s), %d of them in the maps",
        maps.events_read, seconds, maps.events_read / seconds, maps.n_events,
    )  # fmt: skip
    job.results["byte stream"] = _figures(maps)
    return maps


def check_files(job: Job) -> None:
    """Note the events of each file by its end record.

    Raises InputFileError, for all files at once, where one is no RAW file, or of another run.
    """
    from sctcalib.bytestream.files import read_file_info

    problems: list[JobError] = []
    for file in job.inputs.files:
        try:
            info = read_file_info(file.local)
        except InputFileError as error:
            problems.append(error)
            continue
        if info.run != job.run:
            msg = f"{file.local}: is of run {info.run}, this job is of run {job.run}"
            problems.append(InputFileError(msg))
        if info.end is not None:
            _note_events(job, file, info.end.n_events)
    raise_problems(problems)


def _note_events(job: Job, file: InputFile, events: int) -> None:
    job.found_events(file, events)
    if file.events is not None and file.events != events:
        log.warning(
            "%s holds %d events, the dictionary says %d", file.base_name, events, file.events
        )


def _settings(job: Job) -> RawSettings:
    parts = set(job.arguments["part"])
    options = job.configuration
    hv_bin = float(options["HVBinWidth"]) if "doHV" in parts else None
    return RawSettings(
        n_lumi_blocks=n_lumi_blocks(job),
        lbs_per_window=options["LbsPerWindow"],
        swap=readout_swap(options),
        accept=_accepted(job),
        hv_bin_seconds=hv_bin,
        hits=not parts.isdisjoint(HIT_PARTS),
        lumi_blocks=not parts.isdisjoint(LUMI_BLOCK_PARTS),
        errors=not parts.isdisjoint(ERROR_PARTS),
        good_links=_good_links(options),
    )


def n_lumi_blocks(job: Job) -> int:
    """Lumi blocks by the run information, else the option LBMax: never those seen in a file.

    The files of one run must have one binning (algorithms-hitmaps.md 3.8).
    """
    info = run_information(job)
    known = info.n_lumi_blocks if info else 0
    if 0 < known <= MAX_LUMI_BLOCKS:
        return known
    limit = int(job.configuration["LBMax"])
    what = f"{known} lumi blocks cannot be" if known else "the number of lumi blocks is not known"
    log.warning("%s: LBMax %d is taken", what, limit)
    return limit


def _accepted(job: Job) -> NDArray[np.int64] | None:
    """Intervals in which events fill hit maps; None lets all pass (transform.md 3.5 item 4)."""
    options = job.configuration
    if "doNoisyStrip" not in job.arguments["part"] or not options["UseMajority"]:
        return None
    path = options.path("Majority")
    if path is None:
        log.info("no Majority: every event passes")
        return None
    intervals = read_majority(path)
    log.info("majority: events pass in %d intervals", len(intervals))
    return whole_seconds(intervals)


def whole_seconds(intervals: NDArray[np.float64]) -> NDArray[np.int64]:
    """Intervals [since, until) that hold the same whole seconds, which is what events tell."""
    return np.clip(np.ceil(intervals), -_FAR, _FAR).astype(np.int64)


def _good_links(options: Any) -> NDArray[np.bool_] | None:
    if options.path("BadChannels") is None:
        return None
    bad = known_bad_channels(options)
    return ~bad.links.reshape(-1, 2)


def cabling(job: Job) -> Cabling:
    """The table of the option Cabling, else the synthetic one of the year of the run."""
    path = job.configuration.path("Cabling")
    if path:
        return read_cabling(path)
    year = job.inputs.project[4:6]
    known = year.isascii() and year.isdigit()
    return cabling_of_year(2000 + int(year) if known else None)


def n_jobs(job: Job) -> int:
    """Files to read at the same time: --jobs, else ATHENA_PROC_NUMBER, else the cores."""
    given = job.arguments.get("jobs")
    if given:
        return int(given)
    granted = os.environ.get(PROCESSES, "")
    if granted.isascii() and granted.isdigit() and int(granted) > 0:
        return int(granted)
    return len(os.sched_getaffinity(0))


def _logging_tick(tick: Any, begin: float) -> Any:
    """Also a log line from time to time, for jobs without a terminal."""
    last = begin

    def both(done: int, total: int) -> None:
        nonlocal last
        tick(done, total)
        now = time.monotonic()
        if now - last >= LOG_EVERY_SECONDS:
            last = now
            share = done / max(total, 1)
            if share < _LEAST_SHARE:
                log.info("%.0f %% of the RAW files read", 100 * share)
                return
            left = (now - begin) * (1 - share) / share
            log.info("%.0f %% of the RAW files read, about %.0f s left", 100 * share, left)

    return both


def _figures(maps: RawMaps) -> dict[str, Any]:
    """What the report says of the decoding; counters that are 0 are left out."""
    named = {
        "events read": maps.events_read,
        "events in the maps": maps.n_events,
        "events damaged": maps.events_damaged,
        "events with unknown identifiers": maps.events_unknown,
        "events without majority": maps.events_rejected,
        "events outside the lumi blocks": maps.events_outside_lbs,
        "files incomplete": maps.files_incomplete,
        "places damaged": maps.damage.count,
    }
    counters = {name: value for name, value in maps.counters.items() if value}
    return {name: value for name, value in named.items() if value} | {"counters": counters}
