"""May dead strips and chips be uploaded? (reference/algorithms-hitmaps.md 4.7)

Green if there is anything, red if there is nothing, which is hardly true of a working search.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sctcalib.parts.dead import Counts, Search

CHECK = "#chips or #strips is non-zero"


@dataclass(frozen=True)
class DeadFlag:
    """The flag with its reason."""

    flag: str
    """``G``, ``R``, or ``U`` if not tested."""
    reason: str
    check_list: str
    enabled: bool


def judge(
    counts: Counts, search: Search, *, chip_test: bool = True, strip_test: bool = True
) -> DeadFlag:
    """Judge what was found. The original looks at the number of chips alone."""
    flag = "U"
    if (search.chips and chip_test) or (search.strips and strip_test):
        anything = counts.chips > 0 or (counts.strips > 0 and not search.athena)
        flag = "G" if anything else "R"
    reason = "" if flag == "G" else f"FAILED in {CHECK}"
    return DeadFlag(flag, reason, CHECK, chip_test or strip_test)


def upload_tests(options: Mapping[str, Any]) -> dict[str, bool]:
    """The keyword arguments of `judge` from a configuration."""
    return {
        "chip_test": options["DeadChipUploadTest"],
        "strip_test": options["DeadStripUploadTest"],
    }
