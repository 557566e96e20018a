"""What counts as found, missed and too much in a job on RAW files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from sctcalib.cool import Database, run_lumi
from sctcalib.cool.folders import DESTINATION_DESCRIPTION, INSTANCE, create_sct_folder
from sctcalib.detector.identifiers import module_id32, module_of
from sctcalib.detector.readout import default_swap
from sctcalib.detector.regions import N_WAFERS
from sctcalib.job.errors import InputFileError
from sctcalib.parts import strip_lists
from sctcalib.parts.dead_strips import numbered
from sctcalib.simulate.compare import compare_truth
from sctcalib.simulate.comparison import Found, Score
from sctcalib.simulate.model import Planted
from sctcalib.simulate.raw_comparison import (
    HITS_NEEDED,
    compare_raw,
    describe,
    expected_dead_chips,
    expected_dead_strips,
)
from sctcalib.simulate.raw_found import (
    FoundInRaw,
    FoundTrip,
    dead_chip_mask,
    dead_strip_mask,
    read_found_in_raw,
)
from sctcalib.simulate.raw_plan import Dead, NoisyBlock, Trip
from sctcalib.simulate.raw_truth import CountedErrors, RawFile, RawTruth, read_raw_truth
from sctcalib.simulate.truth import Truth
from sctcalib.summary.bad_modules import BadModule, write_bad_modules
from sctcalib.summary.dead_files import (
    CHIPS_FOLDER,
    STRIPS_FOLDER,
    DeadChannel,
    of_one_run,
    write_dead_file,
)

MODULE = int(module_of(0, 3, 3, -1))
"""Side 0 is not swapped, side 1 is."""
RUN = 267367


def array(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int64)


NO_STRIPS = Planted(array(), array(), np.empty(0), array())
NOTHING_DEAD = Dead(array(), array(), array(), array(), array())


def truth_of(n_events: int = 10_000, **fields) -> RawTruth:
    """A run of ten lumi blocks in which particles hit every strip at 1 %, without any defect."""
    blocks = np.full(10, n_events // 10)
    noisy = Truth(
        RUN, "data15_13TeV", "express_express", 1, 0.015, blocks, 30, (), 1e-4,
        fields.pop("planted", NO_STRIPS),
    )  # fmt: skip
    file = RawFile("a.data", n_events, n_events, 0)
    values = {
        "occupancy": 0.01, "pile_up": 0.0, "lit": "all", "dead": NOTHING_DEAD, "trips": (),
        "noisy_blocks": (), "errors": (), "skipped_events": 0, "tolerated_events": 0,
    }  # fmt: skip
    return RawTruth(noisy=noisy, files=(file,), **(values | fields))


def dead(**fields) -> Dead:
    return replace(NOTHING_DEAD, **{name: array(*numbers) for name, numbers in fields.items()})


def test_hits_needed_are_those_of_six_standard_deviations():
    """algorithms-hitmaps.md E10."""
    assert pytest.approx(20.7368, abs=1e-4) == HITS_NEEDED


@pytest.mark.parametrize(
    ("occupancy", "sure", "near"),
    [(0.0025, True, False), (0.0021, False, True), (0.00205, False, True), (0.0016, False, False)],
)
def test_a_strip_needs_21_expected_hits_and_some_room_for_the_mean(occupancy, sure, near):
    truth = truth_of(occupancy=occupancy, dead=dead(strip_wafer=(2 * MODULE,), strip=(50,)))
    expected = expected_dead_strips(truth)
    assert expected.sure[2 * MODULE, 50] == sure
    assert expected.near[2 * MODULE, 50] == near
    assert expected.sure.sum() == int(sure)
    assert expected.near.sum() == int(near)


@pytest.mark.parametrize(
    ("n_events", "sure", "near"),
    [(20_000, True, False), (9_500, False, True), (4_000, False, False)],
)
def test_a_chip_of_noise_needs_many_events(n_events, sure, near):
    """128 strips at 2.1e-5: 21 hits in 7700 events; the mean is known to a half or a third."""
    truth = truth_of(n_events, occupancy=0.0, dead=dead(chip_module=(MODULE,), chip=(7,)))
    expected = expected_dead_chips(truth)
    wafer, chip = 2 * MODULE + 1, 1
    assert (expected.sure[wafer, chip], expected.near[wafer, chip]) == (sure, near)
    assert expected.sure.sum() == int(sure)


def test_strips_of_dead_chips_and_links_are_dead_strips():
    truth = truth_of(dead=dead(chip_module=(MODULE,), chip=(7,), links=(2 * MODULE + 3,)))
    expected = expected_dead_strips(truth)
    # chip 1 of the side in readout order is strips 512-639 of a swapped wafer
    assert default_swap()[2 * MODULE + 1]
    assert np.flatnonzero(expected.sure[2 * MODULE + 1]).tolist() == list(range(512, 640))
    assert expected.sure[2 * MODULE + 3].all()
    assert expected.sure.sum() == 128 + 768
    chips = expected_dead_chips(truth)
    assert chips.sure[2 * MODULE + 3].all()
    assert chips.sure.sum() == 1 + 6


def test_dead_link_is_judged_by_the_mean_of_its_layer():
    """A ring that is dark on both sides hides its dead links; a lit one shows them."""
    inner = 2 * int(module_of(2, 3, 0, 2))
    dark = truth_of(lit="barrel", dead=dead(links=(inner,)))
    assert not expected_dead_chips(dark).sure.any()
    lit = truth_of(lit="disk:3", dead=dead(links=(inner,)))
    assert expected_dead_chips(lit).sure[inner].all()


def test_sides_with_errors_are_not_searched():
    errors = (CountedErrors(array(2 * MODULE), {"TimeOutError": 3}),)
    dead_items = dead(strip_wafer=(2 * MODULE, 2 * MODULE + 1), strip=(50, 60))
    expected = expected_dead_strips(truth_of(dead=dead_items, errors=errors))
    assert np.argwhere(expected.sure).tolist() == [[2 * MODULE + 1, 60]]
    assert not expected.near.any()


def test_beside_loud_strips_silent_ones_may_look_dead():
    planted = Planted(array(40), array(7), np.array([0.03]), array(0))
    trips = (Trip(MODULE, 0, 40, 15.0),)
    block = NoisyBlock(3, 2, 8)
    truth = truth_of(planted=planted, trips=trips, noisy_blocks=(block,))
    near = expected_dead_strips(truth).near
    loud = {40, 2 * MODULE, 2 * MODULE + 1, *block.wafers().tolist()}
    assert set(np.flatnonzero(near.all(axis=1)).tolist()) == loud
    assert near.sum() == 768 * len(loud)


def summary(scores: list[Score]) -> list[tuple[str, int, int, list[int], list[int]]]:
    return [(s.name, s.expected, s.found, s.missed.tolist(), s.extra.tolist()) for s in scores]


def test_missed_and_superfluous_dead_items_are_counted():
    truth = truth_of(dead=dead(strip_wafer=(4, 4), strip=(10, 11), links=(9,)))
    strips, chips = expected_dead_strips(truth).sure, expected_dead_chips(truth).sure
    right = compare_raw(truth, FoundInRaw(dead_strips=strips, dead_chips=chips))
    assert summary(right) == [("dead strips", 770, 770, [], []), ("dead chips", 6, 6, [], [])]
    assert all(score.is_right for score in right)
    strips, chips = strips.copy(), chips.copy()
    strips[4, 11], strips[5, 0], chips[9, 2] = False, True, False
    wrong = compare_raw(truth, FoundInRaw(dead_strips=strips, dead_chips=chips))
    assert summary(wrong) == [
        ("dead strips", 770, 769, [4 * 768 + 11], [5 * 768]),
        ("dead chips", 6, 5, [9 * 6 + 2], []),
    ]


TRIP = Trip(MODULE, 1000, 1040, 15.0)


@pytest.mark.parametrize(
    ("found", "right"),
    [
        ([(MODULE, 1000, 1040)], True),
        ([(MODULE, 995, 1045)], True),
        ([(MODULE, 994, 1040)], False),
        ([(MODULE, 1000, 1046)], False),
        ([(MODULE + 1, 1000, 1040)], False),
        ([(MODULE, 1000, 1040), (MODULE, 1200, 1240)], False),
        ([(MODULE, 1000, 1040), (MODULE, 1000, 1040)], False),
        ([], False),
    ],
)
def test_a_trip_is_found_with_its_interval(found, right):
    trips = tuple(FoundTrip(*row) for row in found)
    [score] = compare_raw(truth_of(10**7, trips=(TRIP,)), FoundInRaw(trips=trips))
    assert score.is_right == right
    assert (score.name, score.expected) == ("HV trips", 1)


def test_few_events_leave_room_for_the_interval():
    """600 s and 100 events: an event may be 6 s off, and its neighbour too."""
    found = FoundInRaw(trips=(FoundTrip(MODULE, 985, 1055),))
    [score] = compare_raw(truth_of(100, trips=(TRIP,)), found)
    assert score.is_right


@pytest.mark.parametrize(
    ("found", "missed", "extra"), [((3,), [], []), ((), [3], []), ((3, 4, 12), [], [4, 12])]
)
def test_noisy_lumi_blocks_are_compared_by_number(found, missed, extra):
    truth = truth_of(noisy_blocks=(NoisyBlock(3, 2, 8),))
    [score] = compare_raw(truth, FoundInRaw(noisy_blocks=array(*found)))
    assert summary([score]) == [("noisy lumi blocks", 1, int(3 in found), missed, extra)]


def test_noisy_strips_are_judged_but_where_trips_are_loud():
    planted = Planted(array(40), array(7), np.array([0.3]), array(0))
    loud = Trip(MODULE, 0, 300, 30.0)
    truth = truth_of(planted=planted, trips=(loud,))
    strips = np.zeros((N_WAFERS, 768), dtype=bool)
    strips[40, 7] = strips[2 * MODULE, 5] = True
    [score] = compare_raw(truth, FoundInRaw(noisy=Found(strips=strips)))[:1]
    assert (score.name, score.is_right, score.near_found) == ("noisy strips", True, 1)
    strips[2 * MODULE + 2, 5] = True
    [score] = compare_raw(truth, FoundInRaw(noisy=Found(strips=strips)))[:1]
    assert score.extra.tolist() == [(2 * MODULE + 2) * 768 + 5]


def test_items_have_names():
    assert list(describe("HV trips", array(MODULE))) == ["0.3.3.-1"]
    assert list(describe("noisy lumi blocks", array(3))) == ["lumi block 3"]
    assert list(describe("dead chips", array(6 * (2 * MODULE + 1) + 2))) == ["0.3.3.-1 chip 8"]
    dead_strip = array(768 * 2 * MODULE + 5)
    assert list(describe("dead strips", dead_strip)) == ["0.3.3.-1 side 0 strip 5"]


def test_dead_lists_are_in_readout_order_reversed_on_side_1():
    """algorithms-hitmaps.md E12; side 1 of this module is swapped, so reversed is offline."""
    mask = dead_strip_mask([(MODULE, " 3-7  100  760-767  768-775  1435  1528-1532 ")])
    assert np.flatnonzero(mask[2 * MODULE]).tolist() == [3, 4, 5, 6, 7, 100, *range(760, 768)]
    expected = [*range(8), 667, *range(760, 765)]
    assert np.flatnonzero(mask[2 * MODULE + 1]).tolist() == expected


@settings(max_examples=20, deadline=None)
@given(st.sets(st.integers(0, 1535)), st.sampled_from([0, MODULE, 1200, 4087]))
def test_dead_lists_are_read_as_the_search_numbers_them(numbers, module):
    offline = np.zeros((N_WAFERS, 768), dtype=bool)
    offline.reshape(-1, 1536)[module, sorted(numbers)] = True
    readout = np.where(default_swap()[:, None], offline[:, ::-1], offline)
    listed = np.flatnonzero(numbered(readout, "reversed")[module])
    np.testing.assert_array_equal(dead_strip_mask([(module, strip_lists.encode(listed))]), offline)


def test_chips_of_side_1_are_6_to_11():
    mask = dead_chip_mask([(MODULE, " 1  8-9 ")])
    assert np.argwhere(mask).tolist() == [
        [2 * MODULE, 1], [2 * MODULE + 1, 2], [2 * MODULE + 1, 3],
    ]  # fmt: skip


@pytest.mark.parametrize("folder", [STRIPS_FOLDER, CHIPS_FOLDER])
def test_files_and_databases_of_dead_items_are_read(tmp_path, folder):
    channels = (DeadChannel(MODULE, 6.0, "1  8-9"),)
    write_dead_file(tmp_path / "dead.xml", of_one_run(RUN, "a-tag-001", folder, channels))
    with Database.create(tmp_path / "mycool.db", INSTANCE) as database:
        made = create_sct_folder(database, f"/{folder}", DESTINATION_DESCRIPTION)
        payload = (10000, 0, 3, -1, 3, "DEAD", 6.0, " 1  8-9 ")
        row = (run_lumi(RUN), run_lumi(RUN, 0xFFFFFFFF), int(module_id32()[MODULE]), payload)
        made.store_each([row], tag="a-tag-001", user_tag_only=True)
    for name in ("dead.xml", "mycool.db"):
        found = read_found_in_raw(tmp_path / name, RUN)
        strips = folder == STRIPS_FOLDER
        mask = found.dead_strips if strips else found.dead_chips
        expected = (dead_strip_mask if strips else dead_chip_mask)([(MODULE, "1 8-9")])
        np.testing.assert_array_equal(mask, expected)
        assert (found.dead_chips if strips else found.dead_strips) is None
        with pytest.raises(InputFileError, match="267368"):
            read_found_in_raw(tmp_path / name, 267368)


def compare(*arguments: object):
    return CliRunner().invoke(compare_truth, [str(argument) for argument in arguments])


@pytest.fixture
def trip_files(tmp_path) -> tuple[Path, Path]:
    truth_of(10**6, trips=(TRIP,)).write(tmp_path / "truth.json")
    rows = [BadModule("0", MODULE, 1000, 1040, 1, 1)]
    write_bad_modules(tmp_path / "BadModulesFile.xml", rows)
    return tmp_path / "truth.json", tmp_path / "BadModulesFile.xml"


def test_command_compares_trips(trip_files):
    result = compare(*trip_files)
    assert result.exit_code == 0
    line = "HV trips                 1       1       0       0     1.00000  1.00000           0 (0)"
    assert line in result.output


def test_command_names_a_missed_trip(trip_files):
    write_bad_modules(trip_files[1], [])
    result = compare(*trip_files)
    assert result.exit_code == 1
    assert "missed in HV trips: 0.3.3.-1" in result.output
    as_json = json.loads(compare("--json", *trip_files).output)
    assert as_json["lists"]["HV trips"]["missed"] == ["0.3.3.-1"]
    assert as_json["right"] is False


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hv_trips": [{"module": "0.3.3.-1"}]}, "'begin' is missing"),
        ({"dead_links": [{"wafer": 8176}]}, "outside 0-8175"),
        ({"dead_chips": [{"module": "0.3.3.0", "chip": 1}]}, "no wafer at"),
        ({"files": []}, "another number in the files"),
        ({"format": 2}, "format is 2, expected 1"),
        ({"particles": None}, "NoneType"),
    ],
)
def test_damaged_truth_is_an_input_error(tmp_path, change, message):
    path = tmp_path / "truth.json"
    path.write_text(json.dumps(truth_of().as_json() | change))
    with pytest.raises(InputFileError, match=message):
        read_raw_truth(path)
    assert compare(path, path).exit_code == 74


def test_truth_of_hit_maps_is_not_that_of_raw(tmp_path):
    path = tmp_path / "truth.json"
    path.write_text('{"format": 1}')
    with pytest.raises(InputFileError, match="kind is None, expected 'raw'"):
        read_raw_truth(path)


@pytest.mark.parametrize("content", [b"", b"<run/>", b"<channels/>", b"hello"])
def test_files_of_no_known_kind_are_input_errors(tmp_path, content):
    path = tmp_path / "found.xml"
    path.write_bytes(content)
    with pytest.raises(InputFileError, match=r"found\.xml"):
        read_found_in_raw(path, RUN)
