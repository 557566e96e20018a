"""The command ``sctcalib runs query``, called as AtlRunQuery (run-query-and-upload.md A1, A2)."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sctcalib.runs.console import database_option, form_options, open_runs, user_errors

if TYPE_CHECKING:
    from sctcalib.runs.asked import Asked
    from sctcalib.runs.query import Result

DATA = "data"
_EXAMPLE = """\b
Examples:
  sctcalib runs query --time "last3d" --lhc "stablebeams TRUE" --partition ATLAS \\
      --detmaskin 240A --projecttag "data*_*eV" \\
      --streams "*calibration_SCTNoise 10000+" \\
      --show run --show events --show "streams *calibration_SCTNoise"
  sctcalib runs query "find run 267000+ and st *SCTNoise 10k+ / show run and events"
  sctcalib runs query detmask f0

Ranges: N, A-B, N+ (from N on), N- (up to N). All of docs/runs.md.
"""
_OWN = {"--database": 1, "--data-dir": 1, "--table": 0, "--csv": 0,
        "--json": 0}  # fmt: skip
"""Options of this program, and how many values follow; they are no part of the query."""
_ELSEWHERE = (
    "smk", "release", "trigger", "dq", "luminosity", "olclumi", "olcfillparams", "beamspot", "bpm",
    "datasets", "ami", "larcond", "allevents", "bfield", "dqsumgrl", "defecttag", "logictag",
    "skipUnknown", "summary", "dqeff",
)  # fmt: skip
_WITHOUT_EFFECT = ("noroot", "nohtml", "selectOnUnknown", "utc", "root", "html")


class QueryCommand(click.Command):
    """Keeps the arguments as they were given, for the run list."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The original was also called with all options in one argument."""
        if not args:
            click.echo("No query argument given", err=True)
            raise click.exceptions.Exit(1)
        try:
            spelt = [w for a in args for w in (shlex.split(a) if _is_many(a) else [a])]
        except ValueError as error:
            msg = f"{' '.join(args)}: {error}"
            raise click.UsageError(msg, ctx) from None
        for word in spelt:
            name = word.removeprefix("--").partition("=")[0]
            if word.startswith("--") and name in _ELSEWHERE:
                msg = f"--{name}: the run database holds nothing that this option could ask for"
                raise click.UsageError(msg, ctx)
        ctx.meta["query"] = query_words(spelt)
        return super().parse_args(ctx, spelt)


def _is_many(argument: str) -> bool:
    """Whether an argument holds several options, as ``--run 3 --show run``."""
    return argument.startswith("--") and " " in argument.partition("=")[0]


def query_words(words: list[str]) -> list[str]:
    """The arguments without those of this program."""
    kept, skip = [], 0
    for word in words:
        name, equals, _ = word.partition("=")
        if skip:
            skip -= 1
        elif name in _OWN:
            skip = 0 if equals else _OWN[name]
        else:
            kept.append(word)
    return kept


def _options(command: Any) -> Any:
    """The options of the original that this version knows."""
    many = {
        "run": ("-r", "Run numbers: ranges joined by commas, or lastN."),
        "time": ("-t", "Times: last3d, d1.m1.y1-d2.m2.y2; UTC. Used without --run."),
        "detmaskin": ("", "Detector mask whose bits are set; with A behind it, any of them."),
        "detmaskout": ("", "Detector mask whose bits are not set."),
        "streams": ("", "Streams with more than N events: 'PATTERN N+'; fewer: 'PATTERN N-'."),
        "lhc": ("", "'stablebeams TRUE', 'fillnumber RANGE', 'beamenergy RANGE'."),
        "show": ("-s", "A column: run, time, duration, events, projecttag, lhc, 'streams X', ..."),
    }
    one = {
        "partition": ("-p", "Name of the partition."),
        "events": ("-e", "Range of physics events."),
        "duration": ("-l", "More than N seconds; with - behind it, fewer."),
        "readyforphysics": ("", "Ready-for-physics flag, 1 or 0."),
        "db": ("", "Without effect: there is one run database."),
        "ctag": ("", "Without effect."),
        "xmlfile": ("", "FILE:LABEL of the XML run list."),
    }
    for table, multiple in ((one, False), (many, True)):
        for name, (short, text) in reversed(table.items()):
            names = [*filter(None, (short,)), f"--{name}"]
            command = click.option(*names, name, multiple=multiple, metavar="X", help=text)(command)
    for name in _WITHOUT_EFFECT:
        command = click.option(f"--{name}", is_flag=True, hidden=True, expose_value=False)(command)
    return command


