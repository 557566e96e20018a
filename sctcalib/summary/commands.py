"""The command ``sctcalib show``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sctcalib.simulate.console import user_errors

if TYPE_CHECKING:
    from sctcalib.summary.console import Report

ROWS = 20
"""Rows of a table on the terminal, unless all are asked for."""
_EXAMPLE = """\b
Examples:
  sctcalib show BadStripsSummaryFile.xml
  sctcalib show BadStripsSummaryFile.xml -o noisy-strips.html
  sctcalib show --all BadStripsNewFile.xml | less
  sctcalib show EfficiencyModuleSummary.xml -o efficiency.html
"""


@click.command(epilog=_EXAMPLE)
@click.argument("file", metavar="FILE.xml", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    metavar="FILE.html",
    type=click.Path(path_type=Path),
    help="Write a page for the browser, complete in one file, instead of the text.",
)
@click.option(
    "-a",
    "--all",
    "everything",
    is_flag=True,
    help=f"All rows and whole lists; otherwise the first {ROWS} rows of a table.",
)
def show(file: Path, output: Path | None, everything: bool) -> None:  # fmt: skip
    """Show an XML file that a job has written, or make a page of it.

    The kind of file is recognised by its content: the summaries and lists of noisy strips, the
    summaries and module files of efficiency, occupancies and byte-stream errors, the files of the
    Lorentz angle, those of dead and quiet strips and chips, of trips of the high voltage, and of
    noisy lumi blocks. docs/outputs.md describes what they hold.
    """
    with user_errors():
        from sctcalib.summary.kinds import recognise
        from sctcalib.summary.page import check_output, html_page, write_page
        from sctcalib.summary.parsing import Node, parse

        if output is not None:
            check_output(output, file)
        root = Node(file, parse(file))
        kind = recognise(root)
        report = kind.report(root)
        if output is not None:
            write_page(output, html_page(root, kind.style_sheet))
            click.echo(f"{output}: page of {file}")
            return
    rows = None if everything else ROWS
    _print(report, rows, f"As a page for the browser: sctcalib show {file} -o {file.stem}.html")


def _print(report: Report, rows: int | None, hint: str) -> None:
    from sctcalib.summary.console import plain_lines, print_rich

    if sys.stdout.isatty():
        print_rich(report, rows)
        click.echo(f"\n{hint}")
        return
    click.echo("\n".join(plain_lines(report, rows)))
    click.echo(hint, err=True)
