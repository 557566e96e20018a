"""The four summaries of layers and rings (algorithms-hist.md 1.5, 2.4, 2.6, 3.4, 4.3, 6.5)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sctcalib.detector.identifiers import wafer_hash
from sctcalib.job.errors import InputFileError, OutputFileError
from sctcalib.parts import efficiency, raw_occupancy
from sctcalib.parts.layer_means import layer_labels
from sctcalib.summary.monitoring_summary import (
    SUMMARY_KINDS,
    MonitoringSummary,
    read_monitoring_summary,
    write_monitoring_summary,
)
from sctcalib.summary.times import standard_time
from tests.summary.hist_examples import HEADER_TEXT, OLD_TIMES, RUN, summary

KINDS = list(SUMMARY_KINDS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "s.xml"


def text_of(path: Path, content: MonitoringSummary) -> str:
    write_monitoring_summary(path, content)
    return path.read_bytes().decode()


def texts(content: MonitoringSummary) -> dict[str, Any]:
    """All content; averages as they are printed."""
    means = {name: [format(x, ".6g") for x in a.tolist()] for name, a in content.means}
    return {**vars(content), "means": means}


def test_bytes_of_the_examples(path: Path) -> None:
    """The frame of 1.5 and the blocks of 2.6: 103 sides with 0.99, one without entries."""
    w = wafer_hash(-2, 8, np.repeat(np.arange(52), 2), 0, np.tile([0, 1], 52))
    mean, entries = np.zeros(8176), np.zeros(8176)
    mean[w[1:]], entries[w[1:]] = 0.99, 1000.0
    found = efficiency.measure(mean, entries, None)
    first = np.where([(x.part, x.layer) == ("EndCapC", 8) for x in layer_labels()], 0.97, 0)
    means = (("meanEff", found.means), ("meanEff_bcid1", first))
    text = text_of(path, MonitoringSummary(**RUN, kind="Efficiency", means=means))
    assert text.startswith(
        HEADER_TEXT
        + """\
  <data>
    <parts>
      <value name="part">EndCapC</value>
      <value name="layer">0</value>
      <value name="eta">0</value>
      <value name="meanEff">0</value>
    </parts>
    <parts>
"""
    )
    assert (
        """\
    <parts>
      <value name="part">EndCapC</value>
      <value name="layer">8</value>
      <value name="eta">0</value>
      <value name="meanEff">0.980481</value>
    </parts>
    <parts>
      <value name="part">EndCapC</value>
      <value name="layer">8</value>
      <value name="eta">0</value>
      <value name="meanEff_bcid1">0.97</value>
    </parts>
