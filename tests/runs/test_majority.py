"""Majority intervals: which times pass, and what is wrong with a file."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sctcalib.job.errors import JobError
from sctcalib.resources import resource
from sctcalib.runs.majority import good_intervals, read_majority


def row(since, until, region="overall", *, state=True, hv=1.0):
    return {"since": since, "until": until, "region": region, "state": state, "hv": hv}


@pytest.mark.parametrize(
    ("rows", "good"),
    [
        ([], []),
        ([row(0, 10)], [[0, 10]]),
        ([row(0, 10, hv=0.9)], []),
        ([row(0, 10, hv=0.91), row(10, 20)], [[0, 20]]),
        ([row(0, 10, state=False), row(10, 20)], [[10, 20]]),
        ([row(0, 30), row(10, 20, state=False)], [[0, 10], [20, 30]]),
        ([row(0, 10, "barrel"), row(5, 10, "ECA"), row(0, 8, "ECC")], [[5, 8]]),
        ([row(0, 10, "barrel"), row(0, 10, "ECA")], []),
        ([row(0, 10), row(0, 10, "barrel", state=False)], [[0, 10]]),
    ],
)
def test_where_events_pass(rows, good):
    assert np.array_equal(good_intervals(rows), np.array(good, dtype=float).reshape(-1, 2))


def test_example_has_the_schema_and_is_read():
    from jsonschema import Draft202012Validator

    path = resource("share", "examples") / "Majority.json"
    schema = json.loads(resource("schemas", "majority.json").read_text())
    Draft202012Validator(schema).validate(json.loads(path.read_text()))
    assert read_majority(path).tolist() == [[1434439000, 1434450000]]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ("{}", "expected a list"),
        ("[1]", r"\$\[0\] is not an object"),
        (json.dumps([row(5, 5)]), "not before until"),
        (json.dumps([row(0, 5, "ECB")]), "region is 'ECB'"),
        (json.dumps([row(0, 5, hv=2)]), "fraction 0-1"),
        (json.dumps([row(True, 5)]), "since is True"),
        ('[{"since":0,"until":NaN,"region":"overall","state":true,"hv":1}]', "until is nan"),
    ],
)
def test_mistakes_are_located(tmp_path, text, said):
    path = tmp_path / "majority.json"
    path.write_text(text)
    with pytest.raises(JobError, match=said) as caught:
        read_majority(path)
    assert caught.value.code == 74


def test_absent_file_is_an_input_error(tmp_path):
    with pytest.raises(JobError, match="No such file"):
        read_majority(tmp_path / "none.json")
