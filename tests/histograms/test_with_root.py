"""The same files through ROOT itself: `hadd`, `TFile`, and histograms that ROOT filled.

They run where the ROOT wheel is installed: ``pytest -m root``.
"""

from __future__ import annotations

import array
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sctcalib.detector.identifiers import wafer_names
from sctcalib.detector.regions import REGIONS
from sctcalib.histograms.hitmaps import merge_hitmaps, read_hitmaps, write_hitmaps
from sctcalib.histograms.lumiblocks import merge_lumi_blocks, read_lumi_blocks
from tests.histograms.conftest import HitMapFile, LumiBlockFile
from tests.histograms.helpers import WAFERS, WINDOWS, merge_small

pytestmark = pytest.mark.root


@pytest.fixture(scope="module")
def root() -> Any:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = pytest.importorskip("ROOT")
        module.gROOT.SetBatch(True)
        module.TH1.AddDirectory(False)
        module.gErrorIgnoreLevel = module.kPrint
        module.gInterpreter.Declare(COMPARE)
    return module


COMPARE = """
#include <TFile.h>
#include <TH2.h>
#include <TKey.h>
#include <string>
// the first difference between all histograms of two files, or nothing
std::string differences(const char* a, const char* b) {
  TFile one(a), two(b);
  if (one.IsZombie() || two.IsZombie()) return "zombie";
  if (one.TestBit(TFile::kRecovered) || two.TestBit(TFile::kRecovered)) return "recovered";
  for (TObject* top : *one.GetListOfKeys()) {
    TDirectory* left = one.GetDirectory(top->GetName());
    TDirectory* right = two.GetDirectory(top->GetName());
    if (!right) return std::string("no ") + top->GetName();
    if (left->GetListOfKeys()->GetSize() != right->GetListOfKeys()->GetSize()) return "keys";
    for (TObject* key : *left->GetListOfKeys()) {
      std::string name = key->GetName();
      TH1* x = left->Get<TH1>(name.c_str());
      TH1* y = right->Get<TH1>(name.c_str());
      bool same = y && std::string(x->ClassName()) == y->ClassName() && x->GetName() == name &&
          y->GetName() == name && std::string(x->GetTitle()) == y->GetTitle() &&
          x->GetEntries() == y->GetEntries() && x->GetNcells() == y->GetNcells() &&
          x->GetXaxis()->GetXmin() == y->GetXaxis()->GetXmin() &&
          x->GetXaxis()->GetXmax() == y->GetXaxis()->GetXmax() &&
          x->GetYaxis()->GetXmax() == y->GetYaxis()->GetXmax() &&
          x->GetSumw2N() == y->GetSumw2N();
      double s[13] = {0}, t[13] = {0};
      if (same) { x->GetStats(s); y->GetStats(t); }
      for (int i = 0; same && i < 13; ++i) same = s[i] == t[i];
      for (int i = 0; same && i < x->GetNcells(); ++i)
        same = x->GetBinContent(i) == y->GetBinContent(i) &&
               x->GetBinError(i) == y->GetBinError(i);
      delete x;
      delete y;
      if (!same) return name;
    }
  }
  return "";
}
"""


def hadd(output: Path, inputs: list[Path], root: Any, *options: str) -> None:
    home = Path(root.__file__).parent
    options = options or ("-f",)
    command = [str(home / "bin" / "hadd"), *options, str(output), *map(str, inputs)]
    libraries = {"LD_LIBRARY_PATH": str(home / "lib")}
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, **libraries})


def test_sum_of_ten_hit_maps_is_that_of_hadd(tmp_path: Path, root: Any) -> None:
    paths = []
    for number in range(10):
        random = np.random.default_rng(number)
        counts = random.poisson(0.3, (8176, 768))
        counts[:5] *= 1_500_000  # above 2**24 after a few files
        path = tmp_path / f"{number}.root"
        write_hitmaps(path, counts, 100 + number, overflow=random.poisson(0.1, 8176))
        paths.append(path)
    merge_hitmaps(paths, tmp_path / "ours.root")
    hadd(tmp_path / "theirs.root", paths, root)
    assert root.differences(str(tmp_path / "theirs.root"), str(tmp_path / "ours.root")) == ""
    theirs, ours = (read_hitmaps(tmp_path / name) for name in ("theirs.root", "ours.root"))
    assert theirs.n_events == ours.n_events
    np.testing.assert_array_equal(theirs.contents, ours.contents)
    np.testing.assert_array_equal(theirs.entries, ours.entries)


