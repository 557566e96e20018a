"""All objects of a simulated HIST file, by path, in the style of a release (hist-files.md 3-8)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sctcalib.detector.regions import N_STRIPS, N_WAFERS
from sctcalib.histograms import monitoring_names as names
from sctcalib.histograms.layouts import Axis
from sctcalib.histograms.monitoring_names import ErrorConvention, MapKind
from sctcalib.parts.bytestream_errors import ERROR_NAMES
from sctcalib.parts.noise_occupancy import HISTOGRAM_UNIT
from sctcalib.simulate.hist_model import Monitoring, lorentz_axis
from sctcalib.simulate.hist_objects import histogram_1d, histogram_2d, profile_1d, profile_2d
from sctcalib.simulate.hist_settings import HistSettings

FloatArray = NDArray[np.float64]
Objects = Iterator[tuple[str, Any]]
"""Paths below the directory of the run, and what is there."""
Title = Callable[[int, int, int], str]
"""The title of the map of a region, layer and side."""

_ETA_PHI = ("Index in the direction of #eta", "Index in the direction of #phi")
_REGIONS = ("Endcap C", "Barrel", "Endcap A")
_LUMI_BLOCKS = Axis(3000, 0.5, 3000.5)
_ENVIRONMENTS = ("user", "noOutput", "online", "tier0", "tier0Raw", "tier0ESD", "AOD", "altprod")
_FILLS_PER_HIT = 0.75
_SQUARES_PER_HIT = 1.6
"""Hits come in groups of adjacent strips; the number of groups, and of strips squared."""
_TRAPS = MapKind(
    "TProfile2D", ("SCT/SCTEC/eff/m_effm", "SCT/SCTB/eff/m_eff", "SCT/SCTEA/eff/p_effp")
)
"""Maps that 21.0 books under a second name and never fills."""
_CATEGORY = "Errors"
"""A summary of all errors, whose maps are named like those of a type."""


def objects(settings: HistSettings, counted: Monitoring) -> Objects:
    """Everything that the five parts read, and some of what they must not."""
    old = settings.style == "21.0"
    yield from _counters(settings, old=old)
    yield from _efficiencies(counted, old=old)
    yield from _occupancies(counted, old=old)
    yield from _hit_maps(counted, old=old)
    yield from _error_maps(settings, counted, old=old)
    yield from _lorentz(settings, counted, old=old)


def _counters(settings: HistSettings, *, old: bool) -> Objects:
    """Both counters of events."""
    n = settings.n_events
    blocks = np.zeros(_LUMI_BLOCKS.n + 2, dtype=np.float32)
    edges = n * np.arange(settings.n_lumi_blocks + 1) // settings.n_lumi_blocks
    inside = np.minimum(np.arange(1, settings.n_lumi_blocks + 1), _LUMI_BLOCKS.n + 1)
    np.add.at(blocks, inside, np.diff(edges))
    title = "Num of events per LB "
    yield names.N_EVENTS, histogram_1d(title, _LUMI_BLOCKS, blocks, n, x_title="LumiBlock")
    labels = [label for label in _ENVIRONMENTS if old or label != "noOutput"]
    contents = np.zeros(len(labels) + 2, dtype=np.int32)
    for label in names.TIER0_LABELS:
        contents[labels.index(label) + 1] = n
    axis = Axis(len(labels), -0.5, len(labels) - 0.5)
    made = histogram_1d("Event Count", axis, contents, float(contents.sum()), labels=labels)
    yield names.EVENTS_BY_ENVIRONMENT, made


def _efficiencies(counted: Monitoring, *, old: bool) -> Objects:
    def title(region: int, layer: int, side: int) -> str:
        place = "layer" if region == 1 else "disk"
        return f"Hit efficiency of {place} {layer} / side {side} in {_REGIONS[region]}"

    def title_first(region: int, layer: int, side: int) -> str:
        return f"{title(region, layer, side)} for first BCID"

    n, found = counted.crossings, counted.found
    yield from _profiles(names.EFFICIENCY, title, n, found, found)
    n, found = counted.crossings_first, counted.found_first
    yield from _profiles(names.EFFICIENCY_FIRST_BCID, title_first, n, found, found)
    if old:
        nothing = np.zeros(N_WAFERS)
        yield from _profiles(_TRAPS, title, nothing, nothing, nothing)


def _occupancies(counted: Monitoring, *, old: bool) -> Objects:
    """Of 21.0: four kinds, an entry for each job. Newer: two, an entry for each event."""
    trigger_events = np.array([counted.trigger_events])
    of_trigger = counted.trigger_hits[None, :]
    fill = _job_by_job if old else _event_by_event
    kinds = [
        ("hitoccupancymap", False, counted.job_events, counted.hits),
        ("noiseoccupancymap", True, trigger_events, of_trigger),
    ]
    if old:
        kinds += [
            ("noiseoccupancymap", False, counted.job_events, counted.noise_hits),
            ("hitoccupancymap", True, trigger_events, of_trigger),
        ]
    for stem, trigger, events, hits in kinds:
        if old or not trigger or events.any():
            kind = names.occupancy_kind(stem, trigger=trigger)
            what = "Hit" if stem.startswith("hit") else "Noise"
            wanted = "L1_RD0_EMPTY Trigger and " if trigger else ""
            title = _labelled(f"SCT {what} Occupancy map for {wanted}", old=old)
            n, sums, squares = fill(events, hits)
            yield from _profiles(kind, title, n * counted.enabled, sums, squares)


def _job_by_job(events: NDArray[Any], hits: NDArray[Any]) -> tuple[Any, FloatArray, FloatArray]:
    """Each job fills its average once."""
    counts = events[:, None] > 0
    means = HISTOGRAM_UNIT * hits / (N_STRIPS * np.maximum(events, 1)[:, None])
    return np.count_nonzero(counts), means.sum(axis=0), (means**2).sum(axis=0)


def _event_by_event(events: NDArray[Any], hits: NDArray[Any]) -> tuple[Any, FloatArray, FloatArray]:
    """Each event is filled; the spread is that of a Poisson distribution."""
    n, total = events.sum(), hits.sum(axis=0)
    unit = HISTOGRAM_UNIT / N_STRIPS
    mean = total / max(n, 1)
    return n, unit * total, unit**2 * n * (mean**2 + mean)


def _hit_maps(counted: Monitoring, *, old: bool) -> Objects:
    hits = _maps(counted.hits.sum(axis=0))
    title = _labelled("SCT Hitmap for ", old=old)
    for place, path, contents in zip(names.MAPS, names.HITS.paths(), hits, strict=True):
        yield (
            path,
            histogram_2d(
                title(*place),
                names.AXES[place[0]],
                contents.astype(">f4"),
                np.rint(_FILLS_PER_HIT * contents.sum()),
                squares=np.zeros(0) if old else np.rint(_SQUARES_PER_HIT * contents),
                axis_titles=_ETA_PHI,
            ),
        )


def _error_maps(settings: HistSettings, counted: Monitoring, *, old: bool) -> Objects:
    """Of 21.0: counts and rates; newer: fractions."""
    n = settings.n_events - counted.flagged_events
    number, count, rate = (
        next(c for c in names.ERROR_CONVENTIONS if c.prefix == prefix and c.in_folder)
        for prefix in ("SCT_NumberOf", "SCT_T", "SCT_")
    )
    for position, name in ERROR_NAMES.items():
        events = counted.errors[:, position]
        if old:
            yield from _counts(count, name, events)
        yield from _fractions(rate if old else number, name, events, n)
    yield from _fractions(number, _CATEGORY, counted.errors.max(axis=1), n)


def _counts(convention: ErrorConvention, name: str, events: NDArray[Any]) -> Objects:
    kind = convention.kind(name)
    for place, path, contents in zip(names.MAPS, kind.paths(), _maps(events), strict=True):
        contents32 = contents.astype(">f4")
        axes = names.AXES[place[0]]
        yield path, histogram_2d(_error_title(name)(*place), axes, contents32, contents.sum())


def _fractions(
    convention: ErrorConvention, name: str, events: NDArray[Any], n_events: int
) -> Objects:
    """Each event fills every bin, also where no module is, with 1 or 0."""
    counted = convention.prefix == "SCT_NumberOf"
    title = _error_title(f"Num of {name}" if counted else name)
    titles = ("", "") if counted else _ETA_PHI
    kind = convention.kind(name)
    for place, path, sums in zip(names.MAPS, kind.paths(), _maps(events), strict=True):
        axes = names.AXES[place[0]]
        entries = np.zeros((axes[1].n + 2, axes[0].n + 2))
        entries[1:-1, 1:-1] = n_events
        made = profile_2d(title(*place), axes, entries.ravel(), sums, sums, axis_titles=titles)
        yield path, made


def _lorentz(settings: HistSettings, counted: Monitoring, *, old: bool) -> Objects:
    """Newer monitoring makes profiles on the first fill: none of layer 1 <100>."""
    axis = lorentz_axis(settings.style)
    for key, path in names.lorentz_paths().items():
        if not old and names.has_no_modules(*key):
            continue
        layer, side, sensor = key
        title = f"{sensor} - Inc. Angle vs nStrips for Layer Side{' ' if old else ''}{layer}{side}"
        bins = (np.pad(array, 1) for array in counted.widths[key])
        titles = ("#phi to Wafer", "Num of Strips")
        yield path, profile_1d(title, axis, *bins, axis_titles=titles)


def _profiles(
    kind: MapKind, title: Title, entries: NDArray[Any], sums: NDArray[Any], squares: NDArray[Any]
) -> Objects:
    """The 44 maps of a kind from values of the wafers."""
    columns = zip(*(_maps(values) for values in (entries, sums, squares)), strict=True)
    for place, path, values in zip(names.MAPS, kind.paths(), columns, strict=True):
        axes = names.AXES[place[0]]
        yield path, profile_2d(title(*place), axes, *values, axis_titles=_ETA_PHI)


def _maps(values: NDArray[Any]) -> list[FloatArray]:
    """Bins of the 44 maps from values of the wafers; 0 where no module is."""
    offsets = names.map_offsets()
    bins = np.zeros(offsets[-1])
    bins[names.bin_of_wafer()] = values
    return np.split(bins, offsets[1:-1])


def _labelled(start: str, *, old: bool) -> Title:
    """Titles with the label of layer and side; newer ones count layers in halves (section 4)."""

    def title(region: int, layer: int, side: int) -> str:
        place = "Layer" if region == 1 else "Disk"
        number = f"{layer}" if old else f"{layer + side / 2}"
        return f"{start}{_REGIONS[region]}: {place} {number} Side {side}"

    return title


def _error_title(start: str) -> Title:
    def title(region: int, layer: int, side: int) -> str:
        return f"{start} per  {'layer' if region == 1 else 'disk'} {layer}_{side}"

    return title
