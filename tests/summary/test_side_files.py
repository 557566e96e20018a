"""Files with a block per side: efficiency, noise occupancy, byte-stream errors.

Reference: algorithms-hist.md 2.3, 3.3, 6.6, 7.2.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sctcalib.detector.identifiers import wafer_hash, wafer_id32, wafers
from sctcalib.job.errors import InputFileError
from sctcalib.parts import noise_occupancy
from sctcalib.summary.bytestream_modules import (
    NOT_KNOWN,
    ByteStreamModules,
    read_bytestream_modules,
    write_bytestream_modules,
)
from sctcalib.summary.efficiency_modules import (
    EfficiencyModules,
    read_efficiency_modules,
    write_efficiency_modules,
)
from sctcalib.summary.noise_occupancy_file import (
    read_noise_occupancy_file,
    write_noise_occupancy_file,
)
from tests.summary.hist_examples import (
    HEADER_TEXT,
    RUN,
    SERIALS,
    bytestream_modules,
    counts,
    efficiency_modules,
    noise_file,
    random_counts,
)

SETTINGS = settings(
    max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "f.xml"


def values(text: str, name: str) -> list[str]:
    """Texts of all values of a name, in order."""
    return [piece.split("<", 1)[0] for piece in text.split(f'<value name="{name}">')[1:]]


# EfficiencyModuleSummary.xml


def test_bytes_of_the_efficiency_example(path: Path) -> None:
    content = replace(efficiency_modules(), efficiency=np.full(8176, 0.99, np.float32))
    write_efficiency_modules(path, content)
    text = path.read_bytes().decode()
    block = """\
   <module>
    <value name="SN">20220330000001</value>
    <value name="SampleSize">10000</value>
    <value name="barrel_endcap">-2</value>
    <value name="Layer">0</value>
    <value name="Eta">0</value>
    <value name="Phi">0</value>
    <value name="Efficiency">0.99</value>
    <value name="Side">0</value>
   </module>
"""
    assert text.startswith(HEADER_TEXT + "  <modules>\n" + block)
    assert text.endswith("   </module>\n  </modules>\n</run>\n")
    assert text.count("   <module>\n") == 8176


def test_efficiencies_go_end_cap_c_end_cap_a_barrel_and_by_layer_side_eta_phi(path: Path) -> None:
    write_efficiency_modules(path, efficiency_modules())
    text = path.read_text()
    names = ("barrel_endcap", "Layer", "Side", "Eta", "Phi")
    places = list(zip(*(map(int, values(text, name)) for name in names), strict=True))
    region = {-2: 0, 2: 1, 0: 2}
    assert places == sorted(places, key=lambda place: (region[place[0]], place[1:]))
    assert len(set(places)) == 8176


def test_side_without_entries_has_minus_one_as_the_caller_gives_it(path: Path) -> None:
    """Example 13."""
    efficiency = np.full(8176, 0.99, np.float32)
    efficiency[0] = -1
    write_efficiency_modules(path, replace(efficiency_modules(), efficiency=efficiency))
    assert values(path.read_text(), "Efficiency")[:2] == ["-1", "0.99"]


# NoiseOccupancyFile.xml


def test_bytes_of_the_noise_example(path: Path) -> None:
    """Section 3.3 and example 4: 1.5 in the histogram is 5e-06."""
    occupancy = noise_occupancy.measure(np.full(8176, 1.5)).value
    write_noise_occupancy_file(path, replace(noise_file(), occupancy=occupancy))
    text = path.read_bytes().decode()
    since, until = 300000 << 32, (300000 << 32) + 4294967295
    assert text.startswith(
        '<channels server="ATLAS_COOLPROD" schema="ATLAS_COOLOFL_SCT" dbname="MONP200" '
        f'folder="SCT/Derived/NoiseOccupancy" since="{since}" until="{until}" '
        'tag="SctDerivedNoiseOccupancy-003-01" version="multi">\n'
        f'  <channel id="134230016" since="{since}" until="{until}">\n'
        """\
    <value name="SN">20220330000001</value>
    <value name="SampleSize">10000</value>
    <value name="barrel_endcap">-2</value>
    <value name="Layer">0</value>
    <value name="Eta">0</value>
    <value name="Phi">0</value>
    <value name="NoiseOccupancy">5e-06</value>
  </channel>
