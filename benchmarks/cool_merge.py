"""Time of merging the COOL channels of a noisy-strip and a noise-occupancy job.

    python benchmarks/cool_merge.py [--repeat N]

A file with 4088 + 8176 objects goes into a destination that holds two earlier runs: checked,
compared, copied, stored, read back, logged. The peers are plain `sqlite3.executemany` calls of the
same rows into the same tables and indices, into the same destination, in turn with ours in one run;
all include the commit to disk. Merging the file again, which finds no change, is shown too.
"""

from __future__ import annotations

import argparse
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from cool_write import TIME, Content, content

from sctcalib.cool import Database, run_lumi
from sctcalib.cool.folders import DESTINATION_DESCRIPTION, JOB_DESCRIPTION, create_sct_folder
from sctcalib.cool.merging import Options, merge

OPTIONS = Options(ignore_description=True)
FIRST_RUN = 300000


def at_run(data: Content, run: int) -> Content:
    """The same content in another run."""
    interval = run_lumi(run), run_lumi(run, 0xFFFFFFFF)
    return [(known, [(*interval, o[2], o[3]) for o in objects]) for known, objects in data]


def write(path: Path, contents: Iterable[Content], description: str) -> Path:
    """A database with several runs."""
    with Database.create(path) as db:
        for data in contents:
            for known, objects in data:
                folder = create_sct_folder(db, known.path, description)
                folder.store_bulk(objects, tag=known.default_tag, user_tag_only=True)
    return path


def ours(source: Path, dest: Path, data: Content) -> None:
    """As an upload does."""
    report = merge(source, dest, OPTIONS)
    assert report.n_rows == sum(len(objects) for _, objects in data), report.conclusion()


def again(source: Path, dest: Path, data: Content) -> None:
    """The same file once more."""
    assert merge(source, dest, OPTIONS).n_rows == 0


def plain(source: Path, dest: Path, data: Content) -> None:
    """The rows of the third run, without any question."""
    connection = sqlite3.connect(dest, isolation_level=None)
    connection.execute("BEGIN")
    for known, objects in data:
        where = "SELECT NODE_ID FROM CONDBR2_NODES WHERE NODE_FULLPATH = ?"
        (node,) = connection.execute(where, (known.path,)).fetchone()
        prefix, start = f"CONDBR2_F{node:04d}", 2 * len(objects)
        numbered = list(enumerate(objects, start + 1))
        rows = [(i, TIME, *o[3]) for i, o in numbered]
        _insert(connection, f"{prefix}_PAYLOAD", rows)
        rows = [(6 * i - 2, o[2], o[0], o[1], 1, TIME, TIME, 0, 0, i) for i, o in numbered]
        _insert(connection, f"{prefix}_IOVS", rows)
        channels = [(6 * i - 2, o[2]) for i, o in numbered]
        update = f"UPDATE {prefix}_CHANNELS SET LAST_OBJECT_ID = ? WHERE CHANNEL_ID = ?"
        connection.executemany(update, channels)
    connection.execute("COMMIT")
    connection.close()


def _insert(connection: sqlite3.Connection, table: str, rows: list[tuple[object, ...]]) -> None:
    marks = ",".join("?" * len(rows[0]))
    connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)


MERGERS: dict[str, Callable[[Path, Path, Content], None]] = {
    "sctcalib cool merge": ours,
    "sqlite3, same rows, no questions": plain,
    "sctcalib cool merge, no change": again,
}


def measured(repeat: int, folder: Path) -> dict[str, float]:
    """Median of each, all in turn; the first round is not counted."""
    runs = [at_run(content(), FIRST_RUN + n) for n in range(3)]
    source = write(folder / "mycool.db", runs[2:], JOB_DESCRIPTION)
    original = write(folder / "original.db", runs[:2], DESTINATION_DESCRIPTION)
    full = folder / "full.db"
    shutil.copy(original, full)
    merge(source, full, OPTIONS)
    times: dict[str, list[float]] = {name: [] for name in MERGERS}
    for number in range(repeat + 1):
        for name, run in MERGERS.items():
            dest = folder / "dest.db"
            shutil.copy(full if run is again else original, dest)
            start = time.perf_counter()
            run(source, dest, runs[2])
            times[name] += [time.perf_counter() - start][: number > 0]
    return {name: statistics.median(found) for name, found in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeat", type=int, default=9, help="runs of each, default 9")
    repeat = max(parser.parse_args().repeat, 1)
    with tempfile.TemporaryDirectory() as folder:
        medians = measured(repeat, Path(folder))
    peer = medians["sqlite3, same rows, no questions"]
    print(f"4088 + 8176 objects into a destination with two runs, median of {repeat}")
    for name, found in medians.items():
        print(f"  {name:40}{1e3 * found:8.1f} ms   ratio {found / peer:5.2f}")


if __name__ == "__main__":
    main()
