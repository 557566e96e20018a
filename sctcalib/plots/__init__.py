"""Pictures of the results for the shifter: maps of the detector, distributions, averages, fits.

Needs the extra ``plots`` (matplotlib, mplhep).
"""
