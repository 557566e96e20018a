"""The Lorentz-angle fit: algorithms-hist.md 5 and examples 9-11 of section 8."""

from __future__ import annotations

import numpy as np
import pytest

from sctcalib.parts.lorentz_angle import (
    NOT_FITTED,
    START,
    Profile,
    WidthModel,
    fit,
    mean_width,
)

TRUE = (1.2, -4.0, 1.1, 2.5)
RUN2, NEW = (0.1, -18.0), (0.5, -90.0)
"""Bin width and lower edge of the profiles of both eras, 360 bins."""


def centres(binning):
    width, low = binning
    return low + width * (np.arange(360) + 0.5)


def profile(binning, *, error=0.005, parameters=TRUE):
    x = centres(binning)
    widths = WidthModel(x)(*parameters)
    return Profile(x, widths, np.full(360, error), np.full(360, 1000.0))


@pytest.mark.parametrize(
    ("degrees", "parameters", "value"),
    [(-5, START, 1.1582006361), (0, START, 1.2177483064), (-4, TRUE, 1.1421467655),
     (2, TRUE, 1.2263033644), (-9, TRUE, 1.2075309050), (0.05, TRUE, 1.1874160866)],
)  # fmt: skip
def test_function(degrees, parameters, value):
    assert mean_width(degrees, *parameters) == pytest.approx(value, abs=2e-10)


def plain_sum(x, a, angle, b, sigma):
    """The sum of 5.2 as it stands there."""
    step, k = 10 * sigma / 999, np.pi / 180
    u = x - 5 * sigma + step * np.arange(999)
    ideal = a * np.abs(np.tan(k * u) - np.tan(k * angle)) + b
    gauss = np.exp(-(((x - u) / sigma) ** 2) / 2) * 0.017455 / (np.sqrt(2 * np.pi) * k * sigma)
    return (ideal * gauss).sum() * step


@pytest.mark.parametrize("sigma", [1e-3, 0.1, 0.7, 2, 5, 9.9, 14, 14.3, 16, 30, 50])
@pytest.mark.parametrize("angle", [-60, -9.01, -4, 0, 1.95, 12, 89.9, 95])
def test_function_is_the_sum_of_999_terms_for_any_parameters(sigma, angle):
    x = np.array([-8.95, -8.75, -4, -3.95, 0, 0.05, 1.95])
    found = WidthModel(x)(1.3, angle, 1.1, sigma)
    expected = [plain_sum(each, 1.3, angle, 1.1, sigma) for each in x]
    np.testing.assert_allclose(found, expected, rtol=1e-11)


@pytest.mark.parametrize(("binning", "bins"), [(RUN2, 110), (NEW, 22)])
def test_bins_of_both_eras_within_the_range(binning, bins):
    assert len(profile(binning).fitted().degrees) == bins


@pytest.mark.parametrize(("binning", "error"), [(RUN2, 0.033), (NEW, 0.075)])
def test_noise_free_profile_gives_its_parameters_back(binning, error):
    found = fit(profile(binning))
    assert found.converged
    assert found.attempts == 1
    assert found.angle == pytest.approx(-4, abs=0.01)
    assert found.a == pytest.approx(1.2, abs=0.01)
    assert found.sigma == pytest.approx(2.5, abs=0.02)
    assert found.min_width == pytest.approx(1.1421, abs=1e-4)
    assert found.errors[1] == pytest.approx(error, rel=0.1)
    assert found.chi2 < 1e-3


def test_empty_profile_keeps_the_start_values():
    empty = Profile(centres(RUN2), np.zeros(360), np.zeros(360), np.zeros(360))
    found = fit(empty)
    assert (found.parameters, found.errors, found.chi2) == (START, (0, 0, 0, 0), 0)
    assert (found.converged, found.attempts, empty.is_empty) == (False, 3, True)
    assert f"{found.min_width:.6g}" == "1.1582"
    assert f"{found.min_width_error_field:.6g}" == "1.21775"


def test_layer_1_has_no_100_modules():
    assert (NOT_FITTED.min_width, NOT_FITTED.min_width_error_field) == (0, 0)
    assert not NOT_FITTED.converged


def test_bins_without_error_are_left_out():
    noisy = profile(RUN2)
    noisy.width[100], noisy.error[100] = 50.0, 0.0
    assert fit(noisy).angle == pytest.approx(-4, abs=0.01)


def test_propagated_error_of_the_minimum_width_is_small_and_real():
    found = fit(profile(RUN2))
    assert 1e-4 < found.propagated_error < 5e-3


def fluctuated(rng, binning, entries, spread=0.4):
    x = centres(binning)
    error = np.full(360, spread / np.sqrt(entries))
    widths = rng.normal(WidthModel(x)(*TRUE), error)
    return Profile(x, widths, error, np.full(360, float(entries)))


def test_pulls_of_the_angle_are_those_of_a_good_error():
    rng = np.random.default_rng(1)
    fits = [fit(fluctuated(rng, NEW, 20_000)) for _ in range(230)]
    good = [found for found in fits if found.converged and found.attempts == 1]
    assert len(good) >= 200
    pulls = np.array([(found.angle - TRUE[1]) / found.errors[1] for found in good])
    assert abs(pulls.mean()) < 0.2
    assert 0.8 < pulls.std() < 1.2


def test_poor_statistics_take_further_attempts_and_always_end():
    rng = np.random.default_rng(2)
    fits = [fit(fluctuated(rng, NEW, 300)) for _ in range(10)]
    attempts = {found.attempts for found in fits}
    assert attempts <= {1, 2, 3}
    assert max(attempts) > 1
    assert all(np.isfinite(found.parameters).all() for found in fits)
