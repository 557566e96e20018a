"""Lorentz angle from cluster widths versus incidence angle (reference/algorithms-hist.md 5).

The mean width of clusters is smallest where tracks run along the drift of the charge. The fit is
that of the original: function, start values, limits, range, and up to three attempts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

FIT_RANGE_DEGREES = (-9.0, 2.0)
START = (1.0, -5.0, 1.13, 2.0)
"""Slope a, angle, width b, smearing sigma."""
SIGMA_LIMITS = (0.1, 50.0)
LAST_SIGMA_LIMITS = (0.0, 50.0)
ANGLE_LIMITS = (-90.0, 90.0)
FIXED_SIGMA = 2.0
N_STEPS = 1000
N_SIGMAS = 5
DEGREE = np.pi / 180
ROUNDED_DEGREE = 0.017455
"""The original's rounded pi / 180; it makes f about 1.0001 times the exact convolution."""
TOLERANCE = 0.1


class WidthModel:
    """f(x) = (a |tan x - tan LA| + b) smeared by a Gaussian of sigma (5.2), at fixed angles x.

    A left Riemann sum of 999 terms. The weights do not depend on the parameters, and the tangents
    only on sigma, so both are kept between evaluations.
    """

    def __init__(self, degrees: FloatArray) -> None:
        self._x = np.asarray(degrees, dtype=np.float64)
        step = 2 * N_SIGMAS / (N_STEPS - 1)
        self._z = -N_SIGMAS + step * np.arange(N_STEPS - 1)
        norm = ROUNDED_DEGREE * step / (np.sqrt(2 * np.pi) * DEGREE)
        self._weights = norm * np.exp(-(self._z**2) / 2)
        self._sigma = np.nan
        self._tangents = np.empty((0, 0))

    def __call__(self, a: float, angle: float, b: float, sigma: float) -> FloatArray:
        """Mean width in strips at each angle; a in strips, angle and sigma in degrees."""
        if sigma != self._sigma:
            self._tangents = np.tan(DEGREE * (self._x[:, None] + sigma * self._z))
            self._sigma = sigma
        kinked = np.abs(self._tangents - np.tan(DEGREE * angle)) @ self._weights
        widths: FloatArray = a * kinked + b * self._weights.sum()
        return widths


def mean_width(degrees: float, a: float, angle: float, b: float, sigma: float) -> float:
    """f at one angle."""
    return float(WidthModel(np.array([degrees]))(a, angle, b, sigma)[0])


@dataclass(frozen=True)
class Profile:
    """Mean cluster width versus incidence angle: one value per bin."""

    degrees: FloatArray
    """Bin centres."""
    width: FloatArray
    """Mean number of strips."""
    error: FloatArray
    """Error of the mean; 0 in bins that do not take part."""
    entries: FloatArray

    @property
    def is_empty(self) -> bool:
        """Whether nothing was filled."""
        return not self.entries.any()

    def fitted(self) -> Profile:
        """The bins that take part in the fit: centre in range, error above 0."""
        low, high = FIT_RANGE_DEGREES
        use = (self.degrees >= low) & (self.degrees <= high) & (self.error > 0)
        return Profile(self.degrees[use], self.width[use], self.error[use], self.entries[use])


@dataclass(frozen=True)
class LorentzFit:
    """Result of one profile; parameters as in 5.2."""

    a: float
    angle: float
    b: float
    sigma: float
    errors: tuple[float, float, float, float]
    """Symmetric errors of the first attempt, for good."""
    chi2: float
    converged: bool
    attempts: int
    """0: not fitted."""
    n_points: int = 0
    propagated_error: float = 0.0
    """Error of the minimum width from the covariance of the last attempt; strips."""

    @property
    def parameters(self) -> tuple[float, float, float, float]:
        """a, angle, b, sigma."""
        return self.a, self.angle, self.b, self.sigma

    @property
    def min_width(self) -> float:
        """Minimum cluster width f(angle), strips; 0 where nothing was fitted."""
        return mean_width(self.angle, *self.parameters) if self.attempts else 0.0

    @property
    def min_width_error_field(self) -> float:
        """What the original stores as its error: f(|error of the angle|) (5.3)."""
        return mean_width(abs(self.errors[1]), *self.parameters) if self.attempts else 0.0


NOT_FITTED = LorentzFit(0, 0, 0, 0, (0, 0, 0, 0), 0, converged=False, attempts=0)
"""Layer 1 has no <100> modules."""


