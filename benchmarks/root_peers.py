"""The programs of ROOT that the measurements are compared with, where ROOT is installed."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

_WHERE = "import importlib.util as u; s = u.find_spec('ROOT'); print(s.origin if s else '')"
READ_LOOP = """
#include <TFile.h>
#include <TH1.h>
#include <TKey.h>
#include <cstdio>
int main(int, char** arguments) {
  TH1::AddDirectory(false);
  TFile file(arguments[1]);
  double sum = 0;
  for (const char* name : {"SCTEC", "SCTB", "SCTEA"}) {
    for (TObject* key : *file.GetDirectory(name)->GetListOfKeys()) {
      auto* histogram = static_cast<TH1F*>(static_cast<TKey*>(key)->ReadObj());
      for (int bin = 1; bin <= 768; ++bin) sum += histogram->GetArray()[bin];
      delete histogram;
    }
  }
  std::printf("%.0f\\n", sum);
}
"""


@dataclass(frozen=True)
class Peers:
    """Commands of ROOT; None where it or the compiler is missing, and why."""

    hadd: list[str] | None
    read_loop: list[str] | None
    missing: tuple[str, ...]


def find(python: str, folder: Path) -> Peers:
    """Find ``hadd`` beside the ROOT of a Python interpreter and compile the reading loop."""
    home = _home(python)
    if home is None:
        missing = f"{python} has no ROOT (use --root PYTHON): hadd and ReadObj are left out"
        return Peers(None, None, (missing,))
    environment = ["env", f"LD_LIBRARY_PATH={home / 'lib'}"]
    hadd = [*environment, str(home / "bin" / "hadd"), "-f", "-n", "10"]
    compiler = shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        return Peers(hadd, None, ("no C++ compiler: the ReadObj loop is left out",))
    source, program = folder / "read_loop.cxx", folder / "read_loop"
    source.write_text(READ_LOOP)
    options = ["-O2", "-std=c++17", f"-I{home / 'include'}", f"-L{home / 'lib'}"]
    libraries = ["-lCore", "-lRIO", "-lHist"]
    subprocess.run([compiler, *options, str(source), "-o", str(program), *libraries], check=True)
    return Peers(hadd, [*environment, str(program)], ())


def _home(python: str) -> Path | None:
    found = subprocess.run([python, "-c", _WHERE], capture_output=True, text=True, check=False)
    origin = found.stdout.strip()
    return Path(origin).parent if origin else None
