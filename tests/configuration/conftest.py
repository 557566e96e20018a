"""A folder of configuration files, and the loader on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sctcalib.configuration import Configuration, load_configuration

Load = Callable[..., Configuration]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Write files given as name=content with ``_`` for the dot, and load them in this order."""

    def write_and_load(**contents: str | bytes) -> Configuration:
        names = []
        for key, content in contents.items():
            names.append(key.replace("_", "."))
            data = content.encode() if isinstance(content, str) else content
            (tmp_path / names[-1]).write_bytes(data)
        return load_configuration(names, search=[tmp_path])

    return write_and_load
