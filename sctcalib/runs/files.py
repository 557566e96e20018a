"""Read runs from JSON and CSV files; every mistake is reported with its place.

A CSV file has a header with names of fields of `schemas/runs.json`, and a run per line. An empty
cell says nothing. Lists are written as ``1-73=0;74-873=1`` (flags by lumi blocks) and
``calibration_SCTNoise=1201453/512345678901;physics_Main=14210387`` (events, and bytes if known).
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from sctcalib.job.errors import InputFileError, raise_problems
from sctcalib.resources import resource
from sctcalib.runs.records import FLAGS

MAX_BYTES = 256 * 1024 * 1024
PROBLEM_LIMIT = 50
"""Mistakes listed of one file."""
SUFFIXES = (".json", ".csv")
_SHOWN = 80
_RANGE = re.compile(r"([0-9]+)(?:-([0-9]+))?=([01])")
_STREAM = re.compile(r"([^=;]+)=([0-9]+)(?:/([0-9]+))?")
_INTEGERS = ("run", "start", "end", "events", "fill", "lumi_blocks")


@dataclass(frozen=True)
class Given:
    """What a file says of one run."""

    place: str
    """Where, for messages."""
    values: Mapping[str, Any]
    """In the form of the schema; checked against it."""


def read_runs(path: Path) -> list[Given]:
    """The runs of a file; raises InputFileError (exit 74), all mistakes at once."""
    text = _text(path)
    if path.suffix.lower() == ".csv":
        given, problems = _from_csv(path, text)
    else:
        given, problems = _from_json(path, text)
    problems += _repeated(given)
    if len(problems) > PROBLEM_LIMIT:
        problems[PROBLEM_LIMIT:] = [f"{path}: further mistakes are not listed"]
    raise_problems(map(InputFileError, problems))
    return given


@cache
def schema() -> dict[str, Any]:
    """The schema of a JSON file of runs."""
    text = resource("schemas", "runs.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@cache
def fields() -> tuple[str, ...]:
    """Names of all that can be known of a run, ``run`` first."""
    return tuple(schema()["$defs"]["run"]["properties"])


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise InputFileError(msg) from None
    if len(data) > MAX_BYTES:
        msg = f"{path}: larger than {MAX_BYTES >> 20} MiB"
        raise InputFileError(msg)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"{path}: not UTF-8 at byte {error.start}"
        raise InputFileError(msg) from None


def _from_json(path: Path, text: str) -> tuple[list[Given], list[str]]:
    try:
        content = json.loads(text, object_pairs_hook=_distinct, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        msg = f"{path}: not JSON: {error.msg} at line {error.lineno} column {error.colno}"
        raise InputFileError(msg) from None
    except (ValueError, RecursionError) as error:
        msg = f"{path}: not JSON: {error}"
        raise InputFileError(msg) from None
    problems = [f"{path}: {problem}" for problem in _violations(schema(), content)]
    if problems:
        return [], problems
    return [
        Given(f"{path}: runs[{index}] (run {values['run']})", values)
        for index, values in enumerate(content["runs"])
    ], []


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        msg = f"key {twice!r} is given twice in one object"
        raise ValueError(msg)
    return found


def _no_constant(name: str) -> NoReturn:
    msg = f"{name} is no value"
    raise ValueError(msg)


def _violations(rules: Mapping[str, Any], content: Any) -> Iterator[str]:
    """What the schema objects to, with the place and what is expected there."""
    from jsonschema import Draft202012Validator

    validator = Draft202012Validator(rules)
    for error in sorted(validator.iter_errors(content), key=lambda e: [str(p) for p in e.path]):
        place = error.json_path.removeprefix("$.")
        words = error.message
        if len(words) > 2 * _SHOWN:
            words = f"{words[:_SHOWN]} ... {words[-_SHOWN:]}"
        meaning = error.schema.get("description", "") if isinstance(error.schema, dict) else ""
        yield f"{place}: {words}" + (f" ({meaning.rstrip('.')})" if meaning else "")


def _from_csv(path: Path, text: str) -> tuple[list[Given], list[str]]:
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    given: list[Given] = []
    problems: list[str] = []
    try:
        header = [name.strip() for name in next(lines, [])]
        problems += [f"{path}: line 1: {problem}" for problem in _bad_header(header)]
        for row in lines if not problems else ():
            if not any(cell.strip() for cell in row):
                continue
            place = f"{path}: line {lines.line_num}"
            one, wrong = _row(header, row)
            problems += [f"{place}: {problem}" for problem in wrong]
            if not wrong:
                given.append(Given(f"{place} (run {one['run']})", one))
    except csv.Error as error:
        problems.append(f"{path}: line {lines.line_num}: not CSV: {error}")
    return given, problems


def _bad_header(header: list[str]) -> Iterator[str]:
    for name in header:
        if name not in fields():
            yield f"column {name!r} is none of {', '.join(fields())}"
    for name in sorted({name for name in header if header.count(name) > 1}):
        yield f"column {name!r} is there twice"
    if "run" not in header:
        yield "the column 'run' is missing"


def _row(header: list[str], row: list[str]) -> tuple[dict[str, Any], list[str]]:
    """Values of a line in the form of the schema, and what is wrong with them."""
    if len(row) > len(header):
        return {}, [f"{len(row)} cells, the header has {len(header)}"]
    cells = {name: cell.strip() for name, cell in zip(header, row, strict=False)}
    values = {name: _cell(name, cell) for name, cell in cells.items() if cell}
    rules = {**schema(), **schema()["$defs"]["run"]}
    return values, list(_violations(rules, values))


def _cell(name: str, text: str) -> Any:
    """The value of a cell; one that cannot be read stays a text, which the schema refuses."""
    if name in _INTEGERS:
        return int(text) if re.fullmatch(r"-?[0-9]{1,20}", text) else text
    if name == "beam_energy":
        return float(text) if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text) else text
    if name in FLAGS:
        found = [_RANGE.fullmatch(item.strip()) for item in text.split(";")]
        return [
            {"first": int(m[1]), "last": int(m[2] or m[1]), "value": m[3] == "1"}
            for m in found
            if m
        ] if all(found) else text  # fmt: skip
    if name == "streams":
        streams = [_STREAM.fullmatch(item.strip()) for item in text.split(";")]
        names = [m[1] for m in streams if m]
        if not all(streams) or len(set(names)) < len(names):
            return text
        return {
            m[1]: {"events": int(m[2])} | ({"bytes": int(m[3])} if m[3] else {})
            for m in streams
            if m
        }
    return text


def _repeated(given: list[Given]) -> list[str]:
    first: dict[int, str] = {}
    problems = []
    for each in given:
        before = first.setdefault(each.values["run"], each.place)
        if before != each.place:
            problems.append(f"{each.place}: the run is there already, in {before}")
    return problems
