"""What a merge does with every object: new, same, update or conflict; and what is left over
(run-query-and-upload.md B1.2).

Compared are columns: the objects of the file, and the current objects of the destination that they
may overlap. The two usual cases, an empty destination and the same content again, are decided
without a look at single objects.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sctcalib.cool.folder import Folder
from sctcalib.cool.query import Columns, columns, next_starts
from sctcalib.cool.times import RUN_SHIFT, VALIDITY_KEY_MAX

Stored = tuple[int, int, tuple[Any, ...]]
"""(since, until, payload) of an object of the destination."""
NewObject = tuple[int, int, int, tuple[Any, ...]]
"""(since, until, channel, payload) of an object to be stored."""


@dataclass(frozen=True)
class Present:
    """What the destination holds where the file has something."""

    objects: Columns = field(default_factory=Columns)
    """Current objects that touch the window of the file."""
    later: Mapping[int, int] = field(default_factory=dict)
    """By channel, where the first object behind the window begins."""


@dataclass(frozen=True)
class Conflict:
    """An object of the file that disagrees with the destination."""

    channel: int
    since: int
    until: int
    why: str


@dataclass
class Classes:
    """The objects of one folder and tag, sorted."""

    new: list[NewObject] = field(default_factory=list)
    same: int = 0
    update: list[NewObject] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    replacing: list[NewObject] = field(default_factory=list)
    """What is stored for the conflicts if content is to be replaced."""
    leftovers: list[NewObject] = field(default_factory=list)
    """Objects of the destination, by ascending channel, that the file should have and has not."""

    @property
    def n_conflicts(self) -> int:
        """Conflicts with leftovers, which are such too."""
        return len(self.conflicts) + len(self.leftovers)


def present(folder: Folder, tag: str, source: Columns) -> Present:
    """Read what the objects of the file may overlap.

    Of open-ended objects the window ends where they begin: behind it only the next start matters,
    which may be many runs away.
    """
    intervals = set(zip(source.since, source.until, strict=True))
    last = max(a if b == VALIDITY_KEY_MAX else b - 1 for a, b in intervals)
    later = next_starts(folder, tag, last) if VALIDITY_KEY_MAX in source.until else {}
    return Present(columns(folder, tag, min(source.since), last), later)


def classify(source: Columns, there: Present, *, run_based: bool) -> Classes:
    """Sort the objects of the file; ``run_based`` says that keys hold run numbers."""
    classes = Classes()
    if not len(there.objects) and not there.later:
        classes.new = list(
            zip(source.since, source.until, source.channel, source.payload, strict=True)
        )
        return classes
    if there.objects == source and not there.later:
        classes.same = len(source)
        return classes
    by_channel = _by_channel(there.objects)
    shift = RUN_SHIFT if run_based else 0
    rows = zip(source.channel, source.since, source.until, source.payload, strict=True)
    for channel, since, until, payload in rows:
        stored = by_channel.get(channel, [])
        hit = _overlapping(stored, since, until)
        one = _One(channel, since, until, payload, hit, there.later.get(channel), shift)
        one.add_to(classes)
    classes.leftovers = list(_leftovers(source, there.objects))
    return classes


@dataclass(frozen=True)
class _One:
    """One object of the file with what it overlaps."""

    channel: int
    since: int
    until: int
    payload: tuple[Any, ...]
    hit: Sequence[Stored]
    """Objects of the destination within the window, by ascending since."""
    later: int | None
    """Start of the first one behind the window."""
    shift: int

    def add_to(self, classes: Classes) -> None:
        """Decide the class."""
        later = self.later if self.later is not None and self.later < self.until else None
        if not self.hit and later is None:
            classes.new.append((self.since, self.until, self.channel, self.payload))
        elif self._same(later):
            classes.same += 1
        elif self._update(later):
            classes.update.append((self.since, self.until, self.channel, self.payload))
        else:
            why = self._why(later)
            classes.conflicts.append(Conflict(self.channel, self.since, self.until, why))
            until = self._limit(later)
            if (self.since, until, self.payload) not in self.hit:
                classes.replacing.append((self.since, until, self.channel, self.payload))

    def _same(self, later: int | None) -> bool:
        whole = [(self.since, self.until, self.payload)]
        if list(self.hit) == whole and later is None:
            return True
        if self.until != VALIDITY_KEY_MAX or not self.hit:
            return False
        first = self.hit[0]
        return (first[0], first[2]) == (self.since, self.payload)

    def _update(self, later: int | None) -> bool:
        return later is None and all(
            since < self.since and until == VALIDITY_KEY_MAX for since, until, _ in self.hit
        )

    def _limit(self, later: int | None) -> int:
        """Where a later run begins, which is never overwritten; else the own end."""
        starts = [
            since for since, _, _ in self.hit if since >> self.shift > self.since >> self.shift
        ]
        return min([*starts, self.until] if later is None else [*starts, later, self.until])

    def _why(self, later: int | None) -> str:
        limit = self._limit(later)
        if limit < self.until:
            run = f"run {limit >> self.shift}" if self.shift else f"an object from {limit}"
            return f"{run} is there already, inside the new interval"
        since, until, payload = self.hit[0]
        if since == self.since and until == self.until:
            return "it is there with another payload"
        if since == self.since:
            same = "same" if payload == self.payload else "another"
            return f"it is there with another end and {same} payload"
        return "an older object reaches in" if since < self.since else "another object is inside"


def _by_channel(objects: Columns) -> dict[int, list[Stored]]:
    found: dict[int, list[Stored]] = {}
    rows = zip(objects.channel, objects.since, objects.until, objects.payload, strict=True)
    for channel, since, until, payload in rows:
        found.setdefault(channel, []).append((since, until, payload))
    return found


def _overlapping(stored: Sequence[Stored], since: int, until: int) -> Sequence[Stored]:
    """Of objects that do not overlap each other, by ascending since."""
    end = bisect_left(stored, until, key=lambda row: row[0])
    start = next((i for i in range(end) if stored[i][1] > since), end)
    return stored[start:end]


def _leftovers(source: Columns, there: Columns) -> Iterator[NewObject]:
    """Objects with exactly an interval of the file, in channels without anything there."""
    intervals = set(zip(source.since, source.until, strict=True))
    own: dict[int, list[tuple[int, int]]] = {}
    for channel, *interval in zip(source.channel, source.since, source.until, strict=True):
        own.setdefault(channel, []).append((interval[0], interval[1]))
    rows = zip(there.since, there.until, there.channel, there.payload, strict=True)
    for since, until, channel, payload in rows:
        if (since, until) not in intervals:
            continue
        if not any(a < until and b > since for a, b in own.get(channel, [])):
            yield since, until, channel, payload
