"""Objects on their way into a folder: checked and turned into columns, 10000 at a time."""

from __future__ import annotations

import operator
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from sctcalib.cool.errors import ChannelError, CoolError, PayloadError, ValidityError
from sctcalib.cool.schema import Payload
from sctcalib.cool.storage import STORAGE_TYPES, ColumnError
from sctcalib.cool.times import VALIDITY_KEY_MAX, format_key

if TYPE_CHECKING:
    from sctcalib.cool.folder import Folder

MAX_CHANNEL = 2**32 - 1
FLUSH_SIZE = 10000
"""COOL's limit of objects in one bulk operation."""


@dataclass(frozen=True)
class Batch:
    """Up to 10000 objects: columns of equal length."""

    since: Sequence[int]
    until: Sequence[int]
    channel: Sequence[int]
    columns: list[list[Any]]
    """One list per payload field, encoded for SQLite; of a vector folder, over all items."""
    n_items: list[int] | None
    """Length of each object's vector, or None."""

    def __len__(self) -> int:
        return len(self.since)


def batches(folder: Folder, objects: Iterable[Any]) -> Generator[Batch]:
    """Check and split objects (since, until, channel, payload); errors name folder and channel."""
    iterator = iter(objects)
    while chunk := list(islice(iterator, FLUSH_SIZE)):
        yield _batch(folder, chunk)


def _batch(folder: Folder, chunk: list[Any]) -> Batch:
    try:
        since_given, until_given, channel_given, payload = zip(*chunk, strict=True)
    except (TypeError, ValueError):
        msg = f"{folder}: an object to be stored is (since, until, channel, payload)"
        raise CoolError(msg) from None
    channel = _channel_numbers(folder, channel_given)
    since = _keys(folder, since_given, channel)
    until = _keys(folder, until_given, channel)
    if not all(map(operator.lt, since, until)):
        index = next(i for i, (a, b) in enumerate(zip(since, until, strict=True)) if a >= b)
        shown = [format_key(key, folder.key_kind) for key in (since[index], until[index])]
        msg = (
            f"{folder}: channel {channel[index]}: validity interval has since>=until: "
            f"{shown[0]} ... {shown[1]}"
        )
        raise ValidityError(msg)
    if folder.payload is Payload.VECTOR:
        return _vector_batch(folder, since, until, channel, payload)
    records = _records(folder, payload, channel)
    return Batch(since, until, channel, _columns(folder, records, channel), None)


def _vector_batch(
    folder: Folder, since: Any, until: Any, channel: Sequence[int], payload: Sequence[Any]
) -> Batch:
    records, owners, n_items = [], [], []
    for vector, number in zip(payload, channel, strict=True):
        if isinstance(vector, Mapping | str | bytes) or not isinstance(vector, Iterable):
            msg = f"{folder}: channel {number}: the payload is a list of records, not one"
            raise PayloadError(msg)
        items = [_record(folder, item, number) for item in vector]
        records += items
        owners += [number] * len(items)
        n_items.append(len(items))
    return Batch(since, until, channel, _columns(folder, records, owners), n_items)


def _channel_numbers(folder: Folder, values: Sequence[Any]) -> Sequence[int]:
    try:
        return _integers(values, MAX_CHANNEL)
    except ColumnError as error:
        msg = f"{folder}: {error} is not a channel number 0-{MAX_CHANNEL}"
        raise ChannelError(msg) from None


def _keys(folder: Folder, values: Sequence[Any], channels: Sequence[int]) -> Sequence[int]:
    try:
        return _integers(values, VALIDITY_KEY_MAX)
    except ColumnError as error:
        where = f"{folder}: channel {channels[error.index]}"
        msg = f"{where}: {error} is not a validity key 0-{VALIDITY_KEY_MAX}"
        raise ValidityError(msg) from None


def _integers(values: Sequence[Any], high: int) -> Sequence[int]:
    """Plain integers 0 ... high of anything that is an integer; ColumnError for the first other."""
    if set(map(type, values)) != {int}:
        plain = []
        for index, value in enumerate(values):
            if isinstance(value, bool) or not hasattr(value, "__index__"):
                raise ColumnError(index, repr(value))
            plain.append(operator.index(value))
        values = plain
    if min(values) < 0 or max(values) > high:
        index = next(i for i, value in enumerate(values) if not 0 <= value <= high)
        raise ColumnError(index, str(values[index]))
    return values


def _records(
    folder: Folder, payloads: Sequence[Any], channels: Sequence[int]
) -> Sequence[Sequence[Any]]:
    """The values of every payload in the order of the fields."""
    if set(map(type, payloads)) == {tuple} and set(map(len, payloads)) == {len(folder.fields)}:
        return payloads
    return [_record(folder, one, number) for one, number in zip(payloads, channels, strict=True)]


def _record(folder: Folder, values: Any, channel: int) -> Sequence[Any]:
    """The values of one payload in the order of the fields."""
    n = len(folder.fields)
    if isinstance(values, Mapping):
        names = [name for name, _ in folder.fields]
        if len(values) == n:
            try:
                return [values[name] for name in names]
            except KeyError:
                pass
        missing = [name for name in names if name not in values]
        extra = [str(name) for name in values if name not in names]
        said = [
            f"{word} {', '.join(x)}" for word, x in (("without", missing), ("with", extra)) if x
        ]
        msg = f"{folder}: channel {channel}: payload {' and '.join(said)}; the fields are: " + (
            ", ".join(names)
        )
        raise PayloadError(msg)
    if isinstance(values, str | bytes) or not isinstance(values, Sequence) or len(values) != n:
        msg = (
            f"{folder}: channel {channel}: a payload is a mapping or a sequence of {n} values, "
            f"not {values!r:.80}"
        )
        raise PayloadError(msg)
    return values


def _columns(folder: Folder, records: Sequence[Any], channels: Sequence[int]) -> list[list[Any]]:
    if not records:
        return [[] for _ in folder.fields]
    columns = []
    for (name, kind), values in zip(folder.fields, zip(*records, strict=True), strict=True):
        try:
            columns.append(STORAGE_TYPES[kind].encode_column(values))
        except ColumnError as error:
            msg = f"{folder}: channel {channels[error.index]}: field {name}: {error}"
            raise PayloadError(msg) from None
    return columns
