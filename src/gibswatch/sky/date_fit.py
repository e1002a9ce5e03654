"""Which days of the year the night of a picture fits: from the latitudes at which imagery ends.

Towards a pole in winter imagery ends where the Sun is too low at the satellite's overpass.  That
latitude moves with the Sun's declination and hardly with anything else, so it tells the date, but
for two things: the declination takes every value twice a year, so that there are two dates, one on
either side of a solstice; and a year looks like every other.  Around the solstices the edge stands
still, and the date is known to two or three weeks only.

For every sector of longitude the black that begins at the pole is followed to where it ends:
`observe_polar_edges`.  Holes elsewhere do not count, and holes that touch the night move few of the
sectors: what is compared with a day's expectation are quantiles over the sectors, the worse ones
left out.
"""

from __future__ import annotations

import calendar
import datetime as dt
import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gibswatch.sky.expectation import SZA_CUT_DEG
from gibswatch.sky.orbit import anchor_orbit
from gibswatch.sky.passes import pass_geometry
from gibswatch.sky.places import is_separable, pixel_places, places_at
from gibswatch.sky.satellites import SATELLITES, Satellite
from gibswatch.types import BoolArray, Georeference

__all__ = [
    "DateCandidate",
    "DateFit",
    "PolarEdges",
    "fit_dates",
    "light_in_night_deg",
    "night_misfit_deg",
    "observe_polar_edges",
]

_Floats = NDArray[np.float64]

_FROM_LATITUDE_DEG = 45.0
"""Imagery never ends nearer to the equator: at a solstice 63 degrees, of MODIS about 55."""
_SECTORS = 72
_STEP_DEG = 0.5
"""Of latitude, where a projection has no rows of one latitude, and of what is expected."""
_LIGHT_DEG = 1.0
"""Light narrower than this in the black towards the pole does not end it: rings, frames, specks."""
_QUANTILES = (0.1, 0.3, 0.5, 0.7, 0.9)
_BEST_OF = 3
"""So many of the quantiles count, those that fit best."""
_MERCATOR_LIMIT_DEG = 85.2
"""Black beyond it around both poles is no night but a picture that was converted from Mercator,
which ends at 85.05 degrees: on no day do both nights reach so far."""
_FEWEST_SECTORS = 4
_FEWEST_ROWS = 3
_PHASES = 8
"""Longitudes over one spacing of the orbit at which a day is worked out."""
_COARSE_DAYS = 6
"""Days between those that are worked out; a straight line between them is wrong by 0.03 degree."""
_CLIP_DEG = 20.0
_WORSE_BY_DEG = 0.75
"""A date whose misfit is larger by no more than this is a candidate too: half a pixel of the small
pictures that plots show."""
_AS_GOOD_DEG = 0.05
"""Days whose misfits differ by less are one as good as the other."""
_SOLSTICES = ((6, 21), (12, 21))


@dataclass(frozen=True, slots=True, eq=False)
class PolarEdges:
    """Where the black around either pole ends, by sector of longitude."""

    north_deg: _Floats
    """(sectors,) latitudes, sorted; `north_limit_deg` where there is no black; empty where the
    picture has no latitudes from 45 degrees on."""
    south_deg: _Floats
    """The same of the south, as positive numbers."""
    north_limit_deg: float
    """How far towards the pole the picture reaches."""
    south_limit_deg: float
    pixel_deg: float
    """Height of a pixel."""
    width_deg: float
    """How many degrees of longitude the picture spans; 360 of a polar one."""

    @property
    def decided(self) -> bool:
        """Whether the picture reaches so far towards a pole that it can show a night."""
        return bool(len(self.north_deg) or len(self.south_deg))


@dataclass(frozen=True, slots=True)
class DateCandidate:
    """One date that a night fits."""

    day: dt.date
    misfit_deg: float
    """Mean distance of the edges of the night from those of the day, degrees of latitude."""
    first: dt.date
    last: dt.date
    """Days around it that fit about as well."""


@dataclass(frozen=True, slots=True, eq=False)
class DateFit:
    """What the night of a picture says of its date, within one year."""

    year: int
    """Which was asked for; the night does not tell it."""
    candidates: tuple[DateCandidate, ...]
    """Best first: two where the edge is not a solstice's, none where nothing was to be seen."""
    misfits_deg: _Floats
    """(days of the year,) misfit on every day; empty where nothing was to be seen."""

    def misfit_on(self, day: dt.date) -> float:
        """Misfit on a day, whatever its year; NaN where nothing was to be seen."""
        if not len(self.misfits_deg):
            return float("nan")
        number = min(day.timetuple().tm_yday, len(self.misfits_deg)) - 1
        return float(self.misfits_deg[number])


