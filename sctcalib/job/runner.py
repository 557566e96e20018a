"""Run a job: validate, preExecute, execute, postExecute, report.

`Runner._failed` is the one place that maps what went wrong to an exit code.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from sctcalib.job import report as reports
from sctcalib.job.arguments import Arguments
from sctcalib.job.checksum import adler32, checksums
from sctcalib.job.errors import (
    SIGNAL_BASE,
    UNEXPECTED,
    InputFileError,
    JobError,
    LogError,
    OutputFileError,
    OutputValidationError,
    raise_problems,
)
from sctcalib.job.inputs import InputSet, fetch
from sctcalib.job.logfile import LEVELS, JobLog
from sctcalib.job.outputs import (
    MAX_STALE_BYTES,
    Publication,
    Published,
    Workspace,
    check_targets,
    is_output_error,
    stale_name,
)
from sctcalib.job.part import Output, Part, resolve
from sctcalib.job.signals import Interrupted, SignalGuard
from sctcalib.job.transform import InputFacts, Job, Options, Plan, Transform

log = logging.getLogger(__name__)

DEFAULT_REPORT = "jobReport"
REPORT_TYPES = ("json", "text")


class Runner:
    """One run of a transform: the state that the report is made of."""

    def __init__(self, transform: Transform, options: Options) -> None:
        self.transform = transform
        self.options = options
        self.log = JobLog(transform.log_name)
        self.signals = SignalGuard()
        self.watch = reports.Stopwatch()
        self.code = 0
        self.message = "OK"
        self.plan: Plan | None = None
        self.arguments: Arguments | None = None
        self.job: Job | None = None
        self.published: list[Published] = []
        self._reported = False

    def run(self, read: Callable[[], Arguments]) -> int:
        """Run the job and return its exit code; log and report are written whatever happens.

        ``read`` delivers the checked arguments; it is called here so that its failures are
        reported like all others.
        """
        with self._logging(), self.signals.installed():
            try:
                self.signals.start()
                log.info("This is %s %s", self.transform.name, self.transform.version)
                plan = self._validate(read)
                self._in_workspace(plan, Workspace(self.options.directory, plan.prefix))
            except BaseException as error:
                self._failed(error)
            if not self._reported:
                self._report_failure()
        return self.code

    @contextmanager
    def _logging(self) -> Iterator[None]:
        """Send all logging to the job's log, warnings of libraries too."""
        root = logging.getLogger()
        level, handlers = root.level, root.handlers
        root.handlers = [self.log]
        root.setLevel(logging.INFO)
        logging.captureWarnings(True)
        try:
            yield
        finally:
            logging.captureWarnings(False)
            root.handlers = handlers
            root.setLevel(level)

    def _validate(self, read: Callable[[], Arguments]) -> Plan:
        self.arguments = arguments = read()
        level = LEVELS["DEBUG" if arguments["verbose"] else arguments["loglevel"]]
        logging.getLogger().setLevel(level)
        self.log.set_echo_level(level)
        if arguments.ignored:
            log.warning("without effect here, ignored: %s", ", ".join(arguments.ignored))
        for kind in arguments["reportType"]:
            if kind not in REPORT_TYPES:
                log.warning("reportType %s is not written here", kind)
        self.plan = plan = self.transform.plan(arguments, self.options)
        for text in plan.warnings:
            log.warning("%s", text)
        self._protect(plan)
        for path, what in plan.reads.items():
            if path.exists():
                log.info("%s %s", what, path)
        log.info("run %d, parts %s", plan.inputs.run, ", ".join(part.name for part in plan.parts))
        self.watch.lap("validation")
        return plan

    def _protect(self, plan: Plan) -> None:
        """Refuse to overwrite anything that the job reads."""
        workspace = Workspace(self.options.directory, plan.prefix)
        targets = [workspace.final(output.suffix) for output in plan.outputs]
        protected = plan.files()
        everything = {**self.options.sources, **protected}
        stale = [stale_name(t) for t in targets if len(os.fsencode(t.name)) <= MAX_STALE_BYTES]
        check_targets([*targets, *stale], everything)
        workspace.check_outside(everything)
        own = [self._log_path(), *self._report_paths()]
        check_targets(own, {**self._sources(), **protected})
        raise_problems(
            OutputFileError(f"output {t.name} has the name of the job's log or report")
            for t in targets
            if t in own
        )

    def _sources(self) -> dict[Path, str]:
        """Where the arguments come from, but for a report that is to be replaced by a new one."""
        reported = self.options.directory / f"{DEFAULT_REPORT}.json"
        return {
            path: what
            for path, what in self.options.sources.items()
            if what != "job report" or path.absolute() not in (reported, *self._report_paths())
        }

    def _log_path(self) -> Path:
        return self.options.directory / f"log.{self.transform.log_name}"

    def _report_paths(self) -> list[Path]:
        """The reports to write; the JSON one is the last."""
        name, types = DEFAULT_REPORT, ["json"]
        if self.arguments is not None:
            name, types = self.arguments["reportName"], self.arguments["reportType"]
        files = [f"{name}.txt"] if "text" in types else []
        return [self.options.directory / file for file in (*files, f"{name}.json")]

    def _in_workspace(self, plan: Plan, workspace: Workspace) -> None:
        """The part of the job that holds the lock; a failure is reported before it is let go."""
        workspace.keep = self.options.keep
        try:
            with self.signals.deferred():
                workspace.open()
            self.log.stream_to(workspace.path / "log.part")
            self._work(plan, workspace)
            with self.signals.deferred(), Publication(workspace) as publication:
                self._publish(plan, publication)
                self._report_success(publication)
        except BaseException as error:
            self._failed(error)
            workspace.discard()
            self._report_failure()
        finally:
            self.log.close_stream()
            workspace.close()

    def _work(self, plan: Plan, workspace: Workspace) -> None:
        with self.options.progress() as progress:
            job = Job(plan.arguments, plan.inputs, plan.configuration, workspace, progress)
            self.job = job
            self.transform.prepare(job)
            if job.left:
                self.message = job.left
                return
            job.inputs = self._fetch(plan.inputs, workspace)
            self._find_checksums(job)
            self.watch.lap("preExecute")
            with job.resources:
                self._run_parts(plan, job)
        self.watch.lap("execute")
        first = self.log.first_error()
        if first:
            msg = f'Fatal error in logfile: "{first}"'
            raise LogError(msg)

    def _run_parts(self, plan: Plan, job: Job) -> None:
        for part in plan.parts:
            self._apply_zero_event_rule(part, job)
        for part in plan.parts:
            if part.name not in job.idle:
                log.info("part %s begins", part.name)
                resolve(part.run)(job)
                log.info("part %s has ended", part.name)
        self.message = next(iter(job.idle.values()), self.message)
        self.transform.finish(job)

    def _fetch(self, inputs: InputSet, workspace: Workspace) -> InputSet:
        if all(file.path for file in inputs.files):
            return inputs
        folder = workspace.scratch("fetched")
        return replace(inputs, files=tuple(fetch(file, folder) for file in inputs.files))

    def _find_checksums(self, job: Job) -> None:
        """adler32 of every input, for the report; a claim of the dictionary must be true."""
        files = job.inputs.files
        try:
            sums = checksums([file.local for file in files])
        except OSError as error:
            msg = f"{error.filename}: cannot be read: {error.strerror or error}"
            raise InputFileError(msg) from None
        job.input_facts = {f: InputFacts(s) for f, s in zip(files, sums, strict=True)}
        raise_problems(
            InputFileError(
                f"{file.base_name}: adler32 is {facts.checksum}, "
                f"the dictionary says {file.checksum}: the file is damaged or another one"
            )
            for file, facts in job.input_facts.items()
            if file.checksum and file.checksum != facts.checksum
        )
        by_content: dict[str, str] = {}
        for file, facts in job.input_facts.items():
            twin = by_content.setdefault(facts.checksum, file.base_name)
            if twin != file.base_name:
                log.warning("%s and %s have the same adler32", twin, file.base_name)

    def _apply_zero_event_rule(self, part: Part, job: Job) -> None:
        """Without events: write what standby asks for, and nothing that one could upload."""
        rule = part.zero_events
        if rule is None or not rule.when(job.arguments):
            return
        job.events = resolve(rule.count)(job)
        if job.events >= rule.limit(job.configuration):
            return
        log.warning("part %s: %d events in the input", part.name, job.events)
        job.idle[part.name] = rule.message.format(run=job.run)
        log.info("%s", job.idle[part.name])
        resolve(rule.write)(job)

    def _publish(self, plan: Plan, publication: Publication) -> None:
        job = self.job
        assert job is not None
        publication.withdraw(self._report_paths()[-1])
        required = {
            output.suffix
            for part in plan.parts
            if part.name not in job.idle and not job.left
            for output in part.outputs_of(plan.arguments)
            if not output.optional
        }
        for output in plan.outputs:
            staged, final = job.workspace.staged(output.suffix), job.workspace.final(output.suffix)
            if output.suffix in job.written and staged.exists():
                self.published.append(self._publish_one(output, staged, final, publication))
            elif output.suffix in required:
                msg = f"File {final.name} might be missing: the part did not write it"
                raise OutputValidationError(msg)
            elif os.path.lexists(final):
                log.warning("%s of an earlier job is now %s.stale", final.name, final.name)
                publication.set_aside(final)
        for staged in job.replacements if not job.left else ():
            publication.publish(staged, job.directory / staged.name)
        for copy in job.companions:
            self._put_beside(copy, job.directory / copy.name, publication)
        self.watch.lap("postExecute")

    def _put_beside(self, copy: Path, final: Path, publication: Publication) -> None:
        if not os.path.lexists(final):
            publication.publish(copy, final)
        elif not final.is_file() or final.read_bytes() != copy.read_bytes():
            log.warning("%s is left as it is; it is not the one that belongs here", final.name)

    def _publish_one(
        self, output: Output, staged: Path, final: Path, publication: Publication
    ) -> Published:
        try:
            self.transform.checks[output.kind](staged)
        except (JobError, ValueError) as error:
            msg = f"File {final.name} did not pass corruption test: {error}"
            raise OutputValidationError(msg) from error
        published = Published(output, final, staged.stat().st_size, adler32(staged))
        publication.publish(staged, final)
        return published

    def _report_success(self, publication: Publication) -> None:
        self.signals.check()  # the last one that counts
        assert self.job is not None
        self.transform.concluded(self.job)
        self._farewell()
        temporary = publication.workspace.path / "report.part"
        report = self.report()
        texts = {self._log_path(): self.log.text()} | self._report_texts(report)
        for final, text in texts.items():
            temporary.write_text(text, encoding="utf-8", errors="backslashreplace")
            publication.publish(temporary, final)
        self._reported = True
        self.signals.settle()

    def _report_failure(self) -> None:
        """Log and report of a failed job; where they cannot be written, the exit code has to do."""
        self.signals.settle()
        self._reported = True
        self._farewell()
        protected = {**self._sources(), **(self.plan.files() if self.plan else {})}
        texts = {self._log_path(): self.log.text()} | self._report_texts(self.report())
        for final, text in texts.items():
            try:
                check_targets([final], protected)
                self._check_replaceable(final)
                reports.write_whole(final, text)
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or error
                self.log.echo(f"{final}: cannot be written: {reason}")
            except JobError as error:
                self.log.echo(str(error))

    def _check_replaceable(self, final: Path) -> None:
        """Before all is known that the job reads, a file of a chosen name has to be a report."""
        chosen = final in self._report_paths() and final.stem != DEFAULT_REPORT
        if self.plan is None and chosen and final.exists() and not reports.is_report(final):
            msg = f"{final} is left as it is; it is not the report of a job"
            raise OutputFileError(msg)

    def _report_texts(self, report: dict[str, Any]) -> dict[Path, str]:
        return {
            path: (reports.as_json if path.suffix == ".json" else reports.as_text)(report)
            for path in self._report_paths()
        }

    def _farewell(self) -> None:
        name, stopped = self.transform.name, time.asctime()
        log.info("%s stopped at %s, trf exit code %d", name, stopped, self.code)

    def _failed(self, error: BaseException) -> None:
        """The one place that maps what went wrong to an exit code and a message."""
        self.published = []
        if isinstance(error, Interrupted):
            self.code, self.message = SIGNAL_BASE + error.number, str(error)
        elif isinstance(error, JobError):
            self.code, self.message = error.code, str(error)
        elif isinstance(error, OSError) and is_output_error(error):
            place = error.filename or self.options.directory
            self.code = OutputFileError.code
            self.message = f"{place}: cannot be written: {error.strerror or error}"
        else:
            self.code = UNEXPECTED
            self.message = f"unexpected {type(error).__name__}: {error}"
            trace = (type(error), error, error.__traceback__)
            log.critical("%s (a bug; the log has the traceback)", self.message, exc_info=trace)
            return
        for line in self.message.splitlines() or [""]:
            log.critical("%s", line)

    def report(self) -> dict[str, Any]:
        """The job report as it stands."""
        plan, job = self.plan, self.job
        given = dict(self.arguments.given) if self.arguments else {}
        log_name = self.transform.log_name
        return {
            "name": self.transform.name,
            "reportVersion": reports.REPORT_VERSION,
            "cmdLine": reports.command_line(),
            "created": time.strftime("%Y-%m-%dT%H:%M:%S"),
            **reports.exit_section(self.code, self.message),
            "arguments": given,
            "run": plan.inputs.run if plan else None,
            "configuration": plan.configuration_section() if plan else {},
            "files": {
                "input": reports.input_section(job.input_rows() if job else []),
                "output": reports.output_section(self.published, given, job.entries if job else {}),
            },
            "results": job.results if job else {},
            "executor": [
                reports.executor_section(
                    log_name,
                    self.code,
                    self.message,
                    parts=[part.name for part in plan.parts] if plan else [],
                    log=self.log.summary(),
                    metadata=self.transform.schema.metadata(given),
                )
            ],
            "resource": reports.resource_section(log_name, self.watch, job.events if job else None),
            "versions": {log_name: self.transform.version, **reports.library_versions()},
        }
