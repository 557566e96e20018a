"""The command ``sctcalib cool console``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from sctcalib.cool.console import cool_errors, open_database

if TYPE_CHECKING:
    from sctcalib.cool.database import Database
    from sctcalib.cool.shell import Session

_EPILOG = """\b
Example:
  sctcalib cool console mycool.db -c "ls /SCT/Derived; listtags /SCT/Derived/Monitoring"
"""


@click.command("console", epilog=_EPILOG)
@click.argument("file")
@click.option("--db", "name", metavar="NAME", help="The database, if the file holds several.")
@click.option("-c", "commands", metavar="TEXT", help="Run these commands, separated by ; or lines.")
@click.option("--write", is_flag=True, help="Allow commands that change the database.")
@click.option("--yes", is_flag=True, help="Ask nothing; commands in scripts need it to change.")
def console(file: str, name: str | None, commands: str | None, write: bool, yes: bool) -> None:
    """Look around in FILE with commands such as ls, cd and more; help lists them.

    Commands are typed, or come from -c or standard input; a script ends at the first mistake. The
    database is open for reading only, unless --write is given.
    """
    from sctcalib.cool import shell

    with cool_errors():
        db = open_database(file, name)
        typed = commands is None and shell.is_terminal()
        session = _session(_writable(db) if write else db, write=write, yes=yes, typed=typed)
        try:
            if typed:
                session.greet()
                shell.interact(session)
            else:
                shell.run_script(session, sys.stdin.read() if commands is None else commands)
        finally:
            session.db.close()


def _writable(db: Database) -> Database:
    from sctcalib.cool.database import Database

    path, name = db.path, db.name
    db.close()
    return Database.open(path, name, read_only=False)


def _session(db: Database, *, write: bool, yes: bool, typed: bool) -> Session:
    from sctcalib.cool.shell import Session, UsageMistake

    def confirm(question: str) -> bool:
        if yes:
            return True
        if typed:
            try:
                return input(f"{question} (y/n) ").strip().lower() in ("y", "yes")
            except EOFError:
                return False
        msg = f"{question} Scripts change something with --yes only"
        raise UsageMistake(msg)

    return Session(db, click.echo, confirm, write=write)
