"""The replaceable tables: defaults, round trips, and every bad row reported with its place."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from sctcalib.detector import tables
from sctcalib.detector.identifiers import module_id32
from sctcalib.detector.readout import default_swap
from sctcalib.job.errors import InputFileError, OutputFileError


def test_default_serial_numbers_are_synthetic_and_distinct():
    serials = tables.default_serial_numbers()
    assert tables.serial_text(int(serials[0])) == "20220999000001"
    assert tables.serial_text(int(serials[4087])) == "20220999004088"
    assert len(np.unique(serials)) == 4088


def test_missing_serial_number_is_a_zero():
    assert tables.serial_text(0) == "0"


def test_swap_table_round_trip(tmp_path):
    path = tmp_path / "swap.csv"
    tables.write_swap_table(path, default_swap())
    assert path.read_text().splitlines()[:3] == ["wafer_hash,swap", "0,1", "1,0"]
    assert np.array_equal(tables.read_swap_table(path), default_swap())


def test_serial_number_round_trip(tmp_path):
    path = tmp_path / "serials.csv"
    serials = tables.default_serial_numbers()
    tables.write_serial_numbers(path, serials)
    assert path.read_text().splitlines()[1] == "20220999000001,134230016"
    assert np.array_equal(tables.read_serial_numbers(path), serials)


def test_further_columns_of_serial_numbers_are_ignored(tmp_path, caplog):
    path = tmp_path / "serials.csv"
    path.write_text(
        "serial_number,module_id32,barrel_ec,layer_disk\n20220170000001,174172160,0,3\n"
    )
    serials = tables.read_serial_numbers(path)
    assert serials[2469] == 20220170000001
    assert np.count_nonzero(serials) == 1
    assert "4087 modules have no serial number" in caplog.text


def test_swap_of_both_sides_alike_is_warned_about(tmp_path, caplog):
    path = tmp_path / "swap.csv"
    tables.write_swap_table(path, np.zeros(8176, dtype=bool))
    with caplog.at_level(logging.WARNING):
        assert not tables.read_swap_table(path).any()
    assert "4088 modules have the same readout direction, the first is module 0" in caplog.text


@pytest.mark.parametrize(
    ("row", "complaint"),
    [("8176,0", "wafer_hash is '8176', expected 0-8175"),
     ("-1,0", "wafer_hash is '-1'"),
     ("x,0", "wafer_hash is 'x'"),
     (",0", "wafer_hash is ''"),
     ("0,2", "swap is '2', expected 0 or 1"),
     ("0,True", "swap is 'True'"),
     ("0,", "swap is ''"),
     ("0", "1 columns, expected wafer_hash,swap"),
     ("1,0", "wafer 1 is listed a second time")],
)  # fmt: skip
def test_bad_swap_row_is_named_with_its_line(tmp_path, row, complaint):
    path = tmp_path / "swap.csv"
    lines = ["wafer_hash,swap", row, *(f"{wafer},0" for wafer in range(1, 8176))]
    if row == "1,0":
        lines[1:3] = ["1,0", "1,0"]
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(InputFileError) as caught:
        tables.read_swap_table(path)
    line = 3 if row == "1,0" else 2
    assert f"swap.csv, line {line}: {complaint}" in str(caught.value)


def test_missing_wafers_are_counted(tmp_path):
    path = tmp_path / "swap.csv"
    path.write_text("wafer_hash,swap\n" + "".join(f"{w},0\n" for w in range(8000)))
    with pytest.raises(InputFileError, match="176 wafers are missing, the first is 8000"):
        tables.read_swap_table(path)


@pytest.mark.parametrize(
    ("row", "complaint"),
    [("2022017000001,134230016", "serial_number is '2022017000001', expected 14 digits"),
     ("99990170000001,134230016", "expected 14 digits that begin with 20220"),
     ("2022017000000a,134230016", "serial_number is '2022017000000a'"),
     ("20220170000001,134231040", "module_id32 is '134231040', not the 32-bit identifier"),
     ("20220170000001,134230017", "module_id32 is '134230017'"),
     ("20220170000001,0x8003000", "module_id32 is '0x8003000'"),
     ("20220170000001", "1 columns, expected serial_number,module_id32"),
     ("20220170000002,174172160", "module 174172160 is listed a second time"),
     ("20220170000009,134230016", "serial number 20220170000009 is listed a second time")],
)  # fmt: skip
def test_bad_serial_row_is_named_with_its_line(tmp_path, row, complaint):
    path = tmp_path / "serials.csv"
    path.write_text(f"serial_number,module_id32\n20220170000009,174172160\n{row}\n")
    with pytest.raises(InputFileError, match="line 3: ") as caught:
        tables.read_serial_numbers(path)
    assert complaint in str(caught.value)


def test_all_bad_rows_are_reported_at_once(tmp_path):
    path = tmp_path / "serials.csv"
    path.write_text("serial_number,module_id32\na,1\nb,2\n20220170000001,174172160\n\nc,3\n")
    with pytest.raises(InputFileError) as caught:
        tables.read_serial_numbers(path)
    assert [line.split(":")[0].split()[-1] for line in str(caught.value).splitlines()] == [
        "2", "3", "6",
    ]  # fmt: skip


@pytest.mark.parametrize("read", [tables.read_swap_table, tables.read_serial_numbers])
@pytest.mark.parametrize("content", [b"", b"hash;swap\n", b"\xff\xfe\x00"])
def test_file_without_the_right_header_is_refused(tmp_path, read, content):
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    with pytest.raises(InputFileError, match=r"table\.csv.*(the header is|cannot be read)"):
        read(path)


@pytest.mark.parametrize("read", [tables.read_swap_table, tables.read_serial_numbers])
def test_missing_file_is_an_input_error(tmp_path, read):
    with pytest.raises(InputFileError, match=r"nowhere\.csv: cannot be read"):
        read(tmp_path / "nowhere.csv")


def test_unwritable_table_is_an_output_error(tmp_path):
    with pytest.raises(OutputFileError, match="cannot be written"):
        tables.write_swap_table(tmp_path / "no" / "swap.csv", default_swap())


def test_serial_table_is_in_module_order(tmp_path):
    path = tmp_path / "serials.csv"
    tables.write_serial_numbers(path, tables.default_serial_numbers())
    ids = [int(line.split(",")[1]) for line in path.read_text().splitlines()[1:]]
    assert ids == module_id32().tolist()
