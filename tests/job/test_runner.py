"""The flow of a job, driven with a toy transform of two parts."""

from __future__ import annotations

from pathlib import Path

import pytest

from sctcalib.job.progress import quiet_progress
from tests.support import toy
from tests.support.processes import contents, temporary_files
from tests.support.reports import message, output_names, read_report

INPUTS = {"a.num", "b.num"}
OWN = {"jobReport.json", "log.toy"}


def new_files(folder: Path) -> set[str]:
    return set(contents(folder)) - INPUTS - OWN


def test_a_good_job_publishes_its_outputs_log_and_report(here, run_toy, capsys):
    report = run_toy(taskid="t1")
    assert new_files(here) == {"P.count.txt", "P.data.bin"}
    assert (here / "P.count.txt").read_text() == "7\n"
    assert (report["exitCode"], report["exitAcronym"], report["exitMsg"]) == (0, "OK", "OK")
    assert report["run"] == 7
    assert report["results"] == {"doCount": {"total": 7, "factor": 2}}
    assert report["executor"][0]["metaData"] == {"taskid": "t1"}
    assert report["configuration"]["options"] == {"limit": 1, "factor": 2}
    log = (here / "log.toy").read_text()
    assert "INFO This is toy_trf 1" in log
    assert "part doCount has ended" in log
    assert log.endswith("trf exit code 0\n")
    echoed = capsys.readouterr().out.splitlines()
    assert echoed == ["toy " + line for line in log.splitlines()]


def test_report_counts_events_of_every_file(run_toy):
    report = run_toy()
    read = [file for entry in report["files"]["input"] for file in entry["subFiles"]]
    assert [(f["name"], f["nentries"], f["file_size"]) for f in read] == [
        ("a.num", 3, 1),
        ("b.num", 4, 1),
    ]
    assert [f["checksum"] for f in read] == ["00340034", "00350035"]
    written = {f["name"]: f for e in report["files"]["output"] for f in e["subFiles"]}
    assert written["P.data.bin"]["nentries"] == 7
    assert "nentries" not in written["P.count.txt"]
    assert report["resource"]["transform"]["processedEvents"] == 7


def test_report_names_the_dataset_of_a_tier0_prefix(run_toy):
    report = run_toy(prefix="D#D._0001")
    assert output_names(report) == ["D._0001.count.txt", "D._0001.data.bin"]
    assert {entry["dataset"] for entry in report["files"]["output"]} == {"D"}
    assert report["arguments"]["prefix"] == "D#D._0001"


@pytest.mark.requirement("R20")
def test_without_a_prefix_outputs_have_their_plain_names(here, run_toy):
    run_toy(prefix="")
    assert new_files(here) == {"count.txt", "data.bin"}


def test_both_parts_run_and_the_first_declaration_of_a_name_counts(here, run_toy):
    report = run_toy(part=["doCount", "doCopy", "doCount"])
    assert new_files(here) == {"P.count.txt", "P.data.bin", "P.copy.txt"}
    assert [entry["argName"] for entry in report["files"]["output"]] == [
        "outputCountFile",
        "outputDataFile",
        "outputCopyFile",
    ]
    assert report["executor"][0]["exeConfig"]["parts"] == ["doCount", "doCopy"]


def test_what_parts_share_is_finished_after_the_last_of_them(here, run_toy):
    run_toy(part=["doCopy", "doCount"])
    lines = [line.split(" INFO ")[-1] for line in (here / "log.toy").read_text().splitlines()]
    assert lines.index("both have run with factor 2") == lines.index("part doCount has ended") + 1


@pytest.mark.requirement("R8")
def test_an_optional_output_may_be_missing(here, run_toy):
    report = run_toy(part=["doCopy"], act=["nothing"])
    assert report["exitCode"] == 0
    assert new_files(here) == set()
    assert [m["message"] for m in report["executor"][0]["logfileReport"]["details"]["WARNING"]] == [
        "nothing will be copied"
    ]


def test_an_optional_output_of_an_earlier_job_is_set_aside(here, run_toy):
    run_toy(part=["doCopy"])
    earlier = (here / "P.copy.txt").read_bytes()
    run_toy(part=["doCopy"], act=["nothing"])
    assert new_files(here) == {"P.copy.txt.stale"}
    assert (here / "P.copy.txt.stale").read_bytes() == earlier
    assert "P.copy.txt of an earlier job is now P.copy.txt.stale" in (here / "log.toy").read_text()


