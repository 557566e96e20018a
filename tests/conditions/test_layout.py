"""Folders of conditions databases: what is made, found and protected."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sctcalib.conditions.layout import (
    RUN1_TAG,
    existing,
    files_of,
    folder_named,
    init,
    parent_tag,
    place,
)
from sctcalib.cool import CoolError, Database, TagKind, run_lumi
from sctcalib.cool.folders import DESTINATION_DESCRIPTION, SCT_FOLDERS
from sctcalib.cool.reference import open_conditions
from sctcalib.transform import conditions_file


def test_every_folder_is_made_in_its_database(tmp_path: Path) -> None:
    assert [file.name for file in init(tmp_path / "c")] == ["CONDBR2.db", "MONP200.db"]
    found = {}
    for name, file in existing(tmp_path / "c"):
        with Database.open(file) as db:
            assert db.name == name
            assert db.check() == []
            found |= {folder.path: (name, folder.tag_names()) for folder in db.folders()}
            assert {folder.description for folder in db.folders()} == {DESTINATION_DESCRIPTION}
    assert found == {f.path: (f.instance, [f.default_tag]) for f in SCT_FOLDERS.values()}


def test_tags_exist_before_anything_is_uploaded(tmp_path: Path) -> None:
    init(tmp_path)
    with Database.open(tmp_path / "MONP200.db") as db:
        for folder in db.folders():
            (tag,) = folder.tags()
            assert tag.kind is TagKind.EMPTY
            assert folder.browse(tag=tag.name) == []
            for above in ("/", "/SCT", "/SCT/Derived"):  # the whole hierarchy leads to it
                assert db.resolve_tag(folder.path, parent_tag(db.name, above)) == tag.name
        names = [tag.name for tag in db.tags()]
    assert len(names) == len(set(names)) == 7 + 3


def test_the_noisy_strips_of_run_1_have_a_database_of_their_own(tmp_path: Path) -> None:
    init(tmp_path)
    assert [file.name for file in init(tmp_path, run1=True)] == ["COMP200.db"]
    with open_conditions(tmp_path, default_name="COMP200") as db:
        assert [f.tag_names() for f in db.folders()] == [[RUN1_TAG]]


def test_other_tags(tmp_path: Path) -> None:
    path = SCT_FOLDERS["doNoisyStrip"].path
    init(tmp_path, {path: "SctDerivedMonitoring-TEST"})
    with open_conditions(tmp_path) as db:
        assert db.folder(path).tag_names() == ["SctDerivedMonitoring-TEST"]


def test_nothing_that_is_there_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "CONDBR2.db").write_text("precious")
    assert [file.name for file in init(tmp_path)] == ["MONP200.db"]
    assert (tmp_path / "CONDBR2.db").read_text() == "precious"
    with pytest.raises(CoolError, match="already; nothing was changed"):
        init(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["CONDBR2.db", "MONP200.db"]


def test_places_that_cannot_be_a_folder_of_databases(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CoolError, match="cannot be made"):
        init(tmp_path / "file")
    with pytest.raises(CoolError, match="is not a folder"):
        existing(tmp_path / "file")
    with pytest.raises(CoolError, match="does not exist"):
        existing(tmp_path / "none")
    with pytest.raises(CoolError, match=r"none of CONDBR2\.db, COMP200\.db, MONP200\.db"):
        existing(tmp_path)


@pytest.mark.parametrize("text", ["Monitoring", "/SCT/Derived/Monitoring", "doNoisyStrip"])
def test_folders_have_three_names(text: str) -> None:
    assert folder_named(text) == SCT_FOLDERS["doNoisyStrip"]


def test_a_misspelt_folder_or_database(tmp_path: Path) -> None:
    with pytest.raises(CoolError, match="did you mean 'Monitoring'"):
        folder_named("Monitorin")
    init(tmp_path)
    with pytest.raises(CoolError, match="'COMP200'"):
        place(tmp_path, SCT_FOLDERS["doNoisyStrip"], "COMP200")


def test_a_job_reads_the_database_of_its_own_run_from_a_folder(tmp_path: Path) -> None:
    init(tmp_path, run1=True)
    assert open_conditions(tmp_path).name == "CONDBR2"
    assert open_conditions(str(tmp_path), default_name="COMP200").name == "COMP200"
    connection = f"sqlite://;schema={tmp_path};dbname=COMP200"
    assert open_conditions(connection, default_name="CONDBR2").path.name == "COMP200.db"
    (tmp_path / "COMP200.db").unlink()
    with pytest.raises(CoolError, match=r"has no COMP200\.db; sctcalib conditions init"):
        open_conditions(tmp_path, default_name="COMP200")


def test_all_files_of_a_folder_are_protected_and_no_others(tmp_path: Path) -> None:
    init(tmp_path)
    beside = ("CONDBR2.db.disabled.json", "MONP200.db.lock", "COMP200.db-journal")
    for name in (*beside, "jobReport.json"):
        (tmp_path / name).write_text("")
    (tmp_path / "CONDBR2.db.backup").mkdir()
    os.mkfifo(tmp_path / "CONDBR2.db.pipe")
    expected = {"CONDBR2.db", "MONP200.db", *beside}
    assert {path.name for path in files_of(tmp_path)} == expected
    assert {path.name for path in conditions_file(str(tmp_path))} == expected
    assert list(conditions_file(str(tmp_path / "MONP200.db"))) == [tmp_path / "MONP200.db"]
    assert conditions_file("") == {}
    assert run_lumi(1) == 1 << 32
