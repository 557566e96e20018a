"""Files of runs: what is read, and that every mistake is found and located."""

from __future__ import annotations

import jsonschema
import pytest

from sctcalib.job.errors import InputFileError, JobError
from sctcalib.resources import resource
from sctcalib.runs.files import fields, read_runs, schema
from sctcalib.runs.records import contradictions, run_of
from tests.runs.helpers import GOOD, NOISE, RUN, good, write_json

EXAMPLES = resource("share", "examples")


def test_schema_is_valid_and_says_what_each_field_is():
    jsonschema.Draft202012Validator.check_schema(schema())
    properties = schema()["$defs"]["run"]["properties"]
    assert all("description" in words for words in properties.values())
    assert fields()[0] == "run"


def test_json_example_is_the_run_of_the_reference():
    first, second = read_runs(EXAMPLES / "RunDatabase.json")
    assert {**first.values, "ready_for_physics": None} == {**GOOD, "ready_for_physics": None}
    assert second.values["run"] == RUN + 1


def test_csv_example_says_the_same_as_far_as_it_goes():
    first, second = read_runs(EXAMPLES / "RunDatabase.csv")
    streams = {
        NOISE: {"events": 1201453, "bytes": 512345678901},
        "physics_Main": {"events": 14210387},
    }
    names = ("run", "project", "start", "lumi_blocks", "detector_mask", "fill", "stable_beams")
    assert {name: first.values[name] for name in names} == {name: GOOD[name] for name in names}
    assert first.values["streams"] == streams
    assert second.values == {
        "run": RUN + 1, "project": "data15_cos", "partition": "ATLAS",
        "start": 1434040000 * 10**9,
    }  # fmt: skip


def test_byte_order_mark_blank_lines_and_carriage_returns_do_not_matter(tmp_path):
    path = tmp_path / "r.csv"
    path.write_bytes(b"\xef\xbb\xbfrun, fill\r\n1, 5\r\n\r\n,\r\n2,\r\n")
    assert [g.values for g in read_runs(path)] == [{"run": 1, "fill": 5}, {"run": 2}]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"run": 0}, "runs[1].run: 0 is less than the minimum of 1 (Run number)"),
        ({"run": "5"}, "runs[1].run: '5' is not of type 'integer'"),
        ({"run": True}, "runs[1].run: True is not of type 'integer'"),
        ({"start": 1433995200}, "1433995200 is less than the minimum of 100000000000000000 (Start"),
        ({"end": 2**63}, "is greater than the maximum"),
        ({"project": "a b"}, "runs[1].project"),
        ({"project": "data15\n"}, "runs[1].project"),
        ({"project": ""}, "runs[1].project"),
        ({"lumi_blocks": 0}, "runs[1].lumi_blocks"),
        ({"lumi_blocks": []}, "runs[1].lumi_blocks"),
        ({"detector_mask": "0xf0"}, "runs[1].detector_mask"),
        ({"detector_mask": 240}, "runs[1].detector_mask: 240 is not of type"),
        ({"events": -1}, "runs[1].events"),
        ({"streams": {NOISE: 5}}, f"runs[1].streams.{NOISE}: 5 is not of type 'object'"),
        ({"streams": {NOISE: {}}}, "'events' is a required property"),
        ({"streams": {NOISE: {"events": 1.5}}}, f"runs[1].streams.{NOISE}.events: 1.5"),
        ({"streams": {"a b": {"events": 1}}}, "Name of a stream"),
        ({"stable_beams": [{"first": 0, "last": 2, "value": True}]}, "stable_beams[0].first: 0"),
        ({"stable_beams": [{"first": 1, "last": 2, "value": 1}]}, "stable_beams[0].value: 1"),
        ({"stable_beams": [{"first": 1, "last": 2}]}, "'value' is a required property"),
        ({"stable": True}, "'stable' was unexpected"),
        ({"bad": ""}, "runs[1].bad"),
        ({"beam_energy": -5}, "runs[1].beam_energy"),
    ],
)
def test_a_wrong_value_is_located(tmp_path, change, text):
    path = write_json(tmp_path / "r.json", good(1), good(2) | change)
    with pytest.raises(InputFileError) as caught:
        read_runs(path)
    assert text in str(caught.value)
    assert str(caught.value).startswith(f"{path}: ")
    assert caught.value.code == 74


def test_all_mistakes_are_listed_at_once(tmp_path):
    path = write_json(tmp_path / "r.json", good(0), good(2, fill=-1), good(3, events="many"))
    with pytest.raises(JobError) as caught:
        read_runs(path)
    assert len(str(caught.value).splitlines()) == 3
    assert caught.value.code == 74


