"""Frozen records and Literals that cross from room to room.

Conventions: rows before columns; lon, lat in degrees; EPSG:3413, 3031 and 3857 in metres; times in
UTC; a score is higher the more anomalous a thing is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "EPSG_CODES",
    "KIND_NAMES",
    "PICTURE_FORMATS",
    "TILE_STATES",
    "BBox",
    "BoolArray",
    "ByteArray",
    "DateSource",
    "DayItem",
    "Epsg",
    "Finding",
    "FloatArray",
    "Georeference",
    "ImageFormat",
    "IncompleteCause",
    "Kind",
    "ModelScore",
    "PictureFormat",
    "Shares",
    "TileState",
    "VerdictName",
]

BoolArray = NDArray[np.bool_]
ByteArray = NDArray[np.uint8]
FloatArray = NDArray[np.floating[Any]]

Epsg = Literal[4326, 3413, 3031, 3857]
EPSG_CODES: tuple[int, ...] = get_args(Epsg)

ImageFormat = Literal["jpg", "png", "mvt"]
PictureFormat = Literal["jpg", "png", "tif", "cog"]
"""What a picture is stored as: tif is GeoTIFF, cog Cloud Optimized GeoTIFF."""
PICTURE_FORMATS: tuple[PictureFormat, ...] = get_args(PictureFormat)

TileState = Literal[
    "ok", "server-empty", "absent", "failed", "corrupt", "suspect", "wrong-date", "not-yet"
]
TILE_STATES: tuple[TileState, ...] = get_args(TileState)

VerdictName = Literal["clean", "anomalous", "no-data", "wrong-date", "incomplete"]
IncompleteCause = Literal["network", "server", "mixed"]
DateSource = Literal["name", "option", "fitted", "none"]


class Kind(IntEnum):
    """Label codes: 1-6 are the predecessor's, 7-9 are ours."""

    MISSING_EXPECTED = 1
    MISSING_UNEXPECTED = 2
    MISCOLORATION = 3
    EDGE_WARPING = 4
    ECLIPSE_MISSING = 5
    ECLIPSE_MISCOLORATION = 6
    STRIPES = 7
    STALE = 8
    DUPLICATED_GRANULE = 9

    @property
    def is_fault(self) -> bool:
        """Whether a day with this kind is anomalous (1, 5 and 6 only explain)."""
        return self not in (Kind.MISSING_EXPECTED, Kind.ECLIPSE_MISSING, Kind.ECLIPSE_MISCOLORATION)


KIND_NAMES: Mapping[Kind, str] = {
    Kind.MISSING_EXPECTED: "missing data, expected",
    Kind.MISSING_UNEXPECTED: "missing data, unexpected",
    Kind.MISCOLORATION: "miscoloration",
    Kind.EDGE_WARPING: "edge warping",
    Kind.ECLIPSE_MISSING: "eclipse, missing data",
    Kind.ECLIPSE_MISCOLORATION: "eclipse, miscoloration",
    Kind.STRIPES: "stripes",
    Kind.STALE: "stale or another day's pixels",
    Kind.DUPLICATED_GRANULE: "duplicated granule",
}


@dataclass(frozen=True, slots=True)
class BBox:
    """A box in the units of its projection: degrees for EPSG:4326, else metres."""

    west: float
    south: float
    east: float
    north: float

    def as_tuple(self) -> tuple[float, float, float, float]:
        """West, south, east, north."""
        return (self.west, self.south, self.east, self.north)

    def __str__(self) -> str:
        return " ".join(f"{v:g}" for v in self.as_tuple())


_METRES_PER_DEGREE = 111_320.0


@dataclass(frozen=True, slots=True)
class Georeference:
    """Where the pixels of a picture lie: north up, square or oblong pixels, no rotation."""

    epsg: Epsg
    west: float
    """Left edge of column 0, in units of the projection."""
    north: float
    """Top edge of row 0, in units of the projection."""
    pixel_width: float
    pixel_height: float
    """Positive; rows run southwards."""
    rows: int
    cols: int

    @property
    def bbox(self) -> BBox:
        """The box that the pixels cover."""
        return BBox(
            self.west,
            self.north - self.rows * self.pixel_height,
            self.west + self.cols * self.pixel_width,
            self.north,
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Rows, columns."""
        return (self.rows, self.cols)

    @property
    def pixel_deg(self) -> float:
        """Height of a pixel in degrees of a great circle, where the projection is true."""
        return self.pixel_height if self.epsg == 4326 else self.pixel_height / _METRES_PER_DEGREE


@dataclass(frozen=True, slots=True)
class Shares:
    """Area-weighted shares (0-1) of the usable part of the picture inside the globe."""

    black: float
    expected: float
    unexpected: float


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found on one day."""

    kind: Kind
    score: float
    """0-1; 0.5 is the threshold of the method that made the finding."""
    reason: str
    area_km2: float | None = None
    bbox: BBox | None = None
    """Lon/lat degrees."""
    geometry: Mapping[str, Any] | None = None
    """GeoJSON (Multi)Polygon in lon/lat, cut at the antimeridian, or None."""
    granules: tuple[str, ...] = ()
    """Start times of the granules concerned, UTC, e.g. 2023-08-07T12:05Z."""


@dataclass(frozen=True, slots=True)
class ModelScore:
    """What a trained model says of one day, beside the verdict."""

    name: str
    """Of the model in the registry, e.g. random-forest."""
    score: float
    """Higher is more anomalous; in the model's own measure."""
    threshold: float
    called: bool
    """Whether the score is over the threshold."""


@dataclass(frozen=True, slots=True)
class DayItem:
    """What is said of one day (or of one picture): the unit of every output."""

    layer: str
    date: dt.date | None
    verdict: VerdictName
    score: float
    reason: str
    shares: Shares | None
    findings: tuple[Finding, ...] = ()
    incomplete_cause: IncompleteCause | None = None
    """Why tiles are missing; None too where the picture itself cannot be read."""
    tiles: Mapping[str, int] = field(default_factory=dict)
    """Number of tiles by state."""
    file: str | None = None
    date_source: DateSource = "none"
    date_candidates: tuple[dt.date, ...] = ()
    mask: str | None = None
    worldview: str | None = None
    alert: bool | None = None
    """Whether it is over the threshold of the alert budget; None without a budget or a verdict."""
    model: ModelScore | None = None
    """None without a model, and where nothing is said of the picture, or it is not all there."""
