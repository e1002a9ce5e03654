"""The predecessor's pixel labelling of miscoloration, as a baseline: odd hues in clusters.

After the notebook *pixel_labeling_miscoloration_viirs* of NASA's gibs-ml (see ``docs/sources.md``):
the hues of the normal days are counted; a pixel that is not black is suspect if its hue is rare
(seen fewer than 10,000 times on all normal days), or, in an earlier form, if the hues of its own
place vary little (standard deviation under 40) and its hue is more than 2 of them from their mean;
DBSCAN with eps 15 and 20 pixels (earlier 3.5 and 30) keeps suspects that lie in clusters.  As
there, a globe of another size is brought to 2048x1024 by the nearest pixel, and a day is normal if
no person has said that its colours are wrong: missing data does not matter.

Differences: 10,000 is a share of the pixels that were looked at, since other archives have other
numbers of days and pixels; black is the picture's observed black, and is not counted as hue 0; the
hue is that of double precision (`hue_counting`); a score from 0 to 1 is given, since the notebook
only looked at days known to be faulty.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from gibswatch.detect.context import Detection, Region
from gibswatch.detect.hue_counting import HUES, count_hues, hues
from gibswatch.detect.lattice_dbscan import NOISE, lattice_dbscan
from gibswatch.errors import UsageError
from gibswatch.raster.scene import STATE_CODES, Scene, brightest_channel
from gibswatch.types import BoolArray, ByteArray, Kind

__all__ = ["RARE_COUNT", "RARE_SHARE", "HueHistogram", "HueRule", "detect_hue"]

RARE_COUNT = 10_000
"""Pixels of one hue on all of the notebook's normal days under which the hue is rare."""
_NOTEBOOK_DAYS = 891
"""Normal days of the notebook, by the sum of the histogram that it shows."""
_RULE_SHAPE = (1024, 2048)
RARE_SHARE = RARE_COUNT / (_NOTEBOOK_DAYS * _RULE_SHAPE[0] * _RULE_SHAPE[1])
"""The same as a share of the pixels looked at, black ones included: 5.4 in a million."""
_FEWEST_DAYS = 2
"""Of one place, for a standard deviation."""
_Any = TypeVar("_Any", bound=np.generic)
_STRIP_ROWS = 8
"""Rows whose histograms are summed up at one time: 47 MB as float64 at 2048 columns."""


@dataclass(frozen=True, slots=True)
class HueRule:
    """Thresholds of the labelling; the predecessor's last ones by default."""

    kind: Literal["rare", "deviation"] = "rare"
    """"rare": by the histogram of all pixels; "deviation": by mean and standard deviation, those
    of the pixel's own place if the histogram keeps places, else those of all pixels."""
    rare_share: float = RARE_SHARE
    """Of the pixels looked at; a hue under it is rare."""
    most_deviation: float = 40.0
    """Degrees; where hues vary as much or more nothing is suspect."""
    deviations: float = 2.0
    eps: float = 15.0
    """Pixels, as for `lattice_dbscan`."""
    min_samples: int = 20


