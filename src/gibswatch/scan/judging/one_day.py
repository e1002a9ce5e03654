"""The judgement of one day: read, expect, detect, decide, describe, write its rasters.

Runs in a worker.  A `DayTask` is a small record: pixels, of the day and of its neighbours, are read
where they are needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from gibswatch.catalogue.worldview import worldview_url
from gibswatch.detect.context import Context, Detection, Region
from gibswatch.detect.hues.histogram import HueNormals
from gibswatch.detect.registry import get_method
from gibswatch.detect.verdict import Judgement, decide
from gibswatch.errors import ArchiveError, DecodeError
from gibswatch.raster.observe import Observation, observe
from gibswatch.raster.regions import outline, region_area_km2
from gibswatch.raster.scene import Scene
from gibswatch.scan.judging.alike import read_alike
from gibswatch.scan.judging.clear_sky import ClearDays, clear_sky_of
from gibswatch.scan.judging.colours import DayColours
from gibswatch.scan.judging.doubt import Doubt
from gibswatch.scan.judging.same_day import pictures_of
from gibswatch.scan.judging.siblings import siblings
from gibswatch.scan.model_scores import score_scene, with_model
from gibswatch.scan.outputs.rasters import mask_of, write_rasters
from gibswatch.scan.pictures import Picture, PictureRef
from gibswatch.scan.result import DaySky
from gibswatch.sky.expectation import Expectation, expect
from gibswatch.types import BoolArray, ByteArray, DayItem, Finding, Georeference, Kind, Shares

__all__ = ["WHOLE", "DayTask", "Look", "judge_one", "look_at", "sky_expectation", "unreadable"]

WHOLE = 0.999
"""Share of a picture that must be usable, or nothing is said of it."""


@dataclass(frozen=True, slots=True)
class DayTask:
    """One picture to judge, and the little that a worker must know beside it."""

    picture: Picture
    neighbours: tuple[Observation, ...]
    """Of the days around it, nearest first."""
    nearest: tuple[PictureRef, ...]
    """Whole days whose pixels tell where it is usually black."""
    method: str
    sky: DaySky | None = None
    """None without a known orbit."""
    colours: DayColours = field(default_factory=DayColours)
    hues: HueNormals | None = None
    """For methods that ask for them."""
    alike: tuple[PictureRef, ...] = ()
    """Other days whose pixels may be the same."""
    doubt: Doubt | None = None
    """Why nothing is said of it."""
    clear: ClearDays | None = None
    """Days that show what lies under the clouds."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What was seen of one day."""

    observation: Observation
    black: BoolArray
    expectation: Expectation | None
    detection: Detection | None
    """None if too little of the picture is there."""


def judge_one(task: DayTask) -> DayItem:
    """Judge one picture.

    Raises
    ------
    OutputError
        If a mask or another raster cannot be written.
    """
    try:
        scene = task.picture.ref.read()
    except (DecodeError, ArchiveError) as error:
        return unreadable(task.picture, str(error))
    wants_reasons = task.picture.files is not None and "reasons" in task.picture.files.wanted
    if task.doubt is None:
        look = look_at(scene, task, partly=wants_reasons)
        whole = look.observation.usable >= WHOLE
        judgement = decide(task.picture.tiles, look.detection if whole else None)
    else:
        look = Look(*observe(scene), None, None)
        judgement = task.doubt.judgement
    regions = _said(judgement, look.detection)
    reasons = look.detection.reasons if look.detection is not None else None
    mask = _write(task.picture, scene, regions, reasons)
    findings = tuple(_finding(region, scene) for region in regions)
    scored = score_scene(task.picture.model, scene, judgement.verdict)
    return DayItem(
        layer=task.picture.layer,
        date=scene.date,
        verdict=judgement.verdict,
        score=judgement.score,
        reason=with_model(judgement.reason, judgement.verdict, scored),
        shares=_shares(scene, look.observation, regions),
        findings=findings,
        incomplete_cause=judgement.incomplete_cause,
        tiles=task.picture.tiles,
        file=task.picture.file,
        date_source=task.picture.date_source,
        date_candidates=look.detection.likely_dates if look.detection is not None else (),
        mask=mask,
        worldview=_worldview(scene, findings),
        model=scored,
    )


def look_at(scene: Scene, task: DayTask, *, partly: bool = False) -> Look:
    """Compare what a scene shows with what it should show.

    Parameters
    ----------
    scene : Scene
    task : DayTask
    partly : bool
        Whether a picture that is not all there is looked at too: pixels that were not fetched are
        never evidence, but have a reason to be black.
    """
    observation, black = observe(scene)
    expectation = sky_expectation(task.sky, scene.georeference, scene)
    detection = None
    if np.isfinite(observation.black) and (partly or observation.usable >= WHOLE):
        mask_layer, true_colour = siblings(task.picture.ref, scene)
        context = Context(
            observation,
            task.neighbours,
            usual_black=partial(_usual_black, scene, task.nearest),
            mask_layer=mask_layer,
            true_colour=true_colour,
            colour_normals=task.colours.normals,
            hue_normals=task.hues,
            same_day=partial(pictures_of, task.picture.ref, scene),
            alike=partial(read_alike, task.alike),
            clear_sky=partial(clear_sky_of, task.clear, scene, black),
        )
        detection = get_method(task.method).detect(scene, black, expectation, context)
    return Look(observation, black, expectation, detection)


def sky_expectation(
    sky: DaySky | None, georeference: Georeference, scene: Scene
) -> Expectation | None:
    """What a scene should show; None without a known orbit, or before the satellite's launch."""
    if sky is None or scene.date is None or scene.date < sky.orbit.record.launch:
        return None
    record = sky.orbit.record
    return expect(record, georeference, scene.date, sky.orbit, sza_cut_deg=sky.sza_cut_deg)


def unreadable(picture: Picture, message: str) -> DayItem:
    """What is said of a picture that cannot be read."""
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


def _said(judgement: Judgement, detection: Detection | None) -> tuple[Region, ...]:
    """Regions that become findings: of whole days, also those that explain a clean one."""
    if detection is None or judgement.verdict not in ("anomalous", "clean"):
        return ()
    return detection.regions


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
        granules=region.granules,
    )


def _shares(scene: Scene, observation: Observation, regions: Sequence[Region]) -> Shares | None:
    if np.isnan(observation.black):
        return None
    usable = region_area_km2(scene.usable, scene.georeference)
    fault = np.zeros(scene.state.shape, dtype=bool)
    for region in regions:
        if region.kind is Kind.MISSING_UNEXPECTED:
            fault |= region.mask
    unexpected = min(region_area_km2(fault, scene.georeference) / usable, observation.black)
    return Shares(observation.black, observation.black - unexpected, unexpected)


def _write(
    picture: Picture, scene: Scene, regions: Sequence[Region], reasons: ByteArray | None
) -> str | None:
    """Write the rasters of the day, and return where its mask lies, if it has one."""
    kinds = mask_of(regions, scene.georeference.shape)
    write_rasters(picture.mask_path, picture.files, kinds, reasons, scene.georeference)
    return str(picture.mask_path) if picture.mask_path is not None and kinds.any() else None


def _worldview(scene: Scene, findings: Sequence[Finding]) -> str | None:
    if scene.date is None:
        return None
    box = findings[0].bbox if findings else None
    if box is None and scene.georeference.epsg == 4326:
        box = scene.georeference.bbox
    return worldview_url(scene.layer, scene.date, scene.georeference.epsg, box)
