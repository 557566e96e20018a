"""The worked examples of run-query-and-upload.md B1.2, and the rules around them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sctcalib.cool import Database, run_lumi
from sctcalib.cool.folders import DESTINATION_DESCRIPTION, JOB_DESCRIPTION, create_sct_folder
from sctcalib.cool.merging import MergeError, Options, Report, merge
from sctcalib.cool.merging.report import Outcome
from tests.cool.merge_helpers import (
    DEAD,
    DEAD_TAG,
    INF,
    MODULES,
    NOISY,
    NOISY_TAG,
    OCCUPANCY,
    OCCUPANCY_TAG,
    A,
    B,
    content,
    fresh_destination,
    job_file,
    one_run,
    open_from,
)

Merge = Callable[..., Report]


@pytest.fixture
def dest(tmp_path: Path) -> Path:
    return fresh_destination(tmp_path / "dest.db")


@pytest.fixture
def merged(tmp_path: Path, dest: Path) -> Merge:
    """Merge lists by channel for an interval, into the noisy strips unless told otherwise."""
    made = iter(range(1000))

    def go(
        lists: dict[int, object],
        interval: tuple[int, int],
        path: str = NOISY,
        tag: str = NOISY_TAG,
        **options: object,
    ) -> Report:
        source = job_file(tmp_path / f"{next(made)}.db", path, tag, lists, interval)
        return merge(source, dest, Options(ignore_description=True, **options))  # type: ignore[arg-type]

    return go


def counts(report: Report) -> tuple[int, int, int, int, int]:
    """(stored, new, same, update, conflict) of the only folder."""
    (row,) = report.rows
    c = row.classes
    return row.rows, len(c.new), c.same, len(c.update), c.n_conflicts


def refused(merged: Merge, *arguments: object, **options: object) -> MergeError:
    with pytest.raises(MergeError) as caught:
        merged(*arguments, **options)
    return caught.value


def test_the_worked_example_of_one_run_uploads(merged: Merge, dest: Path) -> None:
    lists = dict.fromkeys(MODULES, "") | {A: " 1 ", B: " 5-6 "}
    first = merged(lists, one_run(100))
    assert (first.outcome, counts(first)) == (Outcome.MERGED, (4088, 4088, 0, 0, 0))
    again = merged(lists, one_run(100))
    assert (again.outcome, counts(again)) == (Outcome.NO_CHANGE, (0, 0, 4088, 0, 0))
    next_run = merged(lists, one_run(101))
    assert counts(next_run) == (4088, 4088, 0, 0, 0)
    before = content(dest)
    other = lists | {B: " 5-7 "}
    error = refused(merged, other, one_run(100))
    assert error.code == 37
    assert error.report is not None
    assert counts(error.report) == (0, 0, 4087, 0, 1)
    assert f"channel {B}, 100/0 - 100/4294967295: it is there with another payload" in str(error)
    assert content(dest) == before
    replaced = merged(other, one_run(100), replace=True)
    assert (replaced.outcome, counts(replaced)) == (Outcome.MERGED, (1, 0, 4087, 0, 1))
    assert merged(other, one_run(100)).outcome is Outcome.NO_CHANGE


def test_the_worked_example_of_leftovers(merged: Merge, dest: Path) -> None:
    merged({A: " 1 ", B: " 2 "}, one_run(100), DEAD, DEAD_TAG)
    error = refused(merged, {A: " 1 "}, one_run(100), DEAD, DEAD_TAG)
    assert error.code == 37
    assert f"channel {B}, 100/0 - 100/4294967295: left over" in str(error)
    report = merged({A: " 1 "}, one_run(100), DEAD, DEAD_TAG, replace=True)
    assert counts(report) == (1, 0, 1, 0, 1)
    with Database.open(dest) as db:
        found = db.folder(DEAD).find(run_lumi(100, 5), B, tag=DEAD_TAG)
    assert found.payload["DefectList"] == ""
    assert found.payload["DefectType"] == "DEAD"
    # an empty list says what a missing object does
    assert merged({A: " 1 "}, one_run(100), DEAD, DEAD_TAG).outcome is Outcome.NO_CHANGE


def test_the_worked_example_of_open_ended_uploads(merged: Merge, dest: Path) -> None:
    merged({A: " 1 ", B: " 2 "}, open_from(100))
    assert counts(merged({A: " 7 "}, open_from(102))) == (1, 0, 0, 1, 0)
    assert intervals(dest, A) == [(100, 102), (102, INF)]
    again = merged({A: " 1 ", B: " 2 "}, open_from(100))
    assert (again.outcome, counts(again)) == (Outcome.NO_CHANGE, (0, 0, 2, 0, 0))
    error = refused(merged, {A: " 9 "}, open_from(101))
    assert error.code == 37
    assert "run 102 is there already, inside the new interval" in str(error)
    late = merged({A: " 9 "}, open_from(101), replace=True)
    assert counts(late) == (1, 0, 0, 0, 1)
    assert intervals(dest, A) == [(100, 101), (101, 102), (102, INF)]
    once_more = merged({A: " 9 "}, open_from(101), replace=True)
    assert once_more.outcome is Outcome.NO_CHANGE
    assert merged({A: " 9 "}, open_from(101)).outcome is Outcome.NO_CHANGE


def intervals(dest: Path, channel: int) -> list[tuple[int, int]]:
    """Runs since and until of a channel's objects; INF for no end."""
    with Database.open(dest) as db:
        found = db.folder(NOISY).browse(channels=[channel], tag=NOISY_TAG)
    return [(o.since >> 32, o.until if o.until == INF else o.until >> 32) for o in found]


