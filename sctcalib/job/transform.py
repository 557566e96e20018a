"""A transform, and what it hands to its parts: the plan of a job and the running job."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sctcalib.job.arguments import Arguments, ArgumentSchema
from sctcalib.job.errors import InputFileError, JobError, raise_problems
from sctcalib.job.inputs import InputFile, InputSet, resolve_inputs
from sctcalib.job.naming import working_prefix
from sctcalib.job.outputs import Workspace, check_prefix
from sctcalib.job.part import Check, Output, Part
from sctcalib.job.progress import Progress, ProgressFactory, quiet_progress

T = TypeVar("T")


class Configuration(Protocol):
    """What the framework asks of a transform's configuration."""

    @property
    def digest(self) -> str:
        """A checksum of all effective options."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know of the configuration files."""

    def as_dict(self) -> Mapping[str, Any]:
        """All effective options."""


@dataclass(frozen=True)
class Options:
    """How a job is started, apart from its arguments."""

    directory: Path = field(default_factory=Path.cwd)
    """Where outputs go."""
    input_dir: Path | None = None
    """Searched first for inputs, by their base names."""
    keep: bool = False
    """Keep intermediate files."""
    progress: Callable[[], ProgressFactory] = quiet_progress
    sources: Mapping[Path, str] = field(default_factory=dict)
    """Files that the arguments come from, with what they are; never overwritten."""


@dataclass(frozen=True)
class InputFacts:
    """What was found out about an input file."""

    checksum: str
    """adler32, eight hexadecimal digits."""
    events: int | None = None


