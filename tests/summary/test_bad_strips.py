"""BadStripsAllFile.xml and BadStripsNewFile.xml (algorithms-hitmaps.md 7.1)."""

from __future__ import annotations

from dataclasses import astuple, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sctcalib.detector.identifiers import module_id32
from sctcalib.job.errors import InputFileError, OutputFileError
from sctcalib.summary.bad_strips import (
    BadStripsChannel,
    BadStripsFile,
    read_bad_strips,
    write_bad_strips,
)
from tests.summary.examples import (
    BAD_STRIPS_TEXT,
    MODULE,
    RUN,
    SINCE,
    TAG,
    UNTIL,
    bad_strips,
    example_channel,
)


def plain(file: BadStripsFile) -> tuple[object, ...]:
    """All content with lists for arrays, to be compared."""
    channels = [(c.module, c.threshold, c.strips.tolist(), c.sample_size, c.defect_type)
                for c in file.channels]  # fmt: skip
    return (*astuple(replace(file, channels=())), channels)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "BadStripsAllFile.xml"


def test_bytes_of_the_example(path: Path) -> None:
    write_bad_strips(path, bad_strips(example_channel()))
    assert path.read_bytes() == BAD_STRIPS_TEXT.encode()


def test_empty_list_is_the_header_and_the_closing_tag(path: Path) -> None:
    write_bad_strips(path, bad_strips())
    header = BAD_STRIPS_TEXT.splitlines(keepends=True)[0]
    assert path.read_bytes() == (header + "</channels>\n").encode()
    assert read_bad_strips(path).channels == ()


def test_reading_the_example(path: Path) -> None:
    path.write_text(BAD_STRIPS_TEXT)
    file = read_bad_strips(path)
    assert (file.run, file.since, file.until, file.tag) == (RUN, SINCE, UNTIL, TAG)
    assert file.folder == "SCT/Derived/Monitoring"
    assert (file.server, file.schema, file.dbname) == (
        "ATLAS_COOLPROD", "ATLAS_COOLOFL_SCT", "CONDBR2",
    )  # fmt: skip
    (channel,) = file.channels
    assert channel.module == MODULE
    assert channel.strips.tolist() == [5, 10, 11, 12, 768]
    assert (channel.threshold, channel.sample_size, channel.defect_type) == (0.015, 10000, "NOISY")


@pytest.mark.parametrize(
    "text", ["5  10-12  768", " 5  10-12  768 ", "\t5 10-12\n768 ", "768 12 11 10 5"]
)
def test_every_form_of_a_list_is_read(path: Path, text: str) -> None:
    path.write_text(BAD_STRIPS_TEXT.replace("5 10-12 768", text))
    assert read_bad_strips(path).channels[0].strips.tolist() == [5, 10, 11, 12, 768]


def test_identifier_of_32_bits_is_read(path: Path) -> None:
    path.write_text(BAD_STRIPS_TEXT.replace("748063731073679360", "174172160"))
    assert read_bad_strips(path).channels[0].module == MODULE


def test_declaration_comments_and_style_sheet_do_not_disturb(path: Path) -> None:
    text = BAD_STRIPS_TEXT.replace(">5 10-12", "><!-- a -->5 <!-- b -->10-12")
    path.write_text(f'<?xml version="1.0"?><?xml-stylesheet href="x.xsl"?><!-- c -->{text}')
    assert read_bad_strips(path).channels[0].strips.tolist() == [5, 10, 11, 12, 768]


@pytest.mark.parametrize(
    ("threshold", "text"),
    [(0.015, "0.015"), (1.5e-3, "0.0015"), (1e-5, "1e-05"), (6.0, "6"), (1 / 3, "0.333333")],
)
def test_threshold_is_printed_as_a_float_with_six_digits(
    path: Path, threshold: float, text: str
) -> None:
    write_bad_strips(path, bad_strips(replace(example_channel(), threshold=threshold)))
    assert f'<value name="Threshold">{text}</value>' in path.read_text()
    assert read_bad_strips(path).channels[0].threshold == float(text)


def test_open_interval_is_written_and_read(path: Path) -> None:
    write_bad_strips(path, replace(bad_strips(example_channel()), until=(1 << 63) - 1))
    assert path.read_text().count('until="9223372036854775807"') == 2
    assert read_bad_strips(path).until == (1 << 63) - 1


