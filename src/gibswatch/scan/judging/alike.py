"""Which days' pictures look alike, from the small records of the first pass."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from gibswatch.detect.stale.likeness import MANY_CELLS, alike_cells, take_likeness, usual_cells
from gibswatch.errors import ArchiveError, DecodeError
from gibswatch.raster.scene import Scene
from gibswatch.scan.judging.orbits import imaging_satellite
from gibswatch.scan.pictures import PictureRef
from gibswatch.types import ByteArray

__all__ = ["alike_days", "read_alike", "scene_likeness"]

_REACH_DAYS = 17
"""Days apart at most: a service without a picture shows its last one, or the cycle before."""
_FEWEST_DAYS = 4
"""Records from which it can be said what is usual."""
_MOST = 3
"""Days that are looked at for one."""


def scene_likeness(scene: Scene) -> ByteArray | None:
    """Take the record of a picture; None of layers whose pixels are not those of a scene."""
    return None if imaging_satellite(scene.layer) is None else take_likeness(scene)


def alike_days(
    records: Sequence[tuple[dt.date | None, ByteArray | None]],
) -> Mapping[int, tuple[int, ...]]:
    """Find pictures that may show the pixels of another day.

    Parameters
    ----------
    records : sequence of (date, record)
        Of pictures of one layer and grid, in any order; those without either are left out.

    Returns
    -------
    mapping
        Numbers of the most alike others, at most 3, by the number of a picture.
    """
    dated = sorted(
        (day, n) for n, (day, record) in enumerate(records) if day and record is not None
    )
    known = [(day, n, record) for day, n in dated if (record := records[n][1]) is not None]
    pairs: dict[int, list[tuple[int, int]]] = {}
    for place, (day, number, record) in enumerate(known):
        first = place
        while first > 0 and (day - known[first - 1][0]).days <= _REACH_DAYS:
            first -= 1
        others = known[first:place]
        near = [r for _, _, r in known[first : place + _REACH_DAYS] if r.shape == record.shape]
        if not others or len(near) < _FEWEST_DAYS:
            continue
        usual = usual_cells(near)
        for _, other, its in others:
            cells = alike_cells(record, its, usual)
            if cells >= MANY_CELLS:
                pairs.setdefault(number, []).append((cells, other))
                pairs.setdefault(other, []).append((cells, number))
    return {
        n: tuple(m for _, m in sorted(found, reverse=True)[:_MOST]) for n, found in pairs.items()
    }


def read_alike(refs: Sequence[PictureRef]) -> tuple[Scene, ...]:
    """Read the pictures of days that may be the same; those that cannot be read are left out."""
    scenes = []
    for ref in refs:
        try:
            scenes.append(ref.read())
        except (DecodeError, ArchiveError):
            continue
    return tuple(scenes)
