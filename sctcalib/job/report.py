"""jobReport.json and its text form (reference/transform.md 5.5)."""

from __future__ import annotations

import json
import os
import platform
import resource
import sys
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sctcalib.job.errors import exit_code
from sctcalib.job.inputs import InputFile
from sctcalib.job.outputs import Published

REPORT_VERSION = "2.1.2"
MAX_MESSAGE = 256
_TRUNCATED = " (truncated)"
_TEXT_START = "# trfJobReport file generated on"


def exit_section(code: int, message: str) -> dict[str, object]:
    """Exit code, acronym and message; a long message is cut and goes on in ``exitMsgExtra``."""
    extra = ""
    if len(message) > MAX_MESSAGE:
        cut = MAX_MESSAGE - len(_TRUNCATED)
        message, extra = message[:cut] + _TRUNCATED, message[cut:]
    return {
        "exitCode": code,
        "exitAcronym": exit_code(code).acronym,
        "exitMsg": message,
        "exitMsgExtra": extra,
    }


def input_section(
    files: Iterable[tuple[InputFile, int | None, str | None]],
) -> list[dict[str, object]]:
    """Input files with their events and adler32 checksums, one entry a dataset."""
    entries: dict[str, dict[str, Any]] = {}
    for file, events, checksum in files:
        entry = entries.setdefault(
            file.dataset.name,
            {"type": file.dataset.input_type or None, "dataset": file.dataset.name, "subFiles": []},
        )
        entry["subFiles"].append(
            {
                "name": file.base_name,
                "nentries": file.events if events is None else events,
                "checksum": checksum,
                "file_size": file.path.stat().st_size if file.path and file.path.exists() else None,
            }
        )
    return list(entries.values())


def output_section(
    published: Iterable[Published], given: Mapping[str, Any], entries: Mapping[str, int]
) -> list[dict[str, object]]:
    """Published files; ``entries`` holds event counts by suffix."""
    dataset, mark, _ = str(given.get("prefix", "")).partition("#")
    return [
        {
            "type": each.output.data_type,
            "argName": each.output.argument,
            "dataset": dataset if mark else None,
            "subFiles": [
                {
                    "name": each.path.name,
                    "file_size": each.size,
                    "checksum": each.adler32,
                    "file_guid": str(uuid.uuid4()).upper(),
                    **(
                        {"nentries": entries[each.output.suffix]}
                        if each.output.suffix in entries
                        else {}
                    ),
                }
            ],
        }
        for each in published
    ]


def executor_section(
    name: str,
    code: int,
    message: str,
    *,
    parts: Sequence[str],
    log: Mapping[str, object],
    metadata: Mapping[str, object],
) -> dict[str, object]:
    """How the one executor of the transform ended, with the counts of its log."""
    return {
        "name": name,
        "rc": code,
        "statusOK": code == 0,
        "validation": code == 0,
        "errMsg": "" if code == 0 else message,
        "exeConfig": {"script": name, "substep": None, "parts": list(parts)},
        "logfileReport": log,
        "metaData": metadata,
    }


def library_versions() -> dict[str, str]:
    """Versions of the libraries that results can depend on."""
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for package in ("numpy", "uproot", "jsonschema", "lxml", "isal"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "absent"
    return found


def machine_section() -> dict[str, object]:
    """Where the job ran."""
    return {
        "node": platform.node(),
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
    }


class Stopwatch:
    """CPU and wall time of the phases of a job, in seconds."""

    def __init__(self) -> None:
        self.start = self._now()
        self.phases: dict[str, dict[str, float]] = {}
        self._mark = self.start

    def lap(self, phase: str) -> None:
        """End a phase; the next one begins."""
        now = self._now()
        self.phases[phase] = _difference(self._mark, now)
        self._mark = now

    def total(self) -> dict[str, float]:
        """Times since the start of the job."""
        return _difference(self.start, self._now())

    @staticmethod
    def _now() -> tuple[float, float]:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return usage.ru_utime + usage.ru_stime, time.monotonic()


def _difference(begin: tuple[float, float], end: tuple[float, float]) -> dict[str, float]:
    return {"cpuTime": round(end[0] - begin[0], 3), "wallTime": round(end[1] - begin[1], 3)}


def peak_memory() -> int:
    """Largest resident memory of this program, KiB.

    The kernel's own figure starts with that of the program that started us, so that a job in a
    test of 300 MiB would seem to need 300 MiB.
    """
    with suppress(OSError, ValueError, IndexError):
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        return int(status.split("VmHWM:")[1].split()[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def resource_section(name: str, watch: Stopwatch, events: int | None) -> dict[str, object]:
    """Times by phase and the machine."""
    total = watch.total()
    return {
        "executor": {name: {**total, **watch.phases, "nevents": events}},
        "transform": {**total, "processedEvents": events, "maxMemoryKiB": peak_memory()},
        "machine": machine_section(),
    }


def command_line(argv: Sequence[str] | None = None) -> str:
    """The quoted command line."""
    return " ".join(f"'{word}'" for word in (sys.argv if argv is None else argv))


def as_json(report: Mapping[str, object]) -> str:
    """The file's text: sorted keys, indent 2."""
    return json.dumps(report, indent=2, sort_keys=True, ensure_ascii=False, default=str) + "\n"


def as_text(report: Mapping[str, Any]) -> str:
    """The report for people: first how it ended, then what was read and written."""
    lines = [
        f"{_TEXT_START} {report['created']}",
        f"{report['name']}: exit {report['exitCode']} {report['exitAcronym']}",
        f"message: {report['exitMsg']}{report['exitMsgExtra']}",
        f"command: {report['cmdLine']}",
    ]
    for side in ("input", "output"):
        for entry in report["files"][side]:
            lines += [
                f"{side} {entry['type'] or 'file'}: {file['name']}"
                f" ({file.get('file_size')} bytes, adler32 {file.get('checksum')}"
                + (f", {file['nentries']} events)" if file.get("nentries") is not None else ")")
                for file in entry["subFiles"]
            ]
    for part, values in report["results"].items():
        lines += [f"{part} {key}: {value}" for key, value in values.items()]
    lines.append("# Machine report")
    lines += [f"{key}: {value}" for key, value in report["resource"]["machine"].items()]
    return "\n".join(lines) + "\n"


def is_report(path: Path) -> bool:
    """Whether a file is a report that a job wrote, in either form."""
    with path.open("rb") as file:
        start = file.read(1 << 20)
    return start.startswith(_TEXT_START.encode()) or b'"reportVersion"' in start


def write_whole(path: Path, text: str, *, part: Path | None = None) -> None:
    """Write a small file whole: to a temporary name first, then rename."""
    temporary = part or path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
