"""The XML files of dead items, of trips and of noisy lumi blocks as text for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from sctcalib.detector.identifiers import module_names
from sctcalib.parts.strip_lists import encode_normalised, normalised
from sctcalib.summary import dead_summary, noisy_lb_summary
from sctcalib.summary.bad_modules import BadModule
from sctcalib.summary.console import STYLES, Report, Table
from sctcalib.summary.dead_files import CHIPS_FOLDER, DeadChannel, DeadFile
from sctcalib.summary.dead_summary import DeadSummary
from sctcalib.summary.fragments import number, one_by_one
from sctcalib.summary.noisy_lb_summary import NoisyLbSummary
from sctcalib.summary.run_values import RunValues


def adjective(path: Path) -> str:
    """``Quiet`` for the files of a quiet search, which only their names tell apart."""
    return "Quiet" if "quiet" in path.name.lower() else "Dead"


def _run_values(content: RunValues) -> list[tuple[str, str]]:
    return [
        ("Start", content.start),
        ("End", content.end),
        ("Duration", f"{content.duration} s"),
        ("Lumi blocks", str(content.lumi_blocks)),
        ("Events", str(content.events)),
    ]


def dead_report(summary: DeadSummary, kind: str) -> Report:
    """The text of DeadSummaryFile.xml and QuietSummaryFile.xml; ``kind`` is `adjective`."""
    s = summary
    values = [
        ("Run", str(s.run)),
        ("Flag", f"{s.flag} ({dead_summary.FLAGS[s.flag]})"),
        ("Reason", s.flag_reason),
        ("Upload test", "enabled" if s.flag_enabled else "disabled"),
        ("Checks", s.check_list),
        *_run_values(s),
        ("Modules with two dead links", str(s.modules)),
        ("Modules with one dead link", str(s.links)),
        (f"{kind} chips", f"{s.chips} (with those of dead links)"),
        (f"{kind} strips", f"{s.strips} (without those of dead links)"),
    ]
    rows = [
        (
            module_names()[module.module],
            module.serial,
            one_by_one(module.links),
            normalised(module.chips),
            normalised(module.strips),
        )
        for module in s.dead_modules
    ]
    header = ("module", "serial number", "links", "chips", f"{kind.lower()} strips")
    table = Table("Modules", header, rows, lists=2)
    title = f"{kind} strips and chips of run {s.run}"
    return Report(title, values, [table], {"Flag": STYLES[s.flag]})


def dead_file_report(file: DeadFile, kind: str) -> Report:
    """The text of the lists of dead or quiet strips or chips; ``kind`` is `adjective`."""
    what = "chips" if file.folder == CHIPS_FOLDER else "strips"
    values = [
        ("Run", str(file.run)),
        ("Valid", f"{file.since} to {file.until}"),
        ("Folder", file.folder),
        ("Tag", file.tag),
        ("Database", f"{file.server}, {file.schema}, {file.dbname}"),
        ("Modules", str(len(file.channels))),
    ]
    rows = [
        (
            module_names()[c.module],
            c.defect_type,
            number(c.threshold),
            _how_many(c),
            normalised(c.defects),
        )
        for c in file.channels
    ]
    header = ("module", "type", "threshold", "number", what)
    return Report(
        f"{kind} {what} of run {file.run}", values, [Table("Modules", header, rows, lists=1)]
    )


def _how_many(channel: DeadChannel) -> str:
    try:
        return str(len(channel.numbers))
    except ValueError:  # a run from high to low, by a mistake of the original
        return "?"


def bad_modules_report(intervals: Sequence[BadModule]) -> Report:
    """The text of BadModulesFile.xml."""
    values = [
        ("Intervals", str(len(intervals))),
        ("Modules", str(len({interval.module for interval in intervals}))),
    ]
    rows = [
        (
            module_names()[each.module],
            each.serial,
            _time(each.start),
            str(each.end - each.start),
            f"{each.first_lb}-{each.last_lb}",
        )
        for each in intervals
    ]
    header = ("module", "serial number", "start", "seconds", "lumi blocks")
    return Report("Trips of the high voltage", values, [Table("Intervals", header, rows, lists=0)])


def _time(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, OSError, ValueError):
        return f"{seconds} s"


def noisy_lb_report(summary: NoisyLbSummary) -> Report:
    """The text of NoisyLBSummaryFile.xml."""
    s = summary
    noisy, *lists = encode_normalised([s.noisy, *(chip.lumi_blocks for chip in s.chip_rows)])
    fraction = f", {number(s.noisy_fraction)} of those judged" if len(s.noisy) else ""
    values = [
        ("Run", str(s.run)),
        ("Flag", f"{s.flag} ({noisy_lb_summary.FLAGS[s.flag]})"),
        *_run_values(s),
        ("Lumi blocks judged", str(s.judged)),
        ("Noisy lumi blocks", f"{noisy or 'none'}{fraction}"),
        ("Chips noisy at some time", str(s.chips)),
    ]
    block_rows = [
        (
            str(block.number),
            str(block.events),
            number(block.occupancy),
            str(block.chips),
            number(block.chip_fraction),
            "noisy" if block.noisy else "",
        )
        for block in s.lumi_block_rows
    ]
    chip_rows = [
        (module_names()[chip.module], chip.serial, str(chip.chip), number(chip.lb_fraction), text)
        for chip, text in zip(s.chip_rows, lists, strict=True)
    ]
    block_header = ("lumi block", "events", "occupancy", "noisy chips", "fraction", "")
    chip_header = ("module", "serial number", "chip", "fraction", "noisy lumi blocks")
    tables = [
        Table("Lumi blocks with noisy chips", block_header, block_rows, lists=0),
        Table("Noisy chips", chip_header, chip_rows, lists=1),
    ]
    title = f"Noisy lumi blocks of run {s.run}"
    return Report(title, values, tables, {"Flag": STYLES[s.flag]})
