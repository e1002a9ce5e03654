"""What the demo plants on which of its days: an eclipse, a roll, and faults that a seed draws."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from gibswatch.catalogue import Grid, GridPlan, find_layer, plan_grid
from gibswatch.simulate.archiving import Source, fault_area, planted_fault, specify_days
from gibswatch.simulate.days.rolls import scheduled_faults
from gibswatch.simulate.days.spec import DaySpec, FaultKind, FaultSpec, generator
from gibswatch.types import BBox

__all__ = ["DAYS", "LAYERS", "DemoPlan"]

LAYERS = (
    "VIIRS_SNPP_CorrectedReflectance_TrueColor",
    "MODIS_Terra_CorrectedReflectance_TrueColor",
)
DAYS = tuple(dt.date(2016, 3, 1) + dt.timedelta(days=n) for n in range(21))
"""Both satellites see the eclipse of 2016-03-09 total, and VIIRS looks at the Moon nine days later:
not from July to September, so not after the eclipse of 2017-08-21."""
_ECLIPSE_DAY = dt.date(2016, 3, 9)

_PLANTED: Mapping[str, tuple[FaultKind, ...]] = {
    "SNPP": ("missing-granules", "missing-orbit", "missing-scans", "missing-granules", "colour"),
    "Terra": (
        "missing-granules",
        "missing-scans",
        "missing-tile",
        "missing-orbit",
        "missing-wedge",
        "colour",
    ),
}
"""One fault a day, each of a kind that the scan can find; other kinds are added here as detectors
for them are."""
_GAIN = {"effect": "gain", "channels": "G", "amount": 0.5, "count": 1}
"""Of a granule's green: half of it is lost, as no person overlooks."""
_SCANS_S = (12.0, 40.0)
"""A strip of 80-270 km: five pixels and more."""
_MOST_TRIES = 100


@dataclass(frozen=True)
class DemoPlan:
    """The days of both layers, whole or a part of them."""

    seed: int
    invented: bool = False
    """Whether the Earth is made up by noise instead of taken from Blue Marble."""
    days: Sequence[dt.date] = DAYS
    bbox: BBox | None = None
    """Part of the globe, of whole tiles."""
    kinds: Mapping[str, Sequence[FaultKind]] = field(default_factory=lambda: _PLANTED)
    """What is planted, by satellite; what finds no free day is left out."""

    @cached_property
    def grid(self) -> GridPlan:
        """GIBS's own pixels, 2560 x 1280 of the globe; the same for both layers."""
        grid = Grid("native", 4326, "16km", self.bbox)
        return plan_grid(grid, find_layer(LAYERS[0]).matrix_set(4326))

    def specify(self, layer: str) -> tuple[DaySpec, ...]:
        """Specify the days of a layer, in order."""
        source = Source(self.seed, invented=self.invented, area=fault_area(self.grid))
        clean = specify_days(layer, self.days, source)
        faults = self._faults(clean, source.area)
        return tuple(replace(spec, faults=faults.get(spec.day, ())) for spec in clean)

    def _faults(
        self, clean: Sequence[DaySpec], area: BBox | None
    ) -> dict[dt.date, tuple[FaultSpec, ...]]:
        """Draw which day has which fault; the eclipse's has none, nor that of the roll another."""
        satellite = clean[0].satellite
        faults = self._roll(satellite)
        free = [spec for spec in clean if spec.day not in faults and spec.day != _ECLIPSE_DAY]
        drawn = generator(self.seed, satellite, "demo")
        order = drawn.permutation(len(free))
        for kind, number in zip(self.kinds[satellite], order, strict=False):
            spec = free[int(number)]
            given: dict[str, Any] = {}
            if kind == "missing-scans":
                given = {"seconds": round(float(drawn.uniform(*_SCANS_S)), 1)}
            elif kind == "missing-orbit":
                given = {"share": 0.5}
            elif kind == "colour":
                given = dict(_GAIN)
            faults[spec.day] = (planted_fault(spec, kind, area, **given),)
        return faults

    def _roll(self, satellite: str) -> dict[dt.date, tuple[FaultSpec, ...]]:
        """Draw the month's roll, if these days have it; a seed without one takes another's."""
        for number in range(_MOST_TRIES):
            seed = self.seed + 1000 * number
            for day in self.days:
                faults = scheduled_faults(seed, satellite, day)
                rolls = tuple(fault for fault in faults if fault.kind == "roll")
                if rolls:
                    return {day: rolls}
        return {}
