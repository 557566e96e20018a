"""The embedded run database: importing again, migrations, other people's files, two writers."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import assume, settings
from hypothesis import given as given_by
from hypothesis import strategies as st

from sctcalib.job.errors import InputFileError, JobError, OutputFileError
from sctcalib.runs import database as module
from sctcalib.runs.database import APPLICATION_ID, MIGRATIONS, RunDatabase, SqliteRuns
from sctcalib.runs.location import VARIABLE, location
from sctcalib.runs.records import contradictions
from tests.runs.helpers import GOOD, RUN, fill, given, good
from tests.support.processes import environment, without_rights


@pytest.fixture
def path(tmp_path):
    return tmp_path / "runs.db"


def values(path, run=RUN):
    with SqliteRuns(path) as store:
        return store.values(run)


def test_what_was_imported_is_read_back(path):
    fill(path, GOOD)
    assert values(path) == GOOD


def test_importing_again_replaces_the_fields_given_and_keeps_the_others(path):
    fill(path, GOOD)
    fill(path, {"run": RUN, "fill": 4000, "streams": {"express_express": {"events": 3}}})
    expected = {**GOOD, "fill": 4000, "streams": {"express_express": {"events": 3}}}
    assert values(path) == expected


def test_null_makes_a_field_unknown_again(path):
    fill(path, GOOD)
    fill(path, {"run": RUN, "fill": None})
    assert "fill" not in values(path)
    assert values(path)["project"] == "data15_13TeV"


def test_new_and_known_runs_are_counted(path):
    fill(path, good(1), good(2))
    with SqliteRuns(path) as store:
        assert store.merge([given(good(2)), given(good(3))]) == (1, 1)


def test_values_that_contradict_those_known_change_nothing(path):
    fill(path, GOOD)
    with SqliteRuns(path) as store, pytest.raises(InputFileError) as caught:
        store.merge([
            given(good(1), "a: runs[0] (run 1)"),
            given({"run": RUN, "end": 10**18}, "a: runs[1] (run 267367)"),
        ])  # fmt: skip
    assert str(caught.value).startswith(
        "a: runs[1] (run 267367): end 1000000000000000000 is before"
    )
    assert values(path) == GOOD
    assert values(path, 1) == {}


def test_runs_come_in_ascending_order_within_ranges(path):
    fill(path, *({"run": n} for n in (5, 1, 9, 7, 3)))
    with SqliteRuns(path) as store:
        assert [run.run for run in store.runs([(1, 3), (6, 2**63 - 1)])] == [1, 3, 7, 9]
        assert [times.run for times in store.times()] == [1, 3, 5, 7, 9]
        assert store.get(2) is None


def test_the_embedded_database_fits_the_interface(path):
    fill(path)
    with SqliteRuns(path) as store:
        remote_or_not: RunDatabase = store
        assert remote_or_not.name == str(path)


def test_the_version_of_the_file_is_the_number_of_migrations(path):
    fill(path)
    with sqlite3.connect(path) as connection:
        pragmas = [connection.execute(f"PRAGMA {name}").fetchone()[0]
                   for name in ("user_version", "application_id", "journal_mode")]  # fmt: skip
    connection.close()
    assert pragmas == [len(MIGRATIONS), APPLICATION_ID, "wal"]


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS)))
def test_an_older_file_is_brought_up_to_date_and_keeps_its_runs(path, monkeypatch, version):
    with monkeypatch.context() as older:
        older.setattr(module, "MIGRATIONS", MIGRATIONS[:version])
        fill(path, GOOD)
    assert values(path) == GOOD
    with SqliteRuns(path) as store:
        store.note_watched("x", 1, 2)
        assert store.watched("x") == (1, 2)


def test_a_file_of_a_newer_version_is_refused(path):
    fill(path)
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    with pytest.raises(InputFileError, match="made by a newer version"):
        SqliteRuns(path)


def test_a_database_of_somebody_else_is_refused_and_not_touched(path):
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE mine (x)")
    connection.close()
    before = path.read_bytes()
    for create in (False, True):
        with pytest.raises(InputFileError, match="is a SQLite file, and no run database"):
            SqliteRuns(path, create=create)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"garbage, and more than a page of it" * 200, b"{}"])
def test_a_file_that_is_no_database_is_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(InputFileError, match="file is not a database"):
        SqliteRuns(path, create=True)
    assert path.read_bytes() == content


def test_a_database_is_only_made_when_asked_for(path):
    with pytest.raises(InputFileError, match="no such file; 'sctcalib runs import' makes one"):
        SqliteRuns(path)
    assert not path.exists()
    with pytest.raises(InputFileError, match="is not a file"):
        SqliteRuns(path.parent, create=True)


def test_a_place_that_cannot_be_written_is_an_output_error(tmp_path):
    with pytest.raises(OutputFileError, match="cannot be opened") as caught:
        SqliteRuns(tmp_path / "none" / "runs.db", create=True)
    assert caught.value.code == 11


def test_a_damaged_database_is_an_input_error(path):
    fill(path, *(good(n) for n in range(1, 40)))
    data = bytearray(path.read_bytes())
    data[4096:-4096] = bytes(len(data) - 8192)
    path.write_bytes(data)
    with pytest.raises(JobError) as caught, SqliteRuns(path) as store:
        list(store.runs([(0, 10**9)]))
    assert caught.value.code == 74
    assert str(path) in str(caught.value)


def test_readers_see_what_was_committed_while_a_writer_writes(path):
    fill(path, GOOD)
    with SqliteRuns(path) as writer, SqliteRuns(path) as reader:
        with writer.atomic():
            writer.merge([given(good(1))])
            assert reader.get(1) is None
        assert reader.get(1)


def test_nothing_is_left_beside_the_file_after_the_last_user(path):
    fill(path, GOOD)
    values(path)
    assert sorted(p.name for p in path.parent.iterdir()) == ["runs.db", "runs.import.json"]


def test_two_programs_that_make_the_database_at_once_lose_nothing(path):
    code = (
        "import sys; from pathlib import Path; from tests.runs.helpers import fill, good;"
        "k = int(sys.argv[2]); p = Path(sys.argv[1]);"
        "from sctcalib.runs.database import SqliteRuns; from tests.runs.helpers import given;"
        "[SqliteRuns(p, create=True).merge([given(good(100 * k + n))]) for n in range(20)]"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", code, str(path), str(k)], env=environment())
        for k in (1, 2, 3)
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    with SqliteRuns(path) as store:
        assert len(store.times()) == 60


def test_a_database_in_a_folder_that_is_not_writable_can_be_read(path, tmp_path):
    fill(path, GOOD)
    path.parent.chmod(0o555)
    path.chmod(0o444)
    code = (
        "import sys; from pathlib import Path; from sctcalib.runs.database import SqliteRuns;"
        "print(SqliteRuns(Path(sys.argv[1])).get(267367).project)"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, str(path)], preexec_fn=without_rights, env=environment(),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    finally:
        path.parent.chmod(0o755)
    assert (done.stdout.strip(), done.stderr) == ("data15_13TeV", "")


@pytest.mark.parametrize(
    ("option", "variable", "found"),
    [(None, "", None), (None, "a.db", "a.db"), ("b.db", "", "b.db"), ("b.db", "a.db", "b.db")],
)
def test_the_option_counts_before_the_environment(monkeypatch, option, variable, found):
    monkeypatch.setenv(VARIABLE, variable)
    assert location(Path(option) if option else None) == (Path(found) if found else None)


NAMES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12)
BLOCKS = st.integers(1, 30)
TIMES = st.integers(10**17, 10**18)


@st.composite
def runs(draw):
    """Any run that the schema takes and that does not contradict itself."""
    start = draw(TIMES)
    n_blocks = draw(BLOCKS)
    count = st.integers(0, 2**63 - 1)
    values = {
        "project": draw(NAMES).replace(",", "_"),
        "start": start,
        "end": start + draw(st.integers(0, 10**15)),
        "lumi_blocks": draw(st.sampled_from([n_blocks, [start + n for n in range(n_blocks)]])),
        "events": draw(count),
        "streams": {
            name: {"events": draw(count), "bytes": draw(count)}
            for name in draw(st.lists(NAMES, max_size=3, unique=True))
        },
        "detector_mask": draw(st.integers(0, 2**64 - 1).map(lambda mask: f"{mask:x}")),
        "beam_energy": draw(st.floats(0, 100_000)),
        "recorded": [{"first": 1, "last": n_blocks, "value": draw(st.booleans())}],
        "bad": draw(st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)),
    }
    kept = draw(st.sets(st.sampled_from(sorted(values))))
    return {"run": draw(st.integers(236101, 2**31 - 1))} | {n: values[n] for n in sorted(kept)}


@settings(max_examples=30, deadline=None)
@given_by(first=runs(), second=runs())
def test_any_run_survives_file_and_database(tmp_path_factory, first, second):
    kept = {**first, **second, "run": first["run"], "bad": "x"}
    assume(not list(contradictions(kept)))
    path = tmp_path_factory.mktemp("any") / "runs.db"
    fill(path, first)
    fill(path, {**second, "run": first["run"], "bad": "x"})
    assert values(path, first["run"]) == kept
