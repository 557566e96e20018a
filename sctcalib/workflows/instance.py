"""Which conditions database a run belongs to, and the validity of what is said of it."""

from __future__ import annotations

from sctcalib.cool import VALIDITY_KEY_MAX

RUN2_INSTANCE = "CONDBR2"
RUN1_INSTANCE = "COMP200"
LAST_YEAR_OF_RUN1 = 13
LAST_LUMI_BLOCK = 0xFFFFFFFF


def instance(project: str) -> str:
    """Name of the database for a project such as ``data15_13TeV`` (transform.md 3.5)."""
    year = project[4:6]
    is_run1 = year.isascii() and year.isdigit() and int(year) <= LAST_YEAR_OF_RUN1
    return RUN1_INSTANCE if is_run1 else RUN2_INSTANCE


def interval(run: int, *, open_ended: bool = False) -> tuple[int, int]:
    """Run-lumi keys since and until (exclusive): the run, or everything from it on.

    As the original writes them (cool-folders.md 5).
    """
    since = run << 32
    return since, VALIDITY_KEY_MAX if open_ended else since + LAST_LUMI_BLOCK
