"""Resolve the input list: forms of names, attempts, duplicates, the run they belong to."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sctcalib.job.errors import (
    DatasetError,
    InputFileError,
    JobError,
    MissingArgumentError,
    raise_problems,
)
from sctcalib.job.naming import Dataset, is_remote, split_attempt, split_item, with_storage

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class InputFile:
    """One input, as the dictionary names it and as it was found."""

    dataset: Dataset
    name: str
    """Name to read, with the storage prefix; without one, relative to the run directory."""
    path: Path | None = None
    """Where the file is; None for a remote file that was not fetched."""
    events: int | None = None
    """Events that the dictionary claims."""
    checksum: str | None = None
    """adler32 that the dictionary claims, as eight hexadecimal digits."""

    @property
    def base_name(self) -> str:
        """File name without folders, with the attempt that was found."""
        return self.path.name if self.path else self.name.rpartition("/")[2]

    @property
    def local(self) -> Path:
        """The path of a file that is at hand."""
        if self.path is None:
            msg = f"{self.name}: not fetched"
            raise InputFileError(msg)
        return self.path


@dataclass(frozen=True)
class InputSet:
    """The inputs of a job and what their names tell."""

    files: tuple[InputFile, ...]
    run: int
    project: str
    stream: str
    input_type: str

    @property
    def events(self) -> int | None:
        """Sum of the events that the dictionary claims, None where one of them claims nothing."""
        claims = [file.events for file in self.files]
        return None if None in claims or not claims else sum(e for e in claims if e is not None)


def parse_inputs(items: Sequence[Any]) -> tuple[InputFile, ...]:
    """Input files of a list of checked items (texts and ``{dsn, lfn, ...}`` objects)."""
    return tuple(_from_object(i) if isinstance(i, Mapping) else _from_text(i) for i in items)


def _from_text(item: str) -> InputFile:
    dataset, name = split_item(item.strip())
    return InputFile(Dataset.parse(dataset), with_storage(name))


def _from_object(item: Mapping[str, Any]) -> InputFile:
    dataset, name = split_item(item["lfn"].strip())
    events, checksum = item.get("events"), str(item.get("checksum") or "").lower()
    checksum = checksum.removeprefix("ad:")
    usable = len(checksum) == 8 and all(c in "0123456789abcdef" for c in checksum)
    return InputFile(
        Dataset.parse(item.get("dsn") or dataset),
        with_storage(name),
        events=None if events is None else int(events),
        checksum=checksum if usable else None,
    )


def resolve_inputs(
    items: Sequence[Any] | None, *, run: int | None, input_dir: Path | None = None
) -> InputSet:
    """Find every input and the run they belong to.

    ``run`` is the number that the dictionary gives; ``input_dir`` is searched first, by base name.

    Raises MissingArgumentError (exit 17) without inputs or run number, DatasetError (8) for files
    of two runs, InputFileError (74) for files that are not there; all problems at once.
    """
    if not items:
        msg = "input is missing: the dictionary must list the job's input files"
        raise MissingArgumentError(msg)
    parsed = parse_inputs(items)
    problems: list[JobError] = []
    found = _locate(parsed, input_dir, problems)
    files = _without_repeats(_highest_attempts(found))
    named_run = _common_run(parsed, run, problems)
    raise_problems(problems)
    label = next((d for f in parsed for d in _labels(f) if d.run is not None), Dataset(""))
    if named_run is None:
        msg = (
            "the run number is missing: name the inputs by dataset "
            "(project.run.stream.step.type...) or give RunNumber"
        )
        raise MissingArgumentError(msg)
    return InputSet(files, named_run, label.project, label.stream, label.input_type)


def _labels(file: InputFile) -> tuple[Dataset, Dataset]:
    """What tells of the run: the dataset, and the file's own name in the form of one."""
    return file.dataset, Dataset.parse(file.name.rpartition("/")[2])


def _common_run(
    files: Iterable[InputFile], given: int | None, problems: list[JobError]
) -> int | None:
    runs: dict[int, str] = {} if given is None else {given: f"RunNumber {given}"}
    for file in files:
        for dataset in _labels(file):
            if dataset.run is not None:
                runs.setdefault(dataset.run, dataset.name)
    if len(runs) > 1:
        listed = "; ".join(f"run {run}: {name}" for run, name in runs.items())
        problems.append(DatasetError(f"the inputs are of several runs: {listed}"))
    return next(iter(runs), None)


