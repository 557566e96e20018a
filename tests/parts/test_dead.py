"""Dead and quiet strips and chips: the worked examples E10-E15 of algorithms-hitmaps.md 8.2."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from sctcalib.configuration.options import options
from sctcalib.detector.bad_channels import no_bad_channels
from sctcalib.detector.identifiers import module_of, wafer_hash, wafers
from sctcalib.detector.readout import default_swap, geometrical_chip
from sctcalib.detector.regions import N_MODULES, N_STRIPS, N_WAFERS
from sctcalib.job.errors import NeedCheckError
from sctcalib.parts.dead import Search, Thresholds, check_statistics, find_dead, tail_probability
from sctcalib.parts.dead_flag import judge, upload_tests
from sctcalib.parts.dead_lists import (
    chip_rows,
    listed_counts,
    log_lines,
    module_lists,
    original_list,
    strip_rows,
    summary_lists,
)
from sctcalib.parts.dead_means import region_means
from sctcalib.parts.dead_strips import numbered
from sctcalib.parts.dead_wafers import classify, no_hit_probability

MODULE = int(module_of(0, 3, 3, -1))
SIDES = (2 * MODULE, 2 * MODULE + 1)
THRESHOLDS = Thresholds.from_options({name: o.default for name, o in options().items()})
NO_SWAP = np.zeros(N_WAFERS, dtype=bool)
NO_ERRORS = np.zeros(N_WAFERS, dtype=bool)
N = 10_000
TWELVE = [*range(3, 8), 100, *range(760, 768)]
"""Positions of the dead strips of E12."""


def hits(values, side=0, counts=None):
    """Counts that are zero but for a side of the module, or a copy with that side set."""
    result = np.zeros((N_WAFERS, N_STRIPS), dtype=np.uint32) if counts is None else counts.copy()
    result[SIDES[side]] = values
    return result


def level(value, holes=(), low=0):
    values = np.full(N_STRIPS, value)
    values[list(holes)] = low
    return values


def bad(**lists):
    """Bad channels; ``configuration`` follows from strips, chips (without swap) and modules."""
    flags = {name: array.copy() for name, array in vars(no_bad_channels()).items()}
    for name, index in lists.items():
        flags[name][index] = True
    by_chip = np.repeat(flags["chips"].reshape(N_WAFERS, 6), 128, axis=1)
    flags["configuration"] = flags["strips"] | by_chip | np.repeat(flags["modules"], 2)[:, None]
    return type(no_bad_channels())(**flags)


def search(counts, n_events=N, thresholds=THRESHOLDS, **more):
    given = {"swap": NO_SWAP, "bad": no_bad_channels(), "bs_error_wafers": NO_ERRORS, **more}
    return find_dead(counts, n_events, thresholds, **given)


def lists(found):
    """The lists of the module, and that no other one has any."""
    made = module_lists(found)
    assert {each.module for each in made} <= {MODULE}
    return (made[0].chips, made[0].strips) if made else ("", "")


def all_but(*sides):
    """Byte-stream errors on every wafer but these."""
    errors = np.ones(N_WAFERS, dtype=bool)
    errors[list(sides)] = False
    return errors


def calm_layer(n_hits):
    """Layer 3 with so many hits in all but for side 1 of the module: some on every wafer."""
    counts = np.zeros((N_WAFERS, N_STRIPS), dtype=np.uint32)
    w = wafers()
    others = np.flatnonzero((w.bec == 0) & (w.layer == 3))
    others = others[others != SIDES[1]]
    share = np.full(len(others), n_hits // len(others))
    share[: n_hits % len(others)] += 1
    for strip in range(share.max()):
        counts[others, 37 * strip % N_STRIPS] = share > strip
    assert counts.sum() == n_hits
    return counts


# Probabilities


@pytest.mark.parametrize(
    ("significance", "probability"), [(6, 9.865876450377e-10), (10, 7.6198530241605e-24)]
)
def test_significance_as_probability(significance, probability):
    assert tail_probability(significance) == pytest.approx(probability, rel=1e-12)


def test_probability_of_no_hit_is_exact_beyond_32_bits():
    # ROOT's binomial_cdf takes the trials as 32 bits: 2**32 + 1 would be one trial
    assert no_hit_probability(np.array(1e-9), np.array(2**32 + 1)) == pytest.approx(
        math.exp(-4.294967297), rel=1e-8
    )


def test_without_trials_or_mean_silence_is_certain():
    means = np.array([0.5, np.nan, 0.0, 1.0, 7.0])
    assert no_hit_probability(means, np.array([0, 5, 5, 0, 0])).tolist() == [1] * 5
    assert no_hit_probability(np.array([1.0, 7.0]), np.array([3])).tolist() == [0, 0]


# E10: dead links


@pytest.mark.parametrize(
    ("mean", "q", "dead"), [(2.70e-6, 9.8732e-10, False), (2.71e-6, 9.1433e-10, True)]
)
@pytest.mark.parametrize("mode", ["dead", "quiet"])
def test_e10_dead_link(mean, q, dead, mode):
    assert no_hit_probability(np.array(mean), np.array(N * N_STRIPS)) == pytest.approx(q, rel=1e-4)
    found = search(calm_layer(round(mean * N * 1536 * 672)), mode=mode, strips=False)
    assert found.means.barrel[3] == pytest.approx(mean, rel=1e-4)
    assert np.flatnonzero(found.links).tolist() == [SIDES[1]] * dead
    if mode == "dead":
        assert lists(found)[0] == " 6-11 " * dead
        counts = found.counts
        assert (counts.modules, counts.links, counts.chips) == (0, dead, 6 * dead)


def test_e10_strips_of_a_dead_link_are_listed_but_not_counted():
    found = search(calm_layer(40_000))
    assert lists(found) == (" 6-11 ", " 768-1535 ")
    assert found.counts.strips == 0
    (made,) = module_lists(found)
    assert made.links == (1,)


@pytest.mark.parametrize("compatibility", ["", "athena"])
def test_module_with_two_dead_links_is_no_dead_link(compatibility):
    counts = hits(0, counts=calm_layer(40_000))
    found = search(counts, compatibility=compatibility)
    assert lists(found) == (" 0-5  6-11 ", " 0-767  768-1535 ")
    counts = listed_counts(found, module_lists(found))
    assert (counts.modules, counts.links, counts.chips) == (1, 0, 12)


def test_the_original_counts_dead_links_only_in_a_search_for_chips():
    counts = calm_layer(40_000)
    for compatibility, number in (("", 1), ("athena", 0)):
        found = search(counts, chips=False, compatibility=compatibility)
        made = module_lists(found)
        assert (made[0].chips, made[0].strips) == ("", " 768-1535 ")
        assert listed_counts(found, made).links == number


def test_silent_region_has_no_dead_links():
    found = search(np.zeros((N_WAFERS, N_STRIPS), dtype=np.uint32))
    assert not found.links.any()
    assert found.checked_chips == 6 * N_WAFERS


def test_links_are_known_in_a_search_for_strips_alone_too():
    found = search(hits(0, counts=calm_layer(40_000)), chips=False)
    (made,) = summary_lists(found, module_lists(found))
    assert (made.links, made.chips, made.strips) == ((0, 1), "", " 0-767  768-1535 ")


def test_summary_of_the_original_shows_strips_in_the_place_of_chips():
    found = search(calm_layer(40_000), compatibility="athena")
    (made,) = summary_lists(found, module_lists(found))
    assert (made.links, made.chips, made.strips) == ((), " 768-1535 ", " 768-1535 ")
    # a run ends at strip 5, and again where it ends
    errors = all_but(SIDES[0])
    found = search(hits(level(30, range(6))), bs_error_wafers=errors, compatibility="athena")
    (made,) = summary_lists(found, module_lists(found))
    assert (made.links, made.chips) == ((), " 0-5  0-5 ")


# E11: dead chips


@pytest.mark.parametrize("compatibility", ["", "athena"])
def test_e11_dead_chip_without_dead_strips(compatibility):
    found = search(hits(level(1, range(128, 256))), compatibility=compatibility)
    assert np.argwhere(found.chips).tolist() == [[MODULE, 1]]
    assert (found.counts.chips, found.counts.strips) == (1, 0)
    if not compatibility:
        assert lists(found) == (" 1 ", "")


@pytest.mark.parametrize("compatibility", ["", "athena"])
def test_e11_strips_of_a_dead_chip_are_listed_too(compatibility):
    errors = NO_ERRORS.copy()
    errors[SIDES[1]] = True  # so that the original writes the module at all
    found = search(
        hits(level(30, range(128, 256))), bs_error_wafers=errors, compatibility=compatibility
    )
    assert lists(found) == (" 1 ", " 128-255 ")
    assert (found.counts.chips, found.counts.strips) == (1, 128)


def test_mean_of_strips_leaves_dead_chips_out_and_the_original_does_not():
    # 35 silent strips of the live chips stay at 0.435 or 0.368; with 19 hits the limit is between
    counts = hits(level(23, [*range(128, 640), 5]))
    assert search(counts).counts.strips == 513
    assert search(counts, compatibility="athena").counts.strips == 0


def test_chip_is_told_by_its_position_in_readout_order():
    swap = NO_SWAP.copy()
    swap[SIDES[0]] = True
    found = search(hits(level(30, range(128, 256))), swap=swap)
    assert lists(found) == (" 4 ", " 512-639 ")


def test_noisy_strip_keeps_its_chip_alive_and_out_of_the_mean():
    values = level(30, range(128, 256))
    values[200] = 501
    found = search(hits(values))
    assert lists(found) == ("", " 128-199  201-255 ")


@pytest.mark.parametrize(
    ("count", "in_region", "on_wafer"),
    [(999, True, True), (1000, False, True), (1001, False, False)],
)
def test_strip_at_the_noisy_threshold_counts_on_its_wafer_but_not_in_its_region(
    count, in_region, on_wafer
):
    counts = hits(level(30))
    counts[SIDES[0], 3] = count
    sixteenth = np.float32(0.0625)
    means = region_means(counts, 16_000, sixteenth, no_bad_channels().modules)
    expected = 767 * 30 + count * in_region
    assert means.barrel[3] * 16_000 * 1536 * 672 == pytest.approx(expected)
    state = classify(
        counts, 16_000, sixteenth,
        swap=NO_SWAP, bad=no_bad_channels(), skipped=NO_ERRORS, busy=False,
    )  # fmt: skip
    assert state.noisy.sum() == (not on_wafer)


# E12, E13: dead strips


@pytest.mark.parametrize(
    ("side", "order", "expected"),
    [
        (0, "reversed", " 3-7  100  760-767 "),
        (0, "straight", " 3-7  100  760-767 "),
        (1, "reversed", " 768-775  1435  1528-1532 "),
        (1, "straight", " 771-775  868  1528-1535 "),
    ],
)
def test_e12_dead_strips(side, order, expected):
    thresholds = replace(THRESHOLDS, strip_order=order)
    found = search(hits(level(30, TWELVE), side), thresholds=thresholds)
    assert lists(found) == ("", expected)
    assert found.counts.strips == 14


def test_unknown_order_is_refused():
    with pytest.raises(ValueError, match="strip order 'x' is not one of reversed"):
        numbered(np.zeros((N_WAFERS, N_STRIPS), dtype=bool), "x")


@pytest.mark.parametrize(
    ("side", "expected"), [(0, " 3-5  3-7  100 "), (1, " 769-773  769-776  1436  1529-1533 ")]
)
def test_e12_lists_of_the_original(side, expected):
    found = search(hits(level(30, TWELVE), side), compatibility="athena")
    assert original_list(found, MODULE).strips == expected
    assert found.counts.strips == 14
    assert module_lists(found) == ()


def test_e12_newest_original_corrects_the_index_alone():
    found = search(hits(level(30, TWELVE), 1), compatibility="athena")
    newest = search(hits(level(30, TWELVE), 1)).strips
    expected = " 768-773  768-775  1435  1528-1532 "
    assert original_list(replace(found, strips=newest), MODULE).strips == expected


def test_strips_767_and_768_do_not_join():
    counts = hits(level(30, [0]), 1, counts=hits(level(30, [767])))
    thresholds = replace(THRESHOLDS, strip_order="straight")
    found = search(counts, thresholds=thresholds, bs_error_wafers=all_but(*SIDES))
    assert lists(found) == ("", " 767  768 ")


def test_original_never_looks_at_position_0_of_side_1():
    flags = np.zeros((2, N_STRIPS), dtype=bool)
    flags[:, [0, 767]] = True
    assert np.flatnonzero(numbered(flags, "athena")[0]).tolist() == [0, 767, 769]


@pytest.mark.parametrize(("others", "dead"), [(20, False), (21, True)])
def test_e13_statistics_edge(others, dead):
    mean = others * 767 / (N * 768)
    assert no_hit_probability(np.array(mean), np.array(N)) == pytest.approx(
        7.62e-10 if dead else 2.07e-9, rel=5e-3
    )
    assert lists(search(hits(level(others, [50])))) == ("", " 50 " * dead)


# E14: quiet chips and strips


@pytest.mark.parametrize(("low", "quiet"), [(13, True), (14, False)])
def test_e14_quiet_chip(low, quiet):
    found = search(hits(level(30, range(256, 384), low)), mode="quiet")
    assert lists(found)[0] == " 2 " * quiet
    # Outside of the quiet chip the mean is 30: half of it is above 13. With 14 hits no chip is
    # left out, and the mean is 27.3.
    assert lists(found)[1] == " 256-383 " * quiet


def test_quiet_strips_of_a_chip_that_is_not_quiet():
    counts = hits(level(30, range(10, 20), 14))
    assert lists(search(counts, mode="quiet")) == ("", " 10-19 ")
    counts = hits(level(30, range(10, 20), 15))
    assert lists(search(counts, mode="quiet")) == ("", "")


def test_healthy_strips_are_not_quiet_because_of_quiet_chips():
    # five of six chips quiet: their hits are no part of the mean of the strips
    values = np.repeat([30, 2, 2, 2, 2, 2], 128)
    values[:64] = 16
    found = search(hits(values), mode="quiet")
    assert lists(found) == (" 1-5 ", " 128-767 ")


def test_quiet_search_does_not_report_disabled_strips_as_the_original_does():
    counts = hits(level(30))
    masked = bad(strips=(SIDES[0], [3, 4, 700]))
    assert lists(search(counts, mode="quiet", bad=masked)) == ("", "")
    original = search(counts, mode="quiet", bad=masked, compatibility="athena")
    assert np.flatnonzero(original.strips[MODULE]).tolist() == [3, 4, 700]


# E15: what is not analysed


def test_e15_masked_side_is_no_dead_link():
    counts = calm_layer(40_000)
    masked = bad(chips=(MODULE, slice(6, 12)))
    found = search(counts, bad=masked)
    assert lists(found) == ("", "")
    assert found.checked_chips == search(counts).checked_chips - 6


def test_e15_wafer_with_byte_stream_errors_is_not_analysed():
    errors = NO_ERRORS.copy()
    errors[SIDES[1]] = True
    assert lists(search(calm_layer(40_000), bs_error_wafers=errors)) == ("", "")


@pytest.mark.parametrize(
    "lists_of_bad", [{"modules": MODULE}, {"links": SIDES[1]}, {"links": list(SIDES)}]
)
def test_bad_modules_and_links_are_not_analysed(lists_of_bad):
    assert lists(search(calm_layer(40_000), bad=bad(**lists_of_bad))) == ("", "")


def test_side_with_disabled_and_silent_strips_is_a_dead_link():
    masked = bad(strips=(SIDES[1], slice(0, 500)))
    assert lists(search(calm_layer(40_000), bad=masked))[0] == " 6-11 "


def test_the_original_disables_the_healthy_side_and_only_side_0():
    dead_1 = calm_layer(40_000)
    broken_1 = search(dead_1, bad=bad(links=SIDES[1]), compatibility="athena")
    assert lists(broken_1) == (" 6-11 ", " 768-1535 ")
    assert not broken_1.judged_sides[SIDES[0]]
    broken_0 = search(dead_1, bad=bad(links=SIDES[0]), compatibility="athena")
    assert broken_0.judged_sides[list(SIDES)].all()


def test_disabled_strips_are_neither_dead_nor_counted_in_means():
    values = level(30, [3, 4, 5])
    values[700] = 480
    counts = hits(values)
    found = search(counts, bad=bad(strips=(SIDES[0], [3, 4, 700])))
    assert lists(found) == ("", " 5 ")
    assert found.hits_in_disabled.tolist() == [[SIDES[0], 700, 480]]


def test_chip_with_disabled_strips_needs_fewer_events_of_silence():
    # 15 of 128 strips enabled: 0.00083 * 15 * 10000 / 6.4 is below the 20.7 of six deviations
    values = level(1, range(128, 256))
    counts = hits(values)
    masked = bad(strips=(SIDES[0], slice(128, 241)))
    assert search(counts).counts.chips == 1
    assert search(counts, bad=masked).counts.chips == 0


def test_chip_without_enabled_strips_is_not_checked():
    whole = search(hits(level(1))).checked_chips
    masked = bad(strips=(SIDES[0], slice(128, 256)))
    counts = hits(level(1, [5]))
    assert search(counts, bad=masked).checked_chips == whole + 5


# Means of regions, busy stream, minimum of events


def test_means_are_over_layers_and_over_rings_of_both_end_caps():
    counts = np.zeros((N_WAFERS, N_STRIPS), dtype=np.uint32)
    w = wafers()
    counts[(w.bec == 0) & (w.layer == 1)] = 2
    counts[(w.bec == 2) & (w.layer == 4) & (w.eta == 2)] = 3
    counts[0, 0] = 400  # disk 0, ring 0 of end cap C
    counts[2, 0] = 501  # noisy
    found = search(counts, bad=bad(modules=int(module_of(0, 1, 0, 1))))
    np.testing.assert_allclose(found.means.barrel, [0, 2e-4 * 480 / 479, 0, 0])
    expected = np.zeros((9, 3))
    expected[4, 2] = 1.5e-4
    expected[0, 0] = 400 / (N * 1536 * 104)
    np.testing.assert_allclose(found.means.end_caps, expected)
    enabled = found.means.enabled
    assert enabled[:4].tolist() == [384, 479, 576, 672]
    assert enabled[4:].reshape(9, 3).tolist() == [
        [104, 80, 0], *[[104, 80, 80]] * 5, *[[104, 80, 0]] * 2, [104, 0, 0],
    ]  # fmt: skip


def test_means_are_logged_for_every_cell():
    lines = list(search(hits(level(30))).means.texts())
    assert len(lines) == 31
    assert lines[3] == "Barrel : layer=3, meanOccupancy=2.23214e-06, #enabledModule=672"
    assert lines[-1] == "EndCap : disk=8, eta=2, meanOccupancy=0, #enabledModule=0"


def test_region_of_bad_modules_has_no_mean():
    w = wafers()
    every = np.flatnonzero((w.bec == 0) & (w.layer == 3))[::2] // 2
    found = search(hits(level(30)), bad=bad(modules=every))
    assert found.means.barrel[3] == 0
    assert not found.links.any()


@pytest.mark.parametrize(("n_events", "busy"), [(8192, False), (8191, True)])
def test_busy_stream_is_told_by_the_outermost_layer(n_events, busy):
    counts = np.zeros((N_WAFERS, N_STRIPS), dtype=np.uint32)
    w = wafers()
    counts[(w.bec == 0) & (w.layer == 3)] = 1
    thresholds = replace(THRESHOLDS, busy=np.float32(2.0**-13))
    assert search(counts, n_events, thresholds).busy == busy


def test_in_a_busy_stream_silent_strips_do_not_lower_the_mean():
    # every second strip silent: 21 hits per live strip are enough, their half is not
    values = np.where(np.arange(N_STRIPS) % 2, 21, 0)
    calm, busy = (
        search(hits(values), thresholds=replace(THRESHOLDS, busy=np.float32(limit)))
        for limit in (1, 1e-9)
    )
    assert (calm.counts.strips, busy.counts.strips) == (0, 384)


def test_few_events_are_warned_of():
    found = search(hits(level(30, [5])), n_events=4999)
    assert found.warnings == (
        "required minimum statistics is 5k events for DeadStrip search with this stream",
        "required minimum statistics is 5000 events for DeadChip search",
    )
    assert found.counts.strips == 1
    assert search(hits(level(30)), n_events=5000).warnings == ()


def test_strict_minimum_switches_a_search_off_and_fails_without_any():
    strict = replace(THRESHOLDS, strict=True, chip_min_events=100)
    found = search(hits(level(30, [5, *range(128, 256)])), n_events=4999, thresholds=strict)
    assert (found.search.strips, found.search.chips) == (False, True)
    assert lists(found) == (" 1 ", "")
    with pytest.raises(NeedCheckError, match="Number of events 99 is less than the required"):
        search(hits(level(30)), n_events=99, thresholds=strict)


def test_busy_streams_have_their_own_minimum():
    thresholds = replace(THRESHOLDS, strip_min_events_busy=200_000)
    only = Search(chips=False)
    assert check_statistics(6000, only, thresholds, busy=False)[1] == ()
    (warning,) = check_statistics(6000, only, thresholds, busy=True)[1]
    assert "200k events" in warning


def test_without_events_nothing_is_found():
    found = search(np.zeros((N_WAFERS, N_STRIPS), dtype=np.uint32), n_events=0)
    assert not any(flags.any() for flags in (found.links, found.chips, found.strips))


# Lists of the original


def test_the_original_writes_only_modules_whose_side_1_is_special():
    counts = hits(level(30, range(128)))
    assert lists(search(counts)) == (" 0 ", " 0-127 ")
    assert lists(search(counts, compatibility="athena")) == ("", "")
    masked = bad(chips=(MODULE, slice(6, 12)))
    assert lists(search(counts, bad=masked, compatibility="athena"))[0] == " 0 "


def test_run_of_chips_leaks_into_the_strips():
    # chip 5 dead, strip 0 alive: the chip's number gets into the list of strips
    values = level(30, range(640, 768))
    found = search(hits(values), bs_error_wafers=all_but(SIDES[0]), compatibility="athena")
    made = original_list(found, MODULE)
    assert made.chips == " 5 "
    assert made.strips == " 5 "
    assert lists(search(hits(values))) == (" 5 ", " 640-767 ")


def test_run_of_strips_leaks_into_the_chips_of_side_1():
    counts = hits(level(30, [5]), 1, counts=hits(level(30, [766, 767])))
    found = search(counts, compatibility="athena")
    assert original_list(found, MODULE).chips == " 766-767 "
    assert original_list(found, MODULE).strips == " 1531 "


# Rows and flag


@pytest.mark.parametrize(("mode", "threshold"), [("dead", (6.0, 8.0)), ("quiet", (0.5, 0.25))])
def test_rows_have_the_threshold_that_was_used(mode, threshold):
    thresholds = replace(
        THRESHOLDS, chip_significance=8, quiet_chip=np.float32(0.25), strip_significance=6
    )
    found = search(hits(level(30, range(128, 256))), thresholds=thresholds, mode=mode)
    made = module_lists(found)
    (strips,), (chips,) = strip_rows(found, made), chip_rows(found, made)
    assert (strips.module, strips.threshold, strips.text) == (MODULE, threshold[0], " 128-255 ")
    assert (chips.module, chips.threshold, chips.text) == (MODULE, threshold[1], " 1 ")


def test_the_original_has_the_quiet_threshold_only_where_side_1_is_not_judged():
    values = level(30, range(128, 256))
    errors = NO_ERRORS.copy()
    errors[SIDES[1]] = True
    special = search(hits(values), mode="quiet", bs_error_wafers=errors, compatibility="athena")
    assert chip_rows(special, module_lists(special))[0].threshold == 0.5
    link = search(hits(values, counts=calm_layer(40_000)), mode="quiet", compatibility="athena")
    rows = {row.module: row for row in chip_rows(link, module_lists(link))}
    assert rows[MODULE].threshold == 6


@pytest.mark.parametrize(
    ("chips", "strips", "tests", "athena", "flag", "enabled"),
    [
        (1, 0, (True, True), False, "G", True),
        (0, 1, (True, True), False, "G", True),
        (0, 1, (True, True), True, "R", True),
        (0, 0, (True, True), False, "R", True),
        (1, 1, (False, False), False, "U", False),
        (1, 1, (False, True), False, "U", True),
    ],
)
def test_flag(chips, strips, tests, athena, flag, enabled):
    found = search(hits(level(30)))
    counts = replace(found.counts, chips=chips, strips=strips)
    only_chips = Search(strips=False, compatibility="athena" if athena else "")
    judged = judge(
        counts, only_chips,
        **upload_tests({"DeadChipUploadTest": tests[0], "DeadStripUploadTest": tests[1]}),
    )  # fmt: skip
    assert (judged.flag, judged.enabled) == (flag, enabled)
    assert judged.check_list == "#chips or #strips is non-zero"
    assert judged.reason == ("" if flag == "G" else "FAILED in #chips or #strips is non-zero")


def test_log_names_every_item_and_the_totals():
    counts = hits(level(30, [7]), counts=calm_layer(40_000))
    lines = list(log_lines(search(counts)))
    assert lines[0] == "DEADLINK : 174172160, side=1"
    assert "DEADSTRIP : 174172160, side=0, strip=7" in lines
    assert lines[-2] == "total #DeadStrip : 1"
    assert lines[-1].startswith("total #DeadChip : 6, #noHitChip : ")
    lines = list(log_lines(search(hits(level(30, range(128, 256)), 1))))
    assert "DEADCHIP : 174172160, side=1, chip(online)=7" in lines


# Closure


@pytest.mark.parametrize("busy", [False, True])
def test_closure_all_that_was_planted_is_found_and_nothing_else(busy):
    random = np.random.default_rng(5)
    swap = default_swap()
    n_events = 200_000
    rates = random.uniform(4e-4, 2e-3, N_WAFERS)[:, None]
    counts = random.poisson(np.broadcast_to(rates * n_events, (N_WAFERS, N_STRIPS)))
    noisy = random.random(counts.shape) < 1e-4
    counts[noisy] = n_events // 4
    links = random.random(N_WAFERS) < 0.003
    chips = random.random((N_WAFERS, 6)) < 0.002
    strips = random.random((N_WAFERS, 6, 128)) < 2e-4
    dead = strips | chips[:, :, None] | links[:, None, None]
    offline = dead.reshape(N_WAFERS, N_STRIPS)
    offline = np.where(swap[:, None], offline[:, ::-1], offline)
    counts[offline] = 0
    thresholds = replace(THRESHOLDS, busy=np.float32(1e-4 if busy else 1), strip_order="straight")
    found = search(counts.astype(np.uint32), n_events, thresholds, swap=swap)
    assert found.busy == busy
    np.testing.assert_array_equal(found.links, dead.all(axis=(1, 2)))
    expected = (dead.all(axis=2)).reshape(N_MODULES, 12)
    np.testing.assert_array_equal(found.chips, expected)
    np.testing.assert_array_equal(found.strips, dead.reshape(N_MODULES, 1536))


def test_geometry_of_a_swapped_end_cap_chip():
    wafer = int(wafer_hash(2, 3, 7, 1, 1))
    swap = default_swap()
    counts = np.zeros((N_WAFERS, N_STRIPS), dtype=np.uint32)
    counts[wafer] = 30
    first = 128 * int(geometrical_chip(8, swap[wafer]))
    counts[wafer, first : first + 128] = 0
    found = search(counts, swap=swap, bs_error_wafers=all_but(wafer))
    assert np.argwhere(found.chips).tolist() == [[wafer // 2, 8]]
