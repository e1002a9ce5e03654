"""Which orbit each day of a scan is judged by: fitted, of a two-line element, or the 16-day grid.

The pipeline calls `layer_orbits` between its passes, with the edges of gaps that the first pass
found; fits are kept in the archive, so that a day's neighbours need not be there.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from gibswatch.archive.fits import StoredFit, fits_path, read_fit, write_fit
from gibswatch.archive.layout import Layout
from gibswatch.errors import ArchiveError, UsageError
from gibswatch.scan.result import DaySky
from gibswatch.sky.edges import DayEdges
from gibswatch.sky.expectation import SZA_CUT_DEG
from gibswatch.sky.fit import FitRefused, OrbitFit, fit_orbits
from gibswatch.sky.night_edge import NightCut
from gibswatch.sky.orbit import Orbit, OrbitSource, anchor_orbit
from gibswatch.sky.satellites import Satellite, satellite_of
from gibswatch.sky.tle import orbit_from_tle

__all__ = ["LayerOrbits", "imaging_satellite", "layer_orbits"]

_DAYLIGHT_IMAGERY = "_CorrectedReflectance_"

_GOOD_SIGMA_DEG = 0.1
"""A fit by other days is taken up to this: better than the grid ever is, and 1.4 pixel of 0.07."""

_SOURCES: Mapping[OrbitSource, str] = MappingProxyType(
    {
        "fit": "fitted to the gaps of the imagery",
        "tle": "from the two-line elements",
        "anchor": "the 16-day grid",
    }
)


@dataclass(frozen=True, slots=True)
class LayerOrbits:
    """Orbits of the satellite of one layer."""

    satellite: Satellite
    fit: OrbitFit | None
    """Of this scan's pictures and of earlier ones, if there is one."""
    night_cut: NightCut | None
    tle: str | None
    notes: tuple[str, ...]
    """What a person should know: which orbit was used, and why no other."""
    _found: dict[dt.date, Orbit] = field(default_factory=dict, repr=False, compare=False)
    """By day: the fit is asked once."""

    def orbit_for(self, day: dt.date) -> Orbit:
        """Return the best orbit of a day.

        A fit by the other days comes first, so that a fault of the day cannot hide itself; then one
        by the day's own gaps; where neither is as good as the two-line element or the grid, those.
        """
        if day not in self._found:
            self._found[day] = self._best(day)
        return self._found[day]

    def _best(self, day: dt.date) -> Orbit:
        known = self._known(day)
        if self.fit is not None:
            others = self.fit.orbit_for(day, without={day})
            if others is not None and others.longitude_sigma_deg < _GOOD_SIGMA_DEG:
                return others
            own = self.fit.orbit_for(day)
            if own is not None and own.longitude_sigma_deg < known.longitude_sigma_deg:
                return own
        return known

    def sky_for(self, day: dt.date) -> DaySky | None:
        """What the day is judged by; None before the satellite's launch."""
        if day < self.satellite.launch:
            return None
        cut = SZA_CUT_DEG if self.night_cut is None else self.night_cut.sza_cut_deg
        return DaySky(self.orbit_for(day), cut)

    def summary(self, days: Sequence[dt.date]) -> str:
        """Say in one line which orbits the days have, for the report."""
        sources = Counter(self.orbit_for(day).source for day in days)
        named = ", ".join(f"{_SOURCES[source]} on {n}" for source, n in sources.most_common())
        return f"Orbit of {self.satellite.name}: {named} of {len(days)} days."

    def _known(self, day: dt.date) -> Orbit:
        if self.tle is not None:
            with contextlib.suppress(UsageError):  # too far from its days: the grid is no worse
                return orbit_from_tle(self.tle, day)
        return anchor_orbit(self.satellite, day)


def imaging_satellite(layer: str) -> Satellite | None:
    """Return the satellite whose orbit says where a layer's pictures are black.

    Those are the daily pictures of corrected reflectance.  Other products are black, or
    transparent, for reasons of their own (clouds, land, no fire), or gather several days or the
    night.

    >>> imaging_satellite("MODIS_Terra_NDVI_8Day")
    """
    return satellite_of(layer) if _DAYLIGHT_IMAGERY in layer else None


def layer_orbits(
    edges: Sequence[DayEdges],
    layer: str,
    *,
    layout: Layout | None = None,
    tle: str | None = None,
    night_cut: NightCut | None = None,
) -> LayerOrbits | None:
    """Fit the orbits of a layer, and keep the fits.

    Parameters
    ----------
    edges : sequence of DayEdges
        Of the pictures of the scan and of their neighbours.
    layer : str
        Identifier.
    layout : Layout, optional
        Where fits of earlier scans lie and this one's go; None keeps none (`inspect`).
    tle : str, optional
        Two-line elements that the user gives.
    night_cut : NightCut, optional
        Measured by this scan; replaces the stored one.

    Returns
    -------
    LayerOrbits or None
        None if the pictures of the layer follow no known orbit: see `imaging_satellite`.

    Raises
    ------
    UsageError
        If the two-line elements are not as they should be, or of another satellite.
    OutputError
        If the fits cannot be written.
    """
    satellite = imaging_satellite(layer)
    if satellite is None:
        return None
    prior = None if tle is None or not edges else _prior(tle, satellite, edges)
    notes: list[str] = []
    stored, writable = _stored(layout, satellite, notes)
    found = fit_orbits(edges, satellite, prior=prior)
    kept = stored.fit if stored else None
    if isinstance(found, FitRefused):
        notes.append(found.reason)
    else:
        kept = kept.joined(found) if kept else found
    cut = night_cut or (stored.night_cut if stored else None)
    if layout is not None and writable and kept is not None:
        write_fit(fits_path(layout), layer, StoredFit(kept, cut))
    return LayerOrbits(satellite, kept, cut, tle, tuple(notes))


def _prior(tle: str, satellite: Satellite, edges: Sequence[DayEdges]) -> Orbit:
    """Orbit by the elements on one of the days: the middle one, or the first or last."""
    days = sorted(day.day for day in edges)
    for day in (days[len(days) // 2], days[0], days[-1]):
        with contextlib.suppress(UsageError):
            orbit = orbit_from_tle(tle, day)
            break
    else:
        orbit = orbit_from_tle(tle, days[len(days) // 2])
    if orbit.satellite != satellite.name:
        raise UsageError(
            f"the two-line elements are of {orbit.satellite}, the layer is of {satellite.name}: "
            f"give those of {satellite.name}, number {satellite.number}"
        )
    return orbit


def _stored(
    layout: Layout | None, satellite: Satellite, notes: list[str]
) -> tuple[StoredFit | None, bool]:
    """Return what earlier scans kept, and whether it may be written anew."""
    if layout is None:
        return None, False
    try:
        return read_fit(fits_path(layout), satellite), True
    except ArchiveError as error:
        notes.append(str(error))
        return None, False
