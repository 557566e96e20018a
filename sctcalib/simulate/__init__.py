"""Simulated detectors with known defects, to calibrate and to test against."""
