"""What is drawn of which file, and which files are refused."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from sctcalib.cool.folders import SCT_FOLDERS
from sctcalib.job.errors import ArgumentError, InputFileError, JobError
from sctcalib.parts.bytestream_errors import ERROR_NAMES
from sctcalib.plots.content import (
    DeadItems,
    LayerValues,
    LinkErrors,
    LorentzAngles,
    LumiBlocks,
    SideValues,
    StripLists,
    Trips,
)
from sctcalib.plots.database import Choice
from sctcalib.plots.read import READERS, compared, read_subject
from sctcalib.summary.kinds import KINDS
from tests.plots import files

EVERYTHING = Choice()
TYPES = {
    "BadStripsSummaryFile.xml": (StripLists, 50000),
    "BadStripsAllFile.xml": (StripLists, None),
    "EfficiencySummaryFile.xml": (LayerValues, 123456),
    "NoiseOccupancySummaryFile.xml": (LayerValues, 123456),
    "RawOccupancySummaryFile.xml": (LayerValues, 123456),
    "BSErrorSummaryFile.xml": (LayerValues, 123456),
    "EfficiencyModuleSummary.xml": (SideValues, 123456),
    "NoiseOccupancyFile.xml": (SideValues, None),
    "BSErrorModuleSummary.xml": (LinkErrors, 123456),
    "LorentzAngleSummaryFile.xml": (LorentzAngles, 123456),
    "LorentzAngleFile.xml": (LorentzAngles, None),
    "DeadSummaryFile.xml": (DeadItems, 123456),
    "DeadStripsFile.xml": (StripLists, None),
    "DeadChipsFile.xml": (StripLists, None),
    "NoisyLBSummaryFile.xml": (LumiBlocks, 123456),
    "BadModulesFile.xml": (Trips, None),
}
FOLDERS = {
    "doNoisyStrip": (StripLists, None),
    "doDeadStrip": (StripLists, None),
    "doDeadChip": (StripLists, None),
    "doNoiseOccupancy": (SideValues, None),
    "doRawOccupancy": (SideValues, 20000),
    "doEfficiency": (SideValues, None),
    "doBSErrorDB": (LinkErrors, 20000),
    "doLorentzAngle": (LorentzAngles, None),
}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return files.write_database(tmp_path_factory.mktemp("db") / "mycool.db", *SCT_FOLDERS)


def test_every_kind_that_can_be_shown_can_be_drawn() -> None:
    assert set(READERS) == {kind.files for kind in KINDS}
    assert set(FOLDERS) == set(SCT_FOLDERS)


@pytest.mark.parametrize("name", files.WRITERS)
def test_xml_is_recognised_by_content_with_run_stream_and_events(tmp_path: Path, name: str) -> None:
    heading = read_subject(files.write(tmp_path, name), EVERYTHING).heading
    assert (heading.run, heading.stream, heading.events) == (
        files.RUN,
        "express_express",
        TYPES[name][1],
    )
    other_name = tmp_path / "anything"
    files.write(tmp_path, name).rename(other_name)
    subject = read_subject(other_name, EVERYTHING)
    assert isinstance(subject.content, TYPES[name][0])
    assert subject.heading.stream == ""


@pytest.mark.parametrize("part", FOLDERS)
def test_folders_of_a_database_are_drawn(database: Path, part: str) -> None:
    subject = read_subject(database, Choice(folder=SCT_FOLDERS[part].path))
    kind, events = FOLDERS[part]
    assert isinstance(subject.content, kind)
    assert (subject.heading.run, subject.heading.events) == (files.RUN, events)
    assert SCT_FOLDERS[part].default_tag in subject.heading.source


def test_strips_are_counted_for_the_side_they_are_on(database: Path) -> None:
    content = read_subject(database, Choice("/SCT/Derived/Monitoring")).content
    assert isinstance(content, StripLists)
    counts = content.per_wafer(content.main)
    assert {int(w): int(counts[w]) for w in np.flatnonzero(counts)} == {0: 3, 4000: 1, 4001: 2}
    assert content.per_module(content.main)[[0, 2000]].tolist() == [3, 3]


def test_chips_0_to_5_are_on_side_0(database: Path) -> None:
    content = read_subject(database, Choice("/SCT/Derived/DeadChips")).content
    assert isinstance(content, StripLists)
    assert np.flatnonzero(content.per_wafer(content.main)).tolist() == [24, 25]


def test_noisy_summary_keeps_all_new_ref_chips_and_flag(tmp_path: Path) -> None:
    content = read_subject(files.write(tmp_path, "BadStripsSummaryFile.xml"), EVERYTHING).content
    assert isinstance(content, StripLists)
    assert {name: len(strips) for name, strips in content.lists.items()} == {
        "all": 70,
        "new": 69,
        "ref": 1,
    }
    assert content.chips is not None
    assert len(content.chips) == 1
    assert content.verdict == "Upload flag U (not tested).   Reference run 299990."


def test_sides_without_entries_have_no_efficiency(tmp_path: Path, database: Path) -> None:
    xml = read_subject(files.write(tmp_path, "EfficiencyModuleSummary.xml"), EVERYTHING).content
    assert isinstance(xml, SideValues)
    assert np.isnan(xml.values).sum() > 150
    assert np.nanmin(xml.values) > 0
    db = read_subject(database, Choice("/SCT/Derived/NoiseOccupancy")).content
    assert isinstance(db, SideValues)
    assert np.isnan(db.values[0])
    assert not np.isnan(db.values[1:]).any()


def test_links_that_are_not_in_the_database_have_no_errors(database: Path) -> None:
    content = read_subject(database, Choice("/SCT/Derived/BSErrorsRun2")).content
    assert isinstance(content, LinkErrors)
    assert np.flatnonzero(content.totals).tolist() == [files.BS_WAFER]
    names = {v: k for k, v in ERROR_NAMES.items()}
    assert content.errors[files.BS_WAFER, names["BCIDError"]] == 3
    assert content.totals[files.BS_WAFER] == 13


@pytest.mark.parametrize("name", files.EMPTY_WRITERS)
def test_files_of_a_run_in_standby_are_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    files.EMPTY_WRITERS[name](path)
    content = read_subject(path, EVERYTHING).content
    if isinstance(content, SideValues):
        assert np.isnan(content.values).all()
    if isinstance(content, StripLists):
        assert content.empty == (name == "BadStripsSummaryFile.xml")


def test_the_last_run_of_a_database_is_the_default(tmp_path: Path) -> None:
    path = _two_runs(tmp_path)
    assert read_subject(path, EVERYTHING).heading.run == 300010
    assert read_subject(path, Choice(run=300000)).heading.run == 300000
    with pytest.raises(ArgumentError, match=r"nothing is valid in run 300005.*300000, 300010"):
        read_subject(path, Choice(run=300005))


def _two_runs(folder: Path) -> Path:
    from sctcalib.cool import Database

    path = files.write_database(folder / "two.db", "doLorentzAngle")
    known = SCT_FOLDERS["doLorentzAngle"]
    with Database.open(path, read_only=False) as db:
        rows = ((300010 << 32, (300011 << 32) - 1, c, p) for c, p in files.ROWS["doLorentzAngle"]())
        db.folder(known.path).store_each(rows, tag=known.default_tag, user_tag_only=True)
    return path


BAD_FILES = {
    "no such file": (None, "cannot be read"),
    "a text": (b"hello", "not well-formed XML"),
    "an empty file": (b"", "not well-formed XML"),
    "another XML file": (b"<rows/>", "cannot be shown"),
    "XML with a document type": (b"<!DOCTYPE run []><run/>", "document type"),
    "a database that is damaged": (b"SQLite format 3\0" + b"\xff" * 200, "not a"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_file_that_cannot_be_drawn_is_an_input_error_that_names_it(
    tmp_path: Path, case: str
) -> None:
    content, words = BAD_FILES[case]
    path = tmp_path / "input.xml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputFileError, match=words) as caught:
        read_subject(path, EVERYTHING)
    assert str(path) in str(caught.value)
    assert caught.value.code == 74


def test_a_folder_is_no_input(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="not a regular file"):
        read_subject(tmp_path, EVERYTHING)


def test_a_sqlite_file_that_is_no_cool_database_is_an_input_error(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE t (x)")
    db.close()
    with pytest.raises(JobError) as caught:
        read_subject(path, EVERYTHING)
    assert caught.value.code == 74


def test_a_malformed_payload_names_folder_and_channel(tmp_path: Path) -> None:
    path = files.write_database(tmp_path / "bad.db", "doBSErrorDB")
    db = sqlite3.connect(path)
    query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB '*_PAYLOAD'"
    (table,) = db.execute(query).fetchone()
    db.execute(f"UPDATE \"{table}\" SET BSErrors = '0 0 nonsense'")
    db.commit()
    db.close()
    with pytest.raises(InputFileError, match=r"BSErrorsRun2: channel \d+: BSErrors is not a list"):
        read_subject(path, EVERYTHING)


BAD_CHOICES = {
    "no folder of several": (Choice(), "choose a folder with --folder; it has: .*Efficiency"),
    "an unknown folder": (Choice("/SCT/Derived/Nois"), "Nois is not one; it has: .*Monitoring"),
    "an unknown tag": (Choice("/SCT/Derived/Efficiency", tag="Sct-0"), "Sct-0"),
    "a run without objects": (
        Choice("/SCT/Derived/Efficiency", run=5),
        "nothing is valid in run 5; runs with objects: 300000",
    ),
}


@pytest.mark.parametrize("case", BAD_CHOICES)
def test_a_choice_that_cannot_be_made_says_what_there_is(database: Path, case: str) -> None:
    choice, words = BAD_CHOICES[case]
    with pytest.raises(ArgumentError, match=words):
        read_subject(database, choice)


def test_options_of_databases_are_refused_with_xml(tmp_path: Path) -> None:
    path = files.write(tmp_path, "BSErrorSummaryFile.xml")
    with pytest.raises(ArgumentError, match="not a database: --folder, --run cannot be used"):
        read_subject(path, Choice(folder="/SCT/Derived/Efficiency", run=3))


def test_a_run_can_be_given_where_the_file_does_not_say_it(tmp_path: Path) -> None:
    path = tmp_path / "angles.xml"
    files.WRITERS["LorentzAngleFile.xml"](path)
    assert read_subject(path, EVERYTHING).heading.run is None
    assert read_subject(path, Choice(run=7)).heading.run == 7


def test_a_stream_of_another_run_in_the_name_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "data15_13TeV.00000001.express_express.sctcal.TASK.c0.xml"
    files.WRITERS["EfficiencySummaryFile.xml"](path)
    assert read_subject(path, EVERYTHING).heading.stream == ""


def test_only_like_can_be_compared_with_like(tmp_path: Path, database: Path) -> None:
    xml = read_subject(files.write(tmp_path, "NoiseOccupancyFile.xml"), EVERYTHING)
    same = read_subject(database, Choice("/SCT/Derived/NoiseOccupancy"))
    other = read_subject(database, Choice("/SCT/Derived/Efficiency"))
    assert "compared with" in compared(xml, same).heading.text()
    with pytest.raises(ArgumentError, match="only like can be compared with like"):
        compared(xml, other)
