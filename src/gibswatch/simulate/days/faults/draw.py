"""Faults and perturbations drawn by a seed: the same for every product, tile and grid of a day."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np

from gibswatch.simulate.days.rolls import afternoon_longitude, scheduled_faults
from gibswatch.simulate.days.spec import (
    CompositeRule,
    DaySpec,
    FaultKind,
    FaultSpec,
    Perturbation,
    Tracks,
    generator,
)
from gibswatch.sky.satellites import SATELLITES
from gibswatch.types import BBox

__all__ = [
    "FAULTY_SHARE",
    "draw_apart",
    "draw_day",
    "draw_fault",
    "draw_faults",
    "draw_perturbation",
]

FAULTY_SHARE = 0.45
"""Of the days that carry a fault; at least half carry none."""
_APART_DEG = 60.0
"""A swath is 28 degrees wide, a pass leans by 15, and the moment is up to 13 from the crossing."""
_TRIES = 40
_HOLES: tuple[FaultKind, ...] = ("missing-granules", "missing-scans", "missing-orbit")
"""Real holes beside a scheduled one."""
_BESIDE_SCHEDULED = 1.0 / 3.0
"""Of the days with a manoeuvre that also have a real fault elsewhere."""

_WEIGHTS: Mapping[FaultKind, float] = {
    "missing-granules": 5.0,
    "missing-orbit": 1.0,
    "missing-scans": 2.0,
    "missing-tile": 1.0,
    "missing-wedge": 1.0,
    "colour": 5.0,
    "edge-warp": 1.0,
    "granule-offset": 1.0,
    "duplicate-granule": 1.0,
    "stripes": 1.5,
    "stale-tile": 1.0,
    "wrong-day": 0.5,
    "blank-tile": 0.5,
}
_CHANNELS = ("G", "B", "R", "RB", "GB", "RG")
_GAINS = (0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 1.1, 1.2)
_EFFECTS = ("gain", "rollover", "offset", "saturation", "swap", "stripes", "ramp")
_EFFECT_WEIGHTS = (0.45, 0.2, 0.08, 0.1, 0.05, 0.06, 0.06)


def draw_perturbation(seed: int, satellite: str, day: dt.date) -> Perturbation:
    """Draw how a day differs from plain geometry.

    What an instrument and its processing have (swath, local time, rule, granules) is drawn once for
    a seed, as an archive has one processing; the cut of the Sun varies a little from day to day.
    """
    record = SATELLITES[satellite]
    drawn = generator(seed, satellite, "processing")
    cut, late, swath = drawn.uniform(85.65, 87.35), drawn.normal(0, 150.0), drawn.uniform(-1, 1)
    rules: tuple[CompositeRule, ...] = ("nadir", "sun", "latest", "earliest", "by-tile")
    rule = rules[int(drawn.choice(5, p=(0.5, 0.15, 0.1, 0.1, 0.15)))]
    short, drops, limit = drawn.random(), drawn.random(), drawn.uniform(83.0, 87.0)
    today = generator(seed, satellite, day, "terminator")
    late_inputs = generator(seed, satellite, "late inputs")
    has_late = late_inputs.random() < 0.4
    granule = record.granule_s
    if record.instrument == "VIIRS" and short < 0.3:
        granule = 85.35
    return Perturbation(
        sza_cut_deg=float(np.clip(cut + today.uniform(-0.15, 0.15), 85.5, 87.5)),
        local_time_s=float(np.clip(late, -300.0, 300.0)),
        swath_factor=float(1.0 + 0.01 * swath),
        rule=rule,
        granule_s=granule,
        dark_granule_deg=float(limit) if drops < 0.4 else None,
        dropped_share=round(float(late_inputs.uniform(0.0, 0.15)), 4) if has_late else 0.0,
    )


def draw_faults(
    seed: int,
    satellite: str,
    day: dt.date,
    *,
    area: BBox | None = None,
    share: float = FAULTY_SHARE,
) -> tuple[FaultSpec, ...]:
    """Draw the faults of a day: manoeuvres by the Moon, and with a probability real ones.

    Parameters
    ----------
    seed : int
    satellite : str
    day : datetime.date
    area : BBox, optional
        Longitudes and latitudes in which faults lie; all between 55 degrees south and north.
    share : float
        Of the days that have a real fault.
    """
    drawn = generator(seed, satellite, day, "faults")
    scheduled = scheduled_faults(seed, satellite, day)
    faults = list(scheduled)
    is_faulty = drawn.random() < share
    beside = drawn.random() < _BESIDE_SCHEDULED
    if scheduled and beside:
        kind = _HOLES[int(drawn.choice(3, p=(0.6, 0.2, 0.2)))]
        faults.append(_unexplained(drawn, kind, day, area, scheduled))
    elif is_faulty:
        kinds = list(_WEIGHTS)
        weights = np.array(list(_WEIGHTS.values()))
        for _ in range(1 + int(drawn.random() < 0.15)):
            kind = kinds[int(drawn.choice(len(kinds), p=weights / weights.sum()))]
            if not faults or kind != "wrong-day":  # which would hide the others
                faults.append(_unexplained(drawn, kind, day, area, scheduled))
    return tuple(faults)


def draw_fault(
    drawn: np.random.Generator, kind: FaultKind, day: dt.date, area: BBox | None = None
) -> FaultSpec:
    """Draw the size and place of a fault of a kind."""
    spot = _place(drawn, area)
    make = _MAKERS.get(kind)
    values = make(drawn) if make else {}
    return FaultSpec(kind, day, place=spot, **values)  # type: ignore[arg-type]


def draw_day(
    seed: int,
    satellite: str,
    product: str,
    day: dt.date,
    *,
    faults: Sequence[FaultSpec] | Literal["random", "none"] = "random",
    area: BBox | None = None,
    tracks: Tracks = "sky",
    tle: str = "",
    invented: bool = False,
) -> DaySpec:
    """Draw all that a day follows from.

    Parameters
    ----------
    seed : int
        Of the weather, the processing and the faults.
    satellite, product : str
    day : datetime.date
    faults : sequence of FaultSpec, or {"random", "none"}
        A plan (those of other days are left out), drawn ones, or none.
    area : BBox, optional
        Where drawn faults lie.
    tracks, tle, invented
        As of `DaySpec`.
    """
    if isinstance(faults, str):
        drawn = draw_faults(seed, satellite, day, area=area)
        chosen = drawn if faults == "random" else ()
    else:
        chosen = tuple(fault for fault in faults if fault.day in (None, day))
    quality = int(generator(seed, satellite, day, "quality").integers(75, 96))
    return DaySpec(
        satellite,
        product,
        day,
        seed,
        quality=quality,
        perturbation=draw_perturbation(seed, satellite, day),
        faults=chosen,
        tracks=tracks,
        tle=tle,
        invented=invented,
    )


def _place(drawn: np.random.Generator, area: BBox | None) -> tuple[float, float]:
    box = area or BBox(-180.0, -55.0, 180.0, 55.0)
    low, high = (math.sin(math.radians(lat)) for lat in (box.south, box.north))
    longitude = float(drawn.uniform(box.west, box.east))
    return round(longitude, 3), round(math.degrees(math.asin(drawn.uniform(low, high))), 3)


def _unexplained(
    drawn: np.random.Generator,
    kind: FaultKind,
    day: dt.date,
    area: BBox | None,
    scheduled: Sequence[FaultSpec],
) -> FaultSpec:
    """Draw a fault that no manoeuvre of the day explains: elsewhere, or of another size."""
    fault = draw_apart(drawn, kind, day, scheduled, area)
    if kind not in _HOLES or _is_apart(fault, scheduled):
        return fault
    # Too near in a small area: some scans are another size, as a manoeuvre takes five minutes.
    return draw_fault(drawn, "missing-scans", day, area)


def draw_apart(
    drawn: np.random.Generator,
    kind: FaultKind,
    day: dt.date,
    scheduled: Sequence[FaultSpec],
    area: BBox | None = None,
) -> FaultSpec:
    """Draw a fault elsewhere than the day's manoeuvres, as far as the area allows.

    Parameters
    ----------
    drawn : numpy.random.Generator
    kind : FaultKind
    day : datetime.date
    scheduled : sequence of FaultSpec
        The day's manoeuvres.
    area : BBox, optional
        As for `draw_fault`.

    Notes
    -----
    Elsewhere is `_APART_DEG` of longitude from where the pass of a manoeuvre crosses the equator.
    """
    fault = draw_fault(drawn, kind, day, area)
    for _ in range(_TRIES):
        if _is_apart(fault, scheduled):
            break
        fault = draw_fault(drawn, kind, day, area)
    return fault


def _is_apart(fault: FaultSpec, scheduled: Sequence[FaultSpec]) -> bool:
    where = fault.place
    if where is None:
        return True
    passes = [afternoon_longitude(other.time_s) for other in scheduled if other.time_s is not None]
    return all(abs((where[0] - lon + 180.0) % 360.0 - 180.0) >= _APART_DEG for lon in passes)


def _colour(drawn: np.random.Generator) -> dict[str, object]:
    effect = _EFFECTS[int(drawn.choice(len(_EFFECTS), p=_EFFECT_WEIGHTS))]
    level = float(drawn.uniform(0.0, 1.0))
    amounts = {
        "gain": float(_GAINS[int(drawn.integers(len(_GAINS)))]),
        "rollover": round(0.5 * level, 3),
        "offset": round(0.03 + 0.15 * level, 3) * (1.0 if drawn.random() < 0.6 else -1.0),
        "saturation": round(0.2 + 0.4 * level, 3),
        "swap": 0.0,
        "stripes": round(0.03 + 0.17 * level, 3),
        "ramp": round(0.6 + 0.7 * level, 3),
    }
    return {
        "channels": _CHANNELS[int(drawn.integers(len(_CHANNELS)))],
        "effect": effect,
        "amount": amounts[effect],
        "above": round(float(drawn.uniform(0.15, 0.4)), 3) if effect == "rollover" else 0.0,
        "count": int(drawn.integers(1, 5)),
        "seconds": round(float(drawn.uniform(3, 40)), 2) if drawn.random() < 0.25 else 0.0,
    }


def _tile(drawn: np.random.Generator) -> dict[str, object]:
    if drawn.random() < 0.5:
        return {}
    left, top = (round(float(v), 3) for v in drawn.uniform(0.0, 0.5, 2))
    wide, high = (float(v) for v in drawn.uniform(0.2, 0.5, 2))
    return {"part": (left, top, round(left + wide, 3), round(top + high, 3))}


def _scans(drawn: np.random.Generator) -> dict[str, object]:
    return {"seconds": round(1.6 * int(drawn.integers(1, 21)), 2)}


_MAKERS: Mapping[FaultKind, Callable[[np.random.Generator], dict[str, object]]] = {
    "missing-granules": lambda drawn: {"count": int(drawn.integers(1, 5))},
    "missing-orbit": lambda drawn: {"share": 1.0 if drawn.random() < 0.5 else 0.5},
    "missing-scans": _scans,
    "missing-tile": _tile,
    "colour": _colour,
    "edge-warp": lambda drawn: {
        "count": int(drawn.integers(1, 4)),
        "share": round(float(drawn.uniform(0.25, 0.6)), 3),
        "distance_km": round(float(drawn.uniform(50, 400)), 1),
    },
    "granule-offset": lambda drawn: {
        "count": int(drawn.integers(1, 3)),
        "distance_km": round(float(drawn.uniform(20, 300)), 1),
        "bearing_deg": round(float(drawn.uniform(0, 360)), 1),
    },
    "duplicate-granule": lambda drawn: {"count": int(drawn.integers(1, 3))},
    "stripes": lambda drawn: {
        "count": int(drawn.integers(1, 4)),
        "amount": round(float(drawn.uniform(0.05, 0.25)), 3),
        "seconds": round(float(np.exp(drawn.uniform(math.log(4), math.log(40)))), 2),
    },
    "stale-tile": lambda drawn: {"days_off": int(drawn.choice((-1, -2, -8, -16, 1)))},
    "wrong-day": lambda drawn: {"days_off": int(drawn.choice((-1, -2, 1, -16)))},
}
