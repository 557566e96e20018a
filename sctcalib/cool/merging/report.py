"""What a merge did or would do, for people, programs and the log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from sctcalib.cool.merging.classes import Classes, Conflict
from sctcalib.cool.merging.strips import StripDifference
from sctcalib.cool.times import format_key, run_of

MAX_CONFLICTS = 10
"""So many are named."""
HEADERS = ("folder", "tag", "valid", "channels", "rows", "new", "same", "update", "conflict")


class Outcome(StrEnum):
    """How a merge ended."""

    MERGED = "merged"
    NO_CHANGE = "no change"
    DRY_RUN = "dry run"
    REFUSED = "refused"


@dataclass
class Row:
    """One folder and tag."""

    folder: str
    tag: str
    key_kind: str
    since: int
    until: int
    channels: int
    """Of the file."""
    classes: Classes
    rows: int
    """Objects that are or would be stored."""
    replaced: int
    """Of these, over other content."""
    new_tag: bool
    strips: StripDifference | None

    @property
    def valid(self) -> str:
        """First and last key of the objects of the file."""
        return " - ".join(format_key(key, self.key_kind) for key in (self.since, self.until))

    def cells(self) -> tuple[str, ...]:
        """For the table with HEADERS."""
        c = self.classes
        tag = f"{self.tag or 'HEAD'}{' (new)' if self.new_tag else ''}"
        counts = (self.channels, self.rows, len(c.new), c.same, len(c.update), c.n_conflicts)
        return (self.folder, tag, self.valid, *map(str, counts))

    def as_dict(self) -> dict[str, Any]:
        """For JSON and for the log."""
        c = self.classes
        runs = {"run": run_of(self.since)} if self.key_kind.startswith("run-") else {}
        return {
            "folder": self.folder,
            "tag": self.tag or "HEAD",
            "new_tag": self.new_tag,
            **runs,
            "since": self.since,
            "until": self.until,
            "channels": self.channels,
            "rows": self.rows,
            "replaced": self.replaced,
            "new": len(c.new),
            "same": c.same,
            "update": len(c.update),
            "conflict": len(c.conflicts),
            "leftover": len(c.leftovers),
            "strips": asdict(self.strips) if self.strips else None,
        }


@dataclass
class Report:
    """One merge."""

    source: Path
    sha256: str
    source_database: str
    destination: Path
    database: str
    rows: list[Row] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    outcome: Outcome = Outcome.REFUSED
    backup: Path | None = None

    @property
    def n_rows(self) -> int:
        """Objects that are or would be stored, in all folders."""
        return sum(row.rows for row in self.rows)

    def as_dict(self) -> dict[str, Any]:
        """For JSON and for the log."""
        return {
            "outcome": self.outcome.value,
            "source": str(self.source.absolute()),
            "sha256": self.sha256,
            "source_database": self.source_database,
            "destination": str(self.destination.absolute()),
            "database": self.database,
            "backup": str(self.backup) if self.backup else None,
            "folders": [row.as_dict() for row in self.rows],
            "warnings": list(self.warnings),
        }

    def strip_lines(self) -> Iterator[str]:
        """Sentences on the lists of strips."""
        for row in self.rows:
            if row.strips is not None:
                yield f"{row.folder}: {_strips(row.strips)}"

    def conclusion(self) -> str:
        """The last line."""
        where = f"{self.database} in {self.destination}"
        if self.outcome is Outcome.NO_CHANGE:
            return f"no change: all is in {where} already"
        if self.outcome is Outcome.MERGED:
            return f"merged: {self.n_rows} objects into {where}"
        if self.outcome is Outcome.DRY_RUN:
            return f"dry run: {self.n_rows} objects would go into {where}"
        return f"refused: nothing was written into {where}"


def _strips(d: StripDifference) -> str:
    against = "with nothing" if d.run is None else f"with run {d.run}"
    return (
        f"compared {against}: modules {d.modules} ({d.modules_new} new, {d.modules_gone} gone, "
        f"{d.modules_changed} changed, {d.modules_unchanged} unchanged), strips {d.strips} "
        f"({d.strips_new} new, {d.strips_gone} gone, {d.strips_unchanged} unchanged)"
    )


def conflict_text(row: Row) -> str:
    """The first conflicts and their number."""
    named = [_named(conflict, row.key_kind) for conflict in row.classes.conflicts[:MAX_CONFLICTS]]
    room = MAX_CONFLICTS - len(named)
    named += [
        f"  channel {channel}, {_interval(since, until, row.key_kind)}: "
        "left over, the file has no such channel"
        for since, until, channel, _ in row.classes.leftovers[:room]
    ]
    total = row.classes.n_conflicts
    shown = f", the first {len(named)} are" if total > len(named) else ""
    conflicts = f"{total} conflict{'s' * (total > 1)} with what is there{shown}"
    head = f"{row.folder} {row.tag or 'HEAD'}: {conflicts}:"
    return "\n".join([head, *named])


def _named(conflict: Conflict, kind: str) -> str:
    interval = _interval(conflict.since, conflict.until, kind)
    return f"  channel {conflict.channel}, {interval}: {conflict.why}"


def _interval(since: int, until: int, kind: str) -> str:
    return f"{format_key(since, kind)} - {format_key(until, kind)}"