def test_zero_event_rule_ends_well_and_writes_what_it_declares(here, run_toy):
    for name in INPUTS:
        (here / name).write_text("0")
    report = run_toy()
    assert (report["exitCode"], report["exitAcronym"]) == (0, "OK")
    assert report["exitMsg"] == "nothing to count in run 7"
    assert new_files(here) == {"P.count.txt"}
    assert (here / "P.count.txt").read_text() == "0\n"


def test_zero_event_rule_of_one_part_leaves_the_other_part_alone(here, run_toy):
    for name in INPUTS:
        (here / name).write_text("0")
    run_toy(part=["doCount", "doCopy"])
    assert new_files(here) == {"P.count.txt", "P.copy.txt"}


def test_limit_of_the_zero_event_rule_comes_from_the_configuration(here, run_toy):
    (here / "settings.txt").write_text("limit 8")
    report = run_toy(settings="settings.txt")
    assert report["exitMsg"] == "nothing to count in run 7"
    assert report["configuration"]["options"]["limit"] == 8
    assert "WARNING settings are read" in (here / "log.toy").read_text()


FAILURES = [
    ("crash", 251, "unexpected ZeroDivisionError: a bug of the part"),
    ("leave", 251, "unexpected SystemExit: 3"),
    ("fail", 65, "the algorithm does not converge"),
    ("needcheck", 1, "someone has to look at this"),
    ("error", 68, 'Fatal error in logfile: "the part is not happy with this"'),
    ("forget", 66, "File P.count.txt might be missing: the part did not write it"),
    ("half", 11, "P.count.txt: cannot be written: No space left on device"),
    ("invalid", 66, "File P.count.txt did not pass corruption test: invalid literal"),
]


@pytest.mark.parametrize(("act", "code", "text"), FAILURES, ids=[row[0] for row in FAILURES])
def test_a_failing_job_leaves_nothing_but_log_and_report(here, run_toy, act, code, text):
    report = run_toy(act=[act])
    assert report["exitCode"] == code
    assert text in message(report)
    assert new_files(here) == set()
    assert f"trf exit code {code}" in (here / "log.toy").read_text()


@pytest.mark.parametrize("act", [row[0] for row in FAILURES])
def test_a_failing_job_leaves_the_good_outputs_of_an_earlier_one(here, run_toy, act):
    run_toy()
    before = {name: data for name, data in contents(here).items() if name not in OWN}
    (here / "a.num").write_text("3")
    assert run_toy(act=[act])["exitCode"] != 0
    assert {name: data for name, data in contents(here).items() if name not in OWN} == before


def test_a_bug_shows_its_traceback_in_the_log_and_one_line_on_the_terminal(here, run_toy, capsys):
    run_toy(act=["crash"])
    log, out = (here / "log.toy").read_text(), capsys.readouterr().out
    assert "Traceback (most recent call last)" in log
    assert "ZeroDivisionError: a bug of the part" in log
    assert "Traceback" not in out
    fatal = [line for line in out.splitlines() if "FATAL" in line]
    assert len(fatal) == 1
    assert "a bug; the log has the traceback" in fatal[0]


def test_a_mistake_of_the_user_has_no_traceback_anywhere(here, run_toy, capsys):
    run_toy(input=["missing.num"])
    assert "Traceback" not in (here / "log.toy").read_text() + capsys.readouterr().out


def test_severities_are_counted(run_toy):
    report = run_toy(act=["warn", "warn", "error"])["executor"][0]["logfileReport"]
    assert report["countSummary"]["WARNING"] == 2
    assert report["countSummary"]["ERROR"] == 1
    assert report["details"]["WARNING"][0]["count"] == 2


def test_first_line_of_a_message_is_its_line_in_the_log(here, run_toy):
    report = run_toy(act=["warn", "error"])["executor"][0]["logfileReport"]
    lines = (here / "log.toy").read_text().splitlines()
    for messages in report["details"].values():
        for each in messages:
            assert each["message"] in lines[each["firstLine"] - 1]


def test_arguments_without_effect_are_named_in_one_warning(here, run_toy):
    run_toy(relic="x", reportType=["json", "gpickle"])
    log = (here / "log.toy").read_text()
    assert "WARNING without effect here, ignored: relic" in log
    assert "WARNING reportType gpickle is not written here" in log


def test_all_problems_are_reported_at_once(here, run_toy):
    (here / "settings.txt").write_text("nonsense")
    report = run_toy(act=["impossible"], input=["x.num", "y.num"], prefix="a/b", settings="none")
    assert report["exitCode"] == 7
    for text in ("job.json: act: impossible", "job.json: prefix", "none: expected limit N"):
        assert text in message(report)
    log = (here / "log.toy").read_text()
    assert "FATAL x.num not found" in log
    assert "FATAL y.num not found" in log


