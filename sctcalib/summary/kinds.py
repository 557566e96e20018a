"""Which XML file is which: recognised by content, whatever its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sctcalib.job.errors import InputFileError
from sctcalib.summary.bad_strips import bad_strips_of
from sctcalib.summary.console import Report, bad_strips_report, noisy_report
from sctcalib.summary.noisy_summary import STYLE_SHEET, noisy_summary_of
from sctcalib.summary.parsing import Node


@dataclass(frozen=True)
class Kind:
    """A kind of file that can be shown."""

    files: str
    """Names that the job gives such files."""
    root: str
    """Tag of the root element."""
    mark: str
    """A value that the root element of no other kind has; empty if the root's tag is enough."""
    style_sheet: str
    report: Callable[[Node], Report]
    """Reads the whole file, with all checks, and makes its text for the terminal."""


KINDS = (
    Kind(
        "BadStripsSummaryFile.xml",
        "run",
        "StripsOfflineAll",
        STYLE_SHEET,
        lambda root: noisy_report(noisy_summary_of(root)),
    ),
    Kind(
        "BadStripsAllFile.xml and BadStripsNewFile.xml",
        "channels",
        "",
        "BadStripsList.xsl",
        lambda root: bad_strips_report(bad_strips_of(root)),
    ),
)


def recognise(root: Node) -> Kind:
    """The kind of a parsed file; raises InputFileError (exit 74) for any other XML."""
    names = {value.get("name") for value in root.element.findall("value")}
    for kind in KINDS:
        if root.name == kind.root and (not kind.mark or kind.mark in names):
            return kind
    known = ", ".join(kind.files for kind in KINDS)
    msg = f"{root.path}: <{root.name}> with these values cannot be shown; these can: {known}"
    raise InputFileError(msg)
