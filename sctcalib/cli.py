"""The command ``sctcalib``: one group, whose sub-commands are imported when they are called."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

import click


@dataclass(frozen=True)
class Verb:
    """A sub-command and where it is."""

    module: str
    name: str
    help: str


VERBS = {
    "run": Verb("sctcalib.commands.run", "run", "Run a calibration job."),
    "parts": Verb("sctcalib.commands.parts", "parts", "List the parts a job can run."),
    "show": Verb("sctcalib.summary.commands", "show", "Show an XML summary, or make its page."),
    "plot": Verb("sctcalib.plots.commands", "plot", "Draw results: maps, distributions, fits."),
    "cool": Verb("sctcalib.cool.commands", "cool", "Look into COOL conditions databases."),
    "conditions": Verb(
        "sctcalib.conditions.commands", "conditions", "Upload to conditions databases."
    ),
    "upload": Verb("sctcalib.uploads.commands", "upload", "Request uploads, and serve requests."),
    "runs": Verb("sctcalib.runs.commands", "runs", "Run database: import, list, query."),
    "lastrun": Verb("sctcalib.runs.commands", "lastrun", "Show or set the lastRun file."),
    "simulate": Verb("sctcalib.simulate.commands", "simulate", "Simulate a run to calibrate."),
    "compare-truth": Verb(
        "sctcalib.simulate.compare", "compare_truth", "Compare results with simulated truth."
    ),
}


class LazyGroup(click.Group):
    """Lists its sub-commands without importing them, so that ``--help`` is instant."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        verb = VERBS.get(cmd_name)
        if verb is None:
            return None
        command: click.Command = getattr(importlib.import_module(verb.module), verb.name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, verb.help) for name, verb in VERBS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=(
        "\b\nExample:\n"
        "  sctcalib simulate hitmaps --run 267367 --files 3 --events 20000 --seed 1 data\n"
        "  sctcalib run data/job.json --input-dir data"
    ),
)
@click.version_option(None, "-V", "--version", package_name="sctcalib", prog_name="sctcalib")
def main() -> None:
    """The ATLAS SCT 24-hour calibration loop."""
