"""The command ``sctcalib simulate raw``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from sctcalib.simulate import options
from sctcalib.simulate.console import user_errors

if TYPE_CHECKING:
    from sctcalib.simulate.raw_settings import RawSettings

_EXAMPLE = """\b
Examples:
  sctcalib simulate raw --run 267367 --files 2 --events 5000 raw
  sctcalib simulate raw --run 267367 --events 1500 --occupancy 0.02 --lit barrel:0 \\
      --stream express_express --dead-strips 50 dead
  sctcalib simulate raw --run 200804 --project data12_8TeV --format 4.0 --mode expanded run1
"""


def _count(name: str, default: int, text: str) -> click.Option:
    return click.Option(
        [name], type=click.IntRange(0), default=default, show_default=True, help=text
    )


_DEFECTS = (
    _count("--noisy", 100, "Noisy strips, clearly above the threshold."),
    _count("--near", 20, "Strips within three standard deviations of the threshold."),
    _count("--noisy-chips", 4, "Chips most of whose strips are noisy."),
    _count("--hot-wafers", 1, "Wafers most of whose strips are noisy."),
    _count("--dead-strips", 20, "Strips that never fire."),
    _count("--dead-chips", 5, "Chips that never fire."),
    _count("--dead-links", 3, "Sides that never fire."),
    _count("--hv-trips", 3, "Modules that are noisy for half a minute or more."),
    _count("--noisy-lbs", 2, "Lumi blocks in which a ring of modules is noisy."),
    _count("--errors", 15, "Sides with byte-stream errors in some events."),
    _count("--rod-errors", 0, "RODs with errors in some events."),
    _count("--unknown-ids", 3, "Events left out because of unknown links."),
)


@click.command(epilog=_EXAMPLE)
@options.folder
@options.run
@click.option(
    "--files",
    type=click.IntRange(1, 9999),
    default=1,
    show_default=True,
    help="Files; the events are split over them.",
)
@click.option(
    "--events", type=click.IntRange(1), default=5000, show_default=True, help="Events of the run."
)
@click.option(
    "--lumi-blocks",
    type=click.IntRange(1, 10_000),
    default=50,
    show_default=True,
    help="Lumi blocks of the run, 60 s each.",
)
@options.seed
@click.option(
    "--mode",
    type=click.Choice(["condensed", "expanded", "super"]),
    default="condensed",
    show_default=True,
    help="How hits are packed.",
)
@click.option(
    "--format",
    "event_format",
    type=click.Choice(["5.0", "4.0"]),
    default="5.0",
    show_default=True,
    help="Event format; 4.0 was that of Run 1.",
)
@click.option("--compress", is_flag=True, help="Compress events (5.0) or data blocks (4.0).")
@click.option(
    "--occupancy", type=float, default=0.0, help="Mean occupancy of all strips by particles."
)
@click.option("--mu", type=float, default=0.0, help="Instead: collisions per crossing.")
@click.option(
    "--lit",
    metavar="WHERE",
    default="all",
    show_default=True,
    help="Where particles hit: all, barrel, endcaps, barrel:0, disk:8, ...; dead items too.",
)
@options.previous_run
@options.project
@options.noise_stream
@options.force
def raw(
    folder: Path, run: int, files: int, events: int, lumi_blocks: int, seed: int, mode: str,
    event_format: Literal["5.0", "4.0"], compress: bool, occupancy: float, mu: float, lit: str,
    previous_run: int | None, project: str, stream: str, force: bool, **defects: int,
) -> None:  # fmt: skip
    """Write RAW files of one run into DIR.

    Beside the RAW files, DIR gets truth.json with everything that was planted, runInfo.txt, and
    the dictionaries of the jobs that read RAW files: job_split0.json and job_split1.json (noisy
    strips), job_dead_strip.json, job_dead_chip.json, job_hv.json and job_noisy_lb.json. See
    docs/simulation.md.
    """
    with user_errors():
        from sctcalib.bytestream.encoder_words import Mode
        from sctcalib.job.progress import terminal_progress
        from sctcalib.simulate.model import Defects
        from sctcalib.simulate.raw_files import simulate_raw
        from sctcalib.simulate.raw_settings import RawDefects, RawSettings
        from sctcalib.simulate.settings import Settings

        noisy = (defects[name] for name in ("noisy", "near", "noisy_chips", "hot_wafers"))
        base = Settings(
            run=run, n_events=events, n_files=files, n_lumi_blocks=lumi_blocks, seed=seed,
            project=project, stream=stream, defects=Defects(*noisy), previous_run=previous_run,
        )  # fmt: skip
        planted = RawDefects(
            defects["dead_strips"], defects["dead_chips"], defects["dead_links"],
            defects["hv_trips"], defects["noisy_lbs"], defects["errors"], defects["rod_errors"],
            defects["unknown_ids"],
        )  # fmt: skip
        settings = RawSettings(
            base, planted, occupancy=occupancy, pile_up=mu, lit=lit, mode=Mode(mode),
            event_format=event_format, compress=compress,
        )  # fmt: skip
        with terminal_progress() as progress, progress("simulating") as tick:
            simulate_raw(settings, folder, force=force, tick=tick)
    _say(settings, folder)


def _say(settings: RawSettings, folder: Path) -> None:
    base = settings.base
    files = "1 file" if base.n_files == 1 else f"{base.n_files} files"
    click.echo(f"Run {base.run}: {base.n_events} events in {files}.")
    job = folder / "job_split0.json"
    click.echo(f"Analyse it in a new folder: sctcalib run {job} --input-dir {folder}")


raw.params.extend(_DEFECTS)


_ALL_EXAMPLE = """\b
Example:
  sctcalib simulate all data
"""


@click.command("all", epilog=_ALL_EXAMPLE)
@options.folder
@click.option("--run", type=int, default=267367, show_default=True, help="Run number.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Seed.")
@options.force
def everything(folder: Path, run: int, seed: int, force: bool) -> None:
    """Write small files of all kinds of input of one run, in folders of DIR.

    hitmaps has the maps of 20 000 events and a reference run, hist and hist-21.0 the monitoring
    histograms of new and old releases, raw the data of the noise stream, dead data with particles
    in one layer, for dead strips and chips. Each folder has its truth.json, runInfo.txt and job
    dictionaries.
    """
    with user_errors():
        from sctcalib.simulate.everything import simulate_all

        simulate_all(run, seed, folder, force=force, say=click.echo)
