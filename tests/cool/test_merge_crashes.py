"""Merges that are killed, that wait for each other, and that meet full or forbidden places."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sctcalib.cool import Database
from sctcalib.cool.merging import MergeError, Options, merge
from sctcalib.cool.merging.beside import append_log, lock_file, locked, log_file, read_log
from sctcalib.cool.merging.report import Outcome
from tests.cool.merge_helpers import (
    MODULES,
    NOISY,
    NOISY_TAG,
    A,
    content,
    fresh_destination,
    job_file,
    one_run,
)
from tests.support.processes import ROOT, environment, without_rights

N_KILLS = 25
MERGE = """
import os, signal, sys
from sctcalib.cool.merging import Options, merge
from sctcalib.cool.merging import perform
from sctcalib.cool.sqlitefile import SqliteFile
written = 0
def counted(call):
    def run(self, sql, *parameters):
        global written
        if sql.split()[0] in ("INSERT", "UPDATE", "COMMIT") and not self.read_only:
            written += 1
            if written == statement:
                os.kill(os.getpid(), signal.SIGKILL)
        return call(self, sql, *parameters)
    return run
SqliteFile.run, SqliteFile.run_many = counted(SqliteFile.run), counted(SqliteFile.run_many)
while line := sys.stdin.readline():
    number, source, dest = line.rstrip().split("|")
    child = os.fork()
    if child:
        print(child, flush=True)
        sys.stdin.readline()
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        continue
    statement = int(number)
    merge(source, dest, Options(ignore_description=True))
    os._exit(written)
"""
"""For every line that it reads, forks a process that merges, and prints its id; for the next line
it waits for that process and prints how it ended. Until then nobody else has the id."""
LISTS = {channel: (" 5  10-12 " if n % 40 == 0 else "") for n, channel in enumerate(MODULES)}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Run 100 as a job wrote it, and a destination with run 99."""
    folder = tmp_path_factory.mktemp("crash")
    dest = fresh_destination(folder / "dest.db")
    earlier = job_file(folder / "99.db", NOISY, NOISY_TAG, LISTS, one_run(99))
    merge(earlier, dest, Options(ignore_description=True, backup=False))
    source = job_file(folder / "100.db", NOISY, NOISY_TAG, LISTS, one_run(100))
    return source, dest


