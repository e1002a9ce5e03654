"""GeoTIFF in and out: where it lies, what it is made of, and what is not believed."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from rasterio.io import MemoryFile

from gibswatch.archive.pictures.geotiff import GeotiffWriter, decode_geotiff, is_tiff
from gibswatch.catalogue.windows import Grid, plan_grid
from gibswatch.errors import DecodeError, OutputError
from gibswatch.types import BBox, ByteArray, Epsg, Georeference, ImageFormat

GLOBE = Georeference(4326, -180.0, 90.0, 360 / 1300, 180 / 650, 650, 1300)


def noise(rows: int, cols: int, bands: int = 3, seed: int = 0) -> ByteArray:
    return np.random.default_rng(seed).integers(0, 256, (rows, cols, bands), dtype=np.uint8)


def write(
    path: Path,
    pixels: ByteArray,
    georeference: Georeference = GLOBE,
    *,
    cog: bool = False,
    order: tuple[int, ...] = (512, 0),
) -> Path:
    image_format: ImageFormat = "jpg" if pixels.shape[2] == 3 else "png"
    writer = GeotiffWriter(path, georeference, image_format, cloud_optimised=cog)
    for first in order:
        writer.write(first, pixels[first : first + 512])
    writer.close()
    return path


@pytest.mark.parametrize("cog", [False, True])
@pytest.mark.parametrize("bands", [3, 4])
def test_strips_in_any_order_are_the_picture(tmp_path: Path, bands: int, cog: bool) -> None:
    pixels = noise(650, 1300, bands)
    path = write(tmp_path / "day.tif", pixels, cog=cog)
    assert [file.name for file in tmp_path.iterdir()] == ["day.tif"]
    with rasterio.open(path) as dataset:
        assert dataset.block_shapes == [(512, 512)] * bands
        assert dataset.compression.name == "deflate"
        assert dataset.crs.to_epsg() == 4326
        assert tuple(dataset.bounds) == pytest.approx((-180, -90, 180, 90))
        assert (dataset.tags(ns="IMAGE_STRUCTURE").get("LAYOUT") == "COG") == cog
        assert bool(dataset.overviews(1)) == cog
        np.testing.assert_array_equal(dataset.read(), pixels.transpose(2, 0, 1))
    data = path.read_bytes()
    assert is_tiff(data)
    np.testing.assert_array_equal(decode_geotiff(data, "jpg" if bands == 3 else "png"), pixels)


@pytest.mark.parametrize("epsg", [3413, 3031, 3857])
def test_metres_are_metres(tmp_path: Path, epsg: Epsg) -> None:
    metre = GLOBE.__class__(epsg, -4e6, 3e6, 1000.0, 1000.0, 650, 1300)
    with rasterio.open(write(tmp_path / "day.tif", noise(650, 1300), metre, cog=True)) as dataset:
        assert dataset.crs.to_epsg() == epsg
        assert dataset.transform[:6] == (1000.0, 0, -4e6, 0, -1000.0, 3e6)


def test_overviews_of_colours_that_are_values_hold_no_new_one(tmp_path: Path) -> None:
    values = np.array([0, 40, 200], dtype=np.uint8)
    pixels = np.full((650, 1300, 4), 255, dtype=np.uint8)
    pixels[..., :3] = values[noise(650, 1300, 1, seed=3) % 3]
    path = write(tmp_path / "values.tif", pixels, cog=True)
    with rasterio.open(path, overview_level=0) as coarse:
        assert set(np.unique(coarse.read([1, 2, 3]))) == {0, 40, 200}
    path = write(tmp_path / "means.tif", np.ascontiguousarray(pixels[..., :3]), cog=True)
    with rasterio.open(path, overview_level=0) as coarse:
        assert len(np.unique(coarse.read())) > 3


@pytest.mark.skipif(shutil.which("gdalinfo") is None, reason="needs the Debian package gdal-bin")
def test_debians_gdalinfo_sees_a_cog(tmp_path: Path) -> None:
    plan = plan_grid(Grid("native", 4326, "16km", BBox(-36, -18, 72, 54)), "250m")
    place = plan.georeference
    order = (0,) if place.rows <= 512 else (0, 512)
    path = write(tmp_path / "day.tif", noise(*place.shape), place, cog=True, order=order)
    ended = subprocess.run(["gdalinfo", "-json", path], capture_output=True, text=True, check=True)
    told = json.loads(ended.stdout)
    assert told["metadata"]["IMAGE_STRUCTURE"]["LAYOUT"] == "COG"
    assert told["size"] == [place.cols, place.rows]
    west, width, _, north, _, height = told["geoTransform"]
    assert (west, north, width, -height) == pytest.approx(
        (place.west, place.north, place.pixel_width, place.pixel_height)
    )
    assert 'ID["EPSG",4326]' in told["coordinateSystem"]["wkt"]


def test_what_is_read_back_as_something_else_is_refused(tmp_path: Path) -> None:
    writer = GeotiffWriter(tmp_path / "day.tif", GLOBE, "jpg", cloud_optimised=False)
    writer.write(0, noise(512, 1300))
    writer.write(512, noise(138, 1300))
    writer._checksums[512, 138] ^= 1
    with pytest.raises(OutputError, match="was not written whole"):
        writer.close()


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"day\.tif cannot be written"):
        GeotiffWriter(tmp_path / "none" / "day.tif", GLOBE, "jpg", cloud_optimised=True)


def tiff(array: ByteArray | np.ndarray, **options: object) -> bytes:
    count, rows, cols = array.shape
    options = {"crs": "EPSG:4326", "transform": rasterio.Affine(0.5, 0, 9, 0, -0.5, 8)} | options
    with MemoryFile() as file:
        with file.open(
            driver="GTiff", dtype=array.dtype, count=count, height=rows, width=cols, **options
        ) as dataset:
            dataset.write(array)
        return bytes(file.getbuffer())


def test_grey_and_rgb_are_brought_to_the_layers_bands() -> None:
    grey = noise(20, 30, 1).transpose(2, 0, 1)
    rgb = noise(20, 30, 3).transpose(2, 0, 1)
    assert (decode_geotiff(tiff(grey), "jpg") == grey[0][..., np.newaxis]).all()
    opaque = decode_geotiff(tiff(rgb), "png")
    assert opaque.shape == (20, 30, 4)
    assert (opaque[..., 3] == 255).all()
    np.testing.assert_array_equal(opaque[..., :3], rgb.transpose(1, 2, 0))


def test_a_tiff_of_another_program_reads_too(tmp_path: Path) -> None:
    pixels = noise(40, 50)
    Image.fromarray(pixels).save(tmp_path / "plain.tif")
    data = (tmp_path / "plain.tif").read_bytes()
    np.testing.assert_array_equal(decode_geotiff(data, "jpg"), pixels)


def test_other_bands_values_and_sizes_are_refused() -> None:
    with pytest.raises(DecodeError, match="2 bands of uint8"):
        decode_geotiff(tiff(np.zeros((2, 8, 8), np.uint8)), "jpg")
    with pytest.raises(DecodeError, match="3 bands of uint16"):
        decode_geotiff(tiff(np.zeros((3, 8, 8), np.uint16)), "jpg")
    with pytest.raises(DecodeError, match="8x9 pixels is over the limit of 71"):
        decode_geotiff(tiff(np.zeros((3, 9, 8), np.uint8)), "jpg", max_pixels=71)


def test_no_other_format_of_gdal_is_read() -> None:
    vrt = b'<VRTDataset rasterXSize="1" rasterYSize="1"></VRTDataset>'
    assert not is_tiff(vrt)
    with pytest.raises(DecodeError, match="damaged TIFF"):
        decode_geotiff(vrt, "jpg")


@pytest.mark.parametrize("compress", [None, "deflate", "lzw"])
def test_a_tiff_that_is_cut_off_is_refused(compress: str | None) -> None:
    data = tiff(noise(300, 300).transpose(2, 0, 1), compress=compress)
    for kept in (0.1, 0.5, 0.9):
        with pytest.raises(DecodeError, match="damaged TIFF"):
            decode_geotiff(data[: int(kept * len(data))], "jpg")


@given(st.data())
def test_damaged_tiffs_are_refused_or_a_picture(data: st.DataObject) -> None:
    whole = bytearray(tiff(noise(16, 16).transpose(2, 0, 1), compress="deflate"))
    for _ in range(data.draw(st.integers(1, 5))):
        whole[data.draw(st.integers(4, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        pixels = decode_geotiff(bytes(whole), "jpg", max_pixels=10_000)
    except DecodeError:
        return
    assert pixels.ndim == 3
    assert pixels.shape[2] == 3
