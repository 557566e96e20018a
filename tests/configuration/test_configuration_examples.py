"""The worked examples of files that options name are read by their readers, without a complaint."""

from __future__ import annotations

import numpy as np

from sctcalib.configuration.options import options
from sctcalib.detector.readout import default_swap
from sctcalib.detector.tables import default_serial_numbers, read_serial_numbers, read_swap_table
from sctcalib.resources import resource

EXAMPLES = resource("share", "examples")


def test_every_option_that_names_a_file_has_an_example():
    names = {path.stem.lower() for path in EXAMPLES.iterdir()}
    assert {name.lower() for name, option in options().items() if option.kind == "path"} <= names


def test_swap_table_is_the_default_one(caplog):
    assert np.array_equal(read_swap_table(EXAMPLES / "ReadoutSwapTable.csv"), default_swap())
    assert not caplog.records


def test_serial_numbers_are_three_of_the_synthetic_ones():
    serials = read_serial_numbers(EXAMPLES / "SerialNumbers.csv")
    assert np.array_equal(serials[:3], default_serial_numbers()[:3])
    assert not serials[3:].any()
