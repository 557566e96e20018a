"""Where the packaged data files are: in the installed package, or at the top of a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def resource(folder: str, name: str = "") -> Path:
    """Path of a file of ``share`` or ``schemas``, or of the folder itself."""
    installed = _PACKAGE / folder
    return (installed if installed.is_dir() else _PACKAGE.parent / folder) / name
