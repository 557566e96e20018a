"""Find a configuration file and take it apart into settings, whatever its form.

TOML and JSON files have the options in tables or without them; `original` reads the
``Name = literal`` files of the original. Nothing is checked here but the form.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sctcalib.configuration.options import shown, tables
from sctcalib.configuration.original import read_assignments
from sctcalib.job.errors import ArgumentError
from sctcalib.resources import resource

SIZE_LIMIT = 1 << 20
"""Bytes: no configuration is larger."""
SUFFIXES = (".toml", ".json", ".py")
PACKAGED = "SCTCalibConfig.toml"
_BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True)
class Setting:
    """One value that a file sets."""

    name: str
    value: object
    table: str = ""
    """Table that it stands in; empty at the top of the file."""
    line: int | None = None
    """Line, where the form of the file tells it; else `ConfigurationFile.where` looks for it."""


@dataclass
class ConfigurationFile:
    """What one file holds, and what is wrong with its form."""

    path: Path
    text: str
    settings: list[Setting] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def is_original(self) -> bool:
        """Whether this is a file of the original software."""
        return self.path.suffix == ".py"

    def where(self, setting: Setting) -> str:
        """Place of a setting for a message: file and, where it can be found, line."""
        line = setting.line or self._line(setting.name, setting.table)
        return f"{self.path}, line {line}" if line else str(self.path)

    def _line(self, name: str, table: str) -> int | None:
        start = 0
        if table and (header := self._search(table, r"[\]:=.]", 0)):
            start = header.start()
        attempts = (("[:=]", start), ("[:=]", 0), (r"[\].]", 0))
        found = next(filter(None, (self._search(name, *attempt) for attempt in attempts)), None)
        return self.text.count("\n", 0, found.start()) + 1 if found else None

    def _search(self, word: str, sign: str, start: int) -> re.Match[str] | None:
        comment = "" if self.path.suffix == ".json" else "#"
        before = rf"^[^\n{comment}]*?(?<!\w)[\"']?"
        pattern = re.compile(rf"{before}{re.escape(word)}[\"']?\s*{sign}", re.MULTILINE)
        return pattern.search(self.text, start)


def packaged_file() -> Path:
    """The file with the packaged value of every option."""
    return resource("share", PACKAGED)


def find_file(name: str, search: Sequence[Path]) -> Path:
    """Path of a configuration file.

    A relative name is looked for in each folder of ``search``; ``share/NAME`` is also a packaged
    file. Raises ArgumentError that names the places.
    """
    places = [folder.absolute() / name for folder in search]
    if Path(name).is_absolute():
        places = [Path(name)]
    elif Path(name).parent == Path("share"):
        places.append(resource("share", Path(name).name))
    for place in places if name.strip() else []:
        if os.path.exists(place):  # noqa: PTH110  (Path.exists raises for names that are too long)
            return place
    looked = ", ".join(dict.fromkeys(map(str, places)))
    msg = f"configuration file {shown(name)} not found; looked for {looked}"
    if Path(name).suffix == ".py":
        msg += f". (The packaged values, {PACKAGED}, are always read first and need no entry.)"
    raise ArgumentError(msg)


def read_file(path: Path) -> ConfigurationFile:
    """Read and take apart one file; raises ArgumentError if it cannot be read as what it is."""
    if path.suffix not in SUFFIXES:
        msg = f"{path}: a configuration file ends with {', '.join(SUFFIXES)}"
        raise ArgumentError(msg)
    file = ConfigurationFile(path, _read_text(path))
    try:
        _READERS[path.suffix](file)
    except (ValueError, RecursionError, MemoryError) as error:
        reason = str(error) if isinstance(error, ValueError) else "nested too deeply"
        msg = f"{path}: cannot be read as {_FORMS[path.suffix]}: {reason}"
        raise ArgumentError(msg) from error
    return file


def _read_text(path: Path) -> str:
    try:
        if not path.is_file():
            msg = f"{path}: is not a file"
            raise ArgumentError(msg)
        with path.open("rb") as stream:
            content = stream.read(SIZE_LIMIT + 1)
        if len(content) > SIZE_LIMIT:
            msg = f"{path}: is larger than {SIZE_LIMIT} bytes, so it is no configuration file"
            raise ArgumentError(msg)
        text = content.decode("utf-8")
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise ArgumentError(msg) from error
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        msg = f"{path}, line {line}: is not UTF-8 text (byte 0x{content[error.start]:02x})"
        raise ArgumentError(msg) from error
    if text.startswith(_BYTE_ORDER_MARK):
        msg = f"{path}: begins with a byte order mark; save it as UTF-8 without one"
        raise ArgumentError(msg)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _read_toml(file: ConfigurationFile) -> None:
    _take_tables(file, tomllib.loads(file.text))


def _read_json(file: ConfigurationFile) -> None:
    def take_pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
        taken = dict(pairs)
        if len(taken) < len(pairs):
            twice = _repeated(name for name, _ in pairs)
            file.problems += [f"{file.path}: {name!r} is given twice" for name in twice]
        return taken

    content = json.loads(file.text, object_pairs_hook=take_pairs)
    if not isinstance(content, dict):
        msg = f"it holds {shown(content)}, expected an object {{...}}"
        raise ValueError(msg)  # noqa: TRY004  (caught above, as any other bad content)
    content.pop("$schema", None)
    _take_tables(file, content)


def _read_original(file: ConfigurationFile) -> None:
    settings, problems = read_assignments(file.text)
    file.settings = [Setting(name, value, line=line) for name, value, line in settings]
    file.problems = [f"{file.path}, line {line}: {problem}" for line, problem in problems]


def _take_tables(file: ConfigurationFile, content: dict[str, Any]) -> None:
    for key, value in content.items():
        if key in tables() and not isinstance(value, dict):
            file.problems.append(
                f"{file.where(Setting(key, value))}: {key!r} is {shown(value)}, expected a table"
            )
        elif isinstance(value, dict) and key in tables():
            file.settings += [Setting(name, inner, key) for name, inner in value.items()]
        else:
            file.settings.append(Setting(key, value))


def _repeated(names: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    return [name for name in names if name in seen or seen.add(name)]  # type: ignore[func-returns-value]


_READERS = {".toml": _read_toml, ".json": _read_json, ".py": _read_original}
_FORMS = {".toml": "TOML", ".json": "JSON", ".py": "lines 'Name = literal'"}
