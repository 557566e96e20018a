"""The XML files of the calibration loop: one writer and one reader per kind.

Their bytes are fixed by algorithms-hitmaps.md 7, so writers build text (`fragments`); readers go
through one safe parser (`parsing`).
"""
