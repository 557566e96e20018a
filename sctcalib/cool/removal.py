"""Removing folders and folder sets with all that is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sctcalib.cool.errors import NodeError, TagError
from sctcalib.cool.schema import node_prefix
from sctcalib.cool.tags import records

if TYPE_CHECKING:
    from sctcalib.cool.database import Database
    from sctcalib.cool.nodes import Node


def remove_node(db: Database, path: str) -> None:
    """Remove a folder with its objects and tags, or an empty folder set.

    Raises NodeError for the root and for a folder set that holds something, TagError if a tag is
    locked.
    """
    node = db.node(path)
    inside = [other.path for other in db.nodes() if other.parent_id == node.id and other.id != 0]
    if node.id == 0 or inside:
        why = f"it holds {', '.join(inside[:5])}" if inside else "it is the root"
        msg = f"{db.path}: {path} cannot be removed, {why}"
        raise NodeError(msg)
    locked = [tag.name for tag in records(db, node.id) if tag.lock]
    if locked:
        msg = f"{db.path}: {path} cannot be removed, its tag {locked[0]!r} is locked"
        raise TagError(msg)
    with db.transaction():
        _remove(db, node)


def _remove(db: Database, node: Node) -> None:
    p = db.name
    for column in ("CHILD_NODEID", "PARENT_NODEID"):
        db.file.run(f'DELETE FROM "{p}_TAG2TAG" WHERE {column} = ?', (node.id,))
    db.file.run(f'DELETE FROM "{p}_TAGS" WHERE NODE_ID = ?', (node.id,))
    prefix = node_prefix(p, node.id)
    names = db.file.rows("SELECT name FROM sqlite_master WHERE type = 'table'")
    tables = [name for (name,) in names if name.startswith(f"{prefix}_")]
    memo = "coral_sqlite_fk"
    for table in tables:
        db.file.run(f'DROP TABLE "{table}"')
        if (memo,) in names:
            db.file.run(f"DELETE FROM {memo} WHERE tablename = ?", (table,))
    db.file.run(f'DELETE FROM "{p}_NODES" WHERE NODE_ID = ?', (node.id,))
