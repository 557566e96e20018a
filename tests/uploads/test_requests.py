"""Names of requests, what they hold, and how they are made from a job's database."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sctcalib.cool.connection import Connection, parse_connection
from sctcalib.cool.errors import CoolError
from sctcalib.cool.folders import SCT_FOLDERS
from sctcalib.parts import PARTS
from sctcalib.uploads.create import create_request
from sctcalib.uploads.requests import (
    TASKS,
    RequestError,
    find_requests,
    parse_request,
    read_request,
    request_name,
)
from tests.cool.merge_helpers import A, open_from, payload
from tests.uploads.files import job_database, put_request

RUN = 267367


@pytest.mark.requirement("R65")
def test_positions_in_the_name_of_a_request_for_noisy_strips():
    name = request_name(RUN, "noisy", "UPD4")
    assert name == "267367.noisy.UPD4.up"
    assert (name[0:6], name[13:17]) == ("267367", "UPD4")
    request = parse_request(Path(name))
    assert (request.run, request.task, request.tag, request.is_noisy) == (
        RUN,
        "noisy",
        "UPD4",
        True,
    )


@pytest.mark.requirement("R66")
@pytest.mark.requirement("R71")
@pytest.mark.parametrize("task", [task for task in TASKS.values() if task != "noisy"])
def test_positions_in_the_name_of_any_other_request(task):
    name = request_name(RUN, task, "UPD")
    assert name == f"267367.{task}.UPD.up"
    assert (name[0:6], name[7:12], name[13:16]) == ("267367", task, "UPD")
    request = parse_request(Path(name))
    assert (request.run, request.task, request.tag, request.is_noisy) == (RUN, task, "UPD", False)


def test_every_part_with_a_folder_has_a_code_of_its_own():
    assert set(TASKS) == set(SCT_FOLDERS) <= set(PARTS)
    assert len(set(TASKS.values())) == len(TASKS)


@given(st.integers(1, 999_999), st.sampled_from([*TASKS.values()]))
def test_names_go_there_and_back(run, task):
    tag = "UPD4" if task == "noisy" else "UPD"
    found = parse_request(Path(request_name(run, task, tag)))
    assert (found.run, found.task, found.tag) == (run, task, tag)


BAD_NAMES = [
    "267367.noisy.UPD.up",
    "267367.noisy.UPD44.up",
    "67367.noisy.UPD4.up",
    "1267367.noisy.UPD4.up",
    "000000.noisy.UPD4.up",
    "267367.effic.UPD4.up",
    "267367.effic.UP.up",
    "267367.effic.XPD.up",
    "267367.eff.UPD.up",
    "267367.efficiency.UPD.up",
    "267367.UPD.up",
    "effic.UPD.up",
    "267367.effic.UPD.UPD.up",
    "267367.effic.UP .up",
    ".up",
]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_any_other_name_is_refused_with_the_two_forms(name):
    with pytest.raises(RequestError, match=r"no name of a request; expected <run>\.noisy\.<tag>"):
        parse_request(Path(name))


def test_a_run_with_seven_digits_has_no_room_in_a_name():
    with pytest.raises(RequestError, match=r"1000000\.effic\.UPD\.up is no name"):
        request_name(1_000_000, "effic", "UPD")


@pytest.mark.requirement("R65")
def test_noisy_strips_come_first_and_then_ascending_runs(toupload):
    given_names = [
        "267368.effic.UPD.up",
        "267367.noise.UPD.up",
        "267369.noisy.UPD4.up",
        "000100.noisy.UPD4.up",
        "267367.effic.UPD.up",
    ]
    for name in [*given_names, ".267360.noisy.UPD4.up.17", "wrong.up", "notes.txt"]:
        put_request(toupload, name, "x.db")
    (toupload / "267360.noisy.UPD4.up").mkdir()
    requests, misnamed = find_requests(toupload)
    assert [request.path.name for request in requests] == [
        "000100.noisy.UPD4.up",
        "267369.noisy.UPD4.up",
        "267367.effic.UPD.up",
        "267367.noise.UPD.up",
        "267368.effic.UPD.up",
    ]
    assert [path.name for path, _ in misnamed] == ["wrong.up"]


def test_a_directory_that_is_not_there_is_named(tmp_path):
    with pytest.raises(RequestError, match="nowhere: cannot be read: No such file"):
        find_requests(tmp_path / "nowhere")


@pytest.mark.requirement("R67")
@pytest.mark.parametrize(
    ("text", "path", "name"),
    [
        ("/data/my cool.db", "/data/my cool.db", None),
        ("/data/a.db\n", "/data/a.db", None),
        ("  /data/a.db \r\n", "/data/a.db", None),
        ("../jobs/a.db", "{here}/../jobs/a.db", None),
        ("sqlite://;schema=/data/a.db;dbname=COMP200", "/data/a.db", "COMP200"),
        ("sqlite://;schema=a.db;dbname=COMP200\n", "{here}/a.db", "COMP200"),
    ],
)
def test_the_content_is_a_path_from_the_directory_of_requests_on(toupload, text, path, name):
    request = put_request(toupload, "267367.effic.UPD.up", "")
    request.write_text(text)
    expected = Connection(Path(path.format(here=toupload)), name)
    assert read_request(request, toupload) == expected


def test_paths_need_not_be_text(toupload):
    request = put_request(toupload, "267367.effic.UPD.up", "")
    request.write_bytes(b"/data/\xff.db\n")
    assert os.fsencode(read_request(request, toupload).path) == b"/data/\xff.db"


@pytest.mark.parametrize("text", ["", "\n \n", "a.db\nb.db\n", "a\0b.db"])
def test_content_that_is_not_one_path_is_refused(toupload, text):
    request = put_request(toupload, "267367.effic.UPD.up", "")
    request.write_text(text)
    with pytest.raises(RequestError, match="expected the path of one database"):
        read_request(request, toupload)


def test_a_connection_to_a_server_is_refused(toupload):
    request = put_request(toupload, "267367.effic.UPD.up", "oracle://server;schema=x;dbname=Y")
    with pytest.raises(CoolError, match="oracle"):
        read_request(request, toupload)


# ------------------------------------------------------------------ made from a database


@pytest.mark.parametrize("part", TASKS)
def test_the_name_says_what_the_file_holds(toupload, tmp_path, part):
    file = job_database(tmp_path / "mycool.db", RUN, part)
    path, is_new = create_request(Connection(file, None), toupload)
    tag = "UPD4" if part == "doNoisyStrip" else "UPD"
    assert (path.name, is_new) == (f"{RUN}.{TASKS[part]}.{tag}.up", True)
    assert path.read_text() == f"{file}\n"
    assert [each.name for each in toupload.iterdir()] == [path.name]


def test_one_request_is_for_all_that_a_file_holds(toupload, tmp_path):
    file = job_database(tmp_path / "a.db", RUN, "doLorentzAngle", "doEfficiency")
    assert create_request(Connection(file, None), toupload)[0].name == "267367.effic.UPD.up"
    file = job_database(tmp_path / "b.db", RUN, "doEfficiency", "doNoisyStrip")
    assert create_request(Connection(file, None), toupload)[0].name == "267367.noisy.UPD4.up"


def test_open_ended_noisy_strips_and_other_modes(toupload, tmp_path):
    file = job_database(
        tmp_path / "a.db", 99, "doNoisyStrip", interval=open_from(99), tag="Some-UPD1-001"
    )
    assert create_request(Connection(file, None), toupload)[0].name == "000099.noisy.UPD1.up"
    file = job_database(tmp_path / "b.db", 98, "doNoisyStrip", tag="Some-001")
    assert create_request(Connection(file, None), toupload)[0].name == "000098.noisy.UPD4.up"


def test_a_connection_string_keeps_the_name_of_the_database(toupload, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    job_database(tmp_path / "a.db", RUN, "doEfficiency")
    path, _ = create_request(parse_connection("sqlite://;schema=a.db;dbname=CONDBR2"), toupload)
    assert read_request(path, toupload) == Connection(tmp_path / "a.db", "CONDBR2")


def test_the_same_request_twice_is_one_and_another_file_is_refused(toupload, tmp_path):
    files = [job_database(tmp_path / name, RUN, "doEfficiency") for name in ("a.db", "b.db")]
    first, _ = create_request(Connection(files[0], None), toupload)
    assert create_request(Connection(files[0], None), toupload) == (first, False)
    with pytest.raises(RequestError, match=r"waits for .*a\.db already; remove it to request"):
        create_request(Connection(files[1], None), toupload)
    assert first.read_text() == f"{files[0]}\n"


def bad_files(folder: Path) -> dict[str, tuple[Path, str]]:
    """What cannot be requested, and why."""
    text = folder / "text.db"
    text.write_text("no database")
    several = job_database(folder / "several.db", RUN, "doEfficiency")
    from sctcalib.cool import Database

    known = SCT_FOLDERS["doDeadStrip"]
    with Database.open(several, read_only=False) as db:
        db.create_folder(known.path, known.fields).store(
            1 << 32, 2 << 32, payload(known.path, "1"), A, tag="T", user_tag_only=True
        )
    other = folder / "other.db"
    with Database.create(other, "CONDBR2") as db:
        db.create_folder("/PIXEL/Dead", [("a", "Int32")]).store(0, 1, (1,), 1)
    return {
        "missing": (folder / "missing.db", "missing.db"),
        "no database": (text, "text.db"),
        "nothing in it": (job_database(folder / "empty.db", RUN), "no object to merge"),
        "long run": (job_database(folder / "long.db", 10**6, "doEfficiency"), "runs 1-999999"),
        "several runs": (several, r"objects of 2 runs \(1, 267367\)"),
        "other folders": (other, "'/PIXEL/Dead' is no folder of the SCT"),
    }


KINDS = ["missing", "no database", "nothing in it", "long run", "several runs", "other folders"]


@pytest.mark.parametrize("kind", KINDS)
def test_files_that_cannot_be_uploaded_are_not_requested(toupload, tmp_path, kind):
    file, why = bad_files(tmp_path)[kind]
    with pytest.raises(CoolError, match=why):
        create_request(Connection(file, None), toupload)
    assert list(toupload.iterdir()) == []
