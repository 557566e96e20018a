"""doBSErrorDB: byte-stream errors of every side from a HIST file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sctcalib.detector.identifiers import wafer_id32, wafers
from sctcalib.detector.regions import N_WAFERS
from sctcalib.histograms.monitoring import ErrorMaps, HistFile, WaferMap
from sctcalib.job.transform import Job
from sctcalib.parts.bytestream_errors import N_POSITIONS, ByteStreamErrors, measure
from sctcalib.summary.bytestream_modules import ByteStreamModules, write_bytestream_modules
from sctcalib.workflows.hist_parts import ATHENA, HistPart, run_hist_part, write_summary
from sctcalib.workflows.tables import serial_texts


@dataclass(frozen=True)
class Found:
    """The errors, and whether the detector was read out at all."""

    errors: ByteStreamErrors
    is_empty: bool


def find(hist: HistFile, job: Job) -> Found:
    """Events with errors, from either kind of maps."""
    maps = hist.errors()
    athena = job.configuration["compatibility"] == ATHENA
    errors = measure(maps.content, maps.entries, hist.n_events, athena=athena)
    return Found(errors, nothing_read(maps, hist.hits_if_present()))


def nothing(job: Job) -> Found:
    """What a file without events gives; the original counts the side that it always stores."""
    athena = job.configuration["compatibility"] == ATHENA
    return Found(measure(np.zeros((N_WAFERS, N_POSITIONS)), None, 0, athena=athena), is_empty=True)


def nothing_read(maps: ErrorMaps, hits: WaferMap | None) -> bool:
    """Whether the SCT was in standby: no errors with hits in the detector are a good result.

    Without hit maps in the file the entries of the error maps have to tell (algorithms-hist.md
    1.6).
    """
    if maps.content.any():
        return False
    if hits is not None:
        return not hits.filled
    return maps.entries is None or not maps.entries.any()


def write(job: Job, found: Found, values: dict[str, Any]) -> None:
    """Links with errors by layer and ring, and the errors of every side."""
    errors = found.errors
    means = (("nErrLink", errors.link_counts),)
    write_summary(job, "BSErrors", values, means)
    modules = ByteStreamModules(
        serials=serial_texts(job.configuration),
        errors=errors.counts,
        totals=errors.totals,
        **values,
    )
    write_bytestream_modules(
        job.output("BSErrorModuleSummary.xml"),
        modules,
        athena=job.configuration["compatibility"] == ATHENA,
    )


def rows(found: Found) -> Sequence[tuple[int, Sequence[Any]]]:
    """Counts and fractions as texts, of the sides with errors and of the first side."""
    errors, w, ids = found.errors, wafers(), wafer_id32()
    stored = errors.stored
    counts, fractions = errors.counts[stored].tolist(), errors.fractions[stored].tolist()
    return [
        (
            int(ids[wafer]),
            (
                errors.n_events,
                int(w.bec[wafer]),
                int(w.layer[wafer]),
                int(w.eta[wafer]),
                int(w.phi[wafer]),
                " ".join(map(str, count)),
                " ".join(f"{fraction:.6g}" for fraction in fraction_of_type),
            ),
        )
        for wafer, count, fraction_of_type in zip(stored.tolist(), counts, fractions, strict=True)
    ]


def figures(found: Found) -> dict[str, Any]:
    """For the report."""
    return {"links with errors": int(found.errors.links.sum())}


PART = HistPart(
    name="doBSErrorDB",
    min_events="BSErrorDBMinStat",
    measure=find,
    nothing=nothing,
    write=write,
    rows=rows,
    figures=figures,
    style_sheet="BSErrorInfo.xsl",
)


def run(job: Job) -> None:
    """Run the part."""
    run_hist_part(PART, job)
