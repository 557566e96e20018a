"""runInfo.txt (algorithms-hist.md 1.3, transform.md 7.1)."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sctcalib.job.errors import OutputFileError
from sctcalib.resources import resource
from sctcalib.runs.run_info import RunInfo, parse_run_info, read_run_info, write_run_info

EXAMPLE = "267367 data15_13TeV 1433995200 1434031200 873 SCTBA,SCTBC,SCTEA,SCTEC"
INFO = RunInfo(
    267367,
    "data15_13TeV",
    1433995200,
    1434031200,
    873,
    ("SCTBA", "SCTBC", "SCTEA", "SCTEC"),
)


def test_example_of_the_reference():
    assert parse_run_info(EXAMPLE) == INFO
    assert INFO.duration == 36000


def test_file_has_six_fields_single_blanks_and_no_line_feed(tmp_path):
    write_run_info(tmp_path / "runInfo.txt", INFO)
    assert (tmp_path / "runInfo.txt").read_bytes() == EXAMPLE.encode()


def test_packaged_example_is_read():
    assert read_run_info(resource("share", "examples") / "runInfo.txt", 267367) == INFO


def test_no_partition_is_written_as_none():
    info = RunInfo(1, "data15_cos", 0, 0, 0)
    assert info.line() == "1 data15_cos 0 0 0 NONE"
    assert parse_run_info(info.line()) == info


@pytest.mark.parametrize("end", ["", " ", "\n", " NONE"])
def test_partitions_of_the_original_may_be_empty(end):
    assert parse_run_info("1 data15_cos 10 20 3" + end).partitions == ()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1523960533.4", 1523960533), ("1465812345.678", 1465812345), ("1465812345.", 1465812345)],
)
def test_decimals_of_times_are_cut_at_the_dot(text, seconds):
    assert parse_run_info(f"1 p {text} 1600000000.99 3 NONE").start == seconds
    assert parse_run_info(f"1 p {text} 1600000000.99 3 NONE").end == 1600000000


WORDS = st.from_regex(r"[!-+\--~]{1,12}", fullmatch=True)
COUNTS = st.integers(0, 2**31 - 1)


@settings(max_examples=60)
@given(
    numbers=st.tuples(COUNTS, COUNTS, COUNTS),
    duration=st.integers(0, 10**6),
    project=WORDS,
    partitions=st.lists(WORDS.filter(lambda word: word != "NONE"), max_size=4),
)
def test_round_trip(numbers, duration, project, partitions):
    run, start, n_lumi_blocks = numbers
    info = RunInfo(run, project, start, start + duration, n_lumi_blocks, tuple(partitions))
    assert parse_run_info(info.line()) == info


def test_absent_file_is_no_information_with_a_warning(tmp_path, caplog):
    assert read_run_info(tmp_path / "runInfo.txt", 1) is None
    assert "runInfo.txt not found" in caplog.text


def test_file_of_another_run_is_ignored_with_a_warning_that_names_both(tmp_path, caplog):
    write_run_info(tmp_path / "runInfo.txt", INFO)
    assert read_run_info(tmp_path / "runInfo.txt", 267368) is None
    assert "267367" in caplog.text
    assert "267368" in caplog.text


def test_good_file_gives_no_warning(tmp_path, caplog):
    write_run_info(tmp_path / "runInfo.txt", INFO)
    assert read_run_info(tmp_path / "runInfo.txt", 267367) == INFO
    assert not caplog.records


BAD_CONTENT = {
    "empty": (b"", "0 fields, expected 6"),
    "too few fields": (b"267367 data15_13TeV 1 2", "4 fields"),
    "too many fields": (b"267367 p 1 2 3 NONE 4", "7 fields"),
    "texts of an absent value": (b"267367 p cannot retrieve 3 NONE", "start time is 'cannot'"),
    "run with decimals": (b"267367.5 p 1 2 3 NONE", "run number is '267367.5'"),
    "negative time": (b"267367 p -1 2 3 NONE", "start time is '-1'"),
    "lumi blocks not a number": (b"267367 p 1 2 x NONE", "number of lumi blocks is 'x'"),
    "not a number": (b"267367 p nan 2 3 NONE", "start time is 'nan'"),
    "end before start": (b"267367 p 3 2 3 NONE", "start 3 and end 2"),
    "nanoseconds": (
        b"267367 p 1433995200000000000 2 3 NONE",
        "start time is '1433995200000000000'",
    ),
    "after the year 9999": (b"267367 p 1 999999999999 3 NONE", "end 999999999999"),
    "digits of other scripts": ("267367 p \u0661 2 3 NONE".encode(), "ascii"),
    "binary": (b"\x00\xff\xfe", "ascii"),
    "partition missing between commas": (b"267367 p 1 2 3 SCTBA,,SCTEA", "words without blanks"),
}


@pytest.mark.parametrize(("content", "reason"), BAD_CONTENT.values(), ids=BAD_CONTENT)
def test_damaged_file_is_no_information_with_a_warning(content, reason, tmp_path, caplog):
    path = tmp_path / "runInfo.txt"
    path.write_bytes(content)
    assert read_run_info(path, 267367) is None
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert str(path) in record.getMessage()
    assert reason in record.getMessage()


def test_folder_in_place_of_the_file_gives_a_warning(tmp_path, caplog):
    assert read_run_info(tmp_path, 1) is None
    assert "cannot be read" in caplog.text


@pytest.mark.parametrize(
    "bad",
    [
        {"run": -1},
        {"n_lumi_blocks": -1},
        {"end": 0},
        {"project": ""},
        {"project": "a b"},
        {"partitions": ("SCTBA,SCTBC",)},
        {"partitions": ("NONE",)},
    ],
)
def test_values_that_the_file_could_not_hold_are_refused(bad):
    good = {"run": 1, "project": "p", "start": 1, "end": 2, "n_lumi_blocks": 3}
    RunInfo(**good)
    with pytest.raises(ValueError, match=r"negative|order|words"):
        RunInfo(**good | bad)


def test_unwritable_place_is_an_output_file_error(tmp_path):
    with pytest.raises(OutputFileError, match="cannot be written"):
        write_run_info(tmp_path / "absent" / "runInfo.txt", INFO)