@click.command(cls=QueryCommand, epilog=_EXAMPLE)
@click.argument("words", metavar="[SENTENCE]", nargs=-1)
@_options
@click.option("--projecttag", "--filenametag", metavar="X", help="Patterns of the project tag.")
@click.option("--nogrl", is_flag=True, help="Do not write the XML run list.")
@click.option("-v", "--verbose", count=True, help="Say what is checked.")
@form_options
@click.option("--data-dir", type=click.Path(path_type=Path), default=DATA, show_default=True,
              metavar="DIR", help="Where the files of the result go.")  # fmt: skip
@database_option
@click.pass_context
def query(
    ctx: click.Context, /, words: tuple[str, ...], verbose: int, nogrl: bool, xmlfile: str | None,
    form: str | None, data_dir: Path, database: Path | None, db: str | None, ctag: str | None,
    **options: Any,
) -> None:  # fmt: skip
    """Find runs, by options or by a SENTENCE "find ... / show ... / ...".

    Writes QueryResult.txt and atlrunquery.json, if a run was found, and MyLBCollection.xml.
    """
    from sctcalib.runs.asked import Asked, understand
    from sctcalib.runs.language import translate
    from sctcalib.runs.ranges import QueryError

    if words and words[0] == "detmask":
        _print_mask(words[1:])
        return
    run_list = not nogrl
    try:
        asked = Asked(**options)
        if words:
            if asked != Asked():
                msg = f"a sentence ({' '.join(words)}) cannot go with options of a query"
                raise click.UsageError(msg)
            sentence = translate(" ".join(words))
            asked, run_list = sentence.asked, run_list and sentence.run_list
            xmlfile = xmlfile or sentence.xml_file
        with user_errors():
            result = _find(asked, understand(asked, _now()), database, verbose)
    except QueryError as error:
        raise click.UsageError(str(error), ctx) from None
    with user_errors():
        _write(
            result, " ".join(ctx.meta["query"]), data_dir, xmlfile if run_list else None, run_list
        )
    _print(result, form)


def _now() -> int:
    import time

    return time.time_ns()


def _find(asked: Asked, understood: Any, database: Path | None, verbose: int) -> Result:
    from sctcalib.runs.query import select

    with open_runs(database) as store:
        if verbose:
            for condition in understood.conditions:
                click.echo(f"SELOUT Checking for {condition.words}", err=True)
        result = select(understood, store)
        if verbose:
            click.echo(f" ==> {len(result.runs)} runs found", err=True)
        return result


def _write(result: Result, text: str, folder: Path, xmlfile: str | None, run_list: bool) -> None:
    from datetime import UTC, datetime

    from sctcalib.runs.output import NAME, RUN_LIST, RunList, write_files

    file, _, label = (xmlfile or "").partition(":")
    created = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    about = RunList(text, created, name=label or NAME) if run_list else None
    write_files(folder, result, about, file or RUN_LIST)


def _print(result: Result, form: str | None) -> None:
    from sctcalib.runs import output
    from sctcalib.runs.console import print_rows

    if form == "json":
        click.echo(output.as_json(result), nl=False)
        return
    names, rows = output.table_rows(result)
    print_rows(form, names, rows)
    if form != "csv":
        click.echo(f"{len(rows)} run{'' if len(rows) == 1 else 's'}")


def _print_mask(words: tuple[str, ...]) -> None:
    from sctcalib.runs.detector_bits import bits_of

    try:
        (text,) = words
        bits = bits_of(int(text, 16))
    except ValueError:
        msg = "detmask takes one hexadecimal mask, such as f0"
        raise click.UsageError(msg) from None
    for number, name in bits:
        click.echo(f"{number:>3}  {name}")
