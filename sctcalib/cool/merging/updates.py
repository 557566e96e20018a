"""Update modes UPD1 to UPD4 of folders and tags (run-query-and-upload.md B1.2, B3).

A destination may have rules in ``<file>.rules.json`` beside it: ``first_open_run``, from which on
UPD1 and UPD4 tags may change, and ``allowed_runs``, for which locked UPD2 tags may.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sctcalib.cool.errors import DatabaseError
from sctcalib.cool.folder import Folder
from sctcalib.cool.merging.classes import Classes, NewObject, Present
from sctcalib.cool.merging.problems import Code, Problem
from sctcalib.cool.merging.sources import Content
from sctcalib.cool.query import Columns
from sctcalib.cool.tags import TagLock, record
from sctcalib.cool.times import MAX_RUN, RUN_SHIFT, VALIDITY_KEY_MAX, run_of

_IN_DESCRIPTION = re.compile(r"<updateMode>\s*UPD([1-4])\s*</updateMode>")
_IN_TAG = re.compile("UPD([1-4])")
_EXAMPLE = '{"first_open_run": 300000, "allowed_runs": [299990, 299991]}'


@dataclass(frozen=True)
class Rules:
    """What a destination allows."""

    first_open_run: int | None = None
    allowed_runs: frozenset[int] = frozenset()


def rules_file(database_path: str | Path) -> Path:
    """Where the rules of a database are: beside it."""
    path = Path(database_path)
    return path.with_name(path.name + ".rules.json")


def read_rules(database_path: str | Path) -> Rules:
    """The rules of a database; none without the file. Raises DatabaseError for anything else."""
    path = rules_file(database_path)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Rules()
    except (OSError, ValueError) as error:
        msg = f"{path} is not readable JSON such as {_EXAMPLE}: {error}"
        raise DatabaseError(msg) from error
    if not isinstance(found, dict) or set(found) - {"first_open_run", "allowed_runs"}:
        msg = f"{path} holds {json.dumps(found)[:80]}; expected is {_EXAMPLE}"
        raise DatabaseError(msg)
    first, allowed = found.get("first_open_run"), found.get("allowed_runs", [])
    if not isinstance(allowed, list) or not all(map(_is_run, [*allowed, *_given(first)])):
        msg = f"{path}: run numbers 1-{MAX_RUN} are expected, as in {_EXAMPLE}"
        raise DatabaseError(msg)
    return Rules(first, frozenset(allowed))


def _given(value: Any) -> list[Any]:
    return [] if value is None else [value]


def _is_run(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MAX_RUN


def update_mode(description: str, tag: str) -> int:
    """1 to 4 for UPD1 to UPD4, the highest that the folder or the tag names; 0 without."""
    modes = [*_IN_DESCRIPTION.findall(description), *_IN_TAG.findall(tag)]
    return max(map(int, modes), default=0)


def opened(content: Content, there: Folder, rules: Rules) -> tuple[Content, list[Problem]]:
    """The content from the first open run on, and what is refused (35)."""
    mode = update_mode(there.description, content.to)
    first = rules.first_open_run
    if mode not in (1, 4) or first is None:
        return content, []
    objects = content.objects
    if there.key_kind == "time":
        text = f"{content.where}: the rule of a first open run is of no use for times"
        return content, [Problem(Code.CLOSED_RUN, text)]
    early = {
        run_of(since)
        for since, until in set(zip(objects.since, objects.until, strict=True))
        if run_of(since) < first and until != VALIDITY_KEY_MAX
    }
    if early:
        shown = ", ".join(map(str, sorted(early)[:10]))
        text = f"run {shown} is before the first open run {first} of UPD{mode} tags"
        return content, [Problem(Code.CLOSED_RUN, f"{content.where}: {text} ({there.db.path})")]
    start = first << RUN_SHIFT
    moved = replace(objects, since=tuple(max(since, start) for since in objects.since))
    return replace(content, objects=moved), []


def storing_problems(
    content: Content,
    there: Folder,
    classes: Classes,
    stored: list[NewObject],
    found: Present,
    rules: Rules,
) -> Iterator[Problem]:
    """What locks and modes forbid, given what would be stored (31)."""
    mode = update_mode(there.description, content.to)
    tag = record(there.db, content.to) if content.to else None
    lock = TagLock(tag.lock) if tag is not None else TagLock.UNLOCKED
    if mode == 3:
        yield from _append_only(content, stored, found)
    elif mode == 2 and lock is TagLock.LOCKED:
        yield from _allowed(content, there, stored, rules)
    elif lock is TagLock.LOCKED:
        yield Problem(Code.WRITING, f"{content.where} is locked in {there.db.path}")
    elif lock is TagLock.PARTIALLY_LOCKED and len(stored) > len(classes.new):
        number = len(stored) - len(classes.new)
        text = f"is partially locked, and {number} objects overlap what is there"
        yield Problem(Code.WRITING, f"{content.where} {text}")


def unlocks(content: Content, there: Folder) -> bool:
    """Whether a lock is opened while storing, for what the modes allow."""
    tag = record(there.db, content.to) if content.to else None
    if tag is None or tag.lock != TagLock.LOCKED:
        return False
    return update_mode(there.description, content.to) in (2, 3)


def _append_only(content: Content, stored: list[NewObject], found: Present) -> Iterator[Problem]:
    """UPD3: open-ended, after all that is there, and on top of open-ended objects only."""
    where = f"{content.where} may only be extended (UPD3)"
    closed = [channel for _, until, channel, _ in stored if until != VALIDITY_KEY_MAX]
    if closed:
        text = f"the object of channel {closed[0]} has an end"
        yield Problem(Code.WRITING, f"{where}: {text}, as {len(closed)} in all")
    late = _starts(found.objects)
    for since, _, channel, _ in stored:
        starts, ends = late.get(channel, (-1, VALIDITY_KEY_MAX))
        if starts >= since or channel in found.later or ends != VALIDITY_KEY_MAX:
            text = f"channel {channel} has an object at or after the new one, or with an end"
            yield Problem(Code.WRITING, f"{where}: {text}")
            return


def _starts(objects: Columns) -> dict[int, tuple[int, int]]:
    """By channel: the latest start, and the earliest end."""
    found: dict[int, tuple[int, int]] = {}
    for channel, since, until in zip(objects.channel, objects.since, objects.until, strict=True):
        start, end = found.get(channel, (-1, VALIDITY_KEY_MAX))
        found[channel] = max(start, since), min(end, until)
    return found


def _allowed(
    content: Content, there: Folder, stored: list[NewObject], rules: Rules
) -> Iterator[Problem]:
    """UPD2: a locked tag changes only for the runs that are listed."""
    where = f"{content.where} is locked (UPD2)"
    for since, until, _, _ in stored:
        first, last = run_of(since), run_of(until - 1)
        runs = range(first, last + 1)
        if len(runs) > len(rules.allowed_runs) or not rules.allowed_runs.issuperset(runs):
            name = rules_file(there.db.path).name
            text = f"runs {first} to {last} are not all among the allowed ones in {name}"
            yield Problem(Code.WRITING, f"{where}: {text}")
            return
