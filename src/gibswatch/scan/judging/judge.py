"""The passes over pictures: observe every one, fit the orbit, then judge each.

Workers get small records (`PictureRef`, observations, one orbit) and read the pixels themselves,
so memory does not grow with the number of days by more than these records.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from gibswatch.archive.layout import Layout
from gibswatch.detect.colour.statistics import ColourNormals
from gibswatch.detect.hues.histogram import DayHues
from gibswatch.detect.registry import WantedHues, get_method
from gibswatch.errors import ArchiveError, DecodeError
from gibswatch.parallel import map_ordered
from gibswatch.raster.observe import Observation, observe
from gibswatch.scan.judging.alike import alike_days, scene_likeness
from gibswatch.scan.judging.colours import (
    DayColours,
    SeenColours,
    every_nth,
    gather,
    take_record,
)
from gibswatch.scan.judging.doubt import Doubt, doubt_about
from gibswatch.scan.judging.hues import HueTally, hue_tally, take_hues
from gibswatch.scan.judging.neighbours import WholeDays
from gibswatch.scan.judging.one_day import WHOLE, DayTask, judge_one, unreadable
from gibswatch.scan.judging.orbits import LayerOrbits, imaging_satellite, layer_orbits
from gibswatch.scan.pictures import Picture
from gibswatch.scan.result import DaySky
from gibswatch.sky.edges import DayEdges, find_edges
from gibswatch.types import ByteArray, DayItem

__all__ = [
    "Picture",
    "Sighting",
    "Workers",
    "day_tasks",
    "fit_sightings",
    "judge_pictures",
    "judge_sightings",
    "observe_pictures",
    "sighted_colours",
]

_NEAREST = 6
"""Neighbours whose pixels are read to learn where it is usually black."""
_MOST_EDGES = 256
"""Kept of a day: the fit moves by 0.02 pixel (rms), and ten years of them take 16 MB."""


@dataclass(frozen=True, slots=True)
class Workers:
    """How to spread the work."""

    count: int | None = 1
    """Processes; None chooses."""
    scheduler: str | None = None
    """Address of a Dask scheduler."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What the first pass takes from one picture."""

    picture: Picture
    observation: Observation | None
    """None if the picture cannot be read."""
    edges: DayEdges | None = None
    """Of the gaps between swaths, where the layer's satellite leaves any; at most 256."""
    problem: str = ""
    """Why it cannot be read."""
    colours: bytes | None = None
    """Packed record of its colours, of imagery; of a part of the pictures if there are many."""
    hues: DayHues | None = None
    """On the way from a worker to the tally."""
    is_counted: bool = False
    """Whether the tally has its hues."""
    likeness: ByteArray | None = None
    """What tells whether another day shows the same pixels, of imagery."""
    doubt: Doubt | None = None
    """Why nothing is said of it, though it can be read; nothing else is taken of it then."""


def judge_pictures(
    pictures: Sequence[Picture],
    around: Sequence[Picture] = (),
    *,
    method: str,
    workers: Workers,
    on_progress: Callable[[str, int, int], None],
    orbits: LayerOrbits | None = None,
) -> Iterator[DayItem]:
    """Judge pictures together, each against the others.

    Parameters
    ----------
    pictures : sequence of Picture
        Of one layer on one grid.
    around : sequence of Picture
        More of the same, to compare with but not to judge.
    method : str
        A name of `gibswatch.detect.METHODS`.
    workers : Workers
    on_progress : callable
        Told (pass, done, total).
    orbits : LayerOrbits, optional
        By default fitted to these pictures, where their satellite is known.

    Yields
    ------
    DayItem
        One a picture, in their order.
    """
    hues = hue_tally(method)
    seen = observe_pictures(
        [*pictures, *around], workers=workers, on_progress=on_progress, hues=hues
    )
    if orbits is None and pictures:
        orbits = fit_sightings(seen, pictures[0].layer)
    yield from judge_sightings(
        seen, len(pictures),
        method=method, workers=workers, on_progress=on_progress, orbits=orbits, hues=hues,
    )  # fmt: skip


def observe_pictures(
    pictures: Sequence[Picture],
    *,
    workers: Workers,
    on_progress: Callable[[str, int, int], None],
    hues: HueTally | None = None,
) -> list[Sighting]:
    """Do the first pass: measure every picture, in order; see `judge_pictures`.

    `hues` counts those of whole normal days; by default none are.
    """
    look = partial(_observe, hues="none" if hues is None else hues.wanted)
    spread = map_ordered(look, pictures, workers=workers.count, scheduler=workers.scheduler)
    seen: list[Sighting] = []
    nth = every_nth(len(pictures))
    for picture, sighting in zip(pictures, spread, strict=True):
        colours = sighting.colours if len(seen) % nth == 0 else None
        is_counted = hues is not None and hues.add(picture.ref.date, sighting.hues)
        # The record that came back from another process is a copy: one is enough.
        seen.append(
            replace(sighting, picture=picture, colours=colours, hues=None, is_counted=is_counted)
        )
        on_progress("observe", len(seen), len(pictures))
    return seen


def fit_sightings(
    seen: Sequence[Sighting], layer: str, *, layout: Layout | None = None, tle: str | None = None
) -> LayerOrbits | None:
    """Fit the orbits of a layer to what the first pass saw.

    Parameters
    ----------
    seen : sequence of Sighting
    layer : str
        Identifier.
    layout, tle
        As in `gibswatch.scan.judging.orbits.layer_orbits`.

    Returns
    -------
    LayerOrbits or None
        None where the layer's pictures follow no known orbit.
    """
    by_day: dict[dt.date, DayEdges] = {}
    for sighting in seen:
        edges = sighting.edges
        if edges is not None and len(edges) > len(by_day.get(edges.day, ())):
            by_day[edges.day] = edges  # of two pictures of a day the one that shows more
    return layer_orbits(list(by_day.values()), layer, layout=layout, tle=tle)


