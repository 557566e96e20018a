"""Merge a file into a destination: checked, compared, in one transaction, or not at all
(run-query-and-upload.md B1.1, B1.2)."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sctcalib.cool.connection import parse_connection
from sctcalib.cool.database import Clock, Database
from sctcalib.cool.errors import CoolError, DatabaseError, PayloadError
from sctcalib.cool.folder import Folder
from sctcalib.cool.merging import beside, checks, strips, updates
from sctcalib.cool.merging.classes import Classes, NewObject, Present, classify, present
from sctcalib.cool.merging.problems import Code, MergeError, Problem, failure
from sctcalib.cool.merging.report import Outcome, Report, Row, conflict_text
from sctcalib.cool.merging.sources import (
    Content,
    Selection,
    as_stored,
    check_source,
    read_contents,
)
from sctcalib.cool.query import columns
from sctcalib.cool.schema import Versioning
from sctcalib.cool.tags import TagLock


@dataclass(frozen=True)
class Options:
    """How to merge."""

    selection: Selection = field(default_factory=Selection)
    source_database: str = ""
    """Name of the database in the file, if it holds several."""
    database: str = ""
    """Name of the database in the destination; empty: as in the file."""
    ignore_description: bool = False
    allow_new_tag: bool = False
    replace: bool = False
    backup: bool = True
    dry_run: bool = False
    comment: str = ""
    wait_s: float = beside.WAIT_S


@dataclass
class _Item:
    """One folder and tag on its way."""

    content: Content
    there: Folder
    found: Present
    row: Row
    stored: list[NewObject]


def merge(
    source: str | Path,
    destination: str | Path,
    options: Options | None = None,
    *,
    clock: Clock = time.time_ns,
) -> Report:
    """Merge a file into the database at a path or connection string.

    Raises MergeError with an exit code and all reasons; then the destination is as it was.
    """
    options = options or Options()
    try:
        given, target = parse_connection(source), parse_connection(destination)
    except DatabaseError as error:
        raise failure(Code.CANNOT_OPEN, str(error)) from error
    sha256 = beside.sha256_of(given.path)
    with _opened(given.path, options.source_database or given.name or "") as db:
        check_source(db)
        with _reading():
            contents = read_contents(db, options.selection)
        name = _destination_name(options.database, target.name or "", db.name)
        report = Report(given.path, sha256, db.name, target.path, name)
        if not target.path.exists():  # before a lock is made beside it
            raise failure(Code.CANNOT_OPEN, f"{target.path} does not exist")
        if given.path.samefile(target.path):
            raise failure(Code.CANNOT_OPEN, f"{given.path} cannot be merged into itself")
        if options.dry_run:
            with _opened(target.path, name) as there, _snapshot(there):
                _compare(contents, there, options, report)
                report.outcome = Outcome.DRY_RUN if report.n_rows else Outcome.NO_CHANGE
            return report
        with beside.locked(target.path, options.wait_s):
            _write(contents, options, report, clock)
    return report


def _destination_name(asked: str, connection: str, own: str) -> str:
    if asked and connection and asked != connection:
        text = f"--destdb {asked} contradicts dbname={connection} of the destination"
        raise failure(Code.CANNOT_OPEN, text)
    return asked or connection or own


@contextmanager
def _opened(
    path: Path, name: str, *, read_only: bool = True, clock: Clock = time.time_ns
) -> Generator[Database]:
    try:
        db = Database.open(path, name or None, read_only=read_only, clock=clock)
    except DatabaseError as error:
        raise failure(Code.CANNOT_OPEN, str(error)) from error
    with db:
        yield db


@contextmanager
def _reading() -> Generator[None]:
    """What cannot be read is the file's fault."""
    try:
        yield
    except MergeError:
        raise
    except CoolError as error:
        raise failure(Code.CANNOT_OPEN, str(error)) from error


@contextmanager
def _snapshot(db: Database) -> Generator[None]:
    """Read one state of the database, whatever others write meanwhile."""
    with _reading():
        db.file.run("BEGIN")
        yield


def _write(contents: list[Content], options: Options, report: Report, clock: Clock) -> None:
    """Compare and store with the lock held; then the log."""
    with _opened(report.destination, report.database, read_only=False, clock=clock) as there:
        try:
            with there.transaction():
                with _reading():
                    items = _compare(contents, there, options, report)
                if not report.n_rows:
                    report.outcome = Outcome.NO_CHANGE
                    return
                if options.backup:
                    report.backup = beside.back_up(report.source, report.sha256, report.destination)
                for item in items:
                    _store(item)
                beside.check_unchanged(report.source, report.sha256)
        except MergeError:
            raise
        except CoolError as error:
            raise _writing_failure(error) from error
    report.outcome = Outcome.MERGED
    record = {"when": beside.now(), "who": beside.who(), "comment": options.comment}
    beside.append_log(report.destination, record | {"replace": options.replace} | report.as_dict())


def _writing_failure(error: CoolError) -> MergeError:
    text = str(error)
    if isinstance(error, DatabaseError) and "database is locked" in text:
        return failure(Code.BUSY, f"{text}: another program is writing to it")
    if isinstance(error, PayloadError):
        return failure(Code.CANNOT_OPEN, text)
    return failure(Code.WRITING, f"{text}; nothing was written")


# ------------------------------------------------------------------ comparing


def _compare(
    contents: list[Content], there: Database, options: Options, report: Report
) -> list[_Item]:
    """All that would be stored; raises MergeError with every reason against it."""
    _raise(_first_look(contents, there, options), report)
    rules = updates.read_rules(there.path)
    problems: list[Problem] = []
    items = []
    for content in contents:
        folder = there.folder(content.folder.path)
        moved, refused = updates.opened(content, folder, rules)
        item = _item(moved, folder, options, report)
        problems += [*refused, *_second_look(item, options, rules)]
        items.append(item)
    _raise(problems, report)
    return items


