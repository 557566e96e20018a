"""What the parts that read monitoring found against what is true of the simulated detector.

Counts are random, so each value is judged by its pull, the deviation in standard deviations: the
signed root of the deviance of a binomial or Poisson count, half a count nearer to the truth, which
is right also in the tails of small counts. The pulls that mean and width are given of are those in
the variables in which such counts have a constant spread. Errors are compared exactly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sctcalib.detector.identifiers import module_names
from sctcalib.detector.regions import N_STRIPS, N_WAFERS
from sctcalib.histograms.monitoring import LorentzKey
from sctcalib.parts.layer_means import layer_labels, layer_of_wafer, layer_sums
from sctcalib.parts.lorentz_angle import mean_width
from sctcalib.parts.noise_occupancy import N_TIME_BINS
from sctcalib.simulate.hist_model import FIRST_BCID_FRACTION
from sctcalib.simulate.hist_truth import HistTruth

FloatArray = NDArray[np.float64]

OUTLIER = 6.0
"""Standard deviations; of 8176 right values one exceeds it in 60 000 runs."""
_ENOUGH = 25.0
"""Expected counts above which the mean of the pulls has no bias of its own."""
_PRINTED = 5e-6
"""Relative error of numbers printed with six digits."""
_WIDTH_SPREAD = 1.2
"""Error of a fitted minimum width over 0.4 / root(clusters): three parameters share the data."""
_SPREAD = 0.4
_MANY_CLUSTERS = 100_000
"""Fits of fewer may fail (algorithms-hist.md 5.3); not all files say whether they did."""
_ANGLE_FLOOR, _WIDTH_FLOOR = 0.005, 2e-4
"""What the fit's own approximations cost: degrees, strips."""

EFFICIENCY, NOISE, RAW, ERRORS = "efficiency", "noise occupancy", "raw occupancy", "BS errors"
ANGLE, WIDTH = "Lorentz angle", "min. cluster width"
LINKS = "nErrLink"


class FoundAngle(NamedTuple):
    """One fitted profile."""

    angle: float
    width: float
    error: float | None = None
    """Of the angle; None where a file does not say."""
    converged: bool | None = None


@dataclass(frozen=True)
class FoundMonitoring:
    """What a job found; arrays of shape (8176,), NaN for wafers without a value.

    None, or nothing in a mapping, stands for what the file does not hold.
    """

    efficiency: FloatArray | None = None
    noise: FloatArray | None = None
    raw: FloatArray | None = None
    errors: NDArray[np.int64] | None = None
    """Counts, shape (8176, 15)."""
    lorentz: Mapping[LorentzKey, FoundAngle] = field(default_factory=dict)
    means: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    """Averages or counts by layer label, shape (48,), by the name that summaries give them."""


@dataclass(frozen=True)
class Agreement:
    """Comparison of one quantity."""

    name: str
    compared: int
    outliers: tuple[str, ...]
    """What disagrees."""
    mean: float = 0.0
    """Of the pulls."""
    width: float = 0.0
    """Root of the mean squared pull; 1 is expected of many counts, 0 of an exact comparison."""

    @property
    def is_right(self) -> bool:
        return not self.outliers


def compare_monitoring(truth: HistTruth, found: FoundMonitoring) -> list[Agreement]:
    """Judge everything that was found."""
    result = []
    if found.efficiency is not None:
        result.append(_efficiency(truth, found.efficiency))
    if found.noise is not None:
        candidates = _occupancies(truth, N_TIME_BINS * found.noise)
        result.append(min(candidates, key=_badness))
    if found.raw is not None:
        result.append(_occupancy(RAW, truth.detector.hits, truth.n_events, found.raw))
    if found.errors is not None:
        result.append(_errors(truth, found.errors))
    if found.lorentz:
        result += [_angles(truth, found.lorentz), _widths(truth, found.lorentz)]
    result += [_means(truth, name, values) for name, values in found.means.items()]
    return result


def _badness(agreement: Agreement) -> tuple[int, float]:
    """Of the quantities that a number may be, that one is meant which it fits best."""
    return len(agreement.outliers), abs(agreement.width - 1)


def _efficiency(truth: HistTruth, value: FloatArray) -> Agreement:
    """Binomial pulls of the numbers of misses; sides without crossings have efficiency 0."""
    n, p = truth.crossings, 1 - truth.detector.efficiency
    misses = np.rint(n * (1 - value))
    part = np.sqrt(np.clip((misses + 3 / 8) / (n + 3 / 4), 0, 1))
    expected = np.sqrt(np.minimum((n * p + 1 / 8) / (n + 1 / 4), 1))
    stable = np.sqrt(4 * n + 2) * (np.arcsin(part) - np.arcsin(expected))
    near = _half_nearer(misses, n * p)
    pulls = _signed_root(near - n * p, _log_ratio(near, n * p) + _log_ratio(n - near, n * (1 - p)))
    nothing = n == 0
    outside = ~((value >= 0) & (value <= 1)) | (nothing & (value != 0))
    stable = np.where(n * p > _ENOUGH, stable, np.nan)
    return _judge_wafers(EFFICIENCY, value, pulls, outside, stable)


