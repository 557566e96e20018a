"""Read the argument dictionary: strict JSON, so that a slip cannot change what a job does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

from sctcalib.job.errors import ArgumentError, ConversionError, JobError, MissingArgumentError

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 64
_UTF8_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")


def read_dictionary(path: Path) -> dict[str, Any]:
    """The object in a JSON file.

    Raises ArgumentError (exit 7) for a file that is not one JSON object in UTF-8 with distinct
    keys, ConversionError (4) for NaN and infinities, MissingArgumentError (17) for no file.
    """
    return parse_dictionary(_read(path), str(path))


def parse_dictionary(data: bytes, where: str) -> dict[str, Any]:
    """The object in JSON text; ``where`` names it in messages. Raises as `read_dictionary`."""
    if len(data) > MAX_BYTES:
        msg = f"{where}: larger than {MAX_BYTES >> 20} MiB; an argument dictionary is a few kB"
        raise ArgumentError(msg)
    parser = _Parser(where)
    try:
        value = json.loads(
            _text(data, where),
            object_pairs_hook=parser.object_of_pairs,
            parse_constant=parser.refuse_constant,
        )
    except json.JSONDecodeError as error:
        msg = f"{where}: not JSON: {error.msg} at line {error.lineno} column {error.colno}"
        raise ArgumentError(msg) from None
    except RecursionError:
        msg = f"{where}: nested deeper than {MAX_DEPTH} levels"
        raise ArgumentError(msg) from None
    except ValueError as error:  # an integer of thousands of digits
        msg = f"{where}: {error}"
        raise ConversionError(msg) from None
    if not isinstance(value, dict):
        msg = f"{where}: holds {_kind(value)}; expected an object {{...}} with the job's arguments"
        raise ArgumentError(msg)
    _check_tree(value, where)
    return value


class _Parser:
    """The hooks of the JSON parser that refuse what JSON libraries let through."""

    def __init__(self, where: str) -> None:
        self.where = where

    def object_of_pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                msg = f"{self.where}: key {key!r} is given twice; keep one of them"
                raise ArgumentError(msg)
            found[key] = value
        return found

    def refuse_constant(self, name: str) -> NoReturn:
        msg = f"{self.where}: {name} is not a value that an argument can have"
        raise ConversionError(msg)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        msg = f"{path}: no such file; --argJSON names the job's argument dictionary"
        raise MissingArgumentError(msg) from None
    except (OSError, ValueError) as error:
        msg = f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}"
        raise ArgumentError(msg) from None


def _text(data: bytes, where: str) -> str:
    if data.startswith(_UTF16_BOMS) or b"\x00" in data[:4]:
        msg = f"{where}: is UTF-16 or UTF-32; save it as UTF-8"
        raise ArgumentError(msg)
    try:
        return data.removeprefix(_UTF8_BOM).decode("utf-8")
    except UnicodeDecodeError as error:
        msg = f"{where}: not UTF-8 at byte {error.start}; save it as UTF-8"
        raise ArgumentError(msg) from None


def _check_tree(value: Any, where: str) -> None:
    """Refuse deep nesting, infinities written as 1e999, and texts that no file can be named by."""
    level = [value]
    for _ in range(MAX_DEPTH):
        problem = next(filter(None, map(_leaf_problem, level)), None)
        if problem:
            raise problem(where)
        level = [child for node in level for child in _children(node)]
        if not level:
            return
    msg = f"{where}: nested deeper than {MAX_DEPTH} levels"
    raise ArgumentError(msg)


def _children(node: Any) -> list[Any]:
    if isinstance(node, dict):
        return [*node.keys(), *node.values()]
    return node if isinstance(node, list) else []


def _leaf_problem(node: Any) -> Any:
    if isinstance(node, float) and node in (float("inf"), float("-inf")):
        return lambda where: ConversionError(f"{where}: a number is too large")
    if isinstance(node, str) and ("\x00" in node or any(0xD800 <= ord(c) < 0xE000 for c in node)):
        return lambda where: ArgumentError(f"{where}: {node!r} holds a character no name can have")
    return None


def _kind(value: Any) -> str:
    names = {list: "a list", str: "a text", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")


__all__ = ["JobError", "parse_dictionary", "read_dictionary"]
