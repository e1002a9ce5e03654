"""From a mask of black to the edges of the gaps between swaths: small records, no pixels.

A gap's western rim is the east edge of one swath, its eastern rim the west edge of the swath of the
orbit before.  Edges are looked for row by row where the gap is whole: on solid black (closed, then
opened), so that dark sea and JPEG rings do not count; their place is taken from the raw mask, since
closing and opening move it by a third of a pixel.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gibswatch.sky.places import is_separable, places_at
from gibswatch.types import BoolArray, Georeference

__all__ = ["DayEdges", "find_edges"]

_LATITUDE_LIMIT_DEG = 45.0
"""Gaps close at 28.6 degrees (MODIS); beyond, black is night or missing data."""
_WIDEST_GAP_DEG = 5.0
"""MODIS's gap is 3 degrees wide at the equator, and wider black is no gap."""
_NARROWEST_GAP = 3
"""Columns; narrower black does not outlive the opening."""
_REACH = 3
"""Columns to either side of an edge in which raw black is counted."""
_MARGIN = 4
"""Pixels that closing and opening with a square of three look beyond the picture."""

_Indices = NDArray[np.intp]
_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class DayEdges:
    """Where gaps begin and end on one local day; three (n,) ndarrays side by side."""

    day: dt.date
    pixel_deg: float
    """Width of a pixel."""
    latitude_deg: _Floats
    longitude_deg: _Floats
    is_east: BoolArray
    """Whether the edge is the east edge of a swath, else the west edge of one."""

    def __len__(self) -> int:
        return len(self.latitude_deg)


def find_edges(black: BoolArray, georeference: Georeference, day: dt.date) -> DayEdges:
    """Find the edges of gaps in a mask of black.

    Parameters
    ----------
    black : (rows, cols) ndarray of bool
        Observed black.
    georeference : Georeference
        In EPSG:4326 or 3857; polar pictures show no gaps.
    day : datetime.date
        Local day of the picture.

    Returns
    -------
    DayEdges
        Empty where the picture shows no latitudes under 45 degrees.

    Raises
    ------
    ValueError
        If the mask has not the georeference's shape.
    """
    if black.shape != georeference.shape:
        raise ValueError(f"the mask is {black.shape}, its georeference {georeference.shape}")
    if not is_separable(georeference):
        return _gather(georeference, day, np.empty(0), np.empty(0), np.empty(0, dtype=bool))
    latitude = places_at(georeference, np.arange(georeference.rows), 0)[1]
    rows = np.flatnonzero(np.abs(latitude) < _LATITUDE_LIMIT_DEG)
    if not len(rows) or georeference.cols <= 2 * _REACH:
        return _gather(georeference, day, np.empty(0), np.empty(0), np.empty(0, dtype=bool))
    first = int(rows[0])
    raw = black[first : int(rows[-1]) + 1]
    row, start, stop = _runs(_solid(raw))
    width = stop - start
    wanted = (width * _pixel_deg(georeference) <= _WIDEST_GAP_DEG) & (width >= _NARROWEST_GAP)
    row, start, stop = row[wanted], start[wanted], stop[wanted]
    opens, closes = start >= _REACH, stop <= georeference.cols - _REACH
    east = _balance(raw, row[opens], start[opens], into_black=True)
    west = _balance(raw, row[closes], stop[closes], into_black=False)
    return _gather(
        georeference,
        day,
        np.concatenate([row[opens], row[closes]]) + first,
        np.concatenate([east, west]),
        np.arange(len(east) + len(west)) < len(east),
    )


def _solid(mask: BoolArray) -> BoolArray:
    """Close, then open, with a square of three; beyond the picture its rim goes on."""
    grown = _any_of_three(np.pad(mask, _MARGIN, mode="edge"))
    closed = ~_any_of_three(~grown)
    eroded = ~_any_of_three(~closed)
    return _any_of_three(eroded)


def _any_of_three(mask: BoolArray) -> BoolArray:
    """Dilate with a square of three; the result is a pixel smaller on every side."""
    tall = mask[:-2] | mask[1:-1] | mask[2:]
    return np.asarray(tall[:, :-2] | tall[:, 1:-1] | tall[:, 2:])


def _runs(mask: BoolArray) -> tuple[_Indices, _Indices, _Indices]:
    """Row, first column and the column behind the last of every run of a row."""
    rows, cols = mask.shape
    framed = np.zeros((rows, cols + 2), dtype=bool)
    framed[:, 1:-1] = mask
    steps = np.flatnonzero(framed[:, 1:] != framed[:, :-1])  # each row begins and ends in light
    row, start = np.divmod(steps[::2], cols + 1)
    return row, start, steps[1::2] % (cols + 1)


def _balance(raw: BoolArray, row: _Indices, edge: _Indices, *, into_black: bool) -> _Floats:
    """Column (from the left rim of column 0) that has as much black before it as light behind."""
    cols = edge[:, np.newaxis] + np.arange(-_REACH, _REACH)
    black = raw[row[:, np.newaxis], cols].sum(axis=1)
    moved = _REACH - black if into_black else black - _REACH
    return np.asarray(edge + moved, dtype=np.float64)


def _pixel_deg(georeference: Georeference) -> float:
    """Width of a pixel in degrees of longitude."""
    left, right = places_at(georeference, 0, [0.0, 1.0])[0]
    return float(right - left)


def _gather(
    georeference: Georeference,
    day: dt.date,
    row: NDArray[np.float64] | _Indices,
    col: _Floats,
    is_east: BoolArray,
) -> DayEdges:
    """Turn places in pixels into longitude and latitude."""
    if not len(row):
        return DayEdges(day, _pixel_deg_or_nan(georeference), col, col.copy(), is_east)
    longitude, latitude = places_at(georeference, row, col - 0.5)
    return DayEdges(day, _pixel_deg(georeference), latitude, longitude, is_east)


def _pixel_deg_or_nan(georeference: Georeference) -> float:
    return _pixel_deg(georeference) if is_separable(georeference) else float("nan")
