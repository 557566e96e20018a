"""File records and event headers: versions 2, 5, 6, both byte orders, formats 5.0 and 4.0."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sctcalib.bytestream.events import RawEvent, iter_events, to_awkward
from sctcalib.bytestream.files import count_blocks, read_file_info
from sctcalib.detector.readout import default_swap
from sctcalib.job.errors import InputFileError
from tests.bytestream.raw_files import (
    ROD_ID,
    Event,
    block,
    file_end,
    file_head,
    packed_words,
    rob,
    rod,
    write_raw,
)
from tests.bytestream.reading import fibres, read_events, small_cabling

W = fibres(small_cabling())[0]
HALVES = [0x2100, 0x8050, 0x4000, 0x2101, 0x4000]
EVENT = Event().with_halves(HALVES)


def hits(event: RawEvent) -> list[tuple[int, ...]]:
    return [tuple(hit) for hit in event.hits.tolist()]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("version", "mask"), [(2, 0x40), (5, 0x1_0000_0040), (6, 0x3_0000_0002_0000_0001_0000_0040)]
)
def test_records_of_each_version(tmp_path: Path, version: int, mask: int, order: str) -> None:
    info = read_file_info(write_raw(tmp_path / "a", [EVENT], version=version, order=order))
    assert (info.version, info.order, info.file_number) == (version, order, 1)
    assert (info.date, info.time) == (4072017, 123456)
    assert (info.application, info.name_core) == ("SFO-1", "core_name")
    assert (info.run, info.trigger_type, info.beam_energy) == (300000, 2, 6500)
    assert info.detector_mask == mask
    assert info.end is not None
    assert (info.end.n_events, info.end.status) == (1, 1)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("file_compression", [False, True])
@pytest.mark.parametrize("compress", [False, True])
def test_byte_orders_and_compressions_give_the_same_event(
    tmp_path: Path, order: str, file_compression: bool, compress: bool
) -> None:
    event = Event(compress=compress, event_id=1 << 40 | 5, lumi_block=7).with_halves(HALVES)
    path = write_raw(tmp_path / "a", [event, EVENT], order=order, compress=file_compression)
    first, second = read_events(path)
    assert hits(first) == hits(second) == [(W, 5, 1, 2, 0)]
    assert (first.event_id, first.lumi_block, first.time) == (1 << 40 | 5, 7, 1_500_000_000)


@pytest.mark.parametrize("version", [0x05000000, 0x04000000, 0x05000002])
@pytest.mark.parametrize("checksum", [False, True])
@pytest.mark.parametrize("status", [(), (0,), (0x80000000, 5)])
def test_header_fields_of_both_formats(
    tmp_path: Path, version: int, checksum: bool, status: tuple[int, ...]
) -> None:
    event = Event(version=version, checksum=checksum, status=status, event_id=77, lumi_block=12)
    (read,) = read_events(write_raw(tmp_path / "a", [event.with_halves(HALVES)]))
    assert hits(read) == [(W, 5, 1, 2, 0)]
    assert (read.version, read.status) == (version, status[0] if status else 0)
    assert (read.run, read.run_type, read.lumi_block, read.event_id) == (300000, 1, 12, 77)
    assert (read.lvl1_id, read.bcid, read.trigger_type) == (0x01000007, 99, 4)
    assert (read.time, read.time_ns) == (1_500_000_000, 123)


def test_file_without_metadata(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(file_head(metadata=None) + block(packed_words(EVENT.words())) + file_end(1))
    assert read_file_info(path).metadata == ()
    assert len(read_events(path)) == 1


def test_metadata_values(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(file_head(metadata=["GUID=ABC", "Event type: x", "Stream=s=t", "odd"]))
    info = read_file_info(path)
    assert info.metadata == ("GUID=ABC", "Event type: x", "Stream=s=t", "odd")
    assert info.values == {"GUID": "ABC", "Stream": "s=t"}
    assert info.end is None


def test_events_of_a_file_are_its_data_separators(tmp_path: Path) -> None:
    assert count_blocks(read_file_info(write_raw(tmp_path / "a", [EVENT] * 3))) == 3
    assert count_blocks(read_file_info(write_raw(tmp_path / "b", []))) == 0


HEAD = file_head()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "it ends after 0 bytes"),
        (b"root" + bytes(100), "it begins with 0x746f6f72"),
        (file_head(version=3), "format version is 3"),
        (HEAD[:32] + b"\0" + HEAD[33:], "instead of the file name strings"),
        (HEAD[:31], "it ends after 31 bytes"),
        (HEAD[:-4], "it ends after"),
        (HEAD.replace(packed_words([0x1234BBBB, 12]), packed_words([0x1234BBBB, 13])), "13 words"),
        (HEAD.replace(packed_words([0x1234BBBB]), packed_words([0x1234BBBC])), "run parameters"),
        (file_head(metadata=["Compression=reserved"]), "compression is 'reserved'"),
        (HEAD[:36] + packed_words([0xFFFFFFFF]) + HEAD[40:], "a string of 4294967295 bytes"),
        (
            HEAD.replace(packed_words([0x1234AABC, 3]), packed_words([0x1234AABC, 0xFFFFFFF])),
            "268435455 metadata strings",
        ),
    ],
)
def test_file_that_is_no_raw_file(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "bad.data"
    path.write_bytes(content)
    with pytest.raises(InputFileError) as caught:
        read_file_info(path)
    assert str(path) in str(caught.value)
    assert problem in str(caught.value)


def test_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="cannot be read: No such file"):
        read_file_info(tmp_path / "none")


def test_status_words_before_the_data(tmp_path: Path) -> None:
    event = Event(robs=(rob(rod(HALVES, status_first=True)),))
    assert hits(read_events(write_raw(tmp_path / "a", [event]))[0]) == [(W, 5, 1, 2, 0)]


def test_checksum_of_a_rob_is_passed_over(tmp_path: Path) -> None:
    event = Event(robs=(rob(rod(HALVES), checksum=True),))
    assert hits(read_events(write_raw(tmp_path / "a", [event]))[0]) == [(W, 5, 1, 2, 0)]


def test_last_of_duplicate_robs_counts(tmp_path: Path) -> None:
    event = Event(robs=(rob(rod([0x2100, 0x8060, 0x4000])), rob(rod(HALVES))))
    assert hits(read_events(write_raw(tmp_path / "a", [event]))[0]) == [(W, 5, 1, 2, 0)]


def test_rob_of_another_detector_is_passed_over(tmp_path: Path) -> None:
    event = Event(
        robs=(rob([1, 2, 3], source=0x420001), rob(rod(HALVES)), rob([], source=0x330000))
    )
    (read,) = read_events(write_raw(tmp_path / "a", [event]))
    assert (hits(read), read.damage) == ([(W, 5, 1, 2, 0)], ())


def test_source_of_the_rod_header_decides(tmp_path: Path) -> None:
    other = fibres(small_cabling(), ROD_ID + 1)[0]
    event = Event(robs=(rob(rod(HALVES, source=ROD_ID + 1), source=ROD_ID),))
    assert hits(read_events(write_raw(tmp_path / "a", [event]))[0])[0][0] == other


def test_rod_header_with_an_uncabled_source_has_unknown_fibres(tmp_path: Path) -> None:
    event = Event(robs=(rob(rod([*HALVES, 0x6000], source=0x23000A), source=ROD_ID),))
    (read,) = read_events(write_raw(tmp_path / "a", [event]))
    assert (hits(read), read.errors.tolist(), read.unknown_ids) == ([], [], 1)


ALL = set(fibres(small_cabling()).values())


@pytest.mark.parametrize(
    ("status", "names", "decoded"),
    [
        (0x00000001, {"ROBFragmentError"}, True),
        (0x08000000, {"ROBFragmentError", "TruncatedROD"}, False),
        (0x20000000, {"ROBFragmentError", "MaskedROD"}, False),
        (0x80000000, {"ROBFragmentError", "MaskedROD"}, False),
        (0x88000000, {"ROBFragmentError", "TruncatedROD"}, False),
    ],
)
def test_rob_status(tmp_path: Path, status: int, names: set[str], decoded: bool) -> None:
    event = Event(robs=(rob(rod(HALVES), status=(status,)),))
    (read,) = read_events(write_raw(tmp_path / "a", [event]))
    found = {wafer: set(read.error_names(wafer)) for wafer in read.errors["wafer"].tolist()}
    assert found == dict.fromkeys(ALL, names)
    assert len(read.hits) == decoded


def test_second_rob_status_word_says_nothing(tmp_path: Path) -> None:
    event = Event(robs=(rob(rod(HALVES), status=(0, 0x08000000)),))
    (read,) = read_events(write_raw(tmp_path / "a", [event]))
    assert (len(read.hits), len(read.errors)) == (1, 0)


@pytest.mark.parametrize("cut", [b"rob", b"rod", b"empty"])
def test_truncated_rob_without_a_whole_rod_is_an_error_and_no_damage(
    tmp_path: Path, cut: bytes
) -> None:
    fragment = {b"rob": rod(HALVES)[:-1], b"rod": rod(HALVES)[:5], b"empty": []}[cut]
    (read,) = read_events(
        write_raw(tmp_path / "a", [Event(robs=(rob(fragment, status=(0x08000000,)),))])
    )
    assert set(read.errors["wafer"].tolist()) == ALL
    assert read.damage == ()


@pytest.mark.parametrize(
    ("second", "names", "not_on"),
    [
        (0x00F10000, {"RODClockError"}, ()),
        (0x00F20000, {"RODClockError"}, ()),
        (0x00F00000, set(), ()),
        (0x00E00000, set(), (ROD_ID,)),
        (0x00000000, set(), (ROD_ID,)),
    ],
)
def test_second_rod_status_word(
    tmp_path: Path, second: int, names: set[str], not_on: tuple[int, ...]
) -> None:
    event = Event(robs=(rob(rod(HALVES, status=(0, second))),))
    (read,) = read_events(write_raw(tmp_path / "a", [event]))
    assert {name for wafer in ALL for name in read.error_names(wafer)} == names
    assert read.rods_hv_not_on == not_on
    assert len(read.hits) == 1


def test_single_rod_status_word_says_nothing_of_the_high_voltage(tmp_path: Path) -> None:
    event = Event(robs=(rob(rod(HALVES, status=(0,))),))
    assert read_events(write_raw(tmp_path / "a", [event]))[0].rods_hv_not_on == ()


@pytest.mark.parametrize(
    ("detector_type", "names", "size"),
    [(1 << 20, {"RODSimulatedData"}, 1), (1 << 21, set(), 5), (3 << 20, {"RODSimulatedData"}, 5)],
)
def test_detector_event_type(
    tmp_path: Path, detector_type: int, names: set[str], size: int
) -> None:
    event = Event(robs=(rob(rod([0x2100, 0x8054, 0x4000], detector_type=detector_type)),))
    (read,) = read_events(write_raw(tmp_path / "a", [event]))
    assert {name for wafer in ALL for name in read.error_names(wafer)} == names
    assert read.hits["size"].tolist() == [size]


def test_awkward_array_of_events(tmp_path: Path) -> None:
    path = write_raw(tmp_path / "a", [EVENT, Event(lumi_block=3), EVENT])
    events = to_awkward(iter_events([path], small_cabling(), default_swap()))
    assert events.lumi_block.tolist() == [1, 3, 1]
    assert events.hits.wafer.tolist() == [[W], [], [W]]
    assert to_awkward([]).hits.tolist() == []


def test_events_to_skip_and_to_read(tmp_path: Path) -> None:
    paths = [
        write_raw(tmp_path / name, [Event(event_id=10 * i + j) for j in range(3)])
        for i, name in enumerate("abc")
    ]
    read = iter_events(paths, small_cabling(), default_swap(), skip_events=2, max_events=5)
    assert [event.event_id for event in read] == [2, 10, 11, 12, 20]


def test_arrays_of_an_event_are_its_own(tmp_path: Path) -> None:
    first, second = read_events(write_raw(tmp_path / "a", [EVENT, Event()]))
    assert np.shares_memory(first.hits, second.hits) is False
    assert (len(first.hits), len(second.hits)) == (1, 0)
