"""What the commands ``sctcalib runs ...`` share: the database, failures, tables."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sctcalib.job.errors import InputFileError, JobError

if TYPE_CHECKING:
    from sctcalib.runs.database import SqliteRuns

F = TypeVar("F", bound=Callable[..., Any])


@contextmanager
def user_errors() -> Iterator[None]:
    """Turn a failure with an exit code into a message, without traceback, and that code."""
    try:
        yield
    except JobError as error:
        click.echo(f"Error: {error}", err=True)
        raise click.exceptions.Exit(error.code) from error


def database_option(command: F) -> F:
    """The option that names the run database."""
    from_shell = "The run database.  [default: the environment's SCTCALIB_RUNS]"
    return click.option(
        "--database", type=click.Path(path_type=Path), metavar="FILE",
        help=from_shell,
    )(command)  # fmt: skip


def form_options(command: F) -> F:
    """The options for the form of what is printed."""
    for name in ("table", "csv", "json"):
        command = click.option(
            f"--{name}", "form", flag_value=name, help=f"Print {name.upper()}."
            if name != "table" else "Print a table.  [default]",
        )(command)  # fmt: skip
    return command


def open_runs(database: Path | None, *, create: bool = False) -> SqliteRuns:
    """The run database; raises InputFileError if none is named or it is not there."""
    from sctcalib.runs.database import SqliteRuns
    from sctcalib.runs.location import VARIABLE, location

    path = location(database)
    if path is None:
        msg = f"no run database: name it with --database, or in the environment as {VARIABLE}"
        raise InputFileError(msg)
    return SqliteRuns(path, create=create)


def print_rows(form: str | None, headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Rows as a table or CSV."""
    if form == "csv":
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([headers, *rows])
        click.echo(text.getvalue(), nl=False)
        return
    from sctcalib.cool.console import print_table

    print_table(headers, rows)
