"""The upload flag: example E9 of algorithms-hitmaps.md 8.2 and its edges."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sctcalib.parts.upload_flag import RecentRuns, UploadLimits, judge

HEAD = UploadLimits(10_000, 5000, np.float32(0.3), np.float32(0.3))
RUN2 = UploadLimits(10_000, 5000, np.float32(0.5), np.float32(5120), absolute=True)
RECENT = RecentRuns(250, 1000)
STRIPS = "FAILED in Increase of #(noisy strips) from average of recent runs less than 30%"


@pytest.mark.parametrize(
    ("events", "modules", "strips", "limits", "flag", "reason"),
    [
        (50_000, 300, 1200, HEAD, "G", ""),
        (50_000, 300, 1400, HEAD, "Y", STRIPS),
        (10_000, 300, 1200, HEAD, "R", "FAILED in #events more than 10000; "),
        (10_001, 300, 1200, HEAD, "G", ""),
        (50_000, 300, 1400, RUN2, "G", ""),
        (50_000, 5000, 1200, HEAD, "R",
         ("FAILED in #(modules w/ at least 1 noisy strip) less than 5000; FAILED in Increase of "
          "#(modules w/ at least 1 noisy strip) from average of recent runs less than 30%; ")),
        (50_000, 10, 10, HEAD, "G", ""),
    ],
)  # fmt: skip
def test_e9(events, modules, strips, limits, flag, reason):
    judged = judge(events, modules, strips, RECENT, limits)
    assert (judged.flag, judged.reason, judged.compared) == (flag, reason, True)


def test_e9_without_reference_runs_the_flag_is_grey_and_every_reason_is_listed():
    judged = judge(50_000, 300, 1200, None, HEAD)
    assert judged.flag == "U"
    assert not judged.compared
    assert judged.reason.count("FAILED in ") == 4
    assert judged.reason.endswith("less than 30%")


def test_a_disabled_test_gives_grey():
    judged = judge(50_000, 300, 1200, RECENT, replace(HEAD, enabled=False))
    assert (judged.flag, judged.enabled, judged.reason.count("FAILED")) == ("U", False, 4)


def test_check_list_of_the_absolute_test_has_no_percent_sign():
    text = judge(50_000, 300, 1200, RECENT, RUN2).check_list
    assert text.endswith("from average of recent runs less than 5120")
    assert "less than 50%; " in text


@pytest.mark.parametrize("strips", [0, 5])
def test_averages_of_zero_fail(strips):
    assert judge(50_000, 1, strips, RecentRuns(0, 0), HEAD).flag == "Y"