def observe_polar_edges(black: BoolArray, georeference: Georeference) -> PolarEdges:
    """Follow the black around the poles to where it ends.

    Parameters
    ----------
    black : (rows, cols) ndarray of bool
        Observed black.
    georeference : Georeference
        Of any projection.

    Returns
    -------
    PolarEdges

    Raises
    ------
    ValueError
        If the mask has not the georeference's shape.
    """
    if black.shape != georeference.shape:
        raise ValueError(f"the mask is {black.shape}, its georeference {georeference.shape}")
    latitude, share = _by_latitude(black, georeference)
    north, north_limit = _ends(latitude, share)
    south, south_limit = _ends(-latitude, share)
    if len(north) and len(south) and max(north[-1], south[-1]) < _MERCATOR_LIMIT_DEG:
        north_limit = south_limit = _MERCATOR_LIMIT_DEG
    height, width = georeference.pixel_deg, 360.0
    if is_separable(georeference):
        first, last = places_at(georeference, 0, [-0.5, georeference.cols - 0.5])[0]
        width = min(float(last - first), 360.0)
    return PolarEdges(north, south, north_limit, south_limit, height, width)


def fit_dates(edges: PolarEdges, satellite: Satellite, year: int) -> DateFit:
    """Find the days of a year that the night of a picture fits.

    Parameters
    ----------
    edges : PolarEdges
    satellite : Satellite
    year : int
        In which to look: it decides the satellite's local time and the leap day.

    Returns
    -------
    DateFit
        One candidate on either side of the solstices at most: two, where both fit about as well.

    Notes
    -----
    The edges of every sixth day are worked out by the satellite's passes; those of the days between
    are interpolated.
    """
    if not edges.decided:
        return DateFit(year, (), np.empty(0))
    length = 366 if calendar.isleap(year) else 365
    misfits = _misfits(edges, _year_quantiles(satellite.name, year, length))
    return DateFit(year, _candidates(misfits, year), misfits)


def night_misfit_deg(edges: PolarEdges, satellite: Satellite, day: dt.date) -> float:
    """Mean distance of the edges of the night from those of a day.

    Parameters
    ----------
    edges : PolarEdges
    satellite : Satellite
    day : datetime.date

    Returns
    -------
    float
        Degrees of latitude; NaN where the picture does not reach so far towards a pole that it can
        show a night.
    """
    if not edges.decided:
        return float("nan")
    return float(_misfits(edges, _day_quantiles(satellite.name, day)[np.newaxis])[0])


def light_in_night_deg(edges: PolarEdges, satellite: Satellite, day: dt.date) -> float:
    """How far imagery reaches into the night of a day: what no missing data can do.

    Parameters
    ----------
    edges : PolarEdges
    satellite : Satellite
    day : datetime.date

    Returns
    -------
    float
        Degrees of latitude by which the middle sector shows light beyond the latest edge of the
        night, at the pole where it is more; 0 where there is none.
    """
    latest = _day_quantiles(satellite.name, day).max(axis=1)
    caps = ((edges.north_deg, edges.north_limit_deg), (edges.south_deg, edges.south_limit_deg))
    beyond = [
        float(np.median(seen)) - min(edge, limit)
        for (seen, limit), edge in zip(caps, latest, strict=True)
        if len(seen)
    ]
    return float(max([0.0, *beyond]))


def _candidates(misfits: _Floats, year: int) -> tuple[DateCandidate, ...]:
    """Best day of either half of the year, from solstice to solstice, where it is good enough."""
    first, second = (dt.date(year, *day).timetuple().tm_yday - 1 for day in _SOLSTICES)
    numbers = np.arange(len(misfits))
    rising = (numbers < first) | (numbers >= second)
    worst = float(misfits.min()) + _WORSE_BY_DEG
    found = [
        _candidate(misfits, half, worst, year)
        for half in (rising, ~rising)
        if misfits[half].min() <= worst
    ]
    return tuple(sorted(found, key=lambda candidate: candidate.misfit_deg))


