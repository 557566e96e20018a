"""What is an error in a map file, and what is not (algorithms-hitmaps.md 8.1)."""

from __future__ import annotations

import logging
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sctcalib.histograms.anatomy import walk
from sctcalib.histograms.layouts import Axis
from sctcalib.histograms.rootwriter import Packed, key_texts
from sctcalib.job.errors import InputFileError
from tests.histograms.helpers import (
    PACKERS,
    SMALL,
    WAFERS,
    filled,
    merge_small,
    sources,
    write_small,
    write_stacks,
)

CONTENTS = np.arange(12).reshape(3, 4)


def _content(name: str, cell: int, value: float) -> Callable[[str, bytes], bytes]:
    def edit(other: str, streamed: bytes) -> bytes:
        if other != name:
            return streamed
        own = walk(streamed, "TH1F")
        new = bytearray(streamed)
        struct.pack_into(">f", new, own.front + own.contents + 4 * cell, value)
        return bytes(new)

    return edit


def _without(*names: str) -> Callable[[str, bytes], bytes | None]:
    return lambda name, streamed: None if name in names else streamed


def _replaced(old: bytes, new: bytes) -> Callable[[str, bytes], bytes]:
    """Other bytes in the histogram bb."""

    def edit(name: str, streamed: bytes) -> bytes:
        if name != "bb":
            return streamed
        assert streamed.count(old) == 1
        return streamed.replace(old, new)

    return edit


_AXIS = struct.pack(">idd", 4, -0.5, 3.5)
_ARRAY = struct.pack(">i", 6)


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (_without("events"), "no TH1I GENERAL/events"),
        (_without("bb"), "no TH1F SCTB/bb"),
        (_without("a", "ccc"), "no TH1F SCTB/a, SCTB/ccc"),
        (_content("bb", 2, -1.0), r"SCTB/bb: the content of bin 2 is -1.0, not a count"),
        (_content("bb", 0, np.nan), r"SCTB/bb: the content of bin 0 is nan, not a count"),
        (_content("a", 4, np.inf), r"SCTB/a: the content of bin 4 is inf, not a count"),
        (_content("ccc", 1, 0.5), r"SCTB/ccc: the content of bin 1 is 0.5, not a count"),
        (_replaced(_AXIS, struct.pack(">idd", 4, 0.0, 4.0)), "bb: it has 4 bins 0...4 instead of"),
        (_replaced(_AXIS, struct.pack(">idd", 5, -0.5, 3.5)), "bb: it has 5 bins -0.5...3.5 inst"),
        (lambda name, data: data[:-4] if name == "bb" else data, "SCTB/bb: "),
        (lambda name, data: data[4:] if name == "ccc" else data, "SCTB/ccc: "),
        (lambda name, data: b"" if name == "a" else data, "SCTB/a: it is not a streamed TH1F"),
        (lambda name, data: data[:40] if name == "a" else data, "SCTB/a: "),
    ],
)
def test_error_names_file_and_histogram(
    tmp_path: Path, edit: Callable[[str, bytes], bytes | None], words: str
) -> None:
    good = write_small(tmp_path / "good.root", CONTENTS)
    bad = write_small(tmp_path / "bad.root", CONTENTS, edit=edit)
    with pytest.raises(InputFileError, match=words) as caught:
        merge_small([good, bad], tmp_path / "out.root")
    assert str(caught.value).startswith(f"{bad}: ")
    assert not (tmp_path / "out.root").exists()


def test_negative_number_of_events_is_an_error(tmp_path: Path) -> None:
    def edit(name: str, streamed: bytes) -> bytes:
        return streamed[:-8] + b"\xff" * 4 + streamed[-4:] if name == "events" else streamed

    path = write_small(tmp_path / "bad.root", CONTENTS, edit=edit)
    with pytest.raises(InputFileError, match="GENERAL/events: the content of bin 1 is -1"):
        merge_small([path], tmp_path / "out.root")


def test_other_class_is_an_error(tmp_path: Path) -> None:
    other = replace(WAFERS, class_name="TH1I")
    path = write_stacks(tmp_path / "bad.root", [filled(SMALL[0], [1]), filled(other, CONTENTS)])
    with pytest.raises(
        InputFileError, match=r"not of class TH1F: SCTB/a \(TH1I\), SCTB/bb \(TH1I\)"
    ):
        sources([path])


