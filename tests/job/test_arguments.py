"""The arguments of the SCT transform: forms of values, defaults, mistakes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from sctcalib.job.arguments import FORMS, ArgumentSchema, nearest, shown
from sctcalib.job.errors import JobError, ProblemsError
from sctcalib.parts import PARTS
from sctcalib.resources import resource
from sctcalib.transform import argument_schema

SCHEMA = argument_schema()
INPUT = {"input": ["x"]}


def arguments(values, overrides=None, **more):
    return SCHEMA.arguments({**INPUT, **values, **more}, "job.json", overrides)


def problem(values, overrides=None) -> JobError:
    with pytest.raises(JobError) as caught:
        SCHEMA.arguments(values, "job.json", overrides)
    return caught.value


def test_the_schema_is_one():
    schema = json.loads(resource("schemas", "job.json").read_text())
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_parts_of_the_schema_are_the_table_of_parts():
    assert SCHEMA.properties["part"]["anyOf"][0]["items"]["enum"] == list(PARTS)


def test_every_argument_has_a_form_and_a_description():
    for name, prop in SCHEMA.properties.items():
        assert prop["description"], name
        assert "x-ignored" in prop or prop["x-form"] in FORMS or "x-alias-of" in prop, name


def test_aliases_point_at_arguments_and_are_listed_there():
    for name, prop in SCHEMA.properties.items():
        if "x-alias-of" in prop:
            assert name in SCHEMA.properties[prop["x-alias-of"]]["x-aliases"]


@pytest.mark.requirement("R13")
@pytest.mark.requirement("R15")
@pytest.mark.requirement("R16")
@pytest.mark.requirement("R17")
@pytest.mark.requirement("R19")
@pytest.mark.requirement("R20")
def test_defaults():
    found = arguments({})
    assert {name: found[name] for name in found} == {
        "part": ["doNoisyStrip"],
        "splitNoisyStrip": 0,
        "maxEvents": -1,
        "skipEvents": 0,
        "prefix": "",
        "input": ["x"],
        "SCTCalibConfig": [],
        "doRunInfo": False,
        "doRunSelector": False,
        "forceRefRunNumber": False,
        "loglevel": "INFO",
        "verbose": False,
        "reportName": "jobReport",
        "reportType": ["json"],
        "dumpargs": False,
        "showSteps": False,
        "showPath": False,
    }
    assert dict(found.given) == INPUT


EQUAL = [
    ("part", ["doNoisyStrip"], "doNoisyStrip"),
    ("part", ["doNoisyStrip"], "doNoisyStrip,"),
    ("part", ["doNoisyStrip"], " doNoisyStrip "),
    ("splitNoisyStrip", 2, "2"),
    ("splitNoisyStrip", 2, " +2 "),
    ("splitNoisyStrip", 2, 2.0),
    ("maxEvents", -1, "-1"),
    ("doRunInfo", True, "True"),
    ("doRunInfo", True, "tRUE"),
    ("doRunInfo", False, "false"),
    ("SCTCalibConfig", ["a.toml", "b.py"], "a.toml,b.py"),
    ("SCTCalibConfig", ["a.toml", "b.py"], " a.toml ,, b.py "),
    ("SCTCalibConfig", [], ""),
    ("input", ["a", "b"], "a,b"),
    ("input", [{"lfn": "a"}], {"lfn": "a"}),
    ("RunNumber", 267367, "00267367"),
    ("reportType", ["json", "text"], "json,text"),
]


@pytest.mark.requirement("R22")
@pytest.mark.parametrize(("name", "native", "text"), EQUAL)
def test_native_values_and_texts_are_equal(name, native, text):
    assert arguments({name: text})[name] == native
    assert arguments({name: native})[name] == native


@settings(max_examples=50)
@given(st.integers(-1, 10**17))
def test_any_number_may_be_given_as_text(number):
    assert arguments({"maxEvents": str(number)})["maxEvents"] == number


def test_null_is_the_same_as_leaving_out():
    assert arguments({"prefix": None, "maxEvents": None}).given == INPUT


def test_aliases_stand_for_their_argument():
    assert arguments({"splitHitMap": "2"})["splitNoisyStrip"] == 2
    assert arguments({"debug": True})["verbose"] is True


def test_an_argument_under_two_names_must_be_given_one_value():
    assert arguments({"splitHitMap": 2, "splitNoisyStrip": 2})["splitNoisyStrip"] == 2
    error = problem({**INPUT, "splitHitMap": 1, "splitNoisyStrip": 2})
    assert error.code == 7
    assert "splitNoisyStrip is given twice, also as" in str(error)


def test_the_command_line_overrides_the_dictionary():
    found = arguments({"prefix": "a", "maxEvents": "wrong"}, {"maxEvents": "5"})
    assert (found["prefix"], found["maxEvents"]) == ("a", 5)
    assert found.place("prefix") == "job.json: prefix"
    assert found.place("maxEvents") == "command line: maxEvents"
    assert found.place("doRunInfo") == "default: doRunInfo"


def test_every_argument_without_effect_is_accepted_and_named():
    ignored = [name for name, prop in SCHEMA.properties.items() if "x-ignored" in prop]
    assert {"preExec", "asetup", "athenaopts", "ignoreErrors", "perfmon", "AMIConfig"} <= set(
        ignored
    )
    found = arguments(dict.fromkeys(ignored, "any value"))
    assert found.ignored == tuple(ignored)
    assert not set(ignored) & set(found)


def test_arguments_of_the_original_framework_are_all_known():
    """transform.md 2.1 and 2.2."""
    names = (
        "input prefix part SCTCalibConfig doRunSelector doRunInfo splitNoisyStrip splitHitMap "
        "maxEvents verbose debug loglevel dumpargs showGraph showPath showSteps dumpPickle "
        "dumpJSON reportName reportType execOnly env imf tcmalloc steering AMIConfig AMI AMITag "
        "taskid jobid attempt athenaopts command athena preExec preInclude postExec postInclude "
        "skipEvents asetup eventAcceptanceEfficiency athenaMPMergeTargetSize mts athenaMPStrategy "
        "athenaMPUseEventOrders athenaMPEventsBeforeFork sharedWriter eventService valgrind "
        "valgrindDefaultOpts valgrindExtraOpts ignoreFiles ignoreFilters ignorePatterns "
        "ignoreErrors checkEventCount fileValidation inputFileValidation outputFileValidation "
        "parallelFileValidation CA splitConfig parallelCompression multithreaded multiprocess "
        "deleteIntermediateOutputfiles perfmon multithreadedFileValidation"
    )
    assert set(names.split()) <= set(SCHEMA.properties)


WRONG = [
    ({"Prefix": "x"}, 7, "job.json: Argument \"Prefix\" not known; did you mean 'prefix'?"),
    ({"'SCTCalibConfig": "x"}, 7, "did you mean 'SCTCalibConfig'?"),
    ({"outputCOOL": "x.db"}, 7, 'Argument "outputCOOL" not known'),
    ({"zzz": 1}, 7, '"zzz" not known (try "--help")'),
    ({"": 1}, 7, 'Argument "" not known'),
    ({"part": "doNoisyStripp"}, 7, "part[0]=doNoisyStripp does not match"),
    ({"part": "doNoisyStripp"}, 7, "did you mean 'doNoisyStrip'?"),
    ({"part": ["donoisystrip"]}, 7, "did you mean 'doNoisyStrip'?"),
    ({"part": []}, 5, "part is []; it must be not empty"),
    ({"part": ""}, 5, "part is []; it must be not empty"),
    ({"part": 3}, 4, "part is 3; expected a list of texts"),
    ({"part": [1]}, 4, "part is [1]; expected a list of texts"),
    ({"part": {"a": 1}}, 4, 'part is {"a": 1}'),
    ({"splitNoisyStrip": 3}, 5, "splitNoisyStrip is 3; it must be at most 2"),
    ({"splitNoisyStrip": "-1"}, 5, "splitNoisyStrip is -1; it must be at least 0"),
    ({"splitNoisyStrip": "two"}, 4, 'splitNoisyStrip is "two"; expected an integer'),
    ({"splitNoisyStrip": 1.5}, 4, "splitNoisyStrip is 1.5; expected an integer"),
    ({"splitNoisyStrip": True}, 4, "splitNoisyStrip is true; expected an integer"),
    ({"splitNoisyStrip": [2]}, 4, "splitNoisyStrip is [2]; expected an integer"),
    ({"splitNoisyStrip": "2.0"}, 4, 'splitNoisyStrip is "2.0"'),
    ({"splitNoisyStrip": "\u0662"}, 4, 'splitNoisyStrip is "\u0662"'),
    ({"splitNoisyStrip": "0x2"}, 4, 'splitNoisyStrip is "0x2"'),
    ({"maxEvents": -2}, 5, "maxEvents is -2; it must be at least -1"),
    ({"maxEvents": "1" * 5000}, 4, "maxEvents is"),
    ({"skipEvents": -1}, 5, "skipEvents is -1"),
    ({"RunNumber": 0}, 5, "RunNumber is 0; it must be at least 1"),
    ({"RunNumber": 2**31}, 5, "RunNumber is 2147483648; it must be at most 2147483647"),
    ({"doRunInfo": "yes"}, 4, 'doRunInfo is "yes"; expected true or false'),
    ({"doRunInfo": 1}, 4, "doRunInfo is 1; expected true or false"),
    ({"prefix": 5}, 4, "prefix is 5; expected a text"),
    ({"prefix": ["x"]}, 4, 'prefix is ["x"]; expected a text'),
    ({"loglevel": "LOUD"}, 5, 'loglevel is "LOUD"; one of DEBUG'),
    ({"loglevel": "WARN"}, 5, "did you mean 'WARNING'?"),
    ({"reportName": "../x"}, 5, "reportName is"),
    ({"reportName": "a/b"}, 5, "it must be a plain name"),
    ({"reportName": ""}, 5, "reportName is"),
    ({"reportName": "x\n"}, 5, "reportName is"),
    ({"reportName": "x" * 101}, 5, "reportName is"),
    ({"reportType": ["jason"]}, 5, "reportType[0] is \"jason\"; did you mean 'json'?"),
    ({"taskid": 1.5}, 4, "taskid is 1.5"),
    ({"input": 5}, 4, "input is 5; expected a list of file names or of objects"),
    ({"input": [5]}, 4, "input[0] is 5"),
    ({"input": ["a", None]}, 4, "input[1] is null"),
    ({"input": ["a", ["b"]]}, 4, 'input[1] is ["b"]'),
    ({"input": ["a", ""]}, 5, 'input[1] is ""; it must be not empty'),
    ({"input": [{"dsn": "D"}]}, 17, "input[0] has no lfn"),
    ({"input": [{}]}, 17, "input[0] has no lfn"),
    ({"input": [{"lfn": 5}]}, 4, "input[0].lfn is 5; expected string"),
    ({"input": [{"lfn": ""}]}, 5, 'input[0].lfn is ""; it must be not empty'),
    ({"input": [{"lfn": "x", "events": -1}]}, 5, "input[0].events is -1"),
    ({"input": [{"lfn": "x", "events": 1.5}]}, 4, "input[0].events is 1.5"),
    ({"input": [{"lfn": "x", "events": True}]}, 4, "input[0].events is true"),
    ({"input": [{"lfn": "x", "events": "many"}]}, 5, 'input[0].events is "many"'),
    ({"input": [{"lfn": "x", "events": "9" * 5000}]}, 5, "input[0].events is"),
    ({"input": [{"lfn": "x", "events": 10**30}]}, 5, "input[0].events is"),
    ({"input": [{"lfn": "x", "dsn": None}]}, 4, "input[0].dsn is null"),
]


@pytest.mark.requirement("R14")
@pytest.mark.requirement("R17")
@pytest.mark.requirement("R19")
@pytest.mark.requirement("R21")
@pytest.mark.parametrize(("values", "code", "text"), WRONG, ids=[str(row[0])[:50] for row in WRONG])
def test_mistakes_have_their_code_and_name_place_value_and_remedy(values, code, text):
    error = problem({**INPUT, **values})
    assert error.code == code
    assert str(error).startswith("job.json: ")
    assert text in str(error)
    assert len(str(error)) < 400


@pytest.mark.requirement("R14")
def test_the_parts_of_the_original_are_all_known():
    """transform.md 2.4, with the two of its last version."""
    original = (
        "doNoisyStrip doNoiseOccupancy doDeadChip doDeadStrip doHV doBSErrorDB doRawOccupancy "
        "doEfficiency doLorentzAngle doNoisyLB doQuietChip doQuietStrip"
    )
    assert set(PARTS) == set(original.split())


def test_all_mistakes_are_reported_at_once():
    error = problem(
        {"part": ["doNoisy", "doWhatever"], "maxEvents": -5, "doRunInfo": 3, "oops": 1,
         "input": ["a", {"dsn": "D"}, 7]},
        {"prefix": 3},
    )  # fmt: skip
    assert isinstance(error, ProblemsError)
    assert error.code == 7
    expected = ['"oops"', "doRunInfo is 3", "part[0]", "part[1]", "maxEvents is -5", "input[1]",
                "input[2]", "command line: prefix is 3"]  # fmt: skip
    for text in expected:
        assert text in str(error)
    assert len(error.problems) == len(expected)


def test_mistakes_of_one_kind_have_their_common_code():
    assert problem({"doRunInfo": 3, "doRunSelector": 4, **INPUT}).code == 4
    assert problem({"doRunInfo": 3, "maxEvents": -4, **INPUT}).code == 7


def test_what_only_goes_to_the_report():
    found = arguments({"taskid": 12, "AMITag": "x1", "jobid": "a"})
    assert SCHEMA.metadata(found.given) == {"AMITag": "x1", "taskid": 12, "jobid": "a"}


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("SPLITNOISYSTRIP", "splitNoisyStrip"),
        ("prefx", "prefix"),
        ('"prefix"', "prefix"),
        ("q", None),
    ],
)
def test_nearest_name(given, found):
    assert nearest(given, SCHEMA.properties) == found


def test_long_values_are_shortened_in_messages():
    assert shown("x" * 200) == '"' + "x" * 76 + "..."


def test_values_that_the_schema_takes_as_they_stand_are_taken_by_us():
    """Whoever checks a dictionary with the schema file alone comes to the same verdict."""
    validator = Draft202012Validator(dict(SCHEMA.schema))
    for name, native, text in EQUAL:
        for value in (native, text):
            assert validator.is_valid({**INPUT, name: value}), (name, value)


def test_a_schema_can_be_read_from_any_file(tmp_path):
    path = tmp_path / "s.json"
    path.write_text('{"properties": {"a": {"x-form": "text", "default": "d"}}}')
    assert ArgumentSchema.read(path).arguments({}, "x")["a"] == "d"
