"""The option BadChannels: what is known to be bad in configuration and calibration.

A JSON file (`schemas/bad_channels.json`, `share/examples/BadChannels.json`) stands in for the
conditions that the original reads. A strip is good in configuration if neither itself, nor its
chip, nor its module is bad; bad links are not consulted (algorithms-hitmaps.md 3.3). A chip of the
file is a number 0-11 in readout order, a strip is 768 * side + offline strip.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from sctcalib.detector.identifiers import IntArray, modules
from sctcalib.detector.readout import BoolArray, geometrical_chip
from sctcalib.detector.regions import (
    N_CHIPS_PER_MODULE,
    N_CHIPS_PER_SIDE,
    N_MODULE_STRIPS,
    N_MODULES,
    N_STRIPS,
    N_STRIPS_PER_CHIP,
    N_WAFERS,
)
from sctcalib.job.errors import InputFileError, raise_problems

LISTS = {
    "modules": ("bec", "layer", "phi", "eta"),
    "links": ("bec", "layer", "phi", "eta", "side"),
    "chips": ("bec", "layer", "phi", "eta", "chip"),
    "strips": ("bec", "layer", "phi", "eta", "strip"),
    "calibration_strips": ("bec", "layer", "phi", "eta", "strip"),
}
"""What the numbers of a row are, by the name of its list."""
_ENDS = {"side": 2, "chip": N_CHIPS_PER_MODULE, "strip": N_MODULE_STRIPS}
_REMARKS = ("$schema", "description")
PROBLEM_LIMIT = 100
"""Problems listed of one file."""


@dataclass(frozen=True)
class BadChannels:
    """Which items are bad: boolean arrays, read only, True where bad.

    Wafers are in hash order, modules in module order, strips in offline order, chips in readout
    order.
    """

    modules: BoolArray
    """Shape (4088,)."""
    links: BoolArray
    """Shape (8176,): link 0 serves side 0, link 1 side 1."""
    chips: BoolArray
    """Shape (4088, 12): chips 0-5 are on side 0."""
    strips: BoolArray
    """Shape (8176, 768): the masked strips themselves, without those of bad chips and modules."""
    configuration: BoolArray
    """Shape (8176, 768): strips that are bad themselves, or by their chip or module."""
    calibration: BoolArray
    """Shape (8176, 768): strips with a gain or noise defect."""


@dataclass
class _Rows:
    """The lists of a file, checked: module numbers, and the fifth number of each row."""

    module: dict[str, IntArray] = field(default_factory=dict)
    item: dict[str, IntArray] = field(default_factory=dict)


def no_bad_channels() -> BadChannels:
    """Nothing is bad: the result without a file."""
    return _flags(_Rows(), np.zeros(N_WAFERS, dtype=bool))


def read_bad_channels(path: Path, swap: BoolArray) -> BadChannels:
    """Read a BadChannels file.

    ``swap`` is the readout swap table of shape (8176,): it says which strips a bad chip has.
    Raises InputFileError, or ProblemsError of them, with the JSON path of all that is wrong.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_unique)
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise InputFileError(msg) from error
    except (ValueError, RecursionError) as error:
        reason = error if isinstance(error, ValueError) else "nested too deeply"
        msg = f"{path}: cannot be read as JSON: {reason}"
        raise InputFileError(msg) from error
    rows = _Rows()
    found = list(islice(_take_lists(content, rows), PROBLEM_LIMIT + 1))
    if len(found) > PROBLEM_LIMIT:
        found[PROBLEM_LIMIT:] = ["further problems are not listed"]
    raise_problems(InputFileError(f"{path}: {problem}") for problem in found)
    return _flags(rows, swap)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    taken = dict(pairs)
    if len(taken) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        msg = f"{twice!r} is given twice"
        raise ValueError(msg)
    return taken


