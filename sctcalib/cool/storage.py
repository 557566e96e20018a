"""The storage types of payload fields: limits, checks and conversions (cool-sqlite.md 4).

Columns of many values are checked as a whole first, which is fast; only a column that fails is
looked at value by value, so that the message names the offender.
"""

from __future__ import annotations

import math
import numbers
import operator
import struct
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sctcalib.cool.errors import PayloadError

SqlValue = int | float | str | bytes | None
_NONE = type(None)


class ColumnError(PayloadError):
    """The value at ``index`` of a column does not fit; the caller knows whose value that is."""

    def __init__(self, index: int, reason: str) -> None:
        self.index = index
        super().__init__(reason)


class StorageType(ABC):
    """One storage type: its name in payload specifications and its column type in SQLite."""

    def __init__(self, name: str, column: str) -> None:
        self.name = name
        self.column = column

    @abstractmethod
    def encode(self, value: Any) -> SqlValue:
        """What SQLite stores for a value; raises PayloadError if it does not fit."""

    @abstractmethod
    def fast_encode(self, values: Sequence[Any]) -> Iterable[SqlValue] | None:
        """All values at once, or None if some need a closer look."""

    @abstractmethod
    def decode(self, value: Any) -> Any:
        """The value that was stored; raises PayloadError if it is not of this type."""

    def fast_decode(self, values: Sequence[Any]) -> Sequence[Any] | None:
        """All values at once, or None if some need a closer look."""
        return None

    def encode_column(self, values: Sequence[Any]) -> list[SqlValue]:
        """What SQLite stores for values; raises ColumnError for the first that does not fit."""
        fast = self.fast_encode(values)
        return list(fast) if fast is not None else _each(self.encode, values)

    def decode_column(self, values: Sequence[Any]) -> Sequence[Any]:
        """Stored values as Python values; raises ColumnError for the first of a wrong type."""
        fast = self.fast_decode(values)
        return fast if fast is not None else _each(self.decode, values)

    def _wrong(self, value: Any, wanted: str) -> PayloadError:
        shown = repr(value)
        shown = shown if len(shown) <= 60 else shown[:57] + "..."
        return PayloadError(f"{shown} is not {wanted} ({self.name})")


class IntegerType(StorageType):
    """Integers of a range; UChar has a column of TEXT affinity, so SQLite makes digits of it."""

    def __init__(self, name: str, column: str, low: int, high: int) -> None:
        super().__init__(name, column)
        self.low, self.high = low, high

    def encode(self, value: Any) -> SqlValue:
        if value is None:
            return None
        wanted = f"an integer {self.low} ... {self.high}"
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise self._wrong(value, wanted)
        number = operator.index(value)
        if not self.low <= number <= self.high:
            raise self._wrong(value, wanted)
        return number

    def fast_encode(self, values: Sequence[Any]) -> Iterable[SqlValue] | None:
        return values if self._all_fit(values) else None

    def decode(self, value: Any) -> Any:
        if self.name == "UChar" and isinstance(value, str) and value.isdecimal():
            value = int(value)
        if value is not None and not isinstance(value, int):
            raise self._wrong(value, f"an integer {self.low} ... {self.high}")
        return self.encode(value)

    def fast_decode(self, values: Sequence[Any]) -> Sequence[Any] | None:
        return values if self._all_fit(values) else None

    def _all_fit(self, values: Sequence[Any]) -> bool:
        return set(map(type, values)) == {int} and (
            self.low <= min(values) and max(values) <= self.high
        )


class BoolType(StorageType):
    """True and False, stored as 1 and 0."""

    def encode(self, value: Any) -> SqlValue:
        if value is None:
            return None
        if isinstance(value, bool) or (
            hasattr(value, "__index__") and operator.index(value) in (0, 1)
        ):
            return int(value)
        if type(value).__name__ in ("bool", "bool_"):  # numpy's, without importing numpy
            return int(value)
        raise self._wrong(value, "True or False")

    def fast_encode(self, values: Sequence[Any]) -> Iterable[SqlValue] | None:
        return map(int, values) if set(map(type, values)) == {bool} else None

    def decode(self, value: Any) -> Any:
        stored = self.encode(value)
        return None if stored is None else bool(stored)


