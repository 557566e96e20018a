"""COOL conditions databases in SQLite files: complete and faithful, of general use.

    from sctcalib.cool import Database, run_lumi

    with Database.open("mycool.db") as db:
        for found in db.folder("/SCT/Derived/Monitoring").browse(tag="SctDerived..."):
            ...

Only `folders` and `reference` know of the SCT. Names are loaded when they are used, so that
importing this package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sctcalib.cool.database import Database as Database
    from sctcalib.cool.errors import ChannelError as ChannelError
    from sctcalib.cool.errors import CoolError as CoolError
    from sctcalib.cool.errors import DatabaseError as DatabaseError
    from sctcalib.cool.errors import DatabaseNameError as DatabaseNameError
    from sctcalib.cool.errors import NodeError as NodeError
    from sctcalib.cool.errors import NotFoundError as NotFoundError
    from sctcalib.cool.errors import PayloadError as PayloadError
    from sctcalib.cool.errors import TagError as TagError
    from sctcalib.cool.errors import ValidityError as ValidityError
    from sctcalib.cool.folder import Channel as Channel
    from sctcalib.cool.folder import Folder as Folder
    from sctcalib.cool.nodes import Node as Node
    from sctcalib.cool.query import Object as Object
    from sctcalib.cool.query import Order as Order
    from sctcalib.cool.schema import Payload as Payload
    from sctcalib.cool.schema import Versioning as Versioning
    from sctcalib.cool.tags import Tag as Tag
    from sctcalib.cool.tags import TagKind as TagKind
    from sctcalib.cool.tags import TagLock as TagLock
    from sctcalib.cool.times import VALIDITY_KEY_MAX as VALIDITY_KEY_MAX
    from sctcalib.cool.times import run_lumi as run_lumi
    from sctcalib.cool.times import run_of as run_of

_MODULES = {
    "database": ("Database",),
    "errors": (
        "ChannelError",
        "CoolError",
        "DatabaseError",
        "DatabaseNameError",
        "NodeError",
        "NotFoundError",
        "PayloadError",
        "TagError",
        "ValidityError",
    ),
    "folder": ("Channel", "Folder"),
    "nodes": ("Node",),
    "query": ("Object", "Order"),
    "schema": ("Payload", "Versioning"),
    "tags": ("Tag", "TagKind", "TagLock"),
    "times": ("VALIDITY_KEY_MAX", "run_lumi", "run_of"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
