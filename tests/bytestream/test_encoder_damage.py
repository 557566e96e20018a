"""Written files, damaged on purpose: what is whole is read, and nothing else is lost."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from sctcalib.bytestream.accumulate import accumulate
from sctcalib.bytestream.encoder import Encoder, Links
from sctcalib.bytestream.maps import RawMaps, RawSettings
from sctcalib.detector.cabling import default_cabling
from sctcalib.detector.readout import default_swap
from sctcalib.job.errors import InputFileError
from tests.bytestream import damage
from tests.bytestream.encoder_helpers import BARREL, groups_of
from tests.bytestream.test_round_trip import read_back

CABLING = default_cabling()
LINKS = Links(CABLING.rod_ids, *CABLING.place_of_wafer())
OTHER = BARREL + 200
"""A wafer of another ROD."""
GROUPS = groups_of(
    *((event, wafer, 5 + event, 1) for event in range(4) for wafer in (BARREL, OTHER))
)


@pytest.fixture
def path(tmp_path) -> Path:
    file = tmp_path / "a.data"
    read_back(file, Encoder(LINKS, default_swap()), GROUPS, 4)
    assert LINKS.rod[BARREL] != LINKS.rod[OTHER]
    return file


def read(path: Path) -> RawMaps:
    return accumulate([path], CABLING, RawSettings(3, 2, default_swap(), lumi_blocks=False))


def hits(maps: RawMaps) -> list[tuple[int, int]]:
    """Wafer (0 or 1 for the two in use) and event of each hit."""
    found = np.argwhere(maps.counts)
    assert maps.counts.max(initial=0) <= 1
    return [(int(wafer == OTHER), int(strip) - 5) for wafer, strip in found]


EVERYTHING = [(wafer, event) for wafer in range(2) for event in range(4)]


def test_undamaged_file_has_all_hits(path):
    maps = read(path)
    assert hits(maps) == EVERYTHING
    assert (maps.files_incomplete, maps.damage.count) == (0, 0)


def test_file_without_end_record_has_all_its_events(path):
    damage.remove_end_record(path)
    maps = read(path)
    assert hits(maps) == EVERYTHING
    assert maps.files_incomplete == 1


@pytest.mark.parametrize("cut", [4, 40, 20_000])
def test_events_before_a_cut_are_read(path, cut):
    damage.truncate(path, damage.END_RECORD_BYTES + cut)
    maps = read(path)
    assert hits(maps) == [hit for hit in EVERYTHING if hit[1] < 3]
    assert maps.files_incomplete == 1


@pytest.mark.parametrize("word", range(4))
def test_event_with_a_damaged_header_is_left_out(path, word):
    """Marker, size, header size, version."""
    damage.flip(path, damage.events(path)[1] + 4 * word + 3)
    maps = read(path)
    assert hits(maps) == [hit for hit in EVERYTHING if hit[1] != 1]
    assert (maps.events_damaged, maps.events_read, maps.n_events) == (1, 4, 3)


def test_rod_with_a_damaged_marker_is_left_out_alone(path):
    row = int(LINKS.rod[OTHER])
    damage.flip(path, damage.fragments(path, 2, damage.ROD_MARKER)[row])
    maps = read(path)
    assert hits(maps) == [hit for hit in EVERYTHING if hit != (1, 2)]
    assert (maps.n_events, maps.damage.count, maps.counters["damaged_rods"]) == (4, 1, 1)


def test_rod_that_counts_its_words_wrongly_is_left_out_alone(path):
    row = int(LINKS.rod[BARREL])
    start = damage.fragments(path, 0)[row]
    size = struct.unpack_from("<I", path.read_bytes(), start + 4)[0]
    damage.flip(path, start + 4 * (size - 2), 0x01)
    maps = read(path)
    assert hits(maps) == [hit for hit in EVERYTHING if hit != (0, 0)]
    assert maps.counters["damaged_rods"] == 1


def test_event_with_a_broken_chain_of_fragments_is_left_out(path):
    row = int(LINKS.rod[BARREL])
    damage.set_word(path, damage.fragments(path, 3)[row] + 4, 0x7FFFFFFF)
    maps = read(path)
    assert hits(maps) == [hit for hit in EVERYTHING if hit[1] != 3]
    assert (maps.events_damaged, maps.n_events) == (1, 3)


def test_file_of_another_kind_is_refused(path):
    damage.flip(path, 0)
    with pytest.raises(InputFileError, match="begins with"):
        read(path)
