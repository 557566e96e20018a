"""The options of the calibration: where they come from and what they may be.

    cfg = load_configuration(["mine.toml"])
    cfg.number("NoisyStripThrOffline")

See docs/configuration.md.
"""

from sctcalib.configuration.load import Configuration, load_configuration

__all__ = ["Configuration", "load_configuration"]
