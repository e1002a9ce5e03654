"""What goes into a detector beside the picture, and what comes out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from gibswatch.detect.colour.statistics import ColourNormals
from gibswatch.detect.hues.histogram import HueNormals
from gibswatch.raster.observe import Observation
from gibswatch.raster.scene import Scene
from gibswatch.types import BoolArray, ByteArray, Kind

__all__ = [
    "REASON_CODES",
    "Context",
    "Detection",
    "OtherPicture",
    "Region",
    "Witness",
    "clean_score",
    "score_of_ratio",
]

_SQUEEZED = 0.48
"""Evidence from here on is squeezed under the threshold on a day on which nothing is found."""

REASON_CODES: Mapping[str, int] = MappingProxyType(
    {
        "visible": 0,
        "night": 1,
        "swath gap": 2,
        "scheduled": 3,
        "eclipse": 4,
        "terminator": 5,
        "server-empty": 6,
        "not fetched": 7,
        "unexpected": 8,
        "outside": 255,
    }
)
"""Why a pixel is black, as the reason raster writes it: codes 0-5 and 255 are those of
`gibswatch.sky.REASONS`; 0 is imagery, and 8 what nothing explains."""


def clean_score(evidence: float) -> float:
    """Score of a day on which nothing is found, always under 0.5.

    The order of days is kept, for the alert budget: two that differ in evidence never tie.

    Parameters
    ----------
    evidence : float
        0-1; the best of what was looked at and given up.
    """
    over = evidence - _SQUEEZED
    room = 0.5 - _SQUEEZED
    return evidence if over <= 0 else _SQUEEZED + room * over / (over + room)


def score_of_ratio(ratio: float) -> float:
    """Score of evidence by what is just enough: 0.5 at 1, 0-1.

    Parameters
    ----------
    ratio : float
        Negative ones count as 0.
    """
    return max(ratio, 0.0) / (1.0 + max(ratio, 0.0))


@dataclass(frozen=True, slots=True, eq=False)
class Witness:
    """What another layer of the same satellite and day says of the same pixels."""

    layer: str
    """Its identifier."""
    no_data: BoolArray
    """(rows, cols): where it shows no data."""


@dataclass(frozen=True, slots=True, eq=False)
class OtherPicture:
    """Another picture of the same day and grid whose colours can be compared."""

    scene: Scene
    observed: BoolArray
    """(rows, cols): its observed black."""
    normals: ColourNormals | None = None
    """Which colours are usual in its layer; None leaves it to itself."""


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """What a detector may know of the other days and layers of the same satellite and grid.

    The callables read pictures: ask only where the answer is needed.
    """

    observation: Observation
    """Of the day itself."""
    neighbours: tuple[Observation, ...] = ()
    """Whole days around it, itself left out."""
    usual_black: Callable[[], BoolArray | None] = lambda: None
    """Pixels that are black on most of the nearest days, (rows, cols); None if there are none."""
    mask_layer: Callable[[], Witness | None] = lambda: None
    """The satellite's ``Data_No_Data`` layer of the day, if the archive has it on this grid."""
    true_colour: Callable[[], Witness | None] = lambda: None
    """Black of the satellite's true colour of the day, by its level alone, if the archive has it on
    this grid and it is not the layer itself."""
    colour_normals: Callable[[], ColourNormals | None] = lambda: None
    """Which colours are usual, by the other days; None where too few are known."""
    same_day: Callable[[], Sequence[OtherPicture]] = lambda: ()
    """The archive's other pictures of the day: of other satellites with the same bands, and of the
    same one with others."""
    alike: Callable[[], Sequence[Scene]] = lambda: ()
    """Pictures of other days of the layer whose pixels may be the same."""
    clear_sky: Callable[[], NDArray[np.float32] | None] = lambda: None
    """Colour of the places under clear sky by other days, `detect.warp.ClearSky.without`."""
    hue_normals: HueNormals | None = None
    """How often the other days had each hue, for methods that ask for it."""


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A part of the picture with one kind of fault, or with one explanation (kinds 1, 5, 6)."""

    kind: Kind
    mask: BoolArray
    """(rows, cols)"""
    score: float
    reason: str
    granules: tuple[str, ...] = ()
    """Start times of the granules concerned, UTC, e.g. 2023-08-07T12:05Z."""


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """What one method says of one day."""

    score: float
    """0-1; a day is anomalous from 0.5 on.  Clean days have one too, so that days can be ranked."""
    note: str
    """Half a sentence with the figures behind the score."""
    regions: tuple[Region, ...] = ()
    """Faults, and what explains black that is not there every day; largest first."""
    reasons: ByteArray | None = None
    """(rows, cols) uint8: `REASON_CODES` of every pixel; None where the method explains nothing."""
    fits_date: bool = True
    """Whether the picture's night and gaps are those of its date."""
    likely_dates: tuple[dt.date, ...] = ()
    """Where they are not: days that they would fit."""
