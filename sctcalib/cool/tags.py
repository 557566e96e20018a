"""Tags of folders and folder sets: user tags, HEAD tags, locks, relations (cool-sqlite.md 12)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from sctcalib.cool.errors import TagError, nearest
from sctcalib.cool.nodes import MAX_TEXT_BYTES, Node
from sctcalib.cool.schema import Payload, Versioning, node_prefix

if TYPE_CHECKING:
    from sctcalib.cool.database import Database
    from sctcalib.cool.folder import Folder


class TagLock(IntEnum):
    """What may still be done with a tag."""

    UNLOCKED = 0
    LOCKED = 1
    PARTIALLY_LOCKED = 2
    """Only objects that overlap none of the tag's current ones may be added."""


class TagKind(Enum):
    """What a tag of a folder holds."""

    USER = "user"
    """A layer of its own, filled when objects are stored."""
    HEAD = "head"
    """A frozen copy of what HEAD was."""
    EMPTY = "empty"
    """Nothing yet: it exists through a relation."""
    GLOBAL = "global"
    """A tag of a folder set."""


@dataclass(frozen=True)
class Tag:
    """One tag and where it is."""

    name: str
    path: str
    id: int
    description: str
    lock: TagLock
    inserted: str
    kind: TagKind


@dataclass(frozen=True)
class Record:
    """The row of a tag, without its kind."""

    node_id: int
    id: int
    name: str
    lock: int
    description: str
    inserted: str


_COLUMNS = "NODE_ID, TAG_ID, TAG_NAME, TAG_LOCK_STATUS, TAG_DESCRIPTION, SYS_INSTIME"


def is_head(name: str) -> bool:
    """Whether the name means HEAD, that is no tag."""
    return name == "" or name.upper() == "HEAD"


def check_name(name: str) -> str:
    """The name itself; raises TagError if no tag can have it."""
    if is_head(name):
        msg = f"{name!r} stands for HEAD and cannot name a tag"
        raise TagError(msg)
    if "\0" in name or len(name.encode()) > MAX_TEXT_BYTES:
        msg = f"the tag name {name[:40]!r} has a NUL or more than {MAX_TEXT_BYTES} bytes"
        raise TagError(msg)
    return name


def record(db: Database, name: str) -> Record | None:
    """The row of a tag, wherever it is; names are unique in a database."""
    row = db.file.row(f'SELECT {_COLUMNS} FROM "{db.name}_TAGS" WHERE TAG_NAME = ?', (name,))
    return None if row is None else _record(row)


def records(db: Database, node_id: int | None = None) -> list[Record]:
    """The rows of a node's tags, or of all."""
    where, parameters = ("", ()) if node_id is None else ("WHERE NODE_ID = ?", (node_id,))
    sql = f'SELECT {_COLUMNS} FROM "{db.name}_TAGS" {where} ORDER BY NODE_ID, TAG_ID'
    return [_record(row) for row in db.file.rows(sql, parameters)]


def _record(row: tuple[Any, ...]) -> Record:
    node_id, ident, name, lock, description, inserted = row
    if lock not in (None, *TagLock):
        msg = f"the tag {name!r} has the lock status {lock}, which is none of 0, 1, 2"
        raise TagError(msg)
    return Record(node_id, ident, name, lock or 0, description or "", inserted or "")


def all_tags(db: Database) -> list[Tag]:
    """All tags of all nodes."""
    nodes = {node.id: node for node in db.nodes()}
    return [_tag(db, nodes[row.node_id], row) for row in records(db) if row.node_id in nodes]


def folder_tags(folder: Folder) -> list[Tag]:
    """The tags of a folder."""
    return [_tag(folder.db, folder.node, row) for row in records(folder.db, folder.id)]


def _tag(db: Database, node: Node, row: Record) -> Tag:
    kind = kind_of(db, node, row.id) if node.is_folder else TagKind.GLOBAL
    lock = TagLock(row.lock)
    return Tag(row.name, node.path, row.id, row.description, lock, row.inserted, kind)


def kind_of(db: Database, node: Node, tag_id: int) -> TagKind:
    """What the tag of a folder holds."""
    if node.versioning != Versioning.MULTI:
        return TagKind.EMPTY
    prefix = node_prefix(db.name, node.id)
    for kind, table, column in (
        (TagKind.USER, "IOVS", "USER_TAG_ID"),
        (TagKind.HEAD, "IOV2TAG", "TAG_ID"),
    ):
        sql = f'SELECT 1 FROM "{prefix}_{table}" WHERE {column} = ? LIMIT 1'
        if db.file.row(sql, (tag_id,)) is not None:
            return kind
    return TagKind.EMPTY


