"""Days with a known truth, and a server that serves them as GIBS does.

Knows nothing of detectors, features, models, scans and evaluations.
"""

from __future__ import annotations

from gibswatch.simulate.days.source import SimulatedSource
from gibswatch.simulate.drawn import DrawnDays
from gibswatch.simulate.server import (
    ArchiveSource,
    EmbeddedServer,
    FaultPlan,
    FaultRule,
    FolderSource,
    GlobeSource,
    ServedLayer,
    TileFolderSource,
    TileSource,
    create_app,
    embedded_server,
    example_tile_path,
    open_sources,
    serve_forever,
)

__all__ = [
    "ArchiveSource",
    "DrawnDays",
    "EmbeddedServer",
    "FaultPlan",
    "FaultRule",
    "FolderSource",
    "GlobeSource",
    "ServedLayer",
    "SimulatedSource",
    "TileFolderSource",
    "TileSource",
    "create_app",
    "embedded_server",
    "example_tile_path",
    "open_sources",
    "serve_forever",
]
