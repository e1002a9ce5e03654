"""The embedded server that speaks the GIBS protocols, for demonstrations and tests without network.

Starlette and uvicorn (the extra ``serve``) are imported when a server is made, not before.
"""

from __future__ import annotations

from gibswatch.simulate.server.app import (
    Answer,
    RequestLog,
    RequestRecord,
    TileRequest,
    TileService,
    create_app,
    example_tile_path,
)
from gibswatch.simulate.server.embedded import EmbeddedServer, serve_forever
from gibswatch.simulate.server.options import open_sources
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
    "EmbeddedServer",
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
    "example_tile_path",
    "open_sources",
    "serve_forever",
]
