"""The commands ``sctcalib upload ...``: request uploads, and serve the requests."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import click

from sctcalib.cool.console import cool_errors, print_json, print_table
from sctcalib.runs.console import database_option

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_directory = click.option(
    "--dir", "directory", type=FOLDER, required=True, help="Directory of the requests."
)
_conditions = click.option(
    "--conditions",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder of conditions databases.",
)
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
EXIT_FAILED = 1
"""Exit code if requests failed, or if the loop needs a look."""


@contextmanager
def _errors() -> Generator[None]:
    """One line for a failure."""
    from sctcalib.cool.merge_command import refuse
    from sctcalib.cool.merging.problems import MergeError
    from sctcalib.job.errors import JobError

    with cool_errors():
        try:
            yield
        except MergeError as error:
            refuse(error, as_json=False)
        except JobError as error:
            click.echo(f"Error: {error}", err=True)
            raise SystemExit(error.code) from error


@click.group()
def upload() -> None:
    """Request the upload of jobs' databases, and serve the requests.

    See docs/operations.md.
    """


@upload.command(epilog="\b\nExample:\n  sctcalib upload request mycool.db --dir toupload")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@_directory
def request(files: tuple[str, ...], directory: Path) -> None:
    """Write requests for FILES, named after the run and the folders in them."""
    from sctcalib.cool.connection import parse_connection
    from sctcalib.uploads.create import create_request

    with _errors():
        for file in files:
            path, is_new = create_request(parse_connection(file), directory)
            click.echo(f"{'requested' if is_new else 'requested already'}: {path}")


@upload.command("list", epilog="\b\nExample:\n  sctcalib upload list --dir toupload")
@_directory
@_json
def list_requests(directory: Path, as_json: bool) -> None:
    """List the requests that wait, in their order, and those that failed."""
    from sctcalib.uploads.overview import overview

    with _errors():
        rows = overview(directory)
    if as_json:
        print_json(rows)
        return
    headers = ("request", "state", "run", "task", "file")
    print_table(headers, [[str(row[name] or "") for name in headers] for row in rows])


@upload.command(epilog="\b\nExample:\n  sctcalib upload retry 267367.noisy.UPD4.up --dir toupload")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@_directory
def retry(names: tuple[str, ...], directory: Path) -> None:
    """Put failed requests back, for the next run."""
    from sctcalib.cool.errors import nearest
    from sctcalib.uploads.create import retry as put_back
    from sctcalib.uploads.requests import RequestError, find_failed

    with _errors():
        known = {path.name: path for path in find_failed(directory)}
        for name in names:
            if name not in known:
                msg = f"{directory} has no failed request {name!r}{nearest(name, known)}"
                raise RequestError(msg)
        for name in names:
            click.echo(f"waits again: {put_back(directory, known[name])}")


@upload.command(epilog="\b\nExample:\n  sctcalib upload run --dir toupload --conditions conditions")
@_directory
@_conditions
@click.option(
    "--last-run",
    type=click.Path(dir_okay=False, path_type=Path),
    help="lastRun file, raised by uploads of noisy strips.",
)
@click.option("--wait", type=click.FloatRange(0), default=600.0, help="Seconds for another merge.")
def run(directory: Path, conditions: Path, last_run: Path | None, wait: float) -> None:
    """Serve all requests, noisy strips first; cron starts this every hour.

    Exit codes: 0 all served or nothing to do, 1 requests failed, 74 no conditions databases.
    """
    from functools import partial

    from sctcalib.uploads.serve import Loop

    follow = None
    if last_run:
        from sctcalib.runs.last_run import raise_last_run

        follow = partial(raise_last_run, last_run)
    failed = False
    with _errors():
        for result in Loop(directory, conditions, follow, wait).run():
            click.echo(result.line(), err=not result.ok)
            failed |= not result.ok
    sys.exit(EXIT_FAILED if failed else 0)


@upload.command(
    epilog=(
        "\b\nExample:\n"
        "  sctcalib upload missing --dir toupload --conditions conditions --database runs.db"
    )
)
@_directory
@_conditions
@database_option
@click.option(
    "--last-run",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Only runs after the one in this lastRun file.",
)
@click.option(
    "--project",
    default="data_13TeV",
    show_default=True,
    help="Kind of runs: with eV, hi or cos behind the underscore.",
)
@_json
def missing(
    directory: Path,
    conditions: Path,
    database: Path | None,
    last_run: Path | None,
    project: str,
    as_json: bool,
) -> None:
    """List good runs whose noisy strips are neither uploaded nor requested.

    Good are those that the run selector lets pass and that nobody has marked bad or disabled.
    Prints nothing if there are none, so that cron mails only what there is to do.
    """
    from sctcalib.runs.console import open_runs
    from sctcalib.runs.last_run import read_last_run
    from sctcalib.uploads.missing import missing as find

    with _errors(), open_runs(database) as runs:
        after = read_last_run(last_run) if last_run else None
        found = find(directory, conditions, runs, after=after or 0, project=project)
    if as_json:
        print_json([{"run": each.run.run, "failed": each.failed} for each in found])
        return
    for each in found:
        start = _utc(each.run.start)
        why = "its upload has failed" if each.failed else "neither uploaded nor requested"
        click.echo(f"run {each.run.run}, started {start}: {why}")


def _utc(time_ns: int | None) -> str:
    from sctcalib.summary.times import utc_text

    return utc_text(time_ns // 10**9)[:19] if time_ns is not None else "at an unknown time"


@upload.command(epilog="\b\nExample:\n  sctcalib upload status --dir toupload")
@_directory
@_json
def status(directory: Path, as_json: bool) -> None:
    """Tell whether the loop is alive, and what waits or has failed.

    Exit code 1 if the last start was an hour ago or more, or if requests failed.
    """
    from sctcalib.uploads.heartbeat import State
    from sctcalib.uploads.overview import status as find

    with _errors():
        found = find(directory)
    if as_json:
        print_json(found.as_dict())
    else:
        for line in found.lines():
            click.echo(line)
    sys.exit(EXIT_FAILED if found.failed or found.state is State.WARNING else 0)
