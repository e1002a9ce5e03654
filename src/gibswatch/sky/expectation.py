"""`Expectation`: what a picture of one satellite should show on one day, and why not elsewhere."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from gibswatch.catalogue.events import Event
from gibswatch.errors import DateRangeError
from gibswatch.sky.obscuration import obscuration
from gibswatch.sky.orbit import Orbit, anchor_orbit
from gibswatch.sky.passes import PassGeometry, pass_geometry
from gibswatch.sky.places import inside, pixel_places
from gibswatch.sky.satellites import SATELLITES, Satellite
from gibswatch.sky.schedule import Window, scheduled_windows
from gibswatch.sky.timescale import datetime_at
from gibswatch.types import BoolArray, ByteArray, Georeference

__all__ = [
    "ECLIPSE_OBSCURATION",
    "OUTSIDE",
    "REASONS",
    "SZA_CUT_DEG",
    "UNDECIDED_FROM_DEG",
    "Expectation",
    "expect",
    "granule_id",
]

REASONS: Mapping[int, str] = MappingProxyType(
    {
        0: "visible",
        1: "night",
        2: "swath gap",
        3: "scheduled",
        4: "eclipse",
        5: "terminator, undecided",
        255: "outside",
    }
)
"""What a value of `Expectation.reason` means."""

OUTSIDE = 255
SZA_CUT_DEG = 86.5
"""Solar zenith angle at which imagery ends: 86.4 on a VIIRS day, 86.5 +- 0.3 on MODIS days."""
UNDECIDED_FROM_DEG = 75.0
"""From here granules may end the imagery before the Sun does: MODIS drops the last, dark ones."""
_UNDECIDED_BEYOND_DEG = 2.0
"""How far beyond the cut imagery may still be."""
ECLIPSE_OBSCURATION = 0.5
"""Share of the Sun's disc from which a pixel counts as darkened by an eclipse: 22 of 28 Terra days
with odd black pixels have more."""
_KM_PER_DEGREE = 111.32


@dataclass(frozen=True, slots=True, eq=False)
class Expectation:
    """What should be visible in one scene; planes are (rows, cols) and read-only."""

    satellite: str
    day: dt.date
    """Local calendar day."""
    georeference: Georeference
    orbit: Orbit
    """Which orbit was used; its nodes are counted from the first pass of the day."""
    covered: BoolArray
    """Imagery is expected: a pass of the day sees the pixel with the Sun above the cut."""
    reason: ByteArray
    """Code of `REASONS`."""
    pass_index: NDArray[np.int32]
    """Number of the chosen pass in `orbit`, from 0; -1 where there is none."""
    time_s: NDArray[np.float64]
    """Epoch seconds of the chosen pass; NaN where there is none."""
    sza_deg: NDArray[np.float32]
    """Solar zenith angle at the chosen pass, or at the nearby one with the most light."""
    view_zenith_deg: NDArray[np.float32]
    cross_track_deg: NDArray[np.float32]
    """Scan angle, positive to the left of the flight; NaN where there is none."""
    glint_deg: NDArray[np.float32]
    """Angle to the Sun's mirror image."""
    obscuration: NDArray[np.float32]
    """Share of the Sun's disc that the Moon covers, 0-1."""
    sza_cut_deg: float
    uncertainty_px: float
    """Standard deviation of the swaths' edges at the equator, from the orbit's, in pixels."""
    scheduled: tuple[Window, ...] = ()
    """Manoeuvres that may have cost imagery on this day."""
    events: tuple[Event, ...] = field(default=())
    """Known events that were given; they explain and change nothing."""

    def granule_start_s(self) -> NDArray[np.float64]:
        """Epoch seconds at which the granule of each pixel begins; NaN where there is none."""
        length = SATELLITES[self.satellite].granule_s
        return np.asarray(np.floor(self.time_s / length) * length)

    def geometry(self, *, second: bool = False) -> PassGeometry:
        """Work out how the passes saw each pixel; see `gibswatch.sky.passes.pass_geometry`."""
        return pass_geometry(
            self.orbit, self.georeference, self.day, sza_limit_deg=self.sza_cut_deg, second=second
        )

    def granules(self) -> tuple[str, ...]:
        """Identifiers of the granules that the picture should show, in the order of time."""
        starts = self.granule_start_s()
        found = np.unique(starts[np.isfinite(starts)])
        return tuple(granule_id(self.satellite, float(start)) for start in found)


def granule_id(satellite: str, time_s: float) -> str:
    """Name the granule in which a moment lies, as NASA's file names do.

    Parameters
    ----------
    satellite : str
    time_s : float
        Epoch seconds.

    Examples
    --------
    >>> granule_id("Terra", 7 * 60.0)
    'Terra A2000001.0005'
    """
    length = SATELLITES[satellite].granule_s
    start = datetime_at(math.floor(time_s / length) * length)
    return f"{satellite} A{start:%Y%j.%H%M}"


