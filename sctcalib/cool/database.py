"""A COOL database in a SQLite file: create, open, folders, tags of the whole tree."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from sctcalib.cool import schema, tags
from sctcalib.cool.check import check_database
from sctcalib.cool.errors import DatabaseError, DatabaseNameError, NodeError, nearest
from sctcalib.cool.folder import Folder
from sctcalib.cool.nodes import (
    NODE_COLUMNS,
    Node,
    check_description,
    check_fields,
    check_path,
    parent_of,
    specification,
)
from sctcalib.cool.schema import Fields, Payload, Versioning
from sctcalib.cool.sqlitefile import SqliteFile
from sctcalib.cool.tags import Tag, TagLock
from sctcalib.cool.times import format_time

Clock = Callable[[], int]
"""Nanoseconds since 1970-01-01 UTC."""


class Database:
    """One COOL database; a file may hold several of them."""

    def __init__(self, file: SqliteFile, name: str, clock: Clock) -> None:
        self.file = file
        self.name = name
        self.clock = clock

    # ------------------------------------------------------------------ create, open, close

    @classmethod
    def create(
        cls, path: str | Path, name: str = "CONDBR2", *, clock: Clock = time.time_ns
    ) -> Database:
        """A new file with one empty database. Raises DatabaseError if the path exists."""
        schema.check_database_name(name)
        path = Path(path)
        file = SqliteFile.create(path)
        try:
            return cls._initialised(file, name, clock)
        except BaseException:
            file.close()
            path.unlink(missing_ok=True)
            raise

    @classmethod
    def create_in(cls, path: str | Path, name: str, *, clock: Clock = time.time_ns) -> Database:
        """One more database in an existing file. Raises DatabaseError if the name is there."""
        schema.check_database_name(name)
        file = SqliteFile.open(Path(path), read_only=False)
        try:
            _check_absent(file, name)
            return cls._initialised(file, name, clock)
        except BaseException:
            file.close()
            raise

    @classmethod
    def _initialised(cls, file: SqliteFile, name: str, clock: Clock) -> Database:
        db = cls(file, name, clock)
        file.rows("PRAGMA journal_mode = DELETE")
        with db.transaction():
            db._write_base_tables()
        return db

    @classmethod
    def open(
        cls,
        path: str | Path,
        name: str | None = None,
        *,
        read_only: bool = True,
        clock: Clock = time.time_ns,
    ) -> Database:
        """An existing database; the name may be left out if the file holds exactly one.

        Raises DatabaseError if the file is missing, damaged or no COOL database.
        """
        file = SqliteFile.open(Path(path), read_only=read_only)
        try:
            db = cls(file, _choose(file, name), clock)
            db._check_readable()
        except BaseException:
            file.close()
            raise
        return db

    @property
    def path(self) -> Path:
        """The file."""
        return self.file.path

    def close(self) -> None:
        """Close the file; what is pending is rolled back."""
        self.file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Generator[None]:
        """All writing inside happens, or none of it; may be nested."""
        with self.file.transaction():
            yield

    def now(self) -> str:
        """The time string of the clock's present reading."""
        return format_time(self.clock())

    # ------------------------------------------------------------------ nodes

    def nodes(self) -> list[Node]:
        """All folders and folder sets in the order of their ids."""
        sql = f'SELECT {NODE_COLUMNS} FROM "{self.name}_NODES" ORDER BY NODE_ID'
        return [Node.from_row(row) for row in self.file.rows(sql)]

    def node_paths(self) -> list[str]:
        """Paths of all folders and folder sets, the root first, in the order of their ids."""
        return [node.path for node in self.nodes()]

    def node(self, path: str) -> Node:
        """The folder or folder set of a path; the error names the nearest one."""
        found = self._find(path)
        if found is None:
            known = [node for node in self.node_paths() if node != "/"]
            msg = f"{self.path}: no folder {path!r} in {self.name}{nearest(path, known)}"
            raise NodeError(msg)
        return found

    def _find(self, path: str) -> Node | None:
        sql = f'SELECT {NODE_COLUMNS} FROM "{self.name}_NODES" WHERE NODE_FULLPATH = ?'
        row = self.file.row(sql, (path,))
        return None if row is None else Node.from_row(row)

    def has_folder(self, path: str) -> bool:
        """Whether there is a folder (not a folder set) of this path."""
        node = self._find(path)
        return node is not None and node.is_folder

    def folder(self, path: str) -> Folder:
        """The folder of a path; the error names the nearest one."""
        node = self._find(path)
        if node is None or not node.is_folder:
            inside = [n.path for n in self.nodes() if n.is_folder]
            what = "is no folder" if node is None else "is a folder set, not a folder"
            msg = f"{self.path}: {path!r} {what} in {self.name}{nearest(path, inside)}"
            raise NodeError(msg)
        return Folder(self, node)

    def folders(self) -> list[Folder]:
        """All folders in the order of their ids."""
        return [Folder(self, node) for node in self.nodes() if node.is_folder]

    def folder_sets(self) -> list[Node]:
        """All folder sets, the root first."""
        return [node for node in self.nodes() if not node.is_folder]

    def create_folder_set(self, path: str, description: str = "") -> Node:
        """A new folder set, with its missing parents."""
        text = check_description(description, path)
        with self.transaction():
            parent = self._make_room(path)
            self._insert_folder_set(path, parent, text)
        return self.node(path)

    def create_folder(
        self,
        path: str,
        fields: Fields,
        *,
        description: str = "",
        versioning: Versioning = Versioning.MULTI,
        payload: Payload = Payload.SEPARATE,
    ) -> Folder:
        """A new folder, with its missing parents.

        ``fields`` are (name, storage type), for example ``("SampleSize", "Int32")``. Raises
        NodeError if the path exists or anything is not allowed by COOL.
        """
        fields = [(name, kind) for name, kind in fields]
        text = check_description(description, path)
        check_fields(fields, path)
        with self.transaction():
            parent = self._make_room(path)
            self._insert_folder(path, parent, text, fields, versioning, payload)
        return self.folder(path)

    def _make_room(self, path: str) -> int:
        """Create the missing parents of a new path; the id of the nearest one."""
        check_path(path)
        if self._find(path) is not None:
            msg = f"{self.path}: {path!r} exists already"
            raise NodeError(msg)
        above = parent_of(path)
        parent = self._find(above)
        if parent is None:
            return self._insert_folder_set(above, self._make_room(above), None)
        if parent.is_folder:
            msg = f"{self.path}: {path!r} cannot be inside {above!r}, which is a folder"
            raise NodeError(msg)
        return parent.id

    def _insert_folder_set(self, path: str, parent: int, description: str | None) -> int:
        node_id, now = self._next_node()
        fixed = (0, schema.SCHEMA_VERSION, now, now, schema.FOLDER_SET_VERSIONING, None, 0)
        self._insert_node((node_id, parent, path.rpartition("/")[2], path, description, *fixed))
        prefix = schema.node_prefix(self.name, node_id)
        self._run_all(schema.folder_set_tables(prefix))
        self._start_sequence(f"{prefix}_TAGS_SEQ")
        return node_id

    def _insert_folder(
        self,
        path: str,
        parent: int,
        description: str | None,
        fields: Fields,
        versioning: Versioning,
        payload: Payload,
    ) -> None:
        node_id, now = self._next_node()
        prefix = schema.node_prefix(self.name, node_id)
        inline = payload is Payload.INLINE
        name = path.rpartition("/")[2]
        start = (node_id, parent, name, path, description, 1, payload.value, now, now)
        kind = (int(versioning), specification(fields), int(not inline))
        references = (None if inline else f"{prefix}_PAYLOAD", None, None)
        tables = (f"{prefix}_{table}" for table in ("IOVS", "TAGS", "IOV2TAG", "CHANNELS"))
        self._insert_node((*start, *kind, *references, *tables))
        self._run_all(schema.folder_tables(prefix, fields, versioning, payload))
        if payload is Payload.SEPARATE:
            self._start_sequence(f"{prefix}_PAYLOAD_SEQ")
        self._start_sequence(f"{prefix}_IOVS_SEQ")
        if versioning is Versioning.MULTI:
            self._start_sequence(f"{prefix}_TAGS_SEQ")
        self._remember_keys(schema.folder_keys(prefix, payload))

    def _insert_node(self, row: tuple[object, ...]) -> None:
        padded = row + (None,) * (19 - len(row))
        marks = ",".join("?" * len(padded))
        self.file.run(f'INSERT INTO "{self.name}_NODES" VALUES ({marks})', padded)

    def _next_node(self) -> tuple[int, str]:
        node_id, now = self.step(f"{self.name}_NODES_SEQ")
        if node_id > schema.MAX_NODE_ID:
            msg = f"{self.path}: {self.name} is full, it has {schema.MAX_NODE_ID} nodes"
            raise NodeError(msg)
        return node_id, now

    # ------------------------------------------------------------------ sequences

    def step(self, sequence: str, by: int = 1) -> tuple[int, str]:
        """Advance a sequence; its new value and the time of the step (cool-sqlite.md 7)."""
        row = self.file.row(f'SELECT CURRENT_VALUE FROM "{sequence}"')
        if row is None:
            msg = f"{self.path}: the sequence {sequence} is empty"
            raise DatabaseError(msg)
        now = self.now()
        value = 0 if row[0] is None else row[0] + by
        self.set_sequence(sequence, value, now)
        return value, now

    def set_sequence(self, sequence: str, value: int, now: str) -> None:
        """Write a sequence's value and time."""
        self.file.run(f'UPDATE "{sequence}" SET CURRENT_VALUE = ?, LASTMOD_DATE = ?', (value, now))

    def _start_sequence(self, table: str) -> None:
        self.file.run(f'INSERT INTO "{table}" VALUES (?, 0, ?)', (table, self.now()))

    # ------------------------------------------------------------------ tags of the tree

    def tags(self) -> list[Tag]:
        """All tags of all nodes, by node id and tag id."""
        return tags.all_tags(self)

    def lock_tag(self, name: str, status: TagLock = TagLock.LOCKED) -> None:
        """Lock, partially lock or unlock a tag."""
        tags.lock(self, name, status)

    def tag_relation(
        self, parent_path: str, parent_tag: str, child_path: str, child_tag: str
    ) -> None:
        """Let a tag of a folder set select a tag of one of its direct children.

        Tags that do not exist are made.
        """
        tags.create_relation(self, parent_path, parent_tag, child_path, child_tag)

    def delete_tag_relation(self, parent_path: str, parent_tag: str, child_path: str) -> None:
        """Remove a relation, and those of its two tags that then have no use."""
        tags.delete_relation(self, parent_path, parent_tag, child_path)

    def find_tag_relation(self, parent_path: str, parent_tag: str, child_path: str) -> str | None:
        """The child's tag that a parent's tag selects, or None."""
        return tags.find_relation(self, parent_path, parent_tag, child_path)

    def tag_relations(self) -> list[tuple[str, str, str, str]]:
        """All relations: path and tag of the parent, path and tag of the child."""
        return tags.relations(self)

    def resolve_tag(self, folder_path: str, tag: str) -> str:
        """The folder's own tag that a tag of the folder or of an ancestor selects."""
        return tags.resolve(self, folder_path, tag)

    def check(self) -> list[str]:
        """Problems of the structure, one sentence each; none if the database is sound."""
        return check_database(self)

    # ------------------------------------------------------------------ base tables

    def _write_base_tables(self) -> None:
        p = self.name
        attributes, *others = schema.base_tables(p)
        self.file.run(attributes)
        self.file.run(schema.FOREIGN_KEY_MEMO)
        self._run_all(others)
        self.file.run_many(f'INSERT INTO "{p}_DB_ATTRIBUTES" VALUES (?, ?)', schema.attributes(p))
        self._remember_keys(schema.tag_relation_keys(p))
        now = self.now()
        self.file.run(f'INSERT INTO "{p}_NODES_SEQ" VALUES (?, 0, ?)', (f"{p}_NODES_SEQ", now))
        fixed = (0, schema.SCHEMA_VERSION, now, now, schema.FOLDER_SET_VERSIONING, None, 0)
        self._insert_node((0, None, None, "/", None, *fixed))
        self._start_sequence(f"{p}_F0000_TAGS_SEQ")
        sequence = f"{p}_TAG2TAG_SEQ"
        self.file.run(f'INSERT INTO "{sequence}" VALUES (?, NULL, NULL)', (sequence,))

    def _remember_keys(self, keys: Iterable[tuple[str, str, str]]) -> None:
        self.file.run(schema.FOREIGN_KEY_MEMO)  # other software's files may lack it
        self.file.run_many("INSERT INTO coral_sqlite_fk VALUES (?, ?, ?)", keys)

    def _run_all(self, statements: Iterable[str]) -> None:
        for statement in statements:
            self.file.run(statement)

    def _check_readable(self) -> None:
        tables = {row[0] for row in self.file.rows("SELECT name FROM sqlite_master")}
        missing = [t for t in ("NODES", "TAGS", "TAG2TAG") if f"{self.name}_{t}" not in tables]
        if missing or self._find("/") is None:
            what = f"the table {self.name}_{missing[0]}" if missing else "the root node"
            msg = f"{self.path}: {self.name} is not a complete COOL database, {what} is missing"
            raise DatabaseError(msg)


def database_names(file: SqliteFile) -> list[str]:
    """Names of the COOL databases in a file, ascending."""
    ending = schema.ATTRIBUTES_TABLE
    names = [row[0] for row in file.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return sorted(name.removesuffix(ending) for name in names if name.endswith(ending))


def _check_absent(file: SqliteFile, name: str) -> None:
    if name in database_names(file):
        msg = f"{file.path} holds a database {name} already"
        raise DatabaseError(msg)


def _choose(file: SqliteFile, name: str | None) -> str:
    known = database_names(file)
    if not known:
        msg = f"{file.path} is not a COOL database: it has no table NAME{schema.ATTRIBUTES_TABLE}"
        raise DatabaseError(msg)
    if name is None and len(known) == 1:
        return known[0]
    if name is None:
        msg = f"{file.path} holds several databases, choose one: {', '.join(known)}"
        raise DatabaseNameError(msg)
    if name not in known:
        msg = f"{file.path} holds no database {name!r}{nearest(name, known)}"
        raise DatabaseNameError(msg)
    return name
