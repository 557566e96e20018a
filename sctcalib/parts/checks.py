"""What the arguments and inputs of a part have to be, beyond the schema."""

from __future__ import annotations

from collections.abc import Iterable

from sctcalib.job.arguments import Arguments
from sctcalib.job.errors import ArgumentError, JobError
from sctcalib.job.inputs import InputSet

RAW_TO_MAPS_STEP, HIT_MAP_STEP = 1, 2
"""splitNoisyStrip of jobs that make maps from RAW, and that read maps; 0 is both at once."""
HIST_PARTS = (
    "doEfficiency",
    "doNoiseOccupancy",
    "doRawOccupancy",
    "doLorentzAngle",
    "doBSErrorDB",
)
"""Parts that read a monitoring HIST file."""
RAW_ONLY = ("doHV",)
"""Parts that read RAW whatever the step."""
DEAD_PARTS, QUIET_PARTS = ("doDeadStrip", "doDeadChip"), ("doQuietStrip", "doQuietChip")
RAW_TYPES, MAP_TYPES, HIST_TYPES = ("RAW", "DRAW"), ("HITMAP",), ("HIST",)
"""Input types in dataset names."""


def reads_maps(arguments: Arguments) -> bool:
    """Whether a part with steps reads map files."""
    return bool(arguments["splitNoisyStrip"] == HIT_MAP_STEP)


def analyses(arguments: Arguments) -> bool:
    """Whether a part with steps does more than making maps."""
    return bool(arguments["splitNoisyStrip"] != RAW_TO_MAPS_STEP)


def one_kind_of_input(arguments: Arguments) -> Iterable[JobError]:
    """The parts of a job read the same files."""
    parts = arguments["part"]
    others = [part for part in parts if part not in HIST_PARTS]
    where = f"{arguments.place('part')} holds {', '.join(parts)}"
    if others and len(others) < len(parts):
        yield ArgumentError(
            f"{where}: Both BS and HIST are set to be read. Choose either of BS or HIST. "
            f"({', '.join(others)} in a job of its own)"
        )
    if reads_maps(arguments) and 0 < sum(part in RAW_ONLY for part in parts) < len(others):
        yield ArgumentError(
            f"{where} with splitNoisyStrip {HIT_MAP_STEP}: doHV reads RAW files and the others "
            "map files; put doHV in a job of its own"
        )
    if any(part in DEAD_PARTS for part in parts) and any(part in QUIET_PARTS for part in parts):
        yield ArgumentError(f"{where}: dead and quiet items are looked for in jobs of their own")


def step_inputs(inputs: InputSet, arguments: Arguments) -> Iterable[JobError]:
    """Map files at the last step, RAW files at the others."""
    if reads_maps(arguments):
        from sctcalib.workflows.map_files import check_map_inputs

        yield from check_map_inputs(inputs, arguments)
    else:
        yield from raw_inputs(inputs, arguments)


def raw_inputs(inputs: InputSet, arguments: Arguments) -> Iterable[JobError]:
    """The dataset must not say that the files are something else than RAW."""
    kind = inputs.input_type
    if kind not in (*MAP_TYPES, *HIST_TYPES):
        return
    always = [part for part in arguments["part"] if part in RAW_ONLY]
    reader = always[0] if always else f"splitNoisyStrip {arguments['splitNoisyStrip']}"
    hint = ""
    if kind in MAP_TYPES and not always:
        hint = f"; for hit maps set splitNoisyStrip to {HIT_MAP_STEP}"
    yield ArgumentError(f"the inputs are of type {kind}; {reader} reads RAW files{hint}")


def hist_inputs(inputs: InputSet, arguments: Arguments) -> Iterable[JobError]:
    """The dataset must not say that the files are something else than HIST."""
    if inputs.input_type in (*RAW_TYPES, *MAP_TYPES):
        yield ArgumentError(
            f"the inputs are of type {inputs.input_type}; {arguments['part'][0]} reads HIST files. "
            "Choose either of BS or HIST."
        )


def step_warnings(arguments: Arguments) -> Iterable[str]:
    """Of arguments without effect on map files."""
    if not reads_maps(arguments):
        return
    if arguments["maxEvents"] not in (1, -1):
        yield (
            "WARNING! EvtMax is not 1, although HitMap analysis is run! "
            "Hit maps are read whole whatever maxEvents says"
        )
    if arguments["skipEvents"]:
        yield "skipEvents has no effect on hit maps"
