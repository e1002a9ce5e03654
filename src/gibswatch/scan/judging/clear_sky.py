"""Clear sky of a few days, read once for all of them by each worker."""

from __future__ import annotations

import threading
import uuid
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gibswatch.detect.warp.clear_sky import ClearSky
from gibswatch.errors import ArchiveError, DecodeError
from gibswatch.raster.observe import observe
from gibswatch.raster.scene import Scene
from gibswatch.scan.pictures import PictureRef
from gibswatch.types import BoolArray, Georeference

__all__ = ["ClearDays", "clear_sky_of", "new_scan"]

_MOST_KEPT = 2
"""Blocks of days kept: 26 MB each at most, as pixels are of 0.13 degrees or more."""


@dataclass(frozen=True, slots=True)
class ClearDays:
    """Days whose clear sky is taken together."""

    refs: tuple[PictureRef, ...]
    key: tuple[str, int]
    """Which scan and which of its blocks: what was read is used in one scan, not in the next, by
    which a picture may have come anew."""


def new_scan() -> str:
    """Name a scan so that no other has the name."""
    return uuid.uuid4().hex


def clear_sky_of(
    days: ClearDays | None, scene: Scene, observed: BoolArray
) -> NDArray[np.float32] | None:
    """Colour of clear sky by the other days of a block; see `ClearSky.without`.

    Parameters
    ----------
    days : ClearDays or None
    scene : Scene
        The day that is judged.
    observed : (rows, cols) ndarray of bool
        Its observed black.
    """
    return None if days is None else _KEPT.of(days, scene).without(scene, observed)


class _Kept:
    """The last few blocks that this process read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._blocks: OrderedDict[tuple[tuple[str, int], Georeference], ClearSky] = OrderedDict()

    def of(self, days: ClearDays, scene: Scene) -> ClearSky:
        with self._lock:
            key = days.key, scene.georeference  # days of different sizes may be judged together
            found = self._blocks.pop(key, None)
            if found is None:
                found = _read(days.refs, scene)
            self._blocks[key] = found
            while len(self._blocks) > _MOST_KEPT:
                self._blocks.popitem(last=False)
            return found


def _read(refs: tuple[PictureRef, ...], scene: Scene) -> ClearSky:
    clear = ClearSky(scene.georeference)
    for ref in refs:
        try:
            other = ref.read()
        except (DecodeError, ArchiveError):
            continue
        clear.add(other, observe(other)[1])
    return clear


_KEPT = _Kept()