def _occupancies(truth: HistTruth, value: FloatArray) -> Iterator[Agreement]:
    """Hits or noise, of all events or of the trigger's: the configuration says which it is."""
    detector = truth.detector
    yield _occupancy(f"{NOISE} (hits)", detector.hits, truth.n_events, value)
    yield _occupancy(f"{NOISE} (noise)", detector.noise, truth.n_events, value)
    yield _occupancy(f"{NOISE} (trigger)", detector.noise, truth.trigger_events, value)


def _occupancy(name: str, truth: FloatArray, n_events: int, value: FloatArray) -> Agreement:
    """Poisson pulls of the numbers of hits."""
    expected = N_STRIPS * n_events * truth
    counts = np.maximum(N_STRIPS * n_events * value, 0)
    stable = 2 * (np.sqrt(counts + 3 / 8) - np.sqrt(expected + 1 / 8))
    near = _half_nearer(counts, expected)
    pulls = _signed_root(near - expected, _log_ratio(near, expected) - (near - expected))
    nothing = expected == 0
    outside = ~(value >= 0) | (nothing & (value != 0))
    stable = np.where(expected > _ENOUGH, stable, np.nan)
    return _judge_wafers(name, value, pulls, outside, stable)


def _half_nearer(counts: FloatArray, expected: FloatArray) -> FloatArray:
    deviation = counts - expected
    nearer = np.sign(deviation) * np.maximum(np.abs(deviation) - 0.5, 0)
    return np.asarray(expected + nearer)


def _log_ratio(counts: FloatArray, expected: FloatArray) -> FloatArray:
    """counts * log(counts / expected); 0 where either is."""
    defined = (counts > 0) & (expected > 0)
    ratio = np.divide(counts, expected, out=np.ones_like(expected), where=defined)
    return np.asarray(np.where(defined, counts, 0) * np.log(ratio))


def _signed_root(deviation: FloatArray, half_deviance: FloatArray) -> FloatArray:
    return np.asarray(np.sign(deviation) * np.sqrt(np.maximum(2 * half_deviance, 0)))


def _judge_wafers(
    name: str,
    value: FloatArray,
    pulls: FloatArray,
    outside: NDArray[np.bool_],
    stable: FloatArray,
) -> Agreement:
    """Outliers, and a common shift of all others.

    ``outside`` are values that cannot be; ``stable`` is NaN where little was expected.
    """
    wrong = outside | (np.abs(pulls) > OUTLIER)
    stable = stable[~wrong & np.isfinite(stable)]
    outliers = [
        f"{_side(wafer)}: {value[wafer]:g}, pull {pulls[wafer]:.1f}"
        for wafer in np.flatnonzero(wrong).tolist()
    ]
    if not len(stable):
        return Agreement(name, len(value), tuple(outliers))
    mean, width = float(stable.mean()), float(np.sqrt((stable**2).mean()))
    if abs(mean) * np.sqrt(len(stable)) > OUTLIER:
        outliers.append(f"all together: the mean of {len(stable)} pulls is {mean:.3f}")
    return Agreement(name, len(value), tuple(outliers), mean, width)


def _errors(truth: HistTruth, counts: NDArray[np.int64]) -> Agreement:
    outliers = tuple(
        f"{_side(wafer)}: {' '.join(map(str, counts[wafer].tolist()))}, expected"
        f" {' '.join(map(str, truth.errors[wafer].tolist()))}"
        for wafer in np.flatnonzero((counts != truth.errors).any(axis=1)).tolist()
    )
    return Agreement(ERRORS, N_WAFERS, outliers)


def _angles(truth: HistTruth, found: Mapping[LorentzKey, FoundAngle]) -> Agreement:
    """Pulls by the errors of the fit; fits that say that they failed are not judged."""
    pulls = {}
    for key, fit in _fitted(truth, found):
        given = _expected_angle_error(truth, key) if fit.error is None else fit.error
        deviation = fit.angle - truth.detector.lorentz[key].angle
        pulls[key] = deviation / np.hypot(given, _ANGLE_FLOOR)
    return _judge_profiles(ANGLE, pulls, {key: fit.angle for key, fit in found.items()})