def own(db: Database, node: Node, name: str) -> Record:
    """The row of a node's tag; the error names those present."""
    found = record(db, name)
    if found is None or found.node_id != node.id:
        present = [row.name for row in records(db, node.id)]
        msg = f"{db.path}: no tag {name!r} in {node.path}{nearest(name, present)}"
        raise TagError(msg)
    return found


def find_or_create(db: Database, node: Node, name: str, description: str = "") -> Record:
    """The row of a node's tag, made if the name is free; raises TagError if it is taken."""
    check_name(name)
    found = record(db, name)
    if found is None:
        return _create(db, node, name, description)
    if found.node_id != node.id:
        place = next((n.path for n in db.nodes() if n.id == found.node_id), "another node")
        msg = f"{db.path}: the tag {name!r} already exists in {place}, not in {node.path}"
        raise TagError(msg)
    return found


def _create(db: Database, node: Node, name: str, description: str) -> Record:
    prefix = node_prefix(db.name, node.id)
    text = description or None
    if "\0" in description or len(description.encode()) > MAX_TEXT_BYTES:
        msg = f"the description of tag {name!r} has a NUL or more than {MAX_TEXT_BYTES} bytes"
        raise TagError(msg)
    tag_id, now = db.step(f"{prefix}_TAGS_SEQ")
    db.file.run(
        f'INSERT INTO "{db.name}_TAGS" VALUES (?, ?, ?, 0, ?, ?)',
        (node.id, tag_id, name, text, now),
    )
    if node.is_folder:
        db.file.run(f'INSERT INTO "{prefix}_TAGS" VALUES (?, ?, ?, ?)', (tag_id, name, text, now))
    return Record(node.id, tag_id, name, 0, description, now)


def user_tag(folder: Folder, name: str) -> Record:
    """The tag to store objects under, made if it is new; raises TagError if that is refused."""
    found = find_or_create(folder.db, folder.node, name)
    if found.lock == TagLock.LOCKED:
        msg = f"{folder}: the tag {name!r} is locked, nothing can be stored in it"
        raise TagError(msg)
    if kind_of(folder.db, folder.node, found.id) is TagKind.HEAD:
        msg = f"{folder}: {name!r} is a tag of HEAD, nothing can be stored in it"
        raise TagError(msg)
    return found


def tag_head(folder: Folder, name: str, description: str = "") -> int:
    """Freeze the current HEAD under a name; returns the number of objects."""
    db = folder.db
    folder.require(Versioning.MULTI, "tag HEAD")
    with db.transaction():
        known = record(db, check_name(name))
        tag = find_or_create(db, folder.node, name, description)
        _check_taggable(folder, tag)
        time = tag.inserted if known is None else db.step(f"{db.name}_TAG2TAG_SEQ")[1]
        extra = {Payload.SEPARATE: ", PAYLOAD_ID", Payload.VECTOR: ", PAYLOAD_SET_ID"}
        count = db.file.run(
            f"INSERT INTO {folder.table('IOV2TAG')} "
            "SELECT ?, OBJECT_ID, CHANNEL_ID, IOV_SINCE, IOV_UNTIL, ?"
            f"{extra.get(folder.payload, '')} FROM {folder.table('IOVS')} "
            "WHERE USER_TAG_ID = 0 AND NEW_HEAD_ID = 0 ORDER BY OBJECT_ID",
            (tag.id, time),
        )
        if count == 0:
            msg = f"{folder}: HEAD is empty, it cannot be tagged {name!r}"
            raise TagError(msg)
    return count


def _check_taggable(folder: Folder, tag: Record) -> None:
    kind = kind_of(folder.db, folder.node, tag.id)
    if kind is not TagKind.EMPTY:
        what = "a user tag" if kind is TagKind.USER else "a tag of an earlier HEAD"
        msg = f"{folder}: {tag.name!r} already exists, it is {what}"
        raise TagError(msg)
    if tag.lock:
        msg = f"{folder}: the tag {tag.name!r} is locked"
        raise TagError(msg)


def delete(folder: Folder, name: str) -> int:
    """Remove a tag and what it holds; returns the number of objects removed from it.

    The objects of HEAD stay; a tag that a relation uses stays as an empty one.
    """
    db = folder.db
    with db.transaction():
        tag = own(db, folder.node, name)
        if tag.lock:
            msg = f"{folder}: the tag {name!r} is locked and cannot be deleted"
            raise TagError(msg)
        count = 0
        if folder.versioning is Versioning.MULTI:
            if folder.payload is Payload.VECTOR:
                _delete_vectors(folder, tag.id)
            for table, column in (("IOVS", "USER_TAG_ID"), ("IOV2TAG", "TAG_ID")):
                sql = f"DELETE FROM {folder.table(table)} WHERE {column} = ?"
                count += db.file.run(sql, (tag.id,))
        _delete_unused(db, folder.node, tag)
    return count


