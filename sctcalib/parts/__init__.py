"""The parts of the calibration loop: one table, from which everything else derives.

A part is a module with pure functions here, a workflow that reads and writes for it, and a row.
"""

from __future__ import annotations

from sctcalib.job.part import Output, Part, ZeroEventRule
from sctcalib.parts import checks

DATABASE = Output("mycool.db", "outputCOOL", "COOL", optional=True)

LATER = {
    name: f"it needs {needs}; this version reads hit maps (doNoisyStrip with splitNoisyStrip 2) "
    f"and HIST files ({', '.join(checks.HIST_PARTS)})"
    for names, needs in (
        (("doDeadStrip", "doDeadChip", "doQuietStrip", "doQuietChip", "doHV"), "RAW byte stream"),
        (("doNoisyLB",), "the lumi-block search"),
    )
    for name in names
}
"""Parts of the original that are not in this version, with what to do instead."""


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
        DATABASE,
    ),
    run="sctcalib.workflows.noisy_strips:run",
    check=checks.hit_map_step,
    check_inputs=checks.hit_map_pairs,
    warn=checks.hit_map_warnings,
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


def _hist_part(name: str, task: str, summary: str, workflow: str, *xml: tuple[str, str]) -> Part:
    return Part(
        name=name,
        task=task,
        summary=summary,
        reads="HIST: one monitoring file of the run (the last of several)",
        outputs=(*(Output(suffix, argument, "XML") for suffix, argument in xml), DATABASE),
        run=f"sctcalib.workflows.{workflow}:run",
        check=checks.one_kind_of_input,
        check_inputs=checks.hist_type,
        warn=checks.warnings_of_every_part,
    )


HIST_PARTS = (
    _hist_part(
        "doEfficiency", "EFFICIENCY", "hit efficiency of every side", "efficiency",
        ("EfficiencyModuleSummary.xml", "outputEffModuleFile"),
        ("EfficiencySummaryFile.xml", "outputEffSummaryFile"),
    ),
    _hist_part(
        "doNoiseOccupancy", "NOISEOCC", "noise occupancy of every side", "noise_occupancy",
        ("NoiseOccupancyFile.xml", "outputNOFile"),
        ("NoiseOccupancySummaryFile.xml", "outputNOSummaryFile"),
    ),
    _hist_part(
        "doRawOccupancy", "RAWOCC", "fired strips of every side", "raw_occupancy",
        ("RawOccupancySummaryFile.xml", "outputROSummaryFile"),
    ),
    _hist_part(
        "doLorentzAngle", "LORENTZANGLE", "Lorentz angle of the barrel layers", "lorentz_angle",
        ("LorentzAngleFile.xml", "outputLAFile"),
        ("LorentzAngleSummaryFile.xml", "outputLASummaryFile"),
    ),
    _hist_part(
        "doBSErrorDB", "BSERRORS", "byte-stream errors of every side", "bytestream_errors",
        ("BSErrorModuleSummary.xml", "outputBSModuleFile"),
        ("BSErrorSummaryFile.xml", "outputBSSummaryFile"),
    ),
)  # fmt: skip

PARTS: dict[str, Part] = {part.name: part for part in (NOISY_STRIPS, *HIST_PARTS)}
