"""What differs between two databases: their content, not when or under which ids it was stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sctcalib.cool.query import Object
from sctcalib.cool.schema import Versioning
from sctcalib.cool.tags import TagKind
from sctcalib.cool.times import format_key

if TYPE_CHECKING:
    from sctcalib.cool.database import Database
    from sctcalib.cool.folder import Folder

_MAX_SHOWN = 60


@dataclass(frozen=True)
class Difference:
    """One difference: where, what kind of thing, and what each side has."""

    path: str
    kind: str
    """database, folder, description, tag, relation, channel or object."""
    text: str

    def __str__(self) -> str:
        return f"{self.path}: {self.kind}: {self.text}"


def differences(a: Database, b: Database, *, ignore_description: bool = False) -> list[Difference]:
    """Everything that differs between two databases; empty if they say the same.

    Compared are folders with their fields, modes and descriptions, channels, tags with their
    kinds and locks, relations of tags, and the current objects of HEAD and of every tag.
    """
    return list(_databases(a, b, ignore_description))


def _databases(a: Database, b: Database, ignore_description: bool) -> Iterator[Difference]:
    if a.name != b.name:
        yield Difference("/", "database", _sides(a.name, b.name))
    nodes_a = {node.path: node for node in a.nodes()}
    nodes_b = {node.path: node for node in b.nodes()}
    for path in sorted(nodes_a.keys() | nodes_b.keys()):
        one, two = nodes_a.get(path), nodes_b.get(path)
        if one is None or two is None:
            yield Difference(path, "folder", _only("first" if two is None else "second"))
            continue
        if not ignore_description and one.description != two.description:
            yield Difference(path, "description", _sides(one.description, two.description))
        if one.is_folder != two.is_folder:
            kinds = [("folder set", "folder")[node.is_folder] for node in (one, two)]
            yield Difference(path, "folder", _sides(*kinds))
        elif one.is_folder:
            yield from _folders(a.folder(path), b.folder(path))
    yield from _relations(a, b)
    yield from _global_tags(a, b)


def _folders(a: Folder, b: Folder) -> Iterator[Difference]:
    for what, one, two in (
        ("fields", a.node.specification, b.node.specification),
        ("versioning", a.versioning.name, b.versioning.name),
        ("payload", a.payload.name, b.payload.name),
    ):
        if one != two:
            yield Difference(a.path, "folder", f"{what}: {_sides(one, two)}")
    channels = [{c.id: (c.name, c.description) for c in folder.channels()} for folder in (a, b)]
    yield from _mappings(a.path, "channel", *channels)
    tags = [{t.name: _tag_facts(t.kind, t.lock, t.description) for t in f.tags()} for f in (a, b)]
    yield from _mappings(a.path, "tag", *tags)
    yield from _objects(a, b, "")
    if a.versioning is b.versioning is Versioning.MULTI:
        for name in tags[0]:
            if name in tags[1]:
                yield from _objects(a, b, name)


def _tag_facts(kind: TagKind, lock: Any, description: str) -> str:
    facts = f"{kind.value} tag, {lock.name.lower().replace('_', ' ')}"
    return f"{facts}, {description!r}" if description else facts


def _objects(a: Folder, b: Folder, tag: str) -> Iterator[Difference]:
    first, second = ({(o.channel, o.since): o for o in f.browse(tag=tag)} for f in (a, b))
    for key in sorted(first.keys() | second.keys()):
        one, two = first.get(key), second.get(key)
        where = f"{tag or 'HEAD'}: channel {key[0]} from {format_key(key[1], a.key_kind)}"
        if one is None or two is None:
            yield Difference(a.path, "object", f"{where}: {_only('first' if one else 'second')}")
            continue
        if one.until != two.until:
            ends = [format_key(found.until, a.key_kind) for found in (one, two)]
            yield Difference(a.path, "object", f"{where}: until {_sides(*ends)}")
        for text in _payloads(one, two):
            yield Difference(a.path, "object", f"{where}: {text}")


def _payloads(one: Object, two: Object) -> Iterator[str]:
    if len(one.items) != len(two.items):
        yield f"{_sides(len(one.items), len(two.items))} items"
        return
    records: Sequence[tuple[dict[str, Any], dict[str, Any]]]
    records = [(one.payload, two.payload), *zip(one.items, two.items, strict=True)]
    for left, right in records:
        if left == right:
            continue
        for name in {**left, **right}:
            if left.get(name) != right.get(name) or (name in left) != (name in right):
                yield f"{name}: {_sides(left.get(name), right.get(name))}"


def _relations(a: Database, b: Database) -> Iterator[Difference]:
    first, second = set(a.tag_relations()), set(b.tag_relations())
    for parent, parent_tag, child, child_tag in sorted(first ^ second):
        side = "first" if (parent, parent_tag, child, child_tag) in first else "second"
        yield Difference(parent, "relation", f"{parent_tag} -> {child} {child_tag}: {_only(side)}")


def _global_tags(a: Database, b: Database) -> Iterator[Difference]:
    sides: list[dict[tuple[str, str], str]] = [
        {
            (tag.path, tag.name): _tag_facts(tag.kind, tag.lock, tag.description)
            for tag in db.tags()
            if tag.kind is TagKind.GLOBAL
        }
        for db in (a, b)
    ]
    for path in sorted({path for side in sides for path, _ in side}):
        own = [{name: facts for (p, name), facts in side.items() if p == path} for side in sides]
        yield from _mappings(path, "tag", *own)


def _mappings(
    path: str, kind: str, first: dict[Any, Any], second: dict[Any, Any]
) -> Iterator[Difference]:
    for key in sorted(first.keys() | second.keys()):
        if key not in first or key not in second:
            yield Difference(path, kind, f"{key}: {_only('first' if key in first else 'second')}")
        elif first[key] != second[key]:
            yield Difference(path, kind, f"{key}: {_sides(first[key], second[key])}")


def _only(side: str) -> str:
    return f"only in the {side}"


def _sides(one: Any, two: Any) -> str:
    """Both values, shortened so that where they differ is seen."""
    texts = [value if isinstance(value, str) else repr(value) for value in (one, two)]
    pairs = enumerate(zip(*texts, strict=False))
    same = next((i for i, (a, b) in pairs if a != b), min(map(len, texts)))
    start = max(0, same - _MAX_SHOWN // 3) if max(map(len, texts)) > _MAX_SHOWN else 0
    return " | ".join(_short(text, start) for text in texts)


def _short(text: str, start: int) -> str:
    end = start + _MAX_SHOWN
    return ("..." if start else "") + text[start:end] + ("..." if len(text) > end else "")
