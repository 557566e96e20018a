"""``BSErrorModuleSummary.xml``: the byte-stream errors of every side (algorithms-hist.md 6.6, 7.2).

The original's form has eta and phi swapped, rows of sides that do not exist, and the error types of
end cap A in the rows of end cap C. It is written on demand and recognised by its number of rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sctcalib.detector.identifiers import wafer_names, wafers
from sctcalib.detector.regions import BARREL_PHI, N_WAFERS, REGIONS
from sctcalib.parts.bytestream_errors import ERROR_NAMES, N_POSITIONS
from sctcalib.summary.blocks import (
    BARREL,
    END_CAP_A,
    END_CAP_C,
    Blocks,
    by_wafer,
    check_serials,
    check_sides,
    wafer_order,
)
from sctcalib.summary.fragments import escaped, numbers, write_text
from sctcalib.summary.parsing import Node, any_real, natural, parse, whole
from sctcalib.summary.run_values import RunValues, run_fields, run_opening, section

STYLE_SHEET = "BSErrorInfo.xsl"
NOT_KNOWN = -1
"""Count of an error type that the original's form has lost."""
ETA_OFFSET = 6
"""The original's barrel index is eta + 6; index 6 does not exist."""
N_ORIGINAL_BLOCKS = N_WAFERS + 2 * sum(BARREL_PHI)
_C, _A = REGIONS[0].wafers, REGIONS[2].wafers
_TYPES = list(ERROR_NAMES)
_PLACE = ("barrel_endcap", "layer", "eta", "phi", "side")
_FIELDS = (
    "SN", "barrel_endcap", "layer", "side", "eta", "phi", "nErrors", *ERROR_NAMES.values(),
)  # fmt: skip
_BLOCK = (
    "".join(["    <module>\n", *(f'      <value name="{name}">%s</value>\n' for name in _FIELDS)])
    + "    </module>\n"
)


@dataclass(frozen=True, eq=False, kw_only=True)
class ByteStreamModules(RunValues):
    """The content of the file; arrays in hash order, absent error types (6.1) are 0."""

    serials: Sequence[str]
    """Serial numbers of the 4088 modules; ``0`` where one is not known."""
    errors: NDArray[Any]
    """By side and position of the error type, shape (8176, 15).

    Events with the error, int64; or the fraction of events, float, as files from 2024 on have it.
    `NOT_KNOWN` where the original's form has lost it.
    """
    totals: NDArray[np.int64]
    """Sum of the counts over the error types, shape (8176,)."""

    def __post_init__(self) -> None:
        check_serials(self.serials)
        check_sides("errors", self.errors, N_POSITIONS)
        check_sides("totals", self.totals)
        others = [position for position in range(N_POSITIONS) if position not in ERROR_NAMES]
        if self.errors[:, others].any():
            msg = f"positions {others} have no error type, but a count"
            raise ValueError(msg)


