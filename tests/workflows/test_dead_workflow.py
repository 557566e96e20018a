"""From counts to dead strips, chips and links: efficiency as the statistics allow; kinds, rows.

Reference: algorithms-hitmaps.md 4.3 to 4.6, E10 to E13.
"""

from __future__ import annotations

import numpy as np
import pytest

from sctcalib.configuration import load_configuration
from sctcalib.cool.folders import folder_of_part
from sctcalib.detector.bad_channels import no_bad_channels
from sctcalib.detector.identifiers import module_id32, modules, wafers
from sctcalib.detector.readout import default_swap, readout_strip
from sctcalib.detector.regions import N_STRIPS, N_WAFERS
from sctcalib.parts import PARTS
from sctcalib.parts.dead import Thresholds, find_dead
from sctcalib.parts.dead_lists import Row, log_lines
from sctcalib.workflows import dead
from sctcalib.workflows.database import SAMPLE_SIZE

OCCUPANCY = 0.004
LIT = np.flatnonzero((wafers().bec == 0) & (wafers().layer == 1))
"""Layer 1 of the barrel."""
N_DEAD = 300


def search(counts, n_events, **more):
    return find_dead(
        counts,
        n_events,
        Thresholds.from_options(load_configuration([])),
        swap=default_swap(),
        bad=no_bad_channels(),
        bs_error_wafers=np.zeros(N_WAFERS, dtype=bool),
        **more,
    )


def simulated(n_events, seed=1):
    """Counts with particles in one layer, and the planted strips, chips and link of it."""
    rng = np.random.default_rng(seed)
    counts = np.zeros((N_WAFERS, N_STRIPS), dtype=np.int64)
    counts[LIT] = rng.binomial(n_events, OCCUPANCY, (len(LIT), N_STRIPS))
    chosen = rng.permutation(LIT)
    strips = [(int(w), int(rng.integers(N_STRIPS))) for w in chosen[:N_DEAD]]
    for wafer, strip in strips:
        counts[wafer, strip] = 0
    chip_wafers, link = chosen[N_DEAD : N_DEAD + 20].tolist(), int(chosen[N_DEAD + 20])
    readout = readout_strip(np.arange(N_STRIPS), default_swap()[:, None])
    chips = [(wafer, int(rng.integers(6))) for wafer in chip_wafers]
    for wafer, chip in chips:
        counts[wafer, readout[wafer] // 128 == chip] = 0
    counts[link] = 0
    return counts, strips, chips, link


def offline_strips(found):
    """Found single strips (not of chips and links) as wafer and offline strip."""
    numbered = found.strips.reshape(-1, N_STRIPS).copy()
    numbered[1::2] = numbered[1::2, ::-1]
    numbered &= ~np.repeat(found.chips.reshape(-1, 6), 128, axis=1)
    readout = readout_strip(np.arange(N_STRIPS), default_swap()[:, None])
    offline = np.take_along_axis(numbered, readout, axis=1)
    return {(int(w), int(s)) for w, s in np.argwhere(offline)}


@pytest.mark.parametrize(
    ("n_events", "finds_strips"), [(3_000, False), (4_500, False), (6_500, True), (20_000, True)]
)
def test_dead_strips_are_found_from_21_expected_hits_on(n_events, finds_strips):
    """-ln P = 20.7 at six standard deviations: 12 and 18 hits are too few, 26 and 80 enough."""
    counts, strips, chips, link = simulated(n_events)
    found = search(counts, n_events)
    planted = {wafer for wafer, _ in strips}
    assert len(planted) == N_DEAD
    assert offline_strips(found) == (set(strips) if finds_strips else set())
    expected_chips = np.zeros((N_WAFERS, 6), dtype=bool)
    for wafer, chip in chips:
        expected_chips[wafer, chip] = True
    expected_chips[link] = True
    assert np.array_equal(found.chips.reshape(-1, 6), expected_chips)
    assert np.flatnonzero(found.links).tolist() == [link]


@pytest.mark.parametrize(("n_events", "finds"), [(30, False), (60, True)])
def test_dead_chips_are_found_from_21_expected_hits_on(n_events, finds):
    """128 strips with 0.004 hits each: 15 hits in 30 events, 31 in 60."""
    counts, _, chips, link = simulated(n_events, seed=2)
    found = search(counts, n_events, strips=False)
    at = tuple(np.array(chips).T)
    assert found.chips.reshape(-1, 6)[at].tolist() == [finds] * len(chips)
    assert found.links[link]
    alive = np.ones((N_WAFERS, 6), dtype=bool)
    alive[at] = False
    alive[link] = False
    assert not found.chips.reshape(-1, 6)[alive].any()


def test_efficiency_rises_with_statistics_and_purity_stays():
    """Around the limit single strips are found or not with their wafer's mean, none is invented."""
    efficiencies = []
    for n_events in (5_000, 5_180, 5_300):
        counts, strips, _, _ = simulated(n_events, seed=3)
        found = offline_strips(search(counts, n_events))
        assert found <= set(strips)
        efficiencies.append(len(found) / len(strips))
    assert efficiencies == sorted(efficiencies)
    assert efficiencies[0] < 0.05
    assert 0.2 < efficiencies[1] < 0.8
    assert efficiencies[2] > 0.9


# ---- the table of kinds


@pytest.mark.parametrize("part", dead.KINDS)
def test_a_kind_writes_what_its_part_declares(part):
    kind = dead.KINDS[part]
    declared = {output.suffix for output in PARTS[part].outputs}
    assert {kind.file, kind.summary} <= declared
    assert kind.part == part
    assert kind.chips == part.endswith("Chip")
    assert kind.quiet == part.startswith("doQuiet")
    assert kind.file.startswith(part.removeprefix("do"))


@pytest.mark.parametrize("part", dead.KINDS)
def test_quiet_items_go_into_the_folders_of_dead_ones(part):
    item = "Chips" if dead.KINDS[part].chips else "Strips"
    folder = folder_of_part(dead.KINDS[part].folder_part)
    assert folder.path == f"/SCT/Derived/Dead{item}"
    assert folder.tag_option == f"TagID4Dead{item}"


def test_rows_of_the_database_have_the_fields_of_the_folder():
    rows = [Row(2469, 6.0, " 3-7  100 "), Row(4087, 0.5, " 0 ")]
    m = modules()
    (first, payload), (last, _) = dead._payloads(rows)
    assert (first, last) == (int(module_id32()[2469]), int(module_id32()[4087]))
    place = (int(m.bec[2469]), int(m.layer[2469]), int(m.eta[2469]), int(m.phi[2469]))
    assert payload == (SAMPLE_SIZE, *place, "DEAD", 6.0, " 3-7  100 ")


# ---- the log


def test_of_very_many_strips_only_the_first_are_logged(monkeypatch):
    counts, strips, _, _ = simulated(20_000)
    found = search(counts, 20_000)
    lines = list(log_lines(found))
    total = found.counts.strips
    assert sum(line.startswith("DEADSTRIP : ") for line in lines) == total == len(strips) + 128 * 20
    monkeypatch.setattr("sctcalib.parts.dead_lists.LOGGED_STRIPS", 50)
    short = [line for line in log_lines(found) if not line.startswith(("DEADCHIP", "DEADLINK"))]
    assert short[:50] == [line for line in lines if line.startswith("DEADSTRIP")][:50]
    assert short[50] == f"{total - 50} more strips are in the lists only"
    assert short[51] == f"total #DeadStrip : {total}"
