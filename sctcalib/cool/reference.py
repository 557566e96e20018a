"""The last uploaded noisy strips as reference, and the numbers of the upload test
(cool-folders.md 8.2, 8.3; algorithms-hitmaps.md 3.7)."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sctcalib.cool import query
from sctcalib.cool.connection import file_in_folder, parse_connection
from sctcalib.cool.database import Database
from sctcalib.cool.errors import CoolError, DatabaseError
from sctcalib.cool.folder import Folder
from sctcalib.cool.folders import INSTANCE
from sctcalib.cool.query import Object
from sctcalib.cool.times import MAX_LB, format_key, run_lumi, run_of
from sctcalib.parts import strip_lists

LIST_FIELD = "DefectList"
_MODULE = ~0x7FF
"""Removes side and strip from a channel number: what is left is the module."""
_LAST_LB = MAX_LB - 1
"""A window ends here: at the last key of a run an open object resumes that the run's own cut."""


@dataclass(frozen=True)
class Reference:
    """What one uploaded run says of every module."""

    run: int
    inserted: str
    """Time string of the run's latest insertion; empty if nothing begins in the run."""
    lists: dict[int, str]
    """DefectList as stored, empty ones too, by module channel."""


@dataclass(frozen=True)
class UploadNumbers:
    """Numbers of the recent uploads that the upload test compares with."""

    runs: tuple[int, ...]
    """The runs they are taken from, newest first."""
    module_average: float
    strip_average: float
    strips_last_run: int


def open_conditions(connection: str | Path, *, default_name: str = INSTANCE) -> Database:
    """A conditions database, read only, from a path or a COOL connection string.

    The path may be a folder, in which every database is in a file of its name, as
    ``sctcalib conditions init`` makes it. Raises DatabaseError if there is no such database.
    """
    where = parse_connection(connection)
    name = where.name or default_name
    if not where.path.is_dir():
        return Database.open(where.path, name)
    file = file_in_folder(where.path, name)
    if not file.exists():
        msg = f"the folder {where.path} has no {file.name}; sctcalib conditions init makes one"
        raise DatabaseError(msg)
    return Database.open(file, name)


def uploaded_runs(folder: Folder, tag: str) -> list[int]:
    """Runs in which current objects of a tag begin, ascending: these have been uploaded."""
    return sorted({run_of(key) for key in query.starts(folder, tag)})


def reference_run(
    uploaded: Iterable[int],
    run: int,
    *,
    disabled: Collection[int] = (),
    last_run: int | None = None,
    force: bool = False,
) -> int | None:
    """The run whose noisy strips are the reference of a run, or None.

    It is the last one before ``run`` that is not disabled and not after ``last_run``; with
    ``force`` it is the run itself if that has been uploaded.
    """
    known = set(uploaded)
    if force and run in known:
        return run
    limit = run - 1 if last_run is None else min(run - 1, last_run)
    return max((u for u in known - set(disabled) if u <= limit), default=None)


def read_reference(folder: Folder, tag: str, reference: int) -> Reference:
    """What a tag holds at the first key of a run; errors name a malformed list."""
    objects = _valid(folder, tag, run_lumi(reference))
    begun = [found for found in objects if run_of(found.since) == reference]
    if not begun:  # objects of the run may begin after its first key
        window = _browse(folder, tag, run_lumi(reference), run_lumi(reference, _LAST_LB))
        begun = [found for found in window if run_of(found.since) == reference]
    inserted = max((found.inserted for found in begun), default="")
    return Reference(reference, inserted, _lists(folder, objects))


def valid_lists(folder: Folder, tag: str, key: int) -> dict[int, str]:
    """DefectList of the objects of a tag that are valid at a key, by module channel."""
    return _lists(folder, _valid(folder, tag, key))


def upload_numbers(
    folder: Folder, tag: str, run: int, n_runs: int, disabled: Collection[int] = ()
) -> UploadNumbers | None:
    """Plain means over the ``n_runs`` last uploads before a run; fewer do, none gives None."""
    before = [u for u in uploaded_runs(folder, tag) if u < run and u not in disabled]
    runs = tuple(reversed(before))[: max(n_runs, 0)]
    if not runs:
        return None
    modules, strips = zip(*(_count(folder, tag, one) for one in runs), strict=True)
    return UploadNumbers(runs, sum(modules) / len(runs), sum(strips) / len(runs), strips[0])


def disabled_file(database_path: str | Path) -> Path:
    """Where the disabled runs of a database are listed: beside it."""
    path = Path(database_path)
    return path.with_name(path.name + ".disabled.json")


def disabled_runs(database_path: str | Path, folder_path: str) -> set[int]:
    """Runs that must not serve as reference for a folder; none without the file.

    Raises DatabaseError as `disabled_entries` does.
    """
    entries = disabled_entries(database_path)
    return {entry["run"] for entry in entries if entry["folder"] == folder_path}


def disabled_entries(database_path: str | Path) -> list[dict[str, Any]]:
    """The entries ``{folder, run, who, when, why}`` of the list of disabled runs.

    Raises DatabaseError if the file is not a JSON list of such entries; folder and run are needed.
    """
    path = disabled_file(database_path)
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        msg = f"{path} is not a readable JSON list of disabled runs: {error}"
        raise DatabaseError(msg) from error
    if not isinstance(entries, list):
        msg = f"{path} is not a JSON list of disabled runs, each with folder, run, who, when, why"
        raise DatabaseError(msg)
    for number, entry in enumerate(entries):
        _check_disabled(path, number, entry)
    return entries


def _check_disabled(path: Path, number: int, entry: Any) -> None:
    folder, run = (entry.get("folder"), entry.get("run")) if isinstance(entry, dict) else ("", "")
    if not isinstance(folder, str) or not isinstance(run, int) or isinstance(run, bool):
        msg = f'{path}: entry {number} lacks "folder" (a text) or "run" (a number): {entry!r:.80}'
        raise DatabaseError(msg)


def _valid(folder: Folder, tag: str, key: int) -> list[Object]:
    return _browse(folder, tag, key, key)


def _browse(folder: Folder, tag: str, since: int, until: int) -> list[Object]:
    names = [name for name, _ in folder.fields]
    if LIST_FIELD not in names:
        msg = f"{folder} has no field {LIST_FIELD}, only {', '.join(names)}"
        raise CoolError(msg)
    return folder.browse(since, until, tag=tag)


def _lists(folder: Folder, objects: list[Object]) -> dict[int, str]:
    """Lists by module; later channels of a module replace earlier ones."""
    lists = {}
    for found in objects:
        text = found.payload[LIST_FIELD]
        if text:
            _n_strips(folder, found)
        lists[found.channel & _MODULE] = text
    return lists


def _count(folder: Folder, tag: str, run: int) -> tuple[int, int]:
    """Modules with a list that is not empty, and strips counted word by word, of one run."""
    window = _browse(folder, tag, run_lumi(run), run_lumi(run, _LAST_LB))
    noisy = [found for found in window if found.payload[LIST_FIELD]]
    return len(noisy), sum(_n_strips(folder, found) for found in noisy)


def _n_strips(folder: Folder, found: Object) -> int:
    """Strips of a list, where words may overlap; the error says where a malformed one is."""
    text = found.payload[LIST_FIELD]
    try:
        return strip_lists.count(text) if strip_lists.decode(text).size else 0
    except ValueError as error:
        msg = (
            f"{folder}: channel {found.channel}: {LIST_FIELD} of run {run_of(found.since)} "
            f"(from {format_key(found.since, 'run-lumi')}) is malformed: {error}"
        )
        raise CoolError(msg) from None
