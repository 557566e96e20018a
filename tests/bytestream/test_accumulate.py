"""Maps out of files: every rule of what is filled, shares of events, adding up, damage."""

from __future__ import annotations

import logging
import struct
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sctcalib.bytestream import decoder as decoder_module
from sctcalib.bytestream import maps as maps_module
from sctcalib.bytestream.accumulate import accumulate
from sctcalib.bytestream.maps import RawMaps, RawSettings, empty_maps
from sctcalib.detector.readout import default_swap
from sctcalib.job.errors import InputFileError, JobError, ProblemsError
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
from tests.bytestream.reading import fibres, small_cabling

W = fibres(small_cabling())[0]
HIT = [0x2100, 0x8050, 0x4000]
"""Strip 5 of wafer W."""
SETTINGS = RawSettings(n_lumi_blocks=10, lbs_per_window=3, swap=default_swap())
UNKNOWN_LINK = 0x2100 | 1 << 4 | 8


def sum_up(
    paths: Path | Sequence[Path], settings: RawSettings = SETTINGS, **options: Any
) -> RawMaps:
    chosen = [paths] if isinstance(paths, Path) else paths
    return accumulate(chosen, small_cabling(), settings, **options)


def event(*halves: int, **fields: Any) -> Event:
    return Event(**fields).with_halves(halves)


def windows(maps: RawMaps) -> np.ndarray:
    """Hits by row of windows, shape (rows, 8176, 768)."""
    return np.stack([maps.windows.row(i) for i in range(len(maps.windows.low))])


def test_hits_enter_the_hit_map_the_chips_and_the_windows(tmp_path: Path) -> None:
    path = write_raw(tmp_path / "a", [event(*HIT, lumi_block=4), event(0x2100, 0x87E1, 0x4000)])
    maps = sum_up(path)
    assert (maps.n_events, maps.events_read, maps.error_events) == (2, 2, 2)
    assert np.argwhere(maps.counts).tolist() == [[W, 5], [W, 126], [W, 127]]
    assert maps.entries[W] == 3
    assert np.argwhere(maps.chip_hits).tolist() == [[1, 6 * W], [4, 6 * W]]
    assert maps.lb_events.tolist() == [0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]
    assert np.argwhere(windows(maps)).tolist() == [[1, W, 126], [1, W, 127], [2, W, 5]]
    assert (maps.first_lb, maps.last_lb) == (1, 4)


def test_group_counts_for_the_chip_of_its_first_offline_strip(tmp_path: Path) -> None:
    # side 1 is swapped: offline strips 766 and 767 are read out as 1 and 0, both on chip 0
    maps = sum_up(write_raw(tmp_path / "a", [event(0x2100, 0xC001, 0xD000, 0x4000)]))
    assert np.argwhere(maps.counts[W + 1]).ravel().tolist() == [767 - 256, 766, 767]
    assert maps.chip_hits[1, 6 * (W + 1) : 6 * (W + 1) + 6].tolist() == [2, 0, 1, 0, 0, 0]


@pytest.mark.parametrize(
    ("lumi_block", "row", "window"), [(0, 0, 0), (1, 1, 1), (10, 10, 4), (11, 11, 4), (13, 11, 5)]
)
def test_lumi_blocks_beyond_the_axis(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, lumi_block: int, row: int, window: int
) -> None:
    """The window axis ends at M * Y = 12, the lumi-block axis at 10."""
    maps = sum_up(write_raw(tmp_path / "a", [event(*HIT, lumi_block=lumi_block)]))
    assert np.flatnonzero(maps.lb_events).tolist() == [row]
    assert np.argwhere(maps.chip_hits).tolist() == [[row, 6 * W]]
    assert np.argwhere(windows(maps)).tolist() == [[window, W, 5]]
    outside = not 1 <= lumi_block <= 10
    assert maps.events_outside_lbs == outside
    assert ("1 events have a lumi block outside 1-10" in caplog.text) == outside