def test_special_characters_are_escaped(path: Path) -> None:
    odd = "a<b>&\"c'\td\ne\r\u00e9"
    channel = replace(example_channel(), defect_type=odd)
    write_bad_strips(path, replace(bad_strips(channel), tag=odd, folder=odd))
    file = read_bad_strips(path)
    assert (file.tag, file.folder, file.channels[0].defect_type) == (odd, odd, odd)


def test_character_that_xml_cannot_hold_is_refused(path: Path) -> None:
    with pytest.raises(OutputFileError, match=r"'a\\x01b' cannot be written to XML"):
        write_bad_strips(path, replace(bad_strips(), tag="a\x01b"))
    assert not path.exists()


def test_folder_that_does_not_exist_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputFileError, match=r"no/such/file.xml: cannot be written"):
        write_bad_strips(tmp_path / "no/such/file.xml", bad_strips())


@pytest.mark.parametrize(
    ("strips", "message"),
    [([1536], "strip 1536 is outside 0-1535"), ([5, 5], "5 follows 5"), ([-1], "negative")],
)
def test_strips_that_do_not_exist_are_refused(path: Path, strips: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        write_bad_strips(path, bad_strips(replace(example_channel(), strips=np.array(strips))))
    assert not path.exists()


@pytest.mark.parametrize("module", [-1, 4088])
def test_module_that_does_not_exist_is_refused(module: int) -> None:
    with pytest.raises(ValueError, match=f"module {module} is outside 0-4087"):
        replace(example_channel(), module=module)


def test_interval_of_another_run_is_refused() -> None:
    with pytest.raises(ValueError, match="a key of run 300000, not of 300001"):
        replace(bad_strips(), run=300001)


channels = st.builds(
    BadStripsChannel,
    module=st.integers(0, 4087),
    threshold=st.sampled_from([0.015, 0.0015, 1e-5, 0.5, 1.0, 6.0]),
    strips=st.sets(st.integers(0, 1535), max_size=40).map(lambda s: np.array(sorted(s), dtype=int)),
    sample_size=st.integers(0, 10**9),
    defect_type=st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"])),
)


@given(
    st.lists(channels, max_size=5, unique_by=lambda channel: channel.module),
    st.integers(0, (1 << 31) - 1),
    st.text(st.sampled_from("ab-<>&\"'\t\n\r \u00e9\u20ac\U0001f600"), max_size=20),
)
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_round_trip(path: Path, found: list[BadStripsChannel], run: int, tag: str) -> None:
    since = run << 32
    file = BadStripsFile(run, since, since + 0xFFFFFFFF, tag, tuple(found))
    write_bad_strips(path, file)
    assert plain(read_bad_strips(path)) == plain(file)


def test_every_module_has_its_64_bit_identifier(path: Path) -> None:
    one = np.array([0])
    every = tuple(BadStripsChannel(module, 0.015, one) for module in range(4088))
    write_bad_strips(path, bad_strips(*every))
    ids = [int(line.split('"')[1]) for line in path.read_text().splitlines() if "<channel " in line]
    assert ids == [int(identifier) << 32 for identifier in module_id32()]
    assert [channel.module for channel in read_bad_strips(path).channels] == list(range(4088))


CHANNEL = BAD_STRIPS_TEXT.split(">\n", 1)[1].split("</channels>")[0]

BAD_FILES = [
    # what is replaced, by what, line, message
    (BAD_STRIPS_TEXT, "", None, "not well-formed XML"),
    (BAD_STRIPS_TEXT, "ROOT\x00binary", None, "not well-formed XML"),
    ("</channels>\n", "", 12, "not well-formed XML: .*line 12"),
    ("<channels ", "<!DOCTYPE channels><channels ", None, "has a document type"),
    ("<channels ", '<!DOCTYPE c [<!ENTITY x "1">]><channels ', None, "has a document type"),
    ("</value>", "&x;</value>", 3, "not well-formed XML"),
    ("channels", "run", 1, "root element is <run>"),
    ('"multi"', '"single"', 1, "version is 'single'"),
    (' version="multi"', "", 1, "<channels> has no attribute 'version'"),
    (' version="multi"', ' version="multi" owner="x"', 1, "unknown attribute 'owner'"),
    (' version="multi">\n', ' version="multi">\nstray', 1, "stray text 'stray'"),
    (str(SINCE), "-1", 1, "since or until of <channels>: '-1' is negative"),
    (str(SINCE), "soon", 1, "'soon' is not a whole number"),
    (str(SINCE), "1_0", 1, "'1_0' is not a whole number"),
    (str(UNTIL), str(SINCE), 1, "ends at 1288490188800000, not after"),
    (CHANNEL, CHANNEL * 2, 12, "a second <channel>"),
    (CHANNEL, CHANNEL + CHANNEL.replace("748063731073679360", "174172160"), 12, "a second"),
    ("  <channel id", "  <chip/><channel id", 2, "<chip> in <channels>, which holds <channel>"),
    ('60" since="12', '60" since="11', 2, "differs from that of the file"),
    ("748063731073679360", "748063731073679361", 2, "'748063731073679361' is not the identifier"),
    ("748063731073679360", "748068129120190464", 2, "is not the identifier of an SCT module"),
    ("748063731073679360", "0x0a61a80000000000", 2, "is not the identifier of an SCT module"),
    ('"Eta">-1<', '"Eta">1<', 6, "value 'Eta': '1', but channel id 748063731073679360 .* at -1"),
    ('"Layer">3<', '"Layer">three<', 5, "value 'Layer': 'three' is not a whole number"),
    ('>10000<', '>-1<', 3, "value 'SampleSize': '-1' is negative"),
    (">0.015<", ">nan<", 9, "value 'Threshold': 'nan' is not a finite number"),
    (">0.015<", ">1e999<", 9, "value 'Threshold': '1e999' is not a finite number"),
    (">0.015<", "><", 9, "value 'Threshold': '' is not a finite number"),
    ("768<", "1536<", 10, "value 'DefectList': '1536' is not within 0-1535"),
    ("10-12", "12-10", 10, "value 'DefectList': '12-10' is not within"),
    ("10-12", "10-x", 10, "value 'DefectList': '10-x' is neither a number nor a range"),
    ("10-12", "<b>10-12</b>", 10, "value 'DefectList' holds <b> instead of text"),
    ('name="Phi"', 'name="Eta"', 7, "<channel> has a second value 'Eta'"),
    ('name="Phi"', 'name="Chi"', 2, "<channel> has no value 'Phi'"),
    ("  </channel>", '<value name="SN">1</value></channel>', 2, "unknown value 'SN'"),
    ('<value name="Phi"', '<value id="Phi"', 7, "<value> has no attribute 'name'"),
    ('<value name="Phi">3</value>', "<value>3</value>", 7, "<value> has no attribute 'name'"),
    ('    <value name="Phi"', '  x  <value name="Phi"', 2, "stray text 'x'"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "message"), BAD_FILES)
def test_bad_file_is_named_with_its_line(
    path: Path, old: str, new: str, line: int | None, message: str
) -> None:
    damaged = BAD_STRIPS_TEXT.replace(old, new)
    assert damaged != BAD_STRIPS_TEXT
    path.write_text(damaged)
    with pytest.raises(InputFileError, match=message) as error:
        read_bad_strips(path)
    assert error.value.code == 74
    assert str(error.value).startswith(str(path))
    if line is not None:
        assert f"line {line}" in str(error.value)


def test_missing_file_and_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match=r"none\.xml: cannot be read: No such file"):
        read_bad_strips(tmp_path / "none.xml")
    with pytest.raises(InputFileError, match="cannot be read: Is a directory"):
        read_bad_strips(tmp_path)


def test_entities_are_neither_expanded_nor_fetched(path: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("5 6 7")
    bombs = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 30))
    for declarations in (f'<!ENTITY x SYSTEM "{secret}">', f'<!ENTITY e0 "5">{bombs}'):
        path.write_text(f"<!DOCTYPE channels [{declarations}]>{BAD_STRIPS_TEXT}")
        with pytest.raises(InputFileError, match="has a document type"):
            read_bad_strips(path)


def test_line_numbers_beyond_16_bits_are_right(path: Path) -> None:
    text = BAD_STRIPS_TEXT.replace("10-12", "12-10")
    path.write_text("\n" * 100_000 + text)
    with pytest.raises(InputFileError, match="line 100010: value 'DefectList'"):
        read_bad_strips(path)