def _candidate(misfits: _Floats, half: BoolArray, worst: float, year: int) -> DateCandidate:
    """Middle of the days of one half that fit best; the days may reach over the new year."""
    numbers = np.flatnonzero(half)
    if half[0] and half[-1]:  # it reaches over the new year: December counts down to it
        solstice = numbers[int(np.argmax(np.diff(numbers))) + 1]
        numbers = np.roll(numbers, int((numbers >= solstice).sum()))
        numbers[numbers >= solstice] -= len(half)
    values = misfits[numbers]
    best = numbers[values <= values.min() + _AS_GOOD_DEG]
    good = numbers[values <= worst]
    middle = int(best[len(best) // 2])
    start = dt.date(year, 1, 1) + dt.timedelta(days=len(half) if middle < 0 else 0)
    day, first, last = (
        start + dt.timedelta(days=int(number)) for number in (middle, good[0], good[-1])
    )
    return DateCandidate(day, float(values.min()), first, last)


def _misfits(edges: PolarEdges, expected: _Floats) -> _Floats:
    """Misfit on every day of (days, 2, quantiles), the mean over the caps that the picture has."""
    caps = (
        (edges.north_deg, edges.north_limit_deg, expected[:, 0]),
        (edges.south_deg, edges.south_limit_deg, expected[:, 1]),
    )
    found = []
    for seen, limit, should in caps:
        if len(seen):
            off = np.abs(np.quantile(seen, _QUANTILES) - np.minimum(should, limit))
            found.append(np.minimum(np.sort(off, axis=1)[:, :_BEST_OF], _CLIP_DEG).mean(axis=1))
    return np.asarray(np.mean(found, axis=0))


@lru_cache(maxsize=8)
def _year_quantiles(name: str, year: int, length: int) -> _Floats:
    """Expected quantiles of every day of a year, (days, 2, quantiles)."""
    numbers = np.arange(0, length + _COARSE_DAYS, _COARSE_DAYS)
    start = dt.date(year, 1, 1)
    coarse = np.stack([_day_quantiles(name, start + dt.timedelta(days=int(n))) for n in numbers])
    flat = coarse.reshape(len(numbers), -1)
    days = np.arange(length)
    fine = np.stack([np.interp(days, numbers, values) for values in flat.T], axis=1)
    return fine.reshape(length, *coarse.shape[1:])


@lru_cache(maxsize=512)
def _day_quantiles(name: str, day: dt.date) -> _Floats:
    """Latitudes at which the night should end on a day: (2, quantiles), of the north and south."""
    satellite = SATELLITES[name]
    orbit = anchor_orbit(satellite, day)
    width = orbit.spacing_deg / _PHASES
    rows = round((90.0 - _FROM_LATITUDE_DEG) / _STEP_DEG)
    found = []
    for north in (90.0, -_FROM_LATITUDE_DEG):
        strip = Georeference(4326, -width * _PHASES / 2, north, width, _STEP_DEG, rows, _PHASES)
        seen = pass_geometry(orbit, strip, day, sza_limit_deg=SZA_CUT_DEG).covered
        from_pole = seen if north > 0.0 else seen[::-1]
        lit = np.vstack([from_pole, np.ones((1, _PHASES), dtype=bool)])
        ends = 90.0 - _STEP_DEG * np.argmax(lit, axis=0)
        found.append(np.quantile(ends, _QUANTILES))
    return np.stack(found)


def _by_latitude(black: BoolArray, georeference: Georeference) -> tuple[_Floats, _Floats]:
    """Share of black by latitude (falling) and sector; NaN where the picture has no pixel."""
    g = georeference
    if is_separable(g):
        of_row = np.asarray(places_at(g, np.arange(g.rows), 0)[1])
        of_col = np.asarray(places_at(g, 0, np.arange(g.cols))[0])
        rows = np.flatnonzero(np.abs(of_row) < 90.0)
        sectors = [
            part for part in np.array_split(np.flatnonzero(np.abs(of_col) < 180.0), _SECTORS)
            if len(part)
        ]  # fmt: skip
        shares = [black[:, part].mean(axis=1) for part in sectors] or [np.full(g.rows, np.nan)]
        return np.asarray(of_row[rows]), np.stack(shares, axis=1)[rows]
    longitude, latitude = pixel_places(g)
    wanted = np.abs(latitude) >= _FROM_LATITUDE_DEG
    sector = ((longitude[wanted] + 180.0) / 360.0 * _SECTORS).astype(np.intp) % _SECTORS
    band = ((90.0 - latitude[wanted]) / _STEP_DEG).astype(np.intp)
    bands = round(180.0 / _STEP_DEG)
    place = np.minimum(band, bands - 1) * _SECTORS + sector
    count = np.bincount(place, minlength=bands * _SECTORS)
    dark = np.bincount(place, weights=black[wanted], minlength=bands * _SECTORS)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (dark / count).reshape(bands, _SECTORS)
    middles = 90.0 - _STEP_DEG * (np.arange(bands, dtype=np.float64) + 0.5)
    return np.asarray(middles), np.asarray(share)


def _ends(latitude: _Floats, share: _Floats) -> tuple[_Floats, float]:
    """Latitudes at which the black from the pole ends, sorted, and how far the picture reaches."""
    order = np.argsort(-latitude)
    rows = order[(latitude[order] >= _FROM_LATITUDE_DEG) & ~np.isnan(share[order]).all(axis=1)]
    if len(rows) < _FEWEST_ROWS:
        return np.empty(0), float("nan")
    from_pole, height = latitude[rows], float(-np.diff(latitude[rows]).mean())
    limit = float(min(from_pole[0] + height / 2, 90.0))
    thick = max(2, math.ceil(_LIGHT_DEG / height))
    ends = [_end(from_pole, share[rows, n], thick, height) for n in range(share.shape[1])]
    found = [limit if end is not None and math.isinf(end) else end for end in ends]
    known = np.sort(np.array([end for end in found if end is not None]))
    return (known if len(known) >= _FEWEST_SECTORS else np.empty(0)), limit


def _end(latitude: _Floats, share: _Floats, thick: int, height: float) -> float | None:
    """Latitude at which the black of one sector ends: light as thick as asked for begins there.

    Infinite where there is no black at the pole; None where too little of the sector is seen.
    """
    known = ~np.isnan(share)
    if known.sum() < _FEWEST_ROWS:
        return None
    light = share[known] < 0.5
    run = np.convolve(light, np.ones(thick), mode="valid") >= thick
    if not run.any():
        return _FROM_LATITUDE_DEG
    first = int(np.argmax(run))
    return float(latitude[known][first]) + height / 2 if first else math.inf
