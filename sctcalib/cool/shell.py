"""The console of a COOL database: commands as of AtlCoolConsole (run-query-and-upload.md B5).

A `Session` is what commands work on: a database, the current node, and what `less` and `more` show.
`Shell` reads commands from a terminal, `run_script` from a text.
"""

from __future__ import annotations

import cmd
import os
import posixpath
import shlex
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sctcalib.cool.connection import Connection, parse_connection
from sctcalib.cool.database import Database
from sctcalib.cool.errors import CoolError, NodeError, TagError, nearest
from sctcalib.cool.folder import Folder
from sctcalib.cool.nodes import Node
from sctcalib.cool.tags import is_head, record
from sctcalib.cool.times import VALIDITY_KEY_MAX

HISTORY_LENGTH = 1000


class UsageMistake(CoolError):
    """A command that does not exist, or has too few or too many words."""


class Leave(Exception):
    """The console is left."""


@dataclass
class Session:
    """What the commands work on."""

    db: Database
    echo: Callable[[str], None]
    confirm: Callable[[str], bool]
    """Asks for leave to change something."""
    write: bool = False
    directory: str = "/"
    tag: str = ""
    """What less and more show; empty for HEAD."""
    channel: int | str | None = None
    since: int = 0
    until: int = VALIDITY_KEY_MAX
    listed: list[str] = field(default_factory=list)
    """Tags in their last listing, for `usetag N`."""

    def path(self, text: str = "") -> str:
        """An absolute path of one that may be relative to the current node."""
        joined = posixpath.normpath(posixpath.join(self.directory, text))
        return "/" + joined.lstrip("/")

    def node(self, text: str = "") -> Node:
        """The node of a path; raises NodeError."""
        path = self.path(text)
        try:
            return self.db.node(path)
        except NodeError as error:
            known = [node for node in self.db.node_paths() if node != "/"]
            msg = f"Node {path} does not exist{nearest(path, known)}"
            raise NodeError(msg) from error

    def folder(self, text: str = "") -> Folder:
        """The folder of a path; raises NodeError, also for a folder set."""
        node = self.node(text)
        if not node.is_folder:
            msg = f"{node.path} is a folder set, not a folder"
            raise NodeError(msg)
        return self.db.folder(node.path)

    def own_tag(self, node: Node, name: str) -> str:
        """A tag of a node, which must be there; raises TagError with the nearest one."""
        found = record(self.db, name)
        if is_head(name) or found is None or found.node_id != node.id:
            known = [tag.name for tag in self.db.tags() if tag.path == node.path]
            msg = f"no tag {name!r} in {node.path}{nearest(name, known)}"
            raise TagError(msg)
        return name

    def open(self, connection: str, name: str | None = None) -> None:
        """Go to another database, at its root and without selections."""
        where = parse_connection(connection)
        opened = Database.open(where.path, name or where.name, read_only=not self.write)
        self.db.close()
        self.db = opened
        self.directory, self.tag, self.channel, self.listed = "/", "", None, []
        self.since, self.until = 0, VALIDITY_KEY_MAX
        self.greet()

    def greet(self) -> None:
        """Say which database it is."""
        self.echo(f"Connected to '{Connection(self.db.path, self.db.name)}'")


def split(text: str) -> list[str]:
    """The commands of a text: lines, and parts between ``;`` outside quotes."""
    found = [""]
    quote = ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in ";\n":
            found.append("")
            continue
        found[-1] += character
    return [part.strip() for part in found if part.strip()]


def execute(session: Session, line: str) -> None:
    """Run one command; raises CoolError, and Leave for the commands that end the console."""
    from sctcalib.cool.shell_commands import ALIASES, COMMANDS

    try:
        words = shlex.split(line, comments=True)
    except ValueError as error:
        msg = f"{line}: {error}"
        raise UsageMistake(msg) from error
    if not words:
        return
    name, *arguments = words
    name = ALIASES.get(name, name)
    if name not in COMMANDS:
        msg = f"unknown command {words[0]!r}{nearest(name, [*COMMANDS, *ALIASES])}"
        raise UsageMistake(msg)
    command = COMMANDS[name]
    if not command.least <= len(arguments) <= command.most:
        msg = f"usage: {command.usage}"
        raise UsageMistake(msg)
    if command.writes and not session.write:
        msg = f"{name} changes the database, which is open for reading only; start with --write"
        raise UsageMistake(msg)
    command.run(session, *arguments)


def run_script(session: Session, text: str) -> None:
    """Run the commands of a text; the first that fails ends it with its CoolError."""
    with suppress(Leave):
        for line in split(text):
            execute(session, line)


class Shell(cmd.Cmd):
    """Commands from a terminal, with completion and history; a mistake is told and forgotten."""

    prompt = ">>> "

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session

    def onecmd(self, line: str) -> bool:
        """Run what a line says; true ends the loop."""
        if line == "EOF":
            self.session.echo("")
            return True
        try:
            for part in split(line):
                execute(self.session, part)
        except CoolError as error:
            self.session.echo(f"Error: {error}")
        except Leave:
            return True
        return False

    def emptyline(self) -> bool:
        """An empty line repeats nothing."""
        return False

    def completenames(self, text: str, *ignored: object) -> list[str]:
        """Commands that begin so."""
        from sctcalib.cool.shell_commands import ALIASES, COMMANDS

        return sorted(name for name in [*COMMANDS, *ALIASES] if name.startswith(text))

    def completedefault(self, text: str, line: str, begidx: int, endidx: int) -> list[str]:
        """Nodes and tags that begin so; readline takes only what follows the last delimiter."""
        start = line[: endidx + 1].split()[-1] if not line[:endidx].endswith(" ") else ""
        cut = len(start) - len(text)
        return [word[cut:] for word in self.words() if word.startswith(start)]

    def words(self) -> Iterable[str]:
        """All that an argument may be: paths, absolute and relative, and tags."""
        here = self.session.directory.rstrip("/") + "/"
        for path in self.session.db.node_paths():
            yield path
            if path.startswith(here) and path != here:
                yield path[len(here) :]
        for tag in self.session.db.tags():
            yield tag.name


def interact(session: Session) -> None:
    """Commands from the terminal until it is left."""
    session.echo("Welcome to the sctcalib console. Type 'help' for instructions.")
    history = _history_file()
    _load_history(history)
    shell = Shell(session)
    while True:
        try:
            shell.cmdloop()
        except KeyboardInterrupt:  # of a long listing, not of the console
            session.echo("")
        else:
            break
    _save_history(history)


def _history_file() -> Path:
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "sctcalib" / "cool_history"


def _load_history(path: Path) -> None:
    with suppress(ImportError, OSError):
        import readline

        readline.set_completer_delims(" \t\n")
        readline.read_history_file(path)


def _save_history(path: Path) -> None:
    with suppress(ImportError, OSError):
        import readline

        path.parent.mkdir(parents=True, exist_ok=True)
        readline.set_history_length(HISTORY_LENGTH)
        readline.write_history_file(path)


def is_terminal() -> bool:
    """Whether somebody types the commands."""
    return sys.stdin.isatty()
