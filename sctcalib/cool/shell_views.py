"""Console commands that look: nodes, objects, tags, channels."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from sctcalib.cool.errors import CoolError, ValidityError
from sctcalib.cool.folder import Folder
from sctcalib.cool.nodes import Node
from sctcalib.cool.query import Object
from sctcalib.cool.schema import Payload, Versioning
from sctcalib.cool.storage import STORAGE_TYPES, BlobType, IntegerType, TextType
from sctcalib.cool.tags import TagLock, is_head, record
from sctcalib.cool.times import (
    MAX_LB,
    VALIDITY_KEY_MAX,
    lb_of,
    parse_time,
    run_lumi,
    run_of,
)

if TYPE_CHECKING:
    from sctcalib.cool.shell import Session

LOCKS = {
    TagLock.UNLOCKED: "unlocked",
    TagLock.PARTIALLY_LOCKED: "partially locked",
    TagLock.LOCKED: "locked",
}
OBSOLETE, SHOW_OBSOLETE = "OBSOLETE", "showObsolete"
_MAX_DESCRIPTION = 40
_TIME_FORMATS = ("%Y-%m-%d:%H:%M:%S", "%Y-%m-%d_%H:%M:%S", "%Y-%m-%d")


# ------------------------------------------------------------------ nodes


def ls(session: Session, node: str = "") -> None:
    """Folder sets, then folders."""
    _list(session, node, counted=False)


def ll(session: Session, node: str = "") -> None:
    """The same, counted."""
    _list(session, node, counted=True)


def _list(session: Session, text: str, *, counted: bool) -> None:
    node = session.node(text)
    if node.is_folder:
        inside = [node]
    else:
        nodes = session.db.nodes()
        inside = [n for n in nodes if n.parent_id == node.id and n.id != node.id]
    inside.sort(key=lambda n: (n.is_folder, n.path))
    rows: list[tuple[str, ...]] = [("Name", "Description", "Count", "Size")]
    for one in inside:
        count, size = _count(session, one) if counted and one.is_folder else ("-", "-")
        name = one.path.rpartition("/")[2] + ("" if one.is_folder else "/")
        rows.append((name, _short(one.description), count, size))
    _print_columns(session, rows)


def _short(text: str) -> str:
    return text if len(text) <= _MAX_DESCRIPTION else text[: _MAX_DESCRIPTION - 3] + "..."


def _count(session: Session, node: Node) -> tuple[str, str]:
    """Current objects of HEAD or of the chosen tag, and the most that their payload can take."""
    folder = session.db.folder(node.path)
    count = folder.count(_shown_tag(session, folder))
    size = sum(_n_bytes(kind) for _, kind in folder.fields)
    return str(count), _as_size(count * size)


def _n_bytes(kind: str) -> int:
    """The most bytes that a value of a storage type takes."""
    found = STORAGE_TYPES[kind]
    if isinstance(found, TextType | BlobType):
        return found.limit
    if isinstance(found, IntegerType):
        return math.ceil((found.high - found.low).bit_length() / 8)
    return {"Bool": 1, "Float": 4}.get(kind, 8)


def _as_size(n_bytes: int) -> str:
    size = float(n_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return ""


def _print_columns(session: Session, rows: list[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        session.echo("  ".join(cells).rstrip())


def cd(session: Session, node: str = "/") -> None:
    """Go to a folder set or folder."""
    session.directory = session.node(node).path
    pwd(session)


def pwd(session: Session) -> None:
    """Where we are."""
    session.echo(f"Current directory: {session.directory}")


# ------------------------------------------------------------------ objects


def less(session: Session, folder: str) -> None:
    """Objects with raw keys and values."""
    shown = session.folder(folder)
    for found in _objects(session, shown):
        values = found.payload or list(found.items)
        interval = f"[{found.since},{found.until}["
        session.echo(f"{found.object_id} {interval} ({found.channel}) {values} {found.inserted}")


def more(session: Session, folder: str) -> None:
    """Objects as people read them."""
    shown = session.folder(folder)
    for found in _objects(session, shown):
        first, last = (_readable(shown, key) for key in (found.since, found.until))
        for record_ in [found.payload] if found.payload else found.items or [{}]:
            values = ", ".join(_field(shown, record_))
            session.echo(f"[{first}] - [{last}) ({found.channel}) [{values}]")


def _objects(session: Session, folder: Folder) -> list[Object]:
    """What is selected, with the lines that say what that is."""
    tag = _shown_tag(session, folder)
    channel = "all" if session.channel is None else session.channel
    session.echo(f"Using channel: {channel}")
    session.echo(f"Using rawIOV range [{_raw(session.since)},{_raw(session.until)}]")
    if session.tag and tag:
        resolved = "" if tag == session.tag else f" resolved to {tag}"
        session.echo(f"Using tag selection: {session.tag}{resolved}")
    channels = None if session.channel is None else [session.channel]
    found = folder.browse(session.since, session.until, channels=channels, tag=tag)
    names = folder.tag_names()
    if not found and not tag and names and not folder.count():
        session.echo(f"HEAD is empty; usetag shows one of: {', '.join(names)}")
    return found


def _shown_tag(session: Session, folder: Folder) -> str:
    """The folder's own tag that is meant; single-version folders have none."""
    if is_head(session.tag) or folder.versioning is Versioning.SINGLE:
        return ""
    return session.db.resolve_tag(folder.path, session.tag)


