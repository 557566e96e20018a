"""RAW files event by event, for people who want to look at events.

```python
for event in iter_events([path], default_cabling(), default_swap()):
    print(event.event_id, event.lumi_block, event.hits["wafer"])
```
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sctcalib.bytestream.accumulate import file_infos, shares_of_files
from sctcalib.bytestream.files import RawFileInfo, opened
from sctcalib.bytestream.layout import ERROR_TYPES, FAULT_TEXTS, Fault
from sctcalib.bytestream.maps import Damage
from sctcalib.detector.cabling import Cabling
from sctcalib.detector.identifiers import IntArray
from sctcalib.detector.readout import BoolArray

if TYPE_CHECKING:
    from sctcalib.bytestream.blocks import BlockReader, WordArray

log = logging.getLogger(__name__)

HITS = np.dtype(
    [
        ("wafer", np.uint16),
        ("strip", np.uint16),
        ("size", np.uint8),
        ("time_bin", np.uint8),
        ("hit_errors", np.uint8),
    ]
)
"""A group of strips: wafer hash, first offline strip, number of strips, time bin (2 in condensed
modes), hit errors (bit 0 in the first hit of a word, bit 1 in the second)."""
ERRORS = np.dtype([("wafer", np.uint16), ("types", np.uint64)])
"""Errors of a wafer: bit n of ``types`` is error type n of `layout.ERROR_TYPES`."""


@dataclass(frozen=True)
class RawEvent:
    """One event: fields of its header, groups of strips (`HITS`) and errors (`ERRORS`)."""

    file: Path
    offset: int
    """Byte offset of its data block."""
    version: int
    status: int
    run: int
    lumi_block: int
    event_id: int
    time: int
    """Seconds since 1970, UTC."""
    time_ns: int
    lvl1_id: int
    bcid: int
    trigger_type: int
    run_type: int
    hits: NDArray[np.void]
    errors: NDArray[np.void]
    unknown_ids: int
    """Groups of fibres that are not cabled; with more than ten the event enters no map."""
    rods_hv_not_on: tuple[int, ...]
    """RODs that did not report all four HV bits."""
    damage: tuple[Damage, ...]
    """ROD fragments that could not be decoded."""

    def error_names(self, wafer: int) -> tuple[str, ...]:
        """Names of the errors of a wafer."""
        bits = int(self.errors["types"][self.errors["wafer"] == wafer].sum())
        return tuple(name for i, name in enumerate(ERROR_TYPES) if bits >> i & 1)


def iter_events(
    paths: Sequence[Path],
    cabling: Cabling,
    swap: BoolArray,
    *,
    max_events: int = -1,
    skip_events: int = 0,
    good_links: BoolArray | None = None,
) -> Iterator[RawEvent]:
    """The events of RAW files in their order; those that cannot be read are warnings.

    ``max_events`` and ``skip_events`` count data blocks, as `accumulate` does; ``swap`` and
    ``good_links`` are those of `RawSettings`. Raises InputFileError for files that are no RAW
    files.
    """
    from sctcalib.bytestream.blocks import BlockReader

    reader = _EventReader(cabling, swap, good_links)
    infos = file_infos(paths)
    for info, (skip, take) in zip(
        infos, shares_of_files(infos, max_events, skip_events), strict=True
    ):
        if not take:
            continue
        with opened(info.path) as file:
            blocks = BlockReader(info, file)
            yield from reader.events(blocks, skip, take)


def to_awkward(events: Iterable[RawEvent]) -> Any:
    """Some events as one awkward array: the header fields, and lists of hits and errors."""
    import awkward as ak

    chosen = list(events)
    columns: dict[str, Any] = {
        name: np.array([getattr(event, name) for event in chosen], dtype=np.int64)
        for name in _COLUMNS
    }
    for name, dtype in (("hits", HITS), ("errors", ERRORS)):
        parts = [getattr(event, name) for event in chosen]
        flat = np.concatenate([np.empty(0, dtype=dtype), *parts])
        record = ak.zip({field: flat[field] for field in dtype.names or ()})
        columns[name] = ak.unflatten(record, np.array([len(part) for part in parts], dtype=int))
    return ak.zip(columns, depth_limit=1)


def hits_of(groups: IntArray) -> NDArray[np.void]:
    """Groups as the decoder packs them, as records of `HITS`."""
    from sctcalib.bytestream import payload as p

    hits = np.empty(len(groups), dtype=HITS)
    hits["wafer"] = groups & ((1 << p.STRIP_BIT) - 1)
    hits["strip"] = groups >> p.STRIP_BIT & 0x3FF
    hits["size"] = groups >> p.SIZE_BIT & 0xFF
    hits["time_bin"] = groups >> p.TIME_BIN_BIT & 7
    hits["hit_errors"] = groups >> p.HIT_ERROR_BIT
    return hits


_COLUMNS = (
    "offset", "version", "status", "run", "lumi_block", "event_id", "time", "time_ns", "lvl1_id",
    "bcid", "trigger_type", "run_type", "unknown_ids",
)  # fmt: skip


class _EventReader:
    """Buffers for the compiled loops, and events out of them."""

    def __init__(self, cabling: Cabling, swap: BoolArray, good_links: BoolArray | None) -> None:
        from sctcalib.bytestream.tables import decoding_tables
        from sctcalib.bytestream.workspace import new_event_buffers

        self._cabling = cabling
        self._tables = decoding_tables(cabling, swap, good_links)
        self._buffers = new_event_buffers(len(cabling.rod_ids))

    def events(self, reader: BlockReader, skip: int, take: int) -> Iterator[RawEvent]:
        """The events of one file."""
        from sctcalib.bytestream.blocks import SEPARATOR_WORDS

        number = 0
        while number < skip + take:
            n_words = reader.next_block()
            if n_words is None:
                problem = reader.problem()
                if problem:
                    log.warning("%s: byte %d: %s", reader.info.path, reader.offset, problem)
                return
            number += 1
            if number > skip:
                begin = reader.begin + SEPARATOR_WORDS
                event = self._event(reader, reader.words[begin : begin + n_words], n_words)
                if event:
                    yield event
            reader.skip(SEPARATOR_WORDS + n_words)

    def _event(self, reader: BlockReader, words: WordArray, n_words: int) -> RawEvent | None:
        """One event, or None and a warning where it cannot be read."""
        from sctcalib.bytestream.blocks import plain_event

        info, offset = reader.info, reader.offset
        try:
            if len(words) < n_words:
                raise ValueError(FAULT_TEXTS[Fault.TOO_LARGE])  # noqa: TRY301
            plain = plain_event(words, self._buffers.header, info)
            return self._decoded(plain, info, offset, packed=plain is not words)
        except ValueError as error:
            log.warning("%s: byte %d: event skipped: %s", info.path, offset, error)
            return None

    def _decoded(
        self, words: WordArray, info: RawFileInfo, offset: int, *, packed: bool
    ) -> RawEvent:
        from sctcalib.bytestream import fragments as f
        from sctcalib.bytestream.payload import PER_WORD

        if PER_WORD * len(words) > len(self._buffers.groups):
            groups, incidents = (np.zeros(PER_WORD * len(words), np.int64) for _ in range(2))
            self._buffers = self._buffers._replace(groups=groups, incidents=incidents)
        f.clear_event(self._buffers)
        header = self._buffers.header
        fault, _, value = f.find_robs(
            words, header[f.PAYLOAD], header[f.PAYLOAD_END], self._tables, self._buffers
        )
        if fault:
            msg = f"{FAULT_TEXTS[Fault(fault)]} (found 0x{value:08x})"
            raise ValueError(msg)
        n_groups, n_faults = f.decode_robs(words, self._tables, self._buffers)
        damage = [
            Damage(
                str(info.path),
                offset if packed else offset + 4 * (word + _SEPARATOR),
                f"ROD 0x{self._cabling.rod_ids[rod]:06x} skipped: {FAULT_TEXTS[Fault(kind)]}"
                f" (found 0x{value:08x})",
            )
            for word, kind, rod, value in self._buffers.faults[:n_faults].tolist()
        ]
        field = header.tolist()
        return RawEvent(
            file=info.path, offset=offset, version=field[f.VERSION], status=field[f.STATUS],
            run=field[f.RUN], lumi_block=field[f.LUMI_BLOCK], event_id=field[f.EVENT_ID],
            time=field[f.TIME], time_ns=field[f.TIME_NS], lvl1_id=field[f.LVL1_ID],
            bcid=field[f.BCID], trigger_type=field[f.TRIGGER], run_type=field[f.RUN_TYPE],
            hits=hits_of(self._buffers.groups[:n_groups]), errors=self._errors(),
            unknown_ids=int(self._buffers.errors.marks[1]),
            rods_hv_not_on=tuple(self._cabling.rod_ids[self._buffers.hv != 0].tolist()),
            damage=tuple(damage),
        )  # fmt: skip

    def _errors(self) -> NDArray[np.void]:
        found = self._buffers.errors
        wafers = np.sort(found.touched[: found.marks[0]])
        errors = np.empty(len(wafers), dtype=ERRORS)
        errors["wafer"], errors["types"] = wafers, found.words[wafers]
        return errors


_SEPARATOR = 4
