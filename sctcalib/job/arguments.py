"""From a dictionary and a command line to checked arguments, by a JSON Schema.

The schema (draft 2020-12) is the one list of arguments. Beside the standard keywords each property
says with ``x-form`` how texts are converted, so that native values and the Tier-0 texts "True",
"2" and "a,b" are equal; ``x-alias-of`` names another spelling, ``x-ignored`` marks what old
dictionaries hold and this framework has no use for (reference/transform.md 2.1, 2.2, 5.1).
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sctcalib.job.errors import (
    ArgumentError,
    ConversionError,
    JobError,
    MissingArgumentError,
    OutOfRangeError,
    raise_problems,
)

COMMAND_LINE = "command line"
_INTEGER = re.compile(r"\s*[+-]?[0-9]{1,18}\s*", re.ASCII)


@dataclass(frozen=True)
class Arguments(Mapping[str, Any]):
    """Checked arguments with native values; defaults are filled in, absent ones are absent."""

    native: Mapping[str, Any]
    given: Mapping[str, Any]
    """What the user gave, by canonical name, before defaults."""
    where: Mapping[str, str] = field(default_factory=dict)
    """The place each given argument comes from: the dictionary's file, or the command line."""
    ignored: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Any:
        return self.native[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.native)

    def __len__(self) -> int:
        return len(self.native)

    def place(self, name: str) -> str:
        """``job.json: prefix``, for messages."""
        return f"{self.where.get(name, 'default')}: {name}"


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    raise TypeError


def _integer(value: Any) -> int:
    if isinstance(value, bool):
        raise TypeError
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return int(value)
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    raise TypeError


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise TypeError


def _scalar(value: Any) -> str | int:
    if isinstance(value, (str, int)) and not isinstance(value, bool):
        return value
    raise TypeError


def _text_list(value: Any) -> list[str]:
    if isinstance(value, str):
        return [piece.strip() for piece in value.split(",") if piece.strip()]
    if isinstance(value, list) and all(isinstance(piece, str) for piece in value):
        return [piece for piece in value if piece]
    raise TypeError


def _inputs(value: Any) -> list[Any]:
    if isinstance(value, str):
        return _text_list(value)
    if isinstance(value, dict):
        return [value]
    if isinstance(value, list):
        return value
    raise TypeError


FORMS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "boolean": (_boolean, "true or false"),
    "integer": (_integer, "an integer"),
    "text": (_text, "a text"),
    "scalar": (_scalar, "a text or an integer"),
    "textList": (_text_list, "a list of texts, or texts joined by commas"),
    "inputs": (_inputs, "a list of file names or of objects with dsn, lfn and events"),
}
"""By ``x-form``: what makes a native value (TypeError if it cannot), and what it accepts."""


