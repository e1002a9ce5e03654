"""A vector layer, from the predecessor's name to a table: taken as pictures, and said so."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gibswatch.errors import RenamedLayerWarning
from gibswatch.scan import scan
from gibswatch.settings import Settings
from gibswatch.simulate import EmbeddedServer, GlobeSource, ServedLayer, create_app
from gibswatch.types import BBox, ByteArray

FIRES = "MODIS_Combined_Thermal_Anomalies_All"
DAYS = [dt.date(2021, 8, 1) + dt.timedelta(days=n) for n in range(7)]
BOX = BBox(2, 2, 70, 52)


def fires(day: dt.date) -> ByteArray:
    """Draw a globe with a red spot for every sixth pixel or so."""
    pixels = np.zeros((320, 640, 4), dtype=np.uint8)
    found = np.random.default_rng(day.toordinal()).random((320, 640)) < 0.15
    pixels[found] = (255, 0, 0, 255)
    return pixels


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    served = ServedLayer(FIRES, "png", {4326: "1km"})
    with EmbeddedServer(create_app({FIRES: (served, GlobeSource(fires, DAYS, "png"))})) as server:
        yield server.base_url


def test_a_scan_of_fires(base_url: str, tmp_path: Path) -> None:
    stop = DAYS[-1] + dt.timedelta(days=1)
    with pytest.warns(RenamedLayerWarning, match=FIRES):
        result = scan(
            "MODIS_Fires_All",
            DAYS[0],
            stop,
            root=tmp_path,
            bbox=BOX,
            settings=Settings(base_url=base_url),
        )
    assert result.layer == FIRES
    assert [item.verdict for item in result.items] == ["clean"] * 7
    [note] = result.notes
    assert note.startswith(f"{FIRES} is vector shapes: taken as PNG pictures")


def test_a_download_of_fires_says_what_it_takes(
    base_url: str, tmp_path: Path, run: Callable[..., Any]
) -> None:
    dates = ["--start-date", DAYS[0], "--end-date", DAYS[1]]
    place = ["--output-dir", tmp_path, "--base-url", base_url, "--bbox", *BOX.as_tuple()]
    ended = run("download", "--layer", "MODIS_Fires_All", *dates, *place)
    assert ended.code == 0, ended.err
    assert f"{FIRES} is vector shapes: taken as PNG pictures" in ended.err
    assert (tmp_path / "4326" / str(DAYS[0]) / f"{FIRES}.png").is_file()
    refused = run("download", "--layer", "MODIS_Fires_All", *dates, *place[:4], "--epsg", 3413)
    assert refused.code == 2
    assert "use --epsg 4326" in refused.err
