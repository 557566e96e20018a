"""LorentzAngleSummaryFile.xml and LorentzAngleFile.xml (algorithms-hist.md 5.3 to 5.5)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from sctcalib.job.errors import InputFileError
from sctcalib.parts.lorentz_angle import NOT_FITTED, Profile, fit
from sctcalib.summary.lorentz_angle_files import (
    LorentzAngleFile,
    LorentzSummary,
    read_lorentz_file,
    read_lorentz_summary,
    write_lorentz_file,
    write_lorentz_summary,
)
from sctcalib.summary.lorentz_records import (
    PROFILES,
    LorentzRecord,
    lorentz_flag,
    lorentz_records,
)
from tests.summary.hist_examples import (
    HEADER_TEXT,
    LORENTZ_FOLDER_TEXT,
    LORENTZ_PART_TEXT,
    OURS,
    RUN,
    fits,
    lorentz_file,
    lorentz_summary,
)

EXAMPLE = LorentzRecord(
    0, 0, 100, angle=-3.9, min_width=1.14215, chi2=98.1, converged=True, attempts=1,
    angle_error=0.03, a=1.2, a_error=0.11, b=1.1, b_error=0.01, sigma=2.5, sigma_error=0.4,
    min_width_error=1.1871,
)  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "l.xml"


def with_example(records: tuple[LorentzRecord, ...]) -> tuple[LorentzRecord, ...]:
    return (EXAMPLE, *records[1:])


def summary_text(path: Path, *failed: int) -> str:
    write_lorentz_summary(path, lorentz_summary(*failed))
    return path.read_text()


def file_text(path: Path) -> str:
    write_lorentz_file(path, lorentz_file())
    return path.read_text()


# The summary


def test_bytes_of_the_summary_example(path: Path) -> None:
    content = lorentz_summary()
    write_lorentz_summary(path, replace(content, records=with_example(content.records)))
    text = path.read_bytes().decode()
    header = HEADER_TEXT.replace("EfficiencyInfo", "LorentzAngleInfo")
    block = LORENTZ_PART_TEXT.replace("    </parts>\n", OURS + "    </parts>\n")
    assert text.startswith(f'{header}  <value name="Flag">G</value>\n  <data>\n{block}')
    assert text.endswith("    </parts>\n  </data>\n</run>\n")
    assert text.count("<parts>") == 16


def test_original_has_neither_attempts_nor_chi_square(path: Path) -> None:
    records = tuple(replace(r, attempts=None, chi2=None) for r in lorentz_summary().records)
    write_lorentz_summary(path, replace(lorentz_summary(), records=with_example(records)))
    text = path.read_text().replace(OURS, "", 1)
    assert f"  <data>\n{LORENTZ_PART_TEXT}" in text
    path.write_text(text)
    read = read_lorentz_summary(path)
    assert {(r.attempts, r.chi2) for r in read.records} == {(None, None)}
    assert (read.records[0].angle, read.records[0].min_width) == (-3.9, 1.14215)


def test_empty_profiles_are_red_with_the_start_values(path: Path) -> None:
    """Example 11; layer 1 has no <100> modules and does not count."""
    nothing = np.zeros(3)
    empty = fit(Profile(nothing, nothing, nothing, nothing))
    all_fits = [NOT_FITTED if (la, kind) == (1, 100) else empty for la, _, kind in PROFILES]
    records = lorentz_records(all_fits)
    assert lorentz_flag(records) == "R"
    write_lorentz_summary(path, LorentzSummary(**RUN, flag="R", records=records))
    blocks = path.read_text().split("<parts>\n")[1:]
    assert (
        '<value name="lorentzAngle">-5</value>\n  <value name="minClusterWidth">1.1582<'
        in blocks[0]
    )
    assert (
        '"Fit">0</value>\n  <value name="Attempts">3</value>\n  <value name="chisq">0<' in blocks[0]
    )
    assert '"lorentzAngle">0</value>\n  <value name="minClusterWidth">0<' in blocks[4]
    assert (
        '"Fit">0</value>\n  <value name="Attempts">0</value>\n  <value name="chisq">0<' in blocks[4]
    )
    write_lorentz_file(path, LorentzAngleFile(records))
    first = path.read_text().split("</folderDefinition>")[0]
    assert '"minClusterWidth">1.1582<' in first
    assert '"err_minClusterWidth">1.21775<' in first


@pytest.mark.parametrize(
    ("failed", "flag"), [((), "G"), ((0,), "R"), ((15,), "R"), ((4, 6), "G"), (range(16), "R")]
)
def test_flag_is_green_if_the_fourteen_fits_converged(failed: tuple[int, ...], flag: str) -> None:
    """Indices 4 and 6 are layer 1, <100>: not fitted."""
    assert lorentz_flag(lorentz_records(fits(*failed))) == flag


def test_blocks_go_by_layer_side_and_type(path: Path) -> None:
    root = etree.fromstring(summary_text(path).encode())
    places = [
        tuple(int(part.findtext(f"value[@name='{n}']")) for n in ("layer", "Side", "Module"))
        for part in root.findall("data/parts")
    ]
    assert places == [(la, s, t) for la in range(4) for s in (0, 1) for t in (100, 111)]


# The file


def test_bytes_of_the_file_example_but_for_the_open_element(path: Path) -> None:
    write_lorentz_file(path, LorentzAngleFile(with_example(lorentz_file().records)))
    text = path.read_bytes().decode()
    closed = LORENTZ_FOLDER_TEXT.replace('clid="1238547719">', 'clid="1238547719" />')
    assert text.startswith(f"<folder>\n{closed}<folderDefinition ")
    assert text.endswith("</folderDefinition>\n</folder>\n")
    root = etree.fromstring(text.encode())
    assert len(root.findall("folderDefinition")) == 16


def test_file_of_the_original_is_read_though_it_is_not_xml(path: Path) -> None:
    write_lorentz_file(path, LorentzAngleFile(with_example(lorentz_file().records)))
    text = path.read_text().replace('clid="1238547719" />', 'clid="1238547719">')
    assert text.startswith("<folder>\n" + LORENTZ_FOLDER_TEXT)
    with pytest.raises(etree.XMLSyntaxError):
        etree.fromstring(text.encode())
    path.write_text(text)
    assert read_lorentz_file(path).records[0] == replace(EXAMPLE, converged=None, attempts=None)


def test_record_without_numbers_is_not_written(path: Path) -> None:
    summary_text(path)
    records = read_lorentz_summary(path).records
    with pytest.raises(ValueError, match="the record of layer 0, side 0 has no angle_error"):
        write_lorentz_file(path, LorentzAngleFile(records))


# Both


REALS = st.floats(width=32)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(numbers=st.lists(REALS, min_size=11, max_size=11), failed=st.sets(st.integers(0, 15)))
def test_round_trips(path: Path, numbers: list[float], failed: set[int]) -> None:
    """Any numbers of single precision, also those that are none."""
    records = list(lorentz_records(fits(*failed)))
    keys = [
        k
        for k in vars(EXAMPLE)
        if k not in ("layer", "side", "module_type", "converged", "attempts")
    ]
    records[3] = replace(records[3], **dict(zip(keys, numbers, strict=True)))
    content = LorentzSummary(**RUN, flag="R", records=tuple(records))
    write_lorentz_summary(path, content)
    text = path.read_text()
    read = read_lorentz_summary(path)
    write_lorentz_summary(path, read)
    assert path.read_text() == text
    outcomes = [(r.converged, r.attempts) for r in records]
    assert [(r.converged, r.attempts) for r in read.records] == outcomes
    write_lorentz_file(path, LorentzAngleFile(tuple(records)))
    text = path.read_text()
    write_lorentz_file(path, read_lorentz_file(path))
    assert path.read_text() == text


def test_numbers_come_back(path: Path) -> None:
    summary_text(path, 3)
    read = read_lorentz_summary(path)
    for record, original in zip(read.records, lorentz_summary(3).records, strict=True):
        assert record.angle == pytest.approx(original.angle, rel=1e-5)
        assert record.chi2 == pytest.approx(original.chi2, rel=1e-5)
        assert record.converged is original.converged
    file_text(path)
    for record, original in zip(
        read_lorentz_file(path).records, lorentz_file().records, strict=True
    ):
        ours, theirs = vars(record), vars(original)
        assert all(
            ours[key] == pytest.approx(theirs[key], rel=1e-5)
            for key in ours
            if key not in ("converged", "attempts")
        )


def test_number_beyond_single_precision_is_infinite(path: Path) -> None:
    broken = replace(fits()[0], chi2=1e300)
    write_lorentz_file(path, LorentzAngleFile(lorentz_records([broken, *fits()[1:]])))
    assert '"chisq">inf<' in path.read_text()
    assert read_lorentz_file(path).records[0].chi2 == float("inf")


BAD_SUMMARY = [
    (">G<", ">Y<", "value 'Flag': 'Y' is not one of G, R"),
    ('  <value name="Flag">G</value>\n', "", "<run> has no value 'Flag'"),
    (">Barrel<", ">EndCapC<", "value 'part': 'EndCapC' is not one of Barrel"),
    ('"layer">0<', '"layer">4<', "value 'layer': '4' is not one of 0, 1, 2, 3"),
    ('"Side">0<', '"Side">2<', "value 'Side': '2' is not one of 0, 1"),
    ('"Module">100<', '"Module">101<', "value 'Module': '101' is not one of 100, 111"),
    ('"Module">100<', '"Module">111<', r"a second block for layer, side and orientation \(0, 0, 1"),
    ('"lorentzAngle">', '"lorentzAngle">x', "value 'lorentzAngle': 'x"),
    ('"Fit">1<', '"Fit">2<', "value 'Fit': '2' is not one of 0, 1"),
    ('"Attempts">1<', '"Attempts">4<', "value 'Attempts': '4' is not one of 0, 1, 2, 3"),
    ('  <value name="Fit">1</value>\n', "", "<parts> has no value 'Fit'"),
    ('"chisq"', '"chi2"', "<parts> has the unknown value 'chi2'"),
]  # fmt: skip
BAD_FILE = [
    ("folder>", "run>", "the root element is <run>, not <folder>"),
    ("Run2_v2", "Run2_v1", "the blocks belong to different folders"),
    ('name="0_0 "', 'name="0-0"', "name '0-0' is not <layer>_<side>"),
    ('name="0_0 "', 'name="0_1 "', r"a second block for layer, side and orientation \(0, 1, 100"),
    ('"moduleType">100<', '"moduleType">10<', "value 'moduleType': '10' is not one of 100, 111"),
    ('"chisq">', '"chisq">--', "value 'chisq': '--98.1' is not a finite number"),
    ('payloadType name="err_a"', 'payloadType name="err"', "has no value 'err_a'"),
    ("  </folderDescription>\n", "  </folderDescription>\n  <folderDescription/>\n", "not exactly"),
    ("</payloadType>\n", "</payloadType>x\n", "stray text 'x'"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "message"), BAD_SUMMARY)
def test_bad_summary_is_refused(path: Path, before: str, after: str, message: str) -> None:
    text = summary_text(path)
    assert before in text
    path.write_text(text.replace(before, after, 1))
    with pytest.raises(InputFileError, match=message) as caught:
        read_lorentz_summary(path)
    assert str(caught.value).startswith(f"{path}, line ")


@pytest.mark.parametrize(("before", "after", "message"), BAD_FILE)
def test_bad_file_is_refused(path: Path, before: str, after: str, message: str) -> None:
    text = file_text(path)
    assert before in text
    path.write_text(text.replace(before, after, 2 if before == "folder>" else 1))
    with pytest.raises(InputFileError, match=message) as caught:
        read_lorentz_file(path)
    assert str(caught.value).startswith(f"{path}, line ")


def test_block_that_is_missing_is_named(path: Path) -> None:
    text = file_text(path)
    end = "</folderDefinition>\n"
    path.write_text("<folder>\n" + text[text.index(end) + len(end) :])
    with pytest.raises(
        InputFileError, match=r"no block for layer, side and orientation \(0, 0, 100"
    ):
        read_lorentz_file(path)


def test_content_that_no_file_can_have() -> None:
    records = lorentz_file().records
    with pytest.raises(ValueError, match="the 15 records are not those of the 16 profiles"):
        LorentzAngleFile(records[1:])
    with pytest.raises(ValueError, match="flag 'Y' is not one of G, R"):
        replace(lorentz_summary(), flag="Y")
    with pytest.raises(ValueError, match="layer 4, side 0, orientation 100 is not one of"):
        replace(EXAMPLE, layer=4)
    with pytest.raises(ValueError, match="shorter than argument"):
        lorentz_records(fits()[:15])
