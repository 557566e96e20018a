"""A transform of two parts that knows nothing of any detector: it counts and copies numbers.

An input is a text file with one number, its events. What a part does besides its work is asked for
by the argument ``act``; `python -m tests.support.toy JOB.json` runs it as a program. The variable
TOY_MARKS names a file to which each step adds a line, TOY_SLOW the seconds that every check of a
finished output takes, which is how the publication is made slow.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sctcalib.job.arguments import Arguments, ArgumentSchema
from sctcalib.job.errors import ArgumentError, DatasetError, JobError, NeedCheckError
from sctcalib.job.part import Output, Part, ZeroEventRule
from sctcalib.job.runner import Runner
from sctcalib.job.transform import Job, Options, Transform

log = logging.getLogger("toy")

_BUG = "a bug of the part"
_FAILURE = "the algorithm does not converge"
_DOUBT = "someone has to look at this"
BIG = 4_000_000
"""Bytes that the act ``fill`` writes."""


def mark(event: str) -> None:
    """Tell a watching test how far the job is."""
    if name := os.environ.get("TOY_MARKS"):
        with Path(name).open("a") as file:
            file.write(event + "\n")


@dataclass(frozen=True)
class ToyConfiguration(Mapping[str, Any]):
    """Two options."""

    values: dict[str, Any] = field(default_factory=lambda: {"limit": 1, "factor": 2})
    warnings: tuple[str, ...] = ()
    digest: str = "0" * 64

    def as_dict(self) -> Mapping[str, Any]:
        return self.values

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values)

    def __len__(self) -> int:
        return len(self.values)


def configure(
    arguments: Arguments, options: Options
) -> tuple[ToyConfiguration, Mapping[Path, str]]:
    """Read ``limit N`` from the file of the argument ``settings``, if there is one."""
    if "settings" not in arguments:
        return ToyConfiguration(), {}
    path = options.directory / arguments["settings"]
    word, _, number = path.read_text().partition(" ") if path.exists() else ("", "", "")
    if word != "limit":
        msg = f"{path}: expected limit N"
        raise ArgumentError(msg)
    values = {"limit": int(number), "factor": 2}
    return ToyConfiguration(values, ("settings are read",)), {path: "settings file"}


def count(job: Job) -> int:
    """Events of all inputs."""
    total = 0
    for file in job.inputs.files:
        events = int(file.local.read_text() or 0)
        job.found_events(file, events)
        total += events
    return total


def write_empty(job: Job) -> None:
    """What is said of a run without events."""
    job.output("count.txt").write_text("0\n")
    job.results["doCount"] = {"total": 0}


def run_count(job: Job) -> None:
    """Write the sum, and a style sheet beside it."""
    mark("part doCount")
    total = count(job)
    output = job.output("count.txt")
    output.write_text(f"{total}\n")
    job.output("data.bin").write_bytes(b"%d" % total * 100)
    job.entries["data.bin"] = total
    for act in job.arguments["act"]:
        _do(act, job, output)
    job.results["doCount"] = {"total": total, "factor": job.configuration["factor"]}
    with job.progress("counting") as tick:
        tick(1, 1)
    mark("end doCount")


def run_copy(job: Job) -> None:
    """Write the numbers, unless there is nothing to say."""
    mark("part doCopy")
    job.shared["copied"] = True
    numbers = [file.local.read_text() for file in job.inputs.files]
    if "nothing" not in job.arguments["act"]:
        job.output("copy.txt").write_text("\n".join(numbers) + "\n")


def _do(act: str, job: Job, output: Path) -> None:
    name, _, value = act.partition(":")
    match name:
        case "sleep":
            time.sleep(float(value))
        case "crash":
            raise ZeroDivisionError(_BUG)
        case "leave":
            sys.exit(3)
        case "fail":
            raise JobError(_FAILURE)
        case "needcheck":
            raise NeedCheckError(_DOUBT)
        case "error":
            log.error("the part is not happy with %s", "this")
        case "warn":
            log.warning("the part wonders")
        case "forget":
            output.unlink()
        case "half":
            output.write_text("4")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(output))
        case "fill":
            job.output("data.bin").write_bytes(bytes(BIG))
        case "invalid":
            output.write_text("garbage")
        case "beside":
            sheet = job.workspace.scratch("sheets") / "sheet.css"
            sheet.write_text(value)
            job.put_beside(sheet)


def check_text(path: Path) -> None:
    """Raise ValueError unless a file holds numbers."""
    mark(f"check {path.name}")
    time.sleep(float(os.environ.get("TOY_SLOW", "0")))
    for line in path.read_text().split():
        int(line)


def check_binary(path: Path) -> None:
    """Any content will do."""
    mark(f"check {path.name}")
    time.sleep(float(os.environ.get("TOY_SLOW", "0")))


def _check(arguments: Mapping[str, Any]) -> Iterable[JobError]:
    if "impossible" in arguments["act"]:
        yield ArgumentError(f"{arguments.place('act')}: impossible")  # type: ignore[attr-defined]


def _check_inputs(inputs: Any, arguments: Any) -> Iterable[JobError]:
    for file in inputs.files:
        if "odd" in file.base_name:
            yield DatasetError(f"{file.base_name} is odd")


def _warn(arguments: Mapping[str, Any]) -> Iterable[str]:
    if "nothing" in arguments["act"]:
        yield "nothing will be copied"


ZERO = ZeroEventRule(
    count="tests.support.toy:count",
    limit=lambda options: int(options["limit"]),
    message="nothing to count in run {run}",
    write="tests.support.toy:write_empty",
)
PARTS = {
    part.name: part
    for part in (
        Part(
            "doCount",
            "COUNT",
            "counts",
            "numbers",
            (
                Output("count.txt", "outputCountFile", "TEXT"),
                Output("data.bin", "outputDataFile", "BINARY"),
            ),
            "tests.support.toy:run_count",
            check=_check,
            check_inputs=_check_inputs,
            zero_events=ZERO,
        ),
        Part(
            "doCopy",
            "COPY",
            "copies",
            "numbers",
            (
                Output("copy.txt", "outputCopyFile", "TEXT", optional=True),
                Output("count.txt", "outputOtherFile", "TEXT", optional=True),
            ),
            "tests.support.toy:run_copy",
            warn=_warn,
        ),
    )
}

_TEXT = {"type": "string", "x-form": "text", "description": "text"}
_LIST = {"type": "array", "x-form": "textList", "description": "list"}
_FLAG = {"type": "boolean", "x-form": "boolean", "description": "flag"}
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "part": {**_LIST, "items": {"enum": list(PARTS)}, "default": ["doCount"]},
        "act": {**_LIST, "default": []},
        "input": {"type": "array", "x-form": "inputs", "description": "numbers"},
        "prefix": {**_TEXT, "default": ""},
        "settings": _TEXT,
        "RunNumber": {"type": "integer", "x-form": "integer", "description": "run"},
        "verbose": {**_FLAG, "default": False},
        "loglevel": {**_TEXT, "default": "INFO"},
        "reportName": {**_TEXT, "default": "jobReport"},
        "reportType": {**_LIST, "default": ["json"]},
        "taskid": {**_TEXT, "x-metadata": True},
        "relic": {"description": "without effect", "x-ignored": True},
    },
}


def prepare(job: Job) -> None:
    """What comes before all else, as the acts say."""
    mark("prepare")
    for act in job.arguments["act"]:
        name, _, value = act.partition(":")
        match name:
            case "wait":
                time.sleep(float(value))
            case "refuse":
                raise NeedCheckError(_DOUBT)
            case "part company":
                job.left = value
            case "own file":
                job.replacement("own.txt").write_text(value)


def concluded(job: Job) -> None:
    """What comes after the outputs are in place."""
    mark("concluded")
    if "regret" in job.arguments["act"]:
        raise JobError(_FAILURE)
    log.info("concluded with %s", sorted(path.name for path in job.directory.glob("*.txt")))


def finish(job: Job) -> None:
    """What is common to the parts: all of them have run, their resources are still open."""
    if job.shared.pop("copied", False):
        log.info("both have run with factor %d", job.configuration["factor"])


def transform() -> Transform:
    """The toy."""
    return Transform(
        name="toy_trf",
        log_name="toy",
        version="1",
        schema=ArgumentSchema(SCHEMA),
        parts=PARTS,
        configure=configure,
        checks={"TEXT": check_text, "BINARY": check_binary},
        finish=finish,
        prepare=prepare,
        concluded=concluded,
    )


def run(
    values: Mapping[str, Any], directory: Path, *, source: Path | None = None, **options: Any
) -> int:
    """Run a job of the toy in a directory; returns its exit code."""
    program = transform()
    sources = {source: "argument dictionary"} if source else {}
    runner = Runner(program, Options(directory=directory, sources=sources, **options))
    return runner.run(lambda: program.schema.arguments(values, str(source or "job.json")))


def main() -> int:
    """Run the dictionary that the command line names, in the current directory."""
    from sctcalib.job.dictionary import read_dictionary

    path = Path(sys.argv[1])
    return run(read_dictionary(path), Path.cwd(), source=path, keep="--keep" in sys.argv)


if __name__ == "__main__":
    sys.exit(main())
