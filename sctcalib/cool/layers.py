"""One layer of a multi-version folder during a flush: HEAD or a user tag (cool-sqlite.md 11)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any

from sctcalib.cool.batch import Batch
from sctcalib.cool.errors import TagError
from sctcalib.cool.times import format_key

if TYPE_CHECKING:
    from sctcalib.cool.folder import Folder

IDS_PER_OBJECT = 6
SLOT_HEAD = 0
"""Offset of an object's id in HEAD; its remains to the left and right are one and two further."""
SLOT_USER = 3
"""The same in a user tag's layer."""

# Columns of an IOVS row in the order of the table; the payload follows.
_ID, _CHANNEL, _SINCE, _UNTIL, _TAG, _INSERTED, _MODIFIED, _ORIGINAL, _NEW_HEAD = range(9)
_STORED = -1
"""In place of the number of the operation, for rows that were there before the flush."""
_MANY_CHANNELS = 50
"""Beyond these one query over all channels is faster than one for each."""

IovRow = list[Any]


class _Channel:
    """The current rows of a channel, which never overlap, by ascending since."""

    def __init__(self, rows: list[IovRow]) -> None:
        self.since = [row[_SINCE] for row in rows]
        self.rows = [(row, _STORED) for row in rows]

    def overlapping(self, since: int, until: int) -> slice:
        start = max(bisect_right(self.since, since) - 1, 0)
        if start < len(self.rows) and self.rows[start][0][_UNTIL] <= since:
            start += 1
        return slice(start, max(start, bisect_left(self.since, until)))

    def replace(self, where: slice, rows: list[tuple[IovRow, int]]) -> None:
        self.rows[where] = rows
        self.since[where] = [row[_SINCE] for row, _ in rows]


