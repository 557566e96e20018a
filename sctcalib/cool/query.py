"""Finding objects: one layer, one range of validity (cool-sqlite.md 13)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from sctcalib.cool import tags
from sctcalib.cool.errors import ChannelError, DatabaseError, NotFoundError, TagError
from sctcalib.cool.nodes import MAX_TEXT_BYTES
from sctcalib.cool.schema import Payload, Versioning
from sctcalib.cool.storage import STORAGE_TYPES, ColumnError
from sctcalib.cool.times import format_key, parse_time

if TYPE_CHECKING:
    from sctcalib.cool.folder import Folder

_CHANNELS_PER_QUERY = 500
Record = dict[str, Any]


class Order(Enum):
    """Order of browsed objects."""

    CHANNEL = "i.CHANNEL_ID, i.IOV_SINCE"
    SINCE = "i.IOV_SINCE, i.CHANNEL_ID"
    CHANNEL_DESCENDING = "i.CHANNEL_ID DESC, i.IOV_SINCE DESC"
    SINCE_DESCENDING = "i.IOV_SINCE DESC, i.CHANNEL_ID DESC"


@dataclass(frozen=True, slots=True)
class Object:
    """A stored object: what a channel holds in ``[since, until[``."""

    channel: int
    since: int
    until: int
    payload: Record
    """Values by field; empty for a folder with vector payload."""
    object_id: int
    inserted: str
    """Time string of the operation that wrote this row."""
    items: tuple[Record, ...] = ()
    """The records of a folder with vector payload."""


@dataclass(frozen=True)
class Columns:
    """Stored objects as columns of equal length, by ascending channel and since."""

    channel: Sequence[int] = ()
    since: Sequence[int] = ()
    until: Sequence[int] = ()
    payload: Sequence[tuple[Any, ...]] = ()
    """Values in the order of the fields; of a folder with vector payload, one tuple per record."""

    def __len__(self) -> int:
        return len(self.channel)


@dataclass(frozen=True)
class _Layer:
    """Where the current objects of HEAD or a tag are: tables and condition on alias ``i``."""

    table: str
    condition: str
    parameters: tuple[int, ...]

    def of(self, alias: str) -> str:
        """The condition on another alias."""
        return self.condition.replace("i.", f"{alias}.")


def _layer(folder: Folder, tag: str) -> _Layer:
    iovs = folder.table("IOVS")
    if folder.versioning is Versioning.SINGLE:
        if not tags.is_head(tag):
            msg = f"{folder} is a single-version folder, it has no tag {tag!r}"
            raise TagError(msg)
        return _Layer(iovs, "1", ())
    if tags.is_head(tag):
        return _Layer(iovs, "i.USER_TAG_ID = 0 AND i.NEW_HEAD_ID = 0", ())
    found = tags.own(folder.db, folder.node, tag)
    if tags.kind_of(folder.db, folder.node, found.id) is tags.TagKind.USER:
        return _Layer(iovs, "i.USER_TAG_ID = ? AND i.NEW_HEAD_ID = 0", (found.id,))
    return _Layer(folder.table("IOV2TAG"), "i.TAG_ID = ?", (found.id,))


def browse(
    folder: Folder,
    since: int,
    until: int,
    channels: Iterable[int | str] | None,
    tag: str,
    order: Order = Order.CHANNEL,
) -> list[Object]:
    """All objects whose validity touches the closed range [since, until]."""
    layer = _layer(folder, tag)
    if channels is None:
        return _select(folder, layer, since, until, "", (), order)
    numbers = sorted(_channel_numbers(folder, channels))
    found: list[Object] = []
    for start in range(0, len(numbers), _CHANNELS_PER_QUERY):
        some = numbers[start : start + _CHANNELS_PER_QUERY]
        marks = ",".join("?" * len(some))
        where = f"AND c.CHANNEL_ID IN ({marks})"
        found += _select(folder, layer, since, until, where, some, order)
    return found if len(numbers) <= _CHANNELS_PER_QUERY else _sorted(found, order)


def _sorted(objects: list[Object], order: Order) -> list[Object]:
    by_since = order in (Order.SINCE, Order.SINCE_DESCENDING)
    descending = order in (Order.CHANNEL_DESCENDING, Order.SINCE_DESCENDING)
    return sorted(
        objects,
        key=lambda o: (o.since, o.channel) if by_since else (o.channel, o.since),
        reverse=descending,
    )


def _channel_numbers(folder: Folder, channels: Iterable[int | str]) -> set[int]:
    """Numbers of channels given by number or name; ChannelError for an unknown name."""
    numbers = set()
    for channel in channels:
        if isinstance(channel, str):
            sql = f"SELECT CHANNEL_ID FROM {folder.table('CHANNELS')} WHERE CHANNEL_NAME = ?"
            row = folder.db.file.row(sql, (channel,))
            if row is None:
                msg = f"{folder}: no channel is named {channel[:MAX_TEXT_BYTES]!r}"
                raise ChannelError(msg)
            numbers.add(int(row[0]))
        else:
            numbers.add(int(channel))
    return numbers


def _select(
    folder: Folder,
    layer: _Layer,
    since: int,
    until: int,
    where: str,
    parameters: Sequence[int],
    order: Order,
) -> list[Object]:
    rows = _rows(folder, layer.table, *_range(layer, since, until, where, parameters, order))
    return _objects(folder, rows)


def _range(
    layer: _Layer,
    since: int,
    until: int,
    where: str = "",
    parameters: Sequence[int] = (),
    order: Order = Order.CHANNEL,
) -> tuple[str, tuple[int, ...]]:
    """The condition for objects that touch a closed range, and its parameters."""
    # the subquery only helps SQLite to start at the object that reaches into the range
    condition = (
        f"{layer.condition} AND i.IOV_SINCE >= COALESCE((SELECT MAX(m.IOV_SINCE) "
        f"FROM {layer.table} m WHERE {layer.of('m')} AND m.CHANNEL_ID = c.CHANNEL_ID "
        f"AND m.IOV_SINCE <= ?), ?) AND i.IOV_SINCE <= ? AND i.IOV_UNTIL > ? {where} "
        f"ORDER BY {order.value}"
    )
    values = (*layer.parameters, *layer.parameters, since, since, until, since, *parameters)
    return condition, values


def head_as_of(folder: Folder, date: str, since: int, until: int, order: Order) -> list[Object]:
    """What HEAD held at a date; see Folder.head_as_of."""
    folder.require(Versioning.MULTI, "tell what HEAD was")
    parse_time(date)
    table = folder.table("IOVS")
    condition = (
        "i.USER_TAG_ID = 0 AND i.SYS_INSTIME <= ? AND (i.NEW_HEAD_ID = 0 OR EXISTS "
        f"(SELECT 1 FROM {table} n WHERE n.OBJECT_ID = i.NEW_HEAD_ID AND n.SYS_INSTIME > ?)) "
        f"AND i.IOV_SINCE <= ? AND i.IOV_UNTIL > ? ORDER BY {order.value}"
    )
    return _objects(folder, _rows(folder, table, condition, (date, date, until, since)))


def columns(folder: Folder, tag: str, since: int, until: int) -> Columns:
    """What `browse` finds in all channels, as columns: for comparing many objects at once."""
    layer = _layer(folder, tag)
    rows = _rows(folder, layer.table, *_range(layer, since, until))
    if not rows:
        return Columns()
    if folder.payload is Payload.VECTOR:
        found = [_vector_object(folder, row) for row in rows]
        payload: Sequence[Any] = [tuple(tuple(i.values()) for i in o.items) for o in found]
    else:
        _check_complete(folder, rows)
        payload = list(decode(folder, [row[6:] for row in rows], [row[0] for row in rows]))
    channel, first, end, *_ = zip(*rows, strict=True)
    return Columns(channel, first, end, payload)


def next_starts(folder: Folder, tag: str, after: int) -> dict[int, int]:
    """By channel, where the first object begins that begins after a key; others are left out."""
    layer = _layer(folder, tag)
    rows = folder.db.file.rows(
        f"SELECT c.CHANNEL_ID, (SELECT MIN(i.IOV_SINCE) FROM {layer.table} i WHERE "
        f"{layer.condition} AND i.CHANNEL_ID = c.CHANNEL_ID AND i.IOV_SINCE > ?) AS start "
        f"FROM {folder.table('CHANNELS')} c WHERE start IS NOT NULL",
        (*layer.parameters, after),
    )
    return dict(rows)


def last_start(folder: Folder, tag: str, before: int) -> int | None:
    """Where the last of the current objects begins that begins before a key; None without one."""
    layer = _layer(folder, tag)
    # the + keeps SQLite from using another index than that of IOV_SINCE, which it reads backwards
    row = folder.db.file.row(
        f"SELECT i.IOV_SINCE FROM {layer.table} i WHERE {layer.of('+i')} AND i.IOV_SINCE < ? "
        "ORDER BY i.IOV_SINCE DESC LIMIT 1",
        (*layer.parameters, before),
    )
    return None if row is None else int(row[0])


def last_inserted(folder: Folder, tag: str, since: int, until: int) -> str:
    """When the latest of the current objects was written that begin in [since, until]; or empty."""
    layer = _layer(folder, tag)
    row = folder.db.file.row(
        f"SELECT MAX(i.SYS_INSTIME) FROM {layer.table} i WHERE {layer.of('+i')} "
        "AND i.IOV_SINCE BETWEEN ? AND ?",
        (*layer.parameters, since, until),
    )
    return str(row[0]) if row and row[0] else ""


def _rows(
    folder: Folder, table: str, condition: str, parameters: Sequence[Any]
) -> list[tuple[Any, ...]]:
    """The rows ``i`` of a table, with the payload where the folder keeps it."""
    iovs, payload = folder.table("IOVS"), folder.table("PAYLOAD")
    source = f"{folder.table('CHANNELS')} c CROSS JOIN {table} i ON i.CHANNEL_ID = c.CHANNEL_ID"
    row_alias = "i"
    if table != iovs:
        source += f" JOIN {iovs} o ON o.OBJECT_ID = i.OBJECT_ID"
        row_alias = "o"
    names = [f'"{name}"' for name, _ in folder.fields]
    if folder.payload is Payload.VECTOR:
        columns = [f"{row_alias}.PAYLOAD_SET_ID", f"{row_alias}.PAYLOAD_N_ITEMS"]
    elif folder.payload is Payload.SEPARATE:
        source += f" LEFT JOIN {payload} p ON p.PAYLOAD_ID = {row_alias}.PAYLOAD_ID"
        columns = ["p.PAYLOAD_ID", *(f"p.{name}" for name in names)]
    else:
        columns = [f"{row_alias}.OBJECT_ID", *(f"{row_alias}.{name}" for name in names)]
    fixed = f"i.CHANNEL_ID, i.IOV_SINCE, i.IOV_UNTIL, i.OBJECT_ID, {row_alias}.SYS_INSTIME"
    sql = f"SELECT {fixed}, {', '.join(columns)} FROM {source} WHERE {condition}"
    return folder.db.file.rows(sql, parameters)


def _check_complete(folder: Folder, rows: list[tuple[Any, ...]]) -> None:
    for row in rows:
        if row[5] is None:
            msg = f"{folder}: channel {row[0]}: the payload of object {row[3]} is missing"
            raise DatabaseError(msg)


def _objects(folder: Folder, rows: list[tuple[Any, ...]]) -> list[Object]:
    if folder.payload is Payload.VECTOR:
        return [_vector_object(folder, row) for row in rows]
    _check_complete(folder, rows)
    names = [name for name, _ in folder.fields]
    records = decode(folder, [row[6:] for row in rows], [row[0] for row in rows])
    return [
        Object(channel, since, until, dict(zip(names, record, strict=True)), ident, time or "")
        for (channel, since, until, ident, time, *_), record in zip(rows, records, strict=True)
    ]


def _vector_object(folder: Folder, row: tuple[Any, ...]) -> Object:
    channel, since, until, ident, time, set_id, n_items = row
    names = [name for name, _ in folder.fields]
    columns = ", ".join(f'"{name}"' for name in names)
    stored = folder.db.file.rows(
        f"SELECT {columns} FROM {folder.table('PAYLOAD')} WHERE PAYLOAD_SET_ID = ? "
        "ORDER BY PAYLOAD_ITEM_ID LIMIT ?",
        (set_id, n_items),
    )
    if len(stored) != n_items:
        msg = f"{folder}: channel {channel}: object {ident} has {len(stored)} of {n_items} items"
        raise DatabaseError(msg)
    records = decode(folder, stored, [channel] * len(stored))
    items = tuple(dict(zip(names, record, strict=True)) for record in records)
    return Object(channel, since, until, {}, ident, time or "", items)


def decode(
    folder: Folder, rows: list[tuple[Any, ...]], channels: Sequence[int]
) -> Iterable[tuple[Any, ...]]:
    """Payload values as stored, turned into Python values; errors name the channel and field."""
    if not rows:
        return []
    columns = []
    for (name, kind), values in zip(folder.fields, zip(*rows, strict=True), strict=True):
        try:
            columns.append(STORAGE_TYPES[kind].decode_column(values))
        except ColumnError as error:
            msg = f"{folder}: channel {channels[error.index]}: field {name}: {error}"
            raise DatabaseError(msg) from None
    return zip(*columns, strict=True)


def find(folder: Folder, at: int, channel: int | str, tag: str) -> Object:
    """The one object valid at a key; raises NotFoundError if there is none."""
    found = browse(folder, at, at, [channel], tag)
    if len(found) == 1:
        return found[0]
    where = f"{folder}: channel {channel} of {'HEAD' if tags.is_head(tag) else tag}"
    key = format_key(at, folder.key_kind)
    if found:
        msg = f"{where}: {len(found)} objects are valid at {key}, the database is damaged"
        raise DatabaseError(msg)
    msg = f"{where}: no object is valid at {key}"
    raise NotFoundError(msg)


def count(folder: Folder, tag: str) -> int:
    """Number of current objects of HEAD or of a tag."""
    layer = _layer(folder, tag)
    row = folder.db.file.row(
        f"SELECT COUNT(*) FROM {folder.table('CHANNELS')} c JOIN {layer.table} i "
        f"ON i.CHANNEL_ID = c.CHANNEL_ID WHERE {layer.condition}",
        layer.parameters,
    )
    return int(row[0]) if row else 0


def starts(folder: Folder, tag: str) -> list[int]:
    """The distinct first keys of the current objects, ascending."""
    layer = _layer(folder, tag)
    rows = folder.db.file.rows(
        f"SELECT DISTINCT i.IOV_SINCE FROM {folder.table('CHANNELS')} c JOIN {layer.table} i "
        f"ON i.CHANNEL_ID = c.CHANNEL_ID WHERE {layer.condition} ORDER BY i.IOV_SINCE",
        layer.parameters,
    )
    return [int(row[0]) for row in rows]
