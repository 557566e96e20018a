"""``BadStripsAllFile.xml`` and ``BadStripsNewFile.xml`` (algorithms-hitmaps.md 7.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sctcalib.detector.identifiers import module_id32, modules, to_id64
from sctcalib.detector.regions import N_MODULE_STRIPS, N_MODULES
from sctcalib.parts import strip_lists
from sctcalib.summary.fragments import attribute, number, values, write_text
from sctcalib.summary.parsing import Fields, Node, natural, parse, real, whole

RUN_BIT = 32
"""A COOL run-lumi key is (run << 32) + lumi block."""
_ATTRIBUTES = ("server", "schema", "dbname", "folder", "since", "until", "tag", "version")
_POSITION = ("BarrelEndcap", "Layer", "Eta", "Phi")
_FIELDS = ("SampleSize", *_POSITION, "DefectType", "Threshold", "DefectList")


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


def check_module(module: int) -> None:
    """Raise ValueError for a number that is no module's; -1 would name the last one."""
    if not 0 <= module < N_MODULES:
        msg = f"module {module} is outside 0-{N_MODULES - 1}"
        raise ValueError(msg)


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
        if self.since >> RUN_BIT != self.run:
            msg = f"since {self.since} is a key of run {self.since >> RUN_BIT}, not of {self.run}"
            raise ValueError(msg)


def write_bad_strips(path: Path, file: BadStripsFile) -> None:
    """Write a file. The channels appear in the given order: by module number, by convention.

    Raises OutputFileError (exit 11) where it cannot be written, ValueError for strips that do not
    ascend or lie outside 0-1535.
    """
    lists = strip_lists.encode_normalised([channel.strips for channel in file.channels])
    interval = f'since="{file.since}" until="{file.until}"'
    places = ((name, getattr(file, name)) for name in ("server", "schema", "dbname", "folder"))
    header = " ".join(f'{name}="{attribute(text)}"' for name, text in places)
    blocks = [
        _channel_text(channel, strips, interval)
        for channel, strips in zip(file.channels, lists, strict=True)
    ]
    opening = f'<channels {header} {interval} tag="{attribute(file.tag)}" version="multi">\n'
    write_text(path, "".join([opening, *blocks, "</channels>\n"]))


def _channel_text(channel: BadStripsChannel, strips: str, interval: str) -> str:
    if len(channel.strips) and channel.strips[-1] >= N_MODULE_STRIPS:
        msg = f"module {channel.module}: strip {channel.strips[-1]} is outside 0-1535"
        raise ValueError(msg)
    identifier, position = _module_texts()[channel.module]
    fields: tuple[tuple[str, str | int], ...] = (
        ("SampleSize", channel.sample_size),
        *zip(_POSITION, position, strict=True),
        ("DefectType", channel.defect_type),
        ("Threshold", number(channel.threshold)),
        ("DefectList", strips),
    )
    return f'  <channel id="{identifier}" {interval}>\n{values(fields, 4)}  </channel>\n'


@cache
def _module_texts() -> list[tuple[int, tuple[int, ...]]]:
    """64-bit identifier and (bec, layer, eta, phi) of every module."""
    m = modules()
    positions = np.stack([m.bec, m.layer, m.eta, m.phi], axis=1).tolist()
    identifiers = to_id64(module_id32()).tolist()
    return [(i, tuple(p)) for i, p in zip(identifiers, positions, strict=True)]


@cache
def _module_of_identifier() -> dict[str, int]:
    """Module number of 64-bit and of 32-bit identifiers (cool-folders.md 4: readers take both)."""
    ids32 = module_id32()
    both = enumerate(zip(ids32.tolist(), to_id64(ids32).tolist(), strict=True))
    return {str(identifier): module for module, pair in both for identifier in pair}


def read_bad_strips(path: Path) -> BadStripsFile:
    """Read a file, also the original's; raises InputFileError (exit 74) naming file and line."""
    root = Node(path, parse(path))
    return bad_strips_of(root)


def bad_strips_of(root: Node) -> BadStripsFile:
    """The content below the root element of a parsed file; raises as `read_bad_strips`."""
    if root.name != "channels":
        root.fail(f"the root element is <{root.name}>, not the <channels> of bad strips")
    given = root.attributes(*_ATTRIBUTES)
    if given["version"] != "multi":
        root.fail(f"version is {given['version']!r}, not 'multi'")
    since, until = _interval(root, given)
    file = BadStripsFile(
        run=since >> RUN_BIT,
        since=since,
        until=until,
        tag=given["tag"],
        channels=(),
        folder=given["folder"],
        dbname=given["dbname"],
        schema=given["schema"],
        server=given["server"],
    )
    channels: dict[int, BadStripsChannel] = {}
    for node in root.children("channel"):
        channel = _channel(node, (since, until))
        if channel.module in channels:
            node.fail("a second <channel> for the same module")
        channels[channel.module] = channel
    return replace(file, channels=tuple(channels.values()))


def _interval(node: Node, given: Mapping[str, str]) -> tuple[int, int]:
    try:
        since, until = natural(given["since"]), natural(given["until"])
    except ValueError as error:
        node.fail(f"since or until of <{node.name}>: {error}")
    if until <= since:
        node.fail(f"the interval of <{node.name}> ends at {until}, not after {since}")
    return since, until


def _channel(node: Node, interval: tuple[int, int]) -> BadStripsChannel:
    given = node.attributes("id", "since", "until")
    if _interval(node, given) != interval:
        node.fail("the interval of a <channel> differs from that of the file")
    node.children("value")
    fields = node.fields(_FIELDS)
    return BadStripsChannel(
        module=_module(node, given["id"], fields),
        threshold=fields.convert("Threshold", real),
        strips=fields.convert("DefectList", strip_lists.decode),
        sample_size=fields.convert("SampleSize", natural),
        defect_type=fields.text("DefectType"),
    )


def _module(node: Node, identifier: str, fields: Fields) -> int:
    """The module of a channel, which its number and its position must agree on."""
    module = _module_of_identifier().get(identifier)
    if module is None:
        node.fail(f"channel id {identifier!r} is not the identifier of an SCT module")
    for name, expected in zip(_POSITION, _module_texts()[module][1], strict=True):
        if fields.convert(name, whole) != expected:
            fields.fail(
                name,
                f"{fields.text(name)!r}, but channel id {identifier} is a module at {expected}",
            )
    return module