def _raw(key: int) -> str:
    return {0: "ValidityKeyMin", VALIDITY_KEY_MAX: "ValidityKeyMax"}.get(key, str(key))


def _readable(folder: Folder, key: int) -> str:
    """A key as run,LB or as UTC."""
    if key in (0, VALIDITY_KEY_MAX):
        return _raw(key)
    if folder.key_kind == "time":
        return _as_date(key)
    return f"{run_of(key)},{lb_of(key)}"


def _as_date(nanoseconds: int) -> str:
    return datetime.fromtimestamp(nanoseconds // 10**9, UTC).strftime("%Y-%m-%d:%H:%M:%S UTC")


def _field(folder: Folder, values: dict[str, Any]) -> Iterator[str]:
    for name, kind in folder.fields:
        value = values.get(name)
        if isinstance(value, bytes):
            value = f"size={len(value)},chk={zlib.crc32(value)}"
        yield f"{name} ({kind}) : {'NULL' if value is None else value}"


# ------------------------------------------------------------------ selections


def usetag(session: Session, tag: str) -> None:
    """Choose the tag by name, or by its place in the alphabetic list."""
    if is_head(tag):
        session.tag = ""
    elif tag.isdecimal() and record(session.db, tag) is None:
        names = session.listed or sorted(found.name for found in session.db.tags())
        if not 1 <= int(tag) <= len(names):
            msg = f"there is no tag number {tag}, only 1 to {len(names)}"
            raise CoolError(msg)
        session.tag = names[int(tag) - 1]
    else:
        _check_tag(session, tag)
        session.tag = tag
    session.echo(f"Using tag selection: {session.tag or 'HEAD'}")


def _check_tag(session: Session, tag: str) -> None:
    if record(session.db, tag) is None:
        from sctcalib.cool.errors import TagError, nearest

        known = [found.name for found in session.db.tags()]
        msg = f"no tag {tag!r}{nearest(tag, known)}"
        raise TagError(msg)


def usechan(session: Session, channel: str) -> None:
    """Choose a channel."""
    if channel.upper() == "ALL":
        session.channel = None
    else:
        session.channel = int(channel) if channel.isdecimal() else channel
    session.echo(f"Using channel: {'all' if session.channel is None else session.channel}")


def userunlumi(session: Session, run1: str, lb1: str = "", run2: str = "", lb2: str = "") -> None:
    """Choose a range of runs and lumi blocks."""
    since = run_lumi(_number(run1), _number(lb1 or "0"))
    # the last key of a run belongs to what an earlier run left open
    end_lb = _number(lb2) if lb2 else MAX_LB - 1
    _use_range(session, since, run_lumi(_number(run2 or run1), end_lb))


def usetimes(session: Session, t1: str, t2: str) -> None:
    """Choose a range of times."""
    _use_range(session, _nanoseconds(t1), _nanoseconds(t2))


def _use_range(session: Session, since: int, until: int) -> None:
    if since > until:
        msg = f"the range begins at {since} and ends before, at {until}"
        raise ValidityError(msg)
    session.since, session.until = since, until
    session.echo(f"Using rawIOV range [{_raw(since)},{_raw(until)}]")


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        msg = f"{text!r} is not a number"
        raise ValidityError(msg)
    return int(text)


def _nanoseconds(text: str) -> int:
    """Of a date, of a time string of COOL, or of nanoseconds."""
    if text.isascii() and text.isdecimal():
        return min(int(text), VALIDITY_KEY_MAX)
    for form in _TIME_FORMATS:
        try:
            moment = datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
        return int(moment.timestamp()) * 10**9
    try:
        return parse_time(text)
    except ValidityError as error:
        msg = f"{text!r} is not a time such as 2015-10-28:03:49:53"
        raise ValidityError(msg) from error


def pws(session: Session) -> None:
    """All selections."""
    pwd(session)
    session.echo(f"Using channel: {'all' if session.channel is None else session.channel}")
    session.echo(f"Using rawIOV range [{_raw(session.since)},{_raw(session.until)}]")
    session.echo(f"Using tag selection: {session.tag or 'HEAD'}")


# ------------------------------------------------------------------ tags, channels


def listtags(session: Session, node: str = "") -> None:
    """Tags of a node, but obsolete ones."""
    _list_tags(session, session.node(node), "")


def filtertags(session: Session, node: str, pattern: str) -> None:
    """Tags of a node whose names contain a text or match a pattern with ``*`` and ``?``."""
    _list_tags(session, session.node(node), pattern)


def _list_tags(session: Session, node: Node, pattern: str) -> None:
    found = sorted((t for t in session.db.tags() if t.path == node.path), key=lambda t: t.name)
    if pattern != SHOW_OBSOLETE:
        found = [tag for tag in found if OBSOLETE not in tag.description]
        wanted = pattern if set(pattern) & set("*?[") else f"*{pattern}*"
        found = [tag for tag in found if fnmatchcase(tag.name, wanted)]
    session.echo(f"Listing tags of {node.path}")
    session.listed = [tag.name for tag in found]
    for tag in found:
        session.echo(f"{tag.name} ({LOCKS[tag.lock]}) [{tag.description}]")


def listchans(session: Session, folder: str) -> None:
    """Channels with names and descriptions."""
    shown = session.folder(folder)
    channels = shown.channels()
    session.echo(f"Channels of {shown.path}: {len(channels)}")
    for channel in channels:
        session.echo(f"{channel.id} {channel.name or '-'} {channel.description}".rstrip())


def listinfo(session: Session, folder: str) -> None:
    """What a folder can hold."""
    shown = session.folder(folder)
    kind = "single" if shown.versioning is Versioning.SINGLE else "multi"
    session.echo(f"Specification for {kind}-version folder {shown.path}")
    for name, storage in shown.fields:
        session.echo(f"  {name} ({storage})")
    where = {
        Payload.INLINE: "in the table of objects",
        Payload.SEPARATE: "in a table of its own",
        Payload.VECTOR: "vectors in a table of its own",
    }
    session.echo(f"Payload: {where[shown.payload]}")
    session.echo(f"Description: {shown.description}")


def tracetags(session: Session, node: str, tag: str) -> None:
    """The relations of a tag, upwards and downwards."""
    start = session.node(node)
    session.own_tag(start, tag)
    relations = session.db.tag_relations()
    for path, name in above(relations, start.path, tag):
        session.echo(f"selected by {path} : {name}")
    for depth, path, name in below(relations, start.path, tag, 0):
        session.echo(f"{'  ' * depth}{path} : {name}")


Relation = tuple[str, str, str, str]


def above(relations: list[Relation], path: str, tag: str) -> Iterator[tuple[str, str]]:
    """Path and name of the tags that select a tag, the nearest first."""
    for parent, parent_tag, child, child_tag in relations:
        if (child, child_tag) == (path, tag):
            yield parent, parent_tag
            yield from above(relations, parent, parent_tag)


def below(
    relations: list[Relation], path: str, tag: str, depth: int
) -> Iterator[tuple[int, str, str]]:
    """Depth, path and name of a tag and of all that it selects."""
    yield depth, path, tag
    for parent, parent_tag, child, child_tag in relations:
        if (parent, parent_tag) == (path, tag):
            yield from below(relations, child, child_tag, depth + 1)
