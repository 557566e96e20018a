"""What waits, what failed, and whether the loop is alive."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sctcalib.cool.errors import CoolError
from sctcalib.uploads.heartbeat import LOG_NAME, State, heartbeat_age, state
from sctcalib.uploads.requests import (
    FAILED,
    RequestError,
    find_failed,
    find_requests,
    parse_request,
    read_request,
)


@dataclass(frozen=True)
class Status:
    """The state of a directory of requests."""

    state: State
    age_s: float | None
    """Seconds since the last sign of life; None without any."""
    pending: tuple[str, ...]
    """Requests in the order in which they are served."""
    misnamed: tuple[str, ...]
    failed: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def lines(self) -> list[str]:
        """For people."""
        return [
            f"{self.state.value}: {self._sign_of_life()}",
            _named("pending", self.pending),
            *([_named("misnamed", self.misnamed)] if self.misnamed else []),
            _named(FAILED, self.failed),
        ]

    def _sign_of_life(self) -> str:
        if self.age_s is None:
            return f"there is no {LOG_NAME}, the loop was never started here"
        if self.age_s < 0:
            return f"{LOG_NAME} was written {-self.age_s:.0f} s in the future"
        return f"last sign of life {self.age_s / 60:.0f} minutes ago"


def _named(what: str, names: tuple[str, ...]) -> str:
    return f"{what}: {len(names)}{' ' if names else ''}{', '.join(names)}"


def status(directory: Path) -> Status:
    """The state of a directory; raises RequestError if it cannot be read."""
    requests, misnamed = find_requests(directory)
    age = heartbeat_age(directory)
    return Status(
        state=state(age),
        age_s=age,
        pending=tuple(request.path.name for request in requests),
        misnamed=tuple(path.name for path, _ in misnamed),
        failed=tuple(path.name for path in find_failed(directory)),
    )


def overview(directory: Path) -> list[dict[str, Any]]:
    """One row for every request: name, state, run, task, file; None where that is not known."""
    requests, misnamed = find_requests(directory)
    rows = [_row(request.path, directory, "pending") for request in requests]
    rows += [_row(path, directory, "misnamed") for path, _ in misnamed]
    return rows + [_row(path, directory, FAILED) for path in find_failed(directory)]


def _row(path: Path, directory: Path, what: str) -> dict[str, Any]:
    row: dict[str, Any] = {"request": path.name, "state": what}
    row |= dict.fromkeys(("run", "task", "file"))
    try:
        request = parse_request(path)
    except RequestError:
        return row
    row |= {"run": request.run, "task": request.task}
    try:
        return row | {"file": str(read_request(path, directory).path)}
    except CoolError:
        return row
