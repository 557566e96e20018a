"""Which XML file is which: recognised by content, whatever its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sctcalib.job.errors import InputFileError
from sctcalib.summary import dead_console as dead
from sctcalib.summary import monitoring_console as hist
from sctcalib.summary.bad_modules import STYLE_SHEET as BAD_MODULES_SHEET
from sctcalib.summary.bad_modules import bad_modules_of
from sctcalib.summary.bad_strips import bad_strips_of
from sctcalib.summary.bytestream_modules import bytestream_modules_of
from sctcalib.summary.console import Report, bad_strips_report, noisy_report
from sctcalib.summary.dead_files import CHIPS_FOLDER, STRIPS_FOLDER, dead_file_of
from sctcalib.summary.dead_summary import STYLE_SHEET as DEAD_SHEET
from sctcalib.summary.dead_summary import dead_summary_of
from sctcalib.summary.efficiency_modules import efficiency_modules_of
from sctcalib.summary.lorentz_angle_files import lorentz_file_of, lorentz_summary_of
from sctcalib.summary.monitoring_summary import SUMMARY_KINDS, SummaryKind, monitoring_summary_of
from sctcalib.summary.noise_occupancy_file import noise_occupancy_file_of
from sctcalib.summary.noisy_lb_summary import STYLE_SHEET as NOISY_LB_SHEET
from sctcalib.summary.noisy_lb_summary import noisy_lb_summary_of
from sctcalib.summary.noisy_summary import STYLE_SHEET, noisy_summary_of
from sctcalib.summary.parsing import Node


@dataclass(frozen=True)
class Kind:
    """A kind of file that can be shown."""

    files: str
    """Names that the job gives such files."""
    mark: str
    """XPath that is true of its root element; the first kind for which it is decides."""
    style_sheet: str
    report: Callable[[Node], Report]
    """Reads the whole file, with all checks, and makes its text for the terminal."""


def _summary_of_layers(kind: SummaryKind) -> Kind:
    names = " or ".join(f"value/@name='{name}'" for name in kind.values)
    return Kind(
        kind.file,
        f"self::run[data/parts[1][{names}]]",
        kind.style_sheet,
        lambda root: hist.monitoring_report(monitoring_summary_of(root)),
    )


KINDS = (
    Kind(
        "BadStripsSummaryFile.xml",
        "self::run[value/@name='StripsOfflineAll']",
        STYLE_SHEET,
        lambda root: noisy_report(noisy_summary_of(root)),
    ),
    *map(_summary_of_layers, SUMMARY_KINDS.values()),
    Kind(
        "EfficiencyModuleSummary.xml",
        "self::run[modules/module[1]/value/@name='Efficiency']",
        "EfficiencyInfo.xsl",
        lambda root: hist.efficiency_modules_report(efficiency_modules_of(root)),
    ),
    Kind(
        "NoiseOccupancyFile.xml",
        "self::channels[channel[1]/value/@name='NoiseOccupancy']",
        "NoiseOccupancyInfo.xsl",
        lambda root: hist.noise_occupancy_report(noise_occupancy_file_of(root)),
    ),
    Kind(
        "BSErrorModuleSummary.xml",
        "self::run[data/module[1]/value/@name='nErrors']",
        "BSErrorInfo.xsl",
        lambda root: hist.bytestream_modules_report(bytestream_modules_of(root)),
    ),
    Kind(
        "LorentzAngleSummaryFile.xml",
        "self::run[data/parts[1]/value/@name='lorentzAngle']",
        "LorentzAngleInfo.xsl",
        lambda root: hist.lorentz_summary_report(lorentz_summary_of(root)),
    ),
    Kind(
        "LorentzAngleFile.xml",
        "self::folder[folderDefinition]",
        "LorentzAngleInfo.xsl",
        lambda root: hist.lorentz_file_report(lorentz_file_of(root)),
    ),
    Kind(
        "DeadSummaryFile.xml and QuietSummaryFile.xml",
        "self::run[value/@name='Strips']",
        DEAD_SHEET,
        lambda root: dead.dead_report(dead_summary_of(root), dead.adjective(root.path)),
    ),
    Kind(
        "DeadStripsFile.xml, DeadChipsFile.xml, QuietStripsFile.xml and QuietChipsFile.xml",
        f"self::channels[@folder='{STRIPS_FOLDER}' or @folder='{CHIPS_FOLDER}']",
        DEAD_SHEET,
        lambda root: dead.dead_file_report(dead_file_of(root), dead.adjective(root.path)),
    ),
    Kind(
        "NoisyLBSummaryFile.xml",
        "self::run[value/@name='LBJudged']",
        NOISY_LB_SHEET,
        lambda root: dead.noisy_lb_report(noisy_lb_summary_of(root)),
    ),
    Kind(
        "BadModulesFile.xml",
        "self::modules",
        BAD_MODULES_SHEET,
        lambda root: dead.bad_modules_report(bad_modules_of(root)),
    ),
    Kind(
        "BadStripsAllFile.xml and BadStripsNewFile.xml",
        "self::channels",
        "BadStripsList.xsl",
        lambda root: bad_strips_report(bad_strips_of(root)),
    ),
)


def recognise(root: Node) -> Kind:
    """The kind of a parsed file; raises InputFileError (exit 74) for any other XML."""
    for kind in KINDS:
        if root.element.xpath(f"boolean({kind.mark})"):
            return kind
    known = ", ".join(kind.files for kind in KINDS)
    msg = f"{root.path}: <{root.name}> with these values cannot be shown; these can: {known}"
    raise InputFileError(msg)
