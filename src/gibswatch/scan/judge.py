"""The passes over pictures: observe every one, then judge each among its neighbours.

Workers get small records (`PictureRef`, observations) and read the pixels themselves, so memory
does not grow with the number of days.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from gibswatch.catalogue.worldview import worldview_url
from gibswatch.detect.context import Context, Detection, Region
from gibswatch.detect.registry import get_method
from gibswatch.detect.verdict import decide
from gibswatch.errors import ArchiveError, DecodeError
from gibswatch.files import storage_errors, write_bytes
from gibswatch.parallel import map_ordered
from gibswatch.raster.codec import encode_mask
from gibswatch.raster.observe import Observation, observe
from gibswatch.raster.regions import outline, region_area_km2
from gibswatch.raster.scene import Scene
from gibswatch.scan.pictures import PictureRef
from gibswatch.sky.edges import DayEdges, find_edges
from gibswatch.sky.satellites import satellite_of
from gibswatch.types import BoolArray, DateSource, DayItem, Finding, Shares

__all__ = [
    "NEIGHBOUR_DAYS",
    "Picture",
    "Sighting",
    "Workers",
    "judge_pictures",
    "judge_sightings",
    "observe_pictures",
]

NEIGHBOUR_DAYS = 30
"""Days before and after that count as neighbours."""
_NEAREST = 6
"""Neighbours whose pixels are read to learn where it is usually black."""
_WHOLE = 0.999


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture to be judged, and what is known of it beforehand."""

    ref: PictureRef
    layer: str
    file: str
    date_source: DateSource
    tiles: Mapping[str, int] = field(default_factory=dict)
    """Number of tiles by state; empty for a file."""
    mask_path: Path | None = None
    """Where to write the mask of what is found, or None."""


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
    """Of the gaps between swaths, where the layer's satellite leaves any."""
    problem: str = ""
    """Why it cannot be read."""


@dataclass(frozen=True, slots=True)
class _Task:
    picture: Picture
    observation: Observation
    neighbours: tuple[Observation, ...]
    nearest: tuple[PictureRef, ...]
    method: str


