"""The classes of a merge against their definition, object by object, on random databases."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from sctcalib.cool import Database, Folder, run_lumi
from sctcalib.cool.folders import DESTINATION_DESCRIPTION
from sctcalib.cool.merging import MergeError, Options, merge
from sctcalib.cool.merging.classes import classify, present
from sctcalib.cool.merging.report import Outcome
from sctcalib.cool.merging.sources import read_objects
from tests.cool.helpers import INF

LAST = 0xFFFFFFFF
objects = st.tuples(
    st.integers(1, 5),
    st.sampled_from(["run", "next", "open"]),
    st.integers(0, 2),
    st.sampled_from("ab"),
)
"""Run, end, channel, payload."""
histories = st.lists(objects, max_size=12)
uploads = st.tuples(
    st.integers(1, 5),
    st.sampled_from(["run", "open"]),
    st.dictionaries(st.integers(0, 2), st.sampled_from("ab"), min_size=1),
)


def interval(run: int, end: str) -> tuple[int, int]:
    return run_lumi(run), {"run": run_lumi(run, LAST), "next": run_lumi(run + 1), "open": INF}[end]


def database(path: Path, stored: list[tuple[int, str, int, str]]) -> Path:
    with Database.create(path) as db:
        folder = db.create_folder("/A", [("x", "String255")], description=DESTINATION_DESCRIPTION)
        db.tag_relation("/", "parent", "/A", "t")
        for run, end, channel, value in stored:
            folder.store(*interval(run, end), (value,), channel, tag="t", user_tag_only=True)
    return path


def definition(folder: Folder, since: int, until: int, channel: int, value: str) -> str:
    """run-query-and-upload.md B1.2, word by word."""
    found = folder.browse(since, until - 1, channels=[channel], tag="t")
    d = [(o.since, o.until, o.payload["x"]) for o in found]
    if not d:
        return "new"
    begins = [o for o in d if (o[0], o[2]) == (since, value)]
    later = [o for o in d if o not in begins]
    if d == [(since, until, value)] or (
        until == INF and begins and all(o[0] > since for o in later)
    ):
        return "same"
    if all(since > o[0] and o[1] == INF for o in d):
        return "update"
    return "conflict"


def picture(path: Path) -> list[tuple[int, int, int, str]]:
    with Database.open(path) as db:
        assert db.check() == []
        found = db.folder("/A").browse(tag="t")
    return [(o.channel, o.since, o.until, o.payload["x"]) for o in found]


@settings(max_examples=40, deadline=None)
@given(histories, uploads)
def test_classes_are_as_defined(
    history: list[tuple[int, str, int, str]], upload: tuple[int, str, dict[int, str]]
) -> None:
    run, end, values = upload
    since, until = interval(run, end)
    with TemporaryDirectory() as name:
        there = database(Path(name) / "dest.db", history)
        given_file = database(Path(name) / "a.db", [(run, end, c, v) for c, v in values.items()])
        with Database.open(there) as db, Database.open(given_file) as source:
            folder = db.folder("/A")
            read = read_objects(source.folder("/A"), "t")
            found = classify(read, present(folder, "t", read), run_based=True)
            expected = [definition(folder, since, until, c, v) for c, v in sorted(values.items())]
            counts = [len(found.new), found.same, len(found.update), len(found.conflicts)]
            names = ["new", "same", "update", "conflict"]
            assert counts == [expected.count(one) for one in names]
            left = {
                o.channel for o in folder.browse(tag="t") if (o.since, o.until) == (since, until)
            }
            assert {row[2] for row in found.leftovers} == left - set(values)


@settings(max_examples=25, deadline=None)
@given(histories, uploads, st.booleans())
def test_a_merge_does_what_it_says_and_is_done_once(
    history: list[tuple[int, str, int, str]],
    upload: tuple[int, str, dict[int, str]],
    replace: bool,
) -> None:
    run, end, values = upload
    since = run_lumi(run)
    with TemporaryDirectory() as name:
        there = database(Path(name) / "dest.db", history)
        given_file = database(Path(name) / "a.db", [(run, end, c, v) for c, v in values.items()])
        before = picture(there)
        options = Options(replace=replace, backup=False)
        try:
            merge(given_file, there, options)
            refused = 0
        except MergeError as error:
            refused = int(error.code)
        after = picture(there)
        if refused:
            assert (refused, replace, after) == (37, False, before)
            return
        for channel, value in values.items():
            at_start = [x for c, a, b, x in after if c == channel and a <= since < b]
            assert at_start == [value]
        later = [row for row in before if row[1] >> 32 > run]
        assert [row for row in later if row not in after] == []  # never overwritten
        others = [row for row in before if row[0] not in values]
        assert [row for row in after if row[0] not in values] == others
        assert merge(given_file, there, options).outcome is Outcome.NO_CHANGE
        assert picture(there) == after