def test_missing_directory_is_reported_with_the_first_few_names(tmp_path: Path) -> None:
    many = replace(WAFERS, names=tuple(f"w{i}" for i in range(100)), directory="SCTEA")
    path = write_small(tmp_path / "bad.root", CONTENTS)
    with pytest.raises(
        InputFileError,
        match=r"no TH1F SCTEA/w0, SCTEA/w1, SCTEA/w2, SCTEA/w3, SCTEA/w4, ... \(100 in all\)",
    ):
        sources([path], (*SMALL, many))


def test_everything_that_is_missing_is_reported_at_once(tmp_path: Path) -> None:
    path = write_small(tmp_path / "bad.root", CONTENTS, edit=_without("events", "bb"))
    with pytest.raises(InputFileError, match="no TH1I GENERAL/events; no TH1F SCTB/bb"):
        sources([path])


def test_bins_of_unequal_widths_are_refused(tmp_path: Path) -> None:
    edges = struct.pack(">i5d", 5, -0.5, 0.5, 1.0, 2.5, 3.5)

    def edit(name: str, streamed: bytes) -> bytes:
        if name != "bb":
            return streamed
        at = streamed.index(_AXIS) + len(_AXIS)
        new = bytearray(streamed[:at] + edges + streamed[at + 4 :])
        begin = at - len(_AXIS)
        axis = new.rindex(b"\x40", 0, new.rindex(b"\x40", 0, new.rindex(b"\x40", 0, begin)))
        for place in (0, 6, axis):
            (count,) = struct.unpack_from(">I", new, place)
            struct.pack_into(">I", new, place, count + 40)
        return bytes(new)

    path = write_small(tmp_path / "bad.root", CONTENTS, edit=edit)
    with pytest.raises(InputFileError, match="SCTB/bb: its bins have unequal widths"):
        merge_small([path], tmp_path / "out.root")


def test_fills_that_wait_in_a_buffer_are_refused(tmp_path: Path) -> None:
    plain = struct.pack(">iB", 0, 0)

    def edit(name: str, streamed: bytes) -> bytes:
        if name != "bb":
            return streamed
        own = walk(streamed, "TH1F")
        # fBufferSize and fBuffer stand 13 bytes before the end of TH1's part
        at = own.front + own.contents - 4 - 13
        assert streamed[at : at + 5] == plain
        buffer = struct.pack(">iB3d", 3, 1, 1.0, 1.0, 2.0)
        new = bytearray(streamed[:at] + buffer + streamed[at + 5 :])
        for place in (0, 6):
            (count,) = struct.unpack_from(">I", new, place)
            struct.pack_into(">I", new, place, count + 24)
        return bytes(new)

    path = write_small(tmp_path / "bad.root", CONTENTS, edit=edit)
    with pytest.raises(InputFileError, match="SCTB/bb: it has fills that are buffered"):
        merge_small([path], tmp_path / "out.root")


def test_further_objects_are_ignored_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    extra = [Packed(key_texts("TNamed", name, ""), 3, b"abc") for name in ("note", "z")]
    path = write_small(tmp_path / "more.root", CONTENTS, extra=extra)
    with caplog.at_level(logging.WARNING):
        (_, summed) = merge_small([path], tmp_path / "out.root")
    assert f"{path}: ignored, as not part of a map file: SCTB/note, SCTB/z" in caplog.text
    np.testing.assert_array_equal(summed.contents[:, 1:-1], CONTENTS)
    assert set(sources([tmp_path / "out.root"])[0].file.directory("SCTB").rows) == set(WAFERS.names)


def test_sound_file_gives_no_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write_small(tmp_path / "in.root", CONTENTS)
    merge_small([path], tmp_path / "out.root")
    assert not caplog.records


@pytest.mark.parametrize("method", PACKERS)
def test_flow_bins_empty_histograms_and_any_compression_are_fine(
    tmp_path: Path, method: str
) -> None:
    def edit(name: str, streamed: bytes) -> bytes:
        return _content("bb", 5, 7.0)(name, _content("bb", 0, 3.0)(name, streamed))

    contents = CONTENTS * [[0], [1], [1]]
    path = write_small(tmp_path / "in.root", contents, edit=edit, pack=PACKERS[method])
    (_, summed) = merge_small([path], tmp_path / "out.root")
    assert summed.contents.tolist() == [
        [0, 0, 0, 0, 0, 0],
        [3, 4, 5, 6, 7, 7],
        [0, 8, 9, 10, 11, 0],
    ]
    assert summed.statistics[:, 0].tolist() == [0, 22, 38]


def test_axis_text_names_bins_and_limits() -> None:
    assert str(Axis(768, -0.5, 767.5)) == "768 bins -0.5...767.5"
