"""log.sctcalib and the echo on standard output; severities counted (transform.md 4.5, 5.3).

The lines are kept in memory and appear as log.sctcalib when the job ends, whole, so that two jobs
in one directory never mix theirs; while the job runs they can be read in its private folder.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TextIO

LEVELS = {
    "DEBUG": logging.DEBUG,
    "VERBOSE": logging.DEBUG,
    "INFO": logging.INFO,
    "WARNING": logging.WARNING,
    "ERROR": logging.ERROR,
    "CRITICAL": logging.CRITICAL,
    "FATAL": logging.CRITICAL,
    "CATASTROPHE": logging.CRITICAL,
}
SEVERITIES = ("DEBUG", "INFO", "WARNING", "ERROR", "FATAL")
MAX_DETAILS = 10
"""Messages of a severity that the report repeats."""


class JobLog(logging.Handler):
    """Writes ``HH:MM:SS name LEVEL message`` to the log, and echoes it with the job's name."""

    def __init__(
        self, name: str, echo: TextIO | None = None, echo_level: int = logging.INFO
    ) -> None:
        super().__init__(logging.DEBUG)
        self.name = name
        self.counts: Counter[str] = Counter()
        self.details: dict[str, list[dict[str, object]]] = {}
        self._echo: TextIO | None = sys.stdout if echo is None else echo
        self._echo_level = echo_level
        self._lines: list[str] = []
        self._file: TextIO | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; a full disk or a closed pipe must not end the job."""
        severity = {"CRITICAL": "FATAL", "VERBOSE": "DEBUG"}.get(record.levelname, record.levelname)
        message = record.getMessage()
        stamp = time.strftime("%H:%M:%S", time.localtime(record.created))
        source = record.name.removeprefix("sctcalib.")
        body = message
        if record.exc_info:
            body += "\n" + logging.Formatter().formatException(record.exc_info)
        self._lines.append(f"{stamp} {source} {severity} {body}\n")
        if self._file:
            with suppress(OSError, ValueError):
                self._file.write(self._lines[-1])
                self._file.flush()
        self._count(severity, message)
        if record.levelno >= self._echo_level:
            self.echo(f"{self.name} {stamp} {source} {severity} {message}")

    def echo(self, text: str) -> None:
        """Print to standard output, which may be closed, full, or a pipe that nobody reads."""
        if self._echo is None:
            return
        encoding = getattr(self._echo, "encoding", None) or "utf-8"
        plain = text.encode(encoding, "backslashreplace").decode(encoding)
        try:
            self._echo.write(plain + "\n")
            self._echo.flush()
        except BlockingIOError:
            return
        except (OSError, ValueError):
            self._fall_silent()

    def _fall_silent(self) -> None:
        """Echo no more. What is left in the buffer must not fail at exit and change the code."""
        stream, self._echo = self._echo, None
        if stream is not None and stream is sys.stdout:
            with suppress(OSError, ValueError):
                null = os.open(os.devnull, os.O_WRONLY)
                os.dup2(null, stream.fileno())
                os.close(null)

    def set_echo_level(self, level: int) -> None:
        """Least severity that is echoed."""
        self._echo_level = level

    def stream_to(self, path: Path) -> None:
        """Write the lines to a file too, so that a running job can be watched."""
        with suppress(OSError):
            self._file = path.open("w", encoding="utf-8", errors="backslashreplace")
            self._file.write("".join(self._lines))
            self._file.flush()

    def close_stream(self) -> None:
        """End what `stream_to` began."""
        if self._file:
            with suppress(OSError):
                self._file.close()
        self._file = None

    def text(self) -> str:
        """All lines so far."""
        return "".join(self._lines)

    def first_error(self) -> str | None:
        """The first message of the worst severity from ERROR on, None if there is none."""
        for severity in ("FATAL", "ERROR"):
            if severity in self.details:
                return str(self.details[severity][0]["message"])
        return None

    def summary(self) -> dict[str, object]:
        """The ``logfileReport`` of the job report."""
        return {
            "countSummary": {severity: self.counts[severity] for severity in SEVERITIES},
            "details": self.details,
        }

    def _count(self, severity: str, message: str) -> None:
        self.counts[severity] += 1
        if severity not in ("WARNING", "ERROR", "FATAL"):
            return
        known = self.details.setdefault(severity, [])
        for entry in known:
            if entry["message"] == message:
                entry["count"] = int(str(entry["count"])) + 1
                return
        if len(known) < MAX_DETAILS:
            known.append({"message": message, "firstLine": self._first_line(), "count": 1})

    def _first_line(self) -> int:
        """Number of the line just written; a traceback takes several."""
        return sum(line.count("\n") for line in self._lines[:-1]) + 1
