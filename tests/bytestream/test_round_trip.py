"""What is written is read again: strip by strip, error by error, in all modes and formats.

Writer and reader were made independently of each other.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sctcalib.bytestream.accumulate import accumulate
from sctcalib.bytestream.encoder import Conditions, Encoder, LinkBits, Links, LinkWords, LooseWords
from sctcalib.bytestream.encoder_hits import Groups
from sctcalib.bytestream.encoder_words import (
    BOC_CLOCK_ERROR,
    HEADER_ERRORS,
    HV_ON,
    ROB_DISCARD,
    ROB_LOST,
    ROB_TRUNCATED,
    ROD_SIMULATOR,
    TIM_CLOCK_ERROR,
    TRAILER,
    TRAILER_ERRORS,
    WRONG_FORMATTER_LINK,
    Mode,
    abcd_error_word,
    header_word,
    hit_word,
    masked_chips_bits,
    raw_data_word,
)
from sctcalib.bytestream.events import RawEvent, iter_events
from sctcalib.bytestream.layout import ERROR_TYPES
from sctcalib.bytestream.maps import RawMaps, RawSettings
from sctcalib.bytestream.writer import (
    VERSIONS,
    EventFormat,
    EventHeader,
    FileInfo,
    RawWriter,
    RunParameters,
    event_fragment,
)
from sctcalib.detector.cabling import default_cabling
from sctcalib.detector.identifiers import wafer_hash
from sctcalib.detector.readout import default_swap
from sctcalib.detector.regions import N_MODULES, N_STRIPS, N_WAFERS
from tests.bytestream.encoder_helpers import full_links, groups_of, numbers_of

FORMATS: tuple[EventFormat, ...] = ("5.0", "4.0")
CABLING = default_cabling()
LINKS = Links(CABLING.rod_ids, *CABLING.place_of_wafer())
MODULES = [int(wafer_hash(*place)) // 2 for place in (
    (0, 3, 3, -1), (0, 0, 31, 6), (2, 4, 40, 0), (-2, 8, 51, 0), (2, 2, 7, 1), (-2, 3, 0, 2),
)]  # fmt: skip
"""Modules with all combinations of sides and readout directions."""
START = 1_433_149_200
WHEN = datetime(2015, 6, 1, 9, tzinfo=UTC)


def read_back(
    path: Path,
    encoder: Encoder,
    groups: Groups,
    n_events: int = 1,
    conditions: Conditions | None = None,
    *,
    event_format: EventFormat = "5.0",
    compress: bool = False,
    good_links: np.ndarray | None = None,
) -> RawMaps:
    """Write events into a file and read it."""
    fragments = encoder.encode(numbers_of(n_events), groups, conditions)
    old = event_format == "4.0"
    info = FileInfo(
        RunParameters(267367), "core", 1, WHEN, "G" * 36, "calibration_SCTNoise", "data15_13TeV",
        version=5 if old else 6, compress=compress and old,
    )  # fmt: skip
    with RawWriter(path, info, WHEN) as writer:
        for event in range(n_events):
            header = EventHeader(
                run=267367, lumi_block=1 + event % 3, seconds=START + event, nanoseconds=5,
                global_id=event + (0 if old else 1 << 33), lvl1_id=0x02000000 + event,
                bcid=100 + event, trigger_type=0x84, run_type=1, stream_tags=(b"x",),
            )  # fmt: skip
            robs = fragments.of_event(event)
            packed = compress and not old
            writer.write(event_fragment(header, robs, event_format, compress=packed))
    wanted = RawSettings(3, 2, default_swap(), good_links=good_links, lumi_blocks=False)
    return accumulate([path], CABLING, wanted)


def events_of(path: Path) -> list[RawEvent]:
    """The events that `read_back` has written, one by one."""
    return list(iter_events([path], CABLING, default_swap()))


def counts_of(groups: Groups) -> np.ndarray:
    """How often each strip is in a group, shape (8176, 768)."""
    counts = np.zeros((N_WAFERS, N_STRIPS), dtype=np.int64)
    for wafer, first, size in zip(groups.wafer, groups.first, groups.size, strict=True):
        counts[wafer, first : first + size] += 1
    return counts


def without_overlap(rows: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """The groups that do not touch a strip of an earlier one, cut at the end of the wafer."""
    taken: set[tuple[int, int, int]] = set()
    kept = []
    for event, wafer, first, size, *rest in rows:
        size = min(size, N_STRIPS - first)
        strips = {(event, wafer, strip) for strip in range(first, first + size)}
        if not strips & taken:
            taken |= strips
            kept.append((event, wafer, first, size, *rest))
    return kept


EDGES = st.sampled_from([0, 1, 126, 127, 128, 255, 256, 511, 639, 640, 765, 766, 767])
ROWS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from([2 * module + side for module in MODULES for side in range(2)]),
        EDGES | st.integers(0, N_STRIPS - 1),
        st.integers(1, 5) | st.integers(1, 300),
        st.integers(0, 7),
        st.integers(0, 3),
    ),
    max_size=40,
).map(without_overlap)


@pytest.mark.parametrize("event_format", FORMATS)
@pytest.mark.parametrize("mode", list(Mode))
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=ROWS, all_links=st.booleans(), status_first=st.booleans(), compress=st.booleans())
def test_every_strip_is_read_again(
    tmp_path, mode, event_format, rows, all_links, status_first, compress
):
    groups = groups_of(*rows)
    encoder = Encoder(
        LINKS, default_swap(), mode, all_links=all_links, status_first=status_first,
        rob_version=VERSIONS[event_format],
    )  # fmt: skip
    maps = read_back(
        tmp_path / "a.data", encoder, groups, 3, event_format=event_format, compress=compress
    )
    np.testing.assert_array_equal(maps.counts, counts_of(groups))
    assert (maps.n_events, maps.damage.count, maps.error_entries.sum()) == (3, 0, 0)


@pytest.mark.parametrize("mode", list(Mode))
def test_hits_of_the_whole_detector_are_read_again(tmp_path, mode):
    rng = np.random.default_rng(5)
    n_events, n_groups = 12, 30_000
    cells = rng.choice(n_events * N_WAFERS * (N_STRIPS // 6), n_groups, replace=False)
    place, start = np.divmod(cells, N_STRIPS // 6)
    event, wafer = np.divmod(place, N_WAFERS)
    sizes, bins = rng.integers(1, 7, n_groups), rng.integers(1, 8, n_groups)
    groups = Groups(event, wafer, 6 * start, sizes, bins, rng.integers(0, 4, n_groups))
    maps = read_back(tmp_path / "a.data", Encoder(LINKS, default_swap(), mode), groups, n_events)
    np.testing.assert_array_equal(maps.counts, counts_of(groups))
    assert maps.counters["link_headers"] == n_events * N_WAFERS
    assert maps.counters["rods_hv_on"] == n_events * len(CABLING.rod_ids)


Strip = tuple[int, int, int]


def strips_of(event: RawEvent) -> list[Strip]:
    """Wafer, strip and time bin of every fired strip, ascending."""
    return sorted(
        (int(hit["wafer"]), strip, int(hit["time_bin"]))
        for hit in event.hits
        for strip in range(int(hit["strip"]), int(hit["strip"]) + int(hit["size"]))
    )


@pytest.mark.parametrize("event_format", FORMATS)
@pytest.mark.parametrize("mode", list(Mode))
@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=ROWS, compress=st.booleans())
def test_events_have_their_own_strips_and_times(tmp_path, mode, event_format, rows, compress):
    path, groups = tmp_path / "a.data", groups_of(*rows)
    encoder = Encoder(LINKS, default_swap(), mode, rob_version=VERSIONS[event_format])
    read_back(path, encoder, groups, 3, event_format=event_format, compress=compress)
    for number, event in enumerate(events_of(path)):
        expected = sorted(
            (wafer, strip, time_bin if mode is Mode.EXPANDED else 2)
            for at, wafer, first, size, time_bin, _ in rows
            if at == number
            for strip in range(first, first + size)
        )
        assert strips_of(event) == expected
        upper = 0 if event_format == "4.0" else 1 << 33
        assert (event.run, event.lumi_block, event.event_id) == (267367, 1 + number, number + upper)
        assert (event.time, event.time_ns, event.bcid) == (START + number, 5, 100 + number)
        words = (event.lvl1_id, event.trigger_type, event.run_type)
        assert words == (0x02000000 + number, 0x84, 1)


@pytest.mark.parametrize(("size", "errors"), [(1, 0), (1, 1), (2, 0), (2, 1), (2, 2), (2, 3)])
def test_hit_errors_of_condensed_words_are_read_again(tmp_path, size, errors):
    path, groups = tmp_path / "a.data", groups_of((0, 2 * MODULES[0], 5, size, 2, errors))
    read_back(path, Encoder(LINKS, default_swap()), groups)
    [event] = events_of(path)
    assert event.hits["hit_errors"].tolist() == [errors]
    assert event.hits["size"].tolist() == [size]


@pytest.mark.parametrize("mode", list(Mode))
def test_groups_of_every_place_and_size_are_read_again(tmp_path, mode):
    """Each on another wafer: half of them are read out against the strip numbers."""
    first, size = (part.reshape(-1) for part in np.mgrid[0:N_STRIPS, 1:40])
    inside = first + size <= N_STRIPS
    first, size = first[inside], size[inside]
    order = np.random.default_rng(3).permutation(len(first))
    event, wafer = np.divmod(order, N_WAFERS)
    groups = Groups(event, wafer, first, size)
    encoder = Encoder(LINKS, default_swap(), mode, all_links=False)
    maps = read_back(tmp_path / "a.data", encoder, groups, int(event.max()) + 1)
    np.testing.assert_array_equal(maps.counts, counts_of(groups))


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("broken", [0, 1])
def test_hits_of_both_sides_come_over_the_link_that_works(tmp_path, mode, broken):
    module = MODULES[0]
    good = np.ones((N_MODULES, 2), dtype=bool)
    good[module, broken] = False
    rows = [
        (event, 2 * module + side, first, 2)
        for event in range(4)
        for side in range(2)
        for first in (3 + event, 600)
    ]
    groups = groups_of(*rows)
    encoder = Encoder(LINKS, default_swap(), mode, redundant=(2 * module + broken,))
    maps = read_back(tmp_path / "a.data", encoder, groups, 4, good_links=good)
    np.testing.assert_array_equal(maps.counts, counts_of(groups))
    assert maps.counters["link_headers"] == 4 * (N_WAFERS - 1)


WAFER = 2 * MODULES[0] + 1
ROD = int(LINKS.rod[WAFER])
OF_ROD = np.flatnonzero(LINKS.rod == ROD)


def array(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int64)


def bits(header: int = 0, trailer: int = 0, wafer: int = WAFER) -> Conditions:
    return Conditions(bits=LinkBits(array(1), array(wafer), array(header), array(trailer)))


def words(*given: int) -> Conditions:
    n = len(given)
    return Conditions(words=LinkWords(np.full(n, 1), np.full(n, WAFER), array(*given)))


def of_rod(name: str, value: int) -> Conditions:
    states = np.full((3, len(LINKS.rods)), HV_ON if name == "rod_status" else 0, dtype=np.uint32)
    states[1, ROD] |= np.uint32(value)
    return Conditions(**{name: states})


def loose(*given: int) -> Conditions:
    n = len(given)
    return Conditions(loose=LooseWords(np.full(n, 1), np.full(n, ROD), array(*given)))


LINK_CASES = [
    *(({name}, bits(header=bit)) for name, bit in HEADER_ERRORS.items()),
    *(({name}, bits(trailer=bit)) for name, bit in TRAILER_ERRORS.items()),
    *(
        (
            {"ABCDError", f"ABCDError_Error{code}", f"ABCDError_Chip{chip}"},
            words(abcd_error_word(1, chip, code)),
        )
        for chip, code in ((0, 1), (2, 2), (4, 4), (5, 7))
    ),
    ({"ABCDError", "ABCDError_Invalid"}, words(abcd_error_word(1, 3, 3))),
    ({"ABCDError", "ABCDError_Invalid"}, words(0)),
    ({"RawError"}, words(raw_data_word(0b11, 2))),
    *(
        (
            {f"TempMaskedChip{chip}" for chip in range(first, 6)},
            bits(trailer=masked_chips_bits(1, first)),
        )
        for first in range(6)
    ),
    ({"TimeOutError", "BCIDError", "TrailerError"}, bits(0x0A00, 0x1000)),
]
ROD_CASES = [
    ({"ROBFragmentError"}, of_rod("rob_status", 1 << 16)),
    ({"ROBFragmentError"}, of_rod("rob_status", 1)),
    ({"ROBFragmentError", "TruncatedROD"}, of_rod("rob_status", ROB_TRUNCATED)),
    ({"ROBFragmentError", "MaskedROD"}, of_rod("rob_status", ROB_LOST)),
    ({"ROBFragmentError", "MaskedROD"}, of_rod("rob_status", ROB_DISCARD)),
    ({"RODClockError"}, of_rod("rod_status", TIM_CLOCK_ERROR)),
    ({"RODClockError"}, of_rod("rod_status", BOC_CLOCK_ERROR)),
    ({"RODSimulatedData"}, of_rod("event_type", ROD_SIMULATOR)),
    ({"MissingLinkHeaderError"}, loose(int(hit_word(0, 5, 0)))),
]


def check_errors(path: Path, maps: RawMaps, wafers: np.ndarray, names: set[str]) -> None:
    """Event 1 has the errors on the wafers; no other wafer and no other event has any."""
    for number, event in enumerate(events_of(path)):
        expected_wafers = wafers.tolist() if number == 1 and names else []
        assert sorted(event.errors["wafer"].tolist()) == expected_wafers
        assert all(set(event.error_names(wafer)) == names for wafer in expected_wafers)
    expected = np.zeros((N_WAFERS, len(ERROR_TYPES)), dtype=np.int64)
    expected[np.ix_(wafers, [ERROR_TYPES.index(name) for name in names])] = 1
    np.testing.assert_array_equal(maps.errors, expected[:, :15])
    np.testing.assert_array_equal(maps.error_overflow, expected[:, 15:].sum(axis=1))


HITS = groups_of(*((event, WAFER, 10 + event, 2) for event in range(3)))


@pytest.mark.parametrize(
    ("names", "conditions"), LINK_CASES, ids=["+".join(sorted(names)) for names, _ in LINK_CASES]
)
def test_errors_of_links_are_found_on_their_wafer(tmp_path, names, conditions):
    encoder = Encoder(LINKS, default_swap())
    maps = read_back(tmp_path / "a.data", encoder, HITS, 3, conditions)
    check_errors(tmp_path / "a.data", maps, array(WAFER), names)
    np.testing.assert_array_equal(maps.counts, counts_of(HITS))


@pytest.mark.parametrize(
    ("names", "conditions"), ROD_CASES, ids=["+".join(sorted(names)) for names, _ in ROD_CASES]
)
def test_errors_of_rods_are_found_on_all_their_wafers(tmp_path, names, conditions):
    encoder = Encoder(LINKS, default_swap())
    maps = read_back(tmp_path / "a.data", encoder, HITS, 3, conditions)
    check_errors(tmp_path / "a.data", maps, OF_ROD, names)
    without_data = names & {"TruncatedROD", "MaskedROD"}
    decoded = HITS[HITS.event != 1] if without_data else HITS
    np.testing.assert_array_equal(maps.counts, counts_of(decoded))


def test_abcd_error_of_the_other_side_is_found_there(tmp_path):
    conditions = words(abcd_error_word(0, 2, 1))
    maps = read_back(tmp_path / "a.data", Encoder(LINKS, default_swap()), HITS, 3, conditions)
    names = {"ABCDError", "ABCDError_Error1", "ABCDError_Chip2"}
    check_errors(tmp_path / "a.data", maps, array(WAFER ^ 1), names)
    np.testing.assert_array_equal(maps.counts, counts_of(HITS))


def test_formatter_error_is_found_on_the_link_it_seems_to_be(tmp_path):
    """The bits beyond 11 make the fibre one of the next formatter."""
    wafer = int(OF_ROD[np.flatnonzero(LINKS.fibre[OF_ROD] == 4)[0]])
    seeming = int(OF_ROD[np.flatnonzero(LINKS.fibre[OF_ROD] == 12)[0]])
    conditions = bits(header=WRONG_FORMATTER_LINK, wafer=wafer)
    maps = read_back(tmp_path / "a.data", Encoder(LINKS, default_swap()), HITS, 3, conditions)
    check_errors(tmp_path / "a.data", maps, array(seeming), {"FormatterError"})


@pytest.mark.requirement("R9")
@pytest.mark.parametrize(("groups", "accepted"), [(10, 3), (11, 2)])
def test_events_with_more_than_ten_unknown_groups_are_left_out(tmp_path, groups, accepted):
    free = next(f for f in range(96) if f not in LINKS.fibre[OF_ROD])
    hits = hit_word(free % 2, 3 * np.arange(groups), 0).tolist()
    conditions = loose(int(header_word(free)), *hits, TRAILER)
    maps = read_back(tmp_path / "a.data", Encoder(LINKS, default_swap()), HITS, 3, conditions)
    kept = HITS if accepted == 3 else HITS[HITS.event != 1]
    assert (maps.n_events, maps.events_unknown) == (accepted, 3 - accepted)
    np.testing.assert_array_equal(maps.counts, counts_of(kept))


def test_invalid_fibre_is_an_error_of_the_link_before(tmp_path):
    """Fibre 96 and above: nothing is decoded until the next header."""
    last = int(OF_ROD[np.argmax(LINKS.fibre[OF_ROD])])
    conditions = loose(0x217F, int(hit_word(0, 5, 0)), TRAILER, TRAILER)
    maps = read_back(tmp_path / "a.data", Encoder(LINKS, default_swap()), HITS, 3, conditions)
    assert maps.errors[last, ERROR_TYPES.index("ByteStreamParseError")] == 1
    np.testing.assert_array_equal(maps.counts, counts_of(HITS))


def test_high_voltage_bits_are_counted_by_rod(tmp_path):
    states = np.full((3, len(LINKS.rods)), HV_ON, dtype=np.uint32)
    states[:2, ROD], states[2, 5] = 0x00700000, 0
    conditions = Conditions(rod_status=states)
    maps = read_back(tmp_path / "a.data", Encoder(LINKS, default_swap()), HITS, 3, conditions)
    expected = np.zeros(len(LINKS.rods))
    expected[[ROD, 5]] = 2, 1
    np.testing.assert_array_equal(maps.rod_hv_not_on, expected)


def test_absent_rods_are_no_error(tmp_path):
    absent = np.zeros((3, len(LINKS.rods)), dtype=bool)
    absent[1, ROD] = True
    conditions = Conditions(absent=absent)
    maps = read_back(tmp_path / "a.data", Encoder(LINKS, default_swap()), HITS, 3, conditions)
    check_errors(tmp_path / "a.data", maps, array(), set())
    np.testing.assert_array_equal(maps.counts, counts_of(HITS[HITS.event != 1]))


def test_cabling_of_the_package_is_the_one_worked_out_here():
    links = full_links()
    np.testing.assert_array_equal(LINKS.rods, links.rods)
    np.testing.assert_array_equal(LINKS.rod, links.rod)
    np.testing.assert_array_equal(LINKS.fibre, links.fibre)
