"""Job reports in tests: every one that is looked at is checked against its schema first."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from sctcalib.resources import resource


@functools.cache
def validator() -> Draft202012Validator:
    schema = json.loads(resource("schemas", "job_report.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def schema_problems(report: Any) -> list[str]:
    """What is wrong with a report, one text a problem."""
    return [f"{error.json_path}: {error.message}" for error in validator().iter_errors(report)]


def read_report(folder: Path, name: str = "jobReport.json") -> dict[str, Any]:
    """The report of the job that ran in a folder; it has to be whole and of the right form."""
    report = json.loads((folder / name).read_text(encoding="utf-8"))
    assert schema_problems(report) == []
    return report


def message(report: dict[str, Any]) -> str:
    """The whole exit message; paths of test directories can make it long."""
    start, rest = report["exitMsg"], report["exitMsgExtra"]
    return start.removesuffix(" (truncated)") + rest if rest else start


def output_names(report: dict[str, Any]) -> list[str]:
    """Names of the published files."""
    return [file["name"] for entry in report["files"]["output"] for file in entry["subFiles"]]