def _take_lists(content: Any, rows: _Rows) -> Iterator[str]:
    """Take the lists of a file; give what is wrong with it."""
    if not isinstance(content, dict):
        yield f"$ is {_shown(content)}, expected an object with the lists {', '.join(LISTS)}"
        return
    for name, value in content.items():
        if name in _REMARKS:
            if not isinstance(value, str):
                yield f"$.{name} is {_shown(value)}, expected a text"
        elif name not in LISTS:
            near = difflib.get_close_matches(name, LISTS, n=1)
            hint = f" (did you mean {near[0]!r}?)" if near else f"; one of {', '.join(LISTS)}"
            yield f"$ has the unknown name {_shown(name)}{hint}"
        elif not isinstance(value, list):
            yield f"$.{name} is {_shown(value)}, expected a list of [{', '.join(LISTS[name])}]"
        else:
            yield from _take_rows(name, value, rows)


def _take_rows(name: str, given: list[Any], rows: _Rows) -> Iterator[str]:
    fields, known = LISTS[name], _module_numbers()
    end = _ENDS.get(fields[-1], 1)
    module, item = [], []
    for index, row in enumerate(given):
        place = f"$.{name}[{index}]"
        if not _is_row(row, len(fields)):
            yield f"{place} is {_shown(row)}, expected whole numbers [{', '.join(fields)}]"
        elif (number := known.get(tuple(row[:4]))) is None:
            yield f"{place}: no module at (bec, layer, phi, eta) = {_shown(tuple(row[:4]))}"
        elif len(row) > 4 and not 0 <= row[4] < end:
            yield f"{place}[4]: {fields[4]} is {_shown(row[4])}, expected 0-{end - 1}"
        else:
            module.append(number)
            item.append(row[-1])
    rows.module[name] = np.array(module, dtype=np.int64)
    rows.item[name] = np.array(item, dtype=np.int64)


def _is_row(row: object, length: int) -> bool:
    # a type is compared, since True would pass as the number 1
    return isinstance(row, list) and len(row) == length and all(type(x) is int for x in row)


@cache
def _module_numbers() -> dict[tuple[int, ...], int]:
    m = modules()
    positions = np.stack([m.bec, m.layer, m.phi, m.eta], axis=1).tolist()
    return {tuple(position): number for number, position in enumerate(positions)}


def _shown(value: object, limit: int = 60) -> str:
    try:
        text = repr(value)
    except ValueError:  # more digits than Python writes
        return "a number of thousands of digits"
    return text if len(text) <= limit else text[:limit] + "..."


def _flags(rows: _Rows, swap: BoolArray) -> BadChannels:
    empty = np.array([], dtype=np.int64)

    def flags(name: str, *shape: int) -> BoolArray:
        """A list as flags over modules and their items; as modules only for a shape of one."""
        result = np.zeros(shape, dtype=bool)
        index = rows.module.get(name, empty), rows.item.get(name, empty)
        result[index[: len(shape)]] = True
        return result

    bad_modules = flags("modules", N_MODULES)
    bad_chips = flags("chips", N_MODULES, N_CHIPS_PER_MODULE)
    strips = flags("strips", N_MODULES, N_MODULE_STRIPS).reshape(N_WAFERS, N_STRIPS)
    defects = flags("calibration_strips", N_MODULES, N_MODULE_STRIPS)
    bad = BadChannels(
        modules=bad_modules,
        links=flags("links", N_MODULES, 2).reshape(N_WAFERS),
        chips=bad_chips,
        strips=strips,
        configuration=strips | _strips_of(bad_chips, swap) | np.repeat(bad_modules, 2)[:, None],
        calibration=defects.reshape(N_WAFERS, N_STRIPS),
    )
    for array in vars(bad).values():
        array.flags.writeable = False
    return bad


def _strips_of(chips: BoolArray, swap: BoolArray) -> BoolArray:
    """Strips of flagged chips, shape (8176, 768) in offline order."""
    module, chip = np.nonzero(chips)
    wafer = 2 * module + chip // N_CHIPS_PER_SIDE
    result = np.zeros((N_WAFERS, N_CHIPS_PER_SIDE, N_STRIPS_PER_CHIP), dtype=bool)
    result[wafer, geometrical_chip(chip, swap[wafer])] = True
    return result.reshape(N_WAFERS, N_STRIPS)