def _raise(problems: list[Problem], report: Report) -> None:
    if problems:
        raise MergeError(problems, report)


def _first_look(contents: list[Content], there: Database, options: Options) -> list[Problem]:
    """Reasons that make a comparison senseless."""
    problems: list[Problem] = []
    folders = {content.folder.path: content.folder for content in contents}
    for path, folder in folders.items():
        found = checks.folder_problems(folder, there, ignore_description=options.ignore_description)
        problems += found
        for content in (c for c in contents if c.folder.path == path):
            if there.has_folder(path):
                problems += checks.tag_problems(content, there, allow_new=options.allow_new_tag)
            problems += [*checks.validity_problems(content), *checks.value_problems(content)]
    targets = [(content.folder.path, content.to) for content in contents]
    doubled = {target for target in targets if targets.count(target) > 1}
    problems += [Problem(Code.CANNOT_OPEN, f"two tags would go to {p} {t}") for p, t in doubled]
    return problems


def _item(content: Content, there: Folder, options: Options, report: Report) -> _Item:
    objects, known = content.objects, there.tag_names()
    is_new_tag = bool(content.to) and content.to not in known
    found = Present() if is_new_tag else present(there, content.to, objects)
    found = Present(as_stored(there, found.objects), found.later)
    classes = classify(objects, found, run_based=there.key_kind.startswith("run-"))
    classes.leftovers = [row for row in classes.leftovers if not strips.is_empty(there, row[3])]
    replaced = _replacing(there, classes, content, report) if options.replace else []
    stored = sorted([*classes.new, *classes.update, *replaced], key=lambda row: (row[2], row[0]))
    row = Row(
        folder=there.path,
        tag=content.to,
        key_kind=there.key_kind,
        since=min(objects.since),
        until=max(objects.until),
        channels=len(set(objects.channel)),
        classes=classes,
        rows=len(stored),
        replaced=len(replaced),
        new_tag=is_new_tag,
        strips=_strips(content, there, is_new_tag=is_new_tag, report=report),
    )
    report.rows.append(row)
    return _Item(content, there, found, row, stored)


def _replacing(
    there: Folder, classes: Classes, content: Content, report: Report
) -> list[NewObject]:
    """What --replace stores: over conflicts, and empty lists for leftovers."""
    if not strips.has_lists(there):
        if classes.leftovers:
            text = f"{content.where}: {len(classes.leftovers)} channels that are not in the file"
            first = ", ".join(str(row[2]) for row in classes.leftovers[:10])
            report.warnings.append(f"{text} stay as they are, such as {first}")
        return classes.replacing
    empty = [
        (since, until, channel, strips.cleared(there, payload))
        for since, until, channel, payload in classes.leftovers
    ]
    changed = [new for new, old in zip(empty, classes.leftovers, strict=True) if new != old]
    return [*classes.replacing, *changed]


def _strips(
    content: Content, there: Folder, *, is_new_tag: bool, report: Report
) -> strips.StripDifference | None:
    if not strips.has_lists(there):
        return None
    try:
        if is_new_tag:
            return strips.against_nothing(there, content.objects)
        return strips.difference(there, content.to, content.objects)
    except ValueError as error:
        report.warnings.append(f"{there}: no comparison of strips: {error}")
        return None


def _second_look(item: _Item, options: Options, rules: updates.Rules) -> list[Problem]:
    """Reasons that the comparison has brought to light."""
    content, there, classes = item.content, item.there, item.row.classes
    problems = [*checks.channel_problems(content, there)]
    if item.stored:
        problems += checks.kind_problems(content, there.db)
        problems += updates.storing_problems(
            content, there, classes, item.stored, item.found, rules
        )
    is_single = there.versioning is Versioning.SINGLE
    if classes.n_conflicts and (not options.replace or is_single):
        hint = "; --replace stores over them" if not is_single else ""
        problems.append(Problem(Code.CONFLICT, conflict_text(item.row) + hint))
    return problems


# ------------------------------------------------------------------ storing


def _store(item: _Item) -> None:
    """Store, with a lock opened where the update mode allows it, and read back."""
    content, there = item.content, item.there
    unlock = updates.unlocks(content, there)
    if unlock:
        there.db.lock_tag(content.to, TagLock.UNLOCKED)
    _create_channels(content, there)
    if there.versioning is Versioning.SINGLE:
        there.store_each(item.stored)
    else:
        there.store_bulk(item.stored, tag=content.to, user_tag_only=bool(content.to))
    if unlock:
        there.db.lock_tag(content.to, TagLock.LOCKED)
    _verify(item)


def _create_channels(content: Content, there: Folder) -> None:
    """Announce channels that have names or descriptions."""
    named = content.folder.channels(named=True)
    known = {channel.id for channel in there.channels()} if named else set()
    for channel in named:
        if channel.id not in known:
            there.create_channel(channel.id, channel.name, channel.description)


def _verify(item: _Item) -> None:
    """Read back what was stored; raises MergeError (31) if it is not there."""
    there, stored = item.there, item.stored
    found = columns(
        there, item.content.to, min(row[0] for row in stored), max(row[0] for row in stored)
    )
    rows = zip(found.since, found.until, found.channel, found.payload, strict=True)
    missing = set(stored) - set(rows)
    if missing:
        _, _, channel, _ = min(missing)
        text = f"{item.content.where}: channel {channel}: what was stored is not found again"
        raise failure(Code.WRITING, f"{text}; nothing was written")