@pytest.mark.parametrize(("n_groups", "enters"), [(10, True), (11, False)])
def test_event_with_more_than_ten_unknown_ids_enters_no_map(
    tmp_path: Path, n_groups: int, enters: bool
) -> None:
    unknown = [UNKNOWN_LINK, *(0x8000 | 32 * i for i in range(n_groups)), 0x4000]
    settings = replace(SETTINGS, hv_bin_seconds=5.0)
    maps = sum_up(write_raw(tmp_path / "a", [event(*HIT, 0x6000, *unknown)]), settings)
    assert (maps.n_events, maps.error_events, maps.events_unknown) == (enters, enters, not enters)
    assert maps.counts.sum() == maps.chip_hits.sum() == enters
    assert maps.error_entries.any() == enters
    assert len(maps.time_bins.bins()) == enters
    assert (maps.events_read, maps.counters["unknown_ids"]) == (1, n_groups)


@pytest.mark.parametrize(
    ("accept", "accepted"),
    [
        (None, [0, 9, 10, 19, 20]),
        ([], []),
        ([[10, 20]], [10, 19]),
        ([[15, 20], [0, 1], [10, 16]], [0, 10, 19]),
        ([[9.5, 10.5]], [10]),
        ([[20, 10]], []),
        ([[-np.inf, np.inf]], [0, 9, 10, 19, 20]),
    ],
)
def test_accepted_intervals_decide_on_hits_but_not_on_errors(
    tmp_path: Path, accept: list[list[float]] | None, accepted: list[int]
) -> None:
    times = [0, 9, 10, 19, 20]
    path = write_raw(tmp_path / "a", [event(0x2180, *HIT[1:], time=time) for time in times])
    given = None if accept is None else np.array(accept, dtype=float).reshape(-1, 2)
    maps = sum_up(path, replace(SETTINGS, accept=given, hv_bin_seconds=1.0))
    n = len(accepted)
    assert (maps.n_events, maps.events_rejected, maps.error_events) == (n, 5 - n, 5)
    assert maps.counts.sum() == maps.lb_events.sum() == n
    assert maps.errors[W].tolist() == [0] * 11 + [5, 0, 0, 0]
    assert maps.time_bins.bins().tolist() == times
    assert (maps.first_time, maps.last_time) == (0, 20)


def test_errors_above_type_14_overflow_and_count_as_entries(tmp_path: Path) -> None:
    # flagged error of chip 0 with code 1: ABCDError, ABCDError_Chip0, ABCDError_Error1
    maps = sum_up(write_raw(tmp_path / "a", [event(0x2100, 0x0001, 0x4000)] * 3))
    assert np.flatnonzero(maps.errors[W]).tolist() == [9]
    assert (maps.errors[W, 9], maps.error_overflow[W], maps.error_entries[W]) == (3, 6, 9)


def test_sum_of_strip_times_lumi_block(tmp_path: Path) -> None:
    path = write_raw(
        tmp_path / "a",
        [event(0x2100, 0x8051, 0x4000, lumi_block=block) for block in (0, 3, 10, 11)],
    )
    assert np.flatnonzero(sum_up(path).strip_block).tolist() == [W]
    assert sum_up(path).strip_block[W] == (5 + 6) * (3 + 10)


def test_error_of_a_wafer_counts_once_an_event(tmp_path: Path) -> None:
    maps = sum_up(write_raw(tmp_path / "a", [event(0x2100, 0x6000, 0x6000, 0x4000)]))
    assert (maps.errors[W, 10], maps.counters["raw_data"]) == (1, 2)


