"""What a merge changes in lists of strips or chips: modules and strips that are new or gone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sctcalib.cool import query
from sctcalib.cool.folder import Folder
from sctcalib.cool.query import Columns
from sctcalib.cool.schema import Payload
from sctcalib.cool.times import RUN_SHIFT, VALIDITY_KEY_MAX, run_of
from sctcalib.parts import strip_lists

LIST_FIELD = "DefectList"
Lists = Mapping[int, frozenset[int]]
"""By channel, the numbers of a list that is not empty."""


@dataclass(frozen=True)
class StripDifference:
    """The lists of the file against those of the destination."""

    run: int | None
    """The run that they are compared with; None if there is none."""
    modules: int
    """With a list that is not empty, in the file."""
    modules_new: int
    modules_gone: int
    modules_changed: int
    modules_unchanged: int
    strips: int
    strips_new: int
    strips_gone: int
    strips_unchanged: int


def has_lists(folder: Folder) -> bool:
    """Whether the objects of a folder are lists of strips or chips."""
    return (LIST_FIELD, "String4k") in folder.fields and folder.payload is not Payload.VECTOR


def decoded(folder: Folder, objects: Columns) -> Lists:
    """The lists of objects; none in a folder without. Raises ValueError that names the channel."""
    if not has_lists(folder):
        return {}
    place = [name for name, _ in folder.fields].index(LIST_FIELD)
    found = {}
    for channel, values in zip(objects.channel, objects.payload, strict=True):
        if not values[place]:
            continue
        try:
            numbers = strip_lists.decode(values[place]).tolist()
        except ValueError as error:
            msg = f"channel {channel}: {LIST_FIELD}: {error}"
            raise ValueError(msg) from None
        if numbers:
            found[channel] = frozenset(numbers)
    return found


def is_empty(folder: Folder, payload: tuple[Any, ...]) -> bool:
    """Whether an object says no more than a missing one does: its list is empty."""
    place = [name for name, _ in folder.fields].index(LIST_FIELD) if has_lists(folder) else None
    return place is not None and not payload[place]


def cleared(folder: Folder, payload: tuple[Any, ...]) -> tuple[Any, ...]:
    """The payload with an empty list."""
    names = [name for name, _ in folder.fields]
    return tuple(
        "" if name == LIST_FIELD else value for name, value in zip(names, payload, strict=True)
    )


def difference(there: Folder, tag: str, objects: Columns) -> StripDifference:
    """Compare with the same run if it is there, else with the last one before.

    Open-ended objects are compared with what they replace, in their own channels only. Raises
    ValueError for a list of the destination that cannot be read.
    """
    since = min(objects.since)
    open_ended = VALIDITY_KEY_MAX in objects.until
    key = since if open_ended else _compared_key(there, tag, since)
    stored = Columns() if key is None else query.columns(there, tag, key, key)
    before = dict(decoded(there, stored))
    if open_ended:
        own = set(objects.channel)
        before = {channel: numbers for channel, numbers in before.items() if channel in own}
    run = run_of(max(stored.since)) if len(stored) else None
    return _difference(decoded(there, objects), before, run)


def against_nothing(folder: Folder, objects: Columns) -> StripDifference:
    """The same for a tag that is not there yet."""
    return _difference(decoded(folder, objects), {}, None)


def _compared_key(there: Folder, tag: str, since: int) -> int | None:
    """The start of the same run if objects begin there, else of the last run before."""
    last = query.last_start(there, tag, since + 1)
    return None if last is None else run_of(last) << RUN_SHIFT


def _difference(now: Lists, before: Lists, run: int | None) -> StripDifference:
    both = now.keys() & before.keys()
    same = sum(now[channel] == before[channel] for channel in both)
    kept = sum(len(now[channel] & before[channel]) for channel in both)
    n_now, n_before = sum(map(len, now.values())), sum(map(len, before.values()))
    return StripDifference(
        run=run,
        modules=len(now),
        modules_new=len(now) - len(both),
        modules_gone=len(before) - len(both),
        modules_changed=len(both) - same,
        modules_unchanged=same,
        strips=n_now,
        strips_new=n_now - kept,
        strips_gone=n_before - kept,
        strips_unchanged=kept,
    )
