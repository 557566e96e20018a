"""doDeadStrip, doDeadChip and their quiet brothers: silent strips, chips and links."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sctcalib.cool.folders import folder_of_part
from sctcalib.detector.identifiers import module_id32, modules
from sctcalib.job.transform import Job
from sctcalib.parts.dead import DeadSearch, Thresholds, find_dead
from sctcalib.parts.dead_flag import judge, upload_tests
from sctcalib.parts.dead_lists import (
    ModuleLists,
    Row,
    chip_rows,
    listed_counts,
    log_lines,
    module_lists,
    strip_rows,
    summary_lists,
)
from sctcalib.parts.strip_lists import trimmed
from sctcalib.summary.dead_files import DeadChannel, of_one_run, write_dead_file
from sctcalib.summary.dead_summary import DeadModule, DeadSummary, write_dead_summary
from sctcalib.summary.page import style_sheets
from sctcalib.workflows.database import SAMPLE_SIZE, FolderContent, contribute
from sctcalib.workflows.maps import error_maps, hit_maps, reads_maps
from sctcalib.workflows.run_labels import run_values
from sctcalib.workflows.tables import known_bad_channels, readout_swap, serial_texts

log = logging.getLogger(__name__)

RAW_TO_MAPS = 1
STYLE_SHEET = "DeadInfo.xsl"
_SHARED = "dead search"


@dataclass(frozen=True)
class Kind:
    """What a part lists."""

    part: str
    folder_part: str
    """The part whose folder and tag the results have: quiet items are in those of dead ones."""
    file: str
    summary: str
    chips: bool
    quiet: bool


KINDS = {
    kind.part: kind
    for kind in (
        Kind("doDeadStrip", "doDeadStrip", "DeadStripsFile.xml", "DeadSummaryFile.xml",
             chips=False, quiet=False),
        Kind("doDeadChip", "doDeadChip", "DeadChipsFile.xml", "DeadSummaryFile.xml",
             chips=True, quiet=False),
        Kind("doQuietStrip", "doDeadStrip", "QuietStripsFile.xml", "QuietSummaryFile.xml",
             chips=False, quiet=True),
        Kind("doQuietChip", "doDeadChip", "QuietChipsFile.xml", "QuietSummaryFile.xml",
             chips=True, quiet=True),
    )
}  # fmt: skip


def write_nothing(job: Job) -> None:
    """Without events nothing at all is written of dead items (transform.md 4.1 step 9)."""


def run_dead_strips(job: Job) -> None:
    """The part doDeadStrip."""
    run(job, KINDS["doDeadStrip"])


def run_dead_chips(job: Job) -> None:
    """The part doDeadChip."""
    run(job, KINDS["doDeadChip"])


def run_quiet_strips(job: Job) -> None:
    """The part doQuietStrip."""
    run(job, KINDS["doQuietStrip"])


def run_quiet_chips(job: Job) -> None:
    """The part doQuietChip."""
    run(job, KINDS["doQuietChip"])


def run(job: Job, kind: Kind) -> None:
    """Make the maps (step 1), search, and write the list, the summary and the folder."""
    maps, errors = hit_maps(job), error_maps(job)
    if job.arguments["splitNoisyStrip"] == RAW_TO_MAPS:
        job.results[kind.part] = {"events": maps.n_events, "events in error maps": errors.n_events}
        return
    if maps.n_events == 0:
        job.idle[kind.part] = f"{kind.part}: no event has entered the hit maps"
        log.warning("%s", job.idle[kind.part])
        return
    found = _search(job, kind)
    if not (found.search.chips if kind.chips else found.search.strips):
        job.idle[kind.part] = f"{kind.part}: too few events ({maps.n_events}), nothing is listed"
        log.warning("%s", job.idle[kind.part])
        return
    lists = module_lists(found)
    rows = chip_rows(found, lists) if kind.chips else strip_rows(found, lists)
    tag = job.configuration[folder_of_part(kind.folder_part).tag_option]
    channels = tuple(DeadChannel(row.module, row.threshold, trimmed(row.text)) for row in rows)
    folder = folder_of_part(kind.folder_part).path.removeprefix("/")
    write_dead_file(job.output(kind.file), of_one_run(job.run, tag, folder, channels))
    if kind.summary not in job.written:
        _write_summary(job, found, lists, kind)
    contribute(job, FolderContent(kind.folder_part, _payloads(rows)))
    if not rows:
        log.info("%s: nothing to list, no local DB was created", kind.part)
    counts = listed_counts(found, lists)
    job.results[kind.part] = {
        "events": found.n_events,
        "modules": counts.modules,
        "links": counts.links,
        "chips": counts.chips,
        "strips": counts.strips,
        "modules listed": len(rows),
    }


def _search(job: Job, kind: Kind) -> DeadSearch:
    """The search, one for all parts of the job: strips and chips come from the same state."""
    if _SHARED not in job.shared:
        options = job.configuration
        asked = [KINDS[part] for part in job.arguments["part"] if part in KINDS]
        maps = hit_maps(job)
        found = find_dead(
            maps.counts,
            maps.n_events,
            Thresholds.from_options(options),
            swap=readout_swap(options),
            bad=known_bad_channels(options),
            bs_error_wafers=error_maps(job).any_error,
            strips=any(not each.chips for each in asked),
            chips=any(each.chips for each in asked),
            mode="quiet" if kind.quiet else "dead",
            compatibility=options["compatibility"],
        )
        for text in found.warnings:
            log.warning("%s", text)
        for line in log_lines(found):
            log.info("%s", line)
        job.shared[_SHARED] = found
    searched: DeadSearch = job.shared[_SHARED]
    return searched


def _write_summary(job: Job, found: DeadSearch, lists: Sequence[ModuleLists], kind: Kind) -> None:
    counts = listed_counts(found, lists)
    flag = judge(counts, found.search, **upload_tests(job.configuration))
    serials = serial_texts(job.configuration)
    summary = DeadSummary(
        modules=counts.modules,
        links=counts.links,
        chips=counts.chips,
        strips=counts.strips,
        flag=flag.flag,
        flag_reason=flag.reason,
        flag_enabled=flag.enabled,
        check_list=flag.check_list,
        dead_modules=tuple(
            DeadModule(serials[x.module], x.module, x.links, trimmed(x.chips), trimmed(x.strips))
            for x in summary_lists(found, lists)
        ),
        **{**run_values(job, events=found.n_events), "lumi_blocks": _lumi_blocks_read(job)},
    )
    write_dead_summary(job.output(kind.summary), summary)
    for sheet in style_sheets(STYLE_SHEET):
        job.put_beside(sheet)
    log.info("upload flag %s", flag.flag)


def _lumi_blocks_read(job: Job) -> int:
    """From the first to the last lumi block of the events; 0 where maps are read (2.4)."""
    if reads_maps(job):
        return 0
    from sctcalib.workflows.raw_maps import raw_maps

    raw = raw_maps(job)
    return 0 if raw.first_lb is None or raw.last_lb is None else raw.last_lb - raw.first_lb + 1


def _payloads(rows: Sequence[Row]) -> list[tuple[int, tuple[Any, ...]]]:
    """Channel and payload of each module, in the order of the folders' fields."""
    channels, m = module_id32().tolist(), modules()
    columns = [column.tolist() for column in (m.bec, m.layer, m.eta, m.phi)]
    return [
        (
            channels[row.module],
            (
                SAMPLE_SIZE,
                *(column[row.module] for column in columns),
                "DEAD",
                row.threshold,
                row.text,
            ),
        )
        for row in rows
    ]
