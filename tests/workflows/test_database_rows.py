"""Which modules go into the database, and how: algorithms-hitmaps.md 3.5, E8, cool-folders.md."""

from __future__ import annotations

import numpy as np
import pytest

from sctcalib.cool import VALIDITY_KEY_MAX, Database
from sctcalib.detector.identifiers import module_id32
from sctcalib.detector.regions import N_MODULE_STRIPS, N_MODULES, N_WAFERS
from sctcalib.job.errors import JobError
from sctcalib.parts.noisy_strips import NoisyStrips, Thresholds
from sctcalib.workflows.database import FolderContent, check_lists, write_folders
from sctcalib.workflows.instance import instance, interval
from sctcalib.workflows.noisy_database import noisy_rows
from sctcalib.workflows.noisy_records import database_rows, module_records

A, B, C = 100, 200, 300
"""The modules of example E8."""
THRESHOLD = float(np.float32(0.015))
LIST_OF_A = " 5  10-12  768 "


def flags(strips):
    found = np.zeros((N_MODULES, N_MODULE_STRIPS), dtype=bool)
    for module, numbers in strips.items():
        found[module, numbers] = True
    return found


def result(all_strips, ref=None, new=None):
    lists = flags(all_strips)
    return NoisyStrips(
        n_events=10_000,
        thresholds=Thresholds(
            np.float32(0.015), (np.float32(1e-3),) * 3, np.float32(0.5), np.float32(0.5)
        ),
        noisy_wafers=np.zeros(N_WAFERS, dtype=bool),
        noisy_chips=np.zeros((N_MODULES, 12), dtype=bool),
        all=lists,
        new=lists if new is None else flags(new),
        ref=flags(ref or {}),
        known_bad=np.zeros_like(lists),
    )


def e8():
    return result({A: [5, 10, 11, 12, 768], B: [7]}, ref={A: [5, 20], C: [9]})


def valid(lists):
    return {int(module_id32()[module]): text for module, text in lists.items()}


def options(*, update=False, strip_all=True, write_all=True):
    return {
        "NoisyUpdate": update,
        "NoisyStripAll": strip_all,
        "NoisyWriteAllModules": write_all,
    }


def test_e8_update_writes_changed_modules_and_clears_those_no_longer_noisy():
    stored = valid({A: " 5  20 ", C: " 9 "})
    rows = database_rows(e8(), options(update=True), stored)
    assert rows == [(A, LIST_OF_A), (B, " 7 "), (C, "")]


def test_update_compares_lists_not_blanks():
    stored = valid({A: "5 10-12  768", B: " 7 "})
    assert database_rows(e8(), options(update=True), stored) == []


def test_e8_all_modules_are_written_most_of_them_empty():
    rows = database_rows(e8(), options(), {})
    assert [module for module, _ in rows] == list(range(N_MODULES))
    assert [row for row in rows if row[1]] == [(A, LIST_OF_A), (B, " 7 ")]


def test_without_write_all_only_noisy_modules_are_written():
    rows = database_rows(e8(), options(write_all=False), {})
    assert rows == [(A, LIST_OF_A), (B, " 7 ")]


def test_without_strip_all_only_new_strips_are_written():
    found = result({A: [5, 6], B: [7]}, new={A: [6]})
    assert database_rows(found, options(strip_all=False), {}) == [(A, " 6 ")]


def test_noisy_strips_that_are_all_known_bad_give_no_database():
    found = result({A: [5]}, new={})
    assert database_rows(found, options(strip_all=False), {}) == []


@pytest.mark.parametrize("update", [False, True])
def test_nothing_noisy_gives_no_database_even_where_all_modules_are_written(update):
    assert database_rows(result({}), options(update=update), valid({C: " 9 "})) == []


def test_a_list_too_long_for_the_database_is_refused_with_the_module():
    rows = database_rows(result({A: range(0, 1536, 2)}), options(write_all=False), {})
    content = FolderContent("doNoisyStrip", noisy_rows(rows, THRESHOLD))
    with pytest.raises(JobError, match=r"module -2\.1\.2\.2 has 4053 characters"):
        check_lists(content)


def test_summary_lists_cleared_modules_only_with_update():
    serials = np.arange(N_MODULES)
    assert [m.module for m in module_records(e8(), serials, update=False)] == [A, B]
    assert [m.module for m in module_records(e8(), serials, update=True)] == [A, B, C]


def write(path, rows, *, run, project, tag, open_ended=False):
    content = FolderContent("doNoisyStrip", noisy_rows(rows, THRESHOLD), open_ended)
    write_folders(path, instance(project), run, [content], {"doNoisyStrip": tag})


def test_database_holds_folder_tag_channels_and_payload_of_the_original(tmp_path):
    path = tmp_path / "mycool.db"
    rows = [(A, LIST_OF_A), (B, "")]
    write(path, rows, run=300_000, project="data16_13TeV", tag="T-1")
    with Database.open(path, "CONDBR2") as database:
        assert database.check() == []
        folder = database.folder("/SCT/Derived/Monitoring")
        objects = folder.browse(0, VALIDITY_KEY_MAX, tag="T-1")
        assert folder.browse(0, VALIDITY_KEY_MAX) == []
    ids = module_id32()
    assert [found.channel for found in objects] == [ids[A], ids[B]]
    assert {(found.since, found.until) for found in objects} == {
        (1288490188800000, 1288494483767295)
    }
    assert objects[0].payload == {
        "SampleSize": 10_000, "BarrelEndcap": -2, "Layer": 1, "Eta": 2, "Phi": 2,
        "DefectType": "NOISY", "Threshold": 0.014999999664723873, "DefectList": LIST_OF_A,
    }  # fmt: skip
    assert objects[1].payload["DefectList"] == ""


def test_update_opens_the_interval(tmp_path):
    path = tmp_path / "mycool.db"
    rows = [(A, LIST_OF_A)]
    write(path, rows, run=300_000, project="data12_8TeV", tag="", open_ended=True)
    with Database.open(path, "COMP200") as database:
        (found,) = database.folder("/SCT/Derived/Monitoring").browse(0, VALIDITY_KEY_MAX)
    assert (found.since, found.until) == (1288490188800000, VALIDITY_KEY_MAX)


@pytest.mark.parametrize(
    ("project", "name"),
    [("data15_13TeV", "CONDBR2"), ("data13_hip", "COMP200"), ("data12_8TeV", "COMP200"),
     ("", "CONDBR2"), ("mc", "CONDBR2")],
)  # fmt: skip
def test_instance_follows_the_year_of_the_project(project, name):
    assert instance(project) == name


def test_interval_of_one_run_ends_within_its_last_lumi_block():
    assert interval(364_214) == (1564287218745344, 1564291513712639)


def test_source_date_epoch_makes_databases_identical(tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    contents = []
    for name in ("a.db", "b.db"):
        write(tmp_path / name, [(A, LIST_OF_A)], run=5, project="", tag="T")
        contents.append((tmp_path / name).read_bytes())
    assert contents[0] == contents[1]
