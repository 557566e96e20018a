"""The commands ``sctcalib cool ...``: look into any COOL database in a SQLite file."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sctcalib.cool.console import (
    cool_errors,
    open_database,
    print_json,
    print_table,
    shortened,
)
from sctcalib.cool.console_command import console
from sctcalib.cool.merge_command import merge

if TYPE_CHECKING:
    from sctcalib.cool.folder import Folder
    from sctcalib.cool.query import Object

F = TypeVar("F", bound=Callable[..., Any])
_SHOW_EXAMPLE = """\b
Example:
  sctcalib cool show mycool.db /SCT/Derived/Monitoring --run 300000 --limit 5

\b
FILE is a path or "sqlite://;schema=FILE;dbname=NAME". A KEY is run/LB, a time
such as "2024-05-01_12:00:00.000000000 GMT", or the number itself; both ends
of the range are part of it.
"""
_LAST_LB = 0xFFFFFFFE
"""Of --run: the very last key of a run belongs to what an earlier run left open."""


def _shared_options(command: F) -> F:
    command = click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)
    return click.option(
        "--db", "name", metavar="NAME", help="The database, if the file holds several."
    )(command)


@click.group()
def cool() -> None:
    """Look into COOL conditions databases in SQLite files, and merge them."""


cool.add_command(merge)
cool.add_command(console)


@cool.command("ls", epilog="\b\nExample:\n  sctcalib cool ls mycool.db")
@click.argument("file")
@_shared_options
def ls(file: str, name: str | None, as_json: bool) -> None:
    """List the folders with their modes, channels, objects and tags."""
    with cool_errors(), open_database(file, name) as db:
        facts = [_facts(folder) for folder in db.folders()]
        result = {"file": str(db.path), "database": db.name, "folders": facts}
    if as_json:
        print_json(result)
        return
    headers = ("folder", "versioning", "payload", "channels", "objects", "tags")
    print_table(headers, [[_cell(fact[header]) for header in headers] for fact in facts])


def _facts(folder: Folder) -> dict[str, Any]:
    tags = {name: folder.count(name) for name in folder.tag_names()}
    head = folder.count()
    return {
        "folder": folder.path,
        "versioning": folder.versioning.name.lower(),
        "payload": folder.payload.name.lower(),
        "fields": dict(folder.fields),
        "description": folder.description,
        "channels": len(folder.channels()),
        "objects": head,
        "tags": tags,
    }


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} ({count})" for name, count in value.items())
    return str(value)


@cool.command("tags", epilog="\b\nExample:\n  sctcalib cool tags mycool.db /SCT/Derived/Monitoring")
@click.argument("file")
@click.argument("folder", required=False)
@_shared_options
def tags(file: str, folder: str | None, name: str | None, as_json: bool) -> None:
    """List the tags of FOLDER, or of all folders and folder sets."""
    with cool_errors(), open_database(file, name) as db:
        node = db.node(folder) if folder else None
        found = [tag for tag in db.tags() if node is None or tag.path == node.path]
        relations = [r for r in db.tag_relations() if node is None or node.path in (r[0], r[2])]
    rows = [
        {
            "folder": tag.path,
            "tag": tag.name,
            "kind": tag.kind.value,
            "lock": tag.lock.name.lower().replace("_", " "),
            "inserted": tag.inserted,
            "description": tag.description,
        }
        for tag in found
    ]
    links = [
        dict(zip(("parent", "parent_tag", "child", "child_tag"), r, strict=True)) for r in relations
    ]
    if as_json:
        print_json({"tags": rows, "relations": links})
        return
    headers = ("folder", "tag", "kind", "lock", "inserted", "description")
    print_table(headers, [[row[header] for header in headers] for row in rows])
    if links:
        click.echo()
        print_table(tuple(links[0]), [list(link.values()) for link in links])


@cool.command(
    "channels", epilog="\b\nExample:\n  sctcalib cool channels mycool.db /SCT/Derived/Monitoring"
)
@click.argument("file")
@click.argument("folder")
@_shared_options
def channels(file: str, folder: str, name: str | None, as_json: bool) -> None:
    """List the channels of FOLDER with their names and descriptions."""
    with cool_errors(), open_database(file, name) as db:
        found = db.folder(folder).channels()
    if as_json:
        print_json([{"id": c.id, "name": c.name, "description": c.description} for c in found])
        return
    print_table(
        ("channel", "name", "description"), [(str(c.id), c.name, c.description) for c in found]
    )


@cool.command("show", epilog=_SHOW_EXAMPLE)
@click.argument("file")
@click.argument("folder")
@click.option("--tag", help="The tag; HEAD without it.")
@click.option("--run", type=click.IntRange(0, 2**31 - 1), help="Objects valid in this run.")
@click.option("--since", metavar="KEY", help="Objects valid at this key or later.")
@click.option("--until", metavar="KEY", help="Objects valid at this key or earlier.")
@click.option("--channel", multiple=True, help="Number or name of a channel; may be repeated.")
@click.option("--limit", type=click.IntRange(0), help="At most so many objects.")
@click.option("--full", is_flag=True, help="Do not shorten long texts.")
@_shared_options
def show(
    file: str,
    folder: str,
    tag: str | None,
    run: int | None,
    since: str | None,
    until: str | None,
    channel: tuple[str, ...],
    limit: int | None,
    full: bool,
    name: str | None,
    as_json: bool,
) -> None:
    """Show the objects of FOLDER: channel, validity, payload."""
    with cool_errors(), open_database(file, name) as db:
        shown = db.folder(folder)
        chosen = _choose_tag(shown) if tag is None else tag
        first, last = _window(shown, run, since, until)
        wanted = [int(c) if c.isdecimal() else c for c in channel] or None
        objects = shown.browse(first, last, channels=wanted, tag=chosen)
    kept = objects if limit is None else objects[:limit]
    if as_json:
        rows = [_as_dict(found) for found in kept]
        print_json({"folder": shown.path, "tag": chosen or "HEAD", "objects": rows})
        return
    _print_objects(shown, kept, full)
    if len(kept) < len(objects):
        click.echo(f"{len(kept)} of {len(objects)} objects", err=True)


def _choose_tag(folder: Folder) -> str:
    """HEAD, or the only tag of a folder whose HEAD is empty; says which."""
    names = folder.tag_names()
    if not names or folder.count():
        return ""
    if len(names) == 1:
        click.echo(f"HEAD is empty; this is the only tag, {names[0]}", err=True)
        return names[0]
    click.echo(f"HEAD is empty; choose one with --tag: {', '.join(names)}", err=True)
    return ""


def _window(
    folder: Folder, run: int | None, since: str | None, until: str | None
) -> tuple[int, int]:
    from sctcalib.cool.times import VALIDITY_KEY_MAX, run_lumi

    if run is None:
        first = _key(since, "--since") if since else 0
        return first, _key(until, "--until") if until else VALIDITY_KEY_MAX
    if since or until:
        msg = "--run cannot go with --since or --until"
        raise click.UsageError(msg)
    if folder.key_kind == "time":
        msg = f"--run is of no use in {folder.path}, its objects are valid by time"
        raise click.UsageError(msg)
    return run_lumi(run), run_lumi(run, _LAST_LB)


def _key(text: str, option: str) -> int:
    from sctcalib.cool.errors import ValidityError
    from sctcalib.cool.times import VALIDITY_KEY_MAX, parse_time, run_lumi

    run, slash, lb = text.partition("/")
    if text == "inf":
        return VALIDITY_KEY_MAX
    try:
        if slash and run.isdecimal() and lb.isdecimal():
            return run_lumi(int(run), int(lb))
        key = int(text) if text.isdecimal() else parse_time(text)
    except ValidityError as error:
        msg = f"{option}: {error}; run/LB and plain numbers do too"
        raise click.UsageError(msg) from error
    return min(key, VALIDITY_KEY_MAX)


def _as_dict(found: Object) -> dict[str, Any]:
    return {
        "channel": found.channel,
        "since": found.since,
        "until": found.until,
        "inserted": found.inserted,
        "payload": list(found.items) if not found.payload else found.payload,
    }


def _print_objects(folder: Folder, objects: list[Object], full: bool) -> None:
    from sctcalib.cool.times import format_key

    rows = []
    for found in objects:
        interval = [format_key(key, folder.key_kind) for key in (found.since, found.until)]
        for record in [found.payload] if found.payload else found.items or [{}]:
            values = [shortened(record.get(name), full=full) for name, _ in folder.fields]
            rows.append([str(found.channel), *interval, *values])
    print_table(("channel", "since", "until", *(name for name, _ in folder.fields)), rows)


@cool.command("diff", epilog="\b\nExample:\n  sctcalib cool diff old.db mycool.db")
@click.argument("first")
@click.argument("second")
@click.option("--ignore-description", is_flag=True, help="Leave out descriptions of folders.")
@click.option("--limit", type=click.IntRange(0), help="Print at most so many differences.")
@_shared_options
@click.pass_context
def diff(
    ctx: click.Context,
    first: str,
    second: str,
    ignore_description: bool,
    limit: int | None,
    name: str | None,
    as_json: bool,
) -> None:
    """Compare two databases; when and under which ids objects were stored does not matter.

    The exit code is 0 if they are the same, 1 if they differ, 74 if one cannot be read.
    """
    from sctcalib.cool.diff import differences

    with cool_errors(), open_database(first, name) as a, open_database(second, name) as b:
        found = differences(a, b, ignore_description=ignore_description)
    kept = found if limit is None else found[:limit]
    if as_json:
        print_json([{"path": d.path, "kind": d.kind, "difference": d.text} for d in kept])
    else:
        for difference in kept:
            click.echo(str(difference))
    if len(kept) < len(found):
        click.echo(f"{len(kept)} of {len(found)} differences", err=True)
    ctx.exit(1 if found else 0)
