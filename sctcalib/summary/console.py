"""XML files as text for the terminal: tables with rich, or plain lines for pipes and files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from numpy.typing import ArrayLike

from sctcalib.detector.identifiers import module_names
from sctcalib.parts.strip_lists import encode_normalised
from sctcalib.summary.bad_strips import BadStripsFile
from sctcalib.summary.fragments import number, one_by_one
from sctcalib.summary.noisy_summary import FLAGS, NoisyChip, NoisyModule, NoisySummary

LIST_WIDTH = 48
"""Longer lists are cut in the plain text, unless everything is asked for."""
STYLES = {"G": "bold green", "Y": "bold yellow", "R": "bold red", "U": "bold"}
"""Rich styles of flags."""


@dataclass(frozen=True)
class Table:
    """Rows of texts; the last columns of `lists` hold lists, which may be long."""

    title: str
    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    lists: int

    def first(self, rows: int | None) -> Table:
        """The table with the first rows and shortened lists; as it is for None."""
        if rows is None:
            return self
        start = len(self.header) - self.lists
        short = [
            (*row[:start], *(shortened(text) for text in row[start:])) for row in self.rows[:rows]
        ]
        return Table(self.title, self.header, short, self.lists)


@dataclass(frozen=True)
class Report:
    """What there is to say about a file."""

    title: str
    values: list[tuple[str, str]]
    tables: list[Table] = field(default_factory=list)
    styles: dict[str, str] = field(default_factory=dict)
    """Rich styles of values, by label."""


def shortened(text: str) -> str:
    """A list cut at a blank, with dots for the rest."""
    if len(text) <= LIST_WIDTH:
        return text
    return text[: text.rfind(" ", 0, LIST_WIDTH - 3) + 1] + "..."


def noisy_report(summary: NoisySummary) -> Report:
    """The text of BadStripsSummaryFile.xml."""
    s = summary
    values = [
        ("Run", str(s.run)),
        ("Flag", f"{s.flag} ({FLAGS[s.flag]})"),
        ("Reason", s.flag_reason.strip().rstrip(";")),
        ("Upload test", "enabled" if s.flag_enabled else "disabled"),
        ("Earlier uploads", "available" if s.read_cool else "unavailable"),
        ("Checks", s.check_list),
        ("Start", s.start),
        ("End", s.end),
        ("Duration", f"{s.duration} s"),
        ("Lumi blocks with events", f"{s.lumi_blocks}"),
        ("Events", f"{s.events}"),
        ("Noisy strips", f"{s.strips_all} ({s.strips_new} new; reference {s.strips_ref})"),
        ("Noisy modules", f"{s.modules} (reference {s.modules_ref}; {s.modules_diff} changed)"),
        ("Noisy links", f"{s.links}"),
        ("Modules with noisy chips", f"{s.chips}"),
        ("Reference run", "none" if s.reference_run is None else f"{s.reference_run}"),
    ]
    tables = []
    if s.noisy_chips is not None and s.noisy_modules is not None:
        tables = [_chip_table(s.noisy_chips), _module_table(s.noisy_modules)]
    return Report(f"Noisy strips of run {s.run}", values, tables, {"Flag": STYLES[s.flag]})


def _chip_table(chips: Sequence[NoisyChip]) -> Table:
    lists = encode_normalised([chip.lumi_blocks for chip in chips])
    rows = [
        (module_names()[chip.module], chip.serial, str(chip.chip), number(chip.lb_fraction), text)
        for chip, text in zip(chips, lists, strict=True)
    ]
    header = ("module", "serial number", "chip", "fraction", "noisy lumi blocks, minus one")
    return Table("Noisy chips", header, rows, lists=1)


def _module_table(noisy: Sequence[NoisyModule]) -> Table:
    every = encode_normalised([module.all for module in noisy])
    new = encode_normalised([module.new for module in noisy])
    rows = [
        (
            module_names()[module.module],
            module.serial,
            one_by_one(module.links),
            one_by_one(module.chips),
            *(_count(strips) for strips in (module.all, module.new, module.ref)),
            all_text,
            new_text,
        )
        for module, all_text, new_text in zip(noisy, every, new, strict=True)
    ]
    header = ("module", "serial number", "links", "chips", "all", "new", "ref")
    return Table("Noisy modules", (*header, "noisy strips", "new strips"), rows, lists=2)


def _count(strips: ArrayLike) -> str:
    return str(len(strips))  # type: ignore[arg-type]


def bad_strips_report(file: BadStripsFile) -> Report:
    """The text of BadStripsAllFile.xml and BadStripsNewFile.xml."""
    values = [
        ("Run", str(file.run)),
        ("Valid", f"{file.since} to {file.until}"),
        ("Folder", file.folder),
        ("Tag", file.tag),
        ("Database", f"{file.server}, {file.schema}, {file.dbname}"),
        ("Modules", str(len(file.channels))),
        ("Strips", str(sum(len(channel.strips) for channel in file.channels))),
    ]
    lists = encode_normalised([channel.strips for channel in file.channels])
    rows = [
        (module_names()[c.module], c.defect_type, number(c.threshold), _count(c.strips), text)
        for c, text in zip(file.channels, lists, strict=True)
    ]
    header = ("module", "type", "threshold", "number", "strips")
    table = Table("Modules", header, rows, lists=1)
    return Report(f"Bad strips of run {file.run}", values, [table])


def plain_lines(report: Report, rows: int | None) -> Iterator[str]:
    """The report with the first ``rows`` rows of each table; all of them for None."""
    yield report.title
    width = max(len(label) for label, _ in report.values)
    yield from (f"  {label:<{width}}  {text}".rstrip() for label, text in report.values)
    for table in report.tables:
        shown = table.first(rows)
        yield ""
        yield f"{table.title}: {len(table.rows)}"
        if shown.rows:
            yield from _aligned([shown.header, *shown.rows])
        yield from _left_out(table, shown)


def _aligned(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (f"{text:<{width}}" for text, width in zip(row, widths, strict=True))
        yield ("  " + "  ".join(cells)).rstrip()


def _left_out(table: Table, shown: Table) -> Iterator[str]:
    if len(shown.rows) < len(table.rows):
        yield f"  ... and {len(table.rows) - len(shown.rows)} more; --all shows them"


def print_rich(report: Report, rows: int | None) -> None:
    """Print the report to the terminal with its width and colours."""
    from rich import box
    from rich.console import Console
    from rich.table import Table as Grid
    from rich.text import Text

    console = Console(highlight=False)
    console.print(Text(report.title, style="bold"))
    values = Grid.grid(padding=(0, 2))
    for label, text in report.values:
        values.add_row(Text(label, style="dim"), Text(text, style=report.styles.get(label, "")))
    console.print(values)
    for table in report.tables:
        shown = table.first(rows)
        console.print()
        console.print(Text.assemble((table.title, "bold"), f"  {len(table.rows)}"))
        if shown.rows:
            grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False)
            for column, name in enumerate(shown.header):
                is_list = column >= len(shown.header) - shown.lists
                grid.add_column(name, no_wrap=not is_list, overflow="fold")
            for row in shown.rows:
                grid.add_row(*map(Text, row))
            console.print(grid)
        for line in _left_out(table, shown):
            console.print(Text(line, style="dim"))
