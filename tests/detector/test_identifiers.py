"""Worked examples of detector.md 2, 3; cool-folders.md 9; algorithms-hitmaps.md 1.3, E1."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sctcalib.detector import identifiers as ids
from sctcalib.detector.regions import N_MODULES, N_WAFERS, REGIONS

EXAMPLES = [  # bec, layer, phi, eta, side, hash, id32, 64-bit text
    (0, 0, 0, -6, 0, 1976, 0x0A000000, "0xa00000000000000"),
    (0, 0, 0, -6, 1, 1977, 0x0A000400, "0xa00040000000000"),
    (0, 0, 1, -6, 0, 2000, 0x0A008000, "0xa00800000000000"),
    (0, 3, 3, -1, 0, 4938, 0x0A61A800, "0xa61a80000000000"),
    (0, 3, 3, -1, 1, 4939, 0x0A61AC00, "0xa61ac0000000000"),
    (0, 1, 10, 3, 1, 3001, 0x0A254C00, "0xa254c0000000000"),
    (0, 3, 55, 6, 1, 6199, 0x0A7BE400, "0xa7be40000000000"),
    (-2, 0, 0, 0, 0, 0, 0x08003000, "0x800300000000000"),
    (-2, 0, 0, 0, 1, 1, 0x08003400, "0x800340000000000"),
    (-2, 0, 0, 1, 1, 3, 0x08003C00, "0x8003c0000000000"),
    (-2, 8, 51, 0, 1, 1975, 0x0919B400, "0x919b40000000000"),
    (0, 0, 0, 1, 0, 1988, 0x0A003800, "0xa00380000000000"),
    (-2, 3, 5, 2, 1, 747, 0x0862C400, "0x862c40000000000"),
    (2, 0, 0, 0, 0, 6200, 0x0C003000, "0xc00300000000000"),
    (2, 4, 39, 2, 0, 7414, 0x0C93C000, "0xc93c00000000000"),
    (2, 4, 40, 0, 0, 7416, 0x0C943000, "0xc94300000000000"),
    (2, 5, 39, 2, 1, 7679, 0x0CB3C400, "0xcb3c40000000000"),
    (2, 6, 0, 1, 0, 7706, 0x0CC03800, "0xcc0380000000000"),
    (2, 8, 51, 0, 1, 8175, 0x0D19B400, "0xd19b40000000000"),
]
MODULE_IDS = [  # bec, layer, phi, eta, hash of side 0, 32-bit module id
    (-2, 0, 0, 0, 0, 134230016),
    (-2, 0, 0, 1, 2, 134232064),
    (-2, 0, 40, 0, 160, 135540736),
    (-2, 0, 51, 0, 182, 135901184),
    (-2, 1, 0, 0, 184, 136327168),
    (-2, 1, 0, 2, 188, 136331264),
    (-2, 6, 0, 0, 1504, 146812928),
    (-2, 7, 0, 0, 1688, 148910080),
    (-2, 8, 0, 0, 1872, 151007232),
    (-2, 8, 51, 0, 1974, 152678400),
    (0, 0, 0, 1, 1988, 167786496),
    (0, 1, 0, -6, 2744, 169869312),
    (0, 2, 0, -6, 3704, 171966464),
    (0, 3, 0, -6, 4856, 174063616),
    (0, 3, 55, 6, 6198, 175890432),
    (2, 8, 51, 0, 8174, 219787264),
]
FIRST_WAFERS = {
    **{(-2, d): h for d, h in enumerate((0, 184, 448, 712, 976, 1240, 1504, 1688, 1872))},
    **{(0, layer): h for layer, h in enumerate((1976, 2744, 3704, 4856))},
    **{(2, d): h for d, h in enumerate((6200, 6384, 6648, 6912, 7176, 7440, 7704, 7888, 8072))},
}


@pytest.mark.parametrize(("bec", "layer", "phi", "eta", "side", "wafer", "id32", "text"), EXAMPLES)
def test_worked_examples_of_identifiers(bec, layer, phi, eta, side, wafer, id32, text):
    assert ids.wafer_hash(bec, layer, phi, eta, side) == wafer
    assert ids.wafer_id32()[wafer] == id32
    assert ids.hex64(int(ids.to_id64(id32))) == text
    assert ids.wafer_of_id32(id32) == ids.wafer_of_id64(id32 << 32) == wafer
    assert ids.strip_id32(wafer, 5) == id32 + 5


@pytest.mark.parametrize(("bec", "layer", "phi", "eta", "wafer", "id32"), MODULE_IDS)
def test_module_ids_are_those_of_side_0(bec, layer, phi, eta, wafer, id32):
    assert ids.wafer_hash(bec, layer, phi, eta) == wafer
    assert ids.module_id32()[ids.module_of(bec, layer, phi, eta)] == id32


def test_decimal_channels_of_the_noisy_strip_files():
    assert ids.to_id64(174172160) == 748063731073679360
    assert ids.to_id64(167772160) == 720575940379279360
    assert ids.hex64(int(ids.to_id64(167804933))) == "0xa00800500000000"


def test_lorentz_channels_are_labels_of_layer_and_side():
    layers, sides = np.array([0, 1, 2, 3]), np.array([0, 1, 0, 1])
    channels = [167784448, 169882624, 171978752, 174076928]
    assert ids.layer_side_id32(layers, sides).tolist() == channels
    assert ids.layer_side_id32(0, 0) == 0x0A003000
    with pytest.raises(ValueError, match="is not the identifier"):
        ids.wafer_of_id32(channels)
    with pytest.raises(ValueError, match="barrel layer 4 is outside 0-3"):
        ids.layer_side_id32(4, 0)
    with pytest.raises(ValueError, match="side 2 is outside 0-1"):
        ids.layer_side_id32(0, [0, 2])


def test_decoding_a_channel_and_its_strip():
    wafer = int(ids.wafer_of_id32(174173184))
    w = ids.wafers()
    assert [int(x[wafer]) for x in (w.bec, w.layer, w.phi, w.eta, w.side)] == [0, 3, 3, -1, 1]
    assert ids.wafer_of_id32(174173184 + 99) == wafer
    assert ids.strip_of_id32(174173184 + 99) == 99


def test_hash_ranges_of_regions_layers_and_disks():
    w = ids.wafers()
    for (bec, layer), first in FIRST_WAFERS.items():
        here = np.flatnonzero((w.bec == bec) & (w.layer == layer))
        assert here[0] == first
        assert np.array_equal(here, np.arange(first, first + len(here)))
    for region in REGIONS:
        assert set(w.bec[region.wafers]) == {region.bec}
    assert sum(region.n_wafers for region in REGIONS) == N_WAFERS == len(w.bec)


def test_hash_equals_the_closed_form():
    w = ids.wafers()
    barrel_offset = np.array([0, 768, 1728, 2880])
    e = np.where(w.eta < 0, w.eta + 6, w.eta + 5)
    in_barrel = w.bec == 0
    barrel = 1976 + barrel_offset[np.where(in_barrel, w.layer, 0)] + 24 * w.phi + 2 * e + w.side
    disk_offset = np.array([0, 184, 448, 712, 976, 1240, 1504, 1688, 1872])
    r = np.array([2, 3, 3, 3, 3, 3, 2, 2, 1])[w.layer]
    inner = 2 * r * w.phi + 2 * w.eta + w.side
    outer = 80 * r + 2 * (w.phi - 40) + w.side
    end_cap = np.where(w.bec == 2, 6200, 0) + disk_offset[w.layer]
    end_cap = end_cap + np.where(w.phi < 40, inner, outer)
    assert np.array_equal(np.where(in_barrel, barrel, end_cap), np.arange(N_WAFERS))


def test_round_trip_of_all_wafers():
    w, hashes = ids.wafers(), np.arange(N_WAFERS)
    assert np.array_equal(ids.wafer_hash(w.bec, w.layer, w.phi, w.eta, w.side), hashes)
    assert np.array_equal(ids.wafer_of_id32(ids.wafer_id32()), hashes)
    assert np.array_equal(ids.wafer_of_id64(ids.to_id64(ids.wafer_id32() | 767)), hashes)
    assert np.all(np.diff(ids.wafer_id32()) > 0)


def test_bits_of_the_identifier_decode_to_the_position():
    c, w = ids.wafer_id32(), ids.wafers()
    assert set(c >> 27) == {1}
    assert np.array_equal(np.array([-2, 0, 2])[(c >> 25) & 3], w.bec)
    assert np.array_equal((c >> 21) & 15, w.layer)
    assert np.array_equal((c >> 15) & 63, w.phi)
    assert np.array_equal(((c >> 11) & 15) - 6, w.eta)
    assert np.array_equal((c >> 10) & 1, w.side)


def test_text_forms():
    assert ids.position_text(4939) == "0_3_3_-1_1" == ids.wafer_names()[4939]
    assert ids.position_text(1974) == "-2_8_51_0_0"
    assert ids.position_text(4938, ".", with_side=False) == "0.3.3.-1" == ids.module_names()[2469]
    assert ids.dotted(2000, 5) == "[2.2.0.0.1.-6.0.5]"
    assert ids.dotted(2000) == "[2.2.0.0.1.-6.0.0]"
    assert ids.expanded(4938) == "2/2/0/3/3/-1/0/0"


def test_module_names_are_read_back():
    assert [ids.module_from_name(name) for name in ids.module_names()] == list(range(N_MODULES))
    assert ids.module_from_name("0_3_3_-1", "_") == 2469


@pytest.mark.parametrize(
    "name",
    ["", "0.3.3", "0.3.3.-1.0", "0.3.3.0", "0.4.0.1", "a.3.3.1", "0.3.3.+1", "0.3.3. 1",
     "0.3.3.1_0", "0.03.3.1", "1.3.3.1", "0.3.3.99999999999999"],
)  # fmt: skip
def test_names_of_no_module_are_refused(name):
    with pytest.raises(ValueError, match=r"module position|no wafer at"):
        ids.module_from_name(name)


@pytest.mark.parametrize(
    "position",
    [(0, 0, 0, 0, 0), (0, 0, 32, 1, 0), (0, 4, 0, 1, 0), (2, 0, 0, 2, 0), (2, 8, 0, 1, 0),
     (-2, 1, 40, 1, 0), (1, 0, 0, 1, 0), (0, 0, 0, 7, 0), (0, 0, 0, 1, 2), (4, 0, 0, 0, 0)],
)  # fmt: skip
def test_positions_without_a_wafer_are_refused_and_named(position):
    with pytest.raises(ValueError, match="no wafer at") as caught:
        ids.wafer_hash(*position)
    assert str(position) in str(caught.value)


@pytest.mark.parametrize("id32", [0, -1, 0x0A003000, 0x0A000000 | 768, 0xFFFFFFFF, 1 << 40])
def test_numbers_that_are_no_identifier_are_refused(id32):
    with pytest.raises(ValueError, match="is not the identifier"):
        ids.wafer_of_id32(id32)


def test_lower_half_of_a_64_bit_identifier_is_zero():
    with pytest.raises(ValueError, match="lower 32 bits"):
        ids.wafer_of_id64((0x0A000000 << 32) + 1)


@pytest.mark.parametrize(("wafer", "strip"), [(-1, 0), (8176, 0), (0, -1), (0, 768)])
def test_strips_outside_the_detector_are_refused(wafer, strip):
    with pytest.raises(ValueError, match="is outside"):
        ids.strip_id32(wafer, strip)


@given(st.lists(st.tuples(st.integers(0, N_WAFERS - 1), st.integers(0, 767)), min_size=1))
def test_strip_identifiers_are_read_back(strips):
    wafer, strip = np.array(strips).T
    encoded = ids.strip_id32(wafer, strip)
    assert np.array_equal(ids.wafer_of_id32(encoded), wafer)
    assert np.array_equal(ids.strip_of_id32(encoded), strip)


def test_shared_arrays_cannot_be_changed_by_a_caller():
    for array in (ids.wafers().phi, ids.modules().bec, ids.wafer_id32(), ids.module_id32()):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
