"""What is wrong with configuration files is said at once, with its place (transform.md 4.7)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sctcalib.configuration import load_configuration
from sctcalib.configuration.files import SIZE_LIMIT, read_file
from sctcalib.job.errors import ArgumentError, JobError


def refused(load, **contents):
    """The lines of the message with which files are refused."""
    with pytest.raises(JobError) as caught:
        load(**contents)
    assert caught.value.code == 7
    return str(caught.value).splitlines()


MISTAKES = {
    "misspelt": (
        "NoisyStripThrOfline = 0.1",
        "'NoisyStripThrOfline' with the value 0.1 (did you mean 'NoisyStripThrOffline'?)",
    ),
    "misspelt case": ("noisyminstat = 1", "(did you mean 'NoisyMinStat'?)"),
    "unknown": ("Xyz = 1", "unknown option 'Xyz' with the value 1"),
    "unknown table": ("[doNoisyStrips]\nA = 1", "unknown table 'doNoisyStrips' (did you mean"),
    "wrong table": (
        "[common]\nNoisyMinStat = 1",
        "NoisyMinStat belongs into the table [doNoisyStrip], not [common]",
    ),
    "table that is a value": ("common = 3", "'common' is 3, expected a table"),
    "value that is a table": (
        "[NoisyMinStat]\na = 1",
        "NoisyMinStat is {'a': 1}, expected a whole",
    ),
    "without use": (
        "HVQlength = 3",
        "'HVQlength' has no effect here and is accepted in files of the original (.py) only",
    ),
    "truth value as number": (
        "NoisyMinStat = true",
        "NoisyMinStat is True, expected a whole number",
    ),
    "truth value as fraction": ("NoisyChipFraction = true", "expected a number from 0 to 1"),
    "number as truth value": ("NoisyUpdate = 1", "NoisyUpdate is 1, expected true or false"),
    "text as number": ('NoisyMinStat = "1"', "NoisyMinStat is '1', expected a whole number"),
    "text as truth value": ('NoisyUpdate = "False"', "expected true or false"),
    "fraction as count": ("NoisyMinStat = 0.5", "NoisyMinStat is 0.5, expected a whole number"),
    "list": ("NoisyMinStat = [1]", "NoisyMinStat is [1], expected a whole number"),
    "date": ("NoisyMinStat = 2020-01-01", "NoisyMinStat is datetime.date(2020, 1, 1), expected"),
    "nan": ("NoisyStripThrOffline = nan", "NoisyStripThrOffline is nan, expected a number"),
    "infinity": ("NoisyStripThrOffline = inf", "NoisyStripThrOffline is inf, expected a number"),
    "overflow": ("NoisyStripThrOffline = 1e999", "NoisyStripThrOffline is inf, expected a number"),
    "above one": (
        "NoisyChipFraction = 1.5",
        "NoisyChipFraction is 1.5, expected a number from 0 to 1",
    ),
    "negative": ("NoisyMinStat = -1", "expected a whole number from 0 to 2147483647"),
    "no runs": ("NoisyReadNumRuns = 0", "expected a whole number from 1 to 1000"),
    "wrong word": (
        'NoisyStripDiffMode = "Absolute"',
        "NoisyStripDiffMode is 'Absolute', expected one of 'relative', 'absolute'",
    ),
    "tag with blank": ('TagID4NoisyStrips = "a b"', "expected a text of 1 to 255 characters"),
    "empty tag": (
        'TagID4NoisyStrips = ""',
        "expected a text of 1 to 255 characters without blanks",
    ),
    "path with line feed": ('BadChannels = "a\\nb"', "expected a text without control characters"),
    "twice": (
        "NoisyMinStat = 1\n[doNoisyStrip]\nNoisyMinStat = 2",
        "'NoisyMinStat' is set a second time in this file",
    ),
}


@pytest.mark.parametrize(("text", "message"), MISTAKES.values(), ids=MISTAKES)
def test_mistake_is_named_with_value_and_what_is_allowed(text, message, load):
    (line,) = refused(load, a_toml=text)
    assert "a.toml, line " in line
    assert message in line


def test_lines_are_those_of_the_setting_and_not_of_a_remark(load):
    text = (
        "# NoisyMinStat = 1\n\n[common]\nXyz = 1\n[doNoisyStrip]\n\nXyz = 2\n  NoisyMinStat = -1\n"
    )
    lines = refused(load, a_toml=text)
    assert [line.split(": ")[0].rpartition(" ")[2] for line in lines] == ["4", "7", "8"]


def test_line_of_a_name_is_not_that_of_a_longer_name(load):
    lines = refused(load, a_toml="MyNoisyMinStat = 1\nNoisyMinStat = -1\n")
    assert [line.split(": ")[0].rpartition(" ")[2] for line in lines] == ["1", "2"]


def test_lines_of_json(load):
    lines = refused(load, a_json='{\n "common": {\n  "Xyz": 1},\n "NoisyMinStat": -1\n}')
    assert [line.split(": ")[0].rpartition(" ")[2] for line in lines] == ["3", "4"]


def test_all_mistakes_of_all_files_are_named_at_once(load, tmp_path):
    contents = {
        "a_toml": "NoisyMinStat = -1\nNoisyUpdate = 0\n",
        "b_toml": "is this TOML?",
        "c_json": '{"Xyz": 1, "WriteToCool": null}',
        "d_py": "import os\nNoisyMinStat = 'a'\nNoisyModuleList = 3 + 4\n",
    }
    lines = refused(load, **contents)
    places = [line.removeprefix(f"{tmp_path}/").split(": ")[0] for line in lines]
    assert places == [
        "a.toml, line 1",
        "a.toml, line 2",
        "b.toml",
        "c.json, line 1",
        "c.json, line 1",
        "d.py, line 1",
        "d.py, line 3",
        "d.py, line 2",
    ]
    with pytest.raises(JobError) as caught:
        load_configuration(["absent.toml", "absent.json"], search=[tmp_path])
    assert len(str(caught.value).splitlines()) == 2


def test_long_lists_of_mistakes_are_cut(load):
    lines = refused(load, a_toml="".join(f"X{n} = 1\n" for n in range(20_000)))
    assert len(lines) == 101
    assert lines[-1].endswith("further problems are not listed")


BAD_FILES = {
    "cut TOML": ("a.toml", b"[common\n", "cannot be read as TOML: .*line 1"),
    "name twice in TOML": ("a.toml", b"WriteToCool = true\nWriteToCool = true\n", "line 2"),
    "cut JSON": ("a.json", b'{"common": ', "cannot be read as JSON: .*line 1 column"),
    "empty JSON": ("a.json", b"", "cannot be read as JSON"),
    "JSON list": ("a.json", b"[1]", r"it holds \[1\], expected an object"),
    "name twice in JSON": ("a.json", b'{"WriteToCool": true, "WriteToCool": true}', "given twice"),
    "name twice in a table": (
        "a.json",
        b'{"common": {"RunInfo": "", "RunInfo": ""}}',
        "given twice",
    ),
    "NaN in JSON": ("a.json", b'{"NoisyModuleDiff": NaN}', "NoisyModuleDiff is nan"),
    "infinity in JSON": ("a.json", b'{"NoisyModuleDiff": -Infinity}', "NoisyModuleDiff is -inf"),
    "surrogate": ("a.json", b'{"BadChannels": "\\ud800"}', "without control characters"),
    "deep TOML": ("a.toml", b"a = " + b"[" * 50_000, "nested too deeply"),
    "deep JSON": ("a.json", b"[" * 200_000, "nested too deeply"),
    "deep Python": ("a.py", b"A = " + b"-" * 200_000 + b"1", "cannot be read as lines"),
    "deep list": (
        "a.py",
        b"A = " + b"[" * 5_000,
        "cannot be read as lines 'Name = literal': line 1",
    ),
    "digits in TOML": ("a.toml", b"NoisyMinStat = " + b"9" * 5000, "digits"),
    "digits in JSON": ("a.json", b'{"NoisyMinStat": ' + b"9" * 5000 + b"}", "digits"),
    "digits in Python": ("a.py", b"NoisyMinStat = " + b"9" * 5000, "digits"),
    "hexadecimal digits": ("a.toml", b"NoisyMinStat = 0x" + b"f" * 5000, "thousands of digits"),
    "Python that is none": ("a.py", b"NoisyMinStat = 1\nNoisy Strip = 2\n", "line 2"),
    "NUL in Python": ("a.py", b"NoisyMinStat = 1\x00", "null bytes"),
    "Latin-1": ("a.toml", b"# first\n# Z\xfcrich\n", r"line 2: is not UTF-8 text \(byte 0xfc\)"),
    "byte order mark": ("a.toml", b"\xef\xbb\xbfWriteToCool = true", "byte order mark"),
    "byte order mark in JSON": ("a.json", b"\xef\xbb\xbf{}", "byte order mark"),
    "UTF-16": ("a.json", "{}".encode("utf-16"), "not UTF-8"),
    "too large": ("a.toml", b"#" * (SIZE_LIMIT + 1), "is larger than 1048576 bytes"),
    "other ending": ("a.yaml", b"", "ends with .toml, .json, .py"),
    "no ending": ("a", b"", "ends with .toml, .json, .py"),
}


@pytest.mark.parametrize(("name", "content", "message"), BAD_FILES.values(), ids=BAD_FILES)
def test_file_that_cannot_be_read_is_named(name, content, message, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ArgumentError, match=message) as caught:
        load_configuration([name], search=[tmp_path])
    assert caught.value.code == 7
    assert str(caught.value).startswith(str(tmp_path / name))


def test_file_of_the_largest_size_is_read(tmp_path):
    (tmp_path / "a.toml").write_bytes(b"#" * SIZE_LIMIT)
    assert load_configuration(["a.toml"], search=[tmp_path])["NoisyMinStat"] == 10000


@pytest.mark.parametrize("name", ["", " ", "a\0.toml", "x" * 300 + ".toml", "a/" * 3000 + "b.toml"])
def test_impossible_names_are_not_found(name, tmp_path):
    with pytest.raises(ArgumentError, match="not found"):
        load_configuration([name], search=[tmp_path])


def test_folder_and_pipe_are_no_files(tmp_path):
    (tmp_path / "folder.toml").mkdir()
    os.mkfifo(tmp_path / "pipe.toml")
    for name in ("folder.toml", "pipe.toml"):
        with pytest.raises(ArgumentError, match=f"{name}: is not a file"):
            load_configuration([name], search=[tmp_path])


def test_file_without_permission_is_named(tmp_path, monkeypatch):
    (tmp_path / "a.toml").write_text("")

    def denied(self, *_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(ArgumentError, match=r"a.toml: cannot be read: Permission denied"):
        read_file(tmp_path / "a.toml")


PIECES = st.sampled_from(
    [
        *("NoisyMinStat", "WriteToCool", "common", "RunNumber", "=", ":", ",", ".", "1", "true"),
        *("{", "}", "[", "]", '"', "'", "#", "-", " ", "\n", "\\", "(", ")", "f", "1e999", "\t"),
    ]
)
CONTENTS = st.binary(max_size=40) | st.lists(PIECES, max_size=20).map(lambda x: "".join(x).encode())


def failure(name):
    try:
        load_configuration([name])
    except JobError as error:
        return error
    return None


@settings(max_examples=200, deadline=None)
@given(content=CONTENTS, suffix=st.sampled_from([".toml", ".json", ".py"]))
def test_any_content_is_read_or_refused_and_never_a_bug(content, suffix, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / f"any{suffix}"
    path.write_bytes(content)
    error = failure(str(path))
    assert error is None or (error.code == 7 and str(path) in str(error))
