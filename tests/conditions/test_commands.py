"""``sctcalib conditions ...``: uploads, status, disabled runs, log, rules."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sctcalib.conditions.commands import conditions
from sctcalib.conditions.layout import init
from sctcalib.cool import Database
from sctcalib.cool.folders import create_sct_folder
from sctcalib.cool.merging.beside import locked
from sctcalib.cool.reference import disabled_file, disabled_runs
from tests.cool.merge_helpers import (
    DEAD,
    DEAD_TAG,
    NOISY,
    NOISY_TAG,
    A,
    B,
    content,
    job_file,
    one_run,
    payload,
)

Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    return lambda *arguments: CliRunner().invoke(conditions, [str(a) for a in arguments])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    init(tmp_path / "c")
    return tmp_path / "c"


def noisy(path: Path, run_number: int, lists: dict[int, str]) -> Path:
    return job_file(path, NOISY, NOISY_TAG, dict(lists), one_run(run_number))


def both(path: Path, run_number: int) -> Path:
    """A file with noisy strips and dead ones."""
    noisy(path, run_number, {A: " 1 "})
    with Database.open(path, read_only=False) as db:
        created = create_sct_folder(db, DEAD)
        interval = one_run(run_number)
        created.store(*interval, payload(DEAD, " 7 "), B, tag=DEAD_TAG, user_tag_only=True)
    return path


@pytest.mark.requirement("R68")
@pytest.mark.requirement("R69")
def test_noisy_strips_and_other_folders_go_to_their_databases(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    done = run("upload", both(tmp_path / "a.db", 100), "--to", folder)
    assert done.exit_code == 0, done.output
    assert "merged: 1 objects into CONDBR2" in done.output
    assert "merged: 1 objects into MONP200" in done.output
    with Database.open(folder / "CONDBR2.db") as db:
        assert db.folder(NOISY).count(NOISY_TAG) == 1
    with Database.open(folder / "MONP200.db") as db:
        assert db.folder(DEAD).count(DEAD_TAG) == 1
    assert (folder / "CONDBR2.db.backup").is_dir()
    assert not (folder / "MONP200.db.backup").exists()
    log = json.loads(run("log", folder, "--json").output)
    assert [record["comment"] for record in log] == ["SCT NoisyStrips", "SCT MONP200 Folders"]
    again = run("upload", both(tmp_path / "b.db", 100), "--to", folder)
    assert again.output.count("no change") == 2


def test_a_conflict_in_one_database_keeps_the_other_as_it_is(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    other = job_file(tmp_path / "d.db", DEAD, DEAD_TAG, {B: " 9 "}, one_run(100))
    assert run("upload", other, "--to", folder).exit_code == 0
    before = content(folder / "CONDBR2.db")
    done = run("upload", both(tmp_path / "a.db", 100), "--to", folder, "--json")
    assert done.exit_code == 37
    told = json.loads(done.stdout)
    assert (told["outcome"], told["code"]) == ("refused", 37)
    assert content(folder / "CONDBR2.db") == before
    assert run("upload", tmp_path / "a.db", "--to", folder, "--replace").exit_code == 0


def test_a_dry_run_of_an_upload(run: Run, folder: Path, tmp_path: Path) -> None:
    before = sorted(folder.iterdir()), content(folder / "MONP200.db")
    done = run("upload", both(tmp_path / "a.db", 100), "--to", folder, "--dry-run", "--json")
    assert [report["outcome"] for report in json.loads(done.stdout)] == ["dry run"] * 2
    assert (sorted(folder.iterdir()), content(folder / "MONP200.db")) == before


def test_uploads_that_cannot_be(run: Run, folder: Path, tmp_path: Path) -> None:
    for arguments, code, word in (
        ((tmp_path / "none.db", "--to", folder), 10, "none.db"),
        ((noisy(tmp_path / "a.db", 100, {A: ""}), "--to", tmp_path / "x"), 10, "does not exist"),
        ((tmp_path / "a.db", "--to", folder, "--db", "OFLP200"), 10, "OFLP200"),
    ):
        done = run("upload", *arguments)
        assert (done.exit_code, word in done.stderr) == (code, True), done.output
    (folder / "MONP200.db").unlink()
    done = run("upload", both(tmp_path / "b.db", 100), "--to", folder)
    assert done.exit_code == 10
    assert "has no MONP200.db for /SCT/Derived/DeadStrips" in done.stderr


def test_status_shows_the_last_runs(run: Run, folder: Path, tmp_path: Path) -> None:
    for number in (100, 102, 101, 99):
        done = run("upload", noisy(tmp_path / f"{number}.db", number, {A: " 1 "}), "--to", folder)
        assert done.exit_code == 0
    run("disable", folder, "--run", 102, "--folder", "Monitoring", "--why", "standby")
    found = json.loads(run("status", folder, "--json").output)
    first = found[0]
    assert (first["database"], first["folder"], first["tag"]) == ("CONDBR2", NOISY, NOISY_TAG)
    assert (first["objects"], first["runs"], first["disabled"]) == (4, [102, 101, 100], [102])
    assert first["inserted"].endswith(" GMT")
    assert [one["runs"] for one in found[1:]] == [[]] * 7
    text = run("status", folder, "--runs", 2).output
    assert "102 101 " in text
    assert "none" in text


def test_disabling_is_read_by_jobs_and_undone_by_enabling(run: Run, folder: Path) -> None:
    arguments = (folder, "--run", 100, "--folder", "doNoisyStrip")
    done = run("disable", *arguments, "--why", " in standby ")
    assert done.exit_code == 0
    assert "run 100 of /SCT/Derived/Monitoring is disabled, by " in done.output
    file = folder / "CONDBR2.db"
    assert disabled_runs(file, NOISY) == {100}
    assert disabled_runs(file, DEAD) == set()
    (entry,) = json.loads(disabled_file(file).read_text())
    assert list(entry) == ["folder", "run", "who", "when", "why"]
    assert entry["why"] == "in standby"
    assert "disabled already" in run("disable", *arguments, "--why", "again").output
    assert json.loads(disabled_file(file).read_text()) == [entry]
    assert "enabled again" in run("enable", *arguments).output
    assert disabled_runs(file, NOISY) == set()
    wrong = run("enable", *arguments)
    assert (wrong.exit_code, "is not disabled; no run is" in wrong.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--run", "100", "--folder", "Monitorin", "--why", "x"), "did you mean 'Monitoring'"),
        (("--run", "100", "--folder", "Monitoring", "--why", " "), "say why"),
        (("--run", "0", "--folder", "Monitoring", "--why", "x"), "0"),
        (("--run", "100", "--folder", "Monitoring", "--why", "x", "--db", "X"), "'X'"),
    ],
)
def test_mistakes_of_disabling(
    run: Run, folder: Path, arguments: tuple[str, ...], word: str
) -> None:
    done = run("disable", folder, *arguments)
    assert done.exit_code in (2, 74)
    assert word in done.stderr
    assert not disabled_file(folder / "CONDBR2.db").exists()


def test_a_list_that_is_none_is_not_replaced(run: Run, folder: Path) -> None:
    path = disabled_file(folder / "CONDBR2.db")
    path.write_text('[{"run": 3}]')
    done = run("disable", folder, "--run", 1, "--folder", "Monitoring", "--why", "x")
    assert done.exit_code == 74
    assert path.read_text() == '[{"run": 3}]'


def test_disabling_waits_for_a_merge(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sctcalib.conditions.disabled.WAIT_S", 0.1)
    with locked(folder / "CONDBR2.db"):
        done = run("disable", folder, "--run", 1, "--folder", "Monitoring", "--why", "x")
    assert (done.exit_code, "held by another merge" in done.stderr) == (41, True)


def test_the_log_as_a_table(run: Run, folder: Path, tmp_path: Path) -> None:
    for number in (100, 101):
        file = noisy(tmp_path / f"{number}.db", number, {A: " 1 "})
        run("upload", file, "--to", folder, "--comment", f"of {number}")
    lines = run("log", folder, "--last", 1).output.splitlines()
    assert len(lines) == 2
    assert lines[0].split() == [
        "when",
        "who",
        "database",
        "folder",
        "tag",
        "run",
        "rows",
        "comment",
        "file",
    ]
    assert "of 101" in lines[1]
    assert lines[1].endswith("101.db")


def test_rules(run: Run, folder: Path, tmp_path: Path) -> None:
    assert "UPD4 tags: none" in run("rules", folder).output
    run("rules", folder, "--first-open-run", 101)
    assert "UPD4 tags: 101" in run("rules", folder, "--allow-run", 5, "--allow-run", 6).output
    file = noisy(tmp_path / "a.db", 100, {A: " 1 "})
    assert run("upload", file, "--to", folder).exit_code == 35
    done = run("rules", folder, "--no-first-open-run", "--forbid-run", 5)
    assert done.output.splitlines()[1].endswith("change: 6")
    assert run("upload", file, "--to", folder).exit_code == 0
    wrong = run("rules", folder, "--first-open-run", 1, "--no-first-open-run")
    assert wrong.exit_code == 2
    assert run("rules", folder, "--db", "X").exit_code == 2


def test_init_takes_tags_from_a_configuration(run: Run, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text('TagID4DeadStrips = "SctDerivedDeadStrips-TEST"\n')
    done = run("init", tmp_path / "c", "--config", tmp_path / "c.toml", "--run1")
    assert done.exit_code == 0, done.output
    assert done.output.count("made ") == 3
    with Database.open(tmp_path / "c" / "MONP200.db") as db:
        assert db.folder(DEAD).tag_names() == ["SctDerivedDeadStrips-TEST"]
    again = run("init", tmp_path / "c")
    assert (again.exit_code, "already" in again.stderr) == (74, True)
    (tmp_path / "d.toml").write_text("TagID4DeadStrip = 3\n")
    wrong = run("init", tmp_path / "d", "--config", tmp_path / "d.toml")
    assert wrong.exit_code == 2
    assert not (tmp_path / "d").exists()
