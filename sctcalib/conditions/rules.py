"""The rules of update modes beside a database: first open run, allowed runs
(run-query-and-upload.md B1.2, B3)."""

from __future__ import annotations

from pathlib import Path

from sctcalib.conditions.disabled import WAIT_S
from sctcalib.conditions.jsonfile import write_json
from sctcalib.cool.merging.beside import locked
from sctcalib.cool.merging.updates import Rules, read_rules, rules_file


def set_rules(
    database: Path,
    *,
    first_open_run: int | None = None,
    no_first_open_run: bool = False,
    allow: frozenset[int] = frozenset(),
    forbid: frozenset[int] = frozenset(),
) -> Rules:
    """Change what is given and keep the rest; returns the rules from now on."""
    with locked(database, WAIT_S):
        rules = read_rules(database)
        first = None if no_first_open_run else first_open_run or rules.first_open_run
        changed = Rules(first, (rules.allowed_runs | allow) - forbid)
        if changed != rules:
            value = {"first_open_run": first, "allowed_runs": sorted(changed.allowed_runs)}
            write_json(rules_file(database), value)
    return changed
