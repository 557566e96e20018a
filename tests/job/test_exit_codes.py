"""One table of exit codes: the code, the documentation, and the error classes agree."""

from __future__ import annotations

import re
import signal

import pytest

import sctcalib.job.errors as errors
from sctcalib.job.errors import EXIT_CODES, JobError, ProblemsError, exit_code, raise_problems
from sctcalib.job.signals import HANDLED
from tests.support.processes import ROOT

PAGE = ROOT / "docs" / "exit-codes.md"
ROW = re.compile(r"^\|\s*(\d+)\s*\|\s*`?(\w+)`?\s*\|\s*([^|]*?)\s*\|", re.MULTILINE)
KINDS = [
    each
    for each in vars(errors).values()
    if isinstance(each, type) and issubclass(each, JobError) and each is not ProblemsError
]


def documented() -> dict[int, tuple[str, str]]:
    rows = ROW.findall(PAGE.read_text(encoding="utf-8"))
    return {int(code): (acronym, meaning) for code, acronym, meaning in rows}


def test_the_documentation_lists_exactly_the_table():
    assert documented() == {row.code: (row.acronym, row.meaning) for row in EXIT_CODES}


def test_codes_and_acronyms_are_unique_and_in_order():
    codes = [row.code for row in EXIT_CODES]
    assert codes == sorted(set(codes))
    assert len({row.acronym for row in EXIT_CODES}) == len(codes)


def test_codes_of_signals_are_documented_and_free():
    assert "128 + n" in PAGE.read_text(encoding="utf-8")
    assert not {128 + number for number in HANDLED} & {row.code for row in EXIT_CODES}


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_has_a_code_of_the_table(kind):
    assert exit_code(kind.code).acronym != "TRF_UNKNOWN"
    assert kind("message").code == kind.code


@pytest.mark.parametrize(
    ("code", "acronym"),
    [
        (0, "OK"),
        (17, "TRF_ARG_MISSING"),
        (251, "TRF_UNEXPECTED_OTHER_EXCEPTION"),
        (128 + signal.SIGTERM, "TRF_SIG_SIGTERM"),
        (129, "TRF_SIG_SIGHUP"),
        (130, "TRF_SIG_SIGINT"),
        (2, "TRF_UNKNOWN"),
        (128, "TRF_UNKNOWN"),
        (255, "TRF_UNKNOWN"),
        (1000, "TRF_UNKNOWN"),
    ],
)
def test_acronym_of_a_code(code, acronym):
    assert exit_code(code).acronym == acronym


def test_one_problem_is_raised_as_it_is():
    raise_problems([])
    with pytest.raises(errors.DatasetError):
        raise_problems([errors.DatasetError("one")])


def test_problems_within_problems_are_laid_flat():
    inner = ProblemsError([errors.DatasetError("a"), errors.DatasetError("b")])
    outer = ProblemsError([inner, errors.InputFileError("c")])
    assert str(outer) == "a\nb\nc"
    assert outer.code == 7
    assert ProblemsError([inner]).code == 8
