"""``BadStripsAllFile.xml`` and ``BadStripsNewFile.xml`` (algorithms-hitmaps.md 7.1)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sctcalib.detector.identifiers import module_id32, to_id64
from sctcalib.detector.regions import N_MODULE_STRIPS
from sctcalib.parts import strip_lists
from sctcalib.summary.channels import (
    FIELDS,
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


@dataclass(frozen=True, eq=False)
class BadStripsChannel:
    """The bad strips of one module."""

    module: int
    """Number 0-4087 in hash order."""
    threshold: float
    """Occupancy in hits per strip and event; printed in single precision with six digits."""
    strips: NDArray[np.int64]
    """Ascending numbers 768 * side + offline strip, 0-1535."""
    sample_size: int = 10000
    defect_type: str = "NOISY"

    def __post_init__(self) -> None:
        check_module(self.module)


@dataclass(frozen=True, eq=False)
class BadStripsFile:
    """One file: an interval of validity, where its content belongs in COOL, and the modules."""

    run: int
    since: int
    """Run-lumi key; its run is ``run``."""
    until: int
    """Run-lumi key, exclusive."""
    tag: str
    channels: tuple[BadStripsChannel, ...]
    folder: str = "SCT/Derived/Monitoring"
    """Without a leading slash, as in the original's files."""
    dbname: str = "CONDBR2"
    schema: str = "ATLAS_COOLOFL_SCT"
    server: str = "ATLAS_COOLPROD"

    def __post_init__(self) -> None:
        check_run(self.run, self.since)


def write_bad_strips(path: Path, file: BadStripsFile) -> None:
    """Write a file. The channels appear in the given order: by module number, by convention.

    Raises OutputFileError (exit 11) where it cannot be written, ValueError for strips that do not
    ascend or lie outside 0-1535.
    """
    lists = strip_lists.encode_normalised([channel.strips for channel in file.channels])
    interval = interval_text(file)
    blocks = [
        _channel_text(channel, strips, interval)
        for channel, strips in zip(file.channels, lists, strict=True)
    ]
    write_text(path, "".join([opening(file), *blocks, "</channels>\n"]))


def _channel_text(channel: BadStripsChannel, strips: str, interval: str) -> str:
    if len(channel.strips) and channel.strips[-1] >= N_MODULE_STRIPS:
        msg = f"module {channel.module}: strip {channel.strips[-1]} is outside 0-1535"
        raise ValueError(msg)
    texts: tuple[str | int, ...] = (
        channel.sample_size,
        *positions()[channel.module],
        channel.defect_type,
        number(channel.threshold),
        strips,
    )
    fields = values(zip(FIELDS, texts, strict=True), 4)
    return f'  <channel id="{_identifiers()[channel.module]}" {interval}>\n{fields}  </channel>\n'


@cache
def _identifiers() -> list[int]:
    """64-bit identifiers of all modules."""
    identifiers: list[int] = to_id64(module_id32()).tolist()
    return identifiers


def read_bad_strips(path: Path) -> BadStripsFile:
    """Read a file, also the original's; raises InputFileError (exit 74) naming file and line."""
    root = Node(path, parse(path))
    return bad_strips_of(root)


def bad_strips_of(root: Node) -> BadStripsFile:
    """The content below the root element of a parsed file; raises as `read_bad_strips`."""
    content = read_opening(root)
    channels = tuple(
        BadStripsChannel(
            module=module,
            threshold=fields.convert("Threshold", real),
            strips=fields.convert("DefectList", strip_lists.decode),
            sample_size=fields.convert("SampleSize", natural),
            defect_type=fields.text("DefectType"),
        )
        for _, module, fields in read_channels(root, content)
    )
    return BadStripsFile(channels=channels, **content)
