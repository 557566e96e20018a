"""The run selector, run information and lastRun (transform.md 4.2, 7.1, 7.2)."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sctcalib.configuration import load_configuration
from sctcalib.job.errors import ArgumentError, InputFileError, NeedCheckError
from sctcalib.parts import PARTS
from sctcalib.runs.last_run import read_last_run, set_last_run
from sctcalib.runs.location import VARIABLE
from sctcalib.runs.run_info import RunInfo, read_run_info
from sctcalib.transform import run_database_file
from sctcalib.workflows import run_selection
from sctcalib.workflows.reference_run import _pointer
from sctcalib.workflows.run_information import info_of, run_information
from sctcalib.workflows.run_selection import conclude, conditions_of, prepare
from tests.runs.helpers import GOOD, NOISE, RUN, fill, good
from tests.support.runs import disable, upload

EXPRESS = "express_express"
STREAMS = {NOISE: {"events": 20_000}, EXPRESS: {"events": 300_000}}
PASSED = f"Run {RUN} : run selection passed ---> job will be launched"
NOT_PASSED = f"Run {RUN} : run selection didn't pass Stable Beam check--- job will be finished"
FREE = f"Run {RUN} : checked the last run uploaded ---> job will be launched"
STARTS = f"Run {RUN} : job starts running now"


class Clock:
    """Sleeping takes no time, and something happens meanwhile."""

    def __init__(self) -> None:
        self.now = 0.0
        self.naps: list[float] = []
        self.events: list[Any] = []

    def monotonic(self) -> float:
        return self.now

    def time_ns(self) -> int:
        return time.time_ns()

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.naps.append(seconds)
        assert len(self.naps) < 5000, "waits for ever"
        if self.events:
            self.events.pop(0)()


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(run_selection, "time", clock)
    return clock


@pytest.fixture
def make(tmp_path, monkeypatch, clock):
    """A job as the selector sees it; the run database is runs.db."""
    monkeypatch.delenv(VARIABLE, raising=False)

    def job(
        *parts: str, project: str = "data15_13TeV", run: int = RUN, split: int = 2,
        do_run_info: bool = False, do_run_selector: bool = True, **options: Any,
    ) -> Any:  # fmt: skip
        options = {"RunDatabase": "runs.db", "LastRunFile": "lastRun"} | options
        lines = [f"{name} = {value!r}" for name, value in options.items()]
        text = "\n".join(lines).replace("True", "true").replace("False", "false")
        (tmp_path / "options.toml").write_text(text)
        found = SimpleNamespace(
            run=run, arguments={
                "part": list(parts or ("doNoisyStrip",)), "splitNoisyStrip": split,
                "doRunInfo": do_run_info, "doRunSelector": do_run_selector,
            },
            inputs=SimpleNamespace(project=project, stream=NOISE),
            configuration=load_configuration(["options.toml"], search=[tmp_path]),
            directory=tmp_path / "run", replaced=[], left="", idle={}, results={}, shared={},
        )  # fmt: skip
        (tmp_path / "run").mkdir(exist_ok=True)

        def replacement(name: str) -> Path:
            found.replaced.append(name)
            return tmp_path / f"staged-{name}"

        found.replacement = replacement
        return found

    return job


@pytest.fixture
def runs(tmp_path):
    """Put runs into the run database."""

    def put(*values):
        return fill(tmp_path / "runs.db", *values)

    return put


def usual(run, **changes):
    """A run that passes, with the streams of the loop."""
    return good(run, **{"streams": STREAMS, **changes})


@pytest.fixture(autouse=True)
def _log(caplog):
    caplog.set_level(logging.INFO)


def lines(caplog):
    return [record.getMessage() for record in caplog.records]


@pytest.mark.requirement("R6")
def test_a_good_run_is_processed(make, runs, caplog, clock):
    runs(usual(RUN))
    prepare(make())
    assert [line for line in lines(caplog) if line in (PASSED, FREE, STARTS)] == [
        PASSED, FREE, STARTS,
    ]  # fmt: skip
    assert clock.naps == []


@pytest.mark.requirement("R16")
def test_without_the_argument_nothing_is_checked(make, caplog):
    """There is no run database here."""
    prepare(make(do_run_selector=False, RunDatabase=""))
    assert lines(caplog) == []


@pytest.mark.requirement("R11")
@pytest.mark.requirement("R84")
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"stable_beams": [{"first": 1, "last": 873, "value": False}]}, "stable beams TRUE"),
        ({"streams": {NOISE: {"events": 10_000}}}, "streams *calibration_SCTNoise 10000+"),
        ({"detector_mask": "f"}, "detector mask 240A"),
        ({"partition": "SCT"}, "partition ATLAS"),
        ({"project": "data15_cos"}, "project tag data*_*eV"),
    ],
)
def test_a_run_without_stable_beams_or_so_fails_the_job(make, runs, caplog, change, reason):
    runs(usual(RUN, **change))
    job = make()
    with pytest.raises(NeedCheckError) as caught:
        prepare(job)
    assert (caught.value.code, str(caught.value)) == (1, "Did not pass run selection criteria")
    assert NOT_PASSED in lines(caplog)
    assert f"Run {RUN} : does not fulfil: {reason}" in lines(caplog)
    assert job.left == ""


@pytest.mark.requirement("R11")
def test_a_run_that_the_database_does_not_know_is_not_processed(make, runs, caplog, tmp_path):
    runs(usual(RUN + 1))
    with pytest.raises(NeedCheckError):
        prepare(make())
    assert NOT_PASSED in lines(caplog)
    assert f"Run {RUN} : is not in the run database {tmp_path / 'runs.db'}" in lines(caplog)


@pytest.mark.requirement("R11")
def test_the_job_may_end_gracefully(make, runs, caplog):
    job = make(RunSelectorExit="graceful")
    runs(usual(RUN, partition="SCT"))
    prepare(job)
    assert job.left == "Did not pass run selection criteria. Finish execution and exit gracefully."
    assert NOT_PASSED in lines(caplog)
    assert (
        f"Run {RUN} didn't pass run selection criteria. It will not be processed and no output will"
        " be generated. Finish execution and exit gracefully" in lines(caplog)
    )
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]


def test_a_run_without_a_project_is_not_processed(make, runs, caplog):
    runs({"run": RUN})
    with pytest.raises(NeedCheckError):
        prepare(make(project=""))
    assert any("no stream given" in line for line in lines(caplog))


def test_the_run_database_may_tell_the_project(make, runs, caplog):
    runs(usual(RUN))
    prepare(make(project=""))
    assert PASSED in lines(caplog)


@pytest.mark.parametrize("part", [*PARTS])
def test_every_part_may_pass(make, runs, caplog, part):
    runs(usual(RUN))
    prepare(make(part))
    assert lines(caplog)[-1] == STARTS


@pytest.mark.parametrize(
    ("project", "parts", "tag", "streams", "lhc"),
    [
        ("data15_13TeV", ["doNoisyStrip"], "data*_*eV", ("*calibration_SCTNoise 10000+",), True),
        ("data15_900GeV", ["doEfficiency"], "data*_*eV", (), True),
        ("data15_hi", ["doDeadStrip"], "data*_hi", ("*express 200000+",), True),
        ("data15_13TeV", ["doDeadChip", "doDeadStrip"], "data*_*eV", ("*express 200000+",), True),
        ("data15_13TeV", ["doNoisyStrip", "doDeadChip"], "data*_*eV",
         ("*calibration_SCTNoise 10000+", "*express 200000+"), True),
        ("data15_cos", ["doDeadChip"], "data*_cos", ("*IDCosmic 200000+",), False),
        ("data15_idcomm", ["doNoisyStrip"], "data*_idcom", ("*calibration_SCTNoise 10000+",),
         False),
    ],
)  # fmt: skip
def test_conditions_of_projects_and_parts(project, parts, tag, streams, lhc):
    asked = conditions_of(project, parts)
    assert (asked.projecttag, asked.streams) == (tag, streams)
    assert asked.lhc == (("stablebeams TRUE",) if lhc else ())
    assert (asked.partition, asked.detmaskin) == ("ATLAS", ("240A",))


def test_each_part_of_a_job_adds_its_stream(make, runs, caplog):
    runs(usual(RUN, streams={NOISE: {"events": 20_000}, EXPRESS: {"events": 1000}}))
    with pytest.raises(NeedCheckError):
        prepare(make("doDeadStrip", "doNoisyStrip"))
    assert f"Run {RUN} : does not fulfil: streams *express 200000+" in lines(caplog)


def test_cosmic_runs_are_not_checked_for_beams_and_wait_for_cosmic_ones(make, runs, clock):
    cosmic = {"project": "data15_cos", "stable_beams": None, "fill": None}
    runs(usual(RUN - 2, **cosmic), usual(RUN - 1))
    set_last_run(runs().parent / "lastRun", RUN - 5)
    with pytest.raises(NeedCheckError, match=rf"for run {RUN - 2} to be"):
        prepare(make(project="data15_cos", RunSelectorMaxWait=100.0))


# The queue


@pytest.mark.requirement("R12")
def test_noisy_strips_wait_until_earlier_good_runs_are_uploaded(
    make, runs, caplog, clock, tmp_path
):
    runs(*(usual(RUN - n) for n in range(4)))
    conditions = upload(tmp_path / "cond.db", RUN - 3)
    set_last_run(tmp_path / "lastRun", RUN - 3)
    clock.events = [
        lambda: upload(conditions, RUN - 1),
        lambda: None,
        lambda: upload(conditions, RUN - 2),
    ]
    prepare(make(ConditionsDatabase="cond.db", RunSelectorInterval=60.0))
    assert clock.naps == [60.0] * 3
    said = lines(caplog)
    waiting = f"Run {RUN} : waiting for previous run(s) processed/uploaded: "
    assert [line.removeprefix(waiting).partition(" (")[0] for line in said if waiting in line] == [
        f"{RUN - 2}, {RUN - 1}", f"{RUN - 2}", f"{RUN - 2}",
    ]  # fmt: skip
    pending = f"Run {RUN - 1}: this run has to be processed/uploaded ---> job in pending state"
    assert said.count(pending) == 1
    assert said.count(f"Run {RUN - 3} : the last run uploaded") == 1
    assert said[-2:] == [FREE, STARTS]


@pytest.mark.requirement("R12")
def test_without_a_pointer_the_job_waits_for_runs_after_the_highest_uploaded_one(
    make, runs, caplog, clock, tmp_path
):
    runs(*(usual(RUN - n) for n in range(4)))
    conditions = upload(tmp_path / "cond.db", RUN - 2)
    clock.events = [lambda: upload(conditions, RUN - 1)]
    prepare(make(ConditionsDatabase="cond.db"))
    assert len(clock.naps) == 1
    said = lines(caplog)
    waiting = f"Run {RUN} : waiting for previous run(s) processed/uploaded: {RUN - 1} (0 s so far"
    assert sum(line.startswith(waiting) for line in said) == 1
    assert f"no lastRun was ever set in {tmp_path / 'lastRun'}" in said


@pytest.mark.requirement("R87")
def test_setting_last_run_by_hand_releases_a_waiting_job(make, runs, caplog, clock, tmp_path):
    runs(*(usual(RUN - n) for n in range(4)))
    path = tmp_path / "lastRun"
    path.write_text(f"{RUN - 3} ")
    clock.events = [
        lambda: path.write_text(f"{RUN - 2}\n"),
        lambda: path.write_text(""),  # an editor at work
        lambda: path.write_text(f"{RUN - 1}\n"),
    ]
    prepare(make())
    assert len(clock.naps) == 3
    assert f"to let the job go on: sctcalib lastrun {path} --set RUN" in lines(caplog)
    assert any("goes on waiting" in line for line in lines(caplog))
    assert lines(caplog)[-1] == STARTS


@pytest.mark.requirement("R12")
def test_at_the_longest_wait_the_job_fails_with_the_list(make, runs, clock):
    runs(*(usual(RUN - n) for n in range(3)))
    with pytest.raises(NeedCheckError) as caught:
        prepare(make(RunSelectorMaxWait=150.0, RunSelectorInterval=60.0))
    assert caught.value.code == 1
    assert clock.naps == [60.0, 60.0, 30.0]
    assert str(caught.value) == (
        f"Run {RUN} : waited 150 s (RunSelectorMaxWait) in vain for run {RUN - 2}, {RUN - 1}"
        " to be uploaded, disabled or marked bad"
    )


def test_by_default_the_wait_is_a_day_in_steps_of_a_minute(make, runs, clock):
    runs(usual(RUN), usual(RUN - 1))
    with pytest.raises(NeedCheckError):
        prepare(make())
    assert (len(clock.naps), clock.now) == (1440, 86400.0)


def test_zero_waits_for_ever(make, runs, clock, tmp_path):
    runs(usual(RUN), usual(RUN - 1))
    clock.events = [*[lambda: None] * 2000, lambda: set_last_run(tmp_path / "lastRun", RUN - 1)]
    prepare(make(RunSelectorMaxWait=0))
    assert len(clock.naps) == 2001


def test_graceful_exit_is_not_for_a_wait_in_vain(make, runs):
    runs(usual(RUN), usual(RUN - 1))
    with pytest.raises(NeedCheckError):
        prepare(make(RunSelectorExit="graceful"))


@pytest.mark.requirement("R12")
@pytest.mark.parametrize(
    "change",
    [
        {"stable_beams": [{"first": 1, "last": 873, "value": False}]},
        {"streams": {NOISE: {"events": 9000}}},
        {"streams": {}},
        {"project": "data15_cos"},
        {"project": "data15_hi"},
        {"partition": "SCT"},
        {"detector_mask": "f"},
        {"bad": "no high voltage"},
    ],
)
def test_runs_that_are_not_good_do_not_hold(make, runs, clock, change):
    runs(usual(RUN), usual(RUN - 1, **change))
    prepare(make())
    assert clock.naps == []


def test_a_run_of_which_hardly_anything_is_known_holds(make, runs, clock):
    runs(usual(RUN), {"run": RUN - 1, "project": "data15_13TeV"})
    with pytest.raises(NeedCheckError):
        prepare(make(RunSelectorMaxWait=1))


@pytest.mark.requirement("R12")
@pytest.mark.parametrize("state", ["uploaded", "disabled", "disabled and uploaded"])
def test_uploaded_and_disabled_runs_do_not_hold(make, runs, clock, tmp_path, state):
    """The pointer stands before them; a disabled run may have been uploaded or not."""
    runs(usual(RUN), usual(RUN - 1))
    conditions = upload(tmp_path / "cond.db", RUN - 9, *[RUN - 1] * ("uploaded" in state))
    if "disabled" in state:
        disable(conditions, RUN - 1)
    set_last_run(tmp_path / "lastRun", RUN - 9)
    prepare(make(ConditionsDatabase="cond.db"))
    assert clock.naps == []


def test_later_runs_do_not_hold_and_neither_does_the_run_of_the_pointer(
    make, runs, clock, tmp_path
):
    runs(usual(RUN), usual(RUN + 1), usual(RUN - 1), usual(RUN - 2))
    set_last_run(tmp_path / "lastRun", RUN - 1)
    prepare(make())
    assert clock.naps == []


def test_a_pointer_equal_to_the_run_is_allowed_and_one_beyond_it_is_not(
    make, runs, caplog, tmp_path
):
    runs(usual(RUN), usual(RUN - 1))
    set_last_run(tmp_path / "lastRun", RUN)
    prepare(make())
    set_last_run(tmp_path / "lastRun", RUN + 1)
    with pytest.raises(NeedCheckError, match="Did not pass run selection criteria"):
        prepare(make())
    text = f"Run {RUN + 1} : taken later than the current run ---> job will not be run"
    assert text in lines(caplog)


@pytest.mark.parametrize(
    ("parts", "split"),
    [(("doNoisyStrip",), 1), (("doDeadStrip",), 2), (("doEfficiency",), 0), (("doNoisyLB",), 0)],
)
def test_only_noisy_strips_wait_and_not_where_maps_are_made(make, runs, clock, parts, split):
    runs(usual(RUN), usual(RUN - 1))
    prepare(make(*parts, split=split))
    assert clock.naps == []


@pytest.mark.parametrize("split", [0, 2])
def test_noisy_strips_wait_in_jobs_that_look_for_them(make, runs, split):
    runs(usual(RUN), usual(RUN - 1))
    with pytest.raises(NeedCheckError, match="in vain"):
        prepare(make("doNoisyLB", "doNoisyStrip", split=split))


@pytest.mark.parametrize(
    ("projects", "holds"),
    [("data", True), ("data15", True), ("data16,data15_13", True), ("data18", False)],
)
def test_projects_that_hold_are_configured(make, runs, clock, projects, holds):
    runs(usual(RUN), usual(RUN - 1))
    job = make(RunSelectorProjects=projects, RunSelectorMaxWait=1)
    if holds:
        with pytest.raises(NeedCheckError):
            prepare(job)
    else:
        prepare(job)


def test_the_run_database_is_read_afresh(make, runs, clock):
    runs(usual(RUN), usual(RUN - 1))
    clock.events = [lambda: runs({"run": RUN - 1, "bad": "after all"})]
    prepare(make())
    assert len(clock.naps) == 1


def test_a_database_that_goes_away_is_waited_on_but_has_to_be_there_at_first(
    make, runs, clock, tmp_path, caplog
):
    runs(usual(RUN), usual(RUN - 1))
    conditions = upload(tmp_path / "cond.db", RUN - 9)
    clock.events = [
        lambda: conditions.rename(tmp_path / "away"),
        lambda: (tmp_path / "away").rename(conditions),
        lambda: upload(conditions, RUN - 1),
    ]
    prepare(make(ConditionsDatabase="cond.db"))
    assert sum("goes on waiting: ConditionsDatabase" in line for line in lines(caplog)) == 1
    conditions.unlink()
    with pytest.raises(InputFileError, match="ConditionsDatabase"):
        prepare(make(ConditionsDatabase="cond.db"))


def test_without_a_last_run_file_the_job_says_how_it_can_be_released(make, runs, caplog):
    runs(usual(RUN), usual(RUN - 1))
    with pytest.raises(NeedCheckError):
        prepare(make(LastRunFile="", RunSelectorMaxWait=1))
    assert "to let the job go on: name a file with the option LastRunFile" in lines(caplog)


def test_a_last_run_file_without_a_number_is_an_input_error(make, runs, tmp_path):
    runs(usual(RUN), usual(RUN - 1))
    (tmp_path / "lastRun").write_text("oops")
    with pytest.raises(InputFileError, match="expected a run number"):
        prepare(make())


# The run database is missing


def test_the_selector_needs_a_run_database(make, tmp_path, monkeypatch):
    options = make(RunDatabase="").configuration
    with pytest.raises(ArgumentError, match=f"RunDatabase or in the environment as {VARIABLE}"):
        run_database_file(options, needed=True)
    assert run_database_file(options, needed=False) == {}
    monkeypatch.setenv(VARIABLE, str(tmp_path / "none.db"))
    with pytest.raises(InputFileError, match=r"none\.db: no such file; 'sctcalib runs import'"):
        run_database_file(options, needed=True)
    assert run_database_file(options, needed=False) == {tmp_path / "none.db": "run database"}


def test_the_environment_names_the_run_database_where_no_option_does(
    make, runs, monkeypatch, caplog
):
    monkeypatch.setenv(VARIABLE, str(runs(usual(RUN))))
    prepare(make(RunDatabase=""))
    assert lines(caplog)[-1] == STARTS


# Run information


@pytest.mark.requirement("R15")
def test_run_info_is_written_from_the_run_database(make, runs, tmp_path):
    runs(GOOD)
    job = make(do_run_info=True, do_run_selector=False)
    prepare(job)
    assert job.replaced == ["runInfo.txt"]
    staged = tmp_path / "staged-runInfo.txt"
    assert staged.read_bytes() == (
        b"267367 data15_13TeV 1433995200 1434031200 873 SCTBA,SCTBC,SCTEA,SCTEC"
    )
    assert read_run_info(staged, RUN) == run_information(job)


def test_the_run_database_counts_before_files(make, runs, tmp_path):
    runs(GOOD)
    old = RunInfo(RUN, "data15_13TeV", 1, 2, 3)
    (tmp_path / "run").mkdir(exist_ok=True)
    (tmp_path / "run" / "runInfo.txt").write_text(old.line())
    (tmp_path / "info.txt").write_text(old.line())
    for options in ({}, {"RunInfo": "info.txt"}):
        job = make(do_run_info=True, do_run_selector=False, **options)
        assert run_information(job) == old
        prepare(job)
        found = run_information(job)
        assert found is not None
        assert found.n_lumi_blocks == 873


@pytest.mark.parametrize(
    ("known", "text"),
    [
        ({"run": RUN + 1}, f"run {RUN} is not in the run database "),
        ({"run": RUN}, f"start and end of run {RUN} are not in the run database "),
        ({"run": RUN, "start": 10**18}, f"start and end of run {RUN} are not in the run database "),
    ],
)
def test_a_run_that_is_not_known_is_a_warning(make, runs, caplog, known, text):
    runs(known)
    job = make(do_run_info=True, do_run_selector=False)
    prepare(job)
    (warning,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert warning.getMessage().startswith(text)
    assert job.replaced == []
    assert run_information(job) is None


def test_without_any_run_database_run_info_is_a_warning(make, caplog):
    job = make(do_run_info=True, do_run_selector=False, RunDatabase="")
    prepare(job)
    assert lines(caplog) == ["doRunInfo: no run database is named; runInfo.txt is not written"]


def test_a_run_database_that_is_named_has_to_be_there(make):
    with pytest.raises(InputFileError, match="no such file"):
        prepare(make(do_run_info=True, do_run_selector=False))


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"run": 200000, "detector_mask": "80"}, "200000 p 1433995200 1434031200 873 SCTBA,SCTEA"),
        ({"detector_mask": "0"}, f"{RUN} p 1433995200 1434031200 873 NONE"),
        ({"detector_mask": None}, f"{RUN} p 1433995200 1434031200 873 NONE"),
        ({"detector_mask": "c0", "lumi_blocks": None},
         f"{RUN} p 1433995200 1434031200 0 SCTEA,SCTEC"),
        ({"project": None}, f"{RUN} data16_hi 1433995200 1434031200 873 SCTBA,SCTBC,SCTEA,SCTEC"),
    ],
)  # fmt: skip
def test_whole_seconds_bits_by_era_and_none(runs, tmp_path, change, line):
    """240 decimal was the SCT up to run 236100; 80 are bits 4 and 6."""
    from sctcalib.runs.database import SqliteRuns

    values = good(**({"run": RUN, "project": "p"} | change))
    with SqliteRuns(runs(values)) as store:
        run = store.get(values["run"])
    assert run is not None
    info = info_of(run, "data16_hi")
    assert info is not None
    assert info.line() == line


# lastRun after a job


def ended(job, **state):
    for name, value in state.items():
        setattr(job, name, value)
    return job


@pytest.mark.requirement("R87")
@pytest.mark.parametrize(
    ("parts", "split", "state", "raised"),
    [
        (["doNoisyStrip"], 2, {"results": {"doNoisyStrip": {"database rows": 0}}}, True),
        (["doNoisyStrip"], 0, {"results": {"doNoisyStrip": {"database rows": 0}}}, True),
        (["doNoisyStrip"], 2, {"results": {"doNoisyStrip": {"database rows": 4088}}}, False),
        (["doNoisyStrip"], 1, {"results": {"doNoisyStrip": {"events": 5}}}, False),
        (["doEfficiency"], 0, {"results": {"doEfficiency": {}}}, False),
        (["doNoisyStrip"], 2, {"left": "not selected"}, False),
        (["doNoisyStrip"], 0, {"idle": {"doNoisyStrip": "no event has entered the maps"}}, True),
        (["doDeadStrip"], 0, {"idle": {"doDeadStrip": "too few events"}}, False),
        (["doDeadStrip"], 2, {"idle": {"doDeadStrip": "standby"}}, True),
        (["doEfficiency"], 0, {"idle": {"doEfficiency": "standby"}}, False),
    ],
)
def test_last_run_is_raised_when_there_is_nothing_to_upload(
    make, tmp_path, parts, split, state, raised
):
    rule = PARTS["doDeadStrip"].zero_events
    assert rule is not None
    if state.get("idle") == {"doDeadStrip": "standby"}:
        state = {"idle": {"doDeadStrip": rule.message.format(run=RUN)}}
    set_last_run(tmp_path / "lastRun", 5)
    conclude(ended(make(*parts, split=split), **state))
    assert read_last_run(tmp_path / "lastRun") == (RUN if raised else 5)


NOTHING = {"results": {"doNoisyStrip": {"database rows": 0}}}


def test_last_run_is_never_lowered(make, tmp_path):
    set_last_run(tmp_path / "lastRun", RUN + 1)
    conclude(ended(make(), **NOTHING))
    assert read_last_run(tmp_path / "lastRun") == RUN + 1


def test_a_pointer_that_was_never_set_is_not_set_below_the_uploaded_runs(make, tmp_path):
    upload(tmp_path / "cond.db", RUN + 3)
    conclude(ended(make(ConditionsDatabase="cond.db"), **NOTHING))
    assert read_last_run(tmp_path / "lastRun") is None
    conclude(ended(make(ConditionsDatabase="cond.db", run=RUN + 4), **NOTHING))
    assert read_last_run(tmp_path / "lastRun") == RUN + 4


def test_without_a_file_or_a_database_wanted_nothing_is_raised(make, tmp_path):
    conclude(ended(make(LastRunFile=""), **NOTHING))
    conclude(ended(make(WriteToCool=False), **NOTHING))
    assert not (tmp_path / "lastRun").exists()


def test_the_pointer_limits_the_reference_run(make, tmp_path):
    """Only one that is set: cool-folders.md 8.3 step 2."""
    assert _pointer(make()) is None
    assert _pointer(make(LastRunFile="")) is None
    set_last_run(tmp_path / "lastRun", 5)
    assert _pointer(make()) == 5
