"""Sums of histograms, as `hadd` makes them (root-files.md 2)."""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import uproot
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from sctcalib.histograms.anatomy import walk
from sctcalib.histograms.layouts import events_family
from sctcalib.histograms.merge import Summed, moments
from tests.histograms.helpers import (
    SMALL,
    WAFERS,
    WINDOWS,
    filled,
    merge_small,
    write_small,
    write_stacks,
)

BOTH = (events_family(), WINDOWS, WAFERS)
CONTENTS = np.arange(12).reshape(3, 4)


@given(
    st.lists(
        st.tuples(
            arrays(np.int64, (3, 4), elements=st.integers(0, 1000)),
            arrays(np.int64, (2, 8), elements=st.integers(0, 1000)),
            st.integers(0, 10**6),
        ),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=20, deadline=None)
def test_merge_adds_contents_entries_and_moments_of_all_files(
    files: list[tuple[NDArray[np.int64], NDArray[np.int64], int]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, (maps, windows, n_events) in enumerate(files):
            stacks = [
                filled(BOTH[0], [n_events]),
                filled(WINDOWS, windows),
                filled(WAFERS, maps),
            ]
            paths.append(write_stacks(Path(folder) / f"{number}.root", stacks))
        sums = merge_small(paths, Path(folder) / "out.root", BOTH)
        expected = [sum(each[i] for each in files) for i in (2, 1, 0)]
        for summed, total in zip(sums, expected, strict=True):
            want = filled(summed.family, total)
            np.testing.assert_array_equal(summed.contents, want.native)
            np.testing.assert_array_equal(summed.statistics, want.all_statistics)
        again = merge_small([Path(folder) / "out.root"], Path(folder) / "copy.root", BOTH)
        for summed, copy in zip(sums, again, strict=True):
            np.testing.assert_array_equal(summed.contents, copy.contents)
            np.testing.assert_array_equal(summed.statistics, copy.statistics)
        with uproot.open(Path(folder) / "out.root") as file:
            np.testing.assert_array_equal(file["SCTB/bb"].values(), expected[2][1])
            np.testing.assert_array_equal(
                file["SCTB/bb__2D"].values(), expected[1][1].reshape(2, 4).T
            )
            assert file["GENERAL/events"].member("fEntries") == expected[0]
            assert file["SCTB/ccc"].title == "plane ccc"


def test_histograms_are_matched_by_name_not_by_position(tmp_path: Path) -> None:
    turned = replace(WAFERS, names=WAFERS.names[::-1])
    stacks = [filled(SMALL[0], [1]), filled(turned, CONTENTS[::-1])]
    paths = [
        write_small(tmp_path / "a.root", CONTENTS),
        write_stacks(tmp_path / "b.root", stacks),
    ]
    (_, summed) = merge_small(paths, tmp_path / "out.root")
    np.testing.assert_array_equal(summed.contents[:, 1:-1], 2 * CONTENTS)


def _statistics(values: list[float]) -> Callable[[str, bytes], bytes]:
    """Other fEntries and sums for all wafers."""

    def edit(name: str, streamed: bytes) -> bytes:
        if name == "events":
            return streamed
        own = walk(streamed, "TH1F")
        new = bytearray(streamed)
        struct.pack_into(">5d", new, own.front + own.entries, *values)
        return bytes(new)

    return edit


UNSET = _statistics([7, 0, 0, 0, 0])
NO_ENTRIES = _statistics([0, 0, 0, 0, 0])


def _merged(tmp_path: Path, *edits: Callable[[str, bytes], bytes] | None) -> Summed:
    paths = [
        write_small(tmp_path / f"{i}.root", CONTENTS, **({"edit": edit} if edit else {}))
        for i, edit in enumerate(edits)
    ]
    return merge_small(paths, tmp_path / "out.root")[1]


def test_sums_that_were_never_set_are_made_from_the_bins_before_adding(tmp_path: Path) -> None:
    summed = _merged(tmp_path, None, UNSET)
    # wafer bb has 4, 5, 6, 7 hits in strips 0...3
    assert summed.statistics[1].tolist() == [22 + 7, 44, 44, 2 * 38, 2 * 92]
    summed = _merged(tmp_path, UNSET, UNSET)
    assert summed.statistics[1].tolist() == [14, 44, 44, 2 * 38, 2 * 92]


def test_single_file_keeps_the_sums_it_has(tmp_path: Path) -> None:
    assert _merged(tmp_path, UNSET).statistics[1].tolist() == [7, 0, 0, 0, 0]


def test_contents_without_entries_are_added_and_their_sums_stay_zero(tmp_path: Path) -> None:
    summed = _merged(tmp_path, NO_ENTRIES, NO_ENTRIES)
    np.testing.assert_array_equal(summed.contents[:, 1:-1], 2 * CONTENTS)
    assert not summed.statistics.any()


def test_sums_in_two_dimensions_are_made_from_bin_centres() -> None:
    stack = filled(WINDOWS, np.arange(16).reshape(2, 8))
    contents = stack.native.astype(np.float64)
    x, y = np.tile([0, 1, 2, 3], 2), np.repeat([2.0, 5.0], 4)
    w = np.arange(8, 16)
    wanted = [w, w, w * x, w * x * x, w * y, w * y * y, w * x * y]
    np.testing.assert_allclose(moments(contents, WINDOWS)[1], [v.sum() for v in wanted])


def _big(value: float) -> Callable[[str, bytes], bytes]:
    def edit(name: str, streamed: bytes) -> bytes:
        if name != "bb":
            return streamed
        own = walk(streamed, "TH1F")
        new = bytearray(streamed)
        struct.pack_into(">f", new, own.front + own.contents + 4, value)
        return bytes(new)

    return edit


def test_sum_above_2_to_the_24_is_the_float32_sum_in_file_order(tmp_path: Path) -> None:
    one, big = _big(1.0), _big(2.0**24)
    assert _merged(tmp_path, big, one, one).contents[1, 1] == 2**24
    assert _merged(tmp_path, one, one, big).contents[1, 1] == 2**24 + 2


def test_events_stop_at_the_largest_32_bit_number_in_the_file(tmp_path: Path) -> None:
    # a TH1I bin holds 2**31 - 1 at most; the entries go on
    def edit(name: str, streamed: bytes) -> bytes:
        most = struct.pack(">i", 2**31 - 1)
        return streamed[:-8] + most + streamed[-4:] if name == "events" else streamed

    paths = [write_small(tmp_path / f"{i}.root", CONTENTS, edit=edit) for i in range(2)]
    merge_small(paths, tmp_path / "out.root")
    with uproot.open(tmp_path / "out.root") as file:
        assert file["GENERAL/events"].values().tolist() == [2**31 - 1]
        assert file["GENERAL/events"].member("fEntries") == 20


def _with_sumw2(factor: float) -> Callable[[str, bytes], bytes]:
    """Sums of squared weights for wafer bb: its contents times a factor."""

    def edit(name: str, streamed: bytes) -> bytes:
        if name != "bb":
            return streamed
        own = walk(streamed, "TH1F")
        contents = np.frombuffer(streamed, ">f4", 6, own.front + own.contents)
        squares = (factor * contents.astype(np.float64)).astype(">f8").tobytes()
        at = own.front + own.sumw2
        new = bytearray(streamed[: at - 4] + struct.pack(">i", 6) + squares + streamed[at:])
        for place in (0, 6):
            (count,) = struct.unpack_from(">I", new, place)
            struct.pack_into(">I", new, place, count + 48)
        return bytes(new)

    return edit


@pytest.mark.parametrize(
    ("edits", "factor"),
    [
        ((_with_sumw2(2), _with_sumw2(3)), 5),
        ((None, _with_sumw2(3)), 4),
        ((_with_sumw2(2), None), 3),
        ((None, None, _with_sumw2(2), None), 5),
    ],
)
def test_squared_weights_are_added_and_contents_stand_for_missing_ones(
    tmp_path: Path, edits: tuple[Callable[[str, bytes], bytes] | None, ...], factor: float
) -> None:
    summed = _merged(tmp_path, *edits)
    np.testing.assert_array_equal(summed.contents[:, 1:-1], len(edits) * CONTENTS)
    with uproot.open(tmp_path / "out.root") as file:
        squares = np.asarray(file["SCTB/bb"].member("fSumw2"))
        assert squares.tolist() == [0, *(factor * CONTENTS[1]).tolist(), 0]
        assert file["SCTB/bb"].values().tolist() == (len(edits) * CONTENTS[1]).tolist()
        assert len(file["SCTB/a"].member("fSumw2")) == 0


def test_histogram_with_another_title_keeps_it_and_is_added(tmp_path: Path) -> None:
    other = replace(WAFERS, title="another title of plane {}")
    stacks = [filled(SMALL[0], [1]), filled(other, CONTENTS)]
    paths = [
        write_stacks(tmp_path / "a.root", stacks),
        write_small(tmp_path / "b.root", CONTENTS),
    ]
    (_, summed) = merge_small(paths, tmp_path / "out.root")
    np.testing.assert_array_equal(summed.contents[:, 1:-1], 2 * CONTENTS)
    with uproot.open(tmp_path / "out.root") as file:
        assert file["SCTB/bb"].title == "another title of plane bb"


def test_files_of_uproot_with_other_attributes_are_read_alike(tmp_path: Path) -> None:
    from uproot.writing import identify

    with uproot.recreate(tmp_path / "up.root") as file:
        file.mkdir("GENERAL")
        file.mkdir("SCTB")
        axis = identify.to_TAxis("xaxis", "", 1, 0.5, 1.5)
        data = np.array([0, 5, 0], dtype=">i4")
        nothing = np.zeros(0, dtype=">f8")
        file["GENERAL/events"] = identify.to_TH1x(
            "events", "Events", data, 5.0, 5.0, 5.0, 5.0, 5.0, nothing, axis
        )
        for number, name in enumerate(WAFERS.names):
            axis = identify.to_TAxis("xaxis", "strip", 4, -0.5, 3.5, fNdivisions=500 + number)
            contents = np.array([0, *CONTENTS[number], 2], dtype=">f4")
            file[f"SCTB/{name}"] = identify.to_TH1x(
                name, "", contents, 99.0, 0, 0, 0, 0, nothing, axis, fLineColor=number
            )
    paths = [tmp_path / "up.root", write_small(tmp_path / "b.root", CONTENTS)]
    (events, summed) = merge_small(paths, tmp_path / "out.root")
    assert events.statistics[0, 0] == 15
    np.testing.assert_array_equal(summed.contents[:, 1:-1], 2 * CONTENTS)
    assert summed.contents[:, -1].tolist() == [2, 2, 2]
    assert summed.statistics[:, 0].tolist() == (99 + CONTENTS.sum(axis=1)).tolist()


def test_progress_counts_histograms(tmp_path: Path) -> None:
    from sctcalib.histograms.merge import write_sums
    from tests.histograms.helpers import sources

    path = write_small(tmp_path / "in.root", CONTENTS)
    seen: list[tuple[int, int]] = []
    write_sums(
        sources([path]),
        tmp_path / "out.root",
        "small.root",
        sink=lambda _summed: None,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen == [(1, 4), (4, 4)]
