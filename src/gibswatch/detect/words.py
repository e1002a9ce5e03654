"""Which granules, how large and where: the words that the sentences of findings share."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gibswatch.raster.regions import region_area_km2
from gibswatch.sky.places import pixel_places
from gibswatch.types import BoolArray, Georeference

__all__ = ["area_words", "granule_words", "place_words"]

_NAMED = 3
"""Granules whose times are all told; of more the first and the last."""


def granule_words(names: Sequence[str]) -> str:
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


def area_words(mask: BoolArray, georeference: Georeference) -> str:
    """Area on the ground: ``270,000 km2``, ``6.8 million km2``."""
    area = region_area_km2(mask, georeference)
    if area >= 1e6:
        return f"{area / 1e6:.1f} million km2"
    digits = max(0, len(str(int(area))) - 2)
    return f"{round(area, -digits):,.0f} km2"


def place_words(mask: BoolArray, georeference: Georeference) -> str:
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
