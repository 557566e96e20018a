"""Time of writing the COOL channels of a noisy-strip and a noise-occupancy job.

    python benchmarks/cool_write.py [--repeat N]

4088 + 8176 objects are stored with `store_each`, as a job does: three rows each, in six indices,
with a time string of its own. The peers are plain `sqlite3.executemany` calls, in turn with ours in
one run: of the same rows into the same tables, of as many rows into tables without our indices, and
of one row per object into bare tables. All include creating the file and the commit to disk.
"""

from __future__ import annotations

import argparse
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from sctcalib.cool import Database, Payload, Versioning, run_lumi
from sctcalib.cool.folders import SctFolder, create_sct_folder, folder_of_part
from sctcalib.cool.schema import folder_tables
from sctcalib.detector.identifiers import module_id32, wafer_id32

RUN = (run_lumi(300000), run_lumi(300000, 0xFFFFFFFF))
NOISY, OCCUPANCY = folder_of_part("doNoisyStrip"), folder_of_part("doNoiseOccupancy")
TIME = "2015-10-28_03:49:53.765742000 GMT"
Objects = list[tuple[int, int, int, tuple[Any, ...]]]
Content = list[tuple[SctFolder, Objects]]


def content() -> Content:
    """What is written: every module, one in fifty with a list, and every wafer."""
    lists = [" 5  10-12  768-769 " if n % 50 == 0 else "" for n in range(len(module_id32()))]
    modules = [
        (*RUN, channel, (10000, 0, 1, 2, n % 56, "NOISY", 0.015, text))
        for n, (channel, text) in enumerate(zip(module_id32().tolist(), lists, strict=True))
    ]
    wafers = [
        (*RUN, channel, (10000, 0, 1, 2, n % 56, 1e-6 * n))
        for n, channel in enumerate(wafer_id32().tolist())
    ]
    return [(NOISY, modules), (OCCUPANCY, wafers)]


def ours(path: Path, data: Content) -> None:
    """As a job writes."""
    with Database.create(path) as db:
        for known, objects in data:
            folder = create_sct_folder(db, known.path)
            folder.store_each(objects, tag=known.default_tag, user_tag_only=True)


def plain(path: Path, data: Content, *, indices: bool) -> None:
    """The same rows into tables of the same columns, with or without indices."""
    connection = sqlite3.connect(path, isolation_level=None)
    for number, (known, objects) in enumerate(data):
        prefix = f"F{number}"
        connection.execute("BEGIN")
        for ddl in folder_tables(prefix, known.fields, Versioning.MULTI, Payload.SEPARATE):
            if indices or "INDEX" not in ddl:
                connection.execute(ddl)
        numbered = list(enumerate(objects, 1))
        _insert(connection, f"{prefix}_CHANNELS", [(o[2], 6 * i, 0, None, "") for i, o in numbered])
        _insert(connection, f"{prefix}_PAYLOAD", [(i, TIME, *o[3]) for i, o in numbered])
        rows = [(6 * i, o[2], o[0], o[1], 1, TIME, TIME, 0, 0, i) for i, o in numbered]
        _insert(connection, f"{prefix}_IOVS", rows)
        connection.execute("COMMIT")
    connection.close()


def bare(path: Path, data: Content) -> None:
    """One row per object into tables without any key."""
    connection = sqlite3.connect(path, isolation_level=None)
    for number, (known, objects) in enumerate(data):
        columns = ", ".join(("channel", "since", "until", *known.field_names))
        connection.execute("BEGIN")
        connection.execute(f"CREATE TABLE F{number} ({columns})")
        _insert(connection, f"F{number}", [(o[2], o[0], o[1], *o[3]) for o in objects])
        connection.execute("COMMIT")
    connection.close()


def _insert(connection: sqlite3.Connection, table: str, rows: list[tuple[Any, ...]]) -> None:
    marks = ",".join("?" * len(rows[0]))
    connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)


def seconds(write: Callable[[Path, Content], None], data: Content) -> float:
    """Wall time of one writing into a new file."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        write(Path(folder) / "mycool.db", data)
        return time.perf_counter() - start


WRITERS: dict[str, Callable[[Path, Content], None]] = {
    "sctcalib.cool, store_each": ours,
    "sqlite3, same rows, same tables and indices": lambda p, d: plain(p, d, indices=True),
    "sqlite3, same rows, primary keys only": lambda p, d: plain(p, d, indices=False),
    "sqlite3, one row per object, no key": bare,
}


def measured(repeat: int) -> dict[str, float]:
    """Median of each writer, all in turn; the first round is not counted."""
    data = content()
    times: dict[str, list[float]] = {name: [] for name in WRITERS}
    for number in range(repeat + 1):
        for name, write in WRITERS.items():
            times[name] += [seconds(write, data)][: number > 0]
    return {name: statistics.median(found) for name, found in times.items()}


def main(arguments: Iterable[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeat", type=int, default=9, help="runs of each, default 9")
    options = parser.parse_args(None if arguments is None else list(arguments))
    medians = measured(max(options.repeat, 1))
    own, *_ = medians.values()
    print(f"4088 + 8176 objects, median of {max(options.repeat, 1)}")
    for name, found in medians.items():
        print(f"  {name:46}{1e3 * found:8.1f} ms   ratio {own / found:5.2f}")


if __name__ == "__main__":
    main()
