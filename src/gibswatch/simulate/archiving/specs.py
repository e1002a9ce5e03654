"""From the words of a command or a set to the specification of each day."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from gibswatch.archive.labels import SPLITS, Split
from gibswatch.catalogue import GridPlan
from gibswatch.errors import UsageError
from gibswatch.simulate.days.faults.draw import draw_apart, draw_day
from gibswatch.simulate.days.faults.plan import read_plan, spec_document
from gibswatch.simulate.days.rolls import scheduled_faults
from gibswatch.simulate.days.spec import (
    DaySpec,
    FaultKind,
    FaultSpec,
    generator,
    parse_layer,
)
from gibswatch.sky.places import places_at
from gibswatch.sky.satellites import SATELLITES
from gibswatch.types import BBox

__all__ = [
    "FaultChoice",
    "Source",
    "check_split",
    "clean_day",
    "describe_origin",
    "fault_area",
    "planted_fault",
    "read_elements",
    "read_fault_choice",
    "specify_days",
]

FaultChoice = Literal["random", "none"] | tuple[FaultSpec, ...]
"""Faults as they are drawn (scheduled gaps among them), none at all, or those of a plan."""

_POLAR_AREAS = {
    3413: BBox(-180.0, 55.0, 180.0, 78.0),
    3031: BBox(-180.0, -78.0, 180.0, -55.0),
}
"""Where drawn faults of a polar picture lie: within its square, and in daylight at equinox."""
_MOST_TLE_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Source:
    """What all days of an archive are drawn from."""

    seed: int
    """Layers of one satellite show the same passes, clouds and faults for the same seed."""
    faults: FaultChoice = "none"
    tle: str = ""
    """Two-line elements for the tracks; empty: the tracks of `gibswatch.sky.orbit`."""
    invented: bool = False
    """Whether the Earth is made up by noise."""
    area: BBox | None = None
    """Longitudes and latitudes in which drawn faults lie; None: between 55 degrees S and N."""


def read_fault_choice(text: str | None) -> FaultChoice:
    """Read ``random``, or the name of a plan's file; None is no fault.

    Raises
    ------
    UsageError
        If the file cannot be read, or is no plan.
    """
    if text is None:
        return "none"
    if text == "random":
        return "random"
    if not text.endswith(".toml"):
        raise UsageError(f"--faults {text[:60]!r} is neither random nor a plan PLAN.toml")
    return read_plan(Path(text))


def check_split(name: str) -> Split:
    """Return `name` if it is a part of a split.

    Raises
    ------
    UsageError
        If it is none of train, val and test.
    """
    for known in SPLITS:
        if name == known:
            return known
    raise UsageError(f"--split {name!r} is none of {', '.join(SPLITS)}: give one of them")


def read_elements(path: Path, satellite: str) -> str:
    """Return the two-line elements of one satellite in a file, which may hold those of others.

    Raises
    ------
    UsageError
        If the file cannot be read, or has none of the satellite.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_TLE_BYTES + 1)
        lines = [line.strip() for line in data.decode("ascii").splitlines()]
    except (OSError, ValueError) as error:
        raise UsageError(f"--tle {path} cannot be read ({error}): name a text file") from error
    if len(data) > _MOST_TLE_BYTES:
        raise UsageError(f"--tle {path} is larger than {_MOST_TLE_BYTES} bytes: give fewer sets")
    number = f"{SATELLITES[satellite].number:05d}"
    own = [
        f"{first}\n{second}\n"
        for first, second in pairwise(lines)
        if first.startswith(f"1 {number}") and second.startswith(f"2 {number}")
    ]
    if not own:
        raise UsageError(
            f"--tle {path} has no elements of {satellite} (number {number}): give a file that has"
        )
    return "".join(own)


def specify_days(layer: str, days: Sequence[dt.date], source: Source) -> tuple[DaySpec, ...]:
    """Specify days of one layer.

    Parameters
    ----------
    layer : str
        Identifier.
    days : sequence of date
    source : Source

    Raises
    ------
    UsageError
        If the layer cannot be simulated, or the satellite was not there yet.
    """
    satellite, product = parse_layer(layer)
    launch = SATELLITES[satellite].launch
    if days and min(days) < launch:
        raise UsageError(
            f"{satellite} was launched on {launch}, after {min(days)}: give later dates"
        )
    return tuple(
        draw_day(
            source.seed,
            satellite,
            product,
            day,
            faults=source.faults,
            area=source.area,
            tracks="tle" if source.tle else "sky",
            tle=source.tle,
            invented=source.invented,
        )
        for day in days
    )


def clean_day(layer: str, day: dt.date, source: Source) -> DaySpec:
    """Specify a day without a fault, but with the manoeuvres that the Moon's phase brings."""
    (spec,) = specify_days(layer, [day], replace(source, faults="none"))
    return replace(spec, faults=scheduled_faults(spec.seed, spec.satellite, day))


def planted_fault(
    spec: DaySpec, kind: FaultKind, area: BBox | None = None, **given: Any
) -> FaultSpec:
    """Draw the one fault of a day whose kind is given.

    Parameters
    ----------
    spec : DaySpec
        Of the day; its seed, satellite and date count, so that all layers get the same.  The new
        fault keeps away from those that it has.
    kind : FaultKind
    area : BBox, optional
        As of `Source`.
    **given
        Fields of the fault that are not drawn.
    """
    drawn = generator(spec.seed, spec.satellite, spec.day, "planted", kind)
    return replace(draw_apart(drawn, kind, spec.day, spec.faults, area), **given)


def fault_area(plan: GridPlan) -> BBox | None:
    """Longitudes and latitudes of a grid in which drawn faults can be seen; None: the usual."""
    grid = plan.grid
    if grid.epsg in _POLAR_AREAS:
        return _POLAR_AREAS[grid.epsg]
    if grid.bbox is None:
        return None
    g = plan.georeference
    longitude, latitude = places_at(g, [-0.5, g.rows - 0.5], [-0.5, g.cols - 0.5])
    return BBox(float(longitude[0]), float(latitude[1]), float(longitude[1]), float(latitude[0]))


def describe_origin(source: Source) -> dict[str, Any]:
    """Return what tells days of one origin from others, ready for JSON."""
    choice = source.faults
    if isinstance(choice, tuple):
        text = json.dumps([spec_document(fault) for fault in choice], sort_keys=True)
        choice_name = f"plan {hashlib.sha256(text.encode()).hexdigest()[:16]}"
    else:
        choice_name = choice
    tle = source.tle
    return {
        "seed": source.seed,
        "faults": choice_name,
        "elements": hashlib.sha256(tle.encode()).hexdigest()[:16] if tle else None,
        "earth": "invented" if source.invented else "Blue Marble",
    }
