"""``python -m sctcalib`` is the command ``sctcalib``."""

from __future__ import annotations

from sctcalib.cli import main

if __name__ == "__main__":
    main(prog_name="sctcalib")
