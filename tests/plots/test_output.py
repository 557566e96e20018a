"""Files of pages: how many, whole or none, the same bytes every time."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from sctcalib.job.errors import JobError, OutputFileError
from sctcalib.plots.content import Heading
from sctcalib.plots.output import check_output, png_names, write_pages
from sctcalib.plots.style import new_page

HEADING = Heading(run=300000, source="a file")
SIGNATURE = {".png": b"\x89PNG\r\n", ".pdf": b"%PDF-"}


def _pages(count: int) -> list[Callable[[], Figure]]:
    return [lambda n=n: new_page(HEADING, f"page {n}") for n in range(count)]  # type: ignore[misc]


def _n_pages(pdf: Path) -> int:
    return len(re.findall(rb"/Type /Page\b(?!s)", pdf.read_bytes()))


@pytest.mark.parametrize("count", [1, 3])
def test_a_pdf_has_all_pages(tmp_path: Path, count: int) -> None:
    path = tmp_path / "out.pdf"
    assert write_pages(path, _pages(count)) == [path]
    assert _n_pages(path) == count
    assert list(tmp_path.iterdir()) == [path]


def test_several_pages_are_numbered_png_files(tmp_path: Path) -> None:
    written = write_pages(tmp_path / "out.v1.png", _pages(3))
    assert [path.name for path in written] == ["out.v1-1.png", "out.v1-2.png", "out.v1-3.png"]
    assert sorted(tmp_path.iterdir()) == written
    assert all(path.read_bytes().startswith(SIGNATURE[".png"]) for path in written)


def test_a_single_page_has_the_name_that_was_given(tmp_path: Path) -> None:
    path = tmp_path / "out.PNG"
    assert write_pages(path, _pages(1)) == [path]
    assert png_names(path, 2)[1].name == "out-2.PNG"


def test_the_overview_is_the_first_page_only(tmp_path: Path) -> None:
    drawn: list[int] = []
    pages = [lambda n=n: drawn.append(n) or new_page(HEADING, "t") for n in range(4)]  # type: ignore[misc]
    path = tmp_path / "out.png"
    assert write_pages(path, pages, overview=True) == [path]
    assert drawn == [0]


@pytest.mark.parametrize("ending", [".png", ".pdf"])
def test_the_same_pages_give_the_same_bytes_without_a_date(tmp_path: Path, ending: str) -> None:
    first, second = ((tmp_path / name).with_suffix(ending) for name in ("a", "b"))
    for path in (first, second):
        write_pages(path, _pages(1))
    content = first.read_bytes()
    assert content == second.read_bytes()
    assert content.startswith(SIGNATURE[ending])
    for word in (b"Date", b"tIME", b"Software"):
        assert word not in content


@pytest.mark.parametrize("ending", [".png", ".pdf"])
def test_a_page_that_fails_leaves_nothing_and_keeps_what_was_there(
    tmp_path: Path, ending: str
) -> None:
    def fail() -> Figure:
        msg = "no"
        raise ValueError(msg)

    old = (tmp_path / "out-1").with_suffix(ending)
    old.write_text("old")
    with pytest.raises(ValueError, match="no"):
        write_pages((tmp_path / "out").with_suffix(ending), [*_pages(1), fail])
    assert list(tmp_path.iterdir()) == [old]
    assert old.read_text() == "old"


def test_what_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "out-2.png").mkdir()
    with pytest.raises(OutputFileError, match="cannot be written"):
        write_pages(tmp_path / "out.png", _pages(2))
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


BAD_OUTPUTS = {
    "picture.jpg": (7, "pictures end with .png or .pdf"),
    "picture": (7, "pictures end with .png or .pdf"),
    "input.png": (7, "would overwrite an input"),
    "missing/picture.png": (11, "missing does not exist; create it first"),
    "folder.pdf": (11, "is a folder"),
}


@pytest.mark.parametrize("name", BAD_OUTPUTS)
def test_an_output_that_cannot_be_is_refused_before_drawing(tmp_path: Path, name: str) -> None:
    code, words = BAD_OUTPUTS[name]
    (tmp_path / "folder.pdf").mkdir()
    source = tmp_path / "input.png"
    source.touch()
    with pytest.raises(JobError, match=words) as caught:
        check_output(tmp_path / name, [source])
    assert caught.value.code == code
    assert name in str(caught.value)