"""
    )
    assert text.endswith("  </channel>\n</channels>\n")
    assert text.count("  <channel id=") == 8176


def test_texts_of_the_noise_examples(path: Path) -> None:
    """Example 4."""
    content = np.resize([1.5, 0.37, 12.345], 8176)
    occupancy = noise_occupancy.measure(content).value
    write_noise_occupancy_file(path, replace(noise_file(), occupancy=occupancy))
    assert set(values(path.read_text(), "NoiseOccupancy")) == {"5e-06", "1.23333e-06", "4.115e-05"}


def test_noise_goes_end_cap_c_barrel_end_cap_a_and_identifiers_tell_the_side(path: Path) -> None:
    write_noise_occupancy_file(path, noise_file())
    ids = [int(piece.split('"', 1)[0]) for piece in path.read_text().split('id="')[1:]]
    w = wafers()
    key = list(zip(*(x.tolist() for x in (w.bec, w.layer, w.side, w.eta, w.phi)), strict=True))
    hashes = np.searchsorted(wafer_id32(), ids).tolist()
    assert wafer_id32()[hashes].tolist() == ids
    assert [key[wafer] for wafer in hashes] == sorted(key)


# BSErrorModuleSummary.xml

EXAMPLE_8 = counts(
    {
        (2, 8, 0, 0, 0): {"BCIDError": 2, "RawError": 5},
        (2, 8, 0, 0, 1): {"TimeOutError": 1},
        (0, 3, 3, -1, 1): {"BCIDError": 13},
    }
)


def block_of(text: str, bec: int, layer: int, side: int, eta: int, phi: int) -> dict[str, int]:
    """Numbers of the block with these printed positions."""
    names = ("barrel_endcap", "layer", "side", "eta", "phi")
    wanted = "".join(
        f'      <value name="{name}">{number}</value>\n'
        for name, number in zip(names, (bec, layer, side, eta, phi), strict=True)
    )
    assert text.count(wanted) == 1
    block = text[text.index(wanted) + len(wanted) :].split("    </module>", 1)[0]
    pieces = [line.split('"')[1:] for line in block.splitlines()]
    return {name: int(rest[1:].split("<")[0]) for name, rest in pieces}


def test_bytes_of_a_block_of_errors(path: Path) -> None:
    write_bytestream_modules(path, bytestream_modules(EXAMPLE_8))
    text = path.read_bytes().decode()
    header = HEADER_TEXT.replace("EfficiencyInfo", "BSErrorInfo")
    assert text.startswith(header + "  <data>\n    <module>\n")
    module = int(wafer_hash(0, 3, 3, -1)) // 2
    assert (
        f"""\
    <module>
      <value name="SN">{SERIALS[module]}</value>
      <value name="barrel_endcap">0</value>
      <value name="layer">3</value>
      <value name="side">1</value>
      <value name="eta">-1</value>
      <value name="phi">3</value>
      <value name="nErrors">13</value>
      <value name="ByteStreamParseError">0</value>
      <value name="TimeOutError">0</value>
      <value name="BCIDError">13</value>
      <value name="LVL1IDError">0</value>
      <value name="PreambleError">0</value>
      <value name="FormatterError">0</value>
      <value name="ABCDError">0</value>
      <value name="RawError">0</value>
      <value name="MaskedLink">0</value>
      <value name="RODClockError">0</value>
      <value name="TruncatedROD">0</value>
      <value name="ROBFragmentError">0</value>
    </module>
