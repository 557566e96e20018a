"""Writing pages: a PDF, or a PNG for each; whole or not at all, the same bytes every time."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from matplotlib.backends.backend_pdf import PdfPages

from sctcalib.job.errors import ArgumentError, OutputFileError
from sctcalib.job.outputs import output_errors
from sctcalib.plots.sides import Page
from sctcalib.plots.style import number_page, plot_style

FORMATS = (".png", ".pdf")
DOTS_PER_INCH = 150
_NO_DATES: Mapping[str, None] = {"CreationDate": None}
"""Nor does a PNG have one; what software made it would change with every version of it."""


def check_output(output: Path, inputs: Sequence[Path]) -> None:
    """Refuse what cannot become a picture before anything is read or drawn.

    Raises ArgumentError (exit 7) for another format or one of the inputs, OutputFileError (exit
    11) for a folder.
    """
    if output.suffix.lower() not in FORMATS:
        msg = f"-o {output}: pictures end with {' or '.join(FORMATS)}"
        raise ArgumentError(msg)
    for path in inputs:
        if output.exists() and path.exists() and output.samefile(path):
            msg = f"-o {output} would overwrite an input; give the picture another name"
            raise ArgumentError(msg)
    if not output.parent.is_dir():
        msg = f"{output}: the folder {output.parent} does not exist; create it first"
        raise OutputFileError(msg)
    if output.is_dir():
        msg = f"{output}: is a folder; give the picture a file name in it"
        raise OutputFileError(msg)


def write_pages(output: Path, pages: Sequence[Page], *, overview: bool = False) -> list[Path]:
    """Draw and write the pages; which files they are in.

    A PDF holds them all. A single PNG has the name that is given, several get ``-1``, ``-2`` and so
    on; with ``overview`` only the first page is made. Raises OutputFileError (exit 11).
    """
    if output.suffix.lower() == ".pdf":
        with _published([output]) as (temporary,), plot_style():
            _write_pdf(temporary, pages)
        return [output]
    wanted = pages[:1] if overview else pages
    names = png_names(output, len(wanted))
    with _published(names) as temporaries, plot_style():
        for number, (page, temporary) in enumerate(zip(wanted, temporaries, strict=True), 1):
            figure = page()
            number_page(figure, number, len(pages))
            metadata = {"Software": None}
            figure.savefig(temporary, format="png", dpi=DOTS_PER_INCH, metadata=metadata)
    return names


def png_names(output: Path, n_pages: int) -> list[Path]:
    """Names of the files of so many pages."""
    if n_pages == 1:
        return [output]
    return [output.with_stem(f"{output.stem}-{n}") for n in range(1, n_pages + 1)]


def _write_pdf(path: Path, pages: Sequence[Page]) -> None:
    with PdfPages(path, metadata=dict(_NO_DATES)) as pdf:
        for number, page in enumerate(pages, 1):
            figure = page()
            number_page(figure, number, len(pages))
            pdf.savefig(figure)


@contextmanager
def _published(names: Sequence[Path]) -> Iterator[list[Path]]:
    """Temporary names, which become the real ones if all goes well, and vanish otherwise."""
    temporaries = [path.with_name(f".{path.name}.{os.getpid()}") for path in names]
    try:
        with output_errors(names[0]):
            yield temporaries
            for temporary, path in zip(temporaries, names, strict=True):
                temporary.replace(path)
    finally:
        for temporary in temporaries:
            temporary.unlink(missing_ok=True)
