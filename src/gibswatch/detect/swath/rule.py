"""Stripes and duplicated granules, as findings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gibswatch.detect.colour.steps import bin_seconds
from gibswatch.detect.context import Region, score_of_ratio
from gibswatch.detect.missing.granules import Granules, granules_of
from gibswatch.detect.swath.duplicate import find_duplicates
from gibswatch.detect.swath.pixels import swath_pixels
from gibswatch.detect.swath.stripe import find_stripes
from gibswatch.detect.words import area_words, granule_words, place_words
from gibswatch.raster.scene import Scene
from gibswatch.sky.expectation import Expectation
from gibswatch.sky.satellites import SATELLITES
from gibswatch.types import BoolArray, Georeference, Kind

__all__ = ["find_swath_faults"]

_LEAST_PX = 24
_NAMES = {Kind.DUPLICATED_GRANULE: "Duplicated granule", Kind.STRIPES: "Stripes"}


def find_swath_faults(
    scene: Scene, observed: BoolArray, expectation: Expectation
) -> tuple[list[Region], float]:
    """Find stripes (kind 7) and duplicated granules (kind 9).

    Parameters
    ----------
    scene : Scene
    observed : (rows, cols) ndarray of bool
        Observed black.
    expectation : Expectation

    Returns
    -------
    regions : list of Region
    score : float
        0-1, 0.5 is the threshold: of the likeliest fault, found or not.
    """
    pixels = swath_pixels(scene, observed, expectation)
    if pixels is None:
        return [], 0.0
    step_s = bin_seconds(scene.georeference.pixel_deg)
    suspects = [
        _Suspect(
            Kind.DUPLICATED_GRANULE, copy.pass_index, copy.first_s, copy.last_s, copy.ratio,
            f"shows the scene of {copy.lag_s:.0f} s earlier again",
            f"scan for scan they are alike (correlation {copy.correlation:.2f})",
        )
        for copy in find_duplicates(pixels, SATELLITES[expectation.satellite], step_s)
    ]  # fmt: skip
    suspects += [
        _Suspect(
            Kind.STRIPES, wave.pass_index, wave.first_s, wave.last_s, wave.ratio,
            f"has stripes along its scans, {max(wave.depth, 0.01):.0%} deep",
            f"they return every {wave.period_s:.1f} s over the whole width of the swath",
        )
        for wave in find_stripes(pixels, step_s)
    ]  # fmt: skip
    granules = granules_of(expectation)
    regions = []
    for suspect in suspects:
        mask = suspect.part(expectation) & ~observed
        if suspect.ratio >= 1.0 and mask.sum() >= _LEAST_PX:
            regions.append(suspect.region(mask, granules, scene.georeference))
    return regions, max((score_of_ratio(suspect.ratio) for suspect in suspects), default=0.0)


@dataclass(frozen=True, slots=True)
class _Suspect:
    """A part of a pass that may be faulty."""

    kind: Kind
    pass_index: int
    first_s: float
    last_s: float
    ratio: float
    """Evidence by what is just enough."""
    what: str
    proof: str

    def part(self, expectation: Expectation) -> BoolArray:
        """All that its pass shows of it."""
        time = expectation.time_s
        with np.errstate(invalid="ignore"):
            within = (time >= self.first_s) & (time < self.last_s)
        its = expectation.pass_index == self.pass_index
        return np.asarray(within & its & expectation.covered)

    def region(self, mask: BoolArray, granules: Granules, georeference: Georeference) -> Region:
        """Make a finding of it."""
        names = granules.names(np.unique(granules.index[mask]))
        place = f"{area_words(mask, georeference)} {place_words(mask, georeference)}"
        reason = (
            f"{_NAMES[self.kind]}: the pass at {granule_words(names)} {self.what}: {place}; "
            f"{self.proof}."
        )
        return Region(self.kind, mask, score_of_ratio(self.ratio), reason, names)