@dataclass
class Job:
    """What a part gets to work with, and where it leaves what the report says of it."""

    arguments: Arguments
    inputs: InputSet
    configuration: Any
    workspace: Workspace
    progress: Progress
    written: set[str] = field(default_factory=set)
    companions: list[Path] = field(default_factory=list)
    """Copies of packaged files to put beside the outputs, where no such file is."""
    entries: dict[str, int] = field(default_factory=dict)
    """Events of outputs, by suffix."""
    results: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Figures by part, for the report and the summary."""
    events: int | None = None
    input_facts: dict[InputFile, InputFacts] = field(default_factory=dict)
    shared: dict[str, Any] = field(default_factory=dict)
    """What parts of one job have in common, such as an open file."""
    idle: dict[str, str] = field(default_factory=dict)
    """Parts that ended well without their results, with the exit message that says why."""
    left: str = ""
    """The exit message of a job that ended well before its parts ran; empty if they ran."""
    replacements: list[Path] = field(default_factory=list)
    """Files to publish with the outputs, each under its own name, whatever is there."""
    resources: ExitStack = field(default_factory=ExitStack)
    """Closed when the parts have run."""

    @property
    def run(self) -> int:
        """The run number."""
        return self.inputs.run

    @property
    def directory(self) -> Path:
        """Where outputs go."""
        return self.workspace.directory

    def output(self, suffix: str) -> Path:
        """The temporary path at which a part writes the declared output."""
        self.written.add(suffix)
        return self.workspace.staged(suffix)

    def replacement(self, name: str) -> Path:
        """The temporary path of a file that gets this very name, without prefix, at the end."""
        path = self.workspace.scratch("own") / name
        self.replacements.append(path)
        return path

    def put_beside(self, packaged: Path) -> None:
        """Have a packaged file, such as a style sheet, stand beside the outputs."""
        copy = self.workspace.scratch("beside") / packaged.name
        if copy not in self.companions:  # several parts may ask for it
            shutil.copyfile(packaged, copy)
            self.companions.append(copy)

    def found_events(self, file: InputFile, events: int) -> None:
        """Note the events that an input file really has."""
        known = self.input_facts.get(file)
        self.input_facts[file] = InputFacts(known.checksum if known else "", events)

    def input_rows(self) -> Iterator[tuple[InputFile, int | None, str | None]]:
        """Input files with their events and checksums, as far as known."""
        for file in self.inputs.files:
            facts = self.input_facts.get(file)
            yield (file, facts.events, facts.checksum) if facts else (file, None, None)


@dataclass(frozen=True)
class Plan:
    """A job that was checked and has not begun."""

    arguments: Arguments
    inputs: InputSet
    configuration: Configuration
    reads: Mapping[Path, str]
    """Files that the job reads besides its inputs, with what they are."""
    prefix: str
    parts: tuple[Part, ...]
    outputs: tuple[Output, ...]
    warnings: tuple[str, ...]

    def files(self) -> dict[Path, str]:
        """Everything that the job reads, with what it is."""
        inputs = {file.path: "input" for file in self.inputs.files if file.path}
        return {**inputs, **self.reads}

    def configuration_section(self) -> dict[str, Any]:
        """The configuration as the report shows it."""
        return {
            "digest": self.configuration.digest,
            "options": dict(self.configuration.as_dict()),
        }


@dataclass(frozen=True)
class Transform:
    """A program that runs parts; everything it knows of a detector is in these fields."""

    name: str
    log_name: str
    version: str
    schema: ArgumentSchema
    parts: Mapping[str, Part]
    configure: Callable[[Arguments, Options], tuple[Configuration, Mapping[Path, str]]]
    """Reads the configuration, and names the files that it and the job read."""
    checks: Mapping[str, Check]
    """By file class: reads a finished output back."""
    finish: Callable[[Job], None] = field(default=lambda job: None)
    """Runs after all parts: writes the outputs that they share."""
    prepare: Callable[[Job], None] = field(default=lambda job: None)
    """Runs first, before an input is read: it may wait, fail, or set `Job.left`."""
    concluded: Callable[[Job], None] = field(default=lambda job: None)
    """Runs last, when the outputs are in place; if it fails, they are taken back."""

    def plan(self, arguments: Arguments, options: Options) -> Plan:
        """Find out all that can be known before work starts.

        Raises JobError, all problems of the arguments, the configuration and the inputs at once.
        """
        parts = tuple(self.parts[name] for name in dict.fromkeys(arguments["part"]))
        prefix, outputs = working_prefix(arguments["prefix"]), declared_outputs(parts, arguments)
        problems = [problem for part in parts for problem in part.check(arguments)]
        fitting = not problems
        problems += check_prefix(prefix, outputs, arguments.place("prefix"))
        configured = _attempt(problems, lambda: self.configure(arguments, options))
        if configured:
            problems += _unreadable(configured[1])
        inputs = _attempt(
            problems,
            lambda: resolve_inputs(
                arguments.get("input"), run=arguments.get("RunNumber"), input_dir=options.input_dir
            ),
        )
        if inputs and fitting:
            problems += [
                problem for part in parts for problem in part.check_inputs(inputs, arguments)
            ]
        raise_problems(problems)
        assert configured is not None
        assert inputs is not None
        configuration, reads = configured
        warnings = [*configuration.warnings, *(w for p in parts for w in p.warn(arguments))]
        unique = dict.fromkeys(warnings)  # parts may say the same
        return Plan(arguments, inputs, configuration, reads, prefix, parts, outputs, tuple(unique))


def _unreadable(reads: Mapping[Path, str]) -> Iterator[JobError]:
    """Pipes and devices: opening one could wait for ever. A folder is refused by its reader."""
    for path, what in reads.items():
        if path.exists() and not path.is_file() and not path.is_dir():
            yield InputFileError(f"{what} {path}: is not a file")


def _attempt(problems: list[JobError], step: Callable[[], T]) -> T | None:
    """What a step finds out; None and one more problem if it fails."""
    try:
        return step()
    except JobError as error:
        problems.append(error)
        return None


def declared_outputs(parts: Sequence[Part], arguments: Arguments) -> tuple[Output, ...]:
    """The union of the parts' outputs; where two declare one name, the first part's counts."""
    by_suffix: dict[str, Output] = {}
    for part in parts:
        for output in part.outputs_of(arguments):
            by_suffix.setdefault(output.suffix, output)
    return tuple(by_suffix.values())
