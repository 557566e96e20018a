"""The loop that cron starts: serve every request once (run-query-and-upload.md B4).

A request that was served is deleted, its log stays beside it; one that failed is moved with its
log to ``failed/``, so that the next start does not try it again.
"""

from __future__ import annotations

import logging
import os
import traceback
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from sctcalib.conditions.layout import existing
from sctcalib.conditions.upload import COMMENTS, upload
from sctcalib.cool.connection import Connection
from sctcalib.cool.errors import CoolError, DatabaseError
from sctcalib.cool.merging.beside import WAIT_S, now, who
from sctcalib.cool.merging.perform import Options
from sctcalib.cool.merging.problems import MergeError
from sctcalib.cool.merging.report import Report
from sctcalib.job.errors import JobError
from sctcalib.uploads.create import NOISY_FOLDER, Held, look_into
from sctcalib.uploads.heartbeat import note, single_instance
from sctcalib.uploads.requests import (
    FAILED,
    NOISY,
    Request,
    RequestError,
    find_requests,
    read_request,
    request_name,
)


@dataclass(frozen=True)
class Served:
    """How one request ended."""

    name: str
    ok: bool
    text: str
    """The last line of the merge, or why it failed."""

    def line(self) -> str:
        """For the terminal and for uploads.log, one line."""
        return f"{self.name}: {'' if self.ok else 'FAILED: '}{' | '.join(self.text.splitlines())}"


@dataclass(frozen=True)
class Loop:
    """Where requests are and where they go."""

    directory: Path
    conditions: Path
    """Folder of conditions databases."""
    raise_last_run: Callable[[int], object] | None = None
    """Is told the run of every successful upload of noisy strips."""
    wait_s: float = WAIT_S

    def run(self) -> Iterator[Served]:
        """Serve all requests; a second instance does nothing and notes that in uploads.log.

        Raises RequestError if the directory cannot be used, and DatabaseError, with all requests
        left as they are, if there is no folder of databases.
        """
        note(self.directory, f"start, process {os.getpid()}")
        with single_instance(self.directory) as holder:
            if holder:
                note(self.directory, f"another instance is at work ({holder}); nothing to do here")
                return
            self._check_conditions()
            requests, misnamed = find_requests(self.directory)
            yield from self._all([*misnamed, *requests])

    def _all(self, requests: list[Request | tuple[Path, str]]) -> Iterator[Served]:
        failed = 0
        for request in requests:
            result = self._served(request)
            failed += not result.ok
            note(self.directory, result.line())
            yield result
        note(self.directory, f"end, {len(requests)} requests, {failed} failed")

    def _check_conditions(self) -> None:
        """What is wrong with the databases is not the requests' fault."""
        try:
            existing(self.conditions)
        except DatabaseError as error:
            note(self.directory, f"nothing done: {error}")
            raise

    def _served(self, request: Request | tuple[Path, str]) -> Served:
        path = request.path if isinstance(request, Request) else request[0]
        try:
            with _log(path) as log:
                result = self._tried(path.name, request, log)
            _clear(path) if result.ok else _put_aside(path)
        except OSError as error:
            msg = f"{path}: {error.filename or ''}: {error.strerror}"
            raise RequestError(msg) from error
        return result

    def _tried(self, name: str, request: Request | tuple[Path, str], log: TextIO) -> Served:
        """Whatever happens to one request, the next one has its turn."""
        try:
            return Served(name, ok=True, text=self._merge(request, log))
        except (CoolError, JobError) as error:
            log.write(f"FAILED: {error}\n{_code(error)}")
            return Served(name, ok=False, text=str(error))
        except Exception as error:
            log.write(f"FAILED: {traceback.format_exc()}")
            return Served(name, ok=False, text=f"{type(error).__name__}: {error}")

    def _merge(self, request: Request | tuple[Path, str], log: TextIO) -> str:
        """Merge what a request names; returns the conclusion."""
        if not isinstance(request, Request):
            raise RequestError(request[1])
        where = read_request(request.path, self.directory)
        held = look_into(where)
        _check(request, where, held)
        log.write(f"{where.path} -> {self.conditions}, comment: {COMMENTS[request.is_noisy]}\n")
        options = Options(source_database=where.name or "", wait_s=self.wait_s)
        reports = upload(where.path, self.conditions, options)
        for report in reports:
            log.writelines(f"{line}\n" for line in _lines(report))
        if self.raise_last_run and held.is_noisy:
            log.write(f"lastRun is at least {held.run}\n")
            self.raise_last_run(held.run)
        return "; ".join(report.conclusion() for report in reports)


def _check(request: Request, where: Connection, held: Held) -> None:
    """Whether the file is of the kind and run that the name of the request says."""
    if held.is_noisy and not request.is_noisy:
        name = request_name(held.run, NOISY, held.noisy_mode)
        msg = f"{where.path} has {NOISY_FOLDER}; its request must be called {name}"
        raise RequestError(msg)
    if request.is_noisy and not held.is_noisy:
        msg = f"{where.path} has no {NOISY_FOLDER}, but {', '.join(held.parts)}"
        raise RequestError(msg)
    if held.run != request.run:
        msg = f"{where.path} is of run {held.run}, the request of run {request.run}"
        raise RequestError(msg)


def _code(error: Exception) -> str:
    return f"exit code of the merge {int(error.code)}\n" if isinstance(error, MergeError) else ""


def _lines(report: Report) -> Iterator[str]:
    for row in report.rows:
        c = row.classes
        numbers = f"new {len(c.new)}, same {c.same}, update {len(c.update)}"
        yield f"{row.folder} {row.tag or 'HEAD'} {row.valid}: {row.channels} channels, {numbers}"
    yield from report.strip_lines()
    yield from (f"warning: {warning}" for warning in report.warnings)
    if report.backup is not None:
        yield f"copy of the file: {report.backup}"
    yield report.conclusion()


# ------------------------------------------------------------------ files of a request


@contextmanager
def _log(request: Path) -> Generator[TextIO]:
    """The log of a request, which also takes what the merge logs."""
    with request.with_suffix(".log").open("w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(f"{request.name}, started {now()} by {who()}\n")
        handler = logging.StreamHandler(file)
        logger = logging.getLogger("sctcalib")
        logger.addHandler(handler)
        try:
            yield file
        finally:
            logger.removeHandler(handler)


def _clear(path: Path) -> None:
    """Delete a served request, and what an earlier attempt has left in ``failed/``."""
    for name in (path.name, path.with_suffix(".log").name):
        (path.parent / FAILED / name).unlink(missing_ok=True)
    path.unlink(missing_ok=True)  # last: a killed start leaves it to the next one


def _put_aside(path: Path) -> None:
    folder = path.parent / FAILED
    folder.mkdir(exist_ok=True)
    for each in (path.with_suffix(".log"), path):  # the request last, as above
        each.replace(folder / each.name)
