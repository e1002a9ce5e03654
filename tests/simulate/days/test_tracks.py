"""Passes from the closed-form orbit and from SGP4."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from gibswatch.errors import UsageError
from gibswatch.simulate.days.spec import DaySpec, Perturbation
from gibswatch.simulate.days.tracks import STEP_S, Track, track_of

DAY = dt.date(2017, 12, 7)
# SNPP, NORAD, as public repositories quote it.
TLE = """SUOMI NPP
1 37849U 11061A   17341.18384787 -.00000170  00000-0 -59794-4 0  9990
2 37849  98.7173 277.4064 0001444  51.2876 308.8431 14.19554784316634
"""
SPEC = DaySpec("SNPP", "TrueColor", DAY, 1)


def under(track: Track, times: np.ndarray) -> np.ndarray:
    """Unit vectors of the track on the day, in the order of `times`."""
    number = np.clip(np.searchsorted(track.start_s, times, side="right") - 1, 0, track.passes - 1)
    position, _, _ = track.at(number, times)
    return np.asarray(position / np.linalg.norm(position, axis=1, keepdims=True))


def test_both_sources_give_the_same_track_within_a_few_kilometres() -> None:
    times = np.arange(0.0, 86400.0, 97.0)
    orbit = under(track_of(SPEC), times)
    tle = under(track_of(replace(SPEC, tracks="tle", tle=TLE)), times)
    apart = 6371.0 * np.arccos(np.clip(np.einsum("ij,ij->i", orbit, tle), -1.0, 1.0))
    assert np.median(apart) < 60.0  # mostly along the track: ten seconds are 67 km
    assert apart.max() < 200.0
    assert apart.min() > 0.0


def test_interpolation_meets_the_samples_and_their_middles() -> None:
    track = track_of(SPEC)
    number = np.zeros(50, dtype=np.intp)
    at_samples = track.at(number, track.start_s[0] + STEP_S * np.arange(50))[0]
    assert np.allclose(at_samples, track.position[0, :50], atol=1e-6)
    middle = track.at(number[:48], track.start_s[0] + STEP_S * (np.arange(48) + 0.5))[0]
    p = track.position[0]
    sixth_order = (9 * (p[1:49] + p[2:50]) - p[:48] - p[3:51]) / 16
    middle_next = track.at(number[:48], track.start_s[0] + STEP_S * (np.arange(48) + 1.5))[0]
    assert np.abs(middle_next - sixth_order).max() < 0.5
    assert np.linalg.norm(middle, axis=1).min() > 7000.0


def test_velocity_is_that_of_an_orbit() -> None:
    track = track_of(SPEC)
    number = np.arange(track.passes, dtype=np.intp)
    position, velocity, sun = track.at(number, track.start_s + 1000.0)
    speed = np.linalg.norm(velocity, axis=1)
    assert speed == pytest.approx(np.sqrt(398600.4 / np.linalg.norm(position, axis=1)), rel=0.003)
    assert np.linalg.norm(sun, axis=1) == pytest.approx(1.0, abs=1e-5)


def test_a_later_local_time_keeps_the_ground_track() -> None:
    late = replace(SPEC, perturbation=Perturbation(local_time_s=240.0))
    plain, shifted = track_of(SPEC), track_of(late)
    assert np.array_equal(plain.position, shifted.position)
    assert np.allclose(shifted.start_s - plain.start_s, 240.0)
    assert not np.allclose(plain.sun, shifted.sun)


@pytest.mark.parametrize(
    "text", ["no elements", TLE.replace("37849", "25994"), TLE.replace("17341", "17241")]
)
def test_without_a_fitting_element_set_the_satellite_is_named(text: str) -> None:
    with pytest.raises(UsageError, match=r"no two-line element of SNPP \(number 37849\)"):
        track_of(replace(SPEC, tracks="tle", tle=text))
