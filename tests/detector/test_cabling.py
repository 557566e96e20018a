"""Cabling: the synthetic tables by their checksums, and every rule of the text file."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sctcalib.detector.cabling import (
    Cabling,
    cabling_of_year,
    default_cabling,
    online_id,
    rod_ids,
)
from sctcalib.detector.cabling_file import HEADINGS, cabling_lines, read_cabling, write_cabling
from sctcalib.detector.tables import default_serial_numbers
from sctcalib.job.errors import InputFileError, OutputFileError

WITHOUT_SERIALS = {
    90: "61f10164a4d015e66bbae50e9d7b7df75aa097521fb2c79a9cf1561e9c04b9f5",
    128: "261b0881a6aeabde4933d4490ca74c4e1a0a4da0375236e0b0ab796e23199f38",
}
WITH_SYNTHETIC_SERIALS = {
    90: "9794c3a621d83eb212b70008b29d0918316c776a9546bd8e17cf9d48cf0396d0",
    128: "30163af315fc4ea632933f82710923c6444ade4d0ff4fe4c0ff909c6b5a1757b",
}
CHECK_LINES = {
    (90, 0): "67 12 -2 0 0 0 0 0x240000",
    (90, 747): "75 63 -2 3 2 5 1 0x240008",
    (90, 1976): "22 10 0 0 -6 0 0 0x220000",
    (90, 1988): "0 0 0 0 1 0 0 0x210000",
    (90, 4938): "37 36 0 3 -1 3 0 0x220104",
    (90, 8175): "65 35 2 8 0 51 1 0x23010a",
    (128, 0): "96 12 -2 0 0 0 0 0x240000",
    (128, 747): "108 27 -2 3 2 5 1 0x24000c",
    (128, 1976): "32 10 0 0 -6 0 0 0x220000",
    (128, 1988): "0 0 0 0 1 0 0 0x210000",
    (128, 4938): "54 24 0 3 -1 3 0 0x220106",
    (128, 8175): "94 59 2 8 0 51 1 0x23010e",
}


def digest(lines: list[str]) -> str:
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


@pytest.mark.parametrize("n_rods", [90, 128])
def test_synthetic_table_has_the_checksums_of_the_recipe(n_rods: int) -> None:
    lines = cabling_lines(default_cabling(n_rods))
    assert digest(lines) == WITH_SYNTHETIC_SERIALS[n_rods]
    assert digest([line.rsplit(" ", 1)[0] for line in lines]) == WITHOUT_SERIALS[n_rods]


@pytest.mark.parametrize(("n_rods", "wafer"), CHECK_LINES)
def test_check_lines(n_rods: int, wafer: int) -> None:
    line = cabling_lines(default_cabling(n_rods))[wafer]
    assert line.rsplit(" ", 1)[0] == CHECK_LINES[n_rods, wafer]


@pytest.mark.parametrize(("n_rods", "fewest", "most"), [(90, 8, 96), (128, 54, 72)])
def test_links_per_rod(n_rods: int, fewest: int, most: int) -> None:
    cabling = default_cabling(n_rods)
    links = np.count_nonzero(cabling.wafer >= 0, axis=1)
    assert (cabling.n_cabled, len(cabling.rod_ids)) == (8176, n_rods)
    assert (links.min(), links.max()) == (fewest, most)


def test_database_cabling_has_even_fibres_for_side_0() -> None:
    _, fibre = default_cabling().place_of_wafer()
    assert np.array_equal(fibre % 2, np.arange(8176) % 2)


@pytest.mark.parametrize(("year", "n_rods"), [(2010, 90), (2013, 90), (2014, 128), (None, 128)])
def test_table_of_a_year(year: int | None, n_rods: int) -> None:
    assert len(cabling_of_year(year).rod_ids) == n_rods


def test_unknown_number_of_rods() -> None:
    with pytest.raises(ValueError, match="90 or 128 RODs, not 91"):
        rod_ids(91)


def test_online_ids() -> None:
    cabling = default_cabling()
    ids = cabling.online_ids()
    assert len(np.unique(ids)) == 8176
    assert np.array_equal(cabling.wafer_of_online_id(ids), np.arange(8176))
    assert online_id(0x210000, 1) == 18939904
    assert ids[1989] == 18939904


@pytest.mark.parametrize("unknown", [0xFFFFFFFF, 0x00210010, 0x60210000, 0x5F210000, 0, -1])
def test_unknown_online_id(unknown: int) -> None:
    assert default_cabling().wafer_of_online_id(unknown) == -1


def test_wafer_without_fibre_has_the_invalid_online_id() -> None:
    cabling = Cabling(np.array([0x210000]), np.full((1, 96), -1, dtype=np.int16))
    assert set(cabling.online_ids().tolist()) == {0xFFFFFFFF}


@pytest.mark.parametrize(
    ("rods", "cells", "problem"),
    [
        ([0x210000, 0x210000], {}, "ascending"),
        ([0x210000], {(0, 0): 5, (0, 1): 5}, "cabled twice"),
        ([0x210000], {(0, 0): 8176}, "outside 0-8175"),
    ],
)
def test_table_that_is_none(
    rods: list[int], cells: dict[tuple[int, int], int], problem: str
) -> None:
    table = np.full((len(rods), 96), -1, dtype=np.int16)
    for cell, wafer in cells.items():
        table[cell] = wafer
    with pytest.raises(ValueError, match=problem):
        Cabling(np.array(rods), table)


def write_table(path: Path, *rows: str, end: str = "</textList>\n") -> Path:
    path.write_text(f'<textList headings="{HEADINGS}">\n' + "".join(f"{r}\n" for r in rows) + end)
    return path


ROW = "0 0 0 0 1 0 0 0x210000 20220330200014"
"""Wafer 1988."""
OTHER_SIDE = "0 1 0 0 1 0 1 0x210000 20220330200014"


@pytest.mark.parametrize("n_rods", [90, 128])
def test_file_round_trip(tmp_path: Path, n_rods: int) -> None:
    cabling = default_cabling(n_rods)
    write_cabling(tmp_path / "cabling.dat", cabling)
    read = read_cabling(tmp_path / "cabling.dat")
    assert np.array_equal(read.rod_ids, cabling.rod_ids)
    assert np.array_equal(read.wafer, cabling.wafer)
    assert read.serials is not None
    assert np.array_equal(read.serials, default_serial_numbers())


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_partial_table_round_trip(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    chosen = data.draw(
        st.dictionaries(
            st.tuples(st.integers(0, 3), st.integers(0, 95)), st.integers(0, 8175), min_size=1
        )
    )
    table = np.full((4, 96), -1, dtype=np.int16)
    for cell, wafer in {wafer: cell for cell, wafer in chosen.items()}.items():
        table[wafer] = cell
    used = np.any(table >= 0, axis=1)
    cabling = Cabling(rod_ids()[:4][used], table[used])
    path = tmp_path_factory.mktemp("cabling") / "table"
    write_cabling(path, cabling)
    read = read_cabling(path)
    assert np.array_equal(read.wafer, cabling.wafer)
    assert np.array_equal(read.rod_ids, cabling.rod_ids)


def test_rows_before_the_headings_and_after_the_list_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "table"
    write_table(path, ROW)
    path.write_text("nonsense\n0x210000 0x210000\n" + path.read_text() + "nonsense\n")
    assert read_cabling(path).n_cabled == 1


def test_list_may_end_with_the_file(tmp_path: Path) -> None:
    assert read_cabling(write_table(tmp_path / "table", ROW, end="")).n_cabled == 1


def test_comments_and_blank_lines(tmp_path: Path) -> None:
    path = write_table(tmp_path / "table", "- a comment", "", f"{ROW}", "old - 1 2 3")
    assert read_cabling(path).n_cabled == 1


def test_fibre_may_be_hexadecimal_and_negative_numbers_are_no_comment(tmp_path: Path) -> None:
    row = "7 0x1f -2 0 0 0 0 0x240000 20220250000070"
    assert read_cabling(write_table(tmp_path / "table", row)).wafer[0, 31] == 0


def test_number_of_entries_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        read_cabling(write_table(tmp_path / "table", ROW, OTHER_SIDE))
    assert "2 entries were made to the identifier map." in caplog.text


@pytest.mark.parametrize(
    ("side", "partner", "fibre"),
    [(0, 11, 10), (1, 10, 11), (0, 10, 11), (1, 11, 10)],
    ids=["side 0", "side 1", "side 0 of an exchanged pair", "side 1 of an exchanged pair"],
)
def test_fibre_255_is_the_partner_of_the_other_side(
    tmp_path: Path, side: int, partner: int, fibre: int
) -> None:
    disabled = f"0 255 0 0 1 0 {side} 0x210000 20220330200014"
    given = f"0 {partner} 0 0 1 0 {1 - side} 0x210000 20220330200014"
    cabling = read_cabling(write_table(tmp_path / "table", disabled, given))
    assert cabling.wafer[0, fibre] == 1988 + side
    assert cabling.wafer[0, partner] == 1988 + 1 - side


def test_fibre_255_on_both_sides_is_not_cabled(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [f"0 255 0 0 1 1 {side} 0x210000 20220330200015" for side in (0, 1)]
    assert read_cabling(write_table(tmp_path / "table", ROW, *rows)).n_cabled == 1
    assert "other side has no fibre: not cabled" in caplog.text


def test_fibre_255_whose_partner_is_taken(tmp_path: Path) -> None:
    rows = [ROW, OTHER_SIDE.replace("0 1 0", "0 255 0", 1), "0 1 0 0 1 1 0 0x210000 20220330200015"]
    with pytest.raises(InputFileError, match=r"line 3: fibre 1 of ROD 0x210000 .*fibre 255"):
        read_cabling(write_table(tmp_path / "table", *rows))


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("0 0 0 0 1 0 0 0x210000", "8 fields, expected"),
        (f"{ROW} 1", "10 fields"),
        ("x 0 0 0 1 0 0 0x210000 20220330200014", "'x' is not a whole number"),
        ("0 0 0 0 1 0.5 0 0x210000 20220330200014", "'0.5' is not a whole number"),
        ("0 96 0 0 1 0 0 0x210000 20220330200014", "fibre is 96, expected 0-95 or 255"),
        ("0 -1 0 0 1 0 0 0x210000 20220330200014", "fibre is '-1'"),
        ("0 00000000001 0 0 1 0 0 0x210000 20220330200014", "fibre is '00000000001'"),
        ("0 0 0 0 0 0 0 0x210000 20220330200014", "no wafer at"),
        ("0 0 1 0 1 0 0 0x210000 20220330200014", "no wafer at"),
        ("0 0 0 0 1 0 2 0x210000 20220330200014", "no wafer at"),
        ("0 0 0 0 1 0 0 210000 20220330200014", "RobId is '210000'"),
        ("0 0 0 0 1 0 0 0x20ffff 20220330200014", "expected 0x210000-0x24010f"),
        ("0 0 0 0 1 0 0 0x240110 20220330200014", "RobId is '0x240110'"),
        ("0 0 0 0 1 0 0 0x210000 0", "Sn is '0', expected 14 digits"),
        ("0 0 0 0 1 0 0 0x210000 30220330200014", "begin with 20220"),
    ],
)
def test_bad_row_is_named_with_its_line(tmp_path: Path, row: str, problem: str) -> None:
    with pytest.raises(InputFileError) as caught:
        read_cabling(write_table(tmp_path / "table", OTHER_SIDE, row))
    assert f"{tmp_path / 'table'}, line 3: " in str(caught.value)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("0 2 0 0 1 0 0 0x210000 20220330200014", "wafer 1988 is listed a second time"),
        ("0 0 0 0 1 1 0 0x210000 20220330200015", "fibre 0 of ROD 0x210000 is already"),
        ("0 1 0 0 1 0 1 0x210000 20220330200015", "the other side of the module has"),
        ("0 2 0 0 1 1 0 0x210000 20220330200014", "already that of another module"),
    ],
)
def test_row_that_contradicts_another(tmp_path: Path, row: str, problem: str) -> None:
    with pytest.raises(InputFileError, match=problem):
        read_cabling(write_table(tmp_path / "table", ROW, row))


def test_all_bad_rows_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputFileError) as caught:
        read_cabling(write_table(tmp_path / "table", *["nonsense"] * 150))
    assert str(caught.value).count("line ") == 100
    assert "50 more problems" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"no table here\n", "no line contains the headings"),
        (f"{HEADINGS}\n".encode(), "the table has no rows"),
        (b"\xff\xfe", "cannot be read as a cabling file"),
    ],
)
def test_file_without_a_table(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "table"
    path.write_bytes(content)
    with pytest.raises(InputFileError, match=problem):
        read_cabling(path)


def test_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="cannot be read"):
        read_cabling(tmp_path / "none")
    with pytest.raises(OutputFileError, match="cannot be written"):
        write_cabling(tmp_path / "none" / "table", default_cabling())
