"""Fresh buffers for the compiled loops."""

from __future__ import annotations

import numpy as np

from sctcalib.bytestream.filling import (
    DO_ACCEPT,
    DO_BINS,
    DO_BLOCKS,
    DO_ERRORS,
    FIRST_LB,
    FIRST_TIME,
    LAST_LB,
    LAST_TIME,
    N_SETTINGS,
    N_STATE,
    N_WINDOWS,
    NO_LUMI_BLOCK,
    NO_TIME,
    PER_WINDOW,
    L,
    Maps,
    Workspace,
)
from sctcalib.bytestream.fragments import FAULT_FIELDS, N_FIELDS, ROB_FIELDS, EventBuffers
from sctcalib.bytestream.layout import Counter
from sctcalib.bytestream.maps import RawMaps, RawSettings
from sctcalib.bytestream.payload import CURSOR, EVENT_MARKS, EventErrors
from sctcalib.detector.identifiers import IntArray
from sctcalib.detector.regions import N_WAFERS

_ENDS = (-(1 << 53), 1 << 53)
"""Beyond all times."""
_GROUPS, _CARRIES, _FAULTS, _SLOTS = 1 << 18, 1 << 16, 1 << 12, 32


def new_event_buffers(n_rods: int) -> EventBuffers:
    """Buffers for one event at a time."""
    return EventBuffers(
        header=_zeros(N_FIELDS),
        errors=EventErrors(_zeros(N_WAFERS), _zeros(N_WAFERS), _zeros(EVENT_MARKS), _zeros(CURSOR)),
        counters=_zeros(len(Counter)),
        groups=_zeros(_GROUPS),
        incidents=_zeros(_GROUPS),
        robs=_zeros(n_rods, 2),
        rob=_zeros(ROB_FIELDS),
        hv=np.zeros(n_rods, dtype=np.int8),
        faults=_zeros(n_rods, FAULT_FIELDS),
    )


def new_workspace(settings: RawSettings, n_rods: int) -> Workspace:
    """State at the start: nothing read."""
    state = _zeros(N_STATE)
    state[FIRST_LB], state[LAST_LB] = NO_LUMI_BLOCK, -1
    state[FIRST_TIME], state[LAST_TIME] = NO_TIME, -1
    n_slots = _SLOTS if settings.hv_bin_seconds else 0
    return Workspace(
        state=state,
        settings=_numbers(settings),
        accept=_intervals(settings),
        bin_seconds=np.array([settings.hv_bin_seconds or 1.0]),
        carries=_zeros(_CARRIES if settings.lumi_blocks else 0),
        faults=_zeros(_FAULTS + n_rods, FAULT_FIELDS),
        slots=_zeros(n_slots, 4),
        slot_hits=np.zeros((n_slots, N_WAFERS), dtype=np.uint32),
    )


def arrays_of(total: RawMaps) -> Maps:
    """The arrays of a result, for the compiled loops to add to."""
    return Maps(
        total.counts,
        total.lb_events,
        total.chip_hits,
        total.windows.low,
        total.strip_block,
        total.errors,
        total.error_overflow,
        total.rod_hv_not_on,
        total.counter_values,
    )


def _numbers(settings: RawSettings) -> IntArray:
    numbers = _zeros(N_SETTINGS)
    numbers[L] = settings.n_lumi_blocks
    numbers[PER_WINDOW] = settings.lbs_per_window
    numbers[N_WINDOWS] = settings.n_windows
    numbers[DO_BLOCKS] = settings.lumi_blocks
    numbers[DO_ERRORS] = settings.errors
    numbers[DO_BINS] = settings.hv_bin_seconds is not None
    numbers[DO_ACCEPT] = settings.accept is not None
    return numbers


def _intervals(settings: RawSettings) -> IntArray:
    """The accepted intervals, ascending and disjoint: those that overlap are joined."""
    joined: list[list[int]] = []
    whole = np.clip(
        np.ceil(np.zeros((0, 2)) if settings.accept is None else settings.accept), *_ENDS
    )
    given = whole.astype(np.int64).tolist()
    for since, until in sorted(pair for pair in given if pair[0] < pair[1]):
        if joined and since <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], until)
        else:
            joined.append([since, until])
    return np.array(joined, dtype=np.int64).reshape(-1, 2)


def _zeros(*shape: int) -> IntArray:
    return np.zeros(shape, dtype=np.int64)
