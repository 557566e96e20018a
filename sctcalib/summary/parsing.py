"""Reading XML files: one safe parser, and errors that name file and line.

No document type, no entities of the file's own, nothing from the network; libxml2's limits on
depth and size stay on. What a file holds beyond its format is an error: an unknown field is more
likely another kind of file than something that may be lost.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

from sctcalib.job.errors import InputFileError

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

T = TypeVar("T")

_WHOLE = re.compile(r"-?[0-9]{1,19}")
_NOT_FINITE = re.compile(r"-?(nan|inf)")
_LARGEST = 3.40283e38
"""The largest single-precision number as it is printed."""
_OPEN_HEADER = re.compile(rb"(<address_header\b[^<>]*[^<>/])>")
_REAL = re.compile(r"-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?")


def parse(path: Path) -> Element:
    """The root element of an XML file, without comments and processing instructions.

    The one element that the original never closes, ``<address_header>`` (algorithms-hist.md 5.4),
    is taken as empty.

    Raises InputFileError (exit 74) for a file that cannot be read, that is not well-formed, or
    that has a document type.
    """
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(_closed(path.read_bytes()), parser)
    except etree.XMLSyntaxError as error:
        msg = f"{path}: not well-formed XML: {error.msg or 'no element found'}"
        raise InputFileError(msg) from error
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror or error}"
        raise InputFileError(msg) from error
    if root.getroottree().docinfo.internalDTD is not None:
        msg = f"{path}: has a document type (<!DOCTYPE ...>), which no file of the loop has"
        raise InputFileError(msg)
    return root


def _closed(text: bytes) -> bytes:
    if b"<address_header" not in text or b"</address_header" in text:
        return text
    return _OPEN_HEADER.sub(rb"\1/>", text)


class Node:
    """An element that knows its file, for errors that name the place.

    Every method raises InputFileError (exit 74) with file, line and element.
    """

    def __init__(self, path: Path, element: Element) -> None:
        self.path = path
        self.element = element

    @property
    def name(self) -> str:
        """Tag of the element."""
        return str(self.element.tag)

    def fail(self, message: str) -> NoReturn:
        """Raise the error for something wrong here."""
        msg = f"{self.path}, line {self.element.sourceline}: {message}"
        raise InputFileError(msg)

    def children(self, *tags: str) -> list[Node]:
        """The child elements; any other tag, and text between them, is an error."""
        found = [Node(self.path, child) for child in self.element]
        for child in found:
            if child.name not in tags:
                accepted = " and ".join(f"<{tag}>" for tag in tags)
                child.fail(f"<{child.name}> in <{self.name}>, which holds {accepted}")
        for text in (self.element.text, *(child.element.tail for child in found)):
            if text and text.strip():
                self.fail(f"<{self.name}> holds the stray text {text.strip()[:40]!r}")
        return found

    def attributes(self, *names: str) -> Mapping[str, str]:
        """The attributes, exactly these."""
        given = {str(name): str(text) for name, text in self.element.items()}
        self._same_names("attribute", given, names, ())
        return given

    def only_children(self, *tags: str) -> list[Node]:
        """The child elements: exactly these, in this order."""
        found = self.children(*tags)
        if [child.name for child in found] != list(tags):
            accepted = ", ".join(f"<{tag}>" for tag in tags)
            self.fail(f"<{self.name}> holds not exactly {accepted} in this order")
        return found

    def fields(
        self,
        required: Collection[str],
        optional: Collection[str] = (),
        *,
        tag: str = "value",
    ) -> Fields:
        """The ``<value name="...">`` children among the child elements, by name."""
        found: dict[str, Node] = {}
        for child in (Node(self.path, element) for element in self.element.findall(tag)):
            name = child.attributes("name")["name"]
            if name in found:
                child.fail(f"<{self.name}> has a second value {name!r}")
            if len(child.element):
                child.fail(f"value {name!r} holds <{child.element[0].tag}> instead of text")
            found[name] = child
        self._same_names("value", found, required, optional)
        return Fields(found)

    def _same_names(
        self,
        what: str,
        given: Mapping[str, object],
        required: Collection[str],
        optional: Collection[str],
    ) -> None:
        for name in required:
            if name not in given:
                self.fail(f"<{self.name}> has no {what} {name!r}")
        for name in given:
            if name not in required and name not in optional:
                accepted = ", ".join((*required, *optional))
                self.fail(f"<{self.name}> has the unknown {what} {name!r}; it has {accepted}")


class Fields:
    """Texts of the named values of one element, and their conversion."""

    def __init__(self, nodes: Mapping[str, Node]) -> None:
        self._nodes = nodes

    def text(self, name: str) -> str:
        """The text as it stands, blanks included; empty for an optional value that is absent."""
        node = self._nodes.get(name)
        return "" if node is None else node.element.text or ""

    def has(self, name: str) -> bool:
        """Whether an optional value is there."""
        return name in self._nodes

    def convert(self, name: str, converter: Callable[[str], T]) -> T:
        """The converted text; a ValueError becomes an error that names the value."""
        try:
            return converter(self.text(name))
        except ValueError as error:
            self.fail(name, str(error))

    def fail(self, name: str, message: str) -> NoReturn:
        """Raise the error for something wrong with one value."""
        self._nodes[name].fail(f"value {name!r}: {message}")


def whole(text: str) -> int:
    """A whole number of at most 19 digits, sign allowed; raises ValueError for anything else."""
    if not _WHOLE.fullmatch(text.strip()):
        msg = f"{text!r} is not a whole number"
        raise ValueError(msg)
    return int(text)


def natural(text: str) -> int:
    """A whole number, not negative."""
    number = whole(text)
    if number < 0:
        msg = f"{text!r} is negative"
        raise ValueError(msg)
    return number


def real(text: str) -> float:
    """A finite number in the form of ``%g``."""
    if not _REAL.fullmatch(text.strip()) or not math.isfinite(float(text)):
        msg = f"{text!r} is not a finite number"
        raise ValueError(msg)
    return float(text)


def any_real(text: str) -> float:
    """A single-precision number, or what C++ prints for none: ``nan``, ``inf``, with a sign."""
    if _NOT_FINITE.fullmatch(text):
        return float(text)
    number = real(text)
    if abs(number) > _LARGEST:
        msg = f"{text!r} is beyond single precision"
        raise ValueError(msg)
    return number


def one_of(meanings: Mapping[str, T]) -> Callable[[str], T]:
    """A converter for a fixed set of words."""

    def convert(text: str) -> T:
        if text not in meanings:
            msg = f"{text!r} is not one of {', '.join(meanings)}"
            raise ValueError(msg)
        return meanings[text]

    return convert
