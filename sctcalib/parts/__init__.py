"""The parts of the calibration loop: one table, from which everything else derives.

A part is a module with pure functions here, a workflow that reads and writes for it, and a row.
"""

from __future__ import annotations

from sctcalib.job.part import Output, Part, ZeroEventRule
from sctcalib.parts import checks

DATABASE = Output("mycool.db", "outputCOOL", "COOL", optional=True)
RESULT_DATABASE = Output("mycool.db", "outputCOOL", "COOL", optional=True, when=checks.analyses)
HIT_MAPS = Output("SCTHitMaps.root", "outputHITMapFile", "ROOT")
LB_MAPS = Output("SCTLB.root", "outputLBFile", "ROOT")
BS_ERROR_MAPS = Output("SCTBSErrors.root", "outputBSErrorsFile", "ROOT")
STEPS = "RAW (splitNoisyStrip 0, and 1 for maps only) or HITMAP (2): {}"


def _result(suffix: str, argument: str) -> Output:
    return Output(suffix, argument, "XML", when=checks.analyses)


def _zero_events(write: str) -> ZeroEventRule:
    return ZeroEventRule(
        count="sctcalib.workflows.map_files:count_events",
        limit=lambda options: int(options["ZeroEventLimit"]),
        message=(
            "Noisy/dead/quiet strips/chips trying to read root files with 0 events. "
            "Gracefully exit and update lastRun counter to {run}"
        ),
        write=write,
        when=checks.reads_maps,
    )


NOISY_STRIPS = Part(
    name="doNoisyStrip",
    task="NOISYSTRIP",
    summary="noisy strips, chips and wafers of a run, for the next reconstruction",
    reads=STEPS.format("SCTHitMaps.root and SCTLB.root in pairs"),
    outputs=(
        HIT_MAPS,
        LB_MAPS,
        _result("BadStripsAllFile.xml", "outputBSAllFile"),
        _result("BadStripsNewFile.xml", "outputBSNewFile"),
        _result("BadStripsSummaryFile.xml", "outputBSSummaryFile"),
        RESULT_DATABASE,
    ),
    run="sctcalib.workflows.noisy_strips:run",
    check=checks.one_kind_of_input,
    check_inputs=checks.step_inputs,
    warn=checks.step_warnings,
    zero_events=_zero_events("sctcalib.workflows.noisy_strips:write_standby"),
)


def _dead_part(name: str, task: str, summary: str, function: str, *xml: tuple[str, str]) -> Part:
    return Part(
        name=name,
        task=task,
        summary=summary,
        reads=STEPS.format("SCTHitMaps.root and SCTBSErrors.root in pairs"),
        outputs=(
            HIT_MAPS,
            BS_ERROR_MAPS,
            *(_result(suffix, argument) for suffix, argument in xml),
            RESULT_DATABASE,
        ),
        run=f"sctcalib.workflows.dead:{function}",
        check=checks.one_kind_of_input,
        check_inputs=checks.step_inputs,
        warn=checks.step_warnings,
        zero_events=_zero_events("sctcalib.workflows.dead:write_nothing"),
    )


DEAD_STRIPS, DEAD_CHIPS, QUIET_STRIPS, QUIET_CHIPS = (
    _dead_part(
        f"do{kind}{item}", f"{kind}{item}".upper(),
        f"{kind.lower()} {item.lower()}s, and links without hits", function,
        (f"{kind}{item}sFile.xml", f"outputDead{item}File"),
        (f"{kind}SummaryFile.xml", "outputDeadSummaryFile"),
    )
    for kind, item, function in (
        ("Dead", "Strip", "run_dead_strips"), ("Dead", "Chip", "run_dead_chips"),
        ("Quiet", "Strip", "run_quiet_strips"), ("Quiet", "Chip", "run_quiet_chips"),
    )
)  # fmt: skip

HV_TRIPS = Part(
    name="doHV",
    task="HV",
    summary="modules whose bias voltage tripped during the run",
    reads="RAW, whatever splitNoisyStrip says",
    outputs=(Output("BadModulesFile.xml", "outputBadModulesFile", "XML"),),
    run="sctcalib.workflows.hv_trips:run",
    check=checks.one_kind_of_input,
    check_inputs=checks.raw_inputs,
)

NOISY_LUMI_BLOCKS = Part(
    name="doNoisyLB",
    task="NOISYLB",
    summary="lumi blocks in which the detector, or a chip of it, was noisy",
    reads=STEPS.format("SCTLB.root"),
    outputs=(LB_MAPS, _result("NoisyLBSummaryFile.xml", "outputNoisyLBSummaryFile")),
    run="sctcalib.workflows.noisy_lumi_blocks:run",
    check=checks.one_kind_of_input,
    check_inputs=checks.step_inputs,
    warn=checks.step_warnings,
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
        check_inputs=checks.hist_inputs,
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

MISSION = (NOISY_STRIPS, *HIST_PARTS, DEAD_STRIPS, DEAD_CHIPS, HV_TRIPS, NOISY_LUMI_BLOCKS)
"""The ten parts of the expert guide."""
QUIET = (QUIET_STRIPS, QUIET_CHIPS)
"""Parts of later production."""
PARTS: dict[str, Part] = {part.name: part for part in (*MISSION, *QUIET)}
