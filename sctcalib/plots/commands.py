"""The command ``sctcalib plot``."""

from __future__ import annotations

from pathlib import Path

import click

from sctcalib.simulate.console import user_errors

_EXAMPLE = """\b
Examples:
  sctcalib plot BadStripsSummaryFile.xml
  sctcalib plot BadStripsSummaryFile.xml -o noisy-strips.pdf
  sctcalib plot EfficiencyModuleSummary.xml --compare earlier/EfficiencyModuleSummary.xml
  sctcalib plot mycool.db --folder /SCT/Derived/NoiseOccupancy -o noise.pdf
  sctcalib plot LorentzAngleSummaryFile.xml --hist HIST.root -o lorentz.pdf
"""


@click.command(epilog=_EXAMPLE)
@click.argument("file", metavar="OUTPUT", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="FILE.pdf for a document with all pages, FILE.png for a picture of each.  "
    "[default: the overview as a PNG file beside OUTPUT]",
)
@click.option("--folder", metavar="F", help="Folder of a database, if it has several.")
@click.option("--tag", metavar="T", help="Tag of the folder, if it has several.")
@click.option(
    "--run", metavar="R", type=click.IntRange(1), help="Run of a database.  [default: the last]"
)
@click.option(
    "--compare",
    metavar="OTHER",
    type=click.Path(path_type=Path),
    help="The same of another run, as a reference; may be the same database.",
)
@click.option(
    "--compare-run",
    metavar="R",
    type=click.IntRange(1),
    help="Run of the reference, if OTHER is a database.  [default: the last]",
)
@click.option(
    "--hist", metavar="HIST.root", type=click.Path(path_type=Path),
    help="Monitoring file with the profiles behind Lorentz angles.",
)  # fmt: skip
def plot(
    file: Path,
    output: Path | None,
    folder: str | None,
    tag: str | None,
    run: int | None,
    compare: Path | None,
    compare_run: int | None,
    hist: Path | None,
) -> None:
    """Draw a result: maps of the detector, distributions, averages, fits.

    OUTPUT is any XML file of the calibration jobs, recognised by its content, or a COOL database.
    docs/plots.md says what the pictures show. Needs pip install 'sctcalib[plots]'.
    """
    with user_errors():
        require_extra()
        from sctcalib.plots.database import Choice
        from sctcalib.plots.output import check_output, write_pages
        from sctcalib.plots.pages import pages_of, read_profiles
        from sctcalib.plots.read import compared, read_subject

        target = output or file.with_suffix(".png")
        check_output(target, [path for path in (file, compare, hist) if path])
        subject = read_subject(file, Choice(folder, tag, run))
        other = None
        if compare is not None:
            other = read_subject(compare, Choice(folder, tag, compare_run))
            subject = compared(subject, other)
        profiles = read_profiles(hist, subject) if hist else None
        pages = pages_of(subject, other, profiles)
        written = write_pages(target, pages, overview=output is None)
    for path in written:
        click.echo(path)
    if output is None and len(pages) > 1:
        click.echo(f"The overview of {len(pages)} pages; all of them: -o {file.stem}.pdf", err=True)


def require_extra() -> None:
    """Raise ArgumentError (exit 7) where the libraries for pictures are not installed."""
    from sctcalib.job.errors import ArgumentError

    try:
        import matplotlib  # noqa: F401
        import mplhep  # noqa: F401
    except ImportError as error:
        msg = f"pictures need matplotlib and mplhep ({error}): pip install 'sctcalib[plots]'"
        raise ArgumentError(msg) from error
