"""``sctcalib cool ...``: what is shown and how it ends."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sctcalib.cool import Database, Payload, Versioning, run_lumi
from sctcalib.cool.commands import cool
from sctcalib.cool.folders import JOB_DESCRIPTION
from tests.cool.helpers import INF, START, TICK, new_database, tick

LONG = " ".join(str(n) for n in range(0, 60, 2))
DERIVED = "/SCT/Derived/Monitoring"
Command = Callable[..., Result]


@pytest.fixture
def run() -> Command:
    return lambda *arguments: CliRunner().invoke(cool, [str(a) for a in arguments])


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("commands") / "mycool.db"
    with new_database(path) as db:
        fields = [("Threshold", "Float"), ("DefectList", "String4k")]
        folder = db.create_folder(DERIVED, fields, description=JOB_DESCRIPTION)
        for number in (300000, 300001):
            interval = run_lumi(number), run_lumi(number, 0xFFFFFFFF)
            objects = [(*interval, c, (0.015, LONG if c == 7 else "")) for c in (5, 7)]
            folder.store_each(objects, tag="T-1", user_tag_only=True)
        dcs = db.create_folder(
            "/DCS/HV",
            [("raw", "Blob64k"), ("count", "Int32")],
            description="<timeStamp>time</timeStamp>",
            versioning=Versioning.SINGLE,
            payload=Payload.INLINE,
        )
        dcs.create_channel(3, "crate", "a crate")
        dcs.store(START, START + TICK, (b"\x01\xff", None), 3)
        vector = db.create_folder("/V", [("x", "Int32")], payload=Payload.VECTOR)
        vector.store(5, INF, [[1], [2]], 1)
        vector.store(0, 5, [], 1)
        db.tag_relation("/SCT/Derived", "GLOBAL", DERIVED, "T-1")
    return path


def test_ls(run: Command, file: Path) -> None:
    result = run("ls", file)
    assert result.exit_code == 0
    assert result.output == (
        "folder                   versioning  payload   channels  objects  tags\n"
        "/SCT/Derived/Monitoring  multi       separate  2         0        T-1 (4)\n"
        "/DCS/HV                  single      inline    1         1\n"
        "/V                       multi       vector    1         2\n"
    )


def test_ls_as_json(run: Command, file: Path) -> None:
    found = json.loads(run("ls", file, "--json").output)
    assert found["database"] == "CONDBR2"
    assert found["folders"][0] == {
        "folder": DERIVED,
        "versioning": "multi",
        "payload": "separate",
        "fields": {"Threshold": "Float", "DefectList": "String4k"},
        "description": JOB_DESCRIPTION,
        "channels": 2,
        "objects": 0,
        "tags": {"T-1": 4},
    }


def test_show_takes_the_only_tag_of_a_folder_without_head_and_says_so(
    run: Command, file: Path
) -> None:
    result = run("show", file, DERIVED, "--run", 300001)
    assert result.exit_code == 0
    assert result.stderr == "HEAD is empty; this is the only tag, T-1\n"
    short = LONG[:37] + "..."
    assert result.stdout == (
        "channel  since     until              Threshold  DefectList\n"
        "5        300001/0  300001/4294967295  0.015\n"
        f"7        300001/0  300001/4294967295  0.015      {short}\n"
    )
    assert LONG in run("show", file, DERIVED, "--tag", "T-1", "--full").stdout


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), [(5, 300000), (5, 300001), (7, 300000), (7, 300001)]),
        (("--channel", "7"), [(7, 300000), (7, 300001)]),
        (("--channel", "7", "--channel", "5", "--run", "300000"), [(5, 300000), (7, 300000)]),
        (("--since", "300001/0"), [(5, 300001), (7, 300001)]),
        (("--until", "300000/12"), [(5, 300000), (7, 300000)]),
        (("--since", str(run_lumi(300001)), "--until", "inf"), [(5, 300001), (7, 300001)]),
        (("--run", "299999"), []),
        (("--limit", "1"), [(5, 300000)]),
        (("--limit", "0"), []),
    ],
)
def test_show_selects(
    run: Command, file: Path, options: tuple[str, ...], expected: list[tuple[int, int]]
) -> None:
    result = run("show", file, DERIVED, "--tag", "T-1", "--json", *options)
    found = json.loads(result.stdout)
    assert found["tag"] == "T-1"
    assert [(o["channel"], o["since"] >> 32) for o in found["objects"]] == expected


def test_a_limit_says_how_many_there_are(run: Command, file: Path) -> None:
    assert run("show", file, DERIVED, "--tag", "T-1", "--limit", 3).stderr == "3 of 4 objects\n"


def test_show_of_a_folder_valid_by_time(run: Command, file: Path) -> None:
    result = run("show", file, "/DCS/HV", "--channel", "crate")
    assert re.split("  +", result.output.splitlines()[1]) == ["3", tick(0), tick(1), "01ff"]
    found = json.loads(run("show", file, "/DCS/HV", "--since", tick(0), "--json").output)
    assert found["objects"][0]["payload"] == {"raw": "01ff", "count": None}
    assert (
        json.loads(run("show", file, "/DCS/HV", "--since", tick(1), "--json").output)["objects"]
        == []
    )


def test_show_of_a_vector_folder_has_a_line_per_item(run: Command, file: Path) -> None:
    lines = [line.split() for line in run("show", file, "/V").output.splitlines()]
    assert lines == [
        ["channel", "since", "until", "x"], ["1", "0", "5"], ["1", "5", "inf", "1"],
        ["1", "5", "inf", "2"],
    ]  # fmt: skip
    found = json.loads(run("show", file, "/V", "--json").output)
    assert [o["payload"] for o in found["objects"]] == [[], [{"x": 1}, {"x": 2}]]


def test_tags_and_relations(run: Command, file: Path) -> None:
    found = json.loads(run("tags", file, "--json").output)
    assert [(t["folder"], t["tag"], t["kind"], t["lock"]) for t in found["tags"]] == [
        *(("/SCT/Derived", "GLOBAL", "global", "unlocked"), (DERIVED, "T-1", "user", "unlocked")),
    ]
    assert found["relations"] == [
        {"parent": "/SCT/Derived", "parent_tag": "GLOBAL", "child": DERIVED, "child_tag": "T-1"}
    ]
    lines = run("tags", file, DERIVED).output.splitlines()
    assert lines[1].split()[:4] == [DERIVED, "T-1", "user", "unlocked"]
    assert lines[-1].split() == ["/SCT/Derived", "GLOBAL", DERIVED, "T-1"]


def test_channels(run: Command, file: Path) -> None:
    assert run("channels", file, "/DCS/HV").output.splitlines()[1] == "3        crate  a crate"
    found = json.loads(run("channels", file, "/DCS/HV", "--json").output)
    assert found == [{"id": 3, "name": "crate", "description": "a crate"}]


def test_a_connection_string_is_a_file(run: Command, file: Path) -> None:
    plain = run("ls", file).output
    assert run("ls", f"sqlite://;schema={file};dbname=CONDBR2").output == plain
    assert run("ls", f"sqlite://;schema={file}", "--db", "CONDBR2").output == plain


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("ls", "ABSENT"), 74, "Error: ABSENT does not exist"),
        (("ls", __file__), 74, "file is not a database"),
        (("ls", "oracle://;schema=x"), 74, "nor sqlite://;schema=FILE;dbname=NAME"),
        (("diff", "FILE", "ABSENT"), 74, "ABSENT does not exist"),
        (("ls", "FILE", "--db", "COMP200"), 2, "holds no database 'COMP200'; there are: CONDBR2"),
        (("ls", "sqlite://;schema=FILE;dbname=A", "--db", "B"), 2, "--db B contradicts dbname=A"),
        (("show", "FILE", "/SCT/Derived/Monitorin"), 2, f"did you mean '{DERIVED}'"),
        (("show", "FILE", DERIVED, "--tag", "X"), 2, f"no tag 'X' in {DERIVED}; there are: T-1"),
        (("show", "FILE", "/DCS/HV", "--tag", "X"), 2, "single-version folder, it has no tag"),
        (("show", "FILE", "/DCS/HV", "--channel", "rack"), 2, "no channel is named 'rack'"),
        (("show", "FILE", "/DCS/HV", "--run", "5"), 2, "--run is of no use in /DCS/HV"),
        (("show", "FILE", DERIVED, "--run", "5", "--since", "1"), 2, "--run cannot go with"),
        (("show", "FILE", DERIVED, "--since", "yesterday"), 2, "--since: 'yesterday' is not a"),
        (("show", "FILE", DERIVED, "--until", "5/99999999999"), 2, "--until: lumi block 999999"),
        (("channels", "FILE", "/X"), 2, "'/X' is no folder"),
        (("tags", "FILE", "/X"), 2, "no folder '/X'"),
        (("show", "FILE"), 2, "Missing argument 'FOLDER'"),
        (("show", "FILE", DERIVED, "--limit", "-1"), 2, "Invalid value for '--limit'"),
    ],
)
def test_mistakes_end_with_one_line(
    run: Command, file: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    result = run(*(text.replace("FILE", str(file)) for text in arguments))
    assert result.exit_code == code, result.output
    assert message in result.stderr
    assert "Traceback" not in result.output
    assert result.stdout == ""
    if code == 74:
        assert len(result.stderr.splitlines()) == 1


def test_several_databases_ask_for_one(run: Command, file: Path, tmp_path: Path) -> None:
    path = tmp_path / "two.db"
    path.write_bytes(file.read_bytes())
    Database.create_in(path, "OFLP200").close()
    result = run("ls", path)
    assert result.exit_code == 2
    assert "holds several databases, choose one: CONDBR2, OFLP200" in result.stderr
    assert run("ls", path, "--db", "CONDBR2").output == run("ls", file).output


def test_a_folder_with_several_tags_and_no_head(run: Command, tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with new_database(path) as db:
        folder = db.create_folder("/F", [("x", "Int32")])
        for tag in ("A", "B"):
            folder.store(0, 9, [1], 1, tag=tag, user_tag_only=True)
    assert run("show", path, "/F").stderr == "HEAD is empty; choose one with --tag: A, B\n"


# ---------------------------------------------------------------- diff


def _change(file: Path, path: Path, change: Callable[[Database], Any]) -> Path:
    path.write_bytes(file.read_bytes())
    with Database.open(path, read_only=False) as db:
        change(db)
    return path


def test_the_same_content_stored_at_other_times_is_no_difference(
    run: Command, tmp_path: Path
) -> None:
    for name, clock in (("a.db", lambda: START), ("b.db", lambda: START + 5)):
        with Database.create(tmp_path / name, clock=clock) as db:
            folder = db.create_folder("/F", [("x", "Double")])
            if name == "b.db":
                folder.store(0, 9, [0.5], 1, tag="T")  # other ids afterwards
            folder.store(0, 9, [1.5], 1, tag="T")
            folder.store(0, 9, [None], 2)
    result = run("diff", tmp_path / "a.db", tmp_path / "b.db")
    assert (result.exit_code, result.output) == (0, "")


IV = (run_lumi(300000), run_lumi(300000, 0xFFFFFFFF))
CHANGES: list[tuple[Callable[[Database], Any], str]] = [
    (
        lambda db: db.folder(DERIVED).store(*IV, (0.5, ""), 5, tag="T-1", user_tag_only=True),
        f"{DERIVED}: object: T-1: channel 5 from 300000/0: Threshold: 0.014999999664723873 | 0.5",
    ),
    (
        lambda db: db.folder(DERIVED).store(0, 9, (0.5, ""), 5),
        f"{DERIVED}: object: HEAD: channel 5 from 0/0: only in the second",
    ),
    (
        lambda db: db.folder("/V").store(5, 9, [[1], [3]], 1),
        (
            "/V: object: HEAD: channel 1 from 5: until inf | 9\n"
            "/V: object: HEAD: channel 1 from 5: x: 2 | 3\n"
            "/V: object: HEAD: channel 1 from 9: only in the second"
        ),
    ),
    (
        lambda db: db.folder("/V").store(5, INF, [[1]], 1),
        "/V: object: HEAD: channel 1 from 5: 2 | 1 items",
    ),
    (lambda db: db.create_folder_set("/New"), "/New: folder: only in the second"),
    (lambda db: db.folder("/V").create_channel(9), "/V: channel: 9: only in the second"),
    (lambda db: db.lock_tag("T-1"), f"{DERIVED}: tag: T-1: user tag, unlocked | user tag, locked"),
    (lambda db: db.folder("/V").tag_head("H"), "/V: tag: H: only in the second"),
    (
        lambda db: db.delete_tag_relation("/SCT/Derived", "GLOBAL", DERIVED),
        (
            "/SCT/Derived: relation: GLOBAL -> /SCT/Derived/Monitoring T-1: only in the first\n"
            "/SCT/Derived: tag: GLOBAL: only in the first"
        ),
    ),
    (
        lambda db: db.folder(DERIVED).set_description(JOB_DESCRIPTION.replace("256", "71")),
        (
            f'{DERIVED}: description: ...eader service_type="256" clid="1238547719" /></addrHeader>'
            '<t... | ...eader service_type="71" clid="1238547719" /></addrHeader><ty...'
        ),
    ),
]


@pytest.mark.parametrize(("change", "text"), CHANGES)
def test_a_difference_is_told(
    run: Command, file: Path, tmp_path: Path, change: Callable[[Database], Any], text: str
) -> None:
    other = _change(file, tmp_path / "other.db", change)
    result = run("diff", file, other)
    assert result.output == text + "\n"
    assert result.exit_code == 1
    back = run("diff", other, file)
    assert back.exit_code == 1
    assert len(back.output.splitlines()) == len(text.splitlines())


def test_folders_of_different_kinds(run: Command, tmp_path: Path) -> None:
    with new_database(tmp_path / "a.db") as a, new_database(tmp_path / "b.db") as b:
        a.create_folder("/F", [("x", "Int32")], versioning=Versioning.SINGLE).store(0, 9, [1], 1)
        b.create_folder("/F", [("y", "Int32")], payload=Payload.INLINE).store(0, 9, [1], 1)
        a.create_folder("/G", [("x", "Int32")])
        b.create_folder_set("/G")
    lines = run("diff", tmp_path / "a.db", tmp_path / "b.db").output.splitlines()
    assert lines == [
        "/F: folder: fields: x:Int32 | y:Int32",
        "/F: folder: versioning: SINGLE | MULTI",
        "/F: folder: payload: SEPARATE | INLINE",
        "/F: object: HEAD: channel 1 from 0: x: 1 | None",
        "/F: object: HEAD: channel 1 from 0: y: None | 1",
        "/G: folder: folder | folder set",
    ]


def test_diff_options(run: Command, file: Path, tmp_path: Path) -> None:
    other = _change(file, tmp_path / "other.db", lambda db: db.folder("/V").set_description("x"))
    assert run("diff", file, other).exit_code == 1
    assert run("diff", file, other, "--ignore-description").exit_code == 0
    third = _change(file, tmp_path / "third.db", lambda db: db.folder("/V").store(0, 9, [], 1))
    limited = run("diff", file, third, "--limit", "1")
    assert limited.exit_code == 1
    assert len(limited.stdout.splitlines()) == 1
    assert limited.stderr == "1 of 3 differences\n"
    found = json.loads(run("diff", file, other, "--json").output)
    assert found == [{"path": "/V", "kind": "description", "difference": " | x"}]
    assert json.loads(run("diff", file, file, "--json").output) == []


# ---------------------------------------------------------------- help, terminals


@pytest.mark.parametrize("verb", ["ls", "show", "tags", "channels", "diff"])
def test_every_help_has_an_example(run: Command, verb: str) -> None:
    result = run(verb, "--help")
    assert result.exit_code == 0
    assert re.search(rf"Example:\n +sctcalib cool {verb} \S", result.output)
    assert "--json" in result.output
    assert "--db" in result.output


def test_a_terminal_gets_a_table_with_lines(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    with pytest.raises(SystemExit):
        cool(["ls", str(file)])
    shown = capsys.readouterr().out
    assert shown.startswith("┏━━")
    assert "T-1 (4)" in shown


def test_importing_the_commands_is_light() -> None:
    code = (
        "import sys, sctcalib.cool.commands\n"
        "heavy = {'sqlite3', 'numpy', 'rich', 'sqlite_utils'} & set(sys.modules)\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


def test_the_package_offers_its_names_lazily() -> None:
    import sctcalib.cool as package

    assert package.run_lumi(1) == 1 << 32
    assert {"Database", "Folder", "VALIDITY_KEY_MAX"} <= set(dir(package))
    with pytest.raises(AttributeError, match="has no attribute 'Databse'"):
        package.Databse  # noqa: B018
