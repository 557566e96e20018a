"""ROD data bit by bit (raw-bytestream.md 3, 4, 6: hints for test vectors)."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from sctcalib.bytestream.encoder import Encoder, LinkBits, LinkWords, LooseWords
from sctcalib.bytestream.encoder_words import (
    HEADER_ERRORS,
    TRAILER_ERRORS,
    WRONG_FORMATTER_LINK,
    Mode,
    abcd_error_word,
    header_word,
    hit_word,
    masked_chips_bits,
    raw_data_word,
)
from sctcalib.detector.identifiers import wafers
from sctcalib.detector.readout import default_swap
from sctcalib.detector.regions import N_WAFERS
from tests.bytestream.encoder_helpers import (
    BARREL,
    data_of,
    encode,
    full_links,
    groups_of,
    links_of,
    rods_of,
)

NO_SWAP = np.zeros(N_WAFERS, dtype=bool)
SIDES = links_of({BARREL: 24, BARREL + 1: 25})
HEADERS = {24: 0x2120, 25: 0x2121}
"""Headers in condensed mode."""
END = 0x4000


def array(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int64)


def words(*groups: tuple[int, ...], mode: Mode = Mode.CONDENSED, **options) -> list[int]:
    """Data of one event of the module on fibres 24 and 25; links with hits only."""
    encoder = Encoder(SIDES, options.pop("swap", NO_SWAP), mode, all_links=False, **options)
    return data_of(rods_of(encode(encoder, groups_of(*groups)))[0])


@pytest.mark.parametrize(
    ("fibre", "low_byte"),
    [(0, 0x00), (11, 0x0B), (12, 0x10), (24, 0x20), (50, 0x42), (94, 0x7A), (95, 0x7B)],
)
def test_a_fibre_is_formatter_and_link(fibre, low_byte):
    assert header_word(fibre, Mode.EXPANDED) == 0x2000 | low_byte
    assert header_word(fibre, Mode.SUPER) == 0x2000 | low_byte
    assert header_word(fibre, Mode.CONDENSED) == 0x2100 | low_byte


@pytest.mark.parametrize(
    ("side", "first", "size", "expected"),
    [
        (0, 5, 1, [0x8050]),
        (0, 356, 2, [0x9641]),
        (1, 767, 1, [0xEFF0]),
        (0, 0, 1, [0x8000]),
        (0, 127, 2, [0x87F0, 0x8800]),  # no word crosses a chip edge
        (0, 126, 3, [0x87E1, 0x8800]),
        (0, 127, 3, [0x87F0, 0x8801]),
        (0, 10, 5, [0x80A1, 0x80C1, 0x80E0]),
    ],
)
def test_condensed_words_hold_one_or_two_strips(side, first, size, expected):
    header = HEADERS[24 + side]
    padding = [END] if len(expected) % 2 else []
    assert words((0, BARREL + side, first, size)) == [header, *expected, END, *padding]


@pytest.mark.parametrize(
    ("size", "errors", "expected"),
    [
        (1, 1, [0x8054]),
        (1, 2, [0x8050]),  # there is no second hit
        (1, 3, [0x8054]),
        (2, 1, [0x8055]),
        (2, 2, [0x8059]),
        (2, 3, [0x805D]),
        (3, 3, [0x805D, 0x8074]),
    ],
)
def test_condensed_words_have_error_bits_of_both_hits(size, errors, expected):
    assert words((0, BARREL, 5, size, 2, errors))[1 : 1 + len(expected)] == expected


def test_expanded_clusters_of_several_time_bins():
    groups = [(0, BARREL, 138 + i, 1, t) for i, t in enumerate((3, 2, 1, 6))]
    assert words(*groups, mode=Mode.EXPANDED) == [0x2020, 0x88A3, 0x809A, 0x800E, END, END]


@pytest.mark.parametrize(
    ("first", "size", "expected"),
    [
        (5, 1, [0x8052]),
        (5, 2, [0x8052, 0x800A]),
        (5, 3, [0x8052, 0x80AA]),
        (5, 4, [0x8052, 0x80AA, 0x800A]),
        (5, 5, [0x8052, 0x80AA, 0x80AA]),
        (126, 4, [0x87E2, 0x80AA, 0x800A]),  # a cluster may cross a chip edge
        (766, 2, [0xAFE2, 0x800A]),
        (765, 3, [0xAFD2, 0x80AA]),
    ],
)
def test_expanded_clusters_go_on_with_pairs_and_a_last_word(first, size, expected):
    found = words((0, BARREL, first, size), mode=Mode.EXPANDED)
    assert found[: 2 + len(expected)] == [0x2020, *expected, END]


def test_expanded_clusters_end_with_the_side():
    groups = [(0, BARREL, 767, 1), (0, BARREL + 1, 0, 1)]
    assert words(*groups, mode=Mode.EXPANDED) == [0x2020, 0xAFF2, END, 0x2021, 0xC002, END]


@pytest.mark.parametrize(
    ("first", "size", "expected"),
    [
        (5, 19, [0x805F, 0x8052]),  # the second word repeats the first strip
        (5, 16, [0x805F]),
        (5, 33, [0x805F, 0x805F, 0x8050]),
        (120, 19, [0x8787, 0x880A]),
    ],
)
def test_super_condensed_words_repeat_the_first_strip(first, size, expected):
    found = words((0, BARREL, first, size), mode=Mode.SUPER)
    assert found[: 2 + len(expected)] == [0x2020, *expected, END]


@pytest.mark.parametrize("mode", list(Mode))
def test_swapped_wafers_count_strips_from_the_other_end(mode):
    swapped = words((0, BARREL, 762, 2), swap=~NO_SWAP, mode=mode)
    assert swapped == words((0, BARREL, 4, 2), mode=mode)


def test_words_of_a_link_follow_the_read_out_order():
    assert words((0, BARREL, 700, 1), (0, BARREL, 5, 1), swap=~NO_SWAP)[1:3] == [0x8430, 0xAFA0]


@pytest.mark.parametrize("parity", [0, 1])
def test_the_side_bit_is_the_parity_of_the_fibre(parity):
    """Also where the fibres of a module are exchanged."""
    exchanged = links_of({BARREL: 24 + parity, BARREL + 1: 25 - parity})
    encoder = Encoder(exchanged, NO_SWAP, all_links=False)
    data = data_of(rods_of(encode(encoder, groups_of((0, BARREL, 5, 1))))[0])
    assert data == [0x2120 + parity, 0x8050 | parity << 14, END, END]


def test_redundant_link_carries_both_sides():
    groups = [(0, BARREL + 1, 3, 1), (0, BARREL, 5, 1)]
    assert words(*groups, redundant=(BARREL + 1,)) == [0x2120, 0x8050, 0xC030, END]
    assert words(*groups, redundant=(BARREL,)) == [0x2121, 0x8050, 0xC030, END]


def test_silent_link_sends_nothing():
    assert words((0, BARREL, 5, 1), (0, BARREL + 1, 3, 1), silent=(BARREL,)) == [
        0x2121, 0xC030, END, END,
    ]  # fmt: skip


def test_of_two_groups_at_a_strip_the_larger_stays_and_of_equal_ones_the_last():
    assert words((0, BARREL, 5, 2), (0, BARREL, 5, 1))[1:3] == [0x8051, END]
    assert words((0, BARREL, 5, 1), (0, BARREL, 5, 2))[1:3] == [0x8051, END]
    equal = words((0, BARREL, 5, 1, 3), (0, BARREL, 5, 1, 6), mode=Mode.EXPANDED)
    assert equal[1:3] == [0x8056, END]


def test_the_more_significant_half_comes_first():
    encoder = Encoder(SIDES, NO_SWAP, all_links=False)
    rod = rods_of(encode(encoder, groups_of((0, BARREL, 5, 1))))[0]
    assert [hex(word) for word in rod[17:19]] == ["0x21208050", "0x40004000"]


def test_fragment_word_by_word():
    encoder = Encoder(SIDES, NO_SWAP, rob_version=0x04000000)
    [rod] = rods_of(encode(encoder, groups_of((0, BARREL, 5, 1), (1, BARREL, 6, 1)), 2), 1)
    assert rod.tolist() == [
        0xDD1234DD, 25, 8, 0x04000000, 0x220106, 1, 0, 0,
        0xEE1234EE, 9, 0x03010000, 0x220106, 267367, 0x01000001, 8, 0x84, 0,
        0x21208060, 0x40002121, 0x40004000,
        0, 0x00F00000, 2, 3, 1,
    ]  # fmt: skip


def test_status_words_may_stand_before_the_data():
    encoder = Encoder(SIDES, NO_SWAP, all_links=False, status_first=True)
    [rod] = rods_of(encode(encoder, groups_of((0, BARREL, 5, 1))))
    assert rod[17:].tolist() == [0, 0x00F00000, 0x21208050, 0x40004000, 2, 2, 0]


def test_all_links_have_header_and_trailer():
    links = full_links()
    rods = rods_of(encode(Encoder(links, default_swap()), groups_of()))
    assert [rod[4] for rod in rods] == links.rods.tolist()
    for index, rod in enumerate(rods):
        fibres = np.sort(links.fibre[links.rod == index])
        expected = [word for fibre in fibres for word in (int(header_word(fibre)), END)]
        assert data_of(rod) == expected


def test_events_without_groups_are_there_too():
    fragments = encode(Encoder(SIDES, NO_SWAP), groups_of((2, BARREL, 5, 1)), 4)
    assert [len(data_of(rods_of(fragments, event)[0])) for event in range(4)] == [4, 4, 6, 4]
    assert [rods_of(fragments, event)[0][13] & 0xFF for event in range(4)] == [0, 1, 2, 3]


@pytest.mark.parametrize(("name", "bit"), HEADER_ERRORS.items())
def test_errors_in_headers(name, bit):
    bits = LinkBits(array(0), array(BARREL), array(bit), array(0))
    data = data_of(rods_of(encode(Encoder(SIDES, NO_SWAP), groups_of(), bits=bits))[0])
    expected = {
        "PreambleError": 0x3120,
        "TimeOutError": 0x2920,
        "LVL1IDError": 0x2520,
        "BCIDError": 0x2320,
        "MaskedLink": 0x21A0,
    }
    assert data == [expected[name], END, 0x2121, END]


@pytest.mark.parametrize(("name", "bit"), TRAILER_ERRORS.items())
def test_errors_in_trailers(name, bit):
    bits = LinkBits(array(0), array(BARREL + 1), array(0), array(bit))
    data = data_of(rods_of(encode(Encoder(SIDES, NO_SWAP), groups_of(), bits=bits))[0])
    expected = {
        "TrailerError": 0x5000,
        "HeaderTrailerLimitError": 0x4800,
        "TrailerOverflowError": 0x4400,
    }
    assert data == [0x2120, END, 0x2121, expected[name]]


def test_several_bits_of_a_link_add_up_and_bring_an_empty_link_out():
    bits = LinkBits(array(0, 0), array(BARREL, BARREL), array(0x800, 0x200), array(0x1000, 0x400))
    encoder = Encoder(SIDES, NO_SWAP, all_links=False)
    assert data_of(rods_of(encode(encoder, groups_of(), bits=bits))[0]) == [0x2B20, 0x5400]


def test_formatter_error_is_in_the_link_bits():
    bits = LinkBits(array(0), array(BARREL), array(WRONG_FORMATTER_LINK), array(0))
    encoder = Encoder(SIDES, NO_SWAP, all_links=False)
    assert data_of(rods_of(encode(encoder, groups_of(), bits=bits))[0]) == [0x212C, END]


@pytest.mark.parametrize(
    ("side", "chip", "bits"), [(0, 0, 1), (0, 3, 4), (0, 5, 6), (1, 0, 7), (1, 5, 12)]
)
def test_temporarily_masked_chips_are_in_the_trailer(side, chip, bits):
    assert masked_chips_bits(side, chip) == bits


def test_abcd_errors_and_raw_data_stand_before_the_hits():
    assert abcd_error_word(1, 2, 4) == 0b1010100
    assert raw_data_word(0b101, 3) == 0x6805
    extra = LinkWords(array(0, 0), array(BARREL, BARREL), array(abcd_error_word(0, 3, 1), 0x6805))
    encoder = Encoder(SIDES, NO_SWAP, all_links=False)
    data = data_of(rods_of(encode(encoder, groups_of((0, BARREL, 5, 1)), words=extra))[0])
    assert data == [0x2120, 0x0019, 0x6805, 0x8050, END, END]


def test_loose_words_follow_the_last_link():
    unknown = [int(header_word(30)), int(hit_word(0, 7, 0)), END]
    loose = LooseWords(array(0, 0, 0), array(0, 0, 0), array(*unknown))
    encoder = Encoder(SIDES, NO_SWAP, all_links=False)
    data = data_of(rods_of(encode(encoder, groups_of((0, BARREL, 5, 1)), loose=loose))[0])
    assert data == [0x2120, 0x8050, END, 0x2126, 0x8070, END]


def test_states_of_rods():
    links = full_links()
    shape = (2, len(links.rods))
    rob, rod, kind = (np.zeros(shape, dtype=np.uint32) for _ in range(3))
    rob[1, 3], rod[:], rod[1, 4], kind[1, 5] = 0x28000000, 0x00F00000, 0x00C10000, 1 << 20
    fragments = encode(
        Encoder(links, default_swap(), Mode.SUPER), groups_of(), 2,
        rob_status=rob, rod_status=rod, event_type=kind,
    )  # fmt: skip
    for event in range(2):
        rods = rods_of(fragments, event)
        assert [r[6] for r in rods] == rob[event].tolist()
        assert [r[-4] for r in rods] == rod[event].tolist()
        assert [r[16] for r in rods] == (kind[event] | 1 << 21).tolist()


def test_absent_rods_leave_no_trace():
    links = full_links()
    absent = np.zeros((2, len(links.rods)), dtype=bool)
    absent[0, 5:7] = absent[1, 127] = True
    wafer = int(np.flatnonzero(links.rod == 5)[0])
    groups = groups_of((0, wafer, 5, 1), (1, wafer, 5, 1))
    fragments = encode(Encoder(links, default_swap()), groups, 2, absent=absent)
    full = encode(Encoder(links, default_swap()), groups, 2)
    for event in range(2):
        kept = np.flatnonzero(~absent[event])
        expected = [rods_of(full, event)[index].tolist() for index in kept]
        assert [rod.tolist() for rod in rods_of(fragments, event)] == expected


@pytest.mark.parametrize(
    "group",
    [
        (0, BARREL, -1, 1), (0, BARREL, 768, 1), (0, BARREL, 767, 2), (0, BARREL, 5, 0),
        (1, BARREL, 5, 1), (-1, BARREL, 5, 1), (0, N_WAFERS, 5, 1), (0, -1, 5, 1),
        (0, BARREL, 5, 1, 8), (0, BARREL, 5, 1, -1),
    ],
)  # fmt: skip
def test_groups_that_cannot_be_are_refused(group):
    with pytest.raises(ValueError, match="group 1: event"):
        words((0, BARREL, 3, 1), group)


def test_hits_of_uncabled_wafers_are_dropped():
    assert words((0, BARREL + 2, 5, 1)) == []


def test_a_fibre_serves_one_wafer():
    with pytest.raises(ValueError, match="has two wafers"):
        links_of({BARREL: 24, BARREL + 1: 24})
    with pytest.raises(ValueError, match="outside 0-95"):
        links_of({BARREL: 96})


def test_cabling_of_these_tests_has_the_published_checksum():
    links, w = full_links(), wafers()
    columns = (links.rod, links.fibre, w.bec, w.layer, w.eta, w.phi, w.side, links.rods[links.rod])
    rows = zip(*(column.tolist() for column in columns), strict=True)
    lines = "".join(" ".join(map(str, row[:7])) + f" 0x{row[7]:x}\n" for row in rows)
    digest = hashlib.sha256(lines.encode()).hexdigest()
    assert digest == "261b0881a6aeabde4933d4490ca74c4e1a0a4da0375236e0b0ab796e23199f38"
