"""The ATLAS SCT 24-hour calibration loop."""

__version__ = "0.4.0"
