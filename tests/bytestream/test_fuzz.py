"""Some rounds of the fuzzer (fuzz.py), which by itself makes many more, and all it ever found."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bytestream.fuzz import FINDS, SHARES, run


@pytest.mark.parametrize("kind", SHARES)
def test_damaged_input_is_survived(tmp_path: Path, kind: str) -> None:
    n = 60 if kind == "files" else 600
    assert run(kind, range(n), tmp_path) == n


@pytest.mark.parametrize(("kind", "seed"), FINDS)
def test_find_of_the_fuzzer_is_survived(tmp_path: Path, kind: str, seed: int) -> None:
    assert run(kind, range(seed, seed + 1), tmp_path) == 1
