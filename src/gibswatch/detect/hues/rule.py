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
hue is that of double precision (`counting`); a score from 0 to 1 is given, since the notebook
only looked at days known to be faulty; a day among the normal ones is left out of them when it is
judged; by fewer than 5 normal days nothing is judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gibswatch.detect.context import Detection, Region
from gibswatch.detect.hues.counting import HUES
from gibswatch.detect.hues.histogram import DayHues, HueNormals, day_hues, to_shape
from gibswatch.detect.lattice_dbscan import NOISE, lattice_dbscan
from gibswatch.raster.scene import Scene
from gibswatch.types import BoolArray, Kind

__all__ = ["RARE_COUNT", "RARE_SHARE", "HueRule", "detect_hue"]

RARE_COUNT = 10_000
"""Pixels of one hue on all of the notebook's normal days under which the hue is rare."""
_NOTEBOOK_DAYS = 891
"""Normal days of the notebook, by the sum of the histogram that it shows."""
_NOTEBOOK_PIXELS = 2048 * 1024
RARE_SHARE = RARE_COUNT / (_NOTEBOOK_DAYS * _NOTEBOOK_PIXELS)
"""The same as a share of the pixels looked at, black ones included: 5.4 in a million."""
_COLOURS = 3
"""Bands of a picture that has hues."""
_FEWEST_DAYS = 5
"""Of few normal days most hues of another day are rare."""


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


def detect_hue(
    scene: Scene, observed: BoolArray, normals: HueNormals | None, rule: HueRule | None = None
) -> Detection:
    """Look for clusters of pixels of an odd hue.

    Parameters
    ----------
    scene : Scene
    observed : (rows, cols) ndarray of bool
        Observed black (`gibswatch.raster.observed_black`).
    normals : HueNormals or None
        Of normal days of the same layer.
    rule : HueRule, optional

    Returns
    -------
    Detection
        At most one region, of kind 3: the pixels of all clusters.  With n such pixels the score is
        ``n / (n + min_samples)`` but at least 0.5; without, the same of the suspects but under
        0.5.  Score 0, saying so, where fewer than 5 normal days have been counted, the picture
        has no colours, or the places that were counted are of another size.

    Raises
    ------
    UsageError
        If `rule` has thresholds out of range.
    """
    rule = rule or HueRule()
    if scene.pixels.shape[2] < _COLOURS:
        return Detection(0.0, "no colours to judge")
    days = 0 if normals is None else normals.histogram.days - normals.itself
    if normals is None or days < _FEWEST_DAYS:
        of = "no normal day" if days == 0 else f"fewer than {_FEWEST_DAYS} normal days"
        return Detection(0.0, f"colours not judged: {of} to count hues of")
    day = day_hues(scene, observed, places=True)
    if day.plane is None:
        raise RuntimeError("a day without the hues that were asked for")
    if rule.kind == "deviation" and not normals.histogram.fits(day):
        return Detection(0.0, "colours not judged: the normal days are of another size")
    suspect = _odd(day.plane, normals, day, rule)
    labels = lattice_dbscan(suspect, eps=rule.eps, min_samples=rule.min_samples)
    kept = np.zeros_like(suspect)
    kept[suspect] = labels != NOISE
    clusters, clustered = int(labels.max(initial=NOISE)) + 1, int(kept.sum())
    what = "a rare hue" if rule.kind == "rare" else "an unusual hue"
    if clusters == 0:
        score = min(len(labels) / (len(labels) + rule.min_samples), 0.499)
        return Detection(score, f"{len(labels)} pixels of {what}, none in a cluster")
    note = (
        f"{clustered} pixels of {what} in {clusters} cluster(s), by the hues of {days} normal days"
    )
    score = max(clustered / (clustered + rule.min_samples), 0.5)
    mask = to_shape(kept, scene.state.shape)
    region = Region(Kind.MISCOLORATION, mask, score, f"Miscoloration: {note}.")
    return Detection(score, note, (region,))


def _odd(plane: NDArray[np.uint16], normals: HueNormals, day: DayHues, rule: HueRule) -> BoolArray:
    """Mark the pixels whose hue is odd."""
    itself = day if normals.itself else None
    if rule.kind == "rare":
        rare = np.append(normals.histogram.is_rare(rule.rare_share, itself), np.False_)
        return np.asarray(rare[plane])
    mean, deviation = normals.histogram.moments(itself)
    far = np.abs(plane - mean) > rule.deviations * deviation
    return np.asarray(far & (deviation < rule.most_deviation) & (plane < HUES))