def fit(profile: Profile) -> LorentzFit:
    """Fit one profile in up to three attempts (5.3).

    An empty profile keeps the start values and counts as three failed attempts.
    """
    points = profile.fitted()
    if not len(points.degrees):
        return LorentzFit(*START, (0, 0, 0, 0), 0, converged=False, attempts=3)
    problem = _Problem(points)
    first = problem.minimise(START, limits={"sigma": SIGMA_LIMITS})
    result = first.result(attempts=1, errors=first.errors, n_points=len(points.degrees))
    if first.converged:
        return result
    second = problem.second_attempt(first.values)
    if second.converged:
        return second.result(attempts=2, errors=first.errors, n_points=result.n_points)
    third = problem.third_attempt(second.values)
    return third.result(attempts=3, errors=first.errors, n_points=result.n_points)


@dataclass(frozen=True)
class _Outcome:
    """How one minimisation ended."""

    values: tuple[float, float, float, float]
    errors: tuple[float, float, float, float]
    chi2: float
    converged: bool
    propagated: float

    def result(
        self, *, attempts: int, errors: tuple[float, float, float, float], n_points: int
    ) -> LorentzFit:
        return LorentzFit(
            *self.values, errors, self.chi2, self.converged, attempts, n_points, self.propagated
        )


NAMES = ("a", "angle", "b", "sigma")


class _Problem:
    """The chi-square of one profile."""

    def __init__(self, points: Profile) -> None:
        self._points = points
        self._model = WidthModel(points.degrees)

    def chi2(self, a: float, angle: float, b: float, sigma: float) -> float:
        """Sum over bins of the squared deviations in units of their errors."""
        pulls = (self._points.width - self._model(a, angle, b, sigma)) / self._points.error
        return float(pulls @ pulls)

    def minimise(
        self,
        start: tuple[float, ...],
        *,
        limits: dict[str, tuple[float, float]],
        fixed: str | None = None,
        with_errors: bool = True,
    ) -> _Outcome:
        """MIGRAD, then HESSE and MINOS with ``with_errors``; converged if all of it worked."""
        from iminuit import Minuit

        minuit = Minuit(self.chi2, *start, name=NAMES)
        minuit.errordef = Minuit.LEAST_SQUARES
        minuit.tol = TOLERANCE
        for name, pair in limits.items():
            minuit.limits[name] = pair
        if fixed:
            minuit.fixed[fixed] = True
        minuit.migrad()
        converged = bool(minuit.valid)
        if with_errors:
            converged = _errors_found(minuit) and converged
        return _Outcome(
            tuple(minuit.values),
            tuple(minuit.errors),
            float(minuit.fval),
            converged,
            _propagated(minuit),
        )

    def second_attempt(self, found: tuple[float, float, float, float]) -> _Outcome:
        """Angle from a parabola through the same points, held and then released."""
        a, _, b, sigma = found
        angle = self._parabola_minimum(found)
        limits = {"sigma": SIGMA_LIMITS}
        held = self.minimise((a, angle, b, sigma), limits=limits, fixed="angle", with_errors=False)
        return self.minimise(held.values, limits={**limits, "angle": ANGLE_LIMITS})

    def third_attempt(self, found: tuple[float, float, float, float]) -> _Outcome:
        """Sigma held at 2 degrees and then released; the angle keeps its limits."""
        a, angle, b, _ = found
        limits = {"angle": ANGLE_LIMITS}
        held = self.minimise(
            (a, angle, b, FIXED_SIGMA), limits=limits, fixed="sigma", with_errors=False
        )
        return self.minimise(held.values, limits={**limits, "sigma": LAST_SIGMA_LIMITS})

    def _parabola_minimum(self, found: tuple[float, float, float, float]) -> float:
        """X of the least-squares parabola A (x - X)^2 + C; the old angle if it is a line."""
        points = self._points
        if len(points.degrees) < 3:
            return found[1]
        c2, c1, _ = np.polyfit(points.degrees, points.width, 2, w=1 / points.error)
        return float(-c1 / (2 * c2)) if c2 else found[1]


def _errors_found(minuit: Any) -> bool:
    """HESSE and MINOS; whether both succeeded."""
    minuit.hesse()
    if not minuit.valid:
        return False
    try:
        minuit.minos()
    except RuntimeError:
        return False
    return bool(minuit.valid) and all(error.is_valid for error in minuit.merrors.values())


def _propagated(minuit: Any) -> float:
    """Error of f(angle) from the covariance, by central differences; 0 without a covariance."""
    if minuit.covariance is None:
        return 0.0
    values, covariance = np.array(minuit.values), np.array(minuit.covariance)
    steps = np.maximum(1e-4, 1e-3 * np.array(minuit.errors))
    gradient = [
        (_width_at_angle(values + one) - _width_at_angle(values - one)) / (2 * one.max())
        for one in np.diag(steps)
    ]
    variance = float(np.array(gradient) @ covariance @ np.array(gradient))
    return float(np.sqrt(variance)) if variance > 0 else 0.0


def _width_at_angle(values: FloatArray) -> float:
    a, angle, b, sigma = values.tolist()
    return mean_width(angle, a, angle, b, sigma)