def write_bytestream_modules(
    path: Path, modules: ByteStreamModules, *, athena: bool = False
) -> None:
    """Write the file, with ``athena`` in the original's form; raises OutputFileError (exit 11)."""
    texts = _type_texts(_misplaced(modules.errors) if athena else modules.errors)
    serials = [escaped(serial) for serial in modules.serials]
    totals = modules.totals.tolist()
    nothing = (0,) * (1 + len(_TYPES))
    blocks = [
        _BLOCK % ("", *place, *nothing)
        if wafer is None
        else _BLOCK % (serials[wafer // 2], *place, totals[wafer], *texts[wafer])
        for wafer, place in _rows(athena=athena)
    ]
    opening = run_opening(STYLE_SHEET, modules)
    write_text(path, "".join([opening, "  <data>\n", *blocks, "  </data>\n</run>\n"]))


def _type_texts(errors: NDArray[Any]) -> list[list[str]] | list[list[int]]:
    """What is printed for the twelve error types of every side."""
    printed = errors[:, _TYPES]
    if np.issubdtype(errors.dtype, np.integer):
        return printed.tolist()  # type: ignore[no-any-return]
    return np.reshape(numbers(printed.ravel()), printed.shape).tolist()  # type: ignore[no-any-return]


def _misplaced(errors: NDArray[Any]) -> NDArray[Any]:
    """Counts with those of end cap A in the place of end cap C's, as in bug 3 of the original.

    Fractions came with the version that corrected this (7.2).
    """
    if not np.issubdtype(errors.dtype, np.integer):
        return errors
    moved = errors.copy()
    moved[_C] = np.where(errors[_A] != 0, errors[_A], errors[_C])
    moved[_A] = 0
    return moved


@cache
def _rows(*, athena: bool) -> tuple[tuple[int | None, tuple[int, ...]], ...]:
    """Wafer and printed (bec, layer, side, eta, phi) of every block; None where no side is."""
    w = wafers()
    if not athena:
        columns = [x.tolist() for x in (w.bec, w.layer, w.side, w.eta, w.phi)]
        places = list(zip(*columns, strict=True))
        order = wafer_order((END_CAP_C, BARREL, END_CAP_A), ring_first=True)
        return tuple((wafer, places[wafer]) for wafer in order)
    c, a = (wafer_order((bec,), ring_first=True) for bec in (END_CAP_C, END_CAP_A))
    columns = [x.tolist() for x in (w.bec, w.layer, w.side, w.phi, w.eta)]
    places = list(zip(*columns, strict=True))
    ends = [[(wafer, places[wafer]) for wafer in order] for order in (c, a)]
    return (*ends[0], *_barrel_rows_of_original(), *ends[1])


def _barrel_rows_of_original() -> Iterator[tuple[int | None, tuple[int, ...]]]:
    wafer_at = {place: wafer for wafer, place in _rows(athena=False)}
    for layer, n_phi in enumerate(BARREL_PHI):
        for side in (0, 1):
            for index in range(2 * ETA_OFFSET + 1):
                for phi in range(n_phi):
                    wafer = wafer_at.get((BARREL, layer, side, index - ETA_OFFSET, phi))
                    yield wafer, (BARREL, layer, side, phi, index)


def read_bytestream_modules(path: Path) -> ByteStreamModules:
    """Read the file, also the original's; raises InputFileError (exit 74) naming file and line.

    In the original's form the counts of an end-cap side are told apart from those of the opposite
    end cap where that is possible, and `NOT_KNOWN` elsewhere; ``totals`` are right everywhere.
    """
    return bytestream_modules_of(Node(path, parse(path)))


def bytestream_modules_of(root: Node) -> ByteStreamModules:
    """The content below the root element of a parsed file; raises as `read_bytestream_modules`."""
    content, _ = run_fields(root)
    nodes = section(root, "data", "module")
    if not nodes:
        root.fail("<data> holds no <module>")
    for node in nodes:
        node.attributes()
    blocks = Blocks(nodes, _FIELDS)
    places = list(zip(*(blocks.column(name, whole) for name in _PLACE), strict=True))
    original = len(nodes) == N_ORIGINAL_BLOCKS
    if original:
        blocks, places = _existing(blocks, places)
    found = blocks.sides(places)
    totals = by_wafer(found, blocks.column("nErrors", natural), np.int64)
    errors = _errors(blocks, found)
    if original:
        errors = _put_back(errors, totals)
    _check_totals(blocks, found, errors, totals)
    return ByteStreamModules(**content, serials=blocks.serials(found), errors=errors, totals=totals)


def _existing(
    blocks: Blocks, places: Sequence[tuple[int, ...]]
) -> tuple[Blocks, list[tuple[int, ...]]]:
    """The original's blocks without those of no side, and their right positions."""
    totals = blocks.column("nErrors", natural)
    keep: list[int] = []
    right: list[tuple[int, ...]] = []
    for index, (bec, layer, phi, eta, side) in enumerate(places):
        if bec == BARREL and eta == ETA_OFFSET:
            if totals[index]:
                blocks.fail(index, "errors of a barrel side at eta 0, which does not exist")
            continue
        keep.append(index)
        right.append((bec, layer, eta - ETA_OFFSET * (bec == BARREL), phi, side))
    return blocks.subset(keep), right


def _errors(blocks: Blocks, found: NDArray[np.int64]) -> NDArray[Any]:
    columns = {p: blocks.column(name, _amount) for p, name in ERROR_NAMES.items()}
    counts = all(isinstance(x, int) for column in columns.values() for x in set(column))
    errors = np.zeros((len(found), N_POSITIONS), np.int64 if counts else np.float32)
    for position, column in columns.items():
        errors[found, position] = column
    return errors


def _amount(text: str) -> int | float:
    """A count, `NOT_KNOWN`, or a fraction."""
    amount = any_real(text) if set(text) & set(".en") else whole(text)
    if amount < 0 and amount != NOT_KNOWN:
        msg = f"{text!r} is negative"
        raise ValueError(msg)
    return amount


def _put_back(errors: NDArray[Any], totals: NDArray[np.int64]) -> NDArray[Any]:
    """Undo `_misplaced` where the totals of both end caps tell whose the counts are."""
    moved = totals[_A] > 0
    if not np.issubdtype(errors.dtype, np.integer) or errors[_A].any() or not moved.any():
        return errors
    shown = errors[_C]
    both = moved & (totals[_C] > 0)
    one_type = (shown > 0) & ((shown > 0).sum(axis=1) == 1)[:, None]
    not_told = np.where(shown > 0, NOT_KNOWN, 0)
    right = errors.copy()
    for region, alone in ((_A, shown), (_C, 0 * shown)):
        shared = np.where(one_type, totals[region][:, None], not_told)
        right[region][moved] = np.where(both[:, None], shared, alone)[moved]
    return right


def _check_totals(
    blocks: Blocks, found: NDArray[np.int64], errors: NDArray[Any], totals: NDArray[np.int64]
) -> None:
    """Counts that are all known add up to nErrors; fractions do not."""
    if not np.issubdtype(errors.dtype, np.integer):
        return
    wrong = (errors.sum(axis=1) != totals) & (errors >= 0).all(axis=1)
    for index in np.flatnonzero(wrong[found])[:1].tolist():
        wafer = int(found[index])
        sums = f"{totals[wafer]}, but the error types add up to {errors[wafer].sum()}"
        blocks.fail(index, f"nErrors of side {wafer_names()[wafer]} is {sums}")
