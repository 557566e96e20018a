"""What can be simulated of a HIST file, and how its files are called."""

from __future__ import annotations

import pytest

from sctcalib.job.errors import OutOfRangeError
from sctcalib.job.naming import Dataset
from sctcalib.simulate.hist_settings import TASKS, HistSettings, NoisyLayer


def test_the_dataset_says_run_stream_and_hist():
    settings = HistSettings(267367)
    dataset = Dataset.parse(settings.dataset)
    assert (dataset.run, dataset.input_type) == (267367, "HIST")
    assert dataset.project == "data15_13TeV"
    assert settings.file_name == (
        "data15_13TeV.00267367.express_express.merge.HIST.f1_h1._0001.root.1"
    )


def test_outputs_are_called_after_the_task():
    prefix = HistSettings(267367).prefix(TASKS["doRawOccupancy"])
    assert prefix.endswith("#data15_13TeV.00267367.express_express.sctcal.RAWOCC.c0_c0._0001")


def test_the_five_parts_have_jobs():
    assert list(TASKS) == [
        "doEfficiency",
        "doNoiseOccupancy",
        "doRawOccupancy",
        "doLorentzAngle",
        "doBSErrorDB",
    ]


@pytest.mark.parametrize(
    ("text", "bec", "layer"), [("barrel:3", 0, 3), ("endcapA:8", 2, 8), ("EndCapC:0", -2, 0)]
)
def test_layers_by_name(text, bec, layer):
    assert NoisyLayer.parse(text) == NoisyLayer(bec, layer)
    assert NoisyLayer.parse(str(NoisyLayer(bec, layer))) == NoisyLayer(bec, layer)


@pytest.mark.parametrize(
    "text", ["", "barrel", "barrel:4", "barel:2", "endcapA:9", "endcap:1", "barrel:-1", "2:barrel"]
)
def test_layers_that_do_not_exist(text):
    with pytest.raises(OutOfRangeError, match=r"none of barrel:0-3, endcapA:0-8, endcapC:0-8"):
        NoisyLayer.parse(text)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("run", 0, "run 0 is outside"),
        ("style", "22", "style '22' is none of 21.0, master"),
        ("n_events", -1, "events"),
        ("n_lumi_blocks", 0, "lumi blocks"),
        ("project", "x", "project 'x'"),
        ("stream", "express", "stream 'express'"),
        ("n_inefficient", -1, "must be 0 to 4088"),
        ("n_disabled", 4089, "must be 0 to 4088"),
        ("n_error_links", 5000, "must be 0 to 4088"),
        ("lorentz_angle", 1.5, "-8 to 1 degrees"),
        ("lorentz_angle", float("nan"), "-8 to 1 degrees"),
        ("lorentz_tracks", -1.0, "0 to 1000 tracks"),
    ],
)
def test_values_that_cannot_be(name, value, reason):
    with pytest.raises(OutOfRangeError) as error:
        HistSettings(**{"run": 1, name: value})
    assert reason in str(error.value)
