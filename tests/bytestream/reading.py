"""Decoding in tests: one ROD with a small cabling, and comparison with the plain decoder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from sctcalib.bytestream.events import RawEvent, iter_events
from sctcalib.bytestream.layout import ERROR_TYPES
from sctcalib.detector.cabling import NOT_CABLED, Cabling, default_cabling
from sctcalib.detector.readout import default_swap
from tests.bytestream.raw_files import ROD_ID


@cache
def small_cabling() -> Cabling:
    """Two RODs: the default ones of the barrel, but fibres 20-25 of the first are not cabled."""
    full = default_cabling()
    table = full.wafer[:2].copy()
    table[0, 20:26] = NOT_CABLED
    return Cabling(full.rod_ids[:2], table)


def fibres(cabling: Cabling, rod: int = ROD_ID) -> dict[int, int]:
    """Wafers of the fibres of a ROD."""
    row = cabling.rod_ids.tolist().index(rod)
    return {i: wafer for i, wafer in enumerate(cabling.wafer[row].tolist()) if wafer >= 0}


def swapped() -> list[bool]:
    return default_swap().tolist()


def read_events(path: Path, cabling: Cabling | None = None) -> list[RawEvent]:
    return list(iter_events([path], cabling or small_cabling(), default_swap()))


@dataclass(frozen=True)
class Decoded:
    """Groups, error names by wafer, groups of unknown fibres, and counters."""

    hits: list[tuple[int, ...]]
    errors: dict[int, set[str]]
    unknown: int
    counts: dict[str, int]


class Payloads:
    """Decodes 16-bit words of a ROD with the compiled loop itself."""

    def __init__(
        self,
        cabling: Cabling | None = None,
        good_links: np.ndarray | None = None,
    ) -> None:
        from sctcalib.bytestream.tables import decoding_tables
        from sctcalib.bytestream.workspace import new_event_buffers

        self.cabling = cabling or small_cabling()
        self.tables = decoding_tables(self.cabling, default_swap(), good_links)
        self.buffers = new_event_buffers(len(self.cabling.rod_ids))

    def decode(self, halves: Sequence[int], *, super_condensed: bool = False) -> Decoded:
        from sctcalib.bytestream import fragments, payload
        from sctcalib.bytestream.events import hits_of
        from sctcalib.bytestream.layout import Counter

        fragments.clear_event(self.buffers)
        padded = [*halves, 0x4000] if len(halves) % 2 else list(halves)
        words = np.array(padded, dtype=np.uint32).reshape(-1, 2)
        words = words[:, 0] << 16 | words[:, 1]
        b = self.buffers
        n_groups = payload.scan_rod(
            words.view(np.uint16), 0, len(words), 0, super_condensed, self.tables.wafer,
            self.tables.swap, b.counters, b.groups, 0, b.incidents, b.errors.cursor,
        )  # fmt: skip
        payload.enter_incidents(b.incidents, b.errors.cursor, 0, self.tables, b.errors, b.counters)
        return Decoded(
            hits=[tuple(hit) for hit in hits_of(b.groups[:n_groups]).tolist()],
            errors={
                wafer: set(_names(int(b.errors.words[wafer])))
                for wafer in b.errors.touched[: b.errors.marks[0]].tolist()
            },
            unknown=int(b.errors.marks[1]),
            counts={c.name.lower(): int(b.counters[c]) for c in Counter if b.counters[c]},
        )


def _names(bits: int) -> Iterator[str]:
    return (name for i, name in enumerate(ERROR_TYPES) if bits >> i & 1)