def judge_pictures(
    pictures: Sequence[Picture],
    around: Sequence[Picture] = (),
    *,
    method: str,
    workers: Workers,
    on_progress: Callable[[str, int, int], None],
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

    Yields
    ------
    DayItem
        One a picture, in their order.
    """
    seen = observe_pictures([*pictures, *around], workers=workers, on_progress=on_progress)
    yield from judge_sightings(
        seen, len(pictures), method=method, workers=workers, on_progress=on_progress
    )


def observe_pictures(
    pictures: Sequence[Picture],
    *,
    workers: Workers,
    on_progress: Callable[[str, int, int], None],
) -> list[Sighting]:
    """Do the first pass: measure every picture, in order; see `judge_pictures`."""
    spread = map_ordered(_observe, pictures, workers=workers.count, scheduler=workers.scheduler)
    seen: list[Sighting] = []
    for sighting in spread:
        seen.append(sighting)
        on_progress("observe", len(seen), len(pictures))
    return seen


def judge_sightings(
    seen: Sequence[Sighting],
    count: int,
    *,
    method: str,
    workers: Workers,
    on_progress: Callable[[str, int, int], None],
) -> Iterator[DayItem]:
    """Do the second pass: judge the first `count` pictures among all; see `judge_pictures`."""
    get_method(method)
    tasks = _tasks(seen, count, method)
    judged = iter(map_ordered(_judge, tasks, workers=workers.count, scheduler=workers.scheduler))
    for done, sighting in enumerate(seen[:count], start=1):
        readable = sighting.observation is not None
        yield next(judged) if readable else _unreadable(sighting.picture, sighting.problem)
        on_progress("judge", done, count)


def _observe(picture: Picture) -> Sighting:
    """Observe one picture; one that cannot be read is a message, not an exception."""
    try:
        scene = picture.ref.read()
    except (DecodeError, ArchiveError) as error:
        return Sighting(picture, None, problem=str(error))
    observation, black = observe(scene)
    satellite = satellite_of(scene.layer)
    edges = None
    if satellite is not None and satellite.instrument == "MODIS" and scene.date is not None:
        edges = find_edges(black, scene.georeference, scene.date)
    return Sighting(picture, observation, edges)


def _tasks(seen: Sequence[Sighting], count: int, method: str) -> list[_Task]:
    """Make a task of each of the first `count` pictures that could be read."""
    whole = [
        (sighting.picture, sighting.observation)
        for sighting in seen
        if sighting.observation is not None
        and sighting.observation.usable >= _WHOLE
        and np.isfinite(sighting.observation.black)
    ]
    tasks = []
    for sighting in seen[:count]:
        picture, observed = sighting.picture, sighting.observation
        if observed is None:
            continue
        others = _near([(p, o) for p, o in whole if p is not picture], observed.date)
        neighbours = tuple(o for _, o in others)
        nearest = tuple(p.ref for p, _ in others[:_NEAREST])
        tasks.append(_Task(picture, observed, neighbours, nearest, method))
    return tasks


def _near(
    others: list[tuple[Picture, Observation]], day: dt.date | None
) -> list[tuple[Picture, Observation]]:
    """Pictures within `NEIGHBOUR_DAYS`, nearest first; all of them where the day is not known."""
    if day is None:
        return others
    distances = [
        (abs((o.date - day).days), index)
        for index, (_, o) in enumerate(others)
        if o.date is not None
    ]
    return [others[index] for d, index in sorted(distances) if 0 < d <= NEIGHBOUR_DAYS]


def _judge(task: _Task) -> DayItem:
    """Judge one picture: read, detect, decide, describe, write the mask."""
    try:
        scene = task.picture.ref.read()
    except (DecodeError, ArchiveError) as error:
        return _unreadable(task.picture, str(error))
    observation, black = observe(scene)
    detection: Detection | None = None
    if not np.isnan(observation.black) and observation.usable >= _WHOLE:
        context = Context(observation, task.neighbours, partial(_usual_black, scene, task.nearest))
        detection = get_method(task.method).detect(scene, black, None, context)
    judgement = decide(task.picture.tiles, detection)
    regions = detection.regions if detection and judgement.verdict == "anomalous" else ()
    findings = tuple(_finding(region, scene) for region in regions)
    return DayItem(
        layer=task.picture.layer,
        date=scene.date,
        verdict=judgement.verdict,
        score=judgement.score,
        reason=judgement.reason,
        shares=_shares(scene, observation, regions),
        findings=findings,
        incomplete_cause=judgement.incomplete_cause,
        tiles=task.picture.tiles,
        file=task.picture.file,
        date_source=task.picture.date_source,
        mask=_write_mask(task.picture, scene, regions),
        worldview=_worldview(scene, findings),
    )


def _usual_black(scene: Scene, nearest: Sequence[PictureRef]) -> BoolArray | None:
    """Pixels that are black on most of the nearest days."""
    shape = scene.state.shape
    counts, days = np.zeros(shape, dtype=np.uint8), 0
    for ref in nearest:
        try:
            other = ref.read()
        except (DecodeError, ArchiveError):
            continue
        if other.state.shape == shape:
            black = observe(other)[1]
            counts += black
            days += 1
    return np.asarray(2 * counts > days) if days else None


def _finding(region: Region, scene: Scene) -> Finding:
    geometry, bbox = outline(region.mask, scene.georeference)
    return Finding(
        kind=region.kind,
        score=region.score,
        reason=region.reason,
        area_km2=region_area_km2(region.mask, scene.georeference),
        bbox=bbox,
        geometry=geometry,
    )


def _shares(scene: Scene, observation: Observation, regions: Sequence[Region]) -> Shares | None:
    if np.isnan(observation.black):
        return None
    usable = region_area_km2(scene.usable, scene.georeference)
    fault = np.zeros(scene.state.shape, dtype=bool)
    for region in regions:
        fault |= region.mask
    unexpected = min(region_area_km2(fault, scene.georeference) / usable, observation.black)
    return Shares(observation.black, observation.black - unexpected, unexpected)


def _write_mask(picture: Picture, scene: Scene, regions: Sequence[Region]) -> str | None:
    if picture.mask_path is None:
        return None
    if not regions:
        with storage_errors(picture.mask_path):
            picture.mask_path.unlink(missing_ok=True)  # of an earlier judgement
        return None
    kinds = np.zeros(scene.state.shape, dtype=np.uint8)
    for region in regions:
        kinds[region.mask] = region.kind
    write_bytes(picture.mask_path, encode_mask(kinds))
    return str(picture.mask_path)


def _worldview(scene: Scene, findings: Sequence[Finding]) -> str | None:
    if scene.date is None:
        return None
    box = findings[0].bbox if findings else None
    if box is None and scene.georeference.epsg == 4326:
        box = scene.georeference.bbox
    return worldview_url(scene.layer, scene.date, scene.georeference.epsg, box)


def _unreadable(picture: Picture, message: str) -> DayItem:
    return DayItem(
        layer=picture.layer,
        date=picture.ref.date,
        verdict="incomplete",
        score=0.0,
        reason=f"The picture cannot be judged: {message}.",
        shares=None,
        tiles=picture.tiles,
        file=picture.file,
        date_source=picture.date_source,
    )
