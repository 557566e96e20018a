"""Lorentz angle from cluster widths versus incidence angle (reference/algorithms-hist.md 5).

The mean width of clusters is smallest where tracks run along the drift of the charge. The fit is
that of the original: function, start values, limits, range, and up to three attempts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, cached_property
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

_STEP = 2 * N_SIGMAS / (N_STEPS - 1)
_Z = -N_SIGMAS + _STEP * np.arange(N_STEPS - 1)
"""Where the sum is taken, in units of sigma."""
_WEIGHTS = ROUNDED_DEGREE * _STEP / (np.sqrt(2 * np.pi) * DEGREE) * np.exp(-(_Z**2) / 2)
_SUM_OF_WEIGHTS = float(_WEIGHTS.sum())
_MAX_TERMS = 128
_PRECISION = 1e-14


class WidthModel:
    """f(x) = (a |tan x - tan LA| + b) smeared by a Gaussian of sigma (5.2), at fixed angles x.

    A left Riemann sum of 999 terms at x + sigma z. In the parts below and above LA each tangent is
    its Taylor series at x, and the sums of w z^m up to any term are a table: that gives the same
    sum to 13 digits in a tenth of the time. Where the series does not converge (sigma above some 14
    degrees, angles near 90) the terms are added up one by one.
    """

    def __init__(self, degrees: FloatArray) -> None:
        self._x = np.asarray(degrees, dtype=np.float64)
        self._radius = max(90 - float(np.abs(self._x).max(initial=0)), 1e-9)
        """Of convergence: the distance to the nearest pole of the tangent, degrees."""

    def __call__(self, a: float, angle: float, b: float, sigma: float) -> FloatArray:
        """Mean width in strips at each angle; a in strips, angle and sigma in degrees."""
        n_terms = self._n_terms(sigma) if abs(angle) < 90 else 0
        kinked = self._series(angle, sigma, n_terms) if n_terms else self._sum(angle, sigma)
        widths: FloatArray = a * kinked + b * _SUM_OF_WEIGHTS
        return widths

    def _n_terms(self, sigma: float) -> int:
        """Terms of the series that are needed; 0 if they are too many."""
        if sigma <= 0:
            return 0
        ratios = _largest_ratios()
        n = int(np.searchsorted(ratios, N_SIGMAS * sigma / self._radius)) + 1
        return n if n <= len(ratios) else 0

    def _sum(self, angle: float, sigma: float) -> FloatArray:
        """Weighted mean of |tan u - tan LA| over u around each x, term by term."""
        terms = np.add(self._x[:, None], sigma * _Z, out=self._buffer)
        terms *= DEGREE
        np.tan(terms, out=terms)
        terms -= math.tan(DEGREE * angle)
        kinked: FloatArray = np.abs(terms, out=terms) @ _WEIGHTS
        return kinked

    def _series(self, angle: float, sigma: float, n_terms: int) -> FloatArray:
        """The same from the sums of powers: minus those of the terms below LA, plus the others."""
        below = np.ceil(((angle - self._x) / sigma + N_SIGMAS) / _STEP)
        rows = np.minimum(np.maximum(below, 0), len(_Z)).astype(np.intp)
        sums = _signed_sums()[rows, :n_terms]
        scale = (N_SIGMAS * DEGREE * sigma) ** np.arange(n_terms)
        kinked: FloatArray = (sums * self._taylor[:, :n_terms]) @ scale
        kinked -= math.tan(DEGREE * angle) * sums[:, 0]
        return kinked

    @cached_property
    def _buffer(self) -> FloatArray:
        return np.empty((len(self._x), len(_Z)))

    @cached_property
    def _taylor(self) -> FloatArray:
        """Coefficients of tan at each x, shape (n, _MAX_TERMS), from tan' = 1 + tan^2."""
        terms = np.empty((len(self._x), _MAX_TERMS))
        terms[:, 0] = np.tan(DEGREE * self._x)
        for m in range(_MAX_TERMS - 1):
            square = np.einsum("ij,ij->i", terms[:, : m + 1], terms[:, m::-1])
            terms[:, m + 1] = (square + (m == 0)) / (m + 1)
        return terms


@cache
def _signed_sums() -> FloatArray:
    """Sums of w (z / 5)^m over the terms from number j on minus those before, [j, m]."""
    powers = _WEIGHTS[:, None] * (_Z[:, None] / N_SIGMAS) ** np.arange(_MAX_TERMS)
    before = np.concatenate([np.zeros((1, _MAX_TERMS)), np.cumsum(powers, axis=0)])
    signed: FloatArray = before[-1] - 2 * before
    return signed


@cache
def _largest_ratios() -> FloatArray:
    """For which 5 sigma over the radius of convergence 1, 2, ... terms are enough, ascending."""
    m = np.arange(1, _MAX_TERMS)
    moments = _WEIGHTS @ np.abs(_Z[:, None] / N_SIGMAS) ** m
    ratios: FloatArray = np.maximum.accumulate((_PRECISION / moments) ** (1 / m))
    return ratios


def mean_width(degrees: float, a: float, angle: float, b: float, sigma: float) -> float:
    """f at one angle."""
    kinked = WidthModel(np.array([degrees]))._sum(angle, sigma)[0]
    return float(a * kinked + b * _SUM_OF_WEIGHTS)


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
