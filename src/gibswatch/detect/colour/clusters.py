"""Clusters of pixels of colours that nature does not have: they need no orbit and no date."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from gibswatch.detect.colour.scores import Channels, Colours
from gibswatch.detect.colour.sentences import cluster_sentence
from gibswatch.detect.context import Region
from gibswatch.detect.missing.granules import granules_of
from gibswatch.raster.scene import Scene
from gibswatch.sky.expectation import Expectation
from gibswatch.types import BoolArray, Kind

__all__ = ["Strange", "find_clusters"]

_SHARE = 0.6
"""Of the 3 x 3 pixels around one that are gross, for it to be in a cluster."""
_FEWEST_PX = 24
_TOUCH_PX = 3
_MOST = 12
"""Told one by one; those that are smaller are told together."""
_VOTED_S = 60.0
"""Seconds of strange scan lines from which all of their granule counts as faulty."""
_EIGHT = np.ones((3, 3), dtype=bool)
"""Neighbours of a pixel in a cluster."""


@dataclass(frozen=True, slots=True, eq=False)
class Strange:
    """Pixels of clusters; (rows, cols)."""

    pixels: BoolArray

    def score(self, mask: BoolArray) -> float:
        """0-1 of the clusters in a mask, 0.5 for the smallest that counts."""
        count = int((self.pixels & mask).sum())
        return count / (count + _FEWEST_PX)

    def touching(self, mask: BoolArray) -> BoolArray:
        """Clusters at a footprint: where passes overlap, another one may be shown."""
        near = ndimage.binary_dilation(mask, _EIGHT, iterations=_TOUCH_PX)
        labels, _ = ndimage.label(self.pixels, structure=_EIGHT)
        met = np.unique(labels[near & self.pixels])
        return np.isin(labels, met[met > 0])

    def regions(
        self,
        told: list[Region],
        scene: Scene,
        observed: BoolArray,
        expectation: Expectation | None,
    ) -> list[Region]:
        """Clusters that no span holds, filled to what their granules show; largest first.

        Parameters
        ----------
        told : list of Region
            Of the spans.
        scene : Scene
        observed : (rows, cols) ndarray of bool
            Observed black.
        expectation : Expectation or None
        """
        strange = self.pixels
        for region in told:
            strange = strange & ~region.mask
        granules = None if expectation is None else granules_of(expectation)
        whole = strange
        if expectation is not None and granules is not None:
            whole = strange | (_voted(strange, granules.index, expectation) & ~observed)
        found = []
        for mask in _parts(whole, strange):
            seen = mask & strange
            names = () if granules is None else granules.names(np.unique(granules.index[seen]))
            reason = cluster_sentence(mask, int(seen.sum()), names, scene.georeference)
            found.append(Region(Kind.MISCOLORATION, mask, self.score(seen), reason, names))
        return found


def find_clusters(
    colours: Colours, channels: Channels, plane: NDArray[np.float32], least: float
) -> Strange:
    """Find clusters.

    Parameters
    ----------
    colours : Colours
    channels : Channels
    plane : (rows, cols) ndarray of float32
        Takes the scores of single pixels, up to 0.4.
    least : float
        Difference of `green` from which a colour is gross.
    """
    is_gross = (np.abs(channels.green) >= least * channels.scale) & (channels.far > 0.2)
    gross = ndimage.uniform_filter(colours.plane(is_gross.astype(np.float32)), 3)
    weight = ndimage.uniform_filter(colours.plane(np.ones(is_gross.shape, dtype=np.float32)), 3)
    share = gross / np.maximum(weight, 0.3)
    labels, count = ndimage.label(share >= _SHARE, structure=_EIGHT)
    large = np.bincount(labels.ravel(), minlength=count + 1) >= _FEWEST_PX
    large[0] = False
    np.maximum(plane, colours.widen(0.4 * share, plane.shape), out=plane)
    return Strange(colours.widen(large[labels].astype(np.float32), plane.shape) > 0)


def _voted(strange: BoolArray, index: NDArray[np.int32], expectation: Expectation) -> BoolArray:
    """What granules show between the first and the last of their strange scan lines.

    All of it where these are far apart: a band that is lost shows on some surfaces only.
    """
    voters = np.bincount(index[strange & (index >= 0)], minlength=int(index.max()) + 1)
    found = np.zeros(strange.shape, dtype=bool)
    for number in np.flatnonzero(voters >= _FEWEST_PX):
        its = index == number
        time = expectation.time_s[its & strange]
        first, last = float(time.min()), float(time.max())
        if last - first < _VOTED_S:
            its &= (expectation.time_s >= first) & (expectation.time_s <= last)
        found |= its
    return found & expectation.covered


def _parts(whole: BoolArray, strange: BoolArray) -> list[BoolArray]:
    """Connected parts of what is filled, by their strange pixels, most first."""
    labels, count = ndimage.label(whole, structure=_EIGHT)
    sizes = np.bincount(labels[strange], minlength=count + 1)
    large = np.flatnonzero(sizes[1:] >= _FEWEST_PX) + 1
    ordered = large[np.argsort(-sizes[large], kind="stable")]
    parts = [np.asarray(labels == number) for number in ordered[:_MOST]]
    if ordered.size > _MOST:  # what is left is one region: each takes a whole plane
        parts.append(np.isin(labels, ordered[_MOST:]))
    return parts
