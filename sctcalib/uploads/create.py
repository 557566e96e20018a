"""Request the upload of a job's database: the right name from what the file holds."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sctcalib.cool.connection import Connection
from sctcalib.cool.database import Database
from sctcalib.cool.folders import SCT_FOLDERS, sct_folder
from sctcalib.cool.merging.sources import Content, Selection, check_source, read_contents
from sctcalib.cool.times import run_of
from sctcalib.uploads.requests import (
    FAILED,
    MAX_RUN,
    NOISY_TAG,
    OTHER_TAG,
    TASKS,
    RequestError,
    read_request,
    request_name,
)

NOISY_FOLDER = SCT_FOLDERS["doNoisyStrip"].path
_MODE = re.compile("UPD[1-4]")


@dataclass(frozen=True)
class Held:
    """What a job's file holds, as far as requests are concerned."""

    run: int
    parts: tuple[str, ...]
    """In the order of the folders' table, so that noisy strips are first."""
    noisy_mode: str
    """``UPD4``, as the tag of the noisy strips says."""

    @property
    def is_noisy(self) -> bool:
        """Whether noisy strips are among it."""
        return self.parts[0] == "doNoisyStrip"


def look_into(where: Connection) -> Held:
    """Run and parts of a file.

    Raises MergeError if the file cannot be used at all, RequestError if objects are of several
    runs, and NodeError for folders that are not the SCT's.
    """
    with Database.open(where.path, where.name) as database:
        check_source(database)
        contents = read_contents(database, Selection())
        parts = {sct_folder(content.folder.path).part for content in contents}
        ordered = tuple(part for part in SCT_FOLDERS if part in parts)
        return Held(_run(where.path, contents), ordered, _mode(contents))


def _run(path: Path, contents: list[Content]) -> int:
    runs = sorted({run_of(since) for content in contents for since in content.objects.since})
    if len(runs) > 1:
        shown = ", ".join(map(str, runs[:5])) + (", ..." if len(runs) > 5 else "")
        msg = f"{path} has objects of {len(runs)} runs ({shown}); a request is for one run"
        raise RequestError(msg)
    if not 0 < runs[0] <= MAX_RUN:
        msg = f"{path} is of run {runs[0]}; names of requests have room for runs 1-{MAX_RUN}"
        raise RequestError(msg)
    return runs[0]


def _mode(contents: list[Content]) -> str:
    tags = " ".join(each.tag for each in contents if each.folder.path == NOISY_FOLDER)
    found = _MODE.search(tags)
    return found[0] if found else NOISY_TAG


def create_request(where: Connection, directory: Path) -> tuple[Path, bool]:
    """Write the request for a file; returns it, and False if the same is there already.

    One request is for all that the file holds. Raises RequestError if a request of that name
    waits for another file, or if it cannot be written; otherwise as `look_into`.
    """
    held = look_into(where)
    tag = held.noisy_mode if held.is_noisy else OTHER_TAG
    path = directory / request_name(held.run, TASKS[held.parts[0]], tag)
    target = Connection(where.path.absolute(), where.name)
    if _written(path, str(target) if where.name else str(target.path)):
        return path, True
    pending = read_request(path, directory)
    if pending != target:
        msg = f"{path} waits for {pending.path} already; remove it to request {target.path}"
        raise RequestError(msg)
    return path, False


def _written(path: Path, text: str) -> bool:
    """Write a new file, seen whole or not at all; False if there is one."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(os.fsencode(f"{text}\n"))
        os.link(temporary, path)
    except FileExistsError:
        return False
    except OSError as error:
        msg = f"{path}: cannot be written: {error.strerror}"
        raise RequestError(msg) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    return True


def retry(directory: Path, path: Path) -> Path:
    """Put a failed request back, to be served again; raises RequestError if that is not possible.

    Its log stays until it is served.
    """
    target = directory / path.name
    try:
        os.link(path, target)
        path.unlink()
    except FileExistsError:
        msg = f"{target} waits already; {FAILED}/{path.name} stays where it is"
        raise RequestError(msg) from None
    except OSError as error:
        msg = f"{path}: cannot be put back: {error.strerror}"
        raise RequestError(msg) from error
    return target