"""
        in text
    )
    assert text.endswith("    </parts>\n  </data>\n</run>\n")


def test_side_without_entries_counts_as_zero_in_the_average_also_with_minus_one_elsewhere(
    path: Path,
) -> None:
    """Example 13: the module file has -1, the average does not."""
    mean, entries = np.zeros(8176), np.zeros(8176)
    w = wafer_hash(-2, 8, np.repeat(np.arange(52), 2), 0, np.tile([0, 1], 52))
    mean[w[:-1]], entries[w[:-1]] = 0.99, 1.0
    found = efficiency.measure(mean, entries, None)
    printed = np.where(found.sample_size == 0, efficiency.NO_DATA, found.value)
    assert printed[w[-1]] == -1
    means = (("meanEff", found.means), ("meanEff_bcid1", found.means_first_bcid))
    text = text_of(path, MonitoringSummary(**RUN, kind="Efficiency", means=means))
    assert '<value name="meanEff">0.980481</value>' in text


def test_barrel_has_one_block_per_layer_over_all_eta(path: Path) -> None:
    """Example 3, and the raw occupancies of example 5."""
    value = np.zeros(8176)
    w = np.flatnonzero([n.startswith("0_1_") for n in _names()])
    value[w[:480]], value[w[480:]] = 1, 0.5
    found = efficiency.measure(value, np.ones(8176), None)
    means = (("meanEff", found.means), ("meanEff_bcid1", found.means_first_bcid))
    text = text_of(path, MonitoringSummary(**RUN, kind="Efficiency", means=means))
    place = '<value name="layer">1</value>\n      <value name="eta">all</value>\n'
    assert f'{place}      <value name="meanEff">0.75</value>' in text
    raw = raw_occupancy.measure(np.full(8176, 123456.0), 10000)
    text = text_of(
        path, MonitoringSummary(**RUN, kind="RawOccupancy", means=(("meanRO", raw.means),))
    )
    assert text.count('<value name="meanRO">0.016075</value>') == 48


def _names() -> tuple[str, ...]:
    from sctcalib.detector.identifiers import wafer_names

    return wafer_names()


@pytest.mark.parametrize("kind", KINDS)
def test_number_and_order_of_the_blocks(path: Path, kind: str) -> None:
    """Example 12: 48 blocks, 96 for the efficiency; end cap C, barrel, end cap A."""
    text = text_of(path, summary(kind))
    per_layer = 2 if kind == "Efficiency" else 1
    parts = [line.split(">")[1].split("<")[0] for line in text.splitlines() if '"part"' in line]
    names = ["EndCapC"] * 22 + ["Barrel"] * 4 + ["EndCapA"] * 22
    assert parts == [name for name in names for _ in range(per_layer)]
    assert f'href="{SUMMARY_KINDS[kind].style_sheet}"' in text
    layers = [line.split(">")[1].split("<")[0] for line in text.splitlines() if '"layer"' in line]
    rings = [2, 3, 3, 3, 3, 3, 2, 2, 1]
    disks = [str(disk) for disk, n in enumerate(rings) for _ in range(n)]
    assert layers[::per_layer] == [*disks, "0", "1", "2", "3", *disks]


@pytest.mark.parametrize("kind", KINDS)
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 10**6), unknown=st.booleans())
def test_round_trip(path: Path, kind: str, seed: int, unknown: bool) -> None:
    content = summary(kind, seed)
    if unknown:
        content = replace(content, start="", end="", duration=0, lumi_blocks=0)
    write_monitoring_summary(path, content)
    read = read_monitoring_summary(path)
    assert texts(read) == texts(content)
    before = path.read_bytes()
    write_monitoring_summary(path, read)
    assert path.read_bytes() == before


def test_order_of_the_blocks_does_not_matter_to_the_reader(path: Path) -> None:
    text = text_of(path, summary("Efficiency"))
    head, *blocks = text.split("    <parts>\n")
    blocks[-1], end = blocks[-1].split("  </data>")
    mixed = "    <parts>\n".join([head, *reversed(blocks)]) + "  </data>" + end
    path.write_text(mixed)
    assert texts(read_monitoring_summary(path)) == texts(summary("Efficiency"))


@pytest.mark.parametrize("text", ["nan", "-nan", "inf", "-inf"])
def test_what_cpp_prints_for_no_number_is_read(path: Path, text: str) -> None:
    _change(path, '"meanNO">', f'"meanNO">{text}<')
    assert not np.isfinite(read_monitoring_summary(path).means[0][1][0])


def _change(path: Path, before: str, after: str) -> None:
    text = text_of(path, summary("NoiseOccupancy"))
    at = text.index(before)
    path.write_text(text[:at] + after + text[text.index("<", at + len(before)) + 1 :])


def test_older_times_are_read_as_the_newer_ones(path: Path) -> None:
    """Example 1."""
    text = text_of(path, summary("RawOccupancy"))
    for newer, older in OLD_TIMES.items():
        assert newer in text
        text = text.replace(newer, older)
    path.write_text(text)
    read = read_monitoring_summary(path)
    assert (read.start, read.end) == (RUN["start"], RUN["end"])


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("13/6/2016 10:5:45.0", "2016-06-13_10:05:45.000000000 GMT"),
        ("7/5/2015 12:0:0.0", "2015-05-07_12:00:00.000000000 GMT"),
        ("1/1/1970 0:0:0.0", "1970-01-01_00:00:00.000000000 GMT"),
        ("1/1/1970 0:0:0.25", "1970-01-01_00:00:00.000000025 GMT"),
        ("2015-05-07_12:00:00.000000123 GMT", "2015-05-07_12:00:00.000000123 GMT"),
        ("", ""),
    ],
)
def test_forms_of_a_time(older: str, newer: str) -> None:
    assert standard_time(older) == newer


@pytest.mark.parametrize(
    "text", ["31/6/2016 10:5:45.0", "13/6/2016", "2016-06-13 10:05:45", "noon", "1/1/1970 24:0:0.0"]
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time"):
        standard_time(text)


def block(part: str, layer: str, eta: str, name: str = "meanNO") -> str:
    fields = {"part": part, "layer": layer, "eta": eta, name: "1"}
    lines = "".join(f'      <value name="{n}">{v}</value>\n' for n, v in fields.items())
    return f"    <parts>\n{lines}    </parts>\n"


FIRST = '<value name="eta">0</value>'
BAD = [
    ("<run>", "<Run>", "not well-formed"),
    (">300000<", ">-3<", "line 4: value 'RunNumber': '-3' is negative"),
    ("2016-06-13_10:05:45", "2016-06-13 10:05:45", "line 5: value 'StartTime': .* is not a time"),
    ('  <value name="Events">123456</value>\n', "", "<run> has no value 'Events'"),
    ("  <data>\n", "  <data>\n" + block("EndCapC", "0", "0"), "a second meanNO of EndCapC, layer"),
    ("  <data>\n", "  <data>\n" + block("EndCapC", "0", "2"), "no part 'EndCapC', layer 0"),
    ("  <data>\n", "  <data>\n" + block("EndcapC", "0", "0"), "no part 'EndcapC'"),
    ("  <data>\n", "  <data>\n" + block("Barrel", "0", "0"), "no part 'Barrel', layer 0, eta '0'"),
    ("  <data>\n", "  <data>\n" + block("Barrel", "x", "all"), "value 'layer': 'x' is not a whole"),
    ("  <data>\n", "  <data>\n" + block("Barrel", "0", "all", "mean"), "has none or several"),
    ("<data>", '<data x="1">', "<data> has the unknown attribute 'x'"),
    ("  </data>\n", "  </data>\n  <data></data>\n", "<run> has 2 sections <data>, not one"),
    ('"eta">0<', '"eta">0</value><value name="more"><', "<parts> has the unknown value 'more'"),
    ('"meanNO">', '"meanNO">low', "is not a finite number"),
    ('"meanNO">', '"x">', "has none or several of the values"),
    ("    </parts>\n  </data>", "    </parts>\n x  </data>", "stray text 'x'"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "message"), BAD)
def test_bad_file_is_refused_with_file_and_line(
    path: Path, before: str, after: str, message: str
) -> None:
    text = text_of(path, summary("NoiseOccupancy"))
    assert before in text
    path.write_text(text.replace(before, after, 1))
    with pytest.raises(InputFileError, match=message) as caught:
        read_monitoring_summary(path)
    assert str(caught.value).startswith(str(path))


def test_missing_layer_is_named(path: Path) -> None:
    text = text_of(path, summary("BSErrors"))
    first, last = text.index("    <parts>"), text.index("    <parts>", text.index("</parts>"))
    path.write_text(text[:first] + text[last:])
    with pytest.raises(InputFileError, match="there is no nErrLink of EndCapC, layer 0, eta 0"):
        read_monitoring_summary(path)


def test_one_average_of_an_efficiency_may_not_be_missing(path: Path) -> None:
    text = text_of(path, summary("Efficiency"))
    path.write_text(text.replace("meanEff_bcid1", "meanEff", 1))
    with pytest.raises(InputFileError, match="a second meanEff of EndCapC, layer 0, eta 0"):
        read_monitoring_summary(path)


def _array(size: int) -> NDArray[np.float64]:
    return np.zeros(size)


@pytest.mark.parametrize(
    ("kind", "means", "message"),
    [
        ("Noise", (("meanNO", _array(48)),), "kind 'Noise' is not one of Efficiency"),
        ("RawOccupancy", (("meanNO", _array(48)),), "has the values"),
        ("RawOccupancy", (("meanRO", _array(47)),), r"meanRO has the shape \(47,\)"),
    ],
)
def test_content_that_no_file_can_have(kind: str, means: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MonitoringSummary(**RUN, kind=kind, means=means)


def test_folder_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(OutputFileError, match="cannot be written"):
        write_monitoring_summary(tmp_path / "no" / "s.xml", summary("BSErrors"))