class RealType(StorageType):
    """Floating-point numbers; Float is rounded to 32 bits before it is stored."""

    def __init__(self, name: str, column: str, code: str) -> None:
        super().__init__(name, column)
        self.code = code
        self.one = struct.Struct(f"<{code}")  # native layouts turn too large numbers into infinity

    def encode(self, value: Any) -> SqlValue:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise self._wrong(value, "a number")
        try:
            number = float(value)
            rounded: float = self.one.unpack(self.one.pack(number))[0]
        except OverflowError:
            raise self._wrong(value, "a number within the range of the type") from None
        if math.isnan(number):
            msg = f"{self.name.lower()} is Not a Number (NaN); use None for a missing value"
            raise PayloadError(msg)
        return rounded

    def fast_encode(self, values: Sequence[Any]) -> Iterable[SqlValue] | None:
        if set(map(type, values)) != {float} or any(map(math.isnan, values)):
            return None
        if self.code == "d":
            return values
        layout = f"<{len(values)}{self.code}"
        try:
            return struct.unpack(layout, struct.pack(layout, *values))
        except OverflowError:
            return None

    def decode(self, value: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._wrong(value, "a number")
        return None if math.isnan(value) else float(value)

    def fast_decode(self, values: Sequence[Any]) -> Sequence[Any] | None:
        return values if set(map(type, values)) == {float} else None


class TextType(StorageType):
    """UTF-8 text of a maximal number of bytes; the empty text and NULL are the same."""

    def __init__(self, name: str, column: str, limit: int) -> None:
        super().__init__(name, column)
        self.limit = limit

    def encode(self, value: Any) -> SqlValue:
        if value is None:
            return None
        if not isinstance(value, str):
            raise self._wrong(value, "a text")
        if "\0" in value:
            raise self._wrong(value, "a text without NUL characters")
        try:
            size = len(value.encode())
        except UnicodeEncodeError:
            raise self._wrong(value, "a text that UTF-8 can hold") from None
        if size > self.limit:
            msg = f"the text has {size} bytes, at most {self.limit} fit ({self.name})"
            raise PayloadError(msg)
        return str(value) or None

    def fast_encode(self, values: Sequence[Any]) -> Iterable[SqlValue] | None:
        if set(map(type, values)) != {str} or max(map(len, values)) > self.limit:
            return None
        everything = "".join(values)
        if not everything.isascii() or "\0" in everything:
            return None
        return [value or None for value in values]

    def decode(self, value: Any) -> Any:
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self._wrong(value, "a text")
        return value


class BlobType(StorageType):
    """Bytes of a maximal number."""

    def __init__(self, name: str, column: str, limit: int) -> None:
        super().__init__(name, column)
        self.limit = limit

    def encode(self, value: Any) -> SqlValue:
        if value is None:
            return None
        if not isinstance(value, bytes | bytearray | memoryview):
            raise self._wrong(value, "bytes")
        data = bytes(value)
        if len(data) > self.limit:
            msg = f"the blob has {len(data)} bytes, at most {self.limit} fit ({self.name})"
            raise PayloadError(msg)
        return data

    def fast_encode(self, values: Sequence[Any]) -> Iterable[SqlValue] | None:
        return None

    def decode(self, value: Any) -> Any:
        if value is not None and not isinstance(value, bytes):
            raise self._wrong(value, "bytes")
        return value


def _each(convert: Any, values: Sequence[Any]) -> list[Any]:
    converted = []
    for index, value in enumerate(values):
        try:
            converted.append(convert(value))
        except PayloadError as error:
            raise ColumnError(index, str(error)) from None
    return converted


STORAGE_TYPES: Mapping[str, StorageType] = {
    kind.name: kind
    for kind in (
        BoolType("Bool", "BOOLEAN"),
        IntegerType("UChar", "UNSIGNEDCHAR", 0, 2**8 - 1),
        IntegerType("Int16", "SHORT", -(2**15), 2**15 - 1),
        IntegerType("UInt16", "UNSIGNEDSHORT", 0, 2**16 - 1),
        IntegerType("Int32", "INT", -(2**31), 2**31 - 1),
        IntegerType("UInt32", "UNSIGNEDINT", 0, 2**32 - 1),
        IntegerType("UInt63", "ULONGLONG", 0, 2**63 - 1),
        IntegerType("Int64", "SLONGLONG", -(2**63), 2**63 - 1),
        RealType("Float", "FLOAT", "f"),
        RealType("Double", "DOUBLE", "d"),
        TextType("String255", "TEXT", 255),
        TextType("String4k", "TEXT", 4000),
        TextType("String64k", "TEXT", 65535),
        TextType("String16M", "TEXT", 16777215),
        BlobType("Blob64k", "BLOB", 65535),
        BlobType("Blob16M", "BLOB", 16777215),
    )
}