def _delete_vectors(folder: Folder, tag_id: int) -> None:
    """Payload rows refer to the object that stored them, so they must go before it."""
    folder.db.file.run(
        f"DELETE FROM {folder.table('PAYLOAD')} WHERE PAYLOAD_SET_ID IN "
        f"(SELECT OBJECT_ID FROM {folder.table('IOVS')} WHERE USER_TAG_ID = ?)",
        (tag_id,),
    )


def _delete_unused(db: Database, node: Node, tag: Record) -> None:
    """Remove the rows of a tag that has neither objects nor relations."""
    related = db.file.row(
        f'SELECT 1 FROM "{db.name}_TAG2TAG" WHERE (PARENT_NODEID = ?1 AND PARENT_TAGID = ?2) '
        "OR (CHILD_NODEID = ?1 AND CHILD_TAGID = ?2) LIMIT 1",
        (node.id, tag.id),
    )
    if related is not None:
        return
    if node.is_folder:
        if kind_of(db, node, tag.id) is not TagKind.EMPTY:
            return
        prefix = node_prefix(db.name, node.id)
        db.file.run(f'DELETE FROM "{prefix}_TAGS" WHERE TAG_ID = ?', (tag.id,))
    if tag.lock:
        msg = f"{db.path}: the tag {tag.name!r} of {node.path} would be deleted, but it is locked"
        raise TagError(msg)
    sql = f'DELETE FROM "{db.name}_TAGS" WHERE NODE_ID = ? AND TAG_ID = ?'
    db.file.run(sql, (node.id, tag.id))


def lock(db: Database, name: str, status: TagLock) -> None:
    """Set the lock of a tag, wherever it is."""
    sql = f'UPDATE "{db.name}_TAGS" SET TAG_LOCK_STATUS = ? WHERE TAG_NAME = ?'
    with db.transaction():
        if db.file.run(sql, (int(TagLock(status)), name)) == 0:
            known = [row.name for row in records(db)]
            msg = f"{db.path}: no tag {name!r}{nearest(name, known)}"
            raise TagError(msg)


def describe(db: Database, name: str, text: str) -> None:
    """Set the description of a tag; the copy in the folder's own list stays, as COOL leaves it."""
    if "\0" in text or len(text.encode()) > MAX_TEXT_BYTES:
        msg = f"the description of tag {name!r} has a NUL or more than {MAX_TEXT_BYTES} bytes"
        raise TagError(msg)
    sql = f'UPDATE "{db.name}_TAGS" SET TAG_DESCRIPTION = ? WHERE TAG_NAME = ?'
    with db.transaction():
        if db.file.run(sql, (text or None, name)) == 0:
            known = [row.name for row in records(db)]
            msg = f"{db.path}: no tag {name!r}{nearest(name, known)}"
            raise TagError(msg)


def create_relation(
    db: Database, parent_path: str, parent_tag: str, child_path: str, child_tag: str
) -> None:
    """One row of TAG2TAG; missing tags are made. See Database.tag_relation."""
    with db.transaction():
        parent, child = _related_nodes(db, parent_path, child_path)
        above = find_or_create(db, parent, parent_tag)
        if above.lock == TagLock.LOCKED:
            msg = f"{db.path}: the tag {parent_tag!r} of {parent_path} is locked"
            raise TagError(msg)
        below = find_or_create(db, child, child_tag)
        present = _child_tag(db, parent, above, child)
        if present is not None:
            msg = (
                f"{db.path}: {parent_tag!r} of {parent_path} selects {present!r} "
                f"in {child_path} already"
            )
            raise TagError(msg)
        _, now = db.step(f"{db.name}_TAG2TAG_SEQ")
        db.file.run(
            f'INSERT INTO "{db.name}_TAG2TAG" VALUES (?, ?, ?, ?, ?)',
            (parent.id, above.id, child.id, below.id, now),
        )


