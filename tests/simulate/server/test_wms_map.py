"""Maps of the WMS, made from tiles."""

import datetime as dt
import io

import numpy as np
import pytest
from PIL import Image

from gibswatch.catalogue.grids import TileMatrix, tile_matrix_set
from gibswatch.raster import decode_picture
from gibswatch.simulate import GlobeSource, ServedLayer, TileSource
from gibswatch.simulate.server import TileService
from gibswatch.simulate.server.wms_map import (
    MapRequest,
    WmsError,
    draw_map,
    encode_map,
    read_map_request,
    wms_version,
)
from gibswatch.types import BBox, ByteArray

DAY = dt.date(2023, 8, 7)


def globe(_: dt.date) -> ByteArray:
    """Rows of colour, 320 x 640: as many pixels as level 0 of the grid has on the globe."""
    rows, cols = np.mgrid[:320, :640]
    return np.dstack((rows * 255 // 319, cols * 255 // 639, np.full_like(rows, 40))).astype(
        np.uint8
    )


def overlay(_: dt.date) -> ByteArray:
    """Red in the north, half green south of it, nothing south of the equator."""
    picture = np.zeros((320, 640, 4), np.uint8)
    picture[:80] = (255, 0, 0, 255)
    picture[80:160] = (0, 255, 0, 128)
    return picture


class Truncated:
    """Has half a picture."""

    def days(self) -> frozenset[dt.date]:
        return frozenset([DAY])

    def tile(self, day: dt.date, epsg: int, matrix: TileMatrix, row: int, col: int) -> bytes | None:
        return b"\xff\xd8\xff\xe0 and no more"


SOURCES: dict[str, tuple[ServedLayer, TileSource]] = {
    "Base": (ServedLayer("Base", "png", {4326: "2km"}), GlobeSource(globe, [DAY], "png")),
    "Photo": (ServedLayer("Photo", "jpg", {4326: "2km"}), GlobeSource(globe, [DAY], "jpg")),
    "Over": (ServedLayer("Over", "png", {4326: "16km"}), GlobeSource(overlay, [DAY], "png")),
    "Half": (ServedLayer("Half", "jpg", {4326: "2km"}), Truncated()),
    "Polar": (ServedLayer("Polar", "jpg", {3413: "1km"}), Truncated()),
}
SERVICE = TileService(SOURCES)
WORLD = {"crs": "EPSG:4326", "bbox": "-90,-180,90,180", "width": "640", "height": "320"}


def request(layers: str = "Base", **words: str) -> MapRequest:
    given = {"layers": layers, "format": "image/png", "version": "1.3.0", **WORLD, **words}
    return read_map_request(given)


def draw(layers: str = "Base", **words: str) -> ByteArray:
    return draw_map(SERVICE, request(layers, **words), "2023-08-07")


def tile(name: str, level: int, row: int, col: int) -> ByteArray:
    answer = SERVICE.tile(name, 4326, "2023-08-07", "2km", level, row, col)
    image_format = SERVICE.layers[name][0].image_format
    return decode_picture(answer.body, image_format=image_format)


def test_the_world_at_a_levels_size_is_that_level() -> None:
    picture = draw()
    np.testing.assert_array_equal(picture[..., :3], globe(DAY))
    assert picture[..., 3].min() == 255


@pytest.mark.parametrize("name", ["Base", "Photo"])
def test_a_map_on_a_tile_is_the_tile(name: str) -> None:
    picture = draw(name, bbox="18,-36,54,0", width="512", height="512")
    wanted = tile(name, 3, 1, 4)
    np.testing.assert_array_equal(picture[..., : wanted.shape[2]], wanted)
    assert picture[..., 3].min() == 255


def test_a_map_across_tiles() -> None:
    picture = draw(bbox="0,-54,36,-18", width="512", height="512")
    left, right = tile("Base", 3, 1, 3), tile("Base", 3, 1, 4)
    low_left, low_right = tile("Base", 3, 2, 3), tile("Base", 3, 2, 4)
    whole = np.vstack((np.hstack((left, right)), np.hstack((low_left, low_right))))
    np.testing.assert_array_equal(picture, whole[256:768, 256:768])


@pytest.mark.parametrize(("size", "level"), [("640", 0), ("641", 1), ("320", 0), ("20000", 5)])
def test_the_level_is_no_coarser_than_the_map(size: str, level: int) -> None:
    asked: list[int] = []

    class Noting(Truncated):
        def tile(self, *where: object) -> bytes | None:
            asked.append(getattr(where[2], "level", -1))
            return None

    service = TileService({"Base": (SOURCES["Base"][0], Noting())})
    part = request(bbox="0,0,0.5625,360", width=size, height="1")
    draw_map(service, part, "2023-08-07")
    assert set(asked) == {level}


def test_finer_than_the_finest_level_pixels_repeat() -> None:
    step = tile_matrix_set(4326, "2km").matrix(5).pixel_size
    picture = draw(bbox=f"{-step},0,0,{2 * step}", width="8", height="4")
    np.testing.assert_array_equal(picture, np.repeat(picture[::4, ::4][[0] * 4], 4, axis=1))


def test_outside_the_globe_nothing_is_drawn() -> None:
    picture = draw(bbox="-180,-360,180,360", width="1280", height="640")
    inside = np.zeros((640, 1280), np.bool_)
    inside[160:480, 320:960] = True
    np.testing.assert_array_equal(picture[..., 3] > 0, inside)
    assert draw(bbox="100,0,110,10", width="4", height="4").max() == 0


def test_layers_lie_over_each_other() -> None:
    picture = draw("Base,Over")
    np.testing.assert_array_equal(picture[:80, :, :3], np.broadcast_to((255, 0, 0), (80, 640, 3)))
    mixed = globe(DAY)[80:160] * (1 - 128 / 255) + np.array((0, 255, 0)) * (128 / 255)
    np.testing.assert_allclose(picture[80:160, :, :3], mixed, atol=0.51)
    np.testing.assert_array_equal(picture[160:, :, :3], globe(DAY)[160:])
    assert picture[..., 3].min() == 255
    np.testing.assert_array_equal(draw("Over,Base"), draw("Base"))
    alone = draw("Over")[:, 0]
    assert [tuple(int(v) for v in alone[row]) for row in (0, 100, 200)] == [
        (255, 0, 0, 255),
        (0, 255, 0, 128),
        (0, 0, 0, 0),
    ]


def decoded(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


def test_what_no_layer_covers() -> None:
    pixels = draw("Over")
    clear = decoded(encode_map(pixels, request("Over")))
    assert (clear.format, clear.mode, clear.getpixel((0, 200))) == ("PNG", "RGBA", (0, 0, 0, 0))
    white = request("Over", transparent="FALSE", bgcolor="0xFFFFFF")
    covered = decoded(encode_map(pixels, white))
    assert (covered.mode, covered.getpixel((0, 200))) == ("RGB", (255, 255, 255))
    assert covered.getpixel((0, 100)) == (127, 255, 127)
    photo = decoded(encode_map(pixels, request("Over", format="image/jpeg")))
    assert (photo.format, photo.mode, photo.getpixel((0, 300))) == ("JPEG", "RGB", (0, 0, 0))
    tiff = decoded(encode_map(pixels, request("Over", format="image/tiff")))
    assert (tiff.format, tiff.mode) == ("TIFF", "RGBA")


def test_axes_of_the_versions() -> None:
    box = BBox(-36.0, 18.0, 0.0, 54.0)
    assert request(bbox="18,-36,54,0").box == box
    assert request(bbox="-36,18,0,54", crs="CRS:84").box == box
    assert request(bbox="-36,18,0,54", version="1.1.1", srs="EPSG:4326").box == box


@pytest.mark.parametrize(
    ("words", "version"),
    [
        ({"version": "1.3.0", "srs": "EPSG:4326"}, "1.3.0"),
        ({"version": "1.1.1"}, "1.1.1"),
        ({"version": "1.0.0"}, "1.1.1"),
        ({"srs": "EPSG:4326"}, "1.1.1"),
        ({}, "1.3.0"),
    ],
)
def test_versions(words: dict[str, str], version: str) -> None:
    assert wms_version(words) == version


@pytest.mark.parametrize(
    ("words", "text", "code"),
    [
        ({"layers": "a,b,c,d,e,f"}, "exceeds LayerLimit", None),
        ({"width": "20001"}, "between 1 and 20000 pixels", None),
        ({"width": "0"}, "between 1 and 20000 pixels", None),
        ({"height": "-1"}, "between 1 and 20000 pixels", None),
        ({"height": ""}, "between 1 and 20000 pixels", None),
        ({"bbox": "0,0,0,1"}, "Invalid values for BBOX", None),
        ({"bbox": "1,0,0,1"}, "Invalid values for BBOX", None),
        ({"bbox": "0,0,1"}, "Invalid values for BBOX", None),
        ({"bbox": "0,0,1,inf"}, "Invalid values for BBOX", None),
        ({"bbox": "a,0,1,1"}, "Invalid values for BBOX", None),
        ({"crs": "EPSG:3857"}, "Invalid CRS given", "InvalidCRS"),
        ({"version": "1.1.1"}, "Invalid SRS given", "InvalidSRS"),
        ({"styles": "rainbow"}, "Invalid style (rainbow)", "StyleNotDefined"),
        ({"bgcolor": "white"}, "Invalid BGCOLOR", None),
    ],
)
def test_refused_requests(words: dict[str, str], text: str, code: str | None) -> None:
    with pytest.raises(WmsError) as refused:
        request(**words)
    assert text in refused.value.text
    assert refused.value.code == code


@pytest.mark.parametrize("layers", ["", "No_Such", "Base,No_Such", "Polar"])
def test_unknown_layers(layers: str) -> None:
    with pytest.raises(WmsError, match="invalid LAYER") as refused:
        draw(layers)
    assert refused.value.code == "LayerNotDefined"


def test_what_cannot_be_drawn() -> None:
    for layers, time in (("Half", "2023-08-07"), ("Base", "2023-08-09"), ("Base", "someday")):
        with pytest.raises(WmsError, match=f"Failed to draw layer named '{layers}'"):
            draw_map(SERVICE, request(layers), time)


def test_a_map_of_the_largest_side() -> None:
    picture = draw("Over", bbox="0,-180,1,180", width="20000", height="2")
    assert picture.shape == (2, 20000, 4)
    assert picture[..., 3].min() == 128
