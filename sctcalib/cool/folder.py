"""One folder: its channels, what is stored in it, what is found in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sctcalib.cool import insertion, query, tags
from sctcalib.cool.errors import ChannelError, NodeError, TagError
from sctcalib.cool.nodes import (
    MAX_TEXT_BYTES,
    Node,
    check_description,
    parse_specification,
    payload_mode,
    versioning_mode,
)
from sctcalib.cool.query import Object, Order
from sctcalib.cool.schema import Versioning, node_prefix
from sctcalib.cool.tags import Tag
from sctcalib.cool.times import VALIDITY_KEY_MAX

if TYPE_CHECKING:
    from sctcalib.cool.database import Database

_TIME_STAMP = re.compile("<timeStamp>(.*?)</timeStamp>")
MAX_CHANNEL = 2**32 - 1
Values = Mapping[str, Any] | Sequence[Any]
"""A payload: values by field name, or in the order of the fields; for a folder with vector payload
a list of these."""
NewObject = tuple[int, int, int, Values]
"""(since, until, channel, payload) of an object to be stored."""


@dataclass(frozen=True)
class Channel:
    """One channel of a folder."""

    id: int
    name: str
    description: str
    last_object_id: int


class Folder:
    """A folder of an open database; made by `Database.folder` and `Database.create_folder`."""

    def __init__(self, db: Database, node: Node) -> None:
        self.db = db
        self.node = node
        self.id = node.id
        self.path = node.path
        self.fields = parse_specification(node)
        self.versioning = versioning_mode(node)
        self.payload = payload_mode(node)

    def __str__(self) -> str:
        return f"{self.db.path}: {self.path}"

    @property
    def description(self) -> str:
        """The text that tells Athena how to read the folder."""
        return self.node.description

    @property
    def key_kind(self) -> str:
        """What validity keys mean: ``run-lumi``, ``time`` (ns), or empty where it is not said."""
        match = _TIME_STAMP.search(self.description)
        return match.group(1) if match else ""

    def set_description(self, text: str) -> None:
        """Replace the description (at most 255 bytes)."""
        stored = check_description(text, self.path)
        with self.db.transaction():
            self.db.file.run(
                f'UPDATE "{self.db.name}_NODES" SET NODE_DESCRIPTION = ?, LASTMOD_DATE = ? '
                "WHERE NODE_ID = ?",
                (stored, self.db.now(), self.id),
            )
        self.node = self.db.node(self.path)

    def table(self, name: str) -> str:
        """Quoted name of one of the folder's tables, for example of ``IOVS``."""
        return f'"{node_prefix(self.db.name, self.id)}_{name}"'

    def sequence(self, name: str) -> str:
        """Name of one of the folder's sequences, for example of ``IOVS``."""
        return f"{node_prefix(self.db.name, self.id)}_{name}_SEQ"

    def require(self, versioning: Versioning, what: str) -> None:
        """Raise unless the folder can do ``what``, which takes this versioning."""
        if self.versioning is not versioning:
            words = {Versioning.SINGLE: "single-version", Versioning.MULTI: "multi-version"}
            msg = f"{self} is a {words[self.versioning]} folder, it cannot {what}"
            raise (TagError if versioning is Versioning.MULTI else NodeError)(msg)

    # ------------------------------------------------------------------ channels

    def channels(self, *, named: bool = False) -> list[Channel]:
        """All channels, by number; with ``named`` those that have a name or a description."""
        where = "WHERE CHANNEL_NAME <> '' OR DESCRIPTION <> ''" if named else ""
        sql = (
            "SELECT CHANNEL_ID, CHANNEL_NAME, DESCRIPTION, LAST_OBJECT_ID "
            f"FROM {self.table('CHANNELS')} {where} ORDER BY CHANNEL_ID"
        )
        return [
            Channel(number, name or "", text or "", last or 0)
            for number, name, text, last in self.db.file.rows(sql)
        ]

    def create_channel(self, id: int, name: str = "", description: str = "") -> None:
        """Announce a channel before its first object; names are unique within the folder."""
        self._check_channel_texts(id, name, description)
        with self.db.transaction():
            self._check_new_channel(id, name)
            self.db.file.run(
                f"INSERT INTO {self.table('CHANNELS')} VALUES (?, 0, 0, ?, ?)",
                (id, name or None, description or None),
            )

    def rename_channel(self, id: int, name: str, description: str | None = None) -> None:
        """Give a channel another name, and another description unless that is None."""
        self._check_channel_texts(id, name, description or "")
        table = self.table("CHANNELS")
        with self.db.transaction():
            self._check_name_is_free(id, name)
            sql = f"UPDATE {table} SET CHANNEL_NAME = ? WHERE CHANNEL_ID = ?"
            if self.db.file.run(sql, (name or None, id)) == 0:
                msg = f"{self}: there is no channel {id}"
                raise ChannelError(msg)
            if description is not None:
                sql = f"UPDATE {table} SET DESCRIPTION = ? WHERE CHANNEL_ID = ?"
                self.db.file.run(sql, (description or None, id))

    def _check_channel_texts(self, id: int, name: str, description: str) -> None:
        if not 0 <= id <= MAX_CHANNEL:
            msg = f"{self}: channel {id} is outside 0-{MAX_CHANNEL}"
            raise ChannelError(msg)
        for what, text in (("name", name), ("description", description)):
            if "\0" in text or len(text.encode()) > MAX_TEXT_BYTES:
                msg = f"{self}: the {what} of channel {id} has a NUL or over {MAX_TEXT_BYTES} bytes"
                raise ChannelError(msg)

    def _check_new_channel(self, id: int, name: str) -> None:
        sql = f"SELECT CHANNEL_ID FROM {self.table('CHANNELS')} WHERE "
        if self.db.file.row(sql + "CHANNEL_ID = ?", (id,)) is not None:
            msg = f"{self}: channel {id} exists already"
            raise ChannelError(msg)
        self._check_name_is_free(id, name)

    def _check_name_is_free(self, id: int, name: str) -> None:
        sql = f"SELECT CHANNEL_ID FROM {self.table('CHANNELS')} WHERE CHANNEL_NAME = ?"
        taken = self.db.file.row(sql, (name,))
        if name and taken is not None and taken[0] != id:
            msg = f"{self}: the name {name!r} belongs to channel {taken[0]} already"
            raise ChannelError(msg)

    # ------------------------------------------------------------------ storing

    def store(
        self,
        since: int,
        until: int,
        payload: Values,
        channel: int,
        *,
        tag: str = "",
        user_tag_only: bool = False,
    ) -> int:
        """Store one object, valid in ``[since, until[``; returns its id.

        Without a tag it goes to HEAD; with one to HEAD and to the tag, or with ``user_tag_only``
        to the tag only.
        """
        ids = insertion.insert(
            self, [(since, until, channel, payload)], tag, user_tag_only, each=False
        )
        return ids[0]

    def store_bulk(
        self, objects: Iterable[NewObject], *, tag: str = "", user_tag_only: bool = False
    ) -> int:
        """Store many objects (since, until, channel, payload) at once; returns their number.

        One operation with one time string; beyond 10000 objects one per 10000, as COOL flushes.
        """
        return len(insertion.insert(self, objects, tag, user_tag_only, each=False))

    def store_each(
        self, objects: Iterable[NewObject], *, tag: str = "", user_tag_only: bool = False
    ) -> int:
        """Store many objects as repeated `store` does, each an operation with a time of its own.

        This is how Athena fills a folder. Returns the number of objects.
        """
        return len(insertion.insert(self, objects, tag, user_tag_only, each=True))

    def truncate(self, until: int, channels: Iterable[int] | None = None) -> int:
        """Give objects without end that are valid at ``until`` this end (single version only).

        Returns the number of objects that were changed.
        """
        return insertion.truncate(self, until, channels)

    # ------------------------------------------------------------------ finding

    def find(self, at: int, channel: int | str, *, tag: str = "") -> Object:
        """The object valid at a key in a channel (number or name); raises NotFoundError."""
        return query.find(self, at, channel, tag)

    def browse(
        self,
        since: int = 0,
        until: int = VALIDITY_KEY_MAX,
        *,
        channels: Iterable[int | str] | None = None,
        tag: str = "",
        order: Order = Order.CHANNEL,
    ) -> list[Object]:
        """All objects whose validity touches the closed range [since, until]."""
        return query.browse(self, since, until, channels, tag, order)

    def head_as_of(
        self,
        date: str,
        since: int = 0,
        until: int = VALIDITY_KEY_MAX,
        *,
        order: Order = Order.CHANNEL,
    ) -> list[Object]:
        """What `browse` of HEAD gave at a date, a time string (multi version only)."""
        return query.head_as_of(self, date, since, until, order)

    def count(self, tag: str = "") -> int:
        """Number of current objects of HEAD or of a tag."""
        return query.count(self, tag)

    # ------------------------------------------------------------------ tags

    def tags(self) -> list[Tag]:
        """All tags of the folder, by id."""
        return tags.folder_tags(self)

    def tag_names(self) -> list[str]:
        """Names of all tags of the folder, by id."""
        return [row.name for row in tags.records(self.db, self.id)]

    def tag_head(self, name: str, description: str = "") -> int:
        """Freeze what HEAD is now under a name; returns the number of objects."""
        return tags.tag_head(self, name, description)

    def delete_tag(self, name: str) -> int:
        """Remove a tag and its objects; returns their number."""
        return tags.delete(self, name)
