"""Exit codes, and one exception family that carries them (reference/transform.md 4.6, 4.7, 5.6)."""

from __future__ import annotations

import signal
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class ExitCode:
    """One row of the table of exit codes."""

    code: int
    acronym: str
    meaning: str


EXIT_CODES = tuple(
    ExitCode(*row)
    for row in (
        (0, "OK", "Successful exit"),
        (1, "NEEDCHECK", "Job needs manual intervention"),
        (3, "TRF_SETUP", "Transform setup error"),
        (4, "TRF_ARG_CONV_FAIL", "Argument could not be converted to its type"),
        (5, "TRF_ARG_OUT_OF_RANGE", "Argument out of range"),
        (7, "TRF_ARG_ERROR", "Problem with an argument"),
        (8, "TRF_ARG_DATASET", "Inconsistent dataset in the input file list"),
        (9, "TRF_INPUT_FILE_ERROR", "Error with an input file"),
        (11, "TRF_OUTPUT_FILE_ERROR", "Error handling an output file"),
        (15, "TRF_NOEVENTS", "No events to process"),
        (16, "TRF_ARG_CHOICES_FAIL", "Invalid choice"),
        (17, "TRF_ARG_MISSING", "Mandatory argument missing"),
        (52, "TRF_FILEMERGE_PROBLEM", "Merging input files failed"),
        (65, "TRF_EXEC_FAIL", "The algorithm failed"),
        (66, "TRF_EXEC_VALIDATION_FAIL", "Executor or output validation failure"),
        (68, "TRF_EXEC_LOGERROR", "Errors found in the log"),
        (74, "TRF_INPUT_FILE_VALIDATION_FAIL", "Input file failed validation"),
        (75, "TRF_OUTPUT_FILE_VALIDATION_FAIL", "Output file failed validation"),
        (250, "TRF_UNEXPECTED_TRF_EXCEPTION", "Unhandled transform exception"),
        (251, "TRF_UNEXPECTED_OTHER_EXCEPTION", "Unhandled general exception: a bug"),
        (253, "TRF_UNKNOWN", "Unknown error code"),
    )
)
_BY_CODE = {row.code: row for row in EXIT_CODES}

NEEDCHECK = 1
UNEXPECTED = 251
SIGNAL_BASE = 128


def exit_code(code: int) -> ExitCode:
    """The table's row for a code; 128 + n is signal n, anything else unknown is TRF_UNKNOWN."""
    if code in _BY_CODE:
        return _BY_CODE[code]
    try:
        name = signal.Signals(code - SIGNAL_BASE).name
    except ValueError:
        return ExitCode(code, "TRF_UNKNOWN", "Unknown error code")
    return ExitCode(code, f"TRF_SIG_{name}", f"Terminated by {name}")


class JobError(Exception):
    """A failure with an exit code and a message for the person who started the job."""

    code = 65


class ConversionError(JobError):
    """An argument has the wrong type."""

    code = 4


class OutOfRangeError(JobError):
    """An argument has the right type and a value that is not allowed."""

    code = 5


class ArgumentError(JobError):
    """An argument or configuration option is unknown, unreadable or not allowed here."""

    code = 7


class DatasetError(JobError):
    """The input files do not belong together."""

    code = 8


class OutputFileError(JobError):
    """An output cannot be written."""

    code = 11


class MissingArgumentError(JobError):
    """A mandatory argument is missing."""

    code = 17


class MergeError(JobError):
    """Merging input files failed for a reason other than the content of one of them."""

    code = 52


class OutputValidationError(JobError):
    """A required output is missing, or one of the outputs cannot be read back."""

    code = 66


class LogError(JobError):
    """A part logged an error and went on."""

    code = 68


class InputFileError(JobError):
    """An input is missing, unreadable, damaged or of the wrong content."""

    code = 74


class NeedCheckError(JobError):
    """The job did its work, and a person has to look at it."""

    code = NEEDCHECK


class ProblemsError(JobError):
    """Several problems found together; the code is their common one, else that of ArgumentError."""

    def __init__(self, problems: Iterable[JobError]) -> None:
        self.problems: tuple[JobError, ...] = tuple(
            single
            for problem in problems
            for single in (problem.problems if isinstance(problem, ProblemsError) else (problem,))
        )
        codes = {problem.code for problem in self.problems}
        self.code = codes.pop() if len(codes) == 1 else ArgumentError.code
        super().__init__("\n".join(str(problem) for problem in self.problems))


def raise_problems(problems: Iterable[JobError]) -> None:
    """Raise what was found, all at once and each once; do nothing if there is nothing."""
    found = list({(type(p), str(p)): p for p in problems}.values())
    if len(found) == 1:
        raise found[0]
    if found:
        raise ProblemsError(found)
