"""Why a merge is refused: exit codes (run-query-and-upload.md B1.2, B2.5) and sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from sctcalib.cool.errors import CoolError

if TYPE_CHECKING:
    from sctcalib.cool.merging.report import Report


class Code(IntEnum):
    """Exit codes of a merge; 37 and higher are ours, the others those of the original."""

    CANNOT_OPEN = 10
    NO_FOLDER = 21
    SPECIFICATION = 22
    CHANNELS = 23
    WRITING = 31
    CLOSED_RUN = 35
    CONFLICT = 37
    UNKNOWN_TAG = 38
    DESCRIPTION = 39
    VALIDITY = 40
    BUSY = 41


MEANINGS = {
    Code.CANNOT_OPEN: "a database cannot be opened, is damaged, or the file has nothing to merge",
    Code.NO_FOLDER: "a folder of the file is not in the destination",
    Code.SPECIFICATION: "the fields or the versioning of a folder differ",
    Code.CHANNELS: "the name of a channel belongs to another channel",
    Code.WRITING: "a tag is locked or may only be extended, or writing failed",
    Code.CLOSED_RUN: "a run before the first open run of a UPD1 or UPD4 tag",
    Code.CONFLICT: "other content is there already; `--replace` stores over it",
    Code.UNKNOWN_TAG: "a tag is not in the destination; `--allow-new-tag` creates it",
    Code.DESCRIPTION: "the description of a folder differs; `--ignoredesc` allows it",
    Code.VALIDITY: "an interval of validity is not allowed",
    Code.BUSY: "another merge did not end in time",
}
"""For people."""

ORDER = (
    Code.CANNOT_OPEN,
    Code.NO_FOLDER,
    Code.SPECIFICATION,
    Code.DESCRIPTION,
    Code.UNKNOWN_TAG,
    Code.CHANNELS,
    Code.VALIDITY,
    Code.CLOSED_RUN,
    Code.WRITING,
    Code.CONFLICT,
    Code.BUSY,
)
"""Of several problems the first in this order gives the exit code."""


@dataclass(frozen=True)
class Problem:
    """One reason why nothing is written."""

    code: Code
    text: str


class MergeError(CoolError):
    """A merge that was refused or failed; the destination is as it was."""

    def __init__(self, problems: Sequence[Problem], report: Report | None = None) -> None:
        self.problems = tuple(problems)
        self.report = report
        """What was found, as far as the merge came."""
        super().__init__("\n".join(problem.text for problem in problems))

    @property
    def code(self) -> Code:
        """The exit code."""
        return min((problem.code for problem in self.problems), key=ORDER.index)


def failure(code: Code, text: str) -> MergeError:
    """An error of a single problem."""
    return MergeError([Problem(code, text)])
