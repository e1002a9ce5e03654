"""Simulated days: the Earth under its clouds as an imager shows it, its faults, and the truth.

`simulate_day` makes a picture and its truth from a `DaySpec`.  The Earth is `earth`, `clouds`,
`light` and `products`, put together in `clear`; passes, faults and compositing are the rest.
"""

from __future__ import annotations

from gibswatch.simulate.days.clear import clear_picture
from gibswatch.simulate.days.day import picture_bytes, simulate_day
from gibswatch.simulate.days.spec import DaySpec, FaultSpec, Perturbation, SimulatedDay, Truth

__all__ = [
    "DaySpec",
    "FaultSpec",
    "Perturbation",
    "SimulatedDay",
    "Truth",
    "clear_picture",
    "picture_bytes",
    "simulate_day",
]
