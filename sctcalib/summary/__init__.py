"""The XML files of the calibration loop: one writer and one reader per kind."""