"""
        in text
    )
    assert text.endswith("    </module>\n  </data>\n</run>\n")
    assert text.count("    <module>\n") == 8176
    assert block_of(text, 2, 8, 0, 0, 0)["nErrors"] == 7
    assert block_of(text, 2, 8, 1, 0, 0)["nErrors"] == 1


def test_end_cap_blocks_go_by_ring_and_side_barrel_blocks_by_side_and_eta(path: Path) -> None:
    write_bytestream_modules(path, bytestream_modules(EXAMPLE_8))
    text = path.read_text()
    names = ("barrel_endcap", "layer", "side", "eta", "phi")
    places = list(zip(*(map(int, values(text, name)) for name in names), strict=True))
    expected = sorted(places, key=lambda p: (*p[:2], *((p[3], p[2]) if p[0] else p[2:4]), p[4]))
    assert places == expected
    assert len(set(places)) == 8176


def test_original_form_has_the_three_faults(path: Path) -> None:
    """Section 6.6 and example 8."""
    write_bytestream_modules(path, bytestream_modules(EXAMPLE_8), athena=True)
    text = path.read_text()
    assert text.count("    <module>\n") == 8528
    # 1: eta and phi exchanged, barrel eta counted from 0
    assert block_of(text, 0, 3, 1, 3, 5)["BCIDError"] == 13
    # 2: rows of barrel index 6, without serial number
    assert values(text, "SN").count("") == 352
    assert block_of(text, 0, 0, 0, 31, 6)["nErrors"] == 0
    # 3: types of end cap A in end cap C
    a, c = block_of(text, 2, 8, 0, 0, 0), block_of(text, -2, 8, 0, 0, 0)
    assert (a["nErrors"], a["BCIDError"], a["RawError"]) == (7, 0, 0)
    assert (c["nErrors"], c["BCIDError"], c["RawError"]) == (0, 2, 5)
    # the original's order: disk, ring, side, phi; layer, side, index, phi
    names = ("barrel_endcap", "layer", "side", "phi", "eta")
    places = list(zip(*(map(int, values(text, name)) for name in names), strict=True))
    assert places == sorted(
        places, key=lambda p: (*p[:2], *((p[3], p[2]) if p[0] else p[2:4]), p[4])
    )


def test_original_form_is_read_with_everything_in_its_place(path: Path) -> None:
    write_bytestream_modules(path, bytestream_modules(EXAMPLE_8), athena=True)
    read = read_bytestream_modules(path)
    assert read.errors.tolist() == EXAMPLE_8.tolist()
    assert read.totals.tolist() == EXAMPLE_8.sum(axis=1).tolist()
    assert read.serials == SERIALS


def test_types_that_the_original_lost_are_not_known(path: Path) -> None:
    """Both end caps have errors at the same place: the totals tell only one type apart."""
    errors = counts(
        {
            (-2, 0, 1, 0, 0): {"BCIDError": 3},
            (2, 0, 1, 0, 0): {"BCIDError": 4},
            (-2, 0, 2, 0, 0): {"BCIDError": 3, "RawError": 1},
            (2, 0, 2, 0, 0): {"BCIDError": 4},
            (-2, 0, 3, 0, 0): {"MaskedLink": 9},
        }
    )
    write_bytestream_modules(path, bytestream_modules(errors), athena=True)
    read = read_bytestream_modules(path)
    lost = wafer_hash([-2, 2], 0, 2, 0, 0)
    expected = errors.copy()
    expected[lost] = np.where((errors[lost] > 0).any(axis=0), NOT_KNOWN, 0)
    assert read.errors.tolist() == expected.tolist()
    assert read.totals.tolist() == errors.sum(axis=1).tolist()


@SETTINGS
@given(seed=st.integers(0, 10**6))
def test_original_form_is_right_or_not_known(path: Path, seed: int) -> None:
    errors = random_counts(seed, n_sides=2000)
    write_bytestream_modules(path, bytestream_modules(errors), athena=True)
    read = read_bytestream_modules(path)
    known = read.errors != NOT_KNOWN
    assert (read.errors[known] == errors[known]).all()
    assert known[1976:6200].all()
    assert not known.all()
    assert (read.totals == errors.sum(axis=1)).all()


def test_fractions_of_the_newest_versions(path: Path) -> None:
    """Example 13: a fraction by type next to truncated counts; fault 3 is corrected there."""
    fractions = np.zeros((8176, 15), np.float32)
    side = int(wafer_hash(2, 8, 0, 0, 0))
    fractions[side, 2] = 0.0003
    content = ByteStreamModules(
        **RUN, serials=SERIALS, errors=fractions, totals=np.zeros(8176, np.int64)
    )
    for athena in (False, True):
        write_bytestream_modules(path, content, athena=athena)
        text = path.read_text()
        assert values(text, "BCIDError").count("0.0003") == 1
        assert set(values(text, "nErrors")) == {"0"}
        read = read_bytestream_modules(path)
        assert (read.errors == fractions).all()
        assert read.errors.dtype == np.float32
        assert not read.totals.any()


# All three


@SETTINGS
@given(seed=st.integers(0, 10**6))
def test_round_trips(path: Path, seed: int) -> None:
    efficiency, noise = efficiency_modules(seed), noise_file(seed)
    write_efficiency_modules(path, efficiency)
    read = read_efficiency_modules(path)
    assert _printed(read.efficiency) == _printed(efficiency.efficiency)
    assert {**vars(read), "efficiency": 0} == {**vars(efficiency), "efficiency": 0}
    write_noise_occupancy_file(path, noise)
    again = read_noise_occupancy_file(path)
    assert _printed(again.occupancy) == _printed(noise.occupancy)
    assert {**vars(again), "occupancy": 0} == {**vars(noise), "occupancy": 0}
    errors = bytestream_modules(random_counts(seed))
    write_bytestream_modules(path, errors)
    last = read_bytestream_modules(path)
    assert (last.errors == errors.errors).all()
    assert (last.totals == errors.totals).all()
    assert {**vars(last), "errors": 0, "totals": 0} == {**vars(errors), "errors": 0, "totals": 0}


def _printed(values: np.ndarray[Any, Any]) -> list[str]:
    return [format(x, ".6g") for x in values.tolist()]


def test_serial_number_that_the_cabling_knows_for_one_side_only(path: Path) -> None:
    write_efficiency_modules(path, efficiency_modules())
    text = path.read_text()
    for side in range(2):
        at = text.index(SERIALS[0]) if not side else text.rindex(SERIALS[0])
        path.write_text(text[:at] + "0" + text[at + 14 :])
        assert read_efficiency_modules(path).serials == SERIALS


def test_values_of_a_block_in_another_order_and_older_times_are_read(path: Path) -> None:
    write_efficiency_modules(path, efficiency_modules())
    before = read_efficiency_modules(path)
    text = path.read_text().replace(RUN["start"], "13/6/2016 10:5:45.0")
    side = '    <value name="Side">0</value>\n'
    text = text.replace("   <module>\n", "   <module>\n" + side, 1).replace(side, "", 2)
    text = text.replace("   <module>\n", "   <module>\n" + side, 1)
    path.write_text(text)
    read = read_efficiency_modules(path)
    assert read.start == RUN["start"]
    assert (read.efficiency == before.efficiency).all()


def write_efficiency(path: Path) -> None:
    write_efficiency_modules(path, efficiency_modules())


def write_noise(path: Path) -> None:
    write_noise_occupancy_file(path, noise_file())


def write_errors(path: Path) -> None:
    write_bytestream_modules(path, bytestream_modules(EXAMPLE_8))


def write_original(path: Path) -> None:
    write_bytestream_modules(path, bytestream_modules(EXAMPLE_8), athena=True)


@cache
def text_of(write: Callable[[Path], None]) -> str:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "f.xml"
        write(path)
        return path.read_text()


READERS: dict[Callable[[Path], None], Callable[[Path], object]] = {
    write_efficiency: read_efficiency_modules,
    write_noise: read_noise_occupancy_file,
    write_errors: read_bytestream_modules,
    write_original: read_bytestream_modules,
}
UNTIL = str((300000 << 32) + 4294967295)
BAD = [
    (write_efficiency, '"Side">0<', '"Side">1<', "a second block for the side -2_0_0_0_1"),
    (write_efficiency, '"Eta">0<', '"Eta">3<', r"no side is at \(bec, layer, eta, phi, side\)"),
    (write_efficiency, '"Phi">0<', '"Phi">x<', "value 'Phi': 'x' is not a whole number"),
    (write_efficiency, '"Efficiency">', '"Efficiency">low', "value 'Efficiency': 'low"),
    (write_noise, "e-05<", "e+39<", "e.39' is beyond single precision"),
    (write_efficiency, ">10000<", ">9999<", "SampleSize 10000 differs from the 9999 before"),
    (write_efficiency, SERIALS[0], "1", "SN '20220330000001' differs from the '1' of the other"),
    (write_efficiency, "<modules>", '<modules x="">', "unknown attribute 'x'"),
    (write_efficiency, "   <module>", '   <module x="">', "unknown attribute 'x'"),
    (write_efficiency, '<value name="Layer">0</value>', "", "<module> has no value 'Layer'"),
    (write_efficiency, ">10000<", "><b/>10000<", "holds <b> instead of text"),
    (write_efficiency, "   </module>", "   stray</module>", "stray text 'stray'"),
    (write_efficiency, "   <module>", "   <module>stray", "stray text 'stray'"),
    (write_efficiency, "  <modules>", "  <data></data><modules>", "<data> in <run>, which holds"),
    (write_noise, 'version="multi"', 'version="single"', "version is 'single', not 'multi'"),
    (write_noise, f'until="{UNTIL}"', f'until="{UNTIL}0"', "are not the first and last key"),
    (write_noise, 'since="', 'since="x', "since or until of <channels>: 'x"),
    (write_noise, 'id="134230016"', 'id="134230017"', "'134230017' is not the identifier"),
    (write_noise, 'id="134230016" since="', 'id="134230016" since="1', "the interval of a"),
    (write_noise, '"Phi">0<', '"Phi">1<', r"but channel id 134230016 is a side at \(-2, 0, 0, 0\)"),
    (write_noise, 'folder="', 'x="', "<channels> has no attribute 'folder'"),
    (write_errors, '"nErrors">7<', '"nErrors">8<', "is 8, but the error types add up to 7"),
    (write_errors, '"nErrors">0<', '"nErrors">-1<', "value 'nErrors': '-1' is negative"),
    (write_errors, '"BCIDError">13<', '"BCIDError">-13<', "value 'BCIDError': '-13' is negative"),
    (write_errors, '"BCIDError">', '"BCID">', "<module> has no value 'BCIDError'"),
    (write_original, '"phi">6</value>\n      <value name="nErrors">0<',
     '"phi">6</value>\n      <value name="nErrors">1<', "at eta 0, which does not exist"),
    (write_original, '"nErrors">7<', '"nErrors">8<', "2_8_0_0_0 is 8, but the error types add up"),
]  # fmt: skip


@pytest.mark.parametrize(("write", "before", "after", "message"), BAD)
def test_bad_file_is_refused_with_file_and_line(
    path: Path, write: Callable[[Path], None], before: str, after: str, message: str
) -> None:
    text = text_of(write)
    assert before in text
    path.write_text(text.replace(before, after, 1))
    with pytest.raises(InputFileError, match=message) as caught:
        READERS[write](path)
    assert str(caught.value).startswith(f"{path}, line ")


@pytest.mark.parametrize(
    ("write", "tag"),
    [(write_efficiency, "module"), (write_noise, "channel"), (write_errors, "module")],
)
def test_every_side_must_be_there_once(path: Path, write: Callable[[Path], None], tag: str) -> None:
    text = text_of(write)
    end = f"</{tag}>\n"
    first = text.index({"module": "<module>", "channel": "  <channel "}[tag])
    second = text.index(end) + len(end)
    path.write_text(text[:first] + text[second:])
    with pytest.raises(
        InputFileError, match="1 of 8176 sides are missing, the first is -2_0_0_0_0"
    ):
        READERS[write](path)
    path.write_text(text[:second] + text[first:second] + text[second:])
    with pytest.raises(InputFileError, match="a second block for the side -2_0_0_0_0"):
        READERS[write](path)
    path.write_text(text[:first] + text[text.rindex(end) + len(end) :])
    with pytest.raises(InputFileError, match=f"holds no <{tag}>"):
        READERS[write](path)


def test_content_that_no_file_can_have() -> None:
    good = efficiency_modules()
    with pytest.raises(ValueError, match="4087 serial numbers for 4088 modules"):
        replace(good, serials=SERIALS[1:])
    with pytest.raises(ValueError, match=r"efficiencies have the shape \(4088,\)"):
        EfficiencyModules(**RUN, serials=SERIALS, efficiency=good.efficiency[::2])
    errors = EXAMPLE_8.copy()
    errors[0, 7] = 1
    with pytest.raises(ValueError, match="have no error type, but a count"):
        bytestream_modules(errors)


def test_writing_takes_well_under_a_tenth_of_a_second(path: Path) -> None:
    """Measured 10 to 25 ms; the limit leaves room for a busy machine."""
    for write in (write_efficiency, write_noise, write_errors):
        write(path)
        best = min(_seconds(write, path) for _ in range(3))
        assert best < 0.1, write.__name__


def _seconds(write: Callable[[Path], None], path: Path) -> float:
    start = time.process_time()
    write(path)
    return time.process_time() - start