def test_time_bins(tmp_path: Path) -> None:
    events = [(1000, 2, 1), (1004, 5, 1), (995, 3, 0), (1005, 7, 2)]
    path = write_raw(
        tmp_path / "a",
        [event(*HIT * n, lumi_block=block, time=time) for time, block, n in events],
    )
    bins = sum_up(path, replace(SETTINGS, hv_bin_seconds=5.0)).time_bins
    assert bins.bins().tolist() == [199, 200, 201]
    assert bins.n_events().tolist() == [1, 2, 1]
    assert bins.lumi_blocks().tolist() == [[3, 3], [2, 5], [7, 7]]
    assert bins.hits().shape == (3, 8176)
    assert bins.hits()[:, W].tolist() == [0, 2, 2]


def test_more_time_bins_than_slots_at_a_time(tmp_path: Path) -> None:
    times = [7 * (i % 97) for i in range(300)]
    path = write_raw(tmp_path / "a", [event(*HIT, time=time) for time in times])
    bins = sum_up(path, replace(SETTINGS, hv_bin_seconds=7.0)).time_bins
    assert bins.bins().tolist() == list(range(97))
    assert bins.hits()[:, W].tolist() == bins.n_events().tolist() == [4] * 9 + [3] * 88


def test_too_many_time_bins_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maps_module, "MAX_TIME_BINS", 50)
    path = write_raw(tmp_path / "a", [event(*HIT, time=time) for time in range(51)])
    with pytest.raises(JobError, match="more than 50 time bins: choose a wider HVBinWidth"):
        sum_up(path, replace(SETTINGS, hv_bin_seconds=1.0))


def test_rods_without_high_voltage_are_counted(tmp_path: Path) -> None:
    off = Event(robs=(rob(rod(HIT, status=(0, 0x00700000))),))
    maps = sum_up(write_raw(tmp_path / "a", [off, event(*HIT), off]))
    assert maps.rod_hv_not_on.tolist() == [2, 0]
    assert (maps.counters["rods_hv_on"], maps.counters["rods_hv_not_on"]) == (1, 2)


def test_what_is_not_asked_for_has_no_rows(tmp_path: Path) -> None:
    nothing = replace(SETTINGS, hits=False, lumi_blocks=False, errors=False)
    maps = sum_up(write_raw(tmp_path / "a", [event(0x2180, *HIT[1:])]), nothing)
    assert maps.n_events == 1
    assert [len(x) for x in (maps.counts, maps.chip_hits, maps.windows.low, maps.errors)] == [0] * 4
    assert len(maps.entries) == len(maps.error_entries) == 0


def test_counts_above_65535_in_a_window(tmp_path: Path) -> None:
    """A file whose one event is repeated until 16 bits overflow, twice."""
    n_events = 131_100
    data = block(packed_words(event(*HIT).words()))
    path = tmp_path / "a"
    path.write_bytes(file_head() + data * n_events + file_end(n_events))
    maps = sum_up(path)
    assert maps.counts[W, 5] == maps.windows.row(1)[W, 5] == n_events
    assert dict(maps.windows.high) == {(8176 + W) * 768 + 5: 2}
    assert maps.merge(sum_up(path)).windows.row(1)[W, 5] == 2 * n_events


def test_more_overflows_than_the_list_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every_strip = [0x2100, *(0x8000 | s << 4 for s in range(768)), 0x4000]
    work = decoder_module.new_workspace

    def small(settings: RawSettings, n_rods: int) -> Any:
        made = work(settings, n_rods)
        return made._replace(carries=np.zeros(100, dtype=np.int64))

    monkeypatch.setattr(decoder_module, "new_workspace", small)
    path = tmp_path / "a"
    data = block(packed_words(event(*every_strip).words()))
    path.write_bytes(file_head() + data * 65_537 + file_end(65_537))
    maps = sum_up(path)
    assert (maps.windows.row(1)[W] == 65_537).all()


# shares


def numbered(folder: Path, sizes: Sequence[int]) -> list[Path]:
    """Files whose events have one hit each, in lumi blocks 1, 2, ... over all files."""
    paths, n = [], 0
    for i, size in enumerate(sizes):
        events = [event(*HIT, lumi_block=n + j + 1, time=n + j) for j in range(size)]
        paths.append(write_raw(folder / f"file{i}", events))
        n += size
    return paths


