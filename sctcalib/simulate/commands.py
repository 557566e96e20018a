"""The commands ``sctcalib simulate ...``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from sctcalib.simulate import options
from sctcalib.simulate.console import user_errors
from sctcalib.simulate.raw_commands import everything, raw

_HITMAPS_EXAMPLE = """\b
Examples:
  sctcalib simulate hitmaps --run 267367 --files 3 demo
  sctcalib simulate hitmaps --run 267367 --previous-run 267360 --noisy 300 demo
  sctcalib simulate hitmaps --run 267368 --empty standby
"""

_HIST_EXAMPLE = """\b
Examples:
  sctcalib simulate hist --run 267367 demo
  sctcalib simulate hist --run 267367 --style 21.0 --noisy-layer barrel:2 --errors 50 demo
  sctcalib simulate hist --run 267368 --empty standby
"""


@click.group()
def simulate() -> None:
    """Make the files of a run of a simulated detector, with known defects."""


simulate.add_command(raw)
simulate.add_command(everything)


@simulate.command(epilog=_HITMAPS_EXAMPLE)
@options.folder
@options.run
@click.option(
    "--files",
    type=click.IntRange(1, 9999),
    default=1,
    show_default=True,
    help="Pairs of map files; the events are split over them.",
)
@click.option("--events", type=click.IntRange(1), help="Events of the run.  [default: 20000]")
@click.option("--empty", is_flag=True, help="A run in standby: no events at all.")
@click.option(
    "--lumi-blocks",
    type=click.IntRange(1, 10_000),
    default=100,
    show_default=True,
    help="Lumi blocks of the run, evenly filled.",
)
@options.seed
@click.option(
    "--noisy",
    type=click.IntRange(0),
    default=100,
    show_default=True,
    help="Noisy strips, clearly above the threshold.",
)
@click.option(
    "--near",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    help="Strips within three standard deviations of the threshold.",
)
@click.option(
    "--noisy-chips",
    type=click.IntRange(0),
    default=4,
    show_default=True,
    help="Chips most of whose strips are noisy.",
)
@click.option(
    "--hot-wafers",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help="Wafers most of whose strips are noisy.",
)
@options.previous_run
@options.project
@options.noise_stream
@options.force
def hitmaps(
    folder: Path, run: int, files: int, events: int | None, empty: bool, lumi_blocks: int,
    seed: int, noisy: int, near: int, noisy_chips: int, hot_wafers: int,
    previous_run: int | None, project: str, stream: str, force: bool,
) -> None:  # fmt: skip
    """Write hit maps and lumi-block maps of one run into DIR.

    Beside the SCTHitMaps and SCTLB files, DIR gets truth.json with everything that was planted,
    runInfo.txt, and job.json, the dictionary of a noisy-strip job for these files. See
    docs/simulation.md.
    """
    if empty and events is not None:
        msg = "--empty is a run without events; leave out --events"
        raise click.UsageError(msg)
    with user_errors():
        from sctcalib.job.progress import terminal_progress
        from sctcalib.simulate.files import simulate as simulate_run
        from sctcalib.simulate.model import Defects
        from sctcalib.simulate.settings import Settings

        settings = Settings(
            run=run, n_events=0 if empty else events or 20_000, n_files=files,
            n_lumi_blocks=lumi_blocks, seed=seed, project=project, stream=stream,
            defects=Defects(noisy, near, noisy_chips, hot_wafers), previous_run=previous_run,
        )  # fmt: skip
        with terminal_progress() as progress, progress("simulating") as tick:
            truth = simulate_run(settings, folder, force=force, tick=tick)
    click.echo(
        f"Run {run}: {truth.n_events} events in {_pairs(len(truth.files))} of files,"
        f" {len(truth.planted.wafer)} planted strips."
    )
    click.echo(
        f"Analyse it in a new folder: sctcalib run {folder / 'job.json'} --input-dir {folder}"
    )


@simulate.command(epilog=_HIST_EXAMPLE)
@options.folder
@options.run
@click.option(
    "--style",
    type=click.Choice(["21.0", "master"]),
    default="master",
    show_default=True,
    help="Release whose monitoring wrote the file: names, classes and bins.",
)
@click.option(
    "--events",
    type=click.IntRange(0),
    default=100_000,
    show_default=True,
    help="Events of the run.",
)
@click.option(
    "--empty", is_flag=True, help="A run in standby: events are counted, nothing is measured."
)
@click.option(
    "--lumi-blocks",
    type=click.IntRange(1, 10_000),
    default=100,
    show_default=True,
    help="Lumi blocks of the run, evenly filled.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help="The same seed gives the same histograms.",
)
@click.option(
    "--inefficient",
    type=click.IntRange(0),
    default=5,
    show_default=True,
    help="Modules with an efficiency of 0.5 to 0.9.",
)
@click.option(
    "--disabled",
    type=click.IntRange(0),
    default=10,
    show_default=True,
    help="Modules that are not read out.",
)
@click.option(
    "--noisy-layer",
    "noisy_layers",
    metavar="REGION:LAYER",
    multiple=True,
    help="barrel:2, endcapA:0, ...: twenty times the noise; may be repeated.",
)
@click.option(
    "--errors",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    help="Sides with byte-stream errors.",
)
@click.option(
    "--lorentz",
    type=float,
    default=-4.0,
    show_default=True,
    help="Lorentz angle in degrees; layers differ a little.",
)
@click.option(
    "--lorentz-tracks",
    type=float,
    default=10.0,
    show_default=True,
    help="Tracks per event in each barrel layer and side.",
)
@options.project
@click.option("--stream", default="express_express", show_default=True, help="Stream.")
@options.force
def hist(
    folder: Path, run: int, style: Literal["21.0", "master"], events: int, empty: bool,
    lumi_blocks: int, seed: int, inefficient: int, disabled: int, noisy_layers: tuple[str, ...],
    errors: int, lorentz: float, lorentz_tracks: float, project: str, stream: str, force: bool,
) -> None:  # fmt: skip
    """Write the monitoring histograms (HIST file) of one run into DIR.

    Beside the HIST file, DIR gets truth.json with what is true of the detector, runInfo.txt,
    job.json, the dictionary of a job with all five parts that read such files, and one for each
    part. See docs/hist-files.md.
    """
    with user_errors():
        from sctcalib.simulate.hist_files import simulate_hist
        from sctcalib.simulate.hist_settings import HistSettings, NoisyLayer

        settings = HistSettings(
            run=run, style=style, n_events=events, is_empty=empty, n_lumi_blocks=lumi_blocks,
            seed=seed, project=project, stream=stream, n_inefficient=inefficient,
            n_disabled=disabled, noisy_layers=tuple(map(NoisyLayer.parse, noisy_layers)),
            n_error_links=errors, lorentz_angle=lorentz, lorentz_tracks=lorentz_tracks,
        )  # fmt: skip
        truth = simulate_hist(settings, folder, force=force)
    click.echo(f"Run {run}: {truth.n_events} events in {folder / truth.file}")
    click.echo(
        f"Analyse it in a new folder: sctcalib run {folder / 'job.json'} --input-dir {folder}"
    )


def _pairs(count: int) -> str:
    return "1 pair" if count == 1 else f"{count} pairs"
