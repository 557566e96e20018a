"""What can go wrong with a COOL database: one family, independent of the job transform's."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class CoolError(Exception):
    """Any failure of this library, with a message for the person who asked."""


class DatabaseError(CoolError):
    """The file is missing, damaged, locked, read only, or no COOL database."""


class DatabaseNameError(DatabaseError):
    """The file is fine, but the database asked for is not in it, or none was chosen."""


class NodeError(CoolError):
    """A folder or folder set does not exist, exists already, or cannot be made."""


class ChannelError(CoolError):
    """A channel number or name is not allowed, missing, or taken."""


class TagError(CoolError):
    """A tag does not exist, is taken, reserved, locked, or of the wrong kind."""


class ValidityError(CoolError):
    """An interval of validity is empty, out of range, or overlaps where it must not."""


class PayloadError(CoolError):
    """A value does not fit the field it is meant for."""


class NotFoundError(CoolError):
    """No object is valid for the channel at the time asked for."""


def nearest(given: str, known: Iterable[str]) -> str:
    """The end of a "does not exist" sentence: the nearest known name, or all of them."""
    names = list(known)
    near = difflib.get_close_matches(given, names, n=1, cutoff=0.75)
    if near:
        return f"; did you mean {near[0]!r}?"
    if not names:
        return "; there are none"
    shown = ", ".join(names[:20])
    return f"; there are: {shown}" + (", ..." if len(names) > 20 else "")
