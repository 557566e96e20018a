"""One record per profile of the Lorentz-angle fits, as the XML files hold it.

Reference: algorithms-hist.md 5.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from sctcalib.parts.lorentz_angle import LorentzFit
from sctcalib.summary.parsing import Node

PROFILES = tuple((la, side, kind) for la in range(4) for side in (0, 1) for kind in (100, 111))
"""Layer, side and crystal orientation of the 16 profiles, in the order of files (5.1)."""
_WITHOUT_MODULES = (1, 100)
"""Layer and orientation of which there are no modules: not fitted, and no reason for a red flag."""


@dataclass(frozen=True)
class LorentzRecord:
    """What the files say of one profile. Numbers are single precision; 0 where nothing was fitted.

    The summary has only angle, minimum width, outcome and chi-square; the other file has no
    outcome.
    """

    layer: int
    side: int
    module_type: int
    """Crystal orientation, 100 or 111."""
    angle: float
    """Lorentz angle, degrees."""
    min_width: float
    """Minimum cluster width, strips."""
    chi2: float | None = None
    """None in summaries of the original."""
    converged: bool | None = None
    attempts: int | None = None
    """1-3; 0 not fitted; None in summaries of the original."""
    angle_error: float | None = None
    a: float | None = None
    """Strips per unit of tangent."""
    a_error: float | None = None
    b: float | None = None
    """Strips."""
    b_error: float | None = None
    sigma: float | None = None
    """Degrees."""
    sigma_error: float | None = None
    min_width_error: float | None = None
    """f(|error of the angle|), as the original stores it (5.3)."""

    @property
    def is_fitted(self) -> bool:
        """Whether there are modules of this kind to be fitted (5.3)."""
        return (self.layer, self.module_type) != _WITHOUT_MODULES

    def __post_init__(self) -> None:
        if (self.layer, self.side, self.module_type) not in PROFILES:
            msg = (
                f"layer {self.layer}, side {self.side}, orientation {self.module_type} is not one "
                "of layers 0-3, sides 0-1, orientations 100 and 111"
            )
            raise ValueError(msg)


def lorentz_records(fits: Sequence[LorentzFit]) -> tuple[LorentzRecord, ...]:
    """Records of the 16 fits in the order of `PROFILES`; raises ValueError for another number."""
    return tuple(_record(place, fit) for place, fit in zip(PROFILES, fits, strict=True))


def _record(place: tuple[int, int, int], fit: LorentzFit) -> LorentzRecord:
    a_error, angle_error, b_error, sigma_error = map(_single, fit.errors)
    return LorentzRecord(
        *place,
        angle=_single(fit.angle),
        min_width=_single(fit.min_width),
        chi2=_single(fit.chi2),
        converged=fit.converged,
        attempts=fit.attempts,
        angle_error=angle_error,
        a=_single(fit.a),
        a_error=a_error,
        b=_single(fit.b),
        b_error=b_error,
        sigma=_single(fit.sigma),
        sigma_error=sigma_error,
        min_width_error=_single(fit.min_width_error_field),
    )


def _single(real: float) -> float:
    """Single precision, as everything is stored; beyond its range infinite, as in C++."""
    with np.errstate(over="ignore"):
        return float(np.float32(real))


def lorentz_flag(records: Iterable[LorentzRecord]) -> str:
    """``G`` if all 14 fits converged, else ``R`` (5.3)."""
    return "G" if all(record.converged for record in records if record.is_fitted) else "R"


def check_records(records: Sequence[LorentzRecord]) -> None:
    """Raise ValueError unless there is a record for every profile, in order."""
    places = tuple((r.layer, r.side, r.module_type) for r in records)
    if places != PROFILES:
        msg = f"the {len(places)} records are not those of the 16 profiles in order"
        raise ValueError(msg)


def arranged(
    root: Node, records: Sequence[tuple[Node, LorentzRecord]]
) -> tuple[LorentzRecord, ...]:
    """The records in the order of `PROFILES`, each exactly once."""
    found: dict[tuple[int, int, int], LorentzRecord] = {}
    for node, record in records:
        place = (record.layer, record.side, record.module_type)
        if place in found:
            node.fail(f"a second block for layer, side and orientation {place}")
        found[place] = record
    for place in PROFILES:
        if place not in found:
            root.fail(f"there is no block for layer, side and orientation {place}")
    return tuple(found[place] for place in PROFILES)
