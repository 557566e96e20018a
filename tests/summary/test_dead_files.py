"""Files of dead and quiet strips and chips, and of trips (algorithms-hitmaps.md 7.4, 7.5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sctcalib.detector.identifiers import module_id32
from sctcalib.job.errors import InputFileError, OutputFileError
from sctcalib.summary.bad_modules import BadModule, read_bad_modules, write_bad_modules
from sctcalib.summary.dead_files import (
    STRIPS_FOLDER,
    DeadChannel,
    of_one_run,
    read_dead_file,
    write_dead_file,
)
from sctcalib.summary.dead_summary import (
    DeadModule,
    DeadSummary,
    read_dead_summary,
    write_dead_summary,
)
from tests.summary.dead_examples import (
    BAD_MODULES_TEXT,
    DEAD_CHIPS_TEXT,
    DEAD_SUMMARY_TEXT,
    bad_module,
    dead_channel,
    dead_chips,
    dead_module,
    dead_summary,
)
from tests.summary.examples import MODULE, RUN, SINCE, UNTIL

SETTINGS = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
TEXTS = st.text(st.sampled_from("ab-<>&\"'\t\n\r é€"), max_size=12)
SERIALS = st.sampled_from(["0", "20220123456789", "20220<&>"])
RUNS = st.lists(st.integers(0, 1535), max_size=6, unique=True).map(sorted)
LISTS = RUNS.map(lambda runs: "  ".join(map(str, runs))) | st.sampled_from(["0-767  768-1535"])


def plain(summary: DeadSummary) -> tuple[object, ...]:
    return tuple(vars(summary).values())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file.xml"


# DeadStripsFile.xml, DeadChipsFile.xml


def test_bytes_of_the_list_of_chips(path: Path) -> None:
    write_dead_file(path, dead_chips(dead_channel()))
    assert path.read_bytes() == DEAD_CHIPS_TEXT.encode()


def test_list_of_strips_differs_in_folder_and_tag(path: Path) -> None:
    channel = dead_channel(threshold=0.5, defects="3-7  100")
    tag = "SctDerivedDeadStrips-003-00"
    write_dead_file(path, of_one_run(RUN, tag, STRIPS_FOLDER, (channel,)))
    expected = DEAD_CHIPS_TEXT.replace("DeadChips", "DeadStrips").replace("1  8-9", "3-7  100")
    assert path.read_text() == expected.replace(">6<", ">0.5<")


def test_list_without_modules_is_the_header_and_the_closing_tag(path: Path) -> None:
    write_dead_file(path, dead_chips())
    assert path.read_text() == DEAD_CHIPS_TEXT.splitlines(keepends=True)[0] + "</channels>\n"
    assert read_dead_file(path).channels == ()


def test_reading_the_list_of_chips(path: Path) -> None:
    path.write_text(DEAD_CHIPS_TEXT)
    file = read_dead_file(path)
    assert file == dead_chips(dead_channel())
    assert (file.run, file.since, file.until) == (RUN, SINCE, UNTIL)
    assert file.channels[0].numbers.tolist() == [1, 8, 9]


def test_lists_with_the_mistakes_of_the_original_are_read_as_they_are(path: Path) -> None:
    lists = ("3-5  3-7", "766-767", "5  5-2")
    channels = tuple(dead_channel(module=i, defects=text) for i, text in enumerate(lists))
    write_dead_file(path, dead_chips(*channels))
    first, second, third = read_dead_file(path).channels
    assert (first.defects, first.numbers.tolist()) == (lists[0], [3, 4, 5, 6, 7])
    assert (second.defects, second.numbers.tolist()) == (lists[1], [766, 767])
    assert third.defects == lists[2]
    with pytest.raises(ValueError, match="'5-2' is not within 0-1535 in ascending order"):
        _ = third.numbers


def test_identifier_of_64_bits_is_read(path: Path) -> None:
    path.write_text(DEAD_CHIPS_TEXT.replace("174172160", "748063731073679360"))
    assert read_dead_file(path).channels[0].module == MODULE


def test_every_module_has_its_32_bit_identifier(path: Path) -> None:
    write_dead_file(path, dead_chips(*(dead_channel(module=m) for m in range(4088))))
    ids = [int(line.split('"')[1]) for line in path.read_text().splitlines() if "<channel " in line]
    assert ids == module_id32().tolist()
    assert [channel.module for channel in read_dead_file(path).channels] == list(range(4088))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"module": 4088}, "module 4088 is outside 0-4087"),
        ({"module": -1}, "module -1 is outside"),
        ({"defects": "1,2"}, "'1,2' is neither a number nor a range"),
    ],
)
def test_channels_that_cannot_be_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dead_channel(**changes)


def test_interval_of_another_run_is_refused() -> None:
    with pytest.raises(ValueError, match="a key of run 300000, not of 300001"):
        replace(dead_chips(), run=300001)


@given(
    st.lists(
        st.builds(
            DeadChannel,
            module=st.integers(0, 4087),
            threshold=st.sampled_from([6.0, 10.0, 0.5, 0.25]),
            defects=LISTS,
            sample_size=st.integers(0, 10**9),
            defect_type=TEXTS,
        ),
        max_size=4,
        unique_by=lambda channel: channel.module,
    ),
    st.integers(0, (1 << 31) - 1),
    TEXTS,
)
@SETTINGS
def test_list_round_trip(path: Path, channels: list[DeadChannel], run: int, tag: str) -> None:
    file = of_one_run(run, tag, STRIPS_FOLDER, tuple(channels))
    write_dead_file(path, file)
    assert read_dead_file(path) == file


# DeadSummaryFile.xml


def test_bytes_of_the_summary(path: Path) -> None:
    write_dead_summary(path, dead_summary())
    assert path.read_bytes() == DEAD_SUMMARY_TEXT.encode()


def test_summary_without_modules(path: Path) -> None:
    write_dead_summary(path, dead_summary(dead_modules=()))
    assert path.read_text().endswith("  <modules>\n  </modules>\n</run>\n")
    assert read_dead_summary(path).dead_modules == ()


def test_reading_the_summary(path: Path) -> None:
    path.write_text(DEAD_SUMMARY_TEXT)
    assert plain(read_dead_summary(path)) == plain(dead_summary())


def test_summary_of_the_newest_original_has_strips_in_the_place_of_chips(path: Path) -> None:
    module = dead_module(links=(), chips="3-5  3-7", strips="3-5  3-7")
    text = DEAD_SUMMARY_TEXT.replace(">6-11<", ">3-5  3-7<").replace(
        '"StripIDOnline"><', '"StripIDOnline">3-5  3-7<'
    )
    path.write_text(text.replace('"LinkID">1<', '"LinkID"><'))
    assert read_dead_summary(path).dead_modules == (module,)


def test_older_form_of_times_is_read(path: Path) -> None:
    path.write_text(
        DEAD_SUMMARY_TEXT.replace("2016-06-01_10:00:00.000000000 GMT", "1/6/2016 10:0:0.0")
    )
    assert read_dead_summary(path).start == "2016-06-01_10:00:00.000000000 GMT"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: dead_summary(flag="Y"), "flag 'Y' is not one of G, R, U"),
        (lambda: dead_module(module=5000), "module 5000 is outside"),
        (lambda: dead_module(links=(1, 0)), r"links \(1, 0\) do not ascend"),
        (lambda: dead_module(chips="a"), "'a' is neither a number nor a range"),
        (lambda: dead_module(strips="3-"), "'3-' is neither a number nor a range"),
    ],
)
def test_summaries_that_cannot_be_are_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@given(
    st.builds(
        dead_summary,
        run=st.integers(0, 2**31 - 1),
        lumi_blocks=st.integers(0, 5000),
        events=st.integers(0, 10**9),
        modules=st.integers(0, 4088),
        links=st.integers(0, 8176),
        chips=st.integers(0, 49056),
        strips=st.integers(0, 6279168),
        flag=st.sampled_from("GRU"),
        flag_reason=TEXTS,
        flag_enabled=st.booleans(),
        check_list=TEXTS,
        dead_modules=st.lists(
            st.builds(
                DeadModule,
                serial=SERIALS,
                module=st.integers(0, 4087),
                links=st.sampled_from([(), (0,), (1,), (0, 1)]),
                chips=LISTS,
                strips=LISTS,
            ),
            max_size=4,
            unique_by=lambda module: module.module,
        ).map(tuple),
    )
)
@SETTINGS
def test_summary_round_trip(path: Path, summary: DeadSummary) -> None:
    write_dead_summary(path, summary)
    assert plain(read_dead_summary(path)) == plain(summary)


# BadModulesFile.xml


def test_bytes_of_the_trips(path: Path) -> None:
    write_bad_modules(path, [bad_module()])
    assert path.read_bytes() == BAD_MODULES_TEXT.encode()


def test_bytes_without_trips(path: Path) -> None:
    write_bad_modules(path, [])
    assert path.read_bytes() == (
        b'<?xml version="1.0" encoding="UTF-8"?> \n\n<modules></modules>\n'
    )
    assert read_bad_modules(path) == ()


def test_reading_the_trips(path: Path) -> None:
    path.write_text(BAD_MODULES_TEXT)
    assert read_bad_modules(path) == (bad_module(),)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"end": 0}, "the interval 1464775185-0 s, lumi blocks 0-0, ends before it starts"),
        ({"first_lb": 2, "last_lb": 1}, "lumi blocks 2-1, ends before"),
        ({"module": 4088}, "module 4088 is outside"),
    ],
)
def test_intervals_that_cannot_be_are_refused(changes: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bad_module(**changes)


@given(
    st.lists(
        st.tuples(SERIALS, *(st.integers(0, end) for end in (4087, 2**31, 10**6, 5000, 5000))).map(
            lambda row: BadModule(*row[:3], row[2] + row[3], row[4], row[4] + row[5])
        ),
        max_size=5,
    )
)
@SETTINGS
def test_trips_round_trip(path: Path, intervals: list[BadModule]) -> None:
    write_bad_modules(path, intervals)
    assert [astuple(each) for each in read_bad_modules(path)] == [*map(astuple, intervals)]


# Bad files

CHANNEL = DEAD_CHIPS_TEXT.split(">\n", 1)[1].removesuffix("</channels>\n")
BLOCK = DEAD_SUMMARY_TEXT.split("<modules>\n")[1].split("  </modules>")[0]
READERS: dict[str, Callable[[Path], object]] = {
    DEAD_CHIPS_TEXT: read_dead_file,
    DEAD_SUMMARY_TEXT: read_dead_summary,
    BAD_MODULES_TEXT: read_bad_modules,
}

BAD_FILES = [
    # text, what is replaced, by what, line, message
    (DEAD_CHIPS_TEXT, DEAD_CHIPS_TEXT, "", None, "not well-formed XML"),
    (DEAD_CHIPS_TEXT, "channels", "run", 1, "the root element is <run>"),
    (DEAD_CHIPS_TEXT, ' version="multi"', "", 1, "has no attribute 'version'"),
    (DEAD_CHIPS_TEXT, str(UNTIL), "0", 1, "ends at 0, not after"),
    (DEAD_CHIPS_TEXT, CHANNEL, CHANNEL * 2, 12, "a second <channel>"),
    (DEAD_CHIPS_TEXT, "174172160", "174172161", 2, "is not the identifier of an SCT module"),
    (DEAD_CHIPS_TEXT, '"Phi">3<', '"Phi">4<', 7, "value 'Phi': '4', but channel id"),
    (DEAD_CHIPS_TEXT, "8-9", "8-", 10, "'8-' is neither a number nor a range"),
    (DEAD_CHIPS_TEXT, ">6<", ">six<", 9, "'six' is not a finite number"),
    (DEAD_CHIPS_TEXT, '"Threshold"', '"Limit"', 2, "has no value 'Threshold'"),
    (DEAD_SUMMARY_TEXT, "run>", "ran>", 3, "the root element is <ran>"),
    (DEAD_SUMMARY_TEXT, ">G<", ">Y<", 14, "value 'Flag': 'Y' is not one of G, R, U"),
    (DEAD_SUMMARY_TEXT, ">ENABLED<", ">on<", 16, "'on' is not one of ENABLED, DISABLED"),
    (DEAD_SUMMARY_TEXT, ">10000<", ">-1<", 9, "value 'Events': '-1' is negative"),
    (DEAD_SUMMARY_TEXT, '"Strips"', '"Strip"', 3, "<run> has no value 'Strips'"),
    (DEAD_SUMMARY_TEXT, BLOCK, BLOCK * 2, 32, "a second <module> for the same module"),
    (DEAD_SUMMARY_TEXT, BLOCK, "<chip/>", 19, "<chip> in <modules>, which holds <module>"),
    (DEAD_SUMMARY_TEXT, "0.3.3.-1", "0.3.3.0", 23, "'0.3.3.0' is not the position"),
    (DEAD_SUMMARY_TEXT, '"LinkID">1<', '"LinkID">2<', 25, "'2' is not within 0-1"),
    (DEAD_SUMMARY_TEXT, ">6-11<", ">6..11<", 27, "value 'ChipID': '6..11' is neither"),
    (DEAD_SUMMARY_TEXT, "<module>", '<module id="1">', 20, "unknown attribute 'id'"),
    (DEAD_SUMMARY_TEXT, "2016-06-01_10", "2016-13-01_10", 5, "is not a time"),
    (BAD_MODULES_TEXT, "modules>", "intervals>", 3, "the root element is <intervals>"),
    (BAD_MODULES_TEXT, ">1464775205<", ">1464775184<", 4, "ends before it starts"),
    (BAD_MODULES_TEXT, ">1464775205<", ">soon<", 11, "value 'EndTime': 'soon' is not a whole"),
    (BAD_MODULES_TEXT, '"StartLBN">0', '"StartLBN">-1', 13, "'-1' is negative"),
    (BAD_MODULES_TEXT, "0.3.3.-1", "3.3.-1", 7, "'3.3.-1' is not the position"),
    (BAD_MODULES_TEXT, '"SN"', '"Serial"', 4, "<module> has no value 'SN'"),
    (BAD_MODULES_TEXT, "<module>", "<module>stray", 4, "stray text 'stray'"),
]


@pytest.mark.parametrize(("text", "old", "new", "line", "message"), BAD_FILES)
def test_bad_file_is_named_with_its_line(
    path: Path, text: str, old: str, new: str, line: int | None, message: str
) -> None:
    damaged = text.replace(old, new)
    assert damaged != text
    path.write_text(damaged)
    with pytest.raises(InputFileError, match=message) as error:
        READERS[text](path)
    assert error.value.code == 74
    assert str(error.value).startswith(str(path))
    if line is not None:
        assert f"line {line}:" in str(error.value)


def test_folder_that_does_not_exist_is_an_output_error(tmp_path: Path) -> None:
    nowhere = tmp_path / "no/such.xml"
    for write in (
        lambda: write_dead_file(nowhere, dead_chips()),
        lambda: write_dead_summary(nowhere, dead_summary()),
        lambda: write_bad_modules(nowhere, []),
    ):
        with pytest.raises(OutputFileError, match=r"no/such\.xml: cannot be written"):
            write()
