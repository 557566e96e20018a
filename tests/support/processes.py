"""Start the programs under test, and look at what they leave behind."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TRANSFORM = ROOT / "transforms" / "sctcalib_trf.py"
TIMEOUT = 120
"""Seconds after which a program counts as hanging."""
PR_CAPBSET_READ, PR_CAPBSET_DROP = 23, 24
CAPABILITIES_OVER_MODES = (1, 2)
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH."""
UNBUFFERED = "PYTHONUNBUFFERED"


def environment(**more: str) -> dict[str, str]:
    """The environment of a program: ours, with the checkout importable and output buffered."""
    kept = {name: value for name, value in os.environ.items() if name != UNBUFFERED}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **more}


def run_program(
    arguments: Sequence[object], cwd: Path, *, env: dict[str, str] | None = None, **more: Any
) -> subprocess.CompletedProcess[str]:
    """Run a Python program to its end; its output is captured as text."""
    options: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd,
        env=environment(**(env or {})),
        text=True,
        errors="replace",
        timeout=TIMEOUT,
        check=False,
        **options,
    )


def run_transform(cwd: Path, *arguments: object, **more: Any) -> subprocess.CompletedProcess[str]:
    """``python -u transforms/sctcalib_trf.py ...`` in a directory."""
    return run_program(["-u", TRANSFORM, *arguments], cwd, **more)


def run_sctcalib(cwd: Path, *arguments: object, **more: Any) -> subprocess.CompletedProcess[str]:
    """``sctcalib ...`` in a directory."""
    call = "import sys; from sctcalib.cli import main; sys.argv[0] = 'sctcalib'; main()"
    return run_program(["-c", call, *arguments], cwd, **more)


def without_rights() -> None:
    """For ``preexec_fn``: root loses what lets it read and write where the mode forbids it.

    Anyone else has nothing to lose. The program keeps the user, so that it finds its libraries.
    """
    if os.geteuid() != 0:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in CAPABILITIES_OVER_MODES:
        held = libc.prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 1
        if held and libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "a capability cannot be dropped")


def wait_until(condition: Callable[[], bool], what: str, timeout: float = 60) -> None:
    """Wait for another process; fails if it takes too long."""
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, f"waited {timeout} s in vain: {what}"
        time.sleep(0.005)


def contents(folder: Path) -> dict[str, bytes]:
    """Everything in a folder and below, by relative name; folders are empty."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b""
        for path in sorted(folder.rglob("*"))
    }


def temporary_files(folder: Path) -> list[str]:
    """What a job must not leave behind: hidden files and folders."""
    return [name for name in contents(folder) if name.startswith(".")]
