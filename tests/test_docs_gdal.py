"""Every example of docs/gdal.md runs, against the embedded server, and gets the right day."""

from __future__ import annotations

import datetime as dt
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import rasterio

from gibswatch.catalogue.grids import TileMatrix
from gibswatch.catalogue.layers import find_layer
from gibswatch.catalogue.service_xml import SERVICE_PROTOCOLS
from gibswatch.simulate import EmbeddedServer, ServedLayer, create_app
from gibswatch.simulate.server.cut import encode_tile

PAGE = (Path(__file__).resolve().parents[1] / "docs/gdal.md").read_text("utf-8")
LAYER = find_layer("MODIS_Terra_CorrectedReflectance_TrueColor")
DAY = dt.date(2023, 8, 7)
_PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


class PlainSource:
    """Tiles of one colour each: red says the level, green the row, blue the column."""

    def days(self) -> list[dt.date]:
        return [DAY, DAY + dt.timedelta(days=1)]

    def tile(self, day: dt.date, epsg: int, matrix: TileMatrix, row: int, col: int) -> bytes:
        colour = np.array([40 + 10 * matrix.level, 20 + row % 200, 20 + col % 200], np.uint8)
        pixels = np.broadcast_to(colour, (matrix.tile_size, matrix.tile_size, 3))
        return encode_tile(np.ascontiguousarray(pixels), "jpg")


@pytest.fixture(scope="module")
def gibs() -> Iterator[EmbeddedServer]:
    served = ServedLayer(LAYER.identifier, "jpg", LAYER.projections)
    with EmbeddedServer(create_app({LAYER.identifier: (served, PlainSource())})) as running:
        yield running


def environment(folder: Path, base_url: str) -> dict[str, str]:
    """The environment, without GDAL's settings and with its cache inside the test's folder."""
    kept = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith(("GDAL_", "CPL_", "VSI_"))
    }
    cache = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "GDAL_DEFAULT_WMS_CACHE_PATH"), str(folder))
    return kept | cache | {"PATH": _PATH, "GIBSWATCH_BASE_URL": base_url}


def asked_days(server: EmbeddedServer) -> set[str]:
    assert {record.status for record in server.requests} == {200}
    words = " ".join(f"{record.path}?{record.query}" for record in server.requests)
    return set(re.findall(r"\d{4}-\d\d-\d\d", words))


def test_the_page_has_every_protocol_in_every_projection() -> None:
    found = set()
    for block in blocks("bash"):
        protocol = re.findall(r"--xml (\w+)", block)[0]
        epsg = re.findall(r"--epsg (\d+)", block) or ["4326"]
        found.add((protocol, int(epsg[0])))
    polar_twms = {("twms", 3413), ("twms", 3031)}
    every = {(name, epsg) for name in SERVICE_PROTOCOLS for epsg in (4326, 3413, 3031, 3857)}
    assert found == every - polar_twms


@pytest.mark.skipif(
    not Path("/usr/bin/gdal_translate").exists(), reason="needs the Debian package gdal-bin"
)
@pytest.mark.parametrize("block", blocks("bash"))
def test_shell_examples_run(gibs: EmbeddedServer, tmp_path: Path, block: str) -> None:
    gibs.requests.clear()
    ended = subprocess.run(
        ["bash", "-euc", block],
        cwd=tmp_path,
        env=environment(tmp_path / "cache", gibs.base_url),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert asked_days(gibs) == {str(DAY)}
    with rasterio.open(tmp_path / "out.tif") as picture:
        size = re.findall(r"-outsize (\d+) (\d+)", block)
        assert picture.shape[::-1] == (tuple(map(int, size[0])) if size else (2560, 1280))
        assert picture.crs.to_epsg() == int((re.findall(r"--epsg (\d+)", block) or [4326])[0])
        windows = re.findall(r"-projwin (\S+) (\S+) (\S+) (\S+)", block)
        left, top, right, bottom = windows[0] if windows else ("-180", "90", "180", "-90")
        wanted = (float(left), float(bottom), float(right), float(top))
        assert picture.bounds == pytest.approx(wanted, abs=2 * picture.res[0])
        assert picture.read().min() > 10, "black where the server has imagery"


@pytest.mark.parametrize("block", blocks("python"))
def test_python_examples_run(gibs: EmbeddedServer, tmp_path: Path, block: str) -> None:
    gibs.requests.clear()
    named = block.replace(
        "dt.date(2023, 8, 7),", f'dt.date(2023, 8, 7), base_url="{gibs.base_url}",'
    )
    assert named != block
    script = f"{named}\nprint(*pixels.shape, pixels.min())\n"
    ended = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=environment(tmp_path / "cache", gibs.base_url),
        capture_output=True,
        text=True,
        check=True,
    )
    bands, rows, cols, darkest = map(int, ended.stdout.split())
    assert (bands, rows, cols) == (3, 569, 683)
    assert darkest > 10
    assert asked_days(gibs) == {str(DAY)}
    addresses = [record.path for record in gibs.requests]
    assert len(addresses) == len(set(addresses)), "a tile was fetched more than once"
