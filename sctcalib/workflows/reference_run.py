"""The reference of a noisy-strip job: what the last uploaded run left in the database."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sctcalib.cool import CoolError, Folder
from sctcalib.cool.folders import SCT_FOLDERS
from sctcalib.cool.reference import (
    disabled_runs,
    open_conditions,
    read_reference,
    reference_run,
    upload_numbers,
    uploaded_runs,
    valid_lists,
)
from sctcalib.detector.identifiers import wafer_of_id32
from sctcalib.detector.regions import N_MODULE_STRIPS, N_MODULES
from sctcalib.job.errors import InputFileError
from sctcalib.job.transform import Job
from sctcalib.parts import strip_lists
from sctcalib.parts.upload_flag import RecentRuns
from sctcalib.runs.last_run import read_last_run
from sctcalib.workflows.instance import instance

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ReferenceData:
    """What a job needs from the conditions database."""

    run: int | None = None
    """The reference run; None without one."""
    strips: NDArray[np.bool_] | None = None
    """Its noisy strips, shape (4088, 1536)."""
    recent: RecentRuns | None = None
    """Averages over the last uploaded runs."""
    valid: Mapping[int, str] = field(default_factory=dict)
    """By channel, the list that is valid at the start of this run in the database."""


def read_reference_data(job: Job) -> ReferenceData:
    """Read it from the option ConditionsDatabase; raises InputFileError (exit 74)."""
    source = job.configuration.text("ConditionsDatabase")
    if not source:
        log.info("no ConditionsDatabase: no reference run, the upload flag is grey")
        return ReferenceData()
    try:
        return _read(job, source)
    except CoolError as error:
        msg = f"ConditionsDatabase {source}: {error}"
        raise InputFileError(msg) from error


def _read(job: Job, source: str) -> ReferenceData:
    options = job.configuration
    tag = options["TagID4NoisyUploadTest"]
    with open_conditions(source, default_name=instance(job.inputs.project)) as database:
        folder = database.folder(SCT_FOLDERS["doNoisyStrip"].path)
        disabled = disabled_runs(database.path, folder.path)
        chosen = reference_run(
            uploaded_runs(folder, tag),
            job.run,
            disabled=disabled,
            last_run=_pointer(job),
            force=job.arguments["forceRefRunNumber"],
        )
        numbers = upload_numbers(folder, tag, job.run, options["NoisyReadNumRuns"], disabled)
        recent = RecentRuns(numbers.module_average, numbers.strip_average) if numbers else None
        valid = _valid_now(folder, job) if options["NoisyUpdate"] else {}
        if chosen is None:
            log.info("no uploaded run before %d in %s: no reference run", job.run, source)
            return ReferenceData(recent=recent, valid=valid)
        reference = read_reference(folder, tag, chosen)
    log.info("Reference run %d, uploaded %s", chosen, reference.inserted)
    return ReferenceData(chosen, strips_of_lists(reference.lists), recent, valid)


def _pointer(job: Job) -> int | None:
    """lastRun, if one is set: no later run is the reference."""
    path = job.configuration.path("LastRunFile")
    return read_last_run(path) if path else None


def _valid_now(folder: Folder, job: Job) -> Mapping[int, str]:
    """By channel, what the tag to be written holds at the start of the run; a new tag: nothing."""
    tag = job.configuration["TagID4NoisyStrips"]
    if tag and tag not in {known.name for known in folder.tags()}:
        log.warning("the tag %s is new to the conditions database", tag)
        return {}
    return valid_lists(folder, tag, job.run << 32)


def strips_of_lists(lists: Mapping[int, str]) -> NDArray[np.bool_]:
    """Strip lists by module channel as flags of shape (4088, 1536)."""
    flags = np.zeros((N_MODULES, N_MODULE_STRIPS), dtype=bool)
    filled = {channel: text for channel, text in lists.items() if text.strip()}
    modules = wafer_of_id32(np.array(list(filled), dtype=np.int64)) // 2
    for module, text in zip(modules.tolist(), filled.values(), strict=True):
        flags[module, strip_lists.decode(text)] = True
    return flags
