"""The frame of ROOT files: what is read, and what is refused with the file's name."""

from __future__ import annotations

import logging
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import uproot

from sctcalib.histograms.rootfile import RootFile
from sctcalib.histograms.rootwriter import Packed, key_texts, new_root_file
from sctcalib.histograms.templates import streamer_info
from sctcalib.job.errors import InputFileError
from tests.histograms.helpers import SMALL, WAFERS, merge_small, sources, write_small

CONTENTS = np.arange(12).reshape(3, 4)


def _patched(path: Path, at: int, data: bytes) -> None:
    whole = bytearray(path.read_bytes())
    whole[at : at + len(data)] = data
    path.write_bytes(whole)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _end_of_header(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:30])


def _no_list_of_keys(path: Path) -> None:
    (name_bytes,) = struct.unpack_from(">i", path.read_bytes(), 28)
    _patched(path, 100 + name_bytes + 10, bytes(4))


def _keys_outside(path: Path) -> None:
    (name_bytes,) = struct.unpack_from(">i", path.read_bytes(), 28)
    _patched(path, 100 + name_bytes + 26, struct.pack(">i", 2**30))


def _too_many_keys(path: Path) -> None:
    at = path.read_bytes().rfind(b"\x05TFile\x0asmall.root\x00\x00\x00\x00\x02")
    assert at > 0
    _patched(path, at + 18, b"\x7f\xff\xff\xff")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda path: path.write_bytes(b""), "the file is empty"),
        (lambda path: path.write_bytes(b"<html>" * 100), "begins with b'<htm' instead of b'root'"),
        (_cut, "its header says .*: it is cut off"),
        (_end_of_header, "not a sound ROOT file"),
        (_no_list_of_keys, "not closed properly"),
        (_keys_outside, "outside the file"),
        (_too_many_keys, "keys do not fit"),
        (lambda path: path.unlink(), "cannot be read: No such file"),
        (lambda path: (path.unlink(), path.mkdir()), "cannot be read: Is a directory"),
    ],
)
def test_file_that_is_not_sound_is_refused_by_name(
    tmp_path: Path, damage: Callable[[Path], object], words: str
) -> None:
    path = write_small(tmp_path / "bad.root", CONTENTS)
    damage(path)
    with pytest.raises(InputFileError, match=words) as caught:
        RootFile(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert caught.value.code == 74


def test_permission_denied_is_an_input_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_small(tmp_path / "bad.root", CONTENTS)

    def denied(*_args: object, **_kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(InputFileError, match="cannot be read: Permission denied"):
        RootFile(path)


@pytest.mark.parametrize(
    ("at", "data", "words"),
    [
        (0, b"\x7f\xff\xff\xff", "its key does not lead to it"),
        (40, b"\xff" * 30, "SCTB/bb"),
    ],
)
def test_damaged_object_is_refused_by_name(
    tmp_path: Path, at: int, data: bytes, words: str
) -> None:
    path = write_small(tmp_path / "bad.root", CONTENTS)
    table = RootFile(path).directory("SCTB")
    row = table.rows["bb"]
    seek = int(table.columns.seek[row])
    _patched(path, seek + (int(table.columns.header[row]) if at else 0) + at, data)
    (source,) = sources([path])
    with pytest.raises(InputFileError, match=words) as caught:
        source.read(1, slice(0, 3))
    assert str(caught.value).startswith(f"{path}: SCTB/bb: ")


def test_key_that_points_outside_is_refused_by_name(tmp_path: Path) -> None:
    path = write_small(tmp_path / "bad.root", CONTENTS)
    table = RootFile(path).directory("SCTB")
    seek = struct.pack(">i", int(table.columns.seek[table.rows["bb"]]))
    listed = path.read_bytes().rfind(seek)
    _patched(path, listed, b"\x7f\xff\xff\x00")
    (source,) = sources([path])
    with pytest.raises(InputFileError, match="SCTB/bb: its key points outside"):
        source.read(1, slice(0, 3))


def test_seeks_of_64_bits_are_written_and_read(tmp_path: Path) -> None:
    narrow = write_small(tmp_path / "narrow.root", CONTENTS)
    wide = write_small(tmp_path / "wide.root", CONTENTS, big=1)
    assert struct.unpack_from(">i", wide.read_bytes(), 4)[0] > 1_000_000
    assert len(wide.read_bytes()) > len(narrow.read_bytes())
    for path in (narrow, wide):
        (source,) = sources([path])
        np.testing.assert_array_equal(source.read(1, slice(0, 3)).native[:, 1:-1], CONTENTS)
        with uproot.open(path) as file:
            assert file["SCTB/ccc"].values().tolist() == [8, 9, 10, 11]


def test_file_whose_second_half_has_64_bit_seeks_is_read(tmp_path: Path) -> None:
    narrow = RootFile(write_small(tmp_path / "narrow.root", CONTENTS)).directory("SCTB")
    middle = int(narrow.columns.seek[narrow.rows["bb"]])
    path = write_small(tmp_path / "mixed.root", CONTENTS, big=middle)
    table = RootFile(path).directory("SCTB")
    assert (table.columns.header - narrow.columns.header).tolist() == [0, 0, 8]
    (source,) = sources([path])
    np.testing.assert_array_equal(source.read(1, slice(0, 3)).native[:, 1:-1], CONTENTS)
    with uproot.open(path) as file:
        assert file["SCTB/ccc"].values().tolist() == [8, 9, 10, 11]


def test_highest_cycle_of_a_name_is_used_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "cycles.root"
    with uproot.recreate(path) as file:
        for number in range(2):
            counts = np.full(4, number + 1.0)
            file["SCTB/a"] = (counts, np.linspace(-0.5, 3.5, 5))
    with caplog.at_level(logging.WARNING):
        table = RootFile(path).directory("SCTB")
    assert f"{path}: several cycles of a in SCTB; the highest is used" in caplog.text
    columns = table.columns[[table.rows["a"]]]
    (streamed,) = RootFile(path).objects(columns)
    assert np.frombuffer(streamed, ">f8", 6, len(streamed) - 48).tolist() == [0, 2, 2, 2, 2, 0]


def test_names_of_255_characters_and_more_are_read(tmp_path: Path) -> None:
    names = ["short", "x" * 254, "y" * 255, "z" * 1000, "end"]
    with new_root_file(tmp_path / "long.root", "long.root") as writer:
        writer.directory("SCTB")
        writer.add([Packed(key_texts("TH1F", name, name), 3, b"abc") for name in names])
        writer.finish(streamer_info())
    table = RootFile(tmp_path / "long.root").directory("SCTB")
    assert list(table.rows) == names
    assert RootFile(tmp_path / "long.root").objects(table.columns) == [b"abc"] * 5


def test_same_content_gives_the_same_bytes_and_other_content_another_uuid(tmp_path: Path) -> None:
    first = write_small(tmp_path / "a.root", CONTENTS).read_bytes()
    again = write_small(tmp_path / "b.root", CONTENTS).read_bytes()
    other = write_small(tmp_path / "c.root", CONTENTS + 1).read_bytes()
    assert first == again
    assert first[47:63] != other[47:63]


def test_failure_leaves_neither_output_nor_remains(tmp_path: Path) -> None:
    good = write_small(tmp_path / "good.root", CONTENTS)
    bad = write_small(tmp_path / "bad.root", CONTENTS, edit=lambda _n, data: data[:-1] + b"\x01")
    output = tmp_path / "out.root"
    output.write_bytes(b"what was there before")
    with pytest.raises(InputFileError, match="SCTB"):
        merge_small([good, bad], output)
    assert output.read_bytes() == b"what was there before"
    assert {path.name for path in tmp_path.iterdir()} == {"good.root", "bad.root", "out.root"}


def test_output_that_cannot_be_written_is_an_os_error(tmp_path: Path) -> None:
    path = write_small(tmp_path / "in.root", CONTENTS)
    with pytest.raises(FileNotFoundError):
        merge_small([path], tmp_path / "missing" / "out.root")


def test_unusable_class_descriptions_are_replaced(tmp_path: Path) -> None:
    path = write_small(tmp_path / "in.root", CONTENTS)
    _patched(path, 37, bytes(8))  # fSeekInfo, fNbytesInfo
    assert RootFile(path).streamer_info() is None
    merge_small([path], tmp_path / "out.root")
    with uproot.open(tmp_path / "out.root") as file:
        assert {"TH1F", "TH1I", "TH1"} <= set(file.file.streamers)
        assert file["SCTB/a"].values().tolist() == CONTENTS[0].tolist()


def test_layout_of_the_small_files_is_the_one_of_these_tests() -> None:
    assert SMALL[1] is WAFERS
