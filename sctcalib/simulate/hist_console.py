"""The output of compare-truth for simulated HIST files."""

from __future__ import annotations

import json
from pathlib import Path

import click

from sctcalib.job.errors import InputFileError
from sctcalib.simulate.hist_comparison import Agreement, compare_monitoring
from sctcalib.simulate.hist_found import read_found_monitoring
from sctcalib.simulate.hist_truth import HistTruth, read_hist_truth

_LISTED = 10
"""Outliers of one quantity named in the text."""


def compare_and_print(truth_path: Path, found_path: Path, *, as_json: bool) -> bool:
    """Whether everything agrees. Raises InputFileError for a file that cannot be used."""
    truth = read_hist_truth(truth_path)
    agreements = compare_monitoring(truth, read_found_monitoring(found_path, truth.run))
    if not agreements:
        msg = f"{found_path}: nothing that can be compared with {truth_path}"
        raise InputFileError(msg)
    if as_json:
        click.echo(json.dumps(_as_json(truth, agreements), indent=1))
    else:
        _print_table(truth, agreements)
    return _all_right(agreements)


def _all_right(agreements: list[Agreement]) -> bool:
    return all(agreement.is_right for agreement in agreements)


def _as_json(truth: HistTruth, agreements: list[Agreement]) -> dict[str, object]:
    return {
        "run": truth.run,
        "events": truth.n_events,
        "right": _all_right(agreements),
        "quantities": {
            a.name: {
                "compared": a.compared,
                "outliers": list(a.outliers),
                "mean_pull": a.mean,
                "rms_pull": a.width,
            }
            for a in agreements
        },
    }


def _print_table(truth: HistTruth, agreements: list[Agreement]) -> None:
    click.echo(f"Run {truth.run}, {truth.n_events} events, monitoring of {truth.style}")
    titles = ("", "compared", "outliers", "mean pull", "rms pull")
    click.echo("{:<26}{:>9}{:>10}{:>11}{:>10}".format(*titles))
    for a in agreements:
        click.echo(
            f"{a.name:<26}{a.compared:>9}{len(a.outliers):>10}{a.mean:>11.3f}{a.width:>10.3f}"
        )
    for a in agreements:
        for text in a.outliers[:_LISTED]:
            click.echo(f"{a.name}: {text}")
        if len(a.outliers) > _LISTED:
            click.echo(f"{a.name}: {len(a.outliers) - _LISTED} more (see --json)")
