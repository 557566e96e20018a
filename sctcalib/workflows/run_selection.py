"""May the run be processed, and now? The run selector (transform.md 4.2, 7.2), and lastRun.

A run is processed if a lumi block of it had stable beams, the SCT and enough events (cosmic runs
always are). Noisy strips then wait until those of earlier good runs have been uploaded.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sctcalib.cool import CoolError
from sctcalib.cool.folders import SCT_FOLDERS
from sctcalib.cool.reference import disabled_runs, open_conditions, uploaded_runs
from sctcalib.job.errors import InputFileError, JobError, NeedCheckError
from sctcalib.job.transform import Job
from sctcalib.parts import PARTS
from sctcalib.parts.checks import DEAD_PARTS, RAW_TO_MAPS_STEP, analyses
from sctcalib.runs.asked import Asked, Query, understand
from sctcalib.runs.database import RunDatabase, SqliteRuns
from sctcalib.runs.last_run import last_run, raise_last_run
from sctcalib.runs.location import location
from sctcalib.runs.query import select
from sctcalib.workflows.instance import instance
from sctcalib.workflows.run_information import write_run_information

log = logging.getLogger(__name__)

NOISY_STRIPS = "doNoisyStrip"
NOT_SELECTED = "Did not pass run selection criteria"
GRACEFUL = "graceful"
NOISE_STREAM = "*calibration_SCTNoise 10000+"
BUSY_STREAM, BUSY_COSMIC_STREAM = "*express 200000+", "*IDCosmic 200000+"
PARTITION, SCT_MASK = "ATLAS", "240A"
_COSMIC = ("cos", "idcomm")
"""In the project tag of runs without beams."""


@dataclass(frozen=True)
class Served:
    """Runs of which nothing more is to come."""

    uploaded: Collection[int] = ()
    disabled: Collection[int] = ()


def prepare(job: Job) -> None:
    """Write the run information, and select the run, as far as the job's arguments ask for it."""
    path = location(job.configuration.path("RunDatabase"))
    with _open(path) as database:
        if job.arguments["doRunInfo"]:
            write_run_information(job, database)
        if not job.arguments["doRunSelector"] or _passes(job, database):
            return
    _leave(job)


def conclude(job: Job) -> None:
    """Raise lastRun to the run of a job after which nothing will be uploaded."""
    path = job.configuration.path("LastRunFile")
    if path is None or job.left or not _ends_the_wait(job):
        return
    if job.run > last_run(path, lambda: _served(job).uploaded):
        raise_last_run(path, job.run)
        log.info("%s: nothing will be uploaded, lastRun is now %d", path, job.run)


def _ends_the_wait(job: Job) -> bool:
    """Whether the hit maps were empty, or there was no noisy strip, or nothing had changed."""
    for name, message in job.idle.items():
        rule = PARTS[name].zero_events
        if name == NOISY_STRIPS or (rule and message == rule.message.format(run=job.run)):
            return True
    if not analyses(job.arguments) or not job.configuration["WriteToCool"]:
        return False
    return bool(job.results.get(NOISY_STRIPS, {}).get("database rows") == 0)


@contextmanager
def _open(path: Path | None) -> Iterator[RunDatabase | None]:
    if path is None:
        yield None
        return
    with SqliteRuns(path) as database:
        yield database


def _leave(job: Job) -> None:
    """End the job without outputs: as failed, or well if the configuration says so."""
    if job.configuration["RunSelectorExit"] != GRACEFUL:
        raise NeedCheckError(NOT_SELECTED)
    rest = "Finish execution and exit gracefully"
    log.warning(
        "Run %d didn't pass run selection criteria. It will not be processed and no output will be"
        " generated. %s", job.run, rest,
    )  # fmt: skip
    job.left = f"{NOT_SELECTED}. {rest}."


def _passes(job: Job, database: RunDatabase | None) -> bool:
    if database is None:  # the configuration was checked when the job was planned
        msg = "doRunSelector: no run database"
        raise InputFileError(msg)
    known = database.get(job.run)
    project = job.inputs.project or (known.project if known else None) or ""
    if "_" not in project:
        log.warning("ERROR no stream given: the project of run %d is %r", job.run, project)
        return False
    parts = job.arguments["part"]
    if _is_cosmic(project):
        log.info("Run %d : cosmic run, stable beams are not asked for", job.run)
    elif not _had_stable_beams(job.run, project, parts, database):
        return False
    step = job.arguments["splitNoisyStrip"]
    if NOISY_STRIPS in parts and step != RAW_TO_MAPS_STEP and not Queue(job, project).wait():
        return False
    log.info("Run %d : job starts running now", job.run)
    return True


def _is_cosmic(project: str) -> bool:
    return any(word in project.partition("_")[2] for word in _COSMIC)


def conditions_of(project: str, parts: Collection[str]) -> Asked:
    """What a run has to fulfil for parts: those conditions, and a stream for each kind of part."""
    label = project.partition("_")[2]
    cosmic = _is_cosmic(project)
    tags = {"eV": "data*_*eV", "hi": "data*_hi", "cos": "data*_cos"}
    tag = next((tag for word, tag in tags.items() if word in label), "data*_idcom")
    streams = []
    if NOISY_STRIPS in parts:
        streams.append(NOISE_STREAM)
    if any(part in DEAD_PARTS for part in parts):
        streams.append(BUSY_COSMIC_STREAM if cosmic else BUSY_STREAM)
    return Asked(
        lhc=() if cosmic else ("stablebeams TRUE",),
        partition=PARTITION,
        detmaskin=(SCT_MASK,),
        projecttag=tag,
        streams=tuple(streams),
    )


