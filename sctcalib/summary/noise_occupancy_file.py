"""``NoiseOccupancyFile.xml``: the noise occupancy of every side (algorithms-hist.md 3.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sctcalib.detector.identifiers import wafer_id32, wafers
from sctcalib.summary.blocks import (
    BARREL,
    END_CAP_A,
    END_CAP_C,
    SAMPLE_SIZE,
    Blocks,
    by_wafer,
    check_serials,
    check_sides,
    wafer_order,
)
from sctcalib.summary.channels import RUN_BIT
from sctcalib.summary.fragments import attribute, escaped, numbers, values, write_text
from sctcalib.summary.parsing import Node, any_real, natural, parse, whole

LAST_OF_RUN = (1 << RUN_BIT) - 1
"""The interval of the file ends at this lumi block of the same run."""
_PLACES = ("server", "schema", "dbname", "folder")
_ATTRIBUTES = (*_PLACES, "since", "until", "tag", "version")
_POSITION = ("barrel_endcap", "Layer", "Eta", "Phi")
_FIELDS = ("SN", "SampleSize", *_POSITION, "NoiseOccupancy")


@dataclass(frozen=True, eq=False, kw_only=True)
class NoiseOccupancyFile:
    """The content of the file: one run, where it belongs in COOL, and a value per side."""

    run: int
    tag: str
    serials: Sequence[str]
    """Serial numbers of the 4088 modules; ``0`` where one is not known."""
    occupancy: NDArray[np.float32]
    """Hits per strip, event and time bin of every side in hash order, shape (8176,)."""
    sample_size: int = SAMPLE_SIZE
    folder: str = "SCT/Derived/NoiseOccupancy"
    """Without a leading slash, as in the original's files."""
    dbname: str = "MONP200"
    schema: str = "ATLAS_COOLOFL_SCT"
    server: str = "ATLAS_COOLPROD"

    def __post_init__(self) -> None:
        check_serials(self.serials)
        check_sides("noise occupancies", self.occupancy)

    @property
    def since(self) -> int:
        """Run-lumi key of the start."""
        return self.run << RUN_BIT

    @property
    def until(self) -> int:
        """Run-lumi key of the end, exclusive."""
        return self.since + LAST_OF_RUN


def write_noise_occupancy_file(path: Path, file: NoiseOccupancyFile) -> None:
    """Write the file; raises OutputFileError (exit 11)."""
    interval = f'since="{file.since}" until="{file.until}"'
    places = " ".join(f'{name}="{attribute(getattr(file, name))}"' for name in _PLACES)
    serials = [escaped(serial) for serial in file.serials]
    occupancies = numbers(file.occupancy)
    positions = _position_texts(file.sample_size)
    identifiers = wafer_id32().tolist()
    blocks = [
        f'  <channel id="{identifiers[wafer]}" {interval}>\n'
        f'    <value name="SN">{serials[wafer // 2]}</value>\n{positions[wafer]}'
        f'    <value name="NoiseOccupancy">{occupancies[wafer]}</value>\n  </channel>\n'
        for wafer in wafer_order((END_CAP_C, BARREL, END_CAP_A))
    ]
    opening = f'<channels {places} {interval} tag="{attribute(file.tag)}" version="multi">\n'
    write_text(path, "".join([opening, *blocks, "</channels>\n"]))


@cache
def _position_texts(sample_size: int) -> list[str]:
    """The lines between serial number and occupancy, of every side."""
    return [
        values(zip(_FIELDS[1:6], (sample_size, *position), strict=True), 4)
        for position in _positions()
    ]


@cache
def _positions() -> list[tuple[int, ...]]:
    """(bec, layer, eta, phi) of every side."""
    w = wafers()
    columns = (w.bec.tolist(), w.layer.tolist(), w.eta.tolist(), w.phi.tolist())
    return list(zip(*columns, strict=True))


def read_noise_occupancy_file(path: Path) -> NoiseOccupancyFile:
    """Read the file, also the original's; raises InputFileError (exit 74) naming file and line."""
    return noise_occupancy_file_of(Node(path, parse(path)))


def noise_occupancy_file_of(root: Node) -> NoiseOccupancyFile:
    """The content below the root element of a parsed file; raises as the reader of paths."""
    if root.name != "channels":
        root.fail(f"the root element is <{root.name}>, not <channels>")
    given = root.attributes(*_ATTRIBUTES)
    if given["version"] != "multi":
        root.fail(f"version is {given['version']!r}, not 'multi'")
    run = _run(root, given)
    nodes = root.children("channel")
    if not nodes:
        root.fail("<channels> holds no <channel>")
    attributes = [node.attributes("id", "since", "until") for node in nodes]
    blocks = Blocks(nodes, _FIELDS)
    found = blocks.identified_sides([channel["id"] for channel in attributes])
    _check_channels(blocks, attributes, found, given)
    return NoiseOccupancyFile(
        run=run,
        tag=given["tag"],
        serials=blocks.serials(found),
        occupancy=by_wafer(found, blocks.column("NoiseOccupancy", any_real), np.float32),
        sample_size=blocks.sample_size(),
        **{name: given[name] for name in _PLACES},
    )


def _run(root: Node, given: Mapping[str, str]) -> int:
    try:
        since, until = natural(given["since"]), natural(given["until"])
    except ValueError as error:
        root.fail(f"since or until of <channels>: {error}")
    run = since >> RUN_BIT
    if since != run << RUN_BIT or until != since + LAST_OF_RUN:
        root.fail(f"since {since} and until {until} are not the first and last key of one run")
    return run


def _check_channels(
    blocks: Blocks,
    attributes: Sequence[Mapping[str, str]],
    found: NDArray[np.int64],
    given: Mapping[str, str],
) -> None:
    """Interval and position of every channel must agree with the file and its identifier."""
    positions = zip(*(blocks.column(name, whole) for name in _POSITION), strict=True)
    rows = zip(attributes, found.tolist(), positions, strict=True)
    for index, (channel, wafer, position) in enumerate(rows):
        if (channel["since"], channel["until"]) != (given["since"], given["until"]):
            blocks.fail(index, "the interval of a <channel> differs from that of the file")
        if position != _positions()[wafer]:
            blocks.fail(
                index,
                f"(bec, layer, eta, phi) = {position}, but channel id {channel['id']} is a side "
                f"at {_positions()[wafer]}",
            )
