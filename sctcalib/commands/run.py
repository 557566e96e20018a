"""``sctcalib run`` and ``sctcalib_trf.py``: run a job from its dictionary."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from sctcalib.job.errors import SIGNAL_BASE, ArgumentError, JobError, OutputFileError
from sctcalib.resources import resource

if TYPE_CHECKING:
    from sctcalib.job.arguments import Arguments
    from sctcalib.job.transform import Options, Transform

EPILOG = """\b
Examples:
  python -u transforms/sctcalib_trf.py --argJSON=job.json
  sctcalib run job.json
  sctcalib run job.json --input-dir /data/hitmaps --prefix mytest
  sctcalib run --from-report jobReport.json --input-dir . --loglevel DEBUG
  sctcalib run job.json --dry-run

Outputs go to the current directory. Exit codes: docs/exit-codes.md.
"""

_TRUE = "True"
_TRUTH_VALUES = ("true", "false")


class ArgumentUsageError(click.UsageError):
    """A mistake on the command line, with the exit code of a bad argument."""

    exit_code = ArgumentError.code


class DirectoryError(click.ClickException):
    """There is no place for outputs, the report included."""

    exit_code = OutputFileError.code


class JobCommand(click.Command):
    """A click command whose usage errors have the exit code of a bad argument."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Let a flag stand before the dictionary: only a truth value behind it is its value."""
        flags = {name for each in self.params if _is_flag(each) for name in each.opts}
        spelt = [
            f"{word}={_TRUE}" if word in flags and following.lower() not in _TRUTH_VALUES else word
            for word, following in zip(args, [*args, ""][1:], strict=True)
        ]
        return super().parse_args(ctx, spelt)

    def invoke(self, ctx: click.Context) -> Any:
        """An interrupt before the job begins has the exit code that it has later."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            ctx.exit(SIGNAL_BASE + signal.SIGINT)

    def make_context(self, *args: Any, **more: Any) -> click.Context:
        try:
            return super().make_context(*args, **more)
        except click.UsageError as error:
            raise ArgumentUsageError(error.format_message(), error.ctx) from None


def _is_flag(parameter: click.Parameter) -> bool:
    return isinstance(parameter, click.Option) and parameter.flag_value == _TRUE


@dataclass(frozen=True)
class Start:
    """How a job was asked for on the command line."""

    dictionary: Path | None
    from_report: Path | None
    overrides: Mapping[str, Any]

    def sources(self) -> dict[Path, str]:
        """The files that the arguments come from."""
        named = {self.dictionary: "argument dictionary", self.from_report: "job report"}
        return {path: what for path, what in named.items() if path}

    def arguments(self, transform: Transform) -> Arguments:
        """Read and check; raises JobError with everything that is wrong."""
        from sctcalib.job.dictionary import read_dictionary

        values: Mapping[str, Any] = {}
        source = "command line"
        if self.from_report:
            values, source = _reported_arguments(self.from_report), str(self.from_report)
        elif self.dictionary:
            values, source = read_dictionary(self.dictionary), str(self.dictionary)
        return transform.schema.arguments(values, source, self.overrides)


def _reported_arguments(path: Path) -> Mapping[str, Any]:
    from sctcalib.job.dictionary import read_dictionary

    values = read_dictionary(path).get("arguments")
    if not isinstance(values, dict):
        msg = f"{path}: has no arguments; --from-report takes the jobReport.json of an earlier job"
        raise ArgumentError(msg)
    return values


def argument_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add an option for every argument of the schema."""
    schema = json.loads(resource("schemas", "job.json").read_text(encoding="utf-8"))
    for name, prop in reversed(list(schema["properties"].items())):
        if "x-ignored" in prop:
            hidden = click.option(
                f"--{name}", f"argument_{name.lower()}", is_flag=False, flag_value="", hidden=True
            )
            command = hidden(command)
        if "x-ignored" in prop or "x-alias-of" in prop:
            continue
        names = [f"--{spelling}" for spelling in (name, *prop.get("x-aliases", []))]
        many = prop["x-form"] in ("inputs", "textList")
        boolean = prop["x-form"] == "boolean"
        flag: dict[str, Any] = {"is_flag": False, "flag_value": _TRUE} if boolean else {}
        command = click.option(
            *names,
            f"argument_{name.lower()}",
            metavar=prop["x-form"].upper().removesuffix("LIST").replace("SCALAR", "TEXT"),
            multiple=many,
            help=prop["description"],
            **flag,
        )(command)
    return command