def _widths(truth: HistTruth, found: Mapping[LorentzKey, FoundAngle]) -> Agreement:
    pulls = {}
    for key, fit in _fitted(truth, found):
        curve = truth.detector.lorentz[key]
        error = np.hypot(_width_error(truth, key), _WIDTH_FLOOR)
        pulls[key] = (fit.width - mean_width(curve.angle, *curve.parameters)) / error
    return _judge_profiles(WIDTH, pulls, {key: fit.width for key, fit in found.items()})


def _fitted(
    truth: HistTruth, found: Mapping[LorentzKey, FoundAngle]
) -> Iterator[tuple[LorentzKey, FoundAngle]]:
    """Those of which the fit says, or so many clusters promise, that it converged."""
    for key, fit in found.items():
        enough = truth.clusters[key] >= _MANY_CLUSTERS
        if truth.clusters[key] and (enough if fit.converged is None else fit.converged):
            yield key, fit


def _width_error(truth: HistTruth, key: LorentzKey) -> float:
    """A third of the clusters are near the minimum."""
    return float(_WIDTH_SPREAD * _SPREAD / np.sqrt(truth.clusters[key] / 3))


def _expected_angle_error(truth: HistTruth, key: LorentzKey) -> float:
    """Where a file gives none: the shift of the curve that changes widths by their error."""
    slope_per_degree = truth.detector.lorentz[key].a * np.pi / 180
    return _width_error(truth, key) / float(slope_per_degree)


def _judge_profiles(
    name: str, pulls: Mapping[LorentzKey, float], values: Mapping[LorentzKey, float]
) -> Agreement:
    outliers = tuple(
        f"layer {key[0]} side {key[1]} <{key[2]}>: {values[key]:g}, pull {pull:.1f}"
        for key, pull in pulls.items()
        if not abs(pull) <= OUTLIER
    )
    all_pulls = np.array(list(pulls.values()) or [0.0])
    width = float(np.sqrt((all_pulls**2).mean()))
    return Agreement(name, len(pulls), outliers, float(all_pulls.mean()), width)


def _means(truth: HistTruth, name: str, values: FloatArray) -> Agreement:
    """Averages of the summaries; the number of links with errors must be exact."""
    if name == LINKS:
        links = layer_sums(np.asarray(truth.errors.any(axis=1)))
        return _judge_means(name, values, links, np.zeros_like(links))
    agreements = [
        _judge_means(label, scale * values, *_layer_average(expected, variance))
        for label, scale, expected, variance in _expected_means(truth, name)
    ]
    return min(agreements, key=_badness)


def _expected_means(
    truth: HistTruth, name: str
) -> Iterator[tuple[str, float, FloatArray, FloatArray]]:
    """Label, factor, and the expectation and variance of each wafer."""
    detector, n = truth.detector, truth.n_events
    if name in ("meanEff", "meanEff_bcid1"):
        part = 1.0 if name == "meanEff" else FIRST_BCID_FRACTION
        crossings = part * truth.crossings
        filled = 1 - np.exp(-crossings) if part < 1 else (crossings > 0).astype(np.float64)
        p = detector.efficiency
        variance = p * (1 - p) / np.maximum(crossings, 1) + p**2 * filled * (1 - filled)
        yield name, 1.0, p * filled, variance
    elif name == "meanRO":
        yield name, 1.0, detector.hits, detector.hits / max(N_STRIPS * n, 1)
    else:
        for label, occupancy, events in (
            ("hits", detector.hits, n),
            ("noise", detector.noise, n),
            ("trigger", detector.noise, truth.trigger_events),
        ):
            variance = occupancy / max(N_STRIPS * events, 1)
            yield f"{name} ({label})", N_TIME_BINS, occupancy * (events > 0), variance


def _layer_average(expected: FloatArray, variance: FloatArray) -> tuple[FloatArray, FloatArray]:
    n_sides = np.bincount(layer_of_wafer())
    return layer_sums(expected) / n_sides, np.sqrt(layer_sums(variance)) / n_sides


def _judge_means(
    name: str, values: FloatArray, expected: FloatArray, sigma: FloatArray
) -> Agreement:
    error = np.hypot(sigma, _PRINTED * np.abs(expected))
    deviation = values - expected
    with np.errstate(divide="ignore", invalid="ignore"):
        pulls = np.where(deviation == 0, 0.0, deviation / error)
    labels = layer_labels()
    outliers = tuple(
        f"{labels[i].part} layer {labels[i].layer} eta {labels[i].eta}: {values[i]:g},"
        f" expected {expected[i]:g}"
        for i in np.flatnonzero(~(np.abs(pulls) <= OUTLIER)).tolist()
    )
    finite = pulls[np.isfinite(pulls)]
    width = float(np.sqrt((finite**2).mean())) if len(finite) else 0.0
    return Agreement(name, len(values), outliers, float(finite.mean()) if len(finite) else 0, width)


def _side(wafer: int) -> str:
    return f"{module_names()[wafer // 2]} side {wafer % 2}"