@pytest.mark.parametrize("jobs", [1, 2, 5])
@pytest.mark.parametrize(
    ("skip", "maximum", "blocks"),
    [
        (0, -1, range(1, 11)),
        (0, 0, []),
        (0, 4, range(1, 5)),
        (4, -1, range(5, 11)),
        (2, 5, range(3, 8)),
        (3, 100, range(4, 11)),
        (10, -1, []),
        (99, 3, []),
    ],
)
def test_events_to_skip_and_to_read_count_over_the_files_in_order(
    tmp_path: Path, jobs: int, skip: int, maximum: int, blocks: Sequence[int]
) -> None:
    paths = numbered(tmp_path, [3, 0, 4, 1, 2])
    maps = sum_up(paths, skip_events=skip, max_events=maximum, jobs=jobs)
    assert np.flatnonzero(maps.lb_events).tolist() == list(blocks)
    assert maps.events_read == maps.n_events == len(blocks)


def test_events_that_cannot_be_read_count_as_read(tmp_path: Path) -> None:
    bad = [0xBAD, *event(*HIT).words()[1:]]
    path = write_raw(tmp_path / "a", [bad, event(*HIT), event(*HIT)])
    maps = sum_up(path, max_events=2)
    assert (maps.events_read, maps.events_damaged, maps.n_events) == (2, 1, 1)


def test_no_files() -> None:
    maps = accumulate([], small_cabling(), SETTINGS)
    assert (maps.n_events, maps.first_lb, maps.counts.sum()) == (0, None, 0)


