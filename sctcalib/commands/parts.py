"""``sctcalib parts``: the table of parts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sctcalib.job.part import Part


@click.command(epilog="\b\nExample:\n  sctcalib parts --json")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def parts(as_json: bool) -> None:
    """List what a job can run: the values of the argument `part`."""
    from sctcalib.parts import MISSION, PARTS, QUIET

    if as_json:
        rows = {
            part.name: {
                "summary": part.summary,
                "task": part.task,
                "reads": part.reads,
                "outputs": [
                    {"name": output.suffix, "optional": output.optional} for output in part.outputs
                ],
            }
            for part in PARTS.values()
        }
        click.echo(json.dumps(rows, indent=2))
        return
    for part in MISSION:
        _show(part)
    click.echo("\nof later production")
    for part in QUIET:
        _show(part)


def _show(part: Part) -> None:
    click.echo(f"{part.name}  ({part.task})\n  {part.summary}\n  reads   {part.reads}")
    for number, output in enumerate(part.outputs):
        label = "  writes  " if number == 0 else "          "
        click.echo(label + output.suffix + ("  (if there is anything in it)" * output.optional))
