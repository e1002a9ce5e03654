"""What explains the black of one day, as planes; and whether a picture fits its expectation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gibswatch.detect.context import REASON_CODES, Region
from gibswatch.detect.missing.eclipse import eclipse_black
from gibswatch.detect.missing.gaps import Gaps, expected_gaps
from gibswatch.detect.missing.holes import Ground, grown
from gibswatch.detect.missing.witness import Dark
from gibswatch.detect.night.terminator import Terminator, dark_by_nature, fit_terminator
from gibswatch.raster.scene import STATE_CODES, Scene
from gibswatch.sky.expectation import OUTSIDE, Expectation
from gibswatch.types import BoolArray, ByteArray, Kind

__all__ = ["Explained", "Misfit", "explain"]

_FEWEST_CORE = 200
"""Pixels in the middle of gaps, or deep in the night; fewer say nothing."""
_CORE_SHARE = 0.5
"""Least share of black there for a picture to fit its date."""
_SURE_DEG = 0.4
"""Sigma of the orbit's longitude under which its gaps, 3 degrees wide, cannot be elsewhere."""
_NIGHT_EDGE_DEG = 2.0
"""Before the cut, in which real night edges waver."""
_MODIS_LOW_SUN_DEG = 79.0
"""MODIS leaves out its last granules by a pattern of its own: on five real days black that hangs on
the night begins here at the earliest."""
_DEEP_NIGHT_DEG = 3.0
"""Beyond the cut."""


@dataclass(frozen=True, slots=True)
class Misfit:
    """How a picture does not fit what is expected of its date."""

    why: str
    """Half a sentence."""
    wrong_date: bool
    """Whether no orbit of the satellite would make it fit."""


@dataclass(frozen=True, slots=True, eq=False)
class Explained:
    """Planes (rows, cols) of one day."""

    expectation: Expectation
    scene: Scene
    dark: Dark
    gaps: Gaps
    terminator: Terminator
    night: BoolArray
    """Black is night: too low a Sun, or a dark granule that is not processed."""
    undecided: BoolArray
    """So near to it that black says nothing."""
    eclipse: BoolArray
    """Black that the Moon's shadow explains."""
    outside: BoolArray
    sent: BoolArray
    """The server had the pixel and it arrived."""

    def misfit(self) -> Misfit | None:
        """Say how the picture does not fit its expectation; None if it does."""
        limit = self.terminator.cut_deg + _DEEP_NIGHT_DEG
        deep = ~(self.expectation.sza_deg <= limit)  # NaN is deep night
        night = self._light(deep)
        if night is not None and 1.0 - night < _CORE_SHARE:
            why = f"{night:.0%} of what should be night shows imagery"
            return Misfit(why, wrong_date=True)
        wide = round(self.gaps.tolerance_px) + 1
        core = ~grown(~(self.gaps.plane | self.night), wide) & ~deep
        gap = self._light(core)
        if gap is not None and 1.0 - gap < _CORE_SHARE:
            why = f"{gap:.0%} of what should be swath gaps shows imagery"
            sigma = self.expectation.orbit.longitude_sigma_deg
            return Misfit(why, wrong_date=sigma < _SURE_DEG)
        return None

    def _light(self, plane: BoolArray) -> float | None:
        """Share of imagery in a plane; None where there is too little of it."""
        wanted = plane & self.sent & ~self.outside
        pixels = int(wanted.sum())
        if pixels < _FEWEST_CORE:
            return None
        return 1.0 - int((wanted & self.dark.edges).sum()) / pixels

    def ground(self) -> Ground:
        """Say in what holes are to be looked for."""
        black = self.dark.black & self.sent
        static = self.night | self.gaps.plane | self.outside
        near = grown(self.gaps.plane | self.outside, round(self.gaps.tolerance_px))
        near |= grown(self.night, 1) | grown(self.eclipse, 2) | self.undecided
        near |= self.gaps.on_rim(self.expectation, black & ~static & ~near)
        return Ground(
            black,
            self.dark.dim & self.sent,
            static | self.eclipse | ~self.sent,
            near,
            self.low_sun(),
            self.night | self.undecided,
        )

    def low_sun(self) -> BoolArray:
        """Mark where black that hangs on the night may be night itself."""
        from_deg = self.terminator.cut_deg - _NIGHT_EDGE_DEG
        if self.expectation.orbit.record.instrument == "MODIS":
            from_deg = min(from_deg, _MODIS_LOW_SUN_DEG)
        return ~(self.expectation.sza_deg <= from_deg)

    def reasons(self, black: BoolArray, regions: Sequence[Region]) -> ByteArray:
        """Say why each pixel is black.

        Parameters
        ----------
        black : (rows, cols) ndarray of bool
            Where the picture is.
        regions : sequence of Region
            What was made of holes.

        Returns
        -------
        (rows, cols) ndarray of uint8
            `REASON_CODES`; 0 where it is not black.
        """
        codes = REASON_CODES
        reasons = np.zeros(black.shape, dtype=np.uint8)
        wide = round(self.gaps.tolerance_px) + 1
        reasons[black & (self.undecided | self.low_sun())] = codes["terminator"]
        reasons[black & grown(self.gaps.plane, wide)] = codes["swath gap"]
        reasons[black & grown(self.night, wide)] = codes["night"]
        reasons[self.eclipse] = codes["eclipse"]
        for region in regions:
            if region.kind is Kind.MISSING_EXPECTED:
                reasons[region.mask] = codes["scheduled"]
            elif region.kind is Kind.MISSING_UNEXPECTED:
                reasons[region.mask] = codes["unexpected"]
        reasons[self.scene.state == STATE_CODES["server-empty"]] = codes["server-empty"]
        reasons[~self.scene.usable] = codes["not fetched"]
        reasons[self.outside] = codes["outside"]
        return reasons


def explain(scene: Scene, expectation: Expectation, dark: Dark) -> Explained:
    """Set the expectation right by the day itself, and say what it explains.

    Parameters
    ----------
    scene : Scene
    expectation : Expectation
    dark : Dark
        Where the picture is dark.
    """
    sent = np.asarray(scene.state == STATE_CODES["ok"])
    terminator = fit_terminator(expectation, dark.edges, sent)
    night, undecided = dark_by_nature(expectation, terminator)
    return Explained(
        expectation=expectation,
        scene=scene,
        dark=dark,
        gaps=expected_gaps(expectation, dark.edges & sent),
        terminator=terminator,
        night=night,
        undecided=undecided,
        eclipse=eclipse_black(dark.dim & sent, expectation),
        outside=np.asarray(expectation.reason == OUTSIDE),
        sent=sent,
    )
