"""What the five parts that read a HIST file have in common (algorithms-hist.md 1.2, 1.3, 1.6)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from sctcalib.detector.identifiers import wafer_id32, wafers
from sctcalib.histograms.monitoring import HistFile, open_hist
from sctcalib.job.errors import NeedCheckError
from sctcalib.job.transform import Job
from sctcalib.summary.monitoring_summary import (
    SUMMARY_KINDS,
    MonitoringSummary,
    write_monitoring_summary,
)
from sctcalib.summary.page import style_sheets
from sctcalib.workflows.database import FolderContent, contribute
from sctcalib.workflows.run_labels import run_values

log = logging.getLogger(__name__)

EMPTY = "HIST contents are empty"
ATHENA = "athena"
_SHARED = "hist"


class Result(Protocol):
    """What the search of a part finds."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was measured, as in standby."""


R = TypeVar("R", bound=Result)


@dataclass(frozen=True)
class HistPart(Generic[R]):
    """One part: what is measured, and what is written of it."""

    name: str
    min_events: str
    """Option with the least number of events."""
    measure: Callable[[HistFile, Job], R]
    nothing: Callable[[Job], R]
    """The result of a file without events, which need not have the part's histograms."""
    write: Callable[[Job, R, dict[str, Any]], None]
    """Gets the values with which every summary begins."""
    rows: Callable[[R], Sequence[tuple[int, Sequence[Any]]]]
    figures: Callable[[R], dict[str, Any]]
    style_sheet: str


def run_hist_part(part: HistPart[R], job: Job) -> None:
    """Measure, write the XML files, and add to the database unless nothing was measured.

    The tests for standby come in the order of algorithms-hist.md 1.6.
    """
    hist = hist_file(job)
    check_events(hist.n_events, job.configuration[part.min_events])
    found = part.measure(hist, job) if hist.n_events else part.nothing(job)
    standby = hist.n_events == 0 or found.is_empty
    part.write(job, found, run_values(job, events=job.events or 0))
    for sheet in style_sheets(part.style_sheet):
        job.put_beside(sheet)
    if standby:
        log.warning("%s: %s; the SCT was in standby, or the file has no SCT data", part.name, EMPTY)
    if not standby or job.configuration["compatibility"] == ATHENA:
        contribute(job, FolderContent(part.name, part.rows(found)))
    figures = {"events": hist.n_events, **part.figures(found)}
    job.results[part.name] = {**figures, "standby": EMPTY} if standby else figures


def hist_file(job: Job) -> HistFile:
    """The HIST file of the job, opened once for all its parts: the last of the inputs."""
    if _SHARED not in job.shared:
        source = job.inputs.files[-1]
        if len(job.inputs.files) > 1:
            log.warning(
                "The Histogram collection contains more than one histogram; using the last one."
            )
        before_2010 = job.configuration["HistBefore2010"]
        hist = job.resources.enter_context(
            open_hist(source.local, job.run, before_2010=before_2010)
        )
        job.shared[_SHARED] = hist
        job.events = hist.n_events
        job.found_events(source, hist.n_events)
        log.info("%d events by %s", hist.n_events, hist.event_counter)
    opened: HistFile = job.shared[_SHARED]
    return opened


def check_events(n_events: int, minimum: int) -> None:
    """Raise NeedCheckError (exit 1) for few events; none at all is standby."""
    if 0 < n_events < minimum:
        msg = (
            f"Number of events in HIST: {n_events} is less than "
            f"the required minimum number of events {minimum}"
        )
        raise NeedCheckError(msg)


def write_summary(
    job: Job, kind: str, values: dict[str, Any], means: Sequence[tuple[str, NDArray[Any]]]
) -> None:
    """Write a summary of averages by layer and ring."""
    summary = MonitoringSummary(kind=kind, means=tuple(means), **values)
    write_monitoring_summary(job.output(SUMMARY_KINDS[kind].file), summary)


def wafer_rows(
    sample_size: NDArray[np.int64] | int, values: NDArray[np.float32]
) -> list[tuple[int, tuple[Any, ...]]]:
    """Database rows of one number per wafer, in the order of the folders' fields."""
    w = wafers()
    sizes = np.broadcast_to(np.asarray(sample_size), values.shape)
    columns = [column.tolist() for column in (sizes, w.bec, w.layer, w.eta, w.phi, values)]
    return list(zip(wafer_id32().tolist(), zip(*columns, strict=True), strict=True))
