"""Write a simulated run: map files, truth, run information, and a job dictionary to begin with.

The files are made in a hidden folder within the target folder, and moved into place when all of
them are there.
"""

from __future__ import annotations

import json
import logging
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from sctcalib.detector.identifiers import IntArray
from sctcalib.detector.readout import default_swap
from sctcalib.histograms.hitmaps import write_hitmaps
from sctcalib.histograms.lumiblocks import write_lumi_blocks
from sctcalib.job.errors import InputFileError, OutOfRangeError, OutputFileError
from sctcalib.job.progress import Tick
from sctcalib.runs.run_info import FILE_NAME as RUN_INFO
from sctcalib.runs.run_info import write_run_info
from sctcalib.simulate import earlier_run, truth
from sctcalib.simulate.clusters import HitMap, LumiBlockMap
from sctcalib.simulate.model import (
    THRESHOLD,
    Defects,
    HitSource,
    Planted,
    lumi_blocks_of_events,
    plan,
    strip_occupancy,
)
from sctcalib.simulate.run_record import FILE_NAME as RUNS
from sctcalib.simulate.run_record import write_run_record
from sctcalib.simulate.settings import Settings
from sctcalib.simulate.truth import MapFiles, Reference, Truth, read_truth

log = logging.getLogger(__name__)

JOB = "job.json"
CONFIGURATION = "SCTCalibConfig.toml"
_STAGE = ".simulation-"
_PLAN, _SPREAD, _REFERENCE, _FIRST_FILE = range(4)
"""Independent sequences of random numbers, so that one choice does not disturb another."""


def no_tick(done: int, total: int) -> None:
    """Show nothing."""


def simulate(
    settings: Settings, folder: Path, *, force: bool = False, tick: Tick = no_tick
) -> Truth:
    """Simulate a run into a folder, which is made if it is not there.

    Raises OutputFileError if the folder holds a simulation of another run (unless ``force``), or
    cannot be written.
    """
    obsolete = _files_of_earlier_simulation(settings, folder, force)
    planted, source, highest = _detector(settings)
    made = Truth(
        run=settings.run,
        project=settings.project,
        stream=settings.stream,
        seed=settings.seed,
        threshold=THRESHOLD,
        events_per_lumi_block=np.bincount(
            _lumi_blocks(settings), minlength=settings.n_lumi_blocks + 1
        )[1:],
        lbs_per_window=settings.lbs_per_window,
        files=tuple(_map_files(settings)),
        highest_background=highest,
        planted=planted,
        reference=reference_of(settings, planted),
    )
    with staged(folder) as stage:
        _write_maps(settings, made.files, source, stage, tick)
        _write_companions(settings, made, stage)
        new = {path.name for path in stage.iterdir()}
    for name in obsolete - new:
        (folder / name).unlink(missing_ok=True)
    log.info("run %d: %d events in %d files in %s", settings.run, made.n_events,
             len(made.files), folder)  # fmt: skip
    return made


def rng_of(settings: Settings, number: int) -> np.random.Generator:
    """One of the independent sequences of random numbers of a run."""
    return np.random.default_rng([settings.seed, settings.run, number])


def _detector(settings: Settings) -> tuple[Planted, HitSource, float]:
    """Planted strips, the source of hits, and the highest occupancy of all other strips."""
    defects = settings.defects if settings.n_events else Defects(0, 0, 0, 0)
    planted = plan(rng_of(settings, _PLAN), defects, settings.n_events)
    occupancy = strip_occupancy(rng_of(settings, _SPREAD), planted)
    source = HitSource(occupancy)
    occupancy[planted.wafer, planted.strip] = 0
    return planted, source, float(occupancy.max())


def _lumi_blocks(settings: Settings) -> IntArray:
    return lumi_blocks_of_events(settings.n_events, settings.n_lumi_blocks)


def _map_files(settings: Settings) -> Iterator[MapFiles]:
    for number, (begin, end) in enumerate(settings.event_ranges(), start=1):
        hit_map = settings.file_name(number, "SCTHitMaps")
        yield MapFiles(hit_map, settings.file_name(number, "SCTLB"), end - begin)


def reference_of(settings: Settings, planted: Planted) -> Reference | None:
    """The earlier run, if one is wanted."""
    if settings.previous_run is None:
        return None
    strips = earlier_run.strips_of_earlier_run(rng_of(settings, _REFERENCE), planted)
    return Reference(settings.previous_run, earlier_run.FILE_NAME, earlier_run.TAG, strips)


