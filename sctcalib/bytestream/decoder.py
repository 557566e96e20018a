"""One worker: its buffers and maps, and the reading of files into them."""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np

from sctcalib.bytestream.blocks import (
    SEPARATOR_WORDS,
    BlockReader,
    WordArray,
    plain_event,
)
from sctcalib.bytestream.files import RawFileInfo, opened
from sctcalib.bytestream.filling import (
    EVENT_DONE,
    EVENTS_DAMAGED,
    EVENTS_FILLED,
    EVENTS_IN_ERRORS,
    EVENTS_OUTSIDE,
    EVENTS_READ,
    EVENTS_REJECTED,
    EVENTS_UNKNOWN,
    FIRST_LB,
    FIRST_TIME,
    LAST_LB,
    LAST_TIME,
    N_CARRIES,
    N_FAULTS,
    N_SLOTS,
    SKIP,
    SLOT_BIN,
    SLOT_EVENTS,
    SLOT_FIRST_LB,
    SLOT_LAST_LB,
    TAKE,
    WANTED,
    Stop,
    fill_blocks,
    fill_event,
)
from sctcalib.bytestream.layout import FAULT_TEXTS, Fault
from sctcalib.bytestream.maps import Damage, RawMaps, RawSettings, TimeBin, empty_maps
from sctcalib.bytestream.tables import decoding_tables
from sctcalib.bytestream.workspace import arrays_of, new_event_buffers, new_workspace
from sctcalib.detector.cabling import Cabling
from sctcalib.job.errors import InputFileError

log = logging.getLogger(__name__)

Tell = Callable[[int], bool]
"""Called with the byte offset that was reached; False to stop reading."""


