"""Findings of missing data in words: one sentence each."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gibswatch.detect.context import REASON_CODES, Region
from gibswatch.raster.regions import pixel_area_km2, region_area_km2
from gibswatch.sky.expectation import Expectation
from gibswatch.sky.places import pixel_places
from gibswatch.sky.schedule import Window
from gibswatch.sky.timescale import datetime_at
from gibswatch.types import BoolArray, ByteArray, Georeference, Kind

__all__ = ["clean_note", "eclipse_sentence", "hole_sentence", "roll_sentence"]

_NAMED = 3
_WORDS = (
    ("swath gap", "swath gaps"),
    ("night", "night"),
    ("terminator", "granules at the night edge"),
    ("eclipse", "an eclipse"),
    ("scheduled", "a scheduled manoeuvre"),
    ("server-empty", "blank tiles of the server"),
)


def hole_sentence(mask: BoolArray, expectation: Expectation, granules: Sequence[str]) -> str:
    """Say what is missing, where, and what does not explain it."""
    g = expectation.georeference
    which = _granules(granules) or "a part of the picture"
    verb = "is" if len(granules) == 1 or not granules else "are"
    excluded = ["not night", "not a swath gap", "no eclipse", "nothing scheduled"]
    if expectation.scheduled:
        excluded[3] = "not the manoeuvre that is scheduled"
    return (
        f"Missing data: {which} {verb} black where a pass saw daylight: "
        f"{_area(mask, g)} {_where(mask, g)}; {', '.join(excluded)}."
    )


def roll_sentence(
    mask: BoolArray, expectation: Expectation, window: Window, granules: Sequence[str]
) -> str:
    """Say which manoeuvre explains a hole."""
    g = expectation.georeference
    which = _granules(granules) or "a part of the picture"
    return f"Scheduled: {which} black over {_area(mask, g)} {_where(mask, g)}: {window.why}."


def eclipse_sentence(mask: BoolArray, expectation: Expectation) -> str:
    """Say which part of an eclipse is black."""
    most = float(expectation.obscuration[mask].max())
    times = expectation.time_s[mask]
    when = f"{datetime_at(float(np.nanmedian(times))):%Y-%m-%d %H:%M} UTC"
    return (
        f"Eclipse of the Sun: {_area(mask, expectation.georeference)} "
        f"{_where(mask, expectation.georeference)} are black at {when}, when the Moon covers "
        f"{most:.0%} of the Sun."
    )


def clean_note(reasons: ByteArray, georeference: Georeference, regions: Sequence[Region]) -> str:
    """Say how much is black, and why, as half a sentence."""
    area = pixel_area_km2(georeference)
    sums = np.bincount(reasons.ravel(), weights=area.ravel(), minlength=256)
    total = sums.sum() - sums[REASON_CODES["outside"]]
    if not total > 0:
        return "nothing of the picture lies on the globe"
    parts = [(sums[REASON_CODES[code]] / total, words) for code, words in _WORDS]
    parts = sorted((part for part in parts if part[0] >= 0.0005), reverse=True)
    lost = sums[REASON_CODES["unexpected"]] / total
    share = sum(part for part, _ in parts) + lost
    if lost:
        parts.append((lost, "unexplained"))
    if not parts:
        return "no part of it is black"
    if len(parts) == 1:
        return f"{share:.1%} is black, all of it {parts[0][1]}"
    listed = [f"{words} ({part:.1%})" for part, words in parts]
    said = f"{share:.1%} is black, all of it {', '.join(listed[:-1])} and {listed[-1]}"
    explained = [region.reason for region in regions if region.kind is Kind.MISSING_EXPECTED]
    return f"{said}; {explained[0].rstrip('.')}" if explained else said


def _granules(names: Sequence[str]) -> str:
    """Granules by their times: ``granules 12:05 and 12:10 UTC of 2023-08-07``."""
    if not names:
        return ""
    days = sorted({name[:10] for name in names})
    times = [name[11:].rstrip("Z") for name in names]
    if len(names) > _NAMED + 1:
        listed = f"{times[0]} to {times[-1]}"
        return f"{len(names)} granules from {listed} UTC of {' and '.join(days)}"
    listed = " and ".join([", ".join(times[:-1]), times[-1]]) if len(times) > 1 else times[0]
    return f"granule{'s' if len(times) > 1 else ''} {listed} UTC of {' and '.join(days)}"


def _area(mask: BoolArray, georeference: Georeference) -> str:
    area = region_area_km2(mask, georeference)
    if area >= 1e6:
        return f"{area / 1e6:.1f} million km2"
    digits = max(0, len(str(int(area))) - 2)
    return f"{round(area, -digits):,.0f} km2"


def _where(mask: BoolArray, georeference: Georeference) -> str:
    """Between which meridians and parallels: ``between 36W-5W, 18S-18N``."""
    longitude, latitude = pixel_places(georeference)
    lat = latitude[mask]
    south, north = float(lat.min()), float(lat.max())
    pixel = georeference.pixel_width if georeference.epsg == 4326 else 1.0
    west, east = _span(longitude[mask], max(1, math.ceil(pixel)))
    return f"between {_lon(west)}-{_lon(east)}, {_lat(south)}-{_lat(north)}"


def _span(longitude: NDArray[np.float32], step: int) -> tuple[int, int]:
    """Shortest arc of whole steps of degrees that holds all longitudes."""
    held = np.zeros(math.ceil(360 / step), dtype=bool)
    held[np.floor((longitude + 180.0) / step).astype(np.intp) % len(held)] = True
    if held.all():
        return -180, 180
    marks = np.flatnonzero(held)
    empty = np.diff(np.append(marks, marks[0] + len(held)))
    last = int(np.argmax(empty))
    west = int(marks[(last + 1) % len(marks)]) * step - 180
    east = (int(marks[last]) + 1) * step - 180
    return west, min(east, 180)


def _lon(value: int) -> str:
    return f"{abs(value)}{'W' if value < 0 else 'E'}" if value else "0"


def _lat(value: float) -> str:
    whole = round(value)
    return f"{abs(whole)}{'S' if whole < 0 else 'N'}" if whole else "0"
