"""The original's text file of the cabling, read and written (reference/raw-bytestream.md 5.2).

The columns are ``Rod Fibre Bec LayerDisk Eta Phi Side RobId Sn``: note eta before phi. The original
logs a bad line and goes on without it; here all of them are named and the file is refused, since a
wafer that is left out would silently lose its data.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sctcalib.detector.cabling import FIRST_ROD, LAST_ROD, N_FIBRES, NOT_CABLED, Cabling
from sctcalib.detector.identifiers import IntArray, wafer_hash, wafers
from sctcalib.detector.regions import N_MODULES
from sctcalib.detector.tables import default_serial_numbers, serial_text
from sctcalib.job.errors import InputFileError, OutputFileError

log = logging.getLogger(__name__)

HEADINGS = "Rod Fibre Bec LayerDisk Eta Phi Side RobId Sn"
_END = "</textList>"
_COMMENT = "- "
_DISABLED = 255
_INTEGER = re.compile(r"[+-]?[0-9]{1,9}")
_FIBRE = re.compile(r"0[xX][0-9a-fA-F]+|[0-9]+")
_LONGEST_FIBRE = 10
_ROB = re.compile(r"0[xX][0-9a-fA-F]{1,8}")
_SERIAL = re.compile(r"20220[0-9]{9}")
PROBLEM_LIMIT = 100
"""Problems listed of one file."""


@dataclass(frozen=True)
class _Row:
    line: int
    wafer: int
    fibre: int
    rod: int
    serial: int


def read_cabling(path: Path) -> Cabling:
    """Read a cabling file.

    A wafer with fibre 255 gets the fibre next to that of its other side, in the same ROD. Raises
    InputFileError that names every bad line.
    """
    table = _Table()
    for number, line in _table_lines(path):
        problem = table.take(number, line)
        if problem:
            table.problems.append(f"line {number}: {problem}")
    table.place_disabled()
    if not table.fibre_of and not table.problems:
        table.problems.append("the table has no rows")
    if table.problems:
        listed = [f"{path}, {problem}" for problem in table.problems[:PROBLEM_LIMIT]]
        if len(table.problems) > PROBLEM_LIMIT:
            listed.append(f"{path}: {len(table.problems) - PROBLEM_LIMIT} more problems")
        raise InputFileError("\n".join(listed))
    log.info("%s: %d entries were made to the identifier map.", path, len(table.fibre_of))
    return table.cabling()


def cabling_lines(cabling: Cabling, serials: IntArray | None = None) -> list[str]:
    """The rows of the table in hash order, without the line ends.

    ``serials`` (4088,) replaces the serial numbers of the cabling; without any, synthetic ones.
    """
    if serials is None:
        serials = default_serial_numbers() if cabling.serials is None else cabling.serials
    w = wafers()
    rod_index, fibre = cabling.place_of_wafer()
    columns = (rod_index, fibre, w.bec, w.layer, w.eta, w.phi, w.side)
    return [
        f"{' '.join(map(str, row))} 0x{cabling.rod_ids[row[0]]:06x} {serial_text(serials[h // 2])}"
        for h, row in enumerate(np.stack(columns, axis=1).tolist())
        if row[1] != NOT_CABLED
    ]


def write_cabling(path: Path, cabling: Cabling, serials: IntArray | None = None) -> None:
    """Write a file that `read_cabling`, and the original, read; see `cabling_lines`."""
    lines = [
        '<?xml version="1.0"?>',
        "<SCT_textFile>",
        '<textList name="SCT Rod-Rob mapping" headings="RodId RobId">',
        *(f"0x{rod:06x} 0x{rod:06x}" for rod in cabling.rod_ids.tolist()),
        _END,
        f'<textList name="SCT cabling mapping" headings="{HEADINGS}">',
        *cabling_lines(cabling, serials),
        _END,
        "</SCT_textFile>",
    ]
    try:
        path.write_text("\n".join(lines) + "\n", encoding="ascii")
    except OSError as error:
        msg = f"{path}: cannot be written: {error}"
        raise OutputFileError(msg) from error


def _table_lines(path: Path) -> list[tuple[int, str]]:
    """The lines of the table with their numbers, without comments and blank lines."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: cannot be read as a cabling file: {error}"
        raise InputFileError(msg) from error
    first = next((i for i, line in enumerate(lines, start=1) if HEADINGS in line), None)
    if first is None:
        msg = f"{path}: no line contains the headings {HEADINGS!r}"
        raise InputFileError(msg)
    found = []
    for number, line in enumerate(lines[first:], start=first + 1):
        if _END in line:
            break
        if line.strip() and _COMMENT not in line:
            found.append((number, line))
    return found


