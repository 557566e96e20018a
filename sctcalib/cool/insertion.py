"""How objects are stored: the rules of multi- and single-version folders (cool-sqlite.md 10, 11).

One flush (up to 10000 objects) is planned in memory, with the stored rows that it overlaps, and
written with a few statements for many rows. Where nothing can overlap nothing is planned.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

from sctcalib.cool import tags
from sctcalib.cool.batch import Batch, batches
from sctcalib.cool.errors import NodeError, TagError
from sctcalib.cool.layers import IDS_PER_OBJECT, SLOT_HEAD, SLOT_USER, Layer
from sctcalib.cool.schema import Payload, Versioning
from sctcalib.cool.single import plan_single
from sctcalib.cool.times import VALIDITY_KEY_MAX, format_time

if TYPE_CHECKING:
    from sctcalib.cool.folder import Folder

OLD_SCHEMA = "2.0.0"
"""Folders of COOL 2.0 and 2.1, which later releases refuse to touch."""


def insert(
    folder: Folder, objects: Iterable[Any], tag: str, user_tag_only: bool, *, each: bool
) -> list[int]:
    """Store objects; ids of their rows in HEAD, or in the tag with ``user_tag_only``.

    ``each``: every object is an operation with its own time string; otherwise every flush is one.
    """
    named = not tags.is_head(tag)
    if user_tag_only and not named:
        msg = f"{folder}: user_tag_only needs the name of a tag"
        raise TagError(msg)
    if named:
        folder.require(Versioning.MULTI, f"store objects under the tag {tag!r}")
    if folder.node.schema_version == OLD_SCHEMA:
        msg = f"{folder} has the schema of COOL 2.0, it can be read but not extended"
        raise NodeError(msg)
    ids: list[int] = []
    with folder.db.transaction():
        for batch in batches(folder, objects):
            if folder.versioning is Versioning.SINGLE:
                ids += _flush_single(folder, batch, each)
            else:
                user = tags.user_tag(folder, tag) if named else None
                ids += _flush_multi(folder, batch, user, user_tag_only, each)
    return ids


def _flush_multi(
    folder: Folder, batch: Batch, user: tags.Record | None, user_tag_only: bool, each: bool
) -> Sequence[int]:
    first, times = _reserve(folder, len(batch), each, IDS_PER_OBJECT)
    layers = [] if user_tag_only else [Layer(folder, 0, SLOT_HEAD)]
    if user is not None:
        partially = user.lock == tags.TagLock.PARTIALLY_LOCKED
        layers.append(Layer(folder, user.id, SLOT_USER, user.name if partially else ""))
    ids = range(first + layers[0].slot, first + IDS_PER_OBJECT * len(batch), IDS_PER_OBJECT)
    tails = _write_payload(folder, batch, ids, times)
    for layer in layers:
        layer.insert(batch, first, times, tails, each=each)
    folder.db.file.run_many(
        f"UPDATE {folder.table('IOVS')} SET NEW_HEAD_ID = ?, LASTMOD_DATE = ? WHERE OBJECT_ID = ?",
        chain.from_iterable(layer.superseded for layer in layers),
    )
    _write_rows(folder, _in_order(layers, each), len(tails))
    last = dict(layers[0].last_ids)
    for layer in layers[1:]:
        for channel, row_id in layer.last_ids.items():
            last[channel] = max(row_id, last[channel])
    _write_channels(folder, last.items())
    return ids


def _in_order(layers: list[Layer], each: bool) -> Iterable[Sequence[Any]]:
    """A flush writes all of HEAD first; single operations write object by object."""
    if len(layers) == 1:
        return layers[0].rows
    rows = chain.from_iterable(layer.rows for layer in layers)
    return sorted(rows, key=_object_id) if each else rows


def _object_id(row: Sequence[Any]) -> int:
    return int(row[0])


def _flush_single(folder: Folder, batch: Batch, each: bool) -> Sequence[int]:
    first, times = _reserve(folder, len(batch), each, 1)
    ids = range(first, first + len(batch))
    tails = _write_payload(folder, batch, ids, times)
    plan = plan_single(folder, batch, first, times, each=each)
    folder.db.file.run_many(
        f"UPDATE {folder.table('IOVS')} SET IOV_UNTIL = ?, LASTMOD_DATE = ? WHERE OBJECT_ID = ?",
        plan.truncated,
    )
    zero = repeat(0)
    rows = zip(
        ids,
        batch.channel,
        batch.since,
        plan.until,
        zero,
        times,
        plan.modified,
        zero,
        zero,
        *tails,
        strict=False,
    )
    _write_rows(folder, rows, len(tails))
    _write_channels(folder, plan.last_ids.items())
    return ids


def _reserve(folder: Folder, n: int, each: bool, ids_per_object: int) -> tuple[int, list[str]]:
    """Advance the IOV and payload sequences; the first new id and each object's time string.

    The clock is read as often as the operations would: for every step of every sequence.
    """
    db = folder.db
    sequences = [(folder.sequence("IOVS"), ids_per_object)]
    if folder.payload is Payload.SEPARATE:
        sequences.append((folder.sequence("PAYLOAD"), 1))
    readings = [[db.clock() for _ in sequences] for _ in range(n if each else 1)]
    first = 0
    for (sequence, per_object), now in zip(sequences, readings[-1], strict=True):
        row = db.file.row(f'SELECT CURRENT_VALUE FROM "{sequence}"')
        value = (row[0] or 0) if row else 0
        db.set_sequence(sequence, value + n * per_object, format_time(now))
        first = first or value + 1
    times = [format_time(reading[0]) for reading in readings]
    return first, times if each else times * n


def _write_payload(
    folder: Folder, batch: Batch, ids: Sequence[int], times: list[str]
) -> list[Iterable[Any]]:
    """Write the payload rows of a folder that has them; the last columns of the IOVS rows."""
    if folder.payload is Payload.INLINE:
        return list(batch.columns)
    marks = ",".join("?" * (len(batch.columns) + (3 if batch.n_items is not None else 2)))
    sql = f"INSERT INTO {folder.table('PAYLOAD')} VALUES ({marks})"
    if batch.n_items is not None:
        folder.db.file.run_many(sql, _vector_rows(batch, ids, times))
        return [ids, batch.n_items]
    row = folder.db.file.row(f'SELECT CURRENT_VALUE FROM "{folder.sequence("PAYLOAD")}"')
    end = row[0] + 1 if row else 1
    payload_ids = range(end - len(batch), end)
    folder.db.file.run_many(sql, zip(payload_ids, times, *batch.columns, strict=True))
    return [payload_ids]


def _vector_rows(batch: Batch, ids: Sequence[int], times: list[str]) -> Iterator[tuple[Any, ...]]:
    """Rows of a vector payload table: items counted from 0, one empty row for an empty vector."""
    items = zip(*batch.columns, strict=True)
    for set_id, time, n in zip(ids, times, batch.n_items or [], strict=True):
        if n == 0:
            yield (set_id, 0, time, *repeat(None, len(batch.columns)))
        for item in range(n):
            yield (set_id, item, time, *next(items))


def _write_rows(folder: Folder, rows: Iterable[Sequence[Any]], n_tails: int) -> None:
    marks = ",".join("?" * (9 + n_tails))
    folder.db.file.run_many(f"INSERT INTO {folder.table('IOVS')} VALUES ({marks})", rows)


def _write_channels(folder: Folder, last_ids: Iterable[tuple[int, int]]) -> None:
    folder.db.file.run_many(
        f"INSERT INTO {folder.table('CHANNELS')} VALUES (?, ?, 0, NULL, '') "
        "ON CONFLICT (CHANNEL_ID) DO UPDATE SET LAST_OBJECT_ID = excluded.LAST_OBJECT_ID",
        last_ids,
    )


def truncate(folder: Folder, until: int, channels: Iterable[int] | None) -> int:
    """End the objects without end that are valid at ``until``; see Folder.truncate."""
    folder.require(Versioning.SINGLE, "truncate objects")
    sql = (
        f"UPDATE {folder.table('IOVS')} SET IOV_UNTIL = ?1, LASTMOD_DATE = ?2 "
        "WHERE IOV_UNTIL = ?3 AND IOV_SINCE < ?1"
    )
    with folder.db.transaction():
        now = folder.db.now()
        parameters = (until, now, VALIDITY_KEY_MAX)
        if channels is None:
            return folder.db.file.run(sql, parameters)
        return sum(
            folder.db.file.run(f"{sql} AND CHANNEL_ID = ?4", (*parameters, channel))
            for channel in set(channels)
        )
