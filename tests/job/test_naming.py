"""Dataset names, prefixes and attempts: the tables of transform.md 2.3 and 3.1."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sctcalib.job.naming import (
    Dataset,
    is_remote,
    output_name,
    split_attempt,
    split_item,
    with_storage,
    working_prefix,
)

TASK = "data15_13TeV.00267367.calibration_SCTNoise.sctcal.NOISYSTRIP.c0_c0"
PREFIXES = [
    ("", ""),
    ("D#D._0001", "D._0001"),
    ("D._0001", "D._0001"),
    ("D", "D"),
    ("D#_0001", "D._0001"),
    ("D._0001._0002", "D._0001._0002"),
    ("D#D", "D"),
    ("D.", "D."),
    ("D#x._0001._0002", "D._0001._0002"),
    ("D._9#D", "D._9"),
    (f"{TASK}#{TASK}._0001", f"{TASK}._0001"),
]


@pytest.mark.requirement("R20")
@pytest.mark.parametrize(("raw", "working"), PREFIXES)
def test_working_prefix(raw, working):
    assert working_prefix(raw) == working


@pytest.mark.parametrize(("raw", "working"), PREFIXES)
def test_a_working_prefix_stays_what_it_is(raw, working):
    assert working_prefix(working) == working


@given(st.text(st.characters(exclude_characters="#")))
def test_without_a_mark_a_prefix_is_taken_as_given(text):
    assert working_prefix(text) == text


@given(st.from_regex(r"[A-Za-z0-9_.]{1,20}", fullmatch=True), st.integers(0, 9999))
def test_the_tier0_form_gives_stem_and_job(stem, job):
    assert working_prefix(f"{stem}#x._{job:04d}") == f"{stem}._{job:04d}"


def test_output_names():
    assert output_name("", "mycool.db") == "mycool.db"
    assert output_name("D._0001", "mycool.db") == "D._0001.mycool.db"


ITEMS = [
    ("D#f.root", ("D", "f.root")),
    ("D#f.root#x", ("D", "f.root")),
    ("/eos/atlas/D##.f.root", ("/eos/atlas/D", "/eos/atlas/D.f.root")),
    ("D##a##b", ("D", "Dab")),
    ("folder/D.f.root", ("D.f.root", "folder/D.f.root")),
    ("f.root", ("f.root", "f.root")),
    ("#f.root", ("", "f.root")),
]


@pytest.mark.parametrize(("item", "split"), ITEMS)
def test_forms_of_an_item(item, split):
    assert split_item(item) == split


NAME = "data15_13TeV.00267367.calibration_SCTNoise.sctcal.HITMAP.c0"


def test_fields_of_a_dataset():
    assert Dataset.parse(NAME) == Dataset(
        NAME, "data15_13TeV", 267367, "calibration_SCTNoise", "HITMAP"
    )


@pytest.mark.parametrize(
    "name",
    [
        "",
        "D",
        "a.1.c.d",
        "a.x1.c.d.e",
        "a..c.d.e",
        "a.0.c.d.e",
        "a.00000000.c.d.e",
        "a.-5.c.d.e",
        "a.2147483648.c.d.e",
        "a." + "9" * 5000 + ".c.d.e",
        "a.\u0661.c.d.e",
        "a.²6.c.d.e",
    ],
)
def test_a_name_without_a_run_stays_whole(name):
    assert Dataset.parse(name) == Dataset(name)


def test_the_highest_run_number():
    assert Dataset.parse("a.2147483647.c.d.e").run == 2**31 - 1
    assert Dataset.parse("a.0000000000000000007.c.d.e").run == 7


@pytest.mark.requirement("R5")
@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("/castor/cern.ch/x.root", "root://castoratlas//castor/cern.ch/x.root"),
        ("/eos/atlas/x.root", "root://eosatlas.cern.ch//eos/atlas/x.root"),
        ("root://eosatlas//eos/atlas/x.root", "root://eosatlas//eos/atlas/x.root"),
        ("data/eos/atlas/x.root", "data/eos/atlas/x.root"),
        ("/data/castor/x.root", "/data/castor/x.root"),
        ("/eosx/x.root", "/eosx/x.root"),
        ("x.root", "x.root"),
    ],
)
def test_storage_prefixes(name, read):
    assert with_storage(name) == read
    assert with_storage(read) == read


@pytest.mark.parametrize(
    ("name", "remote"),
    [
        ("root://h//x", True),
        ("https://h/x", True),
        ("x://", True),
        ("/x/y", False),
        ("x", False),
        ("a b://x", False),
        ("C:/x", False),
        ("1x://y", False),
    ],
)
def test_what_is_remote(name, remote):
    assert is_remote(name) is remote


@pytest.mark.parametrize(
    ("name", "stem", "attempt"),
    [
        ("f.root.1", "f.root", 1),
        ("f.root.10", "f.root", 10),
        ("f.root.0", "f.root", 0),
        ("f.root", "f.root", -1),
        ("f._0001", "f._0001", -1),
        (".1", ".1", -1),
        ("f.-1", "f.-1", -1),
        ("f.\u0661", "f.\u0661", -1),
        ("new\nline.3", "new\nline", 3),
        ("f." + "1" * 5000, "f." + "1" * 5000, -1),
    ],
)
def test_attempt_suffixes(name, stem, attempt):
    assert split_attempt(name) == (stem, attempt)
