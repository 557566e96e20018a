"""What is wrong with bytes of a ROOT file; callers add the file and turn it into an input error."""

from __future__ import annotations


class DamagedError(ValueError):
    """Bytes that are not what a ROOT file must hold at this place."""


class RowError(DamagedError):
    """One of several objects is not what it must be; ``row`` says which."""

    def __init__(self, row: int, why: str) -> None:
        self.row = row
        super().__init__(why)
