"""The embedded server that speaks the GIBS protocols, for demonstrations and tests without network.

Starlette and uvicorn (the extra ``serve``) are imported when a server is made, not before.
"""

from __future__ import annotations

from gibswatch.simulate.server.app import (
    RequestLog,
    RequestRecord,
    create_app,
    example_tile_path,
)
from gibswatch.simulate.server.archive_source import ArchiveSource
from gibswatch.simulate.server.embedded import EmbeddedServer, embedded_server, serve_forever
from gibswatch.simulate.server.faults import FaultPlan, FaultRule
from gibswatch.simulate.server.options import open_sources
from gibswatch.simulate.server.service import Answer, TileRequest, TileService
from gibswatch.simulate.server.sources import (
    FolderSource,
    GlobeSource,
    ServedLayer,
    TileAddress,
    TileFolderSource,
    TileSource,
)

__all__ = [
    "Answer",
    "ArchiveSource",
    "EmbeddedServer",
    "FaultPlan",
    "FaultRule",
    "FolderSource",
    "GlobeSource",
    "RequestLog",
    "RequestRecord",
    "ServedLayer",
    "TileAddress",
    "TileFolderSource",
    "TileRequest",
    "TileService",
    "TileSource",
    "create_app",
    "embedded_server",
    "example_tile_path",
    "open_sources",
    "serve_forever",
]