def _overrides(values: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments given on the command line, by their names in the schema."""
    found = {}
    for name in schema:
        value = values.get(f"argument_{name.lower()}")
        if value is None or value == ():
            continue
        found[name] = ",".join(value) if isinstance(value, tuple) else value
    return found


@click.command(
    cls=JobCommand, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.argument("dictionary", required=False, metavar="[JOB.json]")
@click.option("--argJSON", "--argjson", "arg_json", metavar="FILE", help="The job's dictionary.")
@click.option("--from-report", metavar="FILE", help="Repeat the job of this jobReport.json.")
@click.option("--input-dir", metavar="DIR", help="Look here first for inputs, by base name.")
@click.option("--keep", is_flag=True, help="Keep intermediate files.")
@click.option("--dry-run", is_flag=True, help="Show what the job would read and write, and stop.")
@argument_options
def run(
    dictionary: str | None,
    arg_json: str | None,
    from_report: str | None,
    input_dir: str | None,
    keep: bool,
    dry_run: bool,
    **values: Any,
) -> None:
    """Run a calibration job.

    The job is described by a JSON dictionary. Every key of the dictionary is also an option, which
    overrides it.
    """
    given = [path for path in (dictionary, arg_json, from_report) if path]
    if len(given) > 1:
        msg = f"one job at a time: {', '.join(given)}"
        raise ArgumentUsageError(msg)
    from sctcalib.job.progress import terminal_progress
    from sctcalib.job.transform import Options
    from sctcalib.transform import transform

    program = transform()
    path = dictionary or arg_json
    start = Start(
        Path(path) if path else None,
        Path(from_report) if from_report else None,
        _overrides(values, program.schema.properties),
    )
    options = Options(
        directory=_run_directory(),
        input_dir=Path(input_dir) if input_dir else None,
        keep=keep,
        progress=terminal_progress,
        sources=start.sources(),
    )
    click.get_current_context().exit(_run(program, start, options, dry_run=dry_run))


def _run_directory() -> Path:
    """The current directory, where outputs go; it may have been deleted under our feet."""
    try:
        return Path.cwd()
    except OSError as error:
        msg = f"the current directory cannot be used: {error.strerror}"
        raise DirectoryError(msg) from None


def _run(program: Transform, start: Start, options: Options, *, dry_run: bool) -> int:
    """Run the job, or answer what was asked of it; a mistake in its arguments is reported."""
    from sctcalib.commands import inspection
    from sctcalib.job.runner import Runner

    arguments: Arguments | JobError
    try:
        arguments = start.arguments(program)
    except JobError as error:
        arguments = error
    if dry_run or inspection.asked_for(start.overrides, arguments):
        return _inspect(program, arguments, options)

    def read() -> Arguments:
        if isinstance(arguments, JobError):
            raise arguments
        return arguments

    runner = Runner(program, options)
    code = runner.run(read)
    for line in inspection.summary(runner.report()):
        runner.log.echo(line)
    return code


def _inspect(program: Transform, arguments: Arguments | JobError, options: Options) -> int:
    """Answer a question about the job; writes nothing but what is asked for."""
    from sctcalib.commands import inspection

    try:
        if isinstance(arguments, JobError):
            raise arguments
        if not inspection.answer(program, arguments, options.sources):
            for line in inspection.plan_lines(program.plan(arguments, options), options):
                click.echo(line)
    except JobError as error:
        click.echo(str(error), err=True)
        return error.code
    return 0


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """The program ``sctcalib_trf.py``: exits with the code of the job."""
    run.main(args=argv, prog_name=Path(sys.argv[0]).name)
