"""What a picture's night and gaps say of its date: that it is wrong, or what it may be.

Both clues are blind to missing data: the night is compared by the latitudes at which most sectors
of longitude end, gaps by where most of their rims lie.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from gibswatch.scan.inspecting.first_look import FirstLook, shows_no_deserts
from gibswatch.scan.judging.orbits import LayerOrbits
from gibswatch.sky.date_fit import (
    DateCandidate,
    PolarEdges,
    fit_dates,
    light_in_night_deg,
    night_misfit_deg,
)
from gibswatch.sky.eclipse_days import largest_obscuration
from gibswatch.sky.edges import DayEdges
from gibswatch.sky.gap_dates import GapDates, fits_gaps, gap_dates
from gibswatch.sky.orbit import Orbit, anchor_orbit
from gibswatch.sky.satellites import Satellite
from gibswatch.sky.schedule import scheduled_windows

__all__ = ["Misdated", "date_candidates", "misdated", "plain_day", "unplaced"]

_WRONG_BY_DEG = 3.0
"""Misfit of a date, over that of the best one, from which it is wrong: the largest of a real clean
picture is 1.2, and near an equinox a week is 3 degrees."""
_LIGHT_DEG = 2.0
"""Light in the night that no missing data can make."""
_BLACK_DEG = 9.0
"""Misfit that counts without such light: granules at the night edge that are not processed because
they are dark make half a granule of black, 9 degrees."""
_FITS_DEG = 2.0
"""Misfit, beside half a pixel, up to which a date fits: 0.5 on real days, up to 1.8 where dark
granules are not processed; a picture without any night has 3.5."""
_WIDE_DEG = 180.0
"""A narrower picture may miss all of its cap: only light in the night counts there."""
_FEWEST_OTHERS = 4
"""Days that an orbit must be fitted to besides the one that is doubted."""
_GOOD_SIGMA_DEG = 0.1


@dataclass(frozen=True, slots=True)
class Misdated:
    """Why a date must be wrong."""

    score: float
    """0.5-1."""
    reason: str
    """A whole sentence."""
    likely: tuple[dt.date, ...]
    """Days that the picture would fit."""


def misdated(
    look: FirstLook,
    gaps: DayEdges | None,
    satellite: Satellite,
    day: dt.date,
    orbits: LayerOrbits | None,
) -> Misdated | None:
    """Say whether the date of a picture must be wrong.

    Parameters
    ----------
    look : FirstLook
    gaps : DayEdges or None
        Rims of its gaps, if its satellite leaves any.
    satellite : Satellite
    day : datetime.date
        The date that it is said to have.
    orbits : LayerOrbits or None
        Fitted to all pictures of the call.

    Returns
    -------
    Misdated or None
        None where night and gaps fit, or do not tell, or no other date fits either.
    """
    orbit_of = _orbits_by_others(satellite, orbits, day)
    wrong = None if gaps is None else gap_dates(gaps, day, orbit_of)
    nights = _other_nights(look.edges, satellite, day)
    if nights:
        likely = _by_gaps(gaps, nights, orbit_of) or tuple(night.day for night in nights)
        edge = f"its night edge fits {_either(tuple(night.day for night in nights))}"
        said = [edge, *([] if wrong is None else [_said_of_gaps(wrong, day, dates=False)])]
        score = _score(night_misfit_deg(look.edges, satellite, day) / _WRONG_BY_DEG)
        if wrong is not None and likely != tuple(night.day for night in nights):
            said.append(f"together they fit {_either(likely)}")
        return Misdated(score, f"The picture does not fit {day}: {'; '.join(said)}.", likely)
    if wrong is None or not wrong.likely:
        return None
    reason = f"The picture does not fit {day}: {_said_of_gaps(wrong, day, dates=True)}."
    return Misdated(_score(abs(wrong.offset_deg)), reason, wrong.likely)


def unplaced(look: FirstLook, satellite: Satellite, day: dt.date) -> str:
    """Say why a dated picture shows no day at all; empty if it may.

    Returns
    -------
    str
        Half a sentence that goes on after "The picture cannot be judged: ".
    """
    misfit = night_misfit_deg(look.edges, satellite, day)
    if not misfit > _FITS_DEG or _fitting(look.edges, satellite, day.year):  # NaN too
        return ""
    light = light_in_night_deg(look.edges, satellite, day)
    if light >= _LIGHT_DEG:
        return (
            f"it shows imagery {light:.0f} degrees of latitude into the night of {day}, and its "
            "edges fit no other date; are --layer, --bounds and --epsg right?"
        )
    if shows_no_deserts(look):
        return (
            f"neither its black fits the night of {day} or of another date, nor is there sand "
            "where the deserts are; are --layer, --bounds and --epsg right?"
        )
    return ""


def date_candidates(
    edges: PolarEdges, satellite: Satellite, year: int
) -> tuple[DateCandidate, ...]:
    """Dates of a year that a night fits well, best first; none where none does."""
    return _fitting(edges, satellite, year)


def plain_day(candidate: DateCandidate, satellite: Satellite) -> dt.date:
    """Day of a candidate on which neither the Moon nor a manoeuvre could explain anything.

    The year of a fitted date is a guess, and so are its Moon and its eclipses: they must not
    excuse what is missing.
    """
    days = (candidate.last - candidate.first).days
    near = sorted(
        (candidate.first + dt.timedelta(days=n) for n in range(days + 1)),
        key=lambda day: abs((day - candidate.day).days),
    )
    plain = (day for day in near if _is_plain(day, satellite))
    return next(plain, candidate.day)


def _is_plain(day: dt.date, satellite: Satellite) -> bool:
    if scheduled_windows(satellite.name, day):
        return False
    return largest_obscuration(anchor_orbit(satellite, day), day) is None


def _fitting(edges: PolarEdges, satellite: Satellite, year: int) -> tuple[DateCandidate, ...]:
    limit = _FITS_DEG + edges.pixel_deg / 2
    found = fit_dates(edges, satellite, year).candidates
    return tuple(candidate for candidate in found if candidate.misfit_deg <= limit)


def _other_nights(
    edges: PolarEdges, satellite: Satellite, day: dt.date
) -> tuple[DateCandidate, ...]:
    """Dates that the night fits, if it does not fit the day at all."""
    misfit = night_misfit_deg(edges, satellite, day)
    if not misfit > _WRONG_BY_DEG:  # NaN too
        return ()
    could_be_missing = edges.width_deg < _WIDE_DEG or misfit < _BLACK_DEG
    if could_be_missing and light_in_night_deg(edges, satellite, day) < _LIGHT_DEG:
        return ()
    found = _fitting(edges, satellite, day.year)
    return found if found and misfit - found[0].misfit_deg > _WRONG_BY_DEG else ()


def _orbits_by_others(
    satellite: Satellite, orbits: LayerOrbits | None, doubted: dt.date
) -> Callable[[dt.date], Orbit | None]:
    """Orbit of any day by the other pictures, or else by the satellite's grid."""
    fit = None if orbits is None else orbits.fit
    enough = fit is not None and fit.days > _FEWEST_OTHERS

    def orbit_of(day: dt.date) -> Orbit | None:
        if fit is not None and enough:
            others = fit.orbit_for(day, without={doubted})
            if others is not None and others.longitude_sigma_deg < _GOOD_SIGMA_DEG:
                return others
        return anchor_orbit(satellite, day) if day >= satellite.launch else None

    return orbit_of


def _by_gaps(
    gaps: DayEdges | None,
    nights: tuple[DateCandidate, ...],
    orbit_of: Callable[[dt.date], Orbit | None],
) -> tuple[dt.date, ...]:
    """Days of the candidates whose gaps the picture has."""
    if gaps is None:
        return ()
    found = []
    for night in nights:
        for number in range((night.last - night.first).days + 1):
            day = night.first + dt.timedelta(days=number)
            if fits_gaps(gaps, day, orbit_of(day)):
                found.append(day)
    return tuple(found)


def _said_of_gaps(wrong: GapDates, day: dt.date, *, dates: bool) -> str:
    side = "east" if wrong.offset_deg > 0 else "west"
    said = f"its gaps lie {abs(wrong.offset_deg):.1f} degrees {side} of where they should on {day}"
    if not dates:
        return said
    return f"{said}; they are those of {_either(wrong.likely)}"


def _either(days: tuple[dt.date, ...]) -> str:
    return " or ".join(str(day) for day in days)


def _score(ratio: float) -> float:
    """From 0.5 at the threshold towards 1."""
    return max(ratio, 1.0) / (1.0 + max(ratio, 1.0))
