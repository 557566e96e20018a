"""The parts of the calibration loop: one table, from which everything else derives.

A part is a module with pure functions here, a workflow that reads and writes for it, and a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sctcalib.job.errors import ArgumentError, JobError
from sctcalib.job.part import Output, Part, ZeroEventRule

if TYPE_CHECKING:
    from sctcalib.job.arguments import Arguments

HIT_MAP_STEP = 2
"""splitNoisyStrip of a job that reads hit maps."""

LATER = {
    name: f"it needs {needs}; this version finds noisy strips from hit maps "
    "(part doNoisyStrip with splitNoisyStrip 2)"
    for names, needs in (
        (("doDeadStrip", "doDeadChip", "doQuietStrip", "doQuietChip", "doHV"), "RAW byte stream"),
        (("doNoisyLB",), "the lumi-block search"),
        (
            (
                "doNoiseOccupancy",
                "doRawOccupancy",
                "doEfficiency",
                "doLorentzAngle",
                "doBSErrorDB",
            ),
            "monitoring HIST files",
        ),
    )
    for name in names
}
"""Parts of the original that are not in this version, with what to do instead."""


def _hit_maps_only(arguments: Arguments) -> Iterable[JobError]:
    step = arguments["splitNoisyStrip"]
    if step != HIT_MAP_STEP and arguments.get("input"):  # without input that is what is wrong
        yield ArgumentError(
            f"{arguments.place('splitNoisyStrip')} is {step}: "
            "reading RAW files is not in this version; "
            f"for hit maps set splitNoisyStrip to {HIT_MAP_STEP}"
        )


def _hit_map_pairs(inputs: Any) -> Iterable[JobError]:
    from sctcalib.workflows.map_files import check_inputs

    return check_inputs(inputs)


def _hit_map_warnings(arguments: Mapping[str, Any]) -> Iterable[str]:
    if arguments["doRunInfo"]:
        yield "doRunInfo: no run database in this version; an existing runInfo.txt is used"
    if arguments["doRunSelector"]:
        yield "doRunSelector: no run selector in this version; the run is processed unchecked"
    if arguments["maxEvents"] not in (1, -1):
        yield (
            "WARNING! EvtMax is not 1, although HitMap analysis is run! "
            "Hit maps are read whole whatever maxEvents says"
        )
    if arguments["skipEvents"]:
        yield "skipEvents has no effect on hit maps"


NOISY_STRIPS = Part(
    name="doNoisyStrip",
    task="NOISYSTRIP",
    summary="noisy strips, chips and wafers of a run, for the next reconstruction",
    reads="HITMAP: SCTHitMaps.root and SCTLB.root files in pairs (splitNoisyStrip 2)",
    outputs=(
        Output("SCTHitMaps.root", "outputHITMapFile", "ROOT"),
        Output("SCTLB.root", "outputLBFile", "ROOT"),
        Output("BadStripsAllFile.xml", "outputBSAllFile", "XML"),
        Output("BadStripsNewFile.xml", "outputBSNewFile", "XML"),
        Output("BadStripsSummaryFile.xml", "outputBSSummaryFile", "XML"),
        Output("mycool.db", "outputCOOL", "COOL", optional=True),
    ),
    run="sctcalib.workflows.noisy_strips:run",
    check=_hit_maps_only,
    check_inputs=_hit_map_pairs,
    warn=_hit_map_warnings,
    zero_events=ZeroEventRule(
        count="sctcalib.workflows.map_files:count_events",
        limit=lambda options: int(options["ZeroEventLimit"]),
        message=(
            "Noisy/dead/quiet strips/chips trying to read root files with 0 events. "
            "Gracefully exit and update lastRun counter to {run}"
        ),
        write="sctcalib.workflows.noisy_strips:write_standby",
    ),
)

PARTS: dict[str, Part] = {part.name: part for part in (NOISY_STRIPS,)}
