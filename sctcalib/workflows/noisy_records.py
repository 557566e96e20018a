"""From the arrays of the noisy-strip search to the records that files hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sctcalib.detector.identifiers import module_id32
from sctcalib.detector.regions import N_CHIPS_PER_MODULE
from sctcalib.detector.tables import serial_text
from sctcalib.histograms.lumiblocks import LumiBlockMaps
from sctcalib.parts import strip_lists
from sctcalib.parts.noisy_lumi_blocks import noisy_fraction, noisy_lumi_blocks, printed_numbers
from sctcalib.parts.noisy_strips import NoisyStrips
from sctcalib.summary.bad_strips import BadStripsChannel
from sctcalib.summary.noisy_summary import NoisyChip, NoisyModule

ModuleRow = tuple[int, str]
"""A module and its list of strips in the raw form."""


def chip_records(
    found: NoisyStrips, blocks: LumiBlockMaps, serials: NDArray[np.int64]
) -> tuple[NoisyChip, ...]:
    """The noisy chips in module order, with their noisy lumi blocks."""
    noisy = noisy_lumi_blocks(blocks.contents, blocks.events, found.thresholds.chip_hits)
    modules, chips = np.divmod(blocks.chips, N_CHIPS_PER_MODULE)
    return tuple(
        NoisyChip(
            serial=serial_text(int(serials[module])),
            module=module,
            chip=chip,
            lumi_blocks=printed_numbers(row),
            lb_fraction=float(noisy_fraction(row, blocks.events)),
        )
        for module, chip, row in zip(modules.tolist(), chips.tolist(), noisy, strict=True)
    )


def module_records(
    found: NoisyStrips, serials: NDArray[np.int64], *, update: bool
) -> tuple[NoisyModule, ...]:
    """Modules with noisy strips; with ``update`` also those whose list changed."""
    listed = found.all.any(axis=1)
    if update:
        listed = listed | found.changed_modules
    return tuple(
        NoisyModule(
            serial=serial_text(int(serials[module])),
            module=module,
            links=tuple(side for side in (0, 1) if found.noisy_wafers[2 * module + side]),
            chips=tuple(np.flatnonzero(found.noisy_chips[module]).tolist()),
            all=np.flatnonzero(found.all[module]),
            new=np.flatnonzero(found.gained[module]),
            ref=np.flatnonzero(found.ref[module]),
        )
        for module in np.flatnonzero(listed).tolist()
    )


def list_records(strips: NDArray[np.bool_], threshold: np.float32) -> tuple[BadStripsChannel, ...]:
    """The modules of BadStripsAllFile.xml or BadStripsNewFile.xml: those with strips."""
    return tuple(
        BadStripsChannel(module, float(threshold), np.flatnonzero(strips[module]))
        for module in np.flatnonzero(strips.any(axis=1)).tolist()
    )


def database_rows(
    found: NoisyStrips, options: Mapping[str, Any], valid: Mapping[int, str]
) -> list[ModuleRow]:
    """The modules to write to the database (algorithms-hitmaps.md 3.5); none: no database.

    ``valid`` holds by channel the lists that are valid in the conditions database at the start of
    the run; with NoisyUpdate a module is written if its list differs from that.
    """
    filled = np.asarray(found.all.any(axis=1))
    if not filled.any():
        return []
    if options["NoisyUpdate"]:
        rows = list(_changed_rows(found, valid))
    elif not options["NoisyStripAll"]:
        rows = [row for row in _rows(found.new, filled) if row[1]]
    elif options["NoisyWriteAllModules"]:
        rows = list(_rows(found.all, np.ones_like(filled)))
    else:
        rows = list(_rows(found.all, filled))
    return rows


def _rows(strips: NDArray[np.bool_], wanted: NDArray[np.bool_]) -> Iterator[ModuleRow]:
    modules = np.flatnonzero(wanted).tolist()
    texts = strip_lists.encode_many([np.flatnonzero(strips[module]) for module in modules])
    return zip(modules, texts, strict=True)


def _changed_rows(found: NoisyStrips, valid: Mapping[int, str]) -> Iterator[ModuleRow]:
    """Modules whose list, encoded anew, is not the stored one: blanks do not matter."""
    channels = module_id32().tolist()
    for module, text in _rows(found.all, np.ones(len(found.all), dtype=bool)):
        stored = valid.get(channels[module], "")
        if text != strip_lists.encode(strip_lists.decode(stored)):
            yield module, text
