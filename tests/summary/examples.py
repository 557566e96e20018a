"""The worked examples of algorithms-hitmaps.md 7, byte by byte, and the results behind them."""

from __future__ import annotations

import numpy as np

from sctcalib.detector.identifiers import module_from_name
from sctcalib.summary.bad_strips import BadStripsChannel, BadStripsFile
from sctcalib.summary.noisy_summary import NoisyChip, NoisyModule, NoisySummary

RUN = 300000
SINCE, UNTIL = 1288490188800000, 1288494483767295
TAG = "SctDerivedMonitoring-RUN2-UPD4-005"
START, END = "2016-06-01_10:00:00.000000000 GMT", "2016-06-01_18:00:00.000000000 GMT"
SERIAL = "20220123456789"
MODULE = module_from_name("0.3.3.-1")

BAD_STRIPS_TEXT = """\
<channels server="ATLAS_COOLPROD" schema="ATLAS_COOLOFL_SCT" dbname="CONDBR2" \
folder="SCT/Derived/Monitoring" since="1288490188800000" until="1288494483767295" \
tag="SctDerivedMonitoring-RUN2-UPD4-005" version="multi">
  <channel id="748063731073679360" since="1288490188800000" until="1288494483767295">
    <value name="SampleSize">10000</value>
    <value name="BarrelEndcap">0</value>
    <value name="Layer">3</value>
    <value name="Eta">-1</value>
    <value name="Phi">3</value>
    <value name="DefectType">NOISY</value>
    <value name="Threshold">0.015</value>
    <value name="DefectList">5 10-12 768</value>
  </channel>
</channels>
"""

_CHECKS = (
    "#events more than 10000",
    "#(modules w/ at least 1 noisy strip) less than 5000",
    "Increase of #(modules w/ at least 1 noisy strip) from average of recent runs less than 30%",
    "Increase of #(noisy strips) from average of recent runs less than 30%",
)

_RUN_HEAD = """\
<?xml version="1.0" encoding="UTF-8"?>
<?xml-stylesheet type="text/xsl" href="BadStrips.xsl"?>
<run>
  <value name="RunNumber">300000</value>
  <value name="StartTime">2016-06-01_10:00:00.000000000 GMT</value>
  <value name="EndTime">2016-06-01_18:00:00.000000000 GMT</value>
  <value name="Duration">28800</value>
"""

ORIGINAL_SUMMARY_TEXT = (
    _RUN_HEAD
    + """\
  <value name="LB">480</value>
  <value name="Events">50000</value>
  <value name="Modules">1</value>
  <value name="Links">0</value>
  <value name="Chips">1</value>
  <value name="StripsOfflineAll">70</value>
  <value name="StripsOfflineNew">69</value>
  <value name="ModulesRef">1</value>
  <value name="StripsOfflineRef">1</value>
  <value name="ModulesDiff">1</value>
  <value name="Flag">U</value>
  <value name="FlagReason">FAILED in #events more than 10000; FAILED in #(modules w/ at least \
1 noisy strip) less than 5000; FAILED in Increase of #(modules w/ at least 1 noisy strip) from \
average of recent runs less than 30%; FAILED in Increase of #(noisy strips) from average of \
recent runs less than 30%</value>
  <value name="FlagEnable">ENABLED</value>
  <value name="ReadCool">UNAVAILABLE</value>
  <value name="CheckList">#events more than 10000; #(modules w/ at least 1 noisy strip) less than \
5000; Increase of #(modules w/ at least 1 noisy strip) from average of recent runs less than 30%; \
Increase of #(noisy strips) from average of recent runs less than 30%</value>
  <chips>
    <chip>
      <value name="SN">20220123456789</value>
      <value name="BecLayerPhiEta">0.3.3.-1</value>
      <value name="ChipID">0</value>
      <value name="LB">1 3-4</value>
      <value name="LBFraction">0.00625</value>
    </chip>
  </chips>
  <modules>
    <module>
      <value name="SN">20220123456789</value>
      <value name="BecLayerPhiEta">0.3.3.-1</value>
      <value name="LinkID"></value>
      <value name="ChipID">0</value>
      <value name="StripOfflineAll">0-69</value>
      <value name="StripOfflineNew">1-69</value>
      <value name="StripOfflineRef">0</value>
    </module>
  </modules>
</run>
"""
)
"""The file of the original; ours has one more run value, the last one."""

FAKE_TEXT = (
    _RUN_HEAD
    + """\
  <value name="LB">0</value>
  <value name="Events">0</value>
  <value name="Modules">0</value>
  <value name="Links">0</value>
  <value name="Chips">0</value>
  <value name="StripsOfflineAll">0</value>
  <value name="StripsOfflineNew">0</value>
  <value name="ModulesRef">0</value>
  <value name="StripsOfflineRef">0</value>
  <value name="ModulesDiff">0</value>
  <value name="Flag">R</value>
  <value name="FlagReason"> </value>
  <value name="FlagEnable">ENABLED</value>
  <value name="ReadCool">UNAVAILABLE</value>
  <value name="CheckList">Noisy strips tried to run over empty hitmaps. Prevented and gracefully \
exited</value>
  <value name="ReferenceRun"></value>
</run>
"""
)


def with_reference(text: str, reference: str) -> str:
    """The original's summary with our last run value."""
    line = f'  <value name="ReferenceRun">{reference}</value>\n'
    return text.replace("  <chips>\n", line + "  <chips>\n", 1)


def bad_strips(*channels: BadStripsChannel) -> BadStripsFile:
    """A file of the example's run."""
    return BadStripsFile(run=RUN, since=SINCE, until=UNTIL, tag=TAG, channels=channels)


def example_channel() -> BadStripsChannel:
    """The one channel of the example."""
    return BadStripsChannel(module=MODULE, threshold=0.015, strips=np.array([5, 10, 11, 12, 768]))


def example_summary(reference_run: int | None = None) -> NoisySummary:
    """The result that the example of 7.2 shows."""
    return NoisySummary(
        run=RUN, start=START, end=END, duration=28800, lumi_blocks=480, events=50000,
        modules=1, links=0, chips=1, strips_all=70, strips_new=69,
        modules_ref=1, strips_ref=1, modules_diff=1,
        flag="U", flag_reason="; ".join(f"FAILED in {check}" for check in _CHECKS),
        flag_enabled=True, read_cool=False, check_list="; ".join(_CHECKS),
        reference_run=reference_run,
        noisy_chips=(NoisyChip(SERIAL, MODULE, 0, np.array([1, 3, 4]), 3 / 480),),
        noisy_modules=(
            NoisyModule(
                SERIAL, MODULE, links=(), chips=(0,),
                all=np.arange(70), new=np.arange(1, 70), ref=np.array([0]),
            ),
        ),
    )  # fmt: skip