def _locate(
    files: Iterable[InputFile], input_dir: Path | None, problems: list[JobError]
) -> list[InputFile]:
    found = []
    for file in files:
        try:
            found.append(_locate_one(file, input_dir))
        except InputFileError as error:
            problems.append(error)
    return found


def _locate_one(file: InputFile, input_dir: Path | None) -> InputFile:
    if file.name.rpartition("/")[2] in ("", ".", ".."):
        msg = f"input {file.name!r} of dataset {file.dataset.name!r} names no file"
        raise InputFileError(msg)
    if input_dir:
        path = _existing_there(input_dir, file.name.rpartition("/")[2])
        if path:
            return replace(file, path=path)
    if is_remote(file.name):
        return file
    path = _existing(Path(file.name))
    if path is None:
        msg = f"{file.name} not found"
        if input_dir:
            msg += f" (nor in {input_dir})"
        raise InputFileError(msg)
    return replace(file, path=path)


def _existing(path: Path) -> Path | None:
    """The path if there is such a file, else its highest attempt ``path.N``."""
    try:
        if path.exists():
            return _regular(path)
        names = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    except (OSError, ValueError) as error:
        msg = f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}"
        raise InputFileError(msg) from None
    attempts = [
        (attempt, name)
        for name in names
        for stem, attempt in [split_attempt(name)]
        if stem == path.name and attempt >= 0
    ]
    return _regular(path.with_name(max(attempts)[1])) if attempts else None


def _existing_there(folder: Path, name: str) -> Path | None:
    """A file of this name in a folder, else the highest attempt at the same file."""
    stem, attempt = split_attempt(name)
    return _existing(folder / name) or (_existing(folder / stem) if attempt >= 0 else None)


def _regular(path: Path) -> Path:
    if not path.is_file():
        msg = f"{path}: is not a file"
        raise InputFileError(msg)
    if not os.access(path, os.R_OK):
        msg = f"{path}: cannot be read: Permission denied"
        raise InputFileError(msg)
    return path


def _highest_attempts(files: Iterable[InputFile]) -> list[InputFile]:
    """Of files that differ only in the attempt number, the last attempt, in the first's place."""
    best: dict[str, InputFile] = {}
    for file in files:
        stem, attempt = split_attempt(_full_name(file))
        kept = best.setdefault(stem, file)
        if kept is file:
            continue
        earlier = split_attempt(_full_name(kept))[1]
        if attempt == earlier:
            log.warning("%s is listed twice; it is used once", file.name)
            continue
        if attempt > earlier:
            best[stem] = file
        log.warning("%s is given in several attempts; %s is used", stem, best[stem].base_name)
    return list(best.values())


def _full_name(file: InputFile) -> str:
    """One spelling for one place: links among the folders are followed, the file's own is not."""
    return str(file.path.parent.resolve() / file.path.name) if file.path else file.name


def _without_repeats(files: Iterable[InputFile]) -> tuple[InputFile, ...]:
    seen: dict[object, InputFile] = {}
    for file in files:
        key: object = file.name
        if file.path is not None:
            status = file.path.stat()
            key = (status.st_dev, status.st_ino)
        if key in seen:
            log.warning("%s is listed twice; it is used once", file.name)
        seen.setdefault(key, file)
    return tuple(seen.values())


def fetch(file: InputFile, folder: Path) -> InputFile:
    """Copy a remote file into a folder, whole; a local one is returned as it is.

    Raises InputFileError (exit 74) where it cannot be had.
    """
    if file.path is not None:
        return file
    import fsspec

    target = _free_name(folder, file.base_name)
    try:
        filesystem, remote = fsspec.core.url_to_fs(file.name)
        filesystem.get_file(remote, str(target))
    except ImportError:
        msg = (
            f"{file.name}: reading it needs XRootD; install it with: pip install 'sctcalib[xrootd]'"
        )
        raise InputFileError(msg) from None
    except (OSError, ValueError) as error:
        msg = f"{file.name}: cannot be fetched: {error}"
        raise InputFileError(msg) from None
    return replace(file, path=target)


def _free_name(folder: Path, name: str) -> Path:
    """Where to put a file of this name: files of several places can have the same."""
    place = folder / name
    number = 1
    while place.exists():
        number += 1
        (folder / str(number)).mkdir(exist_ok=True)
        place = folder / str(number) / name
    return place