def delete_relation(db: Database, parent_path: str, parent_tag: str, child_path: str) -> None:
    """Remove one row of TAG2TAG, and tags that nothing uses any more."""
    with db.transaction():
        parent, child = _related_nodes(db, parent_path, child_path)
        above = own(db, parent, parent_tag)
        if above.lock:
            msg = f"{db.path}: the tag {parent_tag!r} of {parent_path} is locked"
            raise TagError(msg)
        name = _child_tag(db, parent, above, child)
        if name is None:
            msg = f"{db.path}: {parent_tag!r} of {parent_path} selects no tag in {child_path}"
            raise TagError(msg)
        db.file.run(
            f'DELETE FROM "{db.name}_TAG2TAG" '
            "WHERE PARENT_NODEID = ? AND PARENT_TAGID = ? AND CHILD_NODEID = ?",
            (parent.id, above.id, child.id),
        )
        _delete_unused(db, child, own(db, child, name))
        _delete_unused(db, parent, above)


def find_relation(db: Database, parent_path: str, parent_tag: str, child_path: str) -> str | None:
    """The child's tag that a parent's tag selects, or None."""
    parent, child = _related_nodes(db, parent_path, child_path)
    return _child_tag(db, parent, own(db, parent, parent_tag), child)


def relations(db: Database) -> list[tuple[str, str, str, str]]:
    """All relations: path and tag of the parent, path and tag of the child."""
    nodes, names = f'"{db.name}_NODES"', f'"{db.name}_TAGS"'
    rows = db.file.rows(
        "SELECT p.NODE_FULLPATH, pt.TAG_NAME, c.NODE_FULLPATH, ct.TAG_NAME "
        f'FROM "{db.name}_TAG2TAG" r '
        f"JOIN {nodes} p ON p.NODE_ID = r.PARENT_NODEID "
        f"JOIN {nodes} c ON c.NODE_ID = r.CHILD_NODEID "
        f"JOIN {names} pt ON pt.NODE_ID = r.PARENT_NODEID AND pt.TAG_ID = r.PARENT_TAGID "
        f"JOIN {names} ct ON ct.NODE_ID = r.CHILD_NODEID AND ct.TAG_ID = r.CHILD_TAGID "
        "ORDER BY 1, 2, 3"
    )
    return [(str(a), str(b), str(c), str(d)) for a, b, c, d in rows]


def _related_nodes(db: Database, parent_path: str, child_path: str) -> tuple[Node, Node]:
    parent, child = db.node(parent_path), db.node(child_path)
    if child.parent_id != parent.id or parent.id == child.id:
        msg = f"{db.path}: {child_path} is not directly inside {parent_path}"
        raise TagError(msg)
    if child.versioning == Versioning.SINGLE:
        msg = f"{db.path}: {child_path} is a single-version folder and has no tags"
        raise TagError(msg)
    return parent, child


def _child_tag(db: Database, parent: Node, tag: Record, child: Node) -> str | None:
    row = db.file.row(
        f'SELECT t.TAG_NAME FROM "{db.name}_TAG2TAG" r JOIN "{db.name}_TAGS" t '
        "ON t.NODE_ID = r.CHILD_NODEID AND t.TAG_ID = r.CHILD_TAGID "
        "WHERE r.PARENT_NODEID = ? AND r.PARENT_TAGID = ? AND r.CHILD_NODEID = ?",
        (parent.id, tag.id, child.id),
    )
    return None if row is None else str(row[0])


def resolve(db: Database, folder_path: str, tag: str) -> str:
    """Follow the relations from a tag down to the folder; TagError where a step is missing."""
    node = db.node(folder_path)
    start = record(db, check_name(tag))
    if start is None:
        known = [row.name for row in records(db)]
        msg = f"{db.path}: no tag {tag!r}{nearest(tag, known)}"
        raise TagError(msg)
    chain = _ancestors(db, node)
    if start.node_id not in [member.id for member in chain]:
        place = next((n.path for n in db.nodes() if n.id == start.node_id), "elsewhere")
        msg = f"{db.path}: the tag {tag!r} is in {place}, which is not above {folder_path}"
        raise TagError(msg)
    while chain[0].id != start.node_id:
        chain.pop(0)
    name = tag
    for parent, child in pairwise(chain):
        below = _child_tag(db, parent, own(db, parent, name), child)
        if below is None:
            msg = f"{db.path}: {tag!r} is not found in {folder_path}: no relation to {child.path}"
            raise TagError(msg)
        name = below
    return name


def _ancestors(db: Database, node: Node) -> list[Node]:
    """The chain from the root down to the node."""
    nodes = {member.id: member for member in db.nodes()}
    chain = [node]
    while chain[0].parent_id is not None and chain[0].parent_id in nodes and len(chain) < 1000:
        chain.insert(0, nodes[chain[0].parent_id])
    return chain
