"""May the noisy strips of a run be uploaded? (reference/algorithms-hitmaps.md 3.7)

Green: yes. Yellow: more than usual, look first. Red: too few events or far too many modules.
Grey (U): nothing to compare with, or the test is off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class RecentRuns:
    """What the last uploaded runs had: plain means over them."""

    module_average: float
    strip_average: float


@dataclass(frozen=True)
class UploadLimits:
    """The limits of the four tests; all strict."""

    min_events: int
    max_modules: int
    module_increase: np.float32
    """Relative to the average of recent runs."""
    strip_increase: np.float32
    """Relative to the average, or in strips if ``absolute``."""
    absolute: bool = False
    enabled: bool = True

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> UploadLimits:
        """The limits of a configuration, by its option names."""
        return cls(
            options["NoisyMinStat"],
            options["NoisyModuleList"],
            np.float32(options["NoisyModuleDiff"]),
            np.float32(options["NoisyStripDiff"]),
            options["NoisyStripDiffMode"] == "absolute",
            options["NoisyUploadTest"],
        )

    def texts(self) -> tuple[str, str, str, str]:
        """The tests in words, as the check list and the reasons print them."""
        increase = "Increase of #({}) from average of recent runs less than "
        modules = "modules w/ at least 1 noisy strip"
        strips = (
            str(int(self.strip_increase)) if self.absolute else f"{_percent(self.strip_increase)}%"
        )
        return (
            f"#events more than {self.min_events}",
            f"#({modules}) less than {self.max_modules}",
            increase.format(modules) + f"{_percent(self.module_increase)}%",
            increase.format("noisy strips") + strips,
        )


@dataclass(frozen=True)
class UploadFlag:
    """The flag with its reasons."""

    flag: str
    """``G``, ``Y``, ``R`` or ``U``."""
    reason: str
    check_list: str
    enabled: bool
    compared: bool
    """Whether recent runs were there to compare with."""


def judge(
    n_events: int, modules: int, strips: int, recent: RecentRuns | None, limits: UploadLimits
) -> UploadFlag:
    """Judge a run by its events, noisy modules and noisy strips."""
    texts = limits.texts()
    passed = [False] * len(texts)
    flag = "U"
    if limits.enabled and recent is not None:
        passed = [
            n_events > limits.min_events,
            modules < limits.max_modules,
            bool(_increase(modules, recent.module_average) < limits.module_increase),
            bool(_strip_increase(strips, recent, limits) < limits.strip_increase),
        ]
        flag = "G" if all(passed) else "Y" if passed[0] and passed[1] else "R"
    reason = "".join(
        f"FAILED in {text}" + ("; " if number < len(texts) - 1 else "")
        for number, (text, good) in enumerate(zip(texts, passed, strict=True))
        if not good
    )
    return UploadFlag(flag, reason, "; ".join(texts), limits.enabled, recent is not None)


def _strip_increase(strips: int, recent: RecentRuns, limits: UploadLimits) -> np.float32:
    if limits.absolute:
        return np.float32(strips) - np.float32(recent.strip_average)
    return _increase(strips, recent.strip_average)


def _increase(count: int, average: float) -> np.float32:
    """Relative increase in single precision; inf or NaN where the average is 0: never below."""
    mean = np.float32(average)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.float32((np.float32(count) - mean) / mean)


def _percent(fraction: np.float32) -> str:
    return f"{float(fraction * np.float32(100)):g}"
