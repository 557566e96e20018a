"""What a merge refuses before it compares anything (run-query-and-upload.md B1.2)."""

from __future__ import annotations

from collections.abc import Iterator

from sctcalib.cool.database import Database
from sctcalib.cool.errors import nearest
from sctcalib.cool.folder import Folder
from sctcalib.cool.folders import SCT_FOLDERS
from sctcalib.cool.merging import strips
from sctcalib.cool.merging.problems import Code, Problem
from sctcalib.cool.merging.sources import Content
from sctcalib.cool.schema import Payload, Versioning
from sctcalib.cool.storage import STORAGE_TYPES, ColumnError
from sctcalib.cool.tags import TagKind, is_head, record
from sctcalib.cool.times import MAX_LB, RUN_SHIFT, VALIDITY_KEY_MAX, format_key, run_of

_SCT_PATHS = frozenset(folder.path for folder in SCT_FOLDERS.values())


def folder_problems(source: Folder, there: Database, *, ignore_description: bool) -> list[Problem]:
    """Whether the destination has this folder, and takes what the file's one holds."""
    if not there.has_folder(source.path):
        known = [folder.path for folder in there.folders()]
        text = f"{there.path} has no folder {source.path!r} in {there.name}"
        return [Problem(Code.NO_FOLDER, text + nearest(source.path, known))]
    destination = there.folder(source.path)
    problems = list(_specification(source, destination))
    same_text = source.description == destination.description
    kinds = {source.key_kind, destination.key_kind} - {""}
    if len(kinds) > 1:  # keys would mean something else: never ignored
        text = f"validity is {source.key_kind} in the file, {destination.key_kind} in {there.path}"
        problems.append(Problem(Code.DESCRIPTION, f"{source.path}: {text}"))
    elif not (same_text or ignore_description):
        text = (
            f"{source.path}: the descriptions differ: {source.description!r} in the file, "
            f"{destination.description!r} in {there.path}; --ignoredesc merges nevertheless"
        )
        problems.append(Problem(Code.DESCRIPTION, text))
    return problems


def _specification(source: Folder, destination: Folder) -> Iterator[Problem]:
    for what, one, two in (
        ("versioning", source.versioning.name.lower(), destination.versioning.name.lower()),
        ("fields", source.node.specification, destination.node.specification),
        ("vectors", *(f.payload is Payload.VECTOR for f in (source, destination))),
    ):
        if one != two:
            text = f"{source.path}: the {what} differ: {one} in the file, {two} in {destination}"
            yield Problem(Code.SPECIFICATION, text)


def tag_problems(content: Content, there: Database, *, allow_new: bool) -> Iterator[Problem]:
    """Whether the destination knows the tag, in this folder."""
    if is_head(content.to):
        return
    folder, name = content.folder.path, content.to
    if content.folder.versioning is Versioning.SINGLE:
        text = f"{folder} is a single-version folder, it has no tag {name!r}"
        yield Problem(Code.UNKNOWN_TAG, text)
        return
    known = there.folder(folder).tag_names()
    found = record(there, name)
    if name not in known and found is not None:
        text = f"{folder}: the tag {name!r} belongs to another folder of {there.path}"
        yield Problem(Code.UNKNOWN_TAG, text)
    elif name not in known and not allow_new:
        text = f"{folder}: {there.path} has no tag {name!r}{_with_nearest_first(name, known)}"
        yield Problem(Code.UNKNOWN_TAG, f"{text}; --allow-new-tag creates it")


def _with_nearest_first(name: str, known: list[str]) -> str:
    from difflib import SequenceMatcher

    if not known:
        return "; the folder has none"
    ordered = sorted(known, key=lambda k: -SequenceMatcher(None, name, k).ratio())
    return f"; the folder has: {', '.join(ordered)}"


def kind_problems(content: Content, there: Database) -> Iterator[Problem]:
    """Nothing can be stored in a frozen copy of HEAD."""
    for tag in there.folder(content.folder.path).tags():
        if tag.name == content.to and tag.kind is TagKind.HEAD:
            text = f"{content.where} is a frozen copy of HEAD, nothing can be stored in it"
            yield Problem(Code.WRITING, text)


def validity_problems(content: Content) -> Iterator[Problem]:
    """Intervals that make no sense for the folder."""
    folder, objects = content.folder, content.objects
    is_sct = folder.path in _SCT_PATHS
    if not (is_sct or folder.key_kind.startswith("run-")):
        return
    intervals = sorted(set(zip(objects.since, objects.until, strict=True)))
    for since, until in intervals:
        why = _interval_problem(since, until, is_sct=is_sct)
        if why:
            shown = " - ".join(format_key(key, "run-lumi") for key in (since, until))
            yield Problem(Code.VALIDITY, f"{content.where}: {shown}: {why}")
            return  # one is enough: the others are like it
    runs = sorted({run_of(since) for since, _ in intervals})
    if is_sct and len(runs) > 1:
        shown = ", ".join(map(str, runs[:10]))
        text = f"objects of {len(runs)} runs in one file, one is expected: {shown}"
        yield Problem(Code.VALIDITY, f"{content.where}: {text}")


def _interval_problem(since: int, until: int, *, is_sct: bool) -> str:
    run = run_of(since)
    if run < 1:
        return "the run number must be larger than 0"
    if not is_sct:
        return ""
    start = run << RUN_SHIFT
    if since == start and until in (start + MAX_LB, start + MAX_LB + 1, VALIDITY_KEY_MAX):
        return ""
    return "expected is one whole run, or from the start of a run without end"


def value_problems(content: Content) -> Iterator[Problem]:
    """Values that do not fit their fields, and strip lists that nobody could read back."""
    folder, objects = content.folder, content.objects
    if folder.payload is not Payload.VECTOR:
        values = zip(*objects.payload, strict=True)
        for (name, kind), column in zip(folder.fields, values, strict=True):
            try:
                STORAGE_TYPES[kind].encode_column(column)
            except ColumnError as error:
                where = f"{content.where}: channel {objects.channel[error.index]}"
                yield Problem(Code.CANNOT_OPEN, f"{where}: field {name}: {error}")
                return
    try:
        strips.decoded(folder, objects)
    except ValueError as error:
        yield Problem(Code.CANNOT_OPEN, f"{content.where}: {error}")


def channel_problems(content: Content, there: Folder) -> Iterator[Problem]:
    """Names of channels that other channels of the destination have."""
    named = [channel for channel in content.folder.channels(named=True) if channel.name]
    names = {c.name: c.id for c in there.channels(named=True) if c.name} if named else {}
    for channel in named:
        taken = names.get(channel.name, channel.id)
        if taken != channel.id:
            text = f"the name {channel.name!r} of channel {channel.id} belongs to channel {taken}"
            yield Problem(Code.CHANNELS, f"{content.where}: {text} of {there.db.path}")
