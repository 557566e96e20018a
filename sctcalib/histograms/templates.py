"""Empty histograms and class descriptions for files that are not made from other ROOT files.

They are taken from a small file that uproot writes; it is imported here alone.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from sctcalib.histograms.anatomy import ITEM, walk
from sctcalib.histograms.layouts import Family, lumi_block_families
from sctcalib.histograms.rootfile import RootFile
from sctcalib.histograms.stacks import Stack, expected_fronts


def empty_stack(family: Family, rows: slice) -> Stack:
    """Some histograms of a family without entries, to be filled and stored."""
    streamed = _empty_histogram(family)
    anatomy = walk(streamed, family.class_name)
    bodies = family.bodies(rows)
    fronts = list(expected_fronts(streamed, anatomy, family.class_name, bodies))
    tail = np.frombuffer(streamed, np.uint8)[anatomy.front :]
    return Stack(family, fronts, np.tile(tail, (len(fronts), 1)), anatomy)


@cache
def streamer_info() -> tuple[bytes, int]:
    """Stored record of the classes that map files use, with their bases, and its full length."""
    import tempfile

    families = {family.class_name: family for family in lumi_block_families(1, 1)}
    with tempfile.TemporaryDirectory() as folder:
        file = _write_empty(Path(folder) / "classes.root", *families.values())
        info = file.streamer_info()
    assert info is not None
    return info


@cache
def _empty_histogram(family: Family) -> bytes:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        file = _write_empty(Path(folder) / "empty.root", family)
        return file.objects(file.top.columns)[0]


def _write_empty(path: Path, *families: Family) -> RootFile:
    import uproot
    from uproot.writing import identify

    with uproot.recreate(path) as file:
        for number, family in enumerate(families):
            axes = [
                identify.to_TAxis(f"{letter}axis", "", axis.n, axis.low, axis.high)
                for letter, axis in zip("xy", family.axes, strict=False)
            ]
            contents = np.zeros(family.n_cells, dtype=ITEM[family.class_name])
            nothing = np.zeros(0, dtype=">f8")
            if len(axes) == 1:
                made = identify.to_TH1x("", "", contents, *[0.0] * 5, nothing, *axes)
            else:
                made = identify.to_TH2x("", "", contents, *[0.0] * 8, nothing, *axes)
            file[f"empty{number}"] = made
    return RootFile(path)
