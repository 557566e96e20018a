"""What a transform can do: its parts, what they read and write, and which code runs."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sctcalib.job.errors import JobError

if TYPE_CHECKING:
    from sctcalib.job.arguments import Arguments
    from sctcalib.job.inputs import InputSet
    from sctcalib.job.transform import Job


@dataclass(frozen=True)
class Output:
    """A file that a part declares; its final name is the working prefix and ``suffix``."""

    suffix: str
    argument: str
    """Name of the argument of the original framework, for the report."""
    kind: str
    """File class: ``XML``, ``ROOT``, ``COOL``; it chooses the check before publishing."""
    optional: bool = False
    """Whether a good job may end without it, when it has nothing to say."""
    when: Callable[[Arguments], bool] = field(default=lambda arguments: True)
    """Whether a job with these arguments makes it."""

    @property
    def data_type(self) -> str:
        """``BSAllFile`` of ``outputBSAllFile``, for the report."""
        return self.argument.removeprefix("output").removesuffix("File")


@dataclass(frozen=True)
class ZeroEventRule:
    """How a job leaves when its input holds (nearly) no events, as in standby."""

    count: str
    """``module:function(job) -> int``: the events of the inputs."""
    limit: Callable[[Mapping[str, Any]], int]
    """From the configuration: the least number of events worth working on."""
    message: str
    """Exit message; ``{run}`` is replaced."""
    write: str
    """``module:function(job) -> None`` that writes what is said of such a run."""
    when: Callable[[Arguments], bool] = field(default=lambda arguments: True)
    """Whether the events of a job with these arguments can be counted beforehand."""


@dataclass(frozen=True)
class Part:
    """One value of the ``part`` argument."""

    name: str
    task: str
    """Name of the task in output names, such as ``NOISYSTRIP``."""
    summary: str
    reads: str
    """What the inputs are, for people."""
    outputs: tuple[Output, ...]
    run: str
    """``module:function(job) -> None``, imported when the part runs."""
    check: Callable[[Arguments], Iterable[JobError]] = field(default=lambda arguments: ())
    """Problems of the arguments that the schema cannot express."""
    check_inputs: Callable[[InputSet, Arguments], Iterable[JobError]] = field(
        default=lambda inputs, arguments: ()
    )
    """Problems of the resolved inputs, from their names."""
    warn: Callable[[Arguments], Iterable[str]] = field(default=lambda arguments: ())
    zero_events: ZeroEventRule | None = None

    def outputs_of(self, arguments: Arguments) -> tuple[Output, ...]:
        """What a job with these arguments makes."""
        return tuple(output for output in self.outputs if output.when(arguments))


def resolve(reference: str) -> Callable[[Job], Any]:
    """The function behind ``module:function``."""
    module, _, name = reference.partition(":")
    return getattr(importlib.import_module(module), name)  # type: ignore[no-any-return]


Check = Callable[[Path], None]
"""Raises an exception that says why a finished output must not be published."""
