"""NoisyLBSummaryFile.xml (algorithms-hitmaps.md 3.8)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sctcalib.job.errors import InputFileError, OutputFileError
from sctcalib.summary.noisy_lb_summary import (
    LumiBlock,
    NoisyChip,
    NoisyLbSummary,
    read_noisy_lb_summary,
    write_noisy_lb_summary,
)
from tests.summary.dead_examples import NOISY_LB_TEXT, lumi_block, noisy_chip, noisy_lb_summary


def plain(summary: NoisyLbSummary) -> dict[str, Any]:
    """All content with lists for arrays, to be compared."""
    chips = [{**vars(c), "lumi_blocks": c.lumi_blocks.tolist()} for c in summary.chip_rows]
    return {**vars(summary), "noisy": summary.noisy.tolist(), "chip_rows": chips}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "NoisyLBSummaryFile.xml"


def test_bytes_of_the_example(path: Path) -> None:
    write_noisy_lb_summary(path, noisy_lb_summary())
    assert path.read_bytes() == NOISY_LB_TEXT.encode()


def test_reading_the_example(path: Path) -> None:
    path.write_text(NOISY_LB_TEXT)
    block = lumi_block(occupancy=1.54479e-07, chip_fraction=2.03849e-05)
    expected = noisy_lb_summary(lumi_block_rows=(block,))
    assert plain(read_noisy_lb_summary(path)) == plain(expected)


def test_noisy_lumi_blocks_are_a_list_in_the_normalised_form(path: Path) -> None:
    summary = noisy_lb_summary(noisy=np.array([2, 4, 5]), noisy_fraction=1 / 3, flag="R")
    write_noisy_lb_summary(path, summary)
    assert '<value name="NoisyLB">2 4-5</value>' in path.read_text()
    assert '<value name="LBFraction">0.333333</value>' in path.read_text()


def test_run_without_events_has_empty_sections(path: Path) -> None:
    summary = noisy_lb_summary(
        events=0, lumi_blocks=0, judged=0, chips=0, flag="U", lumi_block_rows=(), chip_rows=()
    )
    write_noisy_lb_summary(path, summary)
    assert path.read_text().endswith(
        "  <lumiblocks>\n  </lumiblocks>\n  <chips>\n  </chips>\n</run>\n"
    )
    assert plain(read_noisy_lb_summary(path)) == plain(summary)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda _: noisy_lb_summary(flag="X"), "flag 'X' is not one of G, Y, R, U"),
        (lambda _: noisy_chip(chip=12), "chip 12 is outside 0-11"),
        (lambda _: noisy_chip(module=-1), "module -1 is outside"),
        (lambda p: write_noisy_lb_summary(p, noisy_lb_summary(noisy=np.array([3, 2]))), "ascend"),
        (
            lambda p: write_noisy_lb_summary(p, noisy_lb_summary(noisy=np.array([10**6]))),
            "lumi block 1000000 is outside",
        ),
    ],
)
def test_what_cannot_be_is_refused(
    path: Path, write: Callable[[Path], object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        write(path)
    assert not path.exists()


def test_folder_that_does_not_exist_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputFileError, match=r"no/such\.xml: cannot be written"):
        write_noisy_lb_summary(tmp_path / "no/such.xml", noisy_lb_summary())


NUMBERS = st.sets(st.integers(0, 3000), max_size=20).map(lambda s: np.array(sorted(s), dtype=int))
FRACTIONS = st.sampled_from([0.0, 0.5, 0.015, 1e-06, 1.0])


@given(
    st.builds(
        noisy_lb_summary,
        judged=st.integers(0, 3000),
        chips=st.integers(0, 49056),
        noisy=NUMBERS,
        noisy_fraction=FRACTIONS,
        flag=st.sampled_from("GYRU"),
        lumi_block_rows=st.lists(
            st.builds(
                LumiBlock,
                number=st.integers(0, 3000),
                events=st.integers(0, 10**9),
                occupancy=FRACTIONS,
                chips=st.integers(0, 49056),
                chip_fraction=FRACTIONS,
                noisy=st.booleans(),
            ),
            max_size=4,
            unique_by=lambda block: block.number,
        ).map(tuple),
        chip_rows=st.lists(
            st.builds(
                NoisyChip,
                serial=st.sampled_from(["0", "20220123456789", "<&>"]),
                module=st.integers(0, 4087),
                chip=st.integers(0, 11),
                lumi_blocks=NUMBERS,
                lb_fraction=FRACTIONS,
            ),
            max_size=4,
            unique_by=lambda chip: (chip.module, chip.chip),
        ).map(tuple),
    )
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_round_trip(path: Path, summary: NoisyLbSummary) -> None:
    write_noisy_lb_summary(path, summary)
    assert plain(read_noisy_lb_summary(path)) == plain(summary)


CHIP = NOISY_LB_TEXT.split("<chips>\n")[1].split("  </chips>")[0]
BLOCK = NOISY_LB_TEXT.split("<lumiblocks>\n")[1].split("  </lumiblocks>")[0]

BAD_FILES = [
    # what is replaced, by what, line, message
    ("run>", "ran>", 3, "the root element is <ran>"),
    ('"LBJudged"', '"Judged"', 3, "<run> has no value 'LBJudged'"),
    (">Y<", ">B<", 14, "value 'Flag': 'B' is not one of G, Y, R, U"),
    ('"NoisyLB"><', '"NoisyLB">5-2<', 12, "'5-2' is not within"),
    ('"NoisyLB"><', '"NoisyLB">1000000<', 12, "'1000000' is not within 0-999999"),
    (BLOCK, BLOCK * 2, 24, "a second <lumiblock> for the same number"),
    (CHIP, CHIP * 2, 33, "a second <chip> for the same module and chip"),
    ("2 4-5", "2 x", 30, "value 'LB': 'x' is neither a number nor a range"),
    ('"ChipID">7<', '"ChipID">12<', 29, "value 'ChipID': 12 is not a chip 0-11"),
    ("0.3.3.-1", "0.4.3.-1", 28, "'0.4.3.-1' is not the position"),
    ('"Noisy">0<', '"Noisy">2<', 22, "value 'Noisy': '2' is not one of 0, 1"),
    (">1.54479e-07<", ">inf<", 19, "value 'Occupancy': 'inf' is not a finite number"),
    (
        '"ChipFraction">2.03849e-05<', '"ChipFraction"><', 21, "value 'ChipFraction': ''",
    ),
    ("lumiblocks>", "blocks>", 15, "<blocks> in <run>"),
    ("chips>", "lumiblocks>", 3, "<run> has 2 sections <lumiblocks>, not one"),
    ("<chip>", "<chip/><chip>", 26, "<chip> has no value 'SN'"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "message"), BAD_FILES)
def test_bad_file_is_named_with_its_line(
    path: Path, old: str, new: str, line: int, message: str
) -> None:
    damaged = NOISY_LB_TEXT.replace(old, new)
    assert damaged != NOISY_LB_TEXT
    path.write_text(damaged)
    with pytest.raises(InputFileError, match=message) as error:
        read_noisy_lb_summary(path)
    assert error.value.code == 74
    assert str(error.value).startswith(f"{path}, line {line}:")


def test_more_chips_than_there_are_is_refused(path: Path) -> None:
    text = NOISY_LB_TEXT.replace(BLOCK, BLOCK.replace('"Chips">1<', '"Chips">49057<'))
    path.write_text(text)
    with pytest.raises(InputFileError, match="'49057' is more than the 49056 chips"):
        read_noisy_lb_summary(path)
