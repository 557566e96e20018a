from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sctcalib.cool import Database
from tests.cool.helpers import new_database


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    """An empty database whose clock ticks; it must be sound at the end of every test."""
    with new_database(tmp_path / "mycool.db") as database:
        yield database
        assert database.check() == []
