"""From groups of strips to hit words, in the three modes (reference/raw-bytestream.md 3.5-3.8, 4).

Within a link, words follow the readout order of strips. In condensed modes a group is cut at chip
edges, since a reader refuses those that cross one. In expanded mode adjacent strips of an event are
one cluster, whatever groups they came in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sctcalib.bytestream.encoder_words import (
    CONDENSED_TIME_BIN,
    Mode,
    further_pair_word,
    hit_word,
    last_word,
)
from sctcalib.detector.identifiers import IntArray
from sctcalib.detector.readout import BoolArray
from sctcalib.detector.regions import N_STRIPS, N_STRIPS_PER_CHIP, N_WAFERS

MAX_TIME_BIN = 7
SUPER_STRIPS = 16
"""Strips that one word of super-condensed mode holds."""


@dataclass(frozen=True)
class Groups:
    """Groups of adjacent strips, as parallel integer arrays in any order.

    A strip must not be in two groups of an event: condensed modes cannot tell that.
    """

    event: IntArray
    """Number of the event, counted from 0 within the events encoded together."""
    wafer: IntArray
    first: IntArray
    """First strip, offline, 0-767."""
    size: IntArray
    """Number of strips, all on the wafer."""
    time_bin: IntArray | None = None
    """0-7, of all strips of the group; default 2. Written in expanded mode only."""
    errors: IntArray | None = None
    """Bits: 1 error in the first, 2 in the second hit of a word. Written in condensed mode only."""

    def time_bins(self) -> IntArray:
        """Time bin of every group."""
        if self.time_bin is None:
            return np.full(len(self.event), CONDENSED_TIME_BIN, dtype=np.int64)
        return self.time_bin

    def hit_errors(self) -> IntArray:
        """Error bits of every group."""
        return np.zeros(len(self.event), dtype=np.int64) if self.errors is None else self.errors

    def __getitem__(self, chosen: IntArray | BoolArray) -> Groups:
        return Groups(
            self.event[chosen], self.wafer[chosen], self.first[chosen], self.size[chosen],
            self.time_bins()[chosen], self.hit_errors()[chosen],
        )  # fmt: skip


@dataclass(frozen=True)
class Routes:
    """Over which link the hits of each wafer leave, arrays of shape (8176,)."""

    slot: IntArray
    """Number of the link in the order of writing; -1 where there is none."""
    side_bit: IntArray
    """Side bit of the hits: parity of the wafer's own fibre."""
    swap: BoolArray
    """Whether the wafer is read out against offline strip numbers."""


@dataclass(frozen=True)
class Words:
    """16-bit words of links, as parallel arrays; those of one event and slot are in order."""

    event: IntArray
    slot: IntArray
    word: IntArray

    def __add__(self, later: Words) -> Words:
        """Both, in this order where event and slot are the same."""
        pairs = ((self.event, later.event), (self.slot, later.slot), (self.word, later.word))
        return Words(*(np.concatenate(pair) for pair in pairs))


def check_groups(groups: Groups, n_events: int) -> None:
    """Raise ValueError for groups that cannot be, with the first of them."""
    end = groups.first + groups.size
    bad = (groups.event < 0) | (groups.event >= n_events)
    bad |= (groups.wafer < 0) | (groups.wafer >= N_WAFERS)
    bad |= (groups.first < 0) | (groups.size < 1) | (end > N_STRIPS)
    bad |= (groups.time_bins() < 0) | (groups.time_bins() > MAX_TIME_BIN)
    if np.any(bad):
        at = int(np.flatnonzero(bad)[0])
        msg = (
            f"group {at}: event {groups.event[at]} of {n_events}, wafer {groups.wafer[at]},"
            f" strips {groups.first[at]}-{end[at] - 1}, time bin {groups.time_bins()[at]}"
            f" cannot be (wafers 0-{N_WAFERS - 1}, strips 0-{N_STRIPS - 1},"
            f" time bins 0-{MAX_TIME_BIN})"
        )
        raise ValueError(msg)


def hit_words(groups: Groups, routes: Routes, mode: Mode) -> Words:
    """The hit words of all groups; those of wafers without a link are dropped."""
    groups = groups[routes.slot[groups.wafer] >= 0]
    ordered, strip = _in_readout_order(groups, routes)
    if mode is Mode.EXPANDED:
        return _expanded(ordered, strip, routes)
    return _condensed(ordered, strip, routes, mode)