class _Table:
    """What the rows said so far."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.fibre_of: dict[int, tuple[int, int]] = {}
        self._wafer_at: dict[tuple[int, int], int] = {}
        self._disabled: dict[int, _Row] = {}
        self._serials = np.zeros(N_MODULES, dtype=np.int64)
        self._module_of_serial: dict[int, int] = {}

    def take(self, number: int, line: str) -> str | None:
        """Enter one row; the problem with it, if there is one."""
        row = _row(number, line)
        if isinstance(row, str):
            return row
        if row.wafer in self.fibre_of or row.wafer in self._disabled:
            return f"wafer {row.wafer} is listed a second time"
        problem = self._take_serial(row)
        if problem:
            return problem
        if row.fibre == _DISABLED:
            self._disabled[row.wafer] = row
            return None
        return self._insert(row.wafer, row.rod, row.fibre)

    def place_disabled(self) -> None:
        """Give the wafers with fibre 255 the partner of the fibre of their other side."""
        for wafer, row in self._disabled.items():
            partner = self.fibre_of.get(wafer ^ 1)
            if partner is None:
                log.warning(
                    "wafer %d has fibre 255 and its other side has no fibre: not cabled", wafer
                )
                continue
            rod, link = partner
            other_side = (wafer ^ 1) & 1
            step = 1 if wafer & 1 else -1
            fibre = link - step if link % 2 != other_side else link + step
            problem = self._insert(wafer, rod, fibre)
            if problem:
                self.problems.append(f"line {row.line}: {problem} (fibre 255, other side {link})")

    def cabling(self) -> Cabling:
        rods = np.unique([rod for rod, _ in self._wafer_at])
        table = np.full((len(rods), N_FIBRES), NOT_CABLED, dtype=np.int16)
        row_of = {rod: row for row, rod in enumerate(rods.tolist())}
        for (rod, fibre), wafer in self._wafer_at.items():
            table[row_of[rod], fibre] = wafer
        table.flags.writeable = False
        return Cabling(rods, table, self._serials)

    def _insert(self, wafer: int, rod: int, fibre: int) -> str | None:
        if not 0 <= fibre < N_FIBRES:
            return f"fibre is {fibre}, expected 0-{N_FIBRES - 1} or {_DISABLED}"
        if (rod, fibre) in self._wafer_at:
            used = self._wafer_at[rod, fibre]
            return f"fibre {fibre} of ROD 0x{rod:06x} is already that of wafer {used}"
        self._wafer_at[rod, fibre] = wafer
        self.fibre_of[wafer] = rod, fibre
        return None

    def _take_serial(self, row: _Row) -> str | None:
        module = row.wafer // 2
        known = int(self._serials[module])
        if known not in (0, row.serial):
            return f"serial number {row.serial}, but the other side of the module has {known}"
        if self._module_of_serial.setdefault(row.serial, module) != module:
            return f"serial number {row.serial} is already that of another module"
        self._serials[module] = row.serial
        return None


def _row(number: int, line: str) -> _Row | str:
    """One line of the table, or what is wrong with it."""
    words = line.split()
    if len(words) != 9:
        return f"{len(words)} fields, expected {HEADINGS}"
    fibre, rob, serial = words[1], words[7], words[8]
    integers = [words[0], *words[2:7]]
    bad = next((word for word in integers if not _INTEGER.fullmatch(word)), None)
    if bad is not None:
        return f"{bad!r} is not a whole number"
    if len(fibre) > _LONGEST_FIBRE or not _FIBRE.fullmatch(fibre):
        return f"fibre is {fibre!r}, expected 0-{N_FIBRES - 1} or {_DISABLED}, decimal or 0x"
    if not _ROB.fullmatch(rob) or not FIRST_ROD <= int(rob, 16) <= LAST_ROD:
        return f"RobId is {rob!r}, expected 0x{FIRST_ROD:06x}-0x{LAST_ROD:06x}"
    if not _SERIAL.fullmatch(serial):
        return f"Sn is {serial!r}, expected 14 digits that begin with 20220"
    bec, layer, eta, phi, side = map(int, words[2:7])
    try:
        wafer = int(wafer_hash(bec, layer, phi, eta, side))
    except ValueError as error:
        return str(error)
    value = int(fibre, 16 if fibre[:2].lower() == "0x" else 10)
    return _Row(number, wafer, value, int(rob, 16), int(serial))