def test_a_one_run_object_on_top_of_an_older_open_one_is_an_update(
    merged: Merge, dest: Path
) -> None:
    merged({A: " 1 "}, open_from(100))
    assert counts(merged({A: " 2 "}, one_run(101))) == (1, 0, 0, 1, 0)
    assert merged({A: " 2 "}, one_run(101)).outcome is Outcome.NO_CHANGE
    with Database.open(dest) as db:
        resumed = db.folder(NOISY).find(run_lumi(102), A, tag=NOISY_TAG)
    assert resumed.payload["DefectList"] == " 1 "


def test_a_later_run_is_never_overwritten(merged: Merge, dest: Path) -> None:
    merged({A: " 1 "}, one_run(105))
    error = refused(merged, {A: " 2 "}, open_from(100))
    assert error.code == 37
    merged({A: " 2 "}, open_from(100), replace=True)
    assert intervals(dest, A) == [(100, 105), (105, 105)]


def test_another_end_is_a_conflict(merged: Merge) -> None:
    merged({A: " 1 "}, one_run(100))
    error = refused(merged, {A: " 1 "}, (run_lumi(100), run_lumi(101)))
    assert "another end" in str(error)
    assert refused(merged, {A: " 2 "}, open_from(100)).code == 37
    # the same list from the same run on, which something ended
    assert merged({A: " 1 "}, open_from(100)).outcome is Outcome.NO_CHANGE


def test_a_leftover_of_a_folder_without_lists_stays_with_a_warning(
    merged: Merge, dest: Path
) -> None:
    merged({A: 0.1, B: 0.2}, one_run(100), OCCUPANCY, OCCUPANCY_TAG)
    assert refused(merged, {A: 0.1}, one_run(100), OCCUPANCY, OCCUPANCY_TAG).code == 37
    report = merged({A: 0.5}, one_run(100), OCCUPANCY, OCCUPANCY_TAG, replace=True)
    assert counts(report) == (1, 0, 0, 0, 2)
    assert [str(B) in warning for warning in report.warnings] == [True]
    with Database.open(dest) as db:
        values = [
            o.payload["NoiseOccupancy"] for o in db.folder(OCCUPANCY).browse(tag=OCCUPANCY_TAG)
        ]
    assert values == pytest.approx([0.5, 0.2])


