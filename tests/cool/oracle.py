"""The insertion rules again, naively: one list of rows, one object after the other.

Written from cool-sqlite.md 11 without a look at the library, so that both can be compared.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class OracleRow:
    id: int
    channel: int
    since: int
    until: int
    layer: int
    original: int
    payload: str
    operation: int
    new_head: int = 0
    modified_by: int = 0


@dataclass
class MultiVersion:
    """A multi-version folder with one possible user tag (id 1)."""

    rows: list[OracleRow] = field(default_factory=list)
    sequence: int = 0
    last_object: dict[int, int] = field(default_factory=dict)

    def store(
        self,
        since: int,
        until: int,
        channel: int,
        payload: str,
        operation: int,
        *,
        head: bool,
        user: bool,
    ) -> None:
        base = self.sequence + 1
        self.sequence += 6
        before = len(self.rows)
        if head:
            self._insert(0, base, since, until, channel, payload, operation)
        if user:
            self._insert(1, base + 3, since, until, channel, payload, operation)
        self.last_object[channel] = max(row.id for row in self.rows[before:])

    def _insert(
        self,
        layer: int,
        new_id: int,
        since: int,
        until: int,
        channel: int,
        payload: str,
        operation: int,
    ) -> None:
        added = []
        for row in self.rows:
            if (row.layer, row.channel, row.new_head) != (layer, channel, 0):
                continue
            if row.since >= until or row.until <= since:
                continue
            place = (layer, row.id, row.payload, operation)
            if row.since < since:
                added.append(OracleRow(new_id + 1, channel, row.since, since, *place))
            if row.until > until:
                added.append(OracleRow(new_id + 2, channel, until, row.until, *place))
            row.new_head = new_id
            row.modified_by = operation
        added.append(OracleRow(new_id, channel, since, until, layer, 0, payload, operation))
        for row in added:
            row.modified_by = operation
        self.rows += added

    def at(self, key: int, channel: int, layer: int) -> str | None:
        for row in self.rows:
            if (row.layer, row.channel, row.new_head) == (layer, channel, 0) and (
                row.since <= key < row.until
            ):
                return row.payload
        return None
