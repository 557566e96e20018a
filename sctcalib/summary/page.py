"""A page for the browser: an XML file through its style sheet, complete in one HTML file."""

from __future__ import annotations

import re
from pathlib import Path

from sctcalib.job.errors import ArgumentError, OutputFileError
from sctcalib.job.outputs import output_errors
from sctcalib.job.report import write_whole
from sctcalib.resources import resource
from sctcalib.summary.parsing import Node

_TAKES_IN = re.compile(r'<xsl:(?:import|include) href="([^"]+)"')


def style_sheets(name: str) -> list[Path]:
    """The style sheet and the ones that it takes in: what must lie beside an XML file naming it."""
    found: dict[str, Path] = {}
    wanted = [name]
    while wanted:
        sheet = wanted.pop()
        if sheet not in found:
            found[sheet] = resource("share", sheet)
            wanted += _TAKES_IN.findall(found[sheet].read_text(encoding="utf-8"))
    return list(found.values())


def html_page(root: Node, style_sheet: str) -> str:
    """The page of a parsed file; the style sheet is one of ``share``."""
    from lxml import etree

    sheet = etree.parse(str(resource("share", style_sheet)))
    nothing = etree.XSLTAccessControl.DENY_ALL  # type: ignore[attr-defined]  # not in the stubs
    transform = etree.XSLT(sheet, access_control=nothing)
    return str(transform(root.element, file=etree.XSLT.strparam(root.path.name)))


def check_output(output: Path, source: Path) -> None:
    """Refuse a page that would replace the file it shows, or whose folder does not exist.

    Raises ArgumentError (exit 7) and OutputFileError (exit 11).
    """
    if output.exists() and source.exists() and output.samefile(source):
        msg = f"-o {output} would overwrite the file to be shown; give the page another name"
        raise ArgumentError(msg)
    if not output.parent.is_dir():
        msg = f"{output}: the folder {output.parent} does not exist; create it first"
        raise OutputFileError(msg)
    if output.is_dir():
        msg = f"{output}: is a folder; give the page a file name in it"
        raise OutputFileError(msg)


def write_page(output: Path, page: str) -> None:
    """Write the page whole or not at all; raises OutputFileError (exit 11)."""
    with output_errors(output):
        write_whole(output, page)