def test_sum_of_lb_files_is_that_of_hadd(
    tmp_path: Path, root: Any, lumi_block_files: list[LumiBlockFile]
) -> None:
    paths = [file.path for file in lumi_block_files]
    merge_lumi_blocks(paths, tmp_path / "ours.root")
    hadd(tmp_path / "theirs.root", paths, root)
    assert root.differences(str(tmp_path / "theirs.root"), str(tmp_path / "ours.root")) == ""
    theirs, ours = (read_lumi_blocks(tmp_path / name) for name in ("theirs.root", "ours.root"))
    np.testing.assert_array_equal(theirs.contents, ours.contents)
    assert theirs.n_events == ours.n_events


@pytest.fixture(scope="module")
def file_of_root(
    root: Any, hit_map_files: list[HitMapFile], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The first of the hit-map files, filled by ROOT as the original does."""
    written = hit_map_files[0]
    path = tmp_path_factory.mktemp("root") / "root.root"
    file = root.TFile(str(path), "RECREATE")
    directories = [file.mkdir(name) for name in ("GENERAL", *(r.directory for r in REGIONS))]
    events = root.TH1I("events", "Events", 1, 0.5, 1.5)
    for _ in range(written.n_events):
        events.Fill(1)
    directories[0].WriteTObject(events)
    for region, directory in zip(REGIONS, directories[1:], strict=True):
        for wafer in range(8176)[region.wafers]:
            name = wafer_names()[wafer]
            title = f"SCT {region.title} Hitmap: plane {name}"
            histogram = root.TH1F(name, title, 768, -0.5, 767.5)
            fills = np.append(written.counts[wafer], written.overflow[wafer])
            at = np.repeat(np.arange(769.0), fills)
            if len(at):
                histogram.FillN(len(at), array.array("d", at), root.nullptr)
            directory.WriteTObject(histogram)
    file.Close()
    return path


def test_what_root_fills_and_what_we_write_is_alike(
    root: Any, hit_map_files: list[HitMapFile], file_of_root: Path
) -> None:
    assert root.differences(str(file_of_root), str(hit_map_files[0].path)) == ""


@pytest.mark.parametrize("compression", [101, 404, 505, 207, 0])
def test_files_of_root_are_read_with_every_compression(
    tmp_path: Path,
    root: Any,
    hit_map_files: list[HitMapFile],
    file_of_root: Path,
    compression: int,
) -> None:
    path = tmp_path / "root.root"
    hadd(path, [file_of_root], root, f"-f{compression}")
    theirs, ours = read_hitmaps(path), read_hitmaps(hit_map_files[0].path)
    assert theirs.n_events == ours.n_events
    np.testing.assert_array_equal(theirs.contents, ours.contents)
    np.testing.assert_array_equal(theirs.entries, ours.entries)


KINDS = ("filled", "unset", "no_entries", "weighted", "empty")


def _histogram(root: Any, name: str, kind: str, *, two: bool) -> Any:
    if two:
        result = root.TH2F(name, f"map {name[:-4]}_", 4, -0.5, 3.5, 2, 0.5, 6.5)
    else:
        result = root.TH1F(name, f"plane {name}", 4, -0.5, 3.5)
    if kind == "weighted":
        result.Sumw2()
    if kind in ("filled", "weighted"):
        for x, y in ((0, 1), (1, 2), (1, 5), (2, 6), (7, 1)):
            result.Fill(x, y) if two else result.Fill(x)
    if kind in ("unset", "no_entries"):
        for cell in range(1, result.GetNcells()):
            result.SetBinContent(cell, 3 * cell)
        result.SetEntries(7 if kind == "unset" else 0)
    return result


@pytest.mark.parametrize(
    "kinds",
    [
        *((one,) for one in KINDS),
        *((one, two) for one in KINDS for two in KINDS if {one, two} != {"no_entries", "weighted"}),
        ("filled", "no_entries", "weighted"),
        ("weighted", "filled", "unset"),
        ("empty", "unset", "filled"),
    ],
)
def test_histograms_of_all_histories_merge_as_in_hadd(
    tmp_path: Path, root: Any, kinds: tuple[str, ...]
) -> None:
    paths = []
    for number, kind in enumerate(kinds):
        paths.append(tmp_path / f"{number}.root")
        file = root.TFile(str(paths[-1]), "RECREATE")
        directory = file.mkdir("SCTB")
        for name in (*WAFERS.names, *WINDOWS.names):
            made = _histogram(root, name, kind, two=name.endswith("2D"))
            directory.WriteTObject(made)
        file.Close()
    merge_small(paths, tmp_path / "ours.root", (WAFERS, WINDOWS))
    hadd(tmp_path / "theirs.root", paths, root)
    assert root.differences(str(tmp_path / "theirs.root"), str(tmp_path / "ours.root")) == ""
