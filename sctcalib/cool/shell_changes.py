"""Console commands that change a database: tags, locks, channels, descriptions, nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sctcalib.cool import tags
from sctcalib.cool.errors import ChannelError, CoolError, TagError
from sctcalib.cool.folders import DESTINATION_DESCRIPTION
from sctcalib.cool.nodes import Node, parent_of
from sctcalib.cool.removal import remove_node
from sctcalib.cool.shell_views import LOCKS, below
from sctcalib.cool.tags import TagLock, record

if TYPE_CHECKING:
    from sctcalib.cool.shell import Session

_ACTIONS = {"l": TagLock.LOCKED, "p": TagLock.PARTIALLY_LOCKED, "u": TagLock.UNLOCKED}
_NEVER_LOCKED = ("UPD1", "UPD2")
"""Tags of these modes are left out when a whole tree is locked: they live on."""


class Declined(CoolError):
    """The question was answered with no."""


def _ask(session: Session, question: str) -> None:
    if not session.confirm(question):
        msg = "nothing was changed"
        raise Declined(msg)


def settag(session: Session, node: str, tag: str, parenttag: str) -> None:
    """Relate a tag of a node, made if it is new, to one of the folder set above."""
    path = session.node(node).path
    above = parent_of(path)
    _ask(session, f"Let {parenttag} of {above} select {tag} of {path}?")
    session.db.tag_relation(above, parenttag, path, tag)
    session.echo(f"{parenttag} of {above} selects {tag} of {path}")


def rmtag(session: Session, node: str, tag: str) -> None:
    """Remove a tag of a folder with its objects, or the relations of one of a folder set."""
    found = session.node(node)
    session.own_tag(found, tag)
    if found.is_folder:
        folder = session.db.folder(found.path)
        count = folder.count(tag) if found.versioning else 0
        _ask(session, f"Remove {tag} of {found.path} with its {count} objects?")
        removed = folder.delete_tag(tag)
        still = record(session.db, tag) is not None
        end = "; it stays as an empty tag, for a relation uses it" if still else ""
        session.echo(f"Removed {tag} of {found.path}, {removed} rows{end}")
        return
    below = [r[2] for r in session.db.tag_relations() if (r[0], r[1]) == (found.path, tag)]
    _ask(session, f"Remove the {len(below)} relations of {tag} of {found.path} to tags below?")
    with session.db.transaction():
        for child in below:
            session.db.delete_tag_relation(found.path, tag, child)
    session.echo(f"Removed {len(below)} relations of {tag} of {found.path}")


def clonetag(session: Session, folder: str, tag1: str, tag2: str) -> None:
    """Store the current objects of a tag under another one."""
    shown = session.folder(folder)
    session.own_tag(shown.node, tag1)
    exists = record(session.db, tag2) is not None
    if exists and "UPD" in tag2:
        msg = f"{tag2} exists already, and tags with UPD in their names are not written over"
        raise TagError(msg)
    objects = shown.browse(tag=tag1)
    over = ", which exists already" if exists else ""
    _ask(session, f"Copy {len(objects)} objects of {tag1} to {tag2}{over}?")
    new = [(o.since, o.until, o.channel, o.payload or list(o.items)) for o in objects]
    shown.store_bulk(new, tag=tag2, user_tag_only=True)
    session.echo(f"Copied {len(new)} objects of {tag1} to {tag2}")


def headtag(session: Session, folder: str, tag: str) -> None:
    """Freeze HEAD."""
    shown = session.folder(folder)
    _ask(session, f"Freeze what HEAD of {shown.path} is as {tag}?")
    session.echo(f"Tagged {shown.tag_head(tag)} objects of {shown.path} as {tag}")


def locktag(session: Session, node: str, tag: str, action: str = "") -> None:
    """Print or change the lock of a tag."""
    from sctcalib.cool.shell import UsageMistake

    found = session.node(node)
    session.own_tag(found, tag)
    if not action:
        session.echo(f"{tag} is {LOCKS[_lock_of(session, tag)]}")
        return
    if not session.write:
        msg = "the database is open for reading only; start with --write"
        raise UsageMistake(msg)
    if action == "r":
        _lock_all(session, found, tag)
    elif action in _ACTIONS:
        status = _ACTIONS[action]
        _ask(session, f"Set {tag} of {found.path} to {LOCKS[status]}?")
        session.db.lock_tag(tag, status)
        session.echo(f"{tag} is {LOCKS[status]}")
    else:
        msg = f"{action!r} is none of l (lock), p (partially), u (unlock), r (with all below)"
        raise UsageMistake(msg)


def _lock_of(session: Session, tag: str) -> TagLock:
    found = record(session.db, tag)
    return TagLock(found.lock if found else 0)


def _lock_all(session: Session, node: Node, tag: str) -> None:
    names = [name for _, _, name in below(session.db.tag_relations(), node.path, tag, 0)]
    wanted = [name for name in names if not any(mode in name for mode in _NEVER_LOCKED)]
    _ask(session, f"Lock {len(wanted)} tags: {', '.join(wanted)}?")
    with session.db.transaction():
        for name in wanted:
            session.db.lock_tag(name, TagLock.LOCKED)
    for name in names:
        session.echo(f"{name} is {'locked' if name in wanted else 'left as it is'}")


def settginfo(session: Session, node: str, tag: str, text: str) -> None:
    """Describe a tag."""
    session.own_tag(session.node(node), tag)
    _ask(session, f"Describe {tag} as {text!r}?")
    tags.describe(session.db, tag, text)
    session.echo(f"{tag} [{text}]")


def setchan(session: Session, folder: str, id: str, name: str, text: str | None = None) -> None:
    """Name a channel, which is made if it is not there."""
    shown = session.folder(folder)
    if not (id.isascii() and id.isdecimal()):
        msg = f"{id!r} is not the number of a channel"
        raise ChannelError(msg)
    exists = any(channel.id == int(id) for channel in shown.channels())
    what = "Name" if exists else "Make"
    _ask(session, f"{what} channel {id} of {shown.path}: {name!r}?")
    if exists:
        shown.rename_channel(int(id), name, text)
    else:
        shown.create_channel(int(id), name, text or "")
    session.echo(f"Channel {id} of {shown.path} is {name!r}")


def setdesc(session: Session, folder: str, text: str = DESTINATION_DESCRIPTION) -> None:
    """Describe a folder."""
    shown = session.folder(folder)
    _ask(session, f"Describe {shown.path} as {text!r}?")
    shown.set_description(text)
    session.echo(f"Description of {shown.path}: {text}")


def rmdir(session: Session, node: str) -> None:
    """Remove a node."""
    found = session.node(node)
    _ask(session, f"Remove {found.path} for ever?")
    remove_node(session.db, found.path)
    if session.directory == found.path:
        session.directory = parent_of(found.path)
    session.echo(f"Removed {found.path}")
