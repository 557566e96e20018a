"""ATLAS RAW byte stream, SCT part: reading into maps or events, and writing of simulated data.

Reading needs the extra ``raw`` (numba).
"""
