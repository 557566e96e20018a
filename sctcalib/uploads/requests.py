"""Upload requests: files ``<run>.<task>.<tag>.up`` that hold the path of a database
(transform.md R65-R67, run-query-and-upload.md B4)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sctcalib.cool.connection import Connection, parse_connection
from sctcalib.cool.errors import CoolError

SUFFIX = ".up"
NOISY = "noisy"
TASKS = {
    "doNoisyStrip": NOISY,
    "doNoiseOccupancy": "noise",
    "doRawOccupancy": "rawoc",
    "doEfficiency": "effic",
    "doLorentzAngle": "loren",
    "doBSErrorDB": "bserr",
    "doDeadStrip": "deads",
    "doDeadChip": "deadc",
}
"""Five letters for every part that writes to the database."""
NOISY_TAG, OTHER_TAG = "UPD4", "UPD"
"""Tag part of a request for noisy strips and for anything else; only a label."""
FORMS = (
    "<run>.noisy.<tag>.up (run of six digits, tag of four characters) "
    "or <run>.<task>.UP?.up (task of five letters)"
)
MAX_RUN = 999_999
"""Names have room for six digits."""
FAILED = "failed"
"""Folder for requests that failed, below that of the requests."""

_NAME = re.compile(r"(?P<run>[0-9]{6})\.(?P<task>[A-Za-z]{5})\.(?P<tag>[^.\s]+)\.up")
_SIZE_LIMIT = 1 << 16


class RequestError(CoolError):
    """A request, or what should become one, that cannot be used."""


@dataclass(frozen=True)
class Request:
    """One file of a directory of requests."""

    path: Path
    run: int
    task: str
    tag: str

    @property
    def is_noisy(self) -> bool:
        """Whether it is for noisy strips, which go first and into another database."""
        return self.task == NOISY

    @property
    def order(self) -> tuple[bool, int, str]:
        """Noisy strips first, then by run."""
        return (not self.is_noisy, self.run, self.path.name)


def request_name(run: int, task: str, tag: str) -> str:
    """The name of a request; raises RequestError if it has no room for the values."""
    name = f"{run:06d}.{task}.{tag}{SUFFIX}"
    parse_request(Path(name))
    return name


def parse_request(path: Path) -> Request:
    """Run, task and tag of a request's name; raises RequestError for any other name."""
    found = _NAME.fullmatch(path.name)
    request = Request(path, int(found["run"]), found["task"], found["tag"]) if found else None
    if request is None or not request.run or not _tag_fits(request):
        msg = f"{path.name} is no name of a request; expected {FORMS}"
        raise RequestError(msg)
    return request


def _tag_fits(request: Request) -> bool:
    if request.is_noisy:
        return len(request.tag) == len(NOISY_TAG)
    return len(request.tag) == len(OTHER_TAG) and request.tag.startswith("UP")


def find_requests(directory: Path) -> tuple[list[Request], list[tuple[Path, str]]]:
    """The requests in the order in which they are served, and misnamed ones with the reason.

    Raises RequestError if the directory cannot be read.
    """
    requests: list[Request] = []
    misnamed: list[tuple[Path, str]] = []
    for path in _request_files(directory):
        try:
            requests.append(parse_request(path))
        except RequestError as error:
            misnamed.append((path, str(error)))
    return sorted(requests, key=lambda request: request.order), misnamed


def _request_files(directory: Path) -> Iterator[Path]:
    """Hidden files are those that are being written."""
    try:
        names = sorted(os.listdir(directory))  # noqa: PTH208, iterdir hides the kind of failure
    except OSError as error:
        msg = f"{directory}: cannot be read: {error.strerror}"
        raise RequestError(msg) from error
    for name in names:
        path = directory / name
        if name.endswith(SUFFIX) and not name.startswith(".") and not path.is_dir():
            yield path


def find_failed(directory: Path) -> list[Path]:
    """Requests that failed, by name."""
    folder = directory / FAILED
    return list(_request_files(folder)) if folder.is_dir() else []


def read_request(path: Path, directory: Path) -> Connection:
    """The database that a request names; a relative path starts at the directory of requests.

    Raises RequestError if the file cannot be read or does not hold one path.
    """
    try:
        with path.open("rb") as file:
            text = os.fsdecode(file.read(_SIZE_LIMIT)).strip()
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise RequestError(msg) from error
    if not text or any(char in text for char in "\0\r\n"):
        msg = f"{path}: holds {text[:80]!r}, expected the path of one database"
        raise RequestError(msg)
    where = parse_connection(text)
    return Connection(directory.absolute() / where.path, where.name)
