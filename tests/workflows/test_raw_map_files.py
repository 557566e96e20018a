"""Which map files a part needs, and whether they belong together; what parts may share a job."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from sctcalib.histograms.hitmaps import write_hitmaps
from sctcalib.job.errors import DatasetError
from sctcalib.job.inputs import Dataset, InputFile, InputSet
from sctcalib.parts import PARTS, checks
from sctcalib.workflows import map_files
from sctcalib.workflows.map_files import BS_ERRORS, HIT_MAPS, LUMI_BLOCKS, check_map_inputs, kind_of

H, L, E = "SCTHitMaps.root", "SCTLB.root", "SCTBSErrors.root"


class Arguments(dict):
    def place(self, name):
        return f"job.json: {name}"


def arguments(step, *parts):
    return Arguments(part=list(parts), splitNoisyStrip=step, maxEvents=1, skipEvents=0)


def inputs(*names, kind="HITMAP"):
    files = tuple(InputFile(Dataset("d"), name) for name in names)
    return InputSet(files, 1, "data15_13TeV", "x", kind)


def problems(names, *parts):
    return [str(p) for p in check_map_inputs(inputs(*names), arguments(2, *parts))]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("P.SCTHitMaps.root", HIT_MAPS),
        ("P.SCTLB.root.3", LUMI_BLOCKS),
        ("SCTBSErrors.root", BS_ERRORS),
        ("/SCTLB/x.root", None),
        ("data15.RAW.data", None),
    ],
)
def test_the_name_of_a_file_tells_its_kind(name, kind):
    assert kind_of(InputFile(Dataset("d"), name)) == kind


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        ([H, L], ["doNoisyStrip"]),
        ([f"1.{H}", f"2.{H}", f"1.{L}", f"2.{L}"], ["doNoisyStrip"]),
        ([H, E], ["doDeadStrip", "doDeadChip"]),
        ([H, E], ["doQuietChip"]),
        ([L], ["doNoisyLB"]),
        ([L, H], ["doNoisyLB"]),
        ([H, L, E], ["doNoisyStrip", "doDeadStrip", "doNoisyLB"]),
        ([f"1.{H}", f"1.{E}", f"2.{H}", f"2.{E}"], ["doQuietStrip"]),
    ],
)
def test_complete_sets_of_map_files(names, parts):
    assert problems(names, *parts) == []


@pytest.mark.parametrize(
    ("names", "parts", "texts"),
    [
        ([H], ["doNoisyStrip"], ["1 hit-map files and 0 LB files: doNoisyStrip needs both"]),
        ([H, f"2.{H}", E], ["doDeadChip"], ["2 hit-map files and 1 byte-stream-error files"]),
        ([H], ["doNoisyLB"], ["0 LB files: doNoisyLB needs them of every file"]),
        ([H, L, E], ["doNoisyStrip"], [f"{E} is neither a hit-map nor an LB file"]),
        ([H, L, E], ["doDeadStrip"], [f"{L} is neither a hit-map nor a byte-stream-error file"]),
        ([E, L], ["doNoisyLB"], [f"{E} is neither a hit-map nor an LB file"]),
        ([], ["doNoisyStrip"], ["0 hit-map files and 0 LB files"]),
        (
            [H, L],
            ["doNoisyStrip", "doDeadStrip"],
            ["1 hit-map files and 0 byte-stream-error files: doDeadStrip needs both"],
        ),
    ],
)
def test_incomplete_sets_of_map_files(names, parts, texts):
    found = problems(names, *parts)
    assert len(found) == len(texts)
    assert all(text in each for text, each in zip(texts, found, strict=True))


def counting_job(tmp_path, monkeypatch, events):
    """A job on files of some events, by name."""
    files = inputs(*events)
    counts = {str(tmp_path / name): n for name, n in events.items()}
    monkeypatch.setattr(
        "sctcalib.histograms.kinds.read_event_counts", lambda paths: [counts[str(p)] for p in paths]
    )
    found = {}
    located = tuple(InputFile(f.dataset, f.name, path=tmp_path / f.name) for f in files.files)
    return SimpleNamespace(
        inputs=InputSet(located, 1, "p", "s", "HITMAP"),
        input_facts={file: SimpleNamespace(events=None) for file in located},
        found_events=lambda file, n: found.update({file.base_name: n}),
        found=found,
    )


def test_events_are_those_of_the_hit_maps(tmp_path, monkeypatch):
    job = counting_job(tmp_path, monkeypatch, {f"1.{H}": 5, f"1.{L}": 5, f"2.{H}": 7, f"2.{L}": 7})
    assert map_files.count_events(job) == 12
    assert job.found == {f"1.{H}": 5, f"1.{L}": 5, f"2.{H}": 7, f"2.{L}": 7}


def test_events_of_lumi_block_maps_count_where_there_are_no_hit_maps(tmp_path, monkeypatch):
    job = counting_job(tmp_path, monkeypatch, {f"1.{L}": 5, f"2.{L}": 7})
    assert map_files.count_events(job) == 12


def test_error_maps_may_have_more_events_than_hit_maps(tmp_path, monkeypatch):
    """They take events that the majority rule leaves out."""
    job = counting_job(tmp_path, monkeypatch, {H: 5, E: 9})
    assert map_files.count_events(job) == 5


@pytest.mark.parametrize(
    ("events", "text"),
    [
        ({f"1.{H}": 5, f"1.{L}": 6}, "are not a pair"),
        ({f"a.{H}": 5, f"b.{L}": 6}, "the hit maps have 5 events, the LB maps 6"),
        ({f"1.{H}": 5, f"2.{H}": 6, f"1.{L}": 6, f"2.{L}": 5}, "are not a pair"),
        ({f"1.{H}": 5, f"1.{L}": 5, f"2.{L}": 1}, "the hit maps have 5 events, the LB maps 6"),
    ],
)
def test_maps_of_other_events_are_refused(tmp_path, monkeypatch, events, text):
    with pytest.raises(DatasetError, match=text):
        map_files.count_events(counting_job(tmp_path, monkeypatch, events))


def test_counts_are_read_from_real_files(tmp_path):
    write_hitmaps(tmp_path / H, np.zeros((8176, 768), dtype=np.int64), 11)
    file = InputFile(Dataset("d"), H, path=tmp_path / H)
    job = SimpleNamespace(
        inputs=InputSet((file,), 1, "p", "s", "HITMAP"),
        input_facts={file: SimpleNamespace(events=None)},
        found_events=lambda file, n: None,
    )
    assert map_files.count_events(job) == 11


# ---- parts that may share a job

RAW_PARTS = [name for name in PARTS if name not in checks.HIST_PARTS]


@pytest.mark.parametrize("step", [0, 1, 2])
@pytest.mark.parametrize("part", PARTS)
def test_every_part_may_have_a_job_of_its_own(part, step):
    assert list(PARTS[part].check(arguments(step, part))) == []


@pytest.mark.parametrize("one", RAW_PARTS)
@pytest.mark.parametrize("other", checks.HIST_PARTS)
def test_no_part_shares_a_job_with_one_that_reads_hist_files(one, other):
    for parts in ((one, other), (other, one)):
        (problem,) = checks.one_kind_of_input(arguments(0, *parts))
        assert "Choose either of BS or HIST." in str(problem)


@pytest.mark.parametrize("dead", checks.DEAD_PARTS)
@pytest.mark.parametrize("quiet", checks.QUIET_PARTS)
def test_dead_and_quiet_parts_do_not_share_a_job(dead, quiet):
    assert len(list(checks.one_kind_of_input(arguments(0, dead, quiet)))) == 1


@pytest.mark.parametrize("step", [0, 1])
def test_trips_share_a_job_where_all_read_raw_files(step):
    assert list(checks.one_kind_of_input(arguments(step, "doHV", "doNoisyStrip"))) == []
    (problem,) = checks.one_kind_of_input(arguments(2, "doHV", "doNoisyStrip"))
    assert "put doHV in a job of its own" in str(problem)


@pytest.mark.parametrize("kind", ["RAW", "DRAW", "", None, "ESD"])
def test_types_that_may_be_raw_are_left_to_the_reader(kind):
    assert list(checks.raw_inputs(inputs("a", kind=kind), arguments(0, "doHV"))) == []
