"""The command ``sctcalib compare-truth``."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sctcalib.simulate.console import user_errors

if TYPE_CHECKING:
    from sctcalib.simulate.comparison import Found, Score
    from sctcalib.simulate.truth import Truth

_EXAMPLE = """\b
Examples:
  sctcalib compare-truth demo/truth.json data15_13TeV.….BadStripsSummaryFile.xml
  sctcalib compare-truth --json demo/truth.json mycool.db
  sctcalib compare-truth demo/truth.json data15_13TeV.….EfficiencySummaryFile.xml
  sctcalib compare-truth raw/truth.json data15_13TeV.….DeadSummaryFile.xml
"""
_LISTED = 10
"""Missed and superfluous items named in the text."""


@click.command("compare-truth", epilog=_EXAMPLE)
@click.argument("truth", metavar="TRUTH.json", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("found", metavar="FOUND", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def compare_truth(truth: Path, found: Path, as_json: bool) -> None:
    """Compare what a job found with what is true of a simulated run.

    FOUND is the job's COOL database or one of its XML files.

    For hit maps (noisy-strip job): strips whose true occupancy is within five standard deviations
    of the threshold may be found or not; they are counted apart. For RAW files also dead strips
    and chips, HV trips and noisy lumi blocks. For HIST files: every value must
    be within five standard deviations of the truth, and counts of errors must be exact.

    The exit code is 0 if nothing that had to be found is missed and nothing is found that must
    not be, else 1.
    """
    with user_errors():
        from sctcalib.simulate.hist_truth import is_hist_truth

        if is_hist_truth(truth):
            from sctcalib.simulate.hist_console import compare_and_print

            right = compare_and_print(truth, found, as_json=as_json)
            raise click.exceptions.Exit(0 if right else 1)
        from sctcalib.simulate.raw_truth import is_raw_truth

        if is_raw_truth(truth):
            raise click.exceptions.Exit(0 if _compare_raw(truth, found, as_json=as_json) else 1)
        from sctcalib.simulate.comparison import compare
        from sctcalib.simulate.found import read_found
        from sctcalib.simulate.truth import read_truth

        planted = read_truth(truth)
        lists = read_found(found, planted.run)
        scores = compare(planted, lists)
    right = _print(planted, scores, lists, as_json=as_json)
    raise click.exceptions.Exit(0 if right else 1)


def _compare_raw(truth: Path, found: Path, *, as_json: bool) -> bool:
    """The same for the truth of RAW files, of which there are more lists."""
    from sctcalib.simulate.raw_comparison import compare_raw
    from sctcalib.simulate.raw_found import read_found_in_raw
    from sctcalib.simulate.raw_truth import read_raw_truth

    planted = read_raw_truth(truth)
    lists = read_found_in_raw(found, planted.noisy.run)
    return _print(planted.noisy, compare_raw(planted, lists), lists.noisy, as_json=as_json)


def _print(truth: Truth, scores: list[Score], found: Found | None, *, as_json: bool) -> bool:
    """Print the comparison; whether everything is right."""
    right = all(score.is_right for score in scores)
    if as_json:
        click.echo(json.dumps(_as_json(truth, scores, right=right), indent=1))
    else:
        _print_table(truth, scores)
        if found is not None:
            _print_reference_note(truth, found)
    return right


def _as_json(truth: Truth, scores: list[Score], *, right: bool) -> dict[str, Any]:
    from sctcalib.simulate.raw_comparison import describe

    return {
        "run": truth.run,
        "events": truth.n_events,
        "threshold": truth.threshold,
        "right": right,
        "lists": {
            score.name: {
                "expected": score.expected,
                "found": score.found,
                "missed": list(describe(score.name, score.missed)),
                "extra": list(describe(score.name, score.extra)),
                "near_threshold": score.near,
                "near_threshold_found": score.near_found,
                "efficiency": score.efficiency,
                "purity": score.purity,
            }
            for score in scores
        },
    }


def _print_table(truth: Truth, scores: list[Score]) -> None:
    from sctcalib.simulate.raw_comparison import describe

    click.echo(f"Run {truth.run}, {truth.n_events} events, threshold {truth.threshold:g}")
    titles = ("", "expected", "found", "missed", "extra", "efficiency", "purity", "near (found)")
    click.echo("{:<17}{:>9}{:>8}{:>8}{:>8}{:>12}{:>9}{:>16}".format(*titles))
    for s in scores:
        near = f"{s.near} ({s.near_found})"
        click.echo(
            f"{s.name:<17}{s.expected:>9}{s.found:>8}{len(s.missed):>8}{len(s.extra):>8}"
            f"{s.efficiency:>12.5f}{s.purity:>9.5f}{near:>16}"
        )
    for s in scores:
        for what, numbers in (("missed", s.missed), ("extra", s.extra)):
            for name in islice(describe(s.name, numbers), _LISTED):
                click.echo(f"{what} in {s.name}: {name}")
            if len(numbers) > _LISTED:
                click.echo(f"{what} in {s.name}: {len(numbers) - _LISTED} more (see --json)")


def _print_reference_note(truth: Truth, found: Found) -> None:
    """Say why new and reference strips are missing in the table."""
    from sctcalib.simulate.comparison import has_right_reference

    if not has_right_reference(truth, found):
        used, simulated = (
            f"run {run}" if run else "no run"
            for run in (found.reference_run, truth.reference and truth.reference.run)
        )
        click.echo(
            "new and reference strips are not compared: the job's reference is"
            f" {used}, that of the simulation is {simulated}"
        )
