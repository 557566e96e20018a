"""The replaceable tables: readout swap, and serial numbers of modules.

Both are CSV files. Each has a default that follows from the detector's numbering, so that the
program works without them (reference/detector.md 3.4, 5; algorithms-hitmaps.md 1.6, 1.7). A reader
checks the whole file and names every bad row before it gives up.
"""

from __future__ import annotations

import csv
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from sctcalib.detector.identifiers import IntArray, module_id32
from sctcalib.detector.readout import BoolArray
from sctcalib.detector.regions import N_MODULES, N_WAFERS
from sctcalib.job.errors import InputFileError, OutputFileError

log = logging.getLogger(__name__)

SWAP_HEADER = ("wafer_hash", "swap")
SERIAL_HEADER = ("serial_number", "module_id32")

_SERIAL_PREFIX = "20220"
_SYNTHETIC_BASE = 20220999_000000
"""Prefix of the synthetic serial numbers; no production site used 20220999."""


def default_serial_numbers() -> IntArray:
    """Synthetic serial numbers of all modules, shape (4088,): 20220999 and 000001 ... 004088."""
    return _SYNTHETIC_BASE + 1 + np.arange(N_MODULES, dtype=np.int64)


def serial_text(serial: int) -> str:
    """Fourteen digits, or the single character ``0`` for a module without a serial number."""
    return f"{serial:014d}" if serial else "0"


def read_swap_table(path: Path) -> BoolArray:
    """The option ReadoutSwapTable: which wafers are read out against phi, shape (8176,).

    Columns ``wafer_hash,swap`` with swap 0 or 1, one row per wafer in any order. Raises
    InputFileError that names every bad row, and the wafers that are missing.
    """
    swap = np.full(N_WAFERS, -1, dtype=np.int8)

    def take(row: Sequence[str]) -> str | None:
        wafer = _number(row[0], N_WAFERS)
        if wafer is None:
            return f"wafer_hash is {row[0]!r}, expected 0-{N_WAFERS - 1}"
        if row[1] not in ("0", "1"):
            return f"swap is {row[1]!r}, expected 0 or 1"
        if swap[wafer] >= 0:
            return f"wafer {wafer} is listed a second time"
        swap[wafer] = int(row[1])
        return None

    problems = _take_rows(path, SWAP_HEADER, take)
    missing = np.flatnonzero(swap < 0)
    if len(missing) and not problems:
        problems = [f"{path}: {len(missing)} wafers are missing, the first is {missing[0]}"]
    if problems:
        raise InputFileError("\n".join(problems))
    same = np.flatnonzero(swap[::2] == swap[1::2])
    if len(same):
        log.warning(
            "%s: both sides of %d modules have the same readout direction, the first is module %d",
            path, len(same), same[0],
        )  # fmt: skip
    return swap.astype(bool)


def write_swap_table(path: Path, swap: BoolArray) -> None:
    """Write a table of shape (8176,) in the form that `read_swap_table` reads."""
    _write(path, SWAP_HEADER, enumerate(np.asarray(swap, dtype=int).tolist()))


def read_serial_numbers(path: Path) -> IntArray:
    """The option SerialNumbers: serial number of every module, shape (4088,), 0 where not listed.

    Columns ``serial_number,module_id32``; further columns are ignored. Raises InputFileError that
    names every bad row.
    """
    serials = np.zeros(N_MODULES, dtype=np.int64)
    module_of_id = {int(c): module for module, c in enumerate(module_id32())}
    module_of_serial: dict[int, int] = {}

    def take(row: Sequence[str]) -> str | None:
        text, id_text = row[:2]
        if not (len(text) == 14 and _number(text) is not None and text.startswith(_SERIAL_PREFIX)):
            return f"serial_number is {text!r}, expected 14 digits that begin with {_SERIAL_PREFIX}"
        module = module_of_id.get(_number(id_text) or 0)
        if module is None:
            return f"module_id32 is {id_text!r}, not the 32-bit identifier of a module"
        serial = int(text)
        if serials[module]:
            return f"module {id_text} is listed a second time"
        if serial in module_of_serial:
            return f"serial number {text} is listed a second time"
        serials[module] = serial
        module_of_serial[serial] = module
        return None

    problems = _take_rows(path, SERIAL_HEADER, take)
    if problems:
        raise InputFileError("\n".join(problems))
    missing = np.flatnonzero(serials == 0)
    if len(missing):
        log.warning("%s: %d modules have no serial number", path, len(missing))
    return serials


def write_serial_numbers(path: Path, serials: IntArray) -> None:
    """Write serial numbers of shape (4088,) in the form that `read_serial_numbers` reads."""
    rows = zip(map(serial_text, serials.tolist()), module_id32().tolist(), strict=True)
    _write(path, SERIAL_HEADER, (row for row in rows if row[0] != "0"))


def _take_rows(
    path: Path, header: tuple[str, ...], take: Callable[[Sequence[str]], str | None]
) -> list[str]:
    """Give every row of a CSV file to ``take``; the problems that it found, each with its place."""
    problems = []
    for line, row in _rows(path, header):
        if len(row) < len(header):
            problem: str | None = f"{len(row)} columns, expected {','.join(header)}"
        else:
            problem = take([cell.strip() for cell in row])
        if problem:
            problems.append(f"{path}, line {line}: {problem}")
    return problems


def _rows(path: Path, header: tuple[str, ...]) -> Iterator[tuple[int, list[str]]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.reader(file)
            first = [cell.strip() for cell in next(reader, [])]
            if tuple(first[: len(header)]) != header:
                found, wanted = ",".join(first), ",".join(header)
                msg = f"{path}, line 1: the header is {found!r}, expected {wanted!r}"
                raise InputFileError(msg)
            for row in reader:
                if row:
                    yield reader.line_num, row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        msg = f"{path}: cannot be read as a CSV file: {error}"
        raise InputFileError(msg) from error


def _write(path: Path, header: tuple[str, ...], rows: Iterable[Sequence[object]]) -> None:
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(header)
            writer.writerows(rows)
    except OSError as error:
        msg = f"{path}: cannot be written: {error}"
        raise OutputFileError(msg) from error


def _number(text: str, end: int | None = None) -> int | None:
    """A plain decimal number below ``end``, or None."""
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        return None
    value = int(text)
    return value if end is None or value < end else None
