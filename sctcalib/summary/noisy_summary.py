"""``BadStripsSummaryFile.xml`` (algorithms-hitmaps.md 7.2, 7.3; cool-folders.md 8.3 item 4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from sctcalib.detector.identifiers import module_names
from sctcalib.detector.regions import N_CHIPS_PER_MODULE, N_MODULE_STRIPS
from sctcalib.parts import strip_lists
from sctcalib.summary.channels import check_module
from sctcalib.summary.fragments import (
    DECLARATION,
    number,
    one_by_one,
    stylesheet,
    value,
    values,
    write_text,
)
from sctcalib.summary.parsing import Fields, Node, natural, one_of, parse, real, whole

IntArray = NDArray[np.int64]
T = TypeVar("T")

STYLE_SHEET = "BadStrips.xsl"
EMPTY_HITMAPS = "Noisy strips tried to run over empty hitmaps. Prevented and gracefully exited"
"""The check list of a run without events."""
FLAGS = {"G": "green", "Y": "yellow", "R": "red", "U": "not tested"}
"""Upload flags and what they mean."""
N_LINKS = 2
LUMI_BLOCK_END = 1_000_000
"""Far above any run; a damaged number must not ask for gigabytes."""


@dataclass(frozen=True, eq=False)
class NoisyChip:
    """A noisy chip and when it was noisy."""

    serial: str
    """Serial number of the module: 14 digits, or ``0`` where it is not known."""
    module: int
    """Number 0-4087 in hash order."""
    chip: int
    """0-11, readout order; 6-11 on side 1."""
    lumi_blocks: IntArray
    """Ascending, as printed: the number of the lumi block minus one."""
    lb_fraction: float
    """Noisy lumi blocks over lumi blocks with events; printed in single precision."""

    def __post_init__(self) -> None:
        check_module(self.module)


@dataclass(frozen=True, eq=False)
class NoisyModule:
    """The noisy strips of a module; strips are ascending numbers 0-1535, 768 * side + strip."""

    serial: str
    module: int
    links: tuple[int, ...]
    """Noisy sides, 0 and 1."""
    chips: tuple[int, ...]
    """Noisy chips, 0-11."""
    all: IntArray
    new: IntArray
    """Noisy now and not in the reference."""
    ref: IntArray
    """Noisy in the reference run."""

    def __post_init__(self) -> None:
        check_module(self.module)


@dataclass(frozen=True, eq=False)
class NoisySummary:
    """Everything in the file; the sections are None in the summary of a run without events."""

    run: int
    start: str
    """As `sctcalib.summary.times.utc_text` prints it; empty if not known."""
    end: str
    duration: int
    """Seconds."""
    lumi_blocks: int
    """Lumi blocks with events."""
    events: int
    modules: int
    """Modules with a noisy strip."""
    links: int
    """Noisy wafers."""
    chips: int
    """Modules with a noisy chip, as the original counts."""
    strips_all: int
    strips_new: int
    modules_ref: int
    strips_ref: int
    modules_diff: int
    """Modules whose list differs from the reference."""
    flag: str
    """Upload flag: G green, Y yellow, R red, U not tested."""
    flag_reason: str
    flag_enabled: bool
    read_cool: bool
    """Whether the averages of earlier runs were available."""
    check_list: str
    """Texts of the tests, joined by ``"; "``."""
    reference_run: int | None
    noisy_chips: tuple[NoisyChip, ...] | None
    noisy_modules: tuple[NoisyModule, ...] | None

    def __post_init__(self) -> None:
        if self.flag not in FLAGS:
            msg = f"flag {self.flag!r} is not one of {', '.join(FLAGS)}"
            raise ValueError(msg)
        if (self.noisy_chips is None) != (self.noisy_modules is None):
            msg = "a summary has both sections, noisy chips and noisy modules, or neither"
            raise ValueError(msg)


def _available(state: bool) -> str:
    return "AVAILABLE" if state else "UNAVAILABLE"


def _enabled(state: bool) -> str:
    return "ENABLED" if state else "DISABLED"


_RUN_VALUES: tuple[tuple[str, str, Callable[[Any], str | int], Callable[[str], object]], ...] = (
    ("RunNumber", "run", int, natural),
    ("StartTime", "start", str, str),
    ("EndTime", "end", str, str),
    ("Duration", "duration", int, whole),
    ("LB", "lumi_blocks", int, natural),
    ("Events", "events", int, natural),
    ("Modules", "modules", int, natural),
    ("Links", "links", int, natural),
    ("Chips", "chips", int, natural),
    ("StripsOfflineAll", "strips_all", int, natural),
    ("StripsOfflineNew", "strips_new", int, natural),
    ("ModulesRef", "modules_ref", int, natural),
    ("StripsOfflineRef", "strips_ref", int, natural),
    ("ModulesDiff", "modules_diff", int, natural),
    ("Flag", "flag", str, one_of({flag: flag for flag in FLAGS})),
    ("FlagReason", "flag_reason", str, str),
    ("FlagEnable", "flag_enabled", _enabled, one_of({"ENABLED": True, "DISABLED": False})),
    ("ReadCool", "read_cool", _available, one_of({"AVAILABLE": True, "UNAVAILABLE": False})),
    ("CheckList", "check_list", str, str),
)
"""Name in the file, name of the attribute, printing and reading; in the order of the file."""
REFERENCE_RUN = "ReferenceRun"
"""The last run value, which the original's files do not have."""
_CHIP_FIELDS = ("SN", "BecLayerPhiEta", "ChipID", "LB", "LBFraction")
_STRIP_FIELDS = ("StripOfflineAll", "StripOfflineNew", "StripOfflineRef")
_MODULE_FIELDS = ("SN", "BecLayerPhiEta", "LinkID", "ChipID", *_STRIP_FIELDS)


