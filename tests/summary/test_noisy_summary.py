"""BadStripsSummaryFile.xml (algorithms-hitmaps.md 7.2, 7.3; cool-folders.md 8.3 item 4)."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sctcalib.job.errors import InputFileError, OutputFileError
from sctcalib.summary.noisy_summary import (
    NoisyChip,
    NoisyModule,
    NoisySummary,
    fake_summary,
    read_noisy_summary,
    write_noisy_summary,
)
from tests.summary.examples import (
    END,
    FAKE_TEXT,
    MODULE,
    ORIGINAL_SUMMARY_TEXT,
    RUN,
    SERIAL,
    START,
    example_summary,
    with_reference,
)

FAKE = fake_summary(RUN, START, END, 28800, flag_enabled=True, read_cool=False)


def plain(record: object) -> object:
    """All content with lists for arrays, to be compared."""
    if isinstance(record, NoisySummary | NoisyChip | NoisyModule):
        return {field.name: plain(getattr(record, field.name)) for field in fields(record)}
    if isinstance(record, np.ndarray):
        return record.tolist()
    return [plain(item) for item in record] if isinstance(record, tuple) else record


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "BadStripsSummaryFile.xml"


def test_bytes_of_the_example_without_a_reference(path: Path) -> None:
    write_noisy_summary(path, example_summary())
    assert path.read_bytes() == with_reference(ORIGINAL_SUMMARY_TEXT, "").encode()


def test_reference_run_is_the_last_run_value(path: Path) -> None:
    write_noisy_summary(path, example_summary(reference_run=299999))
    assert path.read_bytes() == with_reference(ORIGINAL_SUMMARY_TEXT, "299999").encode()


def test_bytes_of_the_summary_without_events(path: Path) -> None:
    write_noisy_summary(path, FAKE)
    assert path.read_bytes() == FAKE_TEXT.encode()


def test_sections_are_there_even_if_nothing_is_noisy(path: Path) -> None:
    write_noisy_summary(path, replace(example_summary(), noisy_chips=(), noisy_modules=()))
    end = "  <chips>\n  </chips>\n  <modules>\n  </modules>\n</run>\n"
    assert path.read_text().endswith('<value name="ReferenceRun"></value>\n' + end)
    found = read_noisy_summary(path)
    assert (found.noisy_chips, found.noisy_modules) == ((), ())


def test_file_of_the_original_is_read(path: Path) -> None:
    path.write_text(ORIGINAL_SUMMARY_TEXT)
    assert plain(read_noisy_summary(path)) == plain(example_summary())


def test_file_of_the_original_without_events_is_read(path: Path) -> None:
    path.write_text(FAKE_TEXT.replace('  <value name="ReferenceRun"></value>\n', ""))
    assert plain(read_noisy_summary(path)) == plain(FAKE)
    assert read_noisy_summary(path).noisy_modules is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (">1 3-4<", "> 1  3-4 <"),
        (">0-69<", "> 0-69 <"),
        (">1-69<", ">1-30  31-69<"),
        ('<value name="LinkID"></value>', '<value name="LinkID"/>'),
        ('<value name="LinkID"></value>', '<value name="LinkID"> </value>'),
        (START, "1/6/2016 10:0:0.0"),
    ],
)
def test_other_forms_of_the_original_are_read(path: Path, old: str, new: str) -> None:
    path.write_text(ORIGINAL_SUMMARY_TEXT.replace(old, new))
    start = new if old == START else START
    assert plain(read_noisy_summary(path)) == plain(replace(example_summary(), start=start))


def test_links_and_chips_are_not_joined_to_ranges(path: Path) -> None:
    (module,) = example_summary().noisy_modules or ()
    module = replace(module, links=(0, 1), chips=(3, 4, 11))
    write_noisy_summary(path, replace(example_summary(), noisy_modules=(module,)))
    text = path.read_text()
    assert '<value name="LinkID">0 1</value>' in text
    assert '<value name="ChipID">3 4 11</value>' in text
    (found,) = read_noisy_summary(path).noisy_modules or ()
    assert (found.links, found.chips) == ((0, 1), (3, 4, 11))


@pytest.mark.parametrize(
    ("fraction", "text"), [(3 / 480, "0.00625"), (0.75, "0.75"), (0, "0"), (1 / 3, "0.333333")]
)
def test_fraction_of_lumi_blocks_has_six_digits(path: Path, fraction: float, text: str) -> None:
    chip = NoisyChip(SERIAL, MODULE, 0, np.array([1]), fraction)
    write_noisy_summary(path, replace(example_summary(), noisy_chips=(chip,)))
    assert f'<value name="LBFraction">{text}</value>' in path.read_text()


def test_texts_are_escaped(path: Path) -> None:
    odd = "5 < 6 & 7 > 2; \"x\" 'y' \r\n"
    summary = replace(example_summary(), flag_reason=odd, check_list=odd, start="<now>")
    write_noisy_summary(path, summary)
    found = read_noisy_summary(path)
    assert (found.flag_reason, found.check_list, found.start) == (odd, odd, "<now>")


def test_folder_that_does_not_exist_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputFileError, match=r"no/such/file.xml: cannot be written"):
        write_noisy_summary(tmp_path / "no/such/file.xml", FAKE)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"flag": "X"}, "flag 'X' is not one of G, Y, R, U"),
        ({"noisy_chips": None}, "both sections"),
    ],
)
def test_impossible_summary_is_refused(changed: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(example_summary(), **changed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"links": (2,)}, r"links \(2,\) do not ascend within 0-1"),
        ({"links": (1, 0)}, r"links \(1, 0\) do not ascend"),
        ({"chips": (12,)}, r"chips \(12,\) do not ascend within 0-11"),
        ({"chips": (-1,)}, r"chips \(-1,\) do not ascend within 0-11"),
        ({"all": np.array([1536])}, "strip 1536 is outside 0-1535"),
        ({"ref": np.array([9, 2])}, "2 follows 9"),
    ],
)
def test_numbers_that_do_not_exist_are_refused(
    path: Path, changed: dict[str, object], message: str
) -> None:
    (module,) = example_summary().noisy_modules or ()
    module = replace(module, **changed)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=message):
        write_noisy_summary(path, replace(example_summary(), noisy_modules=(module,)))
    assert not path.exists()


@pytest.mark.parametrize("module", [-1, 4088])
def test_module_that_does_not_exist_is_refused(module: int) -> None:
    none = np.array([], dtype=np.int64)
    with pytest.raises(ValueError, match=f"module {module} is outside 0-4087"):
        NoisyModule(SERIAL, module, (), (), none, none, none)
    with pytest.raises(ValueError, match=f"module {module} is outside 0-4087"):
        NoisyChip(SERIAL, module, 0, none, 0.0)


def numbers(end: int) -> st.SearchStrategy[np.ndarray]:
    return st.sets(st.integers(0, end - 1), max_size=12).map(
        lambda found: np.array(sorted(found), dtype=np.int64)
    )


serials = st.one_of(st.just("0"), st.integers(0, 10**9 - 1).map("20220{:09d}".format))
chips = st.builds(
    NoisyChip, serial=serials, module=st.integers(0, 4087), chip=st.integers(0, 11),
    lumi_blocks=numbers(3000), lb_fraction=st.sampled_from([0.0, 0.5, 0.00625, 1.0]),
)  # fmt: skip
modules = st.builds(
    NoisyModule, serial=serials, module=st.integers(0, 4087),
    links=numbers(2).map(lambda x: tuple(x.tolist())),
    chips=numbers(12).map(lambda x: tuple(x.tolist())),
    all=numbers(1536), new=numbers(1536), ref=numbers(1536),
)  # fmt: skip
texts = st.text(st.sampled_from("ab1 <>&;#\"'\n\r\t\u00e9\u20ac"), max_size=20)
naturals = st.integers(0, 10**12)
summaries = st.builds(
    NoisySummary, run=naturals, start=texts, end=texts, duration=st.integers(-(10**6), 10**6),
    lumi_blocks=naturals, events=naturals, modules=naturals, links=naturals, chips=naturals,
    strips_all=naturals, strips_new=naturals, modules_ref=naturals, strips_ref=naturals,
    modules_diff=naturals, flag=st.sampled_from("GYRU"), flag_reason=texts,
    flag_enabled=st.booleans(), read_cool=st.booleans(), check_list=texts,
    reference_run=st.none() | naturals,
    noisy_chips=st.lists(chips, max_size=3, unique_by=lambda c: (c.module, c.chip)).map(tuple),
    noisy_modules=st.lists(modules, max_size=3, unique_by=lambda m: m.module).map(tuple),
)  # fmt: skip


@given(summaries, st.booleans())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_round_trip(path: Path, summary: NoisySummary, empty_run: bool) -> None:
    if empty_run:
        summary = replace(summary, noisy_chips=None, noisy_modules=None)
    write_noisy_summary(path, summary)
    assert plain(read_noisy_summary(path)) == plain(summary)


def test_thousands_of_modules_come_back_in_order(path: Path) -> None:
    """Every module of the detector, with lists that differ from module to module."""
    noisy = tuple(
        NoisyModule(SERIAL, m, (), (), np.arange(m % 7), np.arange(m % 5), np.arange(m % 3))
        for m in range(4088)
    )
    write_noisy_summary(path, replace(example_summary(), noisy_modules=noisy))
    found = read_noisy_summary(path).noisy_modules
    assert plain(found) == plain(noisy)


SUMMARY_TEXT = with_reference(ORIGINAL_SUMMARY_TEXT, "299999")
CHIP = SUMMARY_TEXT.split("<chips>\n")[1].split("  </chips>")[0]
MODULE_BLOCK = SUMMARY_TEXT.split("<modules>\n")[1].split("  </modules>")[0]
CHIPS = f"  <chips>\n{CHIP}  </chips>\n"

BAD_FILES = [
    # what is replaced, by what, line, message
    ("</run>", "", 45, "not well-formed XML"),
    ("<run>", "<!DOCTYPE run><run>", None, "has a document type"),
    ("run>", "runs>", 3, "root element is <runs>"),
    ("<run>", '<run xmlns="http://a.b/c">', 3, "root element is <{http://a.b/c}run>"),
    ("<run>", '<run version="2">', 3, "unknown attribute 'version'"),
    ("<chips>", '<chips n="1">', 24, "unknown attribute 'n'"),
    ("<module>", '<module n="1">', 34, "unknown attribute 'n'"),
    ('  <value name="Events">50000</value>\n', "", 3, "<run> has no value 'Events'"),
    ('name="Events"', 'name="LB"', 9, "<run> has a second value 'LB'"),
    ("<chips>", '<value name="Weather">1</value><chips>', 3, "unknown value 'Weather'"),
    ("<chips>", "<parts/><chips>", 24, "<parts> in <run>, which holds <value> and <chips>"),
    (CHIPS, "", 3, "only one of the sections"),
    (CHIPS, CHIPS * 2, 33, "<run> has a second <chips>"),
    (CHIP, CHIP * 2, 32, "a second <chip> for the same chip"),
    (MODULE_BLOCK, MODULE_BLOCK * 2, 43, "a second <module> for the same module"),
    (">50000<", ">5e4<", 9, "value 'Events': '5e4' is not a whole number"),
    (">50000<", "><", 9, "value 'Events': '' is not a whole number"),
    (">50000<", ">-5<", 9, "value 'Events': '-5' is negative"),
    (">28800<", ">8 h<", 7, "value 'Duration': '8 h' is not a whole number"),
    (">U<", ">B<", 18, "value 'Flag': 'B' is not one of G, Y, R, U"),
    (">ENABLED<", ">yes<", 20, "value 'FlagEnable': 'yes' is not one of ENABLED, DISABLED"),
    (">UNAVAILABLE<", ">NO<", 21, "value 'ReadCool': 'NO' is not one of"),
    (">299999<", ">none<", 23, "value 'ReferenceRun': 'none' is not a whole number"),
    (">1 3-4<", ">1 4-3<", 29, "value 'LB': '4-3' is not within 0-999999"),
    (">1 3-4<", ">1000000<", 29, "value 'LB': '1000000' is not within 0-999999"),
    (">0.00625<", ">-nan<", 30, "value 'LBFraction': '-nan' is not a finite number"),
    ('ChipID">0</value>\n      <value name="LB"', 'ChipID">12</value>\n      <value name="LB"', 28,
     "value 'ChipID': '12' is not a chip 0-11"),
    ('"LinkID"><', '"LinkID">2<', 37, "value 'LinkID': '2' is not within 0-1"),
    ('D">0</value>\n      <value name="Str', 'D">1-12</value>\n      <value name="Str', 38,
     "value 'ChipID': '1-12' is not within 0-11"),
    (">0.3.3.-1<", ">0.3.3.0<", 27, "'0.3.3.0' is not the position bec.layer.phi.eta"),
    (">0.3.3.-1<", ">0_3_3_-1<", 27, "'0_3_3_-1' is not the position"),
    (">1-69<", ">1-1536<", 40, "value 'StripOfflineNew': '1-1536' is not within 0-1535"),
    (">1-69<", ">1..69<", 40, "value 'StripOfflineNew': '1..69' is neither"),
    ("    <module>", "  lost <module>", 33, "stray text 'lost'"),
    ("StripOfflineRef", "StripOfflineOld", 34, "<module> has no value 'StripOfflineRef'"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "message"), BAD_FILES)
def test_bad_file_is_named_with_its_line(
    path: Path, old: str, new: str, line: int | None, message: str
) -> None:
    damaged = SUMMARY_TEXT.replace(old, new)
    assert damaged != SUMMARY_TEXT
    path.write_text(damaged)
    with pytest.raises(InputFileError) as error:
        read_noisy_summary(path)
    assert error.value.code == 74
    assert str(error.value).startswith(str(path))
    assert message in str(error.value)
    if line is not None:
        assert f"line {line}" in str(error.value)