class Merger:
    """Starts merges in processes that have imported everything before."""

    def __init__(self) -> None:
        self.server = subprocess.Popen(
            [sys.executable, "-c", MERGE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(),
            cwd=ROOT,
            text=True,
        )

    def _line(self) -> int:
        assert self.server.stdout is not None
        return int(self.server.stdout.readline())

    def start(self, source: Path, dest: Path, kill_before: int = 0) -> int:
        """Begin a merge, which kills itself before its n-th statement that writes."""
        assert self.server.stdin is not None
        self.server.stdin.write(f"{kill_before}|{source}|{dest}\n")
        self.server.stdin.flush()
        return self._line()

    def end(self) -> int:
        """Wait for it: minus the signal, or the number of statements that wrote."""
        assert self.server.stdin is not None
        self.server.stdin.write("\n")
        self.server.stdin.flush()
        return self._line()


@pytest.fixture(scope="module")
def merger() -> Iterator[Merger]:
    made = Merger()
    yield made
    with made.server:
        made.server.kill()


def assert_before_or_after(dest: Path, before: object) -> bool:
    """Whether the merge had been committed; anything else than before or after fails."""
    found = content(dest)
    with Database.open(dest) as db:
        assert db.check() == []
        if found == before:
            return False
        folder = db.folder(NOISY)
        for run in (99, 100):
            objects = folder.browse(one_run(run)[0], one_run(run)[0], tag=NOISY_TAG)
            assert {o.channel: o.payload["DefectList"] for o in objects} == LISTS
    return True


def test_a_merge_that_is_killed_at_any_time(
    files: tuple[Path, Path], tmp_path: Path, merger: Merger
) -> None:
    source, original = files
    dest = tmp_path / "dest.db"
    shutil.copy(original, dest)
    before = content(dest)
    start = time.monotonic()
    merger.start(source, dest)
    assert merger.end() > 0
    whole = time.monotonic() - start
    assert assert_before_or_after(dest, before)
    seeded = random.Random(4)
    committed = 0
    for _ in range(N_KILLS):
        for path in (dest, dest.with_name("dest.db-journal")):
            path.unlink(missing_ok=True)
        shutil.copy(original, dest)
        child = merger.start(source, dest)
        time.sleep(seeded.uniform(0, whole))
        os.kill(child, signal.SIGKILL)
        merger.end()
        committed += assert_before_or_after(dest, before)
    assert committed < N_KILLS
    report = merge(source, dest, Options(ignore_description=True))
    assert report.outcome in (Outcome.MERGED, Outcome.NO_CHANGE)
    assert assert_before_or_after(dest, before)


def test_a_merge_that_is_killed_before_every_statement(
    files: tuple[Path, Path], tmp_path: Path, merger: Merger
) -> None:
    source, original = files
    dest = tmp_path / "dest.db"
    shutil.copy(original, dest)
    merger.start(source, dest)
    n_statements = merger.end()
    before = content(original)
    shutil.copy(original, dest)
    for number in range(1, n_statements + 1):
        merger.start(source, dest, kill_before=number)
        assert merger.end() == -signal.SIGKILL
        assert not assert_before_or_after(dest, before), number
    merger.start(source, dest)
    assert merger.end() == n_statements
    assert assert_before_or_after(dest, before)
    assert len(read_log(dest)) == 2


def test_two_merges_at_once(files: tuple[Path, Path], tmp_path: Path) -> None:
    source, original = files
    dest = tmp_path / "dest.db"
    shutil.copy(original, dest)
    other = job_file(tmp_path / "101.db", NOISY, NOISY_TAG, LISTS, one_run(101))
    mergers = [Merger() for _ in range(3)]
    for each, path in zip(mergers, (source, other, source), strict=True):
        each.start(path, dest)
    for each in mergers:
        assert each.end() >= 0
        with each.server:
            each.server.kill()
    with Database.open(dest) as db:
        assert db.check() == []
        assert db.folder(NOISY).count(NOISY_TAG) == 3 * len(MODULES)
    folders = [record["folders"][0]["run"] for record in read_log(dest)]
    assert sorted(folders) == [100, 101]  # the third found nothing to do


def test_the_second_merge_gives_up_in_the_end(
    files: tuple[Path, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source, original = files
    dest = tmp_path / "dest.db"
    shutil.copy(original, dest)
    with locked(dest), pytest.raises(MergeError, match="held by another merge") as caught:
        merge(source, dest, Options(ignore_description=True, wait_s=0.2))
    assert caught.value.code == 41
    assert f"process {os.getpid()}" in str(caught.value)
    assert "waiting for another merge" in caplog.text


def test_the_second_merge_waits_and_compares_then(files: tuple[Path, Path], tmp_path: Path) -> None:
    source, original = files
    dest = tmp_path / "dest.db"
    shutil.copy(original, dest)
    reports = []
    with locked(dest):
        options = Options(ignore_description=True)
        waiting = threading.Thread(target=lambda: reports.append(merge(source, dest, options)))
        waiting.start()
        time.sleep(0.3)
        assert not reports
        other = job_file(tmp_path / "o.db", NOISY, NOISY_TAG, {A: " 1 "}, one_run(98))
        with Database.open(dest, read_only=False) as db, Database.open(other) as given:
            (found,) = given.folder(NOISY).browse(tag=NOISY_TAG)
            db.folder(NOISY).store(
                *one_run(98), found.payload, A, tag=NOISY_TAG, user_tag_only=True
            )
    waiting.join()
    assert [report.outcome for report in reports] == [Outcome.MERGED]


def test_a_folder_that_cannot_be_written(files: tuple[Path, Path], tmp_path: Path) -> None:
    source, original = files
    shut = tmp_path / "shut"
    shut.mkdir()
    shutil.copy(original, shut / "dest.db")
    shut.chmod(0o500)
    call = "import sys; from sctcalib.cli import main; main()"
    try:
        done = subprocess.run(
            [sys.executable, "-c", call, "cool", "merge", source, shut / "dest.db", "--ignoredesc"],
            capture_output=True,
            text=True,
            env=environment(),
            preexec_fn=without_rights,
            check=False,
        )
    finally:
        shut.chmod(0o700)
    assert done.returncode == 10
    assert "dest.db.lock cannot be opened for locking" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_backup_that_cannot_be_made(files: tuple[Path, Path], tmp_path: Path) -> None:
    source, original = files
    dest = tmp_path / "dest.db"
    shutil.copy(original, dest)
    dest.with_name("dest.db.backup").write_text("no folder")
    before = content(dest)
    with pytest.raises(MergeError, match="cannot be copied") as caught:
        merge(source, dest, Options(ignore_description=True))
    assert caught.value.code == 31
    assert content(dest) == before


def test_the_backup_and_the_log(files: tuple[Path, Path], tmp_path: Path) -> None:
    source, original = files
    dest = tmp_path / "dest.db"
    shutil.copy(original, dest)
    merge(source, dest, Options(ignore_description=True, comment="SCT NoisyStrips"))
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    copies = list(dest.with_name("dest.db.backup").iterdir())
    assert [copy.name for copy in copies] == [f"{digest}.db"]
    assert copies[0].read_bytes() == source.read_bytes()
    (record,) = read_log(dest)
    assert record["sha256"] == digest
    assert record["comment"] == "SCT NoisyStrips"
    assert record["who"]
    assert record["folders"][0]["rows"] == len(MODULES)
    assert record["folders"][0]["strips"]["run"] == 99


def test_a_torn_line_of_the_log_is_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    dest = tmp_path / "d.db"
    append_log(dest, {"a": 1})
    with log_file(dest).open("a") as file:
        file.write('{"a": 2, "b')
    append_log(dest, {"a": 3})
    assert [record["a"] for record in read_log(dest)] == [1, 3]
    assert "line 2 is not understood" in caplog.text
    assert json.loads(log_file(dest).read_text().splitlines()[2]) == {"a": 3}


def test_the_lock_file_stays(files: tuple[Path, Path], tmp_path: Path) -> None:
    """Removing it could take the lock away from a merge that has just opened it."""
    source, original = files
    dest = tmp_path / "dest.db"
    shutil.copy(original, dest)
    merge(source, dest, Options(ignore_description=True))
    assert lock_file(dest).exists()
