"""What a job would do, and what it did, in lines for people."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from sctcalib.job.arguments import Arguments
from sctcalib.job.errors import JobError
from sctcalib.job.naming import output_name
from sctcalib.job.outputs import check_targets, output_errors
from sctcalib.job.report import write_whole
from sctcalib.job.transform import Options, Plan, Transform

QUESTIONS = ("dumpargs", "dumpJSON", "showSteps", "showPath")


def asked_for(overrides: Mapping[str, Any], arguments: Arguments | JobError) -> bool:
    """Whether the command line or the dictionary asks a question instead of starting the job."""
    if isinstance(arguments, JobError):
        return any(name in overrides for name in QUESTIONS)
    return any(arguments.get(name) for name in QUESTIONS)


def answer(program: Transform, arguments: Arguments, sources: Mapping[Path, str]) -> bool:
    """Answer the questions of the original framework; False if there is none.

    Raises JobError where dumpJSON cannot be written or would overwrite one of ``sources``.
    """
    if arguments["dumpargs"]:
        names = sorted(f"--{name}" for name, _ in program.schema.active())
        click.echo(f"ListOfDefaultPositionalKeys={names}")
    elif arguments.get("dumpJSON"):
        values = {name: arguments[name] for name in arguments if name != "dumpJSON"}
        text = json.dumps(values, indent=2, sort_keys=True) + "\n"
        target = Path(arguments["dumpJSON"])
        check_targets([target], sources)
        with output_errors(target):
            write_whole(target, text)
    elif arguments["showSteps"]:
        click.echo(f"Executor Step: {program.log_name} (alias {program.log_name})")
    elif arguments["showPath"]:
        click.echo("Executor path is:")
        for name in arguments["part"]:
            part = program.parts[name]
            outputs = ", ".join(output.data_type for output in part.outputs)
            click.echo(f"  {program.log_name} {name}: {part.reads} -> {outputs}")
    else:
        return False
    return True


def plan_lines(plan: Plan, options: Options) -> Iterator[str]:
    """The resolved job: inputs, outputs and configuration."""
    inputs = plan.inputs
    yield f"run {inputs.run}, stream {inputs.stream or '-'}, input type {inputs.input_type or '-'}"
    yield "parts: " + ", ".join(part.name for part in plan.parts)
    yield "inputs:"
    for file in inputs.files:
        events = "" if file.events is None else f"  ({file.events} events claimed)"
        yield f"  {file.path or file.name}{events}"
    yield f"outputs in {options.directory}:"
    for output in plan.outputs:
        optional = "  (if there is anything in it)" if output.optional else ""
        yield f"  {output_name(plan.prefix, output.suffix)}{optional}"
    yield f"configuration {plan.configuration.digest[:12]}:"
    for name, value in plan.configuration.as_dict().items():
        yield f"  {name} = {value!r}"
    for text in plan.warnings:
        yield f"warning: {text}"


def summary(report: Mapping[str, Any]) -> Iterator[str]:
    """How a job ended, in a dozen lines."""
    good = report["exitCode"] == 0
    yield ""
    yield f"run {report['run'] or '-'}  exit {report['exitCode']} {report['exitAcronym']}"
    if not good or report["exitMsg"] != "OK":
        yield from (f"  {line}" for line in _full_message(report).splitlines())
    for part, figures in report["results"].items():
        yield part
        for label, value in figures.items():
            if value not in ("", None) and not isinstance(value, dict):
                yield f"  {label:<26} {value}"
    outputs = [file for entry in report["files"]["output"] for file in entry["subFiles"]]
    if outputs:
        yield "outputs"
        for file in outputs:
            yield f"  {file['file_size']:>12,} bytes  {file['name']}"
    times = report["resource"]["transform"]
    yield f"time {times['wallTime']:.1f} s, memory {times['maxMemoryKiB'] / 1024:.0f} MiB"


def _full_message(report: Mapping[str, Any]) -> str:
    message, extra = str(report["exitMsg"]), str(report["exitMsgExtra"])
    return message.removesuffix(" (truncated)") + extra if extra else message
