"""Run by an interpreter that has ROOT: fit the Lorentz profiles of a HIST file, print their number.

python root_lorentz.py HIST RUN
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

FIT = Path(__file__).resolve().parents[1] / "tests" / "support" / "root_lorentz_fit.C"


def main() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import ROOT
    ROOT.gErrorIgnoreLevel = ROOT.kFatal
    ROOT.gInterpreter.Declare(FIT.read_text())
    file = ROOT.TFile(sys.argv[1])
    folder = f"run_{sys.argv[2]}/SCT/GENERAL/lorentz"
    names = [
        f"h_phiVsNstrips_{sensor}_{layer}Side{side}"
        for layer in range(4)
        for side in (0, 1)
        for sensor in (100, 111)
        if (layer, sensor) != (1, 100)
    ]
    fits = [ROOT.sct_lorentz.fit(file.Get(f"{folder}/{name}")) for name in names]
    print(sum(fit.status == 0 for fit in fits), "of", len(fits), "converged")


if __name__ == "__main__":
    main()
