"""Bytes over the network, each with its state; knows no folder."""

from gibswatch.download.client import TileClient, TileResult
from gibswatch.download.engines import Engine, TileFetcher, check_engine, open_engine
from gibswatch.download.history import HistoryRequest, fetch_history
from gibswatch.download.plan import DayPlan, TileRequest, plan_day, plan_days, tile_url
from gibswatch.download.refresh import RefreshReport, refresh_catalogue
from gibswatch.download.wms import (
    DrawnLayer,
    as_pictures,
    day_and_night,
    find_picture_layer,
    picture_note,
)

__all__ = [
    "DayPlan",
    "DrawnLayer",
    "Engine",
    "HistoryRequest",
    "RefreshReport",
    "TileClient",
    "TileFetcher",
    "TileRequest",
    "TileResult",
    "as_pictures",
    "check_engine",
    "day_and_night",
    "fetch_history",
    "find_picture_layer",
    "open_engine",
    "picture_note",
    "plan_day",
    "plan_days",
    "refresh_catalogue",
    "tile_url",
]
