"""Read the configuration files of a job over the packaged values, in their order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path

from sctcalib.configuration.files import (
    ConfigurationFile,
    Setting,
    find_file,
    packaged_file,
    read_file,
)
from sctcalib.configuration.options import Value, names_without_use, nearest, options, shown, tables
from sctcalib.job.errors import ArgumentError, raise_problems

PACKAGED_DEFAULT = "packaged default"
PROBLEM_LIMIT = 100
"""Problems listed of one file."""
LARGEST_RELATIVE_DIFF = 10
"""A larger NoisyStripDiff cannot be meant as a relative increase (algorithms-hitmaps.md 6)."""


@dataclass(frozen=True, eq=False)
class Configuration(Mapping[str, Value]):
    """The effective value of every option, by its name, and where it comes from.

    Subscription gives the value as the file has it; `flag`, `integer`, `number`, `text` and `path`
    give it in its type.
    """

    values_by_name: dict[str, Value]
    set_by: dict[str, Path]
    """File that set each option; those with the packaged value are absent."""
    sources: tuple[Path, ...]
    """Files read, in order; the packaged one is the first."""
    without_use: tuple[str, ...] = ()
    """Names in files of the original that have no effect here."""
    warnings: tuple[str, ...] = ()
    """What the person who started the job should look at."""

    def __getitem__(self, name: str) -> Value:
        return self.values_by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_by_name)

    def __len__(self) -> int:
        return len(self.values_by_name)

    def flag(self, name: str) -> bool:
        """Value of an option that is true or false."""
        return bool(self._typed(name, "boolean"))

    def integer(self, name: str) -> int:
        """Value of an option that is a whole number."""
        return int(self._typed(name, "integer"))

    def number(self, name: str) -> float:
        """Value of an option that is a number (double precision)."""
        return float(self._typed(name, "number"))

    def text(self, name: str) -> str:
        """Value of an option that is a text; relative paths in it are made absolute."""
        value = str(self._typed(name, "string"))
        if not options()[name].kind or not value:
            return value
        if self._is_connection(name, value):
            return self._absolute_connection(name, value)
        return str(self._folder(name) / value)

    def path(self, name: str) -> Path | None:
        """File that an option names, absolute, or None if it is not set.

        Raises TypeError for an option that is no path, and for a COOL connection string.
        """
        value = str(self._typed(name, "string"))
        if not options()[name].kind or self._is_connection(name, value):
            msg = f"{name} is {shown(value)}: no path"
            raise TypeError(msg)
        return self._folder(name) / value if value else None

    def origin(self, name: str) -> str:
        """The file that set an option, or ``packaged default``."""
        if name not in self.values_by_name:
            raise KeyError(name)
        return str(self.set_by.get(name, PACKAGED_DEFAULT))

    def as_dict(self) -> dict[str, Value]:
        """All effective values, as the files have them."""
        return dict(self.values_by_name)

    @cached_property
    def digest(self) -> str:
        """SHA-256 in hexadecimal of all effective values, independent of where files are."""
        text = json.dumps(self.values_by_name, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def _typed(self, name: str, kind: str) -> Value:
        if options()[name].type != kind:
            msg = f"{name} is of type {options()[name].type}, not {kind}"
            raise TypeError(msg)
        return self.values_by_name[name]

    def _folder(self, name: str) -> Path:
        return self.set_by.get(name, packaged_file()).parent

    def _is_connection(self, name: str, value: str) -> bool:
        return options()[name].kind == "database" and ("://" in value or ";" in value)

    def _absolute_connection(self, name: str, value: str) -> str:
        """A COOL connection string whose SQLite file is given by its absolute path."""
        if not value.startswith("sqlite:"):
            return value
        items = [item.partition("=") for item in value.split(";")]
        folder = self._folder(name)
        return ";".join(
            f"{key}={folder / rest}" if key.strip() == "schema" and rest else key + sign + rest
            for key, sign, rest in items
        )


def load_configuration(
    files: Sequence[str], *, search: Sequence[Path] = (Path(),)
) -> Configuration:
    """Read files over the packaged values; an option that none of them sets keeps its value.

    ``files`` are names of TOML or JSON files, or of ``Name = literal`` files of the original.
    Relative ones are looked for in each folder of ``search``; ``share/NAME`` then among the
    packaged files.
    Raises ArgumentError, or ProblemsError of them, for all that is wrong with the files.
    """
    loading = _Loading()
    loading.read(packaged_file())
    for name in files:
        loading.read_named(name, search)
    raise_problems(loading.problems)
    return loading.finished()


@dataclass
class _Loading:
    """What was read so far."""

    values: dict[str, Value] = field(
        default_factory=lambda: {name: option.default for name, option in options().items()}
    )
    set_by: dict[str, Path] = field(default_factory=dict)
    sources: list[Path] = field(default_factory=list)
    without_use: dict[str, None] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    problems: list[ArgumentError] = field(default_factory=list)

    def read_named(self, name: str, search: Sequence[Path]) -> None:
        try:
            self.read(find_file(name, search))
        except ArgumentError as error:
            self.problems.append(error)

    def read(self, path: Path) -> None:
        file = read_file(path)
        self.sources.append(path)
        found = list(islice(self._take_all(file), PROBLEM_LIMIT + 1))
        if len(found) > PROBLEM_LIMIT:
            found[PROBLEM_LIMIT:] = [f"{path}: further problems are not listed"]
        self.problems += map(ArgumentError, found)

    def _take_all(self, file: ConfigurationFile) -> Iterator[str]:
        """Take the values of a file; give what is wrong with it."""
        yield from file.problems
        seen: set[str] = set()
        for setting in file.settings:
            if setting.name in seen:
                yield f"{file.where(setting)}: {setting.name!r} is set a second time in this file"
            elif problem := self._problem(file, setting):
                yield f"{file.where(setting)}: {problem}"
            else:
                self._take(file.path, setting)
            seen.add(setting.name)

    def _problem(self, file: ConfigurationFile, setting: Setting) -> str:
        """What is wrong with a setting: empty if nothing is."""
        name, table = setting.name, setting.table
        option = options().get(name)
        if option is None:
            return _problem_with_name(file, setting)
        if table and table != option.table:
            return f"{name} belongs into the table [{option.table}], not [{table}]"
        return option.check(setting.value)

    def _take(self, path: Path, setting: Setting) -> None:
        name = setting.name
        if name not in options():
            self.without_use[name] = None
            return
        self.values[name] = options()[name].converted(setting.value)
        if path == packaged_file():
            self.set_by.pop(name, None)
        else:
            self.set_by[name] = path

    def finished(self) -> Configuration:
        warnings = (*self.warnings, *_doubts(self.values))
        return Configuration(
            self.values, self.set_by, tuple(self.sources), tuple(self.without_use), warnings
        )


def _problem_with_name(file: ConfigurationFile, setting: Setting) -> str:
    """Why a name that is no option cannot stand there: empty if it can."""
    name = setting.name
    if name in names_without_use():
        if file.is_original:
            return ""
        return f"{name!r} has no effect here and is accepted in files of the original (.py) only"
    if isinstance(setting.value, dict):
        return f"unknown table {shown(name)}{nearest(name, tables())}; one of {', '.join(tables())}"
    names = [*options(), *names_without_use()] if file.is_original else options()
    return f"unknown option {shown(name)} with the value {shown(setting.value)}" + nearest(
        name, names
    )


def _doubts(values: Mapping[str, Value]) -> list[str]:
    """Values that are allowed and hardly meant."""
    diff, mode = float(values["NoisyStripDiff"]), values["NoisyStripDiffMode"]
    text = f"NoisyStripDiff is {diff:g} with NoisyStripDiffMode {mode!r}"
    if mode == "relative" and diff > LARGEST_RELATIVE_DIFF:
        meant = "an increase to several times the average passes; if strips are meant, as in files"
        return [f"{text}: {meant} of the 21.0 branch, set NoisyStripDiffMode to 'absolute'"]
    if mode == "absolute" and diff < 1:
        meant = "an increase by one strip fails; if a fraction is meant,"
        return [f"{text}: {meant} set NoisyStripDiffMode to 'relative'"]
    return []
