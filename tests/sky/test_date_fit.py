"""Dates from the night edge: of drawn nights, of nights with holes, and of real pictures."""

from __future__ import annotations

import datetime as dt
import time
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from gibswatch.raster.codec import read_picture
from gibswatch.sky.date_fit import (
    DateFit,
    fit_dates,
    light_in_night_deg,
    night_misfit_deg,
    observe_polar_edges,
)
from gibswatch.sky.orbit import anchor_orbit
from gibswatch.sky.passes import pass_geometry
from gibswatch.sky.satellites import SATELLITES
from gibswatch.types import BoolArray, Georeference

SNPP, TERRA = SATELLITES["SNPP"], SATELLITES["Terra"]
YEAR = 2018
APRIL = dt.date(YEAR, 4, 20)
GLOBE = Georeference(4326, -180.0, 90.0, 1.0, 1.0, 180, 360)
ANTARCTIC = Georeference(3031, -4194304.0, 4194304.0, 65536.0, 65536.0, 128, 128)
TROPICS = Georeference(4326, -36.0, 18.0, 0.25, 0.25, 144, 144)


@lru_cache
def night(day: dt.date, place: Georeference = GLOBE, cut: float = 86.5) -> BoolArray:
    """Black of the night alone, without gaps."""
    geometry = pass_geometry(anchor_orbit(SNPP, day), place, day, sza_limit_deg=cut)
    black = ~geometry.covered
    black.flags.writeable = False
    return black


def fitted(black: BoolArray, place: Georeference = GLOBE) -> DateFit:
    return fit_dates(observe_polar_edges(black, place), SNPP, YEAR)


def days_off(fit: DateFit, day: dt.date) -> int:
    steps = [(candidate.day - day).days % 365 for candidate in fit.candidates]
    return min(min(step, 365 - step) for step in steps)


@pytest.mark.parametrize("place", [GLOBE, ANTARCTIC], ids=["globe", "antarctic"])
def test_two_dates_beside_the_solstice(place: Georeference) -> None:
    fit = fitted(night(APRIL, place), place)
    assert len(fit.candidates) == 2
    assert days_off(fit, APRIL) <= 4
    assert days_off(fit, dt.date(YEAR, 8, 22)) <= 4  # as high a Sun, two months after the solstice
    assert all(candidate.misfit_deg < 0.6 for candidate in fit.candidates)


@pytest.mark.parametrize("day", [dt.date(YEAR, 1, 2), dt.date(YEAR, 12, 28)])
def test_candidates_may_reach_over_the_new_year(day: dt.date) -> None:
    fit = fitted(night(day))
    assert {candidate.day.year for candidate in fit.candidates} == {YEAR}
    assert days_off(fit, day) <= 21
    assert all(c.first <= c.day <= c.last for c in fit.candidates)
    assert any(c.first.year != c.last.year for c in fit.candidates)


def test_holes_do_not_move_the_date() -> None:
    black = night(APRIL).copy()
    black[60:120, 40:80] = True
    black[130:, 200:260] = True  # touches the night, over a sixth of its length
    assert days_off(fitted(black), APRIL) <= 4


def test_a_small_picture_with_soft_edges() -> None:
    grey = ndimage.zoom(np.where(night(APRIL), 0.0, 150.0), 0.5, order=1)
    place = Georeference(4326, -180.0, 90.0, 2.0, 2.0, 90, 180)
    assert days_off(fitted(grey <= 8, place), APRIL) <= 7


def test_a_cut_that_is_not_ours_moves_the_date_by_days_only() -> None:
    assert days_off(fitted(night(APRIL, cut=85.5)), APRIL) <= 6


def test_no_night_is_to_be_seen_in_the_tropics() -> None:
    edges = observe_polar_edges(np.zeros(TROPICS.shape, dtype=bool), TROPICS)
    assert not edges.decided
    assert fit_dates(edges, SNPP, YEAR).candidates == ()
    assert np.isnan(night_misfit_deg(edges, SNPP, APRIL))
    assert np.isnan(fit_dates(edges, SNPP, YEAR).misfit_on(APRIL))
    assert light_in_night_deg(edges, SNPP, APRIL) == 0.0


def test_what_is_no_night_fits_badly() -> None:
    none = np.zeros(GLOBE.shape, dtype=bool)
    waves = np.arange(180)[:, np.newaxis] < 40 + 30 * np.sin(np.arange(360) / 25)
    framed = none.copy()
    framed[:12] = framed[-12:] = True
    for black in (none, ~none, waves, framed):
        assert fitted(black).candidates[0].misfit_deg > 2.0


def test_a_wrong_day_fits_badly_and_shows_light_in_its_night() -> None:
    edges = observe_polar_edges(night(APRIL), GLOBE)
    assert night_misfit_deg(edges, SNPP, APRIL) < 0.6
    january = dt.date(YEAR, 1, 10)
    assert night_misfit_deg(edges, SNPP, january) > 8.0
    assert light_in_night_deg(edges, SNPP, january) > 20.0
    assert light_in_night_deg(edges, SNPP, APRIL) <= 1.0
    assert light_in_night_deg(observe_polar_edges(~night(APRIL), GLOBE), SNPP, APRIL) > 5.0


def test_poles_that_mercator_cut_off_are_no_night() -> None:
    day = dt.date(YEAR, 9, 12)
    rows = np.abs(90 - (np.arange(360) + 0.5) / 2) > 85.05
    place = Georeference(4326, -180.0, 90.0, 4.0, 0.5, 360, 90)
    black = night(day, place) | rows[:, np.newaxis]
    assert days_off(fitted(black, place), day) <= 4


def test_a_year_takes_two_seconds_at_most() -> None:
    edges = observe_polar_edges(night(APRIL), GLOBE)
    started = time.process_time()
    fit_dates(edges, SATELLITES["NOAA-20"], 2019)
    assert time.process_time() - started < 2.0


def test_a_mask_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="georeference"):
        observe_polar_edges(np.zeros((3, 3), dtype=bool), GLOBE)


@pytest.mark.realdata
def test_real_terra_in_january(real_data: Path) -> None:
    place = Georeference(4326, -180.0, 90.0, 0.5625, 0.5625, 512, 512)
    for number in (1, 4, 7):
        day = dt.date(2017, 1, number)
        pixels, _ = read_picture(real_data / "real" / "terra_z0_2017" / f"{day}.png")
        edges = observe_polar_edges(np.asarray(pixels[..., :3].max(axis=2) <= 12), place)
        assert night_misfit_deg(edges, TERRA, day) < 0.5
        candidates = fit_dates(edges, TERRA, 2017).candidates
        assert any(c.first <= day <= c.last for c in candidates)