def test_several_problems_of_one_kind_have_its_code(run_toy):
    assert run_toy(input=["x.num", "y.num"])["exitCode"] == 74


def test_inputs_that_a_part_does_not_take_are_refused_by_it(here, run_toy):
    (here / "odd.num").write_text("1")
    report = run_toy(input=["odd.num"])
    assert (report["exitCode"], report["exitMsg"]) == (8, "odd.num is odd")


def test_loglevel_decides_what_is_echoed_and_logged(here, run_toy, capsys):
    run_toy(loglevel="ERROR")
    assert "INFO part" not in (here / "log.toy").read_text()
    assert "INFO part" not in capsys.readouterr().out


def test_text_report_is_written_on_request(here, run_toy):
    run_toy(reportType=["text", "json"], act=["warn"])
    text = (here / "jobReport.txt").read_text()
    assert text.startswith("# trfJobReport file generated on ")
    assert "toy_trf: exit 0 OK" in text
    assert "output Data: P.data.bin (100 bytes" in text
    assert "input file: a.num (1 bytes, adler32 00340034, 3 events)" in text
    assert "doCount total: 7" in text


def test_report_name_replaces_the_base_name(here, run_toy):
    run_toy(report="mine.json", reportName="mine", reportType=["text"])
    assert {"mine.json", "mine.txt"} <= set(contents(here))
    assert not (here / "jobReport.json").exists()


def test_a_long_message_goes_on_in_exit_msg_extra(run_toy):
    report = run_toy(input=[f"{n:03d}{'x' * 50}.num" for n in range(9)])
    assert len(report["exitMsg"]) == 256
    assert report["exitMsg"].endswith(" (truncated)")
    assert message(report).splitlines() == [f"{n:03d}{'x' * 50}.num not found" for n in range(9)]


def test_keep_leaves_intermediate_files_in_a_visible_folder(here, run_toy):
    run_toy(options={"keep": True}, act=["beside:a"])
    run_toy(options={"keep": True}, act=["crash"])
    assert (here / "kept-P.1" / "sheets.d" / "sheet.css").read_text() == "a"
    assert (here / "kept-P.2" / "P.count.txt").read_text() == "7\n"
    assert temporary_files(here) == []


def test_companion_is_put_beside_once_and_never_overwrites(here, run_toy):
    run_toy(act=["beside:first"])
    assert (here / "sheet.css").read_text() == "first"
    report = run_toy(act=["beside:other"])
    assert (here / "sheet.css").read_text() == "first"
    assert report["exitCode"] == 0
    assert "WARNING sheet.css is left as it is" in (here / "log.toy").read_text()


def test_claimed_checksum_has_to_be_true(here, run_toy):
    good = [{"lfn": "a.num", "checksum": "AD:00340034", "events": 3}]
    assert run_toy(input=good)["exitCode"] == 0
    report = run_toy(input=[{"lfn": "a.num", "checksum": "deadbeef"}])
    assert report["exitCode"] == 74
    assert "a.num: adler32 is 00340034, the dictionary says deadbeef" in message(report)


def test_files_of_equal_content_are_warned_of(here, run_toy):
    (here / "b.num").write_text("3")
    run_toy()
    assert "WARNING a.num and b.num have the same adler32" in (here / "log.toy").read_text()


def test_remote_inputs_are_fetched_and_the_copies_go(here, run_toy):
    import fsspec

    memory = fsspec.filesystem("memory")
    for folder, events in (("x", "5"), ("y", "6")):
        memory.pipe(f"/{folder}/same.num", events.encode())
    report = run_toy(input=["memory://x/same.num", "memory://y/same.num"])
    assert report["exitCode"] == 0
    assert (here / "P.count.txt").read_text() == "11\n"
    assert temporary_files(here) == []


def test_a_remote_input_that_is_not_there_is_named(run_toy):
    report = run_toy(input=["memory://x/none.num"])
    assert report["exitCode"] == 74
    assert "memory://x/none.num: cannot be fetched" in message(report)


