"""``sctcalib cool console``: the commands that shifters know."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sctcalib.cool import Database, Payload, TagLock, Versioning, run_lumi
from sctcalib.cool.commands import cool
from sctcalib.cool.folders import DESTINATION_DESCRIPTION
from sctcalib.cool.shell import Session, Shell, split
from sctcalib.cool.shell_commands import ALIASES, COMMANDS
from tests.cool.helpers import START, new_database
from tests.cool.test_docs import PAGE
from tests.support.processes import environment

DERIVED = "/SCT/Derived/Monitoring"
FIELDS = [("SampleSize", "Int32"), ("DefectList", "String4k")]
Run = Callable[..., Result]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mycool.db"
    with new_database(path) as db:
        folder = db.create_folder(DERIVED, FIELDS, description=DESTINATION_DESCRIPTION)
        for number in (100, 101):
            interval = run_lumi(number), run_lumi(number, 0xFFFFFFFF)
            objects = [(*interval, c, (10, f" {c} ")) for c in (5, 7)]
            folder.store_each(objects, tag="T-1", user_tag_only=True)
        folder.store(run_lumi(3), run_lumi(4), (1, ""), 5, tag="T-2-UPD4", user_tag_only=True)
        db.tag_relation("/SCT/Derived", "D-1", DERIVED, "T-1")
        db.tag_relation("/SCT", "S-1", "/SCT/Derived", "D-1")
        dcs = db.create_folder(
            "/DCS/HV",
            [("raw", "Blob64k"), ("count", "Int32")],
            description="<timeStamp>time</timeStamp>",
            versioning=Versioning.SINGLE,
            payload=Payload.INLINE,
        )
        dcs.create_channel(3, "crate", "a crate")
        dcs.store(START, START + 10**9, (b"\x01\xff", None), 3)
    return path


@pytest.fixture
def run(file: Path) -> Run:
    def go(text: str, *options: str) -> Result:
        return CliRunner().invoke(cool, ["console", str(file), "-c", text, *options])

    return go


def lines(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


# ---- looking


def test_ls_and_ll(run: Run) -> None:
    assert lines(run("ls")) == [
        "Name  Description  Count  Size",
        "DCS/               -      -",
        "SCT/               -      -",
    ]
    short = DESTINATION_DESCRIPTION[:37] + "..."
    shown = lines(run("usetag T-1; ll /SCT/Derived"))[1:]
    assert [line.split() for line in shown] == [
        ["Name", "Description", "Count", "Size"],
        ["Monitoring", *short.split(), "4", "16.0", "kB"],
    ]
    assert lines(run("ls /DCS/HV"))[1].startswith("HV")


def test_cd_and_pwd(run: Run) -> None:
    assert lines(run("pwd; cd SCT/Derived; cd ..; cd; cd /DCS/../SCT")) == [
        "Current directory: /",
        "Current directory: /SCT/Derived",
        "Current directory: /SCT",
        "Current directory: /",
        "Current directory: /SCT",
    ]


def test_an_unknown_node(run: Run) -> None:
    done = run("cd /SCT/Derivd; ls")
    assert done.exit_code == 2
    assert "Node /SCT/Derivd does not exist; did you mean '/SCT/Derived'?" in done.stderr
    assert done.stdout == ""


def test_more_of_runs_and_lumi_blocks(run: Run) -> None:
    text = "cd /SCT; usetag T-1; usechan 7; userunlumi 101; more Derived/Monitoring"
    assert lines(run(text))[4:] == [
        "Using channel: 7",
        f"Using rawIOV range [{101 << 32},{(101 << 32) + 0xFFFFFFFE}]",
        "Using tag selection: T-1",
        "[101,0] - [101,4294967295) (7) [SampleSize (Int32) : 10, DefectList (String4k) :  7 ]",
    ]


def test_more_of_times_and_blobs(run: Run) -> None:
    assert lines(run("more /DCS/HV")) == [
        "Using channel: all",
        "Using rawIOV range [ValidityKeyMin,ValidityKeyMax]",
        (
            "[2015-10-28:03:49:53 UTC] - [2015-10-28:03:49:54 UTC) (3) "
            "[raw (Blob64k) : size=2,chk=1975569459, count (Int32) : NULL]"
        ),
    ]


def test_less_shows_raw_keys(run: Run) -> None:
    last = lines(run("usetag T-2-UPD4; less " + DERIVED))[-1]
    assert f"[{3 << 32},{4 << 32}[ (5) {{'SampleSize': 1, 'DefectList': ''}}" in last


def test_a_tag_of_a_folder_set_is_followed_down(run: Run) -> None:
    shown = lines(run(f"usetag S-1; more {DERIVED}"))
    assert "Using tag selection: S-1 resolved to T-1" in shown
    assert len([line for line in shown if line.startswith("[10")]) == 4


def test_an_empty_head_says_which_tags_there_are(run: Run) -> None:
    assert lines(run(f"more {DERIVED}"))[-1] == (
        "HEAD is empty; usetag shows one of: T-1, T-2-UPD4"
    )


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("userunlumi 100", (run_lumi(100), run_lumi(100, 0xFFFFFFFE))),
        ("userunlumi 100 5", (run_lumi(100, 5), run_lumi(100, 0xFFFFFFFE))),
        ("userunlumi 100 5 102", (run_lumi(100, 5), run_lumi(102, 0xFFFFFFFE))),
        ("userunlumi 100 5 102 7", (run_lumi(100, 5), run_lumi(102, 7))),
        ("usetimes 10 20", (10, 20)),
        ("settimes 1970-01-01:00:00:01 1970-01-02", (10**9, 86400 * 10**9)),
        ("usetimes 0 9223372036854775807", ("ValidityKeyMin", "ValidityKeyMax")),
    ],
)
def test_ranges(run: Run, command: str, expected: tuple[object, object]) -> None:
    assert lines(run(command)) == [f"Using rawIOV range [{expected[0]},{expected[1]}]"]


def test_usetag_by_number_of_the_last_list(run: Run) -> None:
    assert lines(run(f"lstags {DERIVED}; usetag 2; usetag HEAD")) == [
        f"Listing tags of {DERIVED}",
        "T-1 (unlocked) []",
        "T-2-UPD4 (unlocked) []",
        "Using tag selection: T-2-UPD4",
        "Using tag selection: HEAD",
    ]
    assert run("usetag 9").exit_code == 2


def test_pws(run: Run) -> None:
    assert lines(run("usechan crate; usetag D-1; pws"))[2:] == [
        "Current directory: /",
        "Using channel: crate",
        "Using rawIOV range [ValidityKeyMin,ValidityKeyMax]",
        "Using tag selection: D-1",
    ]


def test_filtertags_and_obsolete_ones(run: Run, file: Path) -> None:
    with Database.open(file, read_only=False) as db:
        db.folder(DERIVED).tag_names()
    run(f'settginfo {DERIVED} T-1 "OBSOLETE since 2015"', "--write", "--yes")
    assert lines(run(f"listtags {DERIVED}"))[1:] == ["T-2-UPD4 (unlocked) []"]
    assert lines(run(f"filtertags {DERIVED} UPD"))[1:] == ["T-2-UPD4 (unlocked) []"]
    assert lines(run(f"filtertags {DERIVED} 'UPD*'"))[1:] == []
    assert lines(run(f"filtertags {DERIVED} showObsolete"))[1:] == [
        "T-1 (unlocked) [OBSOLETE since 2015]",
        "T-2-UPD4 (unlocked) []",
    ]


def test_channels_and_information(run: Run) -> None:
    assert lines(run("listchans /DCS/HV")) == ["Channels of /DCS/HV: 1", "3 crate a crate"]
    info = lines(run("listinfo /DCS/HV"))
    assert info[:2] == ["Specification for single-version folder /DCS/HV", "  raw (Blob64k)"]
    assert info[-1] == "Description: <timeStamp>time</timeStamp>"
    assert "multi-version" in lines(run(f"listinfo {DERIVED}"))[0]


def test_tracetags(run: Run) -> None:
    assert lines(run("tracetags /SCT S-1")) == [
        "/SCT : S-1",
        "  /SCT/Derived : D-1",
        f"    {DERIVED} : T-1",
    ]
    assert lines(run(f"tracetags {DERIVED} T-1"))[:2] == [
        "selected by /SCT/Derived : D-1",
        "selected by /SCT : S-1",
    ]


# ---- mistakes


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("mroe x", ["unknown command 'mroe'", "did you mean 'more'"]),
        ("help mor", ["unknown command 'mor'", "did you mean 'more'"]),
        ("more", ["usage: more folder"]),
        ("pwd x", ["usage: pwd"]),
        ("more /SCT", ["/SCT is a folder set"]),
        ("usetag T-2-UPD5", ["no tag 'T-2-UPD5'", "did you mean 'T-2-UPD4'"]),
        ("listtags /SCT/Derived/Monitorin", ["did you mean '/SCT/Derived/Monitoring'"]),
        ("userunlumi x", ["'x' is not a number"]),
        ("userunlumi 5 1 4", ["ends before"]),
        ("usetimes yesterday today", ["'yesterday' is not a time"]),
        ('more "abc', ["No closing quotation"]),
        (f"usechan none; usetag T-1; more {DERIVED}", ["no channel is named 'none'"]),
        (f"rmtag {DERIVED} T-1", ["--write"]),
        (f"locktag {DERIVED} T-1 l", ["--write"]),
        (f"tracetags {DERIVED} T-9", ["no tag 'T-9'"]),
        ("open none.db", ["none.db does not exist"]),
    ],
)
def test_mistakes(run: Run, file: Path, command: str, words: list[str]) -> None:
    before = file.read_bytes()
    done = run(command)
    assert done.exit_code == (74 if "open" in command else 2)
    assert [word for word in words if word not in done.stderr] == []
    assert "Traceback" not in done.output
    assert file.read_bytes() == before
    assert not Path("none.db").exists()


def test_a_script_ends_at_the_first_mistake(run: Run) -> None:
    done = run("pwd; lss; pwd")
    assert done.stdout == "Current directory: /\n"
    assert done.exit_code == 2


def test_commands_from_standard_input(file: Path) -> None:
    text = "cd /SCT\n# a comment\n\npwd; exit; pwd\n"
    done = CliRunner().invoke(cool, ["console", str(file)], input=text)
    assert lines(done) == ["Current directory: /SCT"] * 2


def test_parts_of_a_script() -> None:
    assert split("a; b 'c;d'\n\n e \"f;g\" ;;") == ["a", "b 'c;d'", 'e "f;g"']
    assert split("  ") == []


# ---- changing


def test_changes_in_scripts_need_write_and_yes(run: Run, file: Path) -> None:
    before = file.read_bytes()
    done = run(f"rmtag {DERIVED} T-2-UPD4", "--write")
    assert (done.exit_code, "--yes" in done.stderr) == (2, True)
    assert file.read_bytes() == before
    assert lines(run(f"rmtag {DERIVED} T-2-UPD4", "--write", "--yes")) == [
        f"Removed T-2-UPD4 of {DERIVED}, 1 rows"
    ]
    with Database.open(file) as db:
        assert db.folder(DERIVED).tag_names() == ["T-1"]
        assert db.check() == []


CHANGES: list[tuple[str, str, Callable[[Database], object], object]] = [
    (
        f"settag {DERIVED} T-2-UPD4 D-2",
        f"D-2 of /SCT/Derived selects T-2-UPD4 of {DERIVED}",
        lambda db: db.resolve_tag(DERIVED, "D-2"),
        "T-2-UPD4",
    ),
    (
        f"rmtag {DERIVED} T-1",
        "it stays as an empty tag",
        lambda db: db.folder(DERIVED).count("T-1"),
        0,
    ),
    (
        "rmtag /SCT S-1",
        "Removed 1 relations of S-1",
        lambda db: [t.name for t in db.tags()],
        ["D-1", "T-1", "T-2-UPD4"],
    ),
    (
        f"clonetag {DERIVED} T-1 T-9",
        "Copied 4 objects",
        lambda db: db.folder(DERIVED).count("T-9"),
        4,
    ),
    (
        f"locktag {DERIVED} T-1 p",
        "T-1 is partially locked",
        lambda db: {t.name: t.lock for t in db.tags()}["T-1"],
        TagLock.PARTIALLY_LOCKED,
    ),
    (
        "locktag /SCT S-1 r",
        "T-1 is locked",
        lambda db: [t.lock.value for t in db.tags()],
        [1, 1, 1, 0],
    ),
    (
        f"settginfo {DERIVED} T-1 'of 2015'",
        "T-1 [of 2015]",
        lambda db: {t.name: t.description for t in db.tags()}["T-1"],
        "of 2015",
    ),
    (
        f"setchan {DERIVED} 7 seven 'the seventh'",
        "Channel 7",
        lambda db: [(c.name, c.description) for c in db.folder(DERIVED).channels()],
        [("", ""), ("seven", "the seventh")],
    ),
    (
        "setchan /DCS/HV 4 new",
        "Channel 4",
        lambda db: [c.name for c in db.folder("/DCS/HV").channels()],
        ["crate", "new"],
    ),
    (
        "setdesc /DCS/HV",
        "Description of /DCS/HV",
        lambda db: db.folder("/DCS/HV").description,
        DESTINATION_DESCRIPTION,
    ),
    (
        "cd /DCS/HV; rmdir .; rmdir /DCS",
        "Removed /DCS\n",
        lambda db: db.node_paths(),
        ["/", "/SCT", "/SCT/Derived", DERIVED],
    ),
    (
        f"rmdir {DERIVED}",
        "Removed",
        lambda db: [t.name for t in db.tags()],
        ["S-1", "D-1"],
    ),
]


@pytest.mark.parametrize(
    ("command", "told", "look", "expected"), CHANGES, ids=[row[0] for row in CHANGES]
)
def test_changes(
    run: Run,
    file: Path,
    command: str,
    told: str,
    look: Callable[[Database], object],
    expected: object,
) -> None:
    done = run(command, "--write", "--yes")
    assert done.exit_code == 0, done.output
    assert told in done.output
    with Database.open(file) as db:
        assert look(db) == expected
        assert db.check() == []


def test_headtag(run: Run, file: Path) -> None:
    with Database.open(file, read_only=False) as db:
        db.folder(DERIVED).store(1, 2, (1, "x"), 5)
    assert "Tagged 1 objects" in run(f"headtag {DERIVED} H-1", "--write", "--yes").output
    assert run(f"headtag {DERIVED} H-1", "--write", "--yes").exit_code == 2


@pytest.mark.parametrize(
    ("command", "word"),
    [
        (f"clonetag {DERIVED} T-1 T-2-UPD4", "not written over"),
        ("rmdir /SCT", "it holds /SCT/Derived"),
        ("rmdir /", "root"),
        (f"locktag {DERIVED} T-1 x", "none of l"),
        (f"setchan {DERIVED} seven x", "not the number"),
        ("setchan /DCS/HV 4 crate", "belongs to channel 3"),
        (f"settag {DERIVED} T-2-UPD4 D-1", "selects 'T-1'"),
    ],
)
def test_changes_that_are_refused(run: Run, file: Path, command: str, word: str) -> None:
    before = file.read_bytes()
    done = run(command, "--write", "--yes")
    assert (done.exit_code, word in done.stderr) == (2, True), done.output
    assert file.read_bytes() == before


def test_a_locked_tag_keeps_its_folder(run: Run, file: Path) -> None:
    run(f"locktag {DERIVED} T-1 l", "--write", "--yes")
    assert "locked" in run(f"rmdir {DERIVED}", "--write", "--yes").stderr
    assert lines(run(f"locktag {DERIVED} T-1")) == ["T-1 is locked"]
    assert "locked" in run(f"rmtag {DERIVED} T-1", "--write", "--yes").stderr


def test_open_goes_to_another_database(run: Run, tmp_path: Path) -> None:
    Database.create(tmp_path / "o.db", "MONP200").close()
    name = f"sqlite://;schema={tmp_path / 'o.db'};dbname=MONP200"
    shown = lines(run(f"cd /SCT; usetag T-1; open '{name}'; pws; ls"))
    assert shown[2] == f"Connected to '{name}'"
    assert (shown[3], shown[6]) == ("Current directory: /", "Using tag selection: HEAD")


# ---- the terminal


@pytest.fixture
def shell(file: Path) -> Shell:
    said: list[str] = []
    session = Session(Database.open(file), said.append, lambda question: False)
    made = Shell(session)
    made.said = said  # type: ignore[attr-defined]
    return made


def test_completion(shell: Shell) -> None:
    assert shell.completenames("use") == ["usechan", "userunlumi", "usetag", "usetimes"]
    assert shell.completedefault("/SCT/D", "more /SCT/D", 5, 11) == ["/SCT/Derived", DERIVED]
    assert shell.completedefault("T-", "usetag T-", 7, 9) == ["T-1", "T-2-UPD4"]
    shell.onecmd("cd /SCT")
    assert shell.completedefault("Der", "cd Der", 3, 6) == ["Derived", "Derived/Monitoring"]
    shell.session.db.close()


def test_a_mistake_in_the_terminal_is_told_and_forgotten(shell: Shell) -> None:
    said = shell.said  # type: ignore[attr-defined]
    assert shell.onecmd("mroe; pwd") is False
    assert said == ["Error: unknown command 'mroe'; did you mean 'more'?"]
    assert shell.emptyline() is False
    assert shell.onecmd("exit") is True
    assert shell.onecmd("EOF") is True
    shell.session.db.close()


def test_a_terminal_asks_before_a_change(file: Path, tmp_path: Path) -> None:
    """With a terminal of its own, as a person has it."""
    master, slave = pty.openpty()
    call = "from sctcalib.cli import main; main()"
    child = subprocess.Popen(
        [sys.executable, "-c", call, "cool", "console", str(file), "--write"],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment(XDG_STATE_HOME=str(tmp_path / "state"), TERM="dumb"),
    )
    os.close(slave)
    seen = ""
    for prompt, answer in (
        (">>> ", f"rmtag {DERIVED} T-2-UPD4"),
        ("(y/n) ", "n"),
        (">>> ", f"rmtag {DERIVED} T-2-UPD4"),
        ("(y/n) ", "y"),
        (">>> ", "quit"),
    ):
        start = len(seen)
        while prompt not in seen[start:]:
            seen += os.read(master, 4096).decode()
        os.write(master, answer.encode() + b"\n")
    assert child.wait(60) == 0
    os.close(master)
    assert "Connected to 'sqlite://;schema=" in seen
    assert "Type 'help'" in seen
    assert "Error: nothing was changed" in seen
    with Database.open(file) as db:
        assert db.folder(DERIVED).tag_names() == ["T-1"]
    assert (tmp_path / "state" / "sctcalib" / "cool_history").exists()


# ---- help


def test_help_names_every_command(run: Run) -> None:
    text = run("help").output
    assert [name for name in [*COMMANDS, *ALIASES] if name not in text] == []
    assert lines(run("help settimes"))[0] == "usetimes t1 t2"


def test_the_page_has_the_table_of_commands() -> None:
    text = PAGE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([^`]+)`( \(w\))? \| (.+) \|$", text, re.MULTILINE)
    documented = {usage: (bool(w), help_) for usage, w, help_ in rows}
    for command in COMMANDS.values():
        assert documented[command.usage] == (command.writes, command.help)