def _query(asked: Asked, runs: str) -> Query:
    return understand(replace(asked, run=(runs,)), time.time_ns())


def _had_stable_beams(
    run: int, project: str, parts: Collection[str], database: RunDatabase
) -> bool:
    """The stable-beam check; says why a run does not pass."""
    query = _query(conditions_of(project, parts), str(run))
    known = database.get(run)
    if known and select(query, database).runs:
        log.info("Run %d : run selection passed ---> job will be launched", run)
        return True
    log.warning("Run %d : run selection didn't pass Stable Beam check--- job will be finished", run)
    if known is None:
        log.warning("Run %d : is not in the run database %s", run, database.name)
        return False
    failed = [c.words for c in query.conditions if not c.accepts_some(known)]
    log.warning("Run %d : does not fulfil: %s", run, ", ".join(failed))
    return False


def _served(job: Job) -> Served:
    """What the conditions database says; without one, nothing."""
    source = job.configuration.text("ConditionsDatabase")
    if not source:
        return Served()
    tag = job.configuration["TagID4NoisyUploadTest"]
    try:
        with open_conditions(source, default_name=instance(job.inputs.project)) as database:
            folder = database.folder(SCT_FOLDERS[NOISY_STRIPS].path)
            disabled = disabled_runs(database.path, folder.path)
            return Served(frozenset(uploaded_runs(folder, tag)), disabled)
    except CoolError as error:
        msg = f"ConditionsDatabase {source}: {error}"
        raise InputFileError(msg) from error


class Queue:
    """The hold of a noisy-strip job until earlier good runs are uploaded, disabled or bad."""

    def __init__(self, job: Job, project: str) -> None:
        self.job = job
        self.run = job.run
        options = job.configuration
        self.last_run_file = options.path("LastRunFile")
        self.runs_file = location(options.path("RunDatabase"))
        self.asked = conditions_of(project, [NOISY_STRIPS])
        self.projects = [text for text in options["RunSelectorProjects"].split(",") if text]
        self.interval = float(options["RunSelectorInterval"])
        self.limit = float(options["RunSelectorMaxWait"])
        self.last = -1
        self.waited_for: list[int] | None = None

    def wait(self) -> bool:
        """Wait, if need be; False if the run comes too late.

        lastRun and the databases are read afresh each time. Raises NeedCheckError when the wait
        has been too long, and what reading them raises the first time; later it is waited on.
        """
        begin = time.monotonic()
        while True:
            holding = self._holding()
            if holding is None:
                log.info(
                    "Run %d : taken later than the current run ---> job will not be run",
                    self.last,
                )
                return False
            if not holding:
                log.info(
                    "Run %d : checked the last run uploaded ---> job will be launched", self.run
                )
                return True
            waited = time.monotonic() - begin
            self._tell(holding, waited)
            if self.limit and waited >= self.limit:
                msg = (
                    f"Run {self.run} : waited {waited:.0f} s (RunSelectorMaxWait) in vain for run"
                    f" {_listed(holding)} to be uploaded, disabled or marked bad"
                )
                raise NeedCheckError(msg)
            left = self.limit - waited if self.limit else self.interval
            time.sleep(max(min(self.interval, left), 0.0))

    def _holding(self) -> list[int] | None:
        """Runs to wait for; None if a later run has been served already."""
        try:
            served = _served(self.job)
            last = last_run(self.last_run_file, lambda: served.uploaded)
            if last != self.last:
                log.info("Run %d : the last run uploaded", last)
            self.last = last
            if self.last > self.run:
                return None
            return [run for run in self._earlier_good_runs() if not _is_served(run, served)]
        except JobError as error:
            if self.waited_for is None:
                raise
            log.warning("Run %d : goes on waiting: %s", self.run, error)
            return self.waited_for

    def _earlier_good_runs(self) -> list[int]:
        """Good runs after lastRun and before this one, ascending."""
        first, last = self.last + 1, self.run - 1
        if first > last:
            return []
        with _open(self.runs_file) as database:
            assert database is not None
            found = select(_query(self.asked, f"{first}-{last}"), database).runs
        good = [each.run for each in found if each.run.bad is None]
        return sorted(
            run.run for run in good if any(text in (run.project or "") for text in self.projects)
        )

    def _tell(self, holding: list[int], waited: float) -> None:
        if holding != self.waited_for:
            for run in holding:
                log.info(
                    "Run %d: this run has to be processed/uploaded ---> job in pending state", run
                )
        if self.waited_for is None:
            self._tell_remedy()
        self.waited_for = holding
        log.info(
            "Run %d : waiting for previous run(s) processed/uploaded: %s (%.0f s so far, next look"
            " in %g s)", self.run, _listed(holding), waited, self.interval,
        )  # fmt: skip

    def _tell_remedy(self) -> None:
        """How a person lets the job go on."""
        if self.last_run_file is None:
            log.info("to let the job go on: name a file with the option LastRunFile")
        elif not self.last_run_file.exists():
            log.info("no lastRun was ever set in %s", self.last_run_file)
        if self.last_run_file:
            log.info("to let the job go on: sctcalib lastrun %s --set RUN", self.last_run_file)


def _is_served(run: int, served: Served) -> bool:
    return run in served.uploaded or run in served.disabled


def _listed(runs: list[int]) -> str:
    return ", ".join(map(str, runs))
