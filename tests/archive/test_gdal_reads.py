"""Other programs find a stitched picture where it belongs: gdalinfo reads the world file."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from gibswatch.archive import download_days
from gibswatch.catalogue import Grid, find_layer
from gibswatch.settings import Settings
from gibswatch.simulate import EmbeddedServer
from gibswatch.types import BBox

_LAYER = find_layer("MODIS_Terra_CorrectedReflectance_TrueColor")


@pytest.mark.skipif(shutil.which("gdalinfo") is None, reason="needs the Debian package gdal-bin")
def test_gdalinfo_sees_the_corner_and_the_pixel_size(
    tmp_path: Path, server: EmbeddedServer
) -> None:
    grid = Grid("predecessor", 4326, "16km", BBox(-36, -18, 0, 18))
    day = dt.date(2023, 8, 1)
    download_days(tmp_path, _LAYER, grid, [day], Settings(base_url=server.base_url))
    picture = tmp_path / "4326" / "2023-08-01" / f"{_LAYER.identifier}.jpg"
    ended = subprocess.run(
        ["gdalinfo", "-json", picture], capture_output=True, text=True, check=True
    )
    told = json.loads(ended.stdout)
    pixel = 360 / 4096
    west, width, _, north, _, height = told["geoTransform"]
    assert (width, -height) == pytest.approx((pixel, pixel))
    assert west == pytest.approx(-36, abs=pixel)
    assert west <= -36
    assert north == pytest.approx(18, abs=pixel)
    assert north >= 18
    cols, rows = told["size"]
    assert west + cols * width >= 0
    assert north + rows * height <= -18