def _in_readout_order(groups: Groups, routes: Routes) -> tuple[Groups, IntArray]:
    """Groups in the order of writing, and their first strip in readout order.

    Of groups with the same first strip the largest stays, of equal ones the last.
    """
    swapped = N_STRIPS - groups.first - groups.size
    strip = np.where(routes.swap[groups.wafer], swapped, groups.first)
    key = _key(groups, strip, routes)
    order = np.argsort(key, kind="stable")
    if np.any(np.diff(key[order]) == 0):
        order = np.lexsort((groups.size, key))
        order = order[np.diff(key[order], append=-1) != 0]
    return groups[order], strip[order]


def _key(groups: Groups, strip: IntArray, routes: Routes) -> IntArray:
    """Numbers that order strips by event, link, side and strip; adjacent strips differ by 1."""
    n_slots = int(routes.slot.max(initial=0)) + 1
    link = groups.event * n_slots + routes.slot[groups.wafer]
    return (link * 2 + routes.side_bit[groups.wafer]) * N_STRIPS + strip


def _condensed(groups: Groups, strip: IntArray, routes: Routes, mode: Mode) -> Words:
    source, start, length = _cut(strip, groups.size, N_STRIPS_PER_CHIP, aligned=True)
    if mode is Mode.SUPER:
        inner, _, length = _cut(np.zeros_like(start), length, SUPER_STRIPS)
        # further words of a group repeat its first strip: a reader adds their counts
        source, start = source[inner], start[inner]
        low = length - 1
    else:
        inner, within, length = _cut(np.zeros_like(start), length, 2)
        source, start = source[inner], start[inner] + within
        errors = groups.hit_errors()[source] & np.where(length == 2, 3, 1)
        low = (length - 1) | errors << 2
    wafer = groups.wafer[source]
    words = hit_word(routes.side_bit[wafer], start, low)
    return Words(groups.event[source], routes.slot[wafer], words)


def _cut(
    start: IntArray, length: IntArray, step: int, *, aligned: bool = False
) -> tuple[IntArray, IntArray, IntArray]:
    """Cut ranges into pieces of at most ``step``: number of the range, start and length of each.

    ``aligned`` pieces do not contain a multiple of ``step`` but as their start.
    """
    offset = start % step if aligned else np.zeros_like(start)
    count = (offset + length - 1) // step + 1
    source = np.repeat(np.arange(len(start)), count)
    piece = np.arange(len(source)) - np.repeat(np.cumsum(count) - count, count)
    begin = np.maximum(piece * step - offset[source], 0)
    end = np.minimum((piece + 1) * step - offset[source], length[source])
    return source, start[source] + begin, end - begin


def _expanded(groups: Groups, first: IntArray, routes: Routes) -> Words:
    source = np.repeat(np.arange(len(first)), groups.size)
    within = np.arange(len(source)) - np.repeat(np.cumsum(groups.size) - groups.size, groups.size)
    strip, groups = first[source] + within, groups[source]
    key = _key(groups, strip, routes)
    order = np.argsort(key, kind="stable")
    groups, strip, key = groups[order], strip[order], key[order]
    place, follows = _places_in_cluster((np.diff(key, prepend=-2) != 1) | (strip == 0))
    time_bin = groups.time_bins()
    word = np.where(
        place == 0,
        hit_word(routes.side_bit[groups.wafer], strip, time_bin),
        np.where(follows, further_pair_word(time_bin, np.roll(time_bin, -1)), last_word(time_bin)),
    )
    begins_word = (place == 0) | (place % 2 == 1)
    chosen = groups[begins_word]
    return Words(chosen.event, routes.slot[chosen.wafer], word[begins_word])


def _places_in_cluster(is_first: BoolArray) -> tuple[IntArray, NDArray[np.bool_]]:
    """Place of each strip in its cluster, and whether another strip of the cluster follows it."""
    starts = np.flatnonzero(is_first)
    sizes = np.diff(starts, append=len(is_first))
    place = np.arange(len(is_first)) - np.repeat(starts, sizes)
    return place, np.append(~is_first[1:], False) if len(is_first) else is_first
