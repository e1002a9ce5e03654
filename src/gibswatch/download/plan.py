"""What to ask the service for: a day's tiles as addresses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from gibswatch.catalogue.domains import days_in, domain_step, parse_step
from gibswatch.catalogue.layers import Layer
from gibswatch.catalogue.windows import GridPlan, TileIndex
from gibswatch.download.wms import DrawnLayer, get_map_url
from gibswatch.errors import DateRangeError
from gibswatch.types import ImageFormat

__all__ = ["DayPlan", "TileRequest", "expected_steps", "plan_day", "plan_days", "tile_url"]


@dataclass(frozen=True, slots=True)
class TileRequest:
    """One tile of one layer on one day."""

    layer: str
    date: dt.date
    tile: TileIndex
    image_format: ImageFormat
    tile_size: int
    """Rows and columns that the tile must have."""
    url: str
    steps: tuple[dt.date, dt.date] | None = None
    """First and last date that Layer-Time-Actual may have; None: `date` alone."""
    drawn: bool = False
    """Whether WMS draws it: without Layer-* headers, and an empty picture is a good one."""

    def is_of(self, served: str) -> bool:
        """Whether a tile of this date (YYYY-MM-DD) is the one that was asked for."""
        first, last = self.steps or (self.date, self.date)
        return first.isoformat() <= served <= last.isoformat()


def expected_steps(layer: Layer, day: dt.date) -> tuple[dt.date, dt.date]:
    """First and last date that the picture for a day can be of, by the layer's time domain.

    The service snaps a day back to the step that contains it, so a layer of eight days or a year
    has pictures of an earlier date, rightly.  Where the domain as it is known has no such step
    (new ones come every week, and the eight-day series begin anew every January) nothing is
    extrapolated: any step that could still contain the day is right.

    Examples
    --------
    >>> from gibswatch.catalogue.layers import find_layer
    >>> terra = find_layer("MODIS_Terra_CorrectedReflectance_TrueColor")
    >>> [str(day) for day in expected_steps(terra, dt.date(2023, 8, 7))]
    ['2023-08-07', '2023-08-07']
    """
    step = domain_step(layer.periods, day)
    if step is not None:
        return step, step
    usual = parse_step(layer.cadence or "P1D")
    longest = 31 * usual.months + usual.days
    return day - dt.timedelta(days=max(1, longest) - 1), day


def tile_url(base_url: str, layer: Layer, plan: GridPlan, day: dt.date, tile: TileIndex) -> str:
    """WMTS REST address of a tile (``best`` collection; the row comes before the column).

    A vector layer that is taken as pictures has the address of a WMS map instead.
    """
    if isinstance(layer, DrawnLayer):
        return get_map_url(base_url, layer, plan, day, tile)
    return (
        f"{base_url.rstrip('/')}/wmts/epsg{plan.grid.epsg}/best/{layer.name_in(plan.grid.epsg)}/default/"
        f"{day.isoformat()}/{plan.matrix_set.identifier}/{plan.source.level}/"
        f"{tile.row}/{tile.col}.{layer.extension}"
    )


def plan_day(base_url: str, layer: Layer, plan: GridPlan, day: dt.date) -> Iterator[TileRequest]:
    """Yield the requests for all source tiles of a day, row by row."""
    steps = expected_steps(layer, day)
    for tile in plan.source_tiles():
        yield TileRequest(
            layer.identifier,
            day,
            tile,
            layer.format,
            plan.source.tile_size,
            tile_url(base_url, layer, plan, day, tile),
            steps,
            isinstance(layer, DrawnLayer),
        )


@dataclass(frozen=True, slots=True)
class DayPlan:
    """Which days of a range can be asked for."""

    days: tuple[dt.date, ...]
    """Steps of the layer's domain; for a layer that goes on, all days after its last known one."""
    gaps: tuple[dt.date, ...]
    """Days that the domain leaves out."""
    started_late: bool
    """Whether the range began before the layer did."""


def plan_days(layer: Layer, start: dt.date, stop: dt.date) -> DayPlan:
    """Split a range into days that GIBS has and days that it has not.

    Parameters
    ----------
    layer : Layer
    start, stop : date
        Half-open; days before the layer's start are left out altogether.

    Raises
    ------
    DateRangeError
        If the range is empty, or the layer has no daily or coarser time.
    """
    if start >= stop:
        raise DateRangeError(
            f"--start-date {start} is not before --end-date {stop}: the end is exclusive, "
            "so one day is D to D+1"
        )
    first = layer.start_date
    if first is None or layer.is_sub_daily:
        kind = "has several pictures a day" if layer.is_sub_daily else "has no time"
        raise DateRangeError(
            f"{layer.identifier} {kind}: an archive holds layers of one picture a day or coarser"
        )
    begin = max(start, first)
    if begin >= stop:
        raise DateRangeError(
            f"--end-date {stop} is not after {first}, the first day of {layer.identifier}: "
            "give later dates"
        )
    days = list(days_in(layer.periods, begin, stop))
    if layer.ongoing and layer.cadence == "P1D" and layer.last_known_date is not None:
        after = max(begin, layer.last_known_date + dt.timedelta(days=1))
        days += [after + dt.timedelta(days=n) for n in range((stop - after).days)]
    known = set(days)
    gaps = []
    if layer.cadence == "P1D":
        span = (begin + dt.timedelta(days=n) for n in range((stop - begin).days))
        gaps = [day for day in span if day not in known]
    return DayPlan(tuple(days), tuple(gaps), started_late=begin > start)
