"""`PassGeometry`: for each pixel, which pass of the local day shows it, when, and from where.

GIBS's day is the local calendar day, cut at +-180 degrees: a pixel at longitude L belongs to day D
if the satellite saw it between 0 h and 24 h of UTC + L / 15 on D.  Where several passes of the day
see a pixel in daylight, the one that sees it most steeply is taken.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gibswatch.sky.bands import fill_planes
from gibswatch.sky.lattice import lattice_passes
from gibswatch.sky.orbit import Orbit
from gibswatch.types import BoolArray, ByteArray, Georeference

__all__ = ["PassGeometry", "pass_geometry"]

_Singles = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class PassGeometry:
    """The passes of one satellite over a picture on one local day; (rows, cols) ndarrays."""

    orbit: Orbit
    """The orbit that was asked for, its nodes counted from the first pass of the day."""
    covered_passes: ByteArray
    """How many passes of the local day see the pixel in daylight."""
    pass_index: NDArray[np.int32]
    """Number of the chosen pass: of the ascending node of `orbit` that it counts from, from 0; a
    pass reaches from night side to night side.  -1 where there is none."""
    time_s: NDArray[np.float64]
    """Epoch seconds at which it sees the pixel; NaN where there is none."""
    view_zenith_deg: _Singles
    """Angle at the pixel between the vertical and the satellite; NaN where there is none."""
    cross_track_deg: _Singles
    """Scan angle, positive to the left of the flight; NaN where there is none."""
    solar_zenith_deg: _Singles
    """At that time.  Where no pass sees the pixel in daylight: at the nearby pass with the most
    light, NaN where the Sun is more than 18 degrees under the horizon at all of them."""
    glint_deg: _Singles
    """Angle between the view and the Sun's mirror image; NaN where there is none."""
    second_index: NDArray[np.int32] | None
    """Number of the next steepest pass, if it was asked for."""

    @property
    def covered(self) -> BoolArray:
        """Whether a pass sees the pixel in daylight."""
        return np.asarray(self.covered_passes > 0)


def pass_geometry(
    orbit: Orbit,
    georeference: Georeference,
    day: dt.date,
    *,
    sza_limit_deg: float = 90.0,
    second: bool = False,
) -> PassGeometry:
    """Work out which pass shows each pixel of a picture on a local day.

    Parameters
    ----------
    orbit : Orbit
    georeference : Georeference
        Of any picture: the globe, a tile, a box, polar or Mercator.
    day : datetime.date
        Local calendar day, GIBS's day.
    sza_limit_deg : float
        A pass sees nothing where the Sun's zenith angle is over this; 0-105.
    second : bool
        Also return the next steepest pass of each pixel.

    Returns
    -------
    PassGeometry
        Edges of swaths are within 0.05 pixel of the direct formula (`edge_longitudes`) at 2048
        columns.

    Raises
    ------
    ValueError
        If the limit is over 105 degrees: passes are not followed into the night.
    """
    if not 0.0 < sza_limit_deg <= 105.0:
        raise ValueError(f"sza_limit_deg={sza_limit_deg:g} must be over 0 and at most 105 degrees")
    sky = lattice_passes(orbit, georeference, day)
    planes = fill_planes(sky, georeference, day, sza_limit_deg=sza_limit_deg, second=second)
    planes.freeze()
    return PassGeometry(
        orbit=sky.orbit,
        covered_passes=planes.count,
        pass_index=planes.index,
        time_s=planes.time,
        view_zenith_deg=planes.view,
        cross_track_deg=planes.scan,
        solar_zenith_deg=planes.sun,
        glint_deg=planes.glint,
        second_index=planes.second,
    )