def test_endless_mistakes_are_cut(tmp_path):
    path = write_json(tmp_path / "r.json", *({"run": -n} for n in range(200)))
    with pytest.raises(JobError) as caught:
        read_runs(path)
    lines = str(caught.value).splitlines()
    assert (len(lines), lines[-1]) == (51, f"{path}: further mistakes are not listed")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "not JSON"),
        (b"[]", "[] is not of type 'object'"),
        (b"{}", "'runs' is a required property"),
        (b'{"runs": [{"run": 1', "not JSON: "),
        (b'{"runs": [{"run": 1, "run": 2}]}', "key 'run' is given twice"),
        (b'{"runs": [{"run": NaN}]}', "NaN is no value"),
        (b'{"runs": [{"run": 1}, {"run": 1}]}', "the run is there already, in"),
        (b"\xff\xfe", "not UTF-8 at byte 0"),
        (b"[" * 100_000, "not JSON"),
        (b'{"runs": [{"run": ' + b"9" * 5000 + b"}]}", "not JSON"),
    ],
)
def test_what_is_no_file_of_runs_is_refused(tmp_path, content, text):
    path = tmp_path / "r.json"
    path.write_bytes(content)
    with pytest.raises(InputFileError) as caught:
        read_runs(path)
    assert text in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("", "line 1: the column 'run' is missing"),
        ("fill\n3\n", "line 1: the column 'run' is missing"),
        ("run,stream\n1,2\n", "line 1: column 'stream' is none of run, project"),
        ("run,fill,fill\n1,2,3\n", "line 1: column 'fill' is there twice"),
        ("run\n1,2\n", "line 2: 2 cells, the header has 1"),
        ("run\nx\n", "line 2: run: 'x' is not of type 'integer'"),
        ("run,fill\n1,5\n,3\n", "line 3: $: 'run' is a required property"),
        ("run,fill\n1,5\n2,-3\n", "line 3: fill: -3 is less than the minimum of 0"),
        ("run,stable_beams\n1,1-2=yes\n", "line 2: stable_beams: '1-2=yes' is not of type"),
        ("run,streams\n1,a=1;a=2\n", "line 2: streams: 'a=1;a=2' is not of type"),
        ("run,streams\n1,a\n", "line 2: streams: 'a' is not of type"),
        ("run,beam_energy\n1,6.5 TeV\n", "line 2: beam_energy: '6.5 TeV' is not of type"),
        ('run\n"1\n', "not CSV"),
        ("run\n1\n1\n", "line 3 (run 1): the run is there already, in"),
        ("run,bad\n1,x\x00y\n2," + "y" * 1001 + "\n", "line 3: bad: "),
    ],
)
def test_a_mistake_in_a_csv_file_is_located(tmp_path, content, text):
    path = tmp_path / "r.csv"
    path.write_text(content)
    with pytest.raises(JobError) as caught:
        read_runs(path)
    assert text in str(caught.value)
    assert caught.value.code == 74


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(InputFileError, match=f"^{path}: cannot be read: "):
            read_runs(path)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"end": 1433995200000000000}, "end 1433995200000000000 is before start"),
        ({"run": 236100, "detector_mask": "f0"}, "up to run 236100 it is a decimal number"),
        ({"lumi_blocks": 872}, "stable_beams[1]: block 873 of a run of 872 lumi blocks"),
        ({"lumi_blocks": [10**18, 10**18], "stable_beams": None, "streams": None},
         "lumi_blocks: block 2 does not start after block 1"),
        ({"recorded": [{"first": 5, "last": 4, "value": True}]},
         "recorded[0]: first 5 is after last 4"),
        ({"recorded": [{"first": 1, "last": 4, "value": True},
                       {"first": 4, "last": 5, "value": True}]},
         "recorded[1]: begins with 4, the one before ends with 4"),
        ({"streams": {"s": {"events": 5, "blocks": [{"first": 1, "last": 2, "events": 6}]}}},
         "streams.s: 6 events in blocks, 5 in all"),
    ],
)  # fmt: skip
def test_values_that_contradict_each_other_are_told(change, text):
    assert text in "; ".join(contradictions(GOOD | change))


def test_the_example_does_not_contradict_itself():
    assert list(contradictions(GOOD)) == []


def test_unknown_is_not_zero():
    run = run_of({"run": 5})
    known = (run.mask, run.events, run.duration, run.lumi_blocks, run.streams, run.project)
    assert known == (None,) * 6
    assert run.n_blocks == 1
    assert run.sct_partitions == ()


@pytest.mark.parametrize(
    ("run", "mask", "number"),
    [
        (236100, "240", 240),
        (236101, "240", 0x240),
        (267367, "0d00069fffffffff0", 0xD00069FFFFFFFFF0),
    ],
)
def test_masks_are_decimal_up_to_run_236100_and_hexadecimal_after(run, mask, number):
    assert run_of({"run": run, "detector_mask": mask}).mask == number


def test_physics_events_are_those_given_or_the_sum_of_the_physics_streams():
    streams = {"physics_A": {"events": 3}, "physics_B": {"events": 4}, NOISE: {"events": 9}}
    assert run_of({"run": 1, "streams": streams}).events == 7
    assert run_of({"run": 1, "streams": streams, "events": 5}).events == 5
    assert run_of({"run": 1, "streams": {NOISE: {"events": 9}}}).events is None


def test_partitions_are_bits_4_to_7():
    assert run_of({"run": 300000, "detector_mask": "50"}).sct_partitions == ("SCTBA", "SCTEA")
    assert run_of({"run": 200000, "detector_mask": "240"}).sct_partitions == (
        "SCTBA", "SCTBC", "SCTEA", "SCTEC",
    )  # fmt: skip
