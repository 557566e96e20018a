"""The file runInfo.txt: times and lumi blocks of a run (algorithms-hist.md 1.3, transform.md 7.1).

One line: run, project tag, start, end, number of lumi blocks, partitions. Times are labels, not
results, so a file that is missing, of another run or damaged gives a warning and no values.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from pathlib import Path

from sctcalib.job.errors import OutputFileError

log = logging.getLogger(__name__)

FILE_NAME = "runInfo.txt"
NO_PARTITION = "NONE"
"""Written where no part of the SCT was in the run."""
N_FIELDS = 6
YEAR_10000 = 253_402_300_800
"""In seconds since 1970: later times are not seconds."""
_SIZE_LIMIT = 4096
_WHOLE = re.compile(r"([0-9]{1,10})")
_SECONDS = re.compile(r"([0-9]{1,12})(\.[0-9]*)?")


@dataclass(frozen=True)
class RunInfo:
    """What is known of a run from the run database.

    Raises ValueError for values that the file could not hold.
    """

    run: int
    project: str
    """Project tag, for example ``data15_13TeV``."""
    start: int
    """Whole seconds since 1970-01-01 UTC, as ``end``."""
    end: int
    n_lumi_blocks: int
    partitions: tuple[str, ...] = ()
    """Of ``SCTBA``, ``SCTBC``, ``SCTEA``, ``SCTEC``: those that were in the run."""

    def __post_init__(self) -> None:
        if min(self.run, self.start, self.n_lumi_blocks) < 0:
            msg = "run number, start time and number of lumi blocks cannot be negative"
            raise ValueError(msg)
        if not self.start <= self.end < YEAR_10000:
            msg = f"start {self.start} and end {self.end} are not UTC seconds in this order"
            raise ValueError(msg)
        words = (self.project, *self.partitions)
        if NO_PARTITION in self.partitions or not all(
            re.fullmatch(r"[!-+\--~]+", word) for word in words
        ):
            msg = f"project and partitions {words} must be words without blanks and commas"
            raise ValueError(msg)

    @property
    def duration(self) -> int:
        """Length of the run in seconds."""
        return self.end - self.start

    def line(self) -> str:
        """The content of the file: six fields, single blanks, no line feed."""
        partitions = ",".join(self.partitions) or NO_PARTITION
        numbers = f"{self.start} {self.end} {self.n_lumi_blocks}"
        return f"{self.run} {self.project} {numbers} {partitions}"


def read_run_info(path: Path, run: int) -> RunInfo | None:
    """Read the file for a run; None, after a warning, if it does not serve.

    That is if it is absent or unreadable, of another run (left over from an earlier job), or if
    a field is not what it should be. Times with decimals are cut at the dot.
    """
    info, problem = _read(path)
    if info and info.run != run:
        problem = f"{path} is of run {info.run}, this job is of run {run}: ignored"
    if problem:
        log.warning("%s; start time, end time and duration stay empty", problem)
        return None
    return info


def parse_run_info(text: str) -> RunInfo:
    """The content of the file; raises ValueError that says what is wrong.

    The last field may be empty or absent: the original writes no partitions that way.
    """
    fields = text.split()
    if not N_FIELDS - 1 <= len(fields) <= N_FIELDS:
        msg = f"{len(fields)} fields, expected {N_FIELDS}"
        raise ValueError(msg)
    run, project, start, end, n_lumi_blocks, *rest = fields
    partitions = rest[0] if rest else NO_PARTITION
    return RunInfo(
        run=_whole("run number", run),
        project=project,
        start=_whole("start time", start, _SECONDS),
        end=_whole("end time", end, _SECONDS),
        n_lumi_blocks=_whole("number of lumi blocks", n_lumi_blocks),
        partitions=() if partitions == NO_PARTITION else tuple(partitions.split(",")),
    )


def write_run_info(path: Path, info: RunInfo) -> None:
    """Write the file; raises OutputFileError if that fails."""
    try:
        path.write_text(info.line(), encoding="ascii", newline="")
    except OSError as error:
        msg = f"{path}: cannot be written: {error.strerror}"
        raise OutputFileError(msg) from error


def _read(path: Path) -> tuple[RunInfo | None, str]:
    """The content of the file, or why there is none."""
    try:
        with path.open("rb") as file:
            return parse_run_info(file.read(_SIZE_LIMIT).decode("ascii")), ""
    except FileNotFoundError:
        return None, f"{path} not found"
    except OSError as error:
        return None, f"{path} cannot be read: {error.strerror}"
    except ValueError as error:
        return None, f"{path} is not a run information file: {error}"


def _whole(what: str, text: str, form: re.Pattern[str] = _WHOLE) -> int:
    number = form.fullmatch(text)
    if not number:
        msg = f"{what} is {text[:40]!r}, expected a number"
        raise ValueError(msg)
    return int(number[1])
