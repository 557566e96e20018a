"""Whether a database is sound: tables, sequences, ids, links (cool-sqlite.md 2, 5, 7, 9-12).

Every rule is a query that must find nothing. What it finds becomes a sentence with the place
and an example.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sctcalib.cool import schema
from sctcalib.cool.errors import CoolError
from sctcalib.cool.nodes import Node, parent_of, parse_specification, payload_mode, versioning_mode
from sctcalib.cool.schema import Payload, Versioning
from sctcalib.cool.times import VALIDITY_KEY_MAX

if TYPE_CHECKING:
    from sctcalib.cool.database import Database
    from sctcalib.cool.folder import Folder

_MAX_PROBLEMS_OF_SQLITE = 10


def check_database(db: Database) -> list[str]:
    """Problems of the structure, one sentence each; empty if the database is sound."""
    for unusable in (_damage, _missing_tables):
        problems = list(unusable(db))
        if problems:  # nothing further can be asked
            return problems
    problems = [*_dangling(db), *_attributes(db), *_tree(db), *_tags(db)]
    for node in db.nodes():
        if node.is_folder:
            try:
                folder = db.folder(node.path)
            except CoolError:
                continue  # reported by the check of the tree
            problems += _folder(db, folder)
    return problems


def _damage(db: Database) -> Iterator[str]:
    for (text,) in db.file.rows(f"PRAGMA integrity_check({_MAX_PROBLEMS_OF_SQLITE})"):
        if text != "ok":
            yield f"{db.path}: {text}"


def _dangling(db: Database) -> Iterator[str]:
    names = [row[0] for row in db.file.rows("SELECT name FROM sqlite_master WHERE type='table'")]
    for table in names:
        if table.startswith(f"{db.name}_"):
            for _, rowid, parent, _ in db.file.rows(f'PRAGMA foreign_key_check("{table}")'):
                yield f"{table}: row {rowid} refers to a row of {parent} that does not exist"


def _tables_of(db: Database) -> Iterator[tuple[str, str]]:
    """DDL of every table there must be, with the path it belongs to."""
    yield from (("/", ddl) for ddl in schema.base_tables(db.name))
    for node in db.nodes():
        prefix = schema.node_prefix(db.name, node.id)
        if not node.is_folder:
            yield from ((node.path, ddl) for ddl in schema.folder_set_tables(prefix))
            continue
        try:
            folder = db.folder(node.path)
        except CoolError:
            continue
        tables = schema.folder_tables(prefix, folder.fields, folder.versioning, folder.payload)
        yield from ((node.path, ddl) for ddl in tables if ddl.startswith("CREATE TABLE"))


def _missing_tables(db: Database) -> Iterator[str]:
    present = {row[0] for row in db.file.rows("SELECT name FROM sqlite_master WHERE type='table'")}
    for path, ddl in _tables_of(db):
        table = ddl.split('"')[1]
        if table not in present:
            yield f"{path}: the table {table} is missing"
            continue
        columns = [row[1] for row in db.file.rows(f'PRAGMA table_info("{table}")')]
        wanted = _columns(ddl)
        if columns != wanted:
            yield f"{table}: its columns are {', '.join(columns)}, not {', '.join(wanted)}"


def _columns(ddl: str) -> list[str]:
    """Column names of our own DDL: the quoted words that begin an item."""
    body = ddl.partition("(")[2].partition(" PRIMARY KEY")[0]
    return [item.split('"')[1] for item in body.split(",") if '"' in item]


def _attributes(db: Database) -> Iterator[str]:
    stored: dict[str, str] = dict(db.file.rows(f'SELECT * FROM "{db.name}_DB_ATTRIBUTES"'))
    for name, value in schema.attributes(db.name):
        if name not in stored:
            yield f"{db.name}_DB_ATTRIBUTES: {name} is missing"
        elif (name.endswith("NAME") or name in ("DEFAULT_TABLE_PREFIX", "SCHEMA_VERSION")) and (
            stored[name] != value
        ):
            yield f"{db.name}_DB_ATTRIBUTES: {name} is {stored[name]!r}, not {value!r}"


def _tree(db: Database) -> Iterator[str]:
    nodes = {node.id: node for node in db.nodes()}
    yield from _sequence(db, f"{db.name}_NODES_SEQ", max(nodes))
    for node in nodes.values():
        yield from _node(node, nodes)


def _node(node: Node, nodes: dict[int, Node]) -> Iterator[str]:
    if node.id == 0:
        return
    parent = nodes.get(-1 if node.parent_id is None else node.parent_id)
    if parent is None or parent.is_folder or parent.path != parent_of(node.path):
        yield f"{node.path}: its parent is node {node.parent_id}, not {parent_of(node.path)}"
    if node.is_folder:
        try:
            parse_specification(node)
            payload_mode(node)
            versioning_mode(node)
        except CoolError as error:
            yield str(error)
    elif node.versioning != schema.FOLDER_SET_VERSIONING:
        yield f"{node.path}: a folder set with the versioning {node.versioning}"


def _sequence(db: Database, table: str, at_least: int, multiple_of: int = 1) -> Iterator[str]:
    rows = db.file.rows(f'SELECT SEQUENCE_NAME, CURRENT_VALUE FROM "{table}"')
    if len(rows) != 1 or rows[0][0] != table:
        yield f"{table}: a sequence has one row with its own name, here are {len(rows)} rows"
    elif rows[0][1] is None or rows[0][1] < at_least or rows[0][1] % multiple_of:
        rule = f" and a multiple of {multiple_of}" if multiple_of > 1 else ""
        yield f"{table}: its value is {rows[0][1]}, it must be at least {at_least}{rule}"


def _tags(db: Database) -> Iterator[str]:
    highest: dict[int, int] = dict(
        db.file.rows(f'SELECT NODE_ID, MAX(TAG_ID) FROM "{db.name}_TAGS" GROUP BY NODE_ID')
    )
    for node in db.nodes():
        if node.versioning != Versioning.SINGLE:
            table = f"{schema.node_prefix(db.name, node.id)}_TAGS_SEQ"
            yield from _sequence(db, table, highest.get(node.id, 0))
    for table in (f"{db.name}_TAGS_SEQ", f"{db.name}_IOVS_SEQ"):
        if db.file.row(f'SELECT 1 FROM "{table}"') is not None:
            yield f"{table}: a shared sequence must be empty"
    relations = f"{db.name}_TAG2TAG_SEQ"
    if db.file.row(f'SELECT 1 FROM "{relations}" WHERE SEQUENCE_NAME = ?', (relations,)) is None:
        yield f"{relations}: the row of the sequence is missing"


def _folder(db: Database, folder: Folder) -> Iterator[str]:
    yield from _folder_sequences(db, folder)
    rules = dict(_COMMON_RULES)
    if folder.versioning is Versioning.MULTI:
        rules |= _MULTI_RULES
        rules |= {"object {0} has payload columns unlike its IOV2TAG row": _tagged_rule(folder)}
    else:
        rules |= _SINGLE_RULES
    if folder.payload is Payload.SEPARATE:
        rules["object {0} has no payload"] = _NO_PAYLOAD
    if folder.payload is Payload.VECTOR:
        rules["object {0} has {1} payload items, not {2}"] = _INCOMPLETE_VECTOR
    names = {table: folder.table(table) for table in _TABLES}
    for sentence, query in rules.items():
        sql = query.format(**names, node=folder.id, all_tags=f'"{db.name}_TAGS"')
        rows = db.file.rows(f"{sql} LIMIT 1000")
        if rows:
            others = f" (and {len(rows) - 1} more like it)" if len(rows) > 1 else ""
            yield f"{folder.path}: {sentence.format(*rows[0])}{others}"


def _folder_sequences(db: Database, folder: Folder) -> Iterator[str]:
    row = db.file.row(f"SELECT MAX(OBJECT_ID) FROM {folder.table('IOVS')}")
    highest = (row[0] or 0) if row else 0
    multi = folder.versioning is Versioning.MULTI
    yield from _sequence(db, folder.sequence("IOVS"), highest, 6 if multi else 1)
    if folder.payload is Payload.SEPARATE:
        row = db.file.row(f"SELECT MAX(PAYLOAD_ID) FROM {folder.table('PAYLOAD')}")
        yield from _sequence(db, folder.sequence("PAYLOAD"), (row[0] or 0) if row else 0)


def _tagged_rule(folder: Folder) -> str:
    column = {Payload.SEPARATE: "PAYLOAD_ID", Payload.VECTOR: "PAYLOAD_SET_ID"}
    name = column.get(folder.payload, "CHANNEL_ID")
    return (
        "SELECT t.OBJECT_ID FROM {IOV2TAG} t JOIN {IOVS} i ON i.OBJECT_ID = t.OBJECT_ID "
        f"WHERE t.{name} IS NOT i.{name}"
    )


_TABLES = ("IOVS", "CHANNELS", "TAGS", "IOV2TAG", "PAYLOAD")
_COMMON_RULES = {
    "object {0} is valid from {1} to {2}": (
        "SELECT OBJECT_ID, IOV_SINCE, IOV_UNTIL FROM {IOVS} WHERE "
        "typeof(IOV_SINCE) <> 'integer' OR typeof(IOV_UNTIL) <> 'integer' "
        f"OR IOV_SINCE < 0 OR IOV_SINCE >= IOV_UNTIL OR IOV_UNTIL > {VALIDITY_KEY_MAX}"
    ),
    "object {0} is invisible, channel {1} has no row": (
        "SELECT OBJECT_ID, CHANNEL_ID FROM {IOVS} "
        "WHERE CHANNEL_ID NOT IN (SELECT CHANNEL_ID FROM {CHANNELS})"
    ),
    "channel {0} is marked as being written": (
        "SELECT CHANNEL_ID FROM {CHANNELS} WHERE HAS_NEW_DATA <> 0"
    ),
    "object {0} is valid from {1}, but object {2} of its channel ends at {3}": (
        "SELECT OBJECT_ID, IOV_SINCE, before_id, before_end FROM (SELECT OBJECT_ID, IOV_SINCE, "
        "LAG(OBJECT_ID) OVER same AS before_id, LAG(IOV_UNTIL) OVER same AS before_end "
        "FROM {IOVS} WHERE NEW_HEAD_ID = 0 "
        "WINDOW same AS (PARTITION BY USER_TAG_ID, CHANNEL_ID ORDER BY IOV_SINCE)) "
        "WHERE before_end > IOV_SINCE"
    ),
}
_SINGLE_RULES = {
    "object {0} has a tag or a successor": (
        "SELECT OBJECT_ID FROM {IOVS} "
        "WHERE USER_TAG_ID <> 0 OR ORIGINAL_ID <> 0 OR NEW_HEAD_ID <> 0"
    ),
    "channel {0} has {1} as its last object, the latest is {2}": (
        "SELECT c.CHANNEL_ID, c.LAST_OBJECT_ID, i.OBJECT_ID FROM {CHANNELS} c JOIN {IOVS} i "
        "ON i.CHANNEL_ID = c.CHANNEL_ID WHERE i.OBJECT_ID <> c.LAST_OBJECT_ID AND i.IOV_SINCE = "
        "(SELECT MAX(m.IOV_SINCE) FROM {IOVS} m WHERE m.CHANNEL_ID = c.CHANNEL_ID)"
    ),
}
_MULTI_RULES = {
    "object {0} has the tag {1}, which does not exist": (
        "SELECT OBJECT_ID, USER_TAG_ID FROM {IOVS} WHERE USER_TAG_ID <> 0 "
        "AND USER_TAG_ID NOT IN (SELECT TAG_ID FROM {TAGS})"
    ),
    "object {0} with the tag {1} has an id of the other kind": (
        "SELECT OBJECT_ID, USER_TAG_ID FROM {IOVS} "
        "WHERE ((OBJECT_ID - 1) % 6 >= 3) <> (USER_TAG_ID <> 0)"
    ),
    "object {0} is replaced by {1}, which does not exist or does not overlap it": (
        "SELECT i.OBJECT_ID, i.NEW_HEAD_ID FROM {IOVS} i LEFT JOIN {IOVS} n "
        "ON n.OBJECT_ID = i.NEW_HEAD_ID AND n.CHANNEL_ID = i.CHANNEL_ID "
        "AND n.USER_TAG_ID = i.USER_TAG_ID AND n.OBJECT_ID > i.OBJECT_ID "
        "AND n.IOV_SINCE < i.IOV_UNTIL AND n.IOV_UNTIL > i.IOV_SINCE "
        "WHERE i.NEW_HEAD_ID <> 0 AND n.OBJECT_ID IS NULL"
    ),
    "object {0} is a part of {1}, which does not exist or does not hold it": (
        "SELECT i.OBJECT_ID, i.ORIGINAL_ID FROM {IOVS} i LEFT JOIN {IOVS} o "
        "ON o.OBJECT_ID = i.ORIGINAL_ID AND o.CHANNEL_ID = i.CHANNEL_ID "
        "AND o.USER_TAG_ID = i.USER_TAG_ID AND o.OBJECT_ID < i.OBJECT_ID "
        "AND o.IOV_SINCE <= i.IOV_SINCE AND o.IOV_UNTIL >= i.IOV_UNTIL "
        "WHERE i.ORIGINAL_ID <> 0 AND o.OBJECT_ID IS NULL"
    ),
    "channel {0} has {1} as its last object, the highest is {2}": (
        "SELECT c.CHANNEL_ID, c.LAST_OBJECT_ID, MAX(i.OBJECT_ID) AS highest FROM {CHANNELS} c "
        "JOIN {IOVS} i ON i.CHANNEL_ID = c.CHANNEL_ID GROUP BY c.CHANNEL_ID "
        "HAVING c.LAST_OBJECT_ID < highest"
    ),
    "tag {0} is {1!r} in the folder's list and {2!r} in that of all tags": (
        "SELECT a.TAG_ID, t.TAG_NAME, a.TAG_NAME FROM {all_tags} a LEFT JOIN {TAGS} t "
        "ON t.TAG_ID = a.TAG_ID WHERE a.NODE_ID = {node} AND t.TAG_NAME IS NOT a.TAG_NAME "
        "UNION ALL SELECT TAG_ID, TAG_NAME, NULL FROM {TAGS} WHERE TAG_ID NOT IN "
        "(SELECT TAG_ID FROM {all_tags} WHERE NODE_ID = {node})"
    ),
    "object {0} of tag {1} is not the one that was tagged": (
        "SELECT t.OBJECT_ID, t.TAG_ID FROM {IOV2TAG} t LEFT JOIN {IOVS} i ON "
        "i.OBJECT_ID = t.OBJECT_ID AND i.CHANNEL_ID = t.CHANNEL_ID AND i.IOV_SINCE = t.IOV_SINCE "
        "AND i.IOV_UNTIL = t.IOV_UNTIL AND i.USER_TAG_ID = 0 WHERE i.OBJECT_ID IS NULL"
    ),
    "tag {0} is a user tag and a tag of HEAD": (
        "SELECT DISTINCT TAG_ID FROM {IOV2TAG} "
        "WHERE TAG_ID IN (SELECT USER_TAG_ID FROM {IOVS} WHERE USER_TAG_ID <> 0)"
    ),
}
_NO_PAYLOAD = (
    "SELECT i.OBJECT_ID FROM {IOVS} i LEFT JOIN {PAYLOAD} p ON p.PAYLOAD_ID = i.PAYLOAD_ID "
    "WHERE p.PAYLOAD_ID IS NULL"
)
_INCOMPLETE_VECTOR = (
    "SELECT i.OBJECT_ID, COUNT(p.PAYLOAD_ITEM_ID) AS items, MAX(i.PAYLOAD_N_ITEMS, 1) AS wanted "
    "FROM {IOVS} i LEFT JOIN {PAYLOAD} p ON p.PAYLOAD_SET_ID = i.PAYLOAD_SET_ID "
    "GROUP BY i.OBJECT_ID HAVING items <> wanted"
)
