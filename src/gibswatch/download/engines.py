"""What can fetch the tiles of a download: Gibswatch's own client, or GDAL."""

from __future__ import annotations

from types import TracebackType
from typing import Literal, Protocol, Self

from gibswatch.catalogue.layers import Layer
from gibswatch.catalogue.windows import GridPlan
from gibswatch.download.client import TileClient
from gibswatch.download.plan import TileRequest
from gibswatch.download.result import TileResult
from gibswatch.download.wms import DrawnLayer
from gibswatch.errors import UsageError
from gibswatch.settings import Settings

__all__ = ["Engine", "TileFetcher", "check_engine", "open_engine"]

Engine = Literal["http", "gdal"]


class TileFetcher(Protocol):
    """Fetches tiles inside its `async with` block, each with its state."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    async def fetch(self, request: TileRequest) -> TileResult:
        """Fetch one tile; what fails is a state of the result."""
        ...


def check_engine(engine: Engine, layer: Layer, plan: GridPlan) -> None:
    """Refuse what an engine cannot do.

    Raises
    ------
    UsageError
        If GDAL is asked to keep tiles as served, or for the pictures of a vector layer.
    """
    if engine == "http":
        return
    if plan.grid.tiled and plan.grid.kind == "native":
        raise UsageError(
            "--engine gdal gives pixels, not the bytes as served, which --grid native --tiled-world"
            " keeps: leave --engine out (http), or use --stitched"
        )
    if isinstance(layer, DrawnLayer):
        raise UsageError(
            f"--engine gdal reads WMTS tiles, and {layer.identifier} is vector shapes drawn over "
            "WMS: leave --engine out (http)"
        )


def open_engine(engine: Engine, settings: Settings, plan: GridPlan) -> TileFetcher:
    """Make the fetcher of a run; nothing is asked before its `async with` block."""
    if engine == "http":
        return TileClient(settings)
    from gibswatch.download.gdal_engine import GdalEngine  # noqa: PLC0415  (rasterio and GDAL)

    return GdalEngine(settings, plan)
