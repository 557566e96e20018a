"""HIST files that ROOT wrote, and simulated ones read by ROOT: the same numbers.

They run where the ROOT wheel is installed: ``pytest -m root``.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sctcalib.detector.identifiers import wafer_hash, wafers
from sctcalib.detector.regions import REGIONS
from sctcalib.histograms import monitoring_names as names
from sctcalib.histograms.layouts import Axis
from sctcalib.histograms.monitoring import open_hist
from sctcalib.histograms.monitoring_file import NestedRootFile
from sctcalib.parts.bytestream_errors import measure
from tests.histograms.monitoring_helpers import RUN, simulated, write

pytestmark = pytest.mark.root


@pytest.fixture(scope="module")
def root() -> Any:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = pytest.importorskip("ROOT")
        module.gROOT.SetBatch(True)
        module.TH1.AddDirectory(False)
    return module


def save(root: Any, path: Path, objects: dict[str, Any], *, run: int = RUN) -> Path:
    """Write ROOT objects with paths below the directory of the run."""
    file = root.TFile(str(path), "recreate")
    for place, each in objects.items():
        folder, _, name = f"run_{run}/{place}".rpartition("/")
        directory = file.GetDirectory(folder) or file.mkdir(folder, "", True)
        directory.WriteObject(each, name)
    file.Close()
    return path


def axes_of(region: int) -> tuple[float, ...]:
    return tuple(v for axis in names.AXES[region] for v in (axis.n, axis.low, axis.high))


@pytest.fixture(scope="module")
def filled(root: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """All 44 maps of three kinds, filled at random places, some with weights."""
    rng = np.random.default_rng(3)
    made: dict[str, Any] = {}
    for kind in (names.EFFICIENCY, names.EFFICIENCY_FIRST_BCID, names.HITS):
        for place, path in zip(names.MAPS, kind.paths(), strict=True):
            each = getattr(root, kind.class_name)("", "", *axes_of(place[0]))
            x, y = (rng.uniform(a.low - 1, a.high + 1, 600) for a in names.AXES[place[0]])
            hit = rng.uniform(size=600) < 0.9
            for i in range(600):
                if kind is names.HITS:
                    each.Fill(x[i], y[i], 1 + i % 4)
                elif kind is names.EFFICIENCY:
                    each.Fill(x[i], y[i], hit[i])
                else:
                    each.Fill(x[i], y[i], hit[i], 0.5)
            made[path] = each
    return save(root, tmp_path_factory.mktemp("root") / "a.root", made), made


def expected(made: dict[str, Any], kind: names.MapKind, method: str) -> list[float]:
    """What ROOT says of the bin of every wafer."""
    w = wafers()
    values = []
    for bec, layer, phi, eta, side in zip(w.bec, w.layer, w.phi, w.eta, w.side, strict=True):
        each = made[kind.path(int(bec) // 2 + 1, layer, side)]
        number = each.FindFixBin(float(eta), float(phi))
        values.append(getattr(each, method)(number))
    return values


@pytest.mark.parametrize("first", [False, True])
def test_profiles_in_two_dimensions(filled, first):
    path, made = filled
    kind = names.EFFICIENCY_FIRST_BCID if first else names.EFFICIENCY
    with open_hist(path, RUN) as hist:
        found = hist.efficiency_first_bcid() if first else hist.efficiency()
    assert found is not None
    assert_array_equal(found.content, expected(made, kind, "GetBinContent"))
    assert_array_equal(found.entries, expected(made, kind, "GetBinEntries"))
    assert 0 < np.count_nonzero(found.entries) < len(found.content)


def test_histograms_in_two_dimensions(filled):
    path, made = filled
    with open_hist(path, RUN) as hist:
        found = hist.hits()
    assert_array_equal(found.content, expected(made, names.HITS, "GetBinContent"))
    assert found.content.any()


@pytest.mark.parametrize("option", ["", "s", "i", "g"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("axis", names.LORENTZ_AXES, ids=str)
def test_profiles_with_each_error_option(root, tmp_path, option, weighted, axis):
    rng = np.random.default_rng(5)
    made = {}
    for path in names.lorentz_paths().values():
        each = root.TProfile("", "", axis.n, axis.low, axis.high, option)
        for x in rng.normal(-4, 6, 700):
            each.Fill(x, 1 + rng.poisson(0.3), *([rng.uniform(0.1, 3)] if weighted else []))
        each.Fill(11.01, 2)
        each.Fill(11.01, 2)  # entries without spread
        made[path] = each
    path = save(root, tmp_path / "a.root", made)
    with open_hist(path, RUN) as hist:
        found = hist.lorentz()
    for key, place in names.lorentz_paths().items():
        mine, each = found[key], made[place]
        assert mine is not None
        bins = range(1, axis.n + 1)
        assert_allclose(mine.degrees, [each.GetBinCenter(i) for i in bins], atol=1e-12)
        assert_array_equal(mine.width, [each.GetBinContent(i) for i in bins])
        assert_array_equal(mine.entries, [each.GetBinEntries(i) for i in bins])
        errors = np.array([each.GetBinError(i) for i in bins])
        # a spread that is rounding noise alone depends on the order of operations
        assert_allclose(mine.error, errors, rtol=1e-12, atol=1e-7)
        assert errors.any()


def test_labels_in_any_order(root, tmp_path):
    made = root.TH1I("", "", 8, -0.5, 7.5)
    labels = ["user", "noOutput", "online", "tier0", "tier0Raw", "tier0ESD", "AOD", "altprod"]
    for number, label in reversed(list(enumerate(labels, 1))):
        made.GetXaxis().SetBinLabel(number, label)
    made.SetBinContent(4, 700)
    made.SetBinContent(6, 900)
    made.SetBinContent(3, 9999)
    with open_hist(save(root, tmp_path / "a.root", {names.EVENTS_BY_ENVIRONMENT: made}), RUN) as h:
        assert h.n_events == 900


def test_entries_of_a_filled_counter(root, tmp_path):
    made = root.TH1F("", "Num of events per LB ", 3000, 0.5, 3000.5)
    for lumi_block in (1, 1, 2, 3000, 3001, 9999):
        made.Fill(lumi_block)
    with open_hist(save(root, tmp_path / "a.root", {names.N_EVENTS: made}), RUN) as hist:
        assert hist.n_events == 6


def test_bins_with_stored_edges(root, tmp_path):
    edges = np.linspace(-18, 18, 361)
    made = root.TProfile("", "", 360, edges)
    made.Fill(0.05, 2)
    path = save(root, tmp_path / "a.root", {"p": made})
    (bins,) = NestedRootFile(path).read({f"run_{RUN}/p": "TProfile"})
    assert bins.axes == (Axis(360, -18, 18),)
    assert bins.means()[181] == 2


def test_unequal_bins_are_refused(root, tmp_path):
    from sctcalib.job.errors import InputFileError

    edges = np.linspace(-18, 18, 361)
    edges[7] += 0.01
    path = save(root, tmp_path / "a.root", {"p": root.TProfile("", "", 360, edges)})
    with pytest.raises(InputFileError, match="p: its bins have unequal widths"):
        NestedRootFile(path).read({f"run_{RUN}/p": "TProfile"})


def test_fills_that_wait_in_a_buffer_are_refused(root, tmp_path):
    from sctcalib.job.errors import InputFileError

    made = root.TProfile("", "", 360, 0, 0)
    made.SetBuffer(1000)
    made.Fill(1.0, 2.0)
    path = save(root, tmp_path / "a.root", {"p": made})
    with pytest.raises(InputFileError, match="buffered"):
        NestedRootFile(path).read({f"run_{RUN}/p": "TProfile"})


@pytest.mark.parametrize("setting", [0, 101, 207, 404, 505], ids=["no", "ZL", "XZ", "L4", "ZS"])
def test_every_compression(root, tmp_path, setting):
    made = root.TProfile2D("", "", *axes_of(1))
    made.Fill(-6, 0, 1)
    file = root.TFile(str(tmp_path / "a.root"), "recreate", "", setting)
    file.mkdir("run_1/a/b", "", True).WriteObject(made, "p")
    file.Close()
    (bins,) = NestedRootFile(tmp_path / "a.root").read({"run_1/a/b/p": "TProfile2D"})
    assert bins.means()[16] == 1


@pytest.mark.parametrize("style", ["21.0", "master"])
def test_hadd_of_simulated_files_doubles_them(root, tmp_path, style):
    """Sums, entries and moments in a simulated file are such that ROOT adds them up."""
    one = write(tmp_path / "a.root", simulated(style)[2])
    two = write(tmp_path / "b.root", simulated(style)[2])
    home = Path(root.__file__).parent
    command = [str(home / "bin" / "hadd"), str(tmp_path / "c.root"), str(one), str(two)]
    libraries = {**os.environ, "LD_LIBRARY_PATH": str(home / "lib")}
    subprocess.run(command, check=True, capture_output=True, env=libraries)
    counted = simulated(style)[1]
    with open_hist(tmp_path / "c.root", RUN) as hist, open_hist(one, RUN) as single:
        assert hist.n_events == 40_000
        assert_array_equal(hist.hits().content, 2 * counted.hits.sum(axis=0))
        found = hist.efficiency()
        assert_array_equal(found.entries, 2 * counted.crossings)
        assert_allclose(found.content, single.efficiency().content, rtol=1e-12)
        errors = hist.errors()
        counts = measure(errors.content, errors.entries, 40_000).counts
        assert_array_equal(counts, 2 * counted.errors)
        profile, old = hist.lorentz()[0, 0, 111], single.lorentz()[0, 0, 111]
        assert profile is not None
        assert old is not None
        assert_allclose(profile.error, old.error / np.sqrt(2), rtol=1e-9)


@pytest.mark.parametrize("style", ["21.0", "master"])
def test_root_reads_simulated_files(root, tmp_path, style):
    path = write(tmp_path / "a.root", simulated(style)[2])
    counted = simulated(style)[1]
    file = root.TFile(str(path))
    assert not file.TestBit(root.TFile.kRecovered)
    wafer = wafer_hash(0, 3, 20, 4, 1)
    efficiency = file.Get(f"run_{RUN}/SCT/{REGIONS[1].directory}/eff/eff_3_1")
    number = efficiency.FindFixBin(4, 20)
    assert efficiency.GetBinEntries(number) == counted.crossings[wafer]
    assert efficiency.GetTitle() == "Hit efficiency of layer 3 / side 1 in Barrel"
    labels = file.Get(f"run_{RUN}/{names.EVENTS_BY_ENVIRONMENT}").GetXaxis()
    assert labels.FindBin("tier0ESD") == (6 if style == "21.0" else 5)
    width = file.Get(f"run_{RUN}/{names.lorentz_paths()[2, 0, 111]}")
    assert width.GetErrorOption() == ""
    n, sums, _ = counted.widths[2, 0, 111]
    assert width.GetEntries() == n.sum()
    at = int(n.argmax())
    assert width.GetBinContent(at + 1) == pytest.approx(sums[at] / n[at])
    file.Close()
