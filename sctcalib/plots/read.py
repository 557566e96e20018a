"""What a file holds, as something that can be drawn: XML by its content, or a database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from textwrap import shorten

import numpy as np

from sctcalib.detector.identifiers import IntArray, module_names
from sctcalib.detector.regions import N_CHIPS_PER_MODULE, N_MODULE_STRIPS
from sctcalib.job.errors import ArgumentError
from sctcalib.job.naming import Dataset
from sctcalib.parts import strip_lists
from sctcalib.plots.content import (
    ChipBlocks,
    Content,
    DeadItems,
    Heading,
    LayerValues,
    LinkErrors,
    LorentzAngles,
    LumiBlocks,
    SideValues,
    StripLists,
    Subject,
    Trips,
    detector_numbers,
    positive,
)
from sctcalib.plots.database import Choice, is_database, read_database
from sctcalib.summary.bad_modules import bad_modules_of
from sctcalib.summary.bad_strips import bad_strips_of
from sctcalib.summary.bytestream_modules import bytestream_modules_of
from sctcalib.summary.dead_console import adjective
from sctcalib.summary.dead_files import CHIPS_FOLDER, dead_file_of
from sctcalib.summary.dead_summary import FLAGS as DEAD_FLAGS
from sctcalib.summary.dead_summary import dead_summary_of
from sctcalib.summary.efficiency_modules import efficiency_modules_of
from sctcalib.summary.kinds import recognise
from sctcalib.summary.lorentz_angle_files import (
    FLAGS as LORENTZ_FLAGS,
)
from sctcalib.summary.lorentz_angle_files import (
    lorentz_file_of,
    lorentz_summary_of,
)
from sctcalib.summary.monitoring_summary import SUMMARY_KINDS, monitoring_summary_of
from sctcalib.summary.noise_occupancy_file import noise_occupancy_file_of
from sctcalib.summary.noisy_lb_summary import FLAGS as LB_FLAGS
from sctcalib.summary.noisy_lb_summary import NoisyChip as NoisyLbChip
from sctcalib.summary.noisy_lb_summary import noisy_lb_summary_of
from sctcalib.summary.noisy_summary import FLAGS, NoisyChip, noisy_summary_of
from sctcalib.summary.parsing import Node, parse

Read = tuple[int | None, int | None, Content]
"""Run and events, where the file has them, and the content."""


def read_subject(path: Path, choice: Choice) -> Subject:
    """The content of a result file of any kind.

    ``choice`` is for databases; with an XML file only a run can be given, where the file does not
    say it and its name neither. Raises InputFileError (exit 74)
    for a file that cannot be read or drawn, ArgumentError (exit 7) for a choice that cannot be
    made.
    """
    if is_database(path):
        return read_database(path, choice)
    root = Node(path, parse(path))
    run, events, content = READERS[recognise(root).files](root)
    unused = [option for option in choice.given() if run is not None or option != "--run"]
    if unused:
        msg = f"{path} is not a database: {', '.join(unused)} cannot be used with it"
        raise ArgumentError(msg)
    if run is None:
        run = choice.run or Dataset.parse(path.name).run
    heading = Heading(run=run, source=path.name, stream=stream_of(path.name, run), events=events)
    return Subject(heading, content)


def stream_of(name: str, run: int | None) -> str:
    """Stream of a file named after its dataset; nothing if the name belongs to another run."""
    dataset = Dataset.parse(name)
    return dataset.stream if dataset.run == run else ""


def compared(subject: Subject, other: Subject) -> Subject:
    """The subject with the reference named in its heading; ArgumentError for different kinds."""
    if isinstance(subject.content, LumiBlocks | Trips):
        msg = f"{subject.heading.source}: there is no comparison of {subject.content.kind}"
        raise ArgumentError(msg)
    if subject.content.kind != other.content.kind:
        msg = (
            f"{other.heading.source} holds {other.content.kind}, {subject.heading.source}"
            f" {subject.content.kind}: only like can be compared with like"
        )
        raise ArgumentError(msg)
    run = other.heading.run
    same = run == subject.heading.run
    name = other.heading.source if run is None or same else f"run {run}"
    return replace(subject, heading=replace(subject.heading, reference=name))


def _noisy_summary(root: Node) -> Read:
    summary = noisy_summary_of(root)
    modules = summary.noisy_modules
    lists = {
        name: detector_numbers([(m.module, getattr(m, name)) for m in modules or ()])
        for name in ("all", "new", "ref")
    }
    verdict = f"Upload flag {summary.flag} ({FLAGS[summary.flag]})."
    if summary.reference_run is not None:
        verdict += f"   Reference run {summary.reference_run}."
    chips = summary.noisy_chips
    content = StripLists(
        "Noisy strips", lists, empty=modules is None, lumi_blocks=summary.lumi_blocks,
        # The file has the numbers of lumi blocks minus one (algorithms-hitmaps.md 3.6).
        chips=None if chips is None else tuple(_chip(chip, offset=1) for chip in chips),
        verdict=verdict,
    )  # fmt: skip
    return summary.run, summary.events, content


def _chip(chip: NoisyChip | NoisyLbChip, *, offset: int = 0) -> ChipBlocks:
    return ChipBlocks(chip.module, chip.chip, chip.lumi_blocks + offset, chip.lb_fraction)


def _dead_summary(root: Node) -> Read:
    summary = dead_summary_of(root)
    word = adjective(root.path)
    verdict = f"Flag {summary.flag} ({DEAD_FLAGS[summary.flag]})."
    chips = [(m.module, _numbers(root, m.module, m.chips, _CHIPS)) for m in summary.dead_modules]
    strips = [(m.module, _numbers(root, m.module, m.strips)) for m in summary.dead_modules]
    content = DeadItems(_dead(word, chips, _CHIPS, verdict), _dead(word, strips, verdict=verdict))
    return summary.run, summary.events, content


def _dead_file(root: Node) -> Read:
    file = dead_file_of(root)
    end = _CHIPS if file.folder == CHIPS_FOLDER else N_MODULE_STRIPS
    lists = [(c.module, _numbers(root, c.module, c.defects, end)) for c in file.channels]
    return file.run, None, _dead(adjective(root.path), lists, end)


def _numbers(root: Node, module: int, text: str, end: int = N_MODULE_STRIPS) -> IntArray:
    try:
        return strip_lists.decode(text, end=end)
    except ValueError as error:
        root.fail(f"module {module_names()[module]}: {error}")


def _dead(
    word: str,
    lists: Sequence[tuple[int, IntArray]],
    end: int = N_MODULE_STRIPS,
    verdict: str = "",
) -> StripLists:
    things = "chips" if end == _CHIPS else "strips"
    numbers = detector_numbers(lists, end)
    return StripLists(f"{word} {things}", {things: numbers}, end // 2, verdict=verdict)


def _noisy_lb_summary(root: Node) -> Read:
    summary = noisy_lb_summary_of(root)
    rows = summary.lumi_block_rows
    noisy = "none" if not len(summary.noisy) else strip_lists.encode_normalised([summary.noisy])[0]
    content = LumiBlocks(
        numbers=np.array([row.number for row in rows], dtype=np.int64),
        n_chips=np.array([row.chips for row in rows], dtype=np.int64),
        occupancy=np.array([row.occupancy for row in rows], dtype=np.float64),
        noisy=np.array([row.noisy for row in rows], dtype=bool),
        chips=tuple(map(_chip, summary.chip_rows)),
        lumi_blocks=summary.lumi_blocks,
        verdict=f"Flag {summary.flag} ({LB_FLAGS[summary.flag]}).   {summary.judged:,} lumi blocks"
        f" judged; noisy: {shorten(noisy, 90)}.",
    )
    return summary.run, summary.events, content


def _bad_modules(root: Node) -> Read:
    found = bad_modules_of(root)
    content = Trips(
        modules=np.array([trip.module for trip in found], dtype=np.int64),
        seconds=np.array([(t.start, t.end) for t in found], dtype=np.int64).reshape(-1, 2),
        lumi_blocks=np.array([(t.first_lb, t.last_lb) for t in found]).reshape(-1, 2),
    )
    return None, None, content


def _bad_strips(root: Node) -> Read:
    file = bad_strips_of(root)
    strips = detector_numbers([(channel.module, channel.strips) for channel in file.channels])
    what = f"{file.channels[0].defect_type.capitalize() if file.channels else 'Bad'} strips"
    return file.run, None, StripLists(what, {"strips": strips})


def _layers(root: Node) -> Read:
    summary = monitoring_summary_of(root)
    return summary.run, summary.events, LayerValues(summary.kind, summary.means)


def _efficiency(root: Node) -> Read:
    found = efficiency_modules_of(root)
    # -1 without entries; 0 in files before 2024.
    return found.run, found.events, SideValues("Efficiency", positive(found.efficiency))


def _noise_occupancy(root: Node) -> Read:
    found = noise_occupancy_file_of(root)
    return found.run, None, SideValues("NoiseOccupancy", positive(found.occupancy))


def _links(root: Node) -> Read:
    found = bytestream_modules_of(root)
    fraction = not np.issubdtype(found.errors.dtype, np.integer)
    sums = found.errors.sum(axis=1, dtype=np.float64)
    totals = sums if fraction else found.totals.astype(np.float64)
    return found.run, found.events, LinkErrors(found.errors, totals, fraction)


def _lorentz_summary(root: Node) -> Read:
    found = lorentz_summary_of(root)
    verdict = f"Flag {found.flag} ({LORENTZ_FLAGS[found.flag]})."
    return found.run, found.events, LorentzAngles(found.records, verdict)


def _lorentz_file(root: Node) -> Read:
    return None, None, LorentzAngles(lorentz_file_of(root).records)


_CHIPS = N_CHIPS_PER_MODULE
READERS: dict[str, Callable[[Node], Read]] = {
    "BadStripsSummaryFile.xml": _noisy_summary,
    "BadStripsAllFile.xml and BadStripsNewFile.xml": _bad_strips,
    **{kind.file: _layers for kind in SUMMARY_KINDS.values()},
    "DeadSummaryFile.xml and QuietSummaryFile.xml": _dead_summary,
    "DeadStripsFile.xml, DeadChipsFile.xml, QuietStripsFile.xml and QuietChipsFile.xml": _dead_file,
    "NoisyLBSummaryFile.xml": _noisy_lb_summary,
    "BadModulesFile.xml": _bad_modules,
    "EfficiencyModuleSummary.xml": _efficiency,
    "NoiseOccupancyFile.xml": _noise_occupancy,
    "BSErrorModuleSummary.xml": _links,
    "LorentzAngleSummaryFile.xml": _lorentz_summary,
    "LorentzAngleFile.xml": _lorentz_file,
}
"""By the name of the kind in `summary.kinds.KINDS`."""
