"""Stored and streamed forms of objects (root-files.md 2)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sctcalib.histograms import compression
from sctcalib.histograms.compression import LARGEST_BLOCK, expand, pack
from sctcalib.histograms.damage import DamagedError
from tests.histograms.helpers import PACKERS, block

DATA = b"bin contents " * 50


@given(st.binary(max_size=2000) | st.binary(max_size=20).map(lambda data: data * 100))
@settings(max_examples=100)
def test_packed_objects_come_back_and_never_grow(data: bytes) -> None:
    stored = pack(data)
    assert len(stored) <= len(data)
    assert expand(memoryview(stored), len(data)) == data


@pytest.mark.parametrize("method", PACKERS)
def test_every_method_of_root_is_expanded(method: str) -> None:
    assert expand(memoryview(PACKERS[method](DATA)), len(DATA)) == DATA


@pytest.mark.parametrize("method", PACKERS)
def test_object_of_several_blocks_is_expanded(method: str) -> None:
    stored = PACKERS[method](DATA) + PACKERS[method](DATA)
    assert expand(memoryview(stored), 2 * len(DATA)) == DATA * 2


def test_object_above_16_mib_is_packed_in_several_blocks() -> None:
    data = bytes(LARGEST_BLOCK + 10)
    stored = pack(data)
    first = 9 + int.from_bytes(stored[3:6], "little")
    assert stored[6:9] == b"\xff\xff\xff"
    assert stored[first : first + 2] == b"ZL"
    assert expand(memoryview(stored), len(data)) == data


@pytest.mark.parametrize("method", ["ZL", "ZS", "L4", "XZ", "CS"])
def test_damaged_block_is_refused(method: str) -> None:
    stored = bytearray(PACKERS[method](DATA))
    stored[9:13] = b"\xff\xfe\xfd\xfc"
    with pytest.raises(DamagedError):
        expand(memoryview(bytes(stored)), len(DATA))


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        (PACKERS["ZL"](DATA)[:-5], "cut off"),
        (b"ZL\x08", "cut off"),
        (block(b"QQ", b"abc", 100), "unknown method b'QQ'"),
        (PACKERS["ZL"](DATA[:-1]), "649 bytes instead of 650"),
    ],
)
def test_block_that_cannot_be_the_object_is_refused(stored: bytes, words: str) -> None:
    with pytest.raises(DamagedError, match=words):
        expand(memoryview(stored), len(DATA))


def test_without_isal_the_standard_library_does_it() -> None:
    import builtins
    import importlib
    import sys
    from unittest import mock

    real = builtins.__import__

    def refuse(name: str, *args: object, **kwargs: object) -> object:
        if name.startswith("isal"):
            raise ImportError(name)
        return real(name, *args, **kwargs)  # type: ignore[arg-type]

    with (
        mock.patch.dict(sys.modules),
        mock.patch.object(builtins, "__import__", refuse),
    ):
        del sys.modules[compression.__name__]
        plain = importlib.import_module(compression.__name__)
    assert plain.inflate.__module__ == "zlib"
    assert plain.expand(memoryview(pack(DATA)), len(DATA)) == DATA
    assert expand(memoryview(plain.pack(DATA)), len(DATA)) == DATA
