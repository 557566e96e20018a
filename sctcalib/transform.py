"""The SCT transform: the framework of `sctcalib.job` with the parts and files of the SCT."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sctcalib import __version__
from sctcalib.job.arguments import Arguments, ArgumentSchema
from sctcalib.job.errors import ArgumentError, InputFileError
from sctcalib.job.transform import Configuration, Job, Options, Transform
from sctcalib.parts import PARTS
from sctcalib.resources import resource

log = logging.getLogger(__name__)

NAME = "sctcalib_trf"
FILE_OPTIONS = ("BadChannels", "ReadoutSwapTable", "SerialNumbers", "RunInfo", "LastRunFile")
"""Options that name a file which the job reads."""


def transform() -> Transform:
    """The transform that Tier-0 runs."""
    return Transform(
        name=NAME,
        log_name="sctcalib",
        version=__version__,
        schema=argument_schema(),
        parts=PARTS,
        configure=configure,
        checks={"XML": check_xml, "ROOT": check_root, "COOL": check_cool},
        finish=finish,
        prepare=prepare,
        concluded=concluded,
    )


def argument_schema() -> ArgumentSchema:
    """The schema of the argument dictionary."""
    return ArgumentSchema.read(resource("schemas", "job.json"))


def configure(arguments: Arguments, options: Options) -> tuple[Configuration, Mapping[Path, str]]:
    """Read the configuration, and name all files that it brings into the job."""
    from sctcalib.configuration import load_configuration
    from sctcalib.runs.run_info import FILE_NAME

    folders = [options.directory, *(source.parent for source in options.sources)]
    configuration = load_configuration(arguments["SCTCalibConfig"], search=folders)
    if configuration.without_use:
        log.info("options without use here: %s", ", ".join(configuration.without_use))
    reads = dict.fromkeys(configuration.sources, "configuration file")
    for name in FILE_OPTIONS:
        path = configuration.path(name)
        if path:
            reads[path] = f"{name} file"
    reads |= conditions_file(configuration.text("ConditionsDatabase"))
    if arguments["doRunInfo"] or arguments["doRunSelector"]:
        reads |= run_database_file(configuration, needed=arguments["doRunSelector"])
    reads[options.directory / FILE_NAME] = "run information"
    return configuration, reads


def conditions_file(connection: str) -> dict[Path, str]:
    """The file of the conditions database, if there is one; of a folder all that belong to it."""
    if not connection:
        return {}
    from sctcalib.conditions.layout import files_of
    from sctcalib.cool import CoolError
    from sctcalib.cool.connection import parse_connection

    try:
        path = parse_connection(connection).path
    except CoolError as error:
        msg = f"ConditionsDatabase: {error}"
        raise InputFileError(msg) from error
    return dict.fromkeys(files_of(path) if path.is_dir() else [path], "conditions database")


def run_database_file(configuration: Any, *, needed: bool) -> dict[Path, str]:
    """The run database, if one is named; doRunSelector cannot do without it."""
    from sctcalib.runs.location import VARIABLE, location

    path = location(configuration.path("RunDatabase"))
    if path is None and needed:
        msg = (
            "doRunSelector needs a run database: name it with the option RunDatabase or in the"
            f" environment as {VARIABLE}; 'sctcalib runs import' makes one"
        )
        raise ArgumentError(msg)
    if path and needed and not path.exists():
        msg = f"run database {path}: no such file; 'sctcalib runs import' makes one"
        raise InputFileError(msg)
    return {path: "run database"} if path else {}


def prepare(job: Job) -> None:
    """Write the run information and select the run, if that is asked for."""
    if job.arguments["doRunInfo"] or job.arguments["doRunSelector"]:
        from sctcalib.workflows import run_selection

        run_selection.prepare(job)


def concluded(job: Job) -> None:
    """Raise lastRun, if the job has shown that no upload of the run is to come."""
    if job.configuration.path("LastRunFile"):
        from sctcalib.workflows import run_selection

        run_selection.conclude(job)


def finish(job: Job) -> None:
    """Write the database that the parts of a job share."""
    from sctcalib.workflows.database import write_database

    write_database(job)


def check_xml(path: Path) -> None:
    """Raise ValueError unless a file is well-formed XML."""
    from lxml import etree

    try:
        etree.fromstring(path.read_bytes())  # lxml takes only paths in UTF-8
    except etree.XMLSyntaxError as error:
        raise ValueError(str(error)) from error


def check_root(path: Path) -> None:
    """Raise InputFileError unless a map file opens and tells its events."""
    from sctcalib.histograms.kinds import read_event_counts

    read_event_counts([path])


def check_cool(path: Path) -> None:
    """Raise ValueError unless a conditions database is sound."""
    from sctcalib.cool import CoolError, Database

    try:
        with Database.open(path) as database:
            problems = database.check()
    except CoolError as error:
        raise ValueError(str(error)) from error
    if problems:
        raise ValueError("; ".join(problems))
