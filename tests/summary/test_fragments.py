"""Numbers, times and texts of XML files (algorithms-hitmaps.md 2.4, 7; algorithms-hist.md 1)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from sctcalib.job.errors import OutputFileError
from sctcalib.summary.fragments import attribute, number, stylesheet, value, values
from sctcalib.summary.times import utc_text


@pytest.mark.parametrize(
    ("real", "text"),
    [
        (0.015, "0.015"),
        (np.float32(0.015), "0.015"),
        (5e-6, "5e-06"),
        (0.9804812, "0.980481"),
        (1, "1"),
        (30.0000001, "30"),
        (123456789, "1.23457e+08"),
        (-0.5, "-0.5"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (1e-46, "0"),
        (0.1234565, "0.123457"),
    ],
)
def test_numbers_are_single_precision_with_six_digits(real: float, text: str) -> None:
    assert number(real) == text


def test_rounding_to_single_precision_comes_before_the_digits() -> None:
    assert format(100000.5001, ".6g") == "100001"
    assert number(100000.5001) == "100000"


def test_number_outside_single_precision_is_refused() -> None:
    with pytest.raises(OverflowError):
        number(1e39)


@given(st.floats(width=32, allow_nan=False))
@settings(max_examples=100)
def test_numbers_agree_with_numpy_single_precision(real: float) -> None:
    assert number(real) == f"{float(np.float32(real)):.6g}"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1523960533, "2018-04-17_10:22:13.000000000 GMT"),
        (1465812345, "2016-06-13_10:05:45.000000000 GMT"),
        (1431000000, "2015-05-07_12:00:00.000000000 GMT"),
        (0, "1970-01-01_00:00:00.000000000 GMT"),
        (-1, "1969-12-31_23:59:59.000000000 GMT"),
        (None, ""),
    ],
)
def test_times_are_utc_in_the_padded_form(seconds: int | None, text: str) -> None:
    assert utc_text(seconds) == text


def test_time_beyond_the_calendar_is_refused() -> None:
    with pytest.raises(ValueError, match="1000000000000 s since 1970 is not a time"):
        utc_text(10**12)


def test_empty_value_has_a_closing_tag() -> None:
    assert value("LinkID", "", 6) == '      <value name="LinkID"></value>\n'
    assert values([("A", 1), ("B", "x")], 2) == (
        '  <value name="A">1</value>\n  <value name="B">x</value>\n'
    )


def test_style_sheet_instruction() -> None:
    assert stylesheet("a.xsl") == '<?xml-stylesheet type="text/xsl" href="a.xsl"?>\n'


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
@settings(max_examples=200)
def test_any_text_comes_back_or_is_refused(text: str) -> None:
    try:
        line = f'<a b="{attribute(text)}">{value("x", text, 0)}</a>'
    except OutputFileError:
        assert any(not _in_xml(character) for character in text)
        return
    root = etree.fromstring(line)
    assert (root.get("b"), root[0].text or "") == (text, text)


def test_half_of_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(OutputFileError, match="which has no character"):
        value("x", "a\ud800", 0)


def _in_xml(character: str) -> bool:
    code = ord(character)
    return character in "\t\n\r" or (code >= 32 and not 0xD800 <= code < 0xE000
                                     and code not in (0xFFFE, 0xFFFF))  # fmt: skip