def expect(
    satellite: Satellite,
    georeference: Georeference,
    day: dt.date,
    orbit: Orbit | None = None,
    *,
    sza_cut_deg: float = SZA_CUT_DEG,
    events: tuple[Event, ...] = (),
) -> Expectation:
    """Say what a picture should show.

    All products of a satellite share it: the last few are kept and returned again.

    Parameters
    ----------
    satellite : Satellite
    georeference : Georeference
        Of the picture.
    day : datetime.date
        Local calendar day, GIBS's day.
    orbit : Orbit, optional
        From imagery or a two-line element; by default the satellite's 16-day grid.
    sza_cut_deg : float
        Solar zenith angle at which imagery ends.
    events : tuple
        Known events of the layer and day; handed on.

    Returns
    -------
    Expectation

    Raises
    ------
    DateRangeError
        If the satellite was not launched yet.
    ValueError
        If the orbit is another satellite's.
    """
    if day < satellite.launch:
        raise DateRangeError(
            f"{satellite.name} was launched on {satellite.launch}: there is nothing to expect of "
            f"{day}"
        )
    if orbit is None:
        orbit = anchor_orbit(satellite, day)
    elif orbit.satellite != satellite.name:
        raise ValueError(f"the orbit is of {orbit.satellite}, not of {satellite.name}")
    expected = _expected(satellite, georeference, day, orbit, sza_cut_deg)
    return replace(expected, events=events) if events else expected


@lru_cache(maxsize=3)
def _expected(
    satellite: Satellite,
    georeference: Georeference,
    day: dt.date,
    orbit: Orbit,
    sza_cut_deg: float,
) -> Expectation:
    geometry = pass_geometry(orbit, georeference, day, sza_limit_deg=sza_cut_deg)
    longitude, latitude = pixel_places(georeference)
    shade = obscuration(longitude, latitude, geometry.time_s)
    scheduled = scheduled_windows(satellite.name, day)
    covered = geometry.covered
    reason = _reasons(geometry, shade, scheduled, georeference, sza_cut_deg)
    covered &= reason != OUTSIDE
    for plane in (covered, reason, shade):
        plane.flags.writeable = False
    return Expectation(
        satellite=satellite.name,
        day=day,
        georeference=georeference,
        orbit=geometry.orbit,
        covered=covered,
        reason=reason,
        pass_index=geometry.pass_index,
        time_s=geometry.time_s,
        sza_deg=geometry.solar_zenith_deg,
        view_zenith_deg=geometry.view_zenith_deg,
        cross_track_deg=geometry.cross_track_deg,
        glint_deg=geometry.glint_deg,
        obscuration=shade,
        sza_cut_deg=sza_cut_deg,
        uncertainty_px=_uncertainty_px(orbit, georeference),
        scheduled=scheduled,
    )


def _reasons(
    geometry: PassGeometry,
    shade: NDArray[np.float32],
    scheduled: tuple[Window, ...],
    georeference: Georeference,
    sza_cut_deg: float,
) -> ByteArray:
    """Why each pixel should be visible or black; what comes later here overrules."""
    sza, seen = geometry.solar_zenith_deg, geometry.covered
    reason = np.where(seen, np.uint8(0), np.uint8(2))
    reason[~(sza <= sza_cut_deg + _UNDECIDED_BEYOND_DEG)] = 1  # NaN: deep night
    undecided = (sza > UNDECIDED_FROM_DEG) & (sza <= sza_cut_deg + _UNDECIDED_BEYOND_DEG)
    reason[undecided] = 5
    for window in scheduled:
        if 0.0 < window.last_s - window.first_s <= window.duration_s:  # the moment is known
            hit = (geometry.time_s >= window.first_s) & (geometry.time_s < window.last_s)
            reason[hit] = 3
    if shade.any():
        reason[seen & (shade >= ECLIPSE_OBSCURATION)] = 4
    if georeference.epsg == 4326 and not _within_globe(georeference):
        reason[~inside(georeference)] = OUTSIDE
    return reason


def _within_globe(georeference: Georeference) -> bool:
    box = georeference.bbox
    return box.west >= -180 and box.east <= 180 and box.south >= -90 and box.north <= 90


def _uncertainty_px(orbit: Orbit, georeference: Georeference) -> float:
    """Longitude sigma in pixels, at the equator or the map's standard parallel."""
    if georeference.epsg == 4326:
        return orbit.longitude_sigma_deg / georeference.pixel_width
    return orbit.longitude_sigma_deg * _KM_PER_DEGREE * 1000.0 / georeference.pixel_width
