"""Where the run database is."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "SCTCALIB_RUNS"
"""Environment variable that names the run database."""


def location(option: Path | None) -> Path | None:
    """The run database: what an option says, else what the environment says, else none."""
    named = os.environ.get(VARIABLE, "")
    return option or (Path(named) if named else None)
