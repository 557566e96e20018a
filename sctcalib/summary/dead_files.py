"""``DeadStripsFile.xml``, ``DeadChipsFile.xml`` and those of quiet ones.

Reference: algorithms-hitmaps.md 7.4.

The lists are kept as texts: the original's mistakes make lists that repeat numbers, or go from high
to low, and a reader shows what a file says.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sctcalib.detector.identifiers import module_id32
from sctcalib.parts import strip_lists
from sctcalib.summary.channels import (
    FIELDS,
    RUN_BIT,
    check_module,
    check_run,
    interval_text,
    opening,
    positions,
    read_channels,
    read_opening,
)
from sctcalib.summary.fragments import number, values, write_text
from sctcalib.summary.parsing import Node, natural, parse, real

STRIPS_FOLDER = "SCT/Derived/DeadStrips"
CHIPS_FOLDER = "SCT/Derived/DeadChips"
STYLE_SHEET = "DeadInfo.xsl"
"""Of the page that ``sctcalib show`` makes; the files name none."""


@dataclass(frozen=True)
class DeadChannel:
    """The dead strips or chips of one module."""

    module: int
    """Number 0-4087 in hash order."""
    threshold: float
    """Significance in standard deviations, or the fraction that quiet ones are below."""
    defects: str
    """Strips 0-1535 or chips 0-11, in the trimmed form: two blanks between runs."""
    sample_size: int = 10000
    defect_type: str = "DEAD"

    def __post_init__(self) -> None:
        check_module(self.module)
        checked_list(self.defects)

    @property
    def numbers(self) -> NDArray[np.int64]:
        """The distinct numbers of the list.

        Raises ValueError for a run from high to low, which only the original's mistakes make.
        """
        return strip_lists.decode(self.defects)


@dataclass(frozen=True)
class DeadFile:
    """One file: an interval of validity, where its content belongs in COOL, and the modules."""

    run: int
    since: int
    """Run-lumi key; its run is ``run``."""
    until: int
    """Run-lumi key, exclusive."""
    tag: str
    folder: str
    """`STRIPS_FOLDER` or `CHIPS_FOLDER`."""
    channels: tuple[DeadChannel, ...]
    dbname: str = "MONP200"
    schema: str = "ATLAS_COOLOFL_SCT"
    server: str = "ATLAS_COOLPROD"

    def __post_init__(self) -> None:
        check_run(self.run, self.since)


def of_one_run(run: int, tag: str, folder: str, channels: tuple[DeadChannel, ...]) -> DeadFile:
    """The file of a run, which is valid for this run."""
    since = run << RUN_BIT
    return DeadFile(run, since, since + (1 << RUN_BIT) - 1, tag, folder, channels)


def checked_list(text: str) -> str:
    """The text itself; raises ValueError for words that are neither a number nor a range."""
    strip_lists.count(text)
    return text


def write_dead_file(path: Path, file: DeadFile) -> None:
    """Write a file. The channels appear in the given order: by module number, by convention.

    Raises OutputFileError (exit 11) where it cannot be written.
    """
    interval = interval_text(file)
    blocks = [_channel_text(channel, interval) for channel in file.channels]
    write_text(path, "".join([opening(file), *blocks, "</channels>\n"]))


def _channel_text(channel: DeadChannel, interval: str) -> str:
    texts: tuple[str | int, ...] = (
        channel.sample_size,
        *positions()[channel.module],
        channel.defect_type,
        number(channel.threshold),
        channel.defects,
    )
    fields = values(zip(FIELDS, texts, strict=True), 2)
    # Only the opening tag is indented like a channel.
    return f'  <channel id="{_identifiers()[channel.module]}" {interval}>\n{fields}</channel>\n'


@cache
def _identifiers() -> list[int]:
    """32-bit identifiers of all modules."""
    identifiers: list[int] = module_id32().tolist()
    return identifiers


def read_dead_file(path: Path) -> DeadFile:
    """Read a file, also the original's; raises InputFileError (exit 74) naming file and line."""
    return dead_file_of(Node(path, parse(path)))


def dead_file_of(root: Node) -> DeadFile:
    """The content below the root element of a parsed file; raises as `read_dead_file`."""
    content = read_opening(root)
    channels = tuple(
        DeadChannel(
            module=module,
            threshold=fields.convert("Threshold", real),
            defects=fields.convert("DefectList", checked_list),
            sample_size=fields.convert("SampleSize", natural),
            defect_type=fields.text("DefectType"),
        )
        for _, module, fields in read_channels(root, content)
    )
    return DeadFile(channels=channels, **content)
