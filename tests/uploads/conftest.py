"""A directory of requests and a folder of conditions databases, as `sctcalib` makes them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sctcalib.conditions.layout import init
from tests.support.shared import made_once


@pytest.fixture(scope="session")
def empty_conditions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Databases without uploads, only to be copied."""
    return made_once(tmp_path_factory, "empty-conditions", lambda folder: init(folder) and None)


@pytest.fixture
def conditions(empty_conditions: Path, tmp_path: Path) -> Path:
    """Databases to upload to."""
    return Path(shutil.copytree(empty_conditions, tmp_path / "conditions"))


@pytest.fixture
def toupload(tmp_path: Path) -> Path:
    """An empty directory of requests."""
    folder = tmp_path / "toupload"
    folder.mkdir()
    return folder
