"""The HIST parts: whole jobs next to ``import uproot``, Lorentz fits next to ROOT's own.

python benchmarks/hist.py --root /path/to/python-with-ROOT [--repeat 5] [--only Lorentz]
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from run import CHECKOUT, HEADER, HERE, Row, measure, python

RUN = 267367
TRACKS = 300
"""Per event: enough for the profiles of <100> sensors to converge in most attempts."""
PARTS = ("doEfficiency", "doNoiseOccupancy", "doRawOccupancy", "doBSErrorDB", "doLorentzAngle")
STYLES = {"master": "22 bins", "21.0": "110 bins"}
_FIT = (
    "import sys; from pathlib import Path; from sctcalib.histograms.monitoring import open_hist;"
    "from sctcalib.histograms.monitoring_names import has_no_modules;"
    "from sctcalib.parts.lorentz_angle import Profile, fit\n"
    f"with open_hist(Path(sys.argv[1]), {RUN}) as hist: profiles = hist.lorentz()\n"
    "fits = [fit(Profile(w.degrees, w.width, w.error, w.entries))"
    " for key, w in profiles.items() if not has_no_modules(*key)]\n"
    "print(sum(found.converged for found in fits), 'of', len(fits), 'converged')"
)
ROOT_REPEAT = 1
"""ROOT's fits take most of a minute."""


def simulated(folder: Path, style: str) -> Path:
    """The folder of a simulated run, made once."""
    made = folder / f"hist-{style}"
    if not (made / "truth.json").exists():
        command = [sys.executable, "-m", "sctcalib", "simulate", "hist", f"--run={RUN}"]
        more = [f"--style={style}", f"--lorentz-tracks={TRACKS}", str(made)]
        subprocess.run([*command, *more], check=True, cwd=CHECKOUT, stdout=subprocess.DEVNULL)
    return made


def rows(folder: Path, root: str | None) -> list[Row]:
    """All comparisons; those with ROOT only if there is an interpreter that has it."""
    return [*jobs(folder), *(fits(folder, root) if root else [])]


def jobs(folder: Path) -> list[Row]:
    """Each part as a job of its own, and all in one."""
    source, peer = simulated(folder, "21.0"), python("import uproot")
    names = {part: f"job_{part}.json" for part in PARTS} | {"all five": "job.json"}
    return [
        Row(
            f"HIST job, {part}",
            [
                *(sys.executable, str(CHECKOUT / "transforms" / "sctcalib_trf.py")),
                *(f"--argJSON={source / name}", f"--input-dir={source}"),
            ],
            peer,
            "import uproot",
            None if part in ("doLorentzAngle", "all five") else 4,
        )
        for part, name in names.items()
    ]


def fits(folder: Path, root: str) -> list[Row]:
    """The 14 fits of a file, MINOS included."""
    result = []
    for style, bins in STYLES.items():
        (hist,) = simulated(folder, style).glob("*.root.1")
        peer = [root, str(HERE / "root_lorentz.py"), str(hist), str(RUN)]
        work = f"14 Lorentz fits, {bins}"
        result.append(Row(work, python(_FIT, hist), peer, "ROOT's fits", 0.5))
    return result


def with_root(interpreter: str) -> str | None:
    """The interpreter if it has ROOT."""
    path = shutil.which(interpreter) or interpreter
    try:
        done = subprocess.run([path, "-c", "import ROOT"], capture_output=True, check=False)
    except OSError:
        return None
    return path if done.returncode == 0 else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", default=sys.executable, metavar="PYTHON", help="has ROOT")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each (default 5)")
    parser.add_argument("--only", default="", metavar="WORDS", help="rows with these words")
    options = parser.parse_args()
    root = with_root(options.root)
    if root is None:
        print(f"{options.root} has no ROOT: its fits are left out (--root PYTHON)")
    folder = HERE / "data"
    folder.mkdir(exist_ok=True)
    print(HEADER)
    for row in rows(folder, root):
        if options.only in row.work:
            repeat = ROOT_REPEAT if row.peer_name == "ROOT's fits" else options.repeat
            print(measure(row, repeat), flush=True)


if __name__ == "__main__":
    main()
