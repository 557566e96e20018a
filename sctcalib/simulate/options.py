"""Arguments and options that several commands ``sctcalib simulate ...`` share."""

from __future__ import annotations

from pathlib import Path

import click

folder = click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
run = click.option("--run", type=int, required=True, help="Run number.")
previous_run = click.option(
    "--previous-run",
    type=int,
    metavar="RUN",
    help="Also write a conditions database with this earlier run's noisy strips.",
)
project = click.option("--project", default="data15_13TeV", show_default=True, help="Project tag.")
force = click.option("--force", is_flag=True, help="Overwrite files of another run.")

noise_stream = click.option(
    "--stream", default="calibration_SCTNoise", show_default=True, help="Stream."
)
seed = click.option(
    "--seed",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help="The same seed gives the same files, byte by byte.",
)
