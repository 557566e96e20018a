"""doLorentzAngle: Lorentz angle by barrel layer, side and sensor type from a HIST file."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sctcalib.detector.identifiers import layer_side_id32
from sctcalib.histograms.monitoring import HistFile, WidthProfile
from sctcalib.job.transform import Job
from sctcalib.parts.lorentz_angle import NOT_FITTED, LorentzFit, Profile, fit
from sctcalib.summary.lorentz_angle_files import (
    LorentzAngleFile,
    LorentzSummary,
    write_lorentz_file,
    write_lorentz_summary,
)
from sctcalib.summary.lorentz_records import (
    PROFILES,
    LorentzRecord,
    lorentz_flag,
    lorentz_records,
)
from sctcalib.workflows.database import SAMPLE_SIZE
from sctcalib.workflows.hist_parts import HistPart, run_hist_part

log = logging.getLogger(__name__)

Key = tuple[int, int, int]
"""Barrel layer, side, sensor type."""
STORED_TYPE = 111
"""The database has one channel a layer and side, in which the original's last type survives."""
NEVER_FITTED = tuple((1, side, 100) for side in (0, 1))
"""Layer 1 has no <100> modules."""
EMPTY = Profile(*(np.zeros(0) for _ in range(4)))


@dataclass(frozen=True)
class Found:
    """The fits, and whether there was anything to fit."""

    fits: Mapping[Key, LorentzFit]
    is_empty: bool

    @property
    def flag(self) -> str:
        """G if every profile that is fitted converged, else R."""
        return lorentz_flag(self.records)

    @property
    def records(self) -> tuple[LorentzRecord, ...]:
        """As the XML files hold them."""
        return lorentz_records([self.fits[key] for key in PROFILES])


def find(hist: HistFile, job: Job) -> Found:
    """Fit the profiles, one after the other."""
    profiles = hist.lorentz()
    fits: dict[Key, LorentzFit] = {}
    with job.progress("fitting Lorentz angles") as tick:
        for number, key in enumerate(PROFILES):
            tick(number, len(PROFILES))
            fits[key] = NOT_FITTED if key in NEVER_FITTED else _fit(key, profiles[key])
    empty = not any(
        profile is not None and profile.entries.any()
        for key, profile in profiles.items()
        if key not in NEVER_FITTED
    )
    return Found(fits, empty)


def nothing(_job: Job) -> Found:
    """What a file without events gives: the start values of the fits."""
    unfitted = fit(EMPTY)
    return Found({k: NOT_FITTED if k in NEVER_FITTED else unfitted for k in PROFILES}, True)


def _fit(key: Key, widths: WidthProfile | None) -> LorentzFit:
    assert widths is not None  # the reader demands every profile that is fitted
    found = fit(Profile(widths.degrees, widths.width, widths.error, widths.entries))
    layer, side, sensor = key
    log.info(
        "layer %d side %d <%d>: angle %.4f +- %.4f degrees, chi2 %.2f over %d bins, attempts %d",
        layer, side, sensor, found.angle, found.errors[1], found.chi2, found.n_points,
        found.attempts,
    )  # fmt: skip
    if not found.converged:
        log.warning(
            "Fit Failed! Unable to get LorentzAngle of layer %d side %d <%d>", layer, side, sensor
        )
    return found


def write(job: Job, found: Found, values: dict[str, Any]) -> None:
    """The angles, and all parameters of the fits."""
    summary = LorentzSummary(flag=found.flag, records=found.records, **values)
    write_lorentz_summary(job.output("LorentzAngleSummaryFile.xml"), summary)
    write_lorentz_file(job.output("LorentzAngleFile.xml"), LorentzAngleFile(found.records))


def rows(found: Found) -> Sequence[tuple[int, Sequence[Any]]]:
    """One row a layer and side: the values of the <111> sensors."""
    return [
        (int(layer_side_id32(layer, side)), (SAMPLE_SIZE, 0, layer, side, sensor, *_payload(fit)))
        for (layer, side, sensor), fit in found.fits.items()
        if sensor == STORED_TYPE
    ]


def _payload(fit: LorentzFit) -> tuple[float, ...]:
    """The eleven numbers of the folder, in its order, in single precision."""
    errors = fit.errors
    values = (
        fit.angle, errors[1], fit.chi2, fit.a, errors[0], fit.b, errors[2], fit.sigma, errors[3],
        fit.min_width, fit.min_width_error_field,
    )  # fmt: skip
    return tuple(float(np.float32(value)) for value in values)


def figures(found: Found) -> dict[str, Any]:
    """For the report: the angles of the <111> sensors, and the outcome of every fit."""
    converged = sum(fit.converged for fit in found.fits.values())
    angles = {
        f"layer {layer} side {side}": f"{fit.angle:.3f} +- {fit.errors[1]:.3f} degrees"
        for (layer, side, sensor), fit in found.fits.items()
        if sensor == STORED_TYPE
    }
    fitted = len(found.fits) - len(NEVER_FITTED)
    return {"fits converged": f"{converged} of {fitted}", "flag": found.flag, **angles}


PART = HistPart(
    name="doLorentzAngle",
    min_events="LorentzAngleMinStat",
    measure=find,
    nothing=nothing,
    write=write,
    rows=rows,
    figures=figures,
    style_sheet="LorentzAngleInfo.xsl",
)


def run(job: Job) -> None:
    """Run the part."""
    run_hist_part(PART, job)
