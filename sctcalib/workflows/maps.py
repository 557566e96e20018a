"""Hit, lumi-block and error maps of a job: merged from files at step 2, else from RAW.

Each is made once, however many parts ask for it, and written as an output of the job.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sctcalib.histograms.bserrors import ErrorMaps, merge_bs_errors, write_bs_errors
from sctcalib.histograms.hitmaps import HitMaps, merge_hitmaps, write_hitmaps
from sctcalib.histograms.lumiblock_sums import LumiBlockSums, write_lumi_block_sums
from sctcalib.histograms.lumiblocks import LumiBlockMaps, merge_lumi_blocks, read_lumi_blocks
from sctcalib.job.transform import Job
from sctcalib.parts.checks import HIT_MAP_STEP
from sctcalib.workflows.map_files import BS_ERRORS, HIT_MAPS, LUMI_BLOCKS, of_kind

log = logging.getLogger(__name__)

HIT_MAP_FILE, LB_FILE, BS_ERROR_FILE = "SCTHitMaps.root", "SCTLB.root", "SCTBSErrors.root"
T = TypeVar("T")


def hit_maps(job: Job) -> HitMaps:
    """Hits of every strip."""

    def make() -> HitMaps:
        if reads_maps(job):
            return _merge_hit_maps(job)
        return _write_hit_maps(job)

    maps = _once(job, HIT_MAP_FILE, make)
    job.entries[HIT_MAP_FILE] = maps.n_events
    return maps


def lumi_block_maps(job: Job, chips: ArrayLike | None = None) -> LumiBlockMaps:
    """Hits by lumi block of some chips (None: of all), columns 6 * wafer + chip on its side."""
    if not reads_maps(job):
        return _from_sums(_once(job, LB_FILE, lambda: _write_lumi_blocks(job)), chips)
    merged = job.workspace.staged(LB_FILE)
    if LB_FILE in job.shared:
        return read_lumi_blocks(merged, keep_chips=chips)
    log.info("Merging LBHitmap files!")
    paths = [file.local for file in of_kind(job.inputs, LUMI_BLOCKS)]
    with job.progress("merging lumi-block maps") as tick:
        maps = merge_lumi_blocks(paths, job.output(LB_FILE), keep_chips=chips, progress=tick)
    log.info("Root merge successful")
    job.shared[LB_FILE] = True
    job.entries[LB_FILE] = maps.n_events
    return maps


def error_maps(job: Job) -> ErrorMaps:
    """Events with byte-stream errors of every wafer."""

    def make() -> ErrorMaps:
        if reads_maps(job):
            return _merge_error_maps(job)
        return _write_error_maps(job)

    maps = _once(job, BS_ERROR_FILE, make)
    job.entries[BS_ERROR_FILE] = maps.n_events
    return maps


def reads_maps(job: Job) -> bool:
    """Whether the inputs are map files, not RAW."""
    return bool(job.arguments["splitNoisyStrip"] == HIT_MAP_STEP)


def _once(job: Job, name: str, make: Callable[[], T]) -> T:
    if name not in job.shared:
        job.shared[name] = make()
    made: T = job.shared[name]
    return made


def _merge_hit_maps(job: Job) -> HitMaps:
    log.info("Merging Hitmap files!")
    paths = [file.local for file in of_kind(job.inputs, HIT_MAPS)]
    with job.progress("merging hit maps") as tick:
        return merge_hitmaps(paths, job.output(HIT_MAP_FILE), progress=tick)


def _merge_error_maps(job: Job) -> ErrorMaps:
    log.info("Merging BSerr files!")
    paths = [file.local for file in of_kind(job.inputs, BS_ERRORS)]
    with job.progress("merging byte-stream-error maps") as tick:
        return merge_bs_errors(paths, job.output(BS_ERROR_FILE), progress=tick)


def _write_hit_maps(job: Job) -> HitMaps:
    from sctcalib.workflows.raw_maps import raw_maps

    raw = raw_maps(job)
    write_hitmaps(job.output(HIT_MAP_FILE), raw.counts, raw.n_events)
    contents = np.zeros((len(raw.counts), raw.counts.shape[1] + 2), dtype=np.float32)
    contents[:, 1:-1] = raw.counts
    return HitMaps(raw.n_events, contents, raw.entries.astype(np.float64))


def _write_error_maps(job: Job) -> ErrorMaps:
    from sctcalib.workflows.raw_maps import raw_maps

    raw = raw_maps(job)
    counts = np.column_stack([raw.errors, raw.error_overflow])
    write_bs_errors(job.output(BS_ERROR_FILE), counts, raw.error_events)
    contents = np.pad(counts, ((0, 0), (1, 0))).astype(np.float32)
    return ErrorMaps(raw.error_events, contents, raw.error_entries.astype(np.float64))


def _write_lumi_blocks(job: Job) -> Any:
    from sctcalib.workflows.raw_maps import raw_maps

    raw = raw_maps(job)
    sums = LumiBlockSums(
        raw.lbs_per_window, raw.lb_events, raw.chip_hits, raw.windows.wafers, raw.strip_block
    )
    write_lumi_block_sums(job.output(LB_FILE), sums)
    job.entries[LB_FILE] = raw.n_events
    return raw


def _from_sums(raw: Any, chips: ArrayLike | None) -> LumiBlockMaps:
    kept = np.arange(raw.chip_hits.shape[1]) if chips is None else np.asarray(chips, dtype=np.int64)
    contents: NDArray[np.float32] = raw.chip_hits[1:-1, kept].T.astype(np.float32)
    return LumiBlockMaps(raw.lb_events[1:-1], kept, contents, raw.n_events)
