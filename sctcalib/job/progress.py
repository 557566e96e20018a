"""Progress of long steps, for people at a terminal; silent everywhere else."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Tick(Protocol):
    """Called with the work done so far and all the work."""

    def __call__(self, done: int, total: int) -> None: ...


class Progress(Protocol):
    """Opens a line of progress for a step; use it as a context manager around the step."""

    def __call__(self, label: str) -> AbstractContextManager[Tick]: ...


ProgressFactory = AbstractContextManager[Progress]


def _no_tick(done: int, total: int) -> None:
    """Show nothing."""


@contextmanager
def _no_step(label: str) -> Iterator[Tick]:
    yield _no_tick


@contextmanager
def quiet_progress() -> Iterator[Progress]:
    """No display."""
    yield _no_step


@contextmanager
def terminal_progress() -> Iterator[Progress]:
    """A bar on standard error where that is a terminal, else nothing."""
    if not sys.stderr.isatty():
        yield _no_step
        return
    from rich.console import Console
    from rich.progress import Progress as RichProgress

    with RichProgress(console=Console(stderr=True), transient=True) as bars:

        @contextmanager
        def step(label: str) -> Iterator[Tick]:
            task = bars.add_task(label, total=None)

            def tick(done: int, total: int) -> None:
                bars.update(task, completed=done, total=total)

            yield tick
            bars.remove_task(task)

        yield step
