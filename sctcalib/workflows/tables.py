"""The tables of the detector that a configuration may replace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sctcalib.configuration import Configuration

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sctcalib.detector.bad_channels import BadChannels


def readout_swap(configuration: Configuration) -> NDArray[np.bool_]:
    """Which wafers are read out against phi, shape (8176,)."""
    from sctcalib.detector.readout import default_swap
    from sctcalib.detector.tables import read_swap_table

    path = configuration.path("ReadoutSwapTable")
    return read_swap_table(path) if path else default_swap()


def serial_numbers(configuration: Configuration) -> NDArray[np.int64]:
    """Serial numbers of the modules, shape (4088,)."""
    from sctcalib.detector.tables import default_serial_numbers, read_serial_numbers

    path = configuration.path("SerialNumbers")
    return read_serial_numbers(path) if path else default_serial_numbers()


def serial_texts(configuration: Configuration) -> list[str]:
    """Serial numbers of the modules as files print them."""
    from sctcalib.detector.tables import serial_text

    return [serial_text(serial) for serial in serial_numbers(configuration).tolist()]


def known_bad_channels(configuration: Configuration) -> BadChannels:
    """What the option BadChannels names; nothing without it."""
    from sctcalib.detector.bad_channels import no_bad_channels, read_bad_channels

    path = configuration.path("BadChannels")
    return read_bad_channels(path, readout_swap(configuration)) if path else no_bad_channels()
