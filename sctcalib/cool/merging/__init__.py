"""Merging a file into a conditions database (run-query-and-upload.md part B).

`merge` does it, in one transaction or not at all; the other modules are its steps: `sources` reads
what the file holds, `checks` and `updates` say what is refused, `classes` compares with what is
there, `report` tells it. Names are loaded when they are used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sctcalib.cool.merging.perform import Options as Options
    from sctcalib.cool.merging.perform import merge as merge
    from sctcalib.cool.merging.problems import MergeError as MergeError
    from sctcalib.cool.merging.report import Report as Report

_HOME = {"Options": "perform", "merge": "perform", "MergeError": "problems", "Report": "report"}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
