"""The command ``sctcalib cool merge``, and how a merge is printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import click

from sctcalib.cool.console import print_json, print_table

if TYPE_CHECKING:
    from sctcalib.cool.merging.perform import Options
    from sctcalib.cool.merging.problems import MergeError
    from sctcalib.cool.merging.report import Report

_EPILOG = """\b
Example:
  sctcalib cool merge mycool.db conditions/MONP200.db --destdb MONP200 --ignoredesc

\b
FILE and DEST are paths or "sqlite://;schema=FILE;dbname=NAME". Nothing is
written unless everything fits. Exit codes: 0 merged or no change, 10 a file
cannot be used, 21 folder, 22 fields, 23 channel names, 31 locked, 35 run not
open, 37 conflict, 38 unknown tag, 39 description, 40 validity, 41 busy.
"""


@click.command("merge", epilog=_EPILOG)
@click.argument("file")
@click.argument("dest")
@click.option("--destdb", default="", metavar="NAME", help="Database in DEST, if not as in FILE.")
@click.option("--db", "name", default="", metavar="NAME", help="Database in FILE, if several.")
@click.option(
    "--folder", multiple=True, help="Only this folder, or what is below; may be repeated."
)
@click.option("--tag", default="", help="Only this tag of FILE.")
@click.option("--retag", default="", help="Write it under this tag.")
@click.option("--ignoredesc", is_flag=True, help="Ignore differences of folder descriptions.")
@click.option("--allow-new-tag", is_flag=True, help="Create tags that DEST does not have.")
@click.option("--replace", is_flag=True, help="Store over other content; later runs stay.")
@click.option("--nobackup", is_flag=True, help="Keep no copy of FILE beside DEST.")
@click.option("--nomail", is_flag=True, help="Accepted: no mail is ever sent.")
@click.option("--batch", is_flag=True, help="Accepted: nothing is ever asked.")
@click.option("--comment", default="", help="Is kept in the log beside DEST.")
@click.option("--dry-run", "--noexec", is_flag=True, help="Only say what would be written.")
@click.option(
    "--wait", type=click.FloatRange(0), default=600.0, metavar="S", help="For another merge; 600."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def merge(file: str, dest: str, as_json: bool, **given: Any) -> None:
    """Merge the COOL database FILE into the one at DEST, all of it or nothing."""
    from sctcalib.cool.merging.perform import merge as merge_file
    from sctcalib.cool.merging.problems import MergeError

    try:
        report = merge_file(file, dest, _options(**given))
    except MergeError as error:
        refuse(error, as_json=as_json)
    if as_json:
        print_json(report.as_dict())
    else:
        print_report(report)


def _options(
    *,
    destdb: str,
    name: str,
    folder: tuple[str, ...],
    tag: str,
    retag: str,
    ignoredesc: bool,
    allow_new_tag: bool,
    replace: bool,
    nobackup: bool,
    nomail: bool,
    batch: bool,
    comment: str,
    dry_run: bool,
    wait: float,
) -> Options:
    from sctcalib.cool.merging.perform import Options
    from sctcalib.cool.merging.sources import Selection

    return Options(
        selection=Selection(folders=folder, tag=tag, retag=retag),
        source_database=name,
        database=destdb,
        ignore_description=ignoredesc,
        allow_new_tag=allow_new_tag,
        replace=replace,
        backup=not nobackup,
        dry_run=dry_run,
        comment=comment,
        wait_s=wait,
    )


def refuse(error: MergeError, *, as_json: bool) -> NoReturn:
    """Print the reasons, and end with the exit code of a merge."""
    if as_json:
        print_json(refusal(error))
    else:
        if error.report is not None:
            print_report(error.report)
        click.echo(f"Error: {error}", err=True)
    raise SystemExit(int(error.code))


def refusal(error: MergeError) -> dict[str, Any]:
    """A refused merge for programs."""
    problems = [{"code": int(p.code), "text": p.text} for p in error.problems]
    found = error.report.as_dict() if error.report is not None else {}
    return {**found, "outcome": "refused", "code": int(error.code), "problems": problems}


def print_report(report: Report) -> None:
    """The table of what was or would be written, the strips, and how it ended."""
    from sctcalib.cool.merging.report import HEADERS

    if report.rows:
        print_table(HEADERS, [row.cells() for row in report.rows])
    for line in report.strip_lines():
        click.echo(line)
    for warning in report.warnings:
        click.echo(f"warning: {warning}")
    if report.backup is not None:
        click.echo(f"copy of the file: {report.backup}")
    click.echo(report.conclusion())