def test_progress_ends_at_the_size_of_the_files(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    paths = numbered(tmp_path, [3, 4])
    sum_up(paths, progress=lambda done, total: seen.append((done, total)))
    total = sum(path.stat().st_size for path in paths)
    assert seen[-1] == (total, total)
    assert sorted(seen) == seen


# adding up


def state_of(maps: RawMaps) -> dict[str, Any]:
    """Everything in a result, in a form that can be compared."""
    bins = maps.time_bins
    return {
        "arrays": [
            array.tolist()
            for array in (
                np.argwhere(maps.counts), maps.counts[maps.counts > 0], maps.lb_events,
                maps.strip_block, np.argwhere(maps.chip_hits), np.argwhere(windows(maps)),
                maps.error_overflow,
                np.argwhere(maps.errors), maps.errors[maps.errors > 0], maps.rod_hv_not_on,
                bins.bins(), bins.n_events(), bins.lumi_blocks(), bins.hits().sum(axis=1),
            )
        ],
        "windows": windows(maps).sum(axis=(1, 2)).tolist(),
        "counters": maps.counters,
        "numbers": [
            maps.n_events, maps.events_read, maps.events_damaged, maps.events_unknown,
            maps.events_rejected, maps.events_outside_lbs, maps.error_events, maps.first_lb,
            maps.last_lb, maps.first_time, maps.last_time, maps.files_incomplete,
        ],
        "damage": (maps.damage.count, maps.damage.sorted()),
    }  # fmt: skip


@pytest.fixture(scope="module")
def varied(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Four files with hits, errors, damage, unknown links and times of all kinds."""
    folder = tmp_path_factory.mktemp("varied")
    rng = np.random.default_rng(5)
    paths = []
    for i in range(4):
        events: list[Event | Sequence[int]] = []
        for j in range(40):
            halves = rng.choice([0x2100, 0x8050, 0xC071, 0x4000, 0x6000, 0x0041, 0x2128], 30)
            some = event(*halves.tolist(), lumi_block=(i + j) % 14, time=1000 + 3 * j - i)
            events.append([0xBAD, *some.words()[1:]] if j % 11 == i else some)
        paths.append(write_raw(folder / f"{i}.data", events, end=i != 2))
    return paths


ALL = replace(SETTINGS, hv_bin_seconds=5.0, accept=np.array([[1010, 1090]]))


@pytest.mark.parametrize("jobs", [2, 3, 8])
def test_result_does_not_depend_on_the_number_of_jobs(varied: list[Path], jobs: int) -> None:
    assert state_of(sum_up(varied, ALL, jobs=jobs)) == state_of(sum_up(varied, ALL))


def test_adding_up_is_associative_and_commutative(varied: list[Path]) -> None:
    def one(i: int) -> RawMaps:
        return sum_up(varied[i], ALL)

    left = one(0).merge(one(1)).merge(one(2).merge(one(3)))
    right = one(3).merge(one(2).merge(one(0).merge(one(1))))
    empty = empty_maps(ALL, small_cabling().rod_ids).merge(left)
    assert state_of(left) == state_of(right) == state_of(empty) == state_of(sum_up(varied, ALL))


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (replace(SETTINGS, n_lumi_blocks=11), "lumi blocks"),
        (replace(SETTINGS, lbs_per_window=4), "lumi blocks per window"),
        (replace(SETTINGS, errors=False), "maps"),
    ],
)
def test_results_of_other_settings_are_not_added(other: RawSettings, what: str) -> None:
    rods = small_cabling().rod_ids
    with pytest.raises(ValueError, match=f"maps with different {what} cannot be added"):
        empty_maps(SETTINGS, rods).merge(empty_maps(other, rods))


def test_results_of_other_cablings_are_not_added() -> None:
    rods = small_cabling().rod_ids
    with pytest.raises(ValueError, match="different RODs"):
        empty_maps(SETTINGS, rods).merge(empty_maps(SETTINGS, rods[:1]))


@pytest.mark.parametrize(
    "change", [{"n_lumi_blocks": 0}, {"lbs_per_window": 0}, {"hv_bin_seconds": 0.0}]
)
def test_settings_that_cannot_be(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="these must be above 0"):
        replace(SETTINGS, **change)


# damage

GOOD = event(*HIT)


def changed(words: Sequence[int], changes: dict[int, int]) -> list[int]:
    """Words with some replaced; keys are positions."""
    out = list(words)
    for at, value in changes.items():
        out[at] = value
    return out


def header_size(some: Event) -> int:
    return some.words()[2]


ROB_AT = header_size(GOOD)
ROD_AT = ROB_AT + 8
END_AT = len(GOOD.words())


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({0: 0xCC1234CC}, "does not begin with the marker of an event (found 0xcc1234cc)"),
        ({0: 0xAA3412AA}, "does not begin with the marker"),
        ({3: 0x03010000}, "unsupported format version (found 0x03010000)"),
        ({3: 0x02040000}, "unsupported format version"),
        ({3: 0x06000000}, "unknown format version (found 0x06000000)"),
        ({1: 0xFFFFFFFF}, "does not fit into its data block (found 0xffffffff)"),
        ({1: 10}, "does not fit into its data block"),
        ({2: 0xFFFFFFFF}, "does not fit into its data block"),
        ({2: 5}, "numbers of words in the event header do not add up"),
        ({2: ROB_AT - 1}, "numbers of words in the event header do not add up"),
        ({5: 0xFFFFFFFF}, "numbers of words in the event header do not add up"),
        ({5: 2}, "numbers of words in the event header do not add up"),
        ({20: 0xFFFFFFFF}, "numbers of words in the event header do not add up"),
        ({18: 2}, "unknown compression type (found 0x00000002)"),
        ({18: 1}, "the compressed data"),
        ({ROB_AT: 0xDD3412DD}, "no ROB fragment where the next one should begin"),
        ({ROB_AT + 1: 0xFFFFFFFF}, "size of a ROB fragment goes beyond its event"),
        ({ROB_AT + 1: 6}, "size of a ROB fragment goes beyond its event (found 0x00000006)"),
        ({ROB_AT + 1: 9}, "no ROB fragment where the next one should begin"),
    ],
)
def test_event_that_cannot_be_read_is_skipped_and_located(
    tmp_path: Path, changes: dict[int, int], problem: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_raw(tmp_path / "a", [GOOD, changed(GOOD.words(), changes), GOOD])
    maps = sum_up(path)
    assert (maps.events_read, maps.events_damaged, maps.n_events) == (3, 1, 2)
    assert maps.counts[W, 5] == 2
    (damage,) = maps.damage.sorted()
    assert "event skipped: " in damage.text
    assert problem in damage.text
    first_block = path.read_bytes().index(packed_words([0x1234CCCC]))
    second = first_block + 4 * (len(GOOD.words()) + 4)
    assert second <= damage.offset < second + 4 * (len(GOOD.words()) + 4)
    assert f"{path}: byte {damage.offset}: " in caplog.text


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({ROB_AT + 2: 9}, "the header of the ROB fragment is damaged"),
        ({ROB_AT + 5: 0xFFFFFFFF}, "the header of the ROB fragment is damaged"),
        ({ROB_AT + 2: 100, ROB_AT + 5: 93}, "the header of the ROB fragment is damaged"),
        ({ROD_AT: 0xEE3412EE}, "the ROD fragment does not begin with its marker"),
        ({ROD_AT + 1: 8}, "header size or format version of the ROD fragment is wrong"),
        ({ROD_AT + 2: 0x04000000}, "header size or format version of the ROD fragment is wrong"),
        ({END_AT - 1: 2}, "numbers of data and status words of the ROD fragment do not add up"),
        ({END_AT - 2: 0xFFFFFFFF}, "numbers of data and status words"),
        ({END_AT - 3: 0xFFFFFFFF}, "numbers of data and status words"),
        ({END_AT - 2: 3}, "numbers of data and status words"),
    ],
)
def test_damaged_rod_is_skipped_and_located_and_the_event_is_kept(
    tmp_path: Path, changes: dict[int, int], problem: str
) -> None:
    path = write_raw(tmp_path / "a", [GOOD, changed(GOOD.words(), changes), GOOD])
    maps = sum_up(path)
    assert (maps.events_damaged, maps.n_events, maps.counters["damaged_rods"]) == (0, 3, 1)
    assert (maps.counts[W, 5], maps.error_entries.any()) == (2, False)
    (damage,) = maps.damage.sorted()
    assert f"ROD 0x{ROD_ID:06x} skipped: " in damage.text
    assert problem in damage.text
    assert path.read_bytes()[damage.offset :].startswith(packed_words([0xDD1234DD]))
    assert damage.offset > 4 * len(GOOD.words())


def test_rob_without_room_for_a_rod(tmp_path: Path) -> None:
    maps = sum_up(write_raw(tmp_path / "a", [Event(robs=(rob([0xEE1234EE] * 11),))]))
    assert "too short for a ROD fragment (found 0x0000000b)" in maps.damage.sorted()[0].text


def test_more_robs_than_any_event_has(tmp_path: Path) -> None:
    many = Event(robs=(rob([], source=0x990000),) * 4097)
    path = write_raw(tmp_path / "a", [many, GOOD])
    assert "more than 4096 ROB fragments" in sum_up(path).damage.sorted()[0].text


@pytest.mark.parametrize("where", ["separator", "block", "end"])
@pytest.mark.parametrize("cut", [1, 4, 12])
def test_file_that_ends_early_keeps_its_events(
    tmp_path: Path, where: str, cut: int, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_raw(tmp_path / "a", [GOOD, GOOD])
    content = path.read_bytes()
    second = content.rindex(packed_words([0x1234CCCC]))
    at = {"separator": second, "block": second + 20, "end": len(content) - 40}[where]
    path.write_bytes(content[: at + cut])
    maps = sum_up(path)
    n = 2 if where == "end" else 1
    assert (maps.n_events, maps.events_read, maps.files_incomplete) == (n, n, 1)
    assert (maps.damage.count, maps.counts[W, 5]) == (1, n)
    assert str(path) in caplog.text


def test_file_without_end_record(tmp_path: Path) -> None:
    maps = sum_up(write_raw(tmp_path / "a", [GOOD], end=False))
    assert maps.n_events == 1
    assert "ends without an end-of-file record" in maps.damage.sorted()[0].text


def test_something_else_than_a_separator_ends_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    data = block(packed_words(GOOD.words()))
    path.write_bytes(file_head() + data + packed_words([0x12345678] * 20) + data + file_end(2))
    maps = sum_up(path)
    assert maps.n_events == 1
    assert "0x12345678 instead of a data separator" in maps.damage.sorted()[0].text


@pytest.mark.parametrize("n_bytes", [0xFFFFFFFC, 0x1000, 7])
def test_block_size_that_cannot_be(tmp_path: Path, n_bytes: int) -> None:
    path = tmp_path / "a"
    data = block(packed_words(GOOD.words()))
    path.write_bytes(file_head() + data + packed_words([0x1234CCCC, 4, 2, n_bytes]) + data)
    maps = sum_up(path)
    assert (maps.n_events, maps.files_incomplete) == (1, 1)


@pytest.mark.parametrize("compress", [False, True])
def test_block_larger_than_any_event_is_passed_over(tmp_path: Path, compress: bool) -> None:
    import zlib

    path = tmp_path / "a"
    good = packed_words(GOOD.words())
    data = block(zlib.compress(good).ljust(256, b"\0") if compress else good)
    n_bytes = (1 << 26) + 4
    with path.open("wb") as file:
        file.write(file_head(metadata=["Compression=zlib"] if compress else None) + data)
        file.write(packed_words([0x1234CCCC, 4, 2, n_bytes]))
        file.seek(n_bytes, 1)  # a hole
        file.write(data + file_end(3))
    maps = sum_up(path)
    assert (maps.events_read, maps.events_damaged, maps.n_events) == (3, 1, 2)
    assert "larger than 64 MB" in maps.damage.sorted()[0].text


def test_end_record_that_tells_another_number_of_events(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a"
    path.write_bytes(file_head() + block(packed_words(GOOD.words())) + file_end(5))
    sum_up(path)
    assert "1 events found, but its end-of-file record says 5" in caplog.text


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        (b"\0" * 40, "cannot be unpacked"),
        (struct.pack("<I", 0x9C78) * 10, "cannot be unpacked"),
    ],
)
def test_packed_data_that_cannot_be_unpacked(tmp_path: Path, payload: bytes, problem: str) -> None:
    path = tmp_path / "a"
    good = write_raw(tmp_path / "good", [GOOD], compress=True).read_bytes()
    separator = good.index(packed_words([0x1234CCCC]))
    path.write_bytes(good[:separator] + block(payload) + good[separator:-40] + file_end(2))
    maps = sum_up(path)
    assert (maps.events_damaged, maps.n_events) == (1, 1)
    assert problem in maps.damage.sorted()[0].text


@pytest.mark.parametrize("plain_words", [0, 1, 0xFFFFFFFF, 1 << 20])
def test_packed_event_of_another_size_than_it_says(tmp_path: Path, plain_words: int) -> None:
    packed = Event(robs=GOOD.robs, compress=True).words()
    path = write_raw(tmp_path / "a", [changed(packed, {19: plain_words}), GOOD])
    maps = sum_up(path)
    assert (maps.events_damaged, maps.n_events) == (1, 1)


def test_packed_event_that_is_cut(tmp_path: Path) -> None:
    packed = Event(robs=(rob(rod(HIT * 50)),), compress=True).words()
    cut = changed(packed, {1: len(packed) - 3})
    assert "incomplete" in sum_up(write_raw(tmp_path / "a", [cut, GOOD])).damage.sorted()[0].text


def test_many_damaged_places_are_counted_and_the_first_listed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bad = changed(GOOD.words(), {0: 0})
    caplog.set_level(logging.WARNING)
    maps = sum_up([write_raw(tmp_path / name, [GOOD] + [bad] * 300) for name in "ba"])
    assert (maps.damage.count, len(maps.damage.sorted())) == (600, 100)
    assert {Path(place.file).name for place in maps.damage.sorted()} == {"a"}
    assert "590 more places like these" in caplog.text


@pytest.mark.parametrize("version", [0x03010000, 0x02040000, 0x03000000])
def test_file_of_an_old_format_is_an_input_error(tmp_path: Path, version: int) -> None:
    path = write_raw(tmp_path / "old", [changed(GOOD.words(), {3: version})] * 2)
    with pytest.raises(InputFileError) as caught:
        sum_up(path)
    assert caught.value.code == 74
    assert f"unsupported format version (found 0x{version:08x})" in str(caught.value)
    assert str(path) in str(caught.value)


def test_files_without_a_readable_event_are_all_named(tmp_path: Path) -> None:
    bad = changed(GOOD.words(), {0: 0})
    paths = [write_raw(tmp_path / name, [bad, bad]) for name in "ab"]
    with pytest.raises(ProblemsError) as caught:
        sum_up([*paths, write_raw(tmp_path / "c", [GOOD])], jobs=2)
    assert all(str(path) in str(caught.value) for path in paths)
    assert caught.value.code == 74


def test_file_that_ends_in_its_first_event_is_an_input_error(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(file_head() + block(packed_words(GOOD.words()))[:-8])
    with pytest.raises(InputFileError, match="ends inside a data block"):
        sum_up(path)


def test_file_without_events_is_good(tmp_path: Path) -> None:
    maps = sum_up(write_raw(tmp_path / "a", []))
    assert (maps.n_events, maps.damage.count) == (0, 0)


def test_files_that_are_none_are_all_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    with pytest.raises(ProblemsError) as caught:
        sum_up([tmp_path / "none", tmp_path / "text"])
    assert len(caught.value.problems) == 2


def test_interruption_ends_the_reading(tmp_path: Path) -> None:
    class Interrupted(BaseException):
        pass

    def interrupt(done: int, total: int) -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        sum_up(numbered(tmp_path, [3, 3, 3]), progress=interrupt, jobs=2)


def test_failure_of_a_thread_is_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        msg = "broken"
        raise MemoryError(msg)

    monkeypatch.setattr(decoder_module.Decoder, "read", broken)
    with pytest.raises(MemoryError, match="broken"):
        sum_up(numbered(tmp_path, [3, 3]), jobs=2)


WITHOUT_NUMBA = """
import sys
sys.modules["numba"] = None
from pathlib import Path
import sctcalib.bytestream, sctcalib.workflows.noisy_strips
from sctcalib.bytestream.accumulate import accumulate
from sctcalib.bytestream.maps import RawSettings
from sctcalib.detector.cabling import default_cabling
from sctcalib.detector.readout import default_swap
from sctcalib.job.errors import JobError
try:
    accumulate([Path(sys.argv[1])], default_cabling(), RawSettings(5, 5, default_swap()))
except JobError as error:
    print(error.code, error)
"""


def test_missing_numba_says_how_to_install_it(tmp_path: Path) -> None:
    path = write_raw(tmp_path / "a", [GOOD])
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT_NUMBA, path], capture_output=True, text=True, check=True
    )
    assert run.stdout.startswith("7 reading RAW files needs numba")
    assert "pip install 'sctcalib[raw]'" in run.stdout


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_change_of_a_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("changed") / "a"
    content = bytearray(write_raw(path, [GOOD] * 3).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        maps = sum_up(path)
    except InputFileError:
        return
    assert maps.n_events <= maps.events_read <= 3
