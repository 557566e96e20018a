"""The framework knows nothing of the SCT."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import ROOT, environment

FRAMEWORK = ROOT / "sctcalib" / "job"
MODULES = sorted(FRAMEWORK.glob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """Full names of the modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} has a relative import"
            module = str(node.module)
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=[path.name for path in MODULES])
def test_the_framework_imports_nothing_of_the_rest(path):
    of_us = {name for name in imported(path) if name.split(".")[0] == "sctcalib"}
    outside = {
        name for name in of_us if name not in ("sctcalib",) and not name.startswith("sctcalib.job")
    }
    assert outside == set()


def test_the_check_above_sees_imports(tmp_path):
    source = "import sctcalib.parts\ndef f():\n    from sctcalib.cool import Database\n"
    (tmp_path / "x.py").write_text(source)
    assert {"sctcalib.parts", "sctcalib.cool"} <= set(imported(tmp_path / "x.py"))


def test_a_toy_job_loads_nothing_of_the_rest(tmp_path):
    (tmp_path / "a").write_text("1")
    program = (
        "import sys; from tests.support import toy; from pathlib import Path;"
        "code = toy.run({'input': ['a'], 'RunNumber': 1}, Path.cwd());"
        "print(sorted(m for m in sys.modules if m.startswith('sctcalib.')));"
        "print([m for m in ('numpy', 'uproot', 'lxml', 'sqlite3') if m in sys.modules]); "
        "sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    *_, loaded, libraries = done.stdout.splitlines()
    assert all(name.startswith("sctcalib.job") for name in ast.literal_eval(loaded))
    assert libraries == "[]"
