"""The commands ``sctcalib conditions ...``: the databases that uploads go to."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from sctcalib.cool.console import cool_errors, print_json, print_table

DIRECTORY = click.Path(path_type=Path)
RUN = click.IntRange(1, 2**31 - 1)
_directory = click.argument("directory", type=DIRECTORY)
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_folder = click.option(
    "--folder", required=True, help="Path, its last word, or the part that writes it."
)
_run = click.option("--run", type=RUN, required=True, help="Run number.")
_db = click.option("--db", "name", default="", help="COMP200 for the noisy strips of Run 1.")


@contextmanager
def _errors(*, as_json: bool = False) -> Generator[None]:
    """One line for a failure, with the exit code of a merge or of the other COOL commands."""
    from sctcalib.cool.merge_command import refuse
    from sctcalib.cool.merging.problems import MergeError

    with cool_errors():
        try:
            yield
        except MergeError as error:
            refuse(error, as_json=as_json)


@click.group()
def conditions() -> None:
    """Keep a folder of conditions databases: uploads, status, disabled runs.

    Jobs read their reference from it if ConditionsDatabase names the folder.
    """


@conditions.command(epilog="\b\nExample:\n  sctcalib conditions init conditions")
@_directory
@click.option("--run1", is_flag=True, help="With COMP200.db for the noisy strips of Run 1.")
@click.option(
    "--config",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False),
    help="Take the tags from this configuration file; may be repeated.",
)
def init(directory: Path, run1: bool, config: tuple[str, ...]) -> None:
    """Make CONDBR2.db and MONP200.db in DIRECTORY, with the folders and tags of the SCT."""
    from sctcalib.conditions.layout import init as make

    with _errors():
        for file in make(directory, _configured_tags(config), run1=run1):
            click.echo(f"made {file}")


def _configured_tags(config: tuple[str, ...]) -> dict[str, str]:
    """Tags by folder of a configuration; none without files."""
    if not config:
        return {}
    from sctcalib.configuration import load_configuration
    from sctcalib.cool.folders import SCT_FOLDERS
    from sctcalib.job.errors import JobError

    try:
        options = load_configuration(list(config), search=[Path()])
    except JobError as error:
        raise click.UsageError(str(error)) from error
    return {f.path: options.text(f.tag_option) for f in SCT_FOLDERS.values()}


@conditions.command(
    epilog="\b\nExample:\n  sctcalib conditions upload mycool.db --to conditions --dry-run"
)
@click.argument("file")
@click.option("--to", "directory", type=DIRECTORY, required=True, help="Folder of databases.")
@click.option("--db", default="", metavar="NAME", help="Database in FILE, if it holds several.")
@click.option("--allow-new-tag", is_flag=True, help="Create tags that are not there.")
@click.option("--replace", is_flag=True, help="Store over other content; later runs stay.")
@click.option("--backup/--nobackup", default=None, help="Copy FILE; default: if noisy strips.")
@click.option("--comment", default="", help="Is kept in the log.")
@click.option("--dry-run", is_flag=True, help="Only say what would be written.")
@click.option("--wait", type=click.FloatRange(0), default=600.0, help="Seconds for another merge.")
@_json
def upload(
    file: str,
    directory: Path,
    db: str,
    allow_new_tag: bool,
    replace: bool,
    backup: bool | None,
    comment: str,
    dry_run: bool,
    wait: float,
    as_json: bool,
) -> None:
    """Merge FILE: noisy strips into CONDBR2.db, all other folders into MONP200.db.

    Descriptions of folders may differ. Exit codes are those of sctcalib cool merge.
    """
    from sctcalib.conditions.upload import upload as upload_file
    from sctcalib.cool.merge_command import print_report
    from sctcalib.cool.merging.perform import Options

    options = Options(
        source_database=db,
        allow_new_tag=allow_new_tag,
        replace=replace,
        comment=comment,
        dry_run=dry_run,
        wait_s=wait,
    )
    with _errors(as_json=as_json):
        reports = upload_file(file, directory, options, backup=backup)
    if as_json:
        print_json([report.as_dict() for report in reports])
        return
    for report in reports:
        print_report(report)


@conditions.command(epilog="\b\nExample:\n  sctcalib conditions status conditions")
@_directory
@click.option("--runs", type=click.IntRange(1), default=3, help="How many; default 3.")
@_json
def status(directory: Path, runs: int, as_json: bool) -> None:
    """Show the last uploaded runs of every folder and tag."""
    from dataclasses import asdict

    from sctcalib.conditions.status import status as find

    with _errors():
        found = find(directory, runs)
    if as_json:
        print_json([asdict(one) for one in found])
        return
    rows = [
        (
            one.database,
            one.folder,
            one.tag,
            str(one.objects),
            " ".join(map(str, one.runs)) or "none",
            one.inserted,
            " ".join(map(str, one.disabled)),
        )
        for one in found
    ]
    headers = ("database", "folder", "tag", "objects", "last runs", "uploaded", "disabled")
    print_table(headers, rows)


@conditions.command(
    epilog=(
        "\b\nExample:\n"
        '  sctcalib conditions disable conditions --run 300000 --folder Monitoring --why "standby"'
    )
)
@_directory
@_run
@_folder
@click.option("--why", required=True, help="The reason.")
@_db
def disable(directory: Path, run: int, folder: str, why: str, name: str) -> None:
    """Let a run be no reference; what was uploaded stays as it is."""
    from sctcalib.conditions import disabled, layout

    with _errors():
        place = layout.place(directory, layout.folder_named(folder), name)
        entry = disabled.disable(place.file, place.folder.path, run, why)
    told = f"run {run} of {place.folder.path} is disabled"
    if entry["why"] != why.strip():
        told += " already"
    click.echo(f"{told}, by {entry.get('who')} at {entry.get('when')}: {entry.get('why')}")


@conditions.command(
    epilog="\b\nExample:\n  sctcalib conditions enable conditions --run 300000 --folder Monitoring"
)
@_directory
@_run
@_folder
@_db
def enable(directory: Path, run: int, folder: str, name: str) -> None:
    """Let a disabled run be a reference again."""
    from sctcalib.conditions import disabled, layout

    with _errors():
        place = layout.place(directory, layout.folder_named(folder), name)
        entry = disabled.enable(place.file, place.folder.path, run)
    click.echo(
        f"run {run} of {place.folder.path} is enabled again; it was disabled by "
        f"{entry.get('who')} at {entry.get('when')}: {entry.get('why')}"
    )


@conditions.command(epilog="\b\nExample:\n  sctcalib conditions log conditions --last 5")
@_directory
@click.option("--last", type=click.IntRange(1), help="Only the last so many.")
@_json
def log(directory: Path, last: int | None, as_json: bool) -> None:
    """Show who merged what, and when."""
    from sctcalib.conditions.layout import existing
    from sctcalib.cool.merging.beside import read_log

    with _errors():
        records = [record for _, file in existing(directory) for record in read_log(file)]
    records.sort(key=lambda record: str(record.get("when")))
    kept = records[-last:] if last else records
    if as_json:
        print_json(kept)
        return
    headers = ("when", "who", "database", "folder", "tag", "run", "rows", "comment", "file")
    print_table(headers, [row for record in kept for row in _log_rows(record)])


def _log_rows(record: dict[str, Any]) -> list[tuple[str, ...]]:
    start = [str(record.get(key, "")) for key in ("when", "who", "database")]
    end = [str(record.get("comment", "")), Path(str(record.get("source", ""))).name]
    return [
        (*start, *(str(row.get(key, "")) for key in ("folder", "tag", "run", "rows")), *end)
        for row in record.get("folders", [])
        if row.get("rows")
    ]


@conditions.command(
    epilog="\b\nExample:\n  sctcalib conditions rules conditions --first-open-run 300100"
)
@_directory
@click.option("--db", "name", default="CONDBR2", help="Database; default CONDBR2.")
@click.option("--first-open-run", type=RUN, help="UPD1 and UPD4 tags change from this run on.")
@click.option("--no-first-open-run", is_flag=True, help="They change for all runs.")
@click.option("--allow-run", type=RUN, multiple=True, help="Locked UPD2 tags change for this run.")
@click.option("--forbid-run", type=RUN, multiple=True, help="No longer.")
def rules(
    directory: Path,
    name: str,
    first_open_run: int | None,
    no_first_open_run: bool,
    allow_run: tuple[int, ...],
    forbid_run: tuple[int, ...],
) -> None:
    """Show or set for which runs a database takes uploads."""
    from sctcalib.conditions.rules import set_rules
    from sctcalib.cool.console import NotInFile
    from sctcalib.cool.merging.updates import read_rules

    if first_open_run and no_first_open_run:
        msg = "--first-open-run contradicts --no-first-open-run"
        raise click.UsageError(msg)
    with _errors():
        from sctcalib.conditions.layout import existing

        known = dict(existing(directory))
        if name not in known:
            msg = f"{directory} has no database {name!r}; there are: {', '.join(known)}"
            raise NotInFile(msg)
        if first_open_run or no_first_open_run or allow_run or forbid_run:
            found = set_rules(
                known[name],
                first_open_run=first_open_run,
                no_first_open_run=no_first_open_run,
                allow=frozenset(allow_run),
                forbid=frozenset(forbid_run),
            )
        else:
            found = read_rules(known[name])
    click.echo(f"first open run of UPD1 and UPD4 tags: {found.first_open_run or 'none'}")
    allowed = " ".join(map(str, sorted(found.allowed_runs))) or "none"
    click.echo(f"runs for which locked UPD2 tags change: {allowed}")
