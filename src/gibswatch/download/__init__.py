"""Bytes over the network, each with its state; knows no folder."""

from gibswatch.download.client import TileClient
from gibswatch.download.engines import Engine, TileFetcher, check_engine, open_engine
from gibswatch.download.history import HistoryRequest, fetch_history
from gibswatch.download.horizon import published_until
from gibswatch.download.plan import (
    DayPlan,
    TileRequest,
    expected_steps,
    plan_day,
    plan_days,
    tile_url,
)
from gibswatch.download.politeness import Pacer
from gibswatch.download.probe import ServiceProbe, probe_service
from gibswatch.download.refresh import RefreshReport, refresh_catalogue
from gibswatch.download.result import TileResult
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
    "Pacer",
    "RefreshReport",
    "ServiceProbe",
    "TileClient",
    "TileFetcher",
    "TileRequest",
    "TileResult",
    "as_pictures",
    "check_engine",
    "day_and_night",
    "expected_steps",
    "fetch_history",
    "find_picture_layer",
    "open_engine",
    "picture_note",
    "plan_day",
    "plan_days",
    "probe_service",
    "published_until",
    "refresh_catalogue",
    "tile_url",
]