@dataclass(slots=True, eq=False)
class HueHistogram:
    """Hues of the normal days of one layer: counted day by day, in memory that does not grow.

    Parameters
    ----------
    per_pixel : bool
        Count each place for itself too: 720 bytes a pixel, 1.5 GB at 2048x1024.  All days must
        then have the same shape.
    """

    per_pixel: bool = False
    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(HUES, np.int64), init=False)
    """(360,): pixels of each hue that were not black."""
    pixels: int = field(default=0, init=False)
    """Looked at, black ones included."""
    days: int = field(default=0, init=False)
    places: NDArray[np.uint16] | None = field(default=None, init=False)
    """(rows, cols, 360): days on which a place had a hue; None unless asked for."""

    def add(self, scene: Scene, observed: BoolArray) -> None:
        """Count one more normal day.

        Parameters
        ----------
        scene : Scene
        observed : (rows, cols) ndarray of bool
            Observed black: not counted.

        Raises
        ------
        UsageError
            If places are kept and the day has another shape than those before, or there have been
            65,535 days.
        """
        pixels, shown, sent = _at_rule_size(scene, observed)
        if self.per_pixel:
            self._add_places(pixels, shown)
        self.counts += count_hues(pixels, shown)
        self.pixels += int(sent.sum())
        self.days += 1

    def _add_places(self, pixels: ByteArray, shown: BoolArray) -> None:
        if self.places is None:
            self.places = np.zeros((*shown.shape, HUES), dtype=np.uint16)
        if self.places.shape[:2] != shown.shape:
            raise UsageError(
                f"a day of {shown.shape} pixels cannot be counted place by place with days of "
                f"{self.places.shape[:2]}: use a histogram for each size"
            )
        if self.days == np.iinfo(np.uint16).max:
            raise UsageError(f"places can be counted on {self.days} days: begin a new histogram")
        rows, cols = np.nonzero(shown)
        self.places[rows, cols, hues(pixels)[shown]] += 1

    def is_rare(self, share: float) -> BoolArray:
        """Mark the hues that were seen less often than a share of the pixels, as (360,) bool."""
        return np.asarray(self.counts < share * self.pixels)

    def moments(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Mean and standard deviation of the hues.

        Returns
        -------
        mean, deviation : (rows, cols) or () ndarray of float32
            Degrees, of each place or of all pixels; the deviation is infinite where fewer than two
            were counted.  Hues are taken as numbers from 0 to 359, as there, not as angles.
        """
        if self.places is None:
            return _moments(self.counts)
        shape = self.places.shape[:2]
        mean, deviation = np.empty(shape, np.float32), np.empty(shape, np.float32)
        for row in range(0, shape[0], _STRIP_ROWS):
            strip = slice(row, row + _STRIP_ROWS)
            mean[strip], deviation[strip] = _moments(self.places[strip])
        return mean, deviation


def detect_hue(
    scene: Scene, observed: BoolArray, histogram: HueHistogram, rule: HueRule | None = None
) -> Detection:
    """Look for clusters of pixels of an odd hue.

    Parameters
    ----------
    scene : Scene
    observed : (rows, cols) ndarray of bool
        Observed black (`gibswatch.raster.observed_black`).
    histogram : HueHistogram
        Of normal days of the same layer, the day itself best left out.
    rule : HueRule, optional

    Returns
    -------
    Detection
        At most one region, of kind 3: the pixels of all clusters.  With n such pixels the score is
        ``n / (n + min_samples)`` but at least 0.5; without, the same of the suspects but under
        0.5.  Score 0, saying so, where no normal day has been counted.

    Raises
    ------
    UsageError
        If the histogram keeps places of another shape, or `rule` has thresholds out of range.
    """
    rule = rule or HueRule()
    if histogram.pixels == 0:
        return Detection(0.0, "no normal day to count hues of")
    pixels, shown, _ = _at_rule_size(scene, observed)
    suspect = shown & _odd(hues(pixels), histogram, rule)
    labels = lattice_dbscan(suspect, eps=rule.eps, min_samples=rule.min_samples)
    kept = np.zeros_like(suspect)
    kept[suspect] = labels != NOISE
    clusters, clustered = int(labels.max(initial=NOISE)) + 1, int(kept.sum())
    what = "a rare hue" if rule.kind == "rare" else "an unusual hue"
    if clusters == 0:
        score = min(len(labels) / (len(labels) + rule.min_samples), 0.499)
        return Detection(score, f"{len(labels)} pixels of {what}, none in a cluster")
    note = (
        f"{clustered} pixels of {what} in {clusters} cluster(s), by the hues of "
        f"{histogram.days} normal days"
    )
    score = max(clustered / (clustered + rule.min_samples), 0.5)
    mask = _nearest(kept, scene.state.shape)
    return Detection(score, note, (Region(Kind.MISCOLORATION, mask, score, note),))


def _odd(found: NDArray[np.uint16], histogram: HueHistogram, rule: HueRule) -> BoolArray:
    """Mark the pixels whose hue is odd, black or not."""
    if rule.kind == "rare":
        return np.asarray(histogram.is_rare(rule.rare_share)[found])
    mean, deviation = histogram.moments()
    if mean.ndim and mean.shape != found.shape:
        raise UsageError(
            f"a day of {found.shape} pixels cannot be judged by places of {mean.shape}: "
            "count normal days of its size"
        )
    far = np.abs(found - mean) > rule.deviations * deviation
    return np.asarray(far & (deviation < rule.most_deviation))


def _moments(counts: NDArray[np.integer[Any]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    weights = counts.astype(np.float64)
    degrees = np.arange(HUES, dtype=np.float64)
    total = weights.sum(axis=-1)
    divisor = np.maximum(total, 1.0)
    mean = weights @ degrees / divisor
    variance = np.maximum(weights @ degrees**2 / divisor - mean**2, 0.0)
    deviation = np.where(total >= _FEWEST_DAYS, np.sqrt(variance), np.inf)
    return np.asarray(mean, dtype=np.float32), np.asarray(deviation, dtype=np.float32)


def _at_rule_size(scene: Scene, observed: BoolArray) -> tuple[ByteArray, BoolArray, BoolArray]:
    """Give pixels, which of them show imagery, and which the server has sent."""
    g = scene.georeference
    is_globe = g.epsg == 4326 and np.isclose(g.cols * g.pixel_width, 360.0)
    is_globe = is_globe and np.isclose(g.rows * g.pixel_height, 180.0)
    shape = _RULE_SHAPE if is_globe else g.shape
    pixels = _nearest(scene.pixels[..., :3], shape)
    sent = _nearest(scene.state, shape) == STATE_CODES["ok"]
    shown = sent & ~_nearest(observed, shape) & (brightest_channel(pixels) > 0)
    return pixels, np.asarray(shown), np.asarray(sent)


def _nearest(plane: NDArray[_Any], shape: tuple[int, ...]) -> NDArray[_Any]:
    if plane.shape[:2] == shape:
        return plane
    rows = (np.arange(shape[0]) + 0.5) * plane.shape[0] / shape[0]
    cols = (np.arange(shape[1]) + 0.5) * plane.shape[1] / shape[1]
    return plane[np.ix_(rows.astype(int), cols.astype(int))]
