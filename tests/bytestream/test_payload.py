"""16-bit words of a ROD: every bit of raw-bytestream.md 3.3-3.12, and the plain decoder."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sctcalib.detector.cabling import Cabling
from sctcalib.detector.regions import N_MODULES
from tests.bytestream.plain_decoder import PlainDecoder
from tests.bytestream.reading import Decoded, Payloads, fibres, small_cabling, swapped

CONDENSED, EXPANDED, TRAILER = 0x2100, 0x2000, 0x4000
FIBRES = fibres(small_cabling())
W = FIBRES[0]
"""Side-0 wafer of fibre 0; it is not swapped, its other side is."""
UNKNOWN = 0x2100 | 1 << 4 | 8  # fibre 20


@pytest.fixture(scope="module")
def payloads() -> Payloads:
    return Payloads()


def link(*words: int, header: int = CONDENSED) -> list[int]:
    return [header, *words, TRAILER]


def hits(decoded: Decoded) -> list[tuple[int, ...]]:
    """Wafer, strip, size, time bin."""
    return [hit[:4] for hit in decoded.hits]


def test_the_wafer_of_the_tests_is_as_they_say() -> None:
    assert (W % 2, FIBRES[1]) == (0, W + 1)
    assert (swapped()[W], swapped()[W + 1]) == (False, True)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        (0x8050, (W, 5, 1, 2)),
        (0x9641, (W, 356, 2, 2)),
        (0xEFF0, (W + 1, 0, 1, 2)),  # strip 767 in readout order, on the swapped side
        (0xC001, (W + 1, 766, 2, 2)),  # strips 0 and 1 in readout order
        (0x87F0, (W, 127, 1, 2)),
    ],
)
def test_condensed_word(payloads: Payloads, word: int, expected: tuple[int, ...]) -> None:
    assert hits(payloads.decode(link(word))) == [expected]


def test_expanded_cluster_has_the_time_bin_of_each_strip(payloads: Payloads) -> None:
    decoded = payloads.decode(link(0x88A3, 0x809A, 0x800E, header=EXPANDED))
    assert hits(decoded) == [(W, 138, 1, 3), (W, 139, 1, 2), (W, 140, 1, 1), (W, 141, 1, 6)]


@pytest.mark.parametrize(("fibre", "low"), [(24, 0x20), (94, 0x7A), (50, 0x42), (12, 0x10)])
def test_fibre_of_a_header(payloads: Payloads, fibre: int, low: int) -> None:
    cabling = small_cabling()
    table = np.full_like(cabling.wafer, -1)
    table[0, fibre] = W
    decoded = Payloads(Cabling(cabling.rod_ids, table)).decode(link(0x8050, header=0x2100 | low))
    assert hits(decoded) == [(W, 5, 1, 2)]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([0x8050, 0x8050], [(W, 5, 1, 2)]),
        ([0x8050, 0x8051], [(W, 5, 2, 2)]),
        ([0x8051, 0x8050], [(W, 5, 2, 2)]),
        ([0x8051, 0x8070], [(W, 5, 2, 2), (W, 7, 1, 2)]),
        ([0x8050, 0x8060], [(W, 5, 1, 2), (W, 6, 1, 2)]),
        ([0x8050, 0xC050], [(W, 5, 1, 2), (W + 1, 762, 1, 2)]),
        ([0x8052], [(W, 5, 1, 2)]),  # bit 1 is not used
    ],
)
def test_condensed_words_merge_only_at_the_same_strip(
    payloads: Payloads, words: list[int], expected: list[tuple[int, ...]]
) -> None:
    assert hits(payloads.decode(link(*words))) == expected


def test_super_condensed_counts_of_one_strip_add_up(payloads: Payloads) -> None:
    decoded = payloads.decode(link(0x805F, 0x8052, header=EXPANDED), super_condensed=True)
    assert hits(decoded) == [(W, 5, 19, 2)]
    assert decoded.counts["super_condensed"] == 2


@pytest.mark.parametrize(
    ("words", "flags"),
    [
        ([0x8054], [1]),
        ([0x8058], [0]),  # bit 3 says nothing of a single hit
        ([0x8055], [1]),
        ([0x8059], [2]),
        ([0x805D], [3]),
        ([0x8050, 0x8064, 0x8090], [0, 1, 1]),
    ],
)
def test_hit_errors_stay_until_the_next_header(
    payloads: Payloads, words: list[int], flags: list[int]
) -> None:
    decoded = payloads.decode([*link(*words), *link(0x8050)])
    assert [hit[4] for hit in decoded.hits] == [*flags, 0]


@pytest.mark.parametrize("chip", [6, 7])
@pytest.mark.parametrize("header", [CONDENSED, EXPANDED])
def test_invalid_chip_is_a_parse_error_and_dropped(
    payloads: Payloads, chip: int, header: int
) -> None:
    decoded = payloads.decode(link(0x8000 | chip << 11, header=header))
    assert (decoded.hits, decoded.errors) == ([], {W: {"ByteStreamParseError"}})
    assert decoded.counts["invalid_chips"] == decoded.counts["hit_words"] == 1


def test_group_before_an_invalid_chip_at_the_end_is_kept(payloads: Payloads) -> None:
    assert hits(payloads.decode(link(0x8050, 0xB000))) == [(W, 5, 1, 2)]


def test_invalid_chip_of_the_other_side_does_not_switch_the_fibre(payloads: Payloads) -> None:
    decoded = payloads.decode(link(0xF000, 0x8050))
    assert (hits(decoded), set(decoded.errors)) == ([(W, 5, 1, 2)], {W})


def test_group_across_a_chip_boundary_is_refused(payloads: Payloads) -> None:
    decoded = payloads.decode(link(0x87F1))
    assert (decoded.hits, decoded.errors) == ([], {W: {"ByteStreamParseError"}})
    assert decoded.counts["refused_groups"] == 1


def test_expanded_cluster_crosses_a_chip_boundary(payloads: Payloads) -> None:
    decoded = payloads.decode(link(0x87F2, 0x80AA, header=EXPANDED))
    assert [hit[1] for hit in decoded.hits] == [127, 128, 129]


@pytest.mark.parametrize(
    ("strip", "word", "strips", "refused"),
    [
        (765, 0x8088, [765, 766, 767], 0),
        (766, 0x8088, [766], 1),
        (766, 0x8008, [766, 767], 0),
        (767, 0x8008, [767], 1),
    ],
)
def test_expanded_word_beyond_the_last_strip_is_refused_whole(
    payloads: Payloads, strip: int, word: int, strips: list[int], refused: int
) -> None:
    first = 0x8000 | strip << 4
    decoded = payloads.decode(link(first, word, header=EXPANDED))
    assert [hit[1] for hit in decoded.hits] == strips
    assert decoded.counts.get("refused_expanded", 0) == refused
    assert decoded.errors == ({W: {"ByteStreamParseError"}} if refused else {})


@pytest.mark.parametrize("words", [[0x8088], [0x8008], [0xB000, 0x8008]])
def test_expanded_word_without_a_first_hit_is_refused(payloads: Payloads, words: list[int]) -> None:
    decoded = payloads.decode(link(*words, header=EXPANDED))
    assert (decoded.hits, decoded.errors) == ([], {W: {"ByteStreamParseError"}})


@pytest.mark.parametrize(
    ("header", "words", "wafers"),
    [
        (CONDENSED, [0x8050, 0xC050, 0x8060], [W, W + 1, W]),
        (CONDENSED | 1, [0x8050, 0xC050], [W, W + 1]),
        (EXPANDED, [0x8050, 0xC050], [W, W + 1]),
    ],
)
def test_side_bit_switches_the_fibre(
    payloads: Payloads, header: int, words: list[int], wafers: list[int]
) -> None:
    assert [hit[0] for hit in payloads.decode(link(*words, header=header)).hits] == wafers


@pytest.mark.parametrize(
    ("bit", "name"),
    [
        (0x1000, "PreambleError"),
        (0x0800, "TimeOutError"),
        (0x0400, "LVL1IDError"),
        (0x0200, "BCIDError"),
        (0x0080, "MaskedLink"),
    ],
)
def test_error_bit_of_a_header(payloads: Payloads, bit: int, name: str) -> None:
    assert payloads.decode(link(header=CONDENSED | bit)).errors == {W: {name}}


def test_link_number_above_11_is_a_formatter_error_of_the_next_formatter(
    payloads: Payloads,
) -> None:
    assert payloads.decode(link(header=CONDENSED | 0xC)).errors == {FIBRES[12]: {"FormatterError"}}


@pytest.mark.parametrize(
    ("bit", "name"),
    [
        (0x1000, "TrailerError"),
        (0x0800, "HeaderTrailerLimitError"),
        (0x0400, "TrailerOverflowError"),
    ],
)
def test_error_bit_of_a_trailer(payloads: Payloads, bit: int, name: str) -> None:
    assert payloads.decode([CONDENSED, TRAILER | bit]).errors == {W: {name}}


@pytest.mark.parametrize("header", [CONDENSED, CONDENSED | 1])
@pytest.mark.parametrize(
    ("number", "side", "chips"),
    [(1, 0, range(6)), (6, 0, [5]), (7, 1, range(6)), (12, 1, [5]), (13, 0, []), (15, 1, [])],
)
def test_masked_chips_of_a_trailer_belong_to_the_side_of_their_number(
    payloads: Payloads, header: int, number: int, side: int, chips: Sequence[int]
) -> None:
    decoded = payloads.decode([header, TRAILER | number])
    names = {f"TempMaskedChip{chip}" for chip in chips}
    assert decoded.errors == ({W + side: names} if names else {})


@pytest.mark.parametrize(
    ("word", "side", "names"),
    [
        (0x0001, 0, {"ABCDError", "ABCDError_Chip0", "ABCDError_Error1"}),
        (0x002A, 0, {"ABCDError", "ABCDError_Chip5", "ABCDError_Error2"}),
        (0x0014, 0, {"ABCDError", "ABCDError_Chip2", "ABCDError_Error4"}),
        (0x0047, 1, {"ABCDError", "ABCDError_Chip0", "ABCDError_Error7"}),
        (0x0031, 0, {"ABCDError", "ABCDError_Invalid"}),  # chip 6
        (0x0071, 1, {"ABCDError", "ABCDError_Invalid"}),  # chip 14
        (0x0000, 0, {"ABCDError", "ABCDError_Invalid"}),
        (0x0043, 0, {"ABCDError", "ABCDError_Invalid"}),  # code 3: of the link, not of chip 8
    ],
)
def test_flagged_chip_error(payloads: Payloads, word: int, side: int, names: set[str]) -> None:
    assert payloads.decode(link(word)).errors == {W + side: names}


def test_chip_error_of_the_other_side_is_for_that_word_only(payloads: Payloads) -> None:
    decoded = payloads.decode(link(0x0041, 0x8050))
    assert hits(decoded) == [(W, 5, 1, 2)]


def test_raw_data(payloads: Payloads) -> None:
    assert payloads.decode(link(0x6000, 0x7FFF)).errors == {W: {"RawError"}}


@pytest.mark.parametrize("word", [0x8050, 0x0001, 0x6000])
@pytest.mark.parametrize("before", [[], [CONDENSED, TRAILER]])
def test_word_without_header_marks_all_wafers_of_the_rod(
    payloads: Payloads, word: int, before: list[int]
) -> None:
    decoded = payloads.decode([*before, word])
    assert decoded.hits == []
    assert decoded.errors == {wafer: {"MissingLinkHeaderError"} for wafer in FIBRES.values()}
    assert decoded.counts["missing_link_headers"] == 1


def test_header_with_an_invalid_fibre_drops_everything_up_to_the_next(payloads: Payloads) -> None:
    words = [*link(0x8050), 0x217C, 0x8060, 0x0001, TRAILER | 0x1000, 0x8070, *link(0x8080)]
    decoded = payloads.decode(words)
    assert [hit[1] for hit in decoded.hits] == [5, 8]
    assert decoded.errors == {W: {"ByteStreamParseError"}}
    assert decoded.counts["words_after_invalid_headers"] == 4
    assert decoded.counts["invalid_headers"] == 1


def test_invalid_fibre_of_the_first_header_blames_nobody(payloads: Payloads) -> None:
    assert payloads.decode([0x217C, 0x8060, TRAILER]).errors == {}


def test_unknown_fibre_counts_its_groups_and_is_no_error(payloads: Payloads) -> None:
    decoded = payloads.decode([*link(header=UNKNOWN), *link(0x8050, 0x8060, header=UNKNOWN | 0x80)])
    assert (decoded.hits, decoded.errors, decoded.unknown) == ([], {}, 2)


def test_group_that_is_still_open_at_the_end_is_kept(payloads: Payloads) -> None:
    assert hits(payloads.decode([CONDENSED, 0x8050])) == [(W, 5, 1, 2)]


def test_second_trailer_is_harmless(payloads: Payloads) -> None:
    assert payloads.decode([*link(0x8050), TRAILER]).errors == {}


def _good_links(module: int, good: int) -> np.ndarray:
    links = np.ones((N_MODULES, 2), dtype=bool)
    links[module, 1 - good] = False
    return links


@pytest.mark.parametrize("good", [0, 1])
def test_errors_of_the_only_good_link_are_those_of_both_sides(good: int) -> None:
    payloads = Payloads(good_links=_good_links(W // 2, good))
    on_good = payloads.decode(link(0x6000, 0x0001 | good << 6, header=CONDENSED | good)).errors
    both = {"RawError", "ABCDError", "ABCDError_Error1"}
    assert on_good == {W + good: {*both, "ABCDError_Chip0"}, W + 1 - good: both}
    on_bad = payloads.decode(link(0x6000, header=CONDENSED | 1 - good)).errors
    assert on_bad == {W + 1 - good: {"RawError"}}


CHAINS = {
    0: (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11),
    1: (6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5),
    (0, 20220330200606): (0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 6),
    (1, 20220330200701): (6, 7, 8, 9, 10, 11, 1, 2, 3, 4, 5, 0),
}


@pytest.mark.parametrize("number", range(1, 16))
@pytest.mark.parametrize("case", CHAINS, ids=str)
def test_masked_chips_follow_the_chain_of_a_single_link(
    case: int | tuple[int, int], number: int
) -> None:
    good, serial = case if isinstance(case, tuple) else (case, 20220330200001)
    cabling = small_cabling()
    serials = np.full(N_MODULES, serial)
    payloads = Payloads(Cabling(cabling.rod_ids, cabling.wafer, serials), _good_links(W // 2, good))
    found = payloads.decode([CONDENSED | good, TRAILER | number]).errors
    chain = CHAINS[case]
    masked = chain[chain.index(number - 1) :] if number <= 12 else ()
    names = {(W + chip // 6, f"TempMaskedChip{chip % 6}") for chip in masked}
    assert {(wafer, name) for wafer, each in found.items() for name in each} == names


def compare(payloads: Payloads, halves: list[int], super_condensed: bool, **plain: object) -> None:
    """The compiled decoder against the plain one."""
    padded = [*halves, 0x4000] if len(halves) % 2 else halves
    oracle = PlainDecoder(FIBRES, swapped(), super_condensed, **plain).decode(padded)  # type: ignore[arg-type]
    found = payloads.decode(halves, super_condensed=super_condensed)
    assert found.hits == oracle.hits
    assert found.errors == {wafer: names for wafer, names in oracle.errors.items() if names}
    assert found.unknown == oracle.unknown
    assert found.counts == {name: n for name, n in oracle.counts.items() if n}


@pytest.mark.parametrize("before", [[], [CONDENSED], [EXPANDED], [0x217C], [CONDENSED, 0x8050]])
@pytest.mark.parametrize("super_condensed", [False, True])
def test_each_of_the_65536_words(
    payloads: Payloads, before: list[int], super_condensed: bool
) -> None:
    at_once = 128
    for first in range(0, 1 << 16, at_once):
        words = range(first, first + at_once)
        halves = [half for word in words for half in (*before, word, 0x8080, 0x8008)]
        compare(payloads, halves, super_condensed)


WORDS = st.one_of(
    st.integers(0, 0xFFFF),
    st.integers(0x8000, 0xFFFF),
    st.sampled_from([CONDENSED, EXPANDED, TRAILER, CONDENSED | 1, UNKNOWN, 0x217C, 0x2008 | 0x70]),
    st.sampled_from([0x8050, 0x8051, 0xC050, 0x87F0, 0x87F1, 0xAFF0, 0x8088, 0x8008, 0xB000]),
)


@settings(max_examples=400, deadline=None)
@given(halves=st.lists(WORDS, max_size=60), super_condensed=st.booleans())
def test_random_words_decode_as_plainly(
    payloads: Payloads, halves: list[int], super_condensed: bool
) -> None:
    compare(payloads, halves, super_condensed)


@settings(max_examples=150, deadline=None)
@given(halves=st.lists(WORDS, max_size=40), good=st.sampled_from([0, 1]))
def test_random_words_of_single_links_decode_as_plainly(halves: list[int], good: int) -> None:
    module = W // 2
    links = _single(module, good)
    compare(
        links, halves, super_condensed=False,
        one_good_link={module: good}, chains={module: CHAINS[good]},
    )  # fmt: skip


_LINKS: dict[int, Payloads] = {}


def _single(module: int, good: int) -> Payloads:
    if good not in _LINKS:
        _LINKS[good] = Payloads(good_links=_good_links(module, good))
    return _LINKS[good]
