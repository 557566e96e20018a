"""The real command with everything that can be wrong: its code, its words, and what is left."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sctcalib.resources import resource as packaged
from tests.support.processes import (
    TRANSFORM,
    contents,
    environment,
    run_sctcalib,
    run_transform,
    temporary_files,
    wait_until,
    without_rights,
)
from tests.support.reports import output_names, read_report
from tests.support.simulated import (
    DATASET,
    OWN,
    dictionary,
    hit_map,
    lb_file,
    linked,
    write_job,
)


def refused(here: Path, code: int, *texts: str, arguments: tuple[object, ...] = (), **more) -> str:
    """Run job.json; it has to end with a code and words, and to leave nothing but log and report.

    Returns the standard output.
    """
    before = set(contents(here))
    done = run_transform(here, "--argJSON=job.json", *arguments, **more)
    assert done.returncode == code, done.stdout + done.stderr
    for text in texts:
        assert text in done.stdout
    assert "Traceback" not in done.stdout
    assert done.stderr == ""
    assert set(contents(here)) - before <= OWN
    if (here / "jobReport.json").exists() and "jobReport.json" not in before:
        report = read_report(here)
        assert report["exitCode"] == code
        assert output_names(report) == []
    return done.stdout


# ---- arguments


def test_no_dictionary(here):
    refused(here, 17, "job.json: no such file; --argJSON names the job's argument dictionary")


def test_nothing_at_all(here):
    done = run_transform(here)
    assert done.returncode == 17
    assert "input is missing: the dictionary must list the job's input files" in done.stdout


DICTIONARIES = [
    ("list", b"[]", 7, "holds a list"),
    ("UTF-16", "{}".encode("utf-16"), 7, "save it as UTF-8"),
    ("key twice", b'{"part": "a", "part": "b"}', 7, "key 'part' is given twice"),
    ("NaN", b'{"maxEvents": NaN}', 4, "NaN is not a value"),
    ("deep", b'{"a":' + b"[" * 70 + b"]" * 70 + b"}", 7, "nested deeper than 64 levels"),
    ("long", b'{"a": "' + b" " * (1 << 24) + b'"}', 7, "larger than 16 MiB"),
    (
        "stray quote of the guide",
        b'{"\'SCTCalibConfig": ["x"]}',
        7,
        "did you mean 'SCTCalibConfig'",
    ),
    ("empty", b"{}", 17, "input is missing"),
    (
        "no run number",
        b'{"input": ["SCTHitMaps", "SCTLB"], "splitNoisyStrip": 2}',
        74,
        "SCTLB not found",
    ),
]


@pytest.mark.parametrize(
    ("data", "code", "text"), [d[1:] for d in DICTIONARIES], ids=[d[0] for d in DICTIONARIES]
)
def test_bad_dictionaries(here, data, code, text):
    (here / "job.json").write_bytes(data)
    refused(here, code, text)
    assert (here / "job.json").read_bytes() == data


def test_a_dictionary_with_a_byte_order_mark_is_read(here, standby_run):
    path = write_job(here, standby_run)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert run_transform(here, "--argJSON", "job.json").returncode == 0


@pytest.mark.requirement("R3")
def test_everything_wrong_is_said_in_one_go(here, standby_run):
    values = dictionary(standby_run, maxEvents=-3, doRunInfo="perhaps", parts=["x"], part="doNoise")
    (here / "job.json").write_text(json.dumps(values))
    refused(
        here, 7, 'job.json: Argument "parts" not known; did you mean \'part\'?',
        "maxEvents is -3; it must be at least -1", 'doRunInfo is "perhaps"; expected true or false',
        "part[0]=doNoise does not match any of the possible candidates",
    )  # fmt: skip


@pytest.mark.parametrize("step", [0, "1"])
def test_hit_maps_at_a_step_that_reads_raw_are_refused(here, standby_run, step):
    write_job(here, standby_run, splitNoisyStrip=step)
    refused(
        here, 7, f"type HITMAP; splitNoisyStrip {step} reads RAW files",
        "for hit maps set splitNoisyStrip to 2",
    )  # fmt: skip


def test_options_of_the_command_line_override_the_dictionary(here, standby_run):
    write_job(here, standby_run, prefix="a/b", maxEvents="wrong")
    done = run_transform(here, "--argJSON=job.json", "--prefix=Q", "--maxEvents", "1")
    assert done.returncode == 0, done.stdout
    assert (here / "Q.BadStripsSummaryFile.xml").exists()


@pytest.mark.parametrize(
    "arguments",
    [["--bogus"], ["--splitNoisyStrip"], ["a.json", "b.json"], ["a.json", "--argJSON=b"]],
)
def test_mistakes_on_the_command_line_have_the_code_of_arguments(here, arguments):
    done = run_transform(here, *arguments)
    assert done.returncode == 7
    assert "Traceback" not in done.stderr
    assert "Error: " in done.stderr
    assert contents(here) == {}


@pytest.mark.parametrize("program", [run_transform, lambda here, *a: run_sctcalib(here, "run", *a)])
def test_help_lists_every_argument_and_examples(here, program):
    done = program(here, "--help")
    assert done.returncode == 0
    schema = json.loads(packaged("schemas", "job.json").read_text())
    for name, prop in schema["properties"].items():
        assert (f"--{name} " in done.stdout or f"--{name}," in done.stdout) == (
            "x-ignored" not in prop
        ), name
    for text in (
        "--from-report",
        "--input-dir",
        "--keep",
        "--dry-run",
        "Examples:",
        "--argJSON=job.json",
    ):
        assert text in done.stdout


def test_parts_are_listed(here):
    from sctcalib.parts import PARTS

    text = run_sctcalib(here, "parts").stdout
    table = json.loads(run_sctcalib(here, "parts", "--json").stdout)
    assert set(table) == set(PARTS)
    for name, part in PARTS.items():
        assert name in text
        for output in part.outputs:
            assert output.suffix in text
            assert {"name": output.suffix, "optional": output.optional} in table[name]["outputs"]


def test_questions_do_not_start_the_job(here, standby_run):
    write_job(here, standby_run)
    before = contents(here)
    names = run_transform(here, "--dumpargs").stdout
    assert "'--splitNoisyStrip'" in names
    steps = run_transform(here, "job.json", "--showSteps").stdout
    assert steps == "Executor Step: sctcalib (alias sctcalib)\n"
    path = run_transform(here, "job.json", "--showPath").stdout
    assert "Executor path is:" in path
    assert "BSAll" in path
    assert contents(here) == before
    assert run_transform(here, "job.json", "--dumpJSON", "all.json").returncode == 0
    assert json.loads((here / "all.json").read_text())["splitNoisyStrip"] == 2
    done = run_transform(here, "job.json", "--dumpJSON", "job.json")
    assert done.returncode == 7
    assert "would overwrite the argument dictionary" in done.stderr
    done = run_transform(here, "job.json", "--dumpJSON", "none/x.json")
    assert (done.returncode, "Traceback" in done.stderr) == (11, False)


def test_a_question_that_is_answered_no_starts_the_job(here, standby_run):
    write_job(here, standby_run, showSteps="False", dumpargs=False)
    assert run_transform(here, "--argJSON=job.json").returncode == 0
    assert (here / "P.BadStripsSummaryFile.xml").exists()


def test_dry_run_of_a_wrong_job_has_its_code(here, standby_run):
    write_job(here, standby_run, prefix="../x")
    before = contents(here)
    done = run_transform(here, "--argJSON=job.json", "--dry-run")
    assert done.returncode == 7
    assert "would leave the run directory" in done.stderr
    assert contents(here) == before


# ---- inputs


def test_missing_files_are_all_named(here, standby_run):
    write_job(here, standby_run, input=["x.SCTHitMaps.root", "x.SCTLB.root"], RunNumber=1)
    refused(here, 74, "x.SCTHitMaps.root not found", "x.SCTLB.root not found")


def test_unpaired_files(here, noisy_run):
    write_job(
        here,
        noisy_run,
        input=[str(hit_map(noisy_run)), str(hit_map(noisy_run, 2)), str(lb_file(noisy_run))],
    )
    refused(here, 8, "2 hit-map files and 1 LB files", "doNoisyStrip needs both")


def test_a_hit_map_under_the_name_of_an_lb_file(here, noisy_run):
    (here / "a.SCTHitMaps.root").symlink_to(hit_map(noisy_run, 1))
    (here / "a.SCTLB.root").symlink_to(hit_map(noisy_run, 2))
    write_job(here, noisy_run, input=["a.SCTHitMaps.root", "a.SCTLB.root"], RunNumber=5)
    refused(here, 74, "a.SCTLB.root")


def test_maps_of_different_events(here, quiet_run, standby_run):
    linked(here, quiet_run, "a.SCTHitMaps.root", "unused")
    (here / "a.SCTLB.root").symlink_to(lb_file(standby_run))
    write_job(here, quiet_run, input=["a.SCTHitMaps.root", "a.SCTLB.root"], RunNumber=5)
    refused(here, 8, "a.SCTHitMaps.root has 2000 events and a.SCTLB.root 0: they are not a pair")


def test_files_of_two_runs(here, standby_run, quiet_run):
    names = [
        f"{DATASET.format(run=run)}._0001.{kind}.root"
        for run, kind in ((1, "SCTHitMaps"), (2, "SCTLB"))
    ]
    linked(here, standby_run, *names)
    write_job(here, standby_run, input=names)
    refused(here, 8, "the inputs are of several runs: run 1: ", "run 2: ")


def test_no_run_number(here, standby_run):
    linked(here, standby_run, "SCTHitMaps.root", "SCTLB.root")
    write_job(here, standby_run, input=["SCTHitMaps.root", "SCTLB.root"])
    refused(here, 17, "the run number is missing")


def test_a_file_that_is_neither_kind(here, standby_run):
    (here / "x.root").write_text("x")
    write_job(here, standby_run, input=["x.root"], RunNumber=5)
    refused(here, 8, "x.root is neither a hit-map nor an LB file")


DAMAGES = {
    "truncated": lambda data: data[: len(data) // 2],
    "no ROOT file": lambda data: b"not at all",
    "empty": lambda data: b"",
    "text at the start": lambda data: b"x" * 100 + data[100:],
    "zeros inside": lambda data: (
        data[: len(data) // 3] + bytes(40_000) + data[len(data) // 3 + 40_000 :]
    ),
}


@pytest.mark.parametrize("kind", ["SCTHitMaps", "SCTLB"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_files_are_named(here, quiet_run, kind, damage):
    linked(here, quiet_run, "a.SCTHitMaps.root", "a.SCTLB.root")
    spoilt = here / f"a.{kind}.root"
    data = DAMAGES[damage](spoilt.read_bytes())
    spoilt.unlink()
    spoilt.write_bytes(data)
    write_job(here, quiet_run, input=["a.SCTHitMaps.root", "a.SCTLB.root"], RunNumber=5)
    refused(here, 74, spoilt.name)


def test_a_damaged_object_is_named(here, quiet_run):
    linked(here, quiet_run, "a.SCTHitMaps.root", "a.SCTLB.root")
    (here / "a.SCTHitMaps.root").unlink()
    data = bytearray(hit_map(quiet_run).read_bytes())
    place = len(data) // 2
    data[place : place + 3000] = b"\xff" * 3000
    (here / "a.SCTHitMaps.root").write_bytes(data)
    write_job(here, quiet_run, input=["a.SCTHitMaps.root", "a.SCTLB.root"], RunNumber=5)
    output = refused(here, 74)
    assert re.search(r"FATAL a\.SCTHitMaps\.root: SCT(EA|B|EC)/[0-9_-]+: ", output), output


def test_a_broken_conditions_database_is_named(here, noisy_run):
    (here / "conditions.db").write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    (here / "c.toml").write_text('ConditionsDatabase = "conditions.db"\n')
    write_job(here, noisy_run, SCTCalibConfig="c.toml")
    refused(here, 74, "ConditionsDatabase", "conditions.db")


def test_a_missing_conditions_database_is_named(here, noisy_run):
    (here / "c.toml").write_text('ConditionsDatabase = "none.db"\n')
    write_job(here, noisy_run, SCTCalibConfig="c.toml")
    refused(here, 74, "none.db")


def test_configuration_mistakes(here, standby_run):
    (here / "c.toml").write_text("NoisyStripThrOfline = 0.1\n")
    write_job(here, standby_run, SCTCalibConfig=["c.toml"])
    refused(here, 7, "c.toml", "NoisyStripThrOfline", "NoisyStripThrOffline")
    write_job(here, standby_run, SCTCalibConfig=["none.toml"])
    refused(here, 7, "none.toml")


def test_a_pipe_is_not_waited_for(here, standby_run):
    write_job(here, standby_run)
    os.mkfifo(here / "runInfo.txt")
    refused(here, 74, "runInfo.txt: is not a file")
    (here / "runInfo.txt").unlink()
    os.mkfifo(here / "a.SCTHitMaps.root")
    os.mkfifo(here / "c.toml")
    write_job(here, standby_run, input=["a.SCTHitMaps.root"], SCTCalibConfig="c.toml")
    refused(here, 7, "a.SCTHitMaps.root: is not a file", "c.toml: is not a file")


def test_links_that_lead_nowhere_are_no_bug(here, standby_run):
    write_job(here, standby_run)
    for name in ("runInfo.txt", "BadStrips.xsl", "P.mycool.db"):
        (here / name).symlink_to(name)
    done = run_transform(here, "--argJSON=job.json")
    assert done.returncode == 0, done.stdout
    assert (here / "P.mycool.db.stale").is_symlink()


# ---- what must not be overwritten


def test_dictionary_named_like_the_report(here, standby_run):
    path = write_job(here, standby_run, name="jobReport.json")
    before = path.read_bytes()
    done = run_transform(here, "--argJSON=jobReport.json")
    assert done.returncode == 7
    assert "output jobReport.json would overwrite the argument dictionary" in done.stdout
    assert path.read_bytes() == before


def test_an_input_named_like_an_output(here, standby_run):
    linked(here, standby_run, "P.SCTHitMaps.root", "P.SCTLB.root")
    write_job(here, standby_run, input=["P.SCTHitMaps.root", "P.SCTLB.root"], RunNumber=5)
    refused(here, 7, "output P.SCTHitMaps.root would overwrite the input P.SCTHitMaps.root")
    assert hit_map(standby_run).stat().st_size > 0


def test_configuration_and_conditions_named_like_outputs(here, standby_run):
    (here / "P.mycool.db").write_text("precious")
    (here / "c.json").write_text('{"ConditionsDatabase": "P.mycool.db"}')
    write_job(here, standby_run, SCTCalibConfig=["c.json"])
    refused(here, 7, "output P.mycool.db would overwrite the conditions database")
    write_job(here, standby_run, SCTCalibConfig=["c.json"], prefix="Q", reportName="c")
    refused(here, 7, "output c.json would overwrite the configuration file")
    write_job(here, standby_run, prefix="Q", reportName="runInfo", reportType="text")
    (here / "runInfo.json").write_text("{}")
    refused(here, 7, "output runInfo.txt would overwrite the run information")
    assert (here / "P.mycool.db").read_text() == "precious"
    assert "ConditionsDatabase" in (here / "c.json").read_text()


def test_a_conditions_database_set_aside_by_an_earlier_job_is_safe(here, standby_run):
    (here / "P.mycool.db").write_text("of an earlier job")
    (here / "P.mycool.db.stale").write_text("the conditions")
    (here / "c.toml").write_text('ConditionsDatabase = "P.mycool.db.stale"\n')
    write_job(here, standby_run, SCTCalibConfig=["c.toml"])
    refused(here, 7, "output P.mycool.db.stale would overwrite the conditions database")
    assert (here / "P.mycool.db.stale").read_text() == "the conditions"


def test_files_of_another_job_survive(here, standby_run):
    """The merged maps of the original are called so while a job runs."""
    for name in ("SCTHitMaps.root", "SCTLB.root", "mycool.db", "O.mycool.db"):
        (here / name).write_text(name)
    write_job(here, standby_run)
    assert run_transform(here, "--argJSON=job.json").returncode == 0
    for name in ("SCTHitMaps.root", "SCTLB.root", "mycool.db", "O.mycool.db"):
        assert (here / name).read_text() == name


# ---- places


def test_read_only_directory(here, standby_run):
    write_job(here, standby_run)
    before = contents(here)
    here.chmod(0o555)
    try:
        done = run_transform(here, "--argJSON=job.json", preexec_fn=without_rights)
    finally:
        here.chmod(0o755)
    assert done.returncode == 11
    assert f"{here}: cannot be written: Permission denied" in done.stdout
    assert done.stderr == ""
    assert contents(here) == before


@pytest.mark.parametrize("limit", [1_000_000, 10_000_000], ids=["hit maps", "lumi-block maps"])
def test_no_space_for_an_output(here, quiet_run, limit):
    """A size limit acts like a full disk and needs no rights."""
    write_job(here, quiet_run)
    refused(
        here, 11, "cannot be written: File too large",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )  # fmt: skip


def mounted(folder: Path, size: str) -> bool:
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        return False
    command = [mount, "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_full_disk(here, quiet_run):
    if not mounted(here, "12m"):
        pytest.skip("needs the right to mount; test_no_space_for_an_output is the same without")
    try:
        write_job(here, quiet_run)
        (here / "P.BadStripsAllFile.xml").write_text("earlier")
        refused(here, 11, "No space left on device")
        assert (here / "P.BadStripsAllFile.xml").read_text() == "earlier"
    finally:
        subprocess.run(["umount", str(here)], check=True)


def test_disk_that_is_full_at_the_database(here, noisy_run, good_job):
    """SQLite meets the end of the disk in its own way."""
    written = {p.name.rpartition("._0001.")[2]: p.stat().st_size for p in good_job.iterdir()}
    space = sum(size for name, size in written.items() if name.endswith((".root", "File.xml")))
    if not mounted(here, str(space + written["mycool.db"] // 3)):
        pytest.skip("needs the right to mount; test_no_space_for_an_output is similar without")
    try:
        write_job(here, noisy_run)
        refused(here, 11, "P.mycool.db")
    finally:
        subprocess.run(["umount", str(here)], check=True)


def test_deleted_directory(tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    done = subprocess.run(
        ["sh", "-c", f"rmdir '{gone}' && exec '{sys.executable}' '{TRANSFORM}' --argJSON=x.json"],
        cwd=gone, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 11
    assert done.stderr == "Error: the current directory cannot be used: No such file or directory\n"


@pytest.mark.parametrize(
    "redirection", [">&-", "> /dev/full", "| true", ">&- 2>&-", "2> /dev/full"]
)
def test_lost_terminal(here, standby_run, redirection):
    """The outcome is the same with and without somebody who reads."""
    write_job(here, standby_run, prefix="a/b")
    program = f"'{sys.executable}' '{TRANSFORM}' --argJSON=job.json"
    script = f"set -o pipefail; {program} {redirection}"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=here,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 7
    assert done.stderr == ""
    assert read_report(here)["exitCode"] == 7


# ---- signals and rivals


def started(here: Path, *arguments: str) -> subprocess.Popen[str]:
    def default_signals() -> None:
        for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(each, signal.SIG_DFL)

    return subprocess.Popen(
        [sys.executable, "-u", str(TRANSFORM), "--argJSON=job.json", *arguments],
        cwd=here, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        preexec_fn=default_signals,
    )  # fmt: skip


def merging(here: Path) -> bool:
    return any("Merging LBHitmap" in p.read_text() for p in here.glob(".*/log.part"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_job_in_order(here, quiet_run, number):
    write_job(here, quiet_run)
    (here / "P.SCTLB.root").write_text("earlier")
    job = started(here)
    wait_until(lambda: merging(here), "merging")
    job.send_signal(number)
    output, _ = job.communicate(timeout=30)
    assert job.returncode == 128 + number, output
    assert read_report(here)["exitAcronym"] == f"TRF_SIG_{number.name}"
    assert set(contents(here)) == {"job.json", "P.SCTLB.root", *OWN}
    assert (here / "P.SCTLB.root").read_text() == "earlier"


def test_a_rival_is_refused_and_a_killed_job_leaves_no_half_output(here, quiet_run):
    write_job(here, quiet_run)
    first = started(here)
    wait_until(lambda: merging(here), "merging")
    second = run_transform(here, "--argJSON=job.json")
    assert second.returncode == 11
    assert f"another job (process {first.pid} on " in second.stdout
    assert "with the prefix 'P'" in second.stdout
    first.kill()
    first.communicate()
    (here / "jobReport.json").unlink()
    (here / "log.sctcalib").unlink()
    assert {n for n in contents(here) if not n.startswith(".")} == {"job.json"}
    again = run_transform(here, "--argJSON=job.json")
    assert again.returncode == 0
    assert "temporary files of a killed job were removed" in again.stdout
    assert temporary_files(here) == []
