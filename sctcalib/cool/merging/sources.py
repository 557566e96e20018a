"""What a file brings: its folders and tags with their objects (run-query-and-upload.md B1.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sctcalib.cool.database import Database
from sctcalib.cool.errors import nearest
from sctcalib.cool.folder import Folder
from sctcalib.cool.merging.problems import Code, failure
from sctcalib.cool.query import Columns, columns
from sctcalib.cool.schema import Payload, Versioning
from sctcalib.cool.storage import STORAGE_TYPES
from sctcalib.cool.tags import TagKind
from sctcalib.cool.times import VALIDITY_KEY_MAX

MAX_PROBLEMS = 5


@dataclass(frozen=True)
class Content:
    """The objects of one folder and tag of the file, and the tag they go to."""

    folder: Folder
    tag: str
    """Name in the file; empty for HEAD."""
    to: str
    """Name in the destination."""
    objects: Columns

    @property
    def where(self) -> str:
        """Folder and tag, for messages."""
        return f"{self.folder.path} {self.to or 'HEAD'}"


@dataclass(frozen=True)
class Selection:
    """Which part of the file is merged."""

    folders: Sequence[str] = ()
    """Folders or folder sets; none means all."""
    exclude: Sequence[str] = ()
    tag: str = ""
    retag: str = ""


def check_source(db: Database) -> None:
    """Raise MergeError (10) unless the structure of the file is sound."""
    found = db.check()
    if found:
        more = f"; and {len(found) - MAX_PROBLEMS} more" if len(found) > MAX_PROBLEMS else ""
        text = "; ".join(found[:MAX_PROBLEMS])
        raise failure(Code.CANNOT_OPEN, f"{db.path} is damaged: {text}{more}")


def read_contents(db: Database, selection: Selection) -> list[Content]:
    """All that is to be merged; raises MergeError (10) if that is nothing."""
    contents = [
        content for folder in _chosen(db, selection) for content in _of_folder(folder, selection)
    ]
    if selection.tag and not contents:
        known = [tag.name for tag in db.tags() if tag.kind is not TagKind.GLOBAL]
        text = f"{db.path} has no objects with the tag {selection.tag!r}"
        raise failure(Code.CANNOT_OPEN, text + nearest(selection.tag, known))
    if selection.retag and len(contents) > 1:
        found = ", ".join(content.where for content in contents)
        text = f"--retag needs one folder and tag, here are {len(contents)}: {found}"
        raise failure(Code.CANNOT_OPEN, f"{db.path}: {text}; choose with --folder and --tag")
    if not contents:
        raise failure(Code.CANNOT_OPEN, f"{db.path} has no object to merge")
    return [replace(c, to=selection.retag or c.tag) for c in contents]


def _chosen(db: Database, selection: Selection) -> list[Folder]:
    """The folders that are asked for, each by its path or by a folder set above it."""
    folders = [f for f in db.folders() if not any(_within(f.path, x) for x in selection.exclude)]
    for wanted in selection.folders:
        if not any(_within(folder.path, wanted) for folder in folders):
            text = f"{db.path} has no folder {wanted!r}"
            known = [folder.path for folder in folders]
            raise failure(Code.CANNOT_OPEN, text + nearest(wanted, known))
    if not selection.folders:
        return folders
    return [f for f in folders if any(_within(f.path, wanted) for wanted in selection.folders)]


def _within(path: str, wanted: str) -> bool:
    return path == wanted or path.startswith(wanted.rstrip("/") + "/")


def _of_folder(folder: Folder, selection: Selection) -> list[Content]:
    """Every tag with objects; HEAD of a folder that has no such tag."""
    multi = folder.versioning is Versioning.MULTI
    known = [tag.name for tag in folder.tags() if tag.kind is not TagKind.EMPTY] if multi else []
    if selection.tag:
        known = [name for name in known if name == selection.tag]
    elif not known:
        known = [""]
    found = [Content(folder, name, name, read_objects(folder, name)) for name in known]
    return [content for content in found if len(content.objects)]


def read_objects(folder: Folder, tag: str) -> Columns:
    """All current objects, with values as COOL stores them."""
    return as_stored(folder, columns(folder, tag, 0, VALIDITY_KEY_MAX))


def as_stored(folder: Folder, objects: Columns) -> Columns:
    """Float values rounded to 32 bits, which other software may have left out.

    Raises ColumnError for a number beyond the range of the type.
    """
    reals = [i for i, (_, kind) in enumerate(folder.fields) if kind == "Float"]
    if not reals or not len(objects) or folder.payload is Payload.VECTOR:
        return objects
    values = list(zip(*objects.payload, strict=True))
    for i in reals:
        values[i] = tuple(STORAGE_TYPES["Float"].encode_column(values[i]))
    return replace(objects, payload=list(zip(*values, strict=True)))
