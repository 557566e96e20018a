"""Write a simulated HIST file, its truth, run information, and the dictionaries of its jobs.

The same settings give the same histograms. uproot puts the time and a random identifier into the
file, so its bytes differ.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sctcalib.job.errors import InputFileError, OutputFileError
from sctcalib.runs.run_info import FILE_NAME as RUN_INFO
from sctcalib.runs.run_info import write_run_info
from sctcalib.simulate.files import CONFIGURATION, JOB, staged
from sctcalib.simulate.hist_maps import Objects, objects
from sctcalib.simulate.hist_model import measure, plan
from sctcalib.simulate.hist_settings import ALL_TASKS, TASKS, HistSettings
from sctcalib.simulate.hist_truth import HistTruth, read_hist_truth, truth_of
from sctcalib.simulate.run_record import FILE_NAME as RUNS
from sctcalib.simulate.run_record import write_run_record
from sctcalib.simulate.truth import FILE_NAME as TRUTH

log = logging.getLogger(__name__)

_PLAN, _MEASURE = range(2)
"""Independent sequences of random numbers."""


def simulate_hist(settings: HistSettings, folder: Path, *, force: bool = False) -> HistTruth:
    """Simulate the monitoring of a run into a folder, which is made if it is not there.

    Raises OutputFileError if the folder holds another simulation (unless ``force``), or cannot be
    written.
    """
    obsolete = _file_of_earlier_simulation(settings, folder, force=force)
    detector = plan(_rng(settings, _PLAN), settings)
    counted = measure(_rng(settings, _MEASURE), settings, detector)
    truth = truth_of(settings, detector, counted)
    with staged(folder) as stage:
        write_objects(stage / settings.file_name, settings.run, objects(settings, counted))
        truth.write(stage / TRUTH)
        write_run_info(stage / RUN_INFO, settings.run_info())
        write_run_record(stage / RUNS, settings.base)
        (stage / CONFIGURATION).write_text(f'RunInfo = "{RUN_INFO}"\n', encoding="ascii")
        for name, job in job_dictionaries(settings).items():
            (stage / name).write_text(json.dumps(job, indent=1) + "\n", encoding="ascii")
    if obsolete and obsolete != settings.file_name:
        (folder / obsolete).unlink(missing_ok=True)
    log.info("run %d: %d events in %s", settings.run, truth.n_events, folder / truth.file)
    return truth


def write_objects(path: Path, run: int, made: Objects) -> None:
    """Write histograms with paths below the directory of the run into a new ROOT file."""
    import uproot

    with uproot.recreate(path, compression=uproot.ZLIB(1)) as file:
        for name, each in made:
            file[f"run_{run}/{name}"] = each


def job_dictionaries(settings: HistSettings) -> dict[str, dict[str, Any]]:
    """Arguments of a job for each part, and of one for all of them, by file name."""
    jobs = {f"job_{part}.json": _job(settings, [part], task) for part, task in TASKS.items()}
    return {JOB: _job(settings, list(TASKS), ALL_TASKS), **jobs}


def _job(settings: HistSettings, parts: Sequence[str], task: str) -> dict[str, Any]:
    item = {"dsn": settings.dataset, "lfn": settings.file_name, "events": settings.n_events}
    return {
        "part": parts,
        "maxEvents": 1,
        "SCTCalibConfig": [CONFIGURATION],
        "prefix": settings.prefix(task),
        "input": [item],
    }


def _rng(settings: HistSettings, number: int) -> np.random.Generator:
    return np.random.default_rng([settings.seed, settings.run, number])


def _file_of_earlier_simulation(settings: HistSettings, folder: Path, *, force: bool) -> str:
    """The HIST file of an earlier simulation of the same run, which this one replaces."""
    companions = (TRUTH, RUN_INFO, RUNS, CONFIGURATION, *job_dictionaries(settings))
    present = sorted(name for name in companions if (folder / name).exists())
    if not present or force:
        return ""
    remedy = "choose another folder, or overwrite them with --force"
    try:
        earlier = read_hist_truth(folder / TRUTH)
    except InputFileError as error:
        msg = f"{folder} holds {', '.join(present)} of another simulation ({error}); {remedy}"
        raise OutputFileError(msg) from error
    if earlier.run != settings.run:
        held = ", ".join(present)
        msg = f"{folder} holds {held} of run {earlier.run}, not {settings.run}; {remedy}"
        raise OutputFileError(msg)
    return earlier.file
