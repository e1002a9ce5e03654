"""Asks the other pictures of a day about regions of strange colour, where the archive has any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gibswatch.detect.colour.prior import read_prior
from gibswatch.detect.colour.scores import Channels, Colours, own_normals, see_colours
from gibswatch.detect.colour.siblings import Difference, see_difference, settle
from gibswatch.detect.colour.statistics import ColourNormals
from gibswatch.detect.context import Context, Detection, Region, clean_score
from gibswatch.raster.scene import Scene
from gibswatch.sky.expectation import Expectation
from gibswatch.sky.satellites import satellite_of
from gibswatch.types import BoolArray

__all__ = ["settle_by_others"]


def settle_by_others(
    shown: Detection,
    scene: Scene,
    observed: BoolArray,
    expectation: Expectation | None,
    context: Context,
) -> Detection:
    """Leave out what the Earth itself shows, and say of the rest whose fault it is.

    Parameters
    ----------
    shown : Detection
        Regions of kind 3.
    scene, observed, expectation, context
        As `gibswatch.detect.colour.rule.detect` got them.
    """
    others = context.same_day() if shown.regions else ()
    own = _see(scene, observed, expectation, context.colour_normals()) if others else None
    if own is None:
        return shown
    looks = [
        (other.scene, seen)
        for other in others
        if (seen := _see(other.scene, other.observed, None, other.normals)) is not None
    ]
    kept, told = [], []
    for region in shown.regions:
        mine = _difference(region, scene, own)
        settled, sentence = settle(region, mine, [_difference(region, *look) for look in looks])
        if settled is not None:
            kept.append(settled)
        elif sentence not in told:
            told.append(sentence)
    return _without(shown, kept, told)


def _see(
    scene: Scene,
    observed: BoolArray,
    expectation: Expectation | None,
    normals: ColourNormals | None,
) -> tuple[Colours, Channels] | None:
    colours = see_colours(scene, observed, expectation)
    usual = normals or own_normals(colours) or read_prior(scene.layer)
    if usual is None or not colours.longitude.size:
        return None
    return colours, colours.channels(usual)


def _difference(region: Region, scene: Scene, seen: tuple[Colours, Channels]) -> Difference:
    satellite = satellite_of(scene.layer)
    name = scene.layer if satellite is None else satellite.name
    return see_difference(region.mask, *seen, layer=scene.layer, satellite=name)


def _without(shown: Detection, kept: Sequence[Region], told: Sequence[str]) -> Detection:
    if len(kept) == len(shown.regions):
        return replace(shown, regions=tuple(kept))
    score = max((region.score for region in kept), default=clean_score(shown.score))
    note = f"{shown.note}; {' '.join(told).rstrip('.')}"
    return replace(shown, regions=tuple(kept), score=score, note=note)
