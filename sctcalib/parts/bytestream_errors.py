"""Byte-stream errors of every side (reference/algorithms-hist.md 6)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sctcalib.parts.layer_means import layer_sums

N_POSITIONS = 15
ERROR_NAMES = {
    0: "ByteStreamParseError",
    1: "TimeOutError",
    2: "BCIDError",
    3: "LVL1IDError",
    4: "PreambleError",
    5: "FormatterError",
    9: "ABCDError",
    10: "RawError",
    11: "MaskedLink",
    12: "RODClockError",
    13: "TruncatedROD",
    14: "ROBFragmentError",
}
"""Position in the lists of the database: error type with a histogram; the others stay 0."""
ALWAYS_STORED = 0
"""The first wafer is stored without errors too, so that there is a database (6.4)."""


@dataclass(frozen=True)
class ByteStreamErrors:
    """Events with an error, shape (8176, 15): wafer, position of the error type."""

    counts: NDArray[np.int64]
    n_events: int
    athena: bool = False

    @property
    def fractions(self) -> NDArray[np.float32]:
        """Counts over events in single precision, shape (8176, 15); 0 where the count is 0."""
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = self.counts.astype(np.float32) / np.float32(self.n_events)
        return np.where(self.counts > 0, ratio, np.float32(0))

    @property
    def links(self) -> NDArray[np.bool_]:
        """Sides with any error, shape (8176,)."""
        return np.asarray(self.counts.any(axis=1))

    @property
    def stored(self) -> NDArray[np.int64]:
        """Wafers that go into the database, ascending."""
        stored = self.links.copy()
        stored[ALWAYS_STORED] = True
        return np.flatnonzero(stored)

    @property
    def link_counts(self) -> NDArray[np.int64]:
        """Sides with any error by layer label, shape (48,): nErrLink.

        The original also counts the side that is always stored (6.4).
        """
        counted = self.links.copy()
        counted[ALWAYS_STORED] |= self.athena
        return layer_sums(counted).astype(np.int64)

    @property
    def totals(self) -> NDArray[np.int64]:
        """Sum over the error types of each wafer, shape (8176,)."""
        return np.asarray(self.counts.sum(axis=1))


def measure(
    content: NDArray[np.float64],
    entries: NDArray[np.float64] | None,
    n_events: int,
    *,
    athena: bool = False,
) -> ByteStreamErrors:
    """Counts from the bins of the maps, shape (8176, 15) each.

    Counting maps (21.0) have ``entries`` None. Maps of a fraction have entries: the count is
    recovered as round(content * entries); ``athena`` truncates the content as the original does,
    which loses nearly all errors (6.3).
    """
    counts = content
    if entries is not None and not athena:
        counts = np.rint(content * entries)
    return ByteStreamErrors(np.trunc(counts).astype(np.int64), n_events, athena)
