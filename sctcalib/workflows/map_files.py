"""Map files among the inputs: which are hit maps, LB maps, error maps; do they belong together?"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from sctcalib.job.arguments import Arguments
from sctcalib.job.errors import DatasetError, JobError
from sctcalib.job.inputs import InputFile, InputSet
from sctcalib.job.naming import split_attempt
from sctcalib.job.transform import Job

log = logging.getLogger(__name__)

HIT_MAPS, LUMI_BLOCKS, BS_ERRORS = "SCTHitMaps", "SCTLB", "SCTBSErrors"
"""What the names of hit-map, LB and error-map files contain."""
KINDS = (HIT_MAPS, LUMI_BLOCKS, BS_ERRORS)
KIND_TEXTS = {HIT_MAPS: "hit-map", LUMI_BLOCKS: "LB", BS_ERRORS: "byte-stream-error"}
WITH_ARTICLE = {
    HIT_MAPS: "a hit-map", LUMI_BLOCKS: "an LB", BS_ERRORS: "a byte-stream-error"
}  # fmt: skip
NEEDED = {
    "doNoisyStrip": (HIT_MAPS, LUMI_BLOCKS),
    "doNoisyLB": (LUMI_BLOCKS,),
    **dict.fromkeys(
        ("doDeadStrip", "doDeadChip", "doQuietStrip", "doQuietChip"), (HIT_MAPS, BS_ERRORS)
    ),
}
"""Kinds of map files that a part needs, as many of each."""
WELCOME = {"doNoisyLB": (HIT_MAPS,)}
"""Kinds that may be listed besides, and are only checked for the number of events."""


def kind_of(file: InputFile) -> str | None:
    """The kind of a map file by its name; the first of the table that the name contains."""
    return next((kind for kind in KINDS if kind in file.base_name), None)


def of_kind(inputs: InputSet, kind: str) -> list[InputFile]:
    """The inputs of one kind, in their order."""
    return [file for file in inputs.files if kind_of(file) == kind]


def check_map_inputs(inputs: InputSet, arguments: Arguments) -> Iterable[JobError]:
    """Every part has its kinds of map files, in equal numbers, and nothing else is listed."""
    parts = [part for part in arguments["part"] if part in NEEDED]
    wanted = {kind for part in parts for kind in (*NEEDED[part], *WELCOME.get(part, ()))}
    known = [kind for kind in KINDS if kind in wanted]
    for file in inputs.files:
        if kind_of(file) not in wanted:
            texts = " nor ".join(WITH_ARTICLE[kind] for kind in known)
            no = "neither " if len(known) > 1 else "not "
            yield DatasetError(
                f"{file.base_name} is {no}{texts} file: their names contain {' or '.join(known)}"
            )
    for part in parts:
        yield from _unequal(part, inputs)


def _unequal(part: str, inputs: InputSet) -> Iterable[JobError]:
    numbers = {kind: len(of_kind(inputs, kind)) for kind in NEEDED[part]}
    if len(set(numbers.values())) > 1 or not any(numbers.values()):
        texts = " and ".join(f"{n} {KIND_TEXTS[kind]} files" for kind, n in numbers.items())
        both = "both" if len(numbers) > 1 else "them"
        yield DatasetError(f"{texts}: {part} needs {both} of every file of the run")


def count_events(job: Job) -> int:
    """Events of the hit maps, or of the LB maps; they win over what the dictionary claims.

    Raises InputFileError for unreadable files, DatasetError where hit maps and LB maps differ.
    """
    from sctcalib.histograms.kinds import read_event_counts

    files = [file for file in job.inputs.files if kind_of(file) in (HIT_MAPS, LUMI_BLOCKS)]
    counts = dict(zip(files, read_event_counts([file.local for file in files]), strict=True))
    for file, events in counts.items():
        if job.input_facts[file].events == events:  # another part has counted them
            continue
        job.found_events(file, events)
        if file.events is not None and file.events != events:
            log.warning(
                "%s holds %d events, the dictionary says %d", file.base_name, events, file.events
            )
    hit_maps, lumi_blocks = of_kind(job.inputs, HIT_MAPS), of_kind(job.inputs, LUMI_BLOCKS)
    if hit_maps and lumi_blocks:
        _check_pairs(hit_maps, lumi_blocks, counts)
    return sum(counts[file] for file in hit_maps or lumi_blocks)


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
