"""Strip lists as text (algorithms-hitmaps.md 3.4, 8.2 E3; cool-folders.md 7.1, 8.2, 9)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sctcalib.parts import strip_lists

WORKED = [
    # numbers, raw, normalised, trimmed
    ([], "", "", ""),
    ([5], " 5 ", "5", "5"),
    ([5, 6], " 5-6 ", "5-6", "5-6"),
    ([10, 11], " 10-11 ", "10-11", "10-11"),
    ([5, 10, 11, 12, 768], " 5  10-12  768 ", "5 10-12 768", "5  10-12  768"),
    ([767, 768], " 767-768 ", "767-768", "767-768"),
    ([0, 1, 2, 5, 768, 769], " 0-2  5  768-769 ", "0-2 5 768-769", "0-2  5  768-769"),
    (list(range(1536)), " 0-1535 ", "0-1535", "0-1535"),
]

strips = st.sets(st.integers(0, 1535), max_size=200).map(sorted)


@pytest.mark.parametrize(("numbers", "raw", "normalised", "trimmed"), WORKED)
def test_forms_of_the_worked_examples(
    numbers: list[int], raw: str, normalised: str, trimmed: str
) -> None:
    assert strip_lists.encode(numbers) == raw
    assert strip_lists.normalised(raw) == normalised
    assert strip_lists.trimmed(raw) == trimmed
    assert strip_lists.count(raw) == strip_lists.count(normalised) == len(numbers)
    for text in (raw, normalised, trimmed):
        assert strip_lists.decode(text).tolist() == numbers


def test_raw_text_of_the_cool_example_has_17_characters() -> None:
    assert len(strip_lists.encode([0, 1, 2, 5, 768, 769])) == 17


def test_run_over_the_side_boundary_decodes_to_both_sides() -> None:
    found = strip_lists.decode(" 767-768 ")
    assert [(n // 768, n % 768) for n in found.tolist()] == [(0, 767), (1, 0)]


def test_pathological_modules_exceed_4000_characters() -> None:
    every_second = np.arange(0, 1536, 2)
    pairs_with_gaps = np.flatnonzero(np.arange(1536) % 3)
    assert len(strip_lists.encode(every_second)) == 4053
    assert len(strip_lists.encode(pairs_with_gaps)) == 4894


@pytest.mark.parametrize("text", ["", " ", "  \t\n", "-", "none", "- -"])
def test_text_without_digits_is_an_empty_list(text: str) -> None:
    found = strip_lists.decode(text)
    assert found.dtype == np.int64
    assert found.tolist() == []


def test_order_and_repetition_in_a_text_do_not_matter() -> None:
    assert strip_lists.decode("7 3-5 4-6 3 0").tolist() == [0, 3, 4, 5, 6, 7]
    assert strip_lists.decode("010 007-008").tolist() == [7, 8, 10]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("5 1536", "1536"),
        ("12-3", "12-3"),
        ("5 1530-1536 7", "1530-1536"),
        ("5-", "5-"),
        ("-5", "-5"),
        ("1 2-3-4", "2-3-4"),
        ("5,6", "5,6"),
        ("5 x", "x"),
        ("5 - 7", "-"),
        ("1.5", "1.5"),
        ("+5", "+5"),
        ("0x5", "0x5"),
        ("\u0665", "\u0665"),
        ("5\u00b2", "5\u00b2"),
        ("1_0", "1_0"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_bad_word_is_named(text: str, word: str) -> None:
    with pytest.raises(ValueError, match=r"^.") as error:
        strip_lists.decode(text)
    assert str(error.value).startswith(f"{word!r} is ")


def test_limit_of_chips_is_that_of_the_caller() -> None:
    assert strip_lists.decode("0-5  6-11", end=12).tolist() == list(range(12))
    with pytest.raises(ValueError, match="'12' is not within 0-11"):
        strip_lists.decode("3 12", end=12)


def test_count_names_a_word_that_is_no_number() -> None:
    with pytest.raises(ValueError, match="'a-b' is neither a number nor a range"):
        strip_lists.count("5 a-b")


def test_count_is_word_by_word_as_in_the_upload_test() -> None:
    assert strip_lists.count(" 5  10-12  768 ") == 5
    assert strip_lists.count("5 5 4-6") == 5


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ([3, 3], "3 follows 3"),
        ([5, 4], "4 follows 5"),
        ([0, 1, 2, 9, 7], "7 follows 9"),
        ([-1, 0], "negative number -1"),
    ],
)
def test_encoding_refuses_numbers_that_do_not_ascend(numbers: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        strip_lists.encode(numbers)


def test_neighbouring_lists_do_not_join_and_may_descend_from_one_to_the_next() -> None:
    lists = [[], [5, 6], [7], [], [1], [1, 2], []]
    assert strip_lists.encode_many(lists) == ["", " 5-6 ", " 7 ", "", " 1 ", " 1-2 ", ""]
    assert strip_lists.encode_many([[], []]) == ["", ""]
    assert strip_lists.encode_many([]) == []


@given(strips)
@settings(max_examples=100)
def test_round_trip(numbers: list[int]) -> None:
    raw = strip_lists.encode(numbers)
    for text in (raw, strip_lists.normalised(raw), strip_lists.trimmed(raw)):
        assert strip_lists.decode(text).tolist() == numbers
        assert strip_lists.count(text) == len(numbers)


@given(st.lists(strips, max_size=6))
@settings(max_examples=100)
def test_many_lists_are_encoded_as_one_by_one(lists: list[list[int]]) -> None:
    assert strip_lists.encode_many(lists) == [_plain_encode(numbers) for numbers in lists]


@given(st.sets(st.integers(0, 1_000_000), max_size=50).map(sorted))
@settings(max_examples=50)
def test_lumi_block_numbers_may_exceed_the_strips(numbers: list[int]) -> None:
    raw = strip_lists.encode(numbers)
    assert raw == _plain_encode(numbers)
    assert strip_lists.decode(raw, end=1_000_001).tolist() == numbers


def _plain_encode(numbers: list[int]) -> str:
    """The definition, group by group, as the oracle."""
    text = ""
    for number in numbers:
        if number - 1 in numbers:
            continue
        last = number
        while last + 1 in numbers:
            last += 1
        text += f" {number} " if last == number else f" {number}-{last} "
    return text
