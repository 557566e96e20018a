"""What a merge refuses: every reason with its exit code, and nothing is written."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from sctcalib.cool import Database, Versioning, run_lumi
from sctcalib.cool.folders import DESTINATION_DESCRIPTION, create_sct_folder
from sctcalib.cool.merging import MergeError, Options, merge
from sctcalib.cool.merging.problems import MEANINGS, ORDER, Code
from sctcalib.cool.merging.report import Outcome
from sctcalib.cool.merging.sources import Selection
from sctcalib.cool.merging.updates import rules_file, update_mode
from sctcalib.cool.tags import TagLock
from tests.cool.merge_helpers import (
    DEAD,
    DEAD_TAG,
    INF,
    NOISY,
    NOISY_TAG,
    A,
    B,
    content,
    fresh_destination,
    job_file,
    one_run,
    open_from,
)

Refuse = Callable[..., MergeError]


@pytest.fixture
def dest(tmp_path: Path) -> Path:
    return fresh_destination(tmp_path / "dest.db")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return job_file(tmp_path / "P.mycool.db", NOISY, NOISY_TAG, {A: " 1 "}, one_run(100))


@pytest.fixture
def refuse(dest: Path, tmp_path: Path) -> Refuse:
    """Merge, and expect a code; nothing may have changed."""

    def go(source: Path | str, code: int, *words: str, **options: object) -> MergeError:
        before = content(dest)
        with pytest.raises(MergeError) as caught:
            merge(source, dest, Options(**{"ignore_description": True, **options}))  # type: ignore[arg-type]
        assert caught.value.code == code
        assert [word for word in words if word not in str(caught.value)] == []
        assert content(dest) == before
        assert not (tmp_path / "dest.db.log.jsonl").exists()
        assert not (tmp_path / "dest.db.backup").exists()
        return caught.value

    return go


def edited(path: Path, sql: str) -> Path:
    with sqlite3.connect(path) as connection:
        connection.execute(sql)
    connection.close()
    return path


def good(source: Path, dest: Path, **options: object) -> Outcome:
    return merge(source, dest, Options(ignore_description=True, **options)).outcome  # type: ignore[arg-type]


# ---- the file


def test_a_file_that_is_no_database(refuse: Refuse, tmp_path: Path) -> None:
    text = tmp_path / "a.db"
    text.write_text("hello")
    refuse(text, 10, "a.db")
    refuse(tmp_path / "none.db", 10, "none.db", "No such file")
    refuse(tmp_path, 10, str(tmp_path))
    refuse("oracle://x;schema=a", 10, "oracle")


def test_a_file_without_objects(refuse: Refuse, tmp_path: Path) -> None:
    with Database.create(tmp_path / "empty.db") as db:
        create_sct_folder(db, NOISY)
    refuse(tmp_path / "empty.db", 10, "no object")


def test_a_damaged_file(refuse: Refuse, source: Path) -> None:
    edited(source, "UPDATE CONDBR2_F0003_IOVS SET NEW_HEAD_ID = 77")
    refuse(source, 10, "damaged", "replaced by 77")


@pytest.mark.parametrize(
    ("text", "words"),
    [("7-5", ["7-5"]), ("1 x", ["x"]), ("1600", ["1600"]), ("1" * 4001, ["4000", "DefectList"])],
)
def test_a_list_that_nobody_could_read(
    refuse: Refuse, source: Path, text: str, words: list[str]
) -> None:
    edited(source, f"UPDATE CONDBR2_F0003_PAYLOAD SET DefectList = '{text}'")
    refuse(source, 10, NOISY, f"channel {A}", *words)


def test_a_value_of_another_type(refuse: Refuse, source: Path) -> None:
    edited(source, "UPDATE CONDBR2_F0003_PAYLOAD SET SampleSize = 'many'")
    refuse(source, 10, "SampleSize", "many")


def test_a_database_into_itself(refuse: Refuse, dest: Path, source: Path) -> None:
    good(source, dest, backup=False)
    (dest.parent / "dest.db.log.jsonl").unlink()
    refuse(dest, 10, "into itself")


def test_a_file_that_changes_meanwhile(
    refuse: Refuse, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sctcalib.cool.merging import perform

    def meddle(item: object) -> None:
        os.truncate(source, source.stat().st_size + 512)

    monkeypatch.setattr(perform, "_store", meddle)
    refuse(source, 10, "changed while", backup=False)


def test_several_databases_in_a_file(source: Path, dest: Path, refuse: Refuse) -> None:
    Database.create_in(source, "OFLP200").close()
    refuse(source, 10, "choose one: CONDBR2, OFLP200")
    assert good(source, dest, source_database="CONDBR2") is Outcome.MERGED


# ---- the destination


def test_a_destination_that_is_none(source: Path, tmp_path: Path) -> None:
    for path, word in ((tmp_path / "no.db", "does not exist"), (source, "into itself")):
        with pytest.raises(MergeError, match=word) as caught:
            merge(source, path)
        assert caught.value.code == 10
    assert sorted(p.name for p in tmp_path.iterdir()) == ["P.mycool.db"]


def test_another_database_in_the_destination_must_be_named(
    source: Path, dest: Path, refuse: Refuse
) -> None:
    refuse(source, 10, "MONP200", "there are: CONDBR2", database="MONP200")
    with pytest.raises(MergeError, match="contradicts"):
        merge(source, f"sqlite://;schema={dest};dbname=CONDBR2", Options(database="MONP200"))


def test_a_folder_that_the_destination_lacks(refuse: Refuse, tmp_path: Path) -> None:
    with Database.create(tmp_path / "a.db") as db:
        folder = db.create_folder("/SCT/Derived/Monitorin", [("x", "Int32")])
        folder.store(run_lumi(1), run_lumi(2), (1,), 1, tag="t", user_tag_only=True)
    refuse(
        tmp_path / "a.db", 21, "/SCT/Derived/Monitorin", "did you mean '/SCT/Derived/Monitoring'"
    )


def test_other_fields(refuse: Refuse, tmp_path: Path) -> None:
    with Database.create(tmp_path / "a.db") as db:
        folder = db.create_folder(NOISY, [("x", "Int32")], description=DESTINATION_DESCRIPTION)
        folder.store(*one_run(100), (1,), A, tag=NOISY_TAG, user_tag_only=True)
    refuse(tmp_path / "a.db", 22, NOISY, "x:Int32", "SampleSize:Int32")


def test_another_versioning(refuse: Refuse, tmp_path: Path) -> None:
    from sctcalib.cool.folders import sct_folder

    with Database.create(tmp_path / "a.db") as db:
        fields = sct_folder(NOISY).fields
        folder = db.create_folder(NOISY, fields, versioning=Versioning.SINGLE)
        folder.store(*one_run(100), (1, 0, 0, 0, 0, "", 0.1, ""), A)
    refuse(tmp_path / "a.db", 22, "versioning", "single", "multi")


@pytest.mark.requirement("R72")
def test_another_description(refuse: Refuse, source: Path) -> None:
    refuse(
        source,
        39,
        "--ignoredesc",
        'service_type="256"',
        'service_type="71"',
        ignore_description=False,
    )


def test_another_meaning_of_keys_is_never_ignored(refuse: Refuse, source: Path) -> None:
    with Database.open(source, read_only=False) as db:
        db.folder(NOISY).set_description("<timeStamp>time</timeStamp>")
    refuse(source, 39, "time in the file", "run-lumi")


@pytest.mark.requirement("R10")
def test_an_unknown_tag_names_the_nearest_first(
    source: Path, dest: Path, refuse: Refuse, tmp_path: Path
) -> None:
    with Database.open(dest, read_only=False) as db:
        for n, name in enumerate(("ZZ", "SctDerivedMonitoring-RUN2-UPD4-004")):
            db.tag_relation("/SCT/Derived", f"p{n}", NOISY, name)
    typo = job_file(
        tmp_path / "t.db", NOISY, "SctDerivedMonitoring-RUN2-UPD4-004x", {A: " 1 "}, one_run(100)
    )
    error = refuse(typo, 38, "SctDerivedMonitoring-RUN2-UPD4-004x", "--allow-new-tag", NOISY)
    assert "has: SctDerivedMonitoring-RUN2-UPD4-004, " in str(error)
    report = merge(typo, dest, Options(ignore_description=True, allow_new_tag=True))
    assert [row.new_tag for row in report.rows] == [True]


def test_a_tag_of_another_folder(refuse: Refuse, tmp_path: Path) -> None:
    wrong = job_file(tmp_path / "w.db", NOISY, DEAD_TAG, {A: " 1 "}, one_run(100))
    refuse(wrong, 38, "belongs to another folder", allow_new_tag=True)


def test_a_frozen_copy_of_head(refuse: Refuse, dest: Path, tmp_path: Path) -> None:
    with Database.open(dest, read_only=False) as db:
        folder = db.folder(NOISY)
        folder.store(*one_run(5), (1, 0, 0, 0, 0, "", 0.1, ""), A)
        folder.tag_head("frozen")
    wrong = job_file(tmp_path / "w.db", NOISY, "frozen", {A: " 1 "}, one_run(100))
    refuse(wrong, 31, "frozen copy of HEAD")


# ---- validity


@pytest.mark.parametrize(
    "interval",
    [
        (0, 5),
        (run_lumi(100, 1), run_lumi(101)),
        (run_lumi(100), run_lumi(100, 7)),
        (run_lumi(100), run_lumi(102)),
        (run_lumi(100, 3), INF),
        (run_lumi(0), INF),
    ],
)
def test_intervals_that_no_job_writes(
    refuse: Refuse, tmp_path: Path, interval: tuple[int, int]
) -> None:
    refuse(job_file(tmp_path / "a.db", NOISY, NOISY_TAG, {A: ""}, interval), 40, NOISY)


def test_two_runs_in_one_file(refuse: Refuse, source: Path) -> None:
    with Database.open(source, read_only=False) as db:
        payload = (1, 0, 0, 0, 0, "", 0.1, "")
        db.folder(NOISY).store(*one_run(101), payload, B, tag=NOISY_TAG, user_tag_only=True)
    refuse(source, 40, "100, 101")


@pytest.mark.parametrize("until", [run_lumi(100, 0xFFFFFFFF), run_lumi(101), INF])
def test_the_three_allowed_ends(tmp_path: Path, dest: Path, until: int) -> None:
    source = job_file(tmp_path / "a.db", NOISY, NOISY_TAG, {A: " 1 "}, (run_lumi(100), until))
    assert good(source, dest) is Outcome.MERGED


# ---- locks and update modes


def test_a_locked_tag(refuse: Refuse, source: Path, dest: Path) -> None:
    good(source, dest, backup=False)
    (dest.parent / "dest.db.log.jsonl").unlink()
    with Database.open(dest, read_only=False) as db:
        db.lock_tag(NOISY_TAG)
    assert good(source, dest) is Outcome.NO_CHANGE  # nothing would be written
    other = job_file(source.parent / "o.db", NOISY, NOISY_TAG, {A: " 1 "}, one_run(101))
    refuse(other, 31, "locked", NOISY_TAG)


def test_a_partially_locked_tag_may_be_extended(refuse: Refuse, source: Path, dest: Path) -> None:
    first = job_file(source.parent / "o.db", NOISY, NOISY_TAG, {A: " 1 "}, open_from(50))
    good(first, dest, backup=False)
    with Database.open(dest, read_only=False) as db:
        db.lock_tag(NOISY_TAG, TagLock.PARTIALLY_LOCKED)
    (dest.parent / "dest.db.log.jsonl").unlink()
    refuse(source, 31, "partially locked")
    elsewhere = job_file(source.parent / "e.db", NOISY, NOISY_TAG, {B: " 1 "}, one_run(100))
    assert good(elsewhere, dest) is Outcome.MERGED


@pytest.mark.parametrize(
    ("description", "tag", "mode"),
    [
        ("", "SctDerivedMonitoring-RUN2-UPD4-005", 4),
        ("<updateMode>UPD1</updateMode>", "t", 1),
        ("<updateMode>UPD2</updateMode>", "t-UPD3", 3),
        ("<updateMode>UPD3</updateMode>", "t-UPD1", 3),
        ("", "SctDerivedDeadStrips-003-00", 0),
        ("", "UPD5", 0),
    ],
)
def test_update_modes(description: str, tag: str, mode: int) -> None:
    assert update_mode(description, tag) == mode


def test_runs_before_the_first_open_one(refuse: Refuse, source: Path, dest: Path) -> None:
    rules_file(dest).write_text('{"first_open_run": 101}')
    refuse(source, 35, "run 100 is before the first open run 101")
    rules_file(dest).write_text('{"first_open_run": 100}')
    assert good(source, dest) is Outcome.MERGED


def test_other_tags_have_no_first_open_run(dest: Path, tmp_path: Path) -> None:
    rules_file(dest).write_text('{"first_open_run": 101}')
    source = job_file(tmp_path / "a.db", DEAD, DEAD_TAG, {A: " 1 "}, one_run(100))
    assert good(source, dest) is Outcome.MERGED


def test_an_open_ended_object_is_stored_from_the_first_open_run_on(
    dest: Path, tmp_path: Path
) -> None:
    rules_file(dest).write_text('{"first_open_run": 105}')
    source = job_file(tmp_path / "a.db", NOISY, NOISY_TAG, {A: " 1 "}, open_from(100))
    assert good(source, dest) is Outcome.MERGED
    with Database.open(dest) as db:
        found = db.folder(NOISY).browse(tag=NOISY_TAG)
    assert [(o.since, o.until) for o in found] == [open_from(105)]
    assert good(source, dest) is Outcome.NO_CHANGE


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{",
        '{"first": 3}',
        '{"first_open_run": "3"}',
        '{"allowed_runs": [0]}',
        '{"allowed_runs": 3}',
    ],
)
def test_rules_that_are_none(refuse: Refuse, source: Path, dest: Path, text: str) -> None:
    rules_file(dest).write_text(text)
    refuse(source, 10, "dest.db.rules.json", "first_open_run")


def test_locked_upd2_tags_change_for_allowed_runs_only(
    refuse: Refuse, dest: Path, tmp_path: Path
) -> None:
    tag = "T-UPD2-00"
    with Database.open(dest, read_only=False) as db:
        db.tag_relation("/SCT/Derived", "p2", DEAD, tag)
        db.lock_tag(tag)
    source = job_file(tmp_path / "a.db", DEAD, tag, {A: " 1 "}, one_run(100))
    refuse(source, 31, "locked (UPD2)", "100")
    rules_file(dest).write_text(json.dumps({"allowed_runs": [99, 100]}))
    assert good(source, dest) is Outcome.MERGED
    with Database.open(dest) as db:
        assert {t.name: t.lock for t in db.tags()}[tag] is TagLock.LOCKED


def test_upd3_tags_are_only_extended(refuse: Refuse, dest: Path, tmp_path: Path) -> None:
    tag = "T-UPD3-00"
    with Database.open(dest, read_only=False) as db:
        db.tag_relation("/SCT/Derived", "p3", DEAD, tag)
        db.lock_tag(tag)

    def file(name: str, run: int, lists: str, *, one: bool = False) -> Path:
        interval = one_run(run) if one else open_from(run)
        return job_file(tmp_path / f"{name}.db", DEAD, tag, {A: lists}, interval)

    refuse(file("closed", 90, " 1 ", one=True), 31, "UPD3", "has an end")
    for run in (100, 110):
        assert good(file(str(run), run, f" {run} "), dest, backup=False) is Outcome.MERGED
    (tmp_path / "dest.db.log.jsonl").unlink()
    refuse(file("early", 105, " 1 "), 37, "run 110 is there already")
    refuse(file("early2", 105, " 1 "), 31, "may only be extended", replace=True)
    with Database.open(dest) as db:
        assert {t.name: t.lock for t in db.tags()}[tag] is TagLock.LOCKED
        assert db.check() == []


# ---- selection


def test_a_folder_and_a_tag_can_be_chosen(dest: Path, source: Path, refuse: Refuse) -> None:
    with Database.open(source, read_only=False) as db:
        folder = create_sct_folder(db, DEAD)
        folder.store(*one_run(100), (1, 0, 0, 0, 0, "", 0.1, ""), A, tag="X", user_tag_only=True)
    refuse(source, 38, "'X'")
    chosen = Selection(folders=["/SCT/Derived/Monitorin"])
    refuse(source, 10, "did you mean '/SCT/Derived/Monitoring'", selection=chosen)
    refuse(source, 10, "'Y'", "X", selection=Selection(tag="Y"))
    refuse(source, 10, "--retag", "2", selection=Selection(retag=DEAD_TAG))
    report = merge(
        source, dest, Options(Selection(tag="X", retag=DEAD_TAG), ignore_description=True)
    )
    assert [(row.folder, row.tag) for row in report.rows] == [(DEAD, DEAD_TAG)]
    report = merge(source, dest, Options(Selection([NOISY]), ignore_description=True))
    assert [(row.folder, row.tag) for row in report.rows] == [(NOISY, NOISY_TAG)]


# ---- the table of codes


def test_every_code_has_a_meaning_and_a_place_in_the_order() -> None:
    assert set(MEANINGS) == set(ORDER) == set(Code)


def test_all_problems_are_told_and_the_first_gives_the_code(refuse: Refuse, tmp_path: Path) -> None:
    wrong = job_file(tmp_path / "w.db", NOISY, "X", {A: " 5-3 "}, (5, 6))
    error = refuse(wrong, 10, "5-3", "'X'", "descriptions differ", ignore_description=False)
    assert sorted(problem.code for problem in error.problems) == [10, 38, 39, 40]