def test_ten_conflicts_are_named_and_all_are_counted(merged: Merge) -> None:
    some = MODULES[:25]
    merged(dict.fromkeys(some, " 1 "), one_run(100))
    error = refused(merged, dict.fromkeys(some, " 2 "), one_run(100))
    assert "25 conflicts" in str(error)
    assert str(error).count("  channel ") == 10


def test_no_change_does_not_touch_the_destination(merged: Merge, dest: Path) -> None:
    merged({A: " 1 "}, one_run(100))
    before, time = dest.read_bytes(), dest.stat().st_mtime_ns
    report = merged({A: " 1 "}, one_run(100))
    assert report.backup is None
    assert (dest.read_bytes(), dest.stat().st_mtime_ns) == (before, time)


def test_all_folders_go_together_or_not_at_all(tmp_path: Path, dest: Path, merged: Merge) -> None:
    merged({A: " 1 "}, one_run(100), DEAD, DEAD_TAG)
    source = job_file(tmp_path / "both.db", NOISY, NOISY_TAG, {A: " 3 "}, one_run(100))
    with Database.open(source, read_only=False) as db:
        folder = create_sct_folder(db, DEAD, JOB_DESCRIPTION)
        payload = (10000, 0, 0, 0, 0, "DEAD", 6.0, " 9 ")
        folder.store(*one_run(100), payload, A, tag=DEAD_TAG, user_tag_only=True)
    before = content(dest)
    with pytest.raises(MergeError) as caught:
        merge(source, dest, Options(ignore_description=True))
    assert caught.value.code == 37
    assert content(dest) == before
    report = merge(source, dest, Options(ignore_description=True, replace=True))
    assert [row.rows for row in report.rows] == [1, 1]


def test_a_dry_run_tells_all_and_writes_nothing(tmp_path: Path, dest: Path, merged: Merge) -> None:
    report = merged({A: " 1 "}, one_run(100), dry_run=True)
    assert (report.outcome, counts(report)) == (Outcome.DRY_RUN, (1, 1, 0, 0, 0))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["0.db", "dest.db"]
    merged({A: " 1 "}, one_run(100))
    assert merged({A: " 1 "}, one_run(100), dry_run=True).outcome is Outcome.NO_CHANGE
    assert refused(merged, {A: " 2 "}, one_run(100), dry_run=True).code == 37


def test_the_destination_stays_sound(merged: Merge, dest: Path) -> None:
    merged({A: " 1 ", B: " 2 "}, open_from(100))
    merged({A: " 3 "}, one_run(101))
    merged({B: " 4 "}, open_from(102))
    merged({A: " 9 ", B: " 8 "}, open_from(101), replace=True)
    with Database.open(dest) as db:
        assert db.check() == []
        assert db.folder(NOISY).description == DESTINATION_DESCRIPTION


def test_strips_are_compared_with_the_last_run_before(merged: Merge) -> None:
    c = MODULES[9]
    first = merged({A: " 1-3 ", B: " 5 "}, one_run(100)).rows[0].strips
    assert first is not None
    assert (first.run, first.modules, first.modules_new, first.strips_new) == (None, 2, 2, 4)
    d = merged({A: " 1-2  9 ", c: " 7 "}, one_run(103)).rows[0].strips
    assert d is not None
    assert d.run == 100
    assert (d.modules, d.modules_new, d.modules_gone) == (2, 1, 1)
    assert (d.modules_changed, d.modules_unchanged) == (1, 0)
    assert (d.strips, d.strips_new, d.strips_gone, d.strips_unchanged) == (4, 2, 2, 2)
    again = merged({A: " 1-2  9 ", c: " 7 "}, one_run(103)).rows[0].strips
    assert again is not None
    assert (again.run, again.modules_unchanged, again.strips_unchanged) == (103, 2, 4)


def test_open_ended_strips_are_compared_in_their_own_modules(merged: Merge) -> None:
    merged({A: " 1-3 ", B: " 5 "}, open_from(100))
    d = merged({A: ""}, open_from(102)).rows[0].strips
    assert d is not None
    assert (d.run, d.modules, d.modules_gone, d.strips_gone) == (100, 0, 1, 3)
