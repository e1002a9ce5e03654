"""Bytes over the network, each with its state; knows no folder."""

from gibswatch.download.client import TileClient, TileResult
from gibswatch.download.plan import DayPlan, TileRequest, plan_day, plan_days, tile_url

__all__ = [
    "DayPlan",
    "TileClient",
    "TileRequest",
    "TileResult",
    "plan_day",
    "plan_days",
    "tile_url",
]
