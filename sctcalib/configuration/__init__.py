"""The options of the calibration: where they come from, what they may be (docs/configuration.md)."""
