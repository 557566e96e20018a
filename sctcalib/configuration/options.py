"""The options: what the schema says of each, and whether a value is allowed.

`schemas/configuration.json` is the one list of options, a definition per part. To add a part, add
its definition there and its table in `share/SCTCalibConfig.toml`.

The few schema words that options use are checked here, because importing a validator would take
longer than all the rest of reading the configuration; a test holds both to the same verdicts.
"""

from __future__ import annotations

import difflib
import json
import math
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from sctcalib.resources import resource

Value = bool | int | float | str

_TYPE_NAMES = {
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "string": "a text without control characters",
}
_LARGEST = int(sys.float_info.max)
_SHOWN_CHARACTERS = 80
MAX_LENGTH = 4096
"""Of texts: longer ones are no paths."""


@dataclass(frozen=True)
class Option:
    """One option, as the schema describes it."""

    name: str
    table: str
    """Part that it belongs to, or ``common``."""
    type: str
    """``boolean``, ``integer``, ``number`` or ``string``."""
    default: Value
    description: str
    reference: str
    unit: str = ""
    kind: str = ""
    """``path``, ``database`` (a path or a COOL connection string) or empty."""
    choices: tuple[str, ...] = ()
    forbidden: str = ""
    """Regular expression of the characters that a text must not have."""
    min_length: int = 0
    max_length: int = MAX_LENGTH
    minimum: float = -math.inf
    maximum: float = math.inf

    def accepted(self) -> str:
        """What values are allowed, in words."""
        if self.choices:
            return "one of " + ", ".join(repr(choice) for choice in self.choices)
        if self.type == "string" and not self.kind:
            return f"a text of {self.min_length} to {self.max_length} characters without blanks"
        words = _TYPE_NAMES[self.type]
        low, high = self.minimum, self.maximum
        if math.isfinite(low) and math.isfinite(high):
            return f"{words} from {low:.10g} to {high:.10g}"
        return words

    def check(self, value: object) -> str:
        """What is wrong with a value: empty if nothing is."""
        if not (_has_type(self.type, value) and self._is_allowed(value)):
            return f"{self.name} is {shown(value)}, expected {self.accepted()}"
        return ""

    def converted(self, value: Any) -> Value:
        """A checked value in the type of the option: 3 becomes 3.0 for a number."""
        types = {"boolean": bool, "integer": int, "number": float, "string": str}
        result: Value = types[self.type](value)
        return result

    def _is_allowed(self, value: Any) -> bool:
        if self.type == "string":
            return (
                (not self.choices or value in self.choices)
                and self.min_length <= len(value) <= self.max_length
                and not (self.forbidden and re.search(self.forbidden, value))
            )
        return self.type == "boolean" or bool(self.minimum <= value <= self.maximum)


def shown(value: object) -> str:
    """A value for a message: as Python would write it, cut where it gets long."""
    try:
        text = repr(value)
    except ValueError:  # more digits than Python writes
        return "a number of thousands of digits"
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "..."


@cache
def schema() -> dict[str, Any]:
    """The schema of a configuration file."""
    text = resource("schemas", "configuration.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@cache
def options() -> MappingProxyType[str, Option]:
    """All options by name, in the order of the schema."""
    return MappingProxyType(
        {
            name: _option(name, table, words)
            for table, definition in schema()["$defs"].items()
            for name, words in definition["properties"].items()
        }
    )


@cache
def tables() -> tuple[str, ...]:
    """Names of the tables: ``common`` and the parts that have options."""
    return tuple(schema()["$defs"])


@cache
def names_without_use() -> frozenset[str]:
    """Options of the original that have no effect here; its files may hold them."""
    return frozenset(schema()["x-without-use"])


def nearest(name: str, names: Iterable[str]) -> str:
    """`` (did you mean ...?)`` for a misspelt name, or nothing."""
    by_lower = {known.lower(): known for known in names}
    found = difflib.get_close_matches(name.lower()[:_SHOWN_CHARACTERS], by_lower, n=1)
    return f" (did you mean {by_lower[found[0]]!r}?)" if found else ""


def _option(name: str, table: str, words: dict[str, Any]) -> Option:
    return Option(
        name,
        table,
        words["type"],
        words["default"],
        words["description"],
        words["x-reference"],
        unit=words.get("x-unit", ""),
        kind=words.get("x-kind", ""),
        choices=tuple(words.get("enum", ())),
        forbidden=words.get("not", {}).get("pattern", ""),
        min_length=words.get("minLength", 0),
        max_length=words.get("maxLength", MAX_LENGTH),
        minimum=words.get("minimum", -math.inf),
        maximum=words.get("maximum", math.inf),
    )


def _has_type(name: str, value: object) -> bool:
    if isinstance(value, bool):  # which Python counts among the integers
        return name == "boolean"
    if name == "integer":
        return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if name == "number":
        return (isinstance(value, int) and abs(value) <= _LARGEST) or (
            isinstance(value, float) and math.isfinite(value)
        )
    return name == "string" and isinstance(value, str)
