"""Measure whole processes side by side with their peers and print the ratios (DESIGN 6).

python benchmarks/run.py --root /path/to/python-with-ROOT [--repeat 5] [--only hit]
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import data
import root_peers

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent
_READ = (
    "import sys; from pathlib import Path; from sctcalib.histograms.hitmaps import read_hitmaps;"
    "print(read_hitmaps(Path(sys.argv[1])).counts.sum())"
)
_MERGE = (
    "import sys; from pathlib import Path; from sctcalib.histograms.{0} import {1} as merge;"
    "merge([Path(name) for name in sys.argv[2:]], Path(sys.argv[1]){2})"
)
_NAIVE = (
    "import sys, uproot; file = uproot.open({sys.argv[1]: None});"
    "print(sum(file[key].values().sum() for key in file.keys(filter_classname='TH1F')))"
)
HEADER = (
    f"{'work':34} {'ours s':>8} {'MiB':>7}   {'peer':17} {'peer s':>8} {'MiB':>7}   "
    f"{'ratio':>9}  {'aim':>8}  met"
)
"""Of the table whose lines `measure` gives."""


@dataclass(frozen=True)
class Row:
    """One comparison: our command, the peer's, and the ratio (or difference) to stay below."""

    work: str
    ours: list[str]
    peer: list[str]
    peer_name: str
    aim: float | None = None
    difference: bool = False


@dataclass(frozen=True)
class Cost:
    seconds: float
    mebibytes: float


def python(code: str, *arguments: object) -> list[str]:
    return [sys.executable, "-c", code, *map(str, arguments)]


def rows(folder: Path, peers: root_peers.Peers) -> list[Row]:
    """All comparisons that can be made here."""
    return [
        *reading(folder, peers),
        *merging(folder, peers),
        *whole_job(folder, peers),
        *start_up(),
    ]


def reading(folder: Path, peers: root_peers.Peers) -> list[Row]:
    path = data.hit_maps(folder, 0)
    ours, work = python(_READ, path), "read one hit-map file"
    result = [Row(work, ours, python(_NAIVE, path), "naive uproot")]
    if peers.read_loop:
        result.insert(0, Row(work, ours, [*peers.read_loop, str(path)], "C++ ReadObj loop", 0.6))
    return result


def merging(folder: Path, peers: root_peers.Peers) -> list[Row]:
    if peers.hadd is None:
        return []
    result = []
    for n, aim in ((2, None), (data.FILES, 0.25)):
        maps = [data.hit_maps(folder, number) for number in range(n)]
        code = _MERGE.format("hitmaps", "merge_hitmaps", "")
        result.append(_merge_row(f"merge {n} hit-map files", code, peers.hadd, maps, aim))
    blocks = [data.lumi_blocks(folder, number, data.LONG_RUN) for number in range(2)]
    code = _MERGE.format("lumiblocks", "merge_lumi_blocks", ", keep_chips=[0]")
    work = f"merge 2 LB files, {data.LONG_RUN} lumi blocks"
    result.append(_merge_row(work, code, peers.hadd, blocks, 0.4))
    return result


def _merge_row(
    work: str, code: str, hadd: Sequence[str], inputs: Sequence[Path], aim: float | None
) -> Row:
    names = list(map(str, inputs))
    return Row(work, python(code, "ours.root", *names), [*hadd, "peer.root", *names], "hadd", aim)


def whole_job(folder: Path, peers: root_peers.Peers) -> list[Row]:
    if peers.hadd is None:
        return []
    dictionary, maps, blocks = data.job(folder)
    command = [
        *(sys.executable, str(CHECKOUT / "transforms" / "sctcalib_trf.py")),
        *(f"--argJSON={dictionary}", f"--input-dir={folder}"),
    ]
    shell = " && ".join(
        " ".join([*peers.hadd, name, *map(str, files)])
        for name, files in (("maps.root", maps), ("blocks.root", blocks))
    )
    work = f"noisy-strip job, {len(maps)} + {len(blocks)} files"
    return [Row(work, command, ["sh", "-c", shell], "hadd of the same", 0.5)]


def start_up() -> list[Row]:
    bare = python("pass")
    commands = {
        "sctcalib --help": [sys.executable, "-m", "sctcalib", "--help"],
        "sctcalib_trf.py --help": [
            *(sys.executable, str(CHECKOUT / "transforms" / "sctcalib_trf.py"), "--help")
        ],
    }
    return [
        Row(work, command, bare, "python -c pass", 0.15, difference=True)
        for work, command in commands.items()
    ]


def cost(command: Sequence[str]) -> Cost:
    """Wall time and largest memory of one process, run in an empty directory."""
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as output:
        begin = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            text = output.read().decode(errors="replace")
            sys.exit(f"{' '.join(command)[:500]}\nended with {process.returncode}:\n{text}")
    return Cost(seconds, usage.ru_maxrss / 1024)


def measure(row: Row, repeat: int, run: Callable[[Sequence[str]], Cost] = cost) -> str:
    """Run both in turn and give one line of the table; the first run of each is not counted."""
    run(row.ours), run(row.peer)
    ours, peer = [], []
    for _ in range(repeat):
        ours.append(run(row.ours))
        peer.append(run(row.peer))
    mine, other = (statistics.median(each.seconds for each in costs) for costs in (ours, peer))
    memory, peer_memory = (max(each.mebibytes for each in costs) for costs in (ours, peer))
    value, sign = (mine - other, "+") if row.difference else (mine / other, "")
    unit = " s" if row.difference else ""
    aim = "" if row.aim is None else f"{sign}{row.aim:g}{unit}"
    verdict = "" if row.aim is None else ("yes" if value <= row.aim else "NO")
    return (
        f"{row.work:34} {mine:8.3f} {memory:7.0f}   {row.peer_name:17} {other:8.3f} "
        f"{peer_memory:7.0f}   {f'{sign}{value:.3f}{unit}':>9}  {aim:>8}  {verdict}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", default=sys.executable, metavar="PYTHON", help="has ROOT")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each (default 5)")
    parser.add_argument("--only", default="", metavar="WORDS", help="rows with these words")
    options = parser.parse_args()
    folder = HERE / "data"
    folder.mkdir(exist_ok=True)
    subprocess.run([sys.executable, str(HERE / "data.py"), str(folder)], check=True)
    root = shutil.which(options.root) or options.root
    peers = root_peers.find(root, folder)
    for line in peers.missing:
        print(line)
    print(HEADER)
    for row in rows(folder, peers):
        if options.only in row.work:
            print(measure(row, options.repeat), flush=True)


if __name__ == "__main__":
    main()