def sighted_colours(
    seen: Sequence[Sighting], layer: str, kept: Mapping[str, ColourNormals] | None = None
) -> SeenColours:
    """Gather what the first pass saw of the colours of whole days.

    Parameters
    ----------
    seen : sequence of Sighting
    layer : str
        Identifier.
    kept : mapping, optional
        Normals of earlier scans, by era.
    """
    records = [
        (sighting.observation.date, sighting.colours)
        for sighting in seen
        if sighting.colours is not None
        and sighting.observation is not None
        and sighting.observation.date is not None
        and sighting.observation.usable >= WHOLE
    ]
    return gather(layer, records, kept)


def judge_sightings(
    seen: Sequence[Sighting],
    count: int,
    *,
    method: str,
    workers: Workers,
    on_progress: Callable[[str, int, int], None],
    orbits: LayerOrbits | None = None,
    colours: SeenColours | None = None,
    hues: HueTally | None = None,
) -> Iterator[DayItem]:
    """Do the second pass: judge the first `count` pictures among all; see `judge_pictures`.

    `colours` are by default those of `seen`; `hues` are those that the first pass counted.
    """
    get_method(method)
    if hues is not None and hues.places:
        workers = Workers()  # counts of every place are not copied to other processes
    if colours is None and seen:
        colours = sighted_colours(seen, seen[0].picture.layer)
    tasks = day_tasks(seen, count, method, orbits, colours=colours, hues=hues)
    judged = iter(map_ordered(judge_one, tasks, workers=workers.count, scheduler=workers.scheduler))
    for done, sighting in enumerate(seen[:count], start=1):
        readable = sighting.observation is not None
        yield next(judged) if readable else unreadable(sighting.picture, sighting.problem)
        on_progress("judge", done, count)


def _observe(picture: Picture, hues: WantedHues) -> Sighting:
    """Observe one picture; one that cannot be read is a message, not an exception."""
    try:
        scene = picture.ref.read()
    except (DecodeError, ArchiveError) as error:
        return Sighting(picture, None, problem=str(error))
    observation, black = observe(scene)
    doubt = doubt_about(picture, scene)
    if doubt is not None:
        return Sighting(picture, observation, doubt=doubt)
    satellite = imaging_satellite(scene.layer)
    edges = None
    if satellite is not None and satellite.instrument == "MODIS" and scene.date is not None:
        edges = _thinned(find_edges(black, scene.georeference, scene.date))
    counted = None
    if hues != "none" and observation.usable >= WHOLE:
        counted = take_hues(scene, black, places=hues == "places")
    return Sighting(
        picture, observation, edges,
        colours=take_record(scene, black), hues=counted, likeness=scene_likeness(scene),
    )  # fmt: skip


def _thinned(edges: DayEdges) -> DayEdges:
    """Keep every n-th row of edges: both sides of all gaps, from south to north."""
    if len(edges) <= _MOST_EDGES:
        return edges
    rows = np.unique(edges.latitude_deg)
    step = -(-len(edges) // _MOST_EDGES)
    kept = np.isin(edges.latitude_deg, rows[::step])
    return replace(
        edges,
        latitude_deg=edges.latitude_deg[kept],
        longitude_deg=edges.longitude_deg[kept],
        is_east=edges.is_east[kept],
    )


def day_tasks(
    seen: Sequence[Sighting],
    count: int,
    method: str,
    orbits: LayerOrbits | None,
    *,
    colours: SeenColours | None = None,
    hues: HueTally | None = None,
) -> list[DayTask]:
    """Make a task of each of the first `count` pictures that could be read.

    Parameters
    ----------
    seen : sequence of Sighting
        Of the first pass: all pictures, those to judge first.
    count : int
        How many of them are judged.
    method : str
        A name of `gibswatch.detect.METHODS`.
    orbits : LayerOrbits or None
    colours : SeenColours, optional
    hues : HueTally, optional
    """
    whole = _whole_days(seen)
    alike = alike_days(
        [(None if s.observation is None else s.observation.date, s.likeness) for s in seen]
    )
    tasks = []
    for number, sighting in enumerate(seen[:count]):
        picture, observed = sighting.picture, sighting.observation
        if observed is None:
            continue
        near = whole.near(picture, observed.date)
        neighbours = tuple(o for _, o in near)
        nearest = tuple(p.ref for p, _ in near[:_NEAREST])
        sky = _sky(orbits, observed.date)
        usual = DayColours() if colours is None else colours.of(observed.date)
        others = None if hues is None else hues.normals(counted=sighting.is_counted)
        same = tuple(seen[other].picture.ref for other in alike.get(number, ()))
        tasks.append(
            DayTask(
                picture, neighbours, nearest, method, sky, usual, others, same, sighting.doubt,
                clear=whole.clear_days(observed.date),
            )
        )  # fmt: skip
    return tasks


def _whole_days(seen: Sequence[Sighting]) -> WholeDays:
    return WholeDays(
        [
            (sighting.picture, sighting.observation)
            for sighting in seen
            if sighting.observation is not None
            and sighting.doubt is None
            and sighting.observation.usable >= WHOLE
            and np.isfinite(sighting.observation.black)
        ]
    )


def _sky(orbits: LayerOrbits | None, day: dt.date | None) -> DaySky | None:
    return None if orbits is None or day is None else orbits.sky_for(day)
