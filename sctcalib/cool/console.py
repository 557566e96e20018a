"""What the commands ``sctcalib cool ...`` share: opening, tables, errors."""

from __future__ import annotations

import json
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sctcalib.cool.database import Database

UNREADABLE = 74
"""Exit code for a file that is missing, damaged or no COOL database."""
MAX_TEXT = 40


class UnreadableFile(click.ClickException):
    """Ends the command with one line and the exit code for unreadable files."""

    exit_code = UNREADABLE


class NotInFile(click.ClickException):
    """Ends the command with one line and the exit code of wrong usage."""

    exit_code = click.UsageError.exit_code


@contextmanager
def cool_errors() -> Generator[None]:
    """One line for a failure: exit code 74 for the file's fault, 2 for a name that is not in it."""
    from sctcalib.cool.errors import CoolError, DatabaseError, DatabaseNameError

    try:
        yield
    except DatabaseNameError as error:
        raise NotInFile(str(error)) from error
    except DatabaseError as error:
        raise UnreadableFile(str(error)) from error
    except CoolError as error:
        raise NotInFile(str(error)) from error


def open_database(file: str, name: str | None) -> Database:
    """The database of a path or connection string; ``--db`` chooses among several."""
    from sctcalib.cool.connection import parse_connection
    from sctcalib.cool.database import Database

    where = parse_connection(file)
    if name and where.name and name != where.name:
        msg = f"--db {name} contradicts dbname={where.name} of {file}"
        raise click.UsageError(msg)
    return Database.open(where.path, name or where.name)


def print_json(value: Any) -> None:
    """JSON for programs; bytes as hexadecimal digits."""
    click.echo(json.dumps(value, indent=2, default=_as_text, ensure_ascii=False))


def _as_text(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def shortened(value: Any, *, full: bool) -> str:
    """A value in a table: nothing for None, hexadecimal bytes, long texts cut unless ``full``."""
    text = "" if value is None else value.hex() if isinstance(value, bytes) else str(value)
    if isinstance(value, float) and not full:
        text = f"{value:.6g}"
    return text if full or len(text) <= MAX_TEXT else text[: MAX_TEXT - 3] + "..."


def print_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table: with lines and colours on a terminal, plain columns otherwise."""
    if sys.stdout.isatty():
        _rich_table(headers, rows)
        return
    widths = [max(len(row[i]) for row in (headers, *rows)) for i in range(len(headers))]
    for row in (headers, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def _rich_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for header in headers:
        table.add_column(header, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)
