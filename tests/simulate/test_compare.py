"""The command compare-truth on files of every kind that it reads."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from sctcalib.cool import Database
from sctcalib.cool.folders import create_sct_folder
from sctcalib.detector.identifiers import IntArray, module_id32
from sctcalib.detector.regions import N_MODULES
from sctcalib.parts import strip_lists
from sctcalib.simulate.compare import compare_truth
from sctcalib.simulate.comparison import expected_strips, noisy_chips, noisy_wafers, strip_mask
from sctcalib.simulate.earlier_run import FOLDER, TAG, by_module, strips_of_earlier_run
from sctcalib.simulate.model import Defects, plan
from sctcalib.simulate.truth import MapFiles, Reference, Truth
from sctcalib.summary.bad_strips import BadStripsChannel, BadStripsFile, write_bad_strips
from sctcalib.summary.noisy_summary import NoisyModule, NoisySummary, write_noisy_summary

RUN, OLD_RUN = 267367, 267360
Lists = dict[int, IntArray]


@pytest.fixture(scope="module")
def truth() -> Truth:
    planted = plan(np.random.default_rng(3), Defects(40, 10, 2, 1), 20_000)
    old = strips_of_earlier_run(np.random.default_rng(4), planted)
    return Truth(
        RUN, "data15_13TeV", "calibration_SCTNoise", 3, 0.015, np.array([20_000]), 30,
        (MapFiles("a", "b", 20_000),), 4e-4, planted, Reference(OLD_RUN, "conditions.db", TAG, old),
    )  # fmt: skip


@pytest.fixture(scope="module")
def truth_file(truth, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("truth") / "truth.json"
    truth.write(path)
    return path


@pytest.fixture
def right_lists(truth) -> Lists:
    """The strips that a job without a mistake finds."""
    return by_module(np.flatnonzero(expected_strips(truth).sure))


def write_xml(path: Path, lists: Lists, *, run: int = RUN, folder: str = FOLDER.strip("/")) -> Path:
    channels = tuple(BadStripsChannel(m, 0.015, strips) for m, strips in sorted(lists.items()))
    since = run << 32
    write_bad_strips(
        path, BadStripsFile(run, since, since + 0xFFFFFFFF, TAG, channels, folder=folder)
    )
    return path


def write_database(path: Path, lists: Lists, *, run: int = RUN) -> Path:
    since = run << 32
    with Database.create(path, "CONDBR2") as database:
        folder = create_sct_folder(database, FOLDER)
        rows = (
            (since, since + 0xFFFFFFFF, int(module_id32()[module]),
             (10_000, 0, 0, 0, 0, "NOISY", 0.015, strip_lists.encode(lists.get(module, []))))
            for module in range(N_MODULES)
        )  # fmt: skip
        folder.store_each(rows, tag=TAG, user_tag_only=True)
    return path


def write_summary(
    path: Path, lists: Lists, truth: Truth, *, reference_run: int | None = OLD_RUN
) -> Path:
    mask = strip_mask(lists)
    chips = noisy_chips(mask).reshape(N_MODULES, 12)
    wafers = noisy_wafers(mask).reshape(N_MODULES, 2)
    old = truth.reference.strips if reference_run else {}
    rows = []
    for module, strips in sorted(lists.items()):
        before = old.get(module, np.empty(0, dtype=np.int64))
        rows.append(
            NoisyModule(
                "0", module, tuple(np.flatnonzero(wafers[module]).tolist()),
                tuple(np.flatnonzero(chips[module]).tolist()), strips,
                np.setdiff1d(strips, before), before,
            )
        )  # fmt: skip
    total = sum(map(len, lists.values()))
    write_noisy_summary(
        path,
        NoisySummary(
            run=RUN, start="", end="", duration=0, lumi_blocks=1, events=20_000,
            modules=len(rows), links=int(wafers.sum()), chips=int(chips.any(axis=1).sum()),
            strips_all=total, strips_new=0, modules_ref=0, strips_ref=0, modules_diff=0,
            flag="U", flag_reason="", flag_enabled=True, read_cool=False, check_list="",
            reference_run=reference_run, noisy_chips=(), noisy_modules=tuple(rows),
        ),
    )  # fmt: skip
    return path


def run(*arguments: object):
    return CliRunner().invoke(compare_truth, [*map(str, arguments)])


def lists_of(result) -> dict[str, dict]:
    return json.loads(result.output)["lists"]


@pytest.mark.parametrize("kind", ["xml", "database", "summary"])
def test_a_job_without_a_mistake_is_right(tmp_path, truth, truth_file, right_lists, kind):
    if kind == "xml":
        path = write_xml(tmp_path / "BadStripsAllFile.xml", right_lists)
    elif kind == "database":
        path = write_database(tmp_path / "mycool.db", right_lists)
    else:
        path = write_summary(tmp_path / "BadStripsSummaryFile.xml", right_lists, truth)
    result = run("--json", truth_file, path)
    assert result.exit_code == 0, result.output
    content = json.loads(result.output)
    assert (content["run"], content["events"], content["right"]) == (RUN, 20_000, True)
    strips = content["lists"]["noisy strips"]
    assert strips["expected"] == strips["found"] == sum(map(len, right_lists.values()))
    assert (strips["efficiency"], strips["purity"], strips["near_threshold"]) == (1, 1, 10)
    # the strips of two noisy chips, and those of the hot wafer's chips
    assert content["lists"]["noisy chips"]["found"] >= 2 + 4
    assert content["lists"]["hot wafers"]["found"] == 1
    assert ("new strips" in content["lists"]) == (kind == "summary")
    if kind == "summary":
        assert content["lists"]["new strips"]["found"] > 8
        assert content["lists"]["reference strips"]["found"] > 32


@pytest.mark.parametrize("kind", ["xml", "database", "summary"])
def test_a_missed_and_a_superfluous_strip_are_named(tmp_path, truth, truth_file, right_lists, kind):
    module = next(m for m, strips in right_lists.items() if len(strips) == 1)
    missed = int(right_lists.pop(module)[0])
    free = next(m for m in range(N_MODULES) if m not in right_lists and m != module)
    while free in truth.planted.wafer // 2:
        free += 1
    right_lists[free] = np.array([3])
    write = {"xml": write_xml, "database": write_database}
    path = (
        write_summary(tmp_path / "s.xml", right_lists, truth)
        if kind == "summary"
        else write[kind](tmp_path / "found", right_lists)
    )
    result = run(truth_file, path)
    assert result.exit_code == 1
    assert f"side {missed // 768} strip {missed % 768}" in result.output
    assert "extra in noisy strips: " in result.output
    strips = lists_of(run("--json", truth_file, path))["noisy strips"]
    assert (len(strips["missed"]), len(strips["extra"])) == (1, 1)


def test_new_file_has_the_strips_that_the_earlier_run_had_not(
    tmp_path, truth, truth_file, right_lists
):
    new = expected_strips(truth).sure & ~strip_mask(truth.reference.strips)
    path = write_xml(tmp_path / "P.BadStripsNewFile.xml", by_module(np.flatnonzero(new)))
    result = run("--json", truth_file, path)
    assert result.exit_code == 0, result.output
    assert list(lists_of(result)) == ["new strips"]
    assert lists_of(result)["new strips"]["found"] == np.count_nonzero(new)
    wrong = write_xml(tmp_path / "Q.BadStripsNewFile.xml", right_lists)
    assert run(truth_file, wrong).exit_code == 1


def test_job_without_a_reference_is_judged_by_its_strips(tmp_path, truth, truth_file, right_lists):
    path = write_summary(tmp_path / "s.xml", right_lists, truth, reference_run=None)
    result = run(truth_file, path)
    assert result.exit_code == 0
    assert "the job's reference is no run, that of the simulation is run 267360" in result.output
    assert "new strips  " not in result.output


def test_table_has_one_line_for_each_list(tmp_path, truth_file, right_lists):
    result = run(truth_file, write_xml(tmp_path / "x.xml", right_lists))
    lines = result.output.splitlines()
    assert lines[0] == "Run 267367, 20000 events, threshold 0.015"
    assert [line[:12].strip() for line in lines[2:]] == [
        "noisy strips", "noisy chips", "hot wafers",
    ]  # fmt: skip
    assert "1.00000" in lines[2]
    assert lines[2].endswith("10 (0)")


def test_files_of_another_run_are_refused(tmp_path, truth, truth_file, right_lists):
    for path, complaint in (
        (write_xml(tmp_path / "x.xml", right_lists, run=5), "is of run 5, the truth is of run"),
        (write_database(tmp_path / "x.db", right_lists, run=5), "has nothing of run 267367 under"),
    ):
        result = run(truth_file, path)
        assert result.exit_code == 74
        assert complaint in result.output


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(b"", "is neither a BadStripsAllFile.xml"),
     (b"<modules/>", "is neither"),
     (b"<channels>", "not well-formed"),
     (b"<run><x/></run>", "x.xml"),
     (b"SQLite format 3\0", "x.xml")],
)  # fmt: skip
def test_other_files_are_refused(tmp_path, truth_file, content, complaint):
    path = tmp_path / "x.xml"
    path.write_bytes(content)
    result = run(truth_file, path)
    assert result.exit_code == 74, result.output
    assert complaint in result.output
    assert "Traceback" not in result.output


def test_dead_strips_are_no_noisy_strips(tmp_path, truth_file, right_lists):
    path = write_xml(tmp_path / "x.xml", right_lists, folder="SCT/Derived/DeadStrips")
    result = run(truth_file, path)
    assert result.exit_code == 74
    assert "its strips are of folder SCT/Derived/DeadStrips" in result.output


def test_missing_files_are_input_errors(tmp_path, truth_file):
    assert run(truth_file, tmp_path / "none.xml").exit_code == 74
    assert run(tmp_path / "none.json", truth_file).exit_code == 74