def _write_maps(
    settings: Settings, files: Sequence[MapFiles], source: HitSource, stage: Path, tick: Tick
) -> None:
    """Fill and write one pair of files after the other; only one is in memory."""
    all_blocks = _lumi_blocks(settings)
    tick(0, settings.n_events)
    for number, (begin, end) in enumerate(settings.event_ranges()):
        blocks = all_blocks[begin:end]
        hit_map = HitMap()
        maps = LumiBlockMap(settings.n_lumi_blocks, settings.lbs_per_window, default_swap())
        for clusters, first, last in source.draw(
            rng_of(settings, _FIRST_FILE + number), end - begin
        ):
            hit_map.fill(clusters, last - first)
            maps.fill(clusters, blocks[first:last])
            tick(begin + last, settings.n_events)
        events, hits = maps.events[1:-1], maps.hits()
        del maps  # the writer needs the room
        names = files[number]
        with _counts_in_range(names):
            write_hitmaps(
                stage / names.hit_map, hit_map.contents, end - begin, overflow=hit_map.overflow
            )
            write_lumi_blocks(
                stage / names.lumi_blocks, events, hits, lbs_per_window=settings.lbs_per_window
            )


@contextmanager
def _counts_in_range(names: MapFiles) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        msg = (
            f"{names.hit_map}, or its lumi-block maps: {error};"
            f" simulate fewer than {names.events} events per file, or more lumi blocks"
        )
        raise OutOfRangeError(msg) from error


def _write_companions(settings: Settings, made: Truth, stage: Path) -> None:
    made.write(stage / truth.FILE_NAME)
    write_run_info(stage / RUN_INFO, settings.run_info())
    write_run_record(stage / RUNS, settings)
    job = json.dumps(job_dictionary(settings, made), indent=1)
    (stage / JOB).write_text(job + "\n", encoding="ascii")
    if made.reference:
        upload_time = settings.run_info().start
        earlier_run.write_database(stage / made.reference.database, made.reference, upload_time)
        lines = f'ConditionsDatabase = "{made.reference.database}"\nRunInfo = "{RUN_INFO}"\n'
        (stage / CONFIGURATION).write_text(lines, encoding="ascii")


def job_dictionary(settings: Settings, made: Truth) -> dict[str, Any]:
    """Arguments of the noisy-strip job that merges and analyses the files (transform.md 2.6)."""
    inputs = [
        {"dsn": settings.dataset, "lfn": name, "events": file.events}
        for file in made.files
        for name in (file.hit_map, file.lumi_blocks)
    ]
    job: dict[str, Any] = {"part": ["doNoisyStrip"], "splitNoisyStrip": 2, "maxEvents": 1}
    if made.reference:
        job["SCTCalibConfig"] = [CONFIGURATION]
    return {**job, "prefix": settings.prefix, "input": inputs}


def _files_of_earlier_simulation(settings: Settings, folder: Path, force: bool) -> set[str]:
    """Files that an earlier simulation of the same run left, which this one replaces."""
    companions = {truth.FILE_NAME, RUN_INFO, RUNS, JOB, CONFIGURATION, earlier_run.FILE_NAME}
    present = sorted(name for name in companions if (folder / name).exists())
    if not present:
        return set()
    remedy = "choose another folder, or overwrite them with --force"
    try:
        earlier = read_truth(folder / truth.FILE_NAME)
    except InputFileError as error:
        if force:
            return set()
        msg = f"{folder} holds {', '.join(present)} of an unknown run ({error}); {remedy}"
        raise OutputFileError(msg) from error
    if earlier.run == settings.run:
        maps = {Path(name).name for f in earlier.files for name in (f.hit_map, f.lumi_blocks)}
        return maps | {CONFIGURATION, earlier_run.FILE_NAME} if earlier.reference else maps
    if force:
        return set()
    msg = f"{folder} holds {', '.join(present)} of run {earlier.run}, not {settings.run}; {remedy}"
    raise OutputFileError(msg)


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """A folder for files that move to ``folder`` when the block ends well."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=_STAGE, dir=folder))
    except OSError as error:
        msg = f"{folder}: cannot be written: {error.strerror}"
        raise OutputFileError(msg) from error
    try:
        yield stage
        for path in sorted(stage.iterdir()):
            path.replace(folder / path.name)
    except OSError as error:
        msg = f"{folder}: cannot be written: {error}"
        raise OutputFileError(msg) from error
    finally:
        shutil.rmtree(stage, ignore_errors=True)
