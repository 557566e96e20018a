"""The Lorentz-angle fit next to ROOT's own fit of the same profiles (algorithms-hist.md 5).

They run where the ROOT wheel is installed: ``pytest -m root``.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from sctcalib.histograms.monitoring import LorentzKey, WidthProfile, open_hist
from sctcalib.histograms.monitoring_names import has_no_modules, lorentz_paths
from sctcalib.parts.lorentz_angle import START, LorentzFit, Profile, WidthModel, fit, mean_width
from sctcalib.simulate.hist_files import write_objects
from sctcalib.simulate.hist_model import lorentz_axis, measure, plan
from sctcalib.simulate.hist_objects import profile_1d
from sctcalib.simulate.hist_settings import HistSettings
from tests.support.processes import ROOT as CHECKOUT

pytestmark = pytest.mark.root

RUN = 267367
LAYER_0, ALL_LAYERS = ((0, 0, 111), (0, 1, 111)), tuple(k for k in lorentz_paths() if k[2] == 111)
CASES = [
    ("master", 1, "Minuit", ALL_LAYERS),
    ("master", 2, "Minuit2", ALL_LAYERS),
    ("master", 3, "Minuit2", ALL_LAYERS),
    ("21.0", 1, "Minuit", LAYER_0),
    ("21.0", 2, "Minuit2", LAYER_0),
]
"""Style of the bins, seed, ROOT's minimiser, and profiles; Athena's releases used Minuit."""
TRACKS = 40.0
"""Per event, four times the default: with fewer, minimisers differ in what they call converged."""
FRACTION_OF_ERROR = 0.1
"""Both stop when the chi-square is within 0.002 of its minimum: 0.045 errors on either side."""

FIT = (CHECKOUT / "tests" / "support" / "root_lorentz_fit.C").read_text()


class Fitted(NamedTuple):
    """What ROOT found."""

    parameters: tuple[float, ...]
    errors: tuple[float, ...]
    chi2: float
    converged: bool
    attempts: int


@pytest.fixture(scope="module")
def root() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = pytest.importorskip("ROOT")
        module.gROOT.SetBatch(True)
        module.TH1.AddDirectory(False)
        module.gErrorIgnoreLevel = module.kFatal
        module.gInterpreter.Declare(FIT)
    return module


def write_profiles(path: Path, **settings: Any) -> None:
    """The profiles of a simulated run, as a HIST file has them."""
    asked = HistSettings(run=RUN, **settings)
    detector = plan(np.random.default_rng([asked.seed, 1]), asked)
    widths = measure(np.random.default_rng([asked.seed, 2]), asked, detector).widths
    axis = lorentz_axis(asked.style)
    made = {
        path: profile_1d("", axis, *(np.pad(bins, 1) for bins in widths[key]))
        for key, path in lorentz_paths().items()
        if not has_no_modules(*key)
    }
    write_objects(path, RUN, iter(made.items()))


def read_profiles(path: Path) -> Mapping[LorentzKey, WidthProfile | None]:
    with open_hist(path, RUN) as hist:
        return hist.lorentz()


def ours(widths: WidthProfile | None) -> LorentzFit:
    assert widths is not None
    return fit(Profile(widths.degrees, widths.width, widths.error, widths.entries))


def fit_of(root: Any, profile: Any, minimiser: str) -> Fitted:
    root.Math.MinimizerOptions.SetDefaultMinimizer(minimiser)
    found = root.sct_lorentz.fit(profile)
    values, errors = tuple(found.values), tuple(found.errors)
    return Fitted(values, errors, found.chi2, found.status == 0, found.attempts)


def test_function_is_that_of_root(root):
    rng = np.random.default_rng(4)
    for _ in range(200):
        x, angle, sigma = rng.uniform(-9, 2), rng.uniform(-30, 20), rng.uniform(0.1, 16)
        parameters = (rng.uniform(0.1, 3), angle, rng.uniform(0.5, 1.5), sigma)
        expected = root.sct_lorentz.at(x, *parameters)
        (series,) = WidthModel(np.array([x]))(*parameters)
        assert series == pytest.approx(expected, rel=1e-11)
        assert mean_width(x, *parameters) == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("style", ["21.0", "master"])
def test_bins_and_errors_are_those_of_root(root, tmp_path, style):
    path = tmp_path / "h.root"
    write_profiles(path, style=style, seed=4)
    file = root.TFile(str(path))
    for key, widths in read_profiles(path).items():
        if widths is None:
            continue
        profile = file.Get(f"run_{RUN}/{lorentz_paths()[key]}")
        bins = range(1, profile.GetNbinsX() + 1)
        assert widths.degrees == pytest.approx([profile.GetBinCenter(i) for i in bins])
        assert widths.width == pytest.approx([profile.GetBinContent(i) for i in bins])
        assert widths.entries == pytest.approx([profile.GetBinEntries(i) for i in bins])
        errors = [profile.GetBinError(i) for i in bins]
        assert widths.error == pytest.approx(errors, rel=1e-9)
        assert max(errors) > 0


@pytest.mark.parametrize(
    ("style", "seed", "minimiser", "keys"), CASES, ids=[f"{c[0]}-{c[1]}-{c[2]}" for c in CASES]
)
def test_fits_agree_where_both_converge(root, tmp_path, style, seed, minimiser, keys):
    path = tmp_path / "h.root"
    write_profiles(path, style=style, seed=seed, lorentz_tracks=TRACKS)
    profiles, file = read_profiles(path), root.TFile(str(path))
    both = 0
    for key in keys:
        own = ours(profiles[key])
        other = fit_of(root, file.Get(f"run_{RUN}/{lorentz_paths()[key]}"), minimiser)
        # ROOT's MINOS fails now and then where ours does not; not the other way round
        assert own.converged or not other.converged, key
        if not other.converged:
            continue
        both += 1
        assert own.chi2 == pytest.approx(other.chi2, rel=1e-3), key
        assert own.angle == pytest.approx(other.parameters[1], rel=1e-3), key
        width = mean_width(other.parameters[1], *other.parameters)
        assert own.min_width == pytest.approx(width, rel=1e-4), key
        for value, expected, error in zip(
            own.parameters, other.parameters, own.errors, strict=True
        ):
            assert value == pytest.approx(expected, abs=FRACTION_OF_ERROR * error), key
        assert 1 / 2 < own.errors[1] / other.errors[1] < 2, key
    assert both >= len(keys) - 2


@pytest.mark.parametrize("style", ["21.0", "master"])
def test_empty_profile_is_left_at_its_start_by_root_too(root, style):
    axis = lorentz_axis(style)
    other = fit_of(root, root.TProfile("p", "", axis.n, axis.low, axis.high), "Minuit")
    nothing = np.zeros(axis.n)
    own = fit(Profile(nothing, nothing, nothing, nothing))
    assert own.parameters == other.parameters == START
    assert (own.converged, own.attempts) == (other.converged, other.attempts) == (False, 3)
    assert own.errors == other.errors == (0, 0, 0, 0)
