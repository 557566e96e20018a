"""RAW files byte by byte, and events word by word (raw-bytestream.md 1, 2)."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from sctcalib.bytestream.writer import (
    EventHeader,
    FileInfo,
    RawWriter,
    RunParameters,
    Totals,
    event_fragment,
    file_name,
    file_name_core,
)

OPENED = datetime(2015, 6, 1, 9, 8, 7, tzinfo=UTC)
CLOSED = datetime(2015, 6, 11, 21, 43, 5, tzinfo=UTC)
GUID = "10605EAF-52B1-DB11-94A4-000347D7BFE1"
INFO = FileInfo(
    parameters=RunParameters(
        267367, 100, 1, 3, detector_mask=0x0000000D_0000000C_0000000B_00000040,
        beam_type=1, beam_energy=6500,
    ),
    core="core", number=2, opened=OPENED, guid=GUID, stream="calibration_SCTNoise",
    project="data15_13TeV", strings=("Event type: x",), max_blocks=7, max_megabytes=9,
)  # fmt: skip
HEADER = EventHeader(
    run=267367, lumi_block=12, seconds=1433995200, nanoseconds=5, global_id=0x1_0000_0002,
    lvl1_id=0x01000003, bcid=3563, trigger_type=0x84, run_type=1, status=(0x80000000,),
    source_id=0x7C0001, lvl1_info=(11, 12), hlt_info=(13,), stream_tags=(b"abc", b"defgh"),
)  # fmt: skip
ROBS = np.arange(6, dtype="<u4").tobytes()


def words(data: bytes) -> list[int]:
    return list(struct.unpack(f"<{len(data) // 4}I", data))


def text(string: str) -> bytes:
    """A string of file records: length, characters, blanks to a multiple of four."""
    return struct.pack("<I", len(string)) + string.encode() + b" " * (-len(string) % 4)


def write(path, events=(), info=INFO, **options) -> bytes:
    with RawWriter(path, info, CLOSED, **options) as writer:
        for event in events:
            writer.write(event)
    return path.read_bytes()


def test_whole_file_byte_by_byte(tmp_path):
    totals = Totals(events=41, n_bytes=3 << 20)
    found = write(tmp_path / "a.data", [b"12345678", b"1234"], last=False, run=totals)
    expected = (
        struct.pack("<8I", 0x1234AAAA, 8, 6, 2, 1062015, 90807, 7, 9)
        + struct.pack("<I", 0x1234AABB) + text("SFO-1") + text("core")
        + struct.pack("<II", 0x1234AABC, 5) + text(f"GUID={GUID}") + text("Event type: x")
        + text("Stream=calibration_SCTNoise") + text("Project=data15_13TeV") + text("LumiBlock=0")
        + struct.pack("<12I", 0x1234BBBB, 12, 267367, 100, 1, 3, 0x40, 11, 12, 13, 1, 6500)
        + struct.pack("<4I", 0x1234CCCC, 4, 42, 8) + b"12345678"
        + struct.pack("<4I", 0x1234CCCC, 4, 43, 4) + b"1234"
        + struct.pack("<10I", 0x1234DDDD, 10, 11062015, 214305, 2, 0, 43, 3, 0, 0x1234EEEE)
    )  # fmt: skip
    assert found == expected
    assert totals == Totals(43, (3 << 20) + 12)


def test_file_without_events_has_the_end_record_at_once(tmp_path):
    found = write(tmp_path / "a.data")
    assert found[:-40] == INFO.records()
    assert words(found[-40:])[4:] == [0, 0, 0, 0, 1, 0x1234EEEE]


def test_run_1_records_have_a_shorter_detector_mask(tmp_path):
    info = replace(INFO, version=5)
    assert words(info.records())[2] == 5
    expected = [0x1234BBBB, 10, 267367, 100, 1, 3, 0x40, 11, 1, 6500]
    assert words(info.records()[-40:]) == expected


def test_megabytes_are_rounded_to_the_nearest(tmp_path):
    found = write(tmp_path / "a.data", [bytes((1 << 20) // 2), bytes((1 << 20) - 4)])
    assert words(found[-40:])[4:8] == [2, 1, 2, 1]
    found = write(tmp_path / "a.data", [bytes((1 << 20) // 2)])
    assert words(found[-40:])[4:8] == [1, 1, 1, 1]


def test_compressed_data_blocks_say_their_padded_size(tmp_path):
    info = replace(INFO, compress=True)
    events = [bytes(range(256)) * 4, b"abcdefgh" * 101]
    found = write(tmp_path / "a.data", events, info)
    assert text("Compression=zlib") in info.records()
    rest = found[len(info.records()) :]
    for number, event in enumerate(events, start=1):
        marker, size, block, length = words(rest[:16])
        assert (marker, size, block, length % 4) == (0x1234CCCC, 4, number, 0)
        inflater = zlib.decompressobj()
        assert inflater.decompress(rest[16 : 16 + length]) == event
        assert inflater.unused_data == bytes(len(inflater.unused_data))
        rest = rest[16 + length :]
    assert len(rest) == 40


def test_a_file_has_its_name_only_when_complete(tmp_path):
    path = tmp_path / "a.data"
    with RawWriter(path, INFO, CLOSED) as writer:
        writer.write(b"1234")
        assert [file.name for file in tmp_path.iterdir()] == ["a.data.writing"]
    assert [file.name for file in tmp_path.iterdir()] == ["a.data"]


def test_a_file_that_fails_is_removed(tmp_path):
    def fail() -> None:
        with RawWriter(tmp_path / "a.data", INFO, CLOSED):
            msg = "disk full"
            raise OSError(msg)

    with pytest.raises(OSError, match="disk full"):
        fail()
    assert not list(tmp_path.iterdir())


def test_event_of_format_5_word_by_word():
    tags = [*words(b"abc\0"), *words(b"defgh\0\0\0")]
    assert words(event_fragment(HEADER, ROBS)) == [
        0xAA1234AA, 36, 30, 0x05000000, 0x7C0001, 1, 0x80000000, 0,
        1433995200, 5, 2, 1, 1, 267367, 12, 0x01000003, 3563, 0x84, 0, 6,
        2, 11, 12, 0, 1, 13, 3, *tags,
        0, 1, 2, 3, 4, 5,
    ]  # fmt: skip


def test_event_of_format_4_word_by_word():
    tags = [*words(b"abc\0"), *words(b"defgh\0\0\0")]
    assert words(event_fragment(HEADER, ROBS, "4.0")) == [
        0xAA1234AA, 33, 27, 0x04000000, 0x7C0001, 1, 0x80000000, 0,
        1433995200, 5, 2, 1, 267367, 12, 0x01000003, 3563, 0x84,
        2, 11, 12, 0, 1, 13, 3, *tags,
        0, 1, 2, 3, 4, 5,
    ]  # fmt: skip


def test_more_status_words_lengthen_the_header():
    header = replace(HEADER, status=(1, 2, 3))
    found = words(event_fragment(header, ROBS))
    assert found[1:3] == [38, 32]
    assert found[5:10] == [3, 1, 2, 3, 0]


@pytest.mark.parametrize("n_words", [0, 6, 1000])
def test_compressed_event_inflates_to_its_fragments(n_words):
    robs = (np.arange(n_words, dtype="<u4") * 0x9E3779B1).tobytes()
    found = event_fragment(HEADER, robs, compress=True)
    header, payload = words(found)[:30], found[4 * 30 :]
    assert header[1] == len(found) // 4
    assert header[18:20] == [1, n_words]
    inflater = zlib.decompressobj()
    assert inflater.decompress(payload) == robs
    assert len(inflater.unused_data) < 4
    assert not any(inflater.unused_data)


@pytest.mark.parametrize("compress", [False, True])
def test_checksum_is_of_the_stored_payload(compress):
    plain = event_fragment(HEADER, ROBS, compress=compress)
    found = event_fragment(HEADER, ROBS, compress=compress, checksum=True)
    assert words(found)[7] == 2
    assert words(found)[1] == words(plain)[1] + 1
    assert found[4 * 30 : -4] == plain[4 * 30 :]
    assert words(found)[-1] == zlib.adler32(plain[4 * 30 :])


@pytest.mark.parametrize(("robs", "form"), [(b"123", "5.0"), (b"1234", "4.0")])
def test_format_4_has_no_compression_and_fragments_are_words(robs, form):
    with pytest.raises(ValueError, match="bytes of fragments"):
        event_fragment(HEADER, robs, form, compress=True)


def test_file_names_are_those_of_data_taking():
    core = file_name_core("data17_13TeV", 327862, "calibration_SCTNoise", 0, "SFO-1")
    expected = "data17_13TeV.00327862.calibration_SCTNoise.daq.RAW._lb0000._SFO-1._0001.data"
    assert file_name(core, 1) == expected