def test_input_dir_is_searched_first(here, run_toy, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.num").write_text("100")
    run_toy(options={"input_dir": other})
    assert (here / "P.count.txt").read_text() == "104\n"


OVERWRITES = [
    ("output a dictionary", {"prefix": "job"}, "job.count.txt", "argument dictionary"),
    ("report a dictionary", {"reportName": "job"}, "job.json", "argument dictionary"),
    ("output an input", {"input": ["P.data.bin"]}, "P.data.bin", "input"),
    ("stale name an input", {"input": ["P.data.bin.stale"]}, "P.data.bin.stale", "input"),
    ("report an input", {"input": ["x.json"], "reportName": "x"}, "x.json", "input"),
    ("log an input", {"input": ["log.toy"]}, "log.toy", "input"),
    ("report a setting", {"settings": "s.json", "reportName": "s"}, "s.json", "settings file"),
    ("output a setting", {"settings": "P.count.txt"}, "P.count.txt", "settings file"),
]


@pytest.mark.parametrize(
    ("values", "victim", "what"),
    [row[1:] for row in OVERWRITES],
    ids=[row[0] for row in OVERWRITES],
)
def test_nothing_that_the_job_reads_is_overwritten(here, run_toy, values, victim, what):
    path = here / victim
    path.write_text("limit 1" if "settings" in values else "5")
    source = path if "dictionary" in what else None
    values = {"reportName": "report", **values}
    code = toy.run(
        {"input": ["a.num"], "RunNumber": 7, "prefix": "P", **values}, here, source=source
    )
    assert code == 7
    assert path.read_text() in ("5", "limit 1")
    if victim != "log.toy":
        assert f"output {victim} would overwrite the {what}" in (here / "log.toy").read_text()


def test_a_link_to_an_input_is_not_overwritten_either(here, run_toy):
    (here / "P.data.bin").symlink_to("a.num")
    report = run_toy()
    assert report["exitCode"] == 7
    assert "output P.data.bin would overwrite the input" in message(report)
    assert (here / "a.num").read_text() == "3"


def test_a_failed_job_does_not_replace_a_file_it_has_not_got_to_know(here, run_toy):
    """The settings are not read before the inputs are found missing: the report spares them."""
    (here / "notes.json").write_text('{"my": "notes"}')
    job = {"input": ["missing"], "RunNumber": 7, "settings": "none", "reportName": "notes"}
    assert toy.run(job, here) == 7
    assert (here / "notes.json").read_text() == '{"my": "notes"}'


def test_a_failed_job_replaces_the_report_of_an_earlier_one(here, run_toy):
    run_toy(reportName="mine", report="mine.json")
    assert run_toy(reportName="mine", report="mine.json", input=["none"])["exitCode"] == 74


def test_a_folder_with_the_name_of_an_output_is_refused_before_work(here, run_toy):
    (here / "P.count.txt").mkdir()
    report = run_toy()
    assert report["exitCode"] == 11
    assert "output P.count.txt: a folder has this name" in message(report)
    assert "part doCount begins" not in (here / "log.toy").read_text()


@pytest.mark.parametrize(
    "prefix", ["../x", "/tmp/x", "a/b", "..", ".", "x\ny", "x" * 300, "é" * 130]
)
def test_prefix_that_makes_no_plain_file_name_is_refused(here, run_toy, prefix):
    report = run_toy(prefix=prefix)
    assert report["exitCode"] == 7
    assert "job.json: prefix" in message(report)
    assert new_files(here) == set()


@pytest.mark.parametrize("prefix", ["-rf", "a b", "ünï©ode", "'quoted\"", "#", "x" * 200, "%s{}"])
def test_odd_prefixes_that_are_file_names_are_taken(here, run_toy, prefix):
    assert run_toy(prefix=prefix)["exitCode"] == 0
    stem = prefix.replace("#", "")
    assert (here / (f"{stem}.count.txt" if stem else "count.txt")).read_text() == "7\n"


def test_the_private_folder_is_not_read_from(here, run_toy, monkeypatch):
    from sctcalib.job.outputs import Workspace

    folder = Workspace(here, "P").path
    folder.mkdir()
    (folder / "left.num").write_text("1")
    report = run_toy(input=[f"{folder.name}/left.num"])
    assert report["exitCode"] == 7
    assert "is in the job's own folder" in message(report)
    assert (folder / "left.num").read_text() == "1"


def test_input_that_vanishes_before_it_is_read_is_named(here):
    def progress():
        """Starts after the checks of the inputs, before the first of them is opened."""
        (here / "a.num").unlink()
        return quiet_progress()

    code = toy.run({"input": ["a.num"], "RunNumber": 7}, here, progress=progress)
    report = read_report(here)
    assert code == report["exitCode"] == 74
    assert "a.num: cannot be read" in message(report)


def test_odd_input_names_are_read(here, run_toy):
    names = ["a b.num", "ü.num", "new\nline.num", "-n.num", "'q'.num", "100%s.num"]
    for name in names:
        (here / name).write_text("1")
    report = run_toy(input=names)
    assert report["exitCode"] == 0
    assert (here / "P.count.txt").read_text() == f"{len(names)}\n"
