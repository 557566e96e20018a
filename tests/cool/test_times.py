"""Time strings and validity keys (cool-sqlite.md 6, 10; cool-folders.md 9.4)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sctcalib.cool import VALIDITY_KEY_MAX, ValidityError, run_lumi, run_of
from sctcalib.cool.times import format_key, format_time, parse_time


def test_time_strings() -> None:
    assert format_time(0) == "1970-01-01_00:00:00.000000000 GMT"
    assert format_time(1446004193575072001) == "2015-10-28_03:49:53.575072001 GMT"
    assert len(format_time(1446004193575072001)) == 33


@given(st.integers(0, 4 * 10**18))
def test_time_strings_come_back_and_sort(nanoseconds: int) -> None:
    text = format_time(nanoseconds)
    assert parse_time(text) == nanoseconds
    assert text < format_time(nanoseconds + 1)


@pytest.mark.parametrize(
    "text",
    [
        "", "now", "2015-10-28", "2015-10-28 03:49:53.575072001 GMT",
        "2015-10-28_03:49:53.575072 GMT", "2015-13-28_03:49:53.575072001 GMT",
        "2015-10-28_03:49:53.575072001 CET",
    ],
)  # fmt: skip
def test_what_is_no_time_string(text: str) -> None:
    with pytest.raises(ValidityError, match="is not a time of the form"):
        parse_time(text)


def test_keys_of_runs() -> None:
    assert run_lumi(300000) == 1288490188800000
    assert run_lumi(300000, 0xFFFFFFFF) == 1288494483767295
    assert run_lumi(364214) == 1564287218745344
    assert run_lumi(364214, 4294967295) == 1564291513712639
    assert run_lumi(2**31 - 1, 2**32 - 1) == VALIDITY_KEY_MAX == 9223372036854775807
    assert run_of(1288494483767295) == 300000
    assert run_of(1288494483767296) == 300001


@pytest.mark.parametrize(("run", "lb"), [(-1, 0), (2**31, 0), (1, -1), (1, 2**32)])
def test_runs_and_lumi_blocks_out_of_range(run: int, lb: int) -> None:
    with pytest.raises(ValidityError, match="is outside 0-"):
        run_lumi(run, lb)


@pytest.mark.parametrize(
    ("key", "kind", "text"),
    [
        (run_lumi(300000, 17), "run-lumi", "300000/17"),
        (run_lumi(5), "run-event", "5/0"),
        (10**9, "time", "1970-01-01_00:00:01.000000000 GMT"),
        (12345, "", "12345"),
        (VALIDITY_KEY_MAX, "run-lumi", "inf"),
        (VALIDITY_KEY_MAX, "time", "inf"),
    ],
)
def test_keys_for_people(key: int, kind: str, text: str) -> None:
    assert format_key(key, kind) == text
