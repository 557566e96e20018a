"""``sctcalib cool merge``: what is printed, and exit codes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sctcalib.cool import Database, Payload, Versioning, run_lumi
from sctcalib.cool.commands import cool
from sctcalib.cool.merging import Options, merge
from sctcalib.cool.merging.beside import read_log
from sctcalib.cool.merging.problems import MEANINGS
from sctcalib.cool.merging.report import Outcome
from tests.cool.helpers import INF
from tests.cool.merge_helpers import (
    MODULES,
    NOISY,
    NOISY_TAG,
    A,
    B,
    fresh_destination,
    job_file,
    one_run,
)

Run = Callable[..., Result]
CONDITIONS_PAGE = Path(__file__).parents[2] / "docs" / "conditions.md"


@pytest.fixture
def dest(tmp_path: Path) -> Path:
    return fresh_destination(tmp_path / "dest.db")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return job_file(tmp_path / "mycool.db", NOISY, NOISY_TAG, {A: " 1-3 ", B: ""}, one_run(300000))


@pytest.fixture
def run() -> Run:
    return lambda *arguments: CliRunner().invoke(cool, ["merge", *map(str, arguments)])


def test_the_table_of_a_merge(run: Run, source: Path, dest: Path) -> None:
    done = run(source, dest, "--ignoredesc", "--nobackup", "--nomail", "--batch", "--comment", "c")
    assert done.exit_code == 0, done.output
    assert [line.split() for line in done.output.splitlines()[:2]] == [
        ["folder", "tag", "valid", "channels", "rows", "new", "same", "update", "conflict"],
        [NOISY, NOISY_TAG, "300000/0", "-", "300000/4294967295", "2", "2", "2", "0", "0", "0"],
    ]
    assert done.output.splitlines()[2:] == [
        (
            f"{NOISY}: compared with nothing: modules 1 (1 new, 0 gone, 0 changed, 0 unchanged), "
            "strips 3 (3 new, 0 gone, 0 unchanged)"
        ),
        f"merged: 2 objects into CONDBR2 in {dest}",
    ]
    (record,) = read_log(dest)
    assert (record["comment"], record["backup"]) == ("c", None)
    again = run(source, dest, "--ignoredesc")
    assert (again.exit_code, again.output.splitlines()[-1]) == (
        0,
        f"no change: all is in CONDBR2 in {dest} already",
    )


def test_a_refusal_tells_the_reason_and_the_table(run: Run, source: Path, dest: Path) -> None:
    run(source, dest, "--ignoredesc")
    other = job_file(dest.parent / "o.db", NOISY, NOISY_TAG, {A: " 9 ", B: ""}, one_run(300000))
    done = run(other, dest, "--ignoredesc")
    assert done.exit_code == 37
    assert done.stdout.splitlines()[-1].startswith("refused: nothing was written into CONDBR2")
    assert done.stderr.startswith(f"Error: {NOISY} {NOISY_TAG}: 1 conflict with what is there:\n")
    assert f"  channel {A}, 300000/0 - 300000/4294967295: it is there with another" in done.stderr
    assert run(other, dest, "--ignoredesc", "--replace", "--noexec").exit_code == 0
    assert run(other, dest, "--ignoredesc", "--replace").exit_code == 0


def test_json_of_a_merge_and_of_a_refusal(run: Run, source: Path, dest: Path) -> None:
    done = run(source, dest, "--json")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["outcome"], told["code"]) == (39, "refused", 39)
    assert [problem["code"] for problem in told["problems"]] == [39]
    told = json.loads(run(source, dest, "--json", "--ignoredesc").stdout)
    assert (told["outcome"], told["folders"][0]["run"]) == ("merged", 300000)
    assert Path(told["backup"]).exists()


def test_another_database_of_the_destination(run: Run, source: Path, tmp_path: Path) -> None:
    from tests.cool.merge_helpers import new_destination

    dest = new_destination(tmp_path / "m.db", "MONP200")
    assert run(source, dest, "--ignoredesc").exit_code == 10
    done = run(source, dest, "--ignoredesc", "--destdb", "MONP200")
    assert "merged: 2 objects into MONP200" in done.output


def test_the_help_has_an_example_and_all_codes(run: Run) -> None:
    text = run("--help").output
    assert "Example:" in text
    assert [code for code in MEANINGS if not re.search(rf"\b{code}\b", text)] == []


# ---- other folders than those of the SCT


def test_single_version_folders_and_named_channels(tmp_path: Path) -> None:
    def make(path: Path, objects: list[tuple[int, int, int, tuple[int]]]) -> Path:
        with Database.create(path) as db:
            folder = db.create_folder(
                "/A", [("x", "Int32")], versioning=Versioning.SINGLE, payload=Payload.INLINE
            )
            for channel in sorted({o[2] for o in objects}):
                folder.create_channel(channel, f"name {channel}", "text")
            folder.store_each(objects)
        return path

    dest = make(tmp_path / "dest.db", [(10, INF, 1, (1,))])
    source = make(tmp_path / "a.db", [(20, INF, 1, (2,)), (5, 9, 2, (3,))])
    report = merge(source, dest)
    assert report.outcome is Outcome.MERGED
    with Database.open(dest) as db:
        assert db.check() == []
        assert [(o.channel, o.since, o.until) for o in db.folder("/A").browse()] == [
            (1, 10, 20),
            (1, 20, INF),
            (2, 5, 9),
        ]
        assert [c.name for c in db.folder("/A").channels()] == ["name 1", "name 2"]
    assert merge(source, dest).outcome is Outcome.NO_CHANGE
    late = make(tmp_path / "b.db", [(15, 30, 1, (9,))])
    done = CliRunner().invoke(cool, ["merge", str(late), str(dest), "--replace"])
    assert done.exit_code == 37  # such a folder keeps no history


def test_vectors_and_head(tmp_path: Path) -> None:
    def make(path: Path, vector: list[list[float]]) -> Path:
        with Database.create(path) as db:
            folder = db.create_folder("/V", [("x", "Float")], payload=Payload.VECTOR)
            folder.store(run_lumi(5), INF, vector, 3)
        return path

    dest = make(tmp_path / "dest.db", [[0.1], [2.0]])
    assert merge(make(tmp_path / "a.db", [[0.1], [2.0]]), dest).outcome is Outcome.NO_CHANGE
    other = make(tmp_path / "b.db", [[0.1], [3.0]])
    assert merge(other, dest, Options(replace=True)).outcome is Outcome.MERGED
    with Database.open(dest) as db:
        assert db.check() == []
        (found,) = db.folder("/V").browse()
    assert [item["x"] for item in found.items][1] == 3.0


def test_numbers_of_other_software_that_were_not_rounded(tmp_path: Path, dest: Path) -> None:
    import sqlite3

    source = job_file(tmp_path / "a.db", NOISY, NOISY_TAG, {A: " 1 "}, one_run(100))
    with sqlite3.connect(source) as connection:
        connection.execute("UPDATE CONDBR2_F0003_PAYLOAD SET Threshold = 0.015")
    connection.close()
    for outcome in (Outcome.MERGED, Outcome.NO_CHANGE):
        assert merge(source, dest, Options(ignore_description=True)).outcome is outcome


def test_many_channels_are_loaded_as_one_by_one(tmp_path: Path) -> None:
    """The same rows come of one flush over all modules and of many over a few."""
    dumps, channels = [], MODULES[:400]
    for n, size in enumerate((len(channels), 40)):
        with Database.create(tmp_path / f"{n}.db", clock=lambda: 10**18) as db:
            folder = db.create_folder("/A", [("x", "Int32")])
            for run in (5, 6, 5):
                for start in range(0, len(channels), size):
                    some = channels[start : start + size]
                    objects = [(run_lumi(run), INF, channel, (run,)) for channel in some]
                    folder.store_bulk(objects, tag="t", user_tag_only=True)
            columns = "CHANNEL_ID, IOV_SINCE, IOV_UNTIL, NEW_HEAD_ID, ORIGINAL_ID, OBJECT_ID"
            sql = f"SELECT {columns} FROM {folder.table('IOVS')} ORDER BY OBJECT_ID"
            dumps.append(db.file.rows(sql))
    assert dumps[0] == dumps[1]


# ---- the page


def test_the_page_has_the_table_of_codes() -> None:
    text = CONDITIONS_PAGE.read_text(encoding="utf-8")
    assert dict(re.findall(r"^\| (\d+) \| (.+) \|$", text, re.MULTILINE)) == {
        "0": "merged, or no change",
        **{str(int(code)): meaning for code, meaning in MEANINGS.items()},
    }


def test_the_page_names_every_option_and_command() -> None:
    from sctcalib.conditions.commands import conditions
    from sctcalib.cool.merge_command import merge as command

    text = CONDITIONS_PAGE.read_text(encoding="utf-8")
    options = [o for p in command.params for o in p.opts if o.startswith("--")]
    assert [option for option in options if f"`{option}" not in text] == []
    assert set(re.findall(r"`sctcalib conditions (\w+) ", text)) == set(conditions.commands)
