"""The commands ``sctcalib runs ...`` and ``sctcalib lastrun``."""

from __future__ import annotations

import csv
import io
import json
import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner

from sctcalib.cli import main
from sctcalib.runs.asked import SHOW_ITEMS
from sctcalib.runs.location import VARIABLE
from tests.runs.helpers import GOOD, RUN, START, good, write_json
from tests.support.processes import environment, wait_until

LOOP = [
    "--run", str(RUN), "--lhc", "stablebeams TRUE", "--partition", "ATLAS", "--detmaskin", "240A",
    "--projecttag", "data*_*eV", "--streams", "*calibration_SCTNoise 10000+", "--show",
    "streams *calibration_SCTNoise", "--show", "run", "--show", "projecttag", "--show", "events",
    "--show", "time", "--show", "lhc", "--noroot", "--nohtml", "--verbose",
]  # fmt: skip
"""The loop's own call (A8)."""


@pytest.fixture
def call(tmp_path, monkeypatch):
    """Call the program in a directory, with a run database named in the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(VARIABLE, "runs.db")

    def run(*words, code=0):
        done = CliRunner().invoke(main, list(map(str, words)))
        assert done.exit_code == code, done.output
        assert done.exception is None or isinstance(done.exception, SystemExit)
        return done

    return run


@pytest.fixture
def filled(call, tmp_path):
    write_json(tmp_path / "some.json", GOOD, {"run": RUN + 1, "project": "data15_cos"})
    call("runs", "import", "some.json")
    return call


def test_import_says_what_became_known(call, tmp_path):
    write_json(tmp_path / "a.json", GOOD)
    (tmp_path / "b.csv").write_text(f"run,fill\n{RUN + 1},5\n")
    done = call("runs", "import", "a.json", "b.csv")
    assert done.output == "runs.db: 2 new, 0 replaced\n"
    done = call("runs", "import", "--database", "runs.db", "b.csv")
    assert done.output == "runs.db: 0 new, 1 replaced\n"


def test_import_takes_all_files_or_none(call, tmp_path):
    write_json(tmp_path / "a.json", GOOD)
    (tmp_path / "b.csv").write_text("run,fill\n1,x\n")
    done = call("runs", "import", "a.json", "b.csv", code=74)
    assert "Error: b.csv: line 2: fill: 'x' is not of type" in done.stderr
    assert not (tmp_path / "runs.db").exists()


def test_all_mistakes_of_an_import_are_told(call, tmp_path):
    write_json(tmp_path / "a.json", good(RUN, end=START - 1), good(RUN + 1, end=START - 1))
    done = call("runs", "import", "a.json", code=74)
    assert done.stderr.count("is before start") == 2


def test_without_a_database_the_remedy_is_told(call, monkeypatch, tmp_path):
    monkeypatch.delenv(VARIABLE)
    done = call("runs", "list", code=74)
    assert f"name it with --database, or in the environment as {VARIABLE}" in done.stderr
    done = call("runs", "list", "--database", "none.db", code=74)
    assert "none.db: no such file; 'sctcalib runs import' makes one" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_list_shows_the_newest_first(filled):
    lines = filled("runs", "list").output.splitlines()
    assert lines[0].split() == [
        "run",
        "project",
        "start",
        "duration",
        "blocks",
        "stable",
        "beams",
        "events",
        "bad",
    ]
    assert lines[1].split() == [str(RUN + 1), "data15_cos", "n.a."]
    assert lines[2].split() == [
        str(RUN), "data15_13TeV", "2015-06-11_04:00:00", "10h", "0m", "0s", "873", "800", "blocks",
        "15034412",
    ]  # fmt: skip
    assert len(filled("runs", "list", "--limit", 1).output.splitlines()) == 2


def test_list_as_csv_and_json(filled, tmp_path):
    rows = list(csv.DictReader(io.StringIO(filled("runs", "list", "--csv").output)))
    assert [row["run"] for row in rows] == [str(RUN + 1), str(RUN)]
    (tmp_path / "again.json").write_text(filled("runs", "list", "--json").output)
    filled("runs", "import", "--database", "other.db", "again.json")
    assert json.loads(filled("runs", "show", "--database", "other.db", RUN, "--json").output) == {
        "runs": [GOOD]
    }


def test_show_tells_all_that_is_known(filled):
    text = filled("runs", "show", RUN).output
    for expected in ("2015-06-11_14:00:00.000000000 GMT", "SCTBA, SCTBC, SCTEA, SCTEC", "3851",
                     "1201453 events", "1-73:no 74-873:yes", "10h 0m 0s"):  # fmt: skip
        assert expected in text
    assert "1 is not in the run database" in filled("runs", "show", 1, code=1).stderr


def test_bad_runs_are_marked_and_unmarked(filled):
    assert filled("runs", "bad", RUN, "--why", "no HV").output == f"run {RUN} is bad: no HV\n"
    assert "no HV" in filled("runs", "list").output
    assert filled("runs", "bad", RUN, "--undo").output == f"run {RUN} is not bad\n"
    assert "no HV" not in filled("runs", "list").output
    filled("runs", "bad", RUN, code=2)
    filled("runs", "bad", RUN, "--undo", "--why", "x", code=2)
    filled("runs", "bad", 1, "--why", "x", code=1)


@pytest.mark.requirement("R88")
def test_the_call_of_the_loop_finds_the_run_and_writes_the_files(filled, tmp_path):
    done = filled("runs", "query", *LOOP)
    assert done.stdout.splitlines()[-1] == "1 run"
    assert "SELOUT Checking for streams *calibration_SCTNoise 10000+" in done.stderr
    names = ["MyLBCollection.xml", "QueryResult.txt", "atlrunquery.json"]
    assert sorted(p.name for p in (tmp_path / "data").iterdir()) == names
    text = (tmp_path / "data" / "MyLBCollection.xml").read_text()
    assert '<Metadata Name="Query">--run 267367 --lhc stablebeams TRUE --partition ATLAS' in text
    assert '<Metadata Name="RunList">267367</Metadata>' in text


@pytest.mark.requirement("R88")
def test_the_query_of_the_guide(filled):
    """Old data are not of the last three days, and no files but the run list are written."""
    done = filled("runs", "query", "--time", "last3d", *LOOP[2:])
    assert done.stdout.splitlines()[-1] == "0 runs"


def test_all_options_in_one_argument(filled):
    done = filled("runs", "query", f"--run {RUN} --lhc 'stablebeams TRUE' --show run")
    assert done.stdout.splitlines()[-1] == "1 run"
    filled("runs", "query", "--run 5 --lhc 'open", code=2)


def test_a_sentence_of_the_query_language(filled, tmp_path):
    sentence = "find run 267000+ and st *SCTNoise 10k+ / show run and events / nodef"
    lines = filled("runs", "query", sentence).stdout.splitlines()
    assert [line.split()[0] for line in lines[1:-1]] == [str(RUN + 1), str(RUN)]
    assert filled("runs", "query", *sentence.split()).stdout.splitlines() == lines
    text = (tmp_path / "data" / "MyLBCollection.xml").read_text()
    assert '<Metadata Name="Query">find run 267000+ and st *SCTNoise 10k+</Metadata>' in text


def test_a_sentence_has_the_defaults_of_the_original(filled):
    lines = filled("runs", "query", "find run 1+").stdout.splitlines()
    assert lines[0].split()[:3] == ["Run", "#LB", "Start"]
    assert len(lines) == 4


def test_forms_for_the_screen(filled, tmp_path):
    options = ("--run", RUN, "--show", "run", "--show", "lhc min")
    rows = list(csv.DictReader(io.StringIO(filled("runs", "query", *options, "--csv").stdout)))
    assert rows == [{"Run": str(RUN), "#LB": "873", "lhc:stablebeams": "1-73:FALSE 74-873:TRUE"}]
    found = json.loads(filled("runs", "query", *options, "--json").stdout)
    assert found == json.loads((tmp_path / "data" / "atlrunquery.json").read_text())
    assert found["Run"] == [RUN]
    nothing = filled("runs", "query", "--run", 1, "--json").stdout
    assert json.loads(nothing) == {"Run": []}


def test_run_list_can_be_named_or_left_out(filled, tmp_path):
    filled("runs", "query", "--run", RUN, "--xmlfile", "mine.xml:good", "--data-dir", "here")
    assert "<Name>good</Name>" in (tmp_path / "here" / "mine.xml").read_text()
    filled("runs", "query", "--run", RUN, "--nogrl", "--data-dir", "there")
    assert not (tmp_path / "there" / "MyLBCollection.xml").exists()
    filled("runs", "query", f"f run {RUN} / show run / nogrl", "--data-dir", "else")
    assert not (tmp_path / "else" / "MyLBCollection.xml").exists()


def test_options_of_this_program_are_no_part_of_the_query(filled, tmp_path):
    filled("runs", "query", "--database", "runs.db", "--run", RUN, "--csv", "--data-dir=d")
    text = (tmp_path / "d" / "MyLBCollection.xml").read_text()
    assert f'<Metadata Name="Query">--run {RUN}</Metadata>' in text


def test_no_query_is_exit_1(call):
    assert call("runs", "query", code=1).stderr == "No query argument given\n"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--dq", "x"], "--dq: the run database holds nothing that this option could ask for"),
        (["--bfield=on"], "--bfield: the run database holds nothing"),
        (["--run", "x"], "'x' is no number"),
        (["--what"], "No such option"),
        (["find run x"], "'x' is no number"),
        (["find run 5", "--run", "5"], "cannot go with options of a query"),
        (["--show", "smk"], "the items are run, time"),
        (["detmask", "xyz"], "one hexadecimal mask"),
        (["detmask"], "one hexadecimal mask"),
    ],
)
def test_a_mistake_on_the_command_line_is_exit_2(filled, words, text):
    done = filled("runs", "query", *words, code=2)
    assert text in done.stderr
    assert "Traceback" not in done.output


def test_detector_masks_are_decoded(call):
    assert call("runs", "query", "detmask", "4000000000000011").output.splitlines() == [
        "  0  Pix Barrel", "  4  SCT BA", " 62  Pix IBL",
    ]  # fmt: skip


def test_a_data_folder_that_cannot_be_made_is_exit_11(filled, tmp_path):
    (tmp_path / "data").write_text("in the way")
    assert "cannot be written" in filled("runs", "query", "--run", RUN, code=11).stderr


def test_every_show_item_can_be_shown(filled):
    shows = [
        word
        for item in SHOW_ITEMS
        for word in ("--show", f"{item} *" if item == "streams" else item)
    ]
    assert filled("runs", "query", "--run", RUN, *shows).stdout.splitlines()[-1] == "1 run"


def test_watch_once_takes_over_new_and_changed_files(call, tmp_path):
    folder = tmp_path / "incoming"
    folder.mkdir()
    write_json(folder / "a.json", GOOD)
    (folder / "b.csv").write_text("run\n5\n")
    (folder / ".hidden.json").write_text("{")
    (folder / "notes.txt").write_text("mine")
    lines = call("runs", "watch", folder, "--once").output.splitlines()
    assert [line.rpartition("/")[2] for line in lines] == [
        "a.json: 1 new, 0 replaced",
        "b.csv: 1 new, 0 replaced",
    ]
    assert call("runs", "watch", folder, "--once").output == ""
    (folder / "b.csv").write_text("run\n5\n6\n")
    assert "1 new, 1 replaced" in call("runs", "watch", folder, "--once").output


def test_watch_tells_a_mistake_once_and_looks_again_when_the_file_has_changed(call, tmp_path):
    (tmp_path / "a.json").write_text('{"runs": [{"run":')
    write_json(tmp_path / "b.json", good(0), good(1, fill=-1))
    done = call("runs", "watch", tmp_path, "--once", code=74)
    assert done.stderr.count("a.json: not JSON") == 1
    assert done.stderr.count("b.json: runs[") == 2
    assert call("runs", "watch", tmp_path, "--once").output == ""
    write_json(tmp_path / "a.json", GOOD)
    assert "1 new" in call("runs", "watch", tmp_path, "--once").output


def test_watch_needs_a_folder(call):
    assert "cannot be read" in call("runs", "watch", "nowhere", "--once", code=74).stderr


def test_watch_goes_on_until_it_is_interrupted(tmp_path):
    code = "import sys; from sctcalib.cli import main; sys.argv[0] = 'sctcalib'; main()"
    database = tmp_path / "runs.db"
    watcher = subprocess.Popen(
        [sys.executable, "-c", code, "runs", "watch", str(tmp_path), "--interval", "0.02",
         "--database", str(database)],
        env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    wait_until(database.exists, "the watcher makes the database")
    (tmp_path / "new").write_text(json.dumps({"runs": [GOOD]}))
    (tmp_path / "new").rename(tmp_path / "new.json")
    assert watcher.stdout is not None
    assert "1 new" in watcher.stdout.readline()
    watcher.send_signal(signal.SIGINT)
    _, errors = watcher.communicate(timeout=20)
    assert (watcher.returncode, errors) == (130, "")


@pytest.mark.requirement("R87")
def test_lastrun_is_shown_and_set(call, tmp_path):
    assert call("lastrun", "lastRun").output == "not set\n"
    assert call("lastrun", "lastRun", "--set", 267360).output == "lastRun: not set -> 267360\n"
    assert call("lastrun", "lastRun").output == "267360\n"
    assert call("lastrun", "lastRun", "--set", 5).output == "lastRun: 267360 -> 5\n"
    (tmp_path / "lastRun").write_text("five")
    assert "holds 'five', expected a run number" in call("lastrun", "lastRun", code=74).stderr
    assert call("lastrun", "lastRun", "--set", 6).output == "lastRun: not set -> 6\n"
    call("lastrun", "lastRun", "--set", -1, code=2)
    call("lastrun", "none/lastRun", "--set", 1, code=11)


@pytest.mark.parametrize("name", ["import", "watch", "list", "show", "query", "bad"])
def test_every_command_has_a_help_with_an_example(call, name):
    assert f"  {name} " in call("runs", "--help").output
    assert "Example" in call("runs", name, "--help").output


def test_nothing_heavy_is_loaded_for_the_help():
    code = (
        "import sys; from click.testing import CliRunner; from sctcalib.cli import main;"
        "CliRunner().invoke(main, ['runs', 'query', '--help']);"
        "print([m for m in ('numpy', 'sqlite3', 'lxml', 'jsonschema') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
