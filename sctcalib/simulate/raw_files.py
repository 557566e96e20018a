"""Write a simulated RAW run: files, truth, run information, and the dictionaries of its jobs.

Equal settings give equal bytes. As for hit maps, the files are made in a hidden folder and moved
into place together.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np

from sctcalib.bytestream.encoder import Encoder, EventNumbers, Links
from sctcalib.bytestream.encoder_hits import Groups
from sctcalib.bytestream.writer import (
    PARTIAL_EVENT,
    VERSIONS,
    EventHeader,
    FileInfo,
    RawWriter,
    RunParameters,
    Totals,
    event_fragment,
)
from sctcalib.detector.cabling import cabling_of_year
from sctcalib.detector.identifiers import IntArray
from sctcalib.detector.readout import BoolArray, default_swap
from sctcalib.job.errors import InputFileError, OutputFileError
from sctcalib.job.progress import Tick
from sctcalib.runs.run_info import FILE_NAME as RUN_INFO
from sctcalib.runs.run_info import write_run_info
from sctcalib.simulate import earlier_run, truth
from sctcalib.simulate.clusters import Clusters
from sctcalib.simulate.files import CONFIGURATION, no_tick, reference_of, rng_of, staged
from sctcalib.simulate.model import THRESHOLD, HitSource, plan, strip_occupancy
from sctcalib.simulate.raw_errors import Errors, choose_rods, plan_errors
from sctcalib.simulate.raw_hits import RunHits
from sctcalib.simulate.raw_plan import (
    RawPlan,
    Times,
    event_times,
    particle_occupancy,
    plan_run,
)
from sctcalib.simulate.raw_settings import RawSettings
from sctcalib.simulate.raw_truth import CountedErrors, RawFile, RawTruth, read_raw_truth
from sctcalib.simulate.run_record import FILE_NAME as RUNS
from sctcalib.simulate.run_record import write_run_record
from sctcalib.simulate.truth import Truth

log = logging.getLogger(__name__)

JOBS: dict[str, tuple[str, str, int]] = {
    "job_split0.json": ("doNoisyStrip", "NOISYSTRIP.c0_c0", 0),
    "job_split1.json": ("doNoisyStrip", "HITMAP.c0", 1),
    "job_dead_strip.json": ("doDeadStrip", "DEADSTRIP.c0_c0", 0),
    "job_dead_chip.json": ("doDeadChip", "DEADCHIP.c0_c0", 0),
    "job_hv.json": ("doHV", "HV.c0_c0", 0),
    "job_noisy_lb.json": ("doNoisyLB", "NOISYLB.c0_c0", 0),
}
"""Dictionaries of jobs on the files: part, task in the names of outputs, split."""

_PLAN, _SPREAD = range(2)
_TIMES, _DEFECTS, _RODS, _ERRORS, _HITS, _HEADERS = range(1000, 1006)
"""Independent sequences of random numbers; the first ones are those of hit maps."""
_TIME_BINS, _TIME_BIN_SHARES = np.array([2, 3, 6, 7]), [0.7, 0.2, 0.07, 0.03]
_TRIGGER_TYPE = 0x84
_N_BCIDS = 3564
_EVENTS_BETWEEN_RESETS = 5000
"""Events after which the ECR count in the extended LVL1 identifier goes up."""
_DETECTOR_MASK = 0xF0
"""The four parts of the SCT (bits 4-7)."""
_BEAM_ENERGY = 6500
_LVL1_WORDS = {"5.0": 48, "4.0": 24}


@dataclass(frozen=True)
class _Run:
    """Everything that is fixed before events are drawn."""

    settings: RawSettings
    times: Times
    plan: RawPlan
    links: Links
    errors: Errors
    hits: RunHits
    accepted: BoolArray
    """Events that a reader takes, shape (events,)."""
    highest_background: float
    """Largest occupancy of a strip that is not planted, but for trips and noisy lumi blocks."""


def simulate_raw(
    settings: RawSettings, folder: Path, *, force: bool = False, tick: Tick = no_tick
) -> RawTruth:
    """Simulate RAW files of a run into a folder, which is made if it is not there.

    Raises OutputFileError if the folder holds another simulation (unless ``force``), or cannot be
    written.
    """
    obsolete = _files_of_earlier_simulation(settings, folder, force=force)
    run = _prepare(settings)
    with staged(folder) as stage:
        files = _write_files(run, stage, tick)
        made = _truth(run, files)
        made.write(stage / truth.FILE_NAME)
        _write_companions(settings, made, stage)
        new = {path.name for path in stage.iterdir()}
    for name in obsolete - new:
        (folder / name).unlink(missing_ok=True)
    log.info("run %d: %d events in %d files in %s", settings.base.run, settings.base.n_events,
             len(files), folder)  # fmt: skip
    return made


def _prepare(settings: RawSettings) -> _Run:
    base, defects = settings.base, settings.defects
    cabling = cabling_of_year(settings.year)
    links = Links(cabling.rod_ids, *cabling.place_of_wafer())
    times = event_times(rng_of(base, _TIMES), settings)
    planted = plan(rng_of(base, _PLAN), base.defects, base.n_events)
    rods, excluded = choose_rods(rng_of(base, _RODS), links, defects.error_rods)
    run_plan = plan_run(rng_of(base, _DEFECTS), settings, planted, excluded)
    errors = plan_errors(
        rng_of(base, _ERRORS), links, base.n_events, run_plan.error_wafers, rods,
        defects.unknown_ids,
    )  # fmt: skip
    occupancy = strip_occupancy(rng_of(base, _SPREAD), planted)
    hits = RunHits(settings, run_plan, times, HitSource(occupancy))
    accepted = ~errors.skipped(base.n_events)
    occupancy[planted.wafer, planted.strip] = 0
    highest = float((occupancy.max(axis=1) + particle_occupancy(*settings.particles)).max())
    return _Run(settings, times, run_plan, links, errors, hits, accepted, highest)


def _write_files(run: _Run, stage: Path, tick: Tick) -> list[RawFile]:
    settings, base = run.settings, run.settings.base
    encoder = Encoder(
        run.links, default_swap(), settings.mode, rob_version=VERSIONS[settings.event_format]
    )
    hits_rng, header_rng = rng_of(base, _HITS), rng_of(base, _HEADERS)
    totals, files = Totals(), []
    tick(0, base.n_events)
    for number, (begin, end) in enumerate(base.event_ranges(), start=1):
        name, n_hits = settings.file_name(number), 0
        info = _file_info(run, number, begin, header_rng)
        closed = _date(run, max(end - 1, 0))
        last = number == base.n_files
        with RawWriter(stage / name, info, closed, last=last, run=totals) as writer:
            for first in range(begin, end, run.hits.events_at_once):
                beyond = min(first + run.hits.events_at_once, end)
                clusters = run.hits.clusters(hits_rng, first, beyond)
                n_hits += _decodable_hits(run, clusters, first, beyond)
                _write_events(run, encoder, writer, clusters, (first, beyond), header_rng)
                tick(beyond, base.n_events)
        accepted = int(np.count_nonzero(run.accepted[begin:end]))
        files.append(RawFile(name, end - begin, accepted, n_hits))
    return files


def _write_events(
    run: _Run,
    encoder: Encoder,
    writer: RawWriter,
    clusters: Clusters,
    events: tuple[int, int],
    rng: np.random.Generator,
) -> None:
    settings, (begin, end) = run.settings, events
    conditions = run.errors.conditions(begin, end, len(run.links.rods))
    count = np.arange(begin, end)
    resets, counter = np.divmod(count, _EVENTS_BETWEEN_RESETS)
    lvl1 = (resets & 0xFF) << 24 | counter
    bcid = rng.integers(0, _N_BCIDS, end - begin)
    time_bins = rng.choice(_TIME_BINS, len(clusters.event), p=_TIME_BIN_SHARES)
    groups = Groups(clusters.event, clusters.wafer, clusters.first, clusters.size, time_bins)
    trigger = np.full(end - begin, _TRIGGER_TYPE)
    numbers = EventNumbers(settings.base.run, lvl1, bcid, trigger)
    fragments = encoder.encode(numbers, groups, conditions)
    compress = settings.compress and settings.event_format == "5.0"
    for index in range(end - begin):
        header = _event_header(run, begin + index, int(lvl1[index]), int(bcid[index]))
        robs = fragments.of_event(index)
        writer.write(event_fragment(header, robs, settings.event_format, compress=compress))


def _event_header(run: _Run, event: int, lvl1_id: int, bcid: int) -> EventHeader:
    settings, times = run.settings, run.times
    kind, _, name = settings.base.stream.partition("_")
    return EventHeader(
        run=settings.base.run,
        lumi_block=int(times.lumi_block[event]),
        seconds=int(times.seconds[event]),
        nanoseconds=int(times.nanoseconds[event]),
        global_id=event + 1,
        lvl1_id=lvl1_id,
        bcid=bcid,
        trigger_type=_TRIGGER_TYPE,
        status=(PARTIAL_EVENT if kind == "calibration" else 0,),
        lvl1_info=(0,) * _LVL1_WORDS[settings.event_format],
        stream_tags=(f"{name} {kind}".encode("ascii"),),
    )


def _decodable_hits(run: _Run, clusters: Clusters, begin: int, end: int) -> int:
    silent = run.errors.without_data(begin, end, len(run.links.rods))
    silent |= ~run.accepted[begin:end, None]
    counted = ~silent[clusters.event, run.links.rod[clusters.wafer]]
    return int(clusters.size[counted].sum())


def _file_info(run: _Run, number: int, first: int, rng: np.random.Generator) -> FileInfo:
    settings, base = run.settings, run.settings.base
    old = settings.event_format == "4.0"
    return FileInfo(
        parameters=RunParameters(
            base.run, trigger_type=_TRIGGER_TYPE, detector_mask=_DETECTOR_MASK, beam_type=1,
            beam_energy=_BEAM_ENERGY,
        ),
        core=settings.core,
        number=number,
        opened=_date(run, min(first, base.n_events - 1)),
        guid=str(UUID(bytes=rng.bytes(16), version=4)).upper(),
        stream=base.stream,
        project=base.project,
        version=5 if old else 6,
        compress=settings.compress and old,
    )  # fmt: skip


def _date(run: _Run, event: int) -> datetime:
    return datetime.fromtimestamp(int(run.times.seconds[event]), tz=UTC)


def _truth(run: _Run, files: list[RawFile]) -> RawTruth:
    settings, base = run.settings, run.settings.base
    blocks = np.bincount(run.times.lumi_block[run.accepted], minlength=base.n_lumi_blocks + 1)
    noisy = Truth(
        run=base.run,
        project=base.project,
        stream=base.stream,
        seed=base.seed,
        threshold=THRESHOLD,
        events_per_lumi_block=blocks[1:],
        lbs_per_window=base.lbs_per_window,
        files=(),
        highest_background=run.highest_background,
        planted=run.plan.planted,
        reference=reference_of(base, run.plan.planted),
    )
    return RawTruth(
        noisy=noisy,
        files=tuple(files),
        occupancy=settings.occupancy,
        pile_up=settings.pile_up,
        lit=settings.lit,
        dead=run.plan.dead,
        trips=run.plan.trips,
        noisy_blocks=run.plan.noisy_blocks,
        errors=tuple(_counted(run)),
        skipped_events=int(np.count_nonzero(~run.accepted)),
        tolerated_events=len(run.errors.unknown) - int(np.count_nonzero(~run.accepted)),
    )


def _counted(run: _Run) -> list[CountedErrors]:
    links = [CountedErrors(np.array([error.wafer]), error.counted()) for error in run.errors.links]
    rods = [
        CountedErrors(
            _wafers_of_rod(run, error.rod), error.counted(), int(run.links.rods[error.rod])
        )
        for error in run.errors.rods
    ]
    return links + rods


def _wafers_of_rod(run: _Run, rod: int) -> IntArray:
    return np.flatnonzero(run.links.rod == rod)


def _write_companions(settings: RawSettings, made: RawTruth, stage: Path) -> None:
    write_run_info(stage / RUN_INFO, settings.base.run_info())
    write_run_record(stage / RUNS, settings.base)
    lines = f'RunInfo = "{RUN_INFO}"\n'
    reference = made.noisy.reference
    if reference:
        upload_time = settings.base.run_info().start
        earlier_run.write_database(stage / reference.database, reference, upload_time)
        lines = f'ConditionsDatabase = "{reference.database}"\n' + lines
    (stage / CONFIGURATION).write_text(lines, encoding="ascii")
    for name, job in job_dictionaries(settings, made).items():
        (stage / name).write_text(json.dumps(job, indent=1) + "\n", encoding="ascii")


def job_dictionaries(settings: RawSettings, made: RawTruth) -> dict[str, dict[str, Any]]:
    """Arguments of the jobs on the files, by name of the dictionary."""
    inputs = [
        {"dsn": settings.dataset, "lfn": file.raw, "events": file.events} for file in made.files
    ]
    return {
        name: {
            "part": [part],
            "splitNoisyStrip": split,
            "SCTCalibConfig": [CONFIGURATION],
            "prefix": settings.prefix(task),
            "input": inputs,
        }
        for name, (part, task, split) in JOBS.items()
    }


def _files_of_earlier_simulation(settings: RawSettings, folder: Path, *, force: bool) -> set[str]:
    """Files that an earlier simulation of the same run left, which this one replaces."""
    companions = (truth.FILE_NAME, RUN_INFO, RUNS, CONFIGURATION, earlier_run.FILE_NAME, *JOBS)
    present = sorted(name for name in companions if (folder / name).exists())
    if not present:
        return set()
    remedy = "choose another folder, or overwrite them with --force"
    try:
        earlier = read_raw_truth(folder / truth.FILE_NAME)
    except InputFileError as error:
        if force:
            return set()
        msg = f"{folder} holds {', '.join(present)} of another simulation ({error}); {remedy}"
        raise OutputFileError(msg) from error
    if earlier.noisy.run == settings.base.run:
        return {file.raw for file in earlier.files} | {earlier_run.FILE_NAME}
    if force:
        return set()
    held = ", ".join(present)
    msg = f"{folder} holds {held} of run {earlier.noisy.run}, not {settings.base.run}; {remedy}"
    raise OutputFileError(msg)