def fake_summary(
    run: int,
    start: str,
    end: str,
    duration: int,
    *,
    flag_enabled: bool,
    read_cool: bool,
    reference_run: int | None = None,
    lumi_blocks: int = 0,
    events: int = 0,
) -> NoisySummary:
    """The summary of a run whose hit maps are empty: red, all counts 0, no sections."""
    return NoisySummary(
        run=run,
        start=start,
        end=end,
        duration=duration,
        lumi_blocks=lumi_blocks,
        events=events,
        modules=0,
        links=0,
        chips=0,
        strips_all=0,
        strips_new=0,
        modules_ref=0,
        strips_ref=0,
        modules_diff=0,
        flag="R",
        flag_reason=" ",
        flag_enabled=flag_enabled,
        read_cool=read_cool,
        check_list=EMPTY_HITMAPS,
        reference_run=reference_run,
        noisy_chips=None,
        noisy_modules=None,
    )


def write_noisy_summary(path: Path, summary: NoisySummary) -> None:
    """Write the file. Chips and modules appear in the given order: module order, by convention.

    Raises OutputFileError (exit 11) where it cannot be written, ValueError for numbers that do not
    ascend or are out of range.
    """
    run_values = [(name, text(getattr(summary, key))) for name, key, text, _ in _RUN_VALUES]
    reference = "" if summary.reference_run is None else summary.reference_run
    pieces = [DECLARATION, stylesheet(STYLE_SHEET), "<run>\n", values(run_values, 2)]
    pieces.append(value(REFERENCE_RUN, reference, 2))
    if summary.noisy_chips is not None and summary.noisy_modules is not None:
        pieces += ["  <chips>\n", *_chip_texts(summary.noisy_chips), "  </chips>\n"]
        pieces += ["  <modules>\n", *_module_texts(summary.noisy_modules), "  </modules>\n"]
    pieces.append("</run>\n")
    write_text(path, "".join(pieces))


def _chip_texts(chips: Sequence[NoisyChip]) -> Iterator[str]:
    lists = strip_lists.encode_normalised([chip.lumi_blocks for chip in chips])
    for chip, lumi_blocks in zip(chips, lists, strict=True):
        _check_below(chip.module, "lumi block", chip.lumi_blocks, LUMI_BLOCK_END)
        _check_few(chip.module, "chips", (chip.chip,), N_CHIPS_PER_MODULE)
        texts = (
            chip.serial,
            module_names()[chip.module],
            chip.chip,
            lumi_blocks,
            number(chip.lb_fraction),
        )
        yield _block("chip", zip(_CHIP_FIELDS, texts, strict=True))


def _module_texts(noisy: Sequence[NoisyModule]) -> Iterator[str]:
    lists = iter(strip_lists.encode_normalised([x for m in noisy for x in (m.all, m.new, m.ref)]))
    for module in noisy:
        for strips in (module.all, module.new, module.ref):
            _check_below(module.module, "strip", strips, N_MODULE_STRIPS)
        _check_few(module.module, "links", module.links, N_LINKS)
        _check_few(module.module, "chips", module.chips, N_CHIPS_PER_MODULE)
        texts = (
            module.serial,
            module_names()[module.module],
            one_by_one(module.links),
            one_by_one(module.chips),
            next(lists),
            next(lists),
            next(lists),
        )
        yield _block("module", zip(_MODULE_FIELDS, texts, strict=True))


