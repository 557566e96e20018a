"""jobReport.json: its schema is strict, and the reports keep to it."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from sctcalib.job.report import as_json, as_text, command_line, exit_section, is_report, write_whole
from tests.support.reports import schema_problems, validator


@pytest.fixture
def good(run_toy):
    return run_toy(prefix="D#D._0001", act=["warn"], taskid="t")


@pytest.fixture
def failed(run_toy):
    return run_toy(input=["none"])


def objects(schema: object) -> list[dict]:
    """All object schemas that list their properties."""
    if isinstance(schema, dict):
        own = [schema] if schema.get("type") == "object" and "properties" in schema else []
        return own + [each for value in schema.values() for each in objects(value)]
    if isinstance(schema, list):
        return [each for value in schema for each in objects(value)]
    return []


def test_the_schema_allows_nothing_that_it_does_not_name():
    schemas = objects(validator().schema)
    assert len(schemas) > 10
    assert all(each["additionalProperties"] is False for each in schemas)


def test_reports_of_good_and_failed_jobs_keep_to_it(good, failed):
    assert schema_problems(good) == []
    assert schema_problems(failed) == []
    assert (failed["run"], failed["configuration"], failed["results"]) == (None, {}, {})


DEFECTS = [
    ("missing key", lambda r: r.pop("executor")),
    ("unknown key", lambda r: r.update(extra=1)),
    ("unknown key below", lambda r: r["files"]["output"][0]["subFiles"][0].update(path="x")),
    ("path for a name", lambda r: r["files"]["output"][0]["subFiles"][0].update(name="a/b")),
    ("checksum in capitals", lambda r: r["files"]["input"][0]["subFiles"][0].update(checksum="0A")),
    ("negative size", lambda r: r["files"]["output"][0]["subFiles"][0].update(file_size=-1)),
    ("acronym of a failure", lambda r: r.update(exitAcronym="TRF_UNKNOWN")),
    ("message too long", lambda r: r.update(exitMsg="x" * 257)),
    ("return code of a failure", lambda r: r["executor"][0].update(rc=5)),
    ("good job without a run", lambda r: r.update(run=None)),
    ("time with a zone", lambda r: r.update(created="2015-06-11T14:02:33Z")),
    ("failed job with outputs", lambda r: r.update(exitCode=74, exitAcronym="TRF_X")),
    ("table as a result", lambda r: r["results"]["doCount"].update(total=[1])),
    ("version of another format", lambda r: r.update(reportVersion="3")),
]


@pytest.mark.parametrize("spoil", [d[1] for d in DEFECTS], ids=[d[0] for d in DEFECTS])
def test_the_schema_sees_what_is_wrong(good, spoil):
    report = copy.deepcopy(good)
    spoil(report)
    assert schema_problems(report) != []


def test_the_file_has_sorted_keys_and_an_indent_of_two(here, good):
    text = (here / "jobReport.json").read_text()
    assert text == json.dumps(good, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    assert text == as_json(good)


def test_text_form_says_how_a_failed_job_ended(failed):
    text = as_text(failed)
    assert "toy_trf: exit 74 TRF_INPUT_FILE_VALIDATION_FAIL" in text
    assert "message: none not found" in text


@pytest.mark.parametrize("length", [0, 1, 255, 256, 257, 1000])
def test_messages_are_cut_at_256_characters(length):
    message = "".join(chr(ord("a") + n % 26) for n in range(length))
    section = exit_section(7, message)
    assert len(section["exitMsg"]) == min(length, 256)
    whole = section["exitMsg"] + section["exitMsgExtra"]
    assert whole.replace(" (truncated)", "") == message
    assert section["exitMsg"].endswith(" (truncated)") == (length > 256)


def test_command_line_is_quoted():
    assert command_line(["a.py", "--argJSON=x y"]) == "'a.py' '--argJSON=x y'"


def test_what_is_a_report(here, run_toy, tmp_path):
    run_toy(reportType=["text"])
    assert is_report(here / "jobReport.json")
    assert is_report(here / "jobReport.txt")
    assert not is_report(here / "a.num")
    (tmp_path / "x.json").write_text('{"arguments": {}}')
    assert not is_report(tmp_path / "x.json")


def test_write_whole_leaves_no_temporary_file_when_it_fails(tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_whole(tmp_path / "taken", "x")
    write_whole(tmp_path / "free", "ü\udcff")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["free", "taken"]
    assert (tmp_path / "free").read_bytes() == "ü\\udcff".encode()


def test_write_whole_replaces(tmp_path: Path):
    for text in ("one", "two"):
        write_whole(tmp_path / "f", text)
        assert (tmp_path / "f").read_text() == text
