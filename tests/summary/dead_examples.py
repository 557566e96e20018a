"""The worked examples of algorithms-hitmaps.md 3.8, 7.4 and 7.5, and the results behind them."""

from __future__ import annotations

from typing import Any

import numpy as np

from sctcalib.summary.bad_modules import BadModule
from sctcalib.summary.dead_files import CHIPS_FOLDER, DeadChannel, DeadFile, of_one_run
from sctcalib.summary.dead_summary import DeadModule, DeadSummary
from sctcalib.summary.noisy_lb_summary import LumiBlock, NoisyChip, NoisyLbSummary
from tests.summary.examples import END, MODULE, RUN, SERIAL, START

CHIPS_TAG = "SctDerivedDeadChips-003-00"

DEAD_CHIPS_TEXT = """\
<channels server="ATLAS_COOLPROD" schema="ATLAS_COOLOFL_SCT" dbname="MONP200" \
folder="SCT/Derived/DeadChips" since="1288490188800000" until="1288494483767295" \
tag="SctDerivedDeadChips-003-00" version="multi">
  <channel id="174172160" since="1288490188800000" until="1288494483767295">
  <value name="SampleSize">10000</value>
  <value name="BarrelEndcap">0</value>
  <value name="Layer">3</value>
  <value name="Eta">-1</value>
  <value name="Phi">3</value>
  <value name="DefectType">DEAD</value>
  <value name="Threshold">6</value>
  <value name="DefectList">1  8-9</value>
</channel>
</channels>
"""

_RUN_HEAD = """\
<?xml version="1.0" encoding="UTF-8"?>
<?xml-stylesheet type="text/xsl" href="{}"?>
<run>
  <value name="RunNumber">300000</value>
  <value name="StartTime">2016-06-01_10:00:00.000000000 GMT</value>
  <value name="EndTime">2016-06-01_18:00:00.000000000 GMT</value>
  <value name="Duration">28800</value>
"""

DEAD_SUMMARY_TEXT = (
    _RUN_HEAD.format("DeadInfo.xsl")
    + """\
  <value name="LB">0</value>
  <value name="Events">10000</value>
  <value name="Modules">0</value>
  <value name="Links">1</value>
  <value name="Chips">6</value>
  <value name="Strips">0</value>
  <value name="Flag">G</value>
  <value name="FlagReason"></value>
  <value name="FlagEnable">ENABLED</value>
  <value name="CheckList">#chips or #strips is non-zero</value>
  <modules>

<module>
<value name="SN">20220123456789</value>

<value name="BecLayerPhiEta">0.3.3.-1</value>

<value name="LinkID">1</value>

<value name="ChipID">6-11</value>

<value name="StripIDOnline"></value>
</module>
  </modules>
</run>
"""
)

BAD_MODULES_TEXT = """\
<?xml version="1.0" encoding="UTF-8"?>\x20

<modules>
<module>
<value name="SN">20220123456789</value>

<value name="BecLayerPhiEta">0.3.3.-1</value>

<value name="StartTime">1464775185</value>

<value name="EndTime">1464775205</value>

<value name="StartLBN">0</value>

<value name="EndLBN">0</value>
</module>
</modules>
"""

NOISY_LB_TEXT = (
    _RUN_HEAD.format("NoisyLBInfo.xsl")
    + """\
  <value name="LB">5</value>
  <value name="Events">405</value>
  <value name="LBJudged">4</value>
  <value name="Chips">1</value>
  <value name="NoisyLB"></value>
  <value name="LBFraction">0</value>
  <value name="Flag">Y</value>
  <lumiblocks>
    <lumiblock>
      <value name="LB">2</value>
      <value name="Events">100</value>
      <value name="Occupancy">1.54479e-07</value>
      <value name="Chips">1</value>
      <value name="ChipFraction">2.03849e-05</value>
      <value name="Noisy">0</value>
    </lumiblock>
  </lumiblocks>
  <chips>
    <chip>
      <value name="SN">20220123456789</value>
      <value name="BecLayerPhiEta">0.3.3.-1</value>
      <value name="ChipID">7</value>
      <value name="LB">2 4-5</value>
      <value name="LBFraction">0.75</value>
    </chip>
  </chips>
</run>
"""
)
"""The example of 3.8; of its three lumi blocks with a noisy chip only the first."""

RUN_VALUES: dict[str, Any] = {"run": RUN, "start": START, "end": END, "duration": 28800}


def dead_chips(*channels: DeadChannel) -> DeadFile:
    """A file of the example's run."""
    return of_one_run(RUN, CHIPS_TAG, CHIPS_FOLDER, channels)


def dead_channel(**changes: Any) -> DeadChannel:
    """The one channel of the example."""
    return DeadChannel(**{"module": MODULE, "threshold": 6.0, "defects": "1  8-9", **changes})


def dead_module(**changes: Any) -> DeadModule:
    """The one module of the example."""
    given = {"serial": SERIAL, "module": MODULE, "links": (1,), "chips": "6-11", "strips": ""}
    return DeadModule(**{**given, **changes})


def dead_summary(**changes: Any) -> DeadSummary:
    """The result that the example shows."""
    given = {
        **RUN_VALUES, "lumi_blocks": 0, "events": 10000, "modules": 0, "links": 1, "chips": 6,
        "strips": 0, "flag": "G", "flag_reason": "", "flag_enabled": True,
        "check_list": "#chips or #strips is non-zero", "dead_modules": (dead_module(),),
    }  # fmt: skip
    return DeadSummary(**{**given, **changes})


def bad_module(**changes: Any) -> BadModule:
    """The one interval of the example."""
    given = {
        "serial": SERIAL, "module": MODULE, "start": 1464775185, "end": 1464775205,
        "first_lb": 0, "last_lb": 0,
    }  # fmt: skip
    return BadModule(**{**given, **changes})


def lumi_block(**changes: Any) -> LumiBlock:
    """The first lumi block of the example."""
    given = {
        "number": 2, "events": 100, "occupancy": 97 / 627916800, "chips": 1,
        "chip_fraction": 1 / 49056, "noisy": False,
    }  # fmt: skip
    return LumiBlock(**{**given, **changes})


def noisy_chip(**changes: Any) -> NoisyChip:
    """The chip of the example."""
    given = {
        "serial": SERIAL, "module": MODULE, "chip": 7, "lumi_blocks": np.array([2, 4, 5]),
        "lb_fraction": 0.75,
    }  # fmt: skip
    return NoisyChip(**{**given, **changes})


def noisy_lb_summary(**changes: Any) -> NoisyLbSummary:
    """The result that the example shows."""
    given = {
        **RUN_VALUES, "lumi_blocks": 5, "events": 405, "judged": 4, "chips": 1,
        "noisy": np.array([], dtype=int), "noisy_fraction": 0.0, "flag": "Y",
        "lumi_block_rows": (lumi_block(),), "chip_rows": (noisy_chip(),),
    }  # fmt: skip
    return NoisyLbSummary(**{**given, **changes})
