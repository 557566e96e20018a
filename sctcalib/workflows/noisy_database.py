"""Rows of the folder of noisy strips (cool-folders.md 3, 4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sctcalib.detector.identifiers import module_id32, modules
from sctcalib.workflows.database import SAMPLE_SIZE
from sctcalib.workflows.noisy_records import ModuleRow


def noisy_rows(rows: Sequence[ModuleRow], threshold: float) -> list[tuple[int, tuple[Any, ...]]]:
    """Channel and payload of each module, in the order of the folder's fields."""
    channels, m = module_id32().tolist(), modules()
    columns = [column.tolist() for column in (m.bec, m.layer, m.eta, m.phi)]
    return [
        (
            channels[module],
            (SAMPLE_SIZE, *(column[module] for column in columns), "NOISY", threshold, text),
        )
        for module, text in rows
    ]
