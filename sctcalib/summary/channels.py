"""What the lists of bad and of dead items share: their root element, and channels of modules.

The root ``<channels>`` says where the content belongs in COOL and for which interval
(algorithms-hitmaps.md 7.1, 7.4); a ``<channel>`` is a module by its identifier.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Protocol

import numpy as np

from sctcalib.detector.identifiers import module_id32, module_names, modules, to_id64
from sctcalib.detector.regions import N_MODULES
from sctcalib.summary.fragments import attribute
from sctcalib.summary.parsing import Fields, Node, natural, whole

RUN_BIT = 32
"""A COOL run-lumi key is (run << 32) + lumi block."""
POSITION = ("BarrelEndcap", "Layer", "Eta", "Phi")
FIELDS = ("SampleSize", *POSITION, "DefectType", "Threshold", "DefectList")
_PLACES = ("server", "schema", "dbname", "folder")


class ChannelList(Protocol):
    """The root element: an interval of validity, and where the content belongs in COOL."""

    @property
    def since(self) -> int:
        """Run-lumi key."""

    @property
    def until(self) -> int:
        """Run-lumi key, exclusive."""

    @property
    def tag(self) -> str:
        """Tag of the folder."""


def check_run(run: int, since: int) -> None:
    """Raise ValueError for an interval that begins in another run."""
    if since >> RUN_BIT != run:
        msg = f"since {since} is a key of run {since >> RUN_BIT}, not of {run}"
        raise ValueError(msg)


def check_module(module: int) -> None:
    """Raise ValueError for a number that is no module's; -1 would name the last one."""
    if not 0 <= module < N_MODULES:
        msg = f"module {module} is outside 0-{N_MODULES - 1}"
        raise ValueError(msg)


def interval_text(content: ChannelList) -> str:
    """The attributes of the interval, which every channel repeats."""
    return f'since="{content.since}" until="{content.until}"'


def opening(content: ChannelList) -> str:
    """The start tag of the root element, with its line end."""
    places = " ".join(f'{name}="{attribute(getattr(content, name))}"' for name in _PLACES)
    tag = attribute(content.tag)
    return f'<channels {places} {interval_text(content)} tag="{tag}" version="multi">\n'


def read_opening(root: Node) -> dict[str, Any]:
    """Run, interval, tag and places from the root element; raises InputFileError (exit 74)."""
    if root.name != "channels":
        root.fail(f"the root element is <{root.name}>, not the <channels> of a list of modules")
    given = root.attributes(*_PLACES, "since", "until", "tag", "version")
    if given["version"] != "multi":
        root.fail(f"version is {given['version']!r}, not 'multi'")
    since, until = _interval(root, given)
    places = {name: given[name] for name in _PLACES}
    return {"run": since >> RUN_BIT, "since": since, "until": until, "tag": given["tag"], **places}


def read_channels(root: Node, content: Mapping[str, Any]) -> Iterator[tuple[Node, int, Fields]]:
    """Node, module and values of every channel; raises InputFileError (exit 74).

    ``content`` is what `read_opening` gives.
    """
    seen: set[int] = set()
    for node in root.children("channel"):
        given = node.attributes("id", "since", "until")
        if _interval(node, given) != (content["since"], content["until"]):
            node.fail("the interval of a <channel> differs from that of the file")
        node.children("value")
        fields = node.fields(FIELDS)
        module = _module(node, given["id"], fields)
        if module in seen:
            node.fail("a second <channel> for the same module")
        seen.add(module)
        yield node, module, fields


def _interval(node: Node, given: Mapping[str, str]) -> tuple[int, int]:
    try:
        since, until = natural(given["since"]), natural(given["until"])
    except ValueError as error:
        node.fail(f"since or until of <{node.name}>: {error}")
    if until <= since:
        node.fail(f"the interval of <{node.name}> ends at {until}, not after {since}")
    return since, until


@cache
def positions() -> list[tuple[int, ...]]:
    """(bec, layer, eta, phi) of every module."""
    m = modules()
    return [tuple(row) for row in np.stack([m.bec, m.layer, m.eta, m.phi], axis=1).tolist()]


@cache
def _module_of_identifier() -> dict[str, int]:
    """Module number of 64-bit and of 32-bit identifiers (cool-folders.md 4: readers take both)."""
    ids32 = module_id32()
    both = enumerate(zip(ids32.tolist(), to_id64(ids32).tolist(), strict=True))
    return {str(identifier): module for module, pair in both for identifier in pair}


@cache
def _module_of_name() -> dict[str, int]:
    return {name: module for module, name in enumerate(module_names())}


def module_of_name(text: str) -> int:
    """Module number of ``bec.layer.phi.eta``; raises ValueError for any other text."""
    module = _module_of_name().get(text)
    if module is None:
        msg = f"{text!r} is not the position bec.layer.phi.eta of an SCT module"
        raise ValueError(msg)
    return module


def _module(node: Node, identifier: str, fields: Fields) -> int:
    """The module of a channel, which its number and its position must agree on."""
    module = _module_of_identifier().get(identifier)
    if module is None:
        node.fail(f"channel id {identifier!r} is not the identifier of an SCT module")
    for name, expected in zip(POSITION, positions()[module], strict=True):
        if fields.convert(name, whole) != expected:
            fields.fail(
                name,
                f"{fields.text(name)!r}, but channel id {identifier} is a module at {expected}",
            )
    return module
