"""A detector whose efficiencies, occupancies, errors and Lorentz angles are known, and a run of it.

`plan` makes what is true; `measure` draws what the monitoring of the run counts. Sides and events
are independent: efficiencies are binomial, hits are Poisson distributed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sctcalib.detector.geometry import noise_occupancy, radius_mm
from sctcalib.detector.identifiers import IntArray, wafers
from sctcalib.detector.regions import BARREL_PHI, N_MODULES, N_STRIPS, N_WAFERS
from sctcalib.histograms.layouts import Axis
from sctcalib.histograms.monitoring import LorentzKey
from sctcalib.histograms.monitoring_names import LORENTZ_AXES, SENSOR_TYPES, has_no_modules
from sctcalib.parts.bytestream_errors import ERROR_NAMES, N_POSITIONS
from sctcalib.parts.lorentz_angle import WidthModel
from sctcalib.simulate.hist_settings import HistSettings

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

N_JOBS = 4
"""Monitoring jobs whose files were merged; 21.0 averages occupancies job by job."""
TRIGGER_FRACTION = 0.01
"""Events of the empty-bunch trigger."""
NOISY_LAYER_FACTOR = 20.0
_EFFICIENCY = (0.97, 0.998)
_LOW_EFFICIENCY = (0.5, 0.9)
FIRST_BCID_FRACTION = 0.08
_CROSSINGS = 0.02
"""Accepted track crossings per side and event."""
_TRACK_OCCUPANCY = 8e-3
"""Of the innermost barrel layer."""
_INNERMOST_MM = 299.0
_SPREAD = 0.3
"""Of the logarithm of noise occupancies, from side to side."""
_FLAGGED_FRACTION = 1e-4
"""Events with the SCT error flag: counted, but not looked at for errors."""
_MASKED_LINK = 11
_ANGLES = (-4.0, 6.0)
"""Mean and width of the incidence angles of tracks, degrees."""
_PART_100 = 0.015
"""Tracks on <100> sensors, relative to those on <111>."""


@dataclass(frozen=True)
class LorentzTruth:
    """Parameters of one width curve (algorithms-hist.md 5.2)."""

    a: float
    angle: float
    b: float
    sigma: float

    @property
    def parameters(self) -> tuple[float, float, float, float]:
        return self.a, self.angle, self.b, self.sigma


@dataclass(frozen=True)
class Detector:
    """What is true; arrays over the wafers, shape (8176,), dimensionless."""

    enabled: BoolArray
    """Sides that the configuration has as good; the others measure nothing."""
    efficiency: FloatArray
    noise: FloatArray
    """Noise hits per strip and event."""
    hits: FloatArray
    """All hits per strip and event."""
    lorentz: dict[LorentzKey, LorentzTruth]


@dataclass(frozen=True)
class Monitoring:
    """What was counted: arrays over the wafers, shape (8176,), or (jobs, 8176)."""

    enabled: BoolArray
    crossings: IntArray
    found: IntArray
    crossings_first: IntArray
    found_first: IntArray
    job_events: IntArray
    """Events of each job, shape (jobs,)."""
    hits: IntArray
    noise_hits: IntArray
    trigger_events: int
    trigger_hits: IntArray
    flagged_events: int
    errors: IntArray
    """Events with an error, shape (8176, 15)."""
    widths: dict[LorentzKey, tuple[IntArray, IntArray, IntArray]]
    """Per bin of incidence angle: clusters, sum of widths, sum of squared widths."""


def plan(rng: np.random.Generator, settings: HistSettings) -> Detector:
    """Draw a detector; numbers have six digits, as in the file of the truth."""
    modules = rng.permutation(N_MODULES)
    enabled = np.ones(N_WAFERS, dtype=bool)
    efficiency = rng.uniform(*_EFFICIENCY, N_WAFERS)
    inefficient = _wafers_of(modules[: settings.n_inefficient])
    efficiency[inefficient] = rng.uniform(*_LOW_EFFICIENCY, len(inefficient))
    enabled[_wafers_of(modules[settings.n_inefficient :][: settings.n_disabled])] = False
    noise = np.repeat(noise_occupancy(), 2) * rng.lognormal(0, _SPREAD, N_WAFERS)
    w = wafers()
    for place in settings.noisy_layers:
        noise[(w.bec == place.bec) & (w.layer == place.layer)] *= NOISY_LAYER_FACTOR
    tracks = _TRACK_OCCUPANCY * (_INNERMOST_MM / np.repeat(radius_mm(), 2)) ** 1.5
    hits = noise + tracks * rng.lognormal(0, _SPREAD / 3, N_WAFERS)
    measured = enabled & (not settings.is_empty)
    return Detector(
        enabled,
        six_digits(efficiency * measured),
        six_digits(noise * measured),
        six_digits(hits * measured),
        _lorentz(rng, settings.lorentz_angle),
    )


def measure(rng: np.random.Generator, settings: HistSettings, detector: Detector) -> Monitoring:
    """Draw what the monitoring of a run counts."""
    n = settings.n_events
    crossings = rng.poisson(_CROSSINGS * n * (detector.efficiency > 0))
    found = rng.binomial(crossings, detector.efficiency)
    first = rng.binomial(crossings, FIRST_BCID_FRACTION)
    found_first = rng.hypergeometric(found, crossings - found, first)
    job_events = np.diff(n * np.arange(N_JOBS + 1) // N_JOBS)
    strips = N_STRIPS * job_events[:, None]
    noise_hits = rng.poisson(strips * detector.noise)
    track_hits = rng.poisson(strips * (detector.hits - detector.noise))
    trigger_events = int(n * TRIGGER_FRACTION)
    flagged = 0 if settings.is_empty else int(rng.binomial(n, _FLAGGED_FRACTION))
    return Monitoring(
        enabled=detector.enabled,
        crossings=crossings,
        found=found,
        crossings_first=first,
        found_first=found_first,
        job_events=job_events,
        hits=noise_hits + track_hits,
        noise_hits=noise_hits,
        trigger_events=trigger_events,
        trigger_hits=rng.poisson(N_STRIPS * trigger_events * detector.noise),
        flagged_events=flagged,
        errors=_errors(rng, settings, detector.enabled, n - flagged),
        widths=_widths(rng, settings, detector),
    )


def six_digits(values: FloatArray) -> FloatArray:
    """Values rounded to six significant digits, exactly as a text of them would be read."""
    return np.array([float(f"{value:.6g}") for value in values.tolist()])


def _wafers_of(modules: IntArray) -> IntArray:
    return np.concatenate([2 * modules, 2 * modules + 1])


def _errors(
    rng: np.random.Generator, settings: HistSettings, enabled: BoolArray, n_events: int
) -> IntArray:
    """One to three error types on some sides, in 1e-4 to all of the events; one side is masked."""
    errors = np.zeros((N_WAFERS, N_POSITIONS), dtype=np.int64)
    if settings.is_empty or not n_events:
        return errors
    # no module has two of them, so that none of the others can take its place unseen
    sides = rng.permutation(N_MODULES)[: settings.n_error_links]
    links = 2 * sides + rng.integers(0, 2, len(sides))
    links = links[enabled[links]]
    for wafer in links.tolist():
        types = rng.permutation(list(ERROR_NAMES))[: rng.integers(1, 4)]
        chance = 10 ** rng.uniform(-4, 0, len(types))
        errors[wafer, types] = np.maximum(1, rng.binomial(n_events, chance))
    errors[links[:1], _MASKED_LINK] = n_events
    return errors


def _lorentz(rng: np.random.Generator, angle: float) -> dict[LorentzKey, LorentzTruth]:
    """Curves of all layers, sides and sensor types; the angle differs a little."""
    curves = {}
    for layer in range(len(BARREL_PHI)):
        for side in (0, 1):
            for sensor in SENSOR_TYPES:
                shift = 0.1 * (layer - 1.5) + (0.5 if sensor == SENSOR_TYPES[0] else 0.0)
                a, b, sigma = rng.uniform((1.1, 1.09, 2.2), (1.3, 1.12, 2.8))
                drawn = a, angle + shift + rng.uniform(-0.1, 0.1), b, sigma
                curves[layer, side, sensor] = LorentzTruth(*six_digits(np.array(drawn)).tolist())
    return curves


def _widths(
    rng: np.random.Generator, settings: HistSettings, detector: Detector
) -> dict[LorentzKey, tuple[IntArray, IntArray, IntArray]]:
    """Clusters at each incidence angle: widths are the whole numbers around the curve.

    So their spread is 0.3 to 0.5 strips where the curve is between 1.1 and 1.5.
    """
    axis = lorentz_axis(settings.style)
    degrees = axis.low + (np.arange(axis.n) + 0.5) * (axis.high - axis.low) / axis.n
    density = np.exp(-(((degrees - _ANGLES[0]) / _ANGLES[1]) ** 2) / 2)
    density /= density.sum()
    tracks = 0.0 if settings.is_empty else settings.lorentz_tracks * settings.n_events
    widths = {}
    for key, curve in detector.lorentz.items():
        part = 1.0 if key[2] != SENSOR_TYPES[0] else _PART_100
        n = rng.poisson(tracks * part * (not has_no_modules(*key)) * density)
        mean = np.maximum(WidthModel(degrees)(*curve.parameters), 1.0)
        small = np.floor(mean).astype(np.int64)
        larger = rng.binomial(n, mean - small)
        squares = n * small**2 + larger * (2 * small + 1)
        widths[key] = n, n * small + larger, squares
    return widths


def lorentz_axis(style: str) -> Axis:
    """Bins of incidence angle."""
    return LORENTZ_AXES[0 if style == "21.0" else 1]
