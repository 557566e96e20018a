"""The table of console commands, from which help, completion and docs derive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sctcalib.cool import shell_changes as change
from sctcalib.cool import shell_views as view
from sctcalib.cool.shell import Leave, Session, UsageMistake


@dataclass(frozen=True)
class Command:
    """One command."""

    usage: str
    """Name and arguments; those in brackets may be left out."""
    help: str
    run: Callable[..., None]
    writes: bool = False
    least: int = 0
    most: int = 0


def _command(usage: str, help: str, run: Callable[..., None], *, writes: bool = False) -> Command:
    words = usage.split()[1:]
    optional = sum("[" in word or "]" in word for word in words)
    return Command(usage, help, run, writes, len(words) - optional, len(words))


def show_help(session: Session, name: str = "") -> None:
    """All commands, or one."""
    if not name:
        width = max(len(command.usage) for command in COMMANDS.values())
        for command in COMMANDS.values():
            session.echo(f"{command.usage.ljust(width)}  {command.help}")
        session.echo(f"also: {', '.join(f'{a} = {b}' for a, b in ALIASES.items())}")
        return
    name = ALIASES.get(name, name)
    if name not in COMMANDS:
        from sctcalib.cool.errors import nearest

        msg = f"unknown command {name!r}{nearest(name, COMMANDS)}"
        raise UsageMistake(msg)
    session.echo(f"{COMMANDS[name].usage}\n  {COMMANDS[name].help}")


def leave(session: Session) -> None:
    """End the console."""
    raise Leave


def _table(*commands: Command) -> dict[str, Command]:
    return {command.usage.split()[0]: command for command in commands}


def _change(usage: str, help: str, run: Callable[..., Any]) -> Command:
    return _command(usage, help, run, writes=True)


COMMANDS = _table(
    _command("ls [node]", "list folder sets and folders", view.ls),
    _command("ll [node]", "the same with numbers of objects and sizes", view.ll),
    _command("cd [node]", "go to a folder set; to the root without one", view.cd),
    _command("pwd", "print the current node", view.pwd),
    _command("less folder", "print objects as they are stored", view.less),
    _command("more folder", "print objects, one per line, with readable keys", view.more),
    _command("usetag tag", "show this tag; a number of the last list; HEAD for none", view.usetag),
    _command("usechan channel", "show this channel, by number or name; ALL for all", view.usechan),
    _command(
        "userunlumi run1 [lb1] [run2] [lb2]",
        "show what is valid from run1 (and lumi block) to run2; one run alone is meant as a whole",
        view.userunlumi,
    ),
    _command("usetimes t1 t2", "the same for times YYYY-MM-DD:HH:MM:SS UTC", view.usetimes),
    _command("pws", "print what is selected", view.pws),
    _command("listtags [node]", "list the tags of a node with their locks", view.listtags),
    _command("filtertags node pattern", "tags with a pattern; showObsolete", view.filtertags),
    _command("listchans folder", "list the channels", view.listchans),
    _command("listinfo folder", "columns, types, description", view.listinfo),
    _command("tracetags node tag", "print what a tag selects, and what selects it", view.tracetags),
    _change("settag node tag parenttag", "let a tag of the parent select a tag", change.settag),
    _change("rmtag node tag", "remove a tag with its objects or relations", change.rmtag),
    _change("clonetag folder tag1 tag2", "copy the objects of a tag", change.clonetag),
    _change("headtag folder tag", "freeze what HEAD is under a name", change.headtag),
    _command(
        "locktag node tag [action]",
        "l lock, p partially, u unlock, r lock with all below; without: print the lock",
        change.locktag,
    ),
    _change("settginfo node tag text", "describe a tag", change.settginfo),
    _change("setchan folder id name [text]", "name and describe a channel", change.setchan),
    _change(
        "setdesc folder [text]", "describe a folder; the usual text without one", change.setdesc
    ),
    _change("rmdir node", "remove a folder with its objects, or an empty set", change.rmdir),
    _command("open connection", "go to another database", Session.open),
    _command("help [command]", "print this list, or one command", show_help),
    _command("exit", "leave", leave),
)
ALIASES = {"settimes": "usetimes", "lstags": "listtags", "quit": "exit", "dir": "ls"}
