"""All pages of a subject."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from sctcalib.histograms.monitoring import open_hist
from sctcalib.job.errors import ArgumentError
from sctcalib.parts.lorentz_angle import Profile
from sctcalib.plots.content import (
    DeadItems,
    LayerValues,
    LinkErrors,
    LorentzAngles,
    LumiBlocks,
    SideValues,
    StripLists,
    Subject,
    Trips,
)
from sctcalib.plots.layers import averages_page
from sctcalib.plots.links import link_pages
from sctcalib.plots.lorentz import Key, lorentz_pages
from sctcalib.plots.lumiblocks import lumi_block_pages
from sctcalib.plots.sides import Page, side_pages
from sctcalib.plots.strips import dead_pages, strip_pages
from sctcalib.plots.trips import trip_pages

Profiles = Mapping[Key, Profile | None]


def pages_of(
    subject: Subject, other: Subject | None = None, profiles: Profiles | None = None
) -> list[Page]:
    """What draws each page; the first one is the overview.

    ``other`` is the reference, of the same kind as `read.compared` makes sure.
    """
    heading, content = subject.heading, subject.content
    reference = other.content if other else None
    if isinstance(content, SideValues):
        assert reference is None or isinstance(reference, SideValues)
        return side_pages(heading, content, reference)
    if isinstance(content, LayerValues):
        assert reference is None or isinstance(reference, LayerValues)
        return [lambda: averages_page(heading, content, reference)]
    if isinstance(content, StripLists):
        assert reference is None or isinstance(reference, StripLists)
        return strip_pages(heading, content, reference)
    if isinstance(content, DeadItems):
        assert reference is None or isinstance(reference, DeadItems)
        return dead_pages(heading, content, reference)
    if isinstance(content, LumiBlocks):
        return lumi_block_pages(heading, content)
    if isinstance(content, Trips):
        return trip_pages(heading, content)
    if isinstance(content, LinkErrors):
        assert reference is None or isinstance(reference, LinkErrors)
        return link_pages(heading, content, reference)
    assert reference is None or isinstance(reference, LorentzAngles)
    return lorentz_pages(heading, content, reference, profiles)


def read_profiles(path: Path, subject: Subject) -> Profiles:
    """The profiles of cluster widths of the subject's run.

    Raises ArgumentError (exit 7) if the subject is something else or has no run, InputFileError
    (exit 74) for a file that is not of this run.
    """
    run = subject.heading.run
    if not isinstance(subject.content, LorentzAngles):
        msg = f"--hist is for Lorentz angles; {subject.heading.source} holds {subject.content.kind}"
        raise ArgumentError(msg)
    if run is None:
        msg = f"{subject.heading.source} does not say which run it is of: give --run with --hist"
        raise ArgumentError(msg)
    complete = all(record.sigma is not None for record in subject.content.records)
    if not complete and find_spec("iminuit") is None:
        msg = f"{subject.heading.source} has no parameters of the fits, and fitting needs iminuit: "
        msg += "pip install 'sctcalib[fit]', or draw LorentzAngleFile.xml"
        raise ArgumentError(msg)
    with open_hist(path, run) as hist:
        found = hist.lorentz()
    return {
        key: None if p is None else Profile(p.degrees, p.width, p.error, p.entries)
        for key, p in found.items()
    }
