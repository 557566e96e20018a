"""The list of inputs: what is found, what is dropped, which run it is."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from sctcalib.job.errors import JobError, ProblemsError
from sctcalib.job.inputs import fetch, parse_inputs, resolve_inputs

RUN = "data15_13TeV.00267367.calibration_SCTNoise.sctcal.HITMAP.c0"
OTHER_RUN = "data15_13TeV.00267368.calibration_SCTNoise.sctcal.HITMAP.c0"


def make(here: Path, *names: str) -> None:
    for name in names:
        path = here / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def names(*items, run=1, **more) -> list[str]:
    return [str(file.path) for file in resolve_inputs(items, run=run, **more).files]


def refusal(*items, run=1, **more) -> JobError:
    with pytest.raises(JobError) as caught:
        resolve_inputs(items, run=run, **more)
    return caught.value


def test_order_of_the_list_is_kept(here):
    make(here, "c", "d/e", "f")
    assert names("f", "c", "d/e", str(here / "a.num")) == ["f", "c", "d/e", str(here / "a.num")]


def test_forms_of_items_find_the_same_file(here):
    make(here, f"{RUN}._0001.x.root")
    file = f"{RUN}._0001.x.root"
    for item in (
        file,
        f"{RUN}#{file}",
        f"{RUN}##._0001.x.root",
        f" {file} ",
        {"dsn": RUN, "lfn": file, "events": 5},
        {"lfn": f"{RUN}#{file}"},
        {"lfn": file, "pfn": "/elsewhere", "guid": "x", "svcclass": None, "unknown": [1]},
    ):
        found = resolve_inputs([item], run=None)
        assert [str(f.path) for f in found.files] == [file]
        assert (found.run, found.project, found.stream, found.input_type) == (
            267367,
            "data15_13TeV",
            "calibration_SCTNoise",
            "HITMAP",
        )


def test_claims_of_an_item():
    (file,) = parse_inputs([{"lfn": "x", "events": "12", "checksum": "AD:0034ABCD"}])
    assert (file.events, file.checksum) == (12, "0034abcd")
    (file,) = parse_inputs([{"lfn": "x", "events": None, "checksum": "md5:unknown"}])
    assert (file.events, file.checksum) == (None, None)


def test_claimed_events_are_summed_only_if_all_claim(here):
    both = [{"lfn": "a.num", "events": 3}, {"lfn": "b.num", "events": 4}]
    assert resolve_inputs(both, run=1).events == 7
    assert resolve_inputs([both[0], "b.num"], run=1).events is None


def test_labels_come_from_the_first_name_that_tells_them(here):
    make(here, f"{RUN}.f")
    found = resolve_inputs(
        [{"dsn": "mine", "lfn": "a.num"}, {"dsn": "x", "lfn": f"{RUN}.f"}], run=None
    )
    assert (found.run, found.project) == (267367, "data15_13TeV")


@pytest.mark.requirement("R3")
def test_highest_attempt_is_found(here):
    make(here, "f.root.1", "f.root.9", "f.root.10", "f.root.x", "f.root.", "g.f.root.11")
    assert names("f.root") == ["f.root.10"]


def test_the_name_itself_wins_over_attempts(here):
    make(here, "f.root", "f.root.1")
    assert names("f.root") == ["f.root"]


def test_of_several_attempts_the_last_is_used_in_the_place_of_the_first(here, caplog):
    make(here, "f.root.1", "f.root.2", "f.root.10")
    assert names("f.root.2", "a.num", "f.root.10", "f.root.1") == ["f.root.10", "a.num"]
    warnings = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert len(warnings) == 2
    assert all("is given in several attempts; f.root.10 is used" in text for text in warnings)


def test_attempts_of_files_in_different_folders_are_different_files(here):
    make(here, "x/f.root.1", "y/f.root.2")
    assert names("x/f.root.1", "y/f.root.2") == ["x/f.root.1", "y/f.root.2"]


@pytest.mark.parametrize(
    "again", ["a.num", "./a.num", "../run/a.num", "link", "hard", "folder/a.num"]
)
def test_a_file_listed_twice_is_used_once_with_a_warning(here, caplog, again):
    (here / "link").symlink_to("a.num")
    os.link(here / "a.num", here / "hard")
    (here / "folder").symlink_to(".")
    assert names("a.num", "b.num", again) == ["a.num", "b.num"]
    assert [r.getMessage() for r in caplog.records] == [f"{again} is listed twice; it is used once"]


def test_a_repeated_attempt_is_used_once_with_a_warning(here, caplog):
    make(here, "f.root.1")
    assert names("f.root.1", "f.root.1") == ["f.root.1"]
    assert "f.root.1 is listed twice" in caplog.text


def test_a_remote_file_listed_twice_is_used_once(caplog):
    found = resolve_inputs(["root://h//f", "root://h//f"], run=1)
    assert [file.name for file in found.files] == ["root://h//f"]
    assert "listed twice" in caplog.text


def test_links_are_followed(here):
    (here / "link").symlink_to("a.num")
    assert names("link") == ["link"]


BAD_FILES = [
    ("missing.root", "missing.root not found"),
    ("folder", "folder: is not a file"),
    ("pipe", "pipe: is not a file"),
    ("broken", "broken not found"),
    ("loop", "loop"),
    ("/dev/null", "/dev/null: is not a file"),
    ("a.num/below", "a.num/below not found"),
    ("x" * 300, "File name too long"),
    ("x/" * 3000 + "y", "File name too long"),
    (" ", "names no file"),
    ("D#", "input '' of dataset 'D' names no file"),
    ("folder/", "names no file"),
    ("..", "names no file"),
    ({"lfn": " ", "dsn": "D"}, "input '' of dataset 'D' names no file"),
]


@pytest.mark.parametrize(
    ("item", "text"), BAD_FILES, ids=[str(row[1]) + str(n) for n, row in enumerate(BAD_FILES)]
)
def test_what_is_no_readable_file_is_refused_by_name(here, item, text):
    (here / "folder").mkdir()
    os.mkfifo(here / "pipe")
    (here / "broken").symlink_to("nowhere")
    (here / "loop").symlink_to("loop")
    error = refusal(item)
    assert error.code == 74
    assert text in str(error)


def test_all_missing_files_are_named_at_once(here):
    error = refusal("x", "a.num", "y")
    assert isinstance(error, ProblemsError)
    assert str(error) == "x not found\ny not found"
    assert error.code == 74


def test_files_of_two_runs_are_refused(here):
    make(here, f"{RUN}.f", f"{OTHER_RUN}.f")
    error = refusal(f"{RUN}.f", f"{OTHER_RUN}.f", run=None)
    assert error.code == 8
    assert f"run 267367: {RUN}.f; run 267368: {OTHER_RUN}.f" in str(error)


def test_a_file_of_another_run_than_its_dataset_is_refused(here):
    make(here, f"{OTHER_RUN}.f")
    assert refusal({"dsn": RUN, "lfn": f"{OTHER_RUN}.f"}, run=None).code == 8


def test_the_given_run_number_must_be_that_of_the_names(here):
    make(here, f"{RUN}.f")
    assert resolve_inputs([f"{RUN}.f"], run=267367).run == 267367
    error = refusal(f"{RUN}.f", run=5)
    assert error.code == 8
    assert "run 5: RunNumber 5" in str(error)


def test_without_a_run_number_nothing_goes(here):
    error = refusal("a.num", run=None)
    assert error.code == 17
    assert "the run number is missing" in str(error)
    assert "RunNumber" in str(error)


@pytest.mark.requirement("R21")
@pytest.mark.parametrize("items", [None, []])
def test_without_inputs_nothing_goes(items):
    with pytest.raises(JobError, match="input is missing") as caught:
        resolve_inputs(items, run=1)
    assert caught.value.code == 17


def test_input_dir_is_searched_by_base_name_and_falls_back(here, tmp_path):
    other = tmp_path / "other"
    make(other, "a.num", "f.root.2")
    make(here, "deep/f.root")
    found = names("a.num", "b.num", "deep/f.root", "root://h//a.num", input_dir=other)
    assert found == [str(other / "a.num"), "b.num", str(other / "f.root.2")]


def test_input_dir_finds_other_attempts_too(here, tmp_path):
    other = tmp_path / "other"
    make(other, "f.root.2", "f.root.3", "g.root", "h.root.1", "h.root.2")
    for asked, found in (
        ("f.root.1", "f.root.3"),
        ("g.root.7", "g.root"),
        ("h.root.1", "h.root.1"),
    ):
        assert names(asked, input_dir=other) == [str(other / found)]


def test_a_file_that_is_nowhere_names_the_input_dir(here, tmp_path):
    assert str(refusal("x", input_dir=tmp_path)) == f"x not found (nor in {tmp_path})"
    assert refusal("x", input_dir=tmp_path / "none").code == 74


def test_a_remote_file_is_fetched_whole(here, tmp_path):
    import fsspec

    fsspec.filesystem("memory").pipe("/far/f.root", b"12345")
    (file,) = resolve_inputs(["memory://far/f.root"], run=1).files
    assert file.path is None
    with pytest.raises(JobError, match="not fetched"):
        _ = file.local
    fetched = fetch(file, tmp_path)
    assert fetched.local == tmp_path / "f.root"
    assert fetched.local.read_bytes() == b"12345"
    assert fetch(fetched, tmp_path) is fetched


def test_remote_files_of_one_name_do_not_overwrite_each_other(tmp_path):
    import fsspec

    memory = fsspec.filesystem("memory")
    files = []
    for place in ("p", "q", "r"):
        memory.pipe(f"/{place}/f.root", place.encode())
        files += resolve_inputs([f"memory://{place}/f.root"], run=1).files
    assert [fetch(file, tmp_path).local.read_text() for file in files] == ["p", "q", "r"]


def test_without_xrootd_the_message_says_how_to_get_it(tmp_path, monkeypatch):
    import fsspec

    def missing(name: str):
        raise ImportError(name)

    monkeypatch.setattr(fsspec.core, "url_to_fs", missing)
    (file,) = resolve_inputs(["/eos/atlas/f"], run=1).files
    with pytest.raises(JobError, match=r"pip install 'sctcalib\[xrootd\]'") as caught:
        fetch(file, tmp_path)
    assert caught.value.code == 74
    assert str(caught.value).startswith("root://eosatlas.cern.ch//eos/atlas/f: ")


@pytest.mark.parametrize("name", ["memory://none/f", "nosuchprotocol://h/f"])
def test_a_remote_file_that_cannot_be_had_is_an_input_error(tmp_path, name):
    (file,) = resolve_inputs([name], run=1).files
    with pytest.raises(JobError) as caught:
        fetch(file, tmp_path)
    assert caught.value.code == 74
    assert str(caught.value).startswith(f"{name}: ")
