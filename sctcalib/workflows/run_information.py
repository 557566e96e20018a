"""Times and lumi blocks of the run: from the run database (doRunInfo), else from runInfo.txt
(algorithms-hist.md 1.3, transform.md 7.1)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sctcalib.job.transform import Job
from sctcalib.runs.run_info import FILE_NAME, RunInfo, read_run_info, write_run_info

if TYPE_CHECKING:
    from sctcalib.runs.database import RunDatabase
    from sctcalib.runs.records import Run

log = logging.getLogger(__name__)

_SHARED = "run information"
_NANOSECOND = 10**9


def run_information(job: Job) -> RunInfo | None:
    """What is known of the run; None, after a warning, if nothing.

    From the run database if doRunInfo found it there, else from the file of the option RunInfo,
    else from runInfo.txt in the run directory.
    """
    known: RunInfo | None = job.shared.get(_SHARED)
    if known:
        return known
    path = job.configuration.path("RunInfo") or job.directory / FILE_NAME
    return read_run_info(path, job.run)


def write_run_information(job: Job, database: RunDatabase | None) -> None:
    """Have runInfo.txt written from the run database; a run that it does not know is a warning."""
    if database is None:
        log.warning("doRunInfo: no run database is named; %s is not written", FILE_NAME)
        return
    log.info("RunNumber for the runInfo = %d %s", job.run, job.inputs.stream)
    run = database.get(job.run)
    info = info_of(run, job.inputs.project) if run else None
    if info is None:
        what = "start and end of run %d are not" if run else "run %d is not"
        log.warning(
            f"{what} in the run database %s; {FILE_NAME} is not written",  # noqa: G004
            job.run,
            database.name,
        )
        return
    job.shared[_SHARED] = info
    write_run_info(job.replacement(FILE_NAME), info)
    log.info("%s: %s", FILE_NAME, info.line())


def info_of(run: Run, project: str) -> RunInfo | None:
    """The run information of a run; None while its start or its end is not known.

    ``project`` stands in for an unknown one. Where the number of lumi blocks is not known it is 0.
    """
    if run.start is None or run.end is None:
        return None
    return RunInfo(
        run=run.run,
        project=run.project or project or "unknown",
        start=run.start // _NANOSECOND,
        end=run.end // _NANOSECOND,
        n_lumi_blocks=run.lumi_blocks or 0,
        partitions=run.sct_partitions,
    )
