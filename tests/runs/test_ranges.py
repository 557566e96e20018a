"""Ranges and times of queries (run-query-and-upload.md A3)."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sctcalib.runs.ranges import (
    NANOSECOND,
    OPEN_END,
    QueryError,
    contains,
    joined,
    parse_duration,
    parse_number,
    parse_ranges,
    parse_times,
)

pytestmark = pytest.mark.requirement("R88")


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        ("267367", [(267367, 267367)]),
        ("10-20", [(10, 20)]),
        ("10+", [(10, OPEN_END)]),
        ("92050-", [(0, 92050)]),
        ("-", [(0, OPEN_END)]),
        ("10k+", [(10_000, OPEN_END)]),
        ("2m", [(2_000_000, 2_000_000)]),
        ("1k-2K", [(1000, 2000)]),
        ("5,1-2, 9", [(1, 2), (5, 5), (9, 9)]),
        ("1-3,4-6", [(1, 6)]),
        ("1-5,3-9", [(1, 9)]),
        ("1-9,3-4", [(1, 9)]),
        ("7,7", [(7, 7)]),
        ("0-0", [(0, 0)]),
    ],
)
def test_ranges_are_read_and_joined(text, ranges):
    assert list(parse_ranges(text)) == ranges


@pytest.mark.parametrize(
    "text", ["", "x", "1-x", "5-1", "1,", "1..3", "+", "10kk", "1e3", "-5", "1-2-3", "٣", "1 2"]
)
def test_what_is_no_range_is_refused(text):
    with pytest.raises(QueryError):
        parse_ranges(text)


RANGE = st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda p: (min(p), max(p)))


@settings(max_examples=200, deadline=None)
@given(st.lists(RANGE, max_size=6))
def test_joined_ranges_hold_the_same_numbers_in_order_with_gaps_between(ranges):
    result = joined(ranges)
    for number in range(62):
        assert contains(result, number) == any(a <= number <= b for a, b in ranges)
    assert all(a <= b for a, b in result)
    assert all(end + 1 < begin for (_, end), (begin, _) in pairwise(result))


@given(st.integers(0, 10**15 - 1))
def test_numbers_are_read_back(number):
    assert parse_number(str(number)) == number


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3d", 259200),
        ("1d 12h", 129600),
        ("1d12h", 129600),
        (" 90 m", 5400),
        ("2w", 1209600),
        ("1y", 31536000),
        ("10s", 10),
    ],
)
def test_durations_add_up(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "3", "d", "3x", "3d 4", "-3d", "1.5d", "3 days"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(QueryError, match="duration"):
        parse_duration(text)


def ns(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp()) * NANOSECOND


NOW = ns(2016, 3, 4, 5)


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("1.6.2015-30.6.2015", ns(2015, 6, 1), ns(2015, 7, 1) - 1),
        ("1.6.2015", ns(2015, 6, 1), ns(2015, 6, 2) - 1),
        ("1.6.", ns(2016, 6, 1), ns(2016, 6, 2) - 1),
        ("1.6.2015+", ns(2015, 6, 1), OPEN_END),
        ("1.6.2015-", 0, ns(2015, 6, 2) - 1),
        ("1.6.2015_12:30:15-1.6.2015_13:00", ns(2015, 6, 1, 12, 30, 15),
         ns(2015, 6, 1, 13, 0, 1) - 1),
        ("1.6.2015 12:30:15-2.6.2015", ns(2015, 6, 1, 12, 30, 15), ns(2015, 6, 3) - 1),
        ("01.06.2015", ns(2015, 6, 1), ns(2015, 6, 2) - 1),
    ],
)  # fmt: skip
def test_times_are_utc_and_days_are_whole(text, since, until):
    assert parse_times(text, NOW) == ((since, until),)


def test_several_times_are_joined():
    assert parse_times("2.6.2015,1.6.2015", NOW) == ((ns(2015, 6, 1), ns(2015, 6, 3) - 1),)
    assert len(parse_times("1.6.2015,3.6.2015", NOW)) == 2


@pytest.mark.parametrize(
    "text",
    ["", "x", "31.2.2015", "1.13.2015", "1.6.15", "1.6.2015_25:00", "1.6.2015_12", "2015-06-01",
     "3.6.2015-1.6.2015", "1.6.2015/2.6.2015"],
)  # fmt: skip
def test_what_is_no_time_is_refused(text):
    with pytest.raises(QueryError):
        parse_times(text, NOW)
