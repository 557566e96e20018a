"""ROOT files of the calibration loop; the only room that knows their format."""
