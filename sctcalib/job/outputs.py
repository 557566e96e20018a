"""Outputs are written in a private folder of the run directory and published together.

Every file appears whole (rename). On an error or a catchable signal either all of them appear or
none, and what was there before is put back. The report is renamed last, and an older one is set
aside first, so that after a kill its presence tells that the set is complete.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import logging
import os
import shutil
import socket
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from sctcalib.job.errors import ArgumentError, JobError, OutputFileError, raise_problems
from sctcalib.job.naming import output_name
from sctcalib.job.part import Output

log = logging.getLogger(__name__)

LOCK_NAME = "lock"
STALE_SUFFIX = ".stale"
MAX_NAME_BYTES = 255
MAX_STALE_BYTES = MAX_NAME_BYTES - len(STALE_SUFFIX)
"""Longest name that can be set aside."""
_OUTPUT_ERRNOS = {
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO,
    errno.ENAMETOOLONG,
}  # fmt: skip


@contextmanager
def output_errors(what: object) -> Iterator[None]:
    """Turn failures of the operating system while writing into OutputFileError (exit 11)."""
    try:
        yield
    except OSError as error:
        msg = f"{what}: cannot be written: {error.strerror or error}"
        raise OutputFileError(msg) from error


def is_output_error(error: OSError) -> bool:
    """Whether an error of the operating system speaks of the place written to."""
    return error.errno in _OUTPUT_ERRNOS


def check_prefix(prefix: str, outputs: Iterable[Output], where: str) -> Iterator[JobError]:
    """Problems of a working prefix: it has to make plain file names."""
    if "/" in prefix or prefix in (".", ".."):
        yield ArgumentError(
            f"{where} is {prefix!r}, which would leave the run directory; "
            "outputs go to the current directory, so a prefix has no '/'"
        )
    if any(ord(character) < 32 for character in prefix):
        yield ArgumentError(f"{where} is {prefix!r}; control characters do not make file names")
    try:
        os.fsencode(prefix)
    except UnicodeEncodeError:
        coding = sys.getfilesystemencoding()
        yield ArgumentError(f"{where} is {prefix!r}; file names are in {coding} here")
        return
    longest = max((len(os.fsencode(output_name(prefix, o.suffix))) for o in outputs), default=0)
    if longest > MAX_NAME_BYTES:
        yield ArgumentError(
            f"{where} makes file names of {longest} bytes; file systems take {MAX_NAME_BYTES}"
        )


def check_targets(targets: Iterable[Path], protected: Mapping[Path, str]) -> None:
    """Refuse outputs that would replace something the job reads, and names taken by folders.

    ``protected`` maps each file that the job reads to what it is. Raises ArgumentError (exit 7)
    and OutputFileError (11).
    """
    identities = {_identity(path): (path, what) for path, what in protected.items()}
    places = {_place(path): (path, what) for path, what in protected.items()}
    problems: list[JobError] = []
    for target in targets:
        if len(os.fsencode(target.name)) > MAX_NAME_BYTES:
            problems.append(ArgumentError(f"output {target.name}: the name is too long"))
            continue
        hit = places.get(_place(target)) or (
            identities.get(_identity(target)) if target.exists() else None
        )
        if hit:
            problems.append(
                ArgumentError(
                    f"output {target.name} would overwrite the {hit[1]} {hit[0]}; "
                    "choose another prefix or run in another directory"
                )
            )
        elif target.is_dir():
            problems.append(OutputFileError(f"output {target.name}: a folder has this name"))
    raise_problems(problems)


def stale_name(final: Path) -> Path:
    """What a file of an earlier job, which a new one makes untrue, is called from then on."""
    return final.with_name(final.name + STALE_SUFFIX)


def _identity(path: Path) -> object:
    try:
        status = path.stat()
    except OSError:
        return str(path)
    return status.st_dev, status.st_ino


def _place(path: Path) -> str:
    return os.path.join(os.path.realpath(path.parent), path.name)  # noqa: PTH118


@dataclass(frozen=True)
class Published:
    """An output under its final name."""

    output: Output
    path: Path
    size: int
    adler32: str


class Workspace:
    """The private folder of one job in the run directory, locked for its working prefix.

    Raises OutputFileError (exit 11) where the directory cannot be written, and where another
    running job has the same prefix.
    """

    def __init__(self, directory: Path, prefix: str) -> None:
        digest = hashlib.sha256(os.fsencode(prefix)).hexdigest()[:12]
        self.directory = directory
        self.prefix = prefix
        self.path = directory / f".sctcalib-{digest}"
        self.keep = False
        self._lock = -1

    def check_outside(self, files: Mapping[Path, str]) -> None:
        """Refuse to read from the folder, which is emptied; raises ArgumentError (exit 7)."""
        folder = os.path.realpath(self.path) + os.sep
        raise_problems(
            ArgumentError(f"the {what} {path} is in the job's own folder; move it elsewhere")
            for path, what in files.items()
            if os.path.realpath(path).startswith(folder)
        )

    def open(self) -> None:
        """Make and lock the folder; what a killed job left in it is removed."""
        if self.path.is_symlink():
            msg = f"{self.path}: is a link; remove it, the job makes a folder of this name"
            raise OutputFileError(msg)
        with output_errors(self.directory):
            self._acquire()
            self._clear_leftovers()

    def close(self) -> None:
        """Remove the folder, or keep it under a visible name, and let go of the lock."""
        if self._lock < 0:
            return
        if self.keep:
            with suppress(OSError):
                self._keep()
        with suppress(OSError):
            shutil.rmtree(self.path)
        os.close(self._lock)
        self._lock = -1

    def discard(self) -> None:
        """Remove what is not kept, to make room for the report of a job that failed."""
        if self._lock >= 0 and not self.keep:
            with suppress(OSError):
                self._clear()

    def staged(self, suffix: str) -> Path:
        """Where the output with this suffix is written before it is published."""
        return self.path / output_name(self.prefix, suffix)

    def final(self, suffix: str) -> Path:
        """The name under which the output with this suffix is published."""
        return self.directory / output_name(self.prefix, suffix)

    def scratch(self, name: str) -> Path:
        """A new private folder for intermediate files."""
        folder = self.path / f"{name}.d"
        folder.mkdir(exist_ok=True)
        return folder

    def _acquire(self) -> None:
        """Lock the folder; it may vanish between opening and locking, when its owner ends."""
        for _ in range(100):
            self.path.mkdir(exist_ok=True)
            try:
                lock = os.open(self.path / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o666)
            except FileNotFoundError:
                continue
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                owner = os.read(lock, 200).decode(errors="replace").strip()
                os.close(lock)
                raise OutputFileError(self._busy(owner)) from None
            with suppress(FileNotFoundError):
                if (self.path / LOCK_NAME).stat().st_ino == os.fstat(lock).st_ino:
                    os.ftruncate(lock, 0)
                    os.write(lock, f"process {os.getpid()} on {socket.gethostname()}".encode())
                    self._lock = lock
                    return
            os.close(lock)
        raise OutputFileError(self._busy(""))

    def _busy(self, owner: str) -> str:
        named = f"with the prefix {self.prefix!r}" if self.prefix else "without a prefix"
        by = f" ({owner})" if owner else ""
        return (
            f"another job{by} is writing outputs {named} in {self.directory}; "
            "wait for it, or choose another prefix"
        )

    def _clear_leftovers(self) -> None:
        removed = self._clear()
        if removed:
            log.warning("%d temporary files of a killed job were removed", removed)

    def _clear(self) -> int:
        left = [path for path in self.path.iterdir() if path.name != LOCK_NAME]
        for path in left:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        return len(left)

    def _keep(self) -> None:
        stem = f"kept-{self.prefix or 'job'}"[:200]
        number = next(n for n in range(1, 10_000) if not (self.directory / f"{stem}.{n}").exists())
        kept = self.directory / f"{stem}.{number}"
        kept.mkdir()
        for path in self.path.iterdir():
            if path.name != LOCK_NAME:
                path.rename(kept / path.name)


class Publication:
    """Renames staged files to their final names, and takes everything back on failure."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._backups = workspace.scratch("replaced")
        self._undo: list[tuple[Path, Path | None]] = []

    def __enter__(self) -> Publication:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        if error is not None:
            self._roll_back()

    def publish(self, staged: Path, final: Path) -> None:
        """Give a finished file its final name; what had the name before is replaced."""
        with output_errors(final.name):
            self._undo.append((final, self._back_up(final)))
            staged.replace(final)

    def set_aside(self, final: Path) -> None:
        """Move a file of an earlier job, which this one makes untrue, to ``NAME.stale``."""
        with output_errors(final.name):
            stale = stale_name(final)
            self._undo.append((stale, self._back_up(stale)))
            self._undo.append((final, self._back_up(final)))
            final.replace(stale)

    def withdraw(self, final: Path) -> None:
        """Take a file away for the time of the publication (it is put back on failure)."""
        with output_errors(final.name):
            backup = self._back_up(final)
            if backup:
                self._undo.append((final, backup))
                final.unlink(missing_ok=True)

    def _back_up(self, final: Path) -> Path | None:
        """A second link to a file, so that its name never goes missing; a copy where links fail."""
        if not os.path.lexists(final):
            return None
        backup = self._backups / str(len(self._undo))
        try:
            os.link(final, backup, follow_symlinks=False)
        except FileNotFoundError:  # another job in this directory withdrew its report
            return None
        except OSError:
            shutil.copy2(final, backup, follow_symlinks=False)
        return backup

    def _roll_back(self) -> None:
        for final, backup in reversed(self._undo):
            with suppress(OSError):
                if backup is None:
                    final.unlink(missing_ok=True)
                else:
                    backup.replace(final)
