"""Our client against a server that we did not write: MapProxy 7 with the GIBS grid.

MapProxy stands between our client and the embedded server.  It counts tiles, rows and levels by its
own code from nothing but GIBS's numbers (origin, resolutions, tile size); had we a row or a level
wrong, on both our sides alike, its tiles would be others.
"""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import numpy as np
import pytest

from gibswatch.archive import Archive, download_days
from gibswatch.catalogue import Grid, Layer, find_layer
from gibswatch.settings import Settings
from gibswatch.simulate import EmbeddedServer, GlobeSource, ServedLayer, create_app
from gibswatch.types import BBox, ByteArray, ImageFormat

DAY = dt.date(2020, 8, 7)
NAMES: dict[ImageFormat, str] = {
    "png": "MODIS_Terra_Land_Surface_Temp_Day",
    "jpg": "MODIS_Terra_CorrectedReflectance_TrueColor",
}


def draw(_day: dt.date) -> ByteArray:
    """Draw a globe on which no place is like another."""
    rows, cols = np.mgrid[0:512, 0:1024]
    waves = [rows // 2, cols // 4, (rows * 3 + cols) // 11, 255 + 0 * rows]
    return np.stack(waves, axis=2).astype(np.uint8)


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


@dataclass
class Peer:
    """MapProxy, and the embedded server that it has its pixels from."""

    layer: Layer
    base_url: str
    embedded_url: str
    paths: list[str]
    """What MapProxy was asked for."""


def configuration(folder: Path, layer: Layer, upstream: str) -> dict[str, Any]:
    """Make MapProxy's configuration: GIBS's EPSG:4326 grid and paths, for one day of one layer."""
    matrix_set, form = layer.matrix_set(4326), layer.extension
    tiles = f"{upstream}/wmts/epsg4326/best/{layer.identifier}/default/{DAY}/{matrix_set}"
    media_type = "image/jpeg" if form == "jpg" else "image/png"
    path = "{TileMatrixSet}/{TileMatrix}/{TileRow}/{TileCol}." + form
    return {
        "services": {
            "wmts": {
                "restful": True,
                "kvp": False,
                "restful_template": f"/epsg4326/best/{{Layer}}/default/{DAY}/{path}",
            }
        },
        "layers": [{"name": layer.identifier, "title": "peer", "tile_sources": ["tiles"]}],
        "caches": {
            "tiles": {
                "grids": [matrix_set],
                "sources": ["embedded"],
                "format": media_type,
                "disable_storage": True,
            }
        },
        "sources": {
            "embedded": {
                "type": "tile",
                "grid": matrix_set,
                "url": f"{tiles}/%(z)s/%(y)s/%(x)s.{form}",
            }
        },
        "grids": {
            matrix_set: {
                "srs": "EPSG:4326",
                "origin": "nw",
                "bbox": [-180, -198, 396, 90],
                "res": [0.5625 / 2**level for level in range(9)],
                "tile_size": [512, 512],
            }
        },
        "globals": {
            "cache": {
                name: str(folder / name) for name in ("base_dir", "lock_dir", "tile_lock_dir")
            }
        },
    }


def make_app(file: Path) -> Callable[..., Any]:
    from mapproxy.wsgiapp import make_wsgi_app  # type: ignore[import-untyped]

    app: Callable[..., Any] = make_wsgi_app(str(file), reloader=False)
    return app


@pytest.fixture(params=["png", "jpg"])
def peer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Peer]:
    pytest.importorskip("mapproxy", reason="MapProxy is not installed")
    layer = find_layer(NAMES[request.param])
    served = ServedLayer(layer.identifier, request.param, {4326: layer.matrix_set(4326)})
    source = GlobeSource(draw, [DAY], request.param)
    paths: list[str] = []
    with EmbeddedServer(create_app({layer.identifier: (served, source)})) as embedded:
        file = tmp_path / "mapproxy.yaml"
        file.write_text(json.dumps(configuration(tmp_path, layer, embedded.base_url)))
        app = make_app(file)

        def counted(environ: dict[str, Any], start: Callable[..., Any]) -> Any:
            paths.append(environ["PATH_INFO"])
            return app(environ, start)

        with make_server("127.0.0.1", 0, counted, WSGIServer, Quiet) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.02,))
            thread.start()
            base_url = f"http://127.0.0.1:{server.server_port}"
            yield Peer(layer, base_url, embedded.base_url, paths)
            server.shutdown()
            thread.join()


def test_the_same_pixels_from_mapproxy(peer: Peer, tmp_path: Path) -> None:
    # Levels 2 and 3, with tiles on the left edge and on overhanging ones at the bottom.
    for resolution, box in [("16km", BBox(-180, -90, 0, 90)), ("8km", BBox(60, -90, 130, -20))]:
        grid = Grid("native", 4326, resolution, box)
        scenes = []
        for url in (peer.embedded_url, peer.base_url):
            root = tmp_path / resolution / url.rpartition(":")[2]
            settings = Settings(base_url=url, attempts=1, connections=2)
            summary = download_days(root, peer.layer, grid, [DAY], settings)
            assert summary.days_complete == 1, summary.problems
            scenes.append(Archive(root).scene(peer.layer.identifier, DAY))
        ours, theirs = (scene.pixels for scene in scenes)
        assert np.ptp(ours[..., :3]) > 100
        assert np.array_equal(ours, theirs)
    assert peer.paths
    assert all(path.startswith("/wmts/epsg4326/best/") for path in peer.paths)


def test_another_day_is_not_there(peer: Peer, tmp_path: Path) -> None:
    other = DAY + dt.timedelta(days=1)
    settings = Settings(base_url=peer.base_url, attempts=1, connections=2)
    grid = Grid("native", 4326, "16km", BBox(2, 2, 20, 20))
    summary = download_days(tmp_path, peer.layer, grid, [other], settings)
    assert summary.nothing_came
