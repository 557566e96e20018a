"""One block for every side of the detector: the orders of writing, and reading column by column.

A block that has exactly the expected values in the expected order costs one comparison per value;
any other goes through the checks of `Node.fields`, which say what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray

from sctcalib.detector.identifiers import IntArray, wafer_id32, wafer_names, wafers
from sctcalib.detector.regions import N_MODULES, N_WAFERS, REGIONS
from sctcalib.summary.parsing import Node, natural

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

T = TypeVar("T")

END_CAP_C, BARREL, END_CAP_A = -2, 0, 2
SAMPLE_SIZE = 10000
"""Fixed text in the files, whatever was counted."""
UNKNOWN_SERIAL = "0"


@cache
def wafer_order(regions: tuple[int, ...], *, ring_first: bool = False) -> tuple[int, ...]:
    """Wafers region by region (bec), inside by layer, side, eta, phi (algorithms-hist.md 1.1).

    With ``ring_first`` the end caps go by layer, eta, side, phi (6.6).
    """
    w = wafers()
    order: list[int] = []
    for bec in regions:
        inside = np.arange(N_WAFERS)[REGIONS[bec // 2 + 1].wafers]
        middle = [w.eta, w.side] if ring_first and bec else [w.side, w.eta]
        keys = [key[inside] for key in (w.phi, middle[1], middle[0], w.layer)]
        order += inside[np.lexsort(keys)].tolist()
    return tuple(order)


def check_sides(what: str, values: NDArray[Any], *shape: int) -> None:
    """Raise ValueError unless there is a row for every side, each of ``shape``."""
    if values.shape != (N_WAFERS, *shape):
        msg = f"{what} have the shape {values.shape}, not {(N_WAFERS, *shape)}"
        raise ValueError(msg)


def check_serials(serials: Sequence[str]) -> None:
    """Raise ValueError unless there is a serial number for every module."""
    if len(serials) != N_MODULES:
        msg = f"{len(serials)} serial numbers for {N_MODULES} modules"
        raise ValueError(msg)


class Blocks:
    """Texts of the named values of many elements of one kind.

    All methods raise InputFileError (exit 74) that names file, line and value.
    """

    def __init__(self, nodes: Sequence[Node], names: Sequence[str]) -> None:
        self._nodes = nodes
        rows = [_texts(node, names) for node in nodes]
        columns = zip(*rows, strict=True) if rows else [()] * len(names)
        self._columns: dict[str, Sequence[str]] = dict(zip(names, columns, strict=True))

    def __len__(self) -> int:
        return len(self._nodes)

    def subset(self, keep: Sequence[int]) -> Blocks:
        """Only the blocks with these indices."""
        names = list(self._columns)
        part = Blocks([], names)
        part._nodes = [self._nodes[index] for index in keep]
        part._columns = {
            name: [texts[index] for index in keep] for name, texts in self._columns.items()
        }
        return part

    def column(self, name: str, convert: Callable[[str], T]) -> list[T]:
        """One value of every block, converted; each distinct text once."""
        texts = self._columns[name]
        known: dict[str, T] = {}
        for index, text in enumerate(texts):
            if text not in known:
                try:
                    known[text] = convert(text)
                except ValueError as error:
                    self.fail(index, f"value {name!r}: {error}")
        return [known[text] for text in texts]

    def sample_size(self) -> int:
        """The one SampleSize of all blocks."""
        sizes = self.column("SampleSize", natural)
        for index, size in enumerate(sizes):
            if size != sizes[0]:
                self.fail(index, f"SampleSize {size} differs from the {sizes[0]} before")
        return sizes[0]

    def sides(self, positions: Iterable[tuple[int, ...]]) -> IntArray:
        """Wafers of the blocks from (bec, layer, eta, phi, side): every side exactly once."""
        found = []
        for index, position in enumerate(positions):
            wafer = _wafer_of_position().get(position)
            if wafer is None:
                self.fail(index, f"no side is at (bec, layer, eta, phi, side) = {position}")
            found.append(wafer)
        return self._each_once(found)

    def identified_sides(self, identifiers: Iterable[str]) -> IntArray:
        """Wafers of the blocks from 32-bit identifiers: every side exactly once."""
        found = []
        for index, identifier in enumerate(identifiers):
            wafer = _wafer_of_identifier().get(identifier)
            if wafer is None:
                self.fail(index, f"channel id {identifier!r} is not the identifier of an SCT side")
            found.append(wafer)
        return self._each_once(found)

    def _each_once(self, found: Sequence[int]) -> IntArray:
        seen: set[int] = set()
        for index, wafer in enumerate(found):
            if wafer in seen:
                self.fail(index, f"a second block for the side {wafer_names()[wafer]}")
            seen.add(wafer)
        missing = next((wafer for wafer in range(N_WAFERS) if wafer not in seen), None)
        if missing is not None:
            first = wafer_names()[missing]
            message = (
                f"{N_WAFERS - len(seen)} of {N_WAFERS} sides are missing, the first is {first}"
            )
            self._nodes[-1].fail(message)
        return np.array(found, dtype=np.int64)

    def serials(self, found: IntArray) -> tuple[str, ...]:
        """Serial numbers by module, on which both sides must agree unless one is not known."""
        serials = [UNKNOWN_SERIAL] * N_MODULES
        for index, (wafer, text) in enumerate(
            zip(found.tolist(), self._columns["SN"], strict=True)
        ):
            before = serials[wafer // 2]
            if UNKNOWN_SERIAL not in (before, text) and before != text:
                self.fail(index, f"SN {text!r} differs from the {before!r} of the other side")
            if before == UNKNOWN_SERIAL:
                serials[wafer // 2] = text
        return tuple(serials)

    def fail(self, index: int, message: str) -> NoReturn:
        """Raise the error for something wrong with one block."""
        self._nodes[index].fail(message)


def by_wafer(found: IntArray, values: Sequence[Any], dtype: Any) -> NDArray[Any]:
    """Values of the blocks in hash order."""
    given = np.array(values, dtype=dtype)
    arranged = np.empty_like(given)
    arranged[found] = given
    return arranged


@cache
def _wafer_of_position() -> dict[tuple[int, ...], int]:
    w = wafers()
    columns = (w.bec, w.layer, w.eta, w.phi, w.side)
    positions = zip(*(column.tolist() for column in columns), strict=True)
    return {position: wafer for wafer, position in enumerate(positions)}


@cache
def _wafer_of_identifier() -> dict[str, int]:
    return {str(identifier): wafer for wafer, identifier in enumerate(wafer_id32().tolist())}


def _texts(node: Node, names: Sequence[str]) -> list[str]:
    found = _regular_texts(node.element, names)
    if found is not None:
        return found
    node.children("value")
    fields = node.fields(names)
    return [fields.text(name) for name in names]


def _regular_texts(element: Element, names: Sequence[str]) -> list[str] | None:
    """The texts if the element is just as the writers make it, otherwise None."""
    if len(element) != len(names) or (element.text and element.text.strip()):
        return None
    texts = []
    for child, name in zip(element, names, strict=True):
        regular = child.tag == "value" and child.items() == [("name", name)] and not len(child)
        if not regular or (child.tail and child.tail.strip()):
            return None
        texts.append(child.text or "")
    return texts
