"""What the commands of this room share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from sctcalib.job.errors import JobError


@contextmanager
def user_errors() -> Iterator[None]:
    """Turn a failure with an exit code into a message, without traceback, and that code."""
    try:
        yield
    except JobError as error:
        click.echo(f"Error: {error}", err=True)
        raise click.exceptions.Exit(error.code) from error