class Layer:
    """Collects what a flush does to one layer."""

    def __init__(self, folder: Folder, tag_id: int, slot: int, partially_locked: str = "") -> None:
        self.folder = folder
        self.tag_id = tag_id
        self.slot = slot
        self.partially_locked = partially_locked
        """The tag's name if it may only be extended."""
        self.rows: Iterable[Sequence[Any]] = []
        """New rows of IOVS, by ascending object id."""
        self.superseded: list[tuple[int, str, int]] = []
        """Of stored rows: (NEW_HEAD_ID, LASTMOD_DATE, OBJECT_ID)."""
        self.last_ids: dict[int, int] = {}
        """The highest id of each channel's latest insertion."""
        self._channels: dict[int, _Channel] = {}

    def insert(
        self, batch: Batch, first: int, times: list[str], tails: list[Iterable[Any]], *, each: bool
    ) -> None:
        """Plan the rows for a batch whose first object has the base id ``first``."""
        start = first + self.slot
        ids = range(start, start + IDS_PER_OBJECT * len(batch), IDS_PER_OBJECT)
        fixed = (repeat(self.tag_id), times, times, repeat(0), repeat(0))
        new = zip(ids, batch.channel, batch.since, batch.until, *fixed, *tails, strict=False)
        distinct = len(set(batch.channel)) == len(batch)
        self._channels = self._load(batch)
        if distinct and not self._channels:
            self.rows = new
            self.last_ids = dict(zip(batch.channel, ids, strict=True))
            return
        planned: list[IovRow] = []
        for operation, row in enumerate(map(list, new)):
            planned += self._insert_one(row, operation if each else 0)
        self.rows = sorted(planned, key=_object_id)

    def _insert_one(self, row: IovRow, operation: int) -> list[IovRow]:
        """The row and the remains of those it cuts."""
        channel = self._channels.get(row[_CHANNEL])
        if channel is None:
            channel = self._channels[row[_CHANNEL]] = _Channel([])
        where = channel.overlapping(row[_SINCE], row[_UNTIL])
        hit = channel.rows[where]
        if hit and self.partially_locked:
            raise self._collision(row, hit[0][0])
        current = [row]
        for old, _ in hit:
            if old[_SINCE] < row[_SINCE]:
                current.insert(0, _remains(old, row, 1, old[_SINCE], row[_SINCE]))
            if old[_UNTIL] > row[_UNTIL]:
                current.append(_remains(old, row, 2, row[_UNTIL], old[_UNTIL]))
        for old, stored_by in hit:
            self._supersede(old, stored_by, row, operation)
        channel.replace(where, [(part, operation) for part in current])
        self.last_ids[row[_CHANNEL]] = max(part[_ID] for part in current)
        return current

    def _supersede(self, old: IovRow, stored_by: int, row: IovRow, operation: int) -> None:
        old[_NEW_HEAD] = row[_ID]
        if stored_by != operation:
            old[_MODIFIED] = row[_INSERTED]
        if stored_by == _STORED:
            self.superseded.append((row[_ID], row[_INSERTED], old[_ID]))

    def _load(self, batch: Batch) -> dict[int, _Channel]:
        """Current rows that the batch may overlap, by channel that has any."""
        db, table = self.folder.db, self.folder.table("IOVS")
        current = f"FROM {table} WHERE USER_TAG_ID = ?1 AND NEW_HEAD_ID = 0"
        if db.file.row(f"SELECT 1 {current} LIMIT 1", (self.tag_id,)) is None:
            return {}
        since: dict[int, int] = {}
        until: dict[int, int] = {}
        for a, b, channel in zip(batch.since, batch.until, batch.channel, strict=True):
            since[channel] = min(a, since.get(channel, a))
            until[channel] = max(b, until.get(channel, b))
        if len(since) > _MANY_CHANNELS and len({*since.values()}) == len({*until.values()}) == 1:
            return self._load_all(min(since.values()), max(until.values()), since.keys())
        # the inner SELECT finds the row that begins before and may reach into the interval
        sql = (
            f"SELECT * {current} AND CHANNEL_ID = ?2 AND IOV_SINCE < ?4 AND IOV_UNTIL > ?3 "
            f"AND IOV_SINCE >= COALESCE((SELECT MAX(IOV_SINCE) {current} AND CHANNEL_ID = ?2 "
            "AND IOV_SINCE <= ?3), ?3) ORDER BY IOV_SINCE"
        )
        found = {
            channel: db.file.rows(sql, (self.tag_id, channel, since[channel], until[channel]))
            for channel in since
        }
        return {c: _Channel(list(map(list, rows))) for c, rows in found.items() if rows}

    def _load_all(self, since: int, until: int, channels: Collection[int]) -> dict[int, _Channel]:
        """The same for one interval of many channels, in one query."""
        table, names = self.folder.table("IOVS"), self.folder.table("CHANNELS")
        sql = (
            f"SELECT i.* FROM {names} c CROSS JOIN {table} i ON i.CHANNEL_ID = c.CHANNEL_ID "
            "WHERE i.USER_TAG_ID = ?1 AND i.NEW_HEAD_ID = 0 "
            "AND i.IOV_SINCE < ?3 AND i.IOV_UNTIL > ?2 AND i.IOV_SINCE >= COALESCE(("
            f"SELECT MAX(m.IOV_SINCE) FROM {table} m WHERE m.USER_TAG_ID = ?1 "
            "AND m.NEW_HEAD_ID = 0 AND m.CHANNEL_ID = c.CHANNEL_ID AND m.IOV_SINCE <= ?2), ?2) "
            "ORDER BY i.CHANNEL_ID, i.IOV_SINCE"
        )
        found: dict[int, list[IovRow]] = {}
        for row in self.folder.db.file.rows(sql, (self.tag_id, since, until)):
            if row[_CHANNEL] in channels:
                found.setdefault(row[_CHANNEL], []).append(list(row))
        return {channel: _Channel(rows) for channel, rows in found.items()}

    def _collision(self, row: IovRow, old: IovRow) -> TagError:
        kind = self.folder.key_kind
        interval = f"{format_key(old[_SINCE], kind)} ... {format_key(old[_UNTIL], kind)}"
        return TagError(
            f"{self.folder}: the tag {self.partially_locked!r} is partially locked, and channel "
            f"{row[_CHANNEL]} has an object valid {interval} already"
        )


def _remains(old: IovRow, row: IovRow, slot: int, since: int, until: int) -> IovRow:
    """The system row that keeps a part of a row which is cut."""
    copy = [row[_ID] + slot, row[_CHANNEL], since, until, row[_TAG]]
    return [*copy, row[_INSERTED], row[_INSERTED], old[_ID], 0, *old[_NEW_HEAD + 1 :]]


def _object_id(row: Sequence[Any]) -> int:
    return int(row[0])
