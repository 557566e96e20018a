"""The last uploaded run as reference (cool-folders.md 8.2, 8.3, 9)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sctcalib.cool import CoolError, Database, Folder, NodeError, TagError, run_lumi
from sctcalib.cool.folders import create_sct_folder
from sctcalib.cool.reference import (
    disabled_file,
    disabled_runs,
    open_conditions,
    read_reference,
    reference_run,
    upload_numbers,
    uploaded_runs,
    valid_lists,
)
from tests.cool.helpers import INF, ticking

PATH = "/SCT/Derived/Monitoring"
TAG = "SctDerivedMonitoring-RUN2-UPD4-005"
A, B, C = 134230016, 134232064, 152677376
"""Module channels."""


@pytest.fixture
def folder(db: Database) -> Iterator[Folder]:
    return create_sct_folder(db, PATH)  # type: ignore[return-value]


def _upload(folder: Folder, run: int, lists: dict[int, str], *, open_ended: bool = False) -> None:
    until = INF if open_ended else run_lumi(run, 0xFFFFFFFF)
    folder.store_each(
        [
            (run_lumi(run), until, channel, (10000, 0, 0, 0, 0, "NOISY", 0.015, text))
            for channel, text in lists.items()
        ],
        tag=TAG,
        user_tag_only=True,
    )


def _chosen(folder: Folder, run: int, **options: object) -> int | None:
    return reference_run(uploaded_runs(folder, TAG), run, **options)  # type: ignore[arg-type]


def test_the_reference_of_one_run_uploads(folder: Folder) -> None:
    _upload(folder, 100, {A: " 1 ", B: ""})
    _upload(folder, 101, {A: "", B: " 2-3 "})
    assert uploaded_runs(folder, TAG) == [100, 101]
    assert _chosen(folder, 102) == 101
    assert _chosen(folder, 101) == 100
    assert _chosen(folder, 102, disabled={101}) == 100
    assert _chosen(folder, 102, last_run=100) == 100
    assert _chosen(folder, 102, last_run=500) == 101
    assert _chosen(folder, 100) is None
    assert _chosen(folder, 102, disabled={100, 101}) is None
    assert read_reference(folder, TAG, 101).lists == {A: "", B: " 2-3 "}
    assert read_reference(folder, TAG, 100).lists == {A: " 1 ", B: ""}


def test_the_reference_of_open_ended_uploads(folder: Folder) -> None:
    _upload(folder, 100, {A: " 1 ", B: " 2 "}, open_ended=True)
    _upload(folder, 102, {A: " 7 "}, open_ended=True)
    assert _chosen(folder, 103) == 102
    assert read_reference(folder, TAG, 102).lists == {A: " 7 ", B: " 2 "}
    assert _chosen(folder, 100) is None


def test_a_one_run_upload_after_an_open_ended_one(folder: Folder) -> None:
    _upload(folder, 100, {A: " 1 "}, open_ended=True)
    _upload(folder, 101, {A: " 9 "})
    assert _chosen(folder, 102) == 101
    assert read_reference(folder, TAG, 101).lists == {A: " 9 "}
    assert valid_lists(folder, TAG, run_lumi(102)) == {A: " 1 "}  # resumed after run 101
    assert uploaded_runs(folder, TAG) == [100, 101]


def test_a_disabled_open_ended_run_still_covers_the_next(folder: Folder) -> None:
    _upload(folder, 100, {A: " 1 "}, open_ended=True)
    _upload(folder, 101, {A: " 9 "}, open_ended=True)
    assert _chosen(folder, 102, disabled={101}) == 100
    assert read_reference(folder, TAG, 100).lists == {A: " 1 "}
    assert valid_lists(folder, TAG, run_lumi(102)) == {A: " 9 "}


def test_forcing_takes_the_run_itself_if_it_was_uploaded(folder: Folder) -> None:
    _upload(folder, 100, {A: " 1 "})
    _upload(folder, 101, {A: " 2 "})
    assert _chosen(folder, 101, force=True) == 101
    assert _chosen(folder, 102, force=True) == 101
    assert _chosen(folder, 99, force=True) is None


def test_a_superseded_upload_no_longer_counts(folder: Folder) -> None:
    _upload(folder, 100, {A: " 1 "}, open_ended=True)
    _upload(folder, 100, {A: " 2 "}, open_ended=True)
    _upload(folder, 90, {A: " 3 "}, open_ended=True)
    assert uploaded_runs(folder, TAG) == [90]
    assert read_reference(folder, TAG, 90).lists == {A: " 3 "}


def test_the_insertion_time_is_that_of_the_runs_own_objects(folder: Folder) -> None:
    _upload(folder, 102, {A: " 1 "})
    _upload(folder, 103, {A: " 5 ", B: " 2 "})
    first = folder.find(run_lumi(102), A, tag=TAG).inserted
    assert read_reference(folder, TAG, 102).inserted == first
    _upload(folder, 102, {A: " 3 ", B: ""})
    again = read_reference(folder, TAG, 102).inserted
    assert again == folder.find(run_lumi(102), B, tag=TAG).inserted > first
    late = (run_lumi(110, 1), INF, A, (10000, 0, 0, 0, 0, "NOISY", 0.015, " 1 "))
    folder.store_each([late], tag=TAG, user_tag_only=True)
    assert read_reference(folder, TAG, 110).lists == {}
    assert read_reference(folder, TAG, 110).inserted > again
    assert read_reference(folder, TAG, 999).inserted == ""


def test_later_channels_of_a_module_replace_earlier_ones(folder: Folder) -> None:
    _upload(folder, 100, {A: " 1 ", A | 1 << 10: " 2 "})
    assert read_reference(folder, TAG, 100).lists == {A: " 2 "}


@pytest.mark.parametrize("text", [" 5-3 ", " 1536 ", " x1 ", " 1,2 ", " -1 ", " 1- "])
def test_a_malformed_list_names_folder_channel_and_run(folder: Folder, text: str) -> None:
    _upload(folder, 100, {B: " 1 ", A: text})
    for read in (
        lambda: read_reference(folder, TAG, 100),
        lambda: valid_lists(folder, TAG, run_lumi(100)),
        lambda: upload_numbers(folder, TAG, 101, 3),
    ):
        with pytest.raises(CoolError, match=rf"Monitoring: channel {A}: DefectList of run 100"):
            read()  # type: ignore[no-untyped-call]


@pytest.mark.requirement("R10")
def test_a_missing_folder_or_tag_names_those_present(db: Database, folder: Folder) -> None:
    _upload(folder, 100, {A: " 1 "})
    with pytest.raises(NodeError, match=f"did you mean '{PATH}'"):
        db.folder(PATH + "s")
    for read in (
        lambda: uploaded_runs(folder, "SctDerived"),
        lambda: read_reference(folder, "SctDerived", 100),
        lambda: upload_numbers(folder, "SctDerived", 100, 3),
    ):
        with pytest.raises(TagError, match=f"no tag 'SctDerived' in {PATH}; there are: {TAG}"):
            read()  # type: ignore[no-untyped-call]


def test_a_folder_without_lists_is_refused(db: Database) -> None:
    folder = create_sct_folder(db, "/SCT/Derived/Efficiency")
    folder.store(run_lumi(100), INF, (1, 0, 0, 0, 0, 0.5), A, tag="T")
    with pytest.raises(CoolError, match="has no field DefectList, only SampleSize, barrel_endcap"):
        read_reference(folder, "T", 100)


# ---------------------------------------------------------------- numbers of the upload test


def test_upload_numbers_are_plain_means_of_the_last_runs(folder: Folder) -> None:
    _upload(folder, 100, {A: " 0-2  5  768-769 ", B: "", C: " 7 "})  # 2 modules, 7 strips
    _upload(folder, 101, {A: " 1 ", B: "", C: ""})  # 1 module, 1 strip
    _upload(folder, 103, {A: " 1-4 ", B: " 5 ", C: " 767-768 "})  # 3 modules, 7 strips
    numbers = upload_numbers(folder, TAG, 104, 2)
    assert numbers is not None
    assert (numbers.runs, numbers.strips_last_run) == ((103, 101), 7)
    assert (numbers.module_average, numbers.strip_average) == (2.0, 4.0)
    numbers = upload_numbers(folder, TAG, 104, 10)
    assert numbers is not None
    assert numbers.runs == (103, 101, 100)
    assert (numbers.module_average, numbers.strip_average) == (2.0, 5.0)
    numbers = upload_numbers(folder, TAG, 103, 3, disabled={101})
    assert numbers is not None
    assert (numbers.runs, numbers.strips_last_run) == ((100,), 7)
    assert upload_numbers(folder, TAG, 100, 3) is None
    assert upload_numbers(folder, TAG, 104, 0) is None


def test_a_file_with_two_noisy_modules_counts_two(folder: Folder) -> None:
    lists = {A + 2048 * n: " 5 " if n in (3, 9) else "" for n in range(200)}
    _upload(folder, 100, lists)
    numbers = upload_numbers(folder, TAG, 101, 3)
    assert numbers is not None
    assert (numbers.module_average, numbers.strip_average) == (2.0, 2.0)


def test_what_resumes_at_the_last_key_of_a_run_is_not_counted_twice(folder: Folder) -> None:
    _upload(folder, 100, {A: " 1-5 ", B: " 7 "}, open_ended=True)
    _upload(folder, 101, {A: " 9 "})
    assert len(folder.browse(run_lumi(101), run_lumi(101, 0xFFFFFFFF), tag=TAG)) == 3
    numbers = upload_numbers(folder, TAG, 102, 1)
    assert numbers is not None
    assert numbers.runs == (101,)
    assert (numbers.module_average, numbers.strips_last_run) == (2.0, 2)


def test_a_blank_list_is_a_noisy_module_without_strips(folder: Folder) -> None:
    _upload(folder, 100, {A: "  ", B: " 1 "})
    numbers = upload_numbers(folder, TAG, 101, 1)
    assert numbers is not None
    assert (numbers.module_average, numbers.strips_last_run) == (2.0, 1)


# ---------------------------------------------------------------- where the conditions are


def test_conditions_are_opened_by_path_or_connection_string(tmp_path: Path) -> None:
    path = tmp_path / "conditions.db"
    Database.create(path, clock=ticking()).close()
    for text in (path, str(path), f"sqlite://;schema={path};dbname=CONDBR2"):
        with open_conditions(text) as db:
            assert (db.name, db.path, db.file.read_only) == ("CONDBR2", path, True)
    with pytest.raises(CoolError, match="no database 'COMP200'; there are: CONDBR2"):
        open_conditions(f"sqlite://;schema={path};dbname=COMP200")
    with pytest.raises(CoolError, match="no database 'COMP200'"):
        open_conditions(path, default_name="COMP200")
    with pytest.raises(CoolError, match="does not exist"):
        open_conditions(tmp_path / "absent.db")
    assert not (tmp_path / "absent.db").exists()


def test_disabled_runs_stand_beside_the_database(tmp_path: Path) -> None:
    path = tmp_path / "conditions.db"
    assert disabled_runs(path, PATH) == set()
    entries = [
        {"folder": PATH, "run": 101, "who": "me", "when": "2026-01-01", "why": "standby"},
        {"folder": "/SCT/Derived/DeadChips", "run": 102, "who": "me", "when": "", "why": ""},
        {"folder": PATH, "run": 105, "who": "me", "when": "", "why": "test"},
    ]
    (tmp_path / "conditions.db.disabled.json").write_text(json.dumps(entries))
    assert disabled_file(path).name == "conditions.db.disabled.json"
    assert disabled_runs(path, PATH) == {101, 105}
    assert disabled_runs(path, "/SCT/Derived/DeadChips") == {102}
    assert disabled_runs(path, "/X") == set()


@pytest.mark.parametrize(
    "text",
    ["", "{", "{}", "[1]", '[{"folder": "/X"}]', '[{"folder": 1, "run": 1}]', '[{"run": true}]'],
)
def test_a_malformed_list_of_disabled_runs_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.db.disabled.json").write_text(text)
    with pytest.raises(CoolError, match=r"a\.db\.disabled\.json"):
        disabled_runs(tmp_path / "a.db", "/X")
