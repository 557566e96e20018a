"""The commands ``sctcalib runs ...`` and ``sctcalib lastrun``."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sctcalib.job.errors import InputFileError
from sctcalib.runs.console import (
    database_option,
    form_options,
    open_runs,
    print_rows,
    user_errors,
)
from sctcalib.runs.query_command import query

if TYPE_CHECKING:
    from sctcalib.runs.records import Run
    from sctcalib.runs.watch import Looked

_FILE = click.Path(path_type=Path)
_IMPORT_EXAMPLE = """\b
Examples:
  sctcalib runs import --database runs.db data/runs.json
  SCTCALIB_RUNS=runs.db sctcalib runs import 2015.csv 2016.csv

Fields of the files: docs/runs.md, schemas/runs.json.
"""


@click.group()
def runs() -> None:
    """The run database: fill it, look into it, ask which runs to calibrate."""


runs.add_command(query)


@runs.command("import", epilog=_IMPORT_EXAMPLE)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=_FILE)
@database_option
def import_(files: tuple[Path, ...], database: Path | None) -> None:
    """Take over runs from JSON or CSV files.

    The database is made if it is not there. Fields that a file gives replace those known, the
    others stay. Either all files are taken over or, if one has a mistake, none.
    """
    with user_errors():
        from sctcalib.runs.files import read_runs

        given = [one for file in files for one in read_runs(file)]
        with open_runs(database, create=True) as store:
            new, known = store.merge(given)
            name = store.name
    click.echo(f"{name}: {new} new, {known} replaced")


@runs.command(epilog="\b\nExample:\n  sctcalib runs watch --database runs.db incoming")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--once", is_flag=True, help="Look once, and stop; exit 74 if a file has mistakes.")
@click.option(
    "--interval", type=click.FloatRange(0.01), default=10, show_default=True,
    help="Seconds between looks.",
)  # fmt: skip
@database_option
@click.pass_context
def watch(
    ctx: click.Context, folder: Path, once: bool, interval: float, database: Path | None
) -> None:
    """Take over the JSON and CSV files that appear in DIR, until interrupted.

    A file that has changed is taken over again. One with mistakes is reported, and looked at again
    when it has changed.
    """
    with user_errors():
        import time

        from sctcalib.runs.watch import look

        with open_runs(database, create=True) as store, suppress(KeyboardInterrupt):
            while True:
                found = look(folder, store, _say)
                if once:
                    ctx.exit(InputFileError.code if any(each.problem for each in found) else 0)
                time.sleep(interval)
    ctx.exit(130)


def _say(looked: Looked) -> None:
    if looked.problem:
        click.echo(looked.problem, err=True)
    else:
        click.echo(f"{looked.path}: {looked.new} new, {looked.known} replaced")


@runs.command("list", epilog="\b\nExample:\n  sctcalib runs list --database runs.db --limit 5")
@click.option("--limit", type=click.IntRange(1), help="At most so many, the newest.")
@form_options
@database_option
def list_(limit: int | None, form: str | None, database: Path | None) -> None:
    """List the runs, newest first."""
    with user_errors(), open_runs(database) as store:
        numbers = [times.run for times in reversed(store.times())][:limit]
        if form == "json":
            values = [store.values(number) for number in numbers]
            click.echo(json.dumps({"runs": values}, indent=1))
            return
        found = [run for run in map(store.get, numbers) if run]
    headers = ("run", "project", "start", "duration", "blocks", "stable beams", "events", "bad")
    print_rows(form, headers, [_row(run) for run in found])


def _row(run: Run) -> list[str]:
    from sctcalib.runs.output import duration_text

    stable = run.flags.get("stable_beams")
    n_stable = sum(r.last - r.first + 1 for r in stable if r.value) if stable else None
    cells = (run.project, _start(run), duration_text(run.duration), run.lumi_blocks)
    more = (None if n_stable is None else f"{n_stable} blocks", run.events, run.bad)
    return [str(run.run), *("" if cell is None else str(cell) for cell in (*cells, *more))]


def _start(run: Run) -> str:
    from sctcalib.summary.times import utc_text

    return utc_text(None if run.start is None else run.start // 10**9)[:19]


@runs.command(epilog="\b\nExample:\n  sctcalib runs show --database runs.db 267367")
@click.argument("number", metavar="RUN", type=int)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, as runs import reads it.")
@database_option
def show(number: int, as_json: bool, database: Path | None) -> None:
    """Show all that is known of a run."""
    with user_errors(), open_runs(database) as store:
        values = store.values(number)
        if not values:
            click.echo(f"Error: run {number} is not in the run database {store.name}", err=True)
            raise click.exceptions.Exit(1)
        if as_json:
            click.echo(json.dumps({"runs": [values]}, indent=1))
            return
        run = store.get(number)
    assert run is not None
    print_rows(None, ("field", "value"), [list(row) for row in _facts(run, values)])


def _facts(run: Run, values: dict[str, Any]) -> list[tuple[str, str]]:
    from sctcalib.runs.output import duration_text
    from sctcalib.summary.times import utc_text

    facts = []
    for name, value in values.items():
        text = str(value)
        if name in ("start", "end"):
            text = utc_text(value // 10**9)
        elif name == "lumi_blocks":
            text = str(run.lumi_blocks)
        elif name in run.flags:
            ranges = run.flags[name]
            text = " ".join(f"{r.first}-{r.last}:{'yes' if r.value else 'no'}" for r in ranges)
        elif name == "streams":
            facts += [(f"stream {n}", f"{s['events']} events") for n, s in value.items()]
            continue
        elif name == "detector_mask":
            text = f"{value} ({', '.join(run.sct_partitions) or 'no part of the SCT'})"
        facts.append((name, text))
    if run.duration is not None:
        facts.append(("duration", duration_text(run.duration)))
    return facts


@runs.command(epilog="\b\nExample:\n  sctcalib runs bad --database runs.db 267367 --why 'HV ramp'")
@click.argument("number", metavar="RUN", type=int)
@click.option("--why", metavar="TEXT", help="The reason.")
@click.option("--undo", is_flag=True, help="The run is not bad after all.")
@database_option
def bad(number: int, why: str | None, undo: bool, database: Path | None) -> None:
    """Mark a run bad: later runs do not wait until it is uploaded."""
    if bool(why) == undo:
        msg = "give either --why TEXT or --undo"
        raise click.UsageError(msg)
    with user_errors(), open_runs(database) as store:
        from sctcalib.runs.files import Given

        if not store.values(number):
            click.echo(f"Error: run {number} is not in the run database {store.name}", err=True)
            raise click.exceptions.Exit(1)
        store.merge([Given(f"run {number}", {"run": number, "bad": why or None})])
    click.echo(f"run {number} is " + (f"bad: {why}" if why else "not bad"))


@click.command(epilog="\b\nExample:\n  sctcalib lastrun lastRun --set 267360")
@click.argument("file", type=_FILE)
@click.option("--set", "run", type=click.IntRange(0, 2**31 - 1), metavar="RUN",
              help="Set it: jobs wait only for runs after RUN.")  # fmt: skip
def lastrun(file: Path, run: int | None) -> None:
    """Show or set the number in the lastRun FILE: up to which run nothing is waited for."""
    with user_errors():
        from sctcalib.runs.last_run import read_last_run, set_last_run

        if run is not None:
            before = read_last_run_or_none(file)
            set_last_run(file, run)
            click.echo(f"{file}: {before if before is not None else 'not set'} -> {run}")
            return
        number = read_last_run(file)
    click.echo("not set" if number is None else str(number))


def read_last_run_or_none(file: Path) -> int | None:
    """The number, None also for a file that holds none: setting it repairs the file."""
    from sctcalib.runs.last_run import read_last_run

    try:
        return read_last_run(file)
    except InputFileError:
        return None
