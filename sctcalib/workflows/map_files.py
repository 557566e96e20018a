"""Map files among the inputs: which are hit maps, which LB maps, and do they belong together?"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from sctcalib.job.errors import DatasetError, JobError
from sctcalib.job.inputs import InputFile, InputSet
from sctcalib.job.naming import split_attempt
from sctcalib.job.transform import Job

log = logging.getLogger(__name__)

HIT_MAPS, LUMI_BLOCKS = "SCTHitMaps", "SCTLB"
"""What the names of hit-map and LB files contain."""


def is_kind(file: InputFile, kind: str) -> bool:
    """Whether a file is named as a map of this kind; a hit-map name is never an LB name."""
    name = file.base_name
    return kind in name and (kind == HIT_MAPS or HIT_MAPS not in name)


def of_kind(inputs: InputSet, kind: str) -> list[InputFile]:
    """The inputs of one kind, in their order."""
    return [file for file in inputs.files if is_kind(file, kind)]


def check_inputs(inputs: InputSet) -> Iterable[JobError]:
    """Hit maps and LB maps come in pairs, and nothing else is read."""
    for file in inputs.files:
        if not (is_kind(file, HIT_MAPS) or is_kind(file, LUMI_BLOCKS)):
            yield DatasetError(
                f"{file.base_name} is neither a hit-map nor an LB file: "
                f"their names contain {HIT_MAPS} or {LUMI_BLOCKS}"
            )
    hit_maps, lumi_blocks = of_kind(inputs, HIT_MAPS), of_kind(inputs, LUMI_BLOCKS)
    if len(hit_maps) != len(lumi_blocks):
        yield DatasetError(
            f"{len(hit_maps)} hit-map files and {len(lumi_blocks)} LB files: "
            "doNoisyStrip needs both of every file of the run"
        )


def count_events(job: Job) -> int:
    """Events of the hit maps; they win over what the dictionary claims.

    Raises InputFileError for unreadable files, DatasetError where hit maps and LB maps differ.
    """
    from sctcalib.histograms.kinds import read_event_counts

    files = list(job.inputs.files)
    counts = dict(zip(files, read_event_counts([file.local for file in files]), strict=True))
    for file, events in counts.items():
        job.found_events(file, events)
        if file.events is not None and file.events != events:
            log.warning(
                "%s holds %d events, the dictionary says %d", file.base_name, events, file.events
            )
    hit_maps, lumi_blocks = of_kind(job.inputs, HIT_MAPS), of_kind(job.inputs, LUMI_BLOCKS)
    _check_pairs(hit_maps, lumi_blocks, counts)
    return sum(counts[file] for file in hit_maps)


def _check_pairs(
    hit_maps: list[InputFile], lumi_blocks: list[InputFile], counts: Mapping[InputFile, int]
) -> None:
    """Refuse maps whose partner has other events, by name where names pair, else in total."""
    partners = {_pair_name(file, LUMI_BLOCKS): file for file in lumi_blocks}
    for file in hit_maps:
        partner = partners.get(_pair_name(file, HIT_MAPS))
        if partner and counts[file] != counts[partner]:
            msg = (
                f"{file.base_name} has {counts[file]} events and "
                f"{partner.base_name} {counts[partner]}: they are not a pair"
            )
            raise DatasetError(msg)
    totals = [sum(counts[file] for file in files) for files in (hit_maps, lumi_blocks)]
    if totals[0] != totals[1]:
        msg = (
            f"the hit maps have {totals[0]} events, the LB maps {totals[1]}: not of the same files"
        )
        raise DatasetError(msg)


def _pair_name(file: InputFile, kind: str) -> str:
    return split_attempt(file.base_name)[0].replace(kind, "")
