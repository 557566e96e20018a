"""The commands of the README do what it says, one after the other in one empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_tutorial_runs_as_printed(tmp_path):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 6
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for block in blocks:
        ended = subprocess.run(
            ["sh", "-e", "-c", block],
            cwd=tmp_path,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        breaks_something = "--splitNoisyStrip 3" in block
        assert ended.returncode == (7 if breaks_something else 0), ended.stdout + ended.stderr
    promised = re.findall(r"```text\n(command line: .*?)```", text, re.DOTALL)[0]
    for line in promised.splitlines():
        assert line in ended.stdout
    page = (tmp_path / "noisy-strips.html").read_text(encoding="utf-8")
    assert "267367" in page