@dataclass(frozen=True)
class ArgumentSchema:
    """The arguments of a transform, read from a JSON Schema file."""

    schema: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> ArgumentSchema:
        """Read the schema file."""
        return cls(json.loads(path.read_text(encoding="utf-8")))

    @property
    def properties(self) -> Mapping[str, Mapping[str, Any]]:
        """Every accepted name, aliases and ignored ones included."""
        return self.schema["properties"]  # type: ignore[no-any-return]

    def canonical(self, name: str) -> str:
        """The name that an alias stands for."""
        return str(self.properties.get(name, {}).get("x-alias-of", name))

    def active(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The arguments that have an effect, without aliases."""
        for name, prop in self.properties.items():
            if "x-ignored" not in prop and "x-alias-of" not in prop:
                yield name, prop

    def metadata(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments that are only copied to the report."""
        return {n: given[n] for n, p in self.active() if p.get("x-metadata") and n in given}

    def arguments(
        self,
        dictionary: Mapping[str, Any],
        source: str,
        overrides: Mapping[str, Any] | None = None,
    ) -> Arguments:
        """Check a dictionary, overridden by command-line values, and fill in defaults.

        Raises all problems at once, with the codes of reference/transform.md 4.7.
        """
        problems: list[JobError] = []
        where: dict[str, str] = {}
        raw = self._collect(dictionary, source, where, problems)
        raw |= self._collect(overrides or {}, COMMAND_LINE, where, problems)
        ignored = tuple(name for name in raw if "x-ignored" in self.properties[name])
        given = {
            name: value for name, value in raw.items() if name not in ignored and value is not None
        }
        native = self._convert(given, where, problems)
        problems += self._violations(native, where)
        raise_problems(problems)
        defaults = {n: p["default"] for n, p in self.active() if "default" in p}
        return Arguments({**defaults, **native}, native, where, ignored)

    def _collect(
        self,
        values: Mapping[str, Any],
        source: str,
        where: dict[str, str],
        problems: list[JobError],
    ) -> dict[str, Any]:
        """Values by canonical name; unknown names and a name given under two spellings reported."""
        found: dict[str, Any] = {}
        for name, value in values.items():
            if name not in self.properties:
                problems.append(self._unknown(name, source))
                continue
            canonical = self.canonical(name)
            if canonical in found and found[canonical] != value:
                problems.append(
                    ArgumentError(f"{source}: {canonical} is given twice, also as {name}; keep one")
                )
            found[canonical] = value
            where[canonical] = source
        return found

    def _unknown(self, name: str, source: str) -> ArgumentError:
        near = nearest(name, (n for n, p in self.properties.items() if "x-ignored" not in p))
        hint = f"; did you mean {near!r}?" if near else ' (try "--help")'
        return ArgumentError(f'{source}: Argument "{name}" not known{hint}')

    def _convert(
        self, given: Mapping[str, Any], where: Mapping[str, str], problems: list[JobError]
    ) -> dict[str, Any]:
        native: dict[str, Any] = {}
        for name, value in given.items():
            convert, expected = FORMS[self.properties[name]["x-form"]]
            try:
                native[name] = convert(value)
            except TypeError:
                problems.append(
                    ConversionError(f"{where[name]}: {name} is {shown(value)}; expected {expected}")
                )
        return native

    def _violations(
        self, native: Mapping[str, Any], where: Mapping[str, str]
    ) -> Iterator[JobError]:
        from jsonschema import Draft202012Validator

        for error in Draft202012Validator(self.schema).iter_errors(dict(native)):
            for leaf in _leaves(error):
                path = _path(leaf.absolute_path)
                name = str(leaf.absolute_path[0]) if leaf.absolute_path else ""
                yield self._violation(leaf, where.get(name, "?"), path)

    def _violation(self, error: Any, source: str, path: str) -> JobError:
        value = error.instance
        match error.validator:
            case "type":
                expected = " or ".join(_listed(error.validator_value))
                return ConversionError(f"{source}: {path} is {shown(value)}; expected {expected}")
            case "enum":
                return self._not_allowed(source, path, value, error.validator_value)
            case "required":
                missing = [key for key in error.validator_value if key not in value]
                return MissingArgumentError(f"{source}: {path} has no {', '.join(missing)}")
            case "minimum":
                limit = f"at least {error.validator_value}"
            case "maximum":
                limit = f"at most {error.validator_value}"
            case "minLength" | "minItems":
                limit = "not empty"
            case _:
                limit = "a plain name" if error.validator == "pattern" else str(error.message)
        return OutOfRangeError(f"{source}: {path} is {shown(value)}; it must be {limit}")

    def _not_allowed(self, source: str, path: str, value: Any, allowed: Iterable[Any]) -> JobError:
        choices = [str(choice) for choice in allowed]
        near = nearest(str(value), choices)
        hint = f"did you mean {near!r}?" if near else f"one of {', '.join(choices)}"
        if not path.startswith("part"):
            return OutOfRangeError(f"{source}: {path} is {shown(value)}; {hint}")
        return ArgumentError(
            f"{source}: Argument {path}={value} does not match any of the possible candidates; "
            f"{hint}"
        )


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like the given one, capitals aside, if any is."""
    by_fold = {candidate.lower(): candidate for candidate in known}
    close = difflib.get_close_matches(name.lower().strip("'\" "), by_fold, n=1)
    return by_fold[close[0]] if close else None


def shown(value: Any) -> str:
    """A value as it stands in JSON, shortened for a message."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:77] + "..."


def _listed(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def _path(parts: Iterable[Any]) -> str:
    """``input[2].lfn``."""
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _leaves(error: Any) -> Iterator[Any]:
    """The errors of the alternative that has the value's own type, where there are alternatives."""
    if not error.context:
        yield error
        return
    branches: dict[Any, list[Any]] = {}
    for child in error.context:
        branches.setdefault(child.schema_path[0], []).append(child)
    fitting = [
        children
        for children in branches.values()
        if not any(c.validator == "type" and c.instance is error.instance for c in children)
    ]
    for child in (fitting or [[error.context[0]]])[0]:
        yield from _leaves(child)