class Decoder:
    """Reads files one after the other and adds all of them up."""

    def __init__(self, cabling: Cabling, settings: RawSettings) -> None:
        n_rods = len(cabling.rod_ids)
        self._tables = decoding_tables(cabling, settings.swap, settings.good_links)
        self._event = new_event_buffers(n_rods)
        self._work = new_workspace(settings, n_rods)
        self._sum = empty_maps(settings, cabling.rod_ids)
        self._maps = arrays_of(self._sum)

    def read(self, info: RawFileInfo, skip: int, take: int, tell: Tell) -> None:
        """Pass over the first ``skip`` data blocks of a file, and decode ``take`` of them.

        Raises InputFileError if there are blocks and none of them can be decoded.
        """
        state = self._work.state
        state[SKIP], state[TAKE] = skip, take
        before = state[[EVENTS_READ, EVENTS_DAMAGED]]
        with opened(info.path) as file:
            reader = BlockReader(info, file)
            step = self._packed if info.is_compressed else self._plain
            while step(reader):
                if not tell(reader.offset):
                    return
            problem = reader.problem() if state[TAKE] > 0 else None
        n_read, n_damaged = state[[EVENTS_READ, EVENTS_DAMAGED]] - before
        if problem:
            log.warning("%s: byte %d: %s", info.path, reader.offset, problem)
            self._note(info, reader.offset, problem)
            self._sum.files_incomplete += 1
        if n_read == n_damaged and (n_read or problem):
            places = [str(d) for d in sorted(self._sum.damage.first) if d.file == str(info.path)]
            place = (places or [str(info.path)])[0]
            msg = f"{place}; none of the {n_read} events of this file can be read"
            raise InputFileError(msg)
        if info.end and skip == 0 and state[TAKE] > 0 and not problem:
            _compare(info, int(n_read))

    def result(self) -> RawMaps:
        """The sum of all files read so far; the decoder must not be used afterwards."""
        state, total = self._work.state, self._sum
        self._drain_carries()
        self._drain_time_bins()
        total.n_events = int(state[EVENTS_FILLED])
        total.events_read = int(state[EVENTS_READ])
        total.events_damaged = int(state[EVENTS_DAMAGED])
        total.events_unknown = int(state[EVENTS_UNKNOWN])
        total.events_rejected = int(state[EVENTS_REJECTED])
        total.events_outside_lbs = int(state[EVENTS_OUTSIDE])
        total.error_events = int(state[EVENTS_IN_ERRORS])
        if state[LAST_TIME] >= 0:
            total.first_lb, total.last_lb = int(state[FIRST_LB]), int(state[LAST_LB])
            total.first_time, total.last_time = int(state[FIRST_TIME]), int(state[LAST_TIME])
        return total

    def _plain(self, reader: BlockReader) -> bool:
        """Decode what is in the buffer, then deal with what the loop stopped for."""
        stop, reader.begin = fill_blocks(
            reader.words, reader.begin, reader.end, self._tables, self._event, self._maps,
            self._work,
        )  # fmt: skip
        self._drain_faults(reader.info, reader.offset_of)
        if stop == Stop.MORE:
            return reader.fill(int(self._work.state[WANTED]))
        if stop in (Stop.DONE, Stop.NO_SEPARATOR):
            return False
        if stop in (Stop.COMPRESSED, Stop.TOO_LARGE):
            return self._block(reader)
        self._make_room(stop)
        return True

    def _packed(self, reader: BlockReader) -> bool:
        """Decode the next block of a file whose blocks are packed."""
        return self._work.state[TAKE] > 0 and self._block(reader)

    def _block(self, reader: BlockReader) -> bool:
        """Decode one block that needs more than the compiled loop; False if there is none."""
        state = self._work.state
        n_words = reader.next_block()
        if n_words is None:
            return False
        if state[SKIP] > 0:
            state[SKIP] -= 1
        else:
            state[TAKE] -= 1
            begin = reader.begin + SEPARATOR_WORDS
            if begin + n_words > reader.end:
                self._damaged(reader, FAULT_TEXTS[Fault.TOO_LARGE])
            else:
                self._unpack(reader, reader.words[begin : begin + n_words])
        reader.skip(SEPARATOR_WORDS + n_words)
        return True

    def _unpack(self, reader: BlockReader, words: WordArray) -> None:
        """Unpack and decode a block."""
        try:
            self._fill(plain_event(words, self._event.header, reader.info))
        except ValueError as error:
            self._damaged(reader, str(error))
        offset = reader.offset
        self._drain_faults(reader.info, lambda _: offset)

    def _fill(self, words: WordArray) -> None:
        """Decode one event that is not packed, with room for all it has."""
        while True:
            stop = fill_event(
                words, 0, len(words), self._tables, self._event, self._maps, self._work
            )
            if stop == EVENT_DONE:
                return
            self._make_room(stop)

    def _make_room(self, stop: int) -> None:
        """Empty the list, or enlarge the buffer, that an event does not fit into."""
        wanted = int(self._work.state[WANTED])
        if stop == Stop.GROUPS:
            groups, incidents = (np.zeros(wanted, dtype=np.int64) for _ in range(2))
            self._event = self._event._replace(groups=groups, incidents=incidents)
        elif stop == Stop.CARRIES:
            self._drain_carries()
            if wanted > len(self._work.carries):
                self._work = self._work._replace(carries=np.zeros(wanted, dtype=np.int64))
        elif stop == Stop.TIME_BINS:
            self._drain_time_bins()

    def _drain_carries(self) -> None:
        state = self._work.state
        self._sum.windows.high.update(self._work.carries[: state[N_CARRIES]].tolist())
        state[N_CARRIES] = 0

    def _drain_time_bins(self) -> None:
        state, slots = self._work.state, self._work.slots
        for i in range(state[N_SLOTS]):
            row = slots[i].tolist()
            self._sum.time_bins.add(
                row[SLOT_BIN],
                TimeBin(
                    row[SLOT_EVENTS],
                    row[SLOT_FIRST_LB],
                    row[SLOT_LAST_LB],
                    self._work.slot_hits[i],
                ),
            )
        state[N_SLOTS] = 0

    def _drain_faults(self, info: RawFileInfo, offset_of: Callable[[int], int]) -> None:
        state = self._work.state
        for word, fault, rod, value in self._work.faults[: state[N_FAULTS]].tolist():
            what = "event skipped" if rod < 0 else f"ROD 0x{self._tables.rod_ids[rod]:06x} skipped"
            text = f"{what}: {FAULT_TEXTS[Fault(fault)]} (found 0x{value:08x})"
            self._note(info, offset_of(word), text)
        state[N_FAULTS] = 0

    def _damaged(self, reader: BlockReader, what: str) -> None:
        """Count an event that cannot be decoded."""
        state = self._work.state
        state[EVENTS_READ] += 1
        state[EVENTS_DAMAGED] += 1
        self._note(reader.info, reader.offset, f"event skipped: {what}")

    def _note(self, info: RawFileInfo, offset: int, text: str) -> None:
        self._sum.damage.add(Damage(str(info.path), offset, text))


def _compare(info: RawFileInfo, n_read: int) -> None:
    """Warn where the end-of-file record tells another number of events than was found."""
    if info.end and info.end.n_events != n_read:
        log.warning(
            "%s: %d events found, but its end-of-file record says %d",
            info.path, n_read, info.end.n_events,
        )  # fmt: skip