def _block(tag: str, fields: Iterable[tuple[str, str | int]]) -> str:
    return f"    <{tag}>\n{values(fields, 6)}    </{tag}>\n"


def _check_below(module: int, what: str, ascending: IntArray, end: int) -> None:
    if len(ascending) and ascending[-1] >= end:
        msg = f"module {module}: {what} {ascending[-1]} is outside 0-{end - 1}"
        raise ValueError(msg)


def _check_few(module: int, what: str, numbers: tuple[int, ...], end: int) -> None:
    if any(not 0 <= number < end for number in numbers) or list(numbers) != sorted(set(numbers)):
        msg = f"module {module}: {what} {numbers} do not ascend within 0-{end - 1}"
        raise ValueError(msg)


def read_noisy_summary(path: Path) -> NoisySummary:
    """Read the file, also the original's; raises InputFileError (exit 74) naming file and line."""
    return noisy_summary_of(Node(path, parse(path)))


def noisy_summary_of(root: Node) -> NoisySummary:
    """The content below the root element of a parsed file; raises as `read_noisy_summary`."""
    if root.name != "run":
        root.fail(f"the root element is <{root.name}>, not the <run> of a summary")
    root.attributes()
    children = root.children("value", "chips", "modules")
    fields = root.fields([name for name, *_ in _RUN_VALUES], (REFERENCE_RUN,))
    content: dict[str, Any] = {
        key: fields.convert(name, reader) for name, key, _, reader in _RUN_VALUES
    }
    chips = _section(root, children, "chips", _noisy_chip)
    modules = _section(root, children, "modules", _noisy_module)
    if (chips is None) != (modules is None):
        root.fail("<run> has only one of the sections <chips> and <modules>")
    return NoisySummary(
        **content,
        reference_run=fields.convert(REFERENCE_RUN, _number_or_none),
        noisy_chips=chips,
        noisy_modules=modules,
    )


def _number_or_none(text: str) -> int | None:
    return natural(text) if text else None


def _section(
    root: Node, children: Sequence[Node], tag: str, read: Callable[[Node], tuple[object, T]]
) -> tuple[T, ...] | None:
    """The blocks of a section, which differ in their keys; None if there is no such section."""
    sections = [child for child in children if child.name == tag]
    if len(sections) > 1:
        sections[1].fail(f"<run> has a second <{tag}>")
    if not sections:
        return None
    sections[0].attributes()
    found: dict[object, T] = {}
    for node in sections[0].children(tag.removesuffix("s")):
        key, block = read(node)
        if key in found:
            node.fail(f"a second <{node.name}> for the same {node.name}")
        found[key] = block
    return tuple(found.values())


def _block_fields(node: Node, names: Sequence[str]) -> Fields:
    node.attributes()
    node.children("value")
    return node.fields(names)


def _noisy_chip(node: Node) -> tuple[object, NoisyChip]:
    fields = _block_fields(node, _CHIP_FIELDS)
    chip = NoisyChip(
        serial=fields.text("SN"),
        module=fields.convert("BecLayerPhiEta", _module),
        chip=fields.convert("ChipID", _chip),
        lumi_blocks=fields.convert("LB", partial(strip_lists.decode, end=LUMI_BLOCK_END)),
        lb_fraction=fields.convert("LBFraction", real),
    )
    return (chip.module, chip.chip), chip


def _noisy_module(node: Node) -> tuple[object, NoisyModule]:
    fields = _block_fields(node, _MODULE_FIELDS)
    links = fields.convert("LinkID", partial(strip_lists.decode, end=N_LINKS))
    chips = fields.convert("ChipID", partial(strip_lists.decode, end=N_CHIPS_PER_MODULE))
    every, new, ref = (fields.convert(name, strip_lists.decode) for name in _STRIP_FIELDS)
    module = NoisyModule(
        serial=fields.text("SN"),
        module=fields.convert("BecLayerPhiEta", _module),
        links=tuple(links.tolist()),
        chips=tuple(chips.tolist()),
        all=every,
        new=new,
        ref=ref,
    )
    return module.module, module


def _chip(text: str) -> int:
    chip = natural(text)
    if chip >= N_CHIPS_PER_MODULE:
        msg = f"{text!r} is not a chip 0-{N_CHIPS_PER_MODULE - 1}"
        raise ValueError(msg)
    return chip


def _module(text: str) -> int:
    module = _modules_by_name().get(text)
    if module is None:
        msg = f"{text!r} is not the position bec.layer.phi.eta of an SCT module"
        raise ValueError(msg)
    return module


@cache
def _modules_by_name() -> dict[str, int]:
    return {name: module for module, name in enumerate(module_names())}
