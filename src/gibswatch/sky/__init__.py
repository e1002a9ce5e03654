"""What should be visible: sun, orbit, swath, granule, eclipse, schedule.

Records in, records out: no module here reads or writes a file.
"""

from gibswatch.sky.expectation import REASONS, Expectation, expect, granule_id
from gibswatch.sky.orbit import Orbit, anchor_orbit
from gibswatch.sky.passes import PassGeometry, pass_geometry
from gibswatch.sky.satellites import SATELLITES, Satellite, satellite_of
from gibswatch.sky.schedule import Window, scheduled_windows
from gibswatch.sky.tle import orbit_from_tle

__all__ = [
    "REASONS",
    "SATELLITES",
    "Expectation",
    "Orbit",
    "PassGeometry",
    "Satellite",
    "Window",
    "anchor_orbit",
    "expect",
    "granule_id",
    "orbit_from_tle",
    "pass_geometry",
    "satellite_of",
    "scheduled_windows",
]
