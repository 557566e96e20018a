"""Single-version folders: an open object is ended by the next one (cool-sqlite.md 10)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sctcalib.cool.batch import Batch
from sctcalib.cool.errors import ValidityError
from sctcalib.cool.times import VALIDITY_KEY_MAX, format_key

if TYPE_CHECKING:
    from sctcalib.cool.folder import Folder


@dataclass
class SinglePlan:
    """What a flush does to a single-version folder."""

    until: list[int]
    """Ends of the new objects, cut by later ones of the same flush."""
    modified: list[str]
    last_ids: dict[int, int] = field(default_factory=dict)
    """LAST_OBJECT_ID by channel."""
    truncated: list[tuple[int, str, int]] = field(default_factory=list)
    """Of stored rows: (IOV_UNTIL, LASTMOD_DATE, OBJECT_ID)."""


@dataclass
class _Last:
    """The object with the latest interval of a channel."""

    id: int
    since: int
    until: int
    index: int = -1
    """Its place in the batch, or -1 if it was stored before."""


def plan_single(
    folder: Folder, batch: Batch, first: int, times: list[str], *, each: bool
) -> SinglePlan:
    """Apply the rules object by object; raises ValidityError where intervals overlap.

    ``each``: every object is an operation of its own, so that each may go in before others.
    """
    plan = SinglePlan(list(batch.until), list(times))
    planner = _Planner(folder, batch, first, times, plan, each)
    for index in range(len(batch)):
        planner.add(index)
    return plan


class _Planner:
    def __init__(
        self,
        folder: Folder,
        batch: Batch,
        first: int,
        times: list[str],
        plan: SinglePlan,
        each: bool,
    ) -> None:
        self.folder, self.batch, self.first, self.times = folder, batch, first, times
        self.plan, self.each = plan, each
        self.last: dict[int, _Last | None] = {}
        self.added: dict[int, list[int]] = {}
        self.per_channel: dict[int, int] = {}
        for channel in batch.channel:
            self.per_channel[channel] = self.per_channel.get(channel, 0) + 1

    def add(self, index: int) -> None:
        channel, since = self.batch.channel[index], self.batch.since[index]
        if channel not in self.last:
            self.last[channel] = self._stored_last(channel)
        last = self.last[channel]
        goes_back = False
        if last is not None and last.until > since:
            if last.until == VALIDITY_KEY_MAX and last.since < since:
                self._end(last, since, self.times[index])
            else:
                self._check_room(index, last)
                goes_back = True
        self.added.setdefault(channel, []).append(index)
        if goes_back:  # LAST_OBJECT_ID stays
            return
        ident = self.first + index
        self.last[channel] = _Last(ident, since, self.batch.until[index], index)
        self.plan.last_ids[channel] = ident

    def _end(self, last: _Last, since: int, now: str) -> None:
        last.until = since
        if last.index < 0:
            self.plan.truncated.append((since, now, last.id))
        else:
            self.plan.until[last.index] = since
            self.plan.modified[last.index] = now  # the same string within one operation

    def _check_room(self, index: int, last: _Last) -> None:
        """A back-insertion must be alone in its channel and overlap nothing."""
        batch = self.batch
        channel, since, until = batch.channel[index], batch.since[index], batch.until[index]
        alone = self.each or self.per_channel[channel] == 1
        earlier = ((batch.since[i], self.plan.until[i]) for i in self.added.get(channel, []))
        if not alone or any(a < until and b > since for a, b in earlier):
            raise self._collision(index, last)
        ended = {ident: new_until for new_until, _, ident in self.plan.truncated}
        rows = self.folder.db.file.rows(
            f"SELECT OBJECT_ID, IOV_UNTIL FROM {self.folder.table('IOVS')} "
            "WHERE CHANNEL_ID = ? AND IOV_SINCE < ? AND IOV_UNTIL > ?",
            (channel, until, since),
        )
        ends = [ended.get(int(ident), int(stored)) for ident, stored in rows]
        if any(end > since for end in ends):
            raise self._collision(index, last)

    def _stored_last(self, channel: int) -> _Last | None:
        row = self.folder.db.file.row(
            f"SELECT i.OBJECT_ID, i.IOV_SINCE, i.IOV_UNTIL FROM {self.folder.table('CHANNELS')} c "
            f"JOIN {self.folder.table('IOVS')} i ON i.OBJECT_ID = c.LAST_OBJECT_ID "
            "WHERE c.CHANNEL_ID = ?",
            (channel,),
        )
        return None if row is None else _Last(*row)

    def _collision(self, index: int, last: _Last) -> ValidityError:
        batch, kind = self.batch, self.folder.key_kind
        new = f"{format_key(batch.since[index], kind)} ... {format_key(batch.until[index], kind)}"
        old = f"{format_key(last.since, kind)} ... {format_key(last.until, kind)}"
        return ValidityError(
            f"{self.folder}: channel {batch.channel[index]}: Back-insertion collision: overlapping "
            f"intervals not allowed in SINGLE_VERSION mode ({new} after {old})"
        )
