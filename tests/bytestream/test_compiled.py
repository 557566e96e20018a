"""Where machine code is kept, and that reading goes on where it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from sctcalib.bytestream import compiled


def test_folder_follows_the_setting_of_numba(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled._CONFIG, "CACHE_DIR", str(tmp_path))
    folder = compiled._cache_folder()
    assert folder is not None
    assert folder.parent == tmp_path
    assert folder.is_dir()


def test_folder_depends_on_every_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled._CONFIG, "CACHE_DIR", str(tmp_path / "cache"))
    for name in compiled._SOURCES:
        (tmp_path / name).write_bytes((compiled._HERE / name).read_bytes())
    monkeypatch.setattr(compiled, "_HERE", tmp_path)
    seen = {compiled._cache_folder()}
    for name in compiled._SOURCES:
        with (tmp_path / name).open("a") as file:
            file.write("# changed\n")
        seen.add(compiled._cache_folder())
    assert len(seen) == len(compiled._SOURCES) + 1


def test_sources_are_all_modules_with_compiled_functions() -> None:
    with_loops = {
        path.name
        for path in compiled._HERE.glob("*.py")
        if "import compiled" in (text := path.read_text()) and "@compiled" in text
    }
    assert with_loops | {"compiled.py", "layout.py"} == set(compiled._SOURCES)


def test_folder_that_cannot_be_written_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(compiled._CONFIG, "CACHE_DIR", "")
    monkeypatch.setattr(compiled.Path, "mkdir", _refuse_in_package(compiled.Path.mkdir))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    folder = compiled._cache_folder()
    assert folder is not None
    assert folder.parent == tmp_path / "home" / "sctcalib"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert compiled._cache_folder() is None


def _refuse_in_package(mkdir):  # type: ignore[no-untyped-def]
    def refused(self, *arguments, **options):  # type: ignore[no-untyped-def]
        if self.parent.name == "__pycache__":
            raise PermissionError(13, "Permission denied")
        return mkdir(self, *arguments, **options)

    return refused


def test_functions_work_without_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "_FOLDER", None)

    @compiled.compiled
    def twice(value: int) -> int:
        return 2 * value

    assert twice(21) == 42
