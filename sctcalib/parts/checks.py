"""What the arguments and inputs of a part have to be, beyond the schema."""

from __future__ import annotations

from collections.abc import Iterable

from sctcalib.job.arguments import Arguments
from sctcalib.job.errors import ArgumentError, JobError
from sctcalib.job.inputs import InputSet

HIT_MAP_STEP = 2
"""splitNoisyStrip of a job that reads hit maps."""
HIST_PARTS = (
    "doEfficiency",
    "doNoiseOccupancy",
    "doRawOccupancy",
    "doLorentzAngle",
    "doBSErrorDB",
)
"""Parts that read a monitoring HIST file."""
NOT_HIST = ("RAW", "DRAW", "HITMAP")
"""Input types in dataset names that are no HIST files."""


def hit_map_step(arguments: Arguments) -> Iterable[JobError]:
    """Hit maps are read at step 2."""
    step = arguments["splitNoisyStrip"]
    if step != HIT_MAP_STEP and arguments.get("input"):  # without input that is what is wrong
        yield ArgumentError(
            f"{arguments.place('splitNoisyStrip')} is {step}: "
            "reading RAW files is not in this version; "
            f"for hit maps set splitNoisyStrip to {HIT_MAP_STEP}"
        )


def one_kind_of_input(arguments: Arguments) -> Iterable[JobError]:
    """A job reads HIST files or something else."""
    others = [part for part in arguments["part"] if part not in HIST_PARTS]
    if others:
        yield ArgumentError(
            f"{arguments.place('part')} holds {', '.join(arguments['part'])}: "
            "Both BS and HIST are set to be read. Choose either of BS or HIST. "
            f"({', '.join(others)} in a job of its own)"
        )


def hit_map_pairs(inputs: InputSet) -> Iterable[JobError]:
    """Hit maps and LB maps come in pairs."""
    from sctcalib.workflows.map_files import check_inputs

    return check_inputs(inputs)


def hist_type(inputs: InputSet) -> Iterable[JobError]:
    """The dataset must not say that the files are something else."""
    if inputs.input_type in NOT_HIST:
        yield ArgumentError(
            f"the inputs are of type {inputs.input_type}; this part reads HIST files. "
            "Choose either of BS or HIST."
        )


def warnings_of_every_part(arguments: Arguments) -> Iterable[str]:
    """What this version takes note of and does not do."""
    if arguments["doRunInfo"]:
        yield "doRunInfo: no run database in this version; an existing runInfo.txt is used"
    if arguments["doRunSelector"]:
        yield "doRunSelector: no run selector in this version; the run is processed unchecked"


def hit_map_warnings(arguments: Arguments) -> Iterable[str]:
    """Of arguments without effect on hit maps."""
    yield from warnings_of_every_part(arguments)
    if arguments["maxEvents"] not in (1, -1):
        yield (
            "WARNING! EvtMax is not 1, although HitMap analysis is run! "
            "Hit maps are read whole whatever maxEvents says"
        )
    if arguments["skipEvents"]:
        yield "skipEvents has no effect on hit maps"
