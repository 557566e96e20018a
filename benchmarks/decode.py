"""Measure the decoding of RAW files next to a C++ decoder (decode.cpp, -O2) of the same format.

python benchmarks/decode.py [--repeat 5] [--events 20000] [--keep FOLDER]

The files are made here with the writer of the simulation: events of all 8176 links, at the noise
of a quiet detector (2e-5) and at an occupancy of 1 %, in condensed and expanded mode. Both sides
fill the hit map, the chips by lumi block, the windows and the errors, and must agree on their sums.
Times are those of making the maps and decoding in a process that has started (of both, the
processor's seconds too); compiled code is made before. The last lines compare one and two threads,
and the memory of whole processes that read one file and ten times as much.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
N_BLOCKS, PER_WINDOW = 100, 30
RUN = 300000

OURS = """
import json, sys, time
from pathlib import Path
from sctcalib.bytestream.accumulate import accumulate
from sctcalib.bytestream.maps import RawSettings
from sctcalib.detector.cabling import default_cabling
from sctcalib.detector.readout import default_swap
jobs, blocks, per_window, *names = sys.argv[1:]
paths = [Path(name) for name in names]
settings = RawSettings(int(blocks), int(per_window), default_swap())
cabling = default_cabling()
accumulate(paths[:1], cabling, settings, max_events=1)
wall, cpu = time.perf_counter(), time.process_time()
maps = accumulate(paths, cabling, settings, jobs=int(jobs))
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
windows = sum(int(maps.windows.row(i).sum()) for i in maps.filled_windows())
print(json.dumps({
    "sums": [maps.n_events, int(maps.counts.sum()), int(maps.chip_hits.sum()), windows,
             int(maps.error_entries.sum())],
    "wall": wall, "cpu": cpu,
    "memory": int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024,
}))
"""


def write_file(path: Path, n_events: int, occupancy: float, mode_name: str, seed: int) -> None:
    """A file of events with random groups of one or two strips."""
    import numpy as np

    from sctcalib.bytestream.encoder import Encoder, EventNumbers, Links
    from sctcalib.bytestream.encoder_hits import Groups
    from sctcalib.bytestream.encoder_words import Mode
    from sctcalib.bytestream.writer import (
        EventHeader,
        FileInfo,
        RawWriter,
        RunParameters,
        event_fragment,
    )
    from sctcalib.detector.cabling import default_cabling
    from sctcalib.detector.readout import default_swap

    cabling, rng = default_cabling(), np.random.default_rng(seed)
    links = Links(cabling.rod_ids, *cabling.place_of_wafer())
    encoder = Encoder(links, default_swap(), Mode[mode_name])
    when = datetime(2017, 7, 4, tzinfo=UTC)
    info = FileInfo(
        RunParameters(RUN), "benchmark", 1, when, "0" * 36, "calibration_SCTNoise", "data17_13TeV"
    )
    at_once, done = 50, 0
    with RawWriter(path, info, when) as file:
        while done < n_events:
            numbers = np.arange(done, min(done + at_once, n_events))
            n_groups = rng.poisson(occupancy * 8176 * 768 / 1.5 * len(numbers))
            # one group in each four strips at most, so that groups never touch
            cells = np.unique(rng.integers(0, len(numbers) * 8176 * 192, n_groups))
            groups = Groups(
                cells // (8176 * 192), cells // 192 % 8176, 4 * (cells % 192),
                rng.integers(1, 3, len(cells)),
            )  # fmt: skip
            zeros = np.zeros(len(numbers), dtype=np.int64)
            made = encoder.encode(EventNumbers(RUN, numbers, zeros, zeros), groups)
            for i, number in enumerate(numbers.tolist()):
                block = 1 + number * N_BLOCKS // n_events
                header = EventHeader(RUN, block, 1_500_000_000 + number, 0, number, number, 0)
                file.write(event_fragment(header, made.of_event(i)))
            done += len(numbers)


def write_tables(folder: Path) -> tuple[Path, Path]:
    """Cabling and readout swap in the form that the C++ program reads."""
    import numpy as np

    from sctcalib.detector.cabling import default_cabling
    from sctcalib.detector.readout import default_swap

    cabling = default_cabling()
    rows, fibres = np.nonzero(cabling.wafer >= 0)
    lines = [
        f"{cabling.rod_ids[row]} {fibre} {cabling.wafer[row, fibre]}\n"
        for row, fibre in zip(rows.tolist(), fibres.tolist(), strict=True)
    ]
    (folder / "cabling").write_text("".join(lines))
    (folder / "swap").write_text("".join(f"{int(value)}\n" for value in default_swap()))
    return folder / "cabling", folder / "swap"


def run_ours(jobs: int, paths: list[Path]) -> dict[str, Any]:
    command = [sys.executable, "-c", OURS, str(jobs), str(N_BLOCKS), str(PER_WINDOW)]
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent)}
    run = subprocess.run(
        [*command, *map(str, paths)], check=True, capture_output=True, text=True, env=environment
    )
    result: dict[str, Any] = json.loads(run.stdout)
    return result


def run_peer(program: Path, tables: tuple[Path, Path], paths: list[Path]) -> dict[str, Any]:
    command = [program, *tables, str(N_BLOCKS), str(PER_WINDOW), *paths]
    words = subprocess.run(
        list(map(str, command)), check=True, capture_output=True, text=True
    ).stdout.split()
    return {"sums": [int(word) for word in words[:5]], "wall": float(words[5]),
            "cpu": float(words[6])}  # fmt: skip


def compare(label: str, program: Path, tables: tuple[Path, Path], path: Path, repeat: int) -> None:
    """One line: rates of both in turn, and their ratio."""
    ours, peer = [], []
    for i in range(repeat + 1):
        results = run_ours(1, [path]), run_peer(program, tables, [path])
        if results[0]["sums"] != results[1]["sums"]:
            sys.exit(f"{label}: the sums differ: {results[0]['sums']} and {results[1]['sums']}")
        if i:
            ours.append(results[0])
            peer.append(results[1])
    megabytes, n_events = path.stat().st_size / 1e6, results[0]["sums"][0]
    wall = [statistics.median(each["wall"] for each in side) for side in (ours, peer)]
    cpu = [statistics.median(each["cpu"] for each in side) for side in (ours, peer)]
    print(
        f"{label:24} {megabytes / wall[0]:7.0f} MB/s {n_events / wall[0]:8.0f} events/s   "
        f"C++ {megabytes / wall[1]:7.0f} MB/s   rate ours / C++: {wall[1] / wall[0]:.2f} "
        f"(processor time {cpu[1] / cpu[0]:.2f}; aim 0.90)"
    )


def compare_threads(paths: list[Path], repeat: int) -> None:
    """Four files with one thread and with two."""
    times: dict[int, list[float]] = {1: [], 2: []}
    for i in range(repeat + 1):
        for jobs in times:
            wall = run_ours(jobs, paths)["wall"]
            if i:
                times[jobs].append(wall)
    one, two = (statistics.median(values) for values in times.values())
    print(f"two threads instead of one: {one / two:.2f} times the rate (aim 1.80)")


def compare_memory(paths: list[Path]) -> None:
    """One file, and ten times as much."""
    small, large = run_ours(1, paths[:1])["memory"], run_ours(1, paths[:1] * 10)["memory"]
    print(f"memory: {small:.0f} MB for one file, {large:.0f} MB for ten times as much")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--events", type=int, default=40_000)
    parser.add_argument("--keep", type=Path, help="folder for the files, kept for the next time")
    options = parser.parse_args()
    sys.path.insert(0, str(HERE.parent))
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        program = folder / "decode"
        source = HERE / "decode.cpp"
        subprocess.run(["g++", "-O2", "-std=c++17", "-o", program, source], check=True)
        tables = write_tables(folder)
        busy = max(1, options.events // 10)
        kinds = {
            "noise, condensed": ("noise", options.events, 2e-5, "CONDENSED"),
            "1 %, condensed": ("busy", busy, 1e-2, "CONDENSED"),
            "1 %, expanded": ("expanded", busy, 1e-2, "EXPANDED"),
        }
        for label, (name, n_events, occupancy, mode) in kinds.items():
            path = folder / f"{name}-{n_events}.data"
            if not path.exists():
                write_file(path, n_events, occupancy, mode, seed=1)
            compare(label, program, tables, path, options.repeat)
        noise = folder / f"noise-{options.events}.data"
        compare_threads([noise] * 4, options.repeat)
        compare_memory([noise])


if __name__ == "__main__":
    main()
